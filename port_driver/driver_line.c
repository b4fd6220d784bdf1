// SPDX-License-Identifier: Apache-2.0
#include "driver_line.h"

#include "driver_call.h"
#include "driver_pool.h"

static void line_run(void *data) {
    struct driver_job *job = data;
    unsigned int thread = job->thread;
    driver_job_run(job);
    driver_pool_remove(thread);
}

// The VM calls it instead of ready_async when the port is gone.
static void line_free(void *data) {
    driver_job_free(data);
}

// Half of what makes it full, so that a suspended process is not resumed for a single request.
static void line_set_full(struct driver_line *line, ErlDrvPort port) {
    bool full =
        line->full
            ? line->requests > DRIVER_LINE_REQUESTS / 2 || line->bytes > DRIVER_LINE_BYTES / 2
            : line->requests >= DRIVER_LINE_REQUESTS || line->bytes >= DRIVER_LINE_BYTES;
    if (full != line->full)
        set_busy_port(port, full);
    line->full = full;
}

bool driver_line_send(struct driver_line *line, ErlDrvPort port, struct driver_job *job) {
    if (driver_line_is_empty(line))
        line->thread = driver_pool_choose();
    job->thread = line->thread;
    job->charged_bytes = job->length;
    driver_pool_add(job->thread);
    unsigned int key = job->thread;
    if (driver_async(port, &key, line_run, job, line_free) < 0) {
        driver_pool_remove(job->thread);
        return false;
    }
    // Whatever the thread does by now, the job comes back only when the port's lock is free.
    job->next = NULL;
    job->previous = line->last;
    *(line->last != NULL ? &line->last->next : &line->first) = job;
    line->last = job;
    line->requests += 1;
    line->bytes += job->charged_bytes;
    line_set_full(line, port);
    return true;
}

void driver_line_receive(struct driver_line *line, ErlDrvPort port, struct driver_job *job) {
    *(job->previous != NULL ? &job->previous->next : &line->first) = job->next;
    *(job->next != NULL ? &job->next->previous : &line->last) = job->previous;
    line->requests -= 1;
    line->bytes -= job->charged_bytes;
    line_set_full(line, port);
}

bool driver_line_awaits(const struct driver_line *line, ErlDrvTermData caller, int64_t id) {
    for (const struct driver_job *job = line->first; job != NULL; job = job->next)
        if (job->id == id && job->caller == caller)
            return driver_job_is_awaited(job);
    return false;
}

static bool line_withdraw(struct driver_line *line, struct driver_job *job) {
    if (!driver_job_withdraw(job))
        return false;
    line->bytes -= job->charged_bytes;
    job->charged_bytes = 0;
    return true;
}

// True when there is nothing to do any more.
static bool line_stop(struct driver_line *line, ErlDrvPort port, struct driver_job *job) {
    enum driver_job_stopping stopping;
    while ((stopping = driver_job_stop(job)) == DRIVER_JOB_IS_WAITING) {
        if (!line_withdraw(line, job))
            continue;
        driver_call_refuse(job->port, job->caller, job->id, DRIVER_REFUSAL_INTERRUPTED);
        line_set_full(line, port);
        return true;
    }
    return stopping == DRIVER_JOB_IS_STOPPING;
}

void driver_line_interrupt(struct driver_line *line, ErlDrvPort port) {
    struct driver_job *job = line->first;
    while (job != NULL && (job->kind != DRIVER_JOB_CALL || !line_stop(line, port, job)))
        job = job->next;
}

void driver_line_abandon(struct driver_line *line) {
    for (struct driver_job *job = line->first; job != NULL; job = job->next)
        (void)line_withdraw(line, job);
}
