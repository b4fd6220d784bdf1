// SPDX-License-Identifier: Apache-2.0
// How deep C functions may nest: as the limit says, or less where the thread's stack is small.
//
// Lua's own limit is a compile-time 200, but a coroutine starts counting where the one that resumes
// it stands. So a call is resumed from a coroutine that stands at 200 minus what it may nest.
#include "sandbox.h"
#include "stack.h"

// What one of Lua's levels takes at most. test/c/stack_test.c measures recursion through
// everything that calls back, and fails when one takes more.
#define DEPTH_LEVEL_BYTES ((size_t)1248)
// Levels that Lua allows beyond its limit while an error is handled (lstate.c, luaE_checkcstack).
#define DEPTH_ERROR_LEVELS 20u
// C stack below the deepest level, for what calls nothing back: the collector, printf, a signal's
// handler (a frame with the registers of AVX-512 takes 3 KB).
#define DEPTH_LEAF_BYTES ((size_t)16 * 1024)
// A box with less is of no use; only a stack that is smaller than any of the VM's gets it.
#define DEPTH_LEAST 8u

static uint32_t depth_that_fits(size_t left_bytes) {
    if (left_bytes <= DEPTH_LEAF_BYTES)
        return DEPTH_LEAST;
    size_t levels = (left_bytes - DEPTH_LEAF_BYTES) / DEPTH_LEVEL_BYTES;
    if (levels < DEPTH_ERROR_LEVELS + DEPTH_LEAST)
        return DEPTH_LEAST;
    // Rounded, so that calls from slightly different frames share a floor.
    return levels > 2 * SANDBOX_MAX_DEPTH ? SANDBOX_MAX_DEPTH
                                          : (uint32_t)(levels - DEPTH_ERROR_LEVELS) & ~7u;
}

static int depth_return(lua_State *L) {
    (void)L;
    return 0;
}

// Two coroutines resume each other, each one level deeper, and keep their count when they come
// back, until one stands at the depth that leaves `depth`.
static void depth_build(struct sandbox *sandbox, struct sandbox_floor *floor, uint32_t depth) {
    lua_State *L = sandbox->main;
    lua_State *pair[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = lua_newthread(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, i == 0 ? (void *)&floor->from : (void *)&floor->depth);
    }
    lua_State *from = NULL;
    for (uint32_t level = depth; level < SANDBOX_MAX_DEPTH; level++) {
        lua_State *next = pair[level % 2];
        int results;
        lua_pushcfunction(next, depth_return);
        (void)lua_resume(next, from, 0, &results);
        from = next;
    }
    floor->from = from;
    floor->depth = depth;
}

lua_State *sandbox_floor(struct sandbox *sandbox) {
    uint32_t limit = sandbox->limits->depth;
    size_t left_bytes = stack_left_bytes();
    uint32_t fits = left_bytes == 0 ? limit : depth_that_fits(left_bytes);
    uint32_t depth = fits < limit ? fits : limit;
    if (depth >= SANDBOX_MAX_DEPTH)
        return NULL;
    struct sandbox_floor *floor = &sandbox->floors[depth == limit ? 0 : 1];
    if (floor->depth != depth)
        depth_build(sandbox, floor, depth);
    return floor->from;
}

bool sandbox_stack_is_low(void) {
    size_t left_bytes = stack_left_bytes();
    return left_bytes != 0 &&
           left_bytes < DEPTH_LEAF_BYTES + DEPTH_ERROR_LEVELS * DEPTH_LEVEL_BYTES;
}
