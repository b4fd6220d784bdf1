// SPDX-License-Identifier: Apache-2.0
// The Lua service as service.h wants it: requests are {Verb, ...}, as tripod_lua.erl builds them.
#include "sandbox_fronts.h"

#include <string.h>

static int lua_service_open(const struct service_host *host, const struct service_limits *limits,
                            void **state) {
    struct sandbox *sandbox = host->memory(host->context, NULL, 0, sizeof *sandbox);
    if (sandbox == NULL)
        return SERVICE_E_SYSTEM;
    memset(sandbox, 0, sizeof *sandbox);
    sandbox->host = host;
    sandbox->limits = limits;
    sandbox->source_bytes = SANDBOX_SOURCE_BYTES;
    preempt_init(&sandbox->preempt, host, limits);
    int code = sandbox_start(sandbox);
    if (code < 0)
        (void)host->memory(host->context, sandbox, sizeof *sandbox, 0);
    else
        *state = sandbox;
    return code;
}

static int lua_service_begin(void *state, struct term_source *request) {
    struct sandbox *sandbox = state;
    if (!sandbox->asking) {
        preempt_call(&sandbox->preempt);
        sandbox->looks_before = sandbox->looks;
        if (sandbox->lasting)
            (void)lua_gc(sandbox->main, LUA_GCINC, SANDBOX_GC_PAUSE, 0, 0);
        sandbox->lasting = false;
        int closed = sandbox_close_fronts(sandbox);
        if (closed < 0)
            return closed;
        sandbox->fences = sandbox->nested = 0;
    }
    sandbox->stop = SANDBOX_GO;
    sandbox->phase = SANDBOX_START;
    sandbox->careful_tables = false;
    sandbox->cycles = 0;
    if (sandbox->printed != 0)
        sandbox_forget_printed(sandbox);
    sandbox_enter_timer(sandbox);
    int code = sandbox->asking ? sandbox_take_answer(sandbox, request)
                               : sandbox_take_request(sandbox, request);
    sandbox_leave_timer(sandbox);
    return code;
}

static int lua_service_work(struct sandbox *sandbox, void *data) {
    struct term_sink *reply = data;
    if (sandbox->asking && sandbox->phase != SANDBOX_ASK)
        sandbox_answer(sandbox);
    if (sandbox->phase == SANDBOX_START)
        sandbox_start_verb(sandbox);
    else if (sandbox->phase == SANDBOX_RESUME)
        sandbox_resume(sandbox, 0);
    if (sandbox->phase == SANDBOX_RESUME && sandbox->asking)
        sandbox_put_question(sandbox);
    // Lua code must have come to an end, or ask something, before anything is emitted.
    if (sandbox->phase == SANDBOX_RESUME)
        return SERVICE_MORE;
    return sandbox_reply(sandbox, reply);
}

// A fresh state instead of the old one; outside sandbox_protect, because there is nothing to go
// back to if it fails.
static int lua_service_reset(struct sandbox *sandbox) {
    sandbox_finish(sandbox);
    int code = sandbox_start(sandbox);
    sandbox->phase = SANDBOX_RESULTS;
    sandbox->results = 0;
    return code;
}

static int lua_service_step(void *state, struct term_sink *reply) {
    struct sandbox *sandbox = state;
    preempt_slice(&sandbox->preempt);
    if (sandbox->phase == SANDBOX_START && sandbox->verb == SANDBOX_RESET) {
        int reset = lua_service_reset(sandbox);
        if (reset < 0)
            return reset;
    }
    sandbox_enter_timer(sandbox);
    int code = sandbox_protect(sandbox, lua_service_work, reply);
    sandbox_leave_timer(sandbox);
    return code;
}

static void lua_service_usage(const void *state, struct service_usage *usage) {
    const struct sandbox *sandbox = state;
    usage->live_bytes = sandbox->arena != NULL ? arena_live_bytes(sandbox->arena) : 0;
}

static void lua_service_close(void *state) {
    struct sandbox *sandbox = state;
    sandbox_finish(sandbox);
    (void)sandbox->host->memory(sandbox->host->context, sandbox, sizeof *sandbox, 0);
}

const struct service lua_service = {
    .abi = SERVICE_ABI,
    .name = "lua",
    .open = lua_service_open,
    .begin = lua_service_begin,
    .step = lua_service_step,
    .usage = lua_service_usage,
    .close = lua_service_close,
};
