// SPDX-License-Identifier: Apache-2.0
// Forgets a thread: what the C library keeps of it is nobody's any more.
#include "plant.h"

#include <pthread.h>

static void *nothing(void *argument) {
    return argument;
}

static void unjoined(void **state) {
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, nothing, NULL), 0);
}

int main(void) {
    return plant_run(unjoined);
}
