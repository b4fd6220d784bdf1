// SPDX-License-Identifier: Apache-2.0
// What a state is asked to do when its stack moved under a concatenation (lua_concat.c).
#ifndef TRIPOD_LUA_CONCAT_H
#define TRIPOD_LUA_CONCAT_H

// In the registry, a C function. It is called with the result of the __concat and must leave by
// yielding, or by an error; its continuation returns its argument. Without one it is an error.
#define LUA_CONCAT_MOVED "lua_concat_moved"

#endif
