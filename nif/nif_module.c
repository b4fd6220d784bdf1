// SPDX-License-Identifier: Apache-2.0
#include "nif_module.h"

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_pool.h"
#include "nif_register.h"
#include "preempt_timer.h"
#include "reaper.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Changes with anything in the two structs below: another build reads them.
#define NIF_MODULE_LAYOUT UINT64_C(0x747269706f643031)

// One for each build that was loaded. It stays where it is for good: no build is ever unmapped
// (-z nodelete, see the Makefile).
struct nif_build {
    void (*close)(ErlNifEnv *env); // ends all of its boxes, soon
    struct census_total (*census)(void);
    _Atomic(struct nif_build *) earlier; // written with the code modification permission
};

// The private data of a load. Without the timer services count instead, without the reaper memory
// is given back at once, so that a failure to start one is none to load.
struct nif_load {
    uint64_t layout; // first, whatever the layout
    struct nif_build *build;
    bool timed, reaps;
};

// Guarded by the code modification permission.
static ErlNifTid module_closer;
static bool module_closes; // the thread was started, and not yet joined

static void module_close_end(void) {
    if (module_closes)
        (void)enif_thread_join(module_closer, NULL);
    module_closes = false;
}

static void *module_closer_main(void *unused) {
    (void)unused;
    nif_register_close(NULL);
    return NULL;
}

// While an upgrade runs, no scheduler does (load_nif in erl_nif.c blocks thread progress), and 200
// boxes just too small for the reaper took 30 ms. So that is left to a thread.
static void module_close(ErlNifEnv *env) {
    char name[] = "tripod_nif_closer";
    module_close_end();
    nif_register_condemn(); // not those that a later load of this build opens
    module_closes = enif_thread_create(name, &module_closer, module_closer_main, NULL, NULL) == 0;
    if (!module_closes)
        nif_register_close(env);
}

static struct nif_build module_build = {.close = module_close, .census = census_count};

// One for each outcome, so that nothing is allocated that another build would have to free.
static struct nif_load module_loads[] = {
    {NIF_MODULE_LAYOUT, &module_build, false, false},
    {NIF_MODULE_LAYOUT, &module_build, false, true},
    {NIF_MODULE_LAYOUT, &module_build, true, false},
    {NIF_MODULE_LAYOUT, &module_build, true, true},
};

#if ERL_NIF_MAJOR_VERSION > 2 || (ERL_NIF_MAJOR_VERSION == 2 && ERL_NIF_MINOR_VERSION >= 17)
// By the scheduler that halts, before it asks the others to come by (erts_halt in erl_process.c).
static void module_on_halt(void *data) {
    (void)data;
    nif_register_halt();
}

static void module_watch_halt(ErlNifEnv *env) {
    (void)enif_set_option(env, ERL_NIF_OPT_ON_HALT, module_on_halt);
}
#else
static void module_watch_halt(ErlNifEnv *env) {
    (void)env;
}
#endif

int nif_module_load(ErlNifEnv *env, void **data) {
    nif_atoms_load(env);
    if (!nif_pool_load())
        return -1;
    if (!nif_box_load(env)) {
        nif_pool_unload();
        return -1;
    }
    module_watch_halt(env);
    bool timed = preempt_timer_start() == 0, reaps = reaper_start() == 0;
    *data = &module_loads[2 * timed + reaps];
    return 0;
}

// Puts `earlier` and those before it behind this build, wherever it was among them.
static void module_follow(struct nif_build *earlier) {
    for (struct nif_build *build = earlier; build != NULL; build = atomic_load(&build->earlier))
        if (atomic_load(&build->earlier) == &module_build)
            atomic_store(&build->earlier, atomic_load(&module_build.earlier));
    atomic_store(&module_build.earlier, earlier);
}

int nif_module_upgrade(ErlNifEnv *env, void **data, void *old_data) {
    const struct nif_load *old = old_data;
    if (old->layout != NIF_MODULE_LAYOUT)
        return -1;
    int code = nif_module_load(env, data);
    if (code != 0 || old->build == &module_build)
        return code;
    module_follow(old->build);
    old->build->close(env);
    return 0;
}

void nif_module_unload(void *data) {
    const struct nif_load *load = data;
    module_close_end();
    nif_pool_unload();
    nif_register_unload();
    if (load->reaps)
        reaper_stop();
    if (load->timed)
        preempt_timer_stop();
}

struct census_total nif_module_census(void) {
    struct census_total total = {0, 0, 0};
    for (struct nif_build *build = &module_build; build != NULL;
         build = atomic_load(&build->earlier)) {
        struct census_total part = build->census();
        total.boxes += part.boxes;
        total.bytes += part.bytes;
        total.calls += part.calls;
    }
    return total;
}
