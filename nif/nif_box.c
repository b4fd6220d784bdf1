// SPDX-License-Identifier: Apache-2.0
//
// Giving a box away, while its owner, its heir and its closer may each die or act at any moment.
// A gives to B. `owner` and `watch` are atomic words; `monitor` belongs to whoever took `watch`.
//
//                                    owner  watch   monitors   a close here      B dies here
//   0                                  A    SET     A          removes A         -
//   1  watch SET -> MOVING             A    MOVING  A          leaves it to us   -
//   2  monitor B                       A    MOVING  A, B       leaves it to us   ignored, see 6
//   3  monitor := B's; watch -> SET    A    SET     A, B       removes B         ignored, see 6
//   4  owner := B                      B    SET     A, B       removes B         closes
//   5  demonitor A                     B    SET     B          removes B         closes
//   6  B dead and still owner: close   B    SET     B          removes B         closes
//
//   1 fails:  watch is OFF, the box is closed. MOVING cannot be met: only the owner comes here, and
//             it does so in one process.
//   2 fails:  B is dead. Watch goes back to SET over A's monitor; the box still belongs to A.
//   3 fails:  a closer put OFF over our MOVING: it saw no monitor to remove, so we remove both.
//   from 4:   B may call, give the box on (its own steps 1 to 6 find SET) and close it, all while
//             we are at 5 or 6, which therefore touch nothing but our own copy of A's monitor.
//   6:        a down for B before 4 saw A as the owner and was ignored. Either that down sees our
//             store in 4, or we see B as dead here: each side writes, fences, then reads. (ERTS
//             marks a process as exiting before it sends its monitors' signals: erl_process.c,
//             erts_do_exit_process; enif_is_process_alive is false from that mark on.) If B had
//             already passed the box on to C, the owner is C and nothing is done.
//   A dies:   it runs this NIF on a normal scheduler and can only exit when it returns. On a dirty
//             one it could: before 4 its down closes the box, from 4 on it is ignored.
//   late:     a down for an earlier owner: owner differs, ignored. If that process owns the box
//             again, it is dead, so closing is right whichever of its monitors fired.
//
// However many of these close the box, the gate (core/gate.h) lets exactly one free the instance.
#include "nif_box.h"

#include "nif_atoms.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(ErlNifPid) == sizeof(ERL_NIF_TERM), "a local pid is one immediate term");
_Static_assert(_Alignof(struct nif_box) <= 8, "ERTS aligns resources to 8 bytes");

void *nif_box_memory(void *block, size_t old, size_t size) {
    (void)old;
    if (size == 0) {
        if (block != NULL)
            enif_free(block);
        return NULL;
    }
    return block == NULL ? enif_alloc(size) : enif_realloc(block, size);
}

// Not enif_monotonic_time: measured 19 ns against 72 ns, and nothing here is compared with Erlang's
// clock.
static uint64_t nif_box_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

// To the VM's standard error, where the VM's own complaints about a NIF go: a message to the logger
// process would need a copy and could arrive after the crash that it warns of.
static void nif_box_log(void *self, enum service_log_level level, const char *text, size_t length) {
    (void)self;
    if (level == SERVICE_LOG_INFO)
        return;
    (void)enif_fprintf(stderr, "tripod_nif: %.*s\n", length < 1024 ? (int)length : 1024, text);
}

// By the thread that runs a step which could not return at the end of a slice.
static void nif_box_tick(void *object) {
    struct nif_box *self = object;
    self->ticks++;
}

static const struct box_room nif_box_room = {
    .memory = nif_box_memory,
    .now_ns = nif_box_now_ns,
    .tick = nif_box_tick,
    .log = nif_box_log,
};

// The last handle was collected, or the owner died holding it. ERTS has dropped the monitor itself.
static void nif_box_dtor(ErlNifEnv *env, void *object) {
    (void)env;
    struct nif_box *self = object;
    nif_register_leave(self);
    if (self->opened)
        box_close(&self->box);
}

static void nif_box_down(ErlNifEnv *env, void *object, ErlNifPid *pid, ErlNifMonitor *monitor) {
    (void)monitor; // may fire before enif_monitor_process has told us which monitor it made
    struct nif_box *self = object;
    atomic_thread_fence(memory_order_seq_cst); // pairs with step 6 of nif_box_give
    if (atomic_load_explicit(&self->owner, memory_order_acquire) == pid->pid)
        nif_box_close(env, self);
}

// A box holds pointers into the library image that opened it. So exactly the same image may take
// boxes over when the Erlang module is reloaded, and its address is the type's name: another build
// gets a type of its own, the old image stays mapped as long as it has boxes (ERTS: dynlib_refc in
// erl_nif.c), and to the new one their handles are no boxes.
bool nif_box_load(ErlNifEnv *env) {
    char name[64];
    (void)snprintf(name, sizeof name, "tripod_box_%p", (const void *)&nif_box_room);
    const ErlNifResourceTypeInit init = {
        .dtor = nif_box_dtor,
        .down = nif_box_down,
        .members = 3, // dtor, stop, down
    };
    return nif_register_load(env, name, &init);
}

int nif_box_open(ErlNifEnv *env, const struct nif_box_options *options, ERL_NIF_TERM *handle) {
    struct nif_box *self = nif_register_alloc();
    if (self == NULL)
        return SERVICE_E_SYSTEM;
    ErlNifPid owner;
    self->opened = false;
    self->mode = options->mode;
    self->budget = options->mode == NIF_YIELD ? NIF_BUDGET_NORMAL : NIF_BUDGET_NONE;
    self->watched = options->watched;
    self->away = 0;
    self->ticks = 0;
    self->line = (struct nif_line){0};
    atomic_init(&self->watch, NIF_WATCH_OFF);
    int code = enif_self(env, &owner) != NULL ? 0 : SERVICE_E_SYSTEM;
    if (code == 0)
        code = box_open(&self->box, options->service, &options->limits, &nif_box_room, self);
    if (code == 0) {
        self->opened = true;
        atomic_init(&self->owner, owner.pid);
        // The owner is this process: no down can fire before this NIF returns.
        if (self->watched && enif_monitor_process(env, self, &owner, &self->monitor) != 0)
            code = SERVICE_E_SYSTEM;
    }
    if (code == 0) {
        atomic_init(&self->watch, self->watched ? NIF_WATCH_SET : NIF_WATCH_OFF);
        code = nif_register_enter(self) ? 0 : SERVICE_E_SYSTEM;
    }
    if (code == 0)
        *handle = enif_make_resource(env, self);
    enif_release_resource(self); // without a handle this runs the destructor, which closes
    return code;
}

ERL_NIF_TERM nif_box_refuse(ErlNifEnv *env, const struct nif_box *self) {
    bool open = self != NULL && !(service_stopped(&self->box.host) & SERVICE_STOP_CLOSE);
    return nif_atom_pair(env, NIF_ATOM_error,
                         nif_atom(open ? NIF_ATOM_not_owner : NIF_ATOM_closed));
}

// Gives `monitor` back. False: a closer came by, and removing the monitor is now ours.
static bool nif_box_watch_again(struct nif_box *self) {
    uint32_t watch = NIF_WATCH_MOVING;
    return atomic_compare_exchange_strong_explicit(&self->watch, &watch, NIF_WATCH_SET,
                                                   memory_order_acq_rel, memory_order_acquire);
}

// Without a monitor there is only the word to change. Nobody will ever notice that the owner died.
static enum nif_gift nif_box_give_unwatched(ErlNifEnv *env, struct nif_box *self,
                                            const ErlNifPid *heir) {
    ErlNifPid asked = *heir;
    if (!enif_is_process_alive(env, &asked))
        return NIF_GIFT_NOPROC;
    atomic_store_explicit(&self->owner, heir->pid, memory_order_release);
    return NIF_GIFT_GIVEN;
}

enum nif_gift nif_box_give(ErlNifEnv *env, struct nif_box *self, const ErlNifPid *heir) {
    if (!self->watched)
        return nif_box_give_unwatched(env, self, heir);
    uint32_t watch = NIF_WATCH_SET;
    if (!atomic_compare_exchange_strong_explicit(&self->watch, &watch, NIF_WATCH_MOVING,
                                                 memory_order_acq_rel, memory_order_acquire))
        return NIF_GIFT_CLOSED;
    ErlNifMonitor old = self->monitor, fresh;
    if (enif_monitor_process(env, self, heir, &fresh) != 0) {
        if (nif_box_watch_again(self))
            return NIF_GIFT_NOPROC;
        (void)enif_demonitor_process(env, self, &old);
        return NIF_GIFT_CLOSED;
    }
    self->monitor = fresh;
    if (!nif_box_watch_again(self)) {
        (void)enif_demonitor_process(env, self, &old);
        (void)enif_demonitor_process(env, self, &fresh);
        return NIF_GIFT_CLOSED;
    }
    atomic_store_explicit(&self->owner, heir->pid, memory_order_release);
    (void)enif_demonitor_process(env, self, &old);
    atomic_thread_fence(memory_order_seq_cst); // pairs with nif_box_down
    ErlNifPid asked = *heir;
    if (!enif_is_process_alive(env, &asked) &&
        atomic_load_explicit(&self->owner, memory_order_acquire) == heir->pid)
        nif_box_close(env, self);
    return NIF_GIFT_GIVEN;
}

void nif_box_close(ErlNifEnv *env, struct nif_box *self) {
    box_close(&self->box);
    // Fails, without harm, for a monitor that has just fired.
    if (atomic_exchange_explicit(&self->watch, NIF_WATCH_OFF, memory_order_acq_rel) ==
        NIF_WATCH_SET)
        (void)enif_demonitor_process(env, self, &self->monitor);
}
