// SPDX-License-Identifier: Apache-2.0
// The floor under every Lua scenario: the stock library called from C, without the BEAM, without a
// sandbox, without limits.
//
//   tripod_floor_lua pcall  BUDGET_MS MIN BATCH              add(1, 2) through lua_pcall
//   tripod_floor_lua script BUDGET_MS MIN BATCH FILE ARGS    FILE's global main, or FILE itself;
//   ARGS
//                                                            is Lua: `return` the arguments
//   tripod_floor_lua open   BUDGET_MS MIN BATCH              new state, libraries, close
//   tripod_floor_lua build  BUDGET_MS MIN BATCH SHAPE N      a payload's table (list, map, nested)
//
// Samples until both the budget and MIN are used up, after a tenth of the budget to warm up, and
// prints {"batch": B, "ns": [total of each batch, ...], "results": [...] or null}. BATCH 0 chooses
// 1 for work of a microsecond and more, 100 below. Exit status 1: Lua failed (why is on stderr).
#include "shapes.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LUA_MAX_SAMPLES 100000

struct work {
    lua_State *lua; // if the work is a call, its function and arguments are at index 1 to `height`
    int height;
    int kind, n; // of a payload
    const char *entry;
    int (*once)(struct work *work);
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The libraries that a sandboxed script sees.
static void open_libraries(lua_State *lua) {
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},       {LUA_STRLIBNAME, luaopen_string},
        {LUA_TABLIBNAME, luaopen_table}, {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_OSLIBNAME, luaopen_os},
    };
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    // As the command lua5.4 does; scripts that allocate run up to twice as fast as in the library's
    // default mode.
    (void)lua_gc(lua, LUA_GCGEN, 0, 0);
}

static int fail(lua_State *lua) {
    fprintf(stderr, "%s\n", luaL_tolstring(lua, -1, NULL));
    return 1;
}

static int once_call(struct work *work) {
    lua_State *lua = work->lua;
    for (int i = 1; i <= work->height; i++)
        lua_pushvalue(lua, i);
    if (lua_pcall(lua, work->height - 1, LUA_MULTRET, 0) != LUA_OK)
        return fail(lua);
    lua_settop(lua, work->height);
    return 0;
}

static int once_open(struct work *work) {
    (void)work;
    lua_State *lua = luaL_newstate();
    if (lua == NULL)
        return 1;
    open_libraries(lua);
    lua_close(lua);
    return 0;
}

static void push_nested(lua_State *lua, int depth) {
    luaL_checkstack(lua, 4, NULL);
    lua_createtable(lua, 0, 3);
    lua_pushliteral(lua, "id");
    lua_pushinteger(lua, depth);
    lua_rawset(lua, -3);
    lua_pushliteral(lua, "name");
    lua_pushliteral(lua, "node");
    lua_rawset(lua, -3);
    lua_pushliteral(lua, "children");
    int children = depth == 0 ? 0 : 2;
    lua_createtable(lua, children, 0);
    for (int i = 1; i <= children; i++) {
        push_nested(lua, depth - 1);
        lua_rawseti(lua, -2, i);
    }
    lua_rawset(lua, -3);
}

static int once_build(struct work *work) {
    lua_State *lua = work->lua;
    switch (work->kind) {
    case SHAPE_LIST:
        lua_createtable(lua, work->n, 0);
        for (int i = 1; i <= work->n; i++) {
            lua_pushinteger(lua, i);
            lua_rawseti(lua, -2, i);
        }
        break;
    case SHAPE_MAP:
        lua_createtable(lua, 0, work->n);
        for (int i = 0; i < work->n; i++) {
            lua_pushlstring(lua, shape_keys[i].text, shape_keys[i].length);
            lua_pushinteger(lua, i + 1);
            lua_rawset(lua, -3);
        }
        break;
    default:
        push_nested(lua, work->n);
    }
    lua_settop(lua, 0);
    return 0;
}

// Runs the file; leaves its main, or the file's chunk if it defines none, and the arguments.
static int load_script(struct work *work, const char *file, const char *args) {
    lua_State *lua = work->lua;
    work->entry = "chunk";
    if (luaL_loadfilex(lua, file, "t") != LUA_OK)
        return fail(lua);
    lua_pushvalue(lua, 1);
    if (luaL_dostring(lua, args) != LUA_OK)
        return fail(lua);
    if (lua_pcall(lua, lua_gettop(lua) - 2, 0, 0) != LUA_OK)
        return fail(lua);
    if (lua_getglobal(lua, "main") == LUA_TFUNCTION) {
        lua_replace(lua, 1);
        work->entry = "main";
    }
    lua_settop(lua, 1);
    if (luaL_dostring(lua, args) != LUA_OK)
        return fail(lua);
    work->height = lua_gettop(lua);
    return lua_checkstack(lua, work->height + LUA_MINSTACK) ? 0 : 1;
}

static int load_add(struct work *work) {
    work->height = 3;
    if (luaL_dostring(work->lua, "return function(a, b) return a + b end, 1, 2") != LUA_OK)
        return fail(work->lua);
    return 0;
}

// Bytes above 126 as Latin-1 escapes, so that any string survives.
static void print_string(const char *text, size_t length) {
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 32 || byte > 126 || byte == '"' || byte == '\\')
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static int printable(lua_State *lua, int index) {
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TSTRING:
        return 1;
    case LUA_TNUMBER:
        return lua_isinteger(lua, index) ||
               lua_tonumber(lua, index) - lua_tonumber(lua, index) == 0; // neither NaN nor infinite
    default:
        return 0;
    }
}

static void print_value(lua_State *lua, int index) {
    size_t length;
    const char *text;
    switch (lua_type(lua, index)) {
    case LUA_TNIL:
        printf("null");
        break;
    case LUA_TBOOLEAN:
        printf(lua_toboolean(lua, index) ? "true" : "false");
        break;
    case LUA_TSTRING:
        text = lua_tolstring(lua, index, &length);
        print_string(text, length);
        break;
    default:
        if (lua_isinteger(lua, index))
            printf(LUA_INTEGER_FMT, lua_tointeger(lua, index));
        else
            printf("%.17e", lua_tonumber(lua, index));
    }
}

// What one more call returns, if JSON can say it as it is.
static int print_results(struct work *work) {
    lua_State *lua = work->lua;
    for (int i = 1; i <= work->height; i++)
        lua_pushvalue(lua, i);
    if (lua_pcall(lua, work->height - 1, LUA_MULTRET, 0) != LUA_OK)
        return fail(lua);
    int top = lua_gettop(lua), all = 1;
    for (int i = work->height + 1; i <= top; i++)
        all = all && printable(lua, i);
    printf(all ? "[" : "null");
    for (int i = work->height + 1; i <= top && all; i++) {
        if (i > work->height + 1)
            putchar(',');
        print_value(lua, i);
    }
    if (all)
        putchar(']');
    return 0;
}

static int run_batch(struct work *work, uint64_t batch, uint64_t *ns) {
    uint64_t begin = now_ns();
    for (uint64_t i = 0; i < batch; i++)
        if (work->once(work) != 0)
            return 1;
    *ns = now_ns() - begin;
    return 0;
}

// The same rule as tripod_bench_worker:batch/1.
static int choose_batch(struct work *work, uint64_t *batch) {
    uint64_t least = UINT64_MAX, ns;
    for (int i = 0; i < 20; i++) {
        if (run_batch(work, 1, &ns) != 0)
            return 1;
        least = ns < least ? ns : least;
    }
    *batch = least < 1000 ? 100 : 1;
    return 0;
}

static int measure(struct work *work, uint64_t budget_ns, uint64_t min, uint64_t batch) {
    uint64_t ns;
    for (uint64_t until = now_ns() + budget_ns / 10; now_ns() < until;)
        if (run_batch(work, 1, &ns) != 0)
            return 1;
    if (batch == 0 && choose_batch(work, &batch) != 0)
        return 1;
    uint64_t *samples = malloc(LUA_MAX_SAMPLES * sizeof *samples);
    if (samples == NULL)
        return 1;
    uint64_t n = 0, until = now_ns() + budget_ns;
    while (n < LUA_MAX_SAMPLES && (n < min || now_ns() < until)) {
        if (run_batch(work, batch, &samples[n]) != 0) {
            free(samples);
            return 1;
        }
        n++;
    }
    printf("{\"batch\": %llu, \"ns\": [", (unsigned long long)batch);
    for (uint64_t i = 0; i < n; i++)
        printf(i == 0 ? "%llu" : ",%llu", (unsigned long long)samples[i]);
    printf("], \"entry\": \"%s\", \"results\": ", work->entry);
    free(samples);
    int status = 0;
    if (work->once == once_call)
        status = print_results(work);
    else
        printf("null");
    printf("}\n");
    return status;
}

static int prepare(struct work *work, int argc, char **argv) {
    if (strcmp(argv[1], "pcall") == 0 && argc == 5) {
        work->once = once_call;
        return load_add(work);
    }
    if (strcmp(argv[1], "open") == 0 && argc == 5) {
        work->once = once_open;
        return 0;
    }
    if (strcmp(argv[1], "script") == 0 && argc == 7) {
        work->once = once_call;
        return load_script(work, argv[5], argv[6]);
    }
    if (strcmp(argv[1], "build") == 0 && argc == 7) {
        static const char *const shapes[] = {"list", "map", "nested"};
        work->once = once_build;
        work->n = (int)strtol(argv[6], NULL, 10);
        for (work->kind = 0; work->kind < 3; work->kind++)
            if (strcmp(argv[5], shapes[work->kind]) == 0)
                return shape_fits(work->kind, work->n) ? 0 : 2;
    }
    return 2;
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    shape_keys_init();
    struct work work = {.lua = luaL_newstate(), .entry = "none"};
    if (work.lua == NULL)
        return 1;
    open_libraries(work.lua);
    int status = prepare(&work, argc, argv);
    if (status == 0)
        status = measure(&work, strtoull(argv[2], NULL, 10) * 1000000u, strtoull(argv[3], NULL, 10),
                         strtoull(argv[4], NULL, 10));
    lua_close(work.lua);
    return status;
}
