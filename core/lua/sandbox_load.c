// SPDX-License-Identifier: Apache-2.0
// Source text becomes functions: text only, no longer than source_bytes. No hook fires in Lua's
// parser, and some of what it does takes quadratic time, so it gets its text in small blocks and
// the call's limits are looked at before each.
#include "sandbox.h"

#include <string.h>

#define LOAD_BLOCK_BYTES 512u

struct load_text {
    const char *next;
    size_t left_bytes;
};

static const char *load_next_block(lua_State *L, void *data, size_t *length) {
    struct load_text *text = data;
    (void)sandbox_spend(L, sandbox_of(L), SANDBOX_POLL_STEPS);
    *length = text->left_bytes < LOAD_BLOCK_BYTES ? text->left_bytes : LOAD_BLOCK_BYTES;
    const char *block = text->next;
    text->next += *length;
    text->left_bytes -= *length;
    return block;
}

// As lua_load: the function or a message is on top.
static int load_text(lua_State *L, int source, const char *name) {
    struct load_text text;
    text.next = lua_tolstring(L, source, &text.left_bytes);
    size_t most_bytes = sandbox_of(L)->source_bytes;
    if (text.left_bytes <= most_bytes)
        return lua_load(L, load_next_block, &text, name, "t");
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

// Slots of load's stack: its arguments, the piece that the parser is reading, which must be kept
// alive, and how many bytes came before.
enum { LOAD_PIECE = 5, LOAD_READ = 6 };

struct load_reader {
    struct load_text piece; // what is left of it
    bool calling;           // the script's function is at work
};

// The next piece, from the script's function. False: there is none.
static bool load_ask(lua_State *L, struct load_reader *reader) {
    const struct sandbox *sandbox = sandbox_of(L);
    reader->calling = true;
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    reader->calling = false;
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, LOAD_PIECE);
    reader->piece.next = lua_tolstring(L, LOAD_PIECE, &reader->piece.left_bytes);
    size_t read_bytes = (size_t)lua_tointeger(L, LOAD_READ);
    if (reader->piece.left_bytes > sandbox->source_bytes - read_bytes)
        luaL_error(L, "source is longer than source_bytes (%I)",
                   (lua_Integer)sandbox->source_bytes);
    lua_pushinteger(L, (lua_Integer)read_bytes + (lua_Integer)reader->piece.left_bytes);
    lua_replace(L, LOAD_READ);
    return true;
}

static const char *load_next_of_reader(lua_State *L, void *data, size_t *length) {
    struct load_reader *reader = data;
    if (reader->piece.left_bytes == 0 && !load_ask(L, reader)) {
        *length = 0;
        return NULL;
    }
    return load_next_block(L, &reader->piece, length);
}

// As load_text. The end of the stack is the parser's to complain about, but not the function's.
static int load_pieces(lua_State *L, const char *name) {
    struct load_reader reader = {.calling = false};
    int status = lua_load(L, load_next_of_reader, &reader, name, "t");
    if (status != LUA_OK && reader.calling && sandbox_is_overflow(L))
        sandbox_leave(L, SANDBOX_STOP_DEPTH);
    return status;
}

static int load_load(lua_State *L) {
    const char *text = lua_tostring(L, 1);
    bool has_environment = !lua_isnone(L, 4);
    // In the order in which stock Lua looks at them.
    const char *mode = luaL_optstring(L, 3, "bt");
    const char *name = luaL_optstring(L, 2, text != NULL ? text : "=(load)");
    if (text == NULL)
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, LOAD_PIECE);
    lua_pushinteger(L, 0);
    int status;
    if (strchr(mode, 't') == NULL) {
        (void)lua_pushfstring(L, "attempt to load a text chunk (mode is '%s')", mode);
        status = LUA_ERRSYNTAX;
    } else if (text != NULL) {
        status = load_text(L, 1, name);
    } else {
        status = load_pieces(L, name);
    }
    if (status != LUA_OK)
        return load_failed(L);
    if (has_environment) {
        lua_pushvalue(L, 4);
        if (lua_setupvalue(L, -2, 1) == NULL)
            lua_pop(L, 1);
    }
    return 1;
}

const luaL_Reg sandbox_load_base[] = {
    {"load", load_load},
    {NULL, NULL},
};
