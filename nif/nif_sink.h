// SPDX-License-Identifier: Apache-2.0
// A sink that builds an Erlang term directly on the heap of the process that runs the NIF, or in an
// environment of its own that a message takes along.
//
// Finished terms wait on a stack until their container ends. The stack begins inside the struct,
// which lives on the C stack of the call, so a small reply allocates nothing but itself. A term
// that goes beyond the budget is TERM_E_LATER. Knows nothing of boxes. Used by one thread, within
// one NIF invocation; never across enif_schedule_nif, because its terms are reachable from no
// process until they are returned.
#ifndef TRIPOD_NIF_SINK_H
#define TRIPOD_NIF_SINK_H

#include "nif_budget.h"
#include "term.h"

#include <erl_nif.h>
#include <stdbool.h>
#include <stddef.h>

#define NIF_SINK_INLINE 64u

struct nif_sink {
    struct term_sink sink;
    ErlNifEnv *env;
    ERL_NIF_TERM *terms; // `few`, or a block of enif_alloc once that is full
    size_t length;
    size_t capacity;
    size_t limit;  // the budget as a whole
    size_t budget; // elements that may still be built; one more is TERM_E_LATER
    bool unhashed; // a map of more than 32 pairs is TERM_E_LATER too
    ERL_NIF_TERM few[NIF_SINK_INLINE];
};

extern const struct term_sink_ops nif_sink_ops;

static inline void nif_sink_init(struct nif_sink *sink, ErlNifEnv *env, size_t budget) {
    sink->sink.ops = &nif_sink_ops;
    sink->env = env;
    sink->terms = sink->few;
    sink->length = 0;
    sink->capacity = NIF_SINK_INLINE;
    sink->limit = budget;
    sink->budget = budget;
    sink->unhashed = false;
}

// For a thread that is no scheduler, where building a hashed map crashes the VM: sorting its hashes
// takes random numbers of the scheduler's (ERTS: erl_map.c, hashmap_from_unsorted_array; utils.c,
// erts_qsort; seen with OTP 25).
static inline void nif_sink_forbid_hashing(struct nif_sink *sink) {
    sink->unhashed = true;
}
// Empties it for the next term, with the whole budget; what it built is garbage in `env`.
static inline void nif_sink_reset(struct nif_sink *sink) {
    sink->length = 0;
    sink->budget = sink->limit;
}

// Only nif_sink_init may follow.
static inline void nif_sink_release(struct nif_sink *sink) {
    if (sink->terms != sink->few)
        enif_free(sink->terms);
}

// The term that was built. False: it is not one whole term.
static inline bool nif_sink_term(const struct nif_sink *sink, ERL_NIF_TERM *term) {
    if (sink->length != 1)
        return false;
    *term = sink->terms[0];
    return true;
}

#endif
