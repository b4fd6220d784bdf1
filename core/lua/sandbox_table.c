// SPDX-License-Identifier: Apache-2.0
// What the table library shares, and its functions pack and unpack.
//
// Every loop runs as long as an argument or a __len says, so it books its steps.
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
    if (uses != SANDBOX_TABLE_ANY)
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

// Ends the call for its memory unless `n` values more would fit.
static void table_make_room(lua_State *L, size_t n) {
    if (n > TABLE_FEW && !sandbox_memory_fits(sandbox_of(L), L, n * SANDBOX_TABLE_VALUE_BYTES))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
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

static int unpack_more(lua_State *L, int status, lua_KContext done);

// Stack: table, first, last, and the elements that are there already.
static int unpack_from(lua_State *L, int done) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = sandbox_opt_integer(L, 2, 1);
    lua_Integer last = sandbox_check_integer(L, 3);
    int n = (int)(last - first) + 1;
    for (; done < n; done++) {
        (void)sandbox_spend(L, sandbox, 1);
        lua_pushinteger(L, first + done);
        if (sandbox_index(L, 1))
            lua_callk(L, 2, 1, done, unpack_more);
    }
    sandbox_unfence(sandbox);
    return n;
}

static int unpack_more(lua_State *L, int status, lua_KContext done) {
    (void)status;
    return unpack_from(L, (int)done + 1);
}

static int unpack_range(lua_State *L, lua_Integer first, lua_Integer last) {
    struct sandbox *sandbox = sandbox_of(L);
    if (first > last)
        return 0;
    lua_Unsigned more = (lua_Unsigned)last - (lua_Unsigned)first; // but for one: no overflow
    if (more >= LUAI_MAXSTACK)
        return luaL_error(L, "too many results to unpack");
    int n = (int)more + 1;
    table_make_room(L, (size_t)n);
    bool plain = sandbox_table_is_plain(L, 1);
    if (!lua_checkstack(L, n + (plain ? 0 : LUA_MINSTACK)))
        return luaL_error(L, "too many results to unpack");
    if (!plain) {
        lua_settop(L, 2);
        lua_pushinteger(L, last);
        sandbox_fence(L, sandbox);
        return unpack_from(L, 0);
    }
    for (int i = 0; i < n; i++) {
        (void)lua_geti(L, 1, first + i);
        (void)sandbox_spend(L, sandbox, 1);
    }
    return n;
}

static int unpack_sized(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    lua_Integer last = sandbox_take_length(L);
    return unpack_range(L, sandbox_opt_integer(L, 2, 1), last);
}

static int table_unpack(lua_State *L) {
    lua_Integer first = sandbox_opt_integer(L, 2, 1);
    if (!lua_isnoneornil(L, 3))
        return unpack_range(L, first, sandbox_check_integer(L, 3));
    if (sandbox_table_is_plain(L, 1))
        return unpack_range(L, first, (lua_Integer)lua_rawlen(L, 1));
    sandbox_ask_length(L, SANDBOX_TABLE_ANY, unpack_sized);
    return unpack_sized(L, LUA_OK, 0);
}

const luaL_Reg sandbox_table_functions[] = {
    {"pack", table_pack},
    {"unpack", table_unpack},
    {NULL, NULL},
};
