// SPDX-License-Identifier: Apache-2.0
// When a running call must pause or stop: the clock, the stop word and the slice in one place.
//
// A service embeds one struct preempt in each instance and asks preempt_look whenever its own
// mechanism (a hook, a loop that counts its steps) gives it the opportunity. Short calls never
// look, so they never read the clock: the clock starts at the first look, or `late_ns` before it
// where the mechanism only speaks up after that time (core/preempt_timer.h).
#ifndef TRIPOD_PREEMPT_H
#define TRIPOD_PREEMPT_H

#include "service.h"

#include <stdint.h>

enum preempt_verdict {
    PREEMPT_GO,
    PREEMPT_PAUSE,     // the slice is over: return SERVICE_MORE if possible, otherwise go on
    PREEMPT_TIME,      // the call's time is over
    PREEMPT_INTERRUPT, // somebody asked this call to end
    PREEMPT_CLOSE,     // the instance is being closed; the reply does not matter
};

struct preempt {
    const struct service_host *host;
    const struct service_limits *limits;
    uint64_t late_ns;      // how long a call or slice runs at least before its first look
    uint64_t deadline_ns;  // 0 until the first look of the call
    uint64_t left_ns;      // of the call's time, while it is held
    uint64_t slice_end_ns; // 0 until the first look of the slice
};

static inline void preempt_init(struct preempt *preempt, const struct service_host *host,
                                const struct service_limits *limits) {
    *preempt = (struct preempt){.host = host, .limits = limits};
}

// A call begins.
static inline void preempt_call(struct preempt *preempt) {
    preempt->deadline_ns = 0;
    preempt->slice_end_ns = 0;
}

// The call waits for somebody else: its time stands still from hold to go_on.
void preempt_hold(struct preempt *preempt);
void preempt_go_on(struct preempt *preempt);

// A step begins.
static inline void preempt_slice(struct preempt *preempt) {
    preempt->slice_end_ns = 0;
}

// Reads the stop word and the clock. After PREEMPT_PAUSE a new slice begins, so a run that cannot
// pause is told once a slice; the host's tick has then been called.
enum preempt_verdict preempt_look(struct preempt *preempt);

// Must the call end? As preempt_look, but leaves the slice as it is: never PREEMPT_PAUSE.
enum preempt_verdict preempt_peek(struct preempt *preempt);

#endif
