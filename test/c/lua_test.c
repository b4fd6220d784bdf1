// SPDX-License-Identifier: Apache-2.0
// The Lua service through a box, without any VM: replies, limits, stops at every slice, memory that
// runs out at every allocation. What the suites in Erlang cannot show under valgrind and ASan.
#include "lua_rig.h"

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
    struct box *box = open_box(&limits);
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct record record;
        if (replies[i].events != NULL) {
            assert_eval(box, replies[i].source, replies[i].events);
            continue;
        }
        assert_int_equal(
            finish(box, begin_eval_within(box, replies[i].source, PATIENCE_NS), &record), BOX_DONE);
        record_release(&record);
    }
    close_box();
}

static void replies_by_timer(void **state) {
    (void)state;
    tested_start_timer();
    replies_with(SERVICE_PREEMPT_TIMER);
    tested_stop_timer();
}

static void replies_by_count(void **state) {
    (void)state;
    replies_with(SERVICE_PREEMPT_COUNT);
}

static void hard_cap_loses_the_box(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_eval(box, "local s = 'x' while true do s = s .. s end", DOWN);
    assert_eval(box, "return 1", DOWN);
    close_box();
}

// Instructions that would run long and ask nobody. Only the timer's handler ends them, and only
// where it knows the code that it interrupts: the sanitizers' own functions are none of it. The
// call that must be cut is that one instruction, so that its time can only be over inside of it.
static const struct {
    const char *preparation, *instruction;
} uninterrupted[] = {
    {"local a = ('\\0'):rep(2 ^ 25) b, c = a .. 'b', a .. 'c'", "return b < c"},
    // Keys that all collide once the table has grown to 2^18 nodes.
    {"t, k = {}, (2 ^ 17 + 1) * (2 ^ 18 - 1) * 4 + 3 "
     "for i = 1, 2 ^ 17 do t[i * (2 ^ 18 - 1) * 4 + 3] = true end",
     "t[k] = true"},
};

// The thread's time until a box, which is lost, has answered.
static uint64_t cut_ns(const char *preparation, const char *instruction) {
    struct service_limits limits = usual;
    limits.memory_bytes = (size_t)256 * 1024 * 1024;
    limits.time_ns = UINT64_C(5000000);
    struct record record;
    struct box *box = open_box(&limits);
    assert_eval(box, preparation, "( 'ok' [ ]0 )2");
    uint64_t began_ns = thread_now_ns();
    enum box_result result = finish(box, begin_eval(box, instruction), &record);
    uint64_t took_ns = thread_now_ns() - began_ns;
    if (result != BOX_DOWN || strcmp(record.text, "( 'error' ( 'down' 'time' )2 )2") != 0)
        fail_msg("%s: %s after %.1f ms", instruction, record.text, (double)took_ns / 1e6);
    record_release(&record);
    close_box();
    return took_ns;
}

// The handler is patient for 12 ms after the time limit of 5, and the timer's thread may have to
// wait for a processor: so late at times, but not always.
static void endless_instructions_are_cut(void **state) {
    (void)state;
    tested_start_timer();
    for (size_t i = 0; i < sizeof uninterrupted / sizeof uninterrupted[0]; i++) {
        uint64_t best_ns = UINT64_MAX;
        for (unsigned tries = 0; tries < 10 && best_ns > UINT64_C(50000000); tries++) {
            uint64_t took_ns = cut_ns(uninterrupted[i].preparation, uninterrupted[i].instruction);
            best_ns = took_ns < best_ns ? took_ns : best_ns;
        }
        if (best_ns > UINT64_C(50000000))
            fail_msg("%s: cut after %.1f ms", uninterrupted[i].instruction, (double)best_ns / 1e6);
    }
    tested_stop_timer();
}

// The system refuses the n-th allocation, for every n until none is refused any more.
static void system_out_of_memory(void **state) {
    (void)state;
    static const char source[] =
        "local t = {} for i = 1, 300 do t[i] = {string.rep('x', 10 * i)} end return #t";
    bool refused = true;
    for (unsigned n = 1; refused; n++) {
        memset(&world, 0, sizeof world);
        world.fail_at = n;
        int code = tested_open(service_find("lua", 3), &usual, &room, NULL);
        if (code == 0) {
            struct record record;
            enum box_result result =
                finish(&tested.box, begin_eval_within(&tested.box, source, PATIENCE_NS), &record);
            record_release(&record);
            assert_true(result == BOX_DONE || result == BOX_DOWN);
            refused = result == BOX_DOWN;
            box_close(&tested.box);
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
        struct record record;
        struct box *box = open_box(&limits);
        enum box_result result = begin_eval(box, "while true do pcall(error) end");
        record_init(&record);
        for (unsigned slice = 0; slice < slices; slice++)
            result = box_step(box, &record.sink);
        assert_int_equal(result, BOX_MORE);
        record_release(&record);
        box_close(box);
        assert_int_equal(finish(box, result, &record), BOX_CLOSED);
        record_release(&record);
        assert_nothing_alive();

        box = open_box(&limits);
        world.close_at = slices + 1;
        result = begin_eval(box, "xpcall(error, function() while true do end end)");
        assert_int_equal(finish(box, result, &record), BOX_CLOSED);
        record_release(&record);
        assert_nothing_alive();
    }
}

static void interrupted_at_each_slice(void **state) {
    (void)state;
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.time_ns = UINT64_C(10000000000);
    struct box *box = open_box(&limits);
    for (unsigned slices = 0; slices < 5; slices++) {
        struct record record;
        enum box_result result = begin_eval(box, "while true do pcall(error) end");
        record_init(&record);
        for (unsigned slice = 0; slice < slices; slice++)
            result = box_step(box, &record.sink);
        record_release(&record);
        assert_true(box_interrupt(box));
        assert_int_equal(finish(box, result, &record), BOX_DONE);
        assert_string_equal(record.text, "( 'error' 'interrupted' )2");
        record_release(&record);
        assert_false(box_interrupt(box));
        assert_eval(box, "for i = 1, 1e5 do end return 1", "( 'ok' [ 1 ]1 )2");
    }
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(replies_by_timer),
        BOX_TEST(replies_by_count),
        BOX_TEST(hard_cap_loses_the_box),
        BOX_TEST(system_out_of_memory),
        BOX_TEST(closed_in_a_call),
        BOX_TEST(interrupted_at_each_slice),
        BOX_TEST(endless_instructions_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
