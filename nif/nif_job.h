// SPDX-License-Identifier: Apache-2.0
// One request on its way to a thread of the library's own, and the message that answers it. Knows
// neither threads nor lines; nif_pool.c moves jobs, one thread at a time has one in its hands.
#ifndef TRIPOD_NIF_JOB_H
#define TRIPOD_NIF_JOB_H

#include "nif_box.h"

#include <erl_nif.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nif_job_kind { NIF_JOB_CALL, NIF_JOB_USAGE };

struct nif_job {
    struct nif_job *next; // guarded by the pool's lock, as the line that it is in
    ErlNifEnv *env;       // of `id` and `request`; used again for the next job
    ErlNifPid caller;
    enum nif_job_kind kind;
    ERL_NIF_TERM id; // of the caller's choice
    ERL_NIF_TERM request;
    uint64_t time_ns;
    size_t bytes; // that the request takes, roughly
    bool begun;   // of the thread that runs it, as the next
    bool encoded; // the reply goes out as external term format
    _Atomic(bool) interrupted;
};

// NULL: no memory.
struct nif_job *nif_job_open(void);
void nif_job_close(struct nif_job *job);
// Forgets everything; keeps the environment.
void nif_job_reset(struct nif_job *job);

// Copies both terms. The request counts only for NIF_JOB_CALL.
void nif_job_fill(struct nif_job *job, enum nif_job_kind kind, ERL_NIF_TERM id,
                  ERL_NIF_TERM request);

// To be called by any thread while the job is in line or runs, under the lock that keeps it there.
void nif_job_interrupt(struct nif_job *job, struct nif_box *self);

// Begins the job, or goes on for a slice. True: it is over, and its caller was told. `env` is the
// calling thread's, empty before and after. The message is {tripod_nif, Id, Reply}, where Reply may
// be {encoded, ExternalTermFormat}. Only by a thread of the library's own.
bool nif_job_run(struct nif_job *job, struct nif_box *self, ErlNifEnv *env);

#endif
