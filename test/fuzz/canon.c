// SPDX-License-Identifier: Apache-2.0
#include "canon.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *canon_grow(void *block, size_t *capacity, size_t wanted, size_t each) {
    if (wanted <= *capacity && block != NULL)
        return block;
    *capacity = 2 * wanted + 64;
    block = realloc(block, *capacity * each);
    if (block == NULL)
        abort();
    return block;
}

static void canon_write(struct canon *canon, const void *data, size_t length) {
    canon->text =
        canon_grow(canon->text, &canon->capacity, canon->length + length, sizeof *canon->text);
    if (length > 0)
        memcpy(canon->text + canon->length, data, length);
    canon->length += length;
}

static bool canon_in_map(const struct canon *canon) {
    return canon->depth > 0 && canon->open[canon->depth - 1].kind == TERM_MAP;
}

// Is what comes next a key?
static bool canon_at_key(const struct canon *canon) {
    return canon_in_map(canon) && (canon->terms - canon->open[canon->depth - 1].terms) % 2 == 0;
}

static void canon_term(struct canon *canon) {
    canon->starts =
        canon_grow(canon->starts, &canon->terms_capacity, canon->terms + 1, sizeof *canon->starts);
    canon->starts[canon->terms++] = canon->length;
}

static int canon_integer(struct term_sink *sink, int64_t value) {
    struct canon *canon = (struct canon *)sink;
    char text[32];
    canon_term(canon);
    int length = snprintf(text, sizeof text, "i%" PRId64 ";", value);
    canon_write(canon, text, (size_t)length);
    return 0;
}

static int canon_real(struct term_sink *sink, double value) {
    struct canon *canon = (struct canon *)sink;
    char text[64];
    if (canon->as_lua && canon_at_key(canon) && value == floor(value) && value >= -0x1p63 &&
        value < 0x1p63)
        return canon_integer(sink, (int64_t)value);
    canon_term(canon);
    int length = snprintf(text, sizeof text, "f%a;", value);
    canon_write(canon, text, (size_t)length);
    return 0;
}

static int canon_bytes(struct term_sink *sink, const void *data, size_t size) {
    struct canon *canon = (struct canon *)sink;
    char text[32];
    canon_term(canon);
    int length = snprintf(text, sizeof text, "b%zu:", size);
    canon_write(canon, text, (size_t)length);
    canon_write(canon, data, size);
    return 0;
}

static bool canon_is(const char *name, size_t length, const char *what) {
    return length == strlen(what) && memcmp(name, what, length) == 0;
}

static int canon_atom(struct term_sink *sink, const char *name, size_t length) {
    struct canon *canon = (struct canon *)sink;
    bool nil = canon_is(name, length, "nil");
    if (canon->as_lua && !nil && !canon_is(name, length, "true") &&
        !canon_is(name, length, "false"))
        return canon_bytes(sink, name, length);
    canon->keyless = canon->keyless || (nil && canon_at_key(canon));
    canon_term(canon);
    canon_write(canon, "a", 1);
    canon_write(canon, name, length);
    canon_write(canon, ";", 1);
    return 0;
}

static int canon_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct canon *canon = (struct canon *)sink;
    (void)n;
    canon->keyless = canon->keyless || canon_at_key(canon);
    canon_term(canon);
    if (canon->depth == CANON_DEPTH)
        return TERM_E_DEPTH;
    canon->open[canon->depth].kind = kind;
    canon->open[canon->depth].text = canon->length;
    canon->open[canon->depth].terms = canon->terms;
    canon->depth++;
    canon->deepest = canon->depth > canon->deepest ? canon->depth : canon->deepest;
    return 0;
}

struct canon_pair {
    const char *key, *value;
    size_t key_length, value_length;
    int64_t index; // of a key that is an integer
};

static bool pair_is_nil(const struct canon_pair *pair) {
    return canon_is(pair->value, pair->value_length, "anil;");
}

static int pair_compare(const void *a, const void *b) {
    const struct canon_pair *left = a, *right = b;
    size_t shorter = left->key_length < right->key_length ? left->key_length : right->key_length;
    int order = memcmp(left->key, right->key, shorter);
    return order != 0
               ? order
               : (left->key_length > right->key_length) - (left->key_length < right->key_length);
}

static int pair_compare_index(const void *a, const void *b) {
    const struct canon_pair *left = a, *right = b;
    return (left->index > right->index) - (left->index < right->index);
}

static size_t canon_end_of(const struct canon *canon, size_t term) {
    return term + 1 < canon->terms ? canon->starts[term + 1] : canon->length;
}

// The innermost container's terms as pairs; those of lists and tuples have their index as key.
static size_t canon_pairs(const struct canon *canon, enum term_kind kind, const char *text,
                          struct canon_pair *pairs) {
    size_t each = kind == TERM_MAP ? 2 : 1, n = 0;
    for (size_t term = canon->open[canon->depth].terms; term + each <= canon->terms;
         term += each, n++) {
        size_t value = term + each - 1;
        pairs[n] = (struct canon_pair){
            .key = text + canon->starts[term],
            .key_length = canon_end_of(canon, term) - canon->starts[term],
            .value = text + canon->starts[value],
            .value_length = canon_end_of(canon, value) - canon->starts[value],
            .index = (int64_t)n + 1,
        };
        if (kind == TERM_MAP)
            pairs[n].index = *pairs[n].key == 'i' ? strtoll(pairs[n].key + 1, NULL, 10) : 0;
    }
    return n;
}

static size_t canon_drop_nil(struct canon_pair *pairs, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!pair_is_nil(&pairs[i]))
            pairs[kept++] = pairs[i];
    return kept;
}

// Are the keys 1..n? They are then in that order.
static bool canon_is_sequence(struct canon_pair *pairs, size_t n) {
    qsort(pairs, n, sizeof *pairs, pair_compare_index);
    for (size_t i = 0; i < n; i++)
        if (pairs[i].index != (int64_t)i + 1)
            return false;
    return true;
}

static void canon_write_map(struct canon *canon, struct canon_pair *pairs, size_t n, bool indexed) {
    qsort(pairs, n, sizeof *pairs, indexed ? pair_compare_index : pair_compare);
    canon_write(canon, "{", 1);
    for (size_t i = 0; i < n; i++) {
        char key[32];
        int length = snprintf(key, sizeof key, "i%" PRId64 ";", pairs[i].index);
        if (indexed)
            canon_write(canon, key, (size_t)length);
        else
            canon_write(canon, pairs[i].key, pairs[i].key_length);
        canon_write(canon, pairs[i].value, pairs[i].value_length);
    }
    canon_write(canon, "}", 1);
}

static void canon_find_lost(struct canon *canon, struct canon_pair *pairs, size_t n) {
    qsort(pairs, n, sizeof *pairs, pair_compare);
    for (size_t i = 1; i < n; i++)
        canon->lost = canon->lost || pair_compare(&pairs[i - 1], &pairs[i]) == 0;
}

static void canon_rewrite(struct canon *canon, enum term_kind kind, const char *text) {
    size_t count = canon->terms - canon->open[canon->depth].terms;
    struct canon_pair *pairs = calloc(count + 1, sizeof *pairs);
    if (pairs == NULL)
        abort();
    size_t n = canon_pairs(canon, kind, text, pairs);
    canon->terms = canon->open[canon->depth].terms;
    canon->length = canon->open[canon->depth].text;
    bool list = kind == TERM_LIST;
    if (kind == TERM_MAP)
        canon_find_lost(canon, pairs, n);
    if (canon->as_lua) {
        n = canon_drop_nil(pairs, n);
        list = canon_is_sequence(pairs, n);
    }
    if (kind == TERM_MAP || (canon->as_lua && !list)) {
        if (!list)
            canon_write_map(canon, pairs, n, kind != TERM_MAP);
    }
    if (list || (kind == TERM_TUPLE && !canon->as_lua)) {
        canon_write(canon, list ? "[" : "(", 1);
        for (size_t i = 0; i < n; i++)
            canon_write(canon, pairs[i].value, pairs[i].value_length);
        canon_write(canon, list ? "]" : ")", 1);
    }
    free(pairs);
}

static int canon_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct canon *canon = (struct canon *)sink;
    (void)n;
    canon->depth--;
    size_t length = canon->length;
    char *text = malloc(length + 1);
    if (text == NULL)
        abort();
    if (length > 0)
        memcpy(text, canon->text, length);
    text[length] = '\0';
    canon_rewrite(canon, kind, text);
    free(text);
    return 0;
}

void canon_init(struct canon *canon, bool as_lua) {
    static const struct term_sink_ops ops = {.integer = canon_integer,
                                             .real = canon_real,
                                             .atom = canon_atom,
                                             .bytes = canon_bytes,
                                             .begin = canon_begin,
                                             .end = canon_end};
    memset(canon, 0, offsetof(struct canon, open));
    canon->sink.ops = &ops;
    canon->as_lua = as_lua;
}

void canon_release(struct canon *canon) {
    free(canon->text);
    free(canon->starts);
}

bool canon_equal(const struct canon *a, const struct canon *b) {
    return a->length == b->length && (a->length == 0 || memcmp(a->text, b->text, a->length) == 0);
}
