// SPDX-License-Identifier: Apache-2.0
#include "nif_sink.h"

#include "nif_atoms.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

// ERTS: MAX_ARITYVAL in erl_term.h. enif_make_tuple_from_array does not check it.
#define NIF_SINK_MAX_ARITY ((1u << 24) - 1)
// A container's announced size reserves at most this many terms ahead: it is only a hint.
#define NIF_SINK_MAX_HINT 65536u
// ERTS: MAP_SMALL_MAP_LIMIT in erl_map.h. Larger ones are hashed.
#define NIF_SINK_FLAT_MAP 32u

// What waits on the stack is not yet booked, so it counts here.
static int nif_sink_grow(struct nif_sink *self, size_t more) {
    if (more > self->budget || self->length > self->budget - more)
        return TERM_E_LATER;
    if (more > SIZE_MAX / (2 * sizeof(ERL_NIF_TERM)) - self->length)
        return TERM_E_MEMORY;
    size_t capacity = self->capacity * 2;
    if (capacity < self->length + more)
        capacity = self->length + more;
    ERL_NIF_TERM *grown = self->terms == self->few
                              ? enif_alloc(capacity * sizeof *grown)
                              : enif_realloc(self->terms, capacity * sizeof *grown);
    if (grown == NULL)
        return TERM_E_MEMORY;
    if (self->terms == self->few)
        memcpy(grown, self->few, self->length * sizeof *grown);
    self->terms = grown;
    self->capacity = capacity;
    return 0;
}

static inline int nif_sink_reserve(struct nif_sink *self, size_t more) {
    return more <= self->capacity - self->length ? 0 : nif_sink_grow(self, more);
}

static inline int nif_sink_push(struct nif_sink *self, ERL_NIF_TERM term) {
    int code = nif_sink_reserve(self, 1);
    if (code == 0)
        self->terms[self->length++] = term;
    return code;
}

static int nif_sink_integer(struct term_sink *sink, int64_t value) {
    struct nif_sink *self = (struct nif_sink *)sink;
    return nif_sink_push(self, enif_make_int64(self->env, value));
}

static int nif_sink_real(struct term_sink *sink, double value) {
    struct nif_sink *self = (struct nif_sink *)sink;
    if (!isfinite(value)) // enif_make_double would raise badarg in this NIF's environment
        return TERM_E_TYPE;
    return nif_sink_push(self, enif_make_double(self->env, value));
}

// The name as an external term, decoded with the option that refuses atoms that do not exist: NIF
// API 2.16 (OTP 25) finds atoms by Latin-1 names only.
static bool nif_sink_wide_atom(ErlNifEnv *env, const char *name, size_t length,
                               ERL_NIF_TERM *term) {
    unsigned char encoded[4 + 255 * 4] = {131, 118, (unsigned char)(length >> 8),
                                          (unsigned char)length};
    memcpy(encoded + 4, name, length);
    return enif_binary_to_term(env, encoded, 4 + length, term, ERL_NIF_BIN2TERM_SAFE) != 0;
}

static bool nif_sink_ascii(const char *name, size_t length) {
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)name[i];
    return all < 0x80;
}

// Only atoms that exist: a script must not be able to fill the VM's atom table.
static bool nif_sink_find_atom(ErlNifEnv *env, const char *name, size_t length,
                               ERL_NIF_TERM *term) {
    if (nif_atom_find(name, length, term))
        return true;
    if (length > 255 * 4)
        return false;
    if (nif_sink_ascii(name, length))
        return enif_make_existing_atom_len(env, name, length, term, ERL_NIF_LATIN1) != 0;
    return nif_sink_wide_atom(env, name, length, term);
}

static int nif_sink_atom(struct term_sink *sink, const char *name, size_t length) {
    struct nif_sink *self = (struct nif_sink *)sink;
    ERL_NIF_TERM term;
    if (!nif_sink_find_atom(self->env, name, length, &term))
        return TERM_E_TYPE;
    return nif_sink_push(self, term);
}

static int nif_sink_bytes(struct term_sink *sink, const void *data, size_t length) {
    struct nif_sink *self = (struct nif_sink *)sink;
    ERL_NIF_TERM term;
    if (!nif_budget_take(&self->budget, length / NIF_BUDGET_BYTES))
        return TERM_E_LATER;
    unsigned char *copy = enif_make_new_binary(self->env, length, &term);
    if (copy == NULL)
        return TERM_E_MEMORY;
    if (length > 0)
        memcpy(copy, data, length);
    return nif_sink_push(self, term);
}

static int nif_sink_begin(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct nif_sink *self = (struct nif_sink *)sink;
    if (n > NIF_SINK_MAX_HINT)
        n = NIF_SINK_MAX_HINT;
    return nif_sink_reserve(self, kind == TERM_MAP ? 2 * n : n);
}

// Keys stay where they are and close ranks, values move above the top of the stack.
static int nif_sink_end_map(struct nif_sink *self, size_t n, ERL_NIF_TERM *map) {
    int code = nif_sink_reserve(self, n);
    if (code < 0)
        return code;
    ERL_NIF_TERM *keys = self->terms + self->length - 2 * n;
    ERL_NIF_TERM *values = self->terms + self->length;
    for (size_t i = 0; i < n; i++) {
        values[i] = keys[2 * i + 1];
        keys[i] = keys[2 * i];
    }
    // Refused: a key occurs twice.
    return enif_make_map_from_arrays(self->env, keys, values, n, map) ? 0 : TERM_E_CORRUPT;
}

static int nif_sink_end(struct term_sink *sink, enum term_kind kind, size_t n) {
    struct nif_sink *self = (struct nif_sink *)sink;
    if (n > (kind == TERM_MAP ? self->length / 2 : self->length))
        return TERM_E_CORRUPT;
    if (n > (kind == TERM_TUPLE ? NIF_SINK_MAX_ARITY : UINT_MAX))
        return TERM_E_SIZE;
    size_t taken = kind == TERM_MAP ? 2 * n : n;
    bool hashed = kind == TERM_MAP && n > NIF_SINK_FLAT_MAP;
    if ((hashed && self->unhashed) ||
        !nif_budget_take(&self->budget, hashed ? NIF_BUDGET_PAIR * n : taken))
        return TERM_E_LATER;
    const ERL_NIF_TERM *elements = self->terms + self->length - taken;
    ERL_NIF_TERM whole = 0;
    int code = 0;
    if (kind == TERM_LIST)
        whole = enif_make_list_from_array(self->env, elements, (unsigned)n);
    else if (kind == TERM_TUPLE)
        whole = enif_make_tuple_from_array(self->env, elements, (unsigned)n);
    else
        code = nif_sink_end_map(self, n, &whole);
    if (code < 0)
        return code;
    self->length -= taken;
    return nif_sink_push(self, whole);
}

const struct term_sink_ops nif_sink_ops = {
    .integer = nif_sink_integer,
    .real = nif_sink_real,
    .atom = nif_sink_atom,
    .bytes = nif_sink_bytes,
    .begin = nif_sink_begin,
    .end = nif_sink_end,
};
