// SPDX-License-Identifier: Apache-2.0
// load with a function of the script's that returns the source in pieces. Lua's parser would call
// it where no pause can pass, so the pieces are collected first and parsed afterwards.
//
// Stock Lua asks for no piece after a syntax error. So what there is gets parsed now and then: an
// error that comes before the parser asks for more than there is, is one whatever follows. While
// the source is short that is done after each piece, later whenever it has become twice as long;
// there the function may be called a few times more than by stock Lua. The outcome is the same.
#include "sandbox_call.h"
#include "sandbox_gsub_text.h"
#include "sandbox_load.h"

// Source up to this size is parsed after each piece.
#define READER_SHORT_BYTES 256u

enum {
    READER_FUNCTION = 1,
    READER_NAME,
    READER_HANDLER = 5,
    READER_TEXT,
    READER_RESULT,
    READER_STATE
};

struct reader {
    struct gsub_text text; // all pieces
    size_t parsed_bytes;   // of which the result is
    int status;            // of the result
    bool has_environment;
};

struct reader_cursor {
    struct load_text text;
    bool at_end; // more was asked for than there is
};

static const char *reader_next_block(lua_State *L, void *data, size_t *length) {
    struct reader_cursor *cursor = data;
    cursor->at_end = cursor->text.left_bytes == 0;
    return load_next_block(L, &cursor->text, length);
}

// Parses what there is; false: an error that no further piece can mend.
static bool reader_parse(lua_State *L, struct reader *reader) {
    const char *name = lua_tostring(L, READER_NAME);
    const char *text = reader->text.length > 0 ? reader->text.data : "";
    struct reader_cursor cursor = {{text, reader->text.length}, false};
    reader->status = lua_load(L, reader_next_block, &cursor, name != NULL ? name : "=(load)", "t");
    if (reader->status != LUA_OK)
        sandbox_rethrow(L);
    lua_replace(L, READER_RESULT);
    reader->parsed_bytes = reader->text.length;
    return reader->status == LUA_OK || cursor.at_end;
}

static int reader_finish(lua_State *L, const struct reader *reader) {
    lua_pushvalue(L, READER_RESULT);
    return load_finish(L, reader->status, reader->has_environment);
}

// There will be no further piece.
static int reader_end(lua_State *L, struct reader *reader) {
    if (reader->text.length != reader->parsed_bytes || reader->parsed_bytes == 0)
        (void)reader_parse(L, reader);
    return reader_finish(L, reader);
}

// The function failed, why is on top; unless what it returned before is an error already.
static int reader_fail(lua_State *L, struct reader *reader) {
    if (reader->text.length != reader->parsed_bytes && !reader_parse(L, reader))
        return reader_finish(L, reader);
    return load_finish(L, LUA_ERRRUN, reader->has_environment);
}

// To the script errors of its function are raised inside lua_load, which leaves them to the handler
// of the xpcall that load is called from, if it is. Puts what that says in the message's place.
static int reader_handle(lua_State *L) {
    lua_Debug frame;
    lua_CFunction function;
    for (int level = 1; sandbox_seek_level(L, level, &frame, &function); level++) {
        if (function == sandbox_pcall)
            break;
        if (function == sandbox_xpcall && lua_getlocal(L, &frame, 2) != NULL) {
            lua_insert(L, 1);
            lua_call(L, 1, 1);
            break;
        }
    }
    return 1;
}

// The message on top is an error of load itself.
static int reader_refuse(lua_State *L, struct reader *reader) {
    lua_pushvalue(L, READER_HANDLER);
    luaL_where(L, 1);
    lua_rotate(L, -3, -1);
    lua_concat(L, 2);
    lua_call(L, 1, 1);
    return reader_fail(L, reader);
}

static void reader_add(lua_State *L, struct reader *reader) {
    size_t bytes;
    const char *piece = lua_tolstring(L, -1, &bytes);
    gsub_text_add(L, &reader->text, piece, bytes);
    lua_pop(L, 1);
}

static bool reader_should_parse(const struct reader *reader) {
    size_t length = reader->text.length;
    return length <= READER_SHORT_BYTES || length / 2 >= reader->parsed_bytes;
}

// The function's answer is on top. True: it is to be called again; false: load is done, and how
// many results it has.
static bool reader_take(lua_State *L, struct reader *reader, int status, int *results) {
    size_t most_bytes = sandbox_of(L)->source_bytes;
    if (status != LUA_OK && status != LUA_YIELD) {
        sandbox_rethrow(L);
        if (sandbox_is_overflow(L))
            sandbox_leave(L, SANDBOX_STOP_DEPTH);
        *results = reader_fail(L, reader);
    } else if (lua_isnil(L, -1) || (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0)) {
        *results = reader_end(L, reader);
    } else if (!lua_isstring(L, -1)) {
        lua_pushliteral(L, "reader function must return a string");
        *results = reader_refuse(L, reader);
    } else {
        (void)lua_tolstring(L, -1, NULL);
        if (lua_rawlen(L, -1) > most_bytes - reader->text.length) {
            (void)lua_pushfstring(L, "source is longer than source_bytes (%I)",
                                  (lua_Integer)most_bytes);
            *results = reader_refuse(L, reader);
            return false;
        }
        reader_add(L, reader);
        if (!reader_should_parse(reader) || reader_parse(L, reader))
            return true;
        *results = reader_finish(L, reader);
    }
    return false;
}

static int reader_answered(lua_State *L, int status, lua_KContext fences);

static int reader_run(lua_State *L, struct reader *reader) {
    struct sandbox *sandbox = sandbox_of(L);
    lua_KContext fences = sandbox->fences;
    int status, results;
    do {
        lua_pushvalue(L, READER_FUNCTION);
        sandbox_fence(L, sandbox);
        status = lua_pcallk(L, 0, 1, READER_HANDLER, fences, reader_answered);
        sandbox_drop_fences(sandbox, (int)fences);
    } while (reader_take(L, reader, status, &results));
    return results;
}

static int reader_answered(lua_State *L, int status, lua_KContext fences) {
    struct reader *reader = lua_touserdata(L, READER_STATE);
    int results;
    sandbox_drop_fences(sandbox_of(L), (int)fences);
    return reader_take(L, reader, status, &results) ? reader_run(L, reader) : results;
}

int load_from_reader(lua_State *L, bool has_environment) {
    lua_settop(L, READER_HANDLER - 1);
    lua_pushcfunction(L, reader_handle);
    lua_settop(L, READER_STATE - 1);
    struct reader *reader = lua_newuserdatauv(L, sizeof *reader, 0);
    *reader = (struct reader){.text.slot = READER_TEXT, .has_environment = has_environment};
    return reader_run(L, reader);
}
