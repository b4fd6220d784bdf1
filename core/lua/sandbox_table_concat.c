// SPDX-License-Identifier: Apache-2.0
// table.concat. A plain table is walked twice, so that the bytes are gathered in one block of the
// right size; where reading an element may run code of the script's, which must happen once, the
// block grows. The block is a userdata: whatever ends the call frees it.
#include "sandbox_table.h"

#include <string.h>

// MAXNUMBER2STR of lobject.c: no number becomes longer text.
#define CONCAT_NUMBER_BYTES 44
// Bytes copied in the time of a step.
#define CONCAT_STEP_BYTES 64
// Results up to this size are gathered in the frame.
#define CONCAT_SMALL_BYTES 1024

// What to join; the indices of `text` are not used up when first > last.
struct concat {
    struct sandbox *sandbox;
    const char *separator;
    size_t gap;
    lua_Integer first, last;
};

static int concat_bad_value(lua_State *L, lua_Integer index) {
    return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'",
                      luaL_typename(L, -1), (LUAI_UACINT)index);
}

static size_t concat_integer_bytes(lua_Integer value) {
    lua_Unsigned rest = value < 0 ? 0 - (lua_Unsigned)value : (lua_Unsigned)value;
    size_t bytes = value < 0 ? 2 : 1;
    for (; rest >= 10; rest /= 10)
        bytes++;
    return bytes;
}

// As lua_tolstring would write it, but without a string for each.
static size_t concat_integer(char *to, lua_Integer value) {
    lua_Unsigned rest = value < 0 ? 0 - (lua_Unsigned)value : (lua_Unsigned)value;
    size_t bytes = concat_integer_bytes(value);
    char *at = to + bytes;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        *--at = '-';
    return bytes;
}

// Bytes of the element on top. Exactly, or at most: writing a float down takes long.
static size_t concat_element_bytes(lua_State *L, int type, bool exactly) {
    size_t bytes = CONCAT_NUMBER_BYTES;
    if (type == LUA_TSTRING)
        bytes = lua_rawlen(L, -1);
    else if (lua_isinteger(L, -1))
        bytes = concat_integer_bytes(lua_tointeger(L, -1));
    else if (exactly)
        (void)lua_tolstring(L, -1, &bytes);
    return bytes;
}

// The size of the result, or SIZE_MAX when that cannot be.
static size_t concat_measure(lua_State *L, const struct concat *concat, bool exactly) {
    size_t total = 0;
    for (lua_Integer i = concat->first;; i++) {
        int type = lua_geti(L, 1, i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER)
            (void)concat_bad_value(L, i);
        size_t bytes = concat_element_bytes(L, type, exactly);
        bytes += i < concat->last ? concat->gap : 0;
        total = bytes <= SIZE_MAX - total ? total + bytes : SIZE_MAX;
        lua_pop(L, 1);
        (void)sandbox_spend(L, concat->sandbox, 1);
        if (i == concat->last)
            return total;
    }
}

// For the block and for the string made of it.
static bool concat_fits(lua_State *L, const struct concat *concat, size_t bytes) {
    return bytes <= SIZE_MAX / 2 && sandbox_memory_fits(concat->sandbox, L, 2 * bytes);
}

static int concat_gather(lua_State *L, const struct concat *concat, char *block) {
    char *to = block;
    for (lua_Integer i = concat->first;; i++) {
        size_t bytes;
        if (lua_geti(L, 1, i) == LUA_TNUMBER && lua_isinteger(L, -1)) {
            bytes = concat_integer(to, lua_tointeger(L, -1));
        } else {
            const char *text = lua_tolstring(L, -1, &bytes);
            memcpy(to, text, bytes);
        }
        to += bytes;
        lua_pop(L, 1);
        (void)sandbox_spend(L, concat->sandbox, 1 + (bytes + concat->gap) / CONCAT_STEP_BYTES);
        if (i == concat->last)
            break;
        if (concat->gap > 0)
            memcpy(to, concat->separator, concat->gap);
        to += concat->gap;
    }
    lua_pushlstring(L, block, (size_t)(to - block));
    return 1;
}

// Nothing here runs code of the script's, so the frame may be large, but it must not become part of
// table_concat's.
__attribute__((noinline)) static int concat_plain(lua_State *L, const struct concat *concat) {
    char small[CONCAT_SMALL_BYTES];
    size_t bytes = concat_measure(L, concat, false);
    if (bytes <= sizeof small)
        return concat_gather(L, concat, small);
    if (!concat_fits(L, concat, bytes)) {
        bytes = concat_measure(L, concat, true);
        if (!concat_fits(L, concat, bytes))
            sandbox_leave(L, SANDBOX_STOP_MEMORY);
    }
    return concat_gather(L, concat, lua_newuserdatauv(L, bytes, 0));
}

// Slots of the stack, behind the arguments.
enum { CONCAT_BLOCK = 5, CONCAT_STATE };

// Of a table whose elements the script may have to say.
struct concat_each {
    struct concat concat;
    lua_Integer next;
    char *data; // the block
    size_t used, size;
};

static void concat_add(lua_State *L, struct concat_each *each, const char *text, size_t bytes) {
    if (bytes > each->size - each->used) {
        if (bytes > SIZE_MAX / 4 || each->size > SIZE_MAX / 4 ||
            !concat_fits(L, &each->concat, each->size + bytes))
            sandbox_leave(L, SANDBOX_STOP_MEMORY);
        size_t size = 2 * each->size + bytes;
        char *data = lua_newuserdatauv(L, size, 0);
        if (each->used > 0)
            memcpy(data, each->data, each->used);
        lua_replace(L, CONCAT_BLOCK);
        each->data = data;
        each->size = size;
    }
    if (bytes > 0)
        memcpy(each->data + each->used, text, bytes);
    each->used += bytes;
    (void)sandbox_spend(L, each->concat.sandbox, 1 + bytes / CONCAT_STEP_BYTES);
}

// The element `next` is on top. False: it was the last one.
static bool concat_take(lua_State *L, struct concat_each *each) {
    size_t bytes;
    if (!lua_isstring(L, -1))
        (void)concat_bad_value(L, each->next);
    const char *text = lua_tolstring(L, -1, &bytes);
    concat_add(L, each, text, bytes);
    lua_pop(L, 1);
    if (each->next == each->concat.last)
        return false;
    concat_add(L, each, each->concat.separator, each->concat.gap);
    each->next++;
    return true;
}

static int concat_got(lua_State *L, int status, lua_KContext context);

// `more`: there are elements that were not read yet.
static int concat_go_on(lua_State *L, struct concat_each *each, bool more) {
    while (more) {
        lua_pushinteger(L, each->next);
        if (sandbox_index(L, 1))
            lua_callk(L, 2, 1, 0, concat_got);
        more = concat_take(L, each);
    }
    sandbox_unfence(each->concat.sandbox);
    lua_pushlstring(L, each->used > 0 ? each->data : "", each->used);
    return 1;
}

static int concat_got(lua_State *L, int status, lua_KContext context) {
    struct concat_each *each = lua_touserdata(L, CONCAT_STATE);
    (void)status, (void)context;
    return concat_go_on(L, each, concat_take(L, each));
}

static int concat_list(lua_State *L, lua_Integer length, bool plain) {
    struct concat concat = {.sandbox = sandbox_of(L)};
    concat.separator = luaL_optlstring(L, 2, "", &concat.gap);
    concat.first = sandbox_opt_integer(L, 3, 1);
    concat.last = sandbox_opt_integer(L, 4, length);
    if (concat.first > concat.last) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (plain)
        return concat_plain(L, &concat);
    lua_settop(L, CONCAT_BLOCK);
    struct concat_each *each = lua_newuserdatauv(L, sizeof *each, 0);
    *each = (struct concat_each){.concat = concat, .next = concat.first};
    sandbox_fence(L, concat.sandbox);
    return concat_go_on(L, each, true);
}

static int concat_sized(lua_State *L, int status, lua_KContext context) {
    (void)status, (void)context;
    return concat_list(L, sandbox_take_length(L), false);
}

static int table_concat(lua_State *L) {
    if (sandbox_table_is_plain(L, 1))
        return concat_list(L, (lua_Integer)lua_rawlen(L, 1), true);
    sandbox_ask_length(L, SANDBOX_TABLE_READ, concat_sized);
    return concat_sized(L, LUA_OK, 0);
}

const luaL_Reg sandbox_concat_functions[] = {
    {"concat", table_concat},
    {NULL, NULL},
};
