// SPDX-License-Identifier: Apache-2.0
// Arithmetic on strings: the metamethods that the string library gives to all strings.
#include "sandbox_call.h"

static bool coerce_push(lua_State *L, int index) {
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER)
        lua_pushvalue(L, index);
    return type == LUA_TNUMBER || (type == LUA_TSTRING && sandbox_string_to_number(L, index));
}

static int coerce_answered(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    sandbox_unfence(sandbox_of(L));
    return 1;
}

// Not two numbers: the other operand may have a metamethod of its own.
static int coerce_try_other(lua_State *L, const char *event) {
    lua_settop(L, 2);
    if (lua_type(L, 2) == LUA_TSTRING || luaL_getmetafield(L, 2, event) == LUA_TNIL) {
        const char *names[2] = {luaL_typename(L, 1), luaL_typename(L, 2)};
        luaL_error(L, "attempt to %s a '%s' with a '%s'", event + 2, names[0], names[1]);
    }
    lua_insert(L, 1);
    sandbox_fence(L, sandbox_of(L));
    lua_callk(L, 2, 1, 0, coerce_answered);
    return coerce_answered(L, LUA_OK, 0);
}

static int coerce_arithmetic(lua_State *L, int operation, const char *event) {
    if (!coerce_push(L, 1) || !coerce_push(L, 2))
        return coerce_try_other(L, event);
    lua_arith(L, operation);
    return 1;
}

static int coerce_add(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPADD, "__add");
}

static int coerce_sub(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPSUB, "__sub");
}

static int coerce_mul(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPMUL, "__mul");
}

static int coerce_mod(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPMOD, "__mod");
}

static int coerce_pow(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPPOW, "__pow");
}

static int coerce_div(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPDIV, "__div");
}

static int coerce_idiv(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPIDIV, "__idiv");
}

// As for every unary operator, both operands are the one there is. lua_arith wants it once.
static int coerce_unm(lua_State *L) {
    return coerce_arithmetic(L, LUA_OPUNM, "__unm");
}

const luaL_Reg sandbox_coerce_metamethods[] = {
    {"__add", coerce_add},   {"__sub", coerce_sub}, {"__mul", coerce_mul},
    {"__mod", coerce_mod},   {"__pow", coerce_pow}, {"__div", coerce_div},
    {"__idiv", coerce_idiv}, {"__unm", coerce_unm}, {NULL, NULL},
};
