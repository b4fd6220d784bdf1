// SPDX-License-Identifier: Apache-2.0
// What the two files of load share.
#ifndef TRIPOD_SANDBOX_LOAD_H
#define TRIPOD_SANDBOX_LOAD_H

#include "sandbox.h"

struct load_text {
    const char *next;
    size_t left_bytes;
};

// The next block of a text for the parser, after a look at the call's limits; empty at the end.
const char *load_next_block(lua_State *L, struct load_text *text, size_t *length);
// What load returns: the function is on top, or the message if `status` is not LUA_OK.
int load_finish(lua_State *L, int status, bool has_environment);

// sandbox_load_reader.c: load with a function at 1, name and environment at 2 and 4.
int load_from_reader(lua_State *L, bool has_environment);

#endif
