// SPDX-License-Identifier: Apache-2.0
// What comes before and after a search: the captures of a match, and a paused search's keeping.
#include "sandbox_match.h"

#include <string.h>

// Only the frames in use: mostly a few.
static size_t match_bytes(const struct match *match) {
    return offsetof(struct match, frames) + match->used * sizeof match->frames[0];
}

void match_save(const struct match *match, int slot) {
    lua_State *L = match->L;
    size_t bytes = match_bytes(match);
    void *kept = lua_touserdata(L, slot);
    if (kept == NULL || lua_rawlen(L, slot) < bytes) {
        kept = lua_newuserdatauv(L, bytes, 0);
        lua_replace(L, slot);
    }
    memcpy(kept, match, bytes);
}

void match_load(struct match *match, lua_State *L, int slot) {
    const struct match *kept = lua_touserdata(L, slot);
    memcpy(match, kept, match_bytes(kept));
}

bool match_same(lua_State *L, struct sandbox *sandbox, const unsigned char *one,
                const unsigned char *other, size_t length) {
    const size_t block_bytes = (size_t)16 * SANDBOX_POLL_STEPS;
    for (; length > block_bytes; length -= block_bytes, one += block_bytes, other += block_bytes) {
        if (memcmp(one, other, block_bytes) != 0)
            return false;
        (void)sandbox_spend(L, sandbox, SANDBOX_POLL_STEPS);
    }
    return memcmp(one, other, length) == 0;
}

struct match_capture match_capture(const struct match *match, unsigned index) {
    if (index >= match->levels) {
        if (index != 0)
            (void)luaL_error(match->L, "invalid capture index %%%d", (int)index + 1);
        return (struct match_capture){match->start, match->end - match->start};
    }
    if (match->captures[index].length == MATCH_OPEN)
        (void)luaL_error(match->L, "unfinished capture");
    return match->captures[index];
}

static void match_push_bytes(const struct match *match, const unsigned char *bytes, size_t length) {
    // A short one is left to the next look at the memory.
    if (length > SANDBOX_POLL_STEPS) {
        if (!sandbox_memory_fits(match->sandbox, match->L, length))
            sandbox_leave(match->L, SANDBOX_STOP_MEMORY);
        sandbox_book(match->sandbox, length / 16);
    }
    lua_pushlstring(match->L, (const char *)bytes, length);
}

void match_push_capture(const struct match *match, unsigned index) {
    struct match_capture capture = match_capture(match, index);
    if (capture.length == MATCH_POSITION)
        lua_pushinteger(match->L, capture.start - match->subject + 1);
    else
        match_push_bytes(match, capture.start, (size_t)capture.length);
}

int match_push_captures(const struct match *match, bool whole) {
    if (match->levels == 0) {
        if (whole)
            match_push_bytes(match, match->start, (size_t)(match->end - match->start));
        return whole ? 1 : 0;
    }
    // A C function has room for LUA_MINSTACK values, and the callers push few.
    if (match->levels > LUA_MINSTACK / 2)
        luaL_checkstack(match->L, (int)match->levels, "too many captures");
    for (unsigned i = 0; i < match->levels; i++)
        match_push_capture(match, i);
    return (int)match->levels;
}
