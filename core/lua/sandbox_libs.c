// SPDX-License-Identifier: Apache-2.0
// What a script can reach: an allow-list over the stock libraries, with our own version of every
// function that would load bytecode, touch the process, or swallow a limit. A name that is not in
// these lists does not exist, whatever a later release of Lua adds.
#include "sandbox.h"

#include <lualib.h>
#include <string.h>

static const char *const libs_base[] = {
    "assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "rawequal", "rawget",
    "rawlen", "rawset", "select",       "tonumber", "tostring", "type",  "_VERSION", NULL,
};
static const char *const libs_string[] = {
    "byte",  "char", "find",     "format",  "gmatch", "gsub",   "len",   "lower",
    "match", "pack", "packsize", "reverse", "sub",    "unpack", "upper", NULL,
};
static const char *const libs_table[] = {
    "concat", "insert", "move", "pack", "remove", "sort", "unpack", NULL,
};
static const char *const libs_math[] = {
    "abs", "acos",       "asin", "atan",      "ceil", "cos",    "deg",
    "exp", "floor",      "fmod", "huge",      "log",  "max",    "maxinteger",
    "min", "mininteger", "modf", "pi",        "rad",  "random", "randomseed",
    "sin", "sqrt",       "tan",  "tointeger", "type", "ult",    NULL,
};
static const char *const libs_utf8[] = {
    "char", "charpattern", "codepoint", "codes", "len", "offset", NULL,
};
static const char *const libs_os[] = {"clock", "date", "difftime", "time", NULL};

// Finalizers would run with hooks off and outside any call.
static int libs_setmetatable(lua_State *L) {
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
static int libs_collectgarbage(lua_State *L) {
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

// Standard output belongs to the host: for a port program it is the protocol.
static int libs_print(lua_State *L) {
    for (int i = 1; i <= lua_gettop(L); i++) {
        (void)luaL_tolstring(L, i, NULL);
        lua_pop(L, 1);
    }
    return 0;
}

static int libs_warn(lua_State *L) {
    (void)luaL_checkstring(L, 1);
    return 0;
}

// The stock one loops over an empty string as often as it is told, and asks for memory that the
// limit forbids; here the limit is applied first, while the box can still go on.
static int libs_rep(lua_State *L) {
    size_t length, gap;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &gap);
    if (n <= 0 || length + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    struct sandbox *sandbox = sandbox_of(L);
    size_t times = (size_t)n;
    if (length + gap < length || times > (size_t)PTRDIFF_MAX / (length + gap))
        return luaL_error(L, "resulting string too large");
    size_t total = times * length + (times - 1) * gap;
    // Twice: the buffer and the string that is made of it.
    if (!sandbox_memory_fits(sandbox, L, total <= SIZE_MAX / 2 ? 2 * total : SIZE_MAX))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, total);
    for (size_t i = 0; i < times; i++) {
        memcpy(to, text, length);
        to += length;
        if (gap > 0 && i + 1 < times) {
            memcpy(to, separator, gap);
            to += gap;
        }
    }
    luaL_pushresultsize(&buffer, total);
    return 1;
}

static const luaL_Reg libs_own_base[] = {
    {"setmetatable", libs_setmetatable},
    {"collectgarbage", libs_collectgarbage},
    {"print", libs_print},
    {"warn", libs_warn},
    {NULL, NULL},
};
static const luaL_Reg libs_own_string[] = {{"rep", libs_rep}, {NULL, NULL}};
static const luaL_Reg libs_own_none[] = {{NULL, NULL}};

struct library {
    const char *name;
    lua_CFunction open; // NULL: all of it is ours
    const char *const *allowed;
    const luaL_Reg *own;
};

static const struct library libraries[] = {
    {"string", luaopen_string, libs_string, libs_own_string},
    {"table", luaopen_table, libs_table, libs_own_none},
    {"math", luaopen_math, libs_math, libs_own_none},
    {"utf8", luaopen_utf8, libs_utf8, libs_own_none},
    {"os", luaopen_os, libs_os, libs_own_none},
    {"coroutine", NULL, NULL, sandbox_coroutine_library},
};

// Copies the allowed names of the table at `from` into the one on top.
static void libs_copy(lua_State *L, int from, const char *const *allowed) {
    for (; *allowed != NULL; allowed++)
        if (lua_getfield(L, from, *allowed) != LUA_TNIL)
            lua_setfield(L, -2, *allowed);
        else
            lua_pop(L, 1); // not in this release
}

// The metatable that the string library made for all strings must lead to the allowed functions.
static void libs_redirect_strings(lua_State *L, int library) {
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) {
        lua_pushvalue(L, library);
        lua_setfield(L, -2, "__index");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void libs_open(lua_State *L, const struct library *library) {
    lua_newtable(L);
    int table = lua_gettop(L);
    if (library->open != NULL) {
        lua_pushcfunction(L, library->open);
        lua_call(L, 0, 1);
        lua_pushvalue(L, table);
        libs_copy(L, table + 1, library->allowed);
        lua_settop(L, table);
    }
    luaL_setfuncs(L, library->own, 0);
    if (library->open == luaopen_string)
        libs_redirect_strings(L, table);
    lua_setfield(L, -2, library->name);
}

void sandbox_open_libraries(lua_State *L) {
    // luaopen_base fills the table of globals; it is emptied down to what is allowed by filling a
    // fresh one and making that the globals.
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    lua_newtable(L);
    libs_copy(L, lua_gettop(L) - 1, libs_base);
    luaL_setfuncs(L, libs_own_base, 0);
    luaL_setfuncs(L, sandbox_guard_base, 0);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        libs_open(L, &libraries[i]);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pop(L, 1);
}
