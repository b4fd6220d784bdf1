// SPDX-License-Identifier: Apache-2.0
// Functions of the owner's that a script can call. The call yields to the host as for a pause, and
// the step ends with the question; the next request brings the answer, and the script goes on.
//
// While a question is open, `call` is suspended and its stack is nobody else's, so question and
// answer pass through the stack of `main`. The call's time stands still meanwhile.
#include "sandbox.h"

// In the registry under &sandbox->asking: {name, arguments...; n}, then {ok, results...; n}. Takes
// the topmost n values of L.
static void ask_keep(struct sandbox *sandbox, lua_State *L, int n) {
    lua_createtable(L, n, 1);
    lua_insert(L, -(n + 1));
    for (int i = n; i >= 1; i--)
        lua_rawseti(L, -(i + 1), i);
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "n");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->asking);
}

// Onto the empty stack of L; how many values.
static int ask_unpack(struct sandbox *sandbox, lua_State *L) {
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox->asking);
    (void)lua_getfield(L, 1, "n");
    int n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (!lua_checkstack(L, n + 8))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    for (int i = 1; i <= n; i++)
        (void)lua_rawgeti(L, 1, i);
    lua_remove(L, 1);
    return n;
}

static int ask_answered(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    struct sandbox *sandbox = sandbox_of(L);
    lua_settop(L, 0);
    int n = ask_unpack(sandbox, L);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->asking);
    if (lua_toboolean(L, 1))
        return n - 1;
    lua_settop(L, 2);
    return lua_error(L);
}

// Upvalue 1 is the name.
static int ask_question(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    if (!sandbox_can_yield(sandbox, L))
        return luaL_error(
            L,
            "'%s' is the owner's and cannot be called from here: a function in C, such "
            "as coroutine.close, is in between",
            lua_tostring(L, lua_upvalueindex(1)));
    luaL_checkstack(L, 4, "too many arguments");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    ask_keep(sandbox, L, lua_gettop(L));
    sandbox->asking = true;
    return sandbox_pause(L, 0, ask_answered);
}

void sandbox_push_question(lua_State *L, const char *name, size_t length) {
    (void)lua_pushlstring(L, name, length);
    lua_pushcclosure(L, ask_question, 1);
}

// The arguments fitted a stack before, so they fit this one.
void sandbox_put_question(struct sandbox *sandbox) {
    lua_State *L = sandbox->main;
    lua_settop(L, 0);
    sandbox->outcome = L;
    sandbox->results = ask_unpack(sandbox, L) - 1;
    sandbox->phase = SANDBOX_ASK;
    preempt_hold(&sandbox->preempt);
}

// Goes on with the answer on the stack of `main`: {ok, results...}.
static void ask_go_on(struct sandbox *sandbox) {
    lua_State *L = sandbox->main;
    ask_keep(sandbox, L, lua_gettop(L));
    sandbox->outcome = sandbox->call;
    sandbox->asking = false;
    sandbox->phase = SANDBOX_RESUME;
}

static void ask_end(struct sandbox *sandbox) {
    sandbox->asking = false;
    sandbox_drop(sandbox);
    sandbox->outcome = sandbox->call;
    sandbox->phase = SANDBOX_LIMIT;
}

// With BADTERM the path to the value is on top of main, the number of the argument first, and the
// name at the bottom.
void sandbox_fail_question(struct sandbox *sandbox) {
    lua_State *L = sandbox->main;
    if (sandbox->phase != SANDBOX_BADTERM) {
        ask_end(sandbox);
        return;
    }
    (void)lua_rawgeti(L, -1, 1);
    lua_Integer argument = lua_tointeger(L, -1);
    (void)lua_pushfstring(L, "bad argument #%d to '%s' (value cannot cross to the owner)",
                          (int)argument, lua_tostring(L, 1));
    lua_replace(L, 2);
    lua_pushboolean(L, 0);
    lua_replace(L, 1);
    lua_settop(L, 2);
    preempt_go_on(&sandbox->preempt);
    ask_go_on(sandbox);
}

int sandbox_take_answer(struct sandbox *sandbox, struct term_source *source) {
    lua_settop(sandbox->main, 0);
    sandbox->outcome = sandbox->main;
    preempt_go_on(&sandbox->preempt);
    int code = sandbox_walk_request(sandbox, source);
    if (code == 0 && sandbox->phase == SANDBOX_START)
        sandbox->phase = sandbox->verb == SANDBOX_ANSWER ? SANDBOX_ANSWERED : SANDBOX_UNSUPPORTED;
    return code;
}

void sandbox_answer(struct sandbox *sandbox) {
    lua_State *L = sandbox->main;
    // Somebody may have interrupted the call while its owner was thinking: the host says so, or the
    // answer does.
    enum sandbox_stop stop = sandbox_stop_for(preempt_peek(&sandbox->preempt));
    if (stop == SANDBOX_GO && sandbox->phase == SANDBOX_ANSWERED && lua_type(L, 1) == LUA_TSTRING)
        stop = SANDBOX_STOP_INTERRUPT;
    if (stop != SANDBOX_GO) {
        sandbox->stop = stop;
        sandbox->phase = SANDBOX_LIMIT;
    }
    switch (sandbox->phase) {
    case SANDBOX_ANSWERED:
        ask_go_on(sandbox);
        break;
    case SANDBOX_BADTERM:
        lua_settop(L, 0);
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "a result of the owner's function cannot cross");
        ask_go_on(sandbox);
        break;
    case SANDBOX_LIMIT:
        ask_end(sandbox);
        break;
    default: // some other request: the question stays open
        lua_settop(L, 0);
        lua_pushliteral(L, "call inside a function of the owner's");
        preempt_hold(&sandbox->preempt);
        sandbox->phase = SANDBOX_UNSUPPORTED;
        break;
    }
}
