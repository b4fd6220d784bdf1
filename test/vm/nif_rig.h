// SPDX-License-Identifier: Apache-2.0
// The NIF as the tests on the stand-in for the VM have it: loaded for all tests of a program, with
// a box of the echo service where it does not matter what is in it.
#ifndef TRIPOD_TEST_NIF_RIG_H
#define TRIPOD_TEST_NIF_RIG_H

#include "vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

ErlNifEntry *nif_init(void);

static const ErlNifEntry *library;
static void *library_data;

// Set-up and teardown of a group of tests.
static inline int nif_rig_load(void **state) {
    (void)state;
    ErlNifEnv env = {.process = NULL};
    library = nif_init();
    return library->load(&env, &library_data, 0);
}

static inline int nif_rig_unload(void **state) {
    (void)state;
    ErlNifEnv env = {.process = NULL};
    library->unload(&env, library_data);
    return 0;
}

// The handle of a new box, which the process of `env` owns.
static inline ERL_NIF_TERM nif_rig_open_echo(ErlNifEnv *env) {
    ERL_NIF_TERM config = enif_make_tuple(
        env, 9, vm_atom("echo"), enif_make_int64(env, 1 << 20), enif_make_int64(env, 1000000000),
        enif_make_int64(env, 1000000), enif_make_int64(env, 200), enif_make_int64(env, 1 << 20),
        vm_atom("count"), vm_atom("yield"), vm_atom("owner"));
    return vm_element(vm_call(library, env, "open", 1, &config), 1);
}

#endif
