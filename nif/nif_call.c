// SPDX-License-Identifier: Apache-2.0
// One call, in slices. The scheduler thread that runs the owner runs the service; after about a
// slice the service comes back with MORE and the rest of the call is scheduled anew, perhaps on
// another scheduler, after other processes had their turn.
#include "nif.h"

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_sink.h"
#include "nif_source.h"

#include <stdint.h>
#include <time.h>

#ifdef CLOCK_MONOTONIC_COARSE
#define NIF_CALL_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define NIF_CALL_CLOCK CLOCK_MONOTONIC
#endif

// The VM counts a NIF call as next to nothing, so a process could make calls of just under a slice
// for seconds before it is scheduled out. A call that saw the coarse clock tick (every 4 ms, read
// in 3 ns) pays a whole time slice. Short calls see it as rarely as they are short, so everybody
// pays in proportion, on average, and nobody runs much longer than a tick.
static long nif_call_tick(void) {
    struct timespec now;
    (void)clock_gettime(NIF_CALL_CLOCK, &now);
    return now.tv_nsec / 1000000;
}

static ERL_NIF_TERM nif_call_more(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

static ERL_NIF_TERM nif_call_answer(ErlNifEnv *env, struct nif_box *self, enum box_result result,
                                    struct nif_sink *reply) {
    ERL_NIF_TERM term;
    if (result == BOX_DONE && nif_sink_term(reply, &term))
        return term;
    if (result == BOX_DONE) { // the service broke its promise of one whole term
        nif_box_close(env, self);
        result = BOX_DOWN;
    }
    nif_sink_reset(reply);
    if (box_explain(&self->box, result, &reply->sink) == 0 && nif_sink_term(reply, &term))
        return term;
    return enif_raise_exception(env, nif_atom(NIF_ATOM_system));
}

static ERL_NIF_TERM nif_call_run(ErlNifEnv *env, ERL_NIF_TERM handle, struct nif_box *self,
                                 enum box_result result, long tick) {
    struct nif_sink reply;
    nif_sink_init(&reply, env);
    if (result == BOX_MORE)
        result = box_step(&self->box, &reply.sink);
    ERL_NIF_TERM term;
    if (result == BOX_MORE) {
        (void)enif_consume_timeslice(env, 100);
        // The handle among the arguments keeps the resource alive; if the owner is killed before
        // the next slice, nothing runs any more and its down closes the box.
        term = enif_schedule_nif(env, "call", 0, nif_call_more, 1, &handle);
    } else {
        if (nif_call_tick() != tick)
            (void)enif_consume_timeslice(env, 100);
        term = nif_call_answer(env, self, result, &reply);
    }
    nif_sink_release(&reply);
    return term;
}

static ERL_NIF_TERM nif_call_more(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL)
        return nif_box_refuse(env, self);
    return nif_call_run(env, argv[0], self, BOX_MORE, nif_call_tick());
}

ERL_NIF_TERM nif_call(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    ErlNifUInt64 time_ms;
    if (!enif_get_uint64(env, argv[2], &time_ms))
        return enif_make_badarg(env);
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL || !nif_box_owned(env, self))
        return nif_box_refuse(env, self);
    long tick = nif_call_tick();
    struct nif_source request;
    nif_source_init(&request, env, argv[1], box_request_depth(&self->box));
    enum box_result result =
        box_begin(&self->box, &request.source, (uint64_t)time_ms * UINT64_C(1000000));
    return nif_call_run(env, argv[0], self, result, tick);
}
