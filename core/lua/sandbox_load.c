// SPDX-License-Identifier: Apache-2.0
// Source text becomes functions: text only, no longer than source_bytes. No hook fires in Lua's
// parser, and some of what it does takes quadratic time, so it gets its text in small blocks and
// the call's limits are looked at before each.
#include "sandbox_load.h"

#include <string.h>

#define LOAD_BLOCK_BYTES 512u

const char *load_next_block(lua_State *L, struct load_text *text, size_t *length) {
    (void)sandbox_spend(L, sandbox_of(L), SANDBOX_POLL_STEPS);
    *length = text->left_bytes < LOAD_BLOCK_BYTES ? text->left_bytes : LOAD_BLOCK_BYTES;
    const char *block = text->next;
    text->next += *length;
    text->left_bytes -= *length;
    return block;
}

static const char *load_next_of_text(lua_State *L, void *data, size_t *length) {
    return load_next_block(L, data, length);
}

// As lua_load: the function or a message is on top.
static int load_text(lua_State *L, int source, const char *name) {
    struct load_text text;
    text.next = lua_tolstring(L, source, &text.left_bytes);
    size_t most_bytes = sandbox_of(L)->source_bytes;
    if (text.left_bytes <= most_bytes)
        return lua_load(L, load_next_of_text, &text, name, "t");
    (void)lua_pushfstring(L, "source of %I bytes is longer than source_bytes (%I)",
                          (lua_Integer)text.left_bytes, (lua_Integer)most_bytes);
    return LUA_ERRSYNTAX;
}

// What load returns when there is no function; the message is on top.
static int load_failed(lua_State *L) {
    sandbox_rethrow(L);
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
}

int sandbox_compile(lua_State *L) {
    const char *name = lua_tostring(L, 2);
    return load_text(L, 1, name) == LUA_OK ? 1 : load_failed(L);
}

int load_finish(lua_State *L, int status, bool has_environment) {
    if (status != LUA_OK)
        return load_failed(L);
    if (has_environment) {
        lua_pushvalue(L, 4);
        if (lua_setupvalue(L, -2, 1) == NULL)
            lua_pop(L, 1);
    }
    return 1;
}

static int load_load(lua_State *L) {
    const char *text = lua_tostring(L, 1);
    bool has_environment = !lua_isnone(L, 4);
    // In the order in which stock Lua looks at them.
    const char *mode = luaL_optstring(L, 3, "bt");
    const char *name = luaL_optstring(L, 2, text != NULL ? text : "=(load)");
    if (text == NULL)
        luaL_checktype(L, 1, LUA_TFUNCTION);
    if (strchr(mode, 't') == NULL) {
        (void)lua_pushfstring(L, "attempt to load a text chunk (mode is '%s')", mode);
        return load_failed(L);
    }
    if (text == NULL)
        return load_from_reader(L, has_environment);
    lua_settop(L, 4);
    return load_finish(L, load_text(L, 1, name), has_environment);
}

const luaL_Reg sandbox_load_base[] = {
    {"load", load_load},
    {NULL, NULL},
};
