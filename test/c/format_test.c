// SPDX-License-Identifier: Apache-2.0
// string.format and tostring: the same texts and errors as the stock library's, and no address in
// any of them.
#include "lua_differ.h"

#include "lua/sandbox.h"

#define VALUES                                                                                     \
    "local meta = setmetatable({}, {__tostring = function() return 'meta\\0text' end}) "           \
    "local long = setmetatable({}, {__tostring = function() return ('l'):rep(150) end}) "          \
    "local count = setmetatable({}, {__tostring = function() return 17 end}) "                     \
    "local wrong = setmetatable({}, {__tostring = function() return {} end}) "                     \
    "local throws = setmetatable({}, {__tostring = function() error('thrown', 0) end}) "           \
    "local named = setmetatable({}, {__name = 'my\\0type'}) "                                      \
    "local misnamed = setmetatable({}, {__name = 1}) "                                             \
    "local function value() return pick(0, 1, -1, 42, math.maxinteger, math.mininteger, 255, "     \
    "  0.0, -0.0, 1.5, -2.25, 1e15, 1e16, 1e100, -1e308, 5e-324, 1/0, -1/0, 0/0, 0.1, 3.0, "       \
    "  '', 'text', '12', '0x10', ' 7 ', '1e2', '1.5', 'a\\0b', 'two\\nlines\\r\\\\\"\\1272', "     \
    "  ('x'):rep(99), ('x'):rep(100), ('y'):rep(300), ('z'):rep(1000), nil, true, false, {}, "     \
    "  print, meta, long, count, wrong, throws, named, misnamed, coroutine.create(print)) end "

static void random_specifications(void **state) {
    (void)state;
    differ_often(
        VALUES
        "local function some(set, most) "
        "  local s = '' "
        "  for i = 1, draw(most + 1) - 1 do local at = draw(#set) s = s .. set:sub(at, at) end "
        "  return s "
        "end "
        "local function spec() "
        "  local s = '%' .. some('-+#0 ', draw(4) - 1) "
        "  if draw(2) == 1 then s = s .. some('0123456789', 2) end "
        "  if draw(2) == 1 then s = s .. '.' .. some('0123456789', 2) end "
        "  if draw(40) == 1 then s = s .. some('.-0 1', 20) end "
        "  return s .. some('cdiouxXaAeEfgGqssdxfgqs', 1) .. "
        "    (draw(25) == 1 and some('pFnlhLzbBDS%.\\0\\200', 2) or '') "
        "end "
        "for i = 1, 2500 do "
        "  local format = some('ab %%\\0\\n', 3) .. spec() .. some('xyz', 2) .. spec() "
        "  case(string.format, format, value(), value(), (value())) "
        "end",
        8);
}

static void everyday_formats(void **state) {
    (void)state;
    differ_often(
        VALUES
        "for i = 1, 400 do "
        "  case(string.format, '%d %s %5.2f', value(), value(), value()) "
        "  case(string.format, '%s', value()) case(string.format, '%q', value()) "
        "  case(string.format, '%-10s|%10s|%.3s', value(), value(), value()) "
        "  case(string.format, '%d', value()) case(string.format, '%c%c', value(), 65) "
        "  case(string.format, '%i%%%x', value(), value()) case(string.format, value(), value()) "
        "  case(tostring, value()) "
        "end "
        "for _, f in ipairs{'%', '%%', '%%%', 'a%', '%5', '%-', '%.', '% s', '%10', '%s%'} do "
        "  case(string.format, f) case(string.format, f, 'v') "
        "end "
        "case(string.format) case(string.format, nil) case(string.format, {}) "
        "case(string.format, 12, 1) case(string.format, '%s') case(tostring) "
        "for n = 0, 25 do "
        "  case(string.format, '%' .. ('-'):rep(n) .. 'd', 1) "
        "  case(string.format, '%' .. ('1'):rep(n) .. 's', 'v') "
        "end "
        "for c = 0, 255 do "
        "  case(string.format, '%' .. string.char(c), 1) "
        "  case(string.format, '%5' .. string.char(c), 1) "
        "  case(string.format, '%q', string.char(c) .. '7' .. string.char(c)) "
        "end",
        4);
}

// Pieces of every size, with and without calls of __tostring between them.
static void large_results(void **state) {
    (void)state;
    differ_often("local object = setmetatable({}, {__tostring = function() return "
                 "('t'):rep(draw(3000)) end}) "
                 "for i = 1, 60 do "
                 "  local parts, values = {}, {} "
                 "  for j = 1, draw(40) do "
                 "    parts[#parts + 1] = ('l'):rep(draw(6) == 1 and draw(5000) or draw(20)) "
                 "    local kind = draw(5) "
                 "    parts[#parts + 1] = ({'%s', '%s', '%q', '%5d', '%-99s'})[kind] "
                 "    values[j] = ({object, ('v'):rep(draw(4000)), ('q\\n\"\\1'):rep(draw(900)), "
                 "j, 'x'})[kind] "
                 "  end "
                 "  case(string.format, table.concat(parts), table.unpack(values)) "
                 "end "
                 "case(string.format, '%q', ('\\0'):rep(40000) .. '\\\"1') "
                 "case(string.format, ('%%'):rep(3000)) case(string.format, ('%99d'):rep(150), "
                 "  table.unpack(setmetatable({}, {__index = function() return 7 end}), 1, 150))",
                 3);
}

static void format_in_a_tostring(void **state) {
    (void)state;
    differ_often("local function nest(n) return setmetatable({}, {__tostring = function() "
                 "  return n == 0 and 'end' or string.format('<%d %s %s>', n, nest(n - 1), "
                 "    n == 5 and nest(0) or ('p'):rep(600)) end}) end "
                 "case(string.format, '%s|%s', nest(20), nest(3)) "
                 "local yields = setmetatable({}, {__tostring = coroutine.yield}) "
                 "case(coroutine.wrap(function() return string.format('%s', yields) end))",
                 1);
}

// Runs `source` inside a bare sandbox, where the test can look at the objects themselves.
struct inside {
    struct test_sandbox {
        struct sandbox sandbox;
        struct service_limits limits;
        struct service_host host;
        _Atomic(uint32_t) stop;
    } own;
    lua_State *L;
};

static uint64_t inside_now_ns(void *context) {
    (void)context;
    return world_now_ns();
}

static void inside_open(struct inside *inside) {
    memset(inside, 0, sizeof *inside);
    inside->own.limits = roomy;
    inside->own.host = (struct service_host){
        .memory = plain_memory, .now_ns = inside_now_ns, .stop = &inside->own.stop};
    inside->own.sandbox.host = &inside->own.host;
    inside->own.sandbox.limits = &inside->own.limits;
    preempt_init(&inside->own.sandbox.preempt, &inside->own.host, &inside->own.limits);
    assert_int_equal(sandbox_start(&inside->own.sandbox), 0);
    inside->L = inside->own.sandbox.main;
}

static void inside_close(struct inside *inside) {
    sandbox_finish(&inside->own.sandbox);
}

static bool same_address(const char *text, const void *address) {
    const char *at = strstr(text, "0x");
    return at != NULL && strtoull(at, NULL, 16) == (unsigned long long)(uintptr_t)address;
}

static const char *const kinds[] = {
    "return {}",
    "return print",
    "return function() end",
    "return coroutine.create(print)",
    "return setmetatable({}, {__name = 'named'})",
    "return 'a string'",
};
static const char *const showers[] = {
    "return tostring(...)",
    "return string.format('%s', ...)",
    "return string.format('%p', ...)",
    "return string.format('%30p', ...)",
    "return ({pcall(error, tostring(...))})[2]",
};

static void no_address_is_shown(void **state) {
    (void)state;
    struct inside inside;
    inside_open(&inside);
    lua_State *L = inside.L;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(luaL_dostring(L, kinds[i]), LUA_OK);
        const void *address = lua_topointer(L, -1);
        assert_non_null(address);
        for (size_t k = 0; k < sizeof showers / sizeof showers[0]; k++) {
            assert_int_equal(luaL_loadstring(L, showers[k]), LUA_OK);
            lua_pushvalue(L, -2);
            assert_int_equal(lua_pcall(L, 1, 1, 0), LUA_OK);
            const char *text = lua_tostring(L, -1);
            assert_non_null(text);
            assert_false(same_address(text, address));
            assert_true(strstr(text, "0x") != NULL || lua_type(L, -2) == LUA_TSTRING);
            lua_pop(L, 1);
        }
        lua_settop(L, 0);
    }
    inside_close(&inside);
}

// Unique and stable within a box, and another thing in another box.
static void identities(void **state) {
    (void)state;
    struct box *box = open_box(&roomy);
    assert_eval(box,
                "kept, seen = {}, {} for i = 1, 20000 do local t = {} local s = tostring(t) "
                "assert(not seen[s]) assert(#s == #'table: 0x123456789abc', s) seen[s] = true "
                "kept[i] = {t, s} end for _, k in ipairs(kept) do "
                "assert(tostring(k[1]) == k[2] and string.format('table: %p', k[1]) == k[2]) end "
                "kept, seen = nil return string.format('%p', 1), string.format('%-8p|', nil)",
                "( 'ok' [ <286e756c6c29> <286e756c6c2920207c> ]2 )2");
    box_close(box);
    struct inside one, other;
    inside_open(&one);
    inside_open(&other);
    char texts[2][SANDBOX_IDENTITY_BYTES];
    lua_pushlightuserdata(one.L, box);
    lua_pushlightuserdata(other.L, box);
    assert_int_equal(sandbox_identity(one.L, -1, texts[0]), 14);
    assert_int_equal(sandbox_identity(other.L, -1, texts[1]), 14);
    assert_string_not_equal(texts[0], texts[1]);
    inside_close(&one);
    inside_close(&other);
}

// The cipher's published test vectors.
static void cipher(void **state) {
    (void)state;
    static const uint64_t wide[2] = {UINT64_C(0x0b0a090803020100), UINT64_C(0x1b1a191813121110)};
    static const uint64_t narrow[2] = {UINT64_C(0x000a090800020100), UINT64_C(0x001a191800121110)};
    assert_int_equal(sandbox_encipher(wide, UINT64_C(0x3b7265747475432d), 32),
                     UINT64_C(0x8c6fa548454e028b));
    assert_int_equal(sandbox_encipher(narrow, UINT64_C(0x6d2073696874), 24),
                     UINT64_C(0x735e10b6445d));
}

static const char *const hostile[] = {
    "local f = ('a'):rep(2^21) while true do string.format(f) end",
    "local f = ('%%'):rep(2^20) while true do string.format(f) end",
    "local s = ('\\1'):rep(2^19) while true do string.format('%q', s) end",
    "local s = ('x'):rep(2^21) while true do string.format('%.5s', s) end",
    "local t = setmetatable({}, {__tostring = function() while true do end end}) "
    "pcall(string.format, '%s', t) return 1",
    "local t = setmetatable({}, {__tostring = function() while true do end end}) pcall(tostring, "
    "t)",
};

static void limits_hold(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_evals(box, hostile, sizeof hostile / sizeof hostile[0], TIME);
    assert_eval(box, "local s = ('\\1'):rep(2^20) return string.format('%q%q', s, s)", MEMORY);
    assert_eval(box,
                "local s = ('x'):rep(2^20) return string.format(('%s'):rep(9), s, s, s, s, "
                "s, s, s, s, s)",
                MEMORY);
    assert_eval(box,
                "local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) "
                "pcall(tostring, t)",
                DEPTH);
    assert_eval(box,
                "local t = setmetatable({}, {__tostring = function(t) "
                "return string.format('%s', t) end}) pcall(tostring, t)",
                DEPTH);
    assert_eval(box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(random_specifications),
        BOX_TEST(everyday_formats),
        BOX_TEST(large_results),
        BOX_TEST(format_in_a_tostring),
        BOX_TEST(no_address_is_shown),
        BOX_TEST(identities),
        BOX_TEST(cipher),
        BOX_TEST(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
