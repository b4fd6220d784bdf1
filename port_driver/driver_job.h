// SPDX-License-Identifier: Apache-2.0
// One request to a box of mode async, from the port's callback to a thread of the VM's pool and back.
//
//              the thread takes it          the call has begun         the call has ended
//   WAITING -------------------> STARTED -----------------> RUNNING ----------------> DONE
//      |                            |                          ^
//      | withdrawn                  | interrupted              | the thread interrupts its own call
//      v                            v                          |
//   WITHDRAWN                    STOPPING ---------------------+
//
// One atomic word, so that an interrupt meets a job in exactly one of these states and ends one call
// at most. What is called between driver_job_new and driver_job_free is said to run in one of three
// places: port, a callback that holds the port's lock; thread, of the async pool; free, where the
// port may be gone. A job that the VM has accepted comes back once: to ready_async, or to async_free.
//
// Knows nothing of the other jobs of its box.
#ifndef TRIPOD_DRIVER_JOB_H
#define TRIPOD_DRIVER_JOB_H

#include "driver_box.h"
#include "driver_frame.h"
#include "etf.h"
#include "service.h"

#include <erl_driver.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum driver_job_kind { DRIVER_JOB_CALL, DRIVER_JOB_USAGE };

struct driver_job {
    struct driver_job *next, *previous; // the line's (driver_line.h)
    size_t charged_bytes;               // likewise
    unsigned int thread;                // likewise

    struct driver_box *box; // one reference
    enum driver_job_kind kind;
    ErlDrvTermData port, caller;
    int64_t id;
    _Atomic(int) state;

    // Freed as soon as the call has begun.
    uint64_t time_ns;
    const void *request;
    size_t length;
    ErlDrvBinary *held; // the request lies in here, or
    void *copied;       // in here

    // Written by the thread, then by ready_async only.
    enum box_result result;
    ErlDrvBinary *reply; // external term format; NULL: there was no memory for one
    struct service_host storage;
    struct etf_writer writer; // into `reply`
};

// port: a call, with its request kept by reference or taken from `send`. NULL without memory; `send`
// is then as it was.
struct driver_job *driver_job_call(struct driver_box *box, ErlDrvTermData port,
                                   ErlDrvTermData caller, struct driver_send *send);
// port: asks what the box uses. NULL without memory.
struct driver_job *driver_job_usage(struct driver_box *box, ErlDrvTermData port,
                                    ErlDrvTermData caller, int64_t id);

// thread: carries it out, from the request to the written reply.
void driver_job_run(struct driver_job *job);

// port: true if no thread has taken it yet, and none will: the caller answers, or need not. The
// request's bytes are free.
bool driver_job_withdraw(struct driver_job *job);
enum driver_job_stopping { DRIVER_JOB_IS_OVER, DRIVER_JOB_IS_WAITING, DRIVER_JOB_IS_STOPPING };
// port: ends the call if a thread is at it. IS_OVER: there is nothing to end any more.
enum driver_job_stopping driver_job_stop(struct driver_job *job);
// port: nobody has answered it yet.
bool driver_job_is_awaited(const struct driver_job *job);

// port: sends {Port, Id, Reply}, unless it was withdrawn. Takes the same time for any reply: the
// message holds a reference to the bytes, which the caller decodes.
void driver_job_send(struct driver_job *job);
// port or free: gives everything back, the box's reference too.
void driver_job_free(struct driver_job *job);

#endif
