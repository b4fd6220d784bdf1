// SPDX-License-Identifier: Apache-2.0
// string.pack, packsize and unpack: the same bytes, values and errors as the stock library's.
#include "lua_differ.h"

#define FORMATS                                                                                    \
    "local function option() "                                                                     \
    "  local o = pick('b', 'B', 'h', 'H', 'i', 'I', 'l', 'L', 'j', 'J', 'T', 'f', 'd', 'n', 's', " \
    "    'z', 'x', 'X', 'c', '<', '>', '=', '!', ' ', 'i', 'I', 'c', 's1') "                       \
    "  if draw(3) == 1 then o = o .. pick(1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 0, 20) end "            \
    "  if draw(60) == 1 then o = o .. pick('q', '\\0', '-', '\\200', '!3') end "                   \
    "  return o "                                                                                  \
    "end "                                                                                         \
    "local function format() "                                                                     \
    "  local f = pick('', '', '<', '>', '!', '!4', '>!8') "                                        \
    "  for i = 1, draw(5) do f = f .. option() end "                                               \
    "  return f "                                                                                  \
    "end "                                                                                         \
    "local function value() return pick(0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, "         \
    "  math.maxinteger, math.mininteger, 1.5, -0.0, 1/0, 3.0, '7', '', 'text', 'ze\\0ro', "        \
    "  ('l'):rep(300), ('m'):rep(2000), nil, {}, true, 1 << 40, '0x10') end "

static void packing(void **state) {
    (void)state;
    differ_often(FORMATS
                 "for i = 1, 3000 do "
                 "  case(string.pack, format(), value(), value(), value(), (value())) "
                 "  case(string.packsize, (format())) "
                 "end "
                 "case(string.pack) case(string.packsize) case(string.pack, {}) "
                 "case(string.pack, 'i') case(string.pack, 'z') case(string.pack, 'd') "
                 "case(string.pack, 'i4i4', 1) case(string.pack, 'z', 'a\\0') "
                 "case(string.packsize, 'c2147483647') case(string.packsize, 'c2147483648') "
                 "case(string.packsize, 'c2147483647x') case(string.pack, 'c100000', 'x') "
                 "case(string.packsize, ('i'):rep(5000)) case(string.packsize, 'i99999999999') "
                 "case(string.packsize, 'c99999999999') case(string.pack, '!99999999999')",
                 4);
}

static void unpacking(void **state) {
    (void)state;
    differ_often(
        FORMATS
        "local function bytes() "
        "  local t = {} for i = 1, draw(60) do "
        "    t[i] = pick('\\0', '\\1', '\\255', string.char(draw(256) - 1)) end "
        "  return table.concat(t) "
        "end "
        "for i = 1, 4000 do "
        "  case(string.unpack, format(), bytes(), pick(nil, nil, 1, 2, -1, -9, 0, 70, '3', "
        "    math.maxinteger, math.mininteger, 1.5)) "
        "end "
        "case(string.unpack) case(string.unpack, 'b') case(string.unpack, 'z', 'abc') "
        "case(string.unpack, 'z', '') case(string.unpack, 's', ('\\255'):rep(9)) "
        "case(string.unpack, 'c2147483647', 'x') case(string.unpack, 'zz', ('y'):rep(200000) "
        ".. '\\0z\\0')",
        4);
}

static void round_trips(void **state) {
    (void)state;
    differ_often(FORMATS
                 "for i = 1, 2000 do "
                 "  local f = format() "
                 "  local packed = table.pack(pcall(string.pack, f, value(), value(), value(), "
                 "    value(), value())) "
                 "  if packed[1] then case(string.unpack, f, packed[2]) end "
                 "end "
                 "for i = 1, 300 do case(string.pack, 's4z', ('v'):rep(draw(3000)), "
                 "  ('w'):rep(draw(90000))) end",
                 2);
}

static const char *const hostile[] = {
    "local f = (' '):rep(2^21) while true do string.pack(f) end",
    "local f = ('<'):rep(2^21) while true do string.packsize(f) end",
    "local f = ('x'):rep(2^20) while true do pcall(string.unpack, f, '') end",
    "local f = ('x'):rep(2^19) while true do string.pack(f) end",
    "local s = ('a'):rep(2^21) while true do pcall(string.unpack, 'z', s) end",
};

static void limits_hold(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_evals(box, hostile, sizeof hostile / sizeof hostile[0], TIME);
    assert_eval(box, "return #string.pack('c2147483647', '')", MEMORY);
    assert_eval(box, "return #string.pack('c2000000', '')", "( 'ok' [ 2000000 ]1 )2");
    assert_eval(box,
                "local s = ('x'):rep(2^20) local t = {} for i = 1, 20 do t[i] = s end "
                "return #string.pack(('s'):rep(20), table.unpack(t))",
                MEMORY);
    assert_eval(box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(packing),
        BOX_TEST(unpacking),
        BOX_TEST(round_trips),
        BOX_TEST(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
