// SPDX-License-Identifier: Apache-2.0
// The decorator: every function of the decorated service's, with an eye on the requests.
//
// A request is walked once and into the decorated service's own sink, so a sink of ours stands
// between and holds back the first events as long as they could be {fault, Name}. If they are, the
// decorated service sees a walk that failed; what it answers to that is taken from it and dropped,
// so that it is ready for the next request when the fault has left anything alive.
#include "faults.h"
#include "service.h"

#include <string.h>

extern const struct service lua_service;
static const struct service *const decorated = &lua_service;

struct faults {
    const struct service_host *host;
    void *inner;
    bool asked;               // this call is a fault, not the decorated service's
    const struct fault *kind; // NULL: there is none of that name
    bool asked_threads;
    struct faults_threads threads;
};

enum tap_seen { TAP_NOTHING, TAP_TUPLE, TAP_FAULT, TAP_NAME, TAP_WHOLE, TAP_PASSING };

// What was seen of the request, and the sink of whoever receives it.
struct tap {
    struct term_sink sink;
    struct term_source source;
    struct term_source *request;
    struct term_sink *to;
    enum tap_seen seen;
    size_t announced; // elements of the tuple
    size_t length;
    char name[FAULTS_NAME_BYTES];
};

// Hands on what was held back. Everything goes straight through from then on.
static int tap_pass(struct tap *tap) {
    enum tap_seen seen = tap->seen;
    tap->seen = TAP_PASSING;
    int code = 0;
    if (seen >= TAP_TUPLE && seen < TAP_PASSING)
        code = term_begin(tap->to, TERM_TUPLE, tap->announced);
    if (code == 0 && seen >= TAP_FAULT && seen < TAP_PASSING)
        code = TERM_ATOM(tap->to, "fault");
    if (code == 0 && seen == TAP_NAME)
        code = term_atom(tap->to, tap->name, tap->length);
    return code;
}

static int tap_integer(struct term_sink *sink, int64_t value) {
    struct tap *tap = (struct tap *)sink;
    int code = tap_pass(tap);
    return code != 0 ? code : term_integer(tap->to, value);
}

static int tap_real(struct term_sink *sink, double value) {
    struct tap *tap = (struct tap *)sink;
    int code = tap_pass(tap);
    return code != 0 ? code : term_real(tap->to, value);
}

static int tap_atom(struct term_sink *sink, const char *name, size_t length) {
    struct tap *tap = (struct tap *)sink;
    if (tap->seen == TAP_TUPLE && length == 5 && memcmp(name, "fault", 5) == 0) {
        tap->seen = TAP_FAULT;
        return 0;
    }
    if (tap->seen == TAP_FAULT && length < sizeof tap->name) {
        tap->seen = TAP_NAME;
        tap->length = length;
        memcpy(tap->name, name, length);
        tap->name[length] = '\0';
        return 0;
    }
    int code = tap_pass(tap);
    return code != 0 ? code : term_atom(tap->to, name, length);
}

static int tap_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct tap *tap = (struct tap *)sink;
    int code = tap_pass(tap);
    return code != 0 ? code : term_bytes(tap->to, data, length);
}

static int tap_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct tap *tap = (struct tap *)sink;
    if (tap->seen == TAP_NOTHING && kind == TERM_TUPLE) {
        tap->seen = TAP_TUPLE;
        tap->announced = n;
        return 0;
    }
    int code = tap_pass(tap);
    return code != 0 ? code : term_begin(tap->to, kind, n);
}

static int tap_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct tap *tap = (struct tap *)sink;
    if (tap->seen == TAP_NAME) {
        tap->seen = TAP_WHOLE;
        return 0;
    }
    int code = tap_pass(tap);
    return code != 0 ? code : term_end(tap->to, kind, n);
}

static int tap_walk(struct term_source *source, struct term_sink *to) {
    struct tap *tap = (struct tap *)((char *)source - offsetof(struct tap, source));
    tap->to = to;
    int code = term_walk(tap->request, &tap->sink);
    // Also when the request broke off while events were held back.
    return code == 0 && tap->seen == TAP_WHOLE ? TERM_E_TYPE : code;
}

static const struct term_sink_ops tap_ops = {
    .integer = tap_integer,
    .real = tap_real,
    .atom = tap_atom,
    .bytes = tap_bytes,
    .begin = tap_begin,
    .end = tap_end,
};

static int drop_integer(struct term_sink *sink, int64_t value) {
    (void)sink;
    (void)value;
    return 0;
}

static int drop_real(struct term_sink *sink, double value) {
    (void)sink;
    (void)value;
    return 0;
}

static int drop_bytes(struct term_sink *sink, const void *data, size_t length) {
    (void)sink;
    (void)data;
    (void)length;
    return 0;
}

static int drop_atom(struct term_sink *sink, const char *name, size_t length) {
    return drop_bytes(sink, name, length);
}

static int drop_container(struct term_sink *sink, enum term_kind kind, size_t n) {
    (void)sink;
    (void)kind;
    (void)n;
    return 0;
}

static const struct term_sink_ops drop_ops = {
    .integer = drop_integer,
    .real = drop_real,
    .atom = drop_atom,
    .bytes = drop_bytes,
    .begin = drop_container,
    .end = drop_container,
};

static int faults_open(const struct service_host *host, const struct service_limits *limits,
                       void **state) {
    struct faults *self = host->memory(host->context, NULL, 0, sizeof *self);
    if (self == NULL)
        return SERVICE_E_SYSTEM;
    *self = (struct faults){.host = host};
    int code = decorated->open(host, limits, &self->inner);
    if (code < 0)
        (void)host->memory(host->context, self, sizeof *self, 0);
    else
        *state = self;
    faults_proof_init();
    (void)faults_thread_kind();
    return code;
}

static int faults_begin(void *state, struct term_source *request) {
    struct faults *self = state;
    struct tap tap = {.sink = {&tap_ops}, .source = {tap_walk}, .request = request};
    self->asked = false;
    int code = decorated->begin(self->inner, &tap.source);
    if (code == 0 && tap.seen != TAP_WHOLE)
        self->threads.begun[faults_thread_kind()]++;
    if (code < 0 || tap.seen != TAP_WHOLE)
        return code;
    self->asked = true;
    self->asked_threads = strcmp(tap.name, "threads") == 0;
    self->kind = faults_find(tap.name);
    struct term_sink nowhere = {&drop_ops};
    do
        code = decorated->step(self->inner, &nowhere);
    while (code == SERVICE_MORE);
    return code;
}

static int faults_refuse(const char *what, struct term_sink *reply) {
    int code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "error");
    if (code == 0)
        code = term_begin(reply, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(reply, "unsupported");
    if (code == 0)
        code = term_bytes(reply, what, strlen(what));
    if (code == 0)
        code = term_end(reply, TERM_TUPLE, 2);
    return code < 0 ? code : term_end(reply, TERM_TUPLE, 2);
}

static int faults_step(void *state, struct term_sink *reply) {
    struct faults *self = state;
    if (!self->asked) {
        self->threads.stepped[faults_thread_kind()]++;
        int code = decorated->step(self->inner, reply);
        if (code == SERVICE_DONE)
            self->threads.done[faults_thread_kind()]++;
        return code;
    }
    if (self->asked_threads)
        return faults_threads_tell(&self->threads, reply);
    if (self->kind == NULL)
        return faults_refuse("no such fault", reply);
    if (!faults_proof_leave(self->kind->name))
        return faults_refuse("no file for proof", reply);
    const struct faults_call call = {.fault = self->kind, .host = self->host, .reply = reply};
    return self->kind->inject(&call);
}

static void faults_usage(const void *state, struct service_usage *usage) {
    const struct faults *self = state;
    decorated->usage(self->inner, usage);
}

static void faults_close(void *state) {
    struct faults *self = state;
    const struct service_host *host = self->host;
    decorated->close(self->inner);
    (void)host->memory(host->context, self, sizeof *self, 0);
}

const struct service faults_service = {
    .abi = SERVICE_ABI,
    .name = "faults",
    .open = faults_open,
    .begin = faults_begin,
    .step = faults_step,
    .usage = faults_usage,
    .close = faults_close,
};
