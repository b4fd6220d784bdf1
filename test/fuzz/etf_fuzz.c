// SPDX-License-Identifier: Apache-2.0
// Any bytes at all into the reader of the external term format: no read past the end, only events
// by the rules, and whatever it accepts is written and read back the same.
#include "etf.h"

#include "../c/record.h"
#include "../c/test_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

static int read_into(const uint8_t *data, size_t size, uint32_t depth, struct term_sink *sink) {
    struct etf_reader reader;
    etf_reader_init(&reader, data, size, depth);
    return term_walk(&reader.source, sink);
}

// The events of `data`, checked; *code is what the walk returned.
static struct record *record_of(const uint8_t *data, size_t size, uint32_t depth, size_t refuse_at,
                                int *code) {
    struct record *record = malloc(sizeof *record);
    if (record == NULL)
        abort();
    record_init(record);
    record->refuse_at = refuse_at;
    record->code = -77;
    *code = read_into(data, size, depth, &record->sink);
    require(record->broke == NULL, record->broke);
    require(*code <= 0, "a walk returns 0 or a negative code");
    require(*code < 0 || record_complete(record), "an accepted input is one term");
    require((*code == -77) == (refuse_at != 0 && record->events == refuse_at),
            "a refusal comes back unchanged");
    return record;
}

static void record_free(struct record *record) {
    record_release(record);
    free(record);
}

static void round_trip(const uint8_t *data, size_t size, const struct record *read) {
    struct test_host host;
    test_host_init(&host);
    struct etf_writer first;
    struct etf_writer second;
    etf_writer_init(&first, &host.host, 3, SIZE_MAX);
    etf_writer_init(&second, &host.host, 0, SIZE_MAX);
    require(read_into(data, size, ETF_WRITER_DEPTH, &first.sink) == 0, "what was read is written");
    const uint8_t *written = first.data + first.headroom;
    size_t length = first.length - first.headroom;
    int code;
    struct record *again = record_of(written, length, ETF_WRITER_DEPTH, 0, &code);
    require(code == 0, "what was written is read");
    require(read->length == again->length && memcmp(read->text, again->text, read->length) == 0,
            "the same events come back");
    record_free(again);

    second.max_bytes = length + 4; // the most that an empty list takes while it is open
    require(read_into(written, length, ETF_WRITER_DEPTH, &second.sink) == 0, "the cap is no lower");
    require(second.length == length && memcmp(second.data, written, length) == 0,
            "writing what was written changes nothing");
    etf_writer_release(&second);
    second.max_bytes = length - 1;
    require(read_into(written, length, ETF_WRITER_DEPTH, &second.sink) == TERM_E_SIZE,
            "the cap is no higher");
    etf_writer_release(&second);
    etf_writer_release(&first);
    require(host.live_bytes == 0, "the writers gave back what they had");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int code;
    struct record *read = record_of(data, size, ETF_WRITER_DEPTH, 0, &code);
    if (code == 0)
        round_trip(data, size, read);
    if (read->events > 0) {
        int refused;
        record_free(record_of(data, size, ETF_WRITER_DEPTH, 1 + size % read->events, &refused));
        require(refused == -77, "every event can be refused");
    }
    int shallow;
    struct record *outer = record_of(data, size, 2, 0, &shallow);
    require(shallow == code || shallow == TERM_E_DEPTH, "depth alone makes the difference");
    record_free(outer);
    record_free(read);
    return 0;
}
