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

// The length, which a __len may have made up, of what is a table or allows `uses`; otherwise raises
// an argument error.
lua_Integer sandbox_table_length(lua_State *L, int argument, unsigned uses);
// A table whose elements are what is in it: reading one cannot run code of the script's.
bool sandbox_table_is_plain(lua_State *L, int argument);

#endif
