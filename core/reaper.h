// SPDX-License-Identifier: Apache-2.0
// Gives large amounts of memory back on a thread of its own, so that no scheduler pauses: the
// system takes 60 to 300 us for each MiB, and a big box dies wherever its owner happened to run.
//
// It is in no hurry: after each MiB it pauses, so that schedulers wait neither for its core nor, in
// system calls of their own, for what it holds of the address space.
//
// The pages are given up here (madvise) before the host gets the block back. The VM's allocators
// hand blocks that a foreign thread frees to the thread that allocated them (erl_alloc_util.c,
// delayed deallocation): what is left to do there is then little.
//
// One per artefact. Knows neither boxes nor the VM.
#ifndef TRIPOD_REAPER_H
#define TRIPOD_REAPER_H

#include "service.h"

#include <stdbool.h>
#include <stddef.h>

// Less than this is given back at once by whoever has it.
#define REAPER_LEAST_BYTES ((size_t)2 * 1024 * 1024)

// At load and unload, counted like preempt_timer's. stop returns when all has been given back. 0 or
// SERVICE_E_SYSTEM; without a reaper everything is given back at once.
int reaper_start(void);
void reaper_stop(void);

// Takes the blocks of up to two lists, each block of 64 bytes or more, and will call
// memory(block, bytes, 0) for each on its own thread, then freed(bytes). False: there is no reaper;
// nothing was taken. Any thread; takes a mutex briefly.
bool reaper_take(struct service_block *const lists[2],
                 void *(*memory)(void *block, size_t old, size_t size),
                 void (*freed)(size_t bytes));

#endif
