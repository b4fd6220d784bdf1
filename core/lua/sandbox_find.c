// SPDX-License-Identifier: Apache-2.0
// string.find, match and gmatch, as the manual says. A pause in the middle is taken: the search is
// then kept in a userdata, and the function goes on with it. Patterns are in sandbox_match.h.
#include "sandbox_match.h"

#include <string.h>

enum find_what { FIND_PLACES, FIND_CAPTURES };

// Where a search is kept, above the arguments.
#define FIND_SLOT 5

// The offset in a string of `length` bytes that the position means; more than `length` if it is
// behind the end.
static size_t find_offset(lua_Integer position, size_t length) {
    if (position > 0)
        return (size_t)position - 1;
    if (position == 0 || position < -(lua_Integer)length)
        return 0;
    return length - (size_t)-position;
}

enum find_kind { FIND_PLAIN, FIND_PATTERN, FIND_PAUSED };

// Is the pattern a text to be found as it is? Looks from *at on; FIND_PAUSED: go on there.
static enum find_kind find_kind(lua_State *L, const unsigned char *pattern, size_t length,
                                size_t *at) {
    struct sandbox *sandbox = sandbox_of(L);
    for (size_t i = *at; i < length; i++) {
        switch (pattern[i]) {
        case '^':
        case '$':
        case '*':
        case '+':
        case '?':
        case '.':
        case '(':
        case '[':
        case '%':
        case '-':
            return FIND_PATTERN;
        default:
            break;
        }
        if (i % SANDBOX_POLL_STEPS == SANDBOX_POLL_STEPS - 1 &&
            sandbox_spend(L, sandbox, SANDBOX_POLL_STEPS)) {
            *at = i + 1;
            return FIND_PAUSED;
        }
    }
    return FIND_PLAIN;
}

static int find_plain_again(lua_State *L, int status, lua_KContext from);

// Searches `wanted`, as it is, in `subject` from the offset `from` on, where it may begin.
static int find_plain(lua_State *L, const unsigned char *subject, size_t subject_bytes,
                      const unsigned char *wanted, size_t wanted_bytes, size_t from) {
    struct sandbox *sandbox = sandbox_of(L);
    const size_t block_bytes = (size_t)16 * SANDBOX_POLL_STEPS;
    const unsigned char *at = subject + from;
    bool found = wanted_bytes == 0;
    if (wanted_bytes > subject_bytes - from) {
        luaL_pushfail(L);
        return 1;
    }
    const unsigned char *stop = subject + subject_bytes - wanted_bytes + 1;
    const size_t compared_bytes = wanted_bytes < block_bytes ? wanted_bytes : block_bytes;
    while (!found && at < stop) {
        size_t bytes = (size_t)(stop - at) < block_bytes ? (size_t)(stop - at) : block_bytes;
        const unsigned char *next = memchr(at, *wanted, bytes);
        size_t steps = (next != NULL ? (size_t)(next - at) + compared_bytes : bytes) / 16 + 1;
        at = next != NULL ? next : at + bytes;
        if (sandbox_spend(L, sandbox, steps))
            return sandbox_pause(L, at - subject, find_plain_again);
        if (next != NULL) {
            found = match_same(L, sandbox, at + 1, wanted + 1, wanted_bytes - 1);
            if (!found)
                at++;
        }
    }
    if (!found) {
        luaL_pushfail(L);
        return 1;
    }
    lua_pushinteger(L, at - subject + 1);
    lua_pushinteger(L, at - subject + (ptrdiff_t)wanted_bytes);
    return 2;
}

static int find_plain_again(lua_State *L, int status, lua_KContext from) {
    (void)status;
    size_t subject_bytes, wanted_bytes;
    const unsigned char *subject = (const unsigned char *)lua_tolstring(L, 1, &subject_bytes);
    const unsigned char *wanted = (const unsigned char *)lua_tolstring(L, 2, &wanted_bytes);
    return find_plain(L, subject, subject_bytes, wanted, wanted_bytes, (size_t)from);
}

static int find_again(lua_State *L, int status, lua_KContext what);

static int find_run(struct match *match, enum find_what what) {
    lua_State *L = match->L;
    switch (match_search(match)) {
    case MATCH_NONE:
        break;
    case MATCH_FOUND:
        if (what == FIND_CAPTURES)
            return match_push_captures(match, true);
        lua_pushinteger(L, match->start - match->subject + 1);
        lua_pushinteger(L, match->end - match->subject);
        return match->levels == 0 ? 2 : 2 + match_push_captures(match, false);
    case MATCH_PAUSED:
        lua_settop(L, FIND_SLOT);
        match_save(match, FIND_SLOT);
        return sandbox_pause(L, what, find_again);
    }
    luaL_pushfail(L);
    return 1;
}

static int find_again(lua_State *L, int status, lua_KContext what) {
    (void)status;
    struct match match;
    match_load(&match, L, FIND_SLOT);
    return find_run(&match, (enum find_what)what);
}

static int find_start_again(lua_State *L, int status, lua_KContext checked);

// The first `checked` bytes of the pattern are nothing special.
static int find_start(lua_State *L, enum find_what what, size_t checked) {
    size_t subject_bytes, pattern_bytes;
    int arguments = lua_gettop(L);
    const unsigned char *subject = match_argument(L, 1, &subject_bytes);
    const unsigned char *pattern = match_argument(L, 2, &pattern_bytes);
    size_t from = arguments < 3 ? 0 : find_offset(sandbox_opt_integer(L, 3, 1), subject_bytes);
    if (from > subject_bytes) {
        luaL_pushfail(L);
        return 1;
    }
    enum find_kind kind = FIND_PATTERN;
    if (what == FIND_PLACES)
        kind = arguments > 3 && lua_toboolean(L, 4)
                   ? FIND_PLAIN
                   : find_kind(L, pattern, pattern_bytes, &checked);
    if (kind == FIND_PAUSED)
        return sandbox_pause(L, (lua_KContext)checked, find_start_again);
    if (kind == FIND_PLAIN)
        return find_plain(L, subject, subject_bytes, pattern, pattern_bytes, from);
    bool anchored = *pattern == '^';
    struct match match;
    match_init(&match, L, subject, subject_bytes, pattern + anchored, pattern_bytes - anchored);
    match.start = subject + from;
    match.anchored = anchored;
    return find_run(&match, what);
}

static int find_start_again(lua_State *L, int status, lua_KContext checked) {
    (void)status;
    return find_start(L, FIND_PLACES, (size_t)checked);
}

static int find_find(lua_State *L) {
    return find_start(L, FIND_PLACES, 0);
}

static int find_match(lua_State *L) {
    return find_start(L, FIND_CAPTURES, 0);
}

// What the iterator of gmatch keeps between two calls, in its third upvalue; the first two are the
// subject and the pattern.
struct find_cursor {
    size_t from;
    ptrdiff_t last; // where the last match ended; negative: there was none
};

static int find_next_again(lua_State *L, int status, lua_KContext context);

static int find_next_run(struct match *match) {
    lua_State *L = match->L;
    enum match_result result = match_search(match);
    if (result == MATCH_PAUSED) {
        lua_settop(L, FIND_SLOT);
        match_save(match, FIND_SLOT);
        return sandbox_pause(L, 0, find_next_again);
    }
    if (result == MATCH_NONE)
        return 0;
    struct find_cursor *cursor = lua_touserdata(L, lua_upvalueindex(3));
    cursor->last = match->end - match->subject;
    cursor->from = (size_t)cursor->last;
    return match_push_captures(match, true);
}

static int find_next_again(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    struct match match;
    match_load(&match, L, FIND_SLOT);
    return find_next_run(&match);
}

static int find_next(lua_State *L) {
    const struct find_cursor *cursor = lua_touserdata(L, lua_upvalueindex(3));
    size_t subject_bytes, pattern_bytes;
    const char *subject = lua_tolstring(L, lua_upvalueindex(1), &subject_bytes);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_bytes);
    if (cursor->from > subject_bytes)
        return 0;
    struct match match;
    match_init(&match, L, (const unsigned char *)subject, subject_bytes,
               (const unsigned char *)pattern, pattern_bytes);
    match.start = match.subject + cursor->from;
    match.last = cursor->last < 0 ? NULL : match.subject + cursor->last;
    return find_next_run(&match);
}

static int find_gmatch(lua_State *L) {
    size_t length;
    (void)luaL_checklstring(L, 1, &length);
    (void)luaL_checkstring(L, 2);
    size_t from = find_offset(sandbox_opt_integer(L, 3, 1), length);
    lua_settop(L, 2);
    struct find_cursor *cursor = lua_newuserdatauv(L, sizeof *cursor, 0);
    *cursor = (struct find_cursor){.from = from, .last = -1};
    lua_pushcclosure(L, find_next, 3);
    return 1;
}

const luaL_Reg sandbox_find_functions[] = {
    {"find", find_find},
    {"match", find_match},
    {"gmatch", find_gmatch},
    {NULL, NULL},
};
