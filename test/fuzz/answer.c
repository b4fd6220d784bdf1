// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_init(struct answer *answer) {
    *answer = (struct answer){.end = ANSWER_OK};
}

void answer_release(struct answer *answer) {
    free(answer->text);
    answer->text = NULL;
}

// An address is no difference. Where a program could show one, its length is the same on both
// sides: 0x and twelve digits.
static void answer_hide_addresses(char *text, size_t length) {
    for (size_t i = 0; i + 14 <= length; i++) {
        if (memcmp(text + i, "0x", 2) != 0 || strspn(text + i + 2, "0123456789abcdef") < 12)
            continue;
        memset(text + i + 2, '?', 12);
    }
}

void answer_add(struct answer *answer, const char *bytes, size_t length) {
    if (answer->capacity - answer->length < length + 2) {
        answer->capacity = 2 * (answer->capacity + length + 2);
        answer->text = realloc(answer->text, answer->capacity);
        if (answer->text == NULL)
            abort();
    }
    char *to = answer->text + answer->length;
    if (length > 0)
        memcpy(to, bytes, length);
    to[length] = '\n';
    to[length + 1] = '\0';
    answer_hide_addresses(to, length);
    answer->length += length + 1;
}

bool answer_agree(const struct answer *a, const struct answer *b) {
    return a->end == b->end && a->length == b->length &&
           (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
}

static int sink_number(struct term_sink *sink, int64_t value) {
    (void)sink, (void)value;
    return 0;
}

static int sink_real(struct term_sink *sink, double value) {
    (void)sink, (void)value;
    return 0;
}

static bool is(const char *name, size_t length, const char *what) {
    return length == strlen(what) && memcmp(name, what, length) == 0;
}

static int sink_atom(struct term_sink *base, const char *name, size_t length) {
    struct answer_sink *sink = (struct answer_sink *)base;
    sink->atoms++;
    if (sink->atoms == 1) {
        sink->answer->end = is(name, length, "ok") ? ANSWER_OK : ANSWER_LIMIT;
        sink->wanted = sink->answer->end == ANSWER_OK && sink->results;
    } else if (sink->answer->end != ANSWER_OK) {
        if (sink->atoms == 2 && is(name, length, "lua"))
            sink->answer->end = ANSWER_ERROR;
        else if (sink->atoms == 2 && is(name, length, "badterm"))
            sink->answer->end = ANSWER_OK;
        if (sink->answer->end == ANSWER_LIMIT)
            answer_add(sink->answer, name, length); // for who looks at it
        sink->wanted = is(name, length, "message");
    }
    return 0;
}

static int sink_bytes(struct term_sink *base, const void *data, size_t length) {
    struct answer_sink *sink = (struct answer_sink *)base;
    if (sink->wanted)
        answer_add(sink->answer, data, length);
    if (sink->answer->end != ANSWER_OK)
        sink->wanted = false;
    return 0;
}

static int sink_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    (void)sink, (void)kind, (void)n;
    return 0;
}

static int sink_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    (void)sink, (void)kind, (void)n;
    return 0;
}

struct answer_sink answer_sink(struct answer *answer, bool results) {
    static const struct term_sink_ops ops = {.integer = sink_number,
                                             .real = sink_real,
                                             .atom = sink_atom,
                                             .bytes = sink_bytes,
                                             .begin = sink_begin,
                                             .end = sink_end};
    return (struct answer_sink){.sink = {&ops}, .answer = answer, .results = results};
}

void answer_of_box(struct answer *answer, const struct rig_plan *plan, const char *program,
                   size_t length) {
    struct rig rig;
    rig_open(&rig, plan);
    rig_eval(&rig, program, length);
    struct answer_sink sink = answer_sink(answer, false);
    rig_read(&rig, &sink.sink);
    if (answer->end != ANSWER_LIMIT) {
        enum answer_end end = answer->end;
        rig_get(&rig, "LOG");
        sink = answer_sink(answer, true);
        rig_read(&rig, &sink.sink);
        answer->end = end;
    }
    rig_check_alive(&rig);
    rig_close(&rig);
}
