// SPDX-License-Identifier: Apache-2.0
#include "census.h"

#include <pthread.h>

static pthread_mutex_t census_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct census_entry *census_first; // guarded by census_mutex
static uint64_t census_ownerless_bytes;   // buried or leaked; guarded by census_mutex

void census_enter(struct census_entry *entry, const struct gate *gate) {
    entry->gate = gate;
    entry->previous = NULL;
    atomic_init(&entry->bytes, 0);
    atomic_init(&entry->peak_bytes, 0);
    atomic_init(&entry->calls, 0);
    (void)pthread_mutex_lock(&census_mutex);
    entry->next = census_first;
    if (census_first != NULL)
        census_first->previous = entry;
    census_first = entry;
    (void)pthread_mutex_unlock(&census_mutex);
}

void census_leave(struct census_entry *entry) {
    (void)pthread_mutex_lock(&census_mutex);
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        census_first = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    census_ownerless_bytes += atomic_load_explicit(&entry->bytes, memory_order_relaxed);
    (void)pthread_mutex_unlock(&census_mutex);
}

void census_buried(struct census_entry *entry, size_t bytes) {
    (void)pthread_mutex_lock(&census_mutex);
    census_book(entry, bytes, 0);
    census_ownerless_bytes += bytes;
    (void)pthread_mutex_unlock(&census_mutex);
}

void census_unburied(size_t bytes) {
    (void)pthread_mutex_lock(&census_mutex);
    census_ownerless_bytes -= bytes;
    (void)pthread_mutex_unlock(&census_mutex);
}

struct census_total census_count(void) {
    struct census_total total = {0, 0, 0};
    (void)pthread_mutex_lock(&census_mutex);
    total.bytes = census_ownerless_bytes;
    for (const struct census_entry *entry = census_first; entry != NULL; entry = entry->next) {
        total.boxes += 1;
        total.bytes += atomic_load_explicit(&entry->bytes, memory_order_relaxed);
        total.calls += gate_calling(entry->gate) ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&census_mutex);
    return total;
}
