// SPDX-License-Identifier: Apache-2.0
// A string that grows at its end, of pieces that lie on top of the Lua stack; the last one in C. It
// is copied about once for each doubling, and asks the clock and the memory while it grows.
//
// The struct is too large for the stack under a callback: close it to pieces before, and open it
// anew with their number after.
#ifndef TRIPOD_SANDBOX_BUILD_H
#define TRIPOD_SANDBOX_BUILD_H

#include "sandbox.h"

#include <string.h>

#define BUILD_BYTES ((size_t)512)

struct build {
    lua_State *L;
    struct sandbox *sandbox;
    size_t used; // of `last`
    int pieces;  // strings on top of the stack, each at least half as long as the one below
    char last[BUILD_BYTES];
};

// Nothing but the builder may push or pop until it is closed, except for build_value.
void build_open(struct build *build, lua_State *L, int pieces);
// Makes pieces of everything; returns how many there are.
int build_flush(struct build *build);
// What is at the top of the stack, a string, is next; it is popped.
void build_value(struct build *build);
void build_bytes(struct build *build, const char *bytes, size_t length);
void build_fill(struct build *build, char byte, size_t length);
// Joins `pieces` on top of the stack, any number, to one string.
void build_join(lua_State *L, int pieces);

// Room for `length` bytes, BUILD_BYTES at most; build_took says how many were used.
static inline char *build_room(struct build *build, size_t length) {
    if (BUILD_BYTES - build->used < length)
        (void)build_flush(build);
    return build->last + build->used;
}

static inline void build_took(struct build *build, size_t length) {
    build->used += length;
}

static inline void build_byte(struct build *build, char byte) {
    *build_room(build, 1) = byte;
    build->used++;
}

// Pushes the result.
static inline void build_close(struct build *build) {
    if (build->pieces == 0)
        (void)lua_pushlstring(build->L, build->last, build->used);
    else
        build_join(build->L, build_flush(build));
}

#endif
