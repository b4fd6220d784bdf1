// SPDX-License-Identifier: Apache-2.0
// What a script can reach: an allow-list over the stock libraries, with our own version of every
// function that would load bytecode, touch the process, or swallow a limit. A name that is not in
// these lists does not exist, whatever a later release of Lua adds.
#include "sandbox.h"

#include <lualib.h>

static const char *const libs_base[] = {
    "assert", "getmetatable", "ipairs", "next", "pairs",    "rawequal",
    "rawget", "rawlen",       "rawset", "type", "_VERSION", NULL,
};
static const char *const libs_math[] = {
    "huge", "maxinteger", "mininteger", "pi", "type", NULL,
};
static const char *const libs_utf8[] = {"charpattern", NULL};

// How many lists of own functions a library may have.
#define LIBS_OWN 6

struct library {
    const char *name;
    lua_CFunction open; // NULL: all of it is ours
    const char *const *allowed;
    const luaL_Reg *own[LIBS_OWN];
};

static const struct library libs_globals = {"_G",
                                            luaopen_base,
                                            libs_base,
                                            {sandbox_base_functions, sandbox_guard_base,
                                             sandbox_load_base, sandbox_print_functions,
                                             sandbox_identity_functions, sandbox_number_functions}};

static const struct library libraries[SANDBOX_LIBRARIES] = {
    {"string",
     NULL,
     NULL,
     {sandbox_text_functions, sandbox_find_functions, sandbox_gsub_functions,
      sandbox_format_functions, sandbox_pack_functions}},
    {"table",
     NULL,
     NULL,
     {sandbox_table_functions, sandbox_concat_functions, sandbox_sort_functions}},
    {"math", luaopen_math, libs_math, {sandbox_math_functions, sandbox_random_functions}},
    {"utf8", luaopen_utf8, libs_utf8, {sandbox_utf8_functions}},
    {"os", NULL, NULL, {sandbox_date_functions}},
    {"coroutine", NULL, NULL, {sandbox_coroutine_library}},
};

// Copies the allowed names of the table on top into the one at `to`.
static void libs_copy(lua_State *L, int to, const char *const *allowed) {
    for (; *allowed != NULL; allowed++)
        if (lua_getfield(L, -1, *allowed) != LUA_TNIL)
            lua_setfield(L, to, *allowed);
        else
            lua_pop(L, 1); // not in this release
}

// Pushes a table of what `library` allows.
static void libs_push_functions(lua_State *L, const struct library *library) {
    lua_newtable(L);
    int table = lua_gettop(L);
    if (library->open != NULL) {
        lua_pushcfunction(L, library->open);
        lua_call(L, 0, 1);
        libs_copy(L, table, library->allowed);
        lua_pop(L, 1);
    }
    for (size_t i = 0; i < LIBS_OWN && library->own[i] != NULL; i++)
        luaL_setfuncs(L, library->own[i], 0);
}

// The library's functions, kept in the registry, are made when they are first asked for: a box that
// computes needs none of most libraries. The table "_LOADED" is where Lua's error messages find the
// name of a function (luaL_argerror).
static void libs_push_real(lua_State *L, const struct library *library) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, library) != LUA_TNIL)
        return;
    lua_pop(L, 1);
    libs_push_functions(L, library);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, library);
    (void)lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, library->name);
    lua_pop(L, 1);
}

bool sandbox_enter_library(lua_State *L) {
    size_t i = sandbox_find_library(L, -1);
    if (i == SANDBOX_LIBRARIES)
        return false;
    libs_push_real(L, &libraries[i]);
    lua_replace(L, -2);
    return true;
}

static const struct library *libs_upvalue(lua_State *L) {
    return lua_touserdata(L, lua_upvalueindex(1));
}

// __index until the functions are there; from then on it is the table that holds them.
static int libs_first_index(lua_State *L) {
    libs_push_real(L, libs_upvalue(L));
    if (lua_getmetatable(L, 1)) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -2, "__index");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, 2);
    (void)lua_rawget(L, -2);
    return 1;
}

int sandbox_refuse_write(lua_State *L) {
    return luaL_error(L, "attempt to modify a read-only library table");
}

static int libs_next(lua_State *L) {
    lua_settop(L, 2);
    if (lua_next(L, lua_upvalueindex(1)) != 0)
        return 2;
    lua_pushnil(L);
    return 1;
}

// The table itself is not handed out: the iterator keeps it.
static int libs_pairs(lua_State *L) {
    libs_push_real(L, libs_upvalue(L));
    lua_pushcclosure(L, libs_next, 1);
    return 1;
}

// What is in the metatable of a library's table, and of strings but for __newindex and __pairs.
static void libs_set_index(lua_State *L, const struct library *library) {
    lua_pushlightuserdata(L, (void *)library);
    lua_pushcclosure(L, libs_first_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

// To the script a library is an empty table that leads to the real one: what one call does to it
// cannot be seen by the next, because nothing can be done to it.
static void libs_push_front(lua_State *L, const struct library *library) {
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    libs_set_index(L, library);
    lua_pushcfunction(L, sandbox_refuse_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushlightuserdata(L, (void *)library);
    lua_pushcclosure(L, libs_pairs, 1);
    lua_setfield(L, -2, "__pairs");
    (void)lua_setmetatable(L, -2);
}

// All strings have one metatable. It knows arithmetic ("10" + 1), too.
static void libs_set_string_metatable(lua_State *L) {
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 10);
    luaL_setfuncs(L, sandbox_coerce_metamethods, 0);
    libs_set_index(L, &libraries[0]);
    (void)lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void sandbox_open_libraries(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    libs_push_functions(L, &libs_globals);
    int functions = lua_gettop(L);
    lua_newtable(L);
    lua_pushvalue(L, functions);
    lua_setfield(L, -2, libs_globals.name);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    // The globals are a copy: "_LOADED" keeps the base functions' names, whatever scripts do.
    lua_createtable(L, 0, 32);
    lua_pushnil(L);
    while (lua_next(L, functions) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, functions + 1);
    }
    for (size_t i = 0; i < SANDBOX_LIBRARIES; i++) {
        libs_push_front(L, &libraries[i]);
        sandbox->libraries[i] = lua_topointer(L, -1);
        // Kept, so that no other table ever has its address, whatever scripts do to the globals.
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->libraries[i]);
        lua_setfield(L, -2, libraries[i].name);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_settop(L, functions - 1);
    libs_set_string_metatable(L);
}
