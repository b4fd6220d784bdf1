// SPDX-License-Identifier: Apache-2.0
// What a script can reach: an allow-list over the stock libraries, with our own version of every
// function that would load bytecode, touch the process, or swallow a limit. A name that is not in
// these lists does not exist, whatever a later release of Lua adds.
#include "sandbox_fronts.h"

#include <lualib.h>

static const char *const libs_base[] = {
    "assert", "getmetatable", "rawequal", "rawlen", "type", "_VERSION", NULL,
};
static const char *const libs_math[] = {
    "huge", "maxinteger", "mininteger", "pi", "type", NULL,
};
static const char *const libs_utf8[] = {"charpattern", NULL};

// How many lists of own functions a library may have.
#define LIBS_OWN 7

struct library {
    const char *name;
    lua_CFunction open; // NULL: all of it is ours
    const char *const *allowed;
    const luaL_Reg *own[LIBS_OWN];
};

static const struct library libs_globals = {
    "_G",
    luaopen_base,
    libs_base,
    {sandbox_base_functions, sandbox_guard_functions, sandbox_load_base, sandbox_print_functions,
     sandbox_identity_functions, sandbox_number_functions, sandbox_iterate_functions}};

static const struct library libraries[SANDBOX_LIBRARIES] = {
    [SANDBOX_STRING] = {"string",
                        NULL,
                        NULL,
                        {sandbox_text_functions, sandbox_find_functions, sandbox_gsub_functions,
                         sandbox_format_functions, sandbox_pack_functions}},
    {"table",
     NULL,
     NULL,
     {sandbox_table_functions, sandbox_move_functions, sandbox_concat_functions,
      sandbox_sort_functions}},
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
void sandbox_push_library(lua_State *L, size_t i) {
    const struct library *library = &libraries[i];
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
    size_t i = sandbox_find_front(L, -1);
    if (i == SANDBOX_LIBRARIES)
        return false;
    sandbox_push_library(L, i);
    lua_replace(L, -2);
    return true;
}

void sandbox_open_libraries(lua_State *L) {
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
        sandbox_push_front(L, i);
        lua_setfield(L, -2, libraries[i].name);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_settop(L, functions - 1);
    sandbox_set_string_metatable(L);
}
