// SPDX-License-Identifier: Apache-2.0
// What the files of table.sort share: its state, which is in a userdata, and the three things that
// may run code of the script's, where the call may pause and all C frames be gone.
//
// So the work is cut into phases. A phase reads or writes an element last, when the next phase is
// set. A phase that compares leaves everything so that, begun anew, it comes to the same
// comparison, whose answer it then finds.
#ifndef TRIPOD_SANDBOX_SORT_H
#define TRIPOD_SANDBOX_SORT_H

#include "sandbox_call.h"

// Slots of the stack; from SORT_BASE on the elements at hand.
enum { SORT_TABLE = 1, SORT_COMPARATOR, SORT_STATE, SORT_BASE };

#define SORT_BLOCK 1024 // elements merged on the stack
// Ranges that wait while smaller ones are sorted: each is less than half of the one before, and the
// largest has less than 2^31 elements.
#define SORT_RANGES 24

enum sort_phase {
    SORT_NEXT,
    SORT_LOAD,
    SORT_INSERT,
    SORT_MERGE,
    SORT_CHECK,
    SORT_STORE,
    SORT_SAMPLE,
    SORT_SAMPLED,
    SORT_UP,
    SORT_IS_BELOW,
    SORT_DOWN,
    SORT_IS_ABOVE,
    SORT_SWAP,
    SORT_SWAPPED,
    SORT_HEAP,
    SORT_HEAP_LAST,
    SORT_HEAP_TAKE,
    SORT_HEAP_TAKEN,
    SORT_HEAP_SIFT,
    SORT_SIFT,
    SORT_SIFT_CHILD,
    SORT_SIFT_CHOOSE,
    SORT_SIFT_COMPARE,
    SORT_SIFT_DOWN,
};

// Who compares.
enum sort_order {
    SORT_PLAINLY,   // Lua: there were only numbers and strings so far
    SORT_BY_METHOD, // a __lt, perhaps
    SORT_BY_FUNCTION,
};

struct sort_range {
    lua_Integer low, high;
    int levels; // so many partitions in a row may follow
};

struct sort {
    bool taken; // by the sort that it is the state of
    bool answered;
    bool answer; // of the comparison that a pause came in
    bool plain;  // the table had no metatable at first
    enum sort_order order;
    enum sort_phase phase;
    struct sandbox *sandbox;
    size_t cost; // steps that a comparison may take: that of the longest strings seen
    struct sort_range range;
    int waiting;
    struct sort_range ranges[SORT_RANGES];
    int count, place; // elements of a block or a sample, and which is at hand
    int from, to;     // slots: where a block is, where its runs are merged to
    int width;        // of the runs
    int left, right;  // slots of what is compared
    int out;
    lua_Integer up, down; // indices: of a partition, or of a heap's parent and child
    lua_Integer build;    // parents that the heap is not yet built from
    lua_Integer size;     // of the heap
};

// Pushes element `index`.
void sort_get(lua_State *L, struct sort *sort, lua_Integer index);
// Pops element `index`.
void sort_set(lua_State *L, lua_Integer index);
// Does the element in slot `a` stand before the one in slot `b`?
bool sort_less(lua_State *L, struct sort *sort, int a, int b);
// Raises the error that says so.
int sort_contradict(lua_State *L);
// Moves the element on top, the one at `place`, to where it belongs among the sorted slots from
// `left` up to it; `right` is its slot at first.
void sort_insert(lua_State *L, struct sort *sort);

// sandbox_sort_block.c: SORT_LOAD to SORT_STORE, then SORT_NEXT. At most SORT_BLOCK elements.
void sort_begin_block(struct sort *sort);
void sort_block(lua_State *L, struct sort *sort);
// sandbox_sort_heap.c: SORT_HEAP to SORT_SIFT_DOWN, then SORT_NEXT.
void sort_begin_heap(struct sort *sort);
void sort_heap(lua_State *L, struct sort *sort);

#endif
