// SPDX-License-Identifier: Apache-2.0
// Metamethods for C functions. lua_gettable and its like call them where no pause can pass; these
// only find them, by the rules of the manual, and leave the call to the caller. Where there is
// nothing to call, Lua's own function does the work, errors included: it then runs no code of the
// script's.
#include "sandbox_call.h"

// MAXTAGLOOP of lvm.c: after so many tables that refer to each other Lua gives up.
#define META_LOOP 2000

// As luaL_getmetafield, quicker.
static bool meta_has(lua_State *L, int index, const char *event) {
    if (!lua_getmetatable(L, index))
        return false;
    lua_pushstring(L, event);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 2);
        return false;
    }
    lua_replace(L, -2);
    return true;
}

// Is the object on top a table that has something for the key at `key`?
static bool meta_is_there(lua_State *L, int key) {
    if (lua_type(L, -1) != LUA_TTABLE)
        return false;
    lua_pushvalue(L, key);
    bool there = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    return there;
}

// Follows the metamethod `event` from `object` to a function for the key at `key`: that and the
// object to call it with are on top then.
static bool meta_find(lua_State *L, int object, int key, const char *event) {
    lua_pushvalue(L, object);
    for (int loop = 0; loop < META_LOOP && !meta_is_there(L, key); loop++) {
        if (!meta_has(L, lua_gettop(L), event))
            break;
        lua_insert(L, -2);
        if (lua_type(L, -2) == LUA_TFUNCTION)
            return true;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

// The most common case, without moving much: a table, with a function for __index.
static bool meta_index_table(lua_State *L, int object, int key, bool *asks) {
    lua_pushvalue(L, object);
    lua_pushvalue(L, key);
    lua_pushvalue(L, key);
    *asks = false;
    if (lua_rawget(L, object) != LUA_TNIL || !lua_getmetatable(L, object)) {
        lua_replace(L, key);
        lua_settop(L, key);
        return true;
    }
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, -2) == LUA_TFUNCTION) {
        lua_replace(L, key);
        lua_settop(L, key + 2);
        return *asks = true;
    }
    lua_settop(L, key);
    return false;
}

bool sandbox_index(lua_State *L, int object) {
    bool asks;
    int key = lua_gettop(L);
    if (lua_type(L, object) == LUA_TTABLE && meta_index_table(L, object, key, &asks))
        return asks;
    if (!meta_find(L, object, key, "__index")) {
        (void)lua_gettable(L, object);
        return false;
    }
    lua_rotate(L, key, -1);
    return true;
}

bool sandbox_newindex(lua_State *L, int object) {
    int key = lua_gettop(L) - 1;
    if (!meta_find(L, object, key, "__newindex")) {
        lua_settable(L, object);
        return false;
    }
    lua_rotate(L, key, 2);
    return true;
}

bool sandbox_length(lua_State *L, int object) {
    if (lua_type(L, object) == LUA_TSTRING || !meta_has(L, object, "__len")) {
        lua_len(L, object);
        return false;
    }
    lua_pushvalue(L, object);
    lua_pushvalue(L, object);
    return true;
}

bool sandbox_less(lua_State *L, int a, int b) {
    if (!meta_has(L, a, "__lt") && !meta_has(L, b, "__lt")) {
        lua_pushboolean(L, lua_compare(L, a, b, LUA_OPLT));
        return false;
    }
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    return true;
}

bool sandbox_equal(lua_State *L, int a, int b) {
    bool tables = lua_type(L, a) == LUA_TTABLE && lua_type(L, b) == LUA_TTABLE;
    if (!tables || lua_rawequal(L, a, b) || (!meta_has(L, a, "__eq") && !meta_has(L, b, "__eq"))) {
        lua_pushboolean(L, lua_rawequal(L, a, b));
        return false;
    }
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    return true;
}
