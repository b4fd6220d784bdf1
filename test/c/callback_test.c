// SPDX-License-Identifier: Apache-2.0
// C functions of the sandbox that call the script are paused in the script's code, at many places
// and through each other, and go on: what the script sees is what stock Lua shows it. And code
// that never ends, called back from C, holds no step longer than a slice.
#include "lua/sandbox.h"
#include "lua_differ.h"

// Tests run in the root of the repository.
static const char *const case_files[] = {"test/c/callback_noise.lua", "test/c/callback_cases.lua"};

static struct { unsigned long asked, taken; } pauses;

static int pause_over(lua_State *L, int status, lua_KContext context) {
    (void)L, (void)status, (void)context;
    return 0;
}

// For the script: ends the slice here, where that is possible.
static int pause_here(lua_State *L) {
    pauses.asked++;
    lua_settop(L, 0);
    if (!sandbox_can_yield(sandbox_of(L), L))
        return 0;
    pauses.taken++;
    return sandbox_pause(L, 0, pause_over);
}

static struct box *open_with_pause(const struct service_limits *limits) {
    struct box *box = open_box(limits);
    lua_State *L = ((struct sandbox *)box->state)->main;
    lua_pushcfunction(L, pause_here);
    lua_setglobal(L, "pause");
    pauses.asked = pauses.taken = 0;
    return box;
}

static char *read_cases(void) {
    const size_t most = (size_t)64 * 1024;
    char *source = calloc(1, most);
    size_t length = 0;
    assert_non_null(source);
    for (size_t i = 0; i < sizeof case_files / sizeof case_files[0]; i++) {
        FILE *file = fopen(case_files[i], "rb");
        assert_non_null(file);
        length += fread(source + length, 1, most - 1 - length, file);
        assert_true(feof(file));
        (void)fclose(file);
    }
    return source;
}

static void paused_in_every_callback(void **state) {
    (void)state;
    struct box *box = open_with_pause(&roomy);
    char *source = read_cases();
    for (int seed = 1; seed <= (valgrind_watches() ? 4 : 120); seed++)
        differ(box, source, seed);
    free(source);
    close_box();
    print_message("%lu pauses of %lu\n", pauses.taken, pauses.asked);
    assert_true(pauses.taken > 1000);
    assert_int_equal(pauses.taken, pauses.asked);
}

// Every second look finds that the slice is over. MODE=replay looks after every instruction.
static void paused_at_every_look(void **state) {
    (void)state;
    struct service_limits hurried = roomy;
    hurried.slice_ns = 1;
    struct box *box = open_with_pause(&hurried);
    char *source = read_cases();
    for (int seed = 1; seed <= (valgrind_watches() ? 1 : 20); seed++)
        differ(box, source, seed);
    free(source);
    close_box();
}

// A pause takes the C levels away; a script nests no deeper for that.
static void recursion_with_pauses_ends_by_depth(void **state) {
    (void)state;
    static const char *const sources[] = {
        "local function f(s) pause() return (s:gsub('.', f)) end f('a')",
        "local function f() pause() table.sort({1, 2}, f) end f()",
        "local function f() pause(); ('a'):gsub('a', function() pause() pcall(f) end) end f()",
        "local function f() coroutine.wrap(function() pause(); ('a'):gsub('a', f) end)() end f()",
        "t = setmetatable({}, {__index = function() x = ('a'):gsub('.', t) end}) x = t.a",
    };
    struct box *box = open_with_pause(&roomy);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        assert_eval(box, sources[i], DEPTH);
        // What was left behind does not count.
        assert_eval(box,
                    "for i = 1, 1000 do pcall(string.gsub, 'a', 'a', function() pause() "
                    "coroutine.wrap(pcall)(string.gsub, 'a', 'a', error) error('x') end) end "
                    "return (('a'):gsub('a', function() return 'b' end))",
                    "( 'ok' [ <62> ]1 )2");
    }
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(paused_in_every_callback),
        BOX_TEST(paused_at_every_look),
        BOX_TEST(recursion_with_pauses_ends_by_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
