// SPDX-License-Identifier: Apache-2.0
// Base functions that would touch the process or the service's own settings.
#include "sandbox.h"

// Finalizers would run with hooks off and outside any call.
static int base_setmetatable(lua_State *L) {
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "finalizers (__gc) are not available in the sandbox");
    }
    lua_settop(L, 2);
    (void)lua_setmetatable(L, 1);
    return 1;
}

// The collector's settings belong to the service.
static int base_collectgarbage(lua_State *L) {
    static const char *const options[] = {"collect", "count", "step", "isrunning", NULL};
    switch (luaL_checkoption(L, 1, "collect", options)) {
    case 0:
        lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT));
        return 1;
    case 1:
        lua_pushnumber(L, (lua_Number)arena_live_bytes(sandbox_of(L)->arena) / 1024);
        return 1;
    case 2:
        lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0));
        return 1;
    default:
        lua_pushboolean(L, 1);
        return 1;
    }
}

// There is nobody to warn.
static int base_warn(lua_State *L) {
    (void)luaL_checkstring(L, 1);
    return 0;
}

// Only this could write to a library's table: everything else asks its metatable.
static int base_rawset(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    const struct sandbox *sandbox = sandbox_of(L);
    const void *table = lua_topointer(L, 1);
    for (size_t i = 0; i < SANDBOX_LIBRARIES; i++)
        if (table == sandbox->libraries[i])
            return sandbox_refuse_write(L);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

const luaL_Reg sandbox_base_functions[] = {
    {"rawset", base_rawset},
    {"setmetatable", base_setmetatable},
    {"collectgarbage", base_collectgarbage},
    {"warn", base_warn},
    {NULL, NULL},
};
