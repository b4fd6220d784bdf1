// SPDX-License-Identifier: Apache-2.0
// The libraries and what scripts see of them (sandbox_fronts.c); for the files that open them, look
// into tables past their metatables, or begin and prolong calls.
#ifndef TRIPOD_SANDBOX_FRONTS_H
#define TRIPOD_SANDBOX_FRONTS_H

#include "sandbox.h"

// sandbox_libs.c
void sandbox_open_libraries(lua_State *L);
// Pushes the table that holds a library's functions, which no script may get hold of.
void sandbox_push_library(lua_State *L, size_t i);
// If the table on top is what scripts see of a library, puts sandbox_push_library's in its place.
bool sandbox_enter_library(lua_State *L);

// sandbox_fronts.c
// Pushes a new front for the library, closed.
void sandbox_push_front(lua_State *L, size_t i);
void sandbox_set_string_metatable(lua_State *L);
// Which library's front this address is, which lies among theirs; SANDBOX_LIBRARIES: of none.
size_t sandbox_search_fronts(const struct sandbox_fronts *fronts, uintptr_t table);
// The same of the value at `index`; costs little for those that are none.
static inline size_t sandbox_find_front(lua_State *L, int index) {
    const struct sandbox_fronts *fronts = &sandbox_of(L)->fronts;
    uintptr_t table = (uintptr_t)lua_topointer(L, index);
    return table - fronts->least <= fronts->most - fronts->least
               ? sandbox_search_fronts(fronts, table)
               : SANDBOX_LIBRARIES;
}
// Opens the front of library `i`; false: it is open already.
bool sandbox_open_library(lua_State *L, size_t i);
// If the value at `index` is a front and closed, opens it and returns true. To be called where a
// script would see that it is empty.
static inline bool sandbox_open_front(lua_State *L, int index) {
    size_t i = sandbox_find_front(L, index);
    return i < SANDBOX_LIBRARIES && sandbox_open_library(L, i);
}
// For a call that lasts. Those whose use begins later open then.
void sandbox_open_used_fronts(lua_State *L);
// rawset with the arguments at 1 to 3, if the first is a front; otherwise does nothing: false.
bool sandbox_write_front(lua_State *L);
// A call begins, outside sandbox_protect: 0 or a negative service code.
int sandbox_close_fronts(struct sandbox *sandbox);

// sandbox_base.c
int sandbox_next(lua_State *L); // the function `next`

#endif
