// SPDX-License-Identifier: Apache-2.0
// A graph of Lua values from bytes, twice: as a program that builds it, and as a model that says
// what docs/contract.md promises of its way to Erlang. Knows nothing of the service.
#ifndef TRIPOD_FUZZ_EMIT_MODEL_H
#define TRIPOD_FUZZ_EMIT_MODEL_H

#include "term.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_TABLES  12u
#define MODEL_ENTRIES 40u // of a table
#define MODEL_RESULTS 6u

enum item_kind {
    ITEM_NIL,
    ITEM_FALSE,
    ITEM_TRUE,
    ITEM_INTEGER,
    ITEM_REAL,
    ITEM_BYTES,
    ITEM_TABLE,
    ITEM_OTHER
};

struct item {
    enum item_kind kind;
    int64_t integer; // also which table, or which of the values that cannot cross
    double real;
    char bytes[16];
    size_t length;
};

struct model_entry {
    struct item key, value; // never nil
};

struct model {
    struct {
        struct model_entry entries[MODEL_ENTRIES];
        size_t n;
    } tables[MODEL_TABLES];
    struct item results[MODEL_RESULTS];
    size_t result_count;
    uint32_t depth; // what may be open at once
    bool empty_as_map;
    char program[32 * 1024];
    size_t length;
};

void model_build(struct model *model, const uint8_t *data, size_t size);

// Emits {ok, Results}. MODEL_BAD: something cannot cross; MODEL_MUCH: it is too much to find out.
enum { MODEL_BAD = -100, MODEL_MUCH = -101 };
int model_emit(const struct model *model, struct term_sink *sink);

// May a reply say {badterm, Path}? The path leads to something that cannot cross, and what stands
// before it in the lists on the way can.
bool model_is_bad_at(const struct model *model, const struct item *path, size_t length);

#endif
