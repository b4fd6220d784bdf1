// SPDX-License-Identifier: Apache-2.0
// The application stops, which closes box after box, and at the moment at which one of them is half
// closed others come by: an owner that opens a box and dies, the destructor of this very box, and
// another who stops the application. On the stand-in for the VM, which aborts when the library
// calls it with one of the library's locks.
#include "nif_rig.h"

#include <time.h>

enum { BOXES = 3, DEADLINE_MS = 20000 };

static ErlNifEnv owners[BOXES];
static pthread_t other;
static void (*other_work)(void);
static _Atomic(bool) other_done;
static bool met;
static ErlNifEnv latecomer;
static ERL_NIF_TERM later; // its box

static ERL_NIF_TERM open_box(ErlNifEnv *env) {
    env->process = vm_spawn();
    return nif_rig_open_echo(env);
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

static void *other_main(void *unused) {
    (void)unused;
    other_work();
    other_done = true;
    return NULL;
}

// Starts the other thread, and returns when it waits.
static void begin_other(void *unused) {
    const struct timespec step = {.tv_nsec = 1000000};
    (void)unused;
    other_done = false;
    assert_int_equal(pthread_create(&other, NULL, other_main, NULL), 0);
    for (unsigned i = 0; i < DEADLINE_MS && vm_waiting() == 0 && !other_done; i++)
        (void)nanosleep(&step, NULL);
    met = vm_waiting() == 1 && !other_done;
}

// Stops; another thread begins with its work when the first box is half closed.
static void stop_beside(void (*work)(void)) {
    met = false;
    other_work = work;
    vm_at(VM_DEMONITORS, begin_other, NULL);
    stop();
    assert_int_equal(pthread_join(other, NULL), 0);
}

static void drop_handles(void) {
    for (unsigned i = 0; i < BOXES; i++)
        enif_clear_env(&owners[i]);
}

static void a_destructor_waits_for_who_closes_its_box(void **state) {
    (void)state;
    for (unsigned i = 0; i < BOXES; i++)
        (void)open_box(&owners[i]);
    stop_beside(drop_handles);
    assert_nothing_left();
}

// It closes the others, and returns when all are closed.
static void two_who_stop_share_the_work(void **state) {
    (void)state;
    ERL_NIF_TERM boxes[BOXES];
    for (unsigned i = 0; i < BOXES; i++)
        boxes[i] = open_box(&owners[i]);
    stop_beside(stop);
    for (unsigned i = 0; i < BOXES; i++)
        assert_true(is_closed(&owners[i], boxes[i]));
    assert_nothing_left();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_open_and_lose_boxes_while_one_is_closed),
        cmocka_unit_test(a_destructor_waits_for_who_closes_its_box),
        cmocka_unit_test(two_who_stop_share_the_work),
    };
    return cmocka_run_group_tests(tests, nif_rig_load, nif_rig_unload);
}
