// SPDX-License-Identifier: Apache-2.0
// Lua to Erlang: graphs of tables with holes, cycles, shared parts and what cannot cross, built by
// a program in the sandbox; the reply must be the one that emit_model.h derives from the contract.
//
//   byte 0   depth, size of the reply, what an empty table is, pauses
//   others   decisions of emit_build.c
//
// EMIT_SHOW=1 in the environment prints each program.
#include "canon.h"
#include "emit_model.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_ITEMS 300u

static struct { unsigned long graphs, unchecked; } count;

static void count_print(void) {
    fprintf(stderr, "note: %lu graphs, too large for the model: %lu (%.2f %%)\n", count.graphs,
            count.unchecked, 100.0 * (double)count.unchecked / (double)count.graphs);
}

// {configure, #{<<"empty">> => <<"map">>}}
static const uint8_t empty_as_map[] = {
    131, 104, 2, 119, 9, 'c', 'o', 'n', 'f', 'i', 'g', 'u', 'r', 'e', 116, 0,   0,   0,  1,
    109, 0,   0, 0,   5, 'e', 'm', 'p', 't', 'y', 109, 0,   0,   0,   3,   'm', 'a', 'p'};

// Collects the path of {error, {badterm, Path}}.
struct path {
    struct term_sink sink;
    struct item items[PATH_MAX_ITEMS];
    size_t length;
    bool within;
};

static int path_add(struct term_sink *sink, struct item item) {
    struct path *path = (struct path *)sink;
    if (path->within && path->length < PATH_MAX_ITEMS)
        path->items[path->length++] = item;
    return 0;
}

static int path_integer(struct term_sink *sink, int64_t value) {
    return path_add(sink, (struct item){.kind = ITEM_INTEGER, .integer = value});
}

static int path_real(struct term_sink *sink, double value) {
    return path_add(sink, (struct item){.kind = ITEM_REAL, .real = value});
}

static int path_atom(struct term_sink *sink, const char *name, size_t length) {
    (void)name;
    return path_add(sink, (struct item){.kind = length == 4 ? ITEM_TRUE : ITEM_FALSE});
}

static int path_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct item item = {.kind = ITEM_BYTES, .length = length};
    rig_require(length <= sizeof item.bytes, "a key in a path is one that was built");
    memcpy(item.bytes, data, length);
    return path_add(sink, item);
}

static int path_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct path *path = (struct path *)sink;
    (void)n;
    path->within = kind == TERM_LIST;
    return 0;
}

static int path_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    (void)sink, (void)kind, (void)n;
    return 0;
}

static const struct term_sink_ops path_ops = {.integer = path_integer,
                                              .real = path_real,
                                              .atom = path_atom,
                                              .bytes = path_bytes,
                                              .begin = path_begin,
                                              .end = path_end};

static void require_bad_path(const struct rig *rig, const struct model *model) {
    static struct path path;
    path = (struct path){.sink = {&path_ops}};
    rig_read(rig, &path.sink);
    rig_require(model_is_bad_at(model, path.items, path.length),
                "the path leads to the first thing that cannot cross");
}

static bool is(const struct canon *reply, const char *text) {
    return reply->length >= strlen(text) && memcmp(reply->text, text, strlen(text)) == 0;
}

static void check(const struct rig *rig, const struct model *model) {
    struct canon expected, reply;
    struct etf_writer written;
    canon_init(&expected, false);
    canon_init(&reply, false);
    rig_read(rig, &reply.sink);
    etf_writer_init(&written, &rig->box.host, 0, SIZE_MAX);
    int code = model_emit(model, &expected.sink);
    count.unchecked += code == MODEL_MUCH ? 1 : 0;
    if (code == 0)
        rig_require(model_emit(model, &written.sink) == 0, "what is emitted once is emitted again");
    size_t reply_bytes = rig->box.limits.reply_bytes;
    if (rig_is_ok(rig)) {
        rig_require(code != MODEL_BAD, "what cannot cross does not");
        rig_require(code != 0 || canon_equal(&expected, &reply), "the reply is the contract's");
        rig_require(rig->reply.length <= reply_bytes, "a reply is no larger than it may be");
    } else if (is(&reply, "(aerror;(abadterm;")) {
        rig_require(code != 0, "what can cross is no badterm");
        require_bad_path(rig, model);
    } else {
        if (!is(&reply, "(aerror;(alimit;areply;"))
            fprintf(stderr, "%.*s\n", (int)reply.length, reply.text);
        rig_require(is(&reply, "(aerror;(alimit;areply;"), "no other error is expected");
        rig_require(code != 0 || written.length > reply_bytes, "only what is too large is a limit");
    }
    etf_writer_release(&written);
    canon_release(&expected);
    canon_release(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t depths[] = {200, 20, 8, 6};
    static const size_t reply_bytes[] = {65536, 64, 200, 1000};
    static struct model model;
    if (size == 0)
        return 0;
    if (count.graphs++ == 0)
        (void)atexit(count_print);
    model.depth = depths[data[0] & 3u];
    model.empty_as_map = (data[0] & 16u) != 0;
    model_build(&model, data + 1, size - 1);
    const struct rig_plan plan = {
        .memory_bytes = (size_t)16 * 1024 * 1024,
        .reply_bytes = reply_bytes[data[0] >> 2 & 3u],
        .looks = 10000000,
        .pause_every = data[0] & 32u ? 2 : 0,
        .depth = model.depth,
    };
    if (getenv("EMIT_SHOW") != NULL)
        fprintf(stderr, "%s\n----\n", model.program);
    struct rig rig;
    rig_open(&rig, &plan);
    if (model.empty_as_map)
        rig_request(&rig, empty_as_map, sizeof empty_as_map);
    rig_eval(&rig, model.program, model.length);
    check(&rig, &model);
    rig_check_alive(&rig);
    rig_close(&rig);
    return 0;
}
