// SPDX-License-Identifier: Apache-2.0
// Which yields of the script's own are refused although a pause would pass.
//
// A count of fences would do, were it not for __close: between an error and whoever catches it such
// methods run, in a coroutine that may yield again although the fences of the failed functions are
// still counted. So the count only says that somebody must look.
#include "sandbox_call.h"

bool sandbox_get_level(lua_State *co, int level, lua_Debug *frame, lua_CFunction *function) {
    if (lua_getstack(co, level, frame) == 0)
        return false;
    (void)lua_getinfo(co, "f", frame);
    *function = lua_tocfunction(co, -1);
    lua_pop(co, 1);
    return true;
}

bool sandbox_seek_level(lua_State *co, int level, lua_Debug *frame, lua_CFunction *function) {
    struct sandbox *sandbox = sandbox_of(co);
    // Each level is looked up from the top.
    (void)sandbox_spend(sandbox->running, sandbox, 1 + (size_t)level / 8);
    return sandbox_get_level(co, level, frame, function);
}

static bool fence_lets_pass(lua_CFunction function) {
    return function == sandbox_pcall || function == sandbox_xpcall || function == sandbox_pairs;
}

// Any other C function that another one stands upon has called the script from within.
static bool fence_find(lua_State *co) {
    lua_Debug frame;
    lua_CFunction function;
    for (int level = 1; sandbox_seek_level(co, level, &frame, &function); level++)
        if (function != NULL && !fence_lets_pass(function))
            return true;
    return false;
}

bool sandbox_is_fenced(lua_State *co) {
    struct sandbox *sandbox = sandbox_of(co);
    bool runs = co == sandbox->running;
    if (runs && sandbox->fences == 0)
        return false;
    // One that is suspended let its own yield pass.
    if (lua_status(co) != LUA_OK)
        return false;
    if (fence_find(co))
        return true;
    if (runs)
        sandbox_drop_fences(sandbox, 0);
    return false;
}
