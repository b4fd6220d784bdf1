// SPDX-License-Identifier: Apache-2.0
// Verdicts under a clock and a stop word that the test sets.
#include "preempt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SLICE_NS UINT64_C(500000)
#define TIME_NS  UINT64_C(20000000)
#define MS       UINT64_C(1000000)

struct rig {
    struct service_host host;
    struct service_limits limits;
    struct preempt preempt;
    _Atomic(uint32_t) stop;
    uint64_t now_ns;
    unsigned reads; // of the clock
    unsigned ticks;
    uint32_t tick_stops; // what the host's tick sets in the stop word
};

static uint64_t rig_now_ns(void *context) {
    struct rig *rig = context;
    rig->reads++;
    return rig->now_ns;
}

static void rig_tick(void *context) {
    struct rig *rig = context;
    rig->ticks++;
    atomic_fetch_or(&rig->stop, rig->tick_stops);
}

static struct rig *rig_init(void **state, uint64_t slice_ns) {
    struct rig *rig = *state;
    *rig = (struct rig){.limits = {.time_ns = TIME_NS, .slice_ns = slice_ns},
                        .now_ns = 1000 * MS,
                        .host = {.now_ns = rig_now_ns, .tick = rig_tick}};
    rig->host.context = rig;
    rig->host.stop = &rig->stop;
    preempt_init(&rig->preempt, &rig->host, &rig->limits);
    preempt_call(&rig->preempt);
    preempt_slice(&rig->preempt);
    return rig;
}

static enum preempt_verdict look_after(struct rig *rig, uint64_t passed_ns) {
    rig->now_ns += passed_ns;
    return preempt_look(&rig->preempt);
}

static void the_clock_starts_at_the_first_look(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    assert_int_equal(rig->reads, 0);
    assert_int_equal(look_after(rig, 100 * TIME_NS), PREEMPT_GO); // however late it comes
    assert_int_equal(look_after(rig, SLICE_NS - 1), PREEMPT_GO);
    assert_int_equal(look_after(rig, 1), PREEMPT_PAUSE);
    assert_int_equal(rig->reads, 3);
}

static void each_slice_begins_after_a_pause(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    for (unsigned slice = 1; slice < 5; slice++) {
        // A run that cannot pause goes on looking.
        assert_int_equal(look_after(rig, SLICE_NS), PREEMPT_PAUSE);
        assert_int_equal(rig->ticks, slice);
        assert_int_equal(look_after(rig, SLICE_NS - 1), PREEMPT_GO);
        rig->now_ns -= SLICE_NS - 1;
    }
    // One that paused begins its slice at its next look.
    preempt_slice(&rig->preempt);
    assert_int_equal(look_after(rig, 3 * SLICE_NS), PREEMPT_GO);
    assert_int_equal(look_after(rig, SLICE_NS - 1), PREEMPT_GO);
    assert_int_equal(look_after(rig, 1), PREEMPT_PAUSE);
}

static void time_counts_over_all_slices_of_a_call(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    preempt_slice(&rig->preempt);
    assert_int_equal(look_after(rig, TIME_NS - 1), PREEMPT_GO);
    preempt_slice(&rig->preempt);
    assert_int_equal(look_after(rig, 1), PREEMPT_TIME);
    assert_int_equal(look_after(rig, 0), PREEMPT_TIME); // for good
    preempt_call(&rig->preempt);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
}

static void each_call_has_the_limit_that_holds_when_it_looks(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    rig->limits.time_ns = 3 * MS;
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    assert_int_equal(look_after(rig, 3 * MS), PREEMPT_TIME);
}

static void time_comes_before_a_pause(void **state) {
    struct rig *rig = rig_init(state, TIME_NS);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    assert_int_equal(look_after(rig, TIME_NS), PREEMPT_TIME);
    assert_int_equal(rig->ticks, 0);
}

static void close_comes_before_interrupt_before_all_else(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    rig->stop = SERVICE_STOP_INTERRUPT;
    assert_int_equal(look_after(rig, TIME_NS), PREEMPT_INTERRUPT);
    rig->stop = SERVICE_STOP_INTERRUPT | SERVICE_STOP_CLOSE;
    assert_int_equal(look_after(rig, 0), PREEMPT_CLOSE);
    assert_int_equal(rig->reads, 1); // neither needed the clock
    rig->stop = SERVICE_STOP_CLOSE;
    assert_int_equal(look_after(rig, 0), PREEMPT_CLOSE);
    rig->stop = 0;
    assert_int_equal(look_after(rig, 0), PREEMPT_TIME);
}

static void bits_of_the_host_stop_nothing(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    rig->stop = ~SERVICE_STOP_MASK;
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
}

static void without_slices_it_ticks_each_millisecond_and_never_pauses(void **state) {
    struct rig *rig = rig_init(state, 0);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    assert_int_equal(look_after(rig, MS - 1), PREEMPT_GO);
    assert_int_equal(rig->ticks, 0);
    for (unsigned ticks = 1; ticks < TIME_NS / MS; ticks++) {
        assert_int_equal(look_after(rig, ticks == 1 ? 1 : MS), PREEMPT_GO);
        assert_int_equal(rig->ticks, ticks);
    }
    assert_int_equal(look_after(rig, MS), PREEMPT_TIME);
}

static void what_the_tick_finds_counts_at_once(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    rig->tick_stops = SERVICE_STOP_INTERRUPT;
    assert_int_equal(look_after(rig, SLICE_NS), PREEMPT_INTERRUPT);
    rig = rig_init(state, 0);
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    rig->tick_stops = SERVICE_STOP_CLOSE;
    assert_int_equal(look_after(rig, MS), PREEMPT_CLOSE);
}

static void a_host_may_have_no_tick(void **state) {
    struct rig *rig = rig_init(state, SLICE_NS);
    rig->host.tick = NULL;
    assert_int_equal(look_after(rig, 0), PREEMPT_GO);
    assert_int_equal(look_after(rig, SLICE_NS), PREEMPT_PAUSE);
}

int main(void) {
    static struct rig rig;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_clock_starts_at_the_first_look, &rig),
        cmocka_unit_test_prestate(each_slice_begins_after_a_pause, &rig),
        cmocka_unit_test_prestate(time_counts_over_all_slices_of_a_call, &rig),
        cmocka_unit_test_prestate(each_call_has_the_limit_that_holds_when_it_looks, &rig),
        cmocka_unit_test_prestate(time_comes_before_a_pause, &rig),
        cmocka_unit_test_prestate(close_comes_before_interrupt_before_all_else, &rig),
        cmocka_unit_test_prestate(bits_of_the_host_stop_nothing, &rig),
        cmocka_unit_test_prestate(without_slices_it_ticks_each_millisecond_and_never_pauses, &rig),
        cmocka_unit_test_prestate(what_the_tick_finds_counts_at_once, &rig),
        cmocka_unit_test_prestate(a_host_may_have_no_tick, &rig),
    };
    return cmocka_run_group_tests_name("preempt", tests, NULL, NULL);
}
