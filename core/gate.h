// SPDX-License-Identifier: Apache-2.0
// One word per instance that decides who may run it, who may stop it and who frees it.
//
// Closing, the owner's death, garbage collection and a running call may meet in any order and on
// any threads. Each is one atomic operation on the word, and exactly one of them is told to
// release the instance: the closer, if no thread is inside; otherwise the thread that is inside,
// when it comes out.
//
//          enter            pause             resume            leave
//   idle --------> inside --------> between --------> inside --------> idle
//     CALL|BUSY set         BUSY off          BUSY on       CALL|BUSY|INTERRUPT off
//
//   interrupt: sets INTERRUPT, only while CALL is set: it cannot reach the next call.
//   close:     sets CLOSE for good; not BUSY: the closer releases; BUSY: who clears BUSY does.
//
// Orders: whoever takes BUSY or finds CLOSE acquires what the last holder wrote, so that a call may
// move between threads; whoever gives BUSY back releases. Any thread may call any function.
#ifndef TRIPOD_GATE_H
#define TRIPOD_GATE_H

#include "service.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GATE_CALL 0x4u // a call is in progress, perhaps between two steps
#define GATE_BUSY 0x8u // a thread is inside the service

struct gate {
    _Atomic(uint32_t) word; // also the service's stop word
};

enum gate_entry { GATE_ENTERED, GATE_TAKEN, GATE_CLOSED };
enum gate_closing { GATE_RELEASE_NOW, GATE_RELEASED_BY_RUNNER, GATE_ALREADY_CLOSED };

static inline void gate_init(struct gate *gate) {
    atomic_init(&gate->word, 0);
}

// Starts a call. GATE_TAKEN: another call is in progress.
static inline enum gate_entry gate_enter(struct gate *gate) {
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong_explicit(&gate->word, &seen, GATE_CALL | GATE_BUSY,
                                                memory_order_acquire, memory_order_relaxed))
        return GATE_ENTERED;
    return (seen & SERVICE_STOP_CLOSE) ? GATE_CLOSED : GATE_TAKEN;
}

// Ends the call. True: the instance was closed meanwhile and the caller must release it.
static inline bool gate_leave(struct gate *gate) {
    uint32_t seen = atomic_fetch_and_explicit(
        &gate->word, ~(GATE_CALL | GATE_BUSY | SERVICE_STOP_INTERRUPT), memory_order_acq_rel);
    return (seen & SERVICE_STOP_CLOSE) != 0;
}

// Leaves the thread between two steps of a call. True: the caller must release the instance.
static inline bool gate_pause(struct gate *gate) {
    uint32_t seen = atomic_fetch_and_explicit(&gate->word, ~GATE_BUSY, memory_order_acq_rel);
    return (seen & SERVICE_STOP_CLOSE) != 0;
}

// Comes back after a pause. GATE_CLOSED: somebody closed and released it between the steps.
static inline enum gate_entry gate_resume(struct gate *gate) {
    uint32_t seen = atomic_load_explicit(&gate->word, memory_order_relaxed);
    do {
        if (seen & SERVICE_STOP_CLOSE)
            return GATE_CLOSED;
        if (seen & GATE_BUSY)
            return GATE_TAKEN;
    } while (!atomic_compare_exchange_weak_explicit(&gate->word, &seen, seen | GATE_BUSY,
                                                    memory_order_acquire, memory_order_relaxed));
    return GATE_ENTERED;
}

// False: there was no call to interrupt.
static inline bool gate_interrupt(struct gate *gate) {
    uint32_t seen = atomic_load_explicit(&gate->word, memory_order_relaxed);
    do {
        if (!(seen & GATE_CALL) || (seen & SERVICE_STOP_CLOSE))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&gate->word, &seen,
                                                    seen | SERVICE_STOP_INTERRUPT,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static inline enum gate_closing gate_close(struct gate *gate) {
    uint32_t seen = atomic_fetch_or_explicit(&gate->word, SERVICE_STOP_CLOSE, memory_order_acq_rel);
    if (seen & SERVICE_STOP_CLOSE)
        return GATE_ALREADY_CLOSED;
    return (seen & GATE_BUSY) ? GATE_RELEASED_BY_RUNNER : GATE_RELEASE_NOW;
}

static inline bool gate_calling(const struct gate *gate) {
    return (atomic_load_explicit(&gate->word, memory_order_relaxed) & GATE_CALL) != 0;
}

#endif
