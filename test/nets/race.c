// SPDX-License-Identifier: Apache-2.0
// Two threads write one variable without agreeing on an order.
#include "plant.h"

#include <pthread.h>

static int shared;

static void *writer(void *argument) {
    (void)argument;
    shared++;
    return NULL;
}

static void race(void **state) {
    (void)state;
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, writer, NULL), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(shared != 0);
}

int main(void) {
    return plant_run(race);
}
