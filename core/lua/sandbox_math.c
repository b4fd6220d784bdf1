// SPDX-License-Identifier: Apache-2.0
// The functions of math but for random and type. They are the C library's, as in stock Lua; what
// differs is that an argument may be a very long numeral (sandbox_check_number).
#include "sandbox_call.h"

#include <math.h>

#define MATH_PI 3.141592653589793238462643383279502884

// Inlined, so that the compiler may use an instruction for the function.
static inline __attribute__((always_inline)) int math_apply(lua_State *L,
                                                            double (*function)(double)) {
    lua_pushnumber(L, function(sandbox_check_number(L, 1)));
    return 1;
}

static int math_sin(lua_State *L) {
    return math_apply(L, sin);
}

static int math_cos(lua_State *L) {
    return math_apply(L, cos);
}

static int math_tan(lua_State *L) {
    return math_apply(L, tan);
}

static int math_asin(lua_State *L) {
    return math_apply(L, asin);
}

static int math_acos(lua_State *L) {
    return math_apply(L, acos);
}

static int math_sqrt(lua_State *L) {
    return math_apply(L, sqrt);
}

static int math_exp(lua_State *L) {
    return math_apply(L, exp);
}

static int math_deg(lua_State *L) {
    lua_pushnumber(L, sandbox_check_number(L, 1) * (180.0 / MATH_PI));
    return 1;
}

static int math_rad(lua_State *L) {
    lua_pushnumber(L, sandbox_check_number(L, 1) * (MATH_PI / 180.0));
    return 1;
}

static int math_atan(lua_State *L) {
    lua_Number y = sandbox_check_number(L, 1);
    lua_Number x = lua_isnoneornil(L, 2) ? 1 : sandbox_check_number(L, 2);
    lua_pushnumber(L, atan2(y, x));
    return 1;
}

static int math_log(lua_State *L) {
    lua_Number x = sandbox_check_number(L, 1);
    if (lua_isnoneornil(L, 2)) {
        lua_pushnumber(L, log(x));
        return 1;
    }
    lua_Number base = sandbox_check_number(L, 2);
    if (base == 2)
        lua_pushnumber(L, log2(x));
    else if (base == 10)
        lua_pushnumber(L, log10(x));
    else
        lua_pushnumber(L, log(x) / log(base));
    return 1;
}

static int math_abs(lua_State *L) {
    if (lua_isinteger(L, 1)) {
        lua_Integer value = lua_tointeger(L, 1);
        lua_pushinteger(L, value < 0 ? (lua_Integer)(0 - (lua_Unsigned)value) : value);
    } else {
        lua_pushnumber(L, fabs(sandbox_check_number(L, 1)));
    }
    return 1;
}

// An integer where the integral `value` fits one.
static void math_push_integral(lua_State *L, lua_Number value) {
    lua_Integer integer;
    if (lua_numbertointeger(value, &integer))
        lua_pushinteger(L, integer);
    else
        lua_pushnumber(L, value);
}

// Rounding by the conversion to an integer and back costs less than a call of floor or ceil. What
// fits no integer has no fraction, or is no number.
static inline __attribute__((always_inline)) int math_round(lua_State *L, bool up) {
    if (lua_isinteger(L, 1)) {
        lua_settop(L, 1);
        return 1;
    }
    lua_Number value = sandbox_check_number(L, 1);
    lua_Integer whole;
    if (!lua_numbertointeger(value, &whole))
        lua_pushnumber(L, value);
    else if (up)
        lua_pushinteger(L, whole + ((lua_Number)whole < value));
    else
        lua_pushinteger(L, whole - ((lua_Number)whole > value));
    return 1;
}

static int math_floor(lua_State *L) {
    return math_round(L, false);
}

static int math_ceil(lua_State *L) {
    return math_round(L, true);
}

static int math_modf(lua_State *L) {
    if (lua_isinteger(L, 1)) {
        lua_settop(L, 1);
        lua_pushnumber(L, 0);
        return 2;
    }
    lua_Number value = sandbox_check_number(L, 1);
    lua_Number whole = trunc(value);
    math_push_integral(L, whole);
    lua_pushnumber(L, value == whole ? 0 : value - whole); // infinity less infinity is none
    return 2;
}

static int math_fmod(lua_State *L) {
    if (!lua_isinteger(L, 1) || !lua_isinteger(L, 2)) {
        // In this order, because that is the order of the stock library's complaints.
        lua_Number divisor = sandbox_check_number(L, 2);
        lua_pushnumber(L, fmod(sandbox_check_number(L, 1), divisor));
        return 1;
    }
    lua_Integer divisor = lua_tointeger(L, 2);
    luaL_argcheck(L, divisor != 0, 2, "zero");
    // The least integer divided by -1 overflows.
    lua_pushinteger(L, divisor == -1 ? 0 : lua_tointeger(L, 1) % divisor);
    return 1;
}

// What extremes know, in the context of a continuation.
static lua_KContext extreme_context(bool largest, int best, int at) {
    return ((lua_KContext)best * 2 * LUAI_MAXSTACK + at) * 2 + largest;
}

static int extreme_answered(lua_State *L, int status, lua_KContext context);

// The best of the arguments before `at` is `best`.
static int extreme_from(lua_State *L, bool largest, int best, int at) {
    struct sandbox *sandbox = sandbox_of(L);
    for (int n = lua_gettop(L); at <= n; at++) {
        sandbox_fence(L, sandbox);
        if (sandbox_less(L, largest ? best : at, largest ? at : best))
            lua_callk(L, 2, 1, extreme_context(largest, best, at), extreme_answered);
        sandbox_unfence(sandbox);
        if (lua_toboolean(L, -1))
            best = at;
        lua_pop(L, 1);
        (void)sandbox_spend(L, sandbox, 1);
    }
    lua_pushvalue(L, best);
    return 1;
}

static int extreme_answered(lua_State *L, int status, lua_KContext context) {
    int at = (int)(context / 2 % (2 * LUAI_MAXSTACK));
    int best = (int)(context / 2 / (2 * LUAI_MAXSTACK));
    (void)status;
    sandbox_unfence(sandbox_of(L));
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return extreme_from(L, context % 2 != 0, less ? at : best, at + 1);
}

// The first of the arguments that none of the others comes before (or after). Like stock Lua's
// these compare, whatever the arguments are, strings and tables with __lt included.
static int math_extreme(lua_State *L, bool largest) {
    int n = lua_gettop(L), best = 1, at = 2;
    luaL_argcheck(L, n >= 1, 1, "value expected");
    if (lua_type(L, 1) == LUA_TNUMBER)
        for (; at <= n && lua_type(L, at) == LUA_TNUMBER; at++)
            if (lua_compare(L, largest ? best : at, largest ? at : best, LUA_OPLT))
                best = at;
    (void)sandbox_spend(L, sandbox_of(L), (size_t)at);
    if (at <= n) {
        luaL_checkstack(L, 4, "too many arguments");
        return extreme_from(L, largest, best, at);
    }
    lua_pushvalue(L, best);
    return 1;
}

static int math_max(lua_State *L) {
    return math_extreme(L, true);
}

static int math_min(lua_State *L) {
    return math_extreme(L, false);
}

static int math_ult(lua_State *L) {
    lua_Unsigned left = (lua_Unsigned)sandbox_check_integer(L, 1);
    lua_pushboolean(L, left < (lua_Unsigned)sandbox_check_integer(L, 2));
    return 1;
}

static int math_tointeger(lua_State *L) {
    int valid = 0;
    lua_Integer value = 0;
    if (lua_type(L, 1) != LUA_TSTRING)
        value = lua_tointegerx(L, 1, &valid);
    else if (sandbox_string_to_number(L, 1))
        value = lua_tointegerx(L, -1, &valid);
    if (valid) {
        lua_pushinteger(L, value);
    } else {
        luaL_checkany(L, 1);
        luaL_pushfail(L);
    }
    return 1;
}

const luaL_Reg sandbox_math_functions[] = {
    {"abs", math_abs},     {"acos", math_acos}, {"asin", math_asin}, {"atan", math_atan},
    {"ceil", math_ceil},   {"cos", math_cos},   {"deg", math_deg},   {"exp", math_exp},
    {"floor", math_floor}, {"fmod", math_fmod}, {"log", math_log},   {"max", math_max},
    {"min", math_min},     {"modf", math_modf}, {"rad", math_rad},   {"sin", math_sin},
    {"sqrt", math_sqrt},   {"tan", math_tan},   {"ult", math_ult},   {"tointeger", math_tointeger},
    {NULL, NULL},
};
