// SPDX-License-Identifier: Apache-2.0
// A box whose clock is the test's: looks at it can be counted, and time passes only when it is
// read, so that what is judged is the same on every machine. Include it in one file of a test.
#ifndef TRIPOD_TEST_CLOCKED_BOX_H
#define TRIPOD_TEST_CLOCKED_BOX_H

#include "lua_rig.h"

static struct {
    uint64_t now_ns;
    uint64_t step_ns; // a look at it takes so long
    unsigned looks;
    void (*seen)(void); // called at each look; may be NULL
} clocked;

static inline uint64_t clocked_now_ns(void) {
    clocked.looks++;
    if (clocked.seen != NULL)
        clocked.seen();
    return clocked.now_ns += clocked.step_ns;
}

static const struct box_room clocked_room = {world_memory, clocked_now_ns, world_tick, world_log};

// Time does not pass yet. With SERVICE_PREEMPT_COUNT it looks at the clock every 1000 instructions
// or SANDBOX_POLL_STEPS steps.
static inline struct box *open_clocked_box_with(const struct service_limits *limits) {
    memset(&clocked, 0, sizeof clocked);
    clocked.now_ns = UINT64_C(1000000000000); // long after zero, from which clocks do not start
    return open_box_in(limits, &clocked_room);
}

static inline void open_clocked_box(void) {
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.memory_bytes *= 8;
    (void)open_clocked_box_with(&limits);
}

// How often the clock is read while `source` runs, which must return nothing.
static inline unsigned looks_during(const char *source) {
    clocked.looks = 0;
    assert_eval(&tested.box, source, "( 'ok' [ ]0 )2");
    return clocked.looks;
}

struct looked {
    const char *source;
    unsigned looks;
};

// Each source reads the clock so often at least.
static inline void assert_looks(const struct looked *loops, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned looks = looks_during(loops[i].source);
        if (looks < loops[i].looks)
            fail_msg("%s: %u looks", loops[i].source, looks);
    }
}

#endif
