// SPDX-License-Identifier: Apache-2.0
// What is alive in this artefact (this NIF library, this driver, this OS process), counted exactly.
//
// Counting on demand by walking a list keeps the fast path free of shared counters: an instance
// writes only its own entry, with plain stores.
#ifndef TRIPOD_CENSUS_H
#define TRIPOD_CENSUS_H

#include "gate.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Embedded in an instance. Written by the thread that runs the instance, read by any: relaxed
// atomics, because a reader needs each number whole, not an order between them.
struct census_entry {
    struct census_entry *next, *previous; // guarded by the census's own mutex
    const struct gate *gate;              // tells whether a call is in progress
    _Atomic(size_t) bytes;                // native bytes held now
    _Atomic(size_t) peak_bytes;           // the most that were ever held
    _Atomic(uint64_t) calls;              // calls begun so far
};

struct census_total {
    uint64_t boxes; // instances between census_enter and census_leave
    uint64_t bytes; // what they hold, and what instances that left failed to give back
    uint64_t calls; // calls in progress
};

// `entry` must stay where it is until census_leave. Any thread; takes a mutex briefly.
void census_enter(struct census_entry *entry, const struct gate *gate);
// Bytes that the entry still shows are a leak, and stay in the total for good.
void census_leave(struct census_entry *entry);
struct census_total census_count(void);
// `bytes` of the entry's are no instance's from now on; they count until census_unburied says that
// they were given back. The first only by the thread that runs the instance.
void census_buried(struct census_entry *entry, size_t bytes);
void census_unburied(size_t bytes);

// Books a block that grew or shrank from `old` to `size` bytes. Only the thread that runs it.
static inline void census_book(struct census_entry *entry, size_t old, size_t size) {
    size_t bytes = atomic_load_explicit(&entry->bytes, memory_order_relaxed) - old + size;
    atomic_store_explicit(&entry->bytes, bytes, memory_order_relaxed);
    if (bytes > atomic_load_explicit(&entry->peak_bytes, memory_order_relaxed))
        atomic_store_explicit(&entry->peak_bytes, bytes, memory_order_relaxed);
}

#endif
