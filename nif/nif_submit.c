// SPDX-License-Identifier: Apache-2.0
// The owner's side of the mode thread: a request is copied out of the owner's heap and put in line;
// the reply comes as a message. A request that is large is copied on a dirty scheduler.
#include "nif.h"

#include "nif_answer.h"
#include "nif_pool.h"
#include "nif_source.h"

#include <stdint.h>

// A sink that adds up what a copy of the term takes, roughly; a large binary is shared, and counted
// in full, because the copy keeps it alive.
struct submit_weight {
    struct term_sink sink;
    size_t bytes;
};

static int weight_add(struct term_sink *sink, size_t bytes) {
    ((struct submit_weight *)sink)->bytes += bytes;
    return 0;
}

static int weight_integer(struct term_sink *sink, int64_t value) {
    (void)value;
    return weight_add(sink, 8);
}

static int weight_real(struct term_sink *sink, double value) {
    (void)value;
    return weight_add(sink, 24);
}

static int weight_atom(struct term_sink *sink, const char *name, size_t length) {
    (void)name;
    (void)length;
    return weight_add(sink, 8);
}

static int weight_bytes(struct term_sink *sink, const void *data, size_t length) {
    (void)data;
    return weight_add(sink, 24 + length);
}

static int weight_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    (void)kind;
    (void)n;
    return weight_add(sink, 24);
}

static int weight_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    return weight_add(sink, kind == TERM_LIST ? 8 * n : 0);
}

static const struct term_sink_ops weight_ops = {
    .integer = weight_integer,
    .real = weight_real,
    .atom = weight_atom,
    .bytes = weight_bytes,
    .begin = weight_begin,
    .end = weight_end,
};

// False: the request goes beyond the budget, or is none that crosses and may be of any size. A copy
// of it then takes too long, and what `bytes` says is too little.
static bool submit_weigh(ErlNifEnv *env, const struct nif_box *self, ERL_NIF_TERM request,
                         size_t budget, size_t *bytes) {
    struct submit_weight weight = {.sink = {&weight_ops}};
    struct nif_source source;
    nif_source_init(&source, env, request, box_request_depth(&self->box), budget);
    int code = term_walk(&source.source, &weight.sink);
    *bytes = weight.bytes;
    return code == 0;
}

// The box, if the caller may put something in its line; otherwise NULL, and what to answer.
static struct nif_box *submit_box(ErlNifEnv *env, ERL_NIF_TERM handle, ErlNifPid *caller,
                                  ERL_NIF_TERM *answer) {
    struct nif_box *self = nif_box_get(env, handle);
    if (self == NULL || !nif_box_owned(env, self) || enif_self(env, caller) == NULL ||
        (service_stopped(&self->box.host) & SERVICE_STOP_CLOSE)) {
        *answer = nif_box_refuse(env, self);
        return NULL;
    }
    if (self->mode != NIF_THREAD) {
        *answer = enif_make_badarg(env);
        return NULL;
    }
    return self;
}

static ERL_NIF_TERM submit_system(ErlNifEnv *env) {
    return nif_answer_error(env, nif_atom_pair(env, NIF_ATOM_down, nif_atom(NIF_ATOM_system)));
}

static ERL_NIF_TERM submit_job(ErlNifEnv *env, struct nif_box *self, struct nif_job *job) {
    enum nif_pool_entry entry = nif_pool_enter(env, self, job);
    if (entry == NIF_POOL_ENTERED)
        return nif_atom(NIF_ATOM_ok);
    nif_pool_keep(job);
    return entry == NIF_POOL_STOPPING ? nif_answer_error(env, nif_atom(NIF_ATOM_closed))
                                      : submit_system(env);
}

// argv as nif_submit's, checked.
static ERL_NIF_TERM submit_request(ErlNifEnv *env, struct nif_box *self, const ErlNifPid *caller,
                                   size_t bytes, const ERL_NIF_TERM argv[]) {
    ErlNifUInt64 time_ms;
    if (!enif_get_uint64(env, argv[2], &time_ms))
        return enif_make_badarg(env);
    struct nif_job *job = nif_pool_job();
    if (job == NULL)
        return submit_system(env);
    nif_job_fill(job, NIF_JOB_CALL, argv[3], argv[1]);
    job->caller = *caller;
    job->time_ns = (uint64_t)time_ms * UINT64_C(1000000);
    job->bytes = bytes;
    return submit_job(env, self, job);
}

static ERL_NIF_TERM submit_large(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

// `large`: on a dirty scheduler, where there is time to copy what is too large elsewhere; it was
// let in before.
static ERL_NIF_TERM submit_call(ErlNifEnv *env, const ERL_NIF_TERM argv[], bool large) {
    ERL_NIF_TERM answer;
    ErlNifPid caller;
    size_t bytes;
    struct nif_box *self = submit_box(env, argv[0], &caller, &answer);
    if (self == NULL)
        return answer;
    if (!large && !nif_pool_room(self, &caller))
        return nif_atom(NIF_ATOM_full);
    size_t budget = large ? NIF_BUDGET_NONE : NIF_BUDGET_NORMAL;
    if (!submit_weigh(env, self, argv[1], budget, &bytes) && !large)
        return enif_schedule_nif(env, "submit", ERL_NIF_DIRTY_JOB_CPU_BOUND, submit_large, 4, argv);
    return submit_request(env, self, &caller, bytes, argv);
}

static ERL_NIF_TERM submit_large(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return submit_call(env, argv, true);
}

ERL_NIF_TERM nif_submit(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return submit_call(env, argv, false);
}

ERL_NIF_TERM nif_submit_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    ERL_NIF_TERM answer;
    ErlNifPid caller;
    struct nif_box *self = submit_box(env, argv[0], &caller, &answer);
    if (self == NULL)
        return answer;
    struct nif_job *job = nif_pool_job();
    if (job == NULL)
        return submit_system(env);
    nif_job_fill(job, NIF_JOB_USAGE, argv[1], argv[1]);
    job->caller = caller;
    return submit_job(env, self, job);
}
