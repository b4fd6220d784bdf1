// SPDX-License-Identifier: Apache-2.0
// A service that misbehaves on request, around the Lua service. Built into the artefacts of
// `make faults` only. docs/faults.md describes each fault.
//
//   {fault, Name}   leaves proof, then injects the fault Name
//   {fault, threads}   no fault: on which threads the requests before this one were served
//   anything else   goes to the Lua service, untouched, and so does its reply
#ifndef TRIPOD_FAULTS_H
#define TRIPOD_FAULTS_H

#include "service.h"
#include "term.h"

#include <stdbool.h>

// Names the file that proof is appended to.
#define FAULTS_PROOF_VARIABLE "TRIPOD_FAULT_PROOF"

#define FAULTS_NAME_BYTES 32u // of a fault's name, terminated

struct faults_call;

struct fault {
    const char *name;
    // Does the damage, then emits the reply if there is still somebody to do so. 0, or the sink's
    // negative code, as a service's step. Called by the thread that runs the step.
    int (*inject)(const struct faults_call *call);
};

struct faults_call {
    const struct fault *fault;
    const struct service_host *host; // of the box
    struct term_sink *reply;
};

// faults_calls.c: system calls that no service needs.
int faults_call_socket(const struct faults_call *call);
int faults_call_open(const struct faults_call *call);
int faults_call_fork(const struct faults_call *call);
int faults_call_thread(const struct faults_call *call);
int faults_call_kill(const struct faults_call *call);
int faults_call_ptrace(const struct faults_call *call);
int faults_call_prctl(const struct faults_call *call);
int faults_call_map_code(const struct faults_call *call);
int faults_call_make_code(const struct faults_call *call);

// faults_host.c: what makes no difference to see, but to a sanitizer.
int faults_host_leak(const struct faults_call *call);
int faults_host_overrun(const struct faults_call *call);
int faults_host_double_free(const struct faults_call *call);
int faults_undefined(const struct faults_call *call);

// faults_threads.c: how often a request was taken, a step made and a reply finished, by the kind of
// the thread that did.
enum faults_thread {
    FAULTS_THREAD_NORMAL, // a scheduler of the VM
    FAULTS_THREAD_DIRTY,  // a dirty CPU scheduler
    FAULTS_THREAD_OWN,    // the NIF library's
    FAULTS_THREAD_OTHER,
    FAULTS_THREAD_KINDS,
};
struct faults_threads {
    unsigned begun[FAULTS_THREAD_KINDS], stepped[FAULTS_THREAD_KINDS], done[FAULTS_THREAD_KINDS];
};
// Of the calling thread.
enum faults_thread faults_thread_kind(void);
// {ok, [Begun, Stepped, Done]}, each a list in the order of the kinds. 0 or the sink's code.
int faults_threads_tell(const struct faults_threads *threads, struct term_sink *reply);

// faults_kinds.c: {ok, Name}, the fault was injected and we are still here.
int faults_survived(const struct faults_call *call);
// NULL when there is none of that name.
const struct fault *faults_find(const char *name);

// faults_proof.c: opens the file that the environment names, once in the life of the process, which
// may not be allowed to later. Not to be called where another thread may change the environment.
void faults_proof_init(void);
// Appends `name PID TID NANOSECONDS\n`, the time being CLOCK_REALTIME's. Async-signal-safe. False:
// no file was named, or it cannot be written.
bool faults_proof_leave(const char *name);

#endif
