// SPDX-License-Identifier: Apache-2.0
// The allocator behind arena.h. Knows neither Lua nor the VM; called on whichever thread runs the
// instance.
//
// Memory comes from the host in spans. A chunk is a span cut into small blocks, from `at` upwards
// or by reuse from the free list of a size class; a large block is a span of its own. The struct
// arena lives at the start of the first chunk, which makes an idle instance one block of the host.
#include "arena_inside.h"

#include <string.h>

#define ARENA_CHUNK_MIN ((size_t)2048)
#define ARENA_CHUNK_MAX ((size_t)262144)
// What is kept of a large block that has to become a chunk: any small block fits.
#define ARENA_SHRUNK_BYTES (sizeof(struct arena_span) + ARENA_SMALL_MAX + ARENA_CHUNK_MIN)

// Free blocks are cut up for smaller ones when they are this large, and so much larger that the
// rest, if it suits nobody, is less than a fifth.
#define ARENA_CUT_BYTES ((size_t)256)
#define ARENA_CUT_TIMES ((size_t)4)

// Kept out of line, so that the common cases need no stack frame.
#define ARENA_COLD __attribute__((noinline))

#define ARENA_HEAD_BYTES ((sizeof(struct arena) + ARENA_GRAIN - 1) / ARENA_GRAIN * ARENA_GRAIN)

_Static_assert(ARENA_HEAD_BYTES + ARENA_SMALL_MAX <= ARENA_FIRST_BYTES, "a block fits beside it");

// `size` is from 1 to ARENA_SMALL_MAX.
static inline size_t arena_class(size_t size) {
    if (size <= ARENA_FINE_MAX)
        return (size - 1) / ARENA_GRAIN;
    if (size <= ARENA_MEDIUM_MAX)
        return ARENA_FINE + (size - ARENA_FINE_MAX - 1) / ARENA_MEDIUM_STEP;
    return ARENA_MEDIUM + (size - ARENA_MEDIUM_MAX - 1) / ARENA_COARSE_STEP;
}

static inline void arena_push(struct arena *arena, void *block, size_t class) {
    struct arena_free *freed = block;
    freed->next = arena->free[class];
    arena->free[class] = freed;
}

// A block without taking anything from the host, or NULL.
static inline void *arena_pop(struct arena *arena, size_t class) {
    struct arena_free *freed = arena->free[class];
    if (freed != NULL) {
        arena->free[class] = freed->next;
        return freed;
    }
    size_t bytes = arena_class_bytes(class);
    if ((size_t)(arena->end - arena->at) < bytes)
        return NULL;
    void *block = arena->at;
    arena->at += bytes;
    return block;
}

// Cuts a piece of a chunk, a multiple of the grain, into free blocks.
static void arena_scrap(struct arena *arena, char *at, size_t bytes) {
    while (bytes > 0) {
        size_t class = bytes < ARENA_SMALL_MAX ? arena_class(bytes) : ARENA_CLASSES - 1;
        if (arena_class_bytes(class) > bytes)
            class -= 1;
        arena_push(arena, at, class);
        at += arena_class_bytes(class);
        bytes -= arena_class_bytes(class);
    }
}

// Goes on cutting blocks from a piece of a chunk; the rest of the last piece goes to free lists.
static void arena_use(struct arena *arena, char *at, size_t bytes) {
    arena_scrap(arena, arena->at, (size_t)(arena->end - arena->at));
    arena->at = at;
    arena->end = at + bytes;
}

static void arena_use_chunk(struct arena *arena, struct arena_span *chunk, size_t used) {
    arena_use(arena, (char *)(chunk + 1) + used, arena_room(chunk) - used);
}

// Cuts up a free block of at least so many bytes.
static void *arena_pop_from_larger(struct arena *arena, size_t class, size_t least_bytes) {
    for (size_t larger = ARENA_CLASSES; larger-- > class + 1;) {
        if (arena_class_bytes(larger) < least_bytes)
            break;
        struct arena_free *freed = arena->free[larger];
        if (freed != NULL) {
            arena->free[larger] = freed->next;
            arena_use(arena, (char *)freed, arena_class_bytes(larger));
            return arena_pop(arena, class);
        }
    }
    return NULL;
}

static size_t arena_least(size_t left, size_t right) {
    return left < right ? left : right;
}

// Chunks grow with the instance, by a quarter, so that at most a fifth of it lies idle; they stay a
// small part of the hard cap, because one live block keeps a whole chunk.
static void arena_add_chunk(struct arena *arena, size_t needed) {
    size_t bytes = arena_least(arena->taken / 4, arena->config.hard_bytes / 32);
    bytes = arena_least(bytes, ARENA_CHUNK_MAX);
    if (bytes < ARENA_CHUNK_MIN)
        bytes = ARENA_CHUNK_MIN;
    bytes = arena_least(bytes, arena_left(arena)) / ARENA_GRAIN * ARENA_GRAIN;
    if (bytes < needed)
        bytes = needed;
    arena_use_chunk(arena, arena_span_take(arena, &arena->chunks, bytes), 0);
}

static void *arena_take(struct arena *arena, size_t size) {
    if (size > ARENA_SMALL_MAX)
        return arena_large_new(arena, size);
    size_t class = arena_class(size);
    void *block = arena_pop(arena, class);
    if (block != NULL)
        return block;
    size_t bytes = arena_class_bytes(class);
    size_t cut = bytes * ARENA_CUT_TIMES;
    block = arena_pop_from_larger(arena, class, cut < ARENA_CUT_BYTES ? ARENA_CUT_BYTES : cut);
    if (block != NULL)
        return block;
    size_t needed = sizeof(struct arena_span) + bytes;
    if (needed > arena_left(arena)) {
        arena_trim(arena);
        block = needed > arena_left(arena) ? arena_pop_from_larger(arena, class, 0) : NULL;
        if (block != NULL)
            return block;
    }
    arena_add_chunk(arena, needed);
    return arena_pop(arena, class);
}

static void arena_drop(struct arena *arena, void *block, size_t old) {
    if (old > ARENA_SMALL_MAX)
        arena_large_drop(arena, block);
    else
        arena_push(arena, block, arena_class(old));
}

// A block shrank to a smaller class and no block of that class is ready. Shrinking must not fail,
// so it stays where it is and what it leaves is reused: by the free lists or, of a large block,
// as a chunk.
static void *arena_shrink_in_place(struct arena *arena, void *block, size_t old, size_t class) {
    size_t bytes = arena_class_bytes(class);
    if (old <= ARENA_SMALL_MAX) {
        size_t rest = arena_class_bytes(arena_class(old)) - bytes;
        arena_scrap(arena, (char *)block + bytes, rest);
        return block;
    }
    struct arena_span *span = arena_span_of(block);
    if (span->bytes > ARENA_SHRUNK_BYTES) {
        struct arena_span *moved = arena_span_resize(arena, span, ARENA_SHRUNK_BYTES);
        span = moved != NULL ? moved : span;
    }
    arena_span_relink(&arena->large, &arena->chunks, span);
    arena_use_chunk(arena, span, bytes);
    return span + 1;
}

static void *arena_move(struct arena *arena, void *block, size_t old, size_t size) {
    if (old > ARENA_SMALL_MAX && size > ARENA_SMALL_MAX)
        return arena_large_resize(arena, block, size);
    if (size > old) {
        void *grown = arena_take(arena, size);
        memcpy(grown, block, old);
        arena_drop(arena, block, old);
        return grown;
    }
    size_t class = arena_class(size);
    void *shrunk = arena_pop(arena, class);
    if (shrunk == NULL)
        return arena_shrink_in_place(arena, block, old, class);
    memcpy(shrunk, block, size);
    arena_drop(arena, block, old);
    return shrunk;
}

static ARENA_COLD void *arena_report(struct arena *arena, void *block) {
    arena->full_at = ARENA_DISARMED;
    arena->config.full(arena->config.context);
    return block;
}

static inline void *arena_grew(struct arena *arena, void *block, size_t bytes) {
    arena->live += bytes;
    return arena->live > arena->full_at ? arena_report(arena, block) : block;
}

static ARENA_COLD void *arena_malloc(struct arena *arena, size_t size) {
    return size == 0 ? NULL : arena_grew(arena, arena_take(arena, size), size);
}

static ARENA_COLD void arena_free(struct arena *arena, void *block, size_t old) {
    arena_drop(arena, block, old);
    arena->live -= old;
}

static ARENA_COLD void *arena_resize(struct arena *arena, void *block, size_t old, size_t size) {
    bool stays =
        old <= ARENA_SMALL_MAX && size <= ARENA_SMALL_MAX && arena_class(old) == arena_class(size);
    if (!stays)
        block = arena_move(arena, block, old, size);
    if (size > old)
        return arena_grew(arena, block, size - old);
    arena->live -= old - size;
    return block;
}

// Holds nothing but the common cases: allocating and freeing up to ARENA_FINE_MAX bytes.
void *arena_realloc(struct arena *arena, void *block, size_t old, size_t size) {
    if (block == NULL) {
        if (size - 1 >= ARENA_FINE_MAX) // 0 wraps around
            return arena_malloc(arena, size);
        block = arena_pop(arena, (size - 1) / ARENA_GRAIN);
        return block != NULL ? arena_grew(arena, block, size) : arena_malloc(arena, size);
    }
    if (size != 0)
        return arena_resize(arena, block, old, size);
    if (old > ARENA_FINE_MAX) {
        arena_free(arena, block, old);
        return NULL;
    }
    arena_push(arena, block, (old - 1) / ARENA_GRAIN);
    arena->live -= old;
    return NULL;
}

int arena_open(const struct arena_config *config, struct arena **out) {
    if (config->hard_bytes < ARENA_FIRST_BYTES)
        return SERVICE_E_MEMORY;
    const struct service_host *host = config->host;
    struct arena *arena = host->memory(host->context, NULL, 0, ARENA_FIRST_BYTES);
    if (arena == NULL)
        return SERVICE_E_SYSTEM;
    *arena = (struct arena){
        .at = (char *)arena + ARENA_HEAD_BYTES,
        .end = (char *)arena + ARENA_FIRST_BYTES,
        .full_at = config->soft_bytes,
        .taken = ARENA_FIRST_BYTES,
        .config = *config,
    };
    *out = arena;
    return 0;
}

void arena_rearm(struct arena *arena) {
    if (arena->taken > arena->config.soft_bytes)
        arena_trim(arena);
    arena->full_at = arena->config.soft_bytes;
}

void arena_set_soft(struct arena *arena, size_t soft_bytes) {
    arena->config.soft_bytes = soft_bytes;
    arena_rearm(arena);
}

size_t arena_live_bytes(const struct arena *arena) {
    return arena->live;
}

size_t arena_taken_bytes(const struct arena *arena) {
    return arena->taken;
}

void arena_close(struct arena *arena) {
    arena_span_give_all(arena);
    const struct service_host *host = arena->config.host;
    (void)host->memory(host->context, arena, ARENA_FIRST_BYTES, 0);
}
