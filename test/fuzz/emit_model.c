// SPDX-License-Identifier: Apache-2.0
// The promises: what is emitted, and what cannot be.
#include "emit_model.h"

#include <math.h>
#include <string.h>

#define MODEL_STEPS 50000u

struct walk {
    const struct model *model;
    struct term_sink *sink; // NULL: only looking whether it can cross
    size_t steps;
    uint32_t open;
    bool inside[MODEL_TABLES];
};

static bool item_equal(const struct item *a, const struct item *b) {
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case ITEM_REAL:
        return a->real == b->real;
    case ITEM_BYTES:
        return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
    case ITEM_NIL:
    case ITEM_FALSE:
    case ITEM_TRUE:
        return true;
    default:
        return a->integer == b->integer;
    }
}

static const struct model_entry *model_find(const struct model *model, int64_t table,
                                            const struct item *key) {
    for (size_t i = 0; i < model->tables[table].n; i++)
        if (item_equal(&model->tables[table].entries[i].key, key))
            return &model->tables[table].entries[i];
    return NULL;
}

static const struct item *model_element(const struct model *model, int64_t table, size_t index) {
    const struct item key = {.kind = ITEM_INTEGER, .integer = (int64_t)index};
    const struct model_entry *entry = model_find(model, table, &key);
    return entry != NULL ? &entry->value : NULL;
}

static bool model_is_list(const struct model *model, int64_t table) {
    for (size_t i = 1; i <= model->tables[table].n; i++)
        if (model_element(model, table, i) == NULL)
            return false;
    return true;
}

static int walk_item(struct walk *walk, const struct item *item);

static int walk_begin(struct walk *walk, enum term_kind kind, size_t n) {
    return walk->sink != NULL ? term_begin(walk->sink, kind, n) : 0;
}

static int walk_end(struct walk *walk, enum term_kind kind, size_t n) {
    return walk->sink != NULL ? term_end(walk->sink, kind, n) : 0;
}

static int walk_elements(struct walk *walk, int64_t table) {
    const struct model *model = walk->model;
    size_t n = model->tables[table].n;
    bool list = n == 0 ? !model->empty_as_map : model_is_list(model, table);
    int code = walk_begin(walk, list ? TERM_LIST : TERM_MAP, n);
    for (size_t i = 0; i < n && code == 0; i++) {
        const struct model_entry *entry = &model->tables[table].entries[i];
        if (!list) {
            if (entry->key.kind == ITEM_TABLE)
                return MODEL_BAD;
            code = walk_item(walk, &entry->key);
        }
        if (code == 0)
            code = walk_item(walk, list ? model_element(model, table, i + 1) : &entry->value);
    }
    return code != 0 ? code : walk_end(walk, list ? TERM_LIST : TERM_MAP, n);
}

static int walk_table(struct walk *walk, int64_t table) {
    if (walk->open == walk->model->depth || walk->inside[table])
        return MODEL_BAD;
    walk->open++;
    walk->inside[table] = true;
    int code = walk_elements(walk, table);
    walk->inside[table] = false;
    walk->open--;
    return code;
}

static int walk_scalar(struct term_sink *sink, const struct item *item) {
    switch (item->kind) {
    case ITEM_NIL:
        return TERM_ATOM(sink, "nil");
    case ITEM_FALSE:
        return TERM_ATOM(sink, "false");
    case ITEM_TRUE:
        return TERM_ATOM(sink, "true");
    case ITEM_INTEGER:
        return term_integer(sink, item->integer);
    case ITEM_REAL:
        return term_real(sink, item->real);
    default:
        return term_bytes(sink, item->bytes, item->length);
    }
}

static int walk_item(struct walk *walk, const struct item *item) {
    if (++walk->steps > MODEL_STEPS)
        return MODEL_MUCH;
    if (item->kind == ITEM_OTHER || (item->kind == ITEM_REAL && !isfinite(item->real)))
        return MODEL_BAD;
    if (item->kind == ITEM_TABLE)
        return walk_table(walk, item->integer);
    return walk->sink != NULL ? walk_scalar(walk->sink, item) : 0;
}

int model_emit(const struct model *model, struct term_sink *sink) {
    struct walk walk = {.model = model, .sink = sink};
    size_t n = model->result_count;
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "ok");
    if (code == 0)
        code = term_begin(sink, TERM_LIST, n);
    for (size_t i = 0; i < n && code == 0; i++)
        code = walk_item(&walk, &model->results[i]);
    if (code == 0)
        code = term_end(sink, TERM_LIST, n);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

// True also when it takes too long to find out.
static bool walk_crosses(struct walk *walk, const struct item *item) {
    walk->steps = 0;
    return walk_item(walk, item) != MODEL_BAD;
}

static bool model_has_bad_key(const struct model *model, int64_t table) {
    for (size_t i = 0; i < model->tables[table].n; i++) {
        const struct item *key = &model->tables[table].entries[i].key;
        if (key->kind == ITEM_OTHER || key->kind == ITEM_TABLE ||
            (key->kind == ITEM_REAL && !isfinite(key->real)))
            return true;
    }
    return false;
}

// The path ends at `item`: is it bad itself, not for something that is in it?
static bool walk_is_bad_end(const struct walk *walk, const struct item *item) {
    if (item->kind != ITEM_TABLE)
        return item->kind == ITEM_OTHER || (item->kind == ITEM_REAL && !isfinite(item->real));
    return walk->open == walk->model->depth || walk->inside[item->integer] ||
           model_has_bad_key(walk->model, item->integer);
}

// Goes down one step of the path; NULL when there is nothing, or something bad before it.
static const struct item *walk_down(struct walk *walk, const struct item *item,
                                    const struct item *key) {
    const struct model *model = walk->model;
    if (item->kind != ITEM_TABLE || walk->open == model->depth || walk->inside[item->integer])
        return NULL;
    const struct model_entry *entry = model_find(model, item->integer, key);
    if (entry == NULL)
        return NULL;
    walk->open++;
    walk->inside[item->integer] = true;
    if (model_is_list(model, item->integer))
        for (int64_t i = 1; i < key->integer; i++)
            if (!walk_crosses(walk, model_element(model, item->integer, (size_t)i)))
                return NULL;
    return &entry->value;
}

bool model_is_bad_at(const struct model *model, const struct item *path, size_t length) {
    struct walk walk = {.model = model};
    if (length == 0 || path->kind != ITEM_INTEGER || path->integer < 1 ||
        path->integer > (int64_t)model->result_count)
        return false;
    for (int64_t i = 0; i < path->integer - 1; i++)
        if (!walk_crosses(&walk, &model->results[i]))
            return false;
    const struct item *item = &model->results[path->integer - 1];
    for (size_t i = 1; i < length && item != NULL; i++)
        item = walk_down(&walk, item, &path[i]);
    return item != NULL && walk_is_bad_end(&walk, item);
}
