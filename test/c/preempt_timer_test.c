// SPDX-License-Identifier: Apache-2.0
// The preemption timer: long runs are tapped, short ones are not, and nothing fires outside a run.
#include "timer_rig.h"

#include <stdlib.h>

static int timer_starts(void **state) {
    (void)state;
    return rig_start();
}

static void taps_an_endless_loop_within_some_ticks(void **state) {
    (void)state;
    // A busy machine may make a try late, but not all of them. The first tap may be the last run's.
    uint64_t best_ns = UINT64_MAX, until_ns = now_ns() + DEADLINE_NS / 2;
    while (best_ns > 4 * PREEMPT_TIMER_TICK_NS && now_ns() < until_ns) {
        struct target target = {0};
        uint64_t began_ns = now_ns();
        assert_true(target_enter(&target));
        assert_true(spin_until(&target, 2));
        target_leave(&target);
        uint64_t took_ns = now_ns() - began_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
        assert_int_equal(target.strays, 0);
    }
    assert_true(best_ns <= 4 * PREEMPT_TIMER_TICK_NS);
}

static void taps_again_at_each_tick(void **state) {
    (void)state;
    struct target target = {0};
    uint64_t began_ns = now_ns();
    assert_true(target_enter(&target));
    assert_true(spin_until(&target, 20));
    target_leave(&target);
    // Never more often than it ticks.
    assert_true(now_ns() - began_ns >= 19 * PREEMPT_TIMER_TICK_NS);
    assert_int_equal(target.strays, 0);
}

static void taps_whoever_is_the_target_now(void **state) {
    (void)state;
    struct target targets[3] = {0};
    assert_true(target_enter(&targets[0]));
    for (unsigned i = 0; i < 6; i++) {
        struct target *now = &targets[i % 3], *next = &targets[(i + 1) % 3];
        assert_true(spin_until(now, now->fires + 2));
        next->allowed = 1;
        preempt_timer_retarget(next);
        now->allowed = 0;
    }
    target_leave(&targets[0]);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(targets[i].strays, 0);
}

// Each run has a block of its own that is freed right after it: ASan and valgrind would tell.
static void forgets_the_target_at_once(void **state) {
    (void)state;
    for (unsigned run = 0; run < 150; run++) {
        struct target *first = calloc(1, sizeof *first);
        struct target *second = calloc(1, sizeof *second);
        assert_non_null(first);
        assert_non_null(second);
        assert_true(target_enter(first));
        if (run % 3 == 0)
            assert_true(spin_until(first, 1));
        second->allowed = 1;
        preempt_timer_retarget(second);
        free(first);
        if (run % 2 == 0)
            assert_true(spin_until(second, 1));
        target_leave(second);
        assert_int_equal(second->strays, 0);
        free(second);
    }
}

static void keeps_errno(void **state) {
    (void)state;
    struct target target = {0};
    assert_true(target_enter(&target));
    errno = EDOM;
    bool fired = true;
    for (sig_atomic_t fires = 1; fires <= 5; fires++)
        fired = fired && spin_until(&target, fires);
    int kept = errno;
    target_leave(&target);
    assert_true(fired);
#ifndef __SANITIZE_THREAD__ // there spin_until makes calls of its own
    assert_int_equal(kept, EDOM);
#else
    (void)kept;
#endif
}

enum { PAIRS = 1000000, LONG_EVERY = 50000, TICK_RUNS = 100 };

static void storm(struct target *target) {
    for (unsigned pair = 1; pair <= PAIRS; pair++) {
        if (!target_enter(target))
            fail_msg("enter failed at pair %u", pair);
        if (pair % LONG_EVERY == 0 && !spin_until(target, target->fires + 1))
            fail_msg("the run of pair %u was never tapped", pair);
        target_leave(target);
    }
}

static void loses_nothing_in_a_storm_of_runs(void **state) {
    (void)state;
    struct target target = {0};
    storm(&target);
    assert_true(target.fires >= PAIRS / LONG_EVERY);
    assert_int_equal(target.strays, 0);
}

// Runs that last about as long as it takes to be tapped end in every phase of a signal.
static void fires_only_within_runs_of_any_length(void **state) {
    (void)state;
    struct target target = {0};
    for (unsigned run = 0; run < TICK_RUNS; run++) {
        uint64_t until_ns = now_ns() + 1 * MS + run * (2 * MS / TICK_RUNS);
        assert_true(target_enter(&target));
        while (now_ns() < until_ns)
            spin_once();
        target_leave(&target);
        for (volatile unsigned left = run * 50; left > 0; left--)
            ;
    }
    assert_int_equal(target.strays, 0);
}

static void wakes_from_idleness(void **state) {
    (void)state;
    for (unsigned tries = 0; tries < 3; tries++) {
        const struct timespec idle = {.tv_nsec = 100 * (long)MS};
        (void)nanosleep(&idle, NULL);
        struct target target = {0};
        assert_true(target_enter(&target));
        assert_true(spin_until(&target, 1));
        target_leave(&target);
    }
}

// What a thread found; it does not assert, because cmocka can only fail on its own thread.
struct visit {
    pthread_t thread;
    sig_atomic_t fires; // to wait for; 0 leaves at once
    bool fine;
};

static void *visit_main(void *context) {
    struct visit *visit = context;
    struct target target = {0};
    visit->fine = target_enter(&target) && spin_until(&target, visit->fires);
    target_leave(&target);
    visit->fine = visit->fine && target.strays == 0;
    return NULL;
}

static void threads_come_and_go(void **state) {
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct visit visits[6];
        for (unsigned i = 0; i < 6; i++) {
            visits[i].fires = (sig_atomic_t)((round + i) % 3);
            assert_int_equal(pthread_create(&visits[i].thread, NULL, visit_main, &visits[i]), 0);
        }
        for (unsigned i = 0; i < 6; i++) {
            assert_int_equal(pthread_join(visits[i].thread, NULL), 0);
            assert_true(visits[i].fine);
        }
    }
}

static void *storm_main(void *context) {
    storm(context);
    return NULL;
}

static void each_thread_has_its_own_runs(void **state) {
    (void)state;
    struct target targets[3] = {0};
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, storm_main, &targets[i]), 0);
    storm(&targets[2]);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(targets[i].fires >= PAIRS / LONG_EVERY);
        assert_int_equal(targets[i].strays, 0);
    }
}

static void starts_and_stops_again_and_again(void **state) {
    (void)state;
    struct target target = {0};
    for (sig_atomic_t round = 0; round < 30; round++) {
        assert_false(target_enter(&target)); // not running
        assert_int_equal(rig_start(), 0);
        assert_int_equal(rig_start(), 0);
        if (round % 3 != 0) {
            assert_true(target_enter(&target));
            assert_true(spin_until(&target, target.fires + round % 3));
            target_leave(&target);
        }
        rig_stop();
        assert_true(target_enter(&target)); // one start is left
        assert_true(spin_until(&target, target.fires + 1));
        target_leave(&target);
        rig_stop();
    }
    assert_int_equal(target.strays, 0);
}

// A thread that ends while stop runs, and one that enters again after the next start.
struct survivor {
    pthread_t thread;
    pthread_barrier_t *stopping, *again; // `again` is NULL for the one that ends
    bool fine;
};

static void *survivor_main(void *context) {
    struct survivor *survivor = context;
    struct target target = {0};
    survivor->fine = target_enter(&target) && spin_until(&target, 2);
    target_leave(&target);
    pthread_barrier_wait(survivor->stopping);
    if (survivor->again != NULL) {
        pthread_barrier_wait(survivor->again);
        survivor->fine = survivor->fine && target_enter(&target) && spin_until(&target, 5);
        target_leave(&target);
    }
    survivor->fine = survivor->fine && target.strays == 0;
    return NULL;
}

static void threads_outlive_a_stop(void **state) {
    (void)state;
    for (unsigned round = 0; round < 15; round++) {
        pthread_barrier_t stopping, again;
        assert_int_equal(pthread_barrier_init(&stopping, NULL, 3), 0);
        assert_int_equal(pthread_barrier_init(&again, NULL, 2), 0);
        struct survivor survivors[2] = {{.stopping = &stopping},
                                        {.stopping = &stopping, .again = &again}};
        assert_int_equal(rig_start(), 0);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(
                pthread_create(&survivors[i].thread, NULL, survivor_main, &survivors[i]), 0);
        pthread_barrier_wait(&stopping);
        rig_stop();
        assert_int_equal(rig_start(), 0);
        pthread_barrier_wait(&again);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(pthread_join(survivors[i].thread, NULL), 0);
            assert_true(survivors[i].fine);
        }
        rig_stop();
        pthread_barrier_destroy(&stopping);
        pthread_barrier_destroy(&again);
    }
}

#define RUNNING(test) cmocka_unit_test_setup_teardown(test, timer_starts, rig_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        RUNNING(taps_an_endless_loop_within_some_ticks),
        RUNNING(taps_again_at_each_tick),
        RUNNING(taps_whoever_is_the_target_now),
        RUNNING(forgets_the_target_at_once),
        RUNNING(keeps_errno),
        RUNNING(loses_nothing_in_a_storm_of_runs),
        RUNNING(fires_only_within_runs_of_any_length),
        RUNNING(wakes_from_idleness),
        RUNNING(threads_come_and_go),
        RUNNING(each_thread_has_its_own_runs),
        cmocka_unit_test_teardown(starts_and_stops_again_and_again, rig_teardown),
        cmocka_unit_test_teardown(threads_outlive_a_stop, rig_teardown),
    };
    return cmocka_run_group_tests_name("preempt_timer", tests, NULL, NULL);
}
