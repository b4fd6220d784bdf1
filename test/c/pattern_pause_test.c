// SPDX-License-Identifier: Apache-2.0
// Searches that are paused at every step they can be paused at, and go on: the answers are the
// stock library's all the same.
#include "etf.h"
#include "lua/sandbox.h"
#include "pattern_stock.h"
#include "record.h"
#include "test_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// How many steps an operation does before it is looked at; 0: as many as happen to be left.
static uint32_t poised_steps;

static int poise(lua_State *L) {
    lua_Integer number = luaL_checkinteger(L, 1);
    struct sandbox *sandbox = sandbox_of(L);
    if (poised_steps == 0)
        return 0;
    sandbox->steps_left = (poised_steps + (uint32_t)number) % 24 + 1;
    (void)preempt_look(&sandbox->preempt); // the first one of a slice begins it, and never ends it
    return 0;
}

static uint64_t hurried_now_ns(void *context) {
    static uint64_t now_ns = 1;
    (void)context;
    return now_ns += 1000;
}

// Every look but the first one of a slice finds that it is over.
static const struct service_limits hurried = {
    .memory_bytes = (size_t)64 * 1024 * 1024,
    .time_ns = UINT64_C(1000000000000),
    .slice_ns = 1,
    .depth = 200,
    .reply_bytes = (size_t)16 * 1024 * 1024,
    .preempt = SERVICE_PREEMPT_COUNT,
};

struct rig {
    struct test_host host;
    const struct service *service;
    struct sandbox *sandbox;
};

static void rig_open(struct rig *rig) {
    void *state;
    test_host_init(&rig->host);
    rig->host.host.now_ns = hurried_now_ns;
    rig->service = service_find("lua", 3);
    assert_int_equal(rig->service->open(&rig->host.host, &hurried, &state), 0);
    rig->sandbox = state;
    lua_pushcfunction(rig->sandbox->main, poise);
    lua_setglobal(rig->sandbox->main, "poise");
}

static void rig_close(struct rig *rig) {
    rig->service->close(rig->sandbox);
    assert_int_equal(rig->host.live_bytes, 0);
}

// {eval, Source}; returns how often it was paused, and leaves the reply's events in *record.
static unsigned rig_eval(struct rig *rig, const char *source, struct record *record) {
    struct etf_writer request;
    etf_writer_init(&request, &rig->host.host, 0, SIZE_MAX / 2);
    etf_writer_reset(&request);
    struct term_sink *sink = &request.sink;
    assert_int_equal(term_begin(sink, TERM_TUPLE, 3), 0);
    assert_int_equal(TERM_ATOM(sink, "eval"), 0);
    assert_int_equal(term_bytes(sink, source, strlen(source)), 0);
    assert_int_equal(term_begin(sink, TERM_LIST, 0), 0);
    assert_int_equal(term_end(sink, TERM_LIST, 0), 0);
    assert_int_equal(term_end(sink, TERM_TUPLE, 3), 0);
    struct etf_reader reader;
    etf_reader_init(&reader, request.data, request.length, 256);
    assert_int_equal(rig->service->begin(rig->sandbox, &reader.source), 0);
    etf_writer_release(&request);
    record_init(record);
    record->exact_begin = false;
    unsigned pauses = 0;
    int code;
    while ((code = rig->service->step(rig->sandbox, &record->sink)) == SERVICE_MORE)
        pauses++;
    assert_int_equal(code, SERVICE_DONE);
    return pauses;
}

static unsigned assert_same(struct rig *rig, const char *source, uint32_t steps) {
    lua_State *L = stock_open();
    size_t length;
    struct record record, expected;
    poised_steps = steps;
    unsigned pauses = rig_eval(rig, source, &record);
    const char *stock = stock_eval(L, source, &length);
    record_init(&expected);
    expected.exact_begin = false;
    assert_int_equal(term_begin(&expected.sink, TERM_TUPLE, 2), 0);
    assert_int_equal(TERM_ATOM(&expected.sink, "ok"), 0);
    assert_int_equal(term_begin(&expected.sink, TERM_LIST, 1), 0);
    assert_int_equal(term_bytes(&expected.sink, stock, length), 0);
    assert_int_equal(term_end(&expected.sink, TERM_LIST, 1), 0);
    assert_int_equal(term_end(&expected.sink, TERM_TUPLE, 2), 0);
    if (strcmp(record.text, expected.text) != 0)
        fail_msg("differs when paused after %u steps: %.200s", steps, source);
    record_release(&record);
    record_release(&expected);
    lua_close(L);
    return pauses;
}

static void paused_at_every_step(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    const unsigned count = 1000;
    for (uint32_t steps = 1; steps <= 24; steps++) {
        char *source = pattern_cases(steps, count);
        unsigned pauses = assert_same(&rig, source, 0);
        unsigned poised = assert_same(&rig, source, steps);
        assert_true(poised > pauses + count / 3);
        free(source);
    }
    rig_close(&rig);
}

// Long enough to be paused inside of every loop.
static const char *const long_ones[] = {
    "return table.concat({(('ab'):rep(20000) .. 'c'):match('()[ab]*(c)()')}, ' ')",
    "return table.concat({(('ab'):rep(20000) .. 'c'):match('()[ab]-(c)()')}, ' ')",
    "return table.concat({(('ab'):rep(20000) .. 'c'):match('()a-(c)()')}, ' ')",
    "return table.concat({('x' .. ('(a'):rep(20000) .. (')'):rep(19990)):find('%b()()')}, ' ')",
    "return table.concat({(('a '):rep(50000) .. 'x'):find('[xy]()')}, ' ')",
    "return table.concat({(('a '):rep(200000) .. 'x'):find('x.-()')}, ' ')",
    "return table.concat({(('a '):rep(200000) .. 'x'):find(' x', 1, true)}, ' ')",
    "return table.concat({('a'):rep(300000):find(('a'):rep(4000) .. 'b', 1, true)}, ' ')",
    "return table.concat({('a'):rep(300000):find(('a'):rep(200000))}, ' ')",
    "return table.concat({('a'):rep(300000):find(('a'):rep(200000) .. 'b?')}, ' ')",
    "return table.concat({('ab'):rep(99999):match('^(' .. ('.'):rep(99998) .. ')%1()')}, ' ', 2)",
    "return table.concat({('ab'):rep(20000):gsub('b', '%0x')}, ' ')",
    "return table.concat({('ab'):rep(20000):gsub('b', {b = 'xyz'})}, ' ')",
    "return table.concat({('ab'):rep(20000):gsub('b', string.upper)}, ' ')",
    "return table.concat({('ab'):rep(9000):gsub('%w-$', '')}, ' ')",
    "return table.concat({('ab'):rep(30000):gsub('b-c', 'c', 3)}, ' ')",
    "local n = 0 for w in ('ab '):rep(9000):gmatch('%a+') do n = n + #w end return tostring(n)",
    "local n = 0 for w in ('ab '):rep(9000):gmatch('()[ ]*') do n = n + w end return tostring(n)",
    "return tostring(('a'):rep(30):find(('a?'):rep(12) .. ('a'):rep(20) .. 'b'))",
};

static void paused_inside_long_ones(void **state) {
    (void)state;
    struct rig rig;
    rig_open(&rig);
    for (size_t i = 0; i < sizeof long_ones / sizeof long_ones[0]; i++)
        if (assert_same(&rig, long_ones[i], 0) < 2)
            fail_msg("%s", long_ones[i]);
    rig_close(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paused_at_every_step),
        cmocka_unit_test(paused_inside_long_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
