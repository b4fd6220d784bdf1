// SPDX-License-Identifier: Apache-2.0
// The plain string functions, numbers in strings, math, and os: the same results and errors as the
// stock library's; and what is long ends with the call.
#include "lua_differ.h"

#include <string.h>

static void plain_functions(void **state) {
    (void)state;
    differ_often(
        "local function text() return pick('', 'a', 'Hello\\0World', ('xY'):rep(draw(600)), 12, "
        "1.5, "
        "  '\\200\\255aZ[`{@', ('q'):rep(1024), ('R'):rep(1025), draw(9) == 1 and "
        "('t\\0'):rep(20000) or ' ') end "
        "local function at() return pick(nil, 0, 1, -1, 2, -2, 5, -5, 600, -600, 1e15, '3', '-2', "
        "  math.maxinteger, math.mininteger, 1.5, 'x', {}) end "
        "for i = 1, 300 do "
        "  case(string.sub, text(), at(), (at())) case(string.byte, tostring(text()):sub(-60), "
        "at(), (at())) "
        "  case(string.sub, text()) case(string.byte, text()) case(string.len, text()) "
        "  case(string.lower, text()) case(string.upper, text()) case(string.reverse, text()) "
        "  case(string.rep, text(), pick(0, 1, 2, 3, 7, -1, '2', 1.5), pick(nil, '', ',', 'long "
        "gap')) "
        "  case(string.char, pick(0, 65, 255, 256, -1, '66', 'x', 1.5), pick(nil, 67, {}), 68) "
        "end "
        "for _, f in pairs{string.sub, string.byte, string.len, string.lower, string.upper, "
        "  string.reverse, string.rep, string.char} do case(f) case(f, nil) case(f, {}) end "
        "case(string.rep, 'aa', 1 << 30) case(string.rep, 'a', 1 << 30, 'b') "
        "case(string.rep, 'aa', 1 << 62) case(string.rep, 'x' , 1 << 62, 'yz') case(string.rep, "
        "'', 1 << "
        "16) "
        "case(string.char, ('x'):byte(1, -1)) "
        "case(string.rep, ('0123456789'):rep(500), 9, ';') case(string.rep, 'ab', 30000) "
        "case(string.rep, ('u'):rep(20000), 3, 'vw')",
        3);
}

static void numerals(void **state) {
    (void)state;
    differ_often(
        "local function digits(set, most) "
        "  local t = {} for i = 1, draw(most) - 1 do local at = draw(#set) t[i] = set:sub(at, at) "
        "end "
        "  return table.concat(t) "
        "end "
        "local function space() return draw(3) == 1 and digits(' \\t\\n\\v\\f\\r', 4) or '' end "
        "local function long(s) return draw(3) == 1 and (s:sub(1, 1)):rep(draw(3000)) .. s or s "
        "end "
        "local function numeral() "
        "  local hex = draw(3) == 1 "
        "  local set = hex and '0123456789abcdefABCDEF' or '0123456789' "
        "  local s = space() .. pick('', '', '-', '+', '--') .. (hex and pick('0x', '0X') or '') "
        "  s = s .. long(digits(pick(set, '0', '9', '00001', set), pick(3, 8, 22))) "
        "  if draw(3) == 1 then s = s .. '.' .. long(digits(pick(set, '0', '00009'), 8)) end "
        "  if draw(3) == 1 then "
        "    s = s .. pick('e', 'E', 'p', 'P') .. pick('', '-', '+') .. long(digits('0123', 4)) "
        "  end "
        "  if draw(20) == 1 then s = s .. pick('x', '.', 'e', '\\0', 'n', 'inf', 'nan') end "
        "  if draw(6) == 1 then s = s .. (' '):rep(2000) end "
        "  return s .. space() "
        "end "
        "for i = 1, 4000 do "
        "  local n = numeral() "
        "  case(tonumber, n) case(math.tointeger, n) "
        "  if i % 4 == 0 then case(function(a) return a + 1 end, n) case(math.floor, n) end "
        "end",
        4);
}

// Numerals beyond 1024 bytes, where a double must be rounded right: around a tie between two.
static void long_numerals(void **state) {
    (void)state;
    differ_often(
        "local tie = '9007199254740993' " // 2^53 + 1
        "for _, zeros in ipairs{0, 700, 780, 790, 800, 1100, 5000, 40000} do "
        "  for _, last in ipairs{'', '0', '1', '5', '9'} do "
        "    for _, sign in ipairs{'', '-'} do "
        "      case(tonumber, sign .. tie .. '.' .. ('0'):rep(zeros) .. last) "
        "      case(tonumber, sign .. ('0'):rep(zeros) .. tie .. last) "
        "      case(tonumber, sign .. tie .. ('0'):rep(zeros) .. last .. 'e-' .. zeros) "
        "      case(tonumber, sign .. '.' .. ('0'):rep(zeros) .. tie .. last .. 'e' .. zeros) "
        "      case(tonumber, sign .. '0x20000000000001' .. ('0'):rep(zeros) .. last) "
        "      case(tonumber, sign .. '0x2000000000000100.' .. ('0'):rep(zeros) .. last) "
        "      case(tonumber, sign .. '0x.' .. ('0'):rep(zeros) .. '200000000000010' .. last .. "
        "        'p' .. 4 * zeros) "
        "      case(tonumber, sign .. '1e' .. ('0'):rep(zeros) .. last) "
        "      case(tonumber, sign .. '1e-' .. ('9'):rep(zeros) .. last) "
        "      case(tonumber, sign .. '0e' .. ('9'):rep(zeros) .. last) "
        "      case(tonumber, (' '):rep(zeros) .. sign .. '12' .. ('\\t'):rep(zeros) .. last) "
        "    end "
        "  end "
        "end "
        "case(tonumber, '2.4703282292062327208e-324' .. (' '):rep(2000)) "
        "case(tonumber, ('9'):rep(309) .. (' '):rep(2000)) "
        "case(tonumber, '9223372036854775807' .. (' '):rep(2000)) "
        "case(tonumber, '-9223372036854775808' .. (' '):rep(2000)) "
        "case(tonumber, '9223372036854775808' .. (' '):rep(2000)) "
        "case(tonumber, '0x' .. (' '):rep(2000)) case(tonumber, (' '):rep(2000)) "
        "case(tonumber, '1' .. ('0'):rep(2000) .. '\\0')",
        1);
}

static void bases(void **state) {
    (void)state;
    differ_often(
        "for i = 1, 3000 do "
        "  local s = pick('', ' ', '\\t') .. pick('', '-', '+') "
        "  for k = 1, draw(20) - 1 do s = s .. string.char(pick(48, 49, 55, 57, 65, 70, 90, 97, "
        "122)) end "
        "  if draw(10) == 1 then s = s .. pick(' ', '.', '\\0', ('1'):rep(3000)) end "
        "  case(tonumber, s, pick(2, 8, 10, 16, 36, '16', 1, 37, 2.5, {})) "
        "end "
        "case(tonumber) case(tonumber, nil) case(tonumber, {}) case(tonumber, 1, 10) "
        "case(tonumber, true) case(tonumber, '1', nil) case(tonumber, nil, 10) case(tonumber, 1.5)",
        2);
}

static void arithmetic(void **state) {
    (void)state;
    differ_often(
        "local other = setmetatable({}, {__add = function() return 'add' end, "
        "  __unm = function() return 'unm' end, __concat = function() return 'cat' end}) "
        "local function v() return pick('10', ' 3 ', '0x10', '1.5', 'x', '', '1e400', 7, 2.5, 0, "
        "  nil, true, {}, other, ('0'):rep(3000) .. '4') end "
        "for i = 1, 2000 do "
        "  case(pick(function(a, b) return a + b end, function(a, b) return a - b end, "
        "    function(a, b) return a * b end, function(a, b) return a / b end, "
        "    function(a, b) return a % b end, function(a, b) return a ^ b end, "
        "    function(a, b) return a // b end, function(a) return -a end, "
        "    function(a, b) return a .. b end, function(a, b) return a | b end), v(), (v())) "
        "end",
        2);
}

static void mathematics(void **state) {
    (void)state;
    differ_often(
        "local function v() return pick(0, 1, -1, 2, 10, 100, math.maxinteger, math.mininteger, "
        "0.0, "
        "  -0.0, 0.5, -0.5, 3.7, -3.7, 1e15, 1e300, -1e300, 1/0, -1/0, 0/0, '10', '0x1p4', 'x', "
        "'3.5', "
        "  nil, {}, 2^53, -2^63, 2^63) end "
        "for i = 1, 400 do "
        "  for _, name in ipairs{'abs', 'acos', 'asin', 'ceil', 'cos', 'deg', 'exp', 'floor', "
        "    'modf', 'rad', 'sin', 'sqrt', 'tan', 'tointeger', 'type'} do case(math[name], (v())) "
        "end "
        "  for _, name in ipairs{'atan', 'log', 'ult', 'max', 'min'} do "
        "    case(math[name], v(), (v())) end "
        "  case(math.fmod, (v()), pick(0, 1, -1, 3, 0.5, 1/0, '2')) "
        "  case(math.log, (v()), pick(2, 10, 3, '2', 0)) "
        "  case(select, v(), 'a', 'b', 'c') case(select, pick('#', '#x', 2, -2, -9, 9), 'a', 'b') "
        "  case(error, pick('text', nil, 5, true), pick(0, 1, 2, '1', 'x')) "
        "end "
        "case(math.max, 'b', 'a', 'c') case(math.min, {}, {}) case(math.max) case(math.min, 2) "
        "local lt = setmetatable({}, {__lt = function() return true end}) case(math.max, lt, 1) "
        "for _, name in ipairs{'abs', 'atan', 'ceil', 'floor', 'fmod', 'log', 'modf', 'tointeger', "
        "  'ult', 'random', 'randomseed'} do case(math[name], {}) end "
        "case(math.abs) case(math.tointeger) case(math.ult, 1) case(math.fmod, 1) case(select)",
        2);
}

static void random_numbers(void **state) {
    (void)state;
    differ_often(
        "for _, seed in ipairs{{1}, {42}, {-1}, {math.mininteger}, {7, 8}, {0}, {'9'}, {3.0}} do "
        "  case(math.randomseed, table.unpack(seed)) "
        "  for i = 1, 300 do "
        "    case(math.random) case(math.random, 0) case(math.random, 6) case(math.random, -5, 5) "
        "    case(math.random, math.mininteger, math.maxinteger) case(math.random, 1 << 40) "
        "    case(math.random, 7, 7) case(math.random, 3, 1 << 62) "
        "  end "
        "end "
        "case(math.random, 2, 1) case(math.random, 1, 2, 3) case(math.random, 1.5) "
        "case(math.random, -1) case(math.randomseed, 1.5) case(math.randomseed, nil)",
        1);
}

static void dates(void **state) {
    (void)state;
    differ_often(
        "for i = 1, 1000 do "
        "  local when = pick(0, 1, 86399, 951782400, draw(1 << 31), -draw(1 << 31), draw(1 << 40)) "
        "  case(os.date, '!%Y-%m-%dT%H:%M:%S %j %U %a %B', when) case(os.date, '%c %x %X %p', "
        "when) "
        "  case(os.date, (draw(2) == 1 and '!' or '') .. '%' .. string.char(draw(94) + 32) .. "
        "    pick('', 'y', '%Ey', '\\0x', 'H'), when) "
        "  case(os.date, pick('%E', '%O') .. string.char(draw(94) + 32), when) "
        "  local t = os.date(pick('*t', '!*t'), when) "
        "  case(os.time, t) t.month = t.month + draw(30) - 15 t.day = t.day + draw(100) - 50 "
        "  case(os.time, t) case(function() return t.year, t.month, t.day, t.yday, t.isdst end) "
        "  t[pick('year', 'month', 'day', 'hour', 'isdst')] = pick(nil, 'x', '3', 1.5, 1 << 31, "
        "    math.maxinteger, -1 << 31, 12, true) "
        "  case(os.time, t) "
        "end "
        "case(os.date, '*t', 1 << 60) case(os.date, '%', 0) case(os.date, '%Ez', 0) case(os.date, "
        "'', 0) "
        "case(os.date, '!', 0) case(os.date, '*tx', 0) case(os.date, 'a\\0b%Y', 0) case(os.date, "
        "{}) "
        "case(os.date, '%Y', 'x') case(os.date, '%Y', 1.5) case(os.date, '%Y', '86400') "
        "case(os.date, ('%Y-'):rep(400), 0) case(os.time, 1) case(os.time, {}) "
        "case(os.difftime, 5, 3) case(os.difftime, 5) case(os.difftime, 'x', 1) "
        "case(os.time, setmetatable({}, {__index = function(_, k) return k == 'year' and 2020 or 2 "
        "end}))",
        2);
}

static const char *const hostile[] = {
    "while true do ('ab'):rep(2^20) end",
    "local s = ('ab'):rep(2^19) while true do s:upper() s:lower() s:reverse() end",
    "local s = ('0'):rep(2^21) while true do tonumber(s) end",
    "local s = (' '):rep(2^21) while true do tonumber(s, 10) end",
    "local s = ('z'):rep(2^21) while true do tonumber(s, 36) end",
    "local s = ('9'):rep(2^21) while true do pcall(math.floor, s) end",
    "local s = '0x' .. ('f'):rep(2^21) while true do local x = s + 1 end",
    "local s = ('%n'):rep(2^20) while true do os.date(s) end",
    "local s = ('x'):rep(2^21) while true do os.date(s) end",
    "local s = ('0'):rep(2^21) while true do pcall(select, s) pcall(error, 'x', s) end",
};

static void limits_hold(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    assert_evals(box, hostile, sizeof hostile / sizeof hostile[0], TIME);
    assert_eval(box, "return #('x'):rep(2^23)", MEMORY);
    assert_eval(box, "return #('x'):rep(1 << 30)", MEMORY);
    assert_eval(box, "return #('x'):rep(5 * 2^20):upper()", MEMORY);
    assert_eval(box, "return #('x'):rep(3 * 2^20):reverse()", MEMORY);
    assert_eval(box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(plain_functions), BOX_TEST(numerals),   BOX_TEST(long_numerals),
        BOX_TEST(bases),           BOX_TEST(arithmetic), BOX_TEST(mathematics),
        BOX_TEST(random_numbers),  BOX_TEST(dates),      BOX_TEST(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
