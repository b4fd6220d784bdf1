// SPDX-License-Identifier: Apache-2.0
// The Lua state's life: created in an arena, dropped with the arena. lua_close is never called: the
// sandbox has no finalizers and no foreign userdata, so there is nothing that a walk would release.
#include "lua_concat.h"
#include "sandbox_call.h"
#include "sandbox_fronts.h"

#include <string.h>

static void sandbox_full(void *context) {
    struct sandbox *sandbox = context;
    sandbox->memory_full = true;
    sandbox_arm(sandbox);
}

_Noreturn static void sandbox_spent(void *context, int code) {
    struct sandbox *sandbox = context;
    longjmp(*sandbox->escape, -code);
}

static void *sandbox_allocate(void *context, void *block, size_t old, size_t size) {
    struct sandbox *sandbox = context;
    sandbox->outside++;
    // For a new block Lua passes the kind of object in `old`.
    void *made = arena_realloc(sandbox->arena, block, block != NULL ? old : 0, size);
    sandbox->outside--;
    return made;
}

// An error outside lua_resume: none is expected, and the state cannot be trusted after it.
static int sandbox_panic(lua_State *L) {
    sandbox_spent(sandbox_of(L), SERVICE_E_BROKEN);
}

int sandbox_protect(struct sandbox *sandbox, int (*body)(struct sandbox *, void *), void *data) {
    jmp_buf here;
    jmp_buf *outer = sandbox->escape;
    sandbox->escape = &here;
    int escaped = setjmp(here);
    int code = escaped == 0 ? body(sandbox, data) : -escaped;
    if (escaped != 0) {
        sandbox_leave_timer(sandbox);
        sandbox->outside = 0;
    }
    sandbox->escape = outer;
    return code;
}

static int sandbox_create(struct sandbox *sandbox, void *data) {
    (void)data;
    lua_State *L = lua_newstate(sandbox_allocate, sandbox);
    if (L == NULL)
        return SERVICE_E_SYSTEM;
    sandbox->main = L;
    sandbox->running = L;
    *(struct sandbox **)lua_getextraspace(L) = sandbox;
    (void)lua_atpanic(L, sandbox_panic);
    (void)lua_gc(L, LUA_GCINC, SANDBOX_GC_PAUSE, 0, 0);
    lua_sethook(L, NULL, 0, 0); // bound now: its first call must not come from a signal handler
#if LUA_VERSION_RELEASE_NUM < 50408
    if (!sandbox_find_handler(L))
        return SERVICE_E_SYSTEM;
#endif
    sandbox_open_libraries(L);
#if LUA_VERSION_RELEASE_NUM == 50404
    lua_pushcfunction(L, sandbox_moved);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_CONCAT_MOVED);
#endif
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->chunks);
    sandbox_fresh_call(sandbox);
    return 0;
}

int sandbox_start(struct sandbox *sandbox) {
    size_t soft_bytes = sandbox->limits->memory_bytes;
    struct arena_config config = {
        .host = sandbox->host,
        .soft_bytes = soft_bytes,
        .hard_bytes = soft_bytes + sandbox_slack_bytes(sandbox->limits),
        .full = sandbox_full,
        .spent = sandbox_spent,
        .context = sandbox,
    };
    sandbox->main = sandbox->call = sandbox->outcome = sandbox->running = NULL;
    memset(sandbox->floors, 0, sizeof sandbox->floors);
    sandbox->soft_bytes = soft_bytes;
    sandbox->pinned = 0;
    sandbox->pausing = false;
    sandbox->asking = false;
    memset(sandbox->random, 0, sizeof sandbox->random);
    sandbox->memory_full = false;
    sandbox->lasting = false;
    sandbox->fronts = (struct sandbox_fronts){.used = 0};
    sandbox->chunks = 0;
    sandbox->printed = 0;
    sandbox->printed_bytes = 0;
    memset(sandbox->random, 0, sizeof sandbox->random);
    sandbox_prepare_cut();
    // These ask the system now: a confined host may forbid it later.
    (void)sandbox_stack_is_low();
    sandbox_prepare_secret();
    sandbox_prepare_dates();
    int code = arena_open(&config, &sandbox->arena);
    if (code < 0)
        return code;
    code = sandbox_protect(sandbox, sandbox_create, NULL);
    if (code == 0 && sandbox->seeded)
        sandbox_seed_random(sandbox->main, sandbox->seed);
    if (code < 0)
        sandbox_finish(sandbox);
    return code;
}

void sandbox_finish(struct sandbox *sandbox) {
    if (sandbox->arena != NULL)
        arena_close(sandbox->arena);
    sandbox->arena = NULL;
    sandbox->main = sandbox->call = sandbox->outcome = sandbox->running = NULL;
    memset(sandbox->floors, 0, sizeof sandbox->floors);
}

void sandbox_fresh_call(struct sandbox *sandbox) {
    lua_State *L = sandbox->main;
    if (sandbox->call == NULL) {
        sandbox->call = lua_newthread(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &sandbox->call);
    }
    lua_settop(sandbox->call, 0);
    sandbox->outcome = sandbox->call;
}

void sandbox_drop_call(struct sandbox *sandbox) {
    // A coroutine without its sandbox is refused by the library functions that could resume it.
    *(struct sandbox **)lua_getextraspace(sandbox->call) = NULL;
    sandbox->call = NULL;
}

void *sandbox_take_state(lua_State *L, const void *key, size_t bytes) {
    bool *state = NULL;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TUSERDATA)
        state = lua_touserdata(L, -1);
    if (state == NULL || *state) {
        lua_pop(L, 1);
        state = lua_newuserdatauv(L, bytes, 0);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    }
    *state = true;
    return state;
}
