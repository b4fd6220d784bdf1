// SPDX-License-Identifier: Apache-2.0
// One call on schedulers, in steps. The scheduler thread that runs the owner runs the service;
// after about a slice the service comes back with MORE and the rest of the call is scheduled anew,
// perhaps on another scheduler, after other processes had their turn.
//
//   yield    each step on a normal scheduler, unless it would hold that up: a conversion beyond its
//            budget, and the steps of a box that lately could not come back in time, run on a dirty
//            one
//   dirty    each step on a dirty scheduler
//   inline   one step, however long, on the scheduler where the caller is
#include "nif.h"

#include "nif_answer.h"
#include "nif_source.h"

#include <stdint.h>
#include <time.h>

#ifdef CLOCK_MONOTONIC_COARSE
#define NIF_CALL_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define NIF_CALL_CLOCK CLOCK_MONOTONIC
#endif

// A step that outlasted its slice this often could not return: one that can does so the first time.
#define NIF_CALL_STUCK_SLICES 4u
// The same for what never looks at the clock, such as the parser or a full collection, as far as
// the coarse clock can tell it from a thread that just did not get a processor.
#define NIF_CALL_STUCK_NS UINT64_C(16000000)
// A box that was stuck runs so many steps on a dirty scheduler; more, if it is stuck there too. At
// 2 us for each that did not need it, the price of a wrong guess is a tenth of a slice.
#define NIF_CALL_AWAY_STEPS 64u

static ERL_NIF_TERM nif_call_more(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
static ERL_NIF_TERM nif_call_more_away(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

// The VM counts a NIF call as next to nothing, so a process could make calls of just under a slice
// for seconds before it is scheduled out. A call that saw the coarse clock tick (every 4 ms, read
// in 3 ns) pays a whole time slice. Short calls see it as rarely as they are short, so everybody
// pays in proportion, on average, and nobody runs much longer than a tick.
//
// Seconds and nanoseconds side by side, 30 bits for the latter.
static inline uint64_t nif_call_tick(void) {
    struct timespec now;
    (void)clock_gettime(NIF_CALL_CLOCK, &now);
    return (uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec;
}

static uint64_t nif_call_ns(uint64_t tick) {
    return (tick >> 30) * UINT64_C(1000000000) + (tick & ((UINT64_C(1) << 30) - 1));
}

// After a step: was the box stuck in it? One that was only sent away because of a large term is not
// to blame for its time.
static void nif_call_book(struct nif_box *self, uint64_t began, uint64_t ended, bool away) {
    bool stuck = self->ticks >= NIF_CALL_STUCK_SLICES ||
                 nif_call_ns(ended) - nif_call_ns(began) >= NIF_CALL_STUCK_NS;
    self->ticks = 0;
    if (self->mode != NIF_YIELD || (away && self->away == 0))
        return;
    if (stuck)
        self->away = NIF_CALL_AWAY_STEPS;
    else if (away)
        self->away--;
}

// The handle among the arguments keeps the resource alive; if the owner is killed before the next
// step, nothing runs any more and its down closes the box.
static ERL_NIF_TERM nif_call_next(ErlNifEnv *env, ERL_NIF_TERM handle, bool away) {
    (void)enif_consume_timeslice(env, 100);
    return away ? enif_schedule_nif(env, "call", ERL_NIF_DIRTY_JOB_CPU_BOUND, nif_call_more_away, 1,
                                    &handle)
                : enif_schedule_nif(env, "call", 0, nif_call_more, 1, &handle);
}

static ERL_NIF_TERM nif_call_run(ErlNifEnv *env, ERL_NIF_TERM handle, struct nif_box *self,
                                 enum box_result result, uint64_t began, bool away) {
    struct nif_sink reply;
    nif_sink_init(&reply, env, away ? NIF_BUDGET_NONE : self->budget);
    if (result == BOX_MORE)
        result = box_step(&self->box, &reply.sink);
    while (result == BOX_MORE && self->mode == NIF_INLINE) { // only a reply that starts over
        nif_sink_reset(&reply);
        result = box_step(&self->box, &reply.sink);
    }
    uint64_t ended = nif_call_tick();
    if (ended != began || self->ticks != 0 || away)
        nif_call_book(self, began, ended, away);
    ERL_NIF_TERM term;
    if (result == BOX_MORE || result == BOX_LATER) {
        term = nif_call_next(env, handle,
                             self->mode == NIF_DIRTY || self->away > 0 || result == BOX_LATER);
    } else {
        if (ended != began)
            (void)enif_consume_timeslice(env, 100);
        term = nif_answer_call(env, env, self, result, &reply);
    }
    nif_sink_release(&reply);
    return term;
}

static ERL_NIF_TERM nif_call_step(ErlNifEnv *env, ERL_NIF_TERM handle, bool away) {
    struct nif_box *self = nif_box_get(env, handle);
    if (self == NULL)
        return nif_box_refuse(env, self);
    return nif_call_run(env, handle, self, BOX_MORE, nif_call_tick(), away);
}

static ERL_NIF_TERM nif_call_more(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return nif_call_step(env, argv[0], false);
}

static ERL_NIF_TERM nif_call_more_away(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return nif_call_step(env, argv[0], true);
}

// (Handle, Request): the request was too large for a normal scheduler.
static ERL_NIF_TERM nif_call_again(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL)
        return nif_box_refuse(env, self);
    uint64_t began = nif_call_tick();
    struct nif_source request;
    nif_source_init(&request, env, argv[1], box_request_depth(&self->box), NIF_BUDGET_NONE);
    enum box_result result = box_begin_again(&self->box, &request.source);
    return nif_call_run(env, argv[0], self, result, began, true);
}

static inline ERL_NIF_TERM nif_call_begin(ErlNifEnv *env, const ERL_NIF_TERM argv[], bool away) {
    ErlNifUInt64 time_ms;
    if (!enif_get_uint64(env, argv[2], &time_ms))
        return enif_make_badarg(env);
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL || !nif_box_owned(env, self))
        return nif_box_refuse(env, self);
    if (!away && self->away > 0)
        return enif_schedule_nif(env, "call", ERL_NIF_DIRTY_JOB_CPU_BOUND, nif_call_dirty, 3, argv);
    uint64_t began = nif_call_tick();
    struct nif_source request;
    nif_source_init(&request, env, argv[1], box_request_depth(&self->box),
                    away ? NIF_BUDGET_NONE : self->budget);
    enum box_result result =
        box_begin(&self->box, &request.source, (uint64_t)time_ms * UINT64_C(1000000));
    if (result == BOX_LATER)
        return enif_schedule_nif(env, "call", ERL_NIF_DIRTY_JOB_CPU_BOUND, nif_call_again, 2, argv);
    return nif_call_run(env, argv[0], self, result, began, away);
}

ERL_NIF_TERM nif_call(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return nif_call_begin(env, argv, false);
}

ERL_NIF_TERM nif_call_dirty(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    return nif_call_begin(env, argv, true);
}
