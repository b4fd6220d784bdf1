// SPDX-License-Identifier: Apache-2.0
#include "program_grammar.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define GRAMMAR_DEPTH      14u
#define GRAMMAR_STATEMENTS 24u
// Room that is left for closing what is open: from there on only short phrases are taken.
#define GRAMMAR_ENOUGH (PROGRAM_BYTES * 2 / 3)

struct grammar {
    struct program *program;
    const uint8_t *data;
    size_t size, at;
    unsigned ids;
    const struct program_rule *rules[128];
    unsigned counts[128];
};

// What was chosen within what: libFuzzer takes a new pair for new coverage.
#if defined(__clang__)
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static uint8_t grammar_pairs[2048];

static unsigned grammar_pick(struct grammar *grammar, unsigned count) {
    if (grammar->at == grammar->size || count == 0)
        return 0;
    return grammar->data[grammar->at++] % count;
}

static void grammar_write(struct grammar *grammar, const char *text, size_t length) {
    struct program *program = grammar->program;
    size_t room = PROGRAM_BYTES - 1 - program->length;
    if (length > room)
        length = room;
    memcpy(program->text + program->length, text, length);
    program->length += length;
}

static void grammar_say(struct grammar *grammar, const char *text) {
    grammar_write(grammar, text, strlen(text));
}

static void grammar_number(struct grammar *grammar, unsigned number) {
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%u", number);
    grammar_say(grammar, digits);
}

static void grammar_expand(struct grammar *grammar, const char *phrase, unsigned depth);

static void grammar_choose(struct grammar *grammar, char name, unsigned depth) {
    unsigned slot = (unsigned char)name & 127u;
    const struct program_rule *rule = grammar->rules[slot];
    if (rule == NULL) {
        fprintf(stderr, "the grammar has no rule '%c'\n", name);
        return;
    }
    bool enough = depth > GRAMMAR_DEPTH || grammar->program->length > GRAMMAR_ENOUGH;
    unsigned chosen = grammar_pick(grammar, enough ? rule->short_ones : grammar->counts[slot]);
    grammar_pairs[(slot * 61 + chosen) % sizeof grammar_pairs] = 1;
    grammar_expand(grammar, rule->phrases[chosen], depth + 1);
}

static void grammar_expand(struct grammar *grammar, const char *phrase, unsigned depth) {
    unsigned id = strchr(phrase, '@') != NULL ? ++grammar->ids : 0;
    while (*phrase != '\0') {
        size_t plain = strcspn(phrase, "$@");
        grammar_write(grammar, phrase, plain);
        phrase += plain;
        if (*phrase == '@') {
            grammar_number(grammar, id);
            phrase++;
        } else if (*phrase == '$') {
            if (phrase[1] == '$')
                grammar_say(grammar, "$");
            else
                grammar_choose(grammar, phrase[1], depth);
            phrase += 2;
        }
    }
}

static void grammar_rules(struct grammar *grammar, const struct program_rule *rules) {
    for (; rules->name != '\0'; rules++) {
        unsigned slot = (unsigned char)rules->name & 127u;
        grammar->rules[slot] = rules;
        for (grammar->counts[slot] = 0; rules->phrases[grammar->counts[slot]] != NULL;)
            grammar->counts[slot]++;
    }
}

// What every program starts with. `str` gives no addresses, `cut` keeps strings short. `walk` and
// `sorted` show the entries of a table in an order of their own; `after` calls `next` and shows
// only what does not depend on what comes next; `guarded` is xpcall with a handler that cannot
// fail.
static const char grammar_prelude[] =
    "LOG = {}\n"
    "local LOG, select, type, tostring, format = LOG, select, type, tostring, string.format\n"
    "local mtype, cut, pcall, fuel = math.type, string.sub, pcall, 60\n"
    "local function stop() fuel = fuel - 1 return fuel < 0 end\n"
    "local function str(v)\n"
    "  local t = mtype(v) or type(v)\n"
    "  if t == 'float' then return v ~= v and 'nan' or format('%.17g', v) end\n"
    "  if t == 'table' or t == 'function' or t == 'thread' then return t end\n"
    "  return tostring(v)\n"
    "end\n"
    "local function show(v)\n"
    "  return cut(mtype(v) or type(v), 1, 3) .. ':' .. cut(str(v), 1, 200) .. ' '\n"
    "end\n"
    "local function out(...)\n"
    "  local line = ''\n"
    "  for i = 1, select('#', ...) do\n"
    "    line = line .. show((select(i, ...)))\n"
    "    if i > 20 then break end\n"
    "  end\n"
    "  if #LOG < 150 then LOG[#LOG + 1] = line end\n"
    "end\n"
    "local function note(lines, k, v)\n"
    "  lines[#lines + 1] = show(k) .. show(v)\n"
    "  return #lines > 40\n"
    "end\n"
    "local function sorted(lines)\n"
    "  if #lines > 40 then return 'many' end\n"
    "  local all = ''\n"
    "  for i = 1, #lines do\n"
    "    local least = i\n"
    "    for j = i + 1, #lines do if lines[j] < lines[least] then least = j end end\n"
    "    lines[i], lines[least] = lines[least], lines[i]\n"
    "    all = all .. lines[i]\n"
    "  end\n"
    "  return all\n"
    "end\n"
    "local function walk(t)\n"
    "  local lines, at, same, plain = {}, nil, true, not getmetatable(t)\n"
    "  for k, v in pairs(t) do\n"
    "    if note(lines, k, v) then break end\n"
    "    if plain then same = same and rawequal(k, (next(t, at))) at = k end\n"
    "  end\n"
    "  return same, sorted(lines)\n"
    "end\n"
    "local function after(t, ...)\n"
    "  local at = ...\n"
    "  if type(t) == 'table' and at ~= nil and rawget(t, at) == nil then\n"
    "    pcall(next, t, at)\n"
    "    return 'nothing there'\n"
    "  end\n"
    "  local k, v = next(t, ...)\n"
    "  if k == nil then return at ~= nil or 'empty' end\n"
    "  return rawequal(v, rawget(t, k))\n"
    "end\n"
    "local function guarded(f, h, ...)\n"
    "  if type(h) ~= 'function' then return xpcall(f, h, ...) end\n"
    "  return xpcall(f, function(...) return (select(2, pcall(h, ...))) end, ...)\n"
    "end\n"
    "math.randomseed(42)\n"
    "local n1, n2, n3, s1, s2, s3 = 1, 2.5, -3, 'abc', '12', ''\n"
    "local a1, a2, r1, r2 = {10, 20, 30}, {3, 1, 2, 5, 4}, {x = 1}, {x = 'y', z = 2}\n"
    "local v1, v2, f1, f2, c1, c2, o1, o2\n"
    "f1 = function(...) return ... end\n"
    "f2 = function(x, ...) return x end\n"
    "o1 = setmetatable({1, 2}, {__tostring = function() return 'o1' end})\n"
    "o2 = setmetatable({}, {__tostring = function() return 'o2' end, __index = r1})\n"
    "c1 = coroutine.create(f1)\n"
    "c2 = coroutine.create(function(...) return coroutine.yield(...) end)\n";

static void grammar_damage(struct grammar *grammar) {
    static const char *const tokens[] = {" ",  "end", ")",  "(",  "=",    "'",      "\"",
                                         "do", "..",  "]]", "::", "goto", "--",     "\\",
                                         "0x", "1e",  ",",  "}",  "~",    "<close>"};
    struct program *program = grammar->program;
    const char *token = tokens[grammar_pick(grammar, sizeof tokens / sizeof tokens[0])];
    size_t length = strlen(token);
    size_t start = sizeof grammar_prelude - 1;
    size_t span = program->length - start;
    size_t at = grammar_pick(grammar, 256) * (size_t)256 + grammar_pick(grammar, 256);
    if (span <= length)
        return;
    memcpy(program->text + start + at % (span - length), token, length);
}

void program_generate(struct program *program, const uint8_t *data, size_t size) {
    struct grammar grammar = {.program = program, .data = data, .size = size};
    grammar_rules(&grammar, program_phrases);
    grammar_rules(&grammar, program_statements);
    grammar_rules(&grammar, program_calls);
    grammar_rules(&grammar, program_texts);
    memset(grammar_pairs, 0, sizeof grammar_pairs);
    program->length = 0;
    bool damaged = grammar_pick(&grammar, 32) == 31;
    grammar_say(&grammar, grammar_prelude);
    for (unsigned i = 0; i < GRAMMAR_STATEMENTS && grammar.at < size; i++) {
        bool bare = grammar_pick(&grammar, 40) == 39;
        grammar_expand(&grammar, bare ? "$S\n" : "out(pcall(function(...) $S end, 1, 'a', a1))\n",
                       0);
        if (program->length > GRAMMAR_ENOUGH)
            break;
    }
    if (damaged)
        grammar_damage(&grammar);
    program->text[program->length] = '\0';
}
