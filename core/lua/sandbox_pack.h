// SPDX-License-Identifier: Apache-2.0
// The formats of string.pack, read one option at a time.
#ifndef TRIPOD_SANDBOX_PACK_H
#define TRIPOD_SANDBOX_PACK_H

#include "sandbox.h"

#include <limits.h>

// The most bytes of an integer.
#define PACK_INT_MAX 16

enum pack_kind {
    PACK_SIGNED,
    PACK_UNSIGNED,
    PACK_FLOAT,
    PACK_DOUBLE,
    PACK_CHARS,  // of a fixed size
    PACK_STRING, // after its length
    PACK_ZEROED, // up to a zero
    PACK_PADDING,
    PACK_ALIGN,
    PACK_NOTHING,
};

struct pack {
    lua_State *L;
    struct sandbox *sandbox;
    const char *at; // the format, up to its first zero
    bool little;
    int align_max;
};

struct pack_option {
    enum pack_kind kind;
    int size;
    int gap; // bytes to be skipped before it
};

bool sandbox_machine_is_little(void);
// The format is argument 1.
void sandbox_pack_init(struct pack *pack, lua_State *L);
// Reads the next option, which must be there; `total` bytes come before it.
struct pack_option sandbox_pack_next(struct pack *pack, size_t total);

#endif
