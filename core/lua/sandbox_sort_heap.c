// SPDX-License-Identifier: Apache-2.0
// A range of a sort, put in order as a heap in the table. Indices count from the range's first
// element.
#include "sandbox_sort.h"

enum { HEAP_PARENT = SORT_BASE, HEAP_CHILD, HEAP_SIBLING };

void sort_begin_heap(struct sort *sort) {
    sort->size = sort->range.high - sort->range.low + 1;
    sort->build = sort->size / 2;
    sort->phase = SORT_HEAP;
}

static void heap_get(lua_State *L, struct sort *sort, lua_Integer index, enum sort_phase next) {
    sort->phase = next;
    sort_get(L, sort, sort->range.low + index);
}

static void heap_set(lua_State *L, struct sort *sort, lua_Integer index, enum sort_phase next) {
    sort->phase = next;
    sort_set(L, sort->range.low + index);
}

// What is to be sifted next: while the heap is built each parent, then what the greatest element
// changes places with.
static void heap_next(lua_State *L, struct sort *sort) {
    lua_settop(L, SORT_BASE - 1);
    sort->up = 0;
    if (sort->build > 0) {
        sort->up = --sort->build;
        heap_get(L, sort, sort->up, SORT_SIFT);
    } else if (sort->size > 1) {
        sort->size--;
        heap_get(L, sort, 0, SORT_HEAP_LAST);
    } else {
        sort->phase = SORT_NEXT;
    }
}

// The parent is in its slot. It may be too small to stand above its children.
static void heap_sift(lua_State *L, struct sort *sort) {
    sort->down = 2 * sort->up + 1;
    if (sort->down < sort->size)
        heap_get(L, sort, sort->down, SORT_SIFT_CHILD);
    else
        sort->phase = SORT_HEAP;
}

static void heap_child(lua_State *L, struct sort *sort) {
    if (sort->down + 1 < sort->size)
        heap_get(L, sort, sort->down + 1, SORT_SIFT_CHOOSE);
    else
        sort->phase = SORT_SIFT_COMPARE;
}

static void heap_choose(lua_State *L, struct sort *sort) {
    if (sort_less(L, sort, HEAP_CHILD, HEAP_SIBLING)) {
        lua_copy(L, HEAP_SIBLING, HEAP_CHILD);
        sort->down++;
    }
    lua_settop(L, HEAP_CHILD);
    sort->phase = SORT_SIFT_COMPARE;
}

static void heap_compare(lua_State *L, struct sort *sort) {
    if (sort_less(L, sort, HEAP_PARENT, HEAP_CHILD))
        heap_set(L, sort, sort->up, SORT_SIFT_DOWN);
    else
        sort->phase = SORT_HEAP;
}

static void heap_down(lua_State *L, struct sort *sort) {
    sort->up = sort->down;
    lua_pushvalue(L, HEAP_PARENT);
    heap_set(L, sort, sort->up, SORT_SIFT);
}

void sort_heap(lua_State *L, struct sort *sort) {
    for (;;) {
        switch (sort->phase) {
        case SORT_HEAP:
            heap_next(L, sort);
            break;
        case SORT_HEAP_LAST:
            heap_get(L, sort, sort->size, SORT_HEAP_TAKE);
            break;
        case SORT_HEAP_TAKE:
            heap_set(L, sort, 0, SORT_HEAP_TAKEN);
            break;
        case SORT_HEAP_TAKEN:
            heap_set(L, sort, sort->size, SORT_HEAP_SIFT);
            break;
        case SORT_HEAP_SIFT:
            heap_get(L, sort, 0, SORT_SIFT);
            break;
        case SORT_SIFT:
            heap_sift(L, sort);
            break;
        case SORT_SIFT_CHILD:
            heap_child(L, sort);
            break;
        case SORT_SIFT_CHOOSE:
            heap_choose(L, sort);
            break;
        case SORT_SIFT_COMPARE:
            heap_compare(L, sort);
            break;
        case SORT_SIFT_DOWN:
            heap_down(L, sort);
            break;
        default:
            return;
        }
    }
}
