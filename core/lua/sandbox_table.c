// SPDX-License-Identifier: Apache-2.0
// The table library but for concat and sort. Elements are read and written through metamethods, as
// the manual says; without a metatable lua_geti and lua_seti are as fast as the raw functions.
//
// Every loop runs as long as an argument or a __len says, so it books its steps. Those that hold
// nothing but an index can pause; the others go on until the call must end.
#include "sandbox_table.h"

#include <limits.h>

// Fewer values than this are made without asking for memory first.
#define TABLE_FEW 4096

// The context of a continuation is an index.
_Static_assert(sizeof(lua_KContext) >= sizeof(lua_Integer), "an index fits a context");

static bool table_metatable_has(lua_State *L, const char *event) {
    lua_pushstring(L, event);
    bool has = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

void sandbox_table_check(lua_State *L, int argument, unsigned uses) {
    if (lua_type(L, argument) == LUA_TTABLE)
        return;
    if (lua_getmetatable(L, argument)) {
        bool acts = ((uses & SANDBOX_TABLE_READ) == 0 || table_metatable_has(L, "__index")) &&
                    ((uses & SANDBOX_TABLE_WRITE) == 0 || table_metatable_has(L, "__newindex")) &&
                    ((uses & SANDBOX_TABLE_LENGTH) == 0 || table_metatable_has(L, "__len"));
        lua_pop(L, 1);
        if (acts)
            return;
    }
    luaL_checktype(L, argument, LUA_TTABLE);
}

bool sandbox_table_is_plain(lua_State *L, int argument) {
    if (lua_type(L, argument) != LUA_TTABLE)
        return false;
    if (!lua_getmetatable(L, argument))
        return true;
    lua_pop(L, 1);
    return false;
}

void sandbox_ask_length(lua_State *L, unsigned uses, lua_KFunction again) {
    sandbox_table_check(L, 1, uses | SANDBOX_TABLE_LENGTH);
    sandbox_fence(L, sandbox_of(L));
    if (sandbox_length(L, 1))
        lua_callk(L, 2, 1, 0, again);
}

lua_Integer sandbox_take_length(lua_State *L) {
    int is_integer;
    lua_Integer length = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
        (void)luaL_error(L, "object length is not an integer");
    lua_pop(L, 1);
    sandbox_unfence(sandbox_of(L));
    return length;
}

lua_Integer sandbox_table_length(lua_State *L, int argument, unsigned uses) {
    if (sandbox_table_is_plain(L, argument))
        return (lua_Integer)lua_rawlen(L, argument);
    sandbox_table_check(L, argument, uses | SANDBOX_TABLE_LENGTH);
    return luaL_len(L, argument);
}

// Ends the call for its memory unless `n` values more would fit.
static void table_make_room(lua_State *L, size_t n) {
    if (n > TABLE_FEW && !sandbox_memory_fits(sandbox_of(L), L, n * SANDBOX_TABLE_VALUE_BYTES))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
}

// Stack: table, position, value. The elements above `index` have moved up.
static int table_insert_shift(lua_State *L, int status, lua_KContext index) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer position = lua_tointeger(L, 2);
    (void)status;
    for (lua_Integer i = index; i > position; i--) {
        lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i - 1, table_insert_shift);
    }
    lua_seti(L, 1, position);
    return 0;
}

static int table_insert(lua_State *L) {
    lua_Integer length = sandbox_table_length(L, 1, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE);
    lua_Integer end = (lua_Integer)((lua_Unsigned)length + 1); // wraps around
    switch (lua_gettop(L)) {
    case 2:
        lua_seti(L, 1, end);
        return 0;
    case 3: {
        lua_Integer position = sandbox_check_integer(L, 2);
        luaL_argcheck(L, (lua_Unsigned)position - 1 < (lua_Unsigned)end, 2,
                      "position out of bounds");
        return table_insert_shift(L, LUA_OK, end);
    }
    default:
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
}

// Stack: table, length, the removed value. The elements up to `index` have moved down.
static int table_remove_shift(lua_State *L, int status, lua_KContext index) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer length = lua_tointeger(L, 2);
    lua_Integer i = index;
    (void)status;
    for (; i < length; i++) {
        lua_geti(L, 1, i + 1);
        lua_seti(L, 1, i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i + 1, table_remove_shift);
    }
    lua_pushnil(L);
    lua_seti(L, 1, i);
    return 1;
}

static int table_remove(lua_State *L) {
    // Up to 5.4.4 the error named the table.
    const int blamed = LUA_VERSION_RELEASE_NUM >= 50405 ? 2 : 1;
    lua_Integer length = sandbox_table_length(L, 1, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE);
    lua_Integer position = sandbox_opt_integer(L, 2, length);
    luaL_argcheck(L, position == length || (lua_Unsigned)position - 1 <= (lua_Unsigned)length,
                  blamed, "position out of bounds");
    lua_settop(L, 1);
    lua_pushinteger(L, length);
    lua_geti(L, 1, position);
    return table_remove_shift(L, LUA_OK, position);
}

// Stack: from, first, last, to, and the destination or nil. `moved` elements are done.
static int table_move_up(lua_State *L, int status, lua_KContext moved) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = lua_tointeger(L, 2);
    lua_Integer n = lua_tointeger(L, 3) - first + 1;
    lua_Integer to = lua_tointeger(L, 4);
    int destination = lua_isnil(L, 5) ? 1 : 5;
    (void)status;
    for (lua_Integer i = moved; i < n; i++) {
        lua_geti(L, 1, first + i);
        lua_seti(L, destination, to + i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i + 1, table_move_up);
    }
    lua_pushvalue(L, destination);
    return 1;
}

// Likewise, from the last one downwards: `left` elements are to be done.
static int table_move_down(lua_State *L, int status, lua_KContext left) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = lua_tointeger(L, 2);
    lua_Integer to = lua_tointeger(L, 4);
    int destination = lua_isnil(L, 5) ? 1 : 5;
    (void)status;
    for (lua_Integer i = left - 1; i >= 0; i--) {
        lua_geti(L, 1, first + i);
        lua_seti(L, destination, to + i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i, table_move_down);
    }
    lua_pushvalue(L, destination);
    return 1;
}

static int table_move(lua_State *L) {
    lua_Integer first = sandbox_check_integer(L, 2);
    lua_Integer last = sandbox_check_integer(L, 3);
    lua_Integer to = sandbox_check_integer(L, 4);
    int destination = lua_isnoneornil(L, 5) ? 1 : 5;
    sandbox_table_check(L, 1, SANDBOX_TABLE_READ);
    sandbox_table_check(L, destination, SANDBOX_TABLE_WRITE);
    lua_settop(L, 5);
    if (last < first) {
        lua_pushvalue(L, destination);
        return 1;
    }
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer n = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
    // Upwards grows a table best, but would overwrite what is still to be moved.
    bool upwards =
        to > last || to <= first || (destination != 1 && !lua_compare(L, 1, destination, LUA_OPEQ));
    return upwards ? table_move_up(L, LUA_OK, 0) : table_move_down(L, LUA_OK, n);
}

static int table_pack(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    int n = lua_gettop(L);
    table_make_room(L, (size_t)n);
    lua_createtable(L, n, 1);
    lua_insert(L, 1);
    for (int i = n; i >= 1; i--) {
        lua_seti(L, 1, i);
        (void)sandbox_spend(L, sandbox, 1);
    }
    lua_pushinteger(L, n);
    lua_setfield(L, 1, "n");
    return 1;
}

static int table_unpack(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = sandbox_opt_integer(L, 2, 1);
    lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : sandbox_check_integer(L, 3);
    if (first > last)
        return 0;
    lua_Unsigned more = (lua_Unsigned)last - (lua_Unsigned)first; // but for one: no overflow
    if (more >= LUAI_MAXSTACK)
        return luaL_error(L, "too many results to unpack");
    int n = (int)more + 1;
    table_make_room(L, (size_t)n);
    if (!lua_checkstack(L, n))
        return luaL_error(L, "too many results to unpack");
    for (int i = 0; i < n; i++) {
        lua_geti(L, 1, first + i);
        (void)sandbox_spend(L, sandbox, 1);
    }
    return n;
}

const luaL_Reg sandbox_table_functions[] = {
    {"insert", table_insert}, {"remove", table_remove}, {"move", table_move},
    {"pack", table_pack},     {"unpack", table_unpack}, {NULL, NULL},
};
