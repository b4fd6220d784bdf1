// SPDX-License-Identifier: Apache-2.0
// ipairs, as the manual says.
#include "sandbox_call.h"

static int iterate_found(lua_State *L) {
    return lua_isnil(L, -1) ? 1 : 2;
}

static int iterate_asked(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    sandbox_unfence(sandbox_of(L));
    return iterate_found(L);
}

static int iterate_metamethods(lua_State *L, lua_Integer i) {
    lua_pushinteger(L, i);
    if (!sandbox_index(L, 1))
        return iterate_found(L);
    sandbox_fence(L, sandbox_of(L));
    lua_callk(L, 2, 1, 0, iterate_asked);
    return iterate_asked(L, LUA_OK, 0);
}

// Upwards from the index that came before; wraps around as the manual's arithmetic does.
static int iterate_upwards(lua_State *L) {
    lua_Integer i = (lua_Integer)((lua_Unsigned)sandbox_check_integer(L, 2) + 1);
    lua_pushinteger(L, i);
    if (lua_type(L, 1) != LUA_TTABLE)
        return iterate_metamethods(L, i);
    if (lua_rawgeti(L, 1, i) != LUA_TNIL)
        return 2;
    if (!lua_getmetatable(L, 1))
        return 1;
    lua_pop(L, 2);
    return iterate_metamethods(L, i);
}

static int iterate_ipairs(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushcfunction(L, iterate_upwards);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

const luaL_Reg sandbox_iterate_functions[] = {
    {"ipairs", iterate_ipairs},
    {NULL, NULL},
};
