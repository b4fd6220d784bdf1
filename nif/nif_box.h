// SPDX-License-Identifier: Apache-2.0
// A box as the VM sees it: a resource with an owner. Who may use it, who is watched, and what
// happens when the owner dies or the last handle is collected. Knows neither requests nor replies.
//
// Which thread calls what is in nif/README.md. In short: everything here may be called by any
// scheduler thread at any time, except nif_box_give, which only the owner reaches; a thread of the
// library's own calls nif_box_close, with no environment.
#ifndef TRIPOD_NIF_BOX_H
#define TRIPOD_NIF_BOX_H

#include "box.h"
#include "nif_budget.h"
#include "nif_line.h"
#include "nif_register.h"

#include <erl_nif.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

// Where calls run.
enum nif_mode {
    NIF_YIELD,  // on the caller's scheduler, in slices; on a dirty one what that would hold up
    NIF_INLINE, // on the caller's scheduler, at one go
    NIF_DIRTY,  // on a dirty scheduler
    NIF_THREAD, // on a thread of nif_pool.h
};

struct nif_box {
    struct box box;
    bool opened;                 // written before the handle exists; false: nothing to close
    enum nif_mode mode;          // never changes
    size_t budget;               // of conversions on the caller's scheduler; never changes
    bool watched;                // never changes; false: only the destructor frees the instance
    uint32_t away;               // steps that are still to run on a dirty scheduler (nif_call.c)
    uint32_t ticks;              // slices that this step has outlasted; both of the running thread
    _Atomic(ERL_NIF_TERM) owner; // the pid's term word; not reset when the owner dies
    _Atomic(uint32_t) watch;     // enum nif_watch
    ErlNifMonitor monitor;       // belongs to whoever took `watch` from NIF_WATCH_SET
    struct nif_line line;        // NIF_THREAD only
    struct nif_entry entry;
};

enum nif_watch {
    NIF_WATCH_OFF,    // closed, or about to be; the monitor is gone or somebody is removing it
    NIF_WATCH_SET,    // `monitor` watches the owner
    NIF_WATCH_MOVING, // nif_box_give works on `monitor`
};

// From load and upgrade. False: the VM refused the resource type, and nothing has changed.
bool nif_box_load(ErlNifEnv *env);

struct nif_box_options {
    const struct service *service;
    struct service_limits limits;
    enum nif_mode mode;
    bool watched; // the owner's death ends the box
};
// The calling process becomes the owner. 0, or a negative code of service.h with nothing left.
int nif_box_open(ErlNifEnv *env, const struct nif_box_options *options, ERL_NIF_TERM *handle);

// NULL: `handle` is no box of this library, for example a reference that has been on another node.
static inline struct nif_box *nif_box_get(ErlNifEnv *env, ERL_NIF_TERM handle) {
    return nif_register_find(env, handle);
}
// enif_alloc and its like, as box_room wants them. Any thread.
void *nif_box_memory(void *block, size_t old, size_t size);

// Whether the process that runs this NIF owns the box.
static inline bool nif_box_owned(ErlNifEnv *env, const struct nif_box *self) {
    ErlNifPid caller;
    return enif_self(env, &caller) != NULL &&
           atomic_load_explicit(&self->owner, memory_order_acquire) == caller.pid;
}

// The answer to everybody who does not own it: {error, not_owner} while the box is open,
// {error, closed} afterwards and when there is no box at all.
ERL_NIF_TERM nif_box_refuse(ErlNifEnv *env, const struct nif_box *self);

enum nif_gift {
    NIF_GIFT_GIVEN,  // the heir owned it, even if it died at once and the box with it
    NIF_GIFT_NOPROC, // the heir was dead; the caller still owns the box
    NIF_GIFT_CLOSED, // somebody closed the box meanwhile
};
// Only by the owner, on a normal scheduler, while no call runs.
enum nif_gift nif_box_give(ErlNifEnv *env, struct nif_box *self, const ErlNifPid *heir);

// Idempotent. The instance is freed now, or by the thread that is inside when it comes out.
void nif_box_close(ErlNifEnv *env, struct nif_box *self);

#endif
