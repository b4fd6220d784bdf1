// SPDX-License-Identifier: Apache-2.0
// One instance's memory: counted, capped, and given back at once without walking what is in it.
//
// Small blocks come from chunks by size class and are reused within the instance; large ones are
// blocks of the host's. The caller states a block's size when it gives it back, as Lua does, so
// small blocks carry no header.
//
// Two caps. Crossing the soft one, counted in live bytes, is reported and nothing else happens: the
// user stops where it can do so cleanly. The hard one, counted in bytes taken from the host, is
// never exceeded: the arena leaves through `spent`, which must not return, and never hands out
// NULL. The reason: NULL makes Lua 5.4.0 to 5.4.7 run an emergency collection that can free a value
// still in use.
//
// One thread at a time; nothing here locks.
#ifndef TRIPOD_ARENA_H
#define TRIPOD_ARENA_H

#include "service.h"

#include <stddef.h>

struct arena;

struct arena_config {
    const struct service_host *host; // borrowed; its memory function is the only source of memory
    size_t soft_bytes;               // live bytes
    size_t hard_bytes;               // bytes taken from the host
    // Live bytes just passed soft_bytes, or the chunks did. Called from inside arena_realloc, once
    // until arena_rearm; must not call the arena.
    void (*full)(void *context);
    // The hard cap (SERVICE_E_MEMORY) or the system (SERVICE_E_SYSTEM) refused. Called from inside
    // arena_realloc with nothing changed; leaves by longjmp. Afterwards only arena_close is legal.
    void (*spent)(void *context, int code);
    void *context;
};

// Takes one small chunk. 0, or SERVICE_E_SYSTEM with *out untouched; never calls `spent`.
int arena_open(const struct arena_config *config, struct arena **out);

// Lua's allocator shape: `size` 0 frees and returns NULL; `old` is exact and 0 when `block` is
// NULL. Blocks are aligned for any object. Shrinking never calls `spent`.
void *arena_realloc(struct arena *arena, void *block, size_t old, size_t size);

// Makes the next crossing of the soft cap call `full` again. Already above it: the next growth
// does.
void arena_rearm(struct arena *arena);

// Sum of the sizes of all live blocks, exact.
size_t arena_live_bytes(const struct arena *arena);

// Returns every chunk and large block to the host, live or not. Cost: per chunk and large block.
void arena_close(struct arena *arena);

#endif
