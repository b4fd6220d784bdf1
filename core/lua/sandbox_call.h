// SPDX-License-Identifier: Apache-2.0
// What a C function needs that calls the script in such a way that a pause can pass: lua_callk,
// with all that it will need afterwards in Lua values.
//
// To the script such a function is what it is in stock Lua, a boundary that a yield of its own
// cannot cross. So every function that calls the script stands between sandbox_fence and
// sandbox_unfence while it does, and coroutine.yield asks for fences.
#ifndef TRIPOD_SANDBOX_CALL_H
#define TRIPOD_SANDBOX_CALL_H

#include "sandbox.h"

// Ends the call when there are more than its limit of depth, which Lua does not notice where pauses
// took the C levels away.
static inline void sandbox_fence(lua_State *L, struct sandbox *sandbox) {
    sandbox->fences++;
    if (++sandbox->nested > (int)sandbox->limits->depth)
        sandbox_leave(L, SANDBOX_STOP_DEPTH);
}

static inline void sandbox_unfence(struct sandbox *sandbox) {
    sandbox->fences--;
    sandbox->nested--;
}

// An error leaves fences behind: whoever catches it sets the number back.
static inline void sandbox_drop_fences(struct sandbox *sandbox, int fences) {
    sandbox->nested -= sandbox->fences - fences;
    sandbox->fences = fences;
}

// The functions that let a yield of the script's own pass.
// sandbox_guard.c
int sandbox_pcall(lua_State *L);
int sandbox_xpcall(lua_State *L);
// sandbox_base.c
int sandbox_pairs(lua_State *L);

// sandbox_fence.c
// The function that runs at `level` of `co`'s stack, NULL if it is none in C; false: there is no
// such level. For a few levels.
bool sandbox_get_level(lua_State *co, int level, lua_Debug *frame, lua_CFunction *function);
// The same for any number of them: books what looking takes, so it may end the call.
bool sandbox_seek_level(lua_State *co, int level, lua_Debug *frame, lua_CFunction *function);
// Is there a C function in `co`, the running coroutine or one that waits for it, that a yield of
// the script's own could not pass?
bool sandbox_is_fenced(lua_State *co);

// sandbox_state.c
// Pushes a userdata of `bytes` bytes for the state of a C function that calls the script. The last
// one under `key` is used again if its function is done with it; it begins with a bool that says
// so: true from here on, to be made false.
void *sandbox_take_state(lua_State *L, const void *key, size_t bytes);

// sandbox_meta.c
// Each does what its like in lua.h does and returns false; or, where a metamethod has to be called
// for that, leaves it and its arguments on top and returns true. `object` and the operands are
// absolute indices.
//
// Key, popped: object[key]. Two arguments, one result.
bool sandbox_index(lua_State *L, int object);
// Key and value, popped: object[key] = value. Three arguments, no result.
bool sandbox_newindex(lua_State *L, int object);
// The length, of any type. Two arguments, one result.
bool sandbox_length(lua_State *L, int object);
// Is a < b? As a boolean on top. Two arguments, one result, of any type.
bool sandbox_less(lua_State *L, int a, int b);
// Are they equal? Likewise, but only tables have a metamethod for it here.
bool sandbox_equal(lua_State *L, int a, int b);

#endif
