// SPDX-License-Identifier: Apache-2.0
// What scripts see of the libraries: a table each, the front, which belongs to the call in
// progress. Every call begins with all fronts closed, so what one call does to a library ends with
// it.
//
// Closed, a front is empty and leads to the functions by __index: it needs no care between calls.
// Open, it holds the functions itself, and a script may change them. A front opens before anything
// could tell the difference: at the first write, and when its keys are listed. The hook opens those
// in use when a call has lasted a while, because looking up __index costs some nanoseconds.
#include "sandbox_fronts.h"

// More of a script's own entries would make closing long.
#define FRONTS_ADDED_MAX 512u

_Static_assert(SANDBOX_LIBRARIES <= 8 * sizeof(unsigned), "a bit for each");

size_t sandbox_search_fronts(const struct sandbox_fronts *fronts, uintptr_t table) {
    size_t i = 0;
    while (i < SANDBOX_LIBRARIES && table != (uintptr_t)fronts->tables[i])
        i++;
    return i;
}

static bool fronts_is_open(const struct sandbox *sandbox, size_t i) {
    return (sandbox->fronts.open >> i & 1u) != 0;
}

static void fronts_push(lua_State *L, size_t i) {
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_of(L)->fronts.tables[i]);
}

// The table on top becomes the metatable's __index of the front and, for the first library, of
// strings: "x":f() and string.f are the same function. Pops it.
static void fronts_lead_to(lua_State *L, int front, size_t i) {
    (void)lua_getmetatable(L, front);
    lua_pushliteral(L, "__index");
    if (lua_rawequal(L, front, -3))
        lua_pushnil(L);
    else
        lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    if (i == SANDBOX_STRING) {
        lua_pushliteral(L, "");
        (void)lua_getmetatable(L, -1);
        lua_pushliteral(L, "__index");
        lua_pushvalue(L, -4);
        lua_rawset(L, -3);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

bool sandbox_open_library(lua_State *L, size_t i) {
    struct sandbox *sandbox = sandbox_of(L);
    if (fronts_is_open(sandbox, i))
        return false;
    fronts_push(L, i);
    int front = lua_gettop(L);
    sandbox_push_library(L, i);
    lua_pushnil(L);
    while (lua_next(L, front + 1) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, front);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, front);
    fronts_lead_to(L, front, i);
    lua_pop(L, 1);
    sandbox->fronts.open |= 1u << i;
    sandbox->fronts.used |= 1u << i;
    return true;
}

void sandbox_open_used_fronts(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    for (size_t i = 0; i < SANDBOX_LIBRARIES; i++)
        if ((sandbox->fronts.used >> i & 1u) != 0)
            (void)sandbox_open_library(L, i);
}

static void fronts_close_one(lua_State *L, size_t i) {
    fronts_push(L, i);
    int front = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, front) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, front);
    }
    sandbox_push_library(L, i);
    fronts_lead_to(L, front, i);
    lua_pop(L, 1);
}

static int fronts_close(struct sandbox *sandbox, void *data) {
    (void)data;
    for (size_t i = 0; i < SANDBOX_LIBRARIES; i++)
        if (fronts_is_open(sandbox, i))
            fronts_close_one(sandbox->main, i);
    sandbox->fronts.open = 0;
    sandbox->fronts.added = 0;
    return 0;
}

int sandbox_close_fronts(struct sandbox *sandbox) {
    return sandbox->fronts.open == 0 ? 0 : sandbox_protect(sandbox, fronts_close, NULL);
}

static unsigned fronts_count(lua_State *L) {
    unsigned entries = 0;
    for (size_t i = 0; i < SANDBOX_LIBRARIES; i++) {
        fronts_push(L, i);
        lua_pushnil(L);
        for (; lua_next(L, -2) != 0; entries++)
            lua_pop(L, 1);
        lua_pop(L, 1);
    }
    return entries;
}

// rawset(front, key, value), which are at 1, 2 and 3.
static void fronts_write(lua_State *L, size_t i) {
    struct sandbox *sandbox = sandbox_of(L);
    (void)sandbox_open_library(L, i);
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 1) == LUA_TNIL && ++sandbox->fronts.added > FRONTS_ADDED_MAX) {
        sandbox->fronts.added = fronts_count(L);
        if (sandbox->fronts.added > FRONTS_ADDED_MAX)
            (void)luaL_error(L, "too many entries in library tables");
    }
    lua_pop(L, 1);
    lua_rawset(L, 1);
}

bool sandbox_write_front(lua_State *L) {
    size_t i = sandbox_find_front(L, 1);
    if (i == SANDBOX_LIBRARIES)
        return false;
    fronts_write(L, i);
    return true;
}

static size_t fronts_upvalue(lua_State *L) {
    return (size_t)lua_tointeger(L, lua_upvalueindex(1));
}

static int fronts_newindex(lua_State *L) {
    fronts_write(L, fronts_upvalue(L));
    return 0;
}

// __index until the functions are made; from then on it is the table that holds them.
static int fronts_first_index(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t i = fronts_upvalue(L);
    fronts_push(L, i);
    int front = lua_gettop(L);
    sandbox_push_library(L, i);
    sandbox->fronts.used |= 1u << i;
    lua_pushvalue(L, 2);
    (void)lua_rawget(L, front + 1);
    lua_insert(L, front);
    if (sandbox->lasting) {
        lua_pop(L, 1);
        (void)sandbox_open_library(L, i);
    } else {
        fronts_lead_to(L, front + 1, i);
    }
    lua_settop(L, front);
    return 1;
}

// Sets the named field of the table on top to a function that knows the library.
static void fronts_set(lua_State *L, const char *name, lua_CFunction function, size_t i) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

static void fronts_protect(lua_State *L) {
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

void sandbox_push_front(lua_State *L, size_t i) {
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    fronts_set(L, "__index", fronts_first_index, i);
    fronts_set(L, "__newindex", fronts_newindex, i);
    fronts_protect(L);
    (void)lua_setmetatable(L, -2);
    // Kept, so that no other table ever has its address, whatever scripts do to the globals.
    lua_pushvalue(L, -1);
    struct sandbox_fronts *fronts = &sandbox_of(L)->fronts;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &fronts->tables[i]);
    fronts->tables[i] = lua_topointer(L, -1);
    uintptr_t address = (uintptr_t)fronts->tables[i];
    if (i == 0 || address < fronts->least)
        fronts->least = address;
    if (i == 0 || address > fronts->most)
        fronts->most = address;
}

// All strings have one metatable. It knows arithmetic ("10" + 1), too.
void sandbox_set_string_metatable(lua_State *L) {
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 10);
    luaL_setfuncs(L, sandbox_coerce_metamethods, 0);
    fronts_set(L, "__index", fronts_first_index, SANDBOX_STRING);
    fronts_protect(L);
    (void)lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
