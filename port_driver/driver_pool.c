// SPDX-License-Identifier: Apache-2.0
#include "driver_pool.h"

#include <erl_driver.h>

#include <stdatomic.h>
#include <stddef.h>

static unsigned int thread_count;
static _Atomic(unsigned int) *loads; // jobs of ours at or before each thread

int driver_pool_init(void) {
    ErlDrvSysInfo system = {0};
    driver_system_info(&system, sizeof system);
    thread_count = system.async_threads > 0 ? (unsigned int)system.async_threads : 1;
    loads = driver_alloc(thread_count * sizeof *loads);
    if (loads == NULL)
        return -1;
    for (unsigned int i = 0; i < thread_count; i++)
        atomic_init(&loads[i], 0);
    return 0;
}

void driver_pool_finish(void) {
    if (loads != NULL)
        driver_free(loads);
    loads = NULL;
}

static unsigned int load(unsigned int thread) {
    return atomic_load_explicit(&loads[thread], memory_order_relaxed);
}

unsigned int driver_pool_choose(void) {
    unsigned int best = thread_count - 1;
    for (unsigned int other = best; other-- > 0 && load(best) > 0;)
        if (load(other) < load(best))
            best = other;
    return best;
}

void driver_pool_add(unsigned int thread) {
    (void)atomic_fetch_add_explicit(&loads[thread], 1, memory_order_relaxed);
}

void driver_pool_remove(unsigned int thread) {
    (void)atomic_fetch_sub_explicit(&loads[thread], 1, memory_order_relaxed);
}
