// SPDX-License-Identifier: Apache-2.0
// The Lua service in a box, without any VM, for tests in C: open_box, assert_eval. Include it in
// one file of a test.
#ifndef TRIPOD_TEST_LUA_RIG_H
#define TRIPOD_TEST_LUA_RIG_H

#include "etf.h"
#include "record.h"
#include "tested_box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct {
    unsigned requests; // allocations so far
    unsigned fail_at;  // this one gets NULL; 0: none does
    unsigned ticks;    // of runs that cannot return
    unsigned close_at; // this tick closes the box; 0: none does
    bool resumed;      // the next request goes to a call that is in progress
} world;

static inline void *world_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return ++world.requests == world.fail_at ? NULL : realloc(block, size);
}

static inline uint64_t world_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

// The calling thread's processor time: what other threads take is not in it, though what a
// hypervisor takes is.
static inline uint64_t thread_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

// Its own library is loaded first. It makes everything so many times slower.
#define VALGRIND_SLOWER 40u
static inline bool valgrind_watches(void) {
    const char *loaded = getenv("LD_PRELOAD");
    return loaded != NULL && strstr(loaded, "vgpreload") != NULL;
}

static inline void world_tick(void *room_data) {
    (void)room_data;
    if (++world.ticks == world.close_at)
        box_close(&tested.box);
}

static inline void world_log(void *room_data, enum service_log_level level, const char *text,
                             size_t length) {
    (void)room_data, (void)level, (void)text, (void)length;
}

static const struct box_room room = {world_memory, world_now_ns, world_tick, world_log};

static const struct service_limits usual = {
    .memory_bytes = (size_t)8 * 1024 * 1024,
    .time_ns = UINT64_C(100000000),
    .slice_ns = UINT64_C(1000000),
    .depth = 200,
    .reply_bytes = (size_t)1024 * 1024,
    .preempt = SERVICE_PREEMPT_TIMER,
};

static inline struct box *open_box_in(const struct service_limits *limits,
                                      const struct box_room *its_room) {
    memset(&world, 0, sizeof world);
    assert_int_equal(tested_open(service_find("lua", 3), limits, its_room, NULL), 0);
    return &tested.box;
}

static inline struct box *open_box(const struct service_limits *limits) {
    return open_box_in(limits, &room);
}

static inline void assert_nothing_alive(void) {
    struct census_total total = census_count();
    assert_int_equal(total.boxes, 0);
    assert_int_equal(total.bytes, 0);
    assert_int_equal(total.calls, 0);
}

static inline void close_box(void) {
    box_close(&tested.box);
    assert_nothing_alive();
}

// {eval, Source, [7, <<"seven">>]} as external term format, in memory of the test's own.
static inline void *plain_memory(void *context, void *block, size_t old, size_t size) {
    (void)context, (void)old;
    if (size != 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

static const struct service_host plain_host = {.memory = plain_memory};

// `time_ns` 0: the box's own limit.
static inline enum box_result begin_eval_within(struct box *box, const char *source,
                                                uint64_t time_ns) {
    struct etf_writer request;
    etf_writer_init(&request, &plain_host, 0, SIZE_MAX / 2);
    etf_writer_reset(&request);
    struct term_sink *sink = &request.sink;
    assert_int_equal(term_begin(sink, TERM_TUPLE, 3), 0);
    assert_int_equal(TERM_ATOM(sink, "eval"), 0);
    assert_int_equal(term_bytes(sink, source, strlen(source)), 0);
    assert_int_equal(term_begin(sink, TERM_LIST, 2), 0);
    assert_int_equal(term_integer(sink, 7), 0);
    assert_int_equal(term_bytes(sink, "seven", 5), 0);
    assert_int_equal(term_end(sink, TERM_LIST, 2), 0);
    assert_int_equal(term_end(sink, TERM_TUPLE, 3), 0);
    struct etf_reader reader;
    etf_reader_init(&reader, request.data, request.length, 256);
    enum box_result result = world.resumed ? box_begin_again(box, &reader.source)
                                           : box_begin(box, &reader.source, time_ns);
    etf_writer_release(&request);
    return result;
}

static inline enum box_result begin_eval(struct box *box, const char *source) {
    return begin_eval_within(box, source, 0);
}

// Steps to the end; the reply's events are in *record, which the caller releases.
static inline enum box_result finish(struct box *box, enum box_result result,
                                     struct record *record) {
    record_init(record);
    record->exact_begin = false;
    while (result == BOX_MORE) {
        record_release(record);
        record_init(record);
        record->exact_begin = false;
        result = box_step(box, &record->sink);
    }
    if (result != BOX_DONE) {
        record_release(record);
        record_init(record);
        record->exact_begin = false;
        assert_int_equal(box_explain(box, result, &record->sink), 0);
    }
    if (record->broke != NULL)
        fail_msg("%s: %s", record->broke, record->text);
    assert_true(record_complete(record));
    return result;
}

#define PATIENCE_NS UINT64_C(60000000000)
#define TIME        "( 'error' ( 'limit' 'time' )2 )2"
#define MEMORY      "( 'error' ( 'limit' 'memory' )2 )2"
#define DEPTH       "( 'error' ( 'limit' 'depth' )2 )2"
#define DOWN        "( 'error' ( 'down' 'memory' )2 )2"

static inline void assert_eval(struct box *box, const char *source, const char *events) {
    struct record record;
    // Under valgrind everything but the endless takes its time.
    uint64_t time_ns = strcmp(events, TIME) == 0 ? 0 : PATIENCE_NS;
    (void)finish(box, begin_eval_within(box, source, time_ns), &record);
    if (strcmp(record.text, events) != 0)
        print_error("%s\n", source);
    assert_string_equal(record.text, events);
    record_release(&record);
}

// The same of each of `n` sources.
static inline void assert_evals(struct box *box, const char *const sources[], size_t n,
                                const char *events) {
    for (size_t i = 0; i < n; i++)
        assert_eval(box, sources[i], events);
}

#endif
