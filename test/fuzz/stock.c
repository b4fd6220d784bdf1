// SPDX-License-Identifier: Apache-2.0
// A state of its own for each program, in an arena that is dropped at the end: a program that meets
// a bound is left by longjmp, so nothing of it can catch that. The state is never closed, so the
// block that it lies in, which may begin before it, is never given back.
#include "stock.h"

#include "arena.h"
#include "lua/lua_concat.h"

#include "../c/test_host.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <setjmp.h>

#define STOCK_HOOK_EVERY 500

struct stock {
    struct arena *arena;
    size_t shift; // of the first block, which is the state
    unsigned long hooks_left;
    jmp_buf out;
};

static struct stock *stock_of(lua_State *L) {
    return *(struct stock **)lua_getextraspace(L);
}

static void *stock_allocate(void *context, void *block, size_t old, size_t size) {
    struct stock *stock = context;
    size_t shift = stock->shift;
    stock->shift = 0;
    char *to = arena_realloc(stock->arena, block, block != NULL ? old : 0, size + shift);
    return to != NULL ? to + shift : NULL;
}

static void stock_full(void *context) {
    (void)context;
}

_Noreturn static void stock_spent(void *context, int code) {
    struct stock *stock = context;
    longjmp(stock->out, -code);
}

static void stock_hook(lua_State *L, lua_Debug *where) {
    (void)where;
    struct stock *stock = stock_of(L);
    if (stock->hooks_left-- == 0)
        longjmp(stock->out, 1);
}

// Where Lua has the fault that lua_concat.c tells of, what it would do is of no interest.
static int stock_moved(lua_State *L) {
    longjmp(stock_of(L)->out, 1);
}

// Standard output belongs to the fuzzer.
static int stock_print(lua_State *L) {
    for (int i = 1; i <= lua_gettop(L); i++) {
        (void)luaL_tolstring(L, i, NULL);
        lua_pop(L, 1);
    }
    return 0;
}

static void stock_remove(lua_State *L, const char *library, const char *const *names) {
    (void)lua_getglobal(L, library);
    for (; *names != NULL; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
    lua_pop(L, 1);
}

static void stock_open_libraries(lua_State *L) {
    static const luaL_Reg libraries[] = {
        {"_G", luaopen_base},
        {"string", luaopen_string},
        {"table", luaopen_table},
        {"math", luaopen_math},
        {"utf8", luaopen_utf8},
        {"os", luaopen_os},
        {"coroutine", luaopen_coroutine},
    };
    static const char *const base[] = {"dofile", "loadfile", NULL};
    static const char *const string[] = {"dump", NULL};
    static const char *const os[] = {"execute", "exit",      "getenv",  "remove",
                                     "rename",  "setlocale", "tmpname", NULL};
    // Of LUA_COMPAT_MATHLIB, which distributions may build with.
    static const char *const math[] = {"atan2", "cosh",  "sinh",  "tanh", "pow",
                                       "frexp", "ldexp", "log10", NULL};
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    stock_remove(L, "_G", base);
    stock_remove(L, "string", string);
    stock_remove(L, "os", os);
    stock_remove(L, "math", math);
    lua_pushcfunction(L, stock_print);
    lua_setglobal(L, "print");
}

static void stock_add(lua_State *L, int index, struct answer *answer) {
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    answer_add(answer, text, length);
}

static void stock_add_log(lua_State *L, struct answer *answer) {
    if (lua_getglobal(L, "LOG") == LUA_TTABLE) {
        lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = 1; i <= n; i++) {
            if (lua_rawgeti(L, -1, i) == LUA_TSTRING)
                stock_add(L, -1, answer);
            lua_pop(L, 1);
        }
    }
}

static void stock_protected(struct stock *stock, const char *source, size_t length,
                            struct answer *answer) {
    lua_State *L = lua_newstate(stock_allocate, stock);
    if (L == NULL)
        abort();
    *(struct stock **)lua_getextraspace(L) = stock;
    stock_open_libraries(L);
    lua_pushcfunction(L, stock_moved);
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_CONCAT_MOVED);
    lua_sethook(L, stock_hook, LUA_MASKCOUNT, STOCK_HOOK_EVERY);
    int status = luaL_loadbufferx(L, source, length, "=eval", "t");
    if (status == LUA_OK)
        status = lua_pcall(L, 0, 0, 0);
    if (status != LUA_OK) {
        answer->end = ANSWER_ERROR;
        if (lua_type(L, -1) != LUA_TSTRING)
            (void)lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, -1));
        stock_add(L, -1, answer);
    }
    stock_add_log(L, answer);
}

void stock_run(const char *source, size_t length, const struct stock_bounds *bounds,
               struct answer *answer) {
    struct test_host host;
    test_host_init(&host);
    struct stock stock = {
        // luai_makeseed in lstate.c: the seed comes from this address, and what is the same in all.
        .shift = 16 * (size_t)(bounds->place % STOCK_PLACES),
        .hooks_left = bounds->instructions / STOCK_HOOK_EVERY,
    };
    struct arena_config config = {
        .host = &host.host,
        .soft_bytes = bounds->memory_bytes,
        .hard_bytes = bounds->memory_bytes,
        .full = stock_full,
        .spent = stock_spent,
        .context = &stock,
    };
    if (arena_open(&config, &stock.arena) != 0)
        abort();
    if (setjmp(stock.out) == 0)
        stock_protected(&stock, source, length, answer);
    else
        answer->end = ANSWER_LIMIT;
    arena_close(stock.arena);
}
