// SPDX-License-Identifier: Apache-2.0
// %q of string.format: a value as Lua source that reads back as the same value.
#include "sandbox_format.h"

#include <math.h>
#include <stdio.h>

// A number in hexadecimal.
#define QUOTE_NUMBER_BYTES ((size_t)64)

static bool quote_is_control(char c) {
    return (c >= 0 && c < ' ') || c == 127;
}

// Writes one byte of a quoted string, 4 bytes at most; `next` is the byte after it.
static inline size_t quote_byte(char *to, char c, char next) {
    if (c == '"' || c == '\\' || c == '\n') {
        to[0] = '\\';
        to[1] = c;
        return 2;
    }
    if (!quote_is_control(c)) {
        to[0] = c;
        return 1;
    }
    size_t n = 0;
    bool wide = next >= '0' && next <= '9';
    to[n++] = '\\';
    if (wide || c >= 100)
        to[n++] = (char)('0' + c / 100);
    if (wide || c >= 10)
        to[n++] = (char)('0' + c / 10 % 10);
    to[n++] = (char)('0' + c % 10);
    return n;
}

// In place of the large string's pieces: the exact size, so that it is copied once.
static void quote_long(struct build *build, const char *bytes, size_t length) {
    lua_State *L = build->L;
    char scrap[4];
    size_t total = 0;
    for (size_t i = 0; i < length; i++) {
        total += quote_byte(scrap, bytes[i], bytes[i + 1]);
        if (i % 512 == 0)
            (void)sandbox_spend(L, build->sandbox, 512);
    }
    sandbox_need_memory(L, build->sandbox, 2 * total);
    (void)build_flush(build);
    luaL_checkstack(L, 4, NULL);
    char *made = lua_newuserdatauv(L, total, 0);
    char *to = made;
    for (size_t i = 0; i < length; i++) {
        to += quote_byte(to, bytes[i], bytes[i + 1]);
        if (i % 512 == 0)
            (void)sandbox_spend(L, build->sandbox, 512);
    }
    (void)lua_pushlstring(L, made, total);
    lua_remove(L, -2);
    build_value(build);
}

static void quote_string(struct build *build, int argument) {
    size_t length;
    const char *bytes = lua_tolstring(build->L, argument, &length);
    build_byte(build, '"');
    if (length >= SANDBOX_LARGE_BYTES) {
        quote_long(build, bytes, length);
    } else {
        (void)sandbox_spend(build->L, build->sandbox, length);
        for (size_t i = 0; i < length; i++) {
            char *to = build_room(build, 4);
            build_took(build, quote_byte(to, bytes[i], bytes[i + 1]));
        }
    }
    build_byte(build, '"');
}

static void quote_number(struct build *build, int argument) {
    char *to = build_room(build, QUOTE_NUMBER_BYTES);
    int length;
    if (lua_isinteger(build->L, argument)) {
        lua_Integer value = lua_tointeger(build->L, argument);
        // Its digits would be read as a float.
        const char *format =
            value == LUA_MININTEGER ? "0x%" LUA_INTEGER_FRMLEN "x" : LUA_INTEGER_FMT;
        length = snprintf(to, QUOTE_NUMBER_BYTES, format, value);
    } else {
        lua_Number value = lua_tonumber(build->L, argument);
        if (isnan(value))
            length = snprintf(to, QUOTE_NUMBER_BYTES, "(0/0)");
        else if (isinf(value))
            length = snprintf(to, QUOTE_NUMBER_BYTES, value > 0 ? "1e9999" : "-1e9999");
        else
            length = snprintf(to, QUOTE_NUMBER_BYTES, "%a", value);
    }
    build_took(build, (size_t)length);
}

void sandbox_quote(struct build *build, int argument) {
    lua_State *L = build->L;
    switch (lua_type(L, argument)) {
    case LUA_TSTRING:
        quote_string(build, argument);
        return;
    case LUA_TNUMBER:
        quote_number(build, argument);
        return;
    case LUA_TNIL:
        build_bytes(build, "nil", 3);
        return;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, argument))
            build_bytes(build, "true", 4);
        else
            build_bytes(build, "false", 5);
        return;
    default:
        luaL_argerror(L, argument, "value has no literal form");
    }
}
