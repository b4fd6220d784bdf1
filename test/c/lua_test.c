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

// Instructions that would take many seconds and ask nobody. Only the timer's handler ends them, and
// only where it knows the code that it interrupts: the sanitizers' own functions are none of it.
static void endless_instructions_are_cut(void **state) {
    (void)state;
    static const char *const sources[] = {
        // Keys that all collide once the table has grown to 2^18 nodes.
        "local t = {} for i = 1, 2 ^ 17 + 1 do t[i * (2 ^ 18 - 1) * 4 + 3] = true end",
        "local a = ('\\0'):rep(2 ^ 24) local b, c = a .. 'b', a .. 'c' for i = 1, 1e9 do x = b < c "
        "end",
    };
    assert_int_equal(preempt_timer_start(), 0);
    struct service_limits limits = usual;
    limits.memory_bytes = (size_t)128 * 1024 * 1024;
    limits.time_ns = UINT64_C(1000000000); // what comes before the one instruction fits in
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct box box;
        struct record record;
        assert_int_equal(open_box(&box, &limits), 0);
        uint64_t began_ns = world_now_ns();
        enum box_result result = finish(&box, begin_eval(&box, sources[i]), &record);
        assert_int_equal(result, BOX_DOWN);
        assert_string_equal(record.text, "( 'error' ( 'down' 'time' )2 )2");
        // A bound for a loaded machine; without the cut each takes many seconds.
        assert_true(world_now_ns() - began_ns < limits.time_ns + UINT64_C(3000000000));
        record_release(&record);
        box_close(&box);
        assert_nothing_alive();
    }
    preempt_timer_stop();
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
        cmocka_unit_test(replies_by_timer),
        cmocka_unit_test(replies_by_count),
        cmocka_unit_test(hard_cap_loses_the_box),
        cmocka_unit_test(system_out_of_memory),
        cmocka_unit_test(closed_in_a_call),
        cmocka_unit_test(interrupted_at_each_slice),
        cmocka_unit_test(endless_instructions_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
