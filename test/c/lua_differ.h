// SPDX-License-Identifier: Apache-2.0
// One chunk, run by the stock library and in a box: both must give the same lines. What `case` and
// its like add is a line each, so that the first difference says which call it was.
#ifndef TRIPOD_TEST_LUA_DIFFER_H
#define TRIPOD_TEST_LUA_DIFFER_H

#include "clocked_box.h"
#include "stock_state.h"

#include <stdio.h>
#include <string.h>

// case(f, ...): a line with the results of f(...), or its error. Addresses are cut out, and with
// them the spaces around, because an address is not as long in every process. draw(n): one of 1..n,
// from `seed`; pick(...): one of its arguments.
static const char differ_prelude[] =
    "local lines = {} "
    "local function draw(n) "
    "  seed = (seed * 6364136223846793005 + 1442695040888963407) "
    "  return (seed >> 33) % n + 1 "
    "end "
    "local function pick(...) return (select(draw(select('#', ...)), ...)) end "
    "local function show(v) "
    "  if type(v) == 'table' then return 'table' end "
    "  local s, n = tostring(v):gsub('0x%x+', '0x') "
    "  if n > 0 then s = s:gsub(' ', '') end "
    "  if #s > 300 then "
    "    local sum = 5381 for i = 1, #s, #s // 2000 + 1 do sum = (sum * 33 ~ s:byte(i)) & "
    "0xffffffff end "
    "    s = #s .. ' bytes ' .. sum "
    "  end "
    "  return (math.type(v) or type(v)) .. ' ' .. s "
    "end "
    "local function case(f, ...) "
    "  local got = table.pack(pcall(function(...) return f(...) end, ...)) "
    "  for i = 1, got.n do got[i] = show(got[i]) end "
    "  local sent = table.pack(...) "
    "  for i = 1, sent.n do sent[i] = show(sent[i]) end "
    "  lines[#lines + 1] = (table.concat(sent, ', ') .. ' -> ' .. table.concat(got, ', '))"
    ":gsub('%c', function(c) return '\\\\' .. c:byte() end) "
    "end ";
static const char differ_end[] = " return table.concat(lines, '\\n')";

static inline char *differ_source(const char *body, int seed) {
    size_t bytes = 64 + sizeof differ_prelude + strlen(body) + sizeof differ_end;
    char *source = malloc(bytes);
    assert_non_null(source);
    (void)snprintf(source, bytes, "local seed = %d %s%s%s", seed, differ_prelude, body, differ_end);
    return source;
}

static inline unsigned differ_digit(char c) {
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

// The one string of a reply, as record.h writes it.
static inline char *differ_reply(const char *events) {
    static const char before[] = "( 'ok' [ <";
    if (strncmp(events, before, sizeof before - 1) != 0)
        fail_msg("the box answered %.300s", events);
    const char *hex = events + sizeof before - 1;
    size_t length = strcspn(hex, ">") / 2;
    char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(differ_digit(hex[2 * i]) << 4 | differ_digit(hex[2 * i + 1]));
    bytes[length] = '\0';
    return bytes;
}

static inline void differ_compare(const char *stock, const char *ours) {
    while (*stock != '\0' || *ours != '\0') {
        size_t a = strcspn(stock, "\n"), b = strcspn(ours, "\n");
        if (a != b || memcmp(stock, ours, a) != 0)
            fail_msg("stock: %.*s\nbox:   %.*s", (int)a, stock, (int)b, ours);
        stock += a + (stock[a] != '\0' ? 1 : 0);
        ours += b + (ours[b] != '\0' ? 1 : 0);
    }
}

// The chunk runs with this seed of `draw`.
static inline void differ(struct box *box, const char *body, int seed) {
    struct record record;
    char *source = differ_source(body, seed);
    lua_State *L = stock_run(source);
    (void)finish(box, begin_eval_within(box, source, PATIENCE_NS), &record);
    char *ours = differ_reply(record.text);
    differ_compare(lua_tostring(L, -1), ours);
    free(ours);
    record_release(&record);
    lua_close(L);
    free(source);
}

static const struct service_limits roomy = {
    .memory_bytes = (size_t)64 * 1024 * 1024,
    .time_ns = PATIENCE_NS,
    .slice_ns = UINT64_C(1000000),
    .depth = 200,
    .reply_bytes = (size_t)8 * 1024 * 1024,
    .preempt = SERVICE_PREEMPT_COUNT,
};

// In one box, so that what a chunk leaves behind is seen by the next. valgrind finds with one seed
// what it finds with all. Every tenth look at the clock is the end of a slice, on any machine.
static inline void differ_often(const char *body, int seeds) {
    struct box *box = open_clocked_box_with(&roomy);
    clocked.step_ns = roomy.slice_ns / 10;
    for (int seed = 1; seed <= (valgrind_watches() ? 1 : seeds); seed++)
        differ(box, body, seed);
    close_box();
}

#endif
