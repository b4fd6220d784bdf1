// SPDX-License-Identifier: Apache-2.0
// Lua scripts in a plain state with the stock libraries and in a box: what they log must be the
// same. Include it in one file of a test.
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
    (void)open_box(&roomy);
    (void)finish(&tested.box, begin_eval(&tested.box, source), &record);
    assert_logs_equal(reply, record.text);
    record_release(&record);
    close_box();
    free(reply);
    free(source);
}

#endif
