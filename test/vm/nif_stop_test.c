// SPDX-License-Identifier: Apache-2.0
// The application stops, which closes box after box, and at the moment at which one of them is half
// closed others come by: an owner that opens a box and dies, the destructor of this very box, and
// another who stops the application. On the stand-in for the VM, which aborts when the library
// calls it with one of the library's locks.
#include "vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

ErlNifEntry *nif_init(void);

enum { BOXES = 3, DEADLINE_MS = 20000 };

static const ErlNifEntry *library;
static void *library_data;
static ErlNifEnv owners[BOXES];
static pthread_t other;
static _Atomic(bool) other_done;
static bool met;
static ErlNifEnv latecomer;
static ERL_NIF_TERM later; // its box

static ERL_NIF_TERM open_box(ErlNifEnv *env) {
    env->process = vm_spawn();
    ERL_NIF_TERM config = enif_make_tuple(
        env, 9, vm_atom("echo"), enif_make_int64(env, 1 << 20), enif_make_int64(env, 1000000000),
        enif_make_int64(env, 1000000), enif_make_int64(env, 200), enif_make_int64(env, 1 << 20),
        vm_atom("count"), vm_atom("yield"), vm_atom("owner"));
    return vm_element(vm_call(library, env, "open", 1, &config), 1);
}

static bool is_closed(ErlNifEnv *env, ERL_NIF_TERM box) {
    ERL_NIF_TERM reply = vm_call(library, env, "usage", 1, &box);
    return vm_tag(reply) == VM_TAG_NODE && vm_element(reply, 1) == vm_atom("closed");
}

static void stop(void) {
    ErlNifEnv env = {.process = NULL};
    (void)vm_call(library, &env, "stop", 0, NULL);
    enif_clear_env(&env);
}

static void assert_nothing_left(void) {
    assert_true(met);
    for (unsigned i = 0; i < BOXES; i++) {
        vm_exit(owners[i].process);
        enif_clear_env(&owners[i]);
    }
    assert_int_equal(vm_resources(), 0);
    vm_forget();
}

static void open_and_die(void *data) {
    (void)data;
    ErlNifEnv env = {.process = NULL};
    ERL_NIF_TERM box = open_box(&env);
    assert_false(is_closed(&env, box));
    vm_exit(env.process);
    assert_true(is_closed(&env, box));
    enif_clear_env(&env);
    later = open_box(&latecomer);
    met = true;
}

// Among boxes that an earlier stop has closed, and whose handles are still there.
static void others_open_and_lose_boxes_while_one_is_closed(void **state) {
    (void)state;
    ERL_NIF_TERM boxes[BOXES];
    met = false;
    for (unsigned i = 0; i < BOXES; i++) {
        boxes[i] = open_box(&owners[i]);
        if (i == BOXES - 1)
            vm_at(VM_DEMONITORS, open_and_die, NULL);
        stop();
    }
    for (unsigned i = 0; i < BOXES; i++)
        assert_true(is_closed(&owners[i], boxes[i]));
    assert_false(is_closed(&latecomer, later));
    stop();
    assert_true(is_closed(&latecomer, later));
    vm_exit(latecomer.process);
    enif_clear_env(&latecomer);
    assert_nothing_left();
}

// Starts the other thread, and returns when it waits.
static void begin_other(void *(*run)(void *)) {
    const struct timespec step = {.tv_nsec = 1000000};
    other_done = false;
    assert_int_equal(pthread_create(&other, NULL, run, NULL), 0);
    for (unsigned i = 0; i < DEADLINE_MS && vm_waiting() == 0 && !other_done; i++)
        (void)nanosleep(&step, NULL);
    met = vm_waiting() == 1 && !other_done;
}

static void *drop_handles(void *data) {
    (void)data;
    for (unsigned i = 0; i < BOXES; i++)
        enif_clear_env(&owners[i]);
    other_done = true;
    return NULL;
}

static void begin_to_drop_handles(void *data) {
    (void)data;
    begin_other(drop_handles);
}

static void a_destructor_waits_for_who_closes_its_box(void **state) {
    (void)state;
    for (unsigned i = 0; i < BOXES; i++)
        (void)open_box(&owners[i]);
    met = false;
    vm_at(VM_DEMONITORS, begin_to_drop_handles, NULL);
    stop();
    assert_int_equal(pthread_join(other, NULL), 0);
    assert_nothing_left();
}

static void *stop_too(void *data) {
    (void)data;
    stop();
    other_done = true;
    return NULL;
}

static void begin_to_stop_too(void *data) {
    (void)data;
    begin_other(stop_too);
}

// It closes the others, and returns when all are closed.
static void two_who_stop_share_the_work(void **state) {
    (void)state;
    ERL_NIF_TERM boxes[BOXES];
    for (unsigned i = 0; i < BOXES; i++)
        boxes[i] = open_box(&owners[i]);
    met = false;
    vm_at(VM_DEMONITORS, begin_to_stop_too, NULL);
    stop();
    assert_int_equal(pthread_join(other, NULL), 0);
    for (unsigned i = 0; i < BOXES; i++)
        assert_true(is_closed(&owners[i], boxes[i]));
    assert_nothing_left();
}

static int load(void **state) {
    (void)state;
    ErlNifEnv env = {.process = NULL};
    library = nif_init();
    return library->load(&env, &library_data, 0);
}

static int unload(void **state) {
    (void)state;
    ErlNifEnv env = {.process = NULL};
    library->unload(&env, library_data);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_open_and_lose_boxes_while_one_is_closed),
        cmocka_unit_test(a_destructor_waits_for_who_closes_its_box),
        cmocka_unit_test(two_who_stop_share_the_work),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
