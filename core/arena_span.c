// SPDX-License-Identifier: Apache-2.0
// Where the arena meets the host: spans are taken within the hard cap and given back, and a large
// block is a span of its own. On the thread of arena_realloc's caller.
#include "arena_inside.h"

#include <stdlib.h>
#include <string.h>

static void *arena_host(struct arena *arena, void *block, size_t old, size_t size) {
    const struct service_host *host = arena->config.host;
    return host->memory(host->context, block, old, size);
}

// Returning from `spent` breaks the contract, and there is no block to go on with.
static _Noreturn void arena_spent(struct arena *arena, int code) {
    arena->config.spent(arena->config.context, code);
    abort();
}

// Makes the check of live bytes, which ends every growth, report the taken ones.
static void arena_took(struct arena *arena, size_t bytes) {
    arena->taken += bytes;
    if (arena->taken > arena->config.soft_bytes)
        arena_spare_give(arena);
    if (arena->taken > arena->config.soft_bytes && arena->full_at != ARENA_DISARMED)
        arena->full_at = 0;
}

void arena_span_link(struct arena_span **list, struct arena_span *span) {
    span->previous = NULL;
    span->next = *list;
    if (*list != NULL)
        (*list)->previous = span;
    *list = span;
}

static void arena_unlink(struct arena_span **list, struct arena_span *span) {
    if (span->previous != NULL)
        span->previous->next = span->next;
    else
        *list = span->next;
    if (span->next != NULL)
        span->next->previous = span->previous;
}

void arena_span_relink(struct arena_span **from, struct arena_span **to, struct arena_span *span) {
    arena_unlink(from, span);
    arena_span_link(to, span);
}

struct arena_span *arena_span_take(struct arena *arena, struct arena_span **list, size_t bytes) {
    if (bytes > arena_left(arena))
        arena_spent(arena, SERVICE_E_MEMORY);
    struct arena_span *span = arena_host(arena, NULL, 0, bytes);
    if (span == NULL)
        arena_spent(arena, SERVICE_E_SYSTEM);
    span->bytes = bytes;
    arena_span_link(list, span);
    arena_took(arena, bytes);
    return span;
}

void arena_span_give(struct arena *arena, struct arena_span **list, struct arena_span *span) {
    arena_unlink(list, span);
    arena->taken -= span->bytes;
    (void)arena_host(arena, span, span->bytes, 0);
}

static void arena_give_list(struct arena *arena, struct arena_span **list) {
    while (*list != NULL)
        arena_span_give(arena, list, *list);
}

void arena_span_give_all(struct arena *arena) {
    const struct service_host *host = arena->config.host;
    size_t total = arena->taken - ARENA_FIRST_BYTES;
    arena_spare_return(arena);
    if (host->bury == NULL || total == 0) {
        arena_give_list(arena, &arena->large);
        arena_give_list(arena, &arena->chunks);
        return;
    }
    struct service_block *const lists[2] = {(struct service_block *)arena->large,
                                            (struct service_block *)arena->chunks};
    host->bury(host->context, lists, total);
    arena->large = arena->chunks = NULL;
    arena->taken = ARENA_FIRST_BYTES;
}

struct arena_span *arena_span_resize(struct arena *arena, struct arena_span *span, size_t bytes) {
    size_t old = span->bytes;
    struct arena_span *moved = arena_host(arena, span, old, bytes);
    if (moved == NULL)
        return NULL;
    moved->bytes = bytes;
    if (bytes > old)
        arena_took(arena, bytes - old);
    else
        arena->taken -= old - bytes;
    if (moved->previous != NULL)
        moved->previous->next = moved;
    else
        arena->large = moved;
    if (moved->next != NULL)
        moved->next->previous = moved;
    return moved;
}

void *arena_large_new(struct arena *arena, size_t size) {
    if (size > SIZE_MAX - sizeof(struct arena_span))
        arena_spent(arena, SERVICE_E_MEMORY);
    size_t bytes = sizeof(struct arena_span) + size;
    struct arena_span *spare = arena_spare_take(arena, bytes);
    if (spare != NULL)
        return spare + 1;
    if (bytes > arena_left(arena))
        arena_trim(arena);
    return arena_span_take(arena, &arena->large, bytes) + 1;
}

void arena_large_drop(struct arena *arena, void *block) {
    struct arena_span *span = arena_span_of(block);
    if (!arena_spare_keep(arena, span))
        arena_span_give(arena, &arena->large, span);
}

void *arena_large_resize(struct arena *arena, void *block, size_t size) {
    struct arena_span *span = arena_span_of(block);
    size_t room = span->bytes - sizeof *span;
    bool grows = size > room;
    struct arena_span *spare = grows ? arena_spare_take(arena, sizeof *span + size) : NULL;
    if (spare != NULL) {
        memcpy(spare + 1, block, room);
        arena_large_drop(arena, block);
        return spare + 1;
    }
    if (grows && size - room > arena_left(arena))
        arena_trim(arena);
    if (grows && size - room > arena_left(arena))
        arena_spent(arena, SERVICE_E_MEMORY);
    struct arena_span *moved = arena_span_resize(arena, span, sizeof *span + size);
    if (moved == NULL && grows)
        arena_spent(arena, SERVICE_E_SYSTEM);
    return (moved != NULL ? moved : span) + 1;
}
