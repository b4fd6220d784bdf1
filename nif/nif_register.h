// SPDX-License-Identifier: Apache-2.0
// Every box of this library: to find one by its handle however often the module was loaded since,
// and to end all of them when the application stops, another build takes over, or the VM halts.
// Knows resources and their types; of boxes only how to close one.
//
// A load that takes over from the one before keeps the resource type, and with it the handles. One
// that comes after code:delete/1 and code:purge/1 cannot: the VM has dropped the type from its list
// (erl_nif.c, erts_unload_nif), makes another of the same name, and the boxes that still live are
// of the earlier type. So types are kept here as long as they have boxes.
//
// Any thread may call any of these, except where said.
#ifndef TRIPOD_NIF_REGISTER_H
#define TRIPOD_NIF_REGISTER_H

#include <erl_nif.h>
#include <stdbool.h>

struct nif_box;

// Part of a box; guarded by the register's lock.
struct nif_entry {
    struct nif_entry *next, *previous;
    struct nif_kind *kind; // the resource type it was allocated with; NULL: not entered
    bool closing;          // by nif_register_close, on another thread perhaps than a destructor's
};

// From load and upgrade, and once each per load that succeeded. `name` and `init` as
// enif_init_resource_type wants them. False: nothing has changed.
bool nif_register_load(ErlNifEnv *env, const char *name, const ErlNifResourceTypeInit *init);
void nif_register_unload(void);

// A box's memory; NULL: there is none. It is entered when it is ready to be closed by others, and
// before it has a handle. False: the VM halts, there are no new boxes.
struct nif_box *nif_register_alloc(void);
bool nif_register_enter(struct nif_box *box);
// The first thing that a destructor does, entered or not: waits while this box is being closed
// here.
void nif_register_leave(struct nif_box *box);

// NULL: `handle` is no box of this library.
struct nif_box *nif_register_find(ErlNifEnv *env, ERL_NIF_TERM handle);

// Every box that there is now is to be closed, and none that is opened later; takes no time.
void nif_register_condemn(void);
// Closes those, and returns when all are, whoever else is at it. Holds no lock while it closes one.
// `env` of the calling NIF, or NULL on a thread of the library's own.
void nif_register_close(ErlNifEnv *env);

// The VM halts: ends the calls in progress, and lets none begin, so that no scheduler is held by
// one. Frees nothing.
void nif_register_halt(void);

#endif
