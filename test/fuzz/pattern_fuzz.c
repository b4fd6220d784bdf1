// SPDX-License-Identifier: Apache-2.0
// Any bytes as pattern, subject and replacement, in the stock library and in the sandbox: find,
// match, gmatch and gsub must answer the same, errors included, and so must they when the call is
// paused in the middle of a search.
//
//   byte 0   how often the call pauses: 0 to 127 never, else every so many looks
//   byte 1   length of the pattern, byte 2 that of the subject; byte 3: init
//   others   pattern, subject, replacement
//
// Both are short: the stock library can be stopped by nothing, and its time is exponential. What
// takes the sandbox too long is not given to it, and counted. No table is walked, so the order of
// its keys cannot show.
#include "answer.h"
#include "rig.h"
#include "stock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MOST     16u
#define SUBJECT_MOST     12u
#define REPLACEMENT_MOST 8u
#define HEADER           4u

#define BYTES ((size_t)4 * 1024 * 1024)
#define LOOKS 200000u

// `p`, `s`, `r` and `n` are locals before it.
static const char body[] =
    "LOG = {}\n"
    "local function note(...)\n"
    "    local line = ''\n"
    "    for i = 1, select('#', ...) do\n"
    "        local value = select(i, ...)\n"
    "        line = line .. type(value) .. ':' .. tostring(value) .. '|'\n"
    "    end\n"
    "    LOG[#LOG + 1] = line\n"
    "    return line\n"
    "end\n"
    "local function try(f) note(pcall(f)) end\n"
    "try(function() note(s:find(p)) end)\n"
    "try(function() note(s:find(p, n)) end)\n"
    "try(function() note(s:find(p, n, true)) end)\n"
    "try(function() note(s:match(p, n)) end)\n"
    "try(function() for a, b, c in s:gmatch(p) do note(a, b, c) end end)\n"
    "try(function() for a, b, c in s:gmatch(p, n) do note(a, b, c) end end)\n"
    "try(function() note(s:gsub(p, r)) end)\n"
    "try(function() note(s:gsub(p, r, n)) end)\n"
    "try(function() note(s:gsub(p, {a = r, [r] = 'a', b = false, [1] = n})) end)\n"
    "local keys = setmetatable({}, {__index = function(_, key) return key .. r end})\n"
    "try(function() note(s:gsub(p, keys)) end)\n"
    "try(function() note(s:gsub(p, note)) end)\n"
    "try(function() note(s:gsub(p, function(a) if a ~= r then return a end end)) end)\n";

static struct { unsigned long inputs, skipped; } count;

static void count_print(void) {
    fprintf(stderr, "note: %lu inputs, not compared, for they take too long: %lu (%.2f %%)\n",
            count.inputs, count.skipped, 100.0 * (double)count.skipped / (double)count.inputs);
}

struct source {
    char text[sizeof body + 1024];
    size_t length;
};

static void source_add(struct source *source, const char *text) {
    size_t length = strlen(text);
    memcpy(source->text + source->length, text, length + 1);
    source->length += length;
}

// Takes at most `most` of the bytes, as `local name = "..."`, and returns how many.
static size_t source_string(struct source *source, const char *name, const uint8_t *data,
                            size_t size, size_t most) {
    size_t length = size < most ? size : most;
    char escape[8];
    source_add(source, "local ");
    source_add(source, name);
    source_add(source, " = \"");
    for (size_t i = 0; i < length; i++) {
        (void)snprintf(escape, sizeof escape, "\\%03u", data[i]);
        source_add(source, escape);
    }
    source_add(source, "\"\n");
    return length;
}

static void source_make(struct source *source, const uint8_t *data, size_t size) {
    const uint8_t *rest = data + HEADER, *end = data + size;
    char init[32];
    source->length = 0;
    rest += source_string(source, "p", rest, (size_t)(end - rest), data[1] % (PATTERN_MOST + 1));
    rest += source_string(source, "s", rest, (size_t)(end - rest), data[2] % (SUBJECT_MOST + 1));
    (void)source_string(source, "r", rest, (size_t)(end - rest), REPLACEMENT_MOST);
    (void)snprintf(init, sizeof init, "local n = %d\n", data[3] % 32 - 16);
    source_add(source, init);
    source_add(source, body);
}

static uint32_t pauses_of(uint8_t byte) {
    return byte < 128 ? 0 : 2 + byte % 8u;
}

static void sandbox_run(const struct source *source, uint32_t pause_every, struct answer *answer) {
    const struct rig_plan plan = {
        .memory_bytes = 4 * BYTES,
        .reply_bytes = BYTES,
        .looks = LOOKS,
        .pause_every = pause_every,
        .depth = 200,
    };
    answer_of_box(answer, &plan, source->text, source->length);
}

static void show(const struct source *source, const struct answer *stock,
                 const struct answer *sandbox) {
    fprintf(stderr, "%s\n---- stock:\n", source->text);
    (void)fwrite(stock->text, 1, stock->length, stderr);
    fprintf(stderr, "---- sandbox:\n");
    (void)fwrite(sandbox->text, 1, sandbox->length, stderr);
    fprintf(stderr, "----\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct stock_bounds bounds = {LOOKS, BYTES, 0};
    static struct source source;
    if (size < HEADER)
        return 0;
    if (count.inputs++ == 0)
        (void)atexit(count_print);
    source_make(&source, data, size);
    struct answer stock, sandbox;
    answer_init(&stock);
    answer_init(&sandbox);
    sandbox_run(&source, pauses_of(data[0]), &sandbox);
    if (sandbox.end != ANSWER_LIMIT)
        stock_run(source.text, source.length, &bounds, &stock);
    if (sandbox.end == ANSWER_LIMIT || stock.end == ANSWER_LIMIT) {
        count.skipped++;
    } else {
        bool agree = answer_agree(&stock, &sandbox);
        if (!agree)
            show(&source, &stock, &sandbox);
        rig_require(agree, "the stock library and the sandbox agree");
    }
    answer_release(&stock);
    answer_release(&sandbox);
    return 0;
}
