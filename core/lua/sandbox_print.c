// SPDX-License-Identifier: Apache-2.0
// print: standard output belongs to the host (for a port program it is the protocol), so what a
// script prints is discarded, or kept until the call's reply and delivered with it.
#include "sandbox_call.h"

// What a text counts beside its length: each becomes a message of some 600 bytes in the owner's
// mailbox, and a flood of empty ones must not fill that.
#define PRINT_TEXT_BYTES ((size_t)256)

// The texts from index 1 on, joined as print shows them, without the newline, on top.
static void print_join(lua_State *L, int texts) {
    luaL_checkstack(L, 2 * texts + 2, "too many values to print");
    for (int i = 1; i <= texts; i++) {
        if (i > 1)
            lua_pushliteral(L, "\t");
        lua_pushvalue(L, i);
    }
    if (texts == 0)
        lua_pushliteral(L, "");
    else
        lua_concat(L, 2 * texts - 1);
}

static int print_texts(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    if (!sandbox->print_to_owner)
        return 0;
    print_join(L, lua_gettop(L));
    size_t bytes = lua_rawlen(L, -1) + PRINT_TEXT_BYTES;
    if (bytes > sandbox->limits->reply_bytes - sandbox->printed_bytes)
        sandbox_leave(L, SANDBOX_STOP_REPLY);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox->printed) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->printed);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, sandbox->printed + 1);
    sandbox->printed++;
    sandbox->printed_bytes += bytes;
    return 0;
}

static int print_told(lua_State *L, int status, lua_KContext index);

// Puts texts in the places of the values, from the one at `index` on.
static int print_from(lua_State *L, int index) {
    for (int values = lua_gettop(L); index <= values; index++) {
        if (sandbox_ask_text(L, index)) {
            lua_callk(L, 1, 1, index, print_told);
            sandbox_take_text(L);
        }
        lua_replace(L, index);
    }
    sandbox_unfence(sandbox_of(L));
    return print_texts(L);
}

static int print_told(lua_State *L, int status, lua_KContext index) {
    (void)status;
    sandbox_take_text(L);
    lua_replace(L, (int)index);
    return print_from(L, (int)index + 1);
}

static int print_print(lua_State *L) {
    sandbox_fence(L, sandbox_of(L));
    return print_from(L, 1);
}

void sandbox_forget_printed(struct sandbox *sandbox) {
    lua_pushnil(sandbox->main);
    lua_rawsetp(sandbox->main, LUA_REGISTRYINDEX, &sandbox->printed);
    sandbox->printed = 0;
    sandbox->printed_bytes = 0;
}

// The texts stay in the registry, so their bytes outlive this step.
int sandbox_emit_printed(struct sandbox *sandbox, struct term_sink *sink) {
    lua_State *L = sandbox->main;
    size_t n = (size_t)sandbox->printed;
    int code = term_begin(sink, TERM_LIST, n);
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox->printed);
    for (size_t i = 1; i <= n && code == 0; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        code = sandbox_emit_scalar(L, -1, sink);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return code != 0 ? code : term_end(sink, TERM_LIST, n);
}

const luaL_Reg sandbox_print_functions[] = {
    {"print", print_print},
    {NULL, NULL},
};
