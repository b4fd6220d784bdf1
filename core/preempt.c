// SPDX-License-Identifier: Apache-2.0
#include "preempt.h"

// How often a run without slices calls the host's tick.
#define PREEMPT_TICK_NS UINT64_C(1000000)

static enum preempt_verdict preempt_asked(const struct preempt *preempt) {
    uint32_t stop = service_stopped(preempt->host);
    if (stop & SERVICE_STOP_CLOSE)
        return PREEMPT_CLOSE;
    return (stop & SERVICE_STOP_INTERRUPT) ? PREEMPT_INTERRUPT : PREEMPT_GO;
}

static bool preempt_time_is_over(struct preempt *preempt, uint64_t now_ns) {
    if (preempt->deadline_ns == 0)
        preempt->deadline_ns = now_ns - preempt->late_ns + preempt->limits->time_ns;
    return now_ns >= preempt->deadline_ns;
}

static enum preempt_verdict preempt_tick(const struct preempt *preempt) {
    const struct service_host *host = preempt->host;
    if (host->tick == NULL)
        return PREEMPT_GO;
    host->tick(host->context);
    return preempt_asked(preempt);
}

enum preempt_verdict preempt_look(struct preempt *preempt) {
    enum preempt_verdict asked = preempt_asked(preempt);
    if (asked != PREEMPT_GO)
        return asked;
    uint64_t now_ns = preempt->host->now_ns(preempt->host->context);
    uint64_t slice_ns = preempt->limits->slice_ns;
    uint64_t tick_ns = slice_ns != 0 ? slice_ns : PREEMPT_TICK_NS;
    if (preempt_time_is_over(preempt, now_ns))
        return PREEMPT_TIME;
    if (preempt->slice_end_ns == 0)
        preempt->slice_end_ns = now_ns - preempt->late_ns + tick_ns;
    if (now_ns < preempt->slice_end_ns)
        return PREEMPT_GO;
    preempt->slice_end_ns = now_ns + tick_ns;
    asked = preempt_tick(preempt);
    if (asked != PREEMPT_GO)
        return asked;
    return slice_ns != 0 ? PREEMPT_PAUSE : PREEMPT_GO;
}

enum preempt_verdict preempt_peek(struct preempt *preempt) {
    enum preempt_verdict asked = preempt_asked(preempt);
    if (asked != PREEMPT_GO)
        return asked;
    if (preempt_time_is_over(preempt, preempt->host->now_ns(preempt->host->context)))
        return PREEMPT_TIME;
    return preempt_tick(preempt);
}

void preempt_hold(struct preempt *preempt) {
    uint64_t now_ns = preempt->host->now_ns(preempt->host->context);
    if (preempt->deadline_ns == 0)
        preempt->left_ns = preempt->limits->time_ns; // so short that nobody has looked yet
    else
        preempt->left_ns = now_ns < preempt->deadline_ns ? preempt->deadline_ns - now_ns : 1;
}

void preempt_go_on(struct preempt *preempt) {
    preempt->deadline_ns = preempt->host->now_ns(preempt->host->context) + preempt->left_ns;
    preempt->slice_end_ns = 0;
}
