// SPDX-License-Identifier: Apache-2.0
// What the functions of the table library share. They accept a table, and whatever has the
// metamethods to act as one.
#ifndef TRIPOD_SANDBOX_TABLE_H
#define TRIPOD_SANDBOX_TABLE_H

#include "sandbox_call.h"

// What a function does with its argument.
enum {
    SANDBOX_TABLE_ANY = 0, // whatever has a length
    SANDBOX_TABLE_READ = 1,
    SANDBOX_TABLE_WRITE = 2,
    SANDBOX_TABLE_LENGTH = 4,
};

// A value in a table's array or on a stack: TValue of lobject.h.
#define SANDBOX_TABLE_VALUE_BYTES ((size_t)16)

// Raises an argument error unless the value there is a table or allows `uses`.
void sandbox_table_check(lua_State *L, int argument, unsigned uses);
// Pushes the length, which a __len may make up, of argument 1, which must be a table or allow
// `uses` unless they are none. After a pause in __len, `again` goes on. Between this and the other
// there is a fence.
void sandbox_ask_length(lua_State *L, unsigned uses, lua_KFunction again);
// Pops it.
lua_Integer sandbox_take_length(lua_State *L);
// A table whose elements are what is in it: reading one cannot run code of the script's.
bool sandbox_table_is_plain(lua_State *L, int argument);

#endif
