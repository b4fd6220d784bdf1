// SPDX-License-Identifier: Apache-2.0
// Large blocks that were given back and are kept for the next: a table that grows by doubling takes
// and leaves the same few sizes over and over, and pages that are new cost more than the work that
// is done in them. What is kept counts as taken, and goes back first when memory is short.
#include "arena_inside.h"

// The host keeps smaller ones itself: the VM's allocators map 512 KiB and more for each
// (erts_alloc, sbct), malloc 128 KiB at first.
#define SPARE_LEAST_BYTES ((size_t)256 * 1024)
#define SPARE_MOST_BYTES  ((size_t)4 * 1024 * 1024)

bool arena_spare_keep(struct arena *arena, struct arena_span *span) {
    size_t bytes = arena->spare_bytes + span->bytes;
    if (span->bytes < SPARE_LEAST_BYTES || bytes > SPARE_MOST_BYTES ||
        bytes > arena->config.hard_bytes / 8)
        return false;
    arena_span_relink(&arena->large, &arena->spare, span);
    arena->spare_bytes = bytes;
    return true;
}

struct arena_span *arena_spare_take(struct arena *arena, size_t bytes) {
    struct arena_span *best = NULL;
    for (struct arena_span *span = arena->spare; span != NULL; span = span->next)
        if (span->bytes >= bytes && (best == NULL || span->bytes < best->bytes))
            best = span;
    // What is too large would lie idle in part.
    if (best == NULL || best->bytes - bytes > bytes / 8)
        return NULL;
    arena_span_relink(&arena->spare, &arena->large, best);
    arena->spare_bytes -= best->bytes;
    return best;
}

void arena_spare_give(struct arena *arena) {
    arena->spare_bytes = 0;
    while (arena->spare != NULL)
        arena_span_give(arena, &arena->spare, arena->spare);
}

void arena_spare_return(struct arena *arena) {
    arena->spare_bytes = 0;
    while (arena->spare != NULL)
        arena_span_relink(&arena->spare, &arena->large, arena->spare);
}
