// SPDX-License-Identifier: Apache-2.0
// What a script can reach: an allow-list over the stock libraries, with our own version of every
// function that would load bytecode, touch the process, or swallow a limit. A name that is not in
// these lists does not exist, whatever a later release of Lua adds.
#include "sandbox.h"

#include <lualib.h>

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

// How many lists of own functions a library may have.
#define LIBS_OWN 6

struct library {
    const char *name;
    lua_CFunction open; // NULL: all of it is ours
    const char *const *allowed;
    const luaL_Reg *own[LIBS_OWN];
};

static const struct library libs_globals = {
    "_G", luaopen_base, libs_base, {sandbox_base_functions, sandbox_guard_base}};

static const struct library libraries[] = {
    {"string", luaopen_string, libs_string, {sandbox_text_functions}},
    {"table", luaopen_table, libs_table, {NULL}},
    {"math", luaopen_math, libs_math, {NULL}},
    {"utf8", luaopen_utf8, libs_utf8, {NULL}},
    {"os", luaopen_os, libs_os, {NULL}},
    {"coroutine", NULL, NULL, {sandbox_coroutine_library}},
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

static void libs_add_own(lua_State *L, const struct library *library) {
    for (size_t i = 0; i < LIBS_OWN && library->own[i] != NULL; i++)
        luaL_setfuncs(L, library->own[i], 0);
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
    libs_add_own(L, library);
    if (library->open == luaopen_string)
        libs_redirect_strings(L, table);
    lua_setfield(L, -2, library->name);
}

void sandbox_open_libraries(lua_State *L) {
    // luaopen_base fills the table of globals; it is emptied down to what is allowed by filling a
    // fresh one and making that the globals.
    lua_pushcfunction(L, libs_globals.open);
    lua_call(L, 0, 1);
    lua_newtable(L);
    libs_copy(L, lua_gettop(L) - 1, libs_globals.allowed);
    libs_add_own(L, &libs_globals);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        libs_open(L, &libraries[i]);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pop(L, 1);
}
