// SPDX-License-Identifier: Apache-2.0
// The reply: {ok, Results} or {error, Reason}, from where the call stands.
#include "sandbox.h"

#include <string.h>

// What an error's message and traceback, or a path, may always take: rooms leave that much space.
#define REPLY_ERROR_BYTES ((size_t)2048)

static int reply_text(struct term_sink *sink, const char *name) {
    return term_atom(sink, name, strlen(name));
}

static const char *reply_limit_name(enum sandbox_stop stop) {
    switch (stop) {
    case SANDBOX_STOP_TIME:
        return "time";
    case SANDBOX_STOP_DEPTH:
        return "depth";
    case SANDBOX_STOP_REPLY:
        return "reply";
    default:
        return "memory";
    }
}

static int reply_stopped(struct sandbox *sandbox, struct term_sink *sink) {
    if (sandbox->stop == SANDBOX_STOP_INTERRUPT)
        return TERM_ATOM(sink, "interrupted");
    if (sandbox->stop == SANDBOX_STOP_CLOSE)
        return TERM_ATOM(sink, "closed");
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "limit");
    if (code == 0)
        code = reply_text(sink, reply_limit_name(sandbox->stop));
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

static int reply_message(struct sandbox *sandbox, struct term_sink *sink) {
    lua_State *call = sandbox->outcome;
    static const char prefix[] = "(error object is a ";
    static const char suffix[] = " value)";
    int type = lua_type(call, -1);
    if (type == LUA_TSTRING)
        return sandbox_emit_scalar(call, -1, sink);
    // Kept on the stack, below the object, so that the bytes outlive this step.
    (void)lua_pushfstring(call, "%s%s%s", prefix, lua_typename(call, type), suffix);
    lua_insert(call, -3);
    return sandbox_emit_scalar(call, -3, sink);
}

// message and traceback are always there; value, when the error object is more than a string.
static int reply_lua_error(struct sandbox *sandbox, struct term_sink *sink) {
    lua_State *call = sandbox->outcome;
    size_t keys = 2;
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "lua");
    if (code == 0)
        code = term_begin(sink, TERM_MAP, 0);
    if (code == 0)
        code = TERM_ATOM(sink, "message");
    if (code == 0)
        code = reply_message(sandbox, sink);
    if (code == 0)
        code = TERM_ATOM(sink, "traceback");
    if (code == 0)
        code = sandbox_emit_scalar(call, -2, sink);
    if (code == 0 && sandbox->phase == SANDBOX_LUA_ERROR && lua_type(call, -1) != LUA_TSTRING) {
        keys = 3;
        code = TERM_ATOM(sink, "value");
        if (code == 0)
            code = sandbox_emit_value(sandbox, sink);
        if (code > 0 && sandbox->phase != SANDBOX_LUA_ERROR && sandbox->stop == SANDBOX_GO)
            sandbox->phase = SANDBOX_PLAIN_ERROR;
    }
    if (code == 0)
        code = term_end(sink, TERM_MAP, keys);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

// The path, a sequence of scalars, is on top of `call`.
static int reply_badterm(struct sandbox *sandbox, struct term_sink *sink) {
    lua_State *call = sandbox->outcome;
    size_t n = lua_rawlen(call, -1);
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "badterm");
    if (code == 0)
        code = term_begin(sink, TERM_LIST, n);
    for (size_t i = 1; i <= n && code == 0; i++) {
        (void)lua_rawgeti(call, -1, (lua_Integer)i);
        code = sandbox_emit_scalar(call, -1, sink);
        lua_pop(call, 1);
    }
    if (code == 0)
        code = term_end(sink, TERM_LIST, n);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

static int reply_unsupported(struct sandbox *sandbox, struct term_sink *sink) {
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "unsupported");
    if (code == 0)
        code = sandbox_emit_scalar(sandbox->outcome, -1, sink);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

// How long the scalar at `index` is as far as it matters: strings have no bound but the memory.
static size_t reply_length(lua_State *L, int index) {
    return lua_type(L, index) == LUA_TSTRING ? lua_rawlen(L, index) : 16;
}

static size_t reply_path_length(lua_State *L) {
    size_t length = 0;
    size_t n = lua_rawlen(L, -1);
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        length += reply_length(L, -1);
        lua_pop(L, 1);
    }
    return length;
}

// An explanation that does not fit is a limit too; how much an error may say does not depend on how
// little the results may take.
static void reply_judge_length(struct sandbox *sandbox) {
    size_t most_bytes = sandbox->limits->reply_bytes;
    size_t bytes = 0;
    if (sandbox->phase == SANDBOX_LUA_ERROR || sandbox->phase == SANDBOX_PLAIN_ERROR)
        bytes = reply_length(sandbox->outcome, -1) + reply_length(sandbox->outcome, -2);
    else if (sandbox->phase == SANDBOX_BADTERM)
        bytes = reply_path_length(sandbox->outcome);
    if (bytes <= REPLY_ERROR_BYTES || (bytes <= most_bytes && sandbox->printed_bytes == 0))
        return;
    sandbox->phase = SANDBOX_LIMIT;
    sandbox->stop = SANDBOX_STOP_REPLY;
}

static int reply_body(struct sandbox *sandbox, struct term_sink *sink) {
    switch (sandbox->phase) {
    case SANDBOX_RESULTS:
        return sandbox_emit_results(sandbox, sandbox->results, sink);
    case SANDBOX_LUA_ERROR:
    case SANDBOX_PLAIN_ERROR:
        return reply_lua_error(sandbox, sink);
    case SANDBOX_LIMIT:
        return reply_stopped(sandbox, sink);
    case SANDBOX_BADTERM:
        return reply_badterm(sandbox, sink);
    case SANDBOX_UNSUPPORTED:
        return reply_unsupported(sandbox, sink);
    case SANDBOX_START:
    case SANDBOX_RESUME:
    case SANDBOX_ASK:
    case SANDBOX_ANSWERED:
        break;
    }
    return SERVICE_E_BROKEN;
}

// {ask, Name, Arguments}
static int reply_question(struct sandbox *sandbox, struct term_sink *sink) {
    int code = term_begin(sink, TERM_TUPLE, 3);
    if (code == 0)
        code = TERM_ATOM(sink, "ask");
    if (code == 0)
        code = sandbox_emit_scalar(sandbox->outcome, 1, sink);
    if (code == 0)
        code = sandbox_emit_results(sandbox, sandbox->results, sink);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 3);
}

static int reply_call(struct sandbox *sandbox, struct term_sink *sink) {
    if (sandbox->phase == SANDBOX_ASK)
        return reply_question(sandbox, sink);
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = sandbox->phase == SANDBOX_RESULTS ? TERM_ATOM(sink, "ok") : TERM_ATOM(sink, "error");
    if (code == 0)
        code = reply_body(sandbox, sink);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

// {printed, Texts, Reply}: what the call printed travels with its reply (tripod.erl unpacks it).
static int reply_printed(struct sandbox *sandbox, struct term_sink *sink) {
    int code = term_begin(sink, TERM_TUPLE, 3);
    if (code == 0)
        code = TERM_ATOM(sink, "printed");
    if (code == 0)
        code = sandbox_emit_printed(sandbox, sink);
    if (code == 0)
        code = reply_call(sandbox, sink);
    return code != 0 ? code : term_end(sink, TERM_TUPLE, 3);
}

int sandbox_reply(struct sandbox *sandbox, struct term_sink *sink) {
    reply_judge_length(sandbox);
    sandbox->outside++; // the sink is the host's
    int code = sandbox->printed == 0 ? reply_call(sandbox, sink) : reply_printed(sandbox, sink);
    sandbox->outside--;
    if (code == 0)
        return sandbox->asking ? SERVICE_ASK : SERVICE_DONE;
    if (code > 0 && sandbox->asking && sandbox->phase != SANDBOX_ASK)
        sandbox_fail_question(sandbox);
    return code > 0 ? SERVICE_MORE : code;
}
