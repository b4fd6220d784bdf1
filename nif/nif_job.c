// SPDX-License-Identifier: Apache-2.0
#include "nif_job.h"

#include "etf.h"
#include "nif_answer.h"
#include "nif_source.h"

#include <string.h>

// A request beyond this is given back as soon as it was taken; a smaller one waits for the end of
// the call, which saves two copies of the id.
#define NIF_JOB_LIGHT_BYTES ((size_t)16384)
// {ok, _} around what the service counts, and a little for a service that counts differently.
#define NIF_JOB_REPLY_SLACK_BYTES ((size_t)4096)

struct nif_job *nif_job_open(void) {
    struct nif_job *job = enif_alloc(sizeof *job);
    if (job == NULL)
        return NULL;
    *job = (struct nif_job){.env = enif_alloc_env()};
    if (job->env != NULL)
        return job;
    enif_free(job);
    return NULL;
}

void nif_job_close(struct nif_job *job) {
    enif_free_env(job->env);
    enif_free(job);
}

void nif_job_reset(struct nif_job *job) {
    enif_clear_env(job->env);
    *job = (struct nif_job){.env = job->env};
}

void nif_job_fill(struct nif_job *job, enum nif_job_kind kind, ERL_NIF_TERM id,
                  ERL_NIF_TERM request) {
    job->kind = kind;
    job->id = enif_make_copy(job->env, id);
    if (kind == NIF_JOB_CALL)
        job->request = enif_make_copy(job->env, request);
}

// Either the thread that begins the call finds the mark, or we find the call begun: each side
// writes, fences, then reads. Both at once are one interrupt of one call.
void nif_job_interrupt(struct nif_job *job, struct nif_box *self) {
    atomic_store_explicit(&job->interrupted, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    (void)box_interrupt(&self->box);
}

static bool nif_job_interrupted(struct nif_job *job) {
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&job->interrupted, memory_order_relaxed);
}

// `env` holds terms of other jobs at no time, so it can keep the id meanwhile.
static void nif_job_shed(struct nif_job *job, ErlNifEnv *env) {
    if (job->bytes <= NIF_JOB_LIGHT_BYTES)
        return;
    ERL_NIF_TERM id = enif_make_copy(env, job->id);
    enif_clear_env(job->env);
    job->id = enif_make_copy(job->env, id);
    enif_clear_env(env);
}

static enum box_result nif_job_begin(struct nif_job *job, struct nif_box *self, ErlNifEnv *env) {
    struct nif_source request;
    nif_source_init(&request, job->env, job->request, box_request_depth(&self->box),
                    NIF_BUDGET_NONE);
    enum box_result result = box_begin(&self->box, &request.source, job->time_ns);
    job->begun = true;
    if (nif_job_interrupted(job))
        (void)box_interrupt(&self->box);
    nif_job_shed(job, env);
    return result;
}

// A message that reaches nobody, because the caller is dead, stays ours.
static void nif_job_tell(struct nif_job *job, ErlNifEnv *env, ERL_NIF_TERM answer) {
    ERL_NIF_TERM message =
        enif_make_tuple3(env, nif_atom(NIF_ATOM_tripod_nif), enif_make_copy(env, job->id), answer);
    (void)enif_send(NULL, &job->caller, env, message);
    enif_clear_env(env);
}

static void *nif_job_memory(void *context, void *block, size_t old, size_t size) {
    (void)context;
    return nif_box_memory(block, old, size);
}

// A binary of what was written; false: no memory.
static bool nif_job_encoded(const struct etf_writer *writer, ErlNifEnv *env, ERL_NIF_TERM *reply) {
    ERL_NIF_TERM bytes;
    unsigned char *copy = enif_make_new_binary(env, writer->length, &bytes);
    if (copy == NULL)
        return false;
    if (writer->length > 0)
        memcpy(copy, writer->data, writer->length);
    *reply = nif_atom_pair(env, NIF_ATOM_encoded, bytes);
    return true;
}

// Step by step, for a reply that cannot be built as a term on this thread.
static bool nif_job_encode(struct nif_job *job, struct nif_box *self, ErlNifEnv *env) {
    static const struct service_host host = {.memory = nif_job_memory};
    struct etf_writer writer;
    etf_writer_init(&writer, &host, 0, self->box.limits.reply_bytes + NIF_JOB_REPLY_SLACK_BYTES);
    etf_writer_reset(&writer);
    enum box_result result = box_step(&self->box, &writer.sink);
    if (result != BOX_MORE) {
        ERL_NIF_TERM reply;
        if (result != BOX_DONE || !nif_job_encoded(&writer, env, &reply))
            reply = nif_answer_explain(env, self, result == BOX_DONE ? BOX_DOWN : result);
        nif_job_tell(job, env, reply);
    }
    etf_writer_release(&writer);
    return result != BOX_MORE;
}

static bool nif_job_call(struct nif_job *job, struct nif_box *self, ErlNifEnv *env) {
    enum box_result result = job->begun ? BOX_MORE : nif_job_begin(job, self, env);
    struct nif_sink reply;
    nif_sink_init(&reply, env, NIF_BUDGET_NONE);
    nif_sink_forbid_hashing(&reply);
    if (result == BOX_MORE)
        result = box_step(&self->box, &reply.sink);
    bool over = result != BOX_MORE && result != BOX_LATER;
    job->encoded = result == BOX_LATER;
    if (over)
        nif_job_tell(job, env, nif_answer_call(env, NULL, self, result, &reply));
    else
        enif_clear_env(env); // of a reply that starts over
    nif_sink_release(&reply);
    return over;
}

bool nif_job_run(struct nif_job *job, struct nif_box *self, ErlNifEnv *env) {
    if (job->kind == NIF_JOB_USAGE) {
        nif_job_tell(job, env, nif_answer_usage(env, self));
        return true;
    }
    if (!job->begun && nif_job_interrupted(job)) {
        nif_job_tell(job, env, nif_answer_error(env, nif_atom(NIF_ATOM_interrupted)));
        return true;
    }
    return job->encoded ? nif_job_encode(job, self, env) : nif_job_call(job, self, env);
}
