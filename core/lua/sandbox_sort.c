// SPDX-License-Identifier: Apache-2.0
// table.sort: quicksort down to blocks that are merged on the Lua stack, where moving an element
// costs a fraction of what it does in a table, and where a merge needs fewer comparisons than any
// partition. Ranges that partitions split badly are left to a heap, so n log n holds for every
// input.
//
// An order that contradicts itself ends nowhere but in a wrong order or in an error: every loop is
// bounded by the range, whatever comparisons say. The table holds a permutation of its elements
// whenever a comparator runs, and so it does when that one fails or the call ends.
#include "sandbox_table.h"

#include <limits.h>

// Slots of the stack: the table, the comparator or nil, and from SORT_BASE on the elements at hand.
#define SORT_TABLE      1
#define SORT_COMPARATOR 2
#define SORT_BASE       3

#define SORT_BLOCK  1024 // elements merged on the stack
#define SORT_RUN    8    // elements sorted by insertion
#define SORT_SAMPLE 9    // elements whose median divides a range
// Bytes of strings compared in the time of a step.
#define SORT_STEP_BYTES 16

struct sort {
    struct sandbox *sandbox;
    bool calls;  // there is a comparator
    size_t cost; // steps that a comparison may take: that of the longest strings seen
};

// Pushes element `index`.
static void sort_get(lua_State *L, struct sort *sort, lua_Integer index) {
    if (lua_geti(L, SORT_TABLE, index) == LUA_TSTRING && !sort->calls) {
        size_t cost = 1 + lua_rawlen(L, -1) / SORT_STEP_BYTES;
        if (cost > sort->cost)
            sort->cost = cost;
    }
}

// Does the element in slot `a` stand before the one in slot `b`?
static bool sort_less(lua_State *L, const struct sort *sort, int a, int b) {
    // A C function as comparator has no hook either.
    (void)sandbox_spend(L, sort->sandbox, sort->cost);
    if (!sort->calls)
        return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, SORT_COMPARATOR);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

static int sort_contradiction(lua_State *L) {
    return luaL_error(L, "invalid order function for sorting");
}

// Moves the element on top, in slot `high`, to its place in the sorted slots from `low` up to it.
static void sort_insert(lua_State *L, const struct sort *sort, int low, int high) {
    int top = high;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (sort_less(L, sort, top, middle))
            high = middle;
        else
            low = middle + 1;
    }
    if (low < top)
        lua_insert(L, low);
}

// Merges the sorted slots [left, right) and [right, end) into those from `to` on.
static void sort_merge(lua_State *L, const struct sort *sort, int left, int right, int end,
                       int to) {
    int middle = right;
    while (left < middle && right < end) {
        int from = sort_less(L, sort, right, left) ? right++ : left++;
        lua_copy(L, from, to++);
    }
    while (left < middle)
        lua_copy(L, left++, to++);
    while (right < end)
        lua_copy(L, right++, to++);
}

// Sorts the n slots from SORT_BASE on, which are sorted in runs; returns where they are then, on
// top.
static int sort_merge_runs(lua_State *L, const struct sort *sort, int n) {
    int from = SORT_BASE;
    int to = SORT_BASE + n;
    lua_settop(L, SORT_BASE - 1 + 2 * n);
    for (int width = SORT_RUN; width < n; width *= 2) {
        for (int done = 0; done < n; done += 2 * width) {
            int middle = width < n - done ? done + width : n;
            int end = width < n - middle ? middle + width : n;
            sort_merge(L, sort, from + done, from + middle, from + end, to + done);
        }
        int swap = from;
        from = to;
        to = swap;
    }
    lua_settop(L, from + n - 1);
    return from;
}

// Sorts at most SORT_BLOCK elements from `low` on.
static void sort_block(lua_State *L, struct sort *sort, lua_Integer low, int n) {
    for (int i = 0; i < n; i++) {
        sort_get(L, sort, low + i);
        sort_insert(L, sort, SORT_BASE + i - i % SORT_RUN, SORT_BASE + i);
    }
    int from = n > SORT_RUN ? sort_merge_runs(L, sort, n) : SORT_BASE;
    // Merging notices no contradiction. Of the most common one, that equal elements stand before
    // each other, this comparison finds what stock Lua always finds.
    if (n > 3 && sort_less(L, sort, from + n - 1, from))
        (void)sort_contradiction(L);
    for (int i = n - 1; i >= 0; i--)
        lua_seti(L, SORT_TABLE, low + i);
    lua_settop(L, SORT_BASE - 1);
}

// Leaves in slot SORT_BASE the median of a sample spread over the range.
static void sort_sample(lua_State *L, struct sort *sort, lua_Integer low, lua_Integer high) {
    lua_Integer gap = (high - low) / (SORT_SAMPLE - 1);
    for (int i = 0; i < SORT_SAMPLE; i++) {
        sort_get(L, sort, low + i * gap);
        sort_insert(L, sort, SORT_BASE, SORT_BASE + i);
    }
    lua_copy(L, SORT_BASE + SORT_SAMPLE / 2, SORT_BASE);
    lua_settop(L, SORT_BASE);
}

// Divides the range: returns an index in [low, high) such that no element above it stands before
// one up to it.
static lua_Integer sort_partition(lua_State *L, struct sort *sort, lua_Integer low,
                                  lua_Integer high) {
    enum { PIVOT = SORT_BASE, UPPER, LOWER };
    lua_Integer i = low - 1;
    lua_Integer j = high + 1;
    sort_sample(L, sort, low, high);
    for (;;) {
        do {
            if (++i > high)
                (void)sort_contradiction(L);
            lua_settop(L, PIVOT);
            sort_get(L, sort, i);
        } while (sort_less(L, sort, UPPER, PIVOT));
        do {
            if (--j < low)
                (void)sort_contradiction(L);
            lua_settop(L, UPPER);
            sort_get(L, sort, j);
        } while (sort_less(L, sort, PIVOT, LOWER));
        if (i >= j)
            break;
        lua_seti(L, SORT_TABLE, i);
        lua_seti(L, SORT_TABLE, j);
    }
    lua_settop(L, SORT_BASE - 1);
    // At the edge only where elements cannot be compared (NaN) or contradict the sample.
    return j < high ? j : high - 1;
}

// Restores the order of a heap of n elements from `low` on whose element `root` may be too small.
static void sort_sift(lua_State *L, struct sort *sort, lua_Integer low, lua_Integer root,
                      lua_Integer n) {
    enum { ROOT = SORT_BASE, CHILD, SIBLING };
    sort_get(L, sort, low + root);
    for (lua_Integer child = 2 * root + 1; child < n; child = 2 * root + 1) {
        sort_get(L, sort, low + child);
        if (child + 1 < n) {
            sort_get(L, sort, low + child + 1);
            if (sort_less(L, sort, CHILD, SIBLING)) {
                lua_copy(L, SIBLING, CHILD);
                child++;
            }
            lua_settop(L, CHILD);
        }
        if (!sort_less(L, sort, ROOT, CHILD))
            break;
        lua_seti(L, SORT_TABLE, low + root);
        lua_pushvalue(L, ROOT);
        lua_seti(L, SORT_TABLE, low + child);
        root = child;
    }
    lua_settop(L, SORT_BASE - 1);
}

static void sort_heap(lua_State *L, struct sort *sort, lua_Integer low, lua_Integer n) {
    for (lua_Integer root = n / 2 - 1; root >= 0; root--)
        sort_sift(L, sort, low, root, n);
    for (lua_Integer last = n - 1; last > 0; last--) {
        sort_get(L, sort, low);
        sort_get(L, sort, low + last);
        lua_seti(L, SORT_TABLE, low);
        lua_seti(L, SORT_TABLE, low + last);
        sort_sift(L, sort, low, 0, last);
    }
}

// `levels` partitions in a row may follow. The smaller part is the one to recurse into, so that
// the C stack holds few frames.
static void sort_range(lua_State *L, struct sort *sort, lua_Integer low, lua_Integer high,
                       int levels) {
    while (high - low >= SORT_BLOCK) {
        if (levels-- == 0) {
            sort_heap(L, sort, low, high - low + 1);
            return;
        }
        lua_Integer middle = sort_partition(L, sort, low, high);
        if (middle - low < high - middle) {
            sort_range(L, sort, low, middle, levels);
            low = middle + 1;
        } else {
            sort_range(L, sort, middle + 1, high, levels);
            high = middle;
        }
    }
    sort_block(L, sort, low, (int)(high - low) + 1);
}

static int table_sort(lua_State *L) {
    lua_Integer n = sandbox_table_length(L, 1, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE);
    if (n < 2)
        return 0;
    luaL_argcheck(L, n < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2))
        luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, SORT_BASE - 1);
    int slots = n < SORT_BLOCK ? (int)n : SORT_BLOCK;
    luaL_checkstack(L, 2 * slots + LUA_MINSTACK, "array too big");
    struct sort sort = {sandbox_of(L), !lua_isnil(L, SORT_COMPARATOR), 1};
    int levels = 0;
    for (lua_Integer rest = n; rest > 0; rest /= 2)
        levels += 2;
    sort_range(L, &sort, 1, n, levels);
    return 0;
}

const luaL_Reg sandbox_sort_functions[] = {
    {"sort", table_sort},
    {NULL, NULL},
};
