// SPDX-License-Identifier: Apache-2.0
// One request to a box of mode async, from the port's callback to a thread of the VM's pool and
// back.
//
//              the thread takes it          the call has begun         the call has ended
//   WAITING -------------------> STARTED -----------------> RUNNING ----------------> DONE
//      |                            |                          ^
//      | withdrawn                  | interrupted              | the thread interrupts its own call
//      v                            v                          |
//   WITHDRAWN                    STOPPING ---------------------+
//
// One atomic word, so that an interrupt meets a job in exactly one of these states and ends one
// call at most. What is called between driver_job_new and driver_job_free is said to run in one of
// three places: port, a callback that holds the port's lock; thread, of the async pool; free, where
// the port may be gone. A job that the VM has accepted comes back once: to ready_async, or to
// async_free.
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

// Requests and replies up to this size live in the job itself, which is allocated and freed on
// schedulers: an allocator of the VM's has to tell a scheduler when another thread frees a block of
// the scheduler's (erl_alloc_util.c, delayed deallocation).
#define DRIVER_JOB_ROOM_BYTES 512

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

    uint64_t time_ns;
    const void *request; // in `request_room`, or freed as soon as the call has begun:
    size_t length;
    ErlDrvBinary *held; // in here, or
    void *copied;       // in here

    // Written by the thread, then by ready_async only.
    enum box_result result;
    struct service_host storage;
    struct etf_writer writer; // into `reply_room` or `reply`; without data there was no memory
    ErlDrvBinary *reply;
    uint8_t request_room[DRIVER_JOB_ROOM_BYTES];
    uint8_t reply_room[DRIVER_JOB_ROOM_BYTES];
};

// port: a call, with its request kept by reference or taken from `send`. NULL without memory;
// `send` is then as it was.
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

// port: sends {Port, Id, Reply}, unless it was withdrawn: a short reply as the term that it is, for
// any other a reference to its bytes, which the caller decodes. So the longest reply takes no
// longer than a short one.
void driver_job_send(struct driver_job *job);
// port or free: gives everything back, the box's reference too.
void driver_job_free(struct driver_job *job);

#endif
