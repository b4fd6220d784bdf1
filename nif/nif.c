// SPDX-License-Identifier: Apache-2.0
// What the VM is told about this library, and nothing else. load and upgrade run on a scheduler
// that holds the code modification permission, so never two at a time.
#include "nif.h"

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_pool.h"
#include "preempt_timer.h"
#include "reaper.h"

#include <stddef.h>

// The private data says what is to be stopped with this load. Without the timer services count
// instead, without the reaper memory is given back at once, so that a failure to start one is none
// to load.
enum { NIF_TIMED = 1, NIF_REAPS = 2 };
static char nif_started[4]; // only the places in it mean something

static int nif_load(ErlNifEnv *env, void **data, ERL_NIF_TERM info) {
    size_t started = 0;
    (void)info;
    nif_atoms_load(env);
    if (!nif_box_load(env) || !nif_pool_load())
        return -1;
    if (preempt_timer_start() == 0)
        started |= NIF_TIMED;
    if (reaper_start() == 0)
        started |= NIF_REAPS;
    *data = &nif_started[started];
    return 0;
}

// The Erlang module was loaded again, and asks for its library again. Without this callback the VM
// would refuse.
static int nif_upgrade(ErlNifEnv *env, void **data, void **old_data, ERL_NIF_TERM info) {
    (void)old_data;
    return nif_load(env, data, info);
}

// Late aux work, with the code modification permission. The threads and the timer count their
// users: they end with the last of the loads, when no box is left and no call runs.
static void nif_unload(ErlNifEnv *env, void *data) {
    (void)env;
    nif_pool_unload();
    size_t started = (size_t)((const char *)data - nif_started);
    if (started & NIF_REAPS)
        reaper_stop();
    if (started & NIF_TIMED)
        preempt_timer_stop();
}

static ErlNifFunc nif_functions[] = {
    {"open", 1, nif_open, 0},
    {"call", 3, nif_call, 0},
    {"call_dirty", 3, nif_call_dirty, ERL_NIF_DIRTY_JOB_CPU_BOUND},
    {"submit", 4, nif_submit, 0},
    {"submit_usage", 2, nif_submit_usage, 0},
    {"interrupt", 1, nif_interrupt, 0},
    {"give_away", 2, nif_give_away, 0},
    {"usage", 1, nif_usage, 0},
    {"close", 1, nif_close, 0},
    // Waits for threads.
    {"stop", 0, nif_stop, ERL_NIF_DIRTY_JOB_IO_BOUND},
    // Walks every box there is, under a lock: 1,000,000 of them would stall a normal scheduler.
    {"census", 0, nif_census, ERL_NIF_DIRTY_JOB_CPU_BOUND},
};

ERL_NIF_INIT(tripod_nif_lib, nif_functions, nif_load, NULL, nif_upgrade, nif_unload)
