// SPDX-License-Identifier: Apache-2.0
// Recursion through everything that calls back, on stacks of all sizes: it ends in {limit, depth}
// or an error of the script, never below the stack. A stack is painted beforehand, so that what was
// used of it can be seen afterwards.
#include "lua_rig.h"

#include <pthread.h>
#include <sys/mman.h>

#define KIB ((size_t)1024)

static const struct {
    const char *what;
    const char *source;
} recursions[] = {
    {"gsub", "local function f(s) return (string.gsub(s, '.', f)) end f('a')"},
    {"sort", "local function f() table.sort({1, 2}, f) end f()"},
    {"pcall", "local function f() pcall(f) error('x') end f()"},
    {"pcall in sort", "local function f() pcall(table.sort, {1, 2}, f) end f()"},
    {"xpcall", "local function f() xpcall(f, print) end f()"},
    {"handler", "local function f() xpcall(error, f) end f()"},
    {"load", "local function f() load(f) end f()"},
    {"load and call", "local function f() load('(...)(...)')(f) end f()"},
    {"tostring",
     "local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring tostring(t)"},
    {"format", "local t = setmetatable({}, {}) getmetatable(t).__tostring = function(t) return "
               "string.format('%s', t) end tostring(t)"},
    {"print", "local t = setmetatable({}, {}) getmetatable(t).__tostring = print print(t)"},
    {"pairs", "local t = setmetatable({}, {}) getmetatable(t).__pairs = pairs pairs(t)"},
    {"concat", "local t = setmetatable({}, {}) getmetatable(t).__index = function(t) return "
               "table.concat(t, '', 1, 1) end return t[1]"},
    {"insert", "local t = setmetatable({}, {}) getmetatable(t).__newindex = table.insert "
               "getmetatable(t).__newindex = function(t) table.insert(t, 1) end t[1] = 1"},
    {"remove",
     "local t = setmetatable({}, {}) getmetatable(t).__index = function(t) return "
     "table.remove(t, 1) end getmetatable(t).__len = function() return 3 end return t[1]"},
    {"unpack", "local t = setmetatable({}, {}) getmetatable(t).__index = function(t) return "
               "table.unpack(t, 1, 1) end return t[1]"},
    {"move", "local t = setmetatable({}, {}) getmetatable(t).__index = function(t) return "
             "table.move(t, 1, 1, 2) end return t[1]"},
    {"len", "local t = setmetatable({}, {}) getmetatable(t).__len = function(t) return #t end "
            "return #t"},
    {"index",
     "local t = setmetatable({}, {}) getmetatable(t).__index = function(t) return t[1] end "
     "return t[1]"},
    {"newindex", "local t = setmetatable({}, {}) getmetatable(t).__newindex = function(t) t[1] = 1 "
                 "end t[1] = 1"},
    {"add", "local t = setmetatable({}, {}) getmetatable(t).__add = function(t) return t + 1 end "
            "return t + 1"},
    {"string add", "local t = setmetatable({}, {}) getmetatable(t).__add = function(a, b) return "
                   "'x' + b end return 'x' + t"},
    {"eq", "local t, u = setmetatable({}, {}), {} getmetatable(t).__eq = function() return t == u "
           "end return t == u"},
    {"lt", "local t = setmetatable({}, {}) getmetatable(t).__lt = function(a, b) return a < b end "
           "return t < t"},
    {"..", "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b "
           "end return t .. t"},
    {"call", "local function f(...) return ... end local t = setmetatable({}, {}) "
             "getmetatable(t).__call = function(t) return (t()) end return t()"},
    {"close", "local mt = {} local function f() local c <close> = setmetatable({}, mt) end "
              "mt.__close = f f()"},
    {"wrap", "local function f() return coroutine.wrap(f)() end f()"},
    {"resume", "local function f() return coroutine.resume(coroutine.create(f)) end f()"},
    {"coroutine.close",
     "local function f() local co = coroutine.create(function() local c <close> = "
     "setmetatable({}, {__close = f}) coroutine.yield() end) "
     "coroutine.resume(co) coroutine.close(co) end f()"},
    {"for", "local t = setmetatable({}, {}) getmetatable(t).__call = function(t) for i in t do end "
            "end for i in t do end"},
    {"parens", "return load('return ' .. ('('):rep(1000) .. '1' .. (')'):rep(1000))"},
    {"functions", "return load(('return function() '):rep(1000) .. ('end '):rep(1000))"},
    {"tables", "return load('return ' .. ('{'):rep(1000) .. ('}'):rep(1000))"},
    {"blocks", "return load(('do '):rep(1000) .. ('end '):rep(1000))"},
    {"unary", "return load('return ' .. ('- '):rep(1000) .. '1')"},
    {"powers", "return load('return ' .. ('2 ^ '):rep(1000) .. '1')"},
    {"nested lists", "local t = {} for i = 1, 198 do t = {t} end return t"},
    {"nested maps", "local t = {} for i = 1, 198 do t = {x = t} end return t"},
    {"parse in sort", "local function f() load(('('):rep(150)) table.sort({1, 2}, f) end f()"},
};

struct visit {
    struct box *box;
    const char *source;
    unsigned char *lowest;
    bool plain_error; // the reply is neither a limit nor a result
};

static void *visit_run(void *data) {
    struct visit *visit = data;
    struct record record;
    (void)finish(visit->box, begin_eval_within(visit->box, visit->source, PATIENCE_NS), &record);
    visit->plain_error = strncmp(record.text, "( 'ok'", 6) != 0 && strcmp(record.text, DEPTH) != 0;
    if (visit->plain_error && getenv("STACK_VERBOSE"))
        print_message("  %s\n", record.text);
    record_release(&record);
    return NULL;
}

// Runs the source on a thread of its own with a painted stack of `size`; how much of it was used.
static size_t stack_used(struct box *box, const char *source, size_t size) {
    const size_t guard = 64 * KIB;
    unsigned char *memory =
        mmap(NULL, guard + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory, guard, PROT_NONE), 0);
    unsigned char *stack = memory + guard;
    memset(stack, 0xA5, size);
    pthread_attr_t attributes;
    pthread_t thread;
    struct visit visit = {.box = box, .source = source};
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
    assert_int_equal(pthread_create(&thread, &attributes, visit_run, &visit), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&attributes);
    size_t untouched = 0;
    while (untouched < size && stack[untouched] == 0xA5)
        untouched++;
    assert_int_equal(munmap(memory, guard + size), 0);
    return size - untouched;
}

// The depth that sandbox_depth.c reckons with (DEPTH_LEVEL_BYTES), and what a call takes by itself.
#define LEVEL_BYTES ((size_t)1248)
#define BASE_BYTES  (24 * KIB)
// Built without optimisation or for a sanitizer, frames are larger; nothing is deployed so.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#define LEVELS_COUNT 1
#else
#define LEVELS_COUNT 0
#endif

static size_t recurse(size_t i, size_t stack_bytes) {
    struct service_limits limits = usual;
    limits.memory_bytes = 64 * KIB * KIB;
    struct box *box = open_box(&limits);
    size_t used = stack_used(box, recursions[i].source, stack_bytes);
    assert_eval(box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
    return used;
}

static void levels_are_small(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof recursions / sizeof recursions[0]; i++) {
        size_t used = recurse(i, 2048 * KIB);
        size_t level = used < BASE_BYTES ? 0 : (used - BASE_BYTES) / 200;
        print_message("%-16s %7zu bytes, %5zu a level\n", recursions[i].what, used, level);
        if (LEVELS_COUNT)
            assert_in_range(level, 0, LEVEL_BYTES);
    }
}

// The stacks of the VM's threads: async pool, dirty scheduler, normal scheduler.
static void stacks_are_never_left(void **state) {
    (void)state;
    static const size_t stacks[] = {136 * KIB, 328 * KIB, 1032 * KIB};
    for (size_t s = 0; s < sizeof stacks / sizeof stacks[0]; s++)
        for (size_t i = 0; i < sizeof recursions / sizeof recursions[0]; i++) {
            size_t used = recurse(i, stacks[s]);
            if (used > stacks[s] - 4 * KIB)
                fail_msg("%s: %zu bytes of %zu", recursions[i].what, used, stacks[s]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {BOX_TEST(levels_are_small), BOX_TEST(stacks_are_never_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
