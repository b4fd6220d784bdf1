// SPDX-License-Identifier: Apache-2.0
// The payloads that the floors build from nothing, the same as tripod_shape:term/1 makes in Erlang:
// a list 1..n, a map of n keys, a tree of maps n levels deep. Who builds them differently measures
// different work, so the tests compare the terms.
//
// Key texts are made once: a service gets them ready-made too, from its own strings.
#ifndef TRIPOD_FLOOR_SHAPES_H
#define TRIPOD_FLOOR_SHAPES_H

#include <stddef.h>
#include <stdio.h>

enum shape_kind { SHAPE_LIST, SHAPE_MAP, SHAPE_NESTED };

#define SHAPE_MAX_LIST  1000000
#define SHAPE_MAX_KEYS  10000
#define SHAPE_MAX_DEPTH 12

struct shape_key {
    char text[14];
    unsigned char length;
};

static struct shape_key shape_keys[SHAPE_MAX_KEYS];

// Key i, from 0, is "key" and the decimal number i + 1.
static void shape_keys_init(void) {
    for (int i = 0; i < SHAPE_MAX_KEYS; i++)
        shape_keys[i].length = (unsigned char)snprintf(
            shape_keys[i].text, sizeof shape_keys[i].text, "key%d", (i + 1) % 1000000000);
}

// Whether `n` is within what the builders allow.
static int shape_fits(int kind, int n) {
    switch (kind) {
    case SHAPE_LIST:
        return n >= 1 && n <= SHAPE_MAX_LIST;
    case SHAPE_MAP:
        return n >= 1 && n <= SHAPE_MAX_KEYS;
    case SHAPE_NESTED:
        return n >= 0 && n <= SHAPE_MAX_DEPTH;
    default:
        return 0;
    }
}

#endif
