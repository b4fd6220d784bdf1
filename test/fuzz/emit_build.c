// SPDX-License-Identifier: Apache-2.0
// Bytes into a graph and the program that builds it. No bytes are an empty list of results.
#include "emit_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct build {
    struct model *model;
    const uint8_t *data;
    size_t size, at;
};

static unsigned build_pick(struct build *build, unsigned count) {
    return build->at < build->size ? build->data[build->at++] % count : 0;
}

__attribute__((format(printf, 2, 3))) static void build_say(struct build *build, const char *format,
                                                            ...) {
    struct model *model = build->model;
    size_t room = sizeof model->program - model->length;
    va_list arguments;
    va_start(arguments, format);
    int said = vsnprintf(model->program + model->length, room, format, arguments);
    va_end(arguments);
    if (said > 0 && (size_t)said < room)
        model->length += (size_t)said;
}

static bool build_is_full(const struct build *build) {
    return build->model->length > sizeof build->model->program - 1024;
}

static struct item build_integer(int64_t value) {
    return (struct item){.kind = ITEM_INTEGER, .integer = value};
}

static struct item build_wide_integer(struct build *build) {
    static const int64_t values[] = {0,
                                     -1,
                                     255,
                                     256,
                                     INT32_MAX,
                                     INT32_MIN,
                                     (int64_t)INT32_MAX + 1,
                                     INT64_MAX,
                                     INT64_MIN,
                                     1000000,
                                     INT64_C(1) << 53,
                                     -256,
                                     (int64_t)INT32_MIN - 1};
    return build_integer(values[build_pick(build, sizeof values / sizeof values[0])]);
}

static struct item build_real(struct build *build) {
    static const double values[] = {
        0.5,    -0.0,   1e308,   -1.5, 0x1p53, 3.0,         (double)INFINITY,
        1e-300, 0x1p63, -0x1p63, 2.0,  1e15,   (double)NAN, -(double)INFINITY};
    return (struct item){.kind = ITEM_REAL,
                         .real = values[build_pick(build, sizeof values / sizeof values[0])]};
}

static struct item build_bytes(struct build *build) {
    struct item item = {.kind = ITEM_BYTES, .length = build_pick(build, sizeof item.bytes)};
    for (size_t i = 0; i < item.length; i++)
        item.bytes[i] = (char)build_pick(build, 256);
    return item;
}

static struct item build_item(struct build *build) {
    switch (build_pick(build, 16)) {
    case 0:
        return (struct item){.kind = ITEM_NIL};
    case 1:
        return (struct item){.kind = ITEM_FALSE};
    case 2:
        return (struct item){.kind = ITEM_TRUE};
    case 3:
    case 4:
        return build_integer((int64_t)build_pick(build, 256) - 128);
    case 5:
        return build_wide_integer(build);
    case 6:
        return build_real(build);
    case 7:
    case 8:
        return build_bytes(build);
    case 9:
        return (struct item){.kind = ITEM_OTHER, .integer = build_pick(build, 4)};
    default:
        return (struct item){.kind = ITEM_TABLE, .integer = build_pick(build, MODEL_TABLES)};
    }
}

static void build_literal(struct build *build, const struct item *item) {
    static const char *const others[] = {"print", "function() end", "coroutine.create(print)",
                                         "coroutine.wrap(print)"};
    switch (item->kind) {
    case ITEM_NIL:
        build_say(build, "nil");
        break;
    case ITEM_FALSE:
        build_say(build, "false");
        break;
    case ITEM_TRUE:
        build_say(build, "true");
        break;
    case ITEM_INTEGER:
        build_say(build, "0x%" PRIx64, (uint64_t)item->integer);
        break;
    case ITEM_REAL:
        if (isnan(item->real))
            build_say(build, "(0/0)");
        else if (isinf(item->real))
            build_say(build, "%s1e999", item->real < 0 ? "-" : "");
        else
            build_say(build, "%a", item->real);
        break;
    case ITEM_BYTES:
        build_say(build, "\"");
        for (size_t i = 0; i < item->length; i++)
            build_say(build, "\\x%02x", (unsigned)(unsigned char)item->bytes[i]);
        build_say(build, "\"");
        break;
    case ITEM_TABLE:
        build_say(build, "t[%" PRId64 "]", item->integer + 1);
        break;
    case ITEM_OTHER:
        build_say(build, "%s", others[item->integer]);
        break;
    }
}

// As Lua: a float key that is a whole number is the integer.
static struct item build_key(struct item key) {
    bool whole = key.kind == ITEM_REAL && key.real == floor(key.real) && key.real >= -0x1p63 &&
                 key.real < 0x1p63;
    return whole ? build_integer((int64_t)key.real) : key;
}

static bool build_same(const struct item *a, const struct item *b) {
    return a->kind == b->kind && a->integer == b->integer && a->real == b->real &&
           a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void build_store(struct build *build, size_t table, struct item key,
                        const struct item *value) {
    struct model *model = build->model;
    struct model_entry *entries = model->tables[table].entries;
    size_t *n = &model->tables[table].n;
    size_t at = 0;
    bool is_key = key.kind != ITEM_NIL && !(key.kind == ITEM_REAL && isnan(key.real));
    if (!is_key || *n == MODEL_ENTRIES || build_is_full(build))
        return;
    build_say(build, "t[%zu][", table + 1);
    build_literal(build, &key);
    build_say(build, "] = ");
    build_literal(build, value);
    build_say(build, "\n");
    key = build_key(key);
    // Functions and coroutines are new ones each time they are written, but print.
    bool fresh = key.kind == ITEM_OTHER && key.integer != 0;
    while (at < *n && (fresh || !build_same(&entries[at].key, &key)))
        at++;
    if (value->kind != ITEM_NIL) {
        entries[at] = (struct model_entry){key, *value};
        *n += at == *n ? 1 : 0;
    } else if (at < *n) {
        entries[at] = entries[--*n];
    }
}

// A run of integer keys, upwards or downwards, whole or with holes torn into it afterwards.
static void build_sequence(struct build *build, size_t table) {
    unsigned n = build_pick(build, 12), first = build_pick(build, 4) == 3 ? 2 : 1;
    bool down = build_pick(build, 2) == 1;
    for (unsigned i = 0; i < n; i++) {
        struct item value = build_item(build);
        build_store(build, table, build_integer(down ? first + n - 1 - i : first + i), &value);
    }
}

static void build_chain(struct build *build) {
    for (size_t table = 0; table + 1 < MODEL_TABLES; table++) {
        const struct item next = {.kind = ITEM_TABLE, .integer = (int64_t)table + 1};
        build_store(build, table, build_integer(1), &next);
        build_store(build, table, build_integer(2), &next);
    }
}

static void build_statement(struct build *build) {
    size_t table = build_pick(build, MODEL_TABLES);
    switch (build_pick(build, 8)) {
    case 0: {
        build_sequence(build, table);
        break;
    }
    case 1: // metatables play no part
        build_say(build,
                  "setmetatable(t[%zu], {__len = error, __index = error, __newindex = rawset, "
                  "__pairs = error, __name = 1, __tostring = error})\n",
                  table + 1);
        break;
    case 2:
        if (build_pick(build, 8) == 7)
            build_chain(build);
        break;
    case 3: {
        const struct item nothing = {.kind = ITEM_NIL};
        build_store(build, table, build_integer((int64_t)build_pick(build, 10)), &nothing);
        break;
    }
    default: {
        struct item key = build_item(build);
        struct item value = build_item(build);
        build_store(build, table, key, &value);
    }
    }
}

void model_build(struct model *model, const uint8_t *data, size_t size) {
    struct build build = {.model = model, .data = data, .size = size};
    model->length = 0;
    model->result_count = 0;
    for (size_t i = 0; i < MODEL_TABLES; i++)
        model->tables[i].n = 0;
    unsigned results = build_pick(&build, MODEL_RESULTS + 1);
    for (size_t i = 0; i < results; i++)
        model->results[i] = build_item(&build);
    model->result_count = results;
    build_say(&build, "local t = {} for i = 1, %u do t[i] = {} end\n", MODEL_TABLES);
    while (build.at < size && !build_is_full(&build))
        build_statement(&build);
    build_say(&build, "return ");
    for (size_t i = 0; i < results; i++) {
        build_say(&build, i == 0 ? "" : ", ");
        build_literal(&build, &model->results[i]);
    }
}
