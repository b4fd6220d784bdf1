// SPDX-License-Identifier: Apache-2.0
// Erlang to Lua: requests to a small box, of any bytes. Each must be answered by one whole reply
// (rig.h says what is checked of it), and the box must answer the next one, unless it is down.
//
// Input: a byte of options, then pieces: two bytes of length (the last may be short), then a term
// in the external term format. The first bit of the length says what is done with it: it is a
// request, or a value. A value is stored in a global and asked for again; what comes back must be
// what docs/contract.md says, and only what cannot cross may be refused.
#include "canon.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)4096)

static const uint8_t set_header[] = {131, 104, 3, 119, 3, 's', 'e', 't', 109, 0, 0, 0, 1, 'x'};

// {configure, #{<<"empty">> => <<"list">>}}: what the contract says of values is said of this, and
// a request before may have asked for another.
static const uint8_t empty_as_list[] = {
    131, 104, 2, 119, 9, 'c', 'o', 'n', 'f', 'i', 'g', 'u', 'r', 'e', 116, 0,   0,   0,   1,
    109, 0,   0, 0,   5, 'e', 'm', 'p', 't', 'y', 109, 0,   0,   0,   4,   'l', 'i', 's', 't'};

// What a reply says, in a few words.
enum verdict { OK, BADTERM, OTHER };

static enum verdict verdict_of(const struct rig *rig) {
    static const char badterm[] = "(aerror;(abadterm;";
    if (rig_is_ok(rig))
        return OK;
    struct canon reply;
    canon_init(&reply, false);
    rig_read(rig, &reply.sink);
    bool is_badterm =
        reply.length >= sizeof badterm - 1 && memcmp(reply.text, badterm, sizeof badterm - 1) == 0;
    canon_release(&reply);
    return is_badterm ? BADTERM : OTHER;
}

// {ok, [Value]} against what Value should be.
static bool comes_back(const struct rig *rig, const struct canon *expected) {
    static const char before[] = "(aok;[", after[] = "])";
    struct canon reply;
    canon_init(&reply, false);
    rig_read(rig, &reply.sink);
    const char *text = reply.text + sizeof before - 1;
    size_t around = sizeof before - 1 + sizeof after - 1;
    bool same = reply.length == around + expected->length &&
                memcmp(reply.text, before, sizeof before - 1) == 0 &&
                memcmp(text, expected->text, expected->length) == 0;
    if (!same)
        fprintf(stderr, "reply    %.*s\nexpected %.*s\n", (int)reply.length, reply.text,
                (int)expected->length, expected->text);
    canon_release(&reply);
    return same;
}

static void push_value(struct rig *rig, const uint8_t *data, size_t length) {
    uint8_t request[sizeof set_header + VALUE_MAX];
    uint8_t alone[1 + VALUE_MAX];
    length = length < VALUE_MAX ? length : VALUE_MAX;
    alone[0] = 131;
    memcpy(request, set_header, sizeof set_header);
    if (length > 0) {
        memcpy(request + sizeof set_header, data, length);
        memcpy(alone + 1, data, length);
    }
    rig_request(rig, empty_as_list, sizeof empty_as_list);
    if (rig->result == BOX_DOWN)
        return;
    rig_request(rig, request, sizeof set_header + length);
    enum verdict verdict = verdict_of(rig);

    struct canon value;
    struct etf_reader reader;
    canon_init(&value, true);
    etf_reader_init(&reader, alone, 1 + length, 400);
    int code = term_walk(&reader.source, &value.sink);
    bool deep = value.deepest > rig->box.limits.depth;
    bool crosses = code == 0 && !value.keyless && !value.lost && !deep;
    rig_require(verdict != BADTERM || !crosses, "what can cross is no badterm");
    rig_require(verdict != OK || (code == 0 && !value.keyless && !deep),
                "what cannot cross is refused");
    if (verdict == OK && crosses) {
        rig_get(rig, "x");
        enum verdict got = verdict_of(rig);
        rig_require(got != BADTERM, "what crossed once crosses back");
        if (got == OK)
            rig_require(comes_back(rig, &value), "a value comes back as the contract says");
    }
    canon_release(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint32_t depths[] = {200, 20, 8, 5};
    if (size == 0)
        return 0;
    const struct rig_plan plan = {
        .memory_bytes = (size_t)1024 * 1024,
        .reply_bytes = (size_t)64 * 1024,
        .looks = 20000,
        .pause_every = data[0] & 4u ? 2 : 0,
        .depth = depths[data[0] & 3u],
    };
    struct rig rig;
    rig_open(&rig, &plan);
    for (size_t at = 1; at + 2 < size && rig.result != BOX_DOWN;) {
        size_t length = ((size_t)(data[at] & 0x7f) << 8) + data[at + 1];
        bool is_value = (data[at] & 0x80) != 0;
        at += 2;
        if (length > size - at)
            length = size - at;
        // A copy, so that a read past its end is noticed.
        uint8_t *piece = malloc(length + (length == 0 ? 1 : 0));
        if (piece == NULL)
            abort();
        memcpy(piece, data + at, length);
        if (is_value)
            push_value(&rig, piece, length);
        else
            rig_request(&rig, piece, length);
        free(piece);
        at += length;
    }
    rig_check_alive(&rig);
    rig_close(&rig);
    return 0;
}
