// SPDX-License-Identifier: Apache-2.0
#include "driver_job.h"

#include "driver_call.h"

#include <string.h>

// Above the service's own limit, which counts a reply a little differently and answers for itself.
#define REPLY_SLACK_BYTES ((size_t)4096)

enum job_state { WAITING, STARTED, STOPPING, RUNNING, DONE, WITHDRAWN };

static struct driver_job *job_new(struct driver_box *box, enum driver_job_kind kind,
                                  ErlDrvTermData port, ErlDrvTermData caller, int64_t id) {
    struct driver_job *job = driver_alloc(sizeof *job);
    if (job == NULL)
        return NULL;
    driver_box_share(box);
    job->box = box;
    job->kind = kind;
    job->port = port;
    job->caller = caller;
    job->id = id;
    atomic_init(&job->state, WAITING);
    job->request = NULL;
    job->length = 0;
    job->held = NULL;
    job->copied = NULL;
    job->result = BOX_DONE;
    job->reply = NULL;
    return job;
}

static bool job_keep_request(struct driver_job *job, struct driver_send *send) {
    job->time_ns = send->time_ns;
    job->request = send->request;
    job->length = send->length;
    if (send->length <= sizeof job->request_room) {
        if (send->length > 0)
            memcpy(job->request_room, send->request, send->length);
        job->request = job->request_room;
    } else if (send->flat != NULL) {
        job->copied = send->flat;
        send->flat = NULL;
    } else if (send->binary != NULL) {
        job->held = send->binary;
        (void)driver_binary_inc_refc(job->held);
    } else {
        job->copied = driver_alloc(send->length);
        if (job->copied == NULL)
            return false;
        memcpy(job->copied, send->request, send->length);
        job->request = job->copied;
    }
    return true;
}

static void job_drop_request(struct driver_job *job) {
    if (job->held != NULL)
        driver_free_binary(job->held);
    if (job->copied != NULL)
        driver_free(job->copied);
    job->held = NULL;
    job->copied = NULL;
}

struct driver_job *driver_job_call(struct driver_box *box, ErlDrvTermData port,
                                   ErlDrvTermData caller, struct driver_send *send) {
    struct driver_job *job = job_new(box, DRIVER_JOB_CALL, port, caller, send->id);
    if (job != NULL && !job_keep_request(job, send)) {
        driver_job_free(job);
        return NULL;
    }
    return job;
}

struct driver_job *driver_job_usage(struct driver_box *box, ErlDrvTermData port,
                                    ErlDrvTermData caller, int64_t id) {
    return job_new(box, DRIVER_JOB_USAGE, port, caller, id);
}

// Beyond the room, the writer's one block is a binary of the driver's, so that a message can refer
// to it.
static void *storage_memory(void *context, void *block, size_t old, size_t size) {
    struct driver_job *job = context;
    if (size <= sizeof job->reply_room && job->reply == NULL)
        return size > 0 ? job->reply_room : NULL;
    if (size == 0) {
        driver_free_binary(job->reply);
        job->reply = NULL;
        return NULL;
    }
    ErlDrvBinary *binary =
        job->reply == NULL ? driver_alloc_binary(size) : driver_realloc_binary(job->reply, size);
    if (binary == NULL)
        return NULL;
    if (job->reply == NULL && block != NULL)
        memcpy(binary->orig_bytes, block, old);
    job->reply = binary;
    return binary->orig_bytes;
}

// A message may keep the reply for long: what the writer took in advance goes back.
static void job_trim_reply(struct driver_job *job) {
    if (job->reply == NULL || job->writer.length > job->writer.capacity / 4 * 3)
        return;
    ErlDrvBinary *binary = driver_realloc_binary(job->reply, job->writer.length);
    if (binary != NULL)
        job->reply = binary;
}

static void job_begin_reply(struct driver_job *job) {
    job->storage = (struct service_host){.context = job, .memory = storage_memory};
    etf_writer_init(&job->writer, &job->storage, 0,
                    job->box->box.limits.reply_bytes + REPLY_SLACK_BYTES);
}

// A reply that does not fit into memory is none: ready_async says so.
static void job_explain(struct driver_job *job) {
    etf_writer_reset(&job->writer);
    if (box_explain(&job->box->box, job->result, &job->writer.sink) < 0)
        etf_writer_release(&job->writer);
}

// The call has begun, so whoever stopped the job before can be obeyed now.
static void job_call_begun(struct driver_job *job) {
    int before = atomic_exchange_explicit(&job->state, RUNNING, memory_order_acq_rel);
    if (before == STOPPING)
        (void)box_interrupt(&job->box->box);
}

static void job_run_call(struct driver_job *job) {
    struct box *box = &job->box->box;
    struct etf_reader reader;
    etf_reader_init(&reader, job->request, job->length, box_request_depth(box));
    job->result = box_begin(box, &reader.source, job->time_ns);
    job_call_begun(job);
    job_drop_request(job);
    while (job->result == BOX_MORE) {
        etf_writer_reset(&job->writer);
        job->result = box_step(box, &job->writer.sink);
    }
    if (job->result != BOX_DONE)
        job_explain(job);
}

static int job_write_usage(struct term_sink *sink, const struct box_usage *usage) {
    const uint64_t numbers[] = {usage->bytes, usage->peak_bytes, usage->calls, usage->live_bytes};
    const size_t count = sizeof numbers / sizeof numbers[0];
    int code = term_begin(sink, TERM_TUPLE, 2);
    if (code == 0)
        code = TERM_ATOM(sink, "ok");
    if (code == 0)
        code = term_begin(sink, TERM_TUPLE, count);
    for (size_t i = 0; i < count && code == 0; i++)
        code = term_integer(sink, (int64_t)numbers[i]);
    if (code == 0)
        code = term_end(sink, TERM_TUPLE, count);
    return code < 0 ? code : term_end(sink, TERM_TUPLE, 2);
}

static void job_run_usage(struct driver_job *job) {
    struct box_usage usage;
    job->result = box_usage(&job->box->box, &usage);
    if (job->result != BOX_DONE)
        job_explain(job);
    else if (job_write_usage(&job->writer.sink, &usage) < 0)
        etf_writer_release(&job->writer);
}

void driver_job_run(struct driver_job *job) {
    int seen = WAITING;
    if (!atomic_compare_exchange_strong_explicit(&job->state, &seen, STARTED, memory_order_acquire,
                                                 memory_order_acquire))
        return;
    job_begin_reply(job);
    if (job->kind == DRIVER_JOB_CALL)
        job_run_call(job);
    else
        job_run_usage(job);
    job_trim_reply(job);
    atomic_store_explicit(&job->state, DONE, memory_order_release);
}

bool driver_job_withdraw(struct driver_job *job) {
    int seen = WAITING;
    if (!atomic_compare_exchange_strong_explicit(&job->state, &seen, WITHDRAWN,
                                                 memory_order_acq_rel, memory_order_relaxed))
        return false;
    job_drop_request(job);
    return true;
}

enum driver_job_stopping driver_job_stop(struct driver_job *job) {
    int seen = STARTED;
    if (atomic_compare_exchange_strong_explicit(&job->state, &seen, STOPPING, memory_order_acq_rel,
                                                memory_order_acquire))
        return DRIVER_JOB_IS_STOPPING;
    if (seen == WAITING)
        return DRIVER_JOB_IS_WAITING;
    if (seen == STOPPING)
        return DRIVER_JOB_IS_STOPPING;
    if (seen == RUNNING && box_interrupt(&job->box->box))
        return DRIVER_JOB_IS_STOPPING;
    return DRIVER_JOB_IS_OVER;
}

bool driver_job_is_awaited(const struct driver_job *job) {
    return atomic_load_explicit(&job->state, memory_order_relaxed) != WITHDRAWN;
}

void driver_job_send(struct driver_job *job) {
    if (!driver_job_is_awaited(job))
        return;
    if (job->writer.data == NULL) {
        driver_call_refuse(job->port, job->caller, job->id, DRIVER_REFUSAL_MEMORY);
        return;
    }
    ErlDrvTermData message[] = {
        ERL_DRV_PORT,       job->port,
        ERL_DRV_INT,        (ErlDrvTermData)job->id,
        ERL_DRV_BINARY,     (ErlDrvTermData)job->reply,
        job->writer.length, 0,
        ERL_DRV_TUPLE,      3,
    };
    enum { SHORT_REPLY = 4 }; // where the form of the reply stands
    ErlDrvTermData short_message[] = {
        ERL_DRV_PORT,
        job->port,
        ERL_DRV_INT,
        (ErlDrvTermData)job->id,
        ERL_DRV_EXT2TERM,
        (ErlDrvTermData)job->reply_room,
        job->writer.length,
        ERL_DRV_TUPLE,
        3,
    };
    if (job->reply != NULL) {
        (void)erl_drv_send_term(job->port, job->caller, message, 10);
    } else if (erl_drv_send_term(job->port, job->caller, short_message, 9) < 0) {
        // What the VM refuses as a term (a service that did not keep its promise), the caller
        // refuses as bytes, and knows what to do then.
        short_message[SHORT_REPLY] = ERL_DRV_BUF2BINARY;
        (void)erl_drv_send_term(job->port, job->caller, short_message, 9);
    }
}

void driver_job_free(struct driver_job *job) {
    job_drop_request(job);
    if (job->reply != NULL)
        driver_free_binary(job->reply);
    driver_box_drop(job->box);
    driver_free(job);
}
