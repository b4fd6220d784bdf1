// SPDX-License-Identifier: Apache-2.0
#include "nif_source.h"

#include "etf.h"
#include "nif_atoms.h"

#include <stdbool.h>
#include <string.h>

// Each kind of term has a function of its own, never inlined into the recursion, so that a level of
// nesting costs one small frame and not the sum of all of them.
#define NIF_SOURCE_LEAF __attribute__((noinline))

#define NIF_SOURCE_SHORT 4u

static int nif_source_emit(struct nif_source *self, ERL_NIF_TERM term, struct term_sink *sink);

int nif_source_walk(struct term_source *source, struct term_sink *sink) {
    struct nif_source *self = (struct nif_source *)source;
    return nif_source_emit(self, self->term, sink);
}

static bool nif_source_ascii(const char *text, size_t length) {
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

// NIF API 2.16 (OTP 25) gives atom names in Latin-1 only; its external term format has them all.
NIF_SOURCE_LEAF static int nif_source_wide_atom(struct nif_source *self, ERL_NIF_TERM term,
                                                struct term_sink *sink) {
    ErlNifBinary encoded;
    if (!nif_budget_take(&self->budget, NIF_BUDGET_WIDE_ATOM))
        return TERM_E_LATER;
    if (!enif_term_to_binary(self->env, term, &encoded))
        return TERM_E_MEMORY;
    struct etf_reader reader;
    etf_reader_init(&reader, encoded.data, encoded.size, 0);
    int code = term_walk(&reader.source, sink);
    enif_release_binary(&encoded);
    return code;
}

NIF_SOURCE_LEAF static int nif_source_atom(struct nif_source *self, ERL_NIF_TERM term,
                                           struct term_sink *sink) {
    const struct nif_atom_name *known = nif_atom_name(term);
    if (known != NULL)
        return term_atom(sink, known->text, known->length);
    char text[256]; // 255 characters at most (erl_nif: an atom's length limit), and the end
    int size = enif_get_atom(self->env, term, text, sizeof text, ERL_NIF_LATIN1);
    if (size > 0 && nif_source_ascii(text, (size_t)size - 1))
        return term_atom(sink, text, (size_t)size - 1);
    return nif_source_wide_atom(self, term, sink);
}

NIF_SOURCE_LEAF static int nif_source_number(ErlNifEnv *env, ERL_NIF_TERM term,
                                             struct term_sink *sink) {
    ErlNifSInt64 integer;
    if (enif_get_int64(env, term, &integer))
        return term_integer(sink, (int64_t)integer);
    double real;
    if (enif_get_double(env, term, &real))
        return term_real(sink, real);
    return TERM_E_TYPE;
}

NIF_SOURCE_LEAF static int nif_source_bytes(struct nif_source *self, ERL_NIF_TERM term,
                                            struct term_sink *sink) {
    ErlNifBinary bytes;
    if (!enif_inspect_binary(self->env, term, &bytes))
        return TERM_E_TYPE;
    if (!nif_budget_take(&self->budget, bytes.size / NIF_BUDGET_BYTES))
        return TERM_E_LATER;
    return term_bytes(sink, bytes.data, bytes.size);
}

// How many cells `list` has, as far as the budget goes.
static size_t nif_source_length(const struct nif_source *self, ERL_NIF_TERM list) {
    if (self->budget > NIF_BUDGET_NORMAL) { // none: the VM counts faster
        unsigned length = 0;
        return enif_get_list_length(self->env, list, &length) ? length : 0;
    }
    size_t n = 0;
    ERL_NIF_TERM head;
    while (n <= self->budget && enif_get_list_cell(self->env, list, &head, &list))
        n++;
    return n;
}

// A short list is taken apart before its announcement: that is cheaper than counting it first. An
// improper list is refused where it goes wrong, after its elements, so that a service can say which
// one that is.
NIF_SOURCE_LEAF static int nif_source_list(struct nif_source *self, ERL_NIF_TERM list,
                                           struct term_sink *sink) {
    ERL_NIF_TERM head[NIF_SOURCE_SHORT];
    size_t n = 0;
    while (n < NIF_SOURCE_SHORT && enif_get_list_cell(self->env, list, &head[n], &list))
        n++;
    size_t hint = n < NIF_SOURCE_SHORT ? n : n + nif_source_length(self, list);
    if (!nif_budget_take(&self->budget, hint))
        return TERM_E_LATER;
    int code = term_begin(sink, TERM_LIST, hint);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = nif_source_emit(self, head[i], sink);
    while (code == 0 && enif_get_list_cell(self->env, list, &head[0], &list)) {
        code = nif_source_emit(self, head[0], sink);
        n += 1;
    }
    if (code == 0 && !enif_is_empty_list(self->env, list))
        code = TERM_E_TYPE;
    return code < 0 ? code : term_end(sink, TERM_LIST, n);
}

NIF_SOURCE_LEAF static int nif_source_tuple(struct nif_source *self, ERL_NIF_TERM tuple,
                                            struct term_sink *sink) {
    int arity;
    const ERL_NIF_TERM *elements;
    if (!enif_get_tuple(self->env, tuple, &arity, &elements))
        return TERM_E_TYPE;
    size_t n = (size_t)arity;
    if (!nif_budget_take(&self->budget, n))
        return TERM_E_LATER;
    int code = term_begin(sink, TERM_TUPLE, n);
    for (size_t i = 0; code == 0 && i < n; i++)
        code = nif_source_emit(self, elements[i], sink);
    return code < 0 ? code : term_end(sink, TERM_TUPLE, n);
}

NIF_SOURCE_LEAF static int nif_source_map(struct nif_source *self, ERL_NIF_TERM map,
                                          struct term_sink *sink) {
    size_t n;
    ErlNifMapIterator pairs;
    if (!enif_get_map_size(self->env, map, &n))
        return TERM_E_TYPE;
    if (!nif_budget_take(&self->budget, n * NIF_BUDGET_PAIR))
        return TERM_E_LATER;
    // In the order of term_to_binary, so that every strategy comes upon the same pair first. It
    // lists a hash map, which has more than 32 pairs (erl_map.h, MAP_SMALL_MAP_LIMIT), from the
    // end.
    bool backwards = n > 32;
    if (!enif_map_iterator_create(self->env, map, &pairs,
                                  backwards ? ERL_NIF_MAP_ITERATOR_LAST
                                            : ERL_NIF_MAP_ITERATOR_FIRST))
        return TERM_E_TYPE;
    int code = term_begin(sink, TERM_MAP, n);
    ERL_NIF_TERM key, value;
    while (code == 0 && enif_map_iterator_get_pair(self->env, &pairs, &key, &value)) {
        code = nif_source_emit(self, key, sink);
        if (code == 0)
            code = nif_source_emit(self, value, sink);
        (void)(backwards ? enif_map_iterator_prev(self->env, &pairs)
                         : enif_map_iterator_next(self->env, &pairs));
    }
    enif_map_iterator_destroy(self->env, &pairs);
    return code < 0 ? code : term_end(sink, TERM_MAP, n);
}

static int nif_source_container(struct nif_source *self, ERL_NIF_TERM term, ErlNifTermType type,
                                struct term_sink *sink) {
    if (self->depth == 0)
        return TERM_E_DEPTH;
    self->depth -= 1;
    int code = type == ERL_NIF_TERM_TYPE_TUPLE  ? nif_source_tuple(self, term, sink)
               : type == ERL_NIF_TERM_TYPE_LIST ? nif_source_list(self, term, sink)
                                                : nif_source_map(self, term, sink);
    self->depth += 1;
    return code;
}

static int nif_source_emit(struct nif_source *self, ERL_NIF_TERM term, struct term_sink *sink) {
    ErlNifTermType type = enif_term_type(self->env, term);
    switch (type) {
    case ERL_NIF_TERM_TYPE_ATOM:
        return nif_source_atom(self, term, sink);
    case ERL_NIF_TERM_TYPE_INTEGER:
    case ERL_NIF_TERM_TYPE_FLOAT:
        return nif_source_number(self->env, term, sink);
    case ERL_NIF_TERM_TYPE_BITSTRING:
        return nif_source_bytes(self, term, sink);
    case ERL_NIF_TERM_TYPE_LIST:
    case ERL_NIF_TERM_TYPE_TUPLE:
    case ERL_NIF_TERM_TYPE_MAP:
        return nif_source_container(self, term, type, sink);
    default: // erl_nif: new types may be added at any time
        return TERM_E_TYPE;
    }
}
