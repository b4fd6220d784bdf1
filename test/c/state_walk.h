// SPDX-License-Identifier: Apache-2.0
// Walks through everything in a Lua state, from the registry and the metatables of all types on,
// through metatables, upvalues, user values and stacks, and lists the C functions it meets. Include
// it in one file of a test, after cmocka.
#ifndef TRIPOD_TEST_STATE_WALK_H
#define TRIPOD_TEST_STATE_WALK_H

#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// What a walk has met.
#define MET_MAX 4096
static struct {
    const void *met[MET_MAX];
    size_t n;
    struct {
        lua_CFunction function;
        char path[64];
    } functions[MET_MAX];
    size_t n_functions;
} walk;

static inline bool walk_is_new(const void *pointer) {
    for (size_t i = 0; i < walk.n; i++)
        if (walk.met[i] == pointer)
            return false;
    assert_true(walk.n < MET_MAX);
    walk.met[walk.n++] = pointer;
    return true;
}

static inline void walk_value(lua_State *L, const char *path);

// The value on top, which is popped.
static inline void walk_part(lua_State *L, const char *path, const char *name) {
    char longer[64];
    (void)snprintf(longer, sizeof longer, "%s%s%s", path, *path != '\0' ? "." : "", name);
    walk_value(L, longer);
    lua_pop(L, 1);
}

static inline void walk_table(lua_State *L, const char *path) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pushvalue(L, -2);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        lua_pushvalue(L, -2);
        walk_part(L, path, name);
        walk_part(L, path, "key");
        lua_pop(L, 1);
    }
}

static inline void walk_value(lua_State *L, const char *path) {
    assert_true(lua_checkstack(L, 16));
    int type = lua_type(L, -1);
    if (lua_getmetatable(L, -1))
        walk_part(L, path, "metatable");
    if (type != LUA_TTABLE && type != LUA_TFUNCTION && type != LUA_TUSERDATA && type != LUA_TTHREAD)
        return;
    // A C function without upvalues is known by its code; it has no other identity.
    lua_CFunction function = lua_tocfunction(L, -1);
    if (function != NULL) {
        assert_true(walk.n_functions < MET_MAX);
        walk.functions[walk.n_functions].function = function;
        (void)snprintf(walk.functions[walk.n_functions++].path, sizeof walk.functions[0].path, "%s",
                       path);
    }
    if (!walk_is_new(lua_topointer(L, -1)))
        return;
    if (type == LUA_TTABLE)
        walk_table(L, path);
    for (int i = 1; type == LUA_TFUNCTION && lua_getupvalue(L, -1, i) != NULL; i++)
        walk_part(L, path, "upvalue");
    if (type == LUA_TUSERDATA) {
        for (int i = 1; lua_getiuservalue(L, -1, i) != LUA_TNONE; i++)
            walk_part(L, path, "uservalue");
        lua_pop(L, 1);
    }
    lua_State *co = lua_tothread(L, -1);
    for (int i = 1; co != NULL && co != L && i <= lua_gettop(co); i++) {
        assert_true(lua_checkstack(co, 1));
        lua_pushvalue(co, i);
        lua_xmove(co, L, 1);
        walk_part(L, path, "stack");
    }
}

static inline void walk_everything(lua_State *L) {
    memset(&walk, 0, sizeof walk);
    int top = lua_gettop(L);
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    walk_value(L, "");
    lua_pushliteral(L, "");
    walk_value(L, "string");
    lua_pushinteger(L, 1);
    walk_value(L, "number");
    lua_pushboolean(L, 1);
    walk_value(L, "boolean");
    lua_pushnil(L);
    walk_value(L, "nil");
    lua_pushlightuserdata(L, &walk);
    walk_value(L, "light userdata");
    lua_settop(L, top);
}

#endif
