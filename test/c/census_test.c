// SPDX-License-Identifier: Apache-2.0
// The census: exact counts, leaks that stay visible, and readers beside running instances.
#include "census.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct instance {
    struct census_entry entry;
    struct gate gate;
    bool known; // to the census
};

// Those of a test: known still when a test that fails has left its stack.
static struct instance own[3];

static void instance_enter(struct instance *instance) {
    gate_init(&instance->gate);
    census_enter(&instance->entry, &instance->gate);
    instance->known = true;
}

static void instance_leave(struct instance *instance) {
    instance->known = false;
    census_leave(&instance->entry);
}

static int all_leave(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].known) {
            census_book(&own[i].entry, own[i].entry.bytes, 0);
            instance_leave(&own[i]);
        }
    }
    return 0;
}

static void assert_census(uint64_t boxes, uint64_t bytes, uint64_t calls) {
    struct census_total total = census_count();
    assert_int_equal(total.boxes, boxes);
    assert_int_equal(total.bytes, bytes);
    assert_int_equal(total.calls, calls);
}

static void counts_nothing_at_first(void **state) {
    (void)state;
    assert_census(0, 0, 0);
}

static void counts_instances_bytes_and_calls(void **state) {
    (void)state;
    struct instance *one = &own[0], *two = &own[1];
    instance_enter(one);
    census_book(&one->entry, 0, 100);
    instance_enter(two);
    census_book(&two->entry, 0, 30);
    assert_census(2, 130, 0);
    assert_int_equal(gate_enter(&one->gate), GATE_ENTERED);
    assert_census(2, 130, 1);
    assert_false(gate_pause(&one->gate)); // between two steps it is in progress still
    assert_int_equal(gate_enter(&two->gate), GATE_ENTERED);
    assert_census(2, 130, 2);
    assert_false(gate_leave(&two->gate));
    census_book(&one->entry, 100, 40);
    assert_census(2, 70, 1);
    census_book(&one->entry, 40, 0);
    instance_leave(one);
    assert_census(1, 30, 0);
    census_book(&two->entry, 30, 0);
    instance_leave(two);
    assert_census(0, 0, 0);
}

static void keeps_the_peak(void **state) {
    (void)state;
    struct instance *one = &own[0];
    instance_enter(one);
    census_book(&one->entry, 0, 100);
    census_book(&one->entry, 0, 50);
    census_book(&one->entry, 100, 20);
    assert_int_equal(one->entry.bytes, 70);
    assert_int_equal(one->entry.peak_bytes, 150);
    census_book(&one->entry, 20, 0);
    census_book(&one->entry, 50, 0);
    instance_leave(one);
    instance_enter(one); // a second life starts from zero
    assert_int_equal(one->entry.peak_bytes, 0);
    assert_int_equal(one->entry.calls, 0);
    instance_leave(one);
}

// Leaving in every order of three covers the head, the middle and the end of a list.
static void leaves_in_any_order(void **state) {
    (void)state;
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned o = 0; o < 6; o++) {
        uint64_t bytes = 0;
        for (unsigned i = 0; i < 3; i++) {
            instance_enter(&own[i]);
            census_book(&own[i].entry, 0, (size_t)1 << i);
            bytes += (uint64_t)1 << i;
        }
        for (unsigned i = 0; i < 3; i++) {
            struct instance *one = &own[orders[o][i]];
            assert_census(3 - i, bytes, 0);
            bytes -= one->entry.bytes;
            census_book(&one->entry, one->entry.bytes, 0);
            instance_leave(one);
        }
        assert_census(0, 0, 0);
    }
}

enum { WORKERS = 3, LIVES = 400 };

struct worker {
    pthread_t thread;
    _Atomic(unsigned) *working;
};

static void *worker_main(void *context) {
    struct worker *worker = context;
    for (unsigned life = 0; life < LIVES; life++) {
        struct instance one;
        instance_enter(&one);
        for (size_t bytes = 0; bytes < 64; bytes++)
            census_book(&one.entry, bytes, bytes + 1);
        (void)gate_enter(&one.gate);
        (void)gate_leave(&one.gate);
        census_book(&one.entry, 64, 0);
        instance_leave(&one);
    }
    atomic_fetch_sub(worker->working, 1);
    return NULL;
}

static void counts_beside_running_instances(void **state) {
    (void)state;
    static _Atomic(unsigned) working = WORKERS;
    static struct worker workers[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].working = &working;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
    }
    while (atomic_load(&working) > 0) {
        struct census_total total = census_count();
        assert_true(total.boxes <= WORKERS);
        assert_true(total.bytes <= total.boxes * 64);
        assert_true(total.calls <= total.boxes);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_census(0, 0, 0);
}

// Last, because a leak stays for good.
static void shows_what_an_instance_failed_to_give_back(void **state) {
    (void)state;
    struct instance *one = &own[0], *two = &own[1];
    instance_enter(one);
    instance_enter(two);
    census_book(&one->entry, 0, 500);
    census_book(&one->entry, 0, 7);
    census_book(&one->entry, 500, 0);
    instance_leave(one);
    assert_census(1, 7, 0);
    instance_leave(two);
    assert_census(0, 7, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counts_nothing_at_first, all_leave),
        cmocka_unit_test_teardown(counts_instances_bytes_and_calls, all_leave),
        cmocka_unit_test_teardown(keeps_the_peak, all_leave),
        cmocka_unit_test_teardown(leaves_in_any_order, all_leave),
        cmocka_unit_test_teardown(counts_beside_running_instances, all_leave),
        cmocka_unit_test_teardown(shows_what_an_instance_failed_to_give_back, all_leave),
    };
    return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
