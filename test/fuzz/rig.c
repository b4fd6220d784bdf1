// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

#include "../c/record.h"
#include "../c/test_host.h"

#include <inttypes.h>

static struct {
    struct test_host memory;
    uint64_t now_ns;
    uint64_t looks;
    uint32_t pause_every;
    const char *events; // of the reply that a check is about
} world;

void rig_require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    if (world.events != NULL)
        fprintf(stderr, "events: %.4000s\n", world.events);
    abort();
}

static void *world_memory(void *block, size_t old, size_t size) {
    return test_host_memory(&world.memory, block, old, size);
}

// A slice is 2 ns and a pause is told when it is over: the clock stands still but for every so
// many looks. Time moves on by 4 ns then, and for the call's limit by none else.
static uint64_t world_now_ns(void) {
    world.looks++;
    world.now_ns += world.pause_every == 0 || world.looks % world.pause_every == 0 ? 4 : 0;
    return world.now_ns;
}

static void world_log(void *room_data, enum service_log_level level, const char *text,
                      size_t length) {
    (void)room_data, (void)level, (void)text, (void)length;
}

static const struct box_room world_room = {
    .memory = world_memory, .now_ns = world_now_ns, .log = world_log};

void rig_open(struct rig *rig, const struct rig_plan *plan) {
    test_host_init(&world.memory);
    world.now_ns = 1000;
    world.looks = 0;
    world.events = NULL;
    world.pause_every = plan->pause_every;
    uint64_t turns = plan->pause_every == 0 ? plan->looks : plan->looks / plan->pause_every;
    const struct service_limits limits = {
        .memory_bytes = plan->memory_bytes,
        .time_ns = 4 * turns,
        .slice_ns = plan->pause_every == 0 ? 0 : 2,
        .depth = plan->depth,
        .reply_bytes = plan->reply_bytes,
        .preempt = SERVICE_PREEMPT_COUNT,
    };
    int code = box_open(&rig->box, service_find("lua", 3), &limits, &world_room, NULL);
    rig_require(code == 0, "a box can be opened");
    etf_writer_init(&rig->reply, &world.memory.host, 0, SIZE_MAX);
    rig->result = BOX_DONE;
}

// Passes events on to two sinks: one that writes, and one that watches the rules.
struct tee {
    struct term_sink sink;
    struct term_sink *first, *second;
};

static int tee_integer(struct term_sink *sink, int64_t value) {
    struct tee *tee = (struct tee *)sink;
    (void)term_integer(tee->first, value);
    return term_integer(tee->second, value);
}

static int tee_real(struct term_sink *sink, double value) {
    struct tee *tee = (struct tee *)sink;
    (void)term_real(tee->first, value);
    return term_real(tee->second, value);
}

static int tee_atom(struct term_sink *sink, const char *name, size_t length) {
    struct tee *tee = (struct tee *)sink;
    (void)term_atom(tee->first, name, length);
    return term_atom(tee->second, name, length);
}

static int tee_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct tee *tee = (struct tee *)sink;
    (void)term_bytes(tee->first, data, length);
    return term_bytes(tee->second, data, length);
}

static int tee_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct tee *tee = (struct tee *)sink;
    (void)term_begin(tee->first, kind, n);
    return term_begin(tee->second, kind, n);
}

static int tee_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct tee *tee = (struct tee *)sink;
    (void)term_end(tee->first, kind, n);
    return term_end(tee->second, kind, n);
}

static const struct term_sink_ops tee_ops = {.integer = tee_integer,
                                             .real = tee_real,
                                             .atom = tee_atom,
                                             .bytes = tee_bytes,
                                             .begin = tee_begin,
                                             .end = tee_end};

// A call that pauses all the time takes many steps, each with an emptied sink.
static void rig_empty(struct rig *rig, struct record *record) {
    etf_writer_reset(&rig->reply);
    if (record->events == 0)
        return;
    record_release(record);
    record_init(record);
    record->exact_begin = false;
}

static void rig_step(struct rig *rig, struct record *record) {
    struct tee tee = {{&tee_ops}, &record->sink, &rig->reply.sink};
    rig_empty(rig, record);
    while (rig->result == BOX_MORE) {
        rig->result = box_step(&rig->box, &tee.sink);
        if (rig->result == BOX_DONE)
            return;
        rig_empty(rig, record);
    }
    rig_require(box_explain(&rig->box, rig->result, &tee.sink) == 0, "a result is explained");
}

static void rig_check_reply(struct rig *rig, const struct record *record) {
    world.events = record->text;
    rig_require(record->broke == NULL, record->broke);
    rig_require(record_complete(record), "a reply is one whole term");
    rig_require(strncmp(record->text, "( 'ok' ", 7) == 0 ||
                    strncmp(record->text, "( 'error' ", 10) == 0,
                "a reply is {ok, _} or {error, _}");
    rig_require(rig->result != BOX_DOWN || rig->box.down == SERVICE_E_MEMORY ||
                    rig->box.down == TERM_E_CORRUPT,
                "a box is down only for its memory, or for a request that is no term");
    struct record again;
    record_init(&again);
    rig_read(rig, &again.sink);
    rig_require(record_complete(&again), "the reader passes on a whole term");
    record_release(&again);
    world.events = NULL;
}

void rig_request(struct rig *rig, const void *data, size_t length) {
    struct record record;
    struct etf_reader reader;
    etf_reader_init(&reader, data, length, box_request_depth(&rig->box));
    rig->result = box_begin(&rig->box, &reader.source, 0);
    record_init(&record);
    record.exact_begin = false;
    rig_step(rig, &record);
    rig_check_reply(rig, &record);
    record_release(&record);
}

static void rig_ask(struct rig *rig, const char *verb, const char *text, size_t length,
                    bool arguments) {
    struct etf_writer request;
    etf_writer_init(&request, &world.memory.host, 0, SIZE_MAX);
    struct term_sink *sink = &request.sink;
    etf_writer_reset(&request);
    int code = term_begin(sink, TERM_TUPLE, arguments ? 3 : 2);
    if (code == 0)
        code = term_atom(sink, verb, strlen(verb));
    if (code == 0)
        code = term_bytes(sink, text, length);
    if (code == 0 && arguments)
        code = term_begin(sink, TERM_LIST, 0);
    if (code == 0 && arguments)
        code = term_end(sink, TERM_LIST, 0);
    if (code == 0)
        code = term_end(sink, TERM_TUPLE, arguments ? 3 : 2);
    rig_require(code == 0, "a request is written");
    rig_request(rig, request.data, request.length);
    etf_writer_release(&request);
}

void rig_eval(struct rig *rig, const char *source, size_t length) {
    rig_ask(rig, "eval", source, length, true);
}

void rig_get(struct rig *rig, const char *name) {
    rig_ask(rig, "get", name, strlen(name), false);
}

void rig_read(const struct rig *rig, struct term_sink *sink) {
    struct etf_reader reader;
    etf_reader_init(&reader, rig->reply.data, rig->reply.length, ETF_WRITER_DEPTH);
    rig_require(term_walk(&reader.source, sink) == 0, "the reader accepts a reply");
}

static bool rig_reads(const struct rig *rig, const char *events, size_t length) {
    struct record record;
    record_init(&record);
    rig_read(rig, &record.sink);
    bool same = strncmp(record.text, events, length) == 0;
    if (!same)
        fprintf(stderr, "reply: %.2000s\n", record.text);
    record_release(&record);
    return same;
}

bool rig_is_ok(const struct rig *rig) {
    // The version, then a tuple of two whose first is the atom.
    static const uint8_t start[] = {131, 104, 2, 119, 2, 'o', 'k'};
    return rig->reply.length > sizeof start && memcmp(rig->reply.data, start, sizeof start) == 0;
}

void rig_check_alive(struct rig *rig) {
    static const char source[] = "return 1 + 1";
    static const char events[] = "(2 'ok' [1 2 ]1 )2";
    if (rig->result == BOX_DOWN)
        return;
    rig_eval(rig, source, sizeof source - 1);
    rig_require(rig_reads(rig, events, sizeof events), "a box that is not down answers 1 + 1");
}

void rig_close(struct rig *rig) {
    box_close(&rig->box);
    etf_writer_release(&rig->reply);
    struct census_total total = census_count();
    rig_require(total.boxes == 0 && total.bytes == 0 && total.calls == 0, "nothing is alive");
    rig_require(world.memory.live_bytes == 0, "every byte came back");
}
