// SPDX-License-Identifier: Apache-2.0
// The sandbox's table library but for sort, against the stock one, and under limits.
#include "clocked_box.h"
#include "stock_rig.h"

// Tables of many kinds: plain, with holes, with odd lengths, and such that log every access and
// give up after some, so that the stock library does too.
static const char tables[] =
    "local big = {n = 16, math.maxinteger, math.maxinteger - 1, math.mininteger,\n"
    "  math.mininteger + 1, 1 << 31, (1 << 31) - 1, 1000000, 2.0, 2.5, '3', '0x2', 'x', true, {},\n"
    "  1e300, nil}\n"
    "local function value()\n"
    "  return pick{1, -7, 0, 2.5, -0.0, 1e15, 1e100, 'a', 'bc', '', '10', math.mininteger,\n"
    "    math.maxinteger, 1 / 0, 123456789012, 3.0, 0.1, ('long'):rep(20)}\n"
    "end\n"
    "local function number()\n"
    "  if random(7) == 1 then return pick(big) end\n"
    "  return random(13) - 3\n"
    "end\n"
    "local function list(odd)\n"
    "  local made = {}\n"
    "  for i = 1, random(9) - 1 do\n"
    "    made[i] = value()\n"
    "    if odd and random(9) == 1 then made[i] = pick{n = 4, true, {}, print, nil} end\n"
    "  end\n"
    "  return made\n"
    "end\n"
    "local function watched()\n"
    "  local store, left = list(true), 40\n"
    "  local length = #store\n"
    "  if random(3) == 1 then length = number() end\n"
    "  local function access(what, key, value)\n"
    "    log(what .. show(key, value))\n"
    "    left = left - 1\n"
    "    if left < 0 then error('enough', 0) end\n"
    "  end\n"
    "  return setmetatable({}, {\n"
    "    __index = function(_, key) access('get', key) return store[key] end,\n"
    "    __newindex = function(_, key, value) access('set', key, value) store[key] = value end,\n"
    "    __len = function() access('len') return length end,\n"
    "    __eq = function() access('eq') return random(2) == 1 end}), store\n"
    "end\n"
    "local last\n"
    "local function subject()\n"
    "  local kind = random(12)\n"
    "  local made, store = list(kind > 2)\n"
    "  if kind == 3 then\n"
    "    setmetatable(made, {})\n"
    "  elseif kind == 4 then\n"
    "    local length = pick{-1, 0, 3, 12, 2.0, 2.5, 'abc', '4', true, 1e300}\n"
    "    setmetatable(made, {__len = function() return length end})\n"
    "  elseif kind == 5 then\n"
    "    setmetatable(made, {__index = list(), __len = function() return 5 end})\n"
    "  elseif kind == 6 then\n"
    "    setmetatable(made, {__newindex = list()})\n"
    "  elseif kind == 7 then\n"
    "    for _, key in ipairs{math.maxinteger, math.mininteger, 0, -1} do made[key] = value() end\n"
    "  elseif kind < 11 and kind > 7 then\n"
    "    made, store = watched()\n"
    "  elseif kind == 11 and random(4) == 1 then\n"
    "    return pick{n = 8, nil, true, 3, 'text', print, 2.5, coroutine.create(print), {}}\n"
    "  end\n"
    "  last = store or made\n"
    "  return made, store == nil and 'raw'\n"
    "end\n"
    "local function contents(made)\n"
    "  local words = ''\n"
    "  for i = -3, 16 do words = words .. show(rawget(made, i)) end\n"
    "  for _, i in ipairs(big) do words = words .. show(rawget(made, i)) end\n"
    "  return words .. show(rawget(made, 'n'))\n"
    "end\n"
    "local function tested(name, f, ...)\n"
    "  tried(name, table[name], ...)\n"
    "  log(contents(last))\n"
    "  tried(name, f, ...)\n"
    "  log(contents(last))\n"
    "end\n";

static const char changing[] =
    "local function insert(...) table.insert(...) return 'inserted' end\n"
    "local function remove(...) local gone = table.remove(...) return gone end\n"
    "local function move(...) local to = table.move(...) return to == ... end\n"
    "for _ = 1, 800 do\n"
    "  local made = subject()\n"
    "  local count = random(10)\n"
    "  if count == 1 then tested('insert', insert, made)\n"
    "  elseif count == 2 then tested('insert', insert, made, 1, 2, 3)\n"
    "  elseif count < 5 then tested('insert', insert, made, value())\n"
    "  else tested('insert', insert, made, number(), value()) end\n"
    "  made = subject()\n"
    "  if random(3) == 1 then tested('remove', remove, made)\n"
    "  else tested('remove', remove, made, number()) end\n"
    "  local raw\n"
    "  made, raw = subject()\n"
    "  local first, end_, to = number(), number(), number()\n"
    "  local from, till = math.tointeger(first), math.tointeger(end_)\n"
    "  if raw and from and till and from <= till and math.ult(1000, till - from) then\n"
    "    first = end_\n"
    "  end\n"
    "  local kind = random(4)\n"
    "  if kind == 1 then tested('move', move, made, first, end_, to, made)\n"
    "  elseif kind == 2 then tested('move', move, made, first, end_, to, (subject()))\n"
    "  else tested('move', move, made, first, end_, to) end\n"
    "end\n"
    "for _, name in ipairs{'insert', 'remove', 'move', 'concat', 'unpack', 'pack', 'sort'} do\n"
    "  tried(name, table[name])\n"
    "  for _, bad in ipairs{{n = 1}, {n = 1, 3}, {n = 2, {}, 'x'}, {n = 3, {}, 1, 'x'},\n"
    "    {n = 4, {}, 1, 1, {}}, {n = 5, {}, 1, 1, 1, 1}, {n = 5, {}, 1, 2, 3, 'text'},\n"
    "    {n = 5, 'text', 1, 2, 1, {}}, {n = 3, {}, 1, 999990}} do\n"
    "    tried(name, table[name], table.unpack(bad, 1, bad.n))\n"
    "  end\n"
    "end\n";

static const char reading[] =
    "local function concat(...) local text = table.concat(...) return text end\n"
    "local function unpack(...) return select('#', table.unpack(...)), table.unpack(...) end\n"
    "local function pack(...) local made = table.pack(...) last = made return made.n end\n"
    "for _ = 1, 800 do\n"
    "  local made, raw = subject()\n"
    "  local separator = pick{n = 9, nil, '', ', ', '\\0', 7, 2.5, ('-'):rep(50), {}, true}\n"
    "  local kind = random(4)\n"
    "  if kind == 1 then tested('concat', concat, made)\n"
    "  elseif kind == 2 then tested('concat', concat, made, separator)\n"
    "  elseif kind == 3 then tested('concat', concat, made, separator, number())\n"
    "  else tested('concat', concat, made, separator, number(), number()) end\n"
    "  made, raw = subject()\n"
    "  local first, end_ = number(), number()\n"
    "  local from, till = math.tointeger(first), math.tointeger(end_)\n"
    "  if from and till and from <= till and math.ult(200, till - from) and\n"
    "     math.ult(till - from, 1000001) then\n"
    "    first = end_\n"
    "  end\n"
    "  kind = random(3)\n"
    "  if kind == 1 then tested('unpack', unpack, made)\n"
    "  elseif kind == 2 and math.type(first) == 'integer' and first > -100 then\n"
    "    tested('unpack', unpack, made, first)\n"
    "  else tested('unpack', unpack, made, first, end_) end\n"
    "  tested('pack', pack, value(), nil, table.unpack(list(), 1, random(5)))\n"
    "end\n";

// Around the sizes where concat measures, and numbers of every length.
static const char joining[] =
    "for _, n in ipairs{1, 2, 50, 60, 250, 255, 256, 257, 1000, 3000} do\n"
    "  local words, integers, floats, mixed = {}, {}, {}, {}\n"
    "  for i = 1, n do\n"
    "    words[i] = ('word' .. random(999)):sub(1, random(7))\n"
    "    integers[i] = (seed << 40 | seed << 17 | seed) >> random(64) - 1\n"
    "    if random(2) == 1 then integers[i] = -integers[i] end\n"
    "    floats[i] = random(100000) / random(1000) * 10.0 ^ (random(200) - 100)\n"
    "    mixed[i] = pick{words[i], integers[i], floats[i], -0.0, 3.0, 1e15, 1 / 0}\n"
    "  end\n"
    "  for _, made in ipairs{words, integers, floats, mixed} do\n"
    "    tried('concat', table.concat, made)\n"
    "    tried('concat', table.concat, made, ', ', 2)\n"
    "    tried('concat', table.concat, made, '', n // 2, n)\n"
    "    local proxy = setmetatable({}, {__index = made, __len = function() return #made end})\n"
    "    tried('concat', table.concat, proxy, 1)\n"
    "    made[n] = {}\n"
    "    tried('concat', table.concat, made, ', ')\n"
    "    tried('concat', table.concat, proxy, ', ')\n"
    "  end\n"
    "end\n";

static void as_the_stock_library(void **state) {
    (void)state;
    static const char *const bodies[] = {changing, reading, joining};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char body[16384];
        int length = snprintf(body, sizeof body, "%s%s", tables, bodies[i]);
        assert_in_range(length, 1, sizeof body - 1);
        assert_agrees(body);
    }
}

// Each goes on for ever, or nearly so, if nobody stops it.
static const char *const endless[] = {
    "table.move({}, 1, math.maxinteger, 1)",
    "table.move({}, 1, math.maxinteger - 1, 2)",
    "table.move({}, math.mininteger, -2, 1, {})",
    "table.insert(long, 1, 0)",
    "table.remove(long, 1)",
    "table.concat(setmetatable({}, {__len = long_length, __index = empty}))",
    "table.move(typed, 1, 1 << 60, 1, sink)",
    "while true do pcall(table.move, {}, 1, math.maxinteger, 1) end",
    "while true do table.unpack({}, 1, 9000) end",
    "while true do pcall(table.concat, {1, 2, {}}) end",
};

// As it is; where a pause is impossible; in a coroutine; and with something to swallow the limit.
static const char *const settings[] = {
    "%s",
    "string.gsub('a', 'a', function() %s end)",
    "coroutine.wrap(function() %s end)()",
    "while true do pcall(function() %s end) end",
};

static void long_loops_end_in_time(void **state) {
    (void)state;
    open_clocked_box();
    assert_eval(&tested.box,
                "long_length = function() return math.maxinteger - 1 end "
                "long = setmetatable({}, {__len = long_length}) "
                "typed = setmetatable({}, {__index = type}) "
                "sink = setmetatable({}, {__newindex = rawequal}) "
                "empty = setmetatable({}, {__index = function() return '' end})",
                "( 'ok' [ ]0 )2");
    clocked.step_ns = usual.time_ns / 10;
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++)
        for (size_t j = 0; j < sizeof settings / sizeof settings[0]; j++) {
            char source[512];
            int length = snprintf(source, sizeof source, settings[j], endless[i]);
            assert_in_range(length, 1, sizeof source - 1);
            assert_eval(&tested.box, source, TIME);
        }
    clocked.step_ns = 0;
    assert_eval(&tested.box, "return #table.pack(table.unpack({1, 2, 3}))", "( 'ok' [ 3 ]1 )2");
    close_box();
}

static void too_much_is_a_limit(void **state) {
    (void)state;
    static const char *const sources[] = {
        "table.concat(setmetatable({}, {__index = type}), '', 1, 1 << 60)",
        "pcall(table.concat, setmetatable({}, {__index = function() return text end}), '', 1, 1e9)",
        "table.concat({text, text, text, text})",
        "table.concat({'a', 'b', 'c', 'd', 'e'}, text)",
        "table.unpack({}, 1, 600000)",
        "pcall(table.unpack, {}, -600000, -1)",
    };
    (void)open_box(&usual);
    assert_eval(&tested.box, "text = ('x'):rep(1 << 20)", "( 'ok' [ ]0 )2");
    assert_evals(&tested.box, sources, sizeof sources / sizeof sources[0], MEMORY);
    // What fits is made, although it would not if every number were as long as it could be.
    assert_eval(&tested.box,
                "local t = {} for i = 1, 100000 do t[i] = 0.5 end return #table.concat(t)",
                "( 'ok' [ 300000 ]1 )2");
    close_box();
}

static void long_loops_look_at_the_clock(void **state) {
    (void)state;
    static const struct looked loops[] = {
        {"table.move(list, 1, #list, 2)", 30},
        {"table.move(list, 2, #list, 1)", 30},
        {"table.move(list, 1, #list, 1, {})", 30},
        {"table.insert(list, 1, 0)", 30},
        {"table.remove(list, 1)", 30},
        {"table.concat(list)", 60},
        {"table.concat(proxy, ' ')", 30},
        {"table.unpack(list)", 30},
        {"table.pack(table.unpack(list))", 60},
    };
    open_clocked_box();
    (void)looks_during("list = {} for i = 1, 1 << 17 do list[i] = i end "
                       "local length = #list proxy = setmetatable({}, "
                       "{__index = list, __len = function() return length end})");
    assert_looks(loops, sizeof loops / sizeof loops[0]);
    close_box();
}

// Every look is a pause where one is possible: these go on where they were. `holds` is true when
// 1 to n stand in a list, from an index on.
static void shifting_pauses(void **state) {
    (void)state;
    static const struct {
        const char *shift, *holds;
    } shifts[] = {
        {"table.insert(list, 1, 'new')", "list[1] == 'new' and holds(list, 2)"},
        {"gone = table.remove(list, 1)", "gone == 'new' and holds(list, 1) and #list == n"},
        {"got = table.move(list, 1, n, 3)", "got == list and holds(list, 3)"},
        {"got = table.move(list, 3, n + 2, '1.0')", "got == list and holds(list, 1)"},
        {"to = {} got = table.move(list, 1, n, 5, to)", "got == to and holds(to, 5)"},
        {"coroutine.wrap(table.insert)(list, 1, 0)", "list[1] == 0 and holds(list, 2)"},
        {"_, gone = pcall(table.remove, list, 1)", "gone == 0 and holds(list, 1)"},
    };
    open_clocked_box();
    (void)looks_during("n, list = 1 << 16, {} for i = 1, n do list[i] = i end "
                       "function holds(list, at) for i = 1, n do "
                       "if list[at + i - 1] ~= i then return false end end return true end");
    for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        unsigned pauses = 0;
        char check[128];
        struct record record;
        clocked.step_ns = usual.slice_ns;
        enum box_result result = begin_eval_within(&tested.box, shifts[i].shift, PATIENCE_NS);
        record_init(&record);
        for (; result == BOX_MORE; pauses++) {
            record_release(&record);
            record_init(&record);
            record.exact_begin = false;
            result = box_step(&tested.box, &record.sink);
        }
        if (strcmp(record.text, "( 'ok' [ ]0 )2") != 0 || pauses < 8)
            fail_msg("%s: %s after %u pauses", shifts[i].shift, record.text, pauses);
        record_release(&record);
        clocked.step_ns = 0;
        (void)snprintf(check, sizeof check, "assert(%s)", shifts[i].holds);
        (void)looks_during(check);
    }
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(as_the_stock_library), BOX_TEST(long_loops_end_in_time),
        BOX_TEST(too_much_is_a_limit),  BOX_TEST(long_loops_look_at_the_clock),
        BOX_TEST(shifting_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
