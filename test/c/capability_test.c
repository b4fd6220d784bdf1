// SPDX-License-Identifier: Apache-2.0
// What a script can get hold of, and what it can change beyond its own globals.
//
// Twice the same question, from two sides. A walker in Lua goes from _G through everything that the
// language hands out, and through what every function returns; the C functions it met must be those
// of the allow-list, each under its name. And a walk in C goes from the registry through what no
// script sees (metatables, upvalues, stacks): no function of the stock libraries that is not
// allowed lies anywhere in the state, so that none is left to be found.
#include "lua/sandbox.h"
#include "lua_rig.h"
#include "state_walk.h"

#include <lualib.h>
#include <stdio.h>
#include <string.h>

static const char *const allowed[] = {
    "assert", "collectgarbage", "error", "getmetatable", "ipairs", "load", "next", "pairs", "pcall",
    "print", "rawequal", "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber",
    "tostring", "type", "warn", "xpcall",
    //
    "string.byte", "string.char", "string.find", "string.format", "string.gmatch", "string.gsub",
    "string.len", "string.lower", "string.match", "string.pack", "string.packsize", "string.rep",
    "string.reverse", "string.sub", "string.unpack", "string.upper",
    //
    "table.concat", "table.insert", "table.move", "table.pack", "table.remove", "table.sort",
    "table.unpack",
    //
    "math.abs", "math.acos", "math.asin", "math.atan", "math.ceil", "math.cos", "math.deg",
    "math.exp", "math.floor", "math.fmod", "math.log", "math.max", "math.min", "math.modf",
    "math.rad", "math.random", "math.randomseed", "math.sin", "math.sqrt", "math.tan",
    "math.tointeger", "math.type", "math.ult",
    //
    "utf8.char", "utf8.codepoint", "utf8.codes", "utf8.len", "utf8.offset",
    //
    "os.clock", "os.date", "os.difftime", "os.time",
    //
    "coroutine.close", "coroutine.create", "coroutine.isyieldable", "coroutine.resume",
    "coroutine.running", "coroutine.status", "coroutine.wrap", "coroutine.yield",
    // What some of them return: iterators, and a coroutine as a function.
    "ipairs()", "string.gmatch()", "utf8.codes()", "coroutine.wrap()"};

#define ALLOWED (sizeof allowed / sizeof allowed[0])

// Leaves in `functions` and `tables` what it met, as keys, with the path. Breadth first and tables
// first, so that what has a name is known by its name.
static const char walker[] =
    "functions, tables = {}, {}\n"
    "local queue, later, own = {}, {}, {[functions] = true, [tables] = true}\n"
    "own[queue], own[later], own[own], own[before or own] = true, true, true, true\n"
    "local function meet(value, path)\n"
    "    local kind = type(value)\n"
    "    local into = kind == 'table' and tables or kind == 'function' and functions\n"
    "    assert(kind ~= 'userdata', path)\n"
    "    if into and not into[value] and not own[value] then\n"
    "        into[value] = path\n"
    "        local waiting = kind == 'table' and queue or later\n"
    "        waiting[#waiting + 1] = value\n"
    "    end\n"
    "end\n"
    "local function results(path, ok, ...)\n"
    "    for i = 1, select('#', ...) do meet((select(i, ...)), path .. '()') end\n"
    "end\n"
    "local function inside(key, path)\n"
    "    return (path == '_G' and '' or path .. '.') .. tostring(key)\n"
    "end\n"
    "for _, plain in ipairs {'', 0, 0.5, true, print, coroutine.running()} do\n"
    "    meet(getmetatable(plain), 'metatable of ' .. type(plain))\n"
    "end\n"
    "meet(getmetatable(nil), 'metatable of nil')\n"
    "own[meet], own[results], own[inside] = true, true, true\n"
    "meet(_G, '_G')\n"
    "while queue[1] or later[1] do\n"
    "    local value = table.remove(queue[1] and queue or later, 1)\n"
    "    local path = tables[value] or functions[value]\n"
    "    if tables[value] then\n"
    "        meet(getmetatable(value), path .. '<metatable>')\n"
    "        for k, v in next, value do meet(k, path .. '<key>') meet(v, inside(k, path)) end\n"
    "        for k, v in pairs(value) do meet(k, path .. '<key>') meet(v, inside(k, path)) end\n"
    "        results('pairs', true, pairs(value))\n"
    "    else\n"
    "        local function id(...) return ... end\n"
    "        own[id] = true\n"
    "        for _, args in ipairs {{}, {{}}, {'x'}, {'x', 'x'}, {1}, {id}, {{}, {}}, {{}, 1},\n"
    "                               {id, id}, {string}, {'*t'}, {_G}} do\n"
    "            own[args] = true\n"
    "            if value ~= setmetatable and value ~= rawset and value ~= table.move then\n"
    "                results(path, pcall(value, table.unpack(args)))\n"
    "            end\n"
    "        end\n"
    "    end\n"
    "end\n";

static lua_State *state_of(const struct box *box) {
    struct sandbox *sandbox = box->state;
    return sandbox->main;
}

static bool is_allowed(const char *path) {
    for (size_t i = 0; i < ALLOWED; i++)
        if (strcmp(allowed[i], path) == 0)
            return true;
    return false;
}

// The stock libraries' functions, by their code. Some have an old name beside an allowed one.
static struct {
    lua_CFunction function;
    bool allowed;
    char name[64];
} stock[512];
static size_t stock_functions;

static void collect_library(lua_State *L, const char *library) {
    bool base = strcmp(library, "_G") == 0;
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (lua_iscfunction(L, -1) && lua_type(L, -2) == LUA_TSTRING) {
            assert_true(stock_functions < sizeof stock / sizeof stock[0]);
            stock[stock_functions].function = lua_tocfunction(L, -1);
            (void)snprintf(stock[stock_functions].name, sizeof stock[0].name, "%s%s%s",
                           base ? "" : library, base ? "" : ".", lua_tostring(L, -2));
            stock_functions++;
        }
        lua_pop(L, 1);
    }
}

static int collect_stock(void **state) {
    (void)state;
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    (void)lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        collect_library(L, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    lua_close(L);
    size_t forbidden = 0;
    for (size_t i = 0; i < stock_functions; i++) {
        for (size_t j = 0; j < stock_functions; j++)
            if (stock[j].function == stock[i].function && is_allowed(stock[j].name))
                stock[i].allowed = true;
        forbidden += stock[i].allowed ? 0 : 1;
    }
    // io, debug, package, most of os, and string.dump, dofile, loadfile, require.
    assert_true(forbidden > 40);
    return 0;
}

// One that no script may have.
static lua_CFunction forbidden_function(void) {
    for (size_t i = 0; i < stock_functions; i++)
        if (strcmp(stock[i].name, "os.execute") == 0)
            return stock[i].function;
    return NULL;
}

static void assert_no_stock_functions(lua_State *L) {
    walk_everything(L);
    assert_true(walk.n_functions >= 20);
    for (size_t i = 0; i < walk.n_functions; i++)
        for (size_t j = 0; j < stock_functions; j++)
            if (!stock[j].allowed && walk.functions[i].function == stock[j].function)
                fail_msg("%s is %s", walk.functions[i].path, stock[j].name);
}

static const char use_every_library[] =
    "local used = {string.rep, table.concat, math.abs, utf8.len, os.time, coroutine.wrap} "
    "return #used";

// The planted one proves that the walk would find it, wherever it lies.
static void nothing_else_is_in_the_state(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_no_stock_functions(state_of(box));
    assert_eval(box, use_every_library, "( 'ok' [ 6 ]1 )2");
    assert_no_stock_functions(state_of(box));
    assert_eval(box, walker, "( 'ok' [ ]0 )2");
    assert_no_stock_functions(state_of(box));

    lua_State *L = state_of(box);
    assert_int_equal(lua_getglobal(L, "assert"), LUA_TFUNCTION);
    lua_pushcfunction(L, forbidden_function());
    lua_pushcclosure(L, lua_tocfunction(L, -2), 1);
    lua_setglobal(L, "planted");
    lua_settop(L, 0);
    walk_everything(L);
    bool found = false;
    for (size_t i = 0; i < walk.n_functions; i++)
        found = found || walk.functions[i].function == forbidden_function();
    assert_true(found);
    close_box();
}

// Counts the C functions that the walker met, each of which must be allowed; marks them.
static size_t assert_allowed(lua_State *L, bool seen[ALLOWED]) {
    size_t n = 0;
    assert_int_equal(lua_getglobal(L, "functions"), LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        if (lua_iscfunction(L, -2)) {
            const char *path = lua_tostring(L, -1);
            if (!is_allowed(path))
                fail_msg("a script can reach %s", path);
            for (size_t i = 0; i < ALLOWED; i++)
                seen[i] = seen[i] || strcmp(allowed[i], path) == 0;
            n++;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

// Between calls the tables that scripts see of the libraries are empty. The tables behind them,
// from which the next call has its functions, are none that a script met.
static void assert_tables_hold_nothing(struct box *box) {
    lua_State *L = state_of(box);
    size_t n = 0, behind = 0;
    assert_eval(box, "", "( 'ok' [ ]0 )2");
    assert_int_equal(lua_getglobal(L, "tables"), LUA_TTABLE);
    int tables = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, tables) != 0) {
        const char *path = lua_tostring(L, -1);
        int table = lua_gettop(L) - 1;
        assert_ptr_not_equal(lua_topointer(L, table), lua_topointer(L, LUA_REGISTRYINDEX));
        lua_pushnil(L);
        while (strcmp(path, "_G") != 0 && lua_next(L, table) != 0) {
            if (lua_iscfunction(L, -1))
                fail_msg("%s holds a function", path);
            lua_pop(L, 1);
        }
        lua_settop(L, table);
        if (luaL_getmetafield(L, table, "__index") == LUA_TTABLE) {
            if (lua_rawget(L, tables) != LUA_TNIL)
                fail_msg("a script met what is behind %s", path);
            behind++;
        }
        lua_settop(L, table);
        n++;
    }
    lua_settop(L, tables - 1);
    assert_true(n >= 7);
    assert_true(behind >= 6);
}

static void scripts_reach_the_allow_list(void **state) {
    (void)state;
    bool seen[ALLOWED] = {false};
    struct box *box = open_box(&usual);
    assert_eval(box, walker, "( 'ok' [ ]0 )2");
    lua_State *L = state_of(box);
    assert_true(assert_allowed(L, seen) >= ALLOWED);
    for (size_t i = 0; i < ALLOWED; i++)
        if (!seen[i])
            fail_msg("%s is missing", allowed[i]);
    assert_tables_hold_nothing(box);
    close_box();
}

// What a script may try on what is not its own. Whether it fails or not, the next walk must meet
// the same functions under the same names.
static const char *const attempts[] = {
    "string.format = print",
    "rawset(string, 'rep', print)",
    "for name in pairs(string) do string[name] = nil end",
    "getmetatable('').__index = {}",
    "getmetatable('').__index.rep = print",
    "setmetatable(string, {__index = _G})",
    "setmetatable('', {})",
    "table.insert(table, print) table.move({print}, 1, 1, 1, math)",
    "for _, t in ipairs {string, table, math, os, utf8, coroutine} do table.sort(t) t[1] = 1 end",
    "coroutine.wrap(function() math.abs = math.sin end)()",
    "load('string.rep = nil', 'x', 't', setmetatable({}, {__index = _G}))()",
    "xpcall(error, function() os.time = os.clock end)",
    "local x <close> = setmetatable({}, {__close = function() utf8.len = print end}) error('x')",
    "string.gsub('x', 'x', function() table.sort = print end)",
    "collectgarbage('stop')",
    "local _ENV = string rep = print",
    "math.randomseed(1) math.random(0)",
};

static void attempts_change_nothing(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_eval(box, walker, "( 'ok' [ ]0 )2");
    assert_eval(box, "before = functions", "( 'ok' [ ]0 )2");
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct record record;
        assert_int_equal(finish(box, begin_eval(box, attempts[i]), &record), BOX_DONE);
        record_release(&record);
    }
    assert_eval(box, walker, "( 'ok' [ ]0 )2");
    bool seen[ALLOWED] = {false};
    assert_true(assert_allowed(state_of(box), seen) >= ALLOWED);
    assert_tables_hold_nothing(box);
    assert_no_stock_functions(state_of(box));
    // A name leads to the function that it led to before.
    assert_eval(box,
                "local changed = {} "
                "for f, path in pairs(before) do "
                "    local t, name = path:match('^(%a%w*)%.(%w+)$') "
                "    local now = _G[path] or t and _G[t] and _G[t][name] "
                "    if now and now ~= f then changed[#changed + 1] = path end "
                "end "
                "return #changed, getmetatable('')",
                "( 'ok' [ 0 'false' ]2 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(nothing_else_is_in_the_state),
        BOX_TEST(scripts_reach_the_allow_list),
        BOX_TEST(attempts_change_nothing),
    };
    return cmocka_run_group_tests(tests, collect_stock, NULL);
}
