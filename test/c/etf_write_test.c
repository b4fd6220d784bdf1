// SPDX-License-Identifier: Apache-2.0
// The external term format as a sink, over a host whose memory moves at every growth, counts, and
// fails where it is told to.
#include "etf.h"

#include "etf_golden.h"
#include "record.h"
#include "test_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DEPTH    512u
#define NO_LIMIT SIZE_MAX

static int read_into(const uint8_t *data, size_t length, struct term_sink *sink) {
    struct etf_reader reader;
    etf_reader_init(&reader, data, length, DEPTH);
    return term_walk(&reader.source, sink);
}

static int copy_hex(const char *hex, struct term_sink *sink) {
    size_t length;
    uint8_t *bytes = etf_unhex(hex, &length);
    int code = read_into(bytes, length, sink);
    free(bytes);
    return code;
}

// What the writer holds is exactly one term, and these are its events.
static void assert_holds(const struct etf_writer *writer, const char *events) {
    struct record record;
    record_init(&record);
    assert_int_equal(
        read_into(writer->data + writer->headroom, writer->length - writer->headroom, &record.sink),
        0);
    assert_string_equal(record.text, events);
    assert_true(record_complete(&record));
    record_release(&record);
}

static void assert_bytes(const struct etf_writer *writer, const char *hex) {
    size_t length;
    uint8_t *bytes = etf_unhex(hex, &length);
    assert_int_equal(writer->length - writer->headroom, length);
    assert_memory_equal(writer->data + writer->headroom, bytes, length);
    free(bytes);
}

static void writes_every_tag(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 0, NO_LIMIT);
    assert_int_equal(host.requests, 0);
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        etf_writer_reset(&writer);
        assert_int_equal(copy_hex(etf_goldens[i].bytes, &writer.sink), 0);
        assert_holds(&writer, etf_goldens[i].events);
        if (etf_goldens[i].canonical)
            assert_bytes(&writer, etf_goldens[i].bytes);
    }
    assert_int_equal(host.requests, 1);
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

static void keeps_the_headroom(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    for (size_t headroom = 0; headroom < 600; headroom += 37) {
        struct etf_writer writer;
        etf_writer_init(&writer, &host.host, headroom, NO_LIMIT);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(writer.length, headroom + 1);
            assert_int_equal(term_begin(&writer.sink, TERM_LIST, 0), 0);
            memset(writer.data, 0xa5, headroom);
            for (int i = 0; i < 1000; i++)
                assert_int_equal(term_integer(&writer.sink, i), 0);
            assert_int_equal(term_end(&writer.sink, TERM_LIST, 1000), 0);
            for (size_t i = 0; i < headroom; i++)
                assert_int_equal(writer.data[i], 0xa5);
            struct record record;
            record_init(&record);
            assert_int_equal(
                read_into(writer.data + headroom, writer.length - headroom, &record.sink), 0);
            assert_true(record_complete(&record));
            assert_int_equal(record.events, 1002);
            record_release(&record);
            etf_writer_reset(&writer);
        }
        etf_writer_release(&writer);
        assert_int_equal(writer.length, headroom + 1);
    }
    assert_int_equal(host.live_bytes, 0);
}

static void put_integers(struct etf_writer *writer, enum term_kind kind, size_t hint, size_t n) {
    assert_int_equal(term_begin(&writer->sink, kind, hint), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(term_integer(&writer->sink, (int64_t)i), 0);
    assert_int_equal(term_end(&writer->sink, kind, kind == TERM_MAP ? n / 2 : n), 0);
}

// Whatever the hint was, the count at the end is what is read back.
static void a_hint_is_only_a_hint(void **state) {
    (void)state;
    static const size_t counts[] = {0, 2, 4, 254, 256, 1000};
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 4, NO_LIMIT);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++)
            for (enum term_kind kind = TERM_LIST; kind <= TERM_MAP; kind++) {
                etf_writer_reset(&writer);
                put_integers(&writer, kind, counts[i], counts[j]);
                struct record expected;
                record_init(&expected);
                size_t n = kind == TERM_MAP ? counts[j] / 2 : counts[j];
                (void)term_begin(&expected.sink, kind, n);
                for (size_t k = 0; k < counts[j]; k++)
                    (void)term_integer(&expected.sink, (int64_t)k);
                (void)term_end(&expected.sink, kind, n);
                assert_holds(&writer, expected.text);
                record_release(&expected);
            }
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

static void closes_without_moving_a_large_binary(void **state) {
    (void)state;
    static uint8_t large[1 << 20];
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 4, NO_LIMIT);
    assert_int_equal(term_begin(&writer.sink, TERM_TUPLE, 2), 0);
    assert_int_equal(TERM_ATOM(&writer.sink, "ok"), 0);
    assert_int_equal(term_begin(&writer.sink, TERM_LIST, 1), 0);
    assert_int_equal(host.requests, 1);
    assert_int_equal(term_bytes(&writer.sink, large, sizeof large), 0);
    assert_int_equal(term_end(&writer.sink, TERM_LIST, 1), 0);
    assert_int_equal(term_end(&writer.sink, TERM_TUPLE, 2), 0);
    assert_int_equal(host.requests, 2);
    assert_true(writer.capacity < sizeof large + 1024);
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

static void holds_to_its_size(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        if (!etf_goldens[i].canonical)
            continue;
        size_t length;
        free(etf_unhex(etf_goldens[i].bytes, &length));
        for (size_t max_bytes = 0; max_bytes <= length + 4; max_bytes++) {
            struct etf_writer writer;
            etf_writer_init(&writer, &host.host, 100, max_bytes);
            int code = copy_hex(etf_goldens[i].bytes, &writer.sink);
            // An empty list takes five bytes until it is known to be empty.
            bool transient = strstr(etf_goldens[i].events, "[0") != NULL ||
                             strstr(etf_goldens[i].events, "(0") != NULL;
            if (max_bytes < length)
                assert_int_equal(code, TERM_E_SIZE);
            else if (!transient || max_bytes == length + 4)
                assert_int_equal(code, 0);
            assert_true(writer.length <= 100 + max_bytes || code == TERM_E_SIZE);
            assert_true(writer.capacity <= 100 + max_bytes);
            etf_writer_release(&writer);
        }
    }
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 0, NO_LIMIT);
    assert_int_equal(term_bytes(&writer.sink, "", (size_t)UINT32_MAX + 1), TERM_E_SIZE);
    etf_writer_reset(&writer);
    assert_int_equal(term_begin(&writer.sink, TERM_LIST, 0), 0);
    assert_int_equal(term_end(&writer.sink, TERM_LIST, (size_t)UINT32_MAX + 1), TERM_E_SIZE);
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

// Wide and deep enough to grow in every one of the writer's functions.
static int put_much(struct term_sink *sink) {
    static const uint8_t bytes[700];
    int code = 0;
    for (size_t i = 0; i < 100 && code == 0; i++) {
        code = term_begin(sink, i % 2 == 0 ? TERM_LIST : TERM_TUPLE, i % 3);
        for (int64_t j = 0; j < 7 && code == 0; j++)
            code = term_integer(sink, j << 8 * j);
        if (code == 0)
            code = term_real(sink, 1.5);
        if (code == 0)
            code = term_atom(sink, "an_atom", 7);
        if (code == 0)
            code = term_bytes(sink, bytes, i * 7);
        if (code == 0)
            code = term_begin(sink, TERM_MAP, 0);
        if (code == 0)
            code = term_end(sink, TERM_MAP, 0);
        if (code == 0 && i == 99)
            code = term_bytes(sink, bytes, sizeof bytes);
    }
    for (size_t i = 100; i-- > 0 && code == 0;)
        code = term_end(sink, i % 2 == 0 ? TERM_LIST : TERM_TUPLE, 12);
    return code;
}

static void survives_every_failed_allocation(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 4, NO_LIMIT);
    assert_int_equal(put_much(&writer.sink), 0);
    size_t requests = host.requests;
    size_t length = writer.length;
    assert_true(requests > 5);
    etf_writer_release(&writer);
    for (size_t fail_at = 1; fail_at <= requests; fail_at++) {
        test_host_init(&host);
        host.fail_at = fail_at;
        etf_writer_init(&writer, &host.host, 4, NO_LIMIT);
        assert_int_equal(put_much(&writer.sink), TERM_E_MEMORY);
        assert_int_equal(host.live_bytes, writer.capacity);
        etf_writer_reset(&writer);
        assert_int_equal(put_much(&writer.sink), 0);
        assert_int_equal(writer.length, length);
        struct record record;
        record_init(&record);
        assert_int_equal(read_into(writer.data + 4, writer.length - 4, &record.sink), 0);
        assert_true(record_complete(&record));
        record_release(&record);
        etf_writer_release(&writer);
        assert_int_equal(host.live_bytes, 0);
    }
}

static void bounds_the_depth(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 0, NO_LIMIT);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ETF_WRITER_DEPTH; i++)
            assert_int_equal(term_begin(&writer.sink, TERM_LIST, 1), 0);
        assert_int_equal(term_begin(&writer.sink, TERM_LIST, 1), TERM_E_DEPTH);
        etf_writer_reset(&writer);
    }
    for (size_t i = 0; i < ETF_WRITER_DEPTH; i++)
        assert_int_equal(term_begin(&writer.sink, TERM_TUPLE, i == 255 ? 0 : 1), 0);
    assert_int_equal(term_end(&writer.sink, TERM_TUPLE, 0), 0);
    for (size_t i = 1; i < ETF_WRITER_DEPTH; i++)
        assert_int_equal(term_end(&writer.sink, TERM_TUPLE, 1), 0);
    struct record record;
    record_init(&record);
    assert_int_equal(read_into(writer.data, writer.length, &record.sink), 0);
    assert_int_equal(record.events, 2 * ETF_WRITER_DEPTH);
    record_release(&record);
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

static void bounds_an_atom(void **state) {
    (void)state;
    static const struct {
        size_t length;
        int code;
        size_t header;
    } atoms[] = {{0, 0, 2},   {255, 0, 2},  {256, 0, 3},
                 {257, 0, 3}, {1020, 0, 3}, {1021, TERM_E_TYPE, 0}};
    static char name[1021];
    struct test_host host;
    test_host_init(&host);
    for (size_t i = 0; i < sizeof atoms / sizeof atoms[0]; i++) {
        size_t narrow = atoms[i].length % 4; // characters of one byte, then of four
        memset(name, 'a', narrow);
        for (size_t at = narrow; at < atoms[i].length; at++)
            name[at] = "\xf0\x9f\x98\x80"[(at - narrow) % 4];
        struct etf_writer writer;
        etf_writer_init(&writer, &host.host, 0, NO_LIMIT);
        assert_int_equal(term_atom(&writer.sink, name, atoms[i].length), atoms[i].code);
        if (atoms[i].code == 0) {
            assert_int_equal(writer.length, 1 + atoms[i].header + atoms[i].length);
            struct record record;
            record_init(&record);
            assert_int_equal(read_into(writer.data, writer.length, &record.sink), 0);
            assert_null(record.broke);
            record_release(&record);
        }
        etf_writer_release(&writer);
    }
    assert_int_equal(host.live_bytes, 0);
}

// What no source should do must spoil no memory.
static void contains_an_unruly_source(void **state) {
    (void)state;
    struct test_host host;
    test_host_init(&host);
    for (enum term_kind kind = TERM_LIST; kind <= TERM_MAP; kind++)
        for (enum term_kind other = TERM_LIST; other <= TERM_MAP; other++)
            for (size_t n = 0; n < 600; n += 150) {
                struct etf_writer writer;
                etf_writer_init(&writer, &host.host, 0, 7);
                assert_int_equal(term_end(&writer.sink, kind, 0), TERM_E_CORRUPT);
                etf_writer_reset(&writer);
                assert_int_equal(term_begin(&writer.sink, kind, n), 0);
                int code = term_end(&writer.sink, other, 600 - n);
                assert_true(code == 0 || code == TERM_E_SIZE);
                assert_true(writer.length <= writer.capacity);
                etf_writer_release(&writer);
            }
    struct etf_writer writer;
    etf_writer_init(&writer, &host.host, 0, NO_LIMIT);
    assert_int_equal(term_bytes(&writer.sink, NULL, 0), 0);
    assert_holds(&writer, "<>");
    etf_writer_release(&writer);
    etf_writer_release(&writer);
    assert_int_equal(term_integer(&writer.sink, 7), 0); // as new after a release
    assert_holds(&writer, "7");
    etf_writer_release(&writer);
    assert_int_equal(host.live_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_every_tag),
        cmocka_unit_test(keeps_the_headroom),
        cmocka_unit_test(a_hint_is_only_a_hint),
        cmocka_unit_test(closes_without_moving_a_large_binary),
        cmocka_unit_test(holds_to_its_size),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(bounds_an_atom),
        cmocka_unit_test(contains_an_unruly_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
