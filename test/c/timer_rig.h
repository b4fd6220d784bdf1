// SPDX-License-Identifier: Apache-2.0
// A target of the preemption timer that counts, and waits that end at a deadline.
#ifndef TRIPOD_TEST_TIMER_RIG_H
#define TRIPOD_TEST_TIMER_RIG_H

#include "preempt_timer.h"
#include "tsan.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define MS          UINT64_C(1000000)
#define DEADLINE_NS (120000 * MS) // met only by what hangs

// How many of two signals of a kind arrive that wait for a thread. TSan takes the second for the
// first, while that is still to be handed over.
#ifdef __SANITIZE_THREAD__
#define RIG_QUEUE 1
#else
#define RIG_QUEUE 2
#endif

// TSan hands a signal to the program only when that calls the C library.
static inline void spin_once(void) {
#ifdef __SANITIZE_THREAD__
    const struct timespec none = {0};
    (void)nanosleep(&none, NULL);
#endif
}

static inline uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

// Written by the handler on the thread that reads it.
struct target {
    volatile sig_atomic_t fires;
    volatile sig_atomic_t strays;  // fires at a time when there must be none
    volatile sig_atomic_t allowed; // set around a run
};

static inline void target_fire(void *context, uintptr_t pc) {
    (void)pc;
    struct target *target = context;
    target->fires = target->fires + 1;
    if (!target->allowed)
        target->strays = target->strays + 1;
    errno = ERANGE; // the handler has to keep the thread's own
}

// What a test that fails leaves behind, for its teardown.
static unsigned rig_starts;                // of the timer that no stop followed
static _Thread_local bool rig_is_in_a_run; // the calling thread

static inline int rig_start(void) {
    int code = preempt_timer_start();
    rig_starts += code == 0 ? 1 : 0;
    return code;
}

static inline void rig_stop(void) {
    rig_starts -= 1;
    preempt_timer_stop();
}

static inline bool target_enter(struct target *target) {
    target->allowed = 1;
    rig_is_in_a_run = preempt_timer_enter(target_fire, target);
    return rig_is_in_a_run;
}

static inline void target_leave(struct target *target) {
    preempt_timer_leave();
    rig_is_in_a_run = false;
    target->allowed = 0;
}

static inline int rig_teardown(void **state) {
    (void)state;
    if (rig_is_in_a_run)
        preempt_timer_leave();
    rig_is_in_a_run = false;
    while (rig_starts > 0)
        rig_stop();
    return 0;
}

// Runs on without a single call until there were `fires`. False at the deadline.
static inline bool spin_until(const struct target *target, sig_atomic_t fires) {
    uint64_t began_ns = now_ns();
    for (unsigned turns = 1; target->fires < fires; turns++) {
        spin_once();
        if (turns % (1u << 20) == 0 && now_ns() - began_ns > DEADLINE_NS)
            return false;
    }
    return true;
}

#endif
