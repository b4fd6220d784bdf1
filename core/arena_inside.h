// SPDX-License-Identifier: Apache-2.0
// What the arena's own files share; nobody else includes it. arena.c cuts small blocks and hands
// them out, arena_span.c deals with the host, arena_spare.c keeps large blocks for the next,
// arena_trim.c gives back what is empty.
#ifndef TRIPOD_ARENA_INSIDE_H
#define TRIPOD_ARENA_INSIDE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

// Size classes: 16, 32, .. 512; 640, 768, .. 1024; 1280, 1536, .. 2048.
#define ARENA_GRAIN       ((size_t)16)
#define ARENA_FINE_MAX    ((size_t)512)
#define ARENA_MEDIUM_STEP ((size_t)128)
#define ARENA_MEDIUM_MAX  ((size_t)1024)
#define ARENA_COARSE_STEP ((size_t)256)
#define ARENA_SMALL_MAX   ((size_t)2048)
#define ARENA_FINE        (ARENA_FINE_MAX / ARENA_GRAIN)
#define ARENA_MEDIUM      (ARENA_FINE + (ARENA_MEDIUM_MAX - ARENA_FINE_MAX) / ARENA_MEDIUM_STEP)
#define ARENA_CLASSES     (ARENA_MEDIUM + (ARENA_SMALL_MAX - ARENA_MEDIUM_MAX) / ARENA_COARSE_STEP)

// A free block.
struct arena_free {
    struct arena_free *next;
};

// In front of every chunk but the first, and of every large block. A multiple of the grain, so
// that blocks are aligned as the host aligns.
struct arena_span {
    struct arena_span *next;
    size_t bytes; // taken from the host, this header included
    struct arena_span *previous;
    size_t unused; // arena_trim: bytes that are in no live block
};

_Static_assert(offsetof(struct arena_span, next) == offsetof(struct service_block, next) &&
                   offsetof(struct arena_span, bytes) == offsetof(struct service_block, bytes),
               "a list of spans is one of blocks to bury");

_Static_assert(sizeof(struct arena_span) % ARENA_GRAIN == 0, "blocks keep the host's alignment");

#define ARENA_FIRST_BYTES ((size_t)4096)

#define ARENA_DISARMED SIZE_MAX

struct arena {
    char *at, *end; // the piece of a chunk that blocks are being cut from
    size_t live;    // sum of the callers' sizes
    size_t full_at; // `full` is due when `live` is above; ARENA_DISARMED after it was called
    struct arena_free *free[ARENA_CLASSES];
    struct arena_span *chunks; // without the first
    struct arena_span *large;
    struct arena_span *spare; // large blocks that nobody has
    size_t spare_bytes;
    size_t taken; // from the host, the first chunk and the spare blocks included
    struct arena_config config;
};

static inline size_t arena_class_bytes(size_t class) {
    if (class < ARENA_FINE)
        return (class + 1) * ARENA_GRAIN;
    if (class < ARENA_MEDIUM)
        return ARENA_FINE_MAX + (class + 1 - ARENA_FINE) * ARENA_MEDIUM_STEP;
    return ARENA_MEDIUM_MAX + (class + 1 - ARENA_MEDIUM) * ARENA_COARSE_STEP;
}

// Bytes of a chunk that blocks are cut from.
static inline size_t arena_room(const struct arena_span *chunk) {
    return (chunk->bytes - sizeof *chunk) / ARENA_GRAIN * ARENA_GRAIN;
}

static inline struct arena_span *arena_span_of(void *large_block) {
    return (struct arena_span *)large_block - 1;
}

static inline size_t arena_left(const struct arena *arena) {
    return arena->config.hard_bytes - arena->taken;
}

// A new span at the head of the list. Leaves through `spent` when it cannot be had.
struct arena_span *arena_span_take(struct arena *arena, struct arena_span **list, size_t bytes);
void arena_span_give(struct arena *arena, struct arena_span **list, struct arena_span *span);
void arena_span_link(struct arena_span **list, struct arena_span *span);
// Moves a span from one list to the head of another.
void arena_span_relink(struct arena_span **from, struct arena_span **to, struct arena_span *span);
// Keeps its place in the list of large blocks. NULL, with nothing changed, when the host refuses.
struct arena_span *arena_span_resize(struct arena *arena, struct arena_span *span, size_t bytes);
// Both lists, all at once.
void arena_span_give_all(struct arena *arena);

// Blocks beyond ARENA_SMALL_MAX; they do not count live bytes.
void *arena_large_new(struct arena *arena, size_t size);
void arena_large_drop(struct arena *arena, void *block);
void *arena_large_resize(struct arena *arena, void *block, size_t size);

// Keeps a large block that is given back. False: it is not worth it, or there are enough.
bool arena_spare_keep(struct arena *arena, struct arena_span *span);
// A large block of that size or a little more, as if just taken; or NULL.
struct arena_span *arena_spare_take(struct arena *arena, size_t bytes);
// To the host, or among those that are in use: none is spare any more.
void arena_spare_give(struct arena *arena);
void arena_spare_return(struct arena *arena);

// Cost: per free block and chunk. Needs no memory.
void arena_trim(struct arena *arena);

#endif
