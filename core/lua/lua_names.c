// SPDX-License-Identifier: Apache-2.0
// Keeps a fault of Lua before 5.4.7 from scripts ("recursion in 'getobjname' can stack overflow",
// 7923dbbf): for an error message Lua looks for the name of what was indexed, one C call deeper for
// each of the indices before it. Ten thousand of them, `a.b.b.b`..., are more than a scheduler's
// stack.
//
// Where Lua's static library is linked into an artefact, its ldebug.o asks this function for the
// name of a local variable, which is the first question of each level (build-aux/lua-library). When
// the stack is low, anything is a local variable, and Lua looks no further. What the message says
// depends on the outermost levels only.
#include <stdbool.h>
#include <stddef.h>

const char *luaF_getlocalname(const void *function, int number, int pc); // lfunc.h
const char *lua_getlocalname(const void *function, int number, int pc);

// Not there in a program without the sandbox.
bool sandbox_stack_is_low(void) __attribute__((weak));

const char *lua_getlocalname(const void *function, int number, int pc) {
    if (sandbox_stack_is_low != NULL && sandbox_stack_is_low())
        return "?";
    return luaF_getlocalname(function, number, pc);
}
