// SPDX-License-Identifier: Apache-2.0
// Lua values as events. Runs outside any Lua call and calls no metamethod, so nothing can raise;
// strings are passed by reference and stay on the stack of `call` until the next request.
//
// Whether a table is a sequence is found out while emitting it as one; the rare table that looked
// like one and is not starts the reply over, counting every table first.
#include "sandbox_fronts.h"

#include <math.h>
#include <string.h>

// Without the timer: how many values between two looks at the clock and the stop word.
#define EMIT_LOOK_EVERY 256u

// The version byte, and the tuple and atom of {ok, _}.
#define EMIT_AROUND ((size_t)(1 + 2 + 2 + sizeof "ok" - 1))

// Results that mean: what the sink holds is void, `phase` says what to do instead.
enum { EMIT_VOID = 1 };

// The tables that are open now, innermost first: a table inside itself is a cycle.
struct emit_frame {
    const void *table;
    const struct emit_frame *outer;
    uint32_t depth;
};

struct emit {
    struct sandbox *sandbox;
    lua_State *L;
    struct term_sink *sink;
    size_t budget_bytes; // of external term format that the reply may still take
    uint32_t until_look;
    int path; // stack index of the path's table once something cannot cross
    lua_Integer path_length;
};

static int emit_value(struct emit *emit, int index, const struct emit_frame *outer);

static int emit_limit(struct emit *emit, enum sandbox_stop stop) {
    emit->sandbox->stop = stop;
    emit->sandbox->phase = SANDBOX_LIMIT;
    return EMIT_VOID;
}

static int emit_refuse(struct emit *emit) {
    emit->sandbox->phase = SANDBOX_BADTERM;
    if (!lua_checkstack(emit->L, 8))
        return emit_limit(emit, SANDBOX_STOP_MEMORY);
    lua_newtable(emit->L);
    emit->path = lua_gettop(emit->L);
    return EMIT_VOID;
}

// On the way out of what cannot cross: each level adds its key, so the path comes out reversed.
static int emit_at(struct emit *emit, int code, int key) {
    if (code == EMIT_VOID && emit->sandbox->phase == SANDBOX_BADTERM) {
        lua_pushvalue(emit->L, key);
        lua_rawseti(emit->L, emit->path, ++emit->path_length);
    }
    return code;
}

static int emit_at_index(struct emit *emit, int code, lua_Integer index) {
    if (code == EMIT_VOID && emit->sandbox->phase == SANDBOX_BADTERM) {
        lua_pushinteger(emit->L, index);
        lua_rawseti(emit->L, emit->path, ++emit->path_length);
    }
    return code;
}

static int emit_look(struct emit *emit) {
    emit->until_look = EMIT_LOOK_EVERY;
    enum sandbox_stop stop = sandbox_stop_for(sandbox_look(emit->sandbox));
    return stop == SANDBOX_GO ? 0 : emit_limit(emit, stop);
}

// Before each value: tables can be such that finding the next entry takes long.
static int emit_step(struct emit *emit) {
    bool look = emit->sandbox->timed ? emit->sandbox->due != 0 : --emit->until_look == 0;
    return look ? emit_look(emit) : 0;
}

// Books `bytes` of external term format.
static int emit_spend(struct emit *emit, size_t bytes) {
    if (bytes > emit->budget_bytes)
        return emit_limit(emit, SANDBOX_STOP_REPLY);
    emit->budget_bytes -= bytes;
    return emit_step(emit);
}

static size_t emit_integer_bytes(lua_Integer value) {
    if (value >= 0 && value <= 255)
        return 2;
    if (value >= INT32_MIN && value <= INT32_MAX)
        return 5;
    size_t bytes = 3 + 4; // tag, length, sign; four bytes or more
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (size >>= 32; size > 0; size >>= 8)
        bytes++;
    return bytes;
}

// As core/etf_write.c writes them.
static size_t emit_scalar_bytes(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return 2 + sizeof "nil" - 1;
    case LUA_TBOOLEAN:
        return 2 + (lua_toboolean(L, index) ? sizeof "true" : sizeof "false") - 1;
    case LUA_TSTRING:
        return 5 + lua_rawlen(L, index);
    default:
        return 9; // a float
    }
}

static int emit_number(lua_State *L, int index, struct term_sink *sink) {
    if (lua_isinteger(L, index))
        return term_integer(sink, lua_tointeger(L, index));
    lua_Number value = lua_tonumber(L, index);
    return isfinite(value) ? term_real(sink, value) : EMIT_VOID;
}

static int emit_boolean(struct term_sink *sink, int value) {
    return value ? TERM_ATOM(sink, "true") : TERM_ATOM(sink, "false");
}

int sandbox_emit_scalar(lua_State *L, int index, struct term_sink *sink) {
    size_t length;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return TERM_ATOM(sink, "nil");
    case LUA_TBOOLEAN:
        return emit_boolean(sink, lua_toboolean(L, index));
    case LUA_TNUMBER:
        return emit_number(L, index, sink);
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        return term_bytes(sink, text, length);
    }
    default:
        return EMIT_VOID;
    }
}

// As sandbox_emit_scalar, booking what it takes.
static int emit_scalar(struct emit *emit, int index) {
    lua_State *L = emit->L;
    if (lua_isinteger(L, index)) {
        lua_Integer value = lua_tointeger(L, index);
        int code = emit_spend(emit, emit_integer_bytes(value));
        return code != 0 ? code : term_integer(emit->sink, value);
    }
    int code = emit_spend(emit, emit_scalar_bytes(L, index));
    if (code != 0)
        return code;
    code = sandbox_emit_scalar(L, index, emit->sink);
    return code == EMIT_VOID ? emit_refuse(emit) : code;
}

static int emit_map(struct emit *emit, int table, const struct emit_frame *frame) {
    lua_State *L = emit->L;
    size_t pairs = 0;
    int code = emit_spend(emit, 5);
    if (code == 0)
        code = term_begin(emit->sink, TERM_MAP, 0);
    if (code != 0)
        return code;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        int key = lua_gettop(L) - 1;
        code = emit_scalar(emit, key); // a key that cannot cross: its place is the map
        if (code != 0)
            return code;
        code = emit_value(emit, key + 1, frame);
        if (code != 0)
            return emit_at(emit, code, key);
        lua_settop(L, key);
        pairs++;
    }
    return term_end(emit->sink, TERM_MAP, pairs);
}

static int emit_start_over(struct emit *emit) {
    emit->sandbox->careful_tables = true;
    return EMIT_VOID;
}

// As a sequence of `n`; starts over if it turns out to be none.
static int emit_list(struct emit *emit, int table, size_t n, const struct emit_frame *frame) {
    lua_State *L = emit->L;
    size_t index = 0;
    int code = emit_spend(emit, 6);
    if (code == 0)
        code = term_begin(emit->sink, TERM_LIST, n);
    if (code != 0)
        return code;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        int key = lua_gettop(L) - 1;
        index++;
        if (!lua_isinteger(L, key) || lua_tointeger(L, key) != (lua_Integer)index)
            return emit_start_over(emit);
        code = emit_value(emit, key + 1, frame);
        if (code != 0)
            return emit_at(emit, code, key);
        lua_settop(L, key);
    }
    return index == n ? term_end(emit->sink, TERM_LIST, n) : emit_start_over(emit);
}

// The same in the order 1..n, for a sequence that was counted.
static int emit_counted_list(struct emit *emit, int table, size_t n,
                             const struct emit_frame *frame) {
    lua_State *L = emit->L;
    int code = emit_spend(emit, 6);
    if (code == 0)
        code = term_begin(emit->sink, TERM_LIST, n);
    for (size_t index = 1; index <= n && code == 0; index++) {
        (void)lua_rawgeti(L, table, (lua_Integer)index);
        code = emit_value(emit, lua_gettop(L), frame);
        if (code != 0)
            return emit_at_index(emit, code, (lua_Integer)index);
        lua_pop(L, 1);
    }
    return code != 0 ? code : term_end(emit->sink, TERM_LIST, n);
}

// How many entries a table has if its keys are exactly 1..n, otherwise 0.
static int emit_count_sequence(struct emit *emit, int table, size_t *n) {
    lua_State *L = emit->L;
    lua_Integer entries = 0, largest = 0;
    *n = 0;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        lua_Integer key = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        int code = emit_step(emit);
        if (code != 0)
            return code;
        if (key <= 0) {
            lua_pop(L, 1);
            return 0;
        }
        entries++;
        largest = key > largest ? key : largest;
    }
    *n = entries == largest ? (size_t)entries : 0;
    return 0;
}

static int emit_empty(struct emit *emit) {
    enum term_kind kind = emit->sandbox->empty_as_map ? TERM_MAP : TERM_LIST;
    int code = emit_spend(emit, kind == TERM_MAP ? 5 : 1);
    if (code == 0)
        code = term_begin(emit->sink, kind, 0);
    return code != 0 ? code : term_end(emit->sink, kind, 0);
}

static bool emit_is_empty(lua_State *L, int table) {
    lua_pushnil(L);
    if (lua_next(L, table) == 0)
        return true;
    lua_pop(L, 2);
    return false;
}

static int emit_table(struct emit *emit, int table, const struct emit_frame *outer) {
    lua_State *L = emit->L;
    struct emit_frame frame = {
        .table = lua_topointer(L, table),
        .outer = outer,
        .depth = outer != NULL ? outer->depth + 1 : 1,
    };
    if (frame.depth > emit->sandbox->limits->depth)
        return emit_refuse(emit);
    for (const struct emit_frame *open = outer; open != NULL; open = open->outer)
        if (open->table == frame.table)
            return emit_refuse(emit);
    if (!lua_checkstack(L, 8))
        return emit_limit(emit, SANDBOX_STOP_MEMORY);
    if (emit->sandbox->careful_tables) {
        size_t n;
        int code = emit_count_sequence(emit, table, &n);
        if (code != 0)
            return code;
        if (n > 0)
            return emit_counted_list(emit, table, n, &frame);
    } else {
        size_t n = lua_rawlen(L, table);
        if (n > 0)
            return emit_list(emit, table, n, &frame);
    }
    return emit_is_empty(L, table) && !sandbox_open_front(L, table) ? emit_empty(emit)
                                                                    : emit_map(emit, table, &frame);
}

static int emit_value(struct emit *emit, int index, const struct emit_frame *outer) {
    return lua_type(emit->L, index) == LUA_TTABLE ? emit_table(emit, index, outer)
                                                  : emit_scalar(emit, index);
}

static struct emit emit_start(struct sandbox *sandbox, struct term_sink *sink) {
    return (struct emit){
        .sandbox = sandbox,
        .L = sandbox->outcome,
        .sink = sink,
        .budget_bytes = sandbox->limits->reply_bytes - sandbox->printed_bytes,
        .until_look = EMIT_LOOK_EVERY,
    };
}

// The path was collected from the inside out; answers want it from the outside in.
static void emit_reverse_path(struct emit *emit) {
    lua_State *L = emit->L;
    lua_settop(L, emit->path);
    for (lua_Integer i = 1, j = emit->path_length; i < j; i++, j--) {
        (void)lua_rawgeti(L, emit->path, i);
        (void)lua_rawgeti(L, emit->path, j);
        lua_rawseti(L, emit->path, i);
        lua_rawseti(L, emit->path, j);
    }
}

static int emit_finish(struct emit *emit, int code) {
    if (code == EMIT_VOID && emit->sandbox->phase == SANDBOX_BADTERM)
        emit_reverse_path(emit);
    return code;
}

int sandbox_emit_results(struct sandbox *sandbox, int n, struct term_sink *sink) {
    struct emit emit = emit_start(sandbox, sink);
    int first = lua_gettop(emit.L) - n + 1;
    int code = lua_checkstack(emit.L, 8) ? emit_spend(&emit, EMIT_AROUND + (n == 0 ? 1 : 6))
                                         : emit_limit(&emit, SANDBOX_STOP_MEMORY);
    if (code == 0)
        code = term_begin(sink, TERM_LIST, (size_t)n);
    for (int i = 0; i < n && code == 0; i++) {
        code = emit_value(&emit, first + i, NULL);
        if (code != 0)
            code = emit_at_index(&emit, code, i + 1);
    }
    if (code == 0)
        return term_end(sink, TERM_LIST, (size_t)n);
    if ((code == EMIT_VOID || code == TERM_E_LATER) &&
        (sandbox->phase == SANDBOX_RESULTS || sandbox->phase == SANDBOX_ASK))
        lua_settop(emit.L, first + n - 1); // starting over: the values must be on top again
    return emit_finish(&emit, code);
}

int sandbox_emit_value(struct sandbox *sandbox, struct term_sink *sink) {
    struct emit emit = emit_start(sandbox, sink);
    int top = lua_gettop(emit.L);
    int code = emit_value(&emit, top, NULL);
    if (code == EMIT_VOID || code == TERM_E_LATER)
        lua_settop(emit.L, top);
    return code;
}
