// SPDX-License-Identifier: Apache-2.0
// Patterns that would run for ever, or make too much: they end by their limit, pause when a slice
// is over, and end at the first look after an interrupt. The clock is the test's: it goes on when
// it is looked at, and by nothing else, so that a machine of any speed sees the same looks.
#include "clocked_box.h"

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
    "return ('a'):gsub('a', function() return (short:find('.-.-.-.-b')) end)",
    "table.sort({1, 2, 3}, function() return short:find('.-.-.-.-b') end)",
    "return ('a'):gsub('a', setmetatable({}, {__index = function() short:find('.-.-.-.-b') end}))",
    "return load(function() return short:find('.-.-.-.-b') end)",
};

// A pause cannot pass out of these.
static const char *const pinned[] = {
    "return xpcall(error, function() return short:find('.-.-.-.-b') end)",
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

// How many looks find the call's time, or a slice's, not over yet.
#define CALL_LOOKS  1000u
#define SLICE_LOOKS 100u
#define STEP_NS     UINT64_C(1000)

static struct service_limits bounded(enum service_preempt preempt, uint64_t slice_ns) {
    struct service_limits limits = usual;
    limits.memory_bytes = (size_t)32 * 1024 * 1024;
    limits.time_ns = CALL_LOOKS * STEP_NS;
    limits.slice_ns = slice_ns;
    limits.preempt = preempt;
    return limits;
}

// Time passes for what comes after.
static struct box *prepare(const struct service_limits *limits) {
    struct box *box = open_clocked_box_with(limits);
    assert_eval(box, preparation, "( 'ok' [ ]0 )2");
    clocked.step_ns = STEP_NS;
    return box;
}

// A box must answer again after what it was stopped in.
static void assert_usable(struct box *box) {
    assert_eval(box, "return (('a b'):gsub('%w', '<%0>'))", "( 'ok' [ <3c613e203c623e> ]1 )2");
}

struct steps {
    unsigned n;
    unsigned most_looks; // in one of them
};

static struct steps run(struct box *box, const char *source, const char *events) {
    struct steps steps = {0, 0};
    struct record record;
    enum box_result result = begin_eval(box, source);
    record_init(&record);
    for (clocked.looks = 0; result == BOX_MORE; steps.n++) {
        unsigned before = clocked.looks;
        record_release(&record);
        record_init(&record);
        record.exact_begin = false;
        result = box_step(box, &record.sink);
        if (clocked.looks - before > steps.most_looks)
            steps.most_looks = clocked.looks - before;
    }
    if (result != BOX_DONE || strcmp(record.text, events) != 0)
        fail_msg("%s: %s", source, record.text);
    record_release(&record);
    return steps;
}

// A look a tick; sooner or later the timer's thread gets a processor.
static void bombs_end_by_timer(void **state) {
    (void)state;
    tested_start_timer();
    for (unsigned sliced = 0; sliced < 2; sliced++) {
        struct service_limits limits =
            bounded(SERVICE_PREEMPT_TIMER, sliced * 3 * PREEMPT_TIMER_TICK_NS);
        limits.time_ns = 20 * PREEMPT_TIMER_TICK_NS;
        struct box *box = prepare(&limits);
        clocked.step_ns = PREEMPT_TIMER_TICK_NS;
        for (size_t i = 0; i < COUNT(endless) + COUNT(pinned); i++) {
            bool pauses = i < COUNT(endless);
            const char *source = pauses ? endless[i] : pinned[i - COUNT(endless)];
            struct steps steps = run(box, source, TIME);
            if (pauses && sliced && steps.n < 2)
                fail_msg("%s: never paused", source);
            assert_usable(box);
        }
        close_box();
    }
    tested_stop_timer();
}

// The look that finds the time over is the last. A C function that cannot pause where it looks may
// look a few times more until it can.
static void bombs_end_by_count(void **state) {
    (void)state;
    for (unsigned sliced = 0; sliced < 2; sliced++) {
        struct service_limits limits =
            bounded(SERVICE_PREEMPT_COUNT, sliced * SLICE_LOOKS * STEP_NS);
        struct box *box = prepare(&limits);
        for (size_t i = 0; i < COUNT(endless) + COUNT(pinned); i++) {
            bool pauses = i < COUNT(endless);
            const char *source = pauses ? endless[i] : pinned[i - COUNT(endless)];
            struct steps steps = run(box, source, TIME);
            if (clocked.looks != CALL_LOOKS + 1)
                fail_msg("%s: %u looks", source, clocked.looks);
            if (pauses && sliced && steps.most_looks > SLICE_LOOKS + SLICE_LOOKS / 4)
                fail_msg("%s: %u looks in a step", source, steps.most_looks);
            assert_usable(box);
        }
        close_box();
    }
}

static unsigned looks_to_interrupt;

static void interrupt_at_a_look(void) {
    if (clocked.looks == looks_to_interrupt)
        (void)box_interrupt(&tested.box);
}

// In the third slice. Whoever looks next sees it, before the clock.
static void bombs_are_interrupted(void **state) {
    (void)state;
    struct service_limits limits = bounded(SERVICE_PREEMPT_COUNT, SLICE_LOOKS * STEP_NS);
    struct box *box = prepare(&limits);
    looks_to_interrupt = 2 * SLICE_LOOKS + SLICE_LOOKS / 2;
    for (size_t i = 0; i < COUNT(endless) + COUNT(pinned); i++) {
        const char *source = i < COUNT(endless) ? endless[i] : pinned[i - COUNT(endless)];
        clocked.seen = interrupt_at_a_look;
        (void)run(box, source, "( 'error' 'interrupted' )2");
        if (clocked.looks != looks_to_interrupt)
            fail_msg("%s: %u looks", source, clocked.looks);
        clocked.seen = NULL;
        assert_usable(box);
    }
    close_box();
}

// What each loop must look at least: once for SANDBOX_POLL_STEPS (4096) characters or items that
// are tried one by one, or 65536 bytes that memchr, memcmp or memcpy goes over.
static const struct looked searches[] = {
    {"long:find('^a*$')", 480},       // 2000000 characters
    {"long:find('^[ab]*$')", 480},    // likewise
    {"long:find('[bc]')", 480},       // likewise
    {"('b'):find(long)", 480},        // likewise: is it plain?
    {"long:find('b', 1, true)", 30},  // likewise, by memchr
    {"long:find('b.')", 30},          // likewise
    {"open:find('^%b()')", 73},       // 300000 characters
    {"('x'):find(wide)", 480},        // 1000000 elements, once to find the end of the set
    {"twice:find('^(a*)b%1$')", 258}, // 1000000 characters, then as many bytes
    {"often:find('^(a*)b' .. ('%1'):rep(30))", 27}, // 60000 characters, then 30 times the bytes
    {"('a'):rep(100):find('.-.-.-b')", 1100},       // C(104, 4) items
    {"('a'):rep(20):find(('a?'):rep(20) .. ('a'):rep(20) .. 'b')", 256}, // 2^20 ways
    {"('a'):rep(20000):find(('a'):rep(10000) .. 'b', 1, true)", 1300},   // 10000^2 bytes
    {"('a'):rep(100050):find(('a'):rep(100000) .. 'b', 1, true)", 100},  // 50 * 100000
    {"long:gsub('a', 'b')", 480},                                        // 2000000 matches
    {"('a'):rep(8):gsub('a', long)", 240},                               // 16000000 bytes
    {"('a'):rep(100):gsub('a', ('%%'):rep(20000))", 900},                // 2000000 escapes
    {"for i = 1, 100 do local _ = long:match('^.*') end", 100},          // 100 * 2000000
};

static void searches_look_often(void **state) {
    (void)state;
    open_clocked_box();
    (void)looks_during(preparation);
    (void)looks_during("wide = '[' .. ('b'):rep(1000000) .. ']' "
                       "twice = ('a'):rep(1000000) .. 'b' .. ('a'):rep(1000000) "
                       "local few = ('a'):rep(60000) often = few .. 'b' .. few:rep(30)");
    assert_looks(searches, COUNT(searches));
    close_box();
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
    struct service_limits limits = bounded(SERVICE_PREEMPT_COUNT, SLICE_LOOKS * STEP_NS);
    limits.time_ns = PATIENCE_NS;
    struct box *box = prepare(&limits);
    for (size_t i = 0; i < COUNT(large); i++) {
        assert_eval(box, large[i], MEMORY);
        assert_usable(box);
    }
    close_box();
}

// Two looks lie no further apart than this: the thread's own processor time. A hypervisor may take
// the processor away at any of them, but not at the same in all of some repetitions, which are the
// same to the instruction; so the least counts.
#define GAP_NS      UINT64_C(5000000)
#define REPETITIONS 20

static struct {
    uint64_t last_ns;
    uint64_t least_ns[CALL_LOOKS + 2]; // the gap before each look, and after the last
} gaps;

static void mind_the_gap(void) {
    uint64_t now_ns = thread_now_ns();
    uint64_t gap_ns = now_ns - gaps.last_ns;
    size_t gap = clocked.looks - 1;
    if (gap < COUNT(gaps.least_ns) && gap_ns < gaps.least_ns[gap])
        gaps.least_ns[gap] = gap_ns;
    gaps.last_ns = thread_now_ns();
}

static uint64_t longest_gap_ns(void) {
    uint64_t longest_ns = 0;
    for (size_t i = 0; i < COUNT(gaps.least_ns); i++)
        if (gaps.least_ns[i] > longest_ns)
            longest_ns = gaps.least_ns[i];
    return longest_ns;
}

static void no_gap_is_long(void **state) {
    (void)state;
    struct service_limits limits = bounded(SERVICE_PREEMPT_COUNT, 0);
    const uint64_t most_ns = GAP_NS * (valgrind_watches() ? VALGRIND_SLOWER : 1);
    for (size_t i = 0; i < COUNT(endless) + COUNT(pinned); i++) {
        const char *source = i < COUNT(endless) ? endless[i] : pinned[i - COUNT(endless)];
        memset(gaps.least_ns, 0xff, sizeof gaps.least_ns);
        for (unsigned tries = 0; tries < REPETITIONS && longest_gap_ns() > most_ns; tries++) {
            struct box *box = prepare(&limits);
            clocked.seen = mind_the_gap;
            gaps.last_ns = thread_now_ns();
            (void)run(box, source, TIME);
            clocked.looks++;
            mind_the_gap();
            close_box();
        }
        if (longest_gap_ns() > most_ns)
            fail_msg("%s: %.1f ms without a look", source, (double)longest_gap_ns() / 1e6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(searches_look_often), BOX_TEST(bombs_end_by_count),
        BOX_TEST(bombs_end_by_timer),  BOX_TEST(bombs_are_interrupted),
        BOX_TEST(no_gap_is_long),      BOX_TEST(large_results_end_by_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
