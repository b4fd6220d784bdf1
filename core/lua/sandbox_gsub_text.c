// SPDX-License-Identifier: Apache-2.0
#include "sandbox_gsub_text.h"

#include <string.h>

// What a new userdata has beyond the need, at least.
#define TEXT_SPARE_BYTES ((size_t)64)

static void text_copy(lua_State *L, char *to, const char *from, size_t length) {
    const size_t block_bytes = (size_t)16 * SANDBOX_POLL_STEPS;
    struct sandbox *sandbox = sandbox_of(L);
    for (; length > block_bytes; length -= block_bytes, to += block_bytes, from += block_bytes) {
        memcpy(to, from, block_bytes);
        (void)sandbox_spend(L, sandbox, SANDBOX_POLL_STEPS);
    }
    memcpy(to, from, length);
    sandbox_book(sandbox, length / 16);
}

// What is short is left to the next look at the memory.
static void text_need(lua_State *L, size_t bytes) {
    if (bytes > SANDBOX_POLL_STEPS && !sandbox_memory_fits(sandbox_of(L), L, bytes))
        sandbox_leave(L, SANDBOX_STOP_MEMORY);
}

static void text_move(lua_State *L, struct gsub_text *text, size_t capacity) {
    char *data = lua_newuserdatauv(L, capacity, 0);
    if (text->length > 0)
        text_copy(L, data, text->data, text->length);
    lua_replace(L, text->slot);
    text->data = data;
    text->capacity = capacity;
}

// Twice of what it was, or what is expected, unless that is too much.
static void text_grow(lua_State *L, struct gsub_text *text, size_t need) {
    size_t more = text->length < TEXT_SPARE_BYTES ? TEXT_SPARE_BYTES : text->length;
    if (need > (size_t)PTRDIFF_MAX - more)
        (void)luaL_error(L, "buffer too large"); // as luaL_Buffer says it
    size_t capacity = need + more < text->least ? text->least : need + more;
    if (capacity > SANDBOX_POLL_STEPS && !sandbox_memory_fits(sandbox_of(L), L, capacity)) {
        text_need(L, need);
        capacity = need;
    }
    text_move(L, text, capacity);
}

void gsub_text_add_slowly(lua_State *L, struct gsub_text *text, const char *bytes, size_t length) {
    if (length > text->capacity - text->length)
        text_grow(L, text, text->length + length);
    text_copy(L, text->data + text->length, bytes, length);
    text->length += length;
}

void gsub_text_keep(lua_State *L, struct gsub_text *text) {
    text_move(L, text, text->capacity);
}

void gsub_text_push(lua_State *L, struct gsub_text *text, const char *rest, size_t rest_bytes) {
    if (rest_bytes > text->capacity - text->length) {
        text_need(L, text->length + rest_bytes);
        text_move(L, text, text->length + rest_bytes);
    }
    gsub_text_add(L, text, rest, rest_bytes);
    text_need(L, text->length);
    lua_pushlstring(L, text->data, text->length);
}
