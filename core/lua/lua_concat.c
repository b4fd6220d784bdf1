// SPDX-License-Identifier: Apache-2.0
// Keeps a fault of some builds of Lua 5.4.4 from scripts: Debian 12's has it. Lua's own release has
// not; it came with a correction for CVE-2022-33099 that was taken over without the one that
// upstream made to it three days later ("'luaV_concat' can use invalidated pointer to stack").
//
// luaV_concat (lvm.c) remembers the top of the stack while it calls a __concat, and uses it
// afterwards. If the stack was reallocated in between, that is memory which was freed: any script
// with a __concat that calls something can crash the host, or worse.
//
// build-aux/lua-library finds out whether the static library has the fault and then makes
// luaV_concat call lua_tryconcat instead of luaT_tryconcatTM. Where the stack moved, that does not
// return. It yields, and when the coroutine goes on, Lua finishes the instruction as it does after
// a __concat that yielded (luaV_finishOp), with a top that is right.
#include "lua_concat.h"

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_RELEASE_NUM == 50404

// How lua_State begins (lstate.h) and a slot of the stack (lobject.h), in 5.4.4.
struct concat_state {
    void *next;
    unsigned char tt, marked, status, allowhook;
    unsigned short nci;
    char *top;
    void *global, *ci;
    char *stack_last, *stack;
};
#define CONCAT_SLOT_BYTES 16

void luaT_tryconcatTM(lua_State *L);                       // ltm.h
void luaD_call(lua_State *L, char *function, int results); // ldo.h
void lua_tryconcat(lua_State *L);

void lua_tryconcat(lua_State *L) {
    const struct concat_state *state = (const struct concat_state *)(void *)L;
    const char *stack = state->stack;
    luaT_tryconcatTM(L);
    if (state->stack == stack)
        return;
    // The result is where the first operand was; Lua expects it from a call at the top.
    if (lua_getfield(L, LUA_REGISTRYINDEX, LUA_CONCAT_MOVED) == LUA_TFUNCTION) {
        lua_pushvalue(L, -3);
        luaD_call(L, state->top - 2 * CONCAT_SLOT_BYTES, 1);
    }
    (void)luaL_error(L, "the stack moved during a __concat");
}

#endif
