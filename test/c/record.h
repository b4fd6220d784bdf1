// SPDX-License-Identifier: Apache-2.0
// A sink for tests: writes down every event as a word and checks that the source keeps its side of
// core/term.h: containers balanced, counts exact, names and numbers legal, silence after a refusal.
//
//   {ok, [1, <<"a">>]}   =>   "(2 'ok' [2 1 <61> ]2 )2"         a map of one pair: "#1 1 2 #1"
//
// Include it in one file of a test; it has no state of its own.
#ifndef TRIPOD_TEST_RECORD_H
#define TRIPOD_TEST_RECORD_H

#include "term.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_DEPTH 512u

struct record_open {
    enum term_kind kind;
    size_t hint;
    size_t terms; // emitted so far; two a pair in a map
};

struct record {
    struct term_sink sink;
    char *text; // the events, separated by blanks; never NULL
    size_t length;
    size_t capacity;
    size_t events;
    size_t refuse_at;  // this event, counted from 1, gets `code`; 0: none does
    int code;          // negative
    bool exact_begin;  // the source promises exact counts in begin too
    const char *broke; // the first promise that the source did not keep, or NULL
    size_t terms;      // complete ones at the outermost level
    size_t depth;
    struct record_open open[RECORD_DEPTH];
};

static inline void record_require(struct record *record, bool kept, const char *promise) {
    if (!kept && record->broke == NULL)
        record->broke = promise;
}

static inline void record_room(struct record *record, size_t size) {
    if (record->length + size < record->capacity)
        return;
    record->capacity = 2 * (record->capacity + size);
    record->text = realloc(record->text, record->capacity);
    if (record->text == NULL)
        abort();
}

__attribute__((format(printf, 2, 3))) static inline void record_say(struct record *record,
                                                                    const char *format, ...) {
    record_room(record, 64);
    va_list arguments;
    va_start(arguments, format);
    int said = vsnprintf(record->text + record->length, 64, format, arguments);
    va_end(arguments);
    record->length += (size_t)said;
}

// Starts an event.
static inline void record_event(struct record *record) {
    record_require(record, record->refuse_at == 0 || record->events < record->refuse_at,
                   "no event follows a refusal");
    record->events++;
    if (record->length > 0)
        record_say(record, " ");
}

static inline int record_verdict(const struct record *record) {
    return record->events == record->refuse_at ? record->code : 0;
}

// One more term stands where we are.
static inline void record_term(struct record *record) {
    if (record->depth == 0)
        record->terms++;
    else
        record->open[record->depth - 1].terms++;
}

static inline int record_integer(struct term_sink *sink, int64_t value) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_term(record);
    record_say(record, "%" PRId64, value);
    return record_verdict(record);
}

static inline int record_real(struct term_sink *sink, double value) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_term(record);
    record_require(record, isfinite(value), "reals are finite");
    record_say(record, "%a", value);
    return record_verdict(record);
}

static inline void record_hex(struct record *record, const void *data, size_t length) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < length; i++)
        record_say(record, "%02x", bytes[i]);
}

static inline int record_atom(struct term_sink *sink, const char *name, size_t length) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_term(record);
    record_require(record, length <= 4 * 255, "an atom has at most 255 characters");
    bool plain = true;
    for (size_t i = 0; i < length; i++)
        plain = plain && name[i] > ' ' && name[i] <= '~' && name[i] != '\'';
    if (plain) {
        record_say(record, "'");
        record_room(record, length);
        memcpy(record->text + record->length, name, length);
        record->length += length;
    } else {
        record_say(record, "'\\");
        record_hex(record, name, length);
    }
    record_say(record, "'");
    return record_verdict(record);
}

static inline int record_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_term(record);
    record_say(record, "<");
    record_hex(record, data, length);
    record_say(record, ">");
    return record_verdict(record);
}

static inline int record_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_term(record);
    record_require(record, record->depth < RECORD_DEPTH, "nesting is bounded");
    if (record->depth == RECORD_DEPTH)
        return TERM_E_DEPTH;
    record->open[record->depth++] = (struct record_open){.kind = kind, .hint = n};
    if (record->exact_begin)
        record_say(record, "%c%zu", "[(#"[kind], n);
    else
        record_say(record, "%c", "[(#"[kind]);
    return record_verdict(record);
}

static inline int record_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct record *record = (struct record *)sink;
    record_event(record);
    record_require(record, record->depth > 0, "end follows a begin");
    if (record->depth == 0)
        return TERM_E_CORRUPT;
    const struct record_open *open = &record->open[--record->depth];
    record_require(record, open->kind == kind, "end names the kind that begin named");
    record_require(record, open->terms == (kind == TERM_MAP ? 2 * n : n), "end counts exactly");
    record_require(record, open->hint == n || (open->hint == 0 && !record->exact_begin),
                   "begin counts exactly or not at all");
    record_say(record, "%c%zu", "])#"[kind], n);
    return record_verdict(record);
}

static inline void record_init(struct record *record) {
    static const struct term_sink_ops ops = {
        .integer = record_integer,
        .real = record_real,
        .atom = record_atom,
        .bytes = record_bytes,
        .begin = record_begin,
        .end = record_end,
    };
    memset(record, 0, offsetof(struct record, open));
    record->sink.ops = &ops;
    record->exact_begin = true;
    record_room(record, 64);
    record->text[0] = '\0';
}

// True if exactly one whole term was emitted, by the rules.
static inline bool record_complete(const struct record *record) {
    return record->broke == NULL && record->depth == 0 && record->terms == 1;
}

static inline void record_release(struct record *record) {
    free(record->text);
    record->text = NULL;
}

#endif
