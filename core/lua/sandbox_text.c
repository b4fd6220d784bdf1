// SPDX-License-Identifier: Apache-2.0
// The plain functions of string. What is large is written to memory of Lua's in exact size, with
// looks at the clock in between, and then copied once to become a string; Lua offers no way to
// write a string in place.
#include "sandbox.h"

#include <limits.h>
#include <string.h>

// Results up to this size are made on the C stack; nothing here calls back.
#define TEXT_SMALL_BYTES ((size_t)1024)
// Bytes between two looks at the step count.
#define TEXT_BLOCK_BYTES ((size_t)16 * 1024)
// A value on Lua's stack.
#define TEXT_SLOT_BYTES ((size_t)16)
// The most that rep makes, as in stock Lua: beyond it is an error, up to it a matter of memory.
#define TEXT_REP_MAX ((size_t)INT_MAX)

// What takes `bytes` bytes at some 16 a step.
static void text_spend(lua_State *L, struct sandbox *sandbox, size_t bytes) {
    (void)sandbox_spend(L, sandbox, bytes / 16);
}

// Where the result is made: `small`, or a block that is left on the stack.
static char *text_open(lua_State *L, char small[TEXT_SMALL_BYTES], size_t length) {
    if (length <= TEXT_SMALL_BYTES)
        return small;
    // Twice: this, and the string that is made of it.
    sandbox_need_memory(L, sandbox_of(L), length <= SIZE_MAX / 2 ? 2 * length : SIZE_MAX);
    return lua_newuserdatauv(L, length, 0);
}

// A position counted from the end is counted from the start; what lies before it is 1.
static size_t text_start(lua_Integer at, size_t length) {
    if (at > 0)
        return (size_t)at;
    return at == 0 || at < -(lua_Integer)length ? 1 : length + (size_t)at + 1;
}

static size_t text_end(lua_Integer at, size_t length) {
    if (at > (lua_Integer)length)
        return length;
    if (at >= 0)
        return (size_t)at;
    return at < -(lua_Integer)length ? 0 : length + (size_t)at + 1;
}

static int text_len(lua_State *L) {
    size_t length;
    (void)luaL_checklstring(L, 1, &length);
    lua_pushinteger(L, (lua_Integer)length);
    return 1;
}

static int text_sub(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    size_t start = text_start(sandbox_check_integer(L, 2), length);
    size_t end = text_end(sandbox_opt_integer(L, 3, -1), length);
    if (start > end) {
        lua_pushliteral(L, "");
    } else if (start == 1 && end == length) {
        lua_settop(L, 1);
    } else {
        sandbox_need_memory(L, sandbox_of(L), end - start + 1);
        (void)lua_pushlstring(L, text + start - 1, end - start + 1);
    }
    return 1;
}

// s:byte(i), which parsers call for every byte of their input, in as few calls of Lua as possible.
static bool text_one_byte(lua_State *L) {
    if (lua_gettop(L) != 2 || !lua_isinteger(L, 2))
        return false;
    size_t length;
    const char *text = lua_tolstring(L, 1, &length);
    lua_Integer at = lua_tointegerx(L, 2, NULL);
    if (text == NULL || at < 1 || (lua_Unsigned)at > length)
        return false;
    lua_pushinteger(L, (unsigned char)text[at - 1]);
    return true;
}

static int text_byte(lua_State *L) {
    if (text_one_byte(L))
        return 1;
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer first = sandbox_opt_integer(L, 2, 1);
    size_t start = text_start(first, length);
    size_t end = text_end(sandbox_opt_integer(L, 3, first), length);
    if (start > end)
        return 0;
    if (end - start >= (size_t)INT_MAX)
        return luaL_error(L, "string slice too long");
    int n = (int)(end - start) + 1;
    if (n > LUA_MINSTACK) {
        sandbox_need_memory(L, sandbox_of(L), (size_t)n * TEXT_SLOT_BYTES);
        luaL_checkstack(L, n, "string slice too long");
    }
    for (int i = 0; i < n; i++)
        lua_pushinteger(L, (unsigned char)text[start - 1 + (size_t)i]);
    return n;
}

static int text_char(lua_State *L) {
    char small[TEXT_SMALL_BYTES];
    int n = lua_gettop(L);
    char *made = text_open(L, small, (size_t)n);
    for (int i = 0; i < n; i++) {
        lua_Unsigned c = (lua_Unsigned)sandbox_check_integer(L, i + 1);
        luaL_argcheck(L, c <= UCHAR_MAX, i + 1, "value out of range");
        made[i] = (char)c;
    }
    (void)lua_pushlstring(L, made, (size_t)n);
    return 1;
}

// The first `unit` bytes are repeated up to `total`. What is copied begins where the period stands,
// so that it may be any number of bytes.
static void text_repeat(lua_State *L, char *to, size_t unit, size_t total) {
    struct sandbox *sandbox = sandbox_of(L);
    for (size_t done = unit, part; done < total; done += part) {
        size_t phase = done % unit;
        part = done - phase;
        part = part < TEXT_BLOCK_BYTES ? part : TEXT_BLOCK_BYTES;
        part = part < total - done ? part : total - done;
        memcpy(to + done, to + phase, part);
        text_spend(L, sandbox, part);
    }
}

static int text_rep(lua_State *L) {
    char small[TEXT_SMALL_BYTES];
    size_t length, gap;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = sandbox_check_integer(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &gap);
    if (n <= 0 || length + gap == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (length + gap > TEXT_REP_MAX / (size_t)n)
        return luaL_error(L, "resulting string too large");
    size_t unit = length + gap, total = unit * (size_t)n - gap;
    char *made = text_open(L, small, total);
    memcpy(made, text, length);
    if (n > 1) {
        memcpy(made + length, separator, gap);
        text_repeat(L, made, unit, total);
    }
    (void)lua_pushlstring(L, made, total);
    return 1;
}

// Only the letters of ASCII, whatever the locale of the process.
static inline unsigned char text_lower_byte(unsigned char c) {
    return c ^ (c >= 'A' && c <= 'Z' ? 0x20 : 0);
}

static inline unsigned char text_upper_byte(unsigned char c) {
    return c ^ (c >= 'a' && c <= 'z' ? 0x20 : 0);
}

typedef void text_block(unsigned char *to, const unsigned char *from, size_t length);

// The loops over one block are without calls, so that the compiler makes vectors of them.
static void text_lower_block(unsigned char *to, const unsigned char *from, size_t length) {
    for (size_t i = 0; i < length; i++)
        to[i] = text_lower_byte(from[i]);
}

static void text_upper_block(unsigned char *to, const unsigned char *from, size_t length) {
    for (size_t i = 0; i < length; i++)
        to[i] = text_upper_byte(from[i]);
}

static int text_map(lua_State *L, text_block *block) {
    char small[TEXT_SMALL_BYTES];
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char *made = text_open(L, small, length);
    for (size_t at = 0; at < length; at += TEXT_BLOCK_BYTES) {
        size_t part = length - at < TEXT_BLOCK_BYTES ? length - at : TEXT_BLOCK_BYTES;
        block((unsigned char *)made + at, (const unsigned char *)text + at, part);
        text_spend(L, sandbox_of(L), part);
    }
    (void)lua_pushlstring(L, made, length);
    return 1;
}

static int text_lower(lua_State *L) {
    return text_map(L, text_lower_block);
}

static int text_upper(lua_State *L) {
    return text_map(L, text_upper_block);
}

static int text_reverse(lua_State *L) {
    char small[TEXT_SMALL_BYTES];
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    char *made = text_open(L, small, length);
    for (size_t at = 0; at < length;) {
        size_t part = length - at < TEXT_BLOCK_BYTES ? length - at : TEXT_BLOCK_BYTES;
        for (size_t stop = at + part; at < stop; at++)
            made[at] = text[length - 1 - at];
        text_spend(L, sandbox_of(L), 4 * part);
    }
    (void)lua_pushlstring(L, made, length);
    return 1;
}

const luaL_Reg sandbox_text_functions[] = {
    {"byte", text_byte},   {"char", text_char},   {"len", text_len},
    {"lower", text_lower}, {"rep", text_rep},     {"reverse", text_reverse},
    {"sub", text_sub},     {"upper", text_upper}, {NULL, NULL},
};
