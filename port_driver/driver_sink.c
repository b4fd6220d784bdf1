// SPDX-License-Identifier: Apache-2.0
#include "driver_sink.h"

#include "driver_atoms.h"

#include <limits.h>
#include <string.h>

#define KEPT_BLOCK_BYTES ((size_t)4096)

// External term format: version byte, ATOM_UTF8_EXT, length of two bytes.
#define NAME_HEADER    ((size_t)4)
#define NAME_MAX_BYTES ((size_t)(255 * 4))

struct driver_sink_block {
    struct driver_sink_block *older;
    double bytes[KEPT_BLOCK_BYTES / sizeof(double)];
};

// erl_drv_send_term takes the number of words as an int.
static int words_grow(struct driver_sink *sink, size_t more) {
    size_t capacity = sink->capacity * 4;
    if (capacity > INT_MAX)
        capacity = INT_MAX;
    if (sink->used + more > capacity)
        return TERM_E_SIZE;
    size_t bytes = capacity * sizeof *sink->words;
    ErlDrvTermData *words;
    if (sink->words == sink->first) {
        words = driver_alloc(bytes);
        if (words != NULL)
            memcpy(words, sink->first, sizeof sink->first);
    } else {
        words = driver_realloc(sink->words, bytes);
    }
    if (words == NULL)
        return TERM_E_MEMORY;
    sink->words = words;
    sink->capacity = capacity;
    return 0;
}

static inline int words_reserve(struct driver_sink *sink, size_t more) {
    return sink->capacity - sink->used >= more ? 0 : words_grow(sink, more);
}

static inline void push(struct driver_sink *sink, ErlDrvTermData word) {
    sink->words[sink->used++] = word;
}

static void *keep(struct driver_sink *sink, size_t length) {
    size_t rounded = (length + sizeof(double) - 1) / sizeof(double) * sizeof(double);
    size_t capacity = sink->blocks == NULL ? sizeof sink->kept : KEPT_BLOCK_BYTES;
    if (rounded > capacity - sink->kept_used) {
        struct driver_sink_block *block = driver_alloc(sizeof *block);
        if (block == NULL)
            return NULL;
        block->older = sink->blocks;
        sink->blocks = block;
        sink->kept_used = 0;
    }
    double *base = sink->blocks == NULL ? sink->kept : sink->blocks->bytes;
    void *at = (char *)base + sink->kept_used;
    sink->kept_used += rounded;
    return at;
}

static void keep_release(struct driver_sink *sink) {
    while (sink->blocks != NULL) {
        struct driver_sink_block *older = sink->blocks->older;
        driver_free(sink->blocks);
        sink->blocks = older;
    }
    sink->kept_used = 0;
}

static int sink_integer(struct term_sink *base, int64_t value) {
    struct driver_sink *sink = (struct driver_sink *)base;
    int code = words_reserve(sink, 2);
    if (code < 0)
        return code;
    push(sink, ERL_DRV_INT);
    push(sink, (ErlDrvTermData)value);
    return 0;
}

static int sink_real(struct term_sink *base, double value) {
    struct driver_sink *sink = (struct driver_sink *)base;
    int code = words_reserve(sink, 2);
    if (code < 0)
        return code;
    double *kept = keep(sink, sizeof *kept);
    if (kept == NULL)
        return TERM_E_MEMORY;
    *kept = value;
    push(sink, ERL_DRV_FLOAT);
    push(sink, (ErlDrvTermData)kept);
    return 0;
}

// What driver_atom cannot make is handed over in external term format.
static int sink_wide_atom(struct driver_sink *sink, const char *name, size_t length) {
    uint8_t *kept = keep(sink, NAME_HEADER + length);
    if (kept == NULL)
        return TERM_E_MEMORY;
    kept[0] = 131;
    kept[1] = 118;
    kept[2] = (uint8_t)(length >> 8);
    kept[3] = (uint8_t)length;
    memcpy(kept + NAME_HEADER, name, length);
    push(sink, ERL_DRV_EXT2TERM);
    push(sink, (ErlDrvTermData)kept);
    push(sink, NAME_HEADER + length);
    return 0;
}

static int sink_atom(struct term_sink *base, const char *name, size_t length) {
    struct driver_sink *sink = (struct driver_sink *)base;
    if (length > NAME_MAX_BYTES)
        return TERM_E_TYPE;
    int code = words_reserve(sink, 3);
    if (code < 0)
        return code;
    ErlDrvTermData atom;
    if (!driver_atom(name, length, &atom))
        return sink_wide_atom(sink, name, length);
    push(sink, ERL_DRV_ATOM);
    push(sink, atom);
    return 0;
}

static int sink_bytes(struct term_sink *base, const void *data, size_t length) {
    struct driver_sink *sink = (struct driver_sink *)base;
    int code = words_reserve(sink, 3);
    if (code < 0)
        return code;
    push(sink, ERL_DRV_BUF2BINARY);
    push(sink, (ErlDrvTermData)data);
    push(sink, length);
    return 0;
}

static int sink_begin(struct term_sink *base, enum term_kind kind, size_t n) {
    (void)base;
    (void)kind;
    (void)n;
    return 0;
}

static int sink_end(struct term_sink *base, enum term_kind kind, size_t n) {
    struct driver_sink *sink = (struct driver_sink *)base;
    int code = words_reserve(sink, 3);
    if (code < 0)
        return code;
    switch (kind) {
    case TERM_LIST:
        push(sink, ERL_DRV_NIL);
        if (n > 0) {
            push(sink, ERL_DRV_LIST);
            push(sink, n + 1);
        }
        break;
    case TERM_TUPLE:
        push(sink, ERL_DRV_TUPLE);
        push(sink, n);
        break;
    case TERM_MAP:
        push(sink, ERL_DRV_MAP);
        push(sink, n);
        break;
    }
    return 0;
}

static const struct term_sink_ops sink_ops = {
    .integer = sink_integer,
    .real = sink_real,
    .atom = sink_atom,
    .bytes = sink_bytes,
    .begin = sink_begin,
    .end = sink_end,
};

void driver_sink_init(struct driver_sink *sink) {
    sink->sink.ops = &sink_ops;
    sink->words = sink->first;
    sink->capacity = sizeof sink->first / sizeof sink->first[0];
    sink->used = 0;
    sink->blocks = NULL;
    sink->kept_used = 0;
}

void driver_sink_start(struct driver_sink *sink, ErlDrvTermData port, int64_t id) {
    sink->used = 0;
    if (sink->blocks != NULL)
        keep_release(sink);
    sink->kept_used = 0;
    push(sink, ERL_DRV_PORT);
    push(sink, port);
    push(sink, ERL_DRV_INT);
    push(sink, (ErlDrvTermData)id);
}

bool driver_sink_send(struct driver_sink *sink, ErlDrvTermData port, ErlDrvTermData to) {
    if (words_reserve(sink, 2) < 0)
        return false;
    push(sink, ERL_DRV_TUPLE);
    push(sink, 3);
    return erl_drv_send_term(port, to, sink->words, (int)sink->used) > 0;
}

void driver_sink_release(struct driver_sink *sink) {
    keep_release(sink);
    if (sink->words != sink->first)
        driver_free(sink->words);
}
