// SPDX-License-Identifier: Apache-2.0
// The external term format as a source. Every input is a heap block of its exact size, so that
// ASan and valgrind see a read past the end.
#include "etf.h"

#include "etf_golden.h"
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DEPTH 16u

static int walk(const uint8_t *data, size_t length, uint32_t depth, struct term_sink *sink) {
    uint8_t *exact = malloc(length + (length == 0));
    assert_non_null(exact);
    memcpy(exact, data, length);
    struct etf_reader reader;
    etf_reader_init(&reader, exact, length, depth);
    int code = term_walk(&reader.source, sink);
    free(exact);
    return code;
}

static int read_hex(const char *hex, uint32_t depth, struct record *record) {
    size_t length;
    uint8_t *bytes = etf_unhex(hex, &length);
    int code = walk(bytes, length, depth, &record->sink);
    free(bytes);
    return code;
}

static void reads_every_tag(void **state) {
    (void)state;
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        struct record record;
        record_init(&record);
        assert_int_equal(read_hex(etf_goldens[i].bytes, DEPTH, &record), 0);
        assert_string_equal(record.text, etf_goldens[i].events);
        assert_null(record.broke);
        assert_true(record_complete(&record));
        record_release(&record);
    }
}

static void refuses_every_truncation_and_every_trailing_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        size_t length;
        uint8_t *bytes = etf_unhex(etf_goldens[i].bytes, &length);
        for (size_t cut = 0; cut < length; cut++) {
            struct record record;
            record_init(&record);
            assert_int_equal(walk(bytes, cut, DEPTH, &record.sink), TERM_E_CORRUPT);
            assert_null(record.broke);
            record_release(&record);
        }
        uint8_t longer[256];
        memcpy(longer, bytes, length);
        longer[length] = 0x6a;
        struct record record;
        record_init(&record);
        assert_int_equal(walk(longer, length + 1, DEPTH, &record.sink), TERM_E_CORRUPT);
        record_release(&record);
        free(bytes);
    }
}

// Any byte changed to anything: an answer by the rules, whatever it is.
static void survives_every_changed_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        size_t length;
        uint8_t *bytes = etf_unhex(etf_goldens[i].bytes, &length);
        for (size_t at = 0; at < length; at++) {
            uint8_t kept = bytes[at];
            for (unsigned value = 0; value <= UINT8_MAX; value++) {
                bytes[at] = (uint8_t)value;
                struct record record;
                record_init(&record);
                int code = walk(bytes, length, DEPTH, &record.sink);
                assert_null(record.broke);
                assert_true(code == 0 || code == TERM_E_CORRUPT || code == TERM_E_TYPE);
                assert_true(code < 0 || record_complete(&record));
                record_release(&record);
            }
            bytes[at] = kept;
        }
        free(bytes);
    }
}

static void returns_a_sinks_code_unchanged_at_once(void **state) {
    (void)state;
    for (size_t i = 0; i < ETF_GOLDENS; i++) {
        struct record whole;
        record_init(&whole);
        assert_int_equal(read_hex(etf_goldens[i].bytes, DEPTH, &whole), 0);
        for (size_t event = 1; event <= whole.events; event++) {
            struct record record;
            record_init(&record);
            record.refuse_at = event;
            record.code = -1000 - (int)event;
            assert_int_equal(read_hex(etf_goldens[i].bytes, DEPTH, &record), record.code);
            assert_int_equal(record.events, event);
            assert_null(record.broke);
            record_release(&record);
        }
        record_release(&whole);
    }
}

struct refusal {
    const char *bytes;
    int code;
    size_t events; // that came before it
};

static void refuse(const struct refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t length;
        uint8_t *bytes = etf_unhex(refusals[i].bytes, &length);
        for (size_t cut = 0; cut <= length; cut++) {
            struct record record;
            record_init(&record);
            int code = walk(bytes, cut, DEPTH, &record.sink);
            assert_true(code == refusals[i].code || (cut < length && code == TERM_E_CORRUPT));
            assert_true(record.events <= refusals[i].events);
            assert_true(cut < length || record.events == refusals[i].events);
            assert_null(record.broke);
            record_release(&record);
        }
        free(bytes);
    }
}

static void refuses_what_cannot_cross(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"83 6e 08 00 0000000000000080", TERM_E_TYPE, 0},
        {"83 6e 08 01 0100000000000080", TERM_E_TYPE, 0},
        {"83 6e 09 00 000000000000000001", TERM_E_TYPE, 0},
        {"83 6f 00000009 01 000000000000000001", TERM_E_TYPE, 0},
        {"83 6c 00000001 61 01 61 02", TERM_E_TYPE, 2},
        {"83 6c 00000001 61 01 6c 00000001 61 02 6a", TERM_E_TYPE, 2},
        {"83 6c 00000001 61 01 63", TERM_E_TYPE, 2},
        {"83 4d 00000001 03 e0", TERM_E_TYPE, 0},
        {"83 50 00000002 789c6bfb00000219011b", TERM_E_TYPE, 0},
        {"83 63 312e3530303030303030303030303030303030303030652b30300000000000", TERM_E_TYPE, 0},
        {"83 68 02 61 01 58 77 01 61 000000500000000000000001", TERM_E_TYPE, 2},
    };
    refuse(refusals, sizeof refusals / sizeof refusals[0]);
}

static void refuses_what_is_not_the_format(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"82 61 01", TERM_E_CORRUPT, 0},
        {"61 01", TERM_E_CORRUPT, 0},
        {"83 83 61 01", TERM_E_CORRUPT, 0},
        {"83 68 01 50 00000001 00", TERM_E_CORRUPT, 1}, // compressed, but not the whole term
        {"83 52 00", TERM_E_CORRUPT, 0},                // the distribution's atom cache
        {"83 6c 00000001 61 01 00", TERM_E_CORRUPT, 2},
        {"83 6e 01 02 05", TERM_E_CORRUPT, 0},
        {"83 46 7ff0000000000000", TERM_E_CORRUPT, 0},
        {"83 46 fff0000000000000", TERM_E_CORRUPT, 0},
        {"83 46 7ff8000000000000", TERM_E_CORRUPT, 0},
        {"83 46 fff0000000000001", TERM_E_CORRUPT, 0},
        {"83 77 01 80", TERM_E_CORRUPT, 0},
        {"83 77 01 c3", TERM_E_CORRUPT, 0},
        {"83 77 02 c080", TERM_E_CORRUPT, 0},
        {"83 77 02 c141", TERM_E_CORRUPT, 0},
        {"83 77 02 c341", TERM_E_CORRUPT, 0},
        {"83 77 03 e08080", TERM_E_CORRUPT, 0},
        {"83 77 03 eda080", TERM_E_CORRUPT, 0},
        {"83 77 03 e282c0", TERM_E_CORRUPT, 0},
        {"83 77 04 f0808080", TERM_E_CORRUPT, 0},
        {"83 77 04 f4908080", TERM_E_CORRUPT, 0},
        {"83 77 04 f5808080", TERM_E_CORRUPT, 0},
        {"83 77 03 f09f98", TERM_E_CORRUPT, 0},
    };
    refuse(refusals, sizeof refusals / sizeof refusals[0]);
}

// No begin either: a sink may reserve what begin promises.
static void refuses_lying_counts_before_any_event(void **state) {
    (void)state;
    static const struct refusal refusals[] = {
        {"83 6c ffffffff 61 01 6a", TERM_E_CORRUPT, 0},
        {"83 6c 00000004 61 01 6a", TERM_E_CORRUPT, 0},
        {"83 69 ffffffff 61 01", TERM_E_CORRUPT, 0},
        {"83 68 ff 61 01", TERM_E_CORRUPT, 0},
        {"83 68 03 61 01", TERM_E_CORRUPT, 0},
        {"83 74 ffffffff 61 01 61 02", TERM_E_CORRUPT, 0},
        {"83 74 80000000 61 01 61 02", TERM_E_CORRUPT, 0},
        {"83 74 00000002 6a 6a 6a", TERM_E_CORRUPT, 0},
        {"83 6d ffffffff 61", TERM_E_CORRUPT, 0},
        {"83 6d 00000002 61", TERM_E_CORRUPT, 0},
        {"83 6b ffff 61", TERM_E_CORRUPT, 0},
        {"83 6e ff 00 01", TERM_E_CORRUPT, 0},
        {"83 6f ffffffff 00 01", TERM_E_CORRUPT, 0},
        {"83 76 ffff 61", TERM_E_CORRUPT, 0},
        {"83 77 ff 61", TERM_E_CORRUPT, 0},
        {"83 64 ffff 61", TERM_E_CORRUPT, 0},
    };
    refuse(refusals, sizeof refusals / sizeof refusals[0]);
}

static void an_atom_has_at_most_255_characters(void **state) {
    (void)state;
    static const struct {
        uint8_t tag;
        const char *character;
        size_t characters;
        int code;
    } atoms[] = {
        {118, "a", 255, 0},
        {118, "a", 256, TERM_E_CORRUPT},
        {118, "\xf0\x9f\x98\x80", 255, 0},
        {118, "\xf0\x9f\x98\x80", 256, TERM_E_CORRUPT},
        {100, "\xe9", 255, 0},
        {100, "\xe9", 256, TERM_E_CORRUPT},
    };
    for (size_t i = 0; i < sizeof atoms / sizeof atoms[0]; i++) {
        uint8_t bytes[4 + 4 * 256] = {131, atoms[i].tag};
        size_t width = strlen(atoms[i].character);
        size_t length = width * atoms[i].characters;
        bytes[2] = (uint8_t)(length >> 8);
        bytes[3] = (uint8_t)length;
        for (size_t at = 0; at < length; at += width)
            memcpy(bytes + 4 + at, atoms[i].character, width);
        struct record record;
        record_init(&record);
        assert_int_equal(walk(bytes, 4 + length, DEPTH, &record.sink), atoms[i].code);
        assert_int_equal(record.events, atoms[i].code == 0);
        assert_null(record.broke);
        record_release(&record);
    }
}

static void tells_uncrossable_tags_from_unknown_ones(void **state) {
    (void)state;
    static const uint8_t uncrossable[] = {77,  80,  88,  89,  90,  99,  101, 102,
                                          103, 112, 113, 114, 117, 120, 121};
    for (unsigned tag = 0; tag <= UINT8_MAX; tag++) {
        const uint8_t bytes[] = {131, (uint8_t)tag};
        struct record record;
        record_init(&record);
        int code = walk(bytes, sizeof bytes, DEPTH, &record.sink);
        if (memchr(uncrossable, (int)tag, sizeof uncrossable) != NULL)
            assert_int_equal(code, TERM_E_TYPE);
        else
            assert_int_equal(code, tag == 106 ? 0 : TERM_E_CORRUPT);
        record_release(&record);
    }
}

// `depth` containers around an innermost container.
static int read_nest(uint32_t depth, const char *open, const char *inner, uint32_t limit) {
    char hex[4096] = "83";
    for (uint32_t i = 0; i < depth; i++)
        strcat(hex, open);
    strcat(hex, inner);
    for (uint32_t i = 0; open[1] == 'c' && i < depth; i++)
        strcat(hex, "6a");
    struct record record;
    record_init(&record);
    int code = read_hex(hex, limit, &record);
    assert_null(record.broke);
    assert_int_equal(record_complete(&record), code == 0);
    record_release(&record);
    return code;
}

static void bounds_the_depth(void **state) {
    (void)state;
    static const char *const opens[] = {"6801", "6c00000001", "6900000001", "7400000001 6100"};
    static const char *const inners[] = {"6a", "6800", "7400000000", "6b000101", "680161 07"};
    for (size_t i = 0; i < sizeof opens / sizeof opens[0]; i++)
        for (size_t j = 0; j < sizeof inners / sizeof inners[0]; j++)
            for (uint32_t depth = 0; depth < 200; depth += 33) {
                assert_int_equal(read_nest(depth, opens[i], inners[j], depth), TERM_E_DEPTH);
                assert_int_equal(read_nest(depth, opens[i], inners[j], depth + 1), 0);
                assert_int_equal(read_nest(depth, opens[i], "61 07", depth), 0);
            }
}

// A sink that keeps where the bytes were.
struct where {
    struct term_sink sink;
    const void *data;
};

static int where_bytes(struct term_sink *sink, const void *data, size_t length) {
    (void)length;
    ((struct where *)sink)->data = data;
    return 0;
}

static void binaries_are_borrowed_from_the_input(void **state) {
    (void)state;
    static const uint8_t bytes[] = {131, 109, 0, 0, 0, 2, 'a', 'b'};
    static const struct term_sink_ops ops = {.bytes = where_bytes};
    struct where where = {.sink = {&ops}};
    struct etf_reader reader;
    etf_reader_init(&reader, bytes, sizeof bytes, 0);
    assert_int_equal(term_walk(&reader.source, &where.sink), 0);
    assert_ptr_equal(where.data, bytes + 6);
    assert_int_equal(term_walk(&reader.source, &where.sink), 0); // and may be walked again
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_tag),
        cmocka_unit_test(refuses_every_truncation_and_every_trailing_byte),
        cmocka_unit_test(survives_every_changed_byte),
        cmocka_unit_test(returns_a_sinks_code_unchanged_at_once),
        cmocka_unit_test(refuses_what_cannot_cross),
        cmocka_unit_test(refuses_what_is_not_the_format),
        cmocka_unit_test(refuses_lying_counts_before_any_event),
        cmocka_unit_test(an_atom_has_at_most_255_characters),
        cmocka_unit_test(tells_uncrossable_tags_from_unknown_ones),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(binaries_are_borrowed_from_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
