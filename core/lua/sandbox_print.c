// SPDX-License-Identifier: Apache-2.0
// print: standard output belongs to the host (for a port program it is the protocol), so what a
// script prints is discarded, or kept until the call's reply and delivered with it.
#include "sandbox.h"

// What a text counts beside its length: each becomes a message of some 600 bytes in the owner's
// mailbox, and a flood of empty ones must not fill that.
#define PRINT_TEXT_BYTES ((size_t)256)

// Leaves the values from index 1 on as one text on top: as print shows them, without the newline.
static void print_join(lua_State *L, int values) {
    luaL_checkstack(L, 2 * values + 2, "too many values to print");
    for (int i = 1; i <= values; i++) {
        if (i > 1)
            lua_pushliteral(L, "\t");
        sandbox_tostring(L, i);
    }
    if (values == 0)
        lua_pushliteral(L, "");
    else
        lua_concat(L, 2 * values - 1);
}

static int print_print(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    int values = lua_gettop(L);
    if (!sandbox->print_to_owner) {
        for (int i = 1; i <= values; i++) {
            sandbox_tostring(L, i); // may call __tostring, and may fail
            lua_pop(L, 1);
        }
        return 0;
    }
    print_join(L, values);
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
