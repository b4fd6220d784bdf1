// SPDX-License-Identifier: Apache-2.0
// The sandbox's patterns: what the manual says of them, the stock library's answers to thousands of
// cases, and patterns that would run for ever.
#include "lua_rig.h"
#include "pattern_stock.h"

#include <time.h>

static const struct {
    const char *source;
    const char *events;
} manual[] = {
    // Classes, sets, ranges.
    {"return ('x 1_Y'):find('%s%d')", "( 'ok' [ 2 3 ]2 )2"},
    {"return ('a]b'):find('[]]'), ('a^b'):find('[b^]'), ('-'):find('[a-]')",
     "( 'ok' [ 2 2 1 1 ]4 )2"},
    {"return ('\\255'):find('%a') == nil, ('\\255'):find('%W'), ('\\0'):find('%z')",
     "( 'ok' [ 'true' 1 1 1 ]4 )2"},
    // Repetition: longest, shortest, optional.
    {"return ('aaa'):match('a*'), ('aaa'):match('a-$'), ('aaa'):match('^a-'), ('ab'):match('ax?b')",
     "( 'ok' [ <616161> <616161> <> <6162> ]4 )2"},
    // Captures, positions, what was captured before.
    {"return ('key = val'):match('^(%w+)%s*=%s*(%w+)$')", "( 'ok' [ <6b6579> <76616c> ]2 )2"},
    {"return ('hello'):match('()ll()')", "( 'ok' [ 3 5 ]2 )2"},
    {"return ('say \"a\\'b\" now'):match([[([\"'])(.-)%1]])", "( 'ok' [ <22> <612762> ]2 )2"},
    {"return ('x'):find('(x)()')", "( 'ok' [ 1 1 <78> 2 ]4 )2"},
    // Balance and frontier.
    {"return ('f(a(b)c) d)'):match('%b()')", "( 'ok' [ <28612862296329> ]1 )2"},
    {"return ('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 2)", "( 'ok' [ 6 10 ]2 )2"},
    {"return (('THE END'):gsub('%f[%w]%w+', '%0!'))", "( 'ok' [ <5448452120454e4421> ]1 )2"},
    // init, plain.
    {"return ('abc'):find('b', -1), ('abc'):find('', 4), ('abc'):find('', 5), ('abc'):find('', -9)",
     "( 'ok' [ 'nil' 4 'nil' 1 0 ]5 )2"},
    {"return ('a.b*c'):find('.b*', 1, true)", "( 'ok' [ 2 4 ]2 )2"},
    {"return ('a\\0b\\0c'):find('\\0c'), ('aab'):find('ab', 1, true)", "( 'ok' [ 4 2 3 ]3 )2"},
    // gmatch: an empty match does not follow a match.
    {"local n = 0 for _ in ('abc'):gmatch('b*') do n = n + 1 end return n", "( 'ok' [ 3 ]1 )2"},
    {"local t = {} for p in ('abc'):gmatch('()', 3) do t[#t + 1] = p end return t",
     "( 'ok' [ [ 3 4 ]2 ]1 )2"},
    {"local t = {} for a in ('^a^b'):gmatch('^%a') do t[#t + 1] = a end return t",
     "( 'ok' [ [ <5e61> <5e62> ]2 ]1 )2"},
    // gsub.
    {"return ('abc'):gsub('', '-')", "( 'ok' [ <2d612d622d632d> 4 ]2 )2"},
    {"return ('hello world'):gsub('o', '0', 1)", "( 'ok' [ <68656c6c3020776f726c64> 1 ]2 )2"},
    {"return ('abc'):gsub('%w', '%%%0%0')", "( 'ok' [ <256161256262256363> 3 ]2 )2"},
    {"return ('ab'):gsub('(a)(b)', '%2%1')", "( 'ok' [ <6261> 1 ]2 )2"},
    {"return ('$a $b'):gsub('%$(%w)', {a = 1, b = false})", "( 'ok' [ <31202462> 2 ]2 )2"},
    {"return ('abc'):gsub('.', function(c) return c ~= 'b' and c:upper() end)",
     "( 'ok' [ <416243> 3 ]2 )2"},
    {"return ('abc'):gsub('^a', 'x'), ('aaa'):gsub('^a', 'x'), ('aaa'):gsub('a', 'x', 0)",
     "( 'ok' [ <786263> <786161> <616161> 0 ]4 )2"},
};

static void the_manual(void **state) {
    (void)state;
    struct box *box = open_box(&usual);
    for (size_t i = 0; i < sizeof manual / sizeof manual[0]; i++)
        assert_eval(box, manual[i].source, manual[i].events);
    close_box();
}

// Each gives the same result, or the same error, in the stock library.
static const char *const same[] = {
    "return ('a'):find('%')",
    "return ('a'):find('[')",
    "return ('a'):find('[^')",
    "return ('a'):find('[]')",
    "return ('a'):find('[%')",
    "return ('a'):find('[a%')",
    "return ('a'):find('[%a')",
    "return ('a'):find('b[')",
    "return ('a'):find('a[')",
    "return ('a'):find('b%')",
    "return (''):find('[a')",
    "return ('a'):match('(')",
    "return ('a'):match(')')",
    "return ('a'):match('(()')",
    "return ('a'):match('a)')",
    "return ('b'):match('a)')",
    "return ('a'):match('(a')",
    "return ('a'):gsub('(a', 'x')",
    "return ('a'):gsub('(a', '%1')",
    "return ('a'):gsub('(a', print)",
    "return ('a'):match('%1')",
    "return ('aa'):match('(a)%2')",
    "return ('aa'):match('(a%1)')",
    "return ('a'):match('%0')",
    "return ('aa'):match('()a%1')",
    "return ('a'):match('%b')",
    "return ('a'):match('%ba')",
    "return ('b'):match('a%ba')",
    "return ('a'):match('%f')",
    "return ('a'):match('%fa')",
    "return ('a'):match('%f[')",
    "return ('a'):match('%f[a')",
    "return ('a'):gsub('a', '%')",
    "return ('a'):gsub('a', '%a')",
    "return ('a'):gsub('a', '%2')",
    "return ('a'):gsub('(a)', '%2')",
    "return ('a'):gsub('b', '%')",
    "return ('a'):gsub('a', {a = {}})",
    "return ('a'):gsub('a', function() return function() end end)",
    "return ('a'):gsub('a', function() return true end)",
    "return ('a'):gsub('a')",
    "return ('a'):gsub('a', nil)",
    "return ('a'):gsub('a', true)",
    "return ('a'):gsub('a', true, 'x')",
    "return ('a'):gsub('a', 'b', 'x')",
    "return ('a'):gsub('a', 'b', 1.5)",
    "return ('a'):gsub(nil, 'b')",
    "return string.gsub()",
    "return string.find('a')",
    "return string.find('a', {})",
    "return string.find('a', 'a', {})",
    "return string.find('a', 'a', 0.5)",
    "return string.match(nil, 'a')",
    "return string.gmatch('a')",
    "return string.gmatch('a', 'a', 'x')",
    "return string.find(121, 2), string.match(12.5, '%d'), string.gsub(12, 1, 3)",
    "return ('abc'):find('b', math.maxinteger), ('abc'):find('b', math.mininteger)",
    "return ('abc'):gsub('b', 'x', math.mininteger)",
    "return ('a'):rep(33):match(('(a)'):rep(32))",
    "return ('a'):rep(33):match(('(a)'):rep(33))",
    "return ('a'):rep(33):find(('()'):rep(33))",
    "return ('a'):rep(300):match(('a?'):rep(198) .. '()')",
    "return ('a'):rep(300):match(('a?'):rep(199))",
    "return ('a'):rep(300):match(('a?'):rep(200))",
    "return ('a'):rep(300):match(('a-'):rep(199))",
    "return ('a'):rep(300):match(('a-'):rep(200))",
    "return (''):match(('a?'):rep(1000))",
    "return (''):match(('a*'):rep(1000))",
    "return ('x'):match(('(x?'):rep(10) .. (')'):rep(10))",
    "return ('a'):rep(300):match(('a'):rep(299) .. '()')",
    "local f = ('ab'):gmatch('[') local ok, e = pcall(f) local again, f = pcall(f) return e .. f",
    "local f = ('ab'):gmatch('.') f() f() return f(), f()",
    "return select('#', ('ab'):gmatch('x')())",
    "local t = '' for k, v in ('a=1, b=2'):gmatch('(%w)=(%w)') do t = t .. k .. v end return t",
    "return ('a'):gsub('a', setmetatable({}, {__index = function(_, k) return k .. k end}))",
    "return ('a'):gsub('a', setmetatable({}, {__index = error}))",
    "return ('a'):gsub('a', function() error('mine', 0) end)",
    "return coroutine.wrap(function() return ('a'):gsub('a', coroutine.yield) end)()",
    "coroutine.wrap(string.gsub)('a', 'a', setmetatable({}, {__index = coroutine.yield}))",
    "return ('abc'):gsub('%w', function(c) return (c:gsub('b', function() return 'B' end)) end)",
    "return ('a'):rep(5000):gsub('a', 'bcd')",
    "return ('ab'):rep(5000):gsub('a', {a = ('x'):rep(50)})",
    "return ('ab'):rep(500):gsub('b', function(b) return ('y'):rep(500) end)",
    "return ('ab'):rep(3000):gsub('%w+', '%0%0%0')",
    "return (('a'):rep(70000) .. 'b'):find('ab')",
    "return (('a'):rep(70000) .. 'b'):find(('a'):rep(60000) .. 'b', 1, true)",
    "return ('a'):rep(70000):find(('a'):rep(60000) .. 'b', 1, true)",
    "return (('(') :rep(30000) .. (')'):rep(29999)):match('()%b()')",
    "return (('ab'):rep(20000) .. 'c'):match('[ab]*c()')",
    "return (('ab'):rep(20000) .. 'c'):match('.-c()')",
    "return ('ab'):rep(80000):match('^(' .. ('.'):rep(80000) .. ')%1$') ~= nil",
    "return ('x'):match('[' .. ('a'):rep(9000) .. 'x]')",
    "return ('x'):match('[' .. ('a'):rep(9000))",
    "return ('a'):rep(9000):find(('a'):rep(9000)), ('a'):rep(9000):find(('a'):rep(8999) .. '.')",
    "return ('a'):gsub('a', ('x'):rep(300) .. '%0' .. ('y'):rep(300))",
};

// `source` evaluated to strings and joined, so that both answers are one string.
static char *joined(const char *source) {
    static const char format[] =
        "local function all(...) local t = {} for i = 1, select('#', ...) do "
        "t[i] = tostring((select(i, ...))) end return table.concat(t, ' ') end "
        "return all(pcall(function() %s end))";
    int length = snprintf(NULL, 0, format, source);
    char *made = malloc((size_t)length + 1);
    assert_non_null(made);
    (void)snprintf(made, (size_t)length + 1, format, source);
    return made;
}

static void print_difference(const char *stock, size_t stock_bytes, const char *ours,
                             size_t our_bytes) {
    size_t at = 0, line = 0;
    while (at < stock_bytes && at < our_bytes && stock[at] == ours[at])
        if (stock[at++] == '\n')
            line = at;
    print_error("stock: %.400s\nours:  %.400s\n", stock + line, ours + line);
}

// The sandbox answers with the same string as the stock library.
static void assert_same(struct box *box, const char *source) {
    lua_State *L = stock_open();
    size_t stock_bytes;
    const char *stock = stock_eval(L, source, &stock_bytes);
    struct record record;
    (void)finish(box, begin_eval_within(box, source, PATIENCE_NS), &record);
    static const char before[] = "( 'ok' [ <", after[] = "> ]1 )2";
    if (strncmp(record.text, before, sizeof before - 1) != 0)
        fail_msg("%s\n%s", source, record.text);
    size_t bytes = (strlen(record.text) - (sizeof before + sizeof after - 2)) / 2;
    char *ours = malloc(bytes + 1);
    assert_non_null(ours);
    for (size_t i = 0; i < bytes; i++) {
        char digits[3] = {record.text[sizeof before - 1 + 2 * i],
                          record.text[sizeof before + 2 * i], '\0'};
        ours[i] = (char)strtol(digits, NULL, 16);
    }
    ours[bytes] = '\0';
    if (bytes != stock_bytes || memcmp(ours, stock, bytes) != 0) {
        print_difference(stock, stock_bytes, ours, bytes);
        fail();
    }
    free(ours);
    record_release(&record);
    lua_close(L);
}

static struct service_limits roomy(void) {
    struct service_limits limits = usual;
    limits.memory_bytes = (size_t)64 * 1024 * 1024;
    limits.reply_bytes = (size_t)16 * 1024 * 1024;
    return limits;
}

static void as_the_stock_library(void **state) {
    (void)state;
    struct service_limits limits = roomy();
    struct box *box = open_box(&limits);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        char *source = joined(same[i]);
        assert_same(box, source);
        free(source);
    }
    close_box();
}

static void as_the_stock_library_at_random(void **state) {
    (void)state;
    struct service_limits limits = roomy();
    struct box *box = open_box(&limits);
    for (unsigned seed = 1; seed <= 6; seed++) {
        char *source = pattern_cases(seed, 2000);
        assert_same(box, source);
        free(source);
    }
    close_box();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOX_TEST(the_manual),
        BOX_TEST(as_the_stock_library),
        BOX_TEST(as_the_stock_library_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
