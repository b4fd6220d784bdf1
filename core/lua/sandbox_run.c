// SPDX-License-Identifier: Apache-2.0
// Running script code, pausing it and stopping it.
//
// To pause, the hook yields; a coroutine inside the call passes the yield on to its parent
// (sandbox_coroutine.c), so that lua_resume of `call` returns. To stop, it does the same and `call`
// is dropped: nothing of the script runs again, neither pcall nor __close. Where a C function
// stands between that a yield cannot pass (xpcall's handler, __close of coroutine.close), a pause
// is not taken, and a stop raises an error, again at every instruction until the stack is gone;
// every catcher that a script can reach raises it anew.
#include "preempt_timer.h"
#include "sandbox_call.h"
#include "sandbox_fronts.h"

// Without the timer: instructions between two looks at the clock, some microseconds.
#ifndef SANDBOX_COUNT
#define SANDBOX_COUNT 1000
#endif

// Without the timer: looks after which a call has lasted for a while.
#define SANDBOX_LASTING_LOOKS 64u

static void sandbox_hook(lua_State *L, lua_Debug *where);

void sandbox_arm(struct sandbox *sandbox) {
    int calls = sandbox->closing > 0 ? LUA_MASKCALL : 0;
    lua_sethook(sandbox->running, sandbox_hook, LUA_MASKCOUNT | calls, 1);
}

// Back to how the hook is between two calls for it. Setting one visits every frame of the
// coroutine, so only if it is not already as it should be.
static void sandbox_disarm(const struct sandbox *sandbox, lua_State *L) {
    int count = sandbox->timed ? 0 : SANDBOX_COUNT;
    int mask = (count != 0 ? LUA_MASKCOUNT : 0) | (sandbox->closing > 0 ? LUA_MASKCALL : 0);
    if (lua_gethookmask(L) != mask || (count != 0 && lua_gethookcount(L) != count))
        lua_sethook(L, mask != 0 ? sandbox_hook : NULL, mask, count);
}

// In the signal handler. A run of a millisecond is due for a look.
static void sandbox_fire(void *target, uintptr_t pc) {
    struct sandbox *sandbox = target;
    sandbox->due = 1;
    sandbox_arm(sandbox);
    sandbox_consider_cut(sandbox, pc);
}

void sandbox_enter_timer(struct sandbox *sandbox) {
    sandbox->due = 0;
    sandbox->cut.overdue_ns = 0; // or an earlier run that ended without a look would count
    sandbox->steps_left = SANDBOX_POLL_STEPS;
    sandbox->timed = sandbox->limits->preempt == SERVICE_PREEMPT_TIMER &&
                     preempt_timer_enter(sandbox_fire, sandbox);
    sandbox->preempt.late_ns = sandbox->timed ? PREEMPT_TIMER_TICK_NS : 0;
}

void sandbox_leave_timer(struct sandbox *sandbox) {
    if (sandbox->timed)
        preempt_timer_leave();
    sandbox->timed = false;
}

bool sandbox_can_yield(const struct sandbox *sandbox, lua_State *L) {
    return sandbox->pinned == 0 && lua_isyieldable(L);
}

void sandbox_leave(lua_State *L, enum sandbox_stop stop) {
    struct sandbox *sandbox = sandbox_of(L);
    if (sandbox->stop == SANDBOX_GO)
        sandbox->stop = stop;
    if (sandbox_can_yield(sandbox, L)) {
        (void)lua_yield(L, 0);
        return; // only a hook comes back here, and returns to the VM, which then yields
    }
    sandbox_arm(sandbox);
    lua_pushnil(L);
    (void)lua_error(L);
}

void sandbox_rethrow(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    if (sandbox->stop != SANDBOX_GO)
        sandbox_leave(L, sandbox->stop);
}

enum sandbox_stop sandbox_stop_for(enum preempt_verdict verdict) {
    switch (verdict) {
    case PREEMPT_TIME:
        return SANDBOX_STOP_TIME;
    case PREEMPT_INTERRUPT:
        return SANDBOX_STOP_INTERRUPT;
    case PREEMPT_CLOSE:
        return SANDBOX_STOP_CLOSE;
    case PREEMPT_GO:
    case PREEMPT_PAUSE:
        break;
    }
    return SANDBOX_GO;
}

enum preempt_verdict sandbox_look(struct sandbox *sandbox) {
    sandbox->due = 0;
    sandbox->looks++;
    sandbox->outside++;
    enum preempt_verdict verdict = preempt_look(&sandbox->preempt);
    sandbox->outside--;
    return verdict;
}

// Prepares for a long call once it has lasted for a while.
static void sandbox_notice_lasting(struct sandbox *sandbox, lua_State *L) {
    uint32_t least_looks = sandbox->timed ? 1 : SANDBOX_LASTING_LOOKS;
    if (sandbox->lasting || sandbox->looks - sandbox->looks_before < least_looks)
        return;
    sandbox->lasting = true;
    sandbox_open_used_fronts(L);
    (void)lua_gc(L, LUA_GCINC, SANDBOX_GC_PAUSE_LONG, 0, 0);
}

static void sandbox_hook(lua_State *L, lua_Debug *where) {
    struct sandbox *sandbox = sandbox_of(L);
    if (where->event != LUA_HOOKCOUNT && sandbox->stop == SANDBOX_GO) {
        if (sandbox_stack_is_low())
            sandbox_leave(L, SANDBOX_STOP_DEPTH);
        return;
    }
    if (sandbox->stop != SANDBOX_GO) {
        sandbox->looks++; // it is on its way out
        sandbox_leave(L, sandbox->stop);
        return;
    }
    sandbox_disarm(sandbox, L);
    bool can_pause = sandbox_can_yield(sandbox, L);
    // Armed because of the memory, the hook may come long before a slice is over.
    bool due = !sandbox->timed || sandbox->due || !sandbox->memory_full;
    enum preempt_verdict verdict = due ? sandbox_look(sandbox) : PREEMPT_GO;
    sandbox_notice_lasting(sandbox, L);
    if (verdict == PREEMPT_GO && sandbox->memory_full)
        verdict = sandbox_hook_memory(sandbox, L, can_pause);
    if (verdict == PREEMPT_GO && sandbox->pause_owed)
        verdict = PREEMPT_PAUSE;
    enum sandbox_stop stop = sandbox_stop_for(verdict);
    if (sandbox->stop != SANDBOX_GO || verdict == PREEMPT_GO)
        return;
    if (stop != SANDBOX_GO) {
        sandbox_leave(L, stop);
    } else if (can_pause) {
        sandbox->pausing = true;
        (void)lua_yield(L, 0);
    } else if (sandbox->memory_full) {
        sandbox_arm(sandbox); // the collection is still due
    }
}

// What a dropped call held is garbage now. If it may be much, the next call collects first.
void sandbox_drop(struct sandbox *sandbox) {
    sandbox_drop_call(sandbox);
    sandbox_fresh_call(sandbox);
    if (arena_live_bytes(sandbox->arena) > sandbox->limits->memory_bytes / 2)
        sandbox->memory_full = true;
}

int sandbox_close_pending(struct sandbox *sandbox, lua_State *L, lua_State *co) {
    int fences = sandbox->fences;
    sandbox->pinned += 1;
#if LUA_VERSION_RELEASE_NUM < 50408
    sandbox_forget_handler(co);
#endif
#if LUA_VERSION_RELEASE_NUM >= 50406
    sandbox_switch(sandbox, co);
    int status = lua_closethread(co, L);
#else
    // Counts C levels from where `co` was resumed last, not from here; as long as that goes on, the
    // hook looks at the stack at every call.
    (void)L;
    sandbox->closing += 1;
    sandbox_switch(sandbox, co);
    int status = lua_resetthread(co);
    sandbox->closing -= 1;
#endif
    sandbox->pinned -= 1;
    sandbox_drop_fences(sandbox, fences);
    return status;
}

void sandbox_switch(struct sandbox *sandbox, lua_State *co) {
    sandbox->running = co;
    if (sandbox->memory_full || sandbox->due)
        sandbox_arm(sandbox);
    else
        sandbox_disarm(sandbox, co);
}

// The script raised an error that nobody caught. The stack is as it was then: first the traceback,
// then the pending variables are closed, which may replace the error and may itself be stopped.
static void sandbox_failed(struct sandbox *sandbox) {
    luaL_traceback(sandbox->main, sandbox->call, NULL, 0);
    (void)sandbox_close_pending(sandbox, sandbox->main, sandbox->call);
    if (sandbox->stop == SANDBOX_GO && sandbox_is_overflow(sandbox->call))
        sandbox->stop = SANDBOX_STOP_DEPTH;
    lua_xmove(sandbox->main, sandbox->call, 1);
    lua_insert(sandbox->call, -2);
    sandbox->phase = SANDBOX_LUA_ERROR;
}

void sandbox_resume(struct sandbox *sandbox, int arguments) {
    lua_State *call = sandbox->call;
    lua_State *floor = sandbox_floor(sandbox);
    sandbox->pinned = 0;
    sandbox->closing = 0;
    sandbox->pausing = false;
    sandbox->pause_owed = false;
    sandbox_switch(sandbox, call);
    int status = lua_resume(call, floor, arguments, &sandbox->results);
    if (status != LUA_OK && status != LUA_YIELD && sandbox->stop == SANDBOX_GO) {
        if (sandbox_is_overflow(call))
            sandbox->stop = SANDBOX_STOP_DEPTH;
        else
            sandbox_failed(sandbox);
    } else {
        sandbox->phase = status == LUA_OK ? SANDBOX_RESULTS : SANDBOX_RESUME;
    }
    sandbox->running = sandbox->main;
    if (sandbox->stop != SANDBOX_GO && status != LUA_OK) {
        sandbox_drop(sandbox);
        sandbox->phase = SANDBOX_LIMIT;
    }
}
