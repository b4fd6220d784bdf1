// SPDX-License-Identifier: Apache-2.0
// The requests of one box that are in flight, in the order in which they came, and how many there
// may be: a port whose line is full is busy, so that the VM suspends whoever calls port_command,
// and goes on when enough has come back.
//
// Everything in flight is given to one thread of the pool, which runs its jobs in their order; only
// a line that is empty may choose another thread. A request that was withdrawn stays in line until
// the VM hands it back, because until then it occupies memory of the VM's.
//
// Part of a port's data; called with the port's lock held.
#ifndef TRIPOD_DRIVER_LINE_H
#define TRIPOD_DRIVER_LINE_H

#include "driver_job.h"

#include <erl_driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A line is full with as many requests, or with requests of as many bytes. It is never the request
// that fills it that has to wait, so one request may be of any size.
#define DRIVER_LINE_REQUESTS ((size_t)64)
#define DRIVER_LINE_BYTES    ((size_t)1024 * 1024)

struct driver_line {
    struct driver_job *first, *last;
    size_t requests, bytes;
    bool full;
    unsigned int thread;
};

// Sends the job on its way. False: the VM does not take it; it is still the caller's.
bool driver_line_send(struct driver_line *line, ErlDrvPort port, struct driver_job *job);
// The VM has handed the job back; it is the caller's again.
void driver_line_receive(struct driver_line *line, ErlDrvPort port, struct driver_job *job);

static inline bool driver_line_is_empty(const struct driver_line *line) {
    return line->first == NULL;
}

// Whether a reply to this request of the caller's is yet to come.
bool driver_line_awaits(const struct driver_line *line, ErlDrvTermData caller, int64_t id);
// Ends the call in progress, which is the first that has no result yet: a thread is at it, or it
// waits for one and is answered here and now. Nothing happens to any other.
void driver_line_interrupt(struct driver_line *line, ErlDrvPort port);
// The box is gone: nobody waits for what no thread has taken yet.
void driver_line_abandon(struct driver_line *line);

#endif
