// SPDX-License-Identifier: Apache-2.0
// Lua scripts in a plain state with the stock libraries and in a box: what they log must be the
// same. And a box whose clock is the test's, so that looks at it can be counted and time passes
// only when it is read. Include it in one file of a test.
#ifndef TRIPOD_TEST_STOCK_RIG_H
#define TRIPOD_TEST_STOCK_RIG_H

#include "stock_state.h"

// What scripts begin with: `log` takes lines, show(...) makes a line of values, tried(name, f, ...)
// logs a call and its outcome. `random` is the same everywhere.
static const char stock_prelude[] =
    "local lines, seed = {}, 1\n"
    "local function log(line) lines[#lines + 1] = line end\n"
    "local function random(n)\n"
    "  seed = (seed * 1103515245 + 12345) & 0x7fffffff\n"
    "  return (seed >> 8) % n + 1\n"
    "end\n"
    "local function pick(list) return list[random(list.n or #list)] end\n"
    "local function quote(byte) return ('\\\\%03d'):format(byte:byte()) end\n"
    "local function word(value)\n"
    "  if type(value) == 'string' then\n"
    "    return \"'\" .. value:gsub('[^ -~]', quote) .. \"'\"\n"
    "  end\n"
    "  if value ~= value then return 'nan' end\n"
    "  if math.type(value) == 'float' then return ('%.17g'):format(value) end\n"
    "  if type(value) == 'number' or type(value) == 'boolean' then return tostring(value) end\n"
    "  return type(value)\n"
    "end\n"
    "local function show(...)\n"
    "  local words = ''\n"
    "  for i = 1, select('#', ...) do words = words .. ' ' .. word((select(i, ...))) end\n"
    "  return words\n"
    "end\n"
    "local function tried(name, f, ...)\n"
    "  log(name .. '(' .. show(...) .. ' ) ->' .. show(pcall(f, ...)))\n"
    "end\n"
    "local function logged()\n"
    "  local text, from = {}, 1\n"
    "  for i = 1, #lines do text[i] = lines[i] .. '\\n' end\n"
    "  while #text > 1 do\n"
    "    local joined = {}\n"
    "    for i = 1, #text, 16 do\n"
    "      local piece = ''\n"
    "      for j = i, math.min(i + 15, #text) do piece = piece .. text[j] end\n"
    "      joined[#joined + 1] = piece\n"
    "    end\n"
    "    text = joined\n"
    "  end\n"
    "  return text[1]\n"
    "end\n";

// Boxes of this file are closed after a test that failed, too.
static struct {
    struct box box;
    bool open;
} stock;

static inline void stock_open(const struct service_limits *limits,
                              const struct box_room *its_room) {
    memset(&world, 0, sizeof world);
    world.box = &stock.box;
    assert_int_equal(box_open(&stock.box, service_find("lua", 3), limits, its_room, NULL), 0);
    stock.open = true;
}

static inline void stock_close(void) {
    stock.open = false;
    box_close(&stock.box);
    assert_nothing_alive();
}

static inline int stock_cleanup(void **state) {
    (void)state;
    if (stock.open)
        box_close(&stock.box);
    stock.open = false;
    return 0;
}

#define STOCK_TEST(test) cmocka_unit_test_teardown(test, stock_cleanup)

// The log as the box's reply would have it.
static inline char *stock_reply(const char *source) {
    lua_State *L = stock_run(source);
    size_t length;
    const char *log = lua_tolstring(L, -1, &length);
    assert_non_null(log);
    char *reply = malloc(2 * length + 64);
    assert_non_null(reply);
    char *to = reply + sprintf(reply, "( 'ok' [ <");
    for (size_t i = 0; i < length; i++)
        to += sprintf(to, "%02x", (unsigned char)log[i]);
    (void)strcpy(to, "> ]1 )2");
    lua_close(L);
    return reply;
}

static inline void print_log_line(const char *title, const char *reply, size_t line) {
    const char *at = strchr(reply, '<');
    print_error("%s: ", title);
    for (size_t i = 0; at != NULL && at[1] != '>' && at[1] != '\0'; at += 2) {
        const char digits[] = {at[1], at[2], '\0'};
        char byte = (char)strtoul(digits, NULL, 16);
        if (i == line)
            print_error("%c", byte);
        i += byte == '\n' ? 1 : 0;
        if (i > line)
            return;
    }
    print_error("(%.200s)\n", reply);
}

static inline void assert_logs_equal(const char *theirs, const char *ours) {
    size_t line = 0, same = 0;
    for (; theirs[same] != '\0' && theirs[same] == ours[same]; same++)
        line += strncmp(theirs + same, "0a", 2) == 0 && same % 2 == 0 ? 1 : 0;
    if (theirs[same] == '\0' && ours[same] == '\0')
        return;
    print_log_line("stock", theirs, line);
    print_log_line("box", ours, line);
    fail_msg("line %zu of the logs differs", line + 1);
}

// Runs the prelude and `body`, which logs, in a plain state and in a box.
static inline void assert_agrees(const char *body) {
    static const struct service_limits roomy = {.memory_bytes = (size_t)256 * 1024 * 1024,
                                                .time_ns = PATIENCE_NS,
                                                .depth = 200,
                                                .reply_bytes = (size_t)64 * 1024 * 1024,
                                                .preempt = SERVICE_PREEMPT_COUNT};
    size_t bytes = sizeof stock_prelude + strlen(body) + 64;
    char *source = malloc(bytes);
    assert_non_null(source);
    (void)snprintf(source, bytes, "%s%s\nreturn logged()\n", stock_prelude, body);
    char *reply = stock_reply(source);
    struct record record;
    stock_open(&roomy, &room);
    (void)finish(&stock.box, begin_eval(&stock.box, source), &record);
    assert_logs_equal(reply, record.text);
    record_release(&record);
    stock_close();
    free(reply);
    free(source);
}

static struct {
    uint64_t now_ns;
    uint64_t step_ns; // a look at it takes so long
    unsigned looks;
} stock_clock;

static inline uint64_t stock_now_ns(void) {
    stock_clock.looks++;
    return stock_clock.now_ns += stock_clock.step_ns;
}

static const struct box_room clocked_room = {world_memory, stock_now_ns, world_tick, world_log};

// A box that looks at the test's clock every 1000 instructions or SANDBOX_POLL_STEPS steps.
static inline void stock_open_clocked(void) {
    struct service_limits limits = usual;
    limits.preempt = SERVICE_PREEMPT_COUNT;
    limits.memory_bytes *= 8;
    memset(&stock_clock, 0, sizeof stock_clock);
    stock_clock.now_ns = 1;
    stock_open(&limits, &clocked_room);
}

// How often the clock is read while `source` runs, which must return nothing.
static inline unsigned looks_during(const char *source) {
    stock_clock.looks = 0;
    assert_eval(&stock.box, source, "( 'ok' [ ]0 )2");
    return stock_clock.looks;
}

struct looked {
    const char *source;
    unsigned looks;
};

// Each source reads the clock so often at least.
static inline void assert_looks(const struct looked *loops, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned looks = looks_during(loops[i].source);
        if (looks < loops[i].looks)
            fail_msg("%s: %u looks", loops[i].source, looks);
    }
}

#endif
