// SPDX-License-Identifier: Apache-2.0
// Takes a request and, if it does not fit, says where and why.
//
//   reset | {Verb, Argument, ...}     each verb's arguments are in sandbox_verbs.c
#include "sandbox_request.h"

#include <string.h>

// Leaves the path to where the sink stands on top of the stack, as a sequence of keys and indices.
static void request_push_path(struct request *request) {
    lua_State *call = request->call;
    (void)lua_checkstack(call, 8);
    lua_createtable(call, (int)request->depth, 0);
    lua_Integer length = 0;
    for (uint32_t i = 1; i < request->depth; i++) {
        const struct request_frame *frame = &request->frames[i];
        if (frame->kind != TERM_MAP)
            lua_pushinteger(call, frame->at + 1);
        else if (frame->has_key)
            lua_pushvalue(call, frame->table + 1);
        else
            break;
        lua_rawseti(call, -2, ++length);
    }
}

static int request_explain(struct sandbox *sandbox, void *data) {
    struct request *request = data;
    switch (request->refused) {
    case REQUEST_MEMORY:
        lua_settop(request->call, 0);
        sandbox->stop = SANDBOX_STOP_MEMORY;
        sandbox->phase = SANDBOX_LIMIT;
        break;
    case REQUEST_STOPPED:
        lua_settop(request->call, 0);
        sandbox->phase = SANDBOX_LIMIT;
        break;
    case REQUEST_UNSUPPORTED:
        (void)lua_pushstring(request->call, request->verb);
        sandbox->phase = SANDBOX_UNSUPPORTED;
        break;
    default:
        request_push_path(request);
        sandbox->phase = SANDBOX_BADTERM;
        break;
    }
    return 0;
}

// The rare part of beginning: no coroutine is left, or little memory.
static int request_prepare(struct sandbox *sandbox, void *data) {
    (void)data;
    sandbox_fresh_call(sandbox);
    if (sandbox_memory_is_tight(sandbox))
        sandbox_grant_memory(sandbox);
    return 0;
}

int sandbox_walk_request(struct sandbox *sandbox, struct term_source *source) {
    struct request request; // not zeroed: the frames are many and each is written when opened
    request.sink.ops = &request_ops;
    request.sandbox = sandbox;
    request.call = sandbox->outcome;
    request.spec = NULL;
    request.depth = 0;
    request.argument = 0;
    request.refused = REQUEST_FINE;
    request.until_look = REQUEST_LOOK_EVERY;
    memcpy(request.verb, "request", sizeof "request");
    int code = term_walk(source, &request.sink);
    if (code == 0 && (request.spec == NULL || request.spec[request.argument] != '\0'))
        code = request_refuse(&request, REQUEST_UNSUPPORTED);
    if (code == 0)
        return 0;
    if (code <= SERVICE_E_MEMORY || code == TERM_E_CORRUPT || code == TERM_E_LATER)
        return code;
    if (request.refused == REQUEST_FINE)
        request.refused = code == TERM_E_MEMORY ? REQUEST_MEMORY : REQUEST_BADTERM;
    return sandbox_protect(sandbox, request_explain, &request);
}

int sandbox_take_request(struct sandbox *sandbox, struct term_source *source) {
    int code = 0;
    if (sandbox->call == NULL || sandbox_memory_is_tight(sandbox))
        code = sandbox_protect(sandbox, request_prepare, NULL);
    else
        lua_settop(sandbox->call, 0);
    sandbox->outcome = sandbox->call;
    return code < 0 ? code : sandbox_walk_request(sandbox, source);
}
