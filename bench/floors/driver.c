// SPDX-License-Identifier: Apache-2.0
// Floors of everything reached as a port driver: a control call that does nothing, and commands
// answered with a term at once, from the async pool, with a copy, or with a payload built here.
// Knows nothing of Tripod.
//
// port_control(Port, 0, _) does nothing; port_control(Port, Answer, Argument) says how the commands
// that follow are answered: {Port, ok}, or {Port, Payload}. Used by tripod_floor_driver.erl, one
// process a port, on normal schedulers; only floor_work runs on an async thread.
#include "shapes.h"

#include <erl_driver.h>

#include <stdint.h>
#include <string.h>

enum floor_answer { FLOOR_NULL, FLOOR_REPLY, FLOOR_COPY, FLOOR_ASYNC, FLOOR_BUILD };

struct floor_port {
    ErlDrvPort port;
    ErlDrvTermData term;
    enum floor_answer answer;
    int kind, n; // of FLOOR_BUILD
    char *copy;
    size_t copy_bytes;
    ErlDrvTermData *spec; // the reply under construction
    size_t spec_words, spec_used;
};

struct floor_job {
    ErlDrvTermData caller;
};

static ErlDrvData floor_start(ErlDrvPort port, char *command) {
    (void)command;
    struct floor_port *state = driver_alloc(sizeof *state);
    if (state == NULL)
        return ERL_DRV_ERROR_GENERAL;
    memset(state, 0, sizeof *state);
    state->port = port;
    state->term = driver_mk_port(port);
    state->answer = FLOOR_REPLY;
    return (ErlDrvData)state;
}

static void floor_stop(ErlDrvData data) {
    struct floor_port *state = (struct floor_port *)data;
    if (state->copy != NULL)
        driver_free(state->copy);
    if (state->spec != NULL)
        driver_free(state->spec);
    driver_free(state);
}

static int floor_number(const char *bytes) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | (uint8_t)bytes[i];
    return value <= INT32_MAX ? (int)value : -1;
}

static ErlDrvSSizeT floor_control(ErlDrvData data, unsigned command, char *argument,
                                  ErlDrvSizeT length, char **reply, ErlDrvSizeT reply_bytes) {
    (void)reply;
    (void)reply_bytes;
    struct floor_port *state = (struct floor_port *)data;
    switch (command) {
    case FLOOR_NULL:
        return 0;
    case FLOOR_REPLY:
    case FLOOR_COPY:
    case FLOOR_ASYNC:
        state->answer = (enum floor_answer)command;
        return 0;
    case FLOOR_BUILD:
        if (length != 8 || !shape_fits(floor_number(argument), floor_number(argument + 4)))
            return -1;
        state->answer = FLOOR_BUILD;
        state->kind = floor_number(argument);
        state->n = floor_number(argument + 4);
        return 0;
    default:
        return -1;
    }
}

static void floor_reply_ok(struct floor_port *state, ErlDrvTermData to) {
    ErlDrvTermData spec[] = {ERL_DRV_PORT,         state->term,   ERL_DRV_ATOM,
                             driver_mk_atom("ok"), ERL_DRV_TUPLE, 2};
    erl_drv_send_term(state->term, to, spec, sizeof spec / sizeof spec[0]);
}

// In by memcpy; the VM's own copy into a binary is the way out.
static void floor_reply_copy(struct floor_port *state, ErlDrvTermData to, ErlIOVec *request) {
    if (state->copy_bytes < request->size) {
        char *larger = driver_realloc(state->copy, request->size);
        if (larger == NULL)
            return;
        state->copy = larger;
        state->copy_bytes = request->size;
    }
    size_t copied = 0;
    for (int i = 0; i < request->vsize; i++) {
        memcpy(state->copy + copied, request->iov[i].iov_base, request->iov[i].iov_len);
        copied += request->iov[i].iov_len;
    }
    ErlDrvTermData spec[] = {ERL_DRV_PORT,
                             state->term,
                             ERL_DRV_BUF2BINARY,
                             (ErlDrvTermData)state->copy,
                             (ErlDrvTermData)copied,
                             ERL_DRV_TUPLE,
                             2};
    erl_drv_send_term(state->term, to, spec, sizeof spec / sizeof spec[0]);
}

// 0, or -1 without memory. Spec words beyond what one call adds are allocated ahead.
static int floor_add(struct floor_port *state, const ErlDrvTermData *words, size_t n) {
    if (state->spec_used + n > state->spec_words) {
        size_t words_wanted = 2 * (state->spec_used + n);
        ErlDrvTermData *larger = driver_realloc(state->spec, words_wanted * sizeof *larger);
        if (larger == NULL)
            return -1;
        state->spec = larger;
        state->spec_words = words_wanted;
    }
    memcpy(state->spec + state->spec_used, words, n * sizeof *words);
    state->spec_used += n;
    return 0;
}

static int floor_add_pair(struct floor_port *state, const char *key, size_t length, int value) {
    ErlDrvTermData words[] = {ERL_DRV_BUF2BINARY, (ErlDrvTermData)key, (ErlDrvTermData)length,
                              ERL_DRV_INT, (ErlDrvTermData)value};
    return floor_add(state, words, sizeof words / sizeof words[0]);
}

static int floor_add_list(struct floor_port *state, int n) {
    int code = 0;
    for (int i = 0; i < n && code == 0; i++)
        code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_INT, (ErlDrvTermData)(i + 1)}, 2);
    if (code == 0)
        code = floor_add(state,
                         (ErlDrvTermData[]){ERL_DRV_NIL, ERL_DRV_LIST, (ErlDrvTermData)(n + 1)}, 3);
    return code;
}

static int floor_add_map(struct floor_port *state, int n) {
    int code = 0;
    for (int i = 0; i < n && code == 0; i++)
        code = floor_add_pair(state, shape_keys[i].text, shape_keys[i].length, i + 1);
    if (code == 0)
        code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_MAP, (ErlDrvTermData)n}, 2);
    return code;
}

static int floor_add_nested(struct floor_port *state, int depth) {
    ErlDrvTermData name[] = {ERL_DRV_BUF2BINARY, (ErlDrvTermData) "name",     4,
                             ERL_DRV_BUF2BINARY, (ErlDrvTermData) "node",     4,
                             ERL_DRV_BUF2BINARY, (ErlDrvTermData) "children", 8};
    int code = floor_add_pair(state, "id", 2, depth);
    if (code == 0)
        code = floor_add(state, name, sizeof name / sizeof name[0]);
    ErlDrvTermData children = depth == 0 ? 0 : 2;
    for (ErlDrvTermData i = 0; i < children && code == 0; i++)
        code = floor_add_nested(state, depth - 1);
    if (code == 0)
        code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_NIL, ERL_DRV_LIST, children + 1}, 3);
    if (code == 0)
        code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_MAP, 3}, 2);
    return code;
}

static void floor_reply_built(struct floor_port *state, ErlDrvTermData to) {
    state->spec_used = 0;
    int code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_PORT, state->term}, 2);
    if (code == 0 && state->kind == SHAPE_LIST)
        code = floor_add_list(state, state->n);
    else if (code == 0 && state->kind == SHAPE_MAP)
        code = floor_add_map(state, state->n);
    else if (code == 0)
        code = floor_add_nested(state, state->n);
    if (code == 0)
        code = floor_add(state, (ErlDrvTermData[]){ERL_DRV_TUPLE, 2}, 2);
    if (code == 0)
        erl_drv_send_term(state->term, to, state->spec, (int)state->spec_used);
}

static void floor_work(void *data) {
    (void)data;
}

static void floor_job_free(void *data) {
    driver_free(data);
}

static void floor_ready(ErlDrvData data, ErlDrvThreadData thread_data) {
    struct floor_job *job = (struct floor_job *)thread_data;
    floor_reply_ok((struct floor_port *)data, job->caller);
    driver_free(job);
}

static void floor_outputv(ErlDrvData data, ErlIOVec *request) {
    struct floor_port *state = (struct floor_port *)data;
    ErlDrvTermData caller = driver_caller(state->port);
    struct floor_job *job;
    unsigned int key; // one thread for all: another one each time takes longer to wake
    switch (state->answer) {
    case FLOOR_COPY:
        floor_reply_copy(state, caller, request);
        break;
    case FLOOR_ASYNC:
        job = driver_alloc(sizeof *job);
        if (job == NULL)
            break;
        job->caller = caller;
        key = driver_async_port_key(state->port);
        driver_async(state->port, &key, floor_work, job, floor_job_free);
        break;
    case FLOOR_BUILD:
        floor_reply_built(state, caller);
        break;
    default:
        floor_reply_ok(state, caller);
        break;
    }
}

static ErlDrvEntry floor_entry = {
    .start = floor_start,
    .stop = floor_stop,
    .driver_name = "tripod_floor_driver",
    .control = floor_control,
    .outputv = floor_outputv,
    .ready_async = floor_ready,
    .extended_marker = (int)ERL_DRV_EXTENDED_MARKER,
    .major_version = ERL_DRV_EXTENDED_MAJOR_VERSION,
    .minor_version = ERL_DRV_EXTENDED_MINOR_VERSION,
    .driver_flags = ERL_DRV_FLAG_USE_PORT_LOCKING,
};

ErlDrvEntry *driver_init(void);

DRIVER_INIT(tripod_floor_driver) {
    shape_keys_init();
    return &floor_entry;
}
