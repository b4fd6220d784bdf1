// SPDX-License-Identifier: Apache-2.0
// table.sort: quicksort down to blocks that are merged on the Lua stack, where moving an element
// costs a fraction of what it does in a table, and where a merge needs fewer comparisons than any
// partition. Ranges that partitions split badly are left to a heap, so n log n holds for every
// input.
//
// An order that contradicts itself ends nowhere but in a wrong order or in an error: every loop is
// bounded by the range, whatever comparisons say. The table holds a permutation of its elements
// whenever a comparator runs, and so it does when that one fails or the call ends.
#include "sandbox_sort.h"

#include "sandbox_table.h"

#include <limits.h>

#define SORT_SAMPLE_COUNT 9 // elements whose median divides a range
// Bytes of strings compared in the time of a step.
#define SORT_STEP_BYTES 16

enum { SORT_PIVOT = SORT_BASE, SORT_UPPER, SORT_LOWER };

static int sort_go(lua_State *L, struct sort *sort);

static struct sort *sort_state(lua_State *L) {
    return lua_touserdata(L, SORT_STATE);
}

static int sort_again(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return sort_go(L, sort_state(L));
}

// An element was read that Lua may have to call a metamethod for to compare it, or that takes long.
static void sort_weigh(lua_State *L, struct sort *sort, int type) {
    if (type == LUA_TNUMBER || sort->order == SORT_BY_FUNCTION)
        return;
    if (type != LUA_TSTRING) {
        sort->order = SORT_BY_METHOD;
        return;
    }
    size_t cost = 1 + lua_rawlen(L, -1) / SORT_STEP_BYTES;
    if (cost > sort->cost)
        sort->cost = cost;
}

static int sort_got(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    sort_weigh(L, sort_state(L), lua_type(L, -1));
    return sort_go(L, sort_state(L));
}

void sort_get(lua_State *L, struct sort *sort, lua_Integer index) {
    int type = lua_rawgeti(L, SORT_TABLE, index);
    if (type == LUA_TNIL && lua_getmetatable(L, SORT_TABLE)) {
        lua_pop(L, 2);
        lua_pushinteger(L, index);
        if (sandbox_index(L, SORT_TABLE))
            lua_callk(L, 2, 1, 0, sort_got);
        type = lua_type(L, -1);
    }
    sort_weigh(L, sort, type);
}

void sort_set(lua_State *L, lua_Integer index) {
    if (!lua_getmetatable(L, SORT_TABLE)) {
        lua_rawseti(L, SORT_TABLE, index);
        return;
    }
    lua_pop(L, 1);
    lua_pushinteger(L, index);
    lua_insert(L, -2);
    if (sandbox_newindex(L, SORT_TABLE))
        lua_callk(L, 3, 0, 0, sort_again);
}

static int sort_answered(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    struct sort *sort = sort_state(L);
    sort->answer = lua_toboolean(L, -1);
    sort->answered = true;
    lua_pop(L, 1);
    return sort_go(L, sort);
}

static bool sort_ask(lua_State *L, const struct sort *sort, int a, int b) {
    if (sort->order == SORT_BY_FUNCTION) {
        lua_pushvalue(L, SORT_COMPARATOR);
        lua_pushvalue(L, a);
        lua_pushvalue(L, b);
        lua_callk(L, 2, 1, 0, sort_answered);
    } else if (sandbox_less(L, a, b)) {
        lua_callk(L, 2, 1, 0, sort_answered);
    }
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

bool sort_less(lua_State *L, struct sort *sort, int a, int b) {
    if (sort->answered) {
        sort->answered = false;
        return sort->answer;
    }
    // A comparison in C has no hook.
    if (sandbox_spend(L, sort->sandbox, sort->cost))
        (void)sandbox_pause(L, 0, sort_again);
    return sort->order == SORT_PLAINLY ? lua_compare(L, a, b, LUA_OPLT) : sort_ask(L, sort, a, b);
}

int sort_contradict(lua_State *L) {
    return luaL_error(L, "invalid order function for sorting");
}

void sort_insert(lua_State *L, struct sort *sort) {
    int top = SORT_BASE + sort->place;
    while (sort->left < sort->right) {
        int middle = sort->left + (sort->right - sort->left) / 2;
        if (sort_less(L, sort, top, middle))
            sort->right = middle;
        else
            sort->left = middle + 1;
    }
    if (sort->left < top)
        lua_insert(L, sort->left);
}

// Leaves in the pivot's slot the median of a sample spread over the range.
static void sort_sample(lua_State *L, struct sort *sort) {
    if (sort->place == SORT_SAMPLE_COUNT) {
        lua_copy(L, SORT_BASE + SORT_SAMPLE_COUNT / 2, SORT_PIVOT);
        sort->up = sort->range.low - 1;
        sort->down = sort->range.high + 1;
        sort->phase = SORT_UP;
        return;
    }
    lua_Integer gap = (sort->range.high - sort->range.low) / (SORT_SAMPLE_COUNT - 1);
    sort->left = SORT_BASE;
    sort->right = SORT_BASE + sort->place;
    sort->phase = SORT_SAMPLED;
    sort_get(L, sort, sort->range.low + sort->place * gap);
}

static void sort_sampled(lua_State *L, struct sort *sort) {
    sort_insert(L, sort);
    sort->place++;
    sort->phase = SORT_SAMPLE;
}

// The next element from below that does not stand before the pivot.
static void sort_up(lua_State *L, struct sort *sort) {
    if (++sort->up > sort->range.high)
        (void)sort_contradict(L);
    lua_settop(L, SORT_PIVOT);
    sort->phase = SORT_IS_BELOW;
    sort_get(L, sort, sort->up);
}

// The next one from above that the pivot does not stand before.
static void sort_down(lua_State *L, struct sort *sort) {
    if (--sort->down < sort->range.low)
        (void)sort_contradict(L);
    lua_settop(L, SORT_UPPER);
    sort->phase = SORT_IS_ABOVE;
    sort_get(L, sort, sort->down);
}

static void sort_begin_range(struct sort *sort) {
    if (sort->range.high - sort->range.low < SORT_BLOCK) {
        sort_begin_block(sort);
    } else if (sort->range.levels == 0) {
        sort_begin_heap(sort);
    } else {
        sort->range.levels--;
        sort->place = 0;
        sort->phase = SORT_SAMPLE;
    }
}

// No element above the index where the two met stands before one up to it. The smaller part comes
// first, so that few ranges wait.
static void sort_divide(lua_State *L, struct sort *sort) {
    struct sort_range *range = &sort->range;
    struct sort_range *other = &sort->ranges[sort->waiting++];
    // At the edge only where elements cannot be compared (NaN) or contradict the sample.
    lua_Integer middle = sort->down < range->high ? sort->down : range->high - 1;
    *other = *range;
    if (middle - range->low < range->high - middle) {
        other->low = middle + 1;
        range->high = middle;
    } else {
        other->high = middle;
        range->low = middle + 1;
    }
    lua_settop(L, SORT_BASE - 1);
    sort_begin_range(sort);
}

static int sort_finish(struct sort *sort) {
    sandbox_unfence(sort->sandbox);
    sort->taken = false;
    return 0;
}

static int sort_go(lua_State *L, struct sort *sort) {
    for (;;) {
        switch (sort->phase) {
        case SORT_NEXT:
            if (sort->waiting == 0)
                return sort_finish(sort);
            sort->range = sort->ranges[--sort->waiting];
            sort_begin_range(sort);
            break;
        case SORT_SAMPLE:
            sort_sample(L, sort);
            break;
        case SORT_SAMPLED:
            sort_sampled(L, sort);
            break;
        case SORT_UP:
            sort_up(L, sort);
            break;
        case SORT_IS_BELOW:
            sort->phase = sort_less(L, sort, SORT_UPPER, SORT_PIVOT) ? SORT_UP : SORT_DOWN;
            break;
        case SORT_DOWN:
            sort_down(L, sort);
            break;
        case SORT_IS_ABOVE:
            sort->phase = sort_less(L, sort, SORT_PIVOT, SORT_LOWER) ? SORT_DOWN : SORT_SWAP;
            break;
        case SORT_SWAP:
            if (sort->up >= sort->down) {
                sort_divide(L, sort);
                break;
            }
            sort->phase = SORT_SWAPPED;
            sort_set(L, sort->up);
            break;
        case SORT_SWAPPED:
            sort->phase = SORT_UP;
            sort_set(L, sort->down);
            break;
        case SORT_LOAD:
        case SORT_INSERT:
        case SORT_MERGE:
        case SORT_CHECK:
        case SORT_STORE:
            sort_block(L, sort);
            break;
        default:
            sort_heap(L, sort);
            break;
        }
    }
}

// Stack: table, comparator or nothing.
static int sort_elements(lua_State *L, lua_Integer n, bool plain) {
    static const char key;
    if (n < 2)
        return 0;
    luaL_argcheck(L, n < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, SORT_COMPARATOR))
        luaL_checktype(L, SORT_COMPARATOR, LUA_TFUNCTION);
    lua_settop(L, SORT_COMPARATOR);
    int slots = n < SORT_BLOCK ? (int)n : SORT_BLOCK;
    luaL_checkstack(L, 2 * slots + LUA_MINSTACK, "array too big");
    struct sort *sort = sandbox_take_state(L, &key, sizeof *sort); // is now SORT_STATE
    sort->answered = false;
    sort->plain = plain;
    sort->order = lua_isnil(L, SORT_COMPARATOR) ? SORT_PLAINLY : SORT_BY_FUNCTION;
    sort->sandbox = sandbox_of(L);
    sort->cost = 1;
    sort->waiting = 0;
    sort->range = (struct sort_range){.low = 1, .high = n};
    for (lua_Integer rest = n > SORT_BLOCK ? n : 0; rest > 0; rest /= 2)
        sort->range.levels += 2;
    sandbox_fence(L, sort->sandbox);
    sort_begin_range(sort);
    return sort_go(L, sort);
}

static int sort_sized(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return sort_elements(L, sandbox_take_length(L), false);
}

static int table_sort(lua_State *L) {
    if (sandbox_table_is_plain(L, SORT_TABLE))
        return sort_elements(L, (lua_Integer)lua_rawlen(L, SORT_TABLE), true);
    sandbox_ask_length(L, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE, sort_sized);
    return sort_sized(L, LUA_OK, 0);
}

const luaL_Reg sandbox_sort_functions[] = {
    {"sort", table_sort},
    {NULL, NULL},
};
