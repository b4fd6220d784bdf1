// SPDX-License-Identifier: Apache-2.0
// The sandbox's utf8 library against the stock one, and how often it looks at the clock.
#include "clocked_box.h"
#include "stock_rig.h"

// Texts, cut and mixed, of every kind of sequence: legal, too long, too large, surrogates, cut off,
// stray continuations, bytes that start nothing.
static const char texts[] =
    "local parts = {'', 'a', 'xyz', '\\0', '\\u{E4}', '\\u{7FF}', '\\u{800}', '\\u{20AC}',\n"
    "  '\\u{FFFF}', '\\u{10000}', '\\u{10FFFF}', '\\u{110000}', '\\u{1FFFFF}', '\\u{200000}',\n"
    "  '\\u{3FFFFFF}', '\\u{4000000}', '\\u{7FFFFFFF}', '\\u{D7FF}', '\\u{D800}', '\\u{DFFF}',\n"
    "  '\\u{E000}', '\\x80', '\\xBF', '\\x80\\x80\\x80', '\\xC0\\x80', '\\xC1\\xBF',\n"
    "  '\\xE0\\x9F\\xBF', '\\xF0\\x8F\\xBF\\xBF', '\\xF8\\x87\\xBF\\xBF\\xBF',\n"
    "  '\\xFC\\x83\\xBF\\xBF\\xBF\\xBF', '\\xFE\\x80\\x80\\x80\\x80\\x80\\x80',\n"
    "  '\\xFF\\xBF\\xBF\\xBF\\xBF\\xBF\\xBF\\xBF', '\\xE2\\x82', '\\xF0', '\\xC3', '\\xE4\\xC3'}\n"
    "local function text()\n"
    "  local made = ''\n"
    "  for _ = 1, random(6) - 1 do made = made .. pick(parts) end\n"
    "  if random(4) == 1 then made = made:sub(random(#made + 1), -random(#made + 1)) end\n"
    "  return made\n"
    "end\n"
    "local odd = {n = 16, math.maxinteger, math.mininteger, 1 << 31, 2.0, 2.5, '3', 'x', true,\n"
    "  {}, 1e300, -1e15, 0x7fffffff, 0x80000000, 0/0, '0x10', nil}\n"
    "local function number()\n"
    "  if random(8) == 1 then return pick(odd) end\n"
    "  return random(24) - 12\n"
    "end\n"
    "local function subject()\n"
    "  if random(30) == 1 then return pick(odd) end\n"
    "  return text()\n"
    "end\n"
    "local function some(most, first)\n"
    "  local made = {first}\n"
    "  for i = 2, random(most) do made[i] = number() end\n"
    "  return made, most\n"
    "end\n";

static const char reading[] =
    "local calls = {\n"
    "  len = function(...) return (utf8.len(...)), select(2, utf8.len(...)) end,\n"
    "  codepoint = function(...) return select('#', utf8.codepoint(...)), utf8.codepoint(...) "
    "end,\n"
    "  offset = function(...) local at = utf8.offset(...) return at end}\n"
    "for _ = 1, 1500 do\n"
    "  for _, name in ipairs{'len', 'codepoint', 'offset'} do\n"
    "    local made, n = some(3, subject()), 3\n"
    "    if random(3) == 1 then made[4], n = pick{true, false}, 4 end\n"
    "    tried(name, calls[name], table.unpack(made, 1, n))\n"
    "    tried(name, utf8[name], table.unpack(made, 1, n))\n"
    "  end\n"
    "end\n"
    "for _, name in ipairs{'len', 'codepoint', 'offset', 'codes', 'char'} do\n"
    "  tried(name, utf8[name])\n"
    "  tried(name, utf8[name], nil)\n"
    "  tried(name, utf8[name], 12, 1)\n"
    "end\n";

static const char walking[] =
    "for _ = 1, 1500 do\n"
    "  local value, lax = subject(), pick{true, false}\n"
    "  tried('codes', function(...)\n"
    "    local all = ''\n"
    "    for at, code in utf8.codes(...) do all = all .. show(at, code) end\n"
    "    return all\n"
    "  end, value, lax)\n"
    "  local step = utf8.codes('', lax)\n"
    "  tried('step', step, text(), number())\n"
    "  tried('step', step, number(), number())\n"
    "end\n"
    "tried('same', function() return utf8.codes'a' == utf8.codes'b', utf8.charpattern end)\n";

static const char writing[] =
    "local codes = {0, 1, 0x7f, 0x80, 0x7ff, 0x800, 0xd800, 0xffff, 0x10000, 0x10ffff, 0x110000,\n"
    "  0x1fffff, 0x200000, 0x3ffffff, 0x4000000, 0x7fffffff, 0x80000000, -1, math.mininteger,\n"
    "  math.maxinteger, 65.0, 65.5, '66', '0x43', 'x', true, {}, 1 << 32}\n"
    "for _, code in ipairs(codes) do tried('char', utf8.char, code) end\n"
    "for _ = 1, 1000 do\n"
    "  local made = {}\n"
    "  for i = 1, random(5) - 1 do made[i] = codes[random(random(20) == 1 and #codes or 16)] end\n"
    "  tried('char', utf8.char, table.unpack(made))\n"
    "  tried('char', function(...) local made = utf8.char(...) return made end, "
    "table.unpack(made))\n"
    "end\n"
    "for _, n in ipairs{40, 43, 250, 256, 257, 1000, 5000} do\n"
    "  local made = {}\n"
    "  for i = 1, n do made[i] = codes[random(16)] end\n"
    "  local text = utf8.char(table.unpack(made))\n"
    "  log(show(n, text))\n"
    "  tried('many', function() return utf8.len(text, 1, -1, true) end)\n"
    "  tried('many', function() return utf8.codepoint(text, 1, -1, true) end)\n"
    "  for i = 1, n, 1 + n // 50 do\n"
    "    log(show(utf8.offset(text, i), utf8.offset(text, -i)))\n"
    "    tried('offset', function() return utf8.offset(text, i, 7) end)\n"
    "  end\n"
    "end\n";

// Longer than what is walked between two looks.
static const char long_texts[] =
    "for _, part in ipairs{'a', '\\u{E4}', 'a\\u{20AC}', '\\u{10FFFF}', '\\x80'} do\n"
    "  for _, n in ipairs{4095, 4096, 4097, 10000} do\n"
    "    local made = part:rep(n)\n"
    "    log(show(#made, utf8.len(made)))\n"
    "    log(show(utf8.len('a' .. made .. '\\xFF' .. made)))\n"
    "    log(show(utf8.offset('a' .. made, n), utf8.offset('a' .. made, 2 * n)))\n"
    "    log(show(utf8.offset('a' .. made, -n), utf8.offset(made .. 'a', -2 * n)))\n"
    "    log(show(utf8.offset(made, 0, #made), utf8.offset('a' .. made, 0, #made + 1)))\n"
    "    log(show(utf8.codes('')(made, 0)))\n"
    "    log(show(utf8.codes('')(made .. 'b', 1)))\n"
    "  end\n"
    "end\n";

static void as_the_stock_library(void **state) {
    (void)state;
    static const char *const bodies[] = {reading, walking, writing, long_texts};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char body[8192];
        int length = snprintf(body, sizeof body, "%s%s", texts, bodies[i]);
        assert_in_range(length, 1, sizeof body - 1);
        assert_agrees(body);
    }
}

// A megabyte, or so many arguments or results, is 256 times SANDBOX_POLL_STEPS.
static void long_loops_look_at_the_clock(void **state) {
    (void)state;
    static const struct looked loops[] = {
        {"utf8.len(letters)", 250},
        {"utf8.len(letters, 1, -1, true)", 250},
        {"utf8.offset(letters, 1 << 20)", 250},
        {"utf8.offset(letters, -1 << 20)", 250},
        {"utf8.offset(strays, 0, #strays)", 250},
        {"utf8.offset('a' .. strays, 2)", 250},
        {"utf8.offset(strays .. 'a', -2)", 250},
        {"utf8.codes('')(strays, 0)", 250},
        {"utf8.codepoint(letters, 1, 1 << 19)", 125},
        {"utf8.char(utf8.codepoint(letters, 1, 1 << 19))", 370},
    };
    open_clocked_box();
    (void)looks_during("letters, strays = ('a'):rep(1 << 20), ('\\x80'):rep(1 << 20)");
    assert_looks(loops, sizeof loops / sizeof loops[0]);
    close_box();
}

static void too_much_is_a_limit(void **state) {
    (void)state;
    static const char *const sources[] = {
        // Two megabytes of text, eight of stack.
        "return #table.pack(utf8.codepoint(text, 1, 1 << 19))",
        "return pcall(utf8.codepoint, text, 1, 1 << 19)",
    };
    (void)open_box(&usual);
    assert_eval(&tested.box, "text = ('a'):rep(1 << 19)", "( 'ok' [ ]0 )2");
    assert_evals(&tested.box, sources, sizeof sources / sizeof sources[0], MEMORY);
    assert_eval(&tested.box, "return utf8.len(text)", "( 'ok' [ 524288 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(as_the_stock_library),
        BOX_TEST(long_loops_look_at_the_clock),
        BOX_TEST(too_much_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
