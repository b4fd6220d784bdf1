// SPDX-License-Identifier: Apache-2.0
// What a call or a question about a box comes to, as a term. Used by any thread, with an
// environment of its own; `caller` is what enif functions want to know about the calling thread:
// the environment of the NIF that it runs, or NULL on a thread of the library's own.
#ifndef TRIPOD_NIF_ANSWER_H
#define TRIPOD_NIF_ANSWER_H

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_sink.h"

// What is to be said instead of a reply. With BOX_DONE the service broke its promise of one whole
// term, and the box is closed.
ERL_NIF_TERM nif_answer_none(ErlNifEnv *env, ErlNifEnv *caller, struct nif_box *self,
                             enum box_result result);

// What came of a call that is over.
static inline ERL_NIF_TERM nif_answer_call(ErlNifEnv *env, ErlNifEnv *caller, struct nif_box *self,
                                           enum box_result result, const struct nif_sink *reply) {
    ERL_NIF_TERM term;
    return result == BOX_DONE && nif_sink_term(reply, &term)
               ? term
               : nif_answer_none(env, caller, self, result);
}

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
