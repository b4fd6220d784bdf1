// SPDX-License-Identifier: Apache-2.0
// The text that string.gsub makes: bytes, first in a small array that the caller lends, then in a
// userdata that grows. Every large copy is in steps, and judged against the memory limit.
#ifndef TRIPOD_SANDBOX_GSUB_TEXT_H
#define TRIPOD_SANDBOX_GSUB_TEXT_H

#include "sandbox.h"

#include <string.h>

struct gsub_text {
    char *data;
    size_t length;
    size_t capacity;
    size_t least; // capacity of the first userdata, if there is memory for it
    int slot;     // of the stack: the userdata, if there is one
};

void gsub_text_add_slowly(lua_State *L, struct gsub_text *text, const char *bytes, size_t length);
// Appends `length` bytes, which must not be the text's own.
static inline void gsub_text_add(lua_State *L, struct gsub_text *text, const char *bytes,
                                 size_t length) {
    if (length > text->capacity - text->length || length >= SANDBOX_POLL_STEPS) {
        gsub_text_add_slowly(L, text, bytes, length);
    } else if (length > 0) {
        memcpy(text->data + text->length, bytes, length);
        text->length += length;
        if (length >= 16)
            sandbox_book(sandbox_of(L), length / 16);
    }
}
// Moves the text out of an array that is about to go away.
void gsub_text_keep(lua_State *L, struct gsub_text *text);
// Pushes the text and `rest` behind it, as a string.
void gsub_text_push(lua_State *L, struct gsub_text *text, const char *rest, size_t rest_bytes);

#endif
