// SPDX-License-Identifier: Apache-2.0
// Does Lua keep using a stack that moved during a __concat (core/lua/lua_concat.c)? 0: no. Any
// other end, most likely by a signal: yes.
//
// Every block moves when its size changes, and what it was is written over and never used again.
#include "../core/lua/lua_concat.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

static void *probe_memory(void *context, void *block, size_t old, size_t size) {
    (void)context;
    void *to = size == 0 ? NULL : malloc(size);
    if (block != NULL && to != NULL)
        memcpy(to, block, old < size ? old : size);
    if (block != NULL && (to != NULL || size == 0))
        memset(block, 0x55, old);
    return to;
}

static int probe_go_on(lua_State *L, int status, lua_KContext context) {
    (void)L, (void)status, (void)context;
    return 1;
}

static int probe_moved(lua_State *L) {
    return lua_yieldk(L, 0, 0, probe_go_on);
}

static const char probe_program[] =
    "local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end "
    "local function concat(n, a, b) deep(n) return 'X' end "
    "for n = 0, 150 do "
    "    local t = setmetatable({}, {__concat = function(a, b) return concat(n, a, b) end}) "
    "    local co = coroutine.wrap(function() return 'a' .. 'b' .. t .. 'c' .. 'd' end) "
    "    local result repeat result = co() until result "
    "    if result ~= 'abX' then return false end "
    "end "
    "local t = setmetatable({}, {__concat = function() deep(10000) return 'X' end}) "
    "local result = 'a' .. 'b' .. t "
    "for i = 1, 100 do local _ = {t .. i} end "
    "collectgarbage() "
    "return result == 'X' or result == 'aX' or result == 'abX'";

int main(void) {
    lua_State *L = lua_newstate(probe_memory, NULL);
    if (L == NULL)
        return 2;
    luaL_openlibs(L);
    lua_pushcfunction(L, probe_moved);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_CONCAT_MOVED);
    lua_State *co = lua_newthread(L);
    if (luaL_loadstring(co, probe_program) != LUA_OK)
        return 2;
    int results, status;
    do
        status = lua_resume(co, L, 0, &results);
    while (status == LUA_YIELD);
    return status == LUA_OK && lua_toboolean(co, -1) ? 0 : 1;
}
