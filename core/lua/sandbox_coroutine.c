// SPDX-License-Identifier: Apache-2.0
// The coroutine library of the sandbox. As the manual says, and three things more: the sandbox
// always knows which coroutine runs, a pause passes through every level to the host, and a stopped
// coroutine can neither be resumed nor hide that it was stopped.
//
// To the script the call's own coroutine is the main one: it cannot yield and is not a coroutine to
// coroutine.running.
#include "sandbox_call.h"

enum { COROUTINE_FAILED = -1, COROUTINE_PAUSED = -2 };

static lua_State *coroutine_argument(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "thread");
    return co;
}

static bool coroutine_was_dropped(lua_State *co) {
    return sandbox_of(co) == NULL;
}

static void coroutine_drop(lua_State *co) {
    *(struct sandbox **)lua_getextraspace(co) = NULL;
}

// Resumes `co`, whose arguments lie on its own stack and which has that many fences: none, but
// after a pause. Returns how many results were moved to L, or COROUTINE_FAILED with the error
// object on top of L, or COROUTINE_PAUSED: L must then yield and come back here with no arguments,
// and with the fences of `co` as they are then.
static int coroutine_go_on(lua_State *L, lua_State *co, int arguments, lua_KContext *fences) {
    struct sandbox *sandbox = sandbox_of(L);
    int results;
    int own_fences = sandbox->fences;
    int pins = lua_isyieldable(L) ? 0 : 1;
    sandbox->pinned += pins;
    sandbox->fences = (int)*fences;
    sandbox_switch(sandbox, co);
    int status = lua_resume(co, L, arguments, &results);
    sandbox_switch(sandbox, L);
    if (status != LUA_YIELD || !sandbox->pausing)
        sandbox_drop_fences(sandbox, 0);
    *fences = sandbox->fences;
    sandbox->fences = own_fences;
    sandbox->pinned -= pins;
    if (sandbox->stop != SANDBOX_GO) {
        coroutine_drop(co);
        sandbox_leave(L, sandbox->stop);
    }
    if (status == LUA_YIELD && sandbox->pausing)
        return COROUTINE_PAUSED;
    if (status != LUA_OK && status != LUA_YIELD) {
        if (sandbox_is_overflow(co))
            sandbox_leave(L, SANDBOX_STOP_DEPTH);
        lua_xmove(co, L, 1);
        return COROUTINE_FAILED;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return COROUTINE_FAILED;
    }
    lua_xmove(co, L, results);
    return results;
}

static int coroutine_start(lua_State *L, lua_State *co, int arguments, lua_KContext *fences) {
    if (coroutine_was_dropped(co)) {
        lua_pushliteral(L, "cannot resume dead coroutine");
        return COROUTINE_FAILED;
    }
    if (!lua_checkstack(co, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return COROUTINE_FAILED;
    }
    lua_xmove(L, co, arguments);
    return coroutine_go_on(L, co, arguments, fences);
}

static int coroutine_resumed(lua_State *L, int moved, lua_KContext fences);

static int coroutine_resume_again(lua_State *L, int status, lua_KContext fences) {
    (void)status;
    int moved = coroutine_go_on(L, lua_tothread(L, 1), 0, &fences);
    return coroutine_resumed(L, moved, fences);
}

static int coroutine_resumed(lua_State *L, int moved, lua_KContext fences) {
    if (moved == COROUTINE_PAUSED)
        return lua_yieldk(L, 0, fences, coroutine_resume_again);
    int values = moved == COROUTINE_FAILED ? 1 : moved;
    lua_pushboolean(L, moved != COROUTINE_FAILED);
    lua_insert(L, -(values + 1));
    return values + 1;
}

static int coroutine_resume(lua_State *L) {
    lua_State *co = coroutine_argument(L);
    lua_KContext fences = 0;
    int moved = coroutine_start(L, co, lua_gettop(L) - 1, &fences);
    return coroutine_resumed(L, moved, fences);
}

// Closes the pending variables of a suspended or failed coroutine, whose __close functions run now.
static int coroutine_close_pending(lua_State *L, lua_State *co) {
    struct sandbox *sandbox = sandbox_of(L);
    if (sandbox_stack_is_low())
        sandbox_leave(L, SANDBOX_STOP_DEPTH);
    int status = sandbox_close_pending(sandbox, L, co);
    sandbox_switch(sandbox, L);
    if (sandbox->stop != SANDBOX_GO)
        sandbox_leave(L, sandbox->stop);
    if (status != LUA_OK && sandbox_is_overflow(co))
        sandbox_leave(L, SANDBOX_STOP_DEPTH);
    return status;
}

static int coroutine_wrapped(lua_State *L, int moved, lua_KContext fences);

static int coroutine_wrap_again(lua_State *L, int status, lua_KContext fences) {
    (void)status;
    int moved = coroutine_go_on(L, lua_tothread(L, lua_upvalueindex(1)), 0, &fences);
    return coroutine_wrapped(L, moved, fences);
}

static int coroutine_wrapped(lua_State *L, int moved, lua_KContext fences) {
    if (moved == COROUTINE_PAUSED)
        return lua_yieldk(L, 0, fences, coroutine_wrap_again);
    if (moved >= 0)
        return moved;
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int status = coroutine_was_dropped(co) ? LUA_OK : lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        // The error object that closing leaves on top of co may be another one.
        lua_pop(L, 1);
        (void)coroutine_close_pending(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_call_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    lua_KContext fences = 0;
    int moved = coroutine_start(L, co, lua_gettop(L), &fences);
    return coroutine_wrapped(L, moved, fences);
}

static int coroutine_create(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int coroutine_wrap(lua_State *L) {
    (void)coroutine_create(L);
    lua_pushcclosure(L, coroutine_call_wrapped, 1);
    return 1;
}

static int coroutine_yield(lua_State *L) {
    if (L == sandbox_of(L)->call) {
        lua_pushliteral(L, "attempt to yield from outside a coroutine"); // without a position
        return lua_error(L);
    }
    if (sandbox_is_fenced(L)) {
        lua_pushliteral(L, "attempt to yield across a C-call boundary"); // likewise
        return lua_error(L);
    }
    return lua_yield(L, lua_gettop(L));
}

static const char *coroutine_state(lua_State *L, lua_State *co) {
    lua_Debug frame;
    if (L == co)
        return "running";
    if (coroutine_was_dropped(co))
        return "dead";
    switch (lua_status(co)) {
    case LUA_YIELD:
        return "suspended";
    case LUA_OK:
        if (lua_getstack(co, 0, &frame))
            return "normal";
        return lua_gettop(co) == 0 ? "dead" : "suspended";
    default:
        return "dead";
    }
}

static int coroutine_status(lua_State *L) {
    lua_pushstring(L, coroutine_state(L, coroutine_argument(L)));
    return 1;
}

static int coroutine_isyieldable(lua_State *L) {
    lua_State *co = lua_isnone(L, 1) ? L : coroutine_argument(L);
    bool yieldable = co != sandbox_of(L)->call && lua_isyieldable(co);
    lua_pushboolean(L, yieldable && (coroutine_was_dropped(co) || !sandbox_is_fenced(co)));
    return 1;
}

static int coroutine_running(lua_State *L) {
    (void)lua_pushthread(L);
    lua_pushboolean(L, L == sandbox_of(L)->call);
    return 2;
}

static int coroutine_close(lua_State *L) {
    lua_State *co = coroutine_argument(L);
    const char *state = coroutine_state(L, co);
    if (*state != 'd' && *state != 's')
        return luaL_error(L, "cannot close a %s coroutine", state);
    if (coroutine_was_dropped(co) || coroutine_close_pending(L, co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

const luaL_Reg sandbox_coroutine_library[] = {
    {"create", coroutine_create},
    {"resume", coroutine_resume},
    {"running", coroutine_running},
    {"status", coroutine_status},
    {"wrap", coroutine_wrap},
    {"yield", coroutine_yield},
    {"isyieldable", coroutine_isyieldable},
    {"close", coroutine_close},
    {NULL, NULL},
};
