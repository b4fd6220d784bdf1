// SPDX-License-Identifier: Apache-2.0
// Closing a box at every point of its life, on one thread and on several.
#include "box_rig.h"

#include <pthread.h>
#include <sched.h>

static void closes_when_idle(void **state) {
    (void)state;
    struct box *box = open_box();
    box_close(box);
    assert_gone();
    assert_int_equal(box_begin(box, NULL, 0), BOX_CLOSED);
    assert_string_equal(reply_of(box, BOX_CLOSED), "(2 'error' 'closed' )2");
    struct box_usage usage;
    assert_int_equal(box_usage(box, &usage), BOX_CLOSED);
    assert_false(box_interrupt(box));
    assert_int_equal(script.begun, 0);
}

static void closes_between_two_steps(void **state) {
    (void)state;
    script.steps[0] = SERVICE_MORE;
    struct box *box = open_box();
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    assert_int_equal(step_quietly(box), BOX_MORE);
    box_close(box);
    assert_gone(); // at once
    assert_int_equal(step_quietly(box), BOX_CLOSED);
    assert_int_equal(script.stepped, 1);
    assert_gone();
}

static void closes_when_the_thread_inside_comes_out(void **state) {
    (void)state;
    static const int codes[] = {SERVICE_DONE, SERVICE_MORE, SERVICE_E_BROKEN};
    for (unsigned i = 0; i < 3; i++) {
        (void)each_starts_clean(NULL);
        struct box *box = open_box();
        script.steps[0] = codes[i];
        script.close_in_step = box;
        assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
        struct record record;
        record_init(&record);
        assert_int_equal(box_step(box, &record.sink), BOX_CLOSED);
        record_release(&record);
        assert_int_equal(script.stop_seen, SERVICE_STOP_CLOSE);
        assert_gone();
        assert_int_equal(box_begin(box, NULL, 0), BOX_CLOSED);
    }
}

static void closes_during_begin(void **state) {
    (void)state;
    struct box *box = open_box();
    script.close_in_begin = box;
    assert_int_equal(box_begin(box, NULL, 0), BOX_MORE);
    assert_int_equal(script.closed, 0); // the thread is still inside
    struct record record;
    record_init(&record);
    assert_int_equal(box_step(box, &record.sink), BOX_CLOSED);
    record_release(&record);
    assert_gone();
    (void)each_starts_clean(NULL);
    box = open_box();
    script.close_in_begin = box;
    script.begins = SERVICE_E_SYSTEM;
    assert_int_equal(box_begin(box, NULL, 0), BOX_CLOSED);
    assert_gone();
}

enum { ROUNDS = 1500, CLOSERS = 2 };

struct race {
    pthread_barrier_t barrier;
    _Atomic(unsigned) closed, done; // what calls met, so that the race is known to happen
};

// So that the threads meet in another order in each round, also where one processor, or valgrind,
// runs them in turns.
static void race_dawdle(unsigned how) {
    for (volatile unsigned left = how % 1000; left > 0; left--)
        ;
    for (unsigned left = how % 7; left > 0; left--)
        sched_yield();
}

static void *closer_main(void *context) {
    struct race *race = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&race->barrier);
        race_dawdle(round * 37);
        (void)box_interrupt(&tested.box);
        box_close(&tested.box);
        pthread_barrier_wait(&race->barrier);
    }
    return NULL;
}

static void race_call(struct race *race, unsigned round) {
    enum box_result result = box_begin(&tested.box, NULL, 0);
    while (result == BOX_MORE) {
        if (round % 2 == 0)
            sched_yield();
        result = step_quietly(&tested.box);
    }
    assert_true(result == BOX_DONE || result == BOX_CLOSED);
    atomic_fetch_add(result == BOX_DONE ? &race->done : &race->closed, 1);
}

static void closes_once_when_threads_race(void **state) {
    (void)state;
    static struct race race;
    assert_int_equal(pthread_barrier_init(&race.barrier, NULL, CLOSERS + 1), 0);
    pthread_t closers[CLOSERS];
    for (unsigned i = 0; i < CLOSERS; i++)
        assert_int_equal(pthread_create(&closers[i], NULL, closer_main, &race), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        memset(&script, 0, sizeof script);
        script.steps[0] = script.steps[1] = SERVICE_MORE;
        (void)open_box();
        pthread_barrier_wait(&race.barrier);
        for (unsigned call = 0; call < 4; call++)
            race_call(&race, round);
        pthread_barrier_wait(&race.barrier);
        assert_gone();
    }
    for (unsigned i = 0; i < CLOSERS; i++)
        assert_int_equal(pthread_join(closers[i], NULL), 0);
    pthread_barrier_destroy(&race.barrier);
    assert_true(race.done > 0);
    assert_true(race.closed > 0);
}

// Last, because a leak stays in the census for good.
static void shows_what_the_service_failed_to_give_back(void **state) {
    (void)state;
    struct box *box = open_box();
    script.leaks = true;
    box_close(box);
    assert_int_equal(script.closed, 1);
    assert_census(0, LEAKED_BYTES, 0);
    free(script.leaked);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FAKE_TEST(closes_when_idle),
        FAKE_TEST(closes_between_two_steps),
        FAKE_TEST(closes_when_the_thread_inside_comes_out),
        FAKE_TEST(closes_during_begin),
        FAKE_TEST(closes_once_when_threads_race),
        FAKE_TEST(shows_what_the_service_failed_to_give_back),
    };
    return cmocka_run_group_tests_name("box_close", tests, NULL, NULL);
}
