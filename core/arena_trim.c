// SPDX-License-Identifier: Apache-2.0
// Gives back spare blocks, and chunks in which nothing lives any more. Small blocks carry no
// header, so the free ones are counted by looking up the chunk of each: too slow for every free,
// cheap after a collection.
#include "arena_inside.h"

static bool trim_before(const struct arena_span *left, const struct arena_span *right) {
    return (uintptr_t)left < (uintptr_t)right;
}

static struct arena_span *trim_merge(struct arena_span *left, struct arena_span *right) {
    struct arena_span *merged = NULL;
    struct arena_span **end = &merged;
    while (left != NULL && right != NULL) {
        struct arena_span **least = trim_before(left, right) ? &left : &right;
        *end = *least;
        end = &(*end)->next;
        *least = *end;
    }
    *end = left != NULL ? left : right;
    return merged;
}

// By address, through `next` only. Takes `count` from the front of *list.
static struct arena_span *trim_sort(struct arena_span **list, size_t count) {
    if (count == 0)
        return NULL;
    if (count == 1) {
        struct arena_span *only = *list;
        *list = only->next;
        only->next = NULL;
        return only;
    }
    struct arena_span *left = trim_sort(list, count / 2);
    return trim_merge(left, trim_sort(list, count - count / 2));
}

// A balanced search tree over the sorted chunks: `previous` holds what lies below, `next` above.
// The trim needs no memory of its own that way.
static struct arena_span *trim_tree(struct arena_span **sorted, size_t count) {
    if (count == 0)
        return NULL;
    struct arena_span *below = trim_tree(sorted, count / 2);
    struct arena_span *root = *sorted;
    *sorted = root->next;
    root->previous = below;
    root->next = trim_tree(sorted, count - count / 2 - 1);
    root->unused = 0;
    return root;
}

static bool trim_holds(const struct arena_span *chunk, const void *at) {
    return (uintptr_t)at - (uintptr_t)chunk < chunk->bytes; // also false when `at` lies before
}

// The chunk that `at` points into; NULL for the first one, which is in no tree.
static struct arena_span *trim_find(struct arena_span *tree, const void *at) {
    while (tree != NULL && !trim_holds(tree, at))
        tree = (uintptr_t)at < (uintptr_t)tree ? tree->previous : tree->next;
    return tree;
}

static bool trim_empty(const struct arena_span *chunk) {
    return chunk->unused == arena_room(chunk);
}

static void trim_count(struct arena *arena, struct arena_span *tree) {
    struct arena_span *near = NULL; // neighbours in a list often share their chunk
    for (size_t class = 0; class < ARENA_CLASSES; class ++) {
        for (struct arena_free *freed = arena->free[class]; freed != NULL; freed = freed->next) {
            if (near == NULL || !trim_holds(near, freed))
                near = trim_find(tree, freed);
            if (near != NULL)
                near->unused += arena_class_bytes(class);
        }
    }
    struct arena_span *current = arena->at < arena->end ? trim_find(tree, arena->at) : NULL;
    if (current != NULL) {
        current->unused += (size_t)(arena->end - arena->at);
        if (trim_empty(current))
            arena->at = arena->end = (char *)arena; // an empty piece
    }
}

static void trim_unlist(struct arena *arena, struct arena_span *tree) {
    struct arena_span *near = NULL;
    for (size_t class = 0; class < ARENA_CLASSES; class ++) {
        struct arena_free **link = &arena->free[class];
        while (*link != NULL) {
            if (near == NULL || !trim_holds(near, *link))
                near = trim_find(tree, *link);
            if (near != NULL && trim_empty(near))
                *link = (*link)->next;
            else
                link = &(*link)->next;
        }
    }
}

static bool trim_any_empty(const struct arena_span *tree) {
    return tree != NULL &&
           (trim_empty(tree) || trim_any_empty(tree->previous) || trim_any_empty(tree->next));
}

// Puts the chunks that stay back into the arena's list.
static void trim_dissolve(struct arena *arena, struct arena_span *tree) {
    if (tree == NULL)
        return;
    struct arena_span *below = tree->previous, *above = tree->next;
    bool empty = trim_empty(tree);
    arena_span_link(&arena->chunks, tree);
    if (empty)
        arena_span_give(arena, &arena->chunks, tree);
    trim_dissolve(arena, below);
    trim_dissolve(arena, above);
}

void arena_trim(struct arena *arena) {
    arena_spare_give(arena);
    size_t count = 0;
    for (const struct arena_span *chunk = arena->chunks; chunk != NULL; chunk = chunk->next)
        count += 1;
    struct arena_span *list = arena->chunks;
    struct arena_span *sorted = trim_sort(&list, count);
    struct arena_span *tree = trim_tree(&sorted, count);
    arena->chunks = NULL;
    trim_count(arena, tree);
    if (trim_any_empty(tree))
        trim_unlist(arena, tree);
    trim_dissolve(arena, tree);
}
