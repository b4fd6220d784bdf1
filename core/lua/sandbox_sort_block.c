// SPDX-License-Identifier: Apache-2.0
// A block of a sort: read onto the Lua stack, sorted there in runs by insertion, merged from one
// half of the slots into the other, and written back.
#include "sandbox_sort.h"
#include "sandbox_table.h"

#define BLOCK_RUN 8 // elements sorted by insertion: a power of 2

void sort_begin_block(struct sort *sort) {
    sort->count = (int)(sort->range.high - sort->range.low) + 1;
    sort->place = 0;
    sort->phase = SORT_LOAD;
}

// The slots are sorted in runs of `width` in `from`; the next pair begins at `place`.
static void block_begin_pair(struct sort *sort) {
    int rest = sort->count - sort->place;
    sort->left = sort->from + sort->place;
    sort->right = sort->left + (sort->width < rest ? sort->width : rest);
    sort->out = sort->to + sort->place;
}

// All is sorted.
static void block_end_merge(lua_State *L, struct sort *sort) {
    lua_settop(L, sort->from + sort->count - 1);
    sort->phase = SORT_CHECK;
}

static void block_begin_merge(lua_State *L, struct sort *sort) {
    sort->from = SORT_BASE;
    if (sort->count <= BLOCK_RUN) {
        block_end_merge(L, sort);
        return;
    }
    sort->to = SORT_BASE + sort->count;
    lua_settop(L, SORT_BASE - 1 + 2 * sort->count);
    sort->width = BLOCK_RUN;
    sort->place = 0;
    block_begin_pair(sort);
    sort->phase = SORT_MERGE;
}

// Goes on where an element is read, or where it is inserted.
static void block_load(lua_State *L, struct sort *sort) {
    while (sort->place < sort->count) {
        if (sort->phase == SORT_LOAD) {
            sort->left = SORT_BASE + (sort->place & ~(BLOCK_RUN - 1));
            sort->right = SORT_BASE + sort->place;
            sort->phase = SORT_INSERT;
            sort_get(L, sort, sort->range.low + sort->place);
        }
        sort_insert(L, sort);
        sort->place++;
        sort->phase = SORT_LOAD;
    }
    block_begin_merge(L, sort);
}

// Goes on where two runs are merged, and then with the next two.
static void block_merge(lua_State *L, struct sort *sort) {
    int all = sort->from + sort->count;
    int begin = sort->from + sort->place;
    int middle = sort->width < all - begin ? begin + sort->width : all;
    int end = sort->width < all - middle ? middle + sort->width : all;
    while (sort->left < middle && sort->right < end) {
        int slot = sort_less(L, sort, sort->right, sort->left) ? sort->right++ : sort->left++;
        lua_copy(L, slot, sort->out++);
    }
    while (sort->left < middle)
        lua_copy(L, sort->left++, sort->out++);
    while (sort->right < end)
        lua_copy(L, sort->right++, sort->out++);
    sort->place += 2 * sort->width;
    if (sort->place >= sort->count) {
        int swap = sort->from;
        sort->from = sort->to;
        sort->to = swap;
        sort->place = 0;
        sort->width *= 2;
        if (sort->width >= sort->count) {
            block_end_merge(L, sort);
            return;
        }
    }
    block_begin_pair(sort);
}

// Merging notices no contradiction. Of the most common one, that equal elements stand before each
// other, this comparison finds what stock Lua always finds.
static void block_check(lua_State *L, struct sort *sort) {
    int n = sort->count;
    if (n > 3 && sort_less(L, sort, sort->from + n - 1, sort->from))
        (void)sort_contradict(L);
    sort->place = n;
    sort->phase = SORT_STORE;
}

static void block_store(lua_State *L, struct sort *sort) {
    // Nothing of the script's runs while a plain table is written to, nor before if Lua compares.
    if (sort->plain && (sort->order == SORT_PLAINLY || sandbox_table_is_plain(L, SORT_TABLE)))
        for (; sort->place > 0; sort->place--)
            lua_rawseti(L, SORT_TABLE, sort->range.low + sort->place - 1);
    while (sort->place > 0) {
        sort->place--;
        sort_set(L, sort->range.low + sort->place);
    }
    lua_settop(L, SORT_BASE - 1);
    sort->phase = SORT_NEXT;
}

void sort_block(lua_State *L, struct sort *sort) {
    for (;;) {
        switch (sort->phase) {
        case SORT_LOAD:
        case SORT_INSERT:
            block_load(L, sort);
            break;
        case SORT_MERGE:
            block_merge(L, sort);
            break;
        case SORT_CHECK:
            block_check(L, sort);
            break;
        case SORT_STORE:
            block_store(L, sort);
            return;
        default:
            return;
        }
    }
}
