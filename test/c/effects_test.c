// SPDX-License-Identifier: Apache-2.0
// What a script can do to the process that it runs in, and learn about it: nothing. Not its locale,
// environment, directory, rounding, signals or standard streams; not an address of its memory.
#include "lua/sandbox.h"
#include "lua_rig.h"

#include <fenv.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OK "( 'ok' [ ]0 )2"

// What a process shows of itself; `text` is everything that a script might have changed.
struct process {
    char text[65536];
    int rounding;
    sigset_t blocked;
    void (*handlers[32])(int);
};

static void look_at(struct process *process) {
    memset(process, 0, sizeof *process);
    size_t n = 0, room_bytes = sizeof process->text;
    char directory[4096];
    assert_non_null(getcwd(directory, sizeof directory));
    n += (size_t)snprintf(process->text, room_bytes, "%s\n%s\n%s\n", setlocale(LC_ALL, NULL),
                          directory, localeconv()->decimal_point);
    for (char **variable = environ; *variable != NULL && n < room_bytes; variable++)
        n += (size_t)snprintf(process->text + n, room_bytes - n, "%s\n", *variable);
    assert_true(n < room_bytes);
    process->rounding = fegetround();
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &process->blocked), 0);
    for (int i = 1; i < 32; i++) {
        struct sigaction action;
        assert_int_equal(sigaction(i, NULL, &action), 0);
        process->handlers[i] = action.sa_handler;
    }
}

static const char *const busy[] = {
    "for i = 1, 1000 do print(i, ('x'):rep(100), {}, print) end",
    "warn('@on') warn('loud', 'er') warn('@off')",
    "for _, f in ipairs {'%c', '!%c', '%x %X %p', '*t', '%Ex'} do pcall(os.date, f, 1e9) end",
    "os.time({year = 2000, month = 1, day = 1, isdst = true}) os.clock() os.difftime(2, 1)",
    "math.randomseed(1) math.random() math.randomseed()",
    "for i = 1, 100 do pcall(string.format, '%a %g %.99f %q', 1 / i, i, i, i) end",
    "pcall(error, {}) pcall(load, 'x =') coroutine.wrap(function() end)()",
    "tostring(1e15) tonumber('0x1p-1074') local x = 2 ^ 0.5 // 1",
    "collectgarbage() collectgarbage('step') collectgarbage('count')",
};

static void the_process_stays_as_it_is(void **state) {
    (void)state;
    // Large, and on the stack of nobody.
    static struct process before, after;
    FILE *caught = tmpfile();
    assert_non_null(caught);
    (void)fflush(stdout);
    (void)fflush(stderr);
    int out = dup(1), err = dup(2);
    assert_true(out >= 0 && err >= 0);
    struct box *box = open_box(&usual);
    look_at(&before);
    assert_true(dup2(fileno(caught), 1) == 1 && dup2(fileno(caught), 2) == 2);
    enum box_result results[sizeof busy / sizeof busy[0]];
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++) {
        struct record record;
        results[i] = finish(box, begin_eval_within(box, busy[i], PATIENCE_NS), &record);
        record_release(&record);
    }
    (void)fflush(stdout);
    (void)fflush(stderr);
    assert_true(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    look_at(&after);
    (void)close(out);
    (void)close(err);
    assert_int_equal(lseek(fileno(caught), 0, SEEK_END), 0);
    (void)fclose(caught);
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++)
        assert_int_equal(results[i], BOX_DONE);
    assert_string_equal(after.text, before.text);
    assert_int_equal(after.rounding, before.rounding);
    assert_memory_equal(&after.blocked, &before.blocked, sizeof before.blocked);
    assert_memory_equal(after.handlers, before.handlers, sizeof before.handlers);
    close_box();
}

// `shown` becomes a list of a value and a text that shows it, by turns.
static const char show_everything[] =
    "shown = {}\n"
    "local function show(value, text) shown[#shown + 1] = value shown[#shown + 1] = text end\n"
    "local long = ('x'):rep(100)\n"
    "local values = {{}, print, show, string, string.rep, long, coroutine.running(),\n"
    "                coroutine.create(print), coroutine.wrap(print), ('x'):gmatch('x'),\n"
    "                setmetatable({}, {__name = 'named'}), _G}\n"
    "for _, value in ipairs(values) do\n"
    "    show(value, tostring(value))\n"
    "    show(value, ('%p'):format(value))\n"
    "    show(value, ('%40p'):format(value))\n"
    "    show(value, ('%-40p'):format(value))\n"
    "    show(value, ('%s'):format(value))\n"
    "    for _, f in ipairs {string.rep, math.abs, ipairs, error, setmetatable, table.concat,\n"
    "                        coroutine.resume, load, tonumber, select, os.time, utf8.char} do\n"
    "        local _, message = pcall(f, value, value, value)\n"
    "        if type(message) == 'string' then show(value, message) end\n"
    "        _, message = pcall(f, value)\n"
    "        if type(message) == 'string' then show(value, message) end\n"
    "    end\n"
    "    for _, operation in ipairs {'a + 1', 'a .. {}', 'a < 1', 'a < a', '#a + 1', 'a.b.c',\n"
    "                                '-a', 'a()', '~a'} do\n"
    "        local f = load('local a = ... return ' .. operation)\n"
    "        local _, message = pcall(f, value)\n"
    "        if type(message) == 'string' then show(value, message) end\n"
    "    end\n"
    "end\n";

// Does the text hold the address, written in whatever base and width a script might read?
static bool gives_away(const char *text, uintptr_t address) {
    char written[32];
    static const char *const formats[] = {"%" PRIxPTR, "%" PRIXPTR, "%" PRIuPTR, "%" PRIoPTR};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        (void)snprintf(written, sizeof written, formats[i], address);
        if (strstr(text, written) != NULL)
            return true;
    }
    return false;
}

static void no_text_shows_an_address(void **state) {
    (void)state;
    assert_true(gives_away("table: 0x00007f00aa55", 0x7f00aa55));
    struct box *box = open_box(&usual);
    assert_eval(box, show_everything, OK);
    lua_State *L = ((struct sandbox *)box->state)->main;
    assert_int_equal(lua_getglobal(L, "shown"), LUA_TTABLE);
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    assert_true(n > 200);
    for (lua_Integer i = 1; i <= n; i += 2) {
        (void)lua_rawgeti(L, -1, i);
        (void)lua_rawgeti(L, -2, i + 1);
        assert_int_equal(lua_type(L, -1), LUA_TSTRING);
        lua_CFunction function = lua_tocfunction(L, -2);
        if (gives_away(lua_tostring(L, -1), (uintptr_t)lua_topointer(L, -2)) ||
            (function != NULL && gives_away(lua_tostring(L, -1), (uintptr_t)function)))
            fail_msg("the address of a %s: %s", luaL_typename(L, -2), lua_tostring(L, -1));
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    close_box();
}

// The stock library seeds its generator with the address of the state, and returns the seed.
static void no_seed_is_an_address(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_eval(box,
                "seeds = {math.randomseed()} "
                "inside = coroutine.create(function() return math.randomseed() end) "
                "local t = {coroutine.resume(inside)} "
                "seeds[#seeds + 1], seeds[#seeds + 2] = t[2], t[3]",
                OK);
    struct sandbox *sandbox = box->state;
    lua_State *L = sandbox->main;
    assert_int_equal(lua_getglobal(L, "inside"), LUA_TTHREAD);
    const void *states[] = {L, sandbox->call, lua_tothread(L, -1)};
    assert_int_equal(lua_getglobal(L, "seeds"), LUA_TTABLE);
    for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, -1); i++) {
        (void)lua_rawgeti(L, -1, i);
        for (size_t j = 0; j < sizeof states / sizeof states[0]; j++)
            assert_true((uintptr_t)lua_tointeger(L, -1) != (uintptr_t)states[j]);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(the_process_stays_as_it_is),
        BOX_TEST(no_text_shows_an_address),
        BOX_TEST(no_seed_is_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
