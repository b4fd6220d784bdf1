// SPDX-License-Identifier: Apache-2.0
// A crowd in the whole NIF, on the stand-in for the VM: owners that open boxes of every mode, call
// them, give them away and die, while others who hold the handle interrupt, close, count and kill.
// The test itself requires little: every request that was taken is answered, and nothing is left.
// It is there for ThreadSanitizer and AddressSanitizer to watch.
#include "nif_rig.h"

#include <string.h>
#include <time.h>

enum { OWNERS = 3, MEDDLERS = 2, ROUNDS = 120, BURST = 200, STOPS = 60, DEADLINE_MS = 20000 };

static struct vm_process *meddlers[MEDDLERS];
static _Atomic(unsigned) answered, refused, unanswered, killed, full;

enum { YIELD, INLINE, DIRTY, THREAD, MODES };
// Made while there is one thread.
static struct {
    ERL_NIF_TERM ok, full, error, eval, lua, echo, timer, count, owner, room, stop;
    ERL_NIF_TERM modes[MODES];
} atoms;

// The last has no end, and is for the hook that counts: TSan hands a thread its signals, and so the
// timer's, only where that calls the C library, which a loop of Lua's does not.
static const char *const scripts[] = {
    "return 1",
    "local t = {} for i = 1, 200 do t[i] = {i, tostring(i)} end return t",
    "error('no')",
    "local s = ('x'):rep(3e6) return #s",
    "x = (x or 0) + 1 return x",
    "return coroutine.wrap(function() coroutine.yield(pcall(error, 'a')) end)()",
    "big = {} for i = 1, 20000 do big[i] = {i} end",
    "while true do end",
};

enum { SCRIPTS = sizeof scripts / sizeof scripts[0] };

static unsigned dice(unsigned *state, unsigned sides) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 16) % sides;
}

static bool is_error(ERL_NIF_TERM reply) {
    return reply != 0 && vm_tag(reply) == VM_TAG_NODE && vm_element(reply, 0) == atoms.error;
}

struct kind {
    unsigned mode;
    bool echo, timed;
};

// The handle, or 0.
static ERL_NIF_TERM open_box(ErlNifEnv *env, struct kind kind) {
    ERL_NIF_TERM config = enif_make_tuple(
        env, 9, kind.echo ? atoms.echo : atoms.lua, enif_make_int64(env, 8 << 20),
        enif_make_int64(env, 20000000), enif_make_int64(env, 1000000), enif_make_int64(env, 200),
        enif_make_int64(env, 1 << 20), kind.timed ? atoms.timer : atoms.count,
        atoms.modes[kind.mode], atoms.owner);
    ERL_NIF_TERM reply = vm_call(library, env, "open", 1, &config);
    return is_error(reply) ? 0 : vm_element(reply, 1);
}

static ERL_NIF_TERM request(ErlNifEnv *env, unsigned *luck, struct kind kind) {
    const char *script = scripts[dice(luck, kind.timed ? SCRIPTS - 1 : SCRIPTS)];
    ERL_NIF_TERM none = enif_make_list_from_array(env, NULL, 0);
    return enif_make_tuple(env, 3, atoms.eval, vm_bytes(env, script), none);
}

static void call(ErlNifEnv *env, unsigned *luck, ERL_NIF_TERM box, struct kind kind) {
    const ERL_NIF_TERM argv[] = {box, request(env, luck, kind), enif_make_int64(env, 0)};
    const char *name = kind.mode == DIRTY ? "call_dirty" : "call";
    ERL_NIF_TERM reply = vm_call(library, env, name, 3, argv);
    atomic_fetch_add_explicit(is_error(reply) ? &refused : &answered, 1, memory_order_relaxed);
}

// Waits for one message to the caller. False: it died.
static bool await(ErlNifEnv *env, unsigned *rooms) {
    ERL_NIF_TERM message = vm_receive(env->process, env);
    if (message == 0) {
        if (vm_alive(env->process))
            atomic_fetch_add_explicit(&unanswered, 1, memory_order_relaxed);
        return false;
    }
    if (vm_element(message, 1) == atoms.room)
        *rooms += 1;
    else
        atomic_fetch_add_explicit(&answered, 1, memory_order_relaxed);
    return true;
}

// Sends requests to a box of the pool's, and waits for all the replies, or leaves them behind.
static void submit(ErlNifEnv *env, unsigned *luck, ERL_NIF_TERM box, struct kind kind,
                   unsigned wanted) {
    unsigned sent = 0, rooms = 0, waiting = 0;
    while (sent + waiting < wanted && rooms == waiting) {
        ERL_NIF_TERM id = enif_make_int64(env, sent);
        const ERL_NIF_TERM call_argv[] = {box, request(env, luck, kind), enif_make_int64(env, 0),
                                          id};
        const ERL_NIF_TERM usage_argv[] = {box, id};
        bool usage = dice(luck, 4) == 0;
        ERL_NIF_TERM taken = usage ? vm_call(library, env, "submit_usage", 2, usage_argv)
                                   : vm_call(library, env, "submit", 4, call_argv);
        if (taken == atoms.ok) {
            sent++;
        } else if (taken == atoms.full) {
            atomic_fetch_add_explicit(&full, 1, memory_order_relaxed);
            waiting++;
        } else {
            break;
        }
    }
    if (dice(luck, 4) == 0)
        return;
    for (unsigned came = 0; came < sent + waiting; came++)
        if (!await(env, &rooms))
            return;
}

static void give_away(ErlNifEnv *env, unsigned *luck, ERL_NIF_TERM box) {
    struct vm_process *heir = vm_spawn();
    const ERL_NIF_TERM argv[] = {box, vm_pid(heir)};
    if (dice(luck, 3) == 0)
        vm_exit(heir);
    (void)vm_call(library, env, "give_away", 2, argv);
    // The heir has no thread of its own: it dies here, perhaps as the owner.
    if (dice(luck, 2) == 0) {
        ErlNifEnv heirs = {.process = heir};
        ERL_NIF_TERM handle = enif_make_copy(&heirs, box);
        (void)vm_call(library, &heirs, "usage", 1, &handle);
        enif_clear_env(&heirs);
    }
    vm_exit(heir);
}

static void *owner_main(void *data) {
    unsigned luck = *(const unsigned *)data;
    for (unsigned round = 0; round < ROUNDS; round++) {
        ErlNifEnv env = {.process = vm_spawn()};
        struct kind kind = {.mode = dice(&luck, MODES)};
        kind.echo = dice(&luck, 4) == 0;
        kind.timed = dice(&luck, 2) == 0;
        ERL_NIF_TERM box = open_box(&env, kind);
        if (box == 0) {
            vm_exit(env.process);
            enif_clear_env(&env);
            continue;
        }
        ERL_NIF_TERM shared = enif_make_tuple(&env, 2, box, vm_pid(env.process));
        for (unsigned i = 0; i < MEDDLERS; i++)
            (void)vm_send(meddlers[i], shared);
        for (unsigned i = dice(&luck, 4); i > 0 && vm_alive(env.process); i--) {
            if (kind.mode == THREAD)
                submit(&env, &luck, box, kind, dice(&luck, 12) == 0 ? BURST : 3);
            else
                call(&env, &luck, box, kind);
        }
        if (dice(&luck, 3) == 0 && vm_alive(env.process))
            give_away(&env, &luck, box);
        if (dice(&luck, 3) == 0)
            (void)vm_call(library, &env, "close", 1, &box);
        vm_exit(env.process);
        enif_clear_env(&env);
    }
    return NULL;
}

static void meddle(ErlNifEnv *env, unsigned *luck, ERL_NIF_TERM shared) {
    ERL_NIF_TERM box = vm_element(shared, 0);
    // As when the application stops, and is used again.
    if (dice(luck, STOPS) == 0)
        (void)vm_call(library, env, "stop", 0, NULL);
    for (unsigned i = 1 + dice(luck, 3); i > 0; i--)
        switch (dice(luck, 8)) {
        case 0:
            (void)vm_call(library, env, "close", 1, &box);
            break;
        case 1:
            (void)vm_call(library, env, "census", 0, NULL);
            break;
        case 2:
            (void)vm_call(library, env, "usage", 1, &box);
            break;
        case 3:
            vm_exit(vm_process_at(vm_element(shared, 1) >> VM_TAG_BITS));
            atomic_fetch_add_explicit(&killed, 1, memory_order_relaxed);
            break;
        default:
            (void)vm_call(library, env, "interrupt", 1, &box);
        }
}

static void *meddler_main(void *data) {
    struct vm_process *self = data;
    unsigned luck = (unsigned)self->index + 77;
    for (;;) {
        ErlNifEnv env = {.process = self};
        ERL_NIF_TERM message = vm_receive(self, &env);
        if (message != 0 && message != atoms.stop)
            meddle(&env, &luck, message);
        enif_clear_env(&env);
        if (message == 0 || message == atoms.stop)
            return NULL;
    }
}

static int load(void **state) {
    assert_int_equal(nif_rig_load(state), 0);
    atoms.ok = vm_atom("ok");
    atoms.full = vm_atom("full");
    atoms.error = vm_atom("error");
    atoms.eval = vm_atom("eval");
    atoms.lua = vm_atom("lua");
    atoms.echo = vm_atom("echo");
    atoms.timer = vm_atom("timer");
    atoms.count = vm_atom("count");
    atoms.owner = vm_atom("owner");
    atoms.room = vm_atom("room");
    atoms.stop = vm_atom("stop");
    atoms.modes[YIELD] = vm_atom("yield");
    atoms.modes[INLINE] = vm_atom("inline");
    atoms.modes[DIRTY] = vm_atom("dirty");
    atoms.modes[THREAD] = vm_atom("thread");
    return 0;
}

static int unload(void **state) {
    int failed = nif_rig_unload(state);
    vm_forget();
    return failed;
}

static bool anything_left(void) {
    ErlNifEnv env = {.process = NULL};
    ERL_NIF_TERM key, value, census = vm_call(library, &env, "census", 0, NULL);
    ErlNifMapIterator at;
    ErlNifSInt64 left = 0, any = 0;
    assert_true(enif_map_iterator_create(&env, census, &at, ERL_NIF_MAP_ITERATOR_FIRST));
    for (; enif_map_iterator_get_pair(&env, &at, &key, &value); enif_map_iterator_next(&env, &at)) {
        assert_true(enif_get_int64(&env, value, &left));
        any |= left;
    }
    enif_clear_env(&env);
    return any != 0;
}

// The reaper may still be giving memory back.
static void assert_nothing_left(void) {
    const struct timespec step = {.tv_nsec = 1000000};
    for (unsigned i = 0; i < DEADLINE_MS && anything_left(); i++)
        (void)nanosleep(&step, NULL);
    assert_false(anything_left());
    assert_int_equal(vm_resources(), 0);
}

// An owner whose box nobody else knows.
static void undisturbed(bool echo, unsigned requests) {
    unsigned luck = 1;
    struct kind kind = {.mode = THREAD, .echo = echo};
    ErlNifEnv env = {.process = vm_spawn()};
    ERL_NIF_TERM box = open_box(&env, kind);
    submit(&env, &luck, box, kind, requests);
    vm_exit(env.process);
    enif_clear_env(&env);
}

static void a_crowd_leaves_nothing(void **state) {
    (void)state;
    pthread_t owners[OWNERS], others[MEDDLERS];
    for (unsigned i = 0; i < MEDDLERS; i++) {
        meddlers[i] = vm_spawn();
        assert_int_equal(pthread_create(&others[i], NULL, meddler_main, meddlers[i]), 0);
    }
    unsigned luck[OWNERS];
    for (unsigned i = 0; i < OWNERS; i++) {
        luck[i] = i * 7919 + 1;
        assert_int_equal(pthread_create(&owners[i], NULL, owner_main, &luck[i]), 0);
    }
    for (unsigned i = 0; i < OWNERS; i++)
        assert_int_equal(pthread_join(owners[i], NULL), 0);
    for (unsigned i = 0; i < MEDDLERS; i++) {
        (void)vm_send(meddlers[i], atoms.stop);
        assert_int_equal(pthread_join(others[i], NULL), 0);
        vm_exit(meddlers[i]);
    }
    undisturbed(false, BURST);
    ErlNifEnv env = {.process = NULL};
    (void)vm_call(library, &env, "stop", 0, NULL);
    print_message("%u answered, %u refused, %u killed, %u times full\n", answered, refused, killed,
                  full);
    assert_int_equal(unanswered, 0);
    assert_true(answered > 0 && refused > 0 && killed > 0 && full > 0);
    assert_nothing_left();
}

// With locks that keep nobody out: ThreadSanitizer must report races of the NIF's own.
static void nobody_is_kept_out(void **state) {
    (void)state;
    vm_break_locks();
    undisturbed(true, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_crowd_leaves_nothing, load, unload)};
    const struct CMUnitTest broken[] = {
        cmocka_unit_test_setup_teardown(nobody_is_kept_out, load, unload)};
    return getenv("VM_BREAK_LOCKS") != NULL ? cmocka_run_group_tests(broken, NULL, NULL)
                                            : cmocka_run_group_tests(tests, NULL, NULL);
}
