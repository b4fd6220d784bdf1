// SPDX-License-Identifier: Apache-2.0
// The Lua service through a box, without any VM: replies, limits, stops at every slice, memory that
// runs out at every allocation. What the suites in Erlang cannot show under valgrind and ASan.
#include "box.h"
#include "etf.h"
#include "preempt_timer.h"
#include "record.h"

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
    struct box *box;
} world;

static void *world_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return ++world.requests == world.fail_at ? NULL : realloc(block, size);
}

static uint64_t world_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void world_tick(void *room_data) {
    (void)room_data;
    if (++world.ticks == world.close_at)
        box_close(world.box);
}

static void world_log(void *room_data, enum service_log_level level, const char *text,
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

static int open_box(struct box *box, const struct service_limits *limits) {
    memset(&world, 0, sizeof world);
    world.box = box;
    return box_open(box, service_find("lua", 3), limits, &room, NULL);
}

static void assert_nothing_alive(void) {
    struct census_total total = census_count();
    assert_int_equal(total.boxes, 0);
    assert_int_equal(total.bytes, 0);
    assert_int_equal(total.calls, 0);
}

// {eval, Source, [7, <<"seven">>]} as external term format, in memory of the test's own.
static void *plain_memory(void *context, void *block, size_t old, size_t size) {
    (void)context, (void)old;
    if (size != 0)
        return realloc(block, size);
    free(block);
    return NULL;
}

static const struct service_host plain_host = {.memory = plain_memory};

// `time_ns` 0: the box's own limit.
static enum box_result begin_eval_within(struct box *box, const char *source, uint64_t time_ns) {
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
    enum box_result result = box_begin(box, &reader.source, time_ns);
    etf_writer_release(&request);
    return result;
}

static enum box_result begin_eval(struct box *box, const char *source) {
    return begin_eval_within(box, source, 0);
}

// Steps to the end; the reply's events are in *record, which the caller releases.
static enum box_result finish(struct box *box, enum box_result result, struct record *record) {
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

static void assert_eval(struct box *box, const char *source, const char *events) {
    struct record record;
    // Under valgrind everything but the endless takes its time.
    uint64_t time_ns = strcmp(events, TIME) == 0 ? 0 : PATIENCE_NS;
    (void)finish(box, begin_eval_within(box, source, time_ns), &record);
    if (strcmp(record.text, events) != 0)
        print_error("%s\n", source);
    assert_string_equal(record.text, events);
    record_release(&record);
}

static const struct {
    const char *source;
    const char *events;
} replies[] = {
    {"return ...", "( 'ok' [ 7 <736576656e> ]2 )2"},
    {"return {1, 2, {}}", "( 'ok' [ [ 1 2 [ ]0 ]3 ]1 )2"},
    {"return {x = true}", "( 'ok' [ # <78> 'true' #1 ]1 )2"},
    {"return {[1] = 1, x = 2}", NULL},
    {"error({})", NULL},
    {"return print", "( 'error' ( 'badterm' [ 1 ]1 )2 )2"},
    {"local t = {} t[1] = t return t", "( 'error' ( 'badterm' [ 1 1 ]2 )2 )2"},
    {"return string.rep('x', 2 ^ 20)", "( 'error' ( 'limit' 'reply' )2 )2"},
    {"while true do end", TIME},
    {"while true do pcall(error) end", TIME},
    {"coroutine.wrap(function() while true do end end)()", TIME},
    {"string.gsub('a', 'a', function() while true do pcall(error) end end)", TIME},
    {"xpcall(function() while true do end end, function() while true do end end)", TIME},
    {"local c <close> = setmetatable({}, {__close = function() while true do end end}) error()",
     TIME},
    {"local t = {} while true do t = {t} end", MEMORY},
    {"local function g(s) return (string.gsub(s, '.', g)) end g('a')", DEPTH},
    {"local function w() return coroutine.wrap(w)() end w()", DEPTH},
    {"local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = "
     "function() error('closing') end}) coroutine.yield() end) coroutine.resume(co) "
     "return coroutine.close(co)",
     NULL},
    {"return 1", "( 'ok' [ 1 ]1 )2"},
};

static void replies_with(enum service_preempt preempt) {
    struct service_limits limits = usual;
    limits.preempt = preempt;
    struct box box;
    assert_int_equal(open_box(&box, &limits), 0);
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct record record;
        if (replies[i].events != NULL) {
            assert_eval(&box, replies[i].source, replies[i].events);
            continue;
        }
        assert_int_equal(
            finish(&box, begin_eval_within(&box, replies[i].source, PATIENCE_NS), &record),
            BOX_DONE);
        record_release(&record);
    }
    box_close(&box);
    assert_nothing_alive();
}

static void replies_by_timer(void **state) {
    (void)state;
    assert_int_equal(preempt_timer_start(), 0);
    replies_with(SERVICE_PREEMPT_TIMER);
    preempt_timer_stop();
}

static void replies_by_count(void **state) {
    (void)state;
    replies_with(SERVICE_PREEMPT_COUNT);
}

static void hard_cap_loses_the_box(void **state) {
    (void)state;
    struct box box;
    assert_int_equal(open_box(&box, &usual), 0);
    assert_eval(&box, "local s = 'x' while true do s = s .. s end", DOWN);
    assert_eval(&box, "return 1", DOWN);
    box_close(&box);
    assert_nothing_alive();
}

// The system refuses the n-th allocation, for every n until none is refused any more.
static void system_out_of_memory(void **state) {
    (void)state;
    static const char source[] =
        "local t = {} for i = 1, 300 do t[i] = {string.rep('x', 10 * i)} end return #t";
    bool refused = true;
    for (unsigned n = 1; refused; n++) {
        struct box box;
        memset(&world, 0, sizeof world);
        world.box = &box;
        world.fail_at = n;
        int code = box_open(&box, service_find("lua", 3), &usual, &room, NULL);
        if (code == 0) {
            struct record record;
            enum box_result result =
                finish(&box, begin_eval_within(&box, source, PATIENCE_NS), &record);
            record_release(&record);
            assert_true(result == BOX_DONE || result == BOX_DOWN);
            refused = result == BOX_DOWN;
            box_close(&box);
        } else {
            assert_int_equal(code, SERVICE_E_SYSTEM);
        }
        assert_nothing_alive();
    }
}

// Closed between slices by another hand; and from a tick, inside a run that cannot return.
static void closed_in_a_call(void **state) {
    (void)state;
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.time_ns = UINT64_C(10000000000);
    for (unsigned slices = 0; slices < 5; slices++) {
        struct box box;
        struct record record;
        assert_int_equal(open_box(&box, &limits), 0);
        enum box_result result = begin_eval(&box, "while true do pcall(error) end");
        record_init(&record);
        for (unsigned slice = 0; slice < slices; slice++)
            result = box_step(&box, &record.sink);
        assert_int_equal(result, BOX_MORE);
        record_release(&record);
        box_close(&box);
        assert_int_equal(finish(&box, result, &record), BOX_CLOSED);
        record_release(&record);
        assert_nothing_alive();

        assert_int_equal(open_box(&box, &limits), 0);
        world.close_at = slices + 1;
        result = begin_eval(&box, "table.sort({1, 2}, function() while true do end end)");
        assert_int_equal(finish(&box, result, &record), BOX_CLOSED);
        record_release(&record);
        assert_nothing_alive();
    }
}

static void interrupted_at_each_slice(void **state) {
    (void)state;
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.time_ns = UINT64_C(10000000000);
    struct box box;
    assert_int_equal(open_box(&box, &limits), 0);
    for (unsigned slices = 0; slices < 5; slices++) {
        struct record record;
        enum box_result result = begin_eval(&box, "while true do pcall(error) end");
        record_init(&record);
        for (unsigned slice = 0; slice < slices; slice++)
            result = box_step(&box, &record.sink);
        record_release(&record);
        assert_true(box_interrupt(&box));
        assert_int_equal(finish(&box, result, &record), BOX_DONE);
        assert_string_equal(record.text, "( 'error' 'interrupted' )2");
        record_release(&record);
        assert_false(box_interrupt(&box));
        assert_eval(&box, "for i = 1, 1e5 do end return 1", "( 'ok' [ 1 ]1 )2");
    }
    box_close(&box);
    assert_nothing_alive();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_by_timer),       cmocka_unit_test(replies_by_count),
        cmocka_unit_test(hard_cap_loses_the_box), cmocka_unit_test(system_out_of_memory),
        cmocka_unit_test(closed_in_a_call),       cmocka_unit_test(interrupted_at_each_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
