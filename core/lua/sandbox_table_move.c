// SPDX-License-Identifier: Apache-2.0
// table.insert, remove and move. Between tables without metatables elements are moved by the raw
// functions. Everywhere else each may be read and written by code of the script's, in the order
// that stock Lua has; what is to be moved is then in a userdata, so that a pause can pass.
//
// Every loop runs as long as an argument or a __len says, so it books its steps.
#include "sandbox_table.h"

struct table_move {
    int source, target;   // slots
    lua_Integer from, to; // indices of the first element
    lua_Unsigned done, n;
    bool upwards;         // the first element first
    lua_CFunction finish; // called when all are moved
};

// The context of a continuation is the slot of the userdata.
static int move_again(lua_State *L, int status, lua_KContext slot);

static lua_Integer move_add(lua_Integer index, lua_Unsigned places) {
    return (lua_Integer)((lua_Unsigned)index + places);
}

// The next element is on top.
static void move_put(lua_State *L, int slot, struct table_move *move) {
    lua_Unsigned place = move->upwards ? move->done : move->n - 1 - move->done;
    lua_pushinteger(L, move_add(move->to, place));
    lua_insert(L, -2);
    move->done++;
    if (sandbox_newindex(L, move->target))
        lua_callk(L, 3, 0, slot, move_again);
}

static int move_got(lua_State *L, int status, lua_KContext slot) {
    (void)status;
    move_put(L, (int)slot, lua_touserdata(L, (int)slot));
    return move_again(L, LUA_OK, slot);
}

static int move_again(lua_State *L, int status, lua_KContext slot) {
    struct table_move *move = lua_touserdata(L, (int)slot);
    (void)status;
    while (move->done < move->n) {
        if (sandbox_spend(L, sandbox_of(L), 1))
            return sandbox_pause(L, slot, move_again);
        lua_Unsigned place = move->upwards ? move->done : move->n - 1 - move->done;
        lua_pushinteger(L, move_add(move->from, place));
        if (sandbox_index(L, move->source))
            lua_callk(L, 2, 1, slot, move_got);
        move_put(L, (int)slot, move);
    }
    return move->finish(L);
}

// Behind a fence, which `finish` has to take away.
static int move_begin(lua_State *L, const struct table_move *what) {
    struct table_move *move = lua_newuserdatauv(L, sizeof *move, 0);
    *move = *what;
    return move_again(L, LUA_OK, lua_gettop(L));
}

static int move_end(lua_State *L, int status, lua_KContext results) {
    (void)status;
    sandbox_unfence(sandbox_of(L));
    return (int)results;
}

// Writes the value on top, the last thing to do, and returns what is below it if there are results.
static int move_write_last(lua_State *L, lua_Integer index, int results) {
    lua_pushinteger(L, index);
    lua_insert(L, -2);
    if (sandbox_newindex(L, 1))
        lua_callk(L, 3, 0, results, move_end);
    return move_end(L, LUA_OK, results);
}

// Stack: table, position, value.
static int insert_finish(lua_State *L) {
    lua_settop(L, 3);
    return move_write_last(L, lua_tointeger(L, 2), 0);
}

// Likewise; the elements above `index` have moved up.
static int insert_plainly(lua_State *L, int status, lua_KContext index) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer position = lua_tointeger(L, 2);
    (void)status;
    for (lua_Integer i = index; i > position; i--) {
        (void)lua_geti(L, 1, i - 1);
        lua_seti(L, 1, i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i - 1, insert_plainly);
    }
    lua_seti(L, 1, position);
    return 0;
}

static int insert_at(lua_State *L, lua_Integer length, bool plain) {
    lua_Integer end = move_add(length, 1); // wraps around
    switch (lua_gettop(L)) {
    case 2:
        if (!plain) {
            sandbox_fence(L, sandbox_of(L));
            return move_write_last(L, end, 0);
        }
        lua_seti(L, 1, end);
        return 0;
    case 3:
        break;
    default:
        return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_Integer position = sandbox_check_integer(L, 2);
    luaL_argcheck(L, (lua_Unsigned)position - 1 < (lua_Unsigned)end, 2, "position out of bounds");
    if (plain)
        return insert_plainly(L, LUA_OK, end);
    sandbox_fence(L, sandbox_of(L));
    return move_begin(L, &(struct table_move){
                             .source = 1,
                             .target = 1,
                             .from = position,
                             .to = move_add(position, 1),
                             .n = end > position ? (lua_Unsigned)end - (lua_Unsigned)position : 0,
                             .finish = insert_finish,
                         });
}

static int insert_sized(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return insert_at(L, sandbox_take_length(L), false);
}

static int table_insert(lua_State *L) {
    if (sandbox_table_is_plain(L, 1))
        return insert_at(L, (lua_Integer)lua_rawlen(L, 1), true);
    sandbox_ask_length(L, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE, insert_sized);
    return insert_sized(L, LUA_OK, 0);
}

// Stack: table, the index that becomes free, the removed value.
static int remove_finish(lua_State *L) {
    lua_settop(L, 3);
    lua_pushnil(L);
    return move_write_last(L, lua_tointeger(L, 2), 1);
}

// Stack: table, length, the removed value. The elements up to `index` have moved down.
static int remove_plainly(lua_State *L, int status, lua_KContext index) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer length = lua_tointeger(L, 2);
    lua_Integer i = index;
    (void)status;
    for (; i < length; i++) {
        (void)lua_geti(L, 1, i + 1);
        lua_seti(L, 1, i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i + 1, remove_plainly);
    }
    lua_pushnil(L);
    lua_seti(L, 1, i);
    return 1;
}

// Stack: table, length, the removed value.
static int remove_got(lua_State *L, int status, lua_KContext position) {
    lua_Integer length = lua_tointeger(L, 2);
    (void)status;
    bool moves = position < length;
    if (!moves) {
        lua_pushinteger(L, position);
        lua_replace(L, 2);
    }
    return move_begin(L, &(struct table_move){
                             .source = 1,
                             .target = 1,
                             .from = move_add(position, 1),
                             .to = position,
                             .n = moves ? (lua_Unsigned)length - (lua_Unsigned)position : 0,
                             .upwards = true,
                             .finish = remove_finish,
                         });
}

static int remove_at(lua_State *L, lua_Integer length, bool plain) {
    // Up to 5.4.4 the error named the table.
    const int blamed = LUA_VERSION_RELEASE_NUM >= 50405 ? 2 : 1;
    lua_Integer position = sandbox_opt_integer(L, 2, length);
    luaL_argcheck(L, position == length || (lua_Unsigned)position - 1 <= (lua_Unsigned)length,
                  blamed, "position out of bounds");
    lua_settop(L, 1);
    lua_pushinteger(L, length);
    if (plain) {
        (void)lua_geti(L, 1, position);
        return remove_plainly(L, LUA_OK, position);
    }
    sandbox_fence(L, sandbox_of(L));
    lua_pushinteger(L, position);
    if (sandbox_index(L, 1))
        lua_callk(L, 2, 1, position, remove_got);
    return remove_got(L, LUA_OK, position);
}

static int remove_sized(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return remove_at(L, sandbox_take_length(L), false);
}

static int table_remove(lua_State *L) {
    if (sandbox_table_is_plain(L, 1))
        return remove_at(L, (lua_Integer)lua_rawlen(L, 1), true);
    sandbox_ask_length(L, SANDBOX_TABLE_READ | SANDBOX_TABLE_WRITE, remove_sized);
    return remove_sized(L, LUA_OK, 0);
}

// Stack: from, first, last, to, and the destination or nil.
static int move_target(lua_State *L) {
    return lua_isnil(L, 5) ? 1 : 5;
}

static int move_finish(lua_State *L) {
    lua_pushvalue(L, move_target(L));
    return move_end(L, LUA_OK, 1);
}

// `moved` elements are done.
static int move_up_plainly(lua_State *L, int status, lua_KContext moved) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = lua_tointeger(L, 2);
    lua_Integer n = lua_tointeger(L, 3) - first + 1;
    lua_Integer to = lua_tointeger(L, 4);
    int target = move_target(L);
    (void)status;
    for (lua_Integer i = moved; i < n; i++) {
        (void)lua_geti(L, 1, first + i);
        lua_seti(L, target, to + i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i + 1, move_up_plainly);
    }
    lua_pushvalue(L, target);
    return 1;
}

// `left` elements are to be done.
static int move_down_plainly(lua_State *L, int status, lua_KContext left) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_Integer first = lua_tointeger(L, 2);
    lua_Integer to = lua_tointeger(L, 4);
    int target = move_target(L);
    (void)status;
    for (lua_Integer i = left - 1; i >= 0; i--) {
        (void)lua_geti(L, 1, first + i);
        lua_seti(L, target, to + i);
        if (sandbox_spend(L, sandbox, 1))
            return sandbox_pause(L, i, move_down_plainly);
    }
    lua_pushvalue(L, target);
    return 1;
}

static int move_all(lua_State *L, bool upwards) {
    lua_Integer first = lua_tointeger(L, 2);
    lua_Integer n = lua_tointeger(L, 3) - first + 1;
    int target = move_target(L);
    if (sandbox_table_is_plain(L, 1) && sandbox_table_is_plain(L, target))
        return upwards ? move_up_plainly(L, LUA_OK, 0) : move_down_plainly(L, LUA_OK, n);
    sandbox_fence(L, sandbox_of(L));
    return move_begin(L, &(struct table_move){
                             .source = 1,
                             .target = target,
                             .from = first,
                             .to = lua_tointeger(L, 4),
                             .n = (lua_Unsigned)n,
                             .upwards = upwards,
                             .finish = move_finish,
                         });
}

static int move_compared(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    sandbox_unfence(sandbox_of(L));
    bool same = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return move_all(L, !same);
}

static int table_move(lua_State *L) {
    lua_Integer first = sandbox_check_integer(L, 2);
    lua_Integer last = sandbox_check_integer(L, 3);
    lua_Integer to = sandbox_check_integer(L, 4);
    int target = lua_isnoneornil(L, 5) ? 1 : 5;
    sandbox_table_check(L, 1, SANDBOX_TABLE_READ);
    sandbox_table_check(L, target, SANDBOX_TABLE_WRITE);
    lua_settop(L, 5);
    if (last < first) {
        lua_pushvalue(L, target);
        return 1;
    }
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer n = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - n + 1, 4, "destination wrap around");
    // Upwards grows a table best, but would overwrite what is still to be moved.
    if (to > last || to <= first)
        return move_all(L, true);
    if (target == 1)
        return move_all(L, false);
    sandbox_fence(L, sandbox_of(L));
    if (sandbox_equal(L, 1, target))
        lua_callk(L, 2, 1, 0, move_compared);
    return move_compared(L, LUA_OK, 0);
}

const luaL_Reg sandbox_move_functions[] = {
    {"insert", table_insert},
    {"remove", table_remove},
    {"move", table_move},
    {NULL, NULL},
};
