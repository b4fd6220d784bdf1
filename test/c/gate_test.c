// SPDX-License-Identifier: Apache-2.0
// The gate: every transition from every state, then calls, interrupts and closers on real threads.
// `content` stands for the instance: no atomic, so that TSan sees whether the gate alone orders
// whoever runs it and whoever releases it.
#include "gate.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CALLING   GATE_CALL
#define INSIDE    (GATE_CALL | GATE_BUSY)
#define INTERRUPT SERVICE_STOP_INTERRUPT
#define CLOSE     SERVICE_STOP_CLOSE

// Relaxed, so that looking orders nothing.
static uint32_t word(struct gate *gate) {
    return atomic_load_explicit(&gate->word, memory_order_relaxed);
}

static struct gate at(uint32_t value) {
    struct gate gate;
    atomic_init(&gate.word, value);
    return gate;
}

static void starts_idle(void **state) {
    (void)state;
    struct gate gate;
    gate_init(&gate);
    assert_int_equal(word(&gate), 0);
    assert_false(gate_calling(&gate));
}

static void enters_only_when_idle(void **state) {
    (void)state;
    static const struct {
        uint32_t before, after;
        enum gate_entry entry;
    } cases[] = {
        {0, INSIDE, GATE_ENTERED},
        {INSIDE, INSIDE, GATE_TAKEN},
        {CALLING, CALLING, GATE_TAKEN},
        {INSIDE | INTERRUPT, INSIDE | INTERRUPT, GATE_TAKEN},
        {CALLING | INTERRUPT, CALLING | INTERRUPT, GATE_TAKEN},
        {CLOSE, CLOSE, GATE_CLOSED},
        {INSIDE | CLOSE, INSIDE | CLOSE, GATE_CLOSED},
        {CALLING | CLOSE, CALLING | CLOSE, GATE_CLOSED},
        {INSIDE | INTERRUPT | CLOSE, INSIDE | INTERRUPT | CLOSE, GATE_CLOSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate gate = at(cases[i].before);
        assert_int_equal(gate_enter(&gate), cases[i].entry);
        assert_int_equal(word(&gate), cases[i].after);
    }
}

static void leaves_and_takes_the_interrupt_along(void **state) {
    (void)state;
    struct gate gate = at(INSIDE | INTERRUPT);
    assert_true(gate_calling(&gate));
    assert_false(gate_leave(&gate));
    assert_int_equal(word(&gate), 0);
    gate = at(INSIDE | INTERRUPT | CLOSE);
    assert_true(gate_leave(&gate));
    assert_int_equal(word(&gate), CLOSE);
}

static void pauses_and_resumes_one_call(void **state) {
    (void)state;
    struct gate gate = at(INSIDE | INTERRUPT);
    assert_false(gate_pause(&gate));
    assert_int_equal(word(&gate), CALLING | INTERRUPT); // it is for this call still
    assert_true(gate_calling(&gate));
    assert_int_equal(gate_resume(&gate), GATE_ENTERED);
    assert_int_equal(word(&gate), INSIDE | INTERRUPT);
    assert_int_equal(gate_resume(&gate), GATE_TAKEN);
    gate = at(INSIDE | CLOSE);
    assert_true(gate_pause(&gate));
    assert_int_equal(word(&gate), CALLING | CLOSE);
    assert_int_equal(gate_resume(&gate), GATE_CLOSED);
    assert_int_equal(word(&gate), CALLING | CLOSE);
}

static void interrupts_only_a_call_in_progress(void **state) {
    (void)state;
    static const struct {
        uint32_t before, after;
        bool done;
    } cases[] = {
        {0, 0, false},
        {CALLING, CALLING | INTERRUPT, true},
        {INSIDE, INSIDE | INTERRUPT, true},
        {INSIDE | INTERRUPT, INSIDE | INTERRUPT, true},
        {CLOSE, CLOSE, false},
        {INSIDE | CLOSE, INSIDE | CLOSE, false},
        {CALLING | CLOSE, CALLING | CLOSE, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate gate = at(cases[i].before);
        assert_int_equal(gate_interrupt(&gate), cases[i].done);
        assert_int_equal(word(&gate), cases[i].after);
    }
}

static void closes_once_and_names_who_releases(void **state) {
    (void)state;
    static const struct {
        uint32_t before;
        enum gate_closing closing;
    } cases[] = {
        {0, GATE_RELEASE_NOW},
        {CALLING, GATE_RELEASE_NOW},
        {CALLING | INTERRUPT, GATE_RELEASE_NOW},
        {INSIDE, GATE_RELEASED_BY_RUNNER},
        {INSIDE | INTERRUPT, GATE_RELEASED_BY_RUNNER},
        {CLOSE, GATE_ALREADY_CLOSED},
        {CALLING | CLOSE, GATE_ALREADY_CLOSED},
        {INSIDE | CLOSE, GATE_ALREADY_CLOSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate gate = at(cases[i].before);
        assert_int_equal(gate_close(&gate), cases[i].closing);
        assert_int_equal(word(&gate), cases[i].before | CLOSE);
        assert_int_equal(gate_close(&gate), GATE_ALREADY_CLOSED);
    }
}

enum { RUNNERS = 2, CALLS = 4, STEPS = 3, INTERRUPTERS = 2, CLOSERS = 3 };
enum { THREADS = RUNNERS + INTERRUPTERS + CLOSERS };

// What a round can end with. A stress goes on until it has seen each of them often enough.
enum outcome { BY_CLOSER, BY_CLOSER_IN_CALL, BY_RUNNER, INTERRUPTED, OUTCOMES };

struct stress {
    pthread_barrier_t barrier;
    struct gate gate;
    unsigned content;             // guarded by the gate
    unsigned stopped;             // calls that saw an interrupt; guarded by the gate
    _Atomic(unsigned) interrupts; // of this round, those that found a call
    _Atomic(unsigned) releases;   // of this round
    _Atomic(bool) over;           // no more rounds
    bool closes;                  // closers take part in this round
    _Atomic(unsigned) seen[OUTCOMES];
};

struct player {
    struct stress *stress;
    void (*play)(struct player *player);
    uint32_t random;
    pthread_t thread;
};

static void stress_saw(struct stress *stress, enum outcome outcome) {
    atomic_fetch_add_explicit(&stress->seen[outcome], 1, memory_order_relaxed);
}

static void stress_release(struct stress *stress, enum outcome outcome) {
    stress->content = 0;
    atomic_fetch_add_explicit(&stress->releases, 1, memory_order_relaxed);
    stress_saw(stress, outcome);
}

// So that the players meet in another order in each round, also where one processor, or valgrind,
// runs them in turns.
static void player_dawdle(struct player *player) {
    player->random = player->random * 1664525u + 1013904223u;
    if (player->random >> 31)
        sched_yield();
    for (volatile uint32_t left = player->random >> 22 & 0x1ff; left > 0; left--)
        ;
}

// False: the instance was released, by this thread or another.
static bool player_step(struct player *player, bool *interrupted) {
    struct stress *stress = player->stress;
    stress->content += 1;
    *interrupted = *interrupted || (word(&stress->gate) & INTERRUPT) != 0;
    player_dawdle(player);
    if (gate_pause(&stress->gate)) {
        stress_release(stress, BY_RUNNER);
        return false;
    }
    player_dawdle(player);
    return gate_resume(&stress->gate) == GATE_ENTERED;
}

static bool player_call(struct player *player) {
    struct stress *stress = player->stress;
    bool interrupted = false;
    for (unsigned step = 0; step < STEPS; step++)
        if (!player_step(player, &interrupted))
            return false;
    stress->stopped += interrupted;
    if (!gate_leave(&stress->gate))
        return true;
    stress_release(stress, BY_RUNNER);
    return false;
}

static void play_runner(struct player *player) {
    for (unsigned call = 0; call < CALLS; call++) {
        enum gate_entry entry = gate_enter(&player->stress->gate);
        if (entry == GATE_CLOSED || (entry == GATE_ENTERED && !player_call(player)))
            return;
        player_dawdle(player);
    }
}

static void play_interrupter(struct player *player) {
    player_dawdle(player);
    if (gate_interrupt(&player->stress->gate)) {
        atomic_fetch_add_explicit(&player->stress->interrupts, 1, memory_order_relaxed);
        stress_saw(player->stress, INTERRUPTED);
    }
}

static void play_closer(struct player *player) {
    struct stress *stress = player->stress;
    if (!stress->closes)
        return;
    player_dawdle(player);
    if (gate_close(&stress->gate) == GATE_RELEASE_NOW)
        stress_release(stress, gate_calling(&stress->gate) ? BY_CLOSER_IN_CALL : BY_CLOSER);
}

static void *player_main(void *context) {
    struct player *player = context;
    for (;;) {
        pthread_barrier_wait(&player->stress->barrier);
        if (atomic_load(&player->stress->over))
            return NULL;
        player->play(player);
        pthread_barrier_wait(&player->stress->barrier);
    }
}

static void stress_round(struct stress *stress, bool closes) {
    gate_init(&stress->gate);
    stress->content = 1;
    stress->stopped = 0;
    stress->closes = closes;
    atomic_store(&stress->interrupts, 0);
    atomic_store(&stress->releases, 0);
    pthread_barrier_wait(&stress->barrier);
    pthread_barrier_wait(&stress->barrier);
    // One interrupt never stops two calls.
    assert_true(stress->stopped <= atomic_load(&stress->interrupts));
    assert_int_equal(atomic_load(&stress->releases), closes ? 1 : 0);
    assert_int_equal(stress->content == 0, closes);
    if (!closes) {
        assert_int_equal(word(&stress->gate), 0);
        assert_int_equal(gate_close(&stress->gate), GATE_RELEASE_NOW);
    }
}

static bool stress_saw_all(struct stress *stress, unsigned times) {
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++)
        if (atomic_load(&stress->seen[outcome]) < times)
            return false;
    return true;
}

static void releases_once_when_all_meet(void **state) {
    (void)state;
    static struct stress stress;
    static struct player players[THREADS];
    assert_int_equal(pthread_barrier_init(&stress.barrier, NULL, THREADS + 1), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        players[i].stress = &stress;
        players[i].random = i * 7919;
        players[i].play = i < RUNNERS                  ? play_runner
                          : i < RUNNERS + INTERRUPTERS ? play_interrupter
                                                       : play_closer;
        assert_int_equal(pthread_create(&players[i].thread, NULL, player_main, &players[i]), 0);
    }
    unsigned rounds = 0;
    while (rounds < 800 || (rounds < 100000 && !stress_saw_all(&stress, 25)))
        stress_round(&stress, ++rounds % 4 != 0);
    atomic_store(&stress.over, true);
    pthread_barrier_wait(&stress.barrier);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(players[i].thread, NULL), 0);
    assert_true(stress_saw_all(&stress, 25));
    pthread_barrier_destroy(&stress.barrier);
}

enum { HANDOVERS = 4000 };

// A call that two threads run in turns. `turn` is relaxed: only the gate orders `content`.
struct relay {
    struct gate gate;
    unsigned content;
    _Atomic(unsigned) turn;
};

static void relay_run(struct relay *relay, unsigned mine) {
    for (;;) {
        unsigned turn = atomic_load_explicit(&relay->turn, memory_order_relaxed);
        if (turn == HANDOVERS)
            return;
        if (turn % 2 == mine && gate_resume(&relay->gate) == GATE_ENTERED) {
            relay->content += 1;
            (void)gate_pause(&relay->gate);
            atomic_store_explicit(&relay->turn, turn + 1, memory_order_relaxed);
        } else {
            sched_yield();
        }
    }
}

static void *relay_main(void *context) {
    relay_run(context, 1);
    return NULL;
}

static void moves_a_call_between_threads(void **state) {
    (void)state;
    struct relay relay = {.content = 0};
    gate_init(&relay.gate);
    atomic_init(&relay.turn, 0);
    assert_int_equal(gate_enter(&relay.gate), GATE_ENTERED);
    assert_false(gate_pause(&relay.gate));
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, relay_main, &relay), 0);
    relay_run(&relay, 0);
    assert_int_equal(gate_resume(&relay.gate), GATE_ENTERED);
    assert_int_equal(relay.content, HANDOVERS);
    assert_false(gate_leave(&relay.gate));
    assert_int_equal(pthread_join(other, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_idle),
        cmocka_unit_test(enters_only_when_idle),
        cmocka_unit_test(leaves_and_takes_the_interrupt_along),
        cmocka_unit_test(pauses_and_resumes_one_call),
        cmocka_unit_test(interrupts_only_a_call_in_progress),
        cmocka_unit_test(closes_once_and_names_who_releases),
        cmocka_unit_test(releases_once_when_all_meet),
        cmocka_unit_test(moves_a_call_between_threads),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
