// SPDX-License-Identifier: Apache-2.0
// Base functions that would touch the process or the service's own settings, or that look into a
// table past its metatable: a library's must not look empty to them (sandbox_fronts.c).
#include "sandbox_call.h"
#include "sandbox_fronts.h"

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

// Basic steps for about `kib`; did a cycle end?
static bool base_step(lua_State *L, lua_Integer kib) {
    struct sandbox *sandbox = sandbox_of(L);
    bool ended = lua_gc(L, LUA_GCSTEP, 0) != 0;
    for (lua_Integer done = 8; done < kib && !ended; done += 8) {
        (void)sandbox_spend(L, sandbox, SANDBOX_POLL_STEPS);
        ended = lua_gc(L, LUA_GCSTEP, 0) != 0;
    }
    return ended;
}

// The collector's settings belong to the service. What would change them is accepted and has no
// effect, because many programs begin with it; the answers are those of a collector left alone.
static int base_collectgarbage(lua_State *L) {
    static const char *const options[] = {
        "collect",      "count",       "step",     "isrunning",  "stop", "restart",
        "generational", "incremental", "setpause", "setstepmul", NULL};
    switch (luaL_checkoption(L, 1, "collect", options)) {
    case 0:
        sandbox_collect(L);
        lua_pushinteger(L, 0);
        return 1;
    case 1:
        lua_pushnumber(L, (lua_Number)arena_live_bytes(sandbox_of(L)->arena) / 1024);
        return 1;
    case 2:
        lua_pushboolean(L, base_step(L, sandbox_opt_integer(L, 2, 0)));
        return 1;
    case 3:
        lua_pushboolean(L, 1);
        return 1;
    case 6:
    case 7:
        lua_pushliteral(L, "incremental");
        return 1;
    case 8:
        lua_pushinteger(L, 200); // LUAI_GCPAUSE
        return 1;
    case 9:
        lua_pushinteger(L, 100); // LUAI_GCMUL
        return 1;
    default:
        lua_pushinteger(L, 0);
        return 1;
    }
}

// There is nobody to warn.
static int base_warn(lua_State *L) {
    (void)luaL_checkstring(L, 1);
    return 0;
}

static int base_rawset(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (!sandbox_write_front(L))
        lua_rawset(L, 1);
    lua_settop(L, 1);
    return 1;
}

static int base_rawget(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    (void)sandbox_open_front(L, 1);
    lua_settop(L, 2);
    (void)lua_rawget(L, 1);
    return 1;
}

int sandbox_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    (void)sandbox_open_front(L, 1);
    lua_settop(L, 2);
    if (lua_next(L, 1) != 0)
        return 2;
    lua_pushnil(L);
    return 1;
}

static int base_pairs_began(lua_State *L, int status, lua_KContext context) {
    (void)L, (void)status, (void)context;
    return 3;
}

int sandbox_pairs(lua_State *L) {
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        lua_pushcfunction(L, sandbox_next);
        lua_pushvalue(L, 1);
        lua_pushnil(L);
    } else {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, base_pairs_began);
    }
    return 3;
}

const luaL_Reg sandbox_base_functions[] = {
    {"rawset", base_rawset},
    {"rawget", base_rawget},
    {"next", sandbox_next},
    {"pairs", sandbox_pairs},
    {"setmetatable", base_setmetatable},
    {"collectgarbage", base_collectgarbage},
    {"warn", base_warn},
    {NULL, NULL},
};
