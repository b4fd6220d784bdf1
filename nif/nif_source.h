// SPDX-License-Identifier: Apache-2.0
// A source that walks an Erlang term where it lies, without copying it first.
//
// Crosses: integers of 64 bits, floats, atoms, binaries, proper lists, tuples, maps. Everything
// else (larger integers, pids, ports, references, funs, bit strings, improper lists) is
// TERM_E_TYPE. A term that goes beyond the budget is TERM_E_LATER. Bytes and atom names are
// borrowed by the sink during the event only. Knows nothing of boxes. Used by one thread, while the
// term's environment lives.
#ifndef TRIPOD_NIF_SOURCE_H
#define TRIPOD_NIF_SOURCE_H

#include "nif_budget.h"
#include "term.h"

#include <erl_nif.h>
#include <stdint.h>

struct nif_source {
    struct term_source source;
    ErlNifEnv *env;
    ERL_NIF_TERM term;
    uint32_t depth; // containers that may still be opened; one more is TERM_E_DEPTH
    size_t budget;  // elements that may still be walked; one more is TERM_E_LATER
};

// The walk recurses once per nesting level, so `depth` bounds the C stack too: about 200 bytes a
// level on x86-64 (gcc -fstack-usage), on a scheduler's stack of 1 MB (erl +sss; +sssdcpu: 320 KB).
int nif_source_walk(struct term_source *source, struct term_sink *sink);

static inline void nif_source_init(struct nif_source *source, ErlNifEnv *env, ERL_NIF_TERM term,
                                   uint32_t depth, size_t budget) {
    source->source.walk = nif_source_walk;
    source->env = env;
    source->term = term;
    source->depth = depth;
    source->budget = budget;
}

#endif
