// SPDX-License-Identifier: Apache-2.0
// What the functions of the table library share. They accept a table, and whatever has the
// metamethods to act as one.
#ifndef TRIPOD_SANDBOX_TABLE_H
#define TRIPOD_SANDBOX_TABLE_H

#include "sandbox.h"

// What a function does with its argument.
enum { SANDBOX_TABLE_READ = 1, SANDBOX_TABLE_WRITE = 2, SANDBOX_TABLE_LENGTH = 4 };

// A value in a table's array or on a stack: TValue of lobject.h.
#define SANDBOX_TABLE_VALUE_BYTES ((size_t)16)
// Fewer values than this are made without asking for memory first.
#define SANDBOX_TABLE_FEW 4096

// Raises an argument error unless the value there is a table or allows `uses`.
void sandbox_table_check(lua_State *L, int argument, unsigned uses);
// The same, and the length, which a __len may have made up.
lua_Integer sandbox_table_length(lua_State *L, int argument, unsigned uses);
// A table whose elements are what is in it: reading one cannot run code of the script's.
bool sandbox_table_is_plain(lua_State *L, int argument);
// Ends the call for its memory unless `n` values more would fit.
void sandbox_table_make_room(lua_State *L, size_t n);

#endif
