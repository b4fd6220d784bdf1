// SPDX-License-Identifier: Apache-2.0
// The sandbox's table.sort against the stock one, with orders that contradict themselves, with an
// adversary that makes quicksort quadratic, and under limits.
#include "clocked_box.h"
#include "stock_rig.h"

// Sizes around those where the algorithm changes, values whose order under `<` is all that shows.
static const char sorted[] =
    "local make = {\n"
    "  function(i, n) return random(1 << 20) end,\n"
    "  function(i, n) return i end,\n"
    "  function(i, n) return n - i end,\n"
    "  function(i, n) return random(3) end,\n"
    "  function(i, n) return 7 end,\n"
    "  function(i, n) return i * 2 < n and i or n - i end,\n"
    "  function(i, n) return i % 17 end,\n"
    "  function(i, n) return i == n and 0 or i end,\n"
    "  function(i, n) return random(1000) / 7 end,\n"
    "  function(i, n) return 'k' .. random(1 << 20) end,\n"
    "  function(i, n) return ('a'):rep(random(6)) .. '\\0' .. random(4) end,\n"
    "  function(i, n) return random(2) == 1 and random(50) or random(50) + 0.5 end}\n"
    "local orders = {n = 4, nil, function(a, b) return a < b end, function(a, b) return b < a "
    "end,\n"
    "  function(a, b) if a > b then return 'yes' end end}\n"
    "local function digest(list, n)\n"
    "  local sum, words = 0, ''\n"
    "  for i = 1, n do\n"
    "    local word = tostring(list[i])\n"
    "    if n < 30 then words = words .. ' ' .. word end\n"
    "    for j = 1, #word do sum = (sum * 31 + word:byte(j)) & 0xffffffff end\n"
    "  end\n"
    "  return sum, words\n"
    "end\n"
    "local sizes = {255, 256, 1000, 1023, 1024, 1025, 1026, 2048, 2500, 5000}\n"
    "for n = 0, 40 do sizes[#sizes + 1] = n end\n"
    "for _, n in ipairs(sizes) do\n"
    "  for kind, value in ipairs(make) do\n"
    "    local list, proxied = {}, {}\n"
    "    for i = 1, n do list[i] = value(i, n) proxied[i] = list[i] end\n"
    "    local order = pick(orders)\n"
    "    tried('sort', table.sort, list, order)\n"
    "    log(show(n, kind, digest(list, n)))\n"
    "    if n < 300 then\n"
    "      local proxy = setmetatable({}, {__len = function() return n end,\n"
    "        __index = function(_, i) return proxied[i] end,\n"
    "        __newindex = function(_, i, value) proxied[i] = value end})\n"
    "      tried('sort', table.sort, proxy, order)\n"
    "      log(show(digest(proxied, n)))\n"
    "    end\n"
    "  end\n"
    "end\n";

static const char refused[] =
    "local function sort(...) return 'sorted', table.sort(...) end\n"
    "local function long(n) return setmetatable({}, {__len = function() return n end}) end\n"
    "for _, made in ipairs{{n = 0}, {n = 1, 1}, {n = 2, {}, 1}, {n = 2, {1, 2}, {}},\n"
    "  {n = 2, {1}, 5}, {n = 2, {1, 2}, true}, {n = 2, long(0), 5}, {n = 2, long(-1), 5},\n"
    "  {n = 2, long(2), 5}, {n = 1, long(1 << 31)}, {n = 1, long((1 << 31) - 1)},\n"
    "  {n = 1, long(math.maxinteger)}, {n = 2, long(math.maxinteger), 5}, {n = 1, long('x')},\n"
    "  {n = 1, long(math.mininteger)}, {n = 1, long(2.5)}, {n = 1, long(1.0)},\n"
    "  {n = 2, {1, 2}, nil}, {n = 3, {2, 1}, nil, 5}, {n = 1, 'text'}, {n = 1, {{}, {}}},\n"
    "  {n = 2, {1, 2, 3, 4}, function() error('no', 0) end}, {n = 1, {print, print}},\n"
    "  {n = 2, {1, 2, 3, 4}, function() return true end},\n"
    "  {n = 2, {1, 2, 3, 4, 5}, function() return true end},\n"
    "  {n = 2, {1, 2}, function() return true end}, {n = 2, {1, 2, 3}, function() return 1 end},\n"
    "  {n = 2, {3, 1, 2}, function(...) return select('#', ...) ~= 2 end},\n"
    "  {n = 2, {1, 2}, function() coroutine.yield() end}, {n = 2, {1, 2}, rawlen}} do\n"
    "  tried('sort', table.sort, table.unpack(made, 1, made.n))\n"
    "  tried('sort', sort, table.unpack(made, 1, made.n))\n"
    "  tried('sort', coroutine.wrap(pcall), table.sort, table.unpack(made, 1, made.n))\n"
    "end\n"
    "local meta = {__lt = function(a, b) return a.key < b.key end}\n"
    "for n = 1, 60 do\n"
    "  local list, keys = {}, ''\n"
    "  for i = 1, n do list[i] = setmetatable({key = random(1 << 20)}, meta) end\n"
    "  tried('sort', table.sort, list)\n"
    "  for i = 1, n do keys = keys .. ' ' .. list[i].key end\n"
    "  log(keys)\n"
    "  list[random(n)] = {}\n"
    "  log(show(pcall(table.sort, list) or n == 1 or 'refused'))\n"
    "end\n";

static void as_the_stock_library(void **state) {
    (void)state;
    assert_agrees(sorted);
    assert_agrees(refused);
}

// Whatever a comparator says, sort ends, says either nothing or that the order is invalid, hands
// only elements to it, and loses none.
static const char contradictions[] =
    "local state = 1\n"
    "local function random(n)\n"
    "  state = (state * 1103515245 + 12345) & 0x7fffffff\n"
    "  return (state >> 8) % n\n"
    "end\n"
    "local calls = 0\n"
    "local orders = {\n"
    "  function() return true end,\n"
    "  function() return false end,\n"
    "  function() return random(2) == 0 end,\n"
    "  function() return random(50) == 0 end,\n"
    "  function() return random(50) > 0 end,\n"
    "  function() calls = calls + 1 return calls % 3 == 0 end,\n"
    "  function() calls = calls + 1 return calls > 40 end,\n"
    "  function() calls = calls + 1 return calls > 41 end,\n"
    "  function(a, b) return a <= b end,\n"
    "  function(a, b) return (a - b) % 7 < 3 end,\n"
    "  function(a, b) return a < b and random(100) > 0 end,\n"
    "  function(a, b) if random(3000) == 0 then error('enough', 0) end return a < b end}\n"
    "local refused = 0\n"
    "for _, n in ipairs{2, 3, 4, 5, 8, 9, 17, 100, 1024, 1025, 1500, 4000} do\n"
    "  for kind, order in ipairs(orders) do\n"
    "    local list = {}\n"
    "    calls = 0\n"
    "    for i = 1, n do list[i] = i * 7919 % n + 1 end\n"
    "    local ok, text = pcall(table.sort, list, function(a, b)\n"
    "      assert(math.type(a) and math.type(b))\n"
    "      return order(a, b)\n"
    "    end)\n"
    "    if not ok then\n"
    "      assert(text == 'enough' or text == 'invalid order function for sorting', text)\n"
    "      refused = refused + 1\n"
    "    end\n"
    "    assert(#list == n)\n"
    "    local seen = {}\n"
    "    for i = 1, n do seen[list[i]] = true end\n"
    "    for i = 1, n do assert(seen[i], kind) end\n"
    "  end\n"
    "end\n"
    "assert(refused > 20)\n"
    "local list = {}\n"
    "for i = 1, 3000 do list[i] = random(5) == 0 and 0 / 0 or random(1000) end\n"
    "table.sort(list)\n";

// The comparator changes what is being sorted, and the table's metatable.
static const char meddling[] =
    "local calls, list, n\n"
    "local function every(k, f)\n"
    "  return function(a, b)\n"
    "    calls = calls + 1\n"
    "    if calls % k == 0 then f() end\n"
    "    return (a or 0) < (b or 0)\n"
    "  end\n"
    "end\n"
    "local meddlers = {\n"
    "  function() for i = 1, #list do list[i] = nil end end,\n"
    "  function() list[#list] = nil end,\n"
    "  function() for i = 1, 100 do list[#list + 1] = i end end,\n"
    "  function() list[calls % n + 1] = nil collectgarbage() end,\n"
    "  function() setmetatable(list, {__index = function() return 5 end}) end,\n"
    "  function() setmetatable(list, {__newindex = function() error('no', 0) end}) end,\n"
    "  function() table.sort(list) end,\n"
    "  function() pcall(table.sort, list, function(a, b) return a > b end) end}\n"
    "for _, size in ipairs{5, 30, 1500, 3000} do\n"
    "  for _, meddler in ipairs(meddlers) do\n"
    "    calls, list, n = 0, {}, size\n"
    "    for i = 1, n do list[i] = i * 7919 % n end\n"
    "    local ok, text = pcall(table.sort, list, every(n // 2, meddler))\n"
    "    assert(ok or text == 'no' or text:find('invalid order') or text:find('compare'), text)\n"
    "  end\n"
    "end\n";

// McIlroy's adversary (A Killer Adversary for Quicksort, 1999): decides which of two elements is
// less as late as it can, so that every pivot is bad. With 2^15 elements a quadratic sort would
// need hundreds of comparisons for each.
static const char adversary[] =
    "local n = 1 << 15\n"
    "local gas, solid, candidate, calls = n + 1, 0, 0, 0\n"
    "local value, list = {}, {}\n"
    "for i = 1, n do value[i], list[i] = gas, i end\n"
    "table.sort(list, function(a, b)\n"
    "  calls = calls + 1\n"
    "  if value[a] == gas and value[b] == gas then\n"
    "    local frozen = a == candidate and a or b\n"
    "    value[frozen], solid = solid, solid + 1\n"
    "  end\n"
    "  if value[a] == gas then candidate = a elseif value[b] == gas then candidate = b end\n"
    "  return value[a] < value[b]\n"
    "end)\n"
    "for i = 2, n do assert(value[list[i - 1]] <= value[list[i]]) end\n"
    "assert(calls < 15 * n * 4, calls)\n";

static void any_order_ends(void **state) {
    (void)state;
    struct service_limits roomy = usual;
    roomy.memory_bytes *= 4;
    roomy.preempt = SERVICE_PREEMPT_COUNT;
    (void)open_box(&roomy);
    assert_eval(&tested.box, contradictions, "( 'ok' [ ]0 )2");
    assert_eval(&tested.box, meddling, "( 'ok' [ ]0 )2");
    assert_eval(&tested.box, adversary, "( 'ok' [ ]0 )2");
    close_box();
}

// The tenth look finds the time over.
static void a_long_sort_ends_in_time(void **state) {
    (void)state;
    static const char *const sources[] = {
        "table.sort(long, math.type)", // a comparator without hooks; nothing stands before another
        "string.gsub('a', 'a', function() table.sort(long, math.type) end)",
        "while true do pcall(table.sort, long, math.type) end",
        "coroutine.wrap(table.sort)(long, function() return false end)",
        "table.sort(list)",
        "table.sort(list, function(a, b) return a > b end)",
        "table.sort(list, function() while true do end end)",
        "table.sort(list, function() while true do pcall(error) end end)",
        "table.sort({1, 2}, function() table.sort(list, function() while true do end end) end)",
        "table.sort(texts)",
    };
    open_clocked_box();
    assert_eval(&tested.box,
                "long = setmetatable({}, {__len = function() return 1 << 30 end}) "
                "n, list = 1 << 16, {} for i = 1, n do list[i] = i * 7919 % n end "
                "local a, b = ('x'):rep(1 << 21), ('x'):rep(1 << 21) "
                "texts = {} for i = 1, 256 do texts[i] = i % 2 == 0 and a or b end",
                "( 'ok' [ ]0 )2");
    clocked.step_ns = usual.time_ns / 10;
    assert_evals(&tested.box, sources, sizeof sources / sizeof sources[0], TIME);
    // What was stopped has lost nothing.
    clocked.step_ns = 0;
    assert_eval(&tested.box, "table.sort(list) for i = 1, n do assert(list[i] == i - 1) end",
                "( 'ok' [ ]0 )2");
    assert_eval(
        &tested.box, "return select(2, pcall(table.sort, long))",
        "( 'ok' [ <617474656d707420746f20636f6d706172652074776f206e696c2076616c756573> ]1 )2");
    close_box();
}

// Each level of nested sorts holds elements on the Lua stack and frames on the C stack.
static void nested_sorts_end_by_depth(void **state) {
    (void)state;
    (void)open_box(&usual);
    assert_eval(&tested.box,
                "local function nest() local list = {} for i = 1, 200 do list[i] = i end "
                "table.sort(list, nest) end nest()",
                DEPTH);
    assert_eval(&tested.box, "return 1", "( 'ok' [ 1 ]1 )2");
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(as_the_stock_library),
        BOX_TEST(any_order_ends),
        BOX_TEST(a_long_sort_ends_in_time),
        BOX_TEST(nested_sorts_end_by_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
