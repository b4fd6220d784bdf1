// SPDX-License-Identifier: Apache-2.0
// Strings as numbers. Lua's own conversion reads a string several times without a look at the
// clock; a long one is first brought to a short one of the same value, with looks.
//
// What decides a float is its first 800 significant digits (768 decimal ones are the most that a
// double needs to be rounded right) and whether any behind them is not zero.
#include "sandbox.h"

#include <string.h>

// Up to here Lua's conversion takes some microseconds.
#define NUMBER_SHORT_BYTES    ((size_t)1024)
#define NUMBER_DIGITS_MAX     800u
#define NUMBER_HEX_DIGITS_MAX 64u
// An exponent beyond this is infinite or zero, whatever the number of digits.
#define NUMBER_EXPONENT_MAX ((int64_t)1 << 40)

// Reads a long numeral from left to right.
struct number {
    lua_State *L;
    struct sandbox *sandbox;
    const char *at, *end;
    bool hex, negative;
    bool has_point, has_exponent, has_digits;
    bool sticky;       // a digit behind those that were kept is not zero
    size_t kept;       // significant digits in `text`, from `first` on
    size_t first;      // ... after the sign and 0x
    int64_t exponent;  // of the digits that were kept, in digits
    uint64_t low_bits; // of a hexadecimal integer
    char text[NUMBER_DIGITS_MAX + 64];
};

static bool number_is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int number_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

static inline void number_spend(lua_State *L, struct sandbox *sandbox, const char *at) {
    if (((uintptr_t)at & 255) == 0)
        (void)sandbox_spend(L, sandbox, 256);
}

static const char *number_skip_spaces(lua_State *L, const char *at, const char *end) {
    struct sandbox *sandbox = sandbox_of(L);
    for (; at < end && number_is_space(*at); at++)
        number_spend(L, sandbox, at);
    return at;
}

static void number_take_sign(struct number *number) {
    if (number->at < number->end && (*number->at == '-' || *number->at == '+'))
        number->negative = *number->at++ == '-';
    number->hex =
        number->end - number->at >= 2 && number->at[0] == '0' && (number->at[1] | 0x20) == 'x';
    if (number->hex)
        number->at += 2;
    if (number->negative)
        number->text[number->first++] = '-';
    if (number->hex) {
        memcpy(number->text + number->first, "0x", 2);
        number->first += 2;
    }
}

static void number_take_digit(struct number *number, int digit) {
    size_t most = number->hex ? NUMBER_HEX_DIGITS_MAX : NUMBER_DIGITS_MAX;
    number->has_digits = true;
    number->low_bits = number->low_bits << 4 | (unsigned)digit;
    if (number->kept == 0 && digit == 0) {
        number->exponent -= number->has_point ? 1 : 0;
    } else if (number->kept < most) {
        number->text[number->first + number->kept++] = *number->at;
        number->exponent -= number->has_point ? 1 : 0;
    } else {
        number->sticky = number->sticky || digit != 0;
        number->exponent += number->has_point ? 0 : 1;
    }
}

static void number_take_digits(struct number *number) {
    int base = number->hex ? 16 : 10;
    for (; number->at < number->end; number->at++) {
        int digit = number_digit(*number->at);
        number_spend(number->L, number->sandbox, number->at);
        if (digit < base)
            number_take_digit(number, digit);
        else if (*number->at == '.' && !number->has_point)
            number->has_point = true;
        else
            break;
    }
}

// The exponent that is written, saturated. False: there is none behind its letter.
static bool number_take_exponent(struct number *number, int64_t *written) {
    *written = 0;
    if (number->at == number->end || (*number->at | 0x20) != (number->hex ? 'p' : 'e'))
        return true;
    number->has_exponent = true;
    number->at++;
    bool negative = number->at < number->end && *number->at == '-';
    if (negative || (number->at < number->end && *number->at == '+'))
        number->at++;
    const char *digits = number->at;
    for (; number->at < number->end && *number->at >= '0' && *number->at <= '9'; number->at++) {
        number_spend(number->L, number->sandbox, number->at);
        if (*written < NUMBER_EXPONENT_MAX)
            *written = *written * 10 + (*number->at - '0');
    }
    if (negative)
        *written = -*written;
    return number->at > digits;
}

// Six digits are enough for the C library: more digits than were kept do not reach back.
static int64_t number_clamp(int64_t exponent) {
    if (exponent > 999999)
        return 999999;
    return exponent < -999999 ? -999999 : exponent;
}

static void number_write_exponent(char *to, char letter, int64_t exponent) {
    uint64_t rest = exponent < 0 ? 0 - (uint64_t)exponent : (uint64_t)exponent;
    *to++ = letter;
    *to++ = exponent < 0 ? '-' : '+';
    for (uint64_t place = 1000000; place > 0; place /= 10)
        *to++ = (char)('0' + rest / place % 10);
    *to = '\0';
}

// Writes the short numeral behind what was kept. A hexadecimal integer is its low bits, as in Lua.
static void number_finish(struct number *number, int64_t written) {
    char *to = number->text + number->first + number->kept;
    if (number->kept == 0)
        *to++ = '0';
    if (number->sticky)
        *to++ = '1';
    *to = '\0';
    if (number->has_point || number->has_exponent || number->exponent != 0 || number->sticky) {
        int64_t exponent = number->exponent - (number->sticky ? 1 : 0);
        if (number->hex)
            number_write_exponent(to, 'p', number_clamp(4 * exponent + written));
        else
            number_write_exponent(to, 'e', number_clamp(exponent + written));
    }
}

static __attribute__((noinline)) bool number_convert_long(lua_State *L, const char *text,
                                                          size_t length) {
    struct number number = {.L = L, .sandbox = sandbox_of(L)};
    int64_t written;
    number.end = text + length;
    number.at = number_skip_spaces(L, text, number.end);
    number_take_sign(&number);
    number_take_digits(&number);
    if (!number.has_digits || !number_take_exponent(&number, &written) ||
        number_skip_spaces(L, number.at, number.end) != number.end)
        return false;
    if (number.hex && !number.has_point && !number.has_exponent) {
        uint64_t value = number.negative ? 0 - number.low_bits : number.low_bits;
        lua_pushinteger(L, (lua_Integer)value);
        return true;
    }
    number_finish(&number, written);
    return lua_stringtonumber(L, number.text) != 0;
}

bool sandbox_string_to_number(lua_State *L, int index) {
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    if (length > NUMBER_SHORT_BYTES)
        return number_convert_long(L, text, length);
    size_t read = lua_stringtonumber(L, text);
    if (read == length + 1)
        return true;
    lua_pop(L, read != 0 ? 1 : 0); // a number, but a zero follows it
    return false;
}

// Puts the number in place of the numeral, so that what follows is short.
static void number_replace(lua_State *L, int argument) {
    if (lua_type(L, argument) != LUA_TSTRING || lua_rawlen(L, argument) <= NUMBER_SHORT_BYTES)
        return;
    if (!sandbox_string_to_number(L, argument))
        lua_pushliteral(L, "");
    lua_replace(L, argument);
}

lua_Integer sandbox_slow_integer(lua_State *L, int argument) {
    number_replace(L, argument);
    return luaL_checkinteger(L, argument);
}

lua_Number sandbox_slow_number(lua_State *L, int argument) {
    number_replace(L, argument);
    return luaL_checknumber(L, argument);
}

// A string of digits in `base`, modulo 2^64.
static bool number_in_base(lua_State *L, lua_Integer base, lua_Integer *result) {
    struct sandbox *sandbox = sandbox_of(L);
    size_t length;
    const char *at = lua_tolstring(L, 1, &length);
    const char *end = at + length;
    at = number_skip_spaces(L, at, end);
    bool negative = at < end && *at == '-';
    if (negative || (at < end && *at == '+'))
        at++;
    const char *digits = at;
    uint64_t value = 0;
    for (; at < end; at++) {
        int digit = number_digit(*at);
        number_spend(L, sandbox, at);
        if (digit >= base)
            break;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    *result = (lua_Integer)(negative ? 0 - value : value);
    return at > digits && number_skip_spaces(L, at, end) == end;
}

static int number_tonumber(lua_State *L) {
    if (lua_isnoneornil(L, 2)) {
        int type = lua_type(L, 1);
        if (type == LUA_TNUMBER) {
            lua_settop(L, 1);
            return 1;
        }
        if (type == LUA_TSTRING && sandbox_string_to_number(L, 1))
            return 1;
        luaL_checkany(L, 1);
    } else {
        lua_Integer base = sandbox_check_integer(L, 2), value;
        luaL_checktype(L, 1, LUA_TSTRING);
        luaL_argcheck(L, 2 <= base && base <= 36, 2, "base out of range");
        if (number_in_base(L, base, &value)) {
            lua_pushinteger(L, value);
            return 1;
        }
    }
    luaL_pushfail(L);
    return 1;
}

static int number_select(lua_State *L) {
    int n = lua_gettop(L);
    if (lua_type(L, 1) == LUA_TSTRING && *lua_tostring(L, 1) == '#') {
        lua_pushinteger(L, n - 1);
        return 1;
    }
    lua_Integer from = sandbox_check_integer(L, 1);
    if (from < 0)
        from += n;
    luaL_argcheck(L, from >= 1, 1, "index out of range");
    return from < n ? n - (int)from : 0;
}

static int number_error(lua_State *L) {
    int level = (int)sandbox_opt_integer(L, 2, 1);
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
        luaL_where(L, level);
        lua_insert(L, 1);
        sandbox_need_memory(L, sandbox_of(L), lua_rawlen(L, -1));
        lua_concat(L, 2);
    }
    return lua_error(L);
}

const luaL_Reg sandbox_number_functions[] = {
    {"tonumber", number_tonumber},
    {"select", number_select},
    {"error", number_error},
    {NULL, NULL},
};
