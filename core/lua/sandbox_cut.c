// SPDX-License-Identifier: Apache-2.0
// The last resort. Some single instructions of Lua run very long and ask nobody: growing a table
// whose keys were chosen to collide, comparing long strings full of zeros, the atomic part of a
// collection with chains of ephemerons. When a call must end and has not looked for a while, the
// timer's signal handler leaves the step with longjmp, and the box is dropped as when its memory is
// spent: {down, time}. Nothing of the Lua state is used again, only the arena is given back.
//
// That is sound where the handler interrupted code that holds nothing of ours or the host's: Lua's
// own, or the C library's when Lua called it and no host function runs (`outside`). Elsewhere the
// handler waits for its next turn. POSIX (signal concepts) forbids to call unsafe functions after
// such an escape only if an unsafe one was interrupted; of those that Lua calls (strcoll, memcpy,
// strtod, snprintf of numbers), none keeps a lock or a state in glibc and musl.
//
// Patience is counted in the thread's own processor time, so that a busy machine cuts nobody.
#include "code_map.h"
#include "preempt_timer.h"
#include "sandbox.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

// A caller waits for its limit, and the box should survive if it can be helped.
#define CUT_TIME_NS UINT64_C(12000000)
// Somebody asked for an end within 5 ms; finding out takes up to two ticks, and so long is two
// more.
#define CUT_INTERRUPT_NS UINT64_C(1900000)
// The box is given up anyway.
#define CUT_CLOSE_NS UINT64_C(1000000)

static pthread_once_t cut_once = PTHREAD_ONCE_INIT;
static struct code_map cut_map; // written once, by cut_learn
static bool cut_possible;       // likewise

// The ends of Lua's code where it is a part of this object (build-aux/lua-library), else NULL.
extern const char __start_lua_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_lua_text[] __attribute__((weak, visibility("hidden")));

// Functions are named through volatile pointers: the address that the dynamic linker found, not a
// stub of our own.
static bool cut_learn_lua(void) {
    uintptr_t from = (uintptr_t)__start_lua_text, to = (uintptr_t)__stop_lua_text;
    if (from != 0)
        return code_map_add_span(&cut_map, from, to);
    lua_State *(*volatile lua)(lua_Alloc, void *) = lua_newstate;
    return code_map_add(&cut_map, (uintptr_t)lua);
}

static void cut_learn(void) {
    int (*volatile libc)(const char *, const char *) = strcoll;
    double (*volatile libm)(double, double) = fmod;
    cut_possible = cut_learn_lua() && code_map_add(&cut_map, (uintptr_t)libc);
    // Not needed where it is a part of libc.
    if (!code_map_has(&cut_map, (uintptr_t)libm))
        (void)code_map_add(&cut_map, (uintptr_t)libm);
}

void sandbox_prepare_cut(void) {
    (void)pthread_once(&cut_once, cut_learn);
}

static uint64_t cut_patience_ns(enum preempt_verdict verdict) {
    switch (verdict) {
    case PREEMPT_TIME:
        return CUT_TIME_NS;
    case PREEMPT_INTERRUPT:
        return CUT_INTERRUPT_NS;
    case PREEMPT_CLOSE:
        return CUT_CLOSE_NS;
    case PREEMPT_GO:
    case PREEMPT_PAUSE:
        break;
    }
    return UINT64_MAX;
}

// clock_gettime is async-signal-safe.
static uint64_t cut_thread_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void sandbox_consider_cut(struct sandbox *sandbox, uintptr_t pc) {
    struct sandbox_cut *cut = &sandbox->cut;
    if (cut->looks != sandbox->looks) {
        cut->looks = sandbox->looks;
        cut->overdue_ns = 0;
        return;
    }
    if (!cut_possible || sandbox->escape == NULL || sandbox->outside || !code_map_has(&cut_map, pc))
        return;
    // No host function is interrupted here, so the clock and the tick may be used.
    uint64_t patience_ns = cut_patience_ns(preempt_peek(&sandbox->preempt));
    uint64_t now_ns = cut_thread_ns();
    if (cut->overdue_ns == 0 && patience_ns != UINT64_MAX)
        cut->overdue_ns = now_ns;
    if (patience_ns == UINT64_MAX || now_ns - cut->overdue_ns < patience_ns)
        return;
    // The signal may come again before longjmp, a function of the C library, has arrived.
    sandbox->outside = 1;
    preempt_timer_escape();
    longjmp(*sandbox->escape, -SERVICE_E_TIME);
}
