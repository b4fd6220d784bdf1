// SPDX-License-Identifier: Apache-2.0
// tostring, and what it shows instead of addresses: the address enciphered with a key of the box's
// own. Identities are unique, stay the same for the life of a value, look like stock Lua's, and
// tell nothing about where a value lies.
#include "sandbox_call.h"

#include <string.h>

// What user space has on x86-64 and on aarch64 without large addresses; any other address gets the
// longer form, so that the two can never be equal.
#define IDENTITY_BITS 48u

size_t sandbox_identity(lua_State *L, int index, char text[SANDBOX_IDENTITY_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    struct sandbox *sandbox = sandbox_of(L);
    uint64_t address = (uint64_t)(uintptr_t)lua_topointer(L, index);
    if (address == 0)
        return 0;
    if (sandbox->mask_key[0] == 0) {
        sandbox->mask_key[0] = sandbox_secret() | 1;
        sandbox->mask_key[1] = sandbox_secret();
    }
    unsigned bits = address >> IDENTITY_BITS == 0 ? IDENTITY_BITS : 64;
    uint64_t shown = sandbox_encipher(sandbox->mask_key, address, bits / 2);
    size_t length = 2 + bits / 4;
    text[0] = '0';
    text[1] = 'x';
    for (size_t i = length; i > 2; i--, shown >>= 4)
        text[i - 1] = digits[shown & 15];
    text[length] = '\0';
    return length;
}

// The value at `index` has no __tostring and is none that has a text of its own.
static void identity_push(lua_State *L, int index) {
    char text[SANDBOX_IDENTITY_BYTES];
    size_t length = sandbox_identity(L, index, text);
    int named = luaL_getmetafield(L, index, "__name");
    if (named != LUA_TSTRING) {
        lua_pushfstring(L, "%s: %s", luaL_typename(L, index), text);
    } else {
        // As stock: the name ends at its first zero.
        size_t whole;
        const char *name = lua_tolstring(L, -1, &whole);
        size_t shown = strlen(name);
        sandbox_need_memory(L, sandbox_of(L), 2 * shown);
        if (shown != whole)
            lua_pushlstring(L, name, shown);
        else
            lua_pushvalue(L, -1);
        lua_pushliteral(L, ": ");
        (void)lua_pushlstring(L, text, length);
        lua_concat(L, 3);
    }
    if (named != LUA_TNIL)
        lua_remove(L, -2);
}

bool sandbox_ask_text(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        lua_pushvalue(L, index);
        (void)lua_tolstring(L, -1, NULL);
        return false;
    case LUA_TSTRING:
        lua_pushvalue(L, index);
        return false;
    case LUA_TBOOLEAN:
        lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
        return false;
    case LUA_TNIL:
        lua_pushliteral(L, "nil");
        return false;
    default:
        // Only tables can have one: no script gets at the metatables of the other types.
        index = lua_absindex(L, index);
        if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
            lua_pushvalue(L, index);
            return true;
        }
        identity_push(L, index);
        return false;
    }
}

void sandbox_take_text(lua_State *L) {
    if (!lua_isstring(L, -1))
        luaL_error(L, "'__tostring' must return a string");
    (void)lua_tolstring(L, -1, NULL);
}

static int identity_told(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    sandbox_unfence(sandbox_of(L));
    sandbox_take_text(L);
    return 1;
}

static int identity_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    if (!sandbox_ask_text(L, 1))
        return 1;
    sandbox_fence(L, sandbox_of(L));
    lua_callk(L, 1, 1, 0, identity_told);
    return identity_told(L, LUA_OK, 0);
}

const luaL_Reg sandbox_identity_functions[] = {
    {"tostring", identity_tostring},
    {NULL, NULL},
};
