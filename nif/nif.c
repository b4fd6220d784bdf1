// SPDX-License-Identifier: Apache-2.0
// What the VM is told about this library, and nothing else.
#include "nif.h"

#include "nif_module.h"

#include <stddef.h>

static int nif_load(ErlNifEnv *env, void **data, ERL_NIF_TERM info) {
    (void)info;
    return nif_module_load(env, data);
}

// The Erlang module was loaded again, and asks for its library again. Without this callback the VM
// would refuse.
static int nif_upgrade(ErlNifEnv *env, void **data, void **old_data, ERL_NIF_TERM info) {
    (void)info;
    return nif_module_upgrade(env, data, *old_data);
}

// Late aux work, with the code modification permission. The threads and the timer count their
// users: they end with the last of the loads, when no box is left and no call runs.
static void nif_unload(ErlNifEnv *env, void *data) {
    (void)env;
    nif_module_unload(data);
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
    // Walks every box, and waits for threads.
    {"stop", 0, nif_stop, ERL_NIF_DIRTY_JOB_IO_BOUND},
    // Walks every box there is, under a lock: 1,000,000 of them would stall a normal scheduler.
    {"census", 0, nif_census, ERL_NIF_DIRTY_JOB_CPU_BOUND},
};

ERL_NIF_INIT(tripod_nif_lib, nif_functions, nif_load, NULL, nif_upgrade, nif_unload)
