// SPDX-License-Identifier: Apache-2.0
// The hook's questions, asked by C functions that run long without executing Lua code: no hook
// fires there, so they count their steps and come here every now and then.
#include "sandbox.h"

bool sandbox_poll(lua_State *L) {
    struct sandbox *sandbox = sandbox_of(L);
    sandbox->steps_left = SANDBOX_POLL_STEPS;
    if (sandbox->stop != SANDBOX_GO)
        sandbox_leave(L, sandbox->stop);
    if (sandbox_memory_spent(sandbox, L))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
    // With the timer nothing is due before its signal came; the clock is not read until then.
    if (!sandbox->timed || sandbox->due) {
        enum preempt_verdict verdict = sandbox_look(sandbox);
        enum sandbox_stop stop = sandbox_stop_for(verdict);
        if (stop != SANDBOX_GO)
            sandbox_leave(L, stop);
        if (verdict == PREEMPT_PAUSE)
            sandbox->pause_owed = true;
    }
    return sandbox->pause_owed && sandbox_can_yield(sandbox, L);
}

// The value that the script will get is at 1.
static int poll_moved_back(lua_State *L, int status, lua_KContext context) {
    (void)L, (void)status, (void)context;
    return 1;
}

int sandbox_moved(lua_State *L) {
    if (!sandbox_can_yield(sandbox_of(L), L))
        return luaL_error(L, "the stack cannot move during a __concat here");
    return sandbox_pause(L, 0, poll_moved_back);
}

int sandbox_pause(lua_State *L, lua_KContext context, lua_KFunction again) {
    sandbox_of(L)->pausing = true;
    return lua_yieldk(L, 0, context, again);
}
