// SPDX-License-Identifier: Apache-2.0
// Patterns that would run for ever, or make too much: they end by their limit, soon after it; they
// pause when a slice is over, and stop soon after somebody asks for it. Times are the thread's own
// processor time, so that a busy machine fails nothing.
#include "lua_rig.h"

// Made before, so that only the pattern is timed.
static const char preparation[] = "short, long = ('a'):rep(9000), ('a'):rep(2000000)\n"
                                  "set = '[' .. ('b'):rep(9000) .. 'a]'\n"
                                  "half = ('a'):rep(100000) .. 'b'\n"
                                  "ab, open = ('ab'):rep(9000), ('('):rep(300000)\n";

static const char *const endless[] = {
    "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40) .. 'b')",
    "return short:find('.-.-.-.-b')",
    "return short:match('.*.*.*.*b')",
    "return short:match('(a*)(a*)(a*)b')",
    "return ab:find('([ab]*)([ab]*)%1%2c')",
    "return long:gsub('a*b', '')",
    "return long:gsub('a-b', {})",
    "return long:gsub('()a-%f[b]', print)",
    "return long:gmatch('a+b')()",
    "return open:find('%b()x')",
    "return short:find(set .. '-' .. set .. '-c')",
    "return long:find(half, 1, true)",
    "while true do long:find('b', 1, true) end",
    "while true do long:find('[bc]') end",
    "while true do long:gsub('b', 'c') end",
    "while true do short:gsub('%w+', '%0') end",
    "while true do long:find(long) end",
    "while true do short:match(short .. '()') end",
    "while true do for w in ('a b c'):gmatch('%a') do end end",
    "while true do pcall(string.find, short, '.-.-.-b') end",
    "return coroutine.wrap(function() return short:find('.-.-.-.-b') end)()",
};

// A pause cannot pass out of these.
static const char *const pinned[] = {
    "return ('a'):gsub('a', function() return (short:find('.-.-.-.-b')) end)",
    "table.sort({1, 2, 3}, function() return short:find('.-.-.-.-b') end)",
    "return ('a'):gsub('a', setmetatable({}, {__index = function() short:find('.-.-.-.-b') end}))",
    "return load(function() return short:find('.-.-.-.-b') end)",
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static uint64_t thread_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void assert_within(const char *source, const char *what, uint64_t took_ns,
                          uint64_t limit_ns) {
    if (took_ns > limit_ns)
        fail_msg("%s: %s took %.1f ms", source, what, (double)took_ns / 1e6);
}

#define LATE_NS      UINT64_C(20000000)
#define INTERRUPT_NS UINT64_C(5000000)
#define CALL_NS      UINT64_C(100000000)

// Runs to the end, no step taking longer than `step_ns`.
static void run(struct box *box, const char *source, const char *events, uint64_t step_ns,
                unsigned least_steps) {
    static struct record record;
    unsigned steps = 0;
    uint64_t begun_ns = thread_now_ns();
    enum box_result result = begin_eval(box, source);
    while (result == BOX_MORE) {
        record_init(&record);
        record.exact_begin = false;
        uint64_t step_begun_ns = thread_now_ns();
        result = box_step(box, &record.sink);
        assert_within(source, "a step", thread_now_ns() - step_begun_ns, step_ns);
        if (result == BOX_MORE)
            record_release(&record);
        steps++;
    }
    assert_int_equal(result, BOX_DONE);
    assert_within(source, "the call", thread_now_ns() - begun_ns, CALL_NS + LATE_NS);
    if (strcmp(record.text, events) != 0)
        print_error("%s\n", source);
    assert_string_equal(record.text, events);
    if (steps < least_steps)
        fail_msg("%s: %u steps", source, steps);
    record_release(&record);
}

static void prepare(struct box *box, const struct service_limits *limits) {
    assert_int_equal(open_box(box, limits), 0);
    assert_eval(box, preparation, "( 'ok' [ ]0 )2");
}

// A box must answer again after what it was stopped in.
static void assert_usable(struct box *box) {
    assert_eval(box, "return (('a b'):gsub('%w', '<%0>'))", "( 'ok' [ <3c613e203c623e> ]1 )2");
}

static struct service_limits bounded(enum service_preempt preempt, uint64_t slice_ns) {
    struct service_limits limits = usual;
    limits.time_ns = CALL_NS;
    limits.memory_bytes = (size_t)32 * 1024 * 1024;
    limits.slice_ns = slice_ns;
    limits.preempt = preempt;
    return limits;
}

static void bombs_end(enum service_preempt preempt, uint64_t slice_ns, uint64_t step_ns) {
    struct service_limits limits = bounded(preempt, slice_ns);
    struct box box;
    prepare(&box, &limits);
    // The timer's thread may get no processor meanwhile.
    unsigned least_steps = slice_ns != 0 && preempt == SERVICE_PREEMPT_COUNT ? 2 : 1;
    for (size_t i = 0; i < COUNT(endless); i++) {
        run(&box, endless[i], TIME, step_ns, least_steps);
        assert_usable(&box);
    }
    for (size_t i = 0; i < COUNT(pinned); i++) {
        run(&box, pinned[i], TIME, CALL_NS + LATE_NS, 1);
        assert_usable(&box);
    }
    box_close(&box);
    assert_nothing_alive();
}

static void bombs_end_by_timer(void **state) {
    (void)state;
    assert_int_equal(preempt_timer_start(), 0);
    bombs_end(SERVICE_PREEMPT_TIMER, UINT64_C(1000000), CALL_NS + LATE_NS);
    bombs_end(SERVICE_PREEMPT_TIMER, 0, CALL_NS + LATE_NS);
    preempt_timer_stop();
}

static void bombs_end_by_count(void **state) {
    (void)state;
    bombs_end(SERVICE_PREEMPT_COUNT, UINT64_C(1000000), INTERRUPT_NS);
    bombs_end(SERVICE_PREEMPT_COUNT, 0, CALL_NS + LATE_NS);
}

// In the third slice the step that follows an interrupt is the last.
static void bombs_are_interrupted(void **state) {
    (void)state;
    struct service_limits limits = bounded(SERVICE_PREEMPT_COUNT, UINT64_C(1000000));
    struct box box;
    prepare(&box, &limits);
    for (size_t i = 0; i < COUNT(endless); i++) {
        struct record record;
        enum box_result result = begin_eval(&box, endless[i]);
        record_init(&record);
        for (int slice = 0; slice < 3; slice++)
            result = box_step(&box, &record.sink);
        assert_int_equal(result, BOX_MORE);
        record_release(&record);
        assert_true(box_interrupt(&box));
        uint64_t begun_ns = thread_now_ns();
        assert_int_equal(finish(&box, result, &record), BOX_DONE);
        assert_within(endless[i], "the interrupt", thread_now_ns() - begun_ns, INTERRUPT_NS);
        assert_string_equal(record.text, "( 'error' 'interrupted' )2");
        record_release(&record);
        assert_usable(&box);
    }
    box_close(&box);
    assert_nothing_alive();
}

static const char *const large[] = {
    "return #('a'):rep(2000000):gsub('a', ('b'):rep(2000000))",
    "return #('a'):rep(2000000):gsub('a', {a = ('b'):rep(2000000)})",
    "return #('a'):rep(2000000):gsub('a', function() return ('b'):rep(2000000) end)",
    "return ('a'):rep(2000000):match(('('):rep(30) .. '.*' .. (')'):rep(30))",
    "local t = {} for i = 1, 100 do t[i] = ('a'):rep(1000000):match('^a*') .. i end",
};

static void large_results_end_by_memory(void **state) {
    (void)state;
    struct service_limits limits = bounded(SERVICE_PREEMPT_COUNT, UINT64_C(1000000));
    struct box box;
    limits.time_ns = PATIENCE_NS;
    assert_int_equal(open_box(&box, &limits), 0);
    for (size_t i = 0; i < COUNT(large); i++) {
        assert_eval(&box, large[i], MEMORY);
        assert_usable(&box);
    }
    box_close(&box);
    assert_nothing_alive();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bombs_end_by_timer),
        cmocka_unit_test(bombs_end_by_count),
        cmocka_unit_test(bombs_are_interrupted),
        cmocka_unit_test(large_results_end_by_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
