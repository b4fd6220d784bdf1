// SPDX-License-Identifier: Apache-2.0
// Threads of the library's own, as many as the VM has schedulers. Each takes the box that has
// waited longest, runs its first request for a slice, and puts it behind the others if there is
// more to do and somebody else waits. So requests of one box run in order and one at a time, and an
// endless one takes its turn like all others.
//
// They are started by the first request, and end with the library, or when the application stops.
// Any scheduler thread may call any of these functions.
#ifndef TRIPOD_NIF_POOL_H
#define TRIPOD_NIF_POOL_H

#include "nif_box.h"
#include "nif_job.h"

#include <erl_nif.h>
#include <stdbool.h>

// The most that one box has in line. Beyond it the sender waits; so it does while the requests in
// line take more than the box's memory limit, unless there is only one.
#define NIF_POOL_LINE ((size_t)128)

// From load, upgrade and unload, once each per load. The last unload ends the threads; no box is
// left then. False: no memory.
bool nif_pool_load(void);
void nif_pool_unload(void);

// A job to fill, used or new; NULL: no memory. It goes back with nif_pool_keep, or into a line.
struct nif_job *nif_pool_job(void);
void nif_pool_keep(struct nif_job *job);

// False: there is none, and `waiter` gets {tripod_nif, room, Handle} when there is.
bool nif_pool_room(struct nif_box *self, const ErlNifPid *waiter);

enum nif_pool_entry {
    NIF_POOL_ENTERED,
    NIF_POOL_STOPPING,   // the threads are about to end; the box was closed
    NIF_POOL_NO_THREADS, // the system refuses even one
};
// Puts the job in line, if that is ENTERED; it is the pool's then.
enum nif_pool_entry nif_pool_enter(ErlNifEnv *env, struct nif_box *self, struct nif_job *job);

// The request in progress, or else the first in line, ends with {error, interrupted}.
void nif_pool_interrupt(struct nif_box *self);

// Ends the threads and waits for them. Calls in progress and in line end with {error, closed}, and
// their boxes are closed. The next request starts threads again.
void nif_pool_stop(ErlNifEnv *env);

#endif
