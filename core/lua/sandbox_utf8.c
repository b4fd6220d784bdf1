// SPDX-License-Identifier: Apache-2.0
// The utf8 library but for the constant charpattern. Every loop over a string books its steps.
//
// Lua's strings end with a zero byte that does not count: it continues no sequence, so decoding
// never reads past it.
#include "sandbox.h"

#include <limits.h>

#define UTF8_BYTES_MAX 6 // of one character: 31 bits
#define UTF8_CODE_MAX  0x7FFFFFFFu
// Walked between two looks at the steps left.
#define UTF8_PIECE_BYTES ((ptrdiff_t)SANDBOX_POLL_STEPS)
// A slot of the Lua stack: StackValue of lobject.h.
#define UTF8_SLOT_BYTES ((size_t)16)
// Results of utf8.char up to this size are made in the frame.
#define UTF8_SMALL_BYTES 256

static bool utf8_continues(const char *at) {
    return (signed char)*at < -0x40; // 0x80 to 0xBF
}

// Reads the character at `at`; returns the byte behind it, or NULL when it is none. Strictly: only
// what Unicode has.
static const char *utf8_decode(const char *at, unsigned *code, bool strictly) {
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000};
    unsigned first = (unsigned char)*at++;
    *code = first;
    if (first < 0x80)
        return at;
    if (first < 0xC0 || first > 0xFD)
        return NULL;
    int more = 0;
    unsigned bits = 0;
    for (unsigned mark = 0x40; first & mark; mark >>= 1) {
        if (!utf8_continues(at))
            return NULL;
        bits = bits << 6 | ((unsigned char)*at++ & 0x3F);
        more++;
    }
    bits |= (first & (0x3Fu >> more)) << (6 * more);
    *code = bits;
    if (bits < least[more])
        return NULL;
    if (strictly && (bits > 0x10FFFF || (bits >= 0xD800 && bits <= 0xDFFF)))
        return NULL;
    return at;
}

// A position from the end is negative; one before the start becomes 0.
static lua_Integer utf8_position(lua_Integer position, size_t length) {
    if (position >= 0)
        return position;
    return 0 - (lua_Unsigned)position > length ? 0 : (lua_Integer)length + position + 1;
}

static int utf8_len(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer first = utf8_position(sandbox_opt_integer(L, 2, 1), length);
    lua_Integer last = utf8_position(sandbox_opt_integer(L, 3, -1), length);
    bool strictly = !lua_toboolean(L, 4);
    luaL_argcheck(L, 1 <= first && first - 1 <= (lua_Integer)length, 2,
                  "initial position out of bounds");
    luaL_argcheck(L, last - 1 < (lua_Integer)length, 3, "final position out of bounds");
    const char *at = text + first - 1;
    const char *end = text + last; // behind the last byte where a character may start
    lua_Integer n = 0;
    while (at < end) {
        const char *rest = end - at < UTF8_PIECE_BYTES ? end : at + UTF8_PIECE_BYTES;
        (void)sandbox_spend(L, sandbox, (size_t)(rest - at));
        for (; at < rest; n++) {
            unsigned code;
            const char *next = utf8_decode(at, &code, strictly);
            if (next == NULL) {
                luaL_pushfail(L);
                lua_pushinteger(L, at - text + 1);
                return 2;
            }
            at = next;
        }
    }
    lua_pushinteger(L, n);
    return 1;
}

static int utf8_codepoint(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer first = utf8_position(sandbox_opt_integer(L, 2, 1), length);
    lua_Integer last = utf8_position(sandbox_opt_integer(L, 3, first), length);
    bool strictly = !lua_toboolean(L, 4);
    luaL_argcheck(L, first >= 1, 2, "out of bounds");
    luaL_argcheck(L, last <= (lua_Integer)length, 3, "out of bounds");
    if (first > last)
        return 0;
    if (last - first >= INT_MAX)
        return luaL_error(L, "string slice too long");
    size_t most = (size_t)(last - first) + 1;
    if (most > SANDBOX_POLL_STEPS && most < LUAI_MAXSTACK &&
        !sandbox_memory_fits(sandbox, L, most * UTF8_SLOT_BYTES))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    luaL_checkstack(L, (int)most, "string slice too long");
    const char *end = text + last;
    int n = 0;
    for (const char *at = text + first - 1; at < end; n++) {
        unsigned code;
        at = utf8_decode(at, &code, strictly);
        if (at == NULL)
            return luaL_error(L, "invalid UTF-8 code");
        lua_pushinteger(L, code);
        (void)sandbox_spend(L, sandbox, 1);
    }
    return n;
}

static size_t utf8_encoded_bytes(unsigned code) {
    size_t bytes = 1;
    // A character of n bytes, n > 1, has 5 n + 1 bits.
    for (unsigned most = 0x80; code >= most && bytes < UTF8_BYTES_MAX; bytes++)
        most = 1u << (5 * (bytes + 1) + 1);
    return bytes;
}

static char *utf8_encode(char *to, unsigned code) {
    size_t bytes = utf8_encoded_bytes(code);
    if (bytes == 1) {
        *to = (char)code;
        return to + 1;
    }
    for (size_t i = bytes - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    to[0] = (char)(0xFFu << (8 - bytes) | code);
    return to + bytes;
}

static unsigned utf8_code_argument(lua_State *L, int argument) {
    lua_Unsigned code = (lua_Unsigned)sandbox_check_integer(L, argument);
    luaL_argcheck(L, code <= UTF8_CODE_MAX, argument, "value out of range");
    return (unsigned)code;
}

static int utf8_char(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    char small[UTF8_SMALL_BYTES];
    char *text = small;
    int n = lua_gettop(L);
    size_t bytes = 0;
    for (int i = 1; i <= n; i++) {
        bytes += utf8_encoded_bytes(utf8_code_argument(L, i));
        (void)sandbox_spend(L, sandbox, 1);
    }
    if (bytes > sizeof small) {
        // Twice: this block and the string that is made of it.
        if (!sandbox_memory_fits(sandbox, L, 2 * bytes))
            sandbox_leave(L, SANDBOX_STOP_MEMORY);
        text = lua_newuserdatauv(L, bytes, 0);
    }
    char *to = text;
    for (int i = 1; i <= n; i++) {
        to = utf8_encode(to, (unsigned)lua_tointeger(L, i));
        (void)sandbox_spend(L, sandbox, 1);
    }
    lua_pushlstring(L, text, bytes);
    return 1;
}

// How many characters start in these bytes.
static lua_Integer utf8_starts(const char *at, ptrdiff_t bytes) {
    lua_Integer starts = 0;
    for (ptrdiff_t i = 0; i < bytes; i++)
        starts += utf8_continues(at + i) ? 0 : 1;
    return starts;
}

// Bytes to go at once: no more than characters are missing, so never too far.
static ptrdiff_t utf8_stride(lua_State *L, ptrdiff_t left, lua_Integer missing) {
    ptrdiff_t bytes = left < UTF8_PIECE_BYTES ? left : UTF8_PIECE_BYTES;
    if (missing < bytes)
        bytes = (ptrdiff_t)missing;
    (void)sandbox_spend(L, sandbox_of(L), (size_t)bytes);
    return bytes;
}

// Moves to the start of the n-th character behind `at`; returns how many are missing.
static lua_Integer utf8_forward(lua_State *L, const char **at, const char *end, lua_Integer n) {
    const char *here = *at;
    while (n > 0 && here < end) {
        ptrdiff_t bytes = utf8_stride(L, end - here, n);
        n -= utf8_starts(here + 1, bytes);
        here += bytes;
    }
    *at = here;
    return n;
}

// Likewise to the n-th before it. The first byte counts as a start, whatever it is.
static lua_Integer utf8_backward(lua_State *L, const char **at, const char *text, lua_Integer n) {
    const char *here = *at;
    while (n > 0 && here > text) {
        ptrdiff_t bytes = utf8_stride(L, here - text, n);
        here -= bytes;
        n -= utf8_starts(here, bytes);
        if (here == text && utf8_continues(here))
            n--;
    }
    *at = here;
    return n;
}

static int utf8_offset(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer n = sandbox_check_integer(L, 2);
    lua_Integer usual = n >= 0 ? 1 : (lua_Integer)length + 1;
    lua_Integer position = utf8_position(sandbox_opt_integer(L, 3, usual), length);
    luaL_argcheck(L, 1 <= position && position - 1 <= (lua_Integer)length, 3,
                  "position out of bounds");
    const char *at = text + position - 1;
    lua_Integer missing = 0;
    if (n == 0) {
        // The start of the character that this byte belongs to.
        if (utf8_continues(at))
            (void)utf8_backward(L, &at, text, 1);
    } else {
        if (utf8_continues(at))
            return luaL_error(L, "initial position is a continuation byte");
        // No string has as many characters as the smallest integer, negated, would be.
        missing = n > 0 ? utf8_forward(L, &at, text + length, n - 1)
                        : utf8_backward(L, &at, text, n == LUA_MININTEGER ? LUA_MAXINTEGER : -n);
    }
    if (missing == 0)
        lua_pushinteger(L, at - text + 1);
    else
        luaL_pushfail(L);
    return 1;
}

// The next character behind the one at position `control`, as a generic for asks for it.
static int utf8_next(lua_State *L, bool strictly) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Unsigned control = (lua_Unsigned)lua_tointeger(L, 2);
    if (control >= length)
        return 0;
    const char *at = text + control;
    while (utf8_continues(at)) {
        const char *start = at;
        while (utf8_continues(at) && at < start + UTF8_PIECE_BYTES)
            at++;
        (void)sandbox_spend(L, sandbox, (size_t)(at - start));
    }
    if (at >= text + length)
        return 0;
    unsigned code;
    const char *next = utf8_decode(at, &code, strictly);
    // Up to 5.4.4 bytes that continue nothing were skipped.
    bool stray = LUA_VERSION_RELEASE_NUM >= 50405 && next != NULL && utf8_continues(next);
    if (next == NULL || stray)
        return luaL_error(L, "invalid UTF-8 code");
    lua_pushinteger(L, at - text + 1);
    lua_pushinteger(L, code);
    return 2;
}

static int utf8_next_strictly(lua_State *L) {
    return utf8_next(L, true);
}

static int utf8_next_laxly(lua_State *L) {
    return utf8_next(L, false);
}

static int utf8_codes(lua_State *L) {
    bool lax = lua_toboolean(L, 2);
    bool stray = utf8_continues(luaL_checkstring(L, 1));
    luaL_argcheck(L, !stray || LUA_VERSION_RELEASE_NUM < 50405, 1, "invalid UTF-8 code");
    lua_pushcfunction(L, lax ? utf8_next_laxly : utf8_next_strictly);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

const luaL_Reg sandbox_utf8_functions[] = {
    {"char", utf8_char}, {"codepoint", utf8_codepoint}, {"codes", utf8_codes},
    {"len", utf8_len},   {"offset", utf8_offset},       {NULL, NULL},
};
