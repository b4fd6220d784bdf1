// SPDX-License-Identifier: Apache-2.0
// The watchdog, its signal and the threads' slots. enter, retarget and leave run on the threads
// that run services, timer_handle on the same threads inside a signal, timer_watch on its own.
#include "preempt_timer.h"

#include "code_map.h"
#include "service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

// Without a run for so many ticks the watchdog sleeps until an enter wakes it.
#define TIMER_IDLE_TICKS 50u
// ... or so long: enter has no fence between its own store and its look at timer_idle, so it can
// miss that the watchdog is just falling asleep. A wake-up that is lost costs no more than this.
#define TIMER_IDLE_NS UINT64_C(50000000)
// A signal that did not arrive for so long is sent again.
#define TIMER_RESEND_TICKS 100u
// Below lie the signals that other libraries are likely to pick first.
#define TIMER_SIGNAL_FIRST (SIGRTMIN + 4)
// How long stop waits for a signal to arrive. Only a thread that blocks it keeps it longer.
#define TIMER_DRAIN_NS      UINT64_C(200000000)
#define TIMER_DRAIN_STEP_NS 100000
#define TIMER_LINE_BYTES    64u

#define TIMER_COLD __attribute__((noinline))

// One per thread, on a cache line of its own because its thread writes it at every call.
struct timer_slot {
    // Written by the slot's thread, read by its own handler; relaxed atomics because the watchdog
    // reads `generation` too, and signal fences because of the handler.
    _Alignas(TIMER_LINE_BYTES) _Atomic(uint32_t) generation; // odd: within a run
    _Atomic(uint32_t) awaited; // a signal was sent and none arrived since
    _Atomic(uint32_t) owed;    // signals that were sent and did not arrive, or that never will
    _Atomic(preempt_timer_fire *) fire;
    _Atomic(void *) target;
    _Atomic(struct timer_slot *) *home; // the thread's own pointer to this slot
    pthread_t thread;
    uint32_t waited;                    // ticks since it was sent; guarded by timer_mutex
    uint32_t seen;                      // generation at the last tick; guarded by timer_mutex
    struct timer_slot *next, *previous; // guarded by timer_mutex
};

// initial-exec: one load at a fixed offset from the thread pointer, where a library's default model
// calls __tls_get_addr, which may allocate at a thread's first access: not in a signal handler. It
// takes eight bytes of the static TLS that glibc keeps for libraries that are loaded later.
static _Thread_local _Atomic(struct timer_slot *) timer_own
    __attribute__((tls_model("initial-exec")));

static pthread_mutex_t timer_life = PTHREAD_MUTEX_INITIALIZER; // start and stop; before timer_mutex
static unsigned timer_users;                                   // guarded by timer_life

static pthread_mutex_t timer_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct timer_slot *timer_slots; // guarded by timer_mutex
static bool timer_running;             // guarded by timer_mutex
static pthread_cond_t timer_wake;      // with timer_mutex; exists while running
static _Atomic(bool) timer_idle;       // the watchdog sleeps, or is about to

// Written by start and stop only, while no watchdog and no handler runs.
static pthread_t timer_watchdog;
static pthread_key_t timer_key; // its destructor drops the slot of a thread that ends
static int timer_signal;
static struct sigaction timer_previous;

static void timer_pass_on(int signal, siginfo_t *info, void *context) {
    if (timer_previous.sa_flags & SA_SIGINFO)
        timer_previous.sa_sigaction(signal, info, context);
    else if (timer_previous.sa_handler != SIG_DFL && timer_previous.sa_handler != SIG_IGN)
        timer_previous.sa_handler(signal);
}

static bool timer_awaited(const struct timer_slot *slot) {
    return atomic_load_explicit(&slot->awaited, memory_order_acquire) != 0;
}

static void timer_await(struct timer_slot *slot, bool awaited) {
    atomic_store_explicit(&slot->awaited, awaited, memory_order_release);
}

// Each signal that was sent is the timer's own when it arrives, also the first one after it was
// sent again. Only the slot's handler counts down.
static bool timer_is_owed(struct timer_slot *slot) {
    return atomic_load_explicit(&slot->owed, memory_order_acquire) > 0 &&
           atomic_fetch_sub_explicit(&slot->owed, 1, memory_order_relaxed) > 0;
}

static void timer_handle(int signal, siginfo_t *info, void *context) {
    int saved_errno = errno;
    struct timer_slot *slot = atomic_load_explicit(&timer_own, memory_order_relaxed);
    if (slot == NULL || info->si_code != SI_TKILL || !timer_is_owed(slot)) {
        timer_pass_on(signal, info, context);
    } else {
        if (atomic_load_explicit(&slot->generation, memory_order_relaxed) % 2 == 1) {
            atomic_signal_fence(memory_order_acquire);
            preempt_timer_fire *fire = atomic_load_explicit(&slot->fire, memory_order_relaxed);
            fire(atomic_load_explicit(&slot->target, memory_order_relaxed),
                 code_interrupted_at(context));
        }
        timer_await(slot, false);
    }
    errno = saved_errno;
}

// One signal is on its way to a thread at most, however long the thread waits for a processor; only
// when that takes very long is it sent again, because a signal that somebody swallowed would leave
// the thread unwatched for good. The thread is alive: before it ends it drops its slot, and for
// that it needs timer_mutex.
static void timer_tap(struct timer_slot *slot) {
    bool awaited = timer_awaited(slot);
    slot->waited = awaited ? slot->waited + 1 : 0;
    if (slot->waited % TIMER_RESEND_TICKS != 0)
        return;
    timer_await(slot, true);
    (void)atomic_fetch_add_explicit(&slot->owed, 1, memory_order_release);
    if (pthread_kill(slot->thread, timer_signal) != 0) {
        (void)atomic_fetch_sub_explicit(&slot->owed, 1, memory_order_relaxed);
        timer_await(slot, awaited);
    }
}

// True if any thread is in a run or was since the last tick.
static bool timer_tick(void) {
    bool active = false;
    for (struct timer_slot *slot = timer_slots; slot != NULL; slot = slot->next) {
        uint32_t generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
        bool runs = generation % 2 == 1;
        active = active || runs || generation != slot->seen;
        if (runs && generation == slot->seen)
            timer_tap(slot);
        slot->seen = generation;
    }
    return active;
}

static struct timespec timer_after(uint64_t ns) {
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t total_ns = (uint64_t)at.tv_nsec + ns;
    at.tv_sec += (time_t)(total_ns / 1000000000u);
    at.tv_nsec = (long)(total_ns % 1000000000u);
    return at;
}

static void *timer_watch(void *unused) {
    unsigned quiet = 0;
    (void)pthread_mutex_lock(&timer_mutex);
    while (timer_running) {
        quiet = timer_tick() ? 0 : quiet + 1;
        bool idle = quiet > TIMER_IDLE_TICKS;
        atomic_store_explicit(&timer_idle, idle, memory_order_relaxed);
        struct timespec until = timer_after(idle ? TIMER_IDLE_NS : PREEMPT_TIMER_TICK_NS);
        (void)pthread_cond_timedwait(&timer_wake, &timer_mutex, &until);
    }
    (void)pthread_mutex_unlock(&timer_mutex);
    return unused;
}

static void timer_unlink(struct timer_slot *slot) {
    if (slot->previous != NULL)
        slot->previous->next = slot->next;
    else
        timer_slots = slot->next;
    if (slot->next != NULL)
        slot->next->previous = slot->previous;
}

// The destructor of timer_key. stop may have freed the slot already: only the list knows.
static void timer_drop(void *context) {
    (void)pthread_mutex_lock(&timer_mutex);
    struct timer_slot *slot = timer_slots;
    while (slot != NULL && slot != context)
        slot = slot->next;
    if (slot != NULL)
        timer_unlink(slot);
    (void)pthread_mutex_unlock(&timer_mutex);
    // A signal that arrives from here on finds no slot.
    atomic_store_explicit(&timer_own, NULL, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    free(slot);
}

static bool timer_link(struct timer_slot *slot) {
    (void)pthread_mutex_lock(&timer_mutex);
    bool linked = timer_running && pthread_setspecific(timer_key, slot) == 0;
    if (linked) {
        slot->next = timer_slots;
        if (timer_slots != NULL)
            timer_slots->previous = slot;
        timer_slots = slot;
    }
    (void)pthread_mutex_unlock(&timer_mutex);
    return linked;
}

static void timer_unblock(void) {
    sigset_t only;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, timer_signal);
    (void)pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

// The calling thread's first enter.
static struct timer_slot *timer_register(void) {
    struct timer_slot *slot = aligned_alloc(TIMER_LINE_BYTES, sizeof *slot);
    if (slot == NULL)
        return NULL;
    *slot = (struct timer_slot){.home = &timer_own, .thread = pthread_self()};
    if (!timer_link(slot)) {
        free(slot);
        return NULL;
    }
    atomic_store_explicit(&timer_own, slot, memory_order_relaxed);
    timer_unblock();
    return slot;
}

// Kept out of line, as is timer_enter_first, so that enter needs no stack frame.
static TIMER_COLD bool timer_rouse(void) {
    (void)pthread_mutex_lock(&timer_mutex);
    atomic_store_explicit(&timer_idle, false, memory_order_relaxed);
    (void)pthread_cond_signal(&timer_wake);
    (void)pthread_mutex_unlock(&timer_mutex);
    return true;
}

static inline bool timer_run(struct timer_slot *slot, preempt_timer_fire *fire, void *target) {
    uint32_t generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
    atomic_store_explicit(&slot->fire, fire, memory_order_relaxed);
    atomic_store_explicit(&slot->target, target, memory_order_relaxed);
    atomic_signal_fence(memory_order_release);
    atomic_store_explicit(&slot->generation, generation + 1, memory_order_relaxed);
    return atomic_load_explicit(&timer_idle, memory_order_relaxed) ? timer_rouse() : true;
}

static TIMER_COLD bool timer_enter_first(preempt_timer_fire *fire, void *target) {
    struct timer_slot *slot = timer_register();
    return slot != NULL && timer_run(slot, fire, target);
}

bool preempt_timer_enter(preempt_timer_fire *fire, void *target) {
    struct timer_slot *slot = atomic_load_explicit(&timer_own, memory_order_relaxed);
    return slot != NULL ? timer_run(slot, fire, target) : timer_enter_first(fire, target);
}

void preempt_timer_retarget(void *target) {
    struct timer_slot *slot = atomic_load_explicit(&timer_own, memory_order_relaxed);
    atomic_store_explicit(&slot->target, target, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); // before whatever frees the old one
}

void preempt_timer_leave(void) {
    struct timer_slot *slot = atomic_load_explicit(&timer_own, memory_order_relaxed);
    uint32_t generation = atomic_load_explicit(&slot->generation, memory_order_relaxed);
    atomic_store_explicit(&slot->generation, generation + 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); // before whatever frees the target
}

void preempt_timer_escape(void) {
    timer_await(atomic_load_explicit(&timer_own, memory_order_relaxed), false);
    timer_unblock();
}

static bool timer_unused(const struct sigaction *action) {
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

static bool timer_take_signal(bool shared) {
    struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    ours.sa_sigaction = timer_handle;
    (void)sigemptyset(&ours.sa_mask);
    for (int signal = TIMER_SIGNAL_FIRST; signal <= SIGRTMAX; signal++) {
        if (sigaction(signal, NULL, &timer_previous) != 0 ||
            (!shared && !timer_unused(&timer_previous)))
            continue;
        // Whoever came in between is passed on to as well.
        if (sigaction(signal, &ours, &timer_previous) != 0)
            continue;
        timer_signal = signal;
        return true;
    }
    return false;
}

static void timer_give_signal(void) {
    struct sigaction current;
    if (sigaction(timer_signal, NULL, &current) != 0 || !(current.sa_flags & SA_SIGINFO) ||
        current.sa_sigaction != timer_handle)
        return;
    // A signal that is still pending would kill the process once the default holds again; ignoring
    // discards it (POSIX, sigaction).
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (timer_unused(&timer_previous))
        (void)sigaction(timer_signal, &ignore, NULL);
    (void)sigaction(timer_signal, &timer_previous, NULL);
}

static int timer_create_wake(void) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return -1;
    int failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (failed == 0)
        failed = pthread_cond_init(&timer_wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return failed;
}

// The watchdog inherits a full mask: no signal of the process is ever handled on it.
static int timer_create_watchdog(void) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&timer_watchdog, NULL, timer_watch, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        (void)pthread_setname_np(timer_watchdog, "tripod_timer");
    return failed;
}

static void timer_set_running(bool running) {
    (void)pthread_mutex_lock(&timer_mutex);
    timer_running = running;
    (void)pthread_cond_signal(&timer_wake);
    (void)pthread_mutex_unlock(&timer_mutex);
}

static int timer_begin(void) {
    if (timer_create_wake() != 0)
        return SERVICE_E_SYSTEM;
    if (pthread_key_create(&timer_key, timer_drop) != 0)
        goto no_key;
    if (!timer_take_signal(false) && !timer_take_signal(true))
        goto no_signal;
    timer_set_running(true);
    if (timer_create_watchdog() == 0)
        return 0;
    timer_set_running(false);
    timer_give_signal();
no_signal:
    (void)pthread_key_delete(timer_key);
no_key:
    (void)pthread_cond_destroy(&timer_wake);
    return SERVICE_E_SYSTEM;
}

// Waits until no signal is on its way to a thread.
static void timer_drain(void) {
    for (uint64_t waited_ns = 0; waited_ns < TIMER_DRAIN_NS; waited_ns += TIMER_DRAIN_STEP_NS) {
        bool awaited = false;
        (void)pthread_mutex_lock(&timer_mutex);
        for (const struct timer_slot *slot = timer_slots; slot != NULL; slot = slot->next)
            awaited = awaited || timer_awaited(slot);
        (void)pthread_mutex_unlock(&timer_mutex);
        if (!awaited)
            return;
        const struct timespec step = {.tv_nsec = TIMER_DRAIN_STEP_NS};
        (void)nanosleep(&step, NULL);
    }
}

static void timer_end(void) {
    timer_set_running(false);
    (void)pthread_join(timer_watchdog, NULL);
    timer_drain();
    timer_give_signal();
    (void)pthread_mutex_lock(&timer_mutex);
    while (timer_slots != NULL) {
        struct timer_slot *slot = timer_slots;
        timer_slots = slot->next;
        atomic_store_explicit(slot->home, NULL, memory_order_relaxed);
        free(slot);
    }
    (void)pthread_mutex_unlock(&timer_mutex);
    (void)pthread_key_delete(timer_key);
    (void)pthread_cond_destroy(&timer_wake);
    atomic_store_explicit(&timer_idle, false, memory_order_relaxed);
}

int preempt_timer_start(void) {
    (void)pthread_mutex_lock(&timer_life);
    int code = timer_users > 0 ? 0 : timer_begin();
    if (code == 0)
        timer_users += 1;
    (void)pthread_mutex_unlock(&timer_life);
    return code;
}

void preempt_timer_stop(void) {
    (void)pthread_mutex_lock(&timer_life);
    timer_users -= 1;
    if (timer_users == 0)
        timer_end();
    (void)pthread_mutex_unlock(&timer_life);
}
