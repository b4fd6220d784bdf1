// SPDX-License-Identifier: Apache-2.0
// The stock library's answer to what a sandbox is asked too, and the cases to ask. Include it in
// one file of a test.
#ifndef TRIPOD_TEST_PATTERN_STOCK_H
#define TRIPOD_TEST_PATTERN_STOCK_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Tests run in the root of the repository.
#define PATTERN_CASES_FILE "test/c/pattern_cases.lua"

// The chunk that makes `count` cases from `seed`; to be freed.
static inline char *pattern_cases(unsigned seed, unsigned count) {
    FILE *file = fopen(PATTERN_CASES_FILE, "rb");
    if (file == NULL) {
        perror(PATTERN_CASES_FILE);
        abort();
    }
    const size_t most = (size_t)64 * 1024;
    char *source = calloc(1, most);
    if (source == NULL)
        abort();
    int head = snprintf(source, most, "local seed, count = %u, %u ", seed, count);
    size_t length = fread(source + head, 1, most - (size_t)head - 1, file);
    if (length == 0 || !feof(file))
        abort();
    (void)fclose(file);
    return source;
}

static inline lua_State *stock_open(void) {
    lua_State *L = luaL_newstate();
    if (L == NULL)
        abort();
    luaL_openlibs(L);
    return L;
}

// What `source` returns, as a string that stays on the stack; or its error message.
static inline const char *stock_eval(lua_State *L, const char *source, size_t *length) {
    if (luaL_loadbuffer(L, source, strlen(source), "=eval") == LUA_OK)
        (void)lua_pcall(L, 0, 1, 0);
    return luaL_tolstring(L, -1, length);
}

#endif
