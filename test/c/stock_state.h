// SPDX-License-Identifier: Apache-2.0
// What stock Lua makes of a chunk that a box is given too.
#ifndef TRIPOD_TEST_STOCK_STATE_H
#define TRIPOD_TEST_STOCK_STATE_H

#include "lua_rig.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

// A plain state with the stock libraries in which `source` has run; what it returned is on top. To
// be closed by the caller.
static inline lua_State *stock_run(const char *source) {
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    if (luaL_loadbuffer(L, source, strlen(source), "=eval") != LUA_OK ||
        lua_pcall(L, 0, 1, 0) != LUA_OK)
        fail_msg("stock: %s", lua_tostring(L, -1));
    return L;
}

#endif
