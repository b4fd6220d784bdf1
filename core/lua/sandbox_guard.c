// SPDX-License-Identifier: Apache-2.0
// The base functions that catch errors, so that none of them can swallow a limit. For everything
// else they behave as the manual says. The coroutine library is in sandbox_coroutine.c.
//
// Whoever catches an error sets the number of fences (sandbox_call.h) back to what it was.
#include "sandbox_call.h"

#include <string.h>

// "stack overflow" as the VM and its library word it, not as a script might mention it.
bool sandbox_is_overflow(lua_State *L) {
    static const char words[] = "stack overflow";
    if (lua_type(L, -1) != LUA_TSTRING)
        return false;
    const char *message = lua_tostring(L, -1);
    const char *found = strstr(message, words);
    if (found == NULL)
        return false;
    size_t before = (size_t)(found - message);
    const char *after = found + sizeof words - 1;
    bool starts =
        before == 0 ||
        (before >= 2 && (memcmp(found - 2, ": ", 2) == 0 || memcmp(found - 2, "C ", 2) == 0));
    return starts && (*after == '\0' || memcmp(after, " (", 2) == 0);
}

// An error was caught, its object is on top. Returns only if the script may have it.
static void guard_caught(lua_State *L) {
    sandbox_rethrow(L);
    if (sandbox_is_overflow(L))
        sandbox_leave(L, SANDBOX_STOP_DEPTH);
}

// What guard_finish_call has to know.
static lua_KContext guard_context(lua_State *L, int skip) {
    return (lua_KContext)sandbox_of(L)->fences * 4 + skip;
}

// Continuation of pcall and xpcall; `skip` values below the results are not the script's.
static int guard_finish_call(lua_State *L, int status, lua_KContext context) {
    int skip = (int)(context % 4);
    if (status != LUA_OK && status != LUA_YIELD) {
        sandbox_drop_fences(sandbox_of(L), (int)(context / 4));
        guard_caught(L);
        lua_pushboolean(L, 0);
        lua_pushvalue(L, -2);
        return 2;
    }
    return lua_gettop(L) - skip;
}

int sandbox_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    lua_KContext context = guard_context(L, 0);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, context, guard_finish_call);
    return guard_finish_call(L, status, context);
}

static int guard_handler(lua_State *L);

// A handler that fails is called for its own error too. Stock Lua lets that go on until the C stack
// is used up; that would be a limit here. A handler that calls pcall or xpcall has not failed.
static bool guard_handlers_pile_up(lua_State *L) {
    lua_Debug frame;
    lua_CFunction function;
    int handlers = 0;
    for (int level = 1; level < 64 && sandbox_get_level(L, level, &frame, &function); level++) {
        if (function == sandbox_pcall || function == sandbox_xpcall)
            return false;
        handlers += function == guard_handler ? 1 : 0;
        if (handlers >= 8)
            return true;
    }
    return false;
}

// A handler runs where the error was raised: for one raised by the hook that means with hooks off,
// where nothing could stop it, and for an overflow, where there is no stack for it. It is then not
// called; the call ends when the error reaches a catcher. Upvalue 1 is the script's handler.
static int guard_handler(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    if (sandbox->stop == SANDBOX_GO && sandbox_is_overflow(L))
        sandbox->stop = SANDBOX_STOP_DEPTH;
    if (sandbox->stop != SANDBOX_GO)
        return 1;
    if (guard_handlers_pile_up(L)) {
        lua_pushliteral(L, "error in error handling");
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

int sandbox_xpcall(lua_State *L) {
    int arguments = lua_gettop(L) - 2;
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, guard_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2); // function, handler, true, function, arguments...
    lua_KContext context = guard_context(L, 2);
    int status = lua_pcallk(L, arguments, LUA_MULTRET, 2, context, guard_finish_call);
    return guard_finish_call(L, status, context);
}

const luaL_Reg sandbox_guard_functions[] = {
    {"pcall", sandbox_pcall},
    {"xpcall", sandbox_xpcall},
    {NULL, NULL},
};
