// SPDX-License-Identifier: Apache-2.0
// One instance's memory: counted, capped, and given back at once without walking what is in it.
//
// Small blocks come from chunks by size class and are reused within the instance; large ones are
// blocks of the host's, of which a few MiB are kept for reuse while there is room. The caller
// states a block's size when it gives it back, as Lua does, so small blocks carry no header.
//
// Two caps. Crossing the soft one is reported and nothing else happens: the user stops where it can
// do so cleanly. The hard one, counted in bytes taken from the host, is
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
    size_t soft_bytes;               // of live bytes, and of bytes taken from the host
    size_t hard_bytes;               // of bytes taken from the host
    // Live bytes just passed soft_bytes, or bytes taken did. Called from inside arena_realloc, once
    // until arena_rearm; must not call the arena.
    void (*full)(void *context);
    // The hard cap (SERVICE_E_MEMORY) or the system (SERVICE_E_SYSTEM) refused. Called from inside
    // arena_realloc with nothing changed; leaves by longjmp. Afterwards only arena_close is legal.
    void (*spent)(void *context, int code);
    void *context;
};

// Takes one small chunk, of 4 KiB. 0, or SERVICE_E_SYSTEM, or SERVICE_E_MEMORY when not even that
// fits under hard_bytes; *out is then untouched. Never calls `spent` or `full`.
int arena_open(const struct arena_config *config, struct arena **out);

// Lua's allocator shape: `size` 0 frees and returns NULL; `old` is exact, and ignored when `block`
// is NULL (where Lua puts a type there). Blocks are aligned as the host's are, to 16 bytes at most.
// Shrinking never calls `spent` or `full`.
void *arena_realloc(struct arena *arena, void *block, size_t old, size_t size);

// Makes the next crossing of the soft cap call `full` again. Already above it: the next growth of
// whichever is above it does, live bytes or bytes taken. So call it after collecting garbage: when
// more than the soft cap is taken, it first gives back the chunks in which nothing lives, which
// costs about as much as a sweep.
void arena_rearm(struct arena *arena);

// Moves the soft cap, and does what arena_rearm does.
void arena_set_soft(struct arena *arena, size_t soft_bytes);

// Sum of the sizes of all live blocks, exact.
size_t arena_live_bytes(const struct arena *arena);
// What the host gave and has not back: live bytes, free blocks and headers.
size_t arena_taken_bytes(const struct arena *arena);

// Returns every chunk and large block to the host, live or not. Cost: per chunk and large block,
// unless the host buries them.
void arena_close(struct arena *arena);

#endif
