// SPDX-License-Identifier: Apache-2.0
// What a call or a question about a box comes to, as a term. Used by any thread, with an
// environment of its own; `caller` is what enif functions want to know about the calling thread:
// the environment of the NIF that it runs, or NULL on a thread of the library's own.
#ifndef TRIPOD_NIF_ANSWER_H
#define TRIPOD_NIF_ANSWER_H

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_sink.h"

// The reply that `reply` holds, or what is to be said instead. Closes the box if the service broke
// its promise of one whole term.
ERL_NIF_TERM nif_answer_call(ErlNifEnv *env, ErlNifEnv *caller, struct nif_box *self,
                             enum box_result result, struct nif_sink *reply);

// {ok, #{bytes, peak_bytes, calls, live_bytes}} or {error, _}.
ERL_NIF_TERM nif_answer_usage(ErlNifEnv *env, struct nif_box *self);

// For BOX_CLOSED, BOX_DOWN and BOX_TAKEN.
ERL_NIF_TERM nif_answer_explain(ErlNifEnv *env, const struct nif_box *self, enum box_result result);

static inline ERL_NIF_TERM nif_answer_error(ErlNifEnv *env, ERL_NIF_TERM reason) {
    return nif_atom_pair(env, NIF_ATOM_error, reason);
}

// A map of four distinct keys, so it cannot be refused.
ERL_NIF_TERM nif_answer_map(ErlNifEnv *env, const enum nif_atom keys[4], const uint64_t values[4]);

#endif
