// SPDX-License-Identifier: Apache-2.0
// Lua's static library speaks of these instead of the C library's where it is linked into an
// artefact (build-aux/lua-library). The sandbox gives scripts nothing that writes to them; tests
// with all of stock Lua's libraries do.
#include <stdio.h>

extern FILE *lua_stdin, *lua_stdout, *lua_stderr;
FILE *lua_stdin, *lua_stdout, *lua_stderr;

// The C library's are variables whose values are known only when a program starts.
__attribute__((constructor)) static void lua_streams_find(void) {
    lua_stdin = stdin;
    lua_stdout = stdout;
    lua_stderr = stderr;
}
