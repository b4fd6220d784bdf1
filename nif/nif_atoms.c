// SPDX-License-Identifier: Apache-2.0
// Two small open-addressing tables over the listed atoms: by term word and by name. Comparing term
// words is sound because an atom is an immediate term, equal exactly when the words are equal
// (erl_nif documents enif_is_identical for terms in general; ERTS: emulator/beam/erl_term.h).
#include "nif_atoms.h"

#include <stdint.h>
#include <string.h>

#define NIF_ATOM_SLOTS 128u

_Static_assert(NIF_ATOM_COUNT * 2 <= NIF_ATOM_SLOTS, "keep the tables at most half full");

ERL_NIF_TERM nif_atom_terms[NIF_ATOM_COUNT];

static const struct nif_atom_name nif_atom_names[NIF_ATOM_COUNT] = {
#define NIF_ATOM_NAME(name) {#name, sizeof(#name) - 1},
    NIF_ATOMS(NIF_ATOM_NAME)
#undef NIF_ATOM_NAME
};

// Index plus one; 0 is an empty slot.
static uint8_t nif_atom_by_term[NIF_ATOM_SLOTS];
static uint8_t nif_atom_by_name[NIF_ATOM_SLOTS];
static bool nif_atoms_loaded; // guarded by the VM's code modification permission

static size_t nif_atom_term_slot(ERL_NIF_TERM term) {
    return (size_t)(((uint64_t)term * UINT64_C(0x9e3779b97f4a7c15)) >> 57) % NIF_ATOM_SLOTS;
}

// The multipliers were searched for: no two of the listed names share a slot. With other names they
// may, which costs a probe.
static size_t nif_atom_name_slot(const char *name, size_t length) {
    const unsigned char *byte = (const unsigned char *)name;
    size_t hash = length;
    if (length > 0)
        hash += byte[0] * 179u + byte[length / 2] * 232u + byte[length - 1] * 188u;
    return hash % NIF_ATOM_SLOTS;
}

static void nif_atom_insert(uint8_t *table, size_t slot, size_t index) {
    while (table[slot] != 0)
        slot = (slot + 1) % NIF_ATOM_SLOTS;
    table[slot] = (uint8_t)(index + 1);
}

void nif_atoms_load(ErlNifEnv *env) {
    if (nif_atoms_loaded)
        return;
    for (size_t i = 0; i < NIF_ATOM_COUNT; i++) {
        const struct nif_atom_name *name = &nif_atom_names[i];
        nif_atom_terms[i] = enif_make_atom_len(env, name->text, name->length);
        nif_atom_insert(nif_atom_by_term, nif_atom_term_slot(nif_atom_terms[i]), i);
        nif_atom_insert(nif_atom_by_name, nif_atom_name_slot(name->text, name->length), i);
    }
    nif_atoms_loaded = true;
}

const struct nif_atom_name *nif_atom_name(ERL_NIF_TERM term) {
    size_t slot = nif_atom_term_slot(term);
    for (; nif_atom_by_term[slot] != 0; slot = (slot + 1) % NIF_ATOM_SLOTS) {
        size_t index = nif_atom_by_term[slot] - 1u;
        if (nif_atom_terms[index] == term)
            return &nif_atom_names[index];
    }
    return NULL;
}

bool nif_atom_find(const char *name, size_t length, ERL_NIF_TERM *term) {
    size_t slot = nif_atom_name_slot(name, length);
    for (; nif_atom_by_name[slot] != 0; slot = (slot + 1) % NIF_ATOM_SLOTS) {
        size_t index = nif_atom_by_name[slot] - 1u;
        if (nif_atom_names[index].length == length &&
            memcmp(nif_atom_names[index].text, name, length) == 0) {
            *term = nif_atom_terms[index];
            return true;
        }
    }
    return false;
}
