// SPDX-License-Identifier: Apache-2.0
// The atoms that cross all the time, known as terms in advance, so that neither direction asks the
// VM's atom table for them. An atom that is not listed crosses too, only slower.
//
// Filled once by nif_atoms_load; read-only afterwards, by any thread.
#ifndef TRIPOD_NIF_ATOMS_H
#define TRIPOD_NIF_ATOMS_H

#include <erl_nif.h>
#include <stdbool.h>
#include <stddef.h>

#define NIF_ATOMS(X)                                                                               \
    X(badterm)                                                                                     \
    X(boxes)                                                                                       \
    X(broken)                                                                                      \
    X(bytes)                                                                                       \
    X(call)                                                                                        \
    X(calls)                                                                                       \
    X(closed)                                                                                      \
    X(compile)                                                                                     \
    X(concurrent_call)                                                                             \
    X(configure)                                                                                   \
    X(count)                                                                                       \
    X(depth)                                                                                       \
    X(dirty)                                                                                       \
    X(down)                                                                                        \
    X(empty)                                                                                       \
    X(encoded)                                                                                     \
    X(error)                                                                                       \
    X(eval)                                                                                        \
    X(false)                                                                                       \
    X(full)                                                                                        \
    X(gc)                                                                                          \
    X(get)                                                                                         \
    X(inline)                                                                                      \
    X(interrupted)                                                                                 \
    X(limit)                                                                                       \
    X(list)                                                                                        \
    X(live_bytes)                                                                                  \
    X(load)                                                                                        \
    X(lua)                                                                                         \
    X(map)                                                                                         \
    X(memory)                                                                                      \
    X(message)                                                                                     \
    X(nil)                                                                                         \
    X(noproc)                                                                                      \
    X(not_owner)                                                                                   \
    X(ok)                                                                                          \
    X(os_processes)                                                                                \
    X(peak_bytes)                                                                                  \
    X(reply)                                                                                       \
    X(request)                                                                                     \
    X(reset)                                                                                       \
    X(room)                                                                                        \
    X(run)                                                                                         \
    X(service)                                                                                     \
    X(set)                                                                                         \
    X(system)                                                                                      \
    X(thread)                                                                                      \
    X(time)                                                                                        \
    X(traceback)                                                                                   \
    X(tripod_nif)                                                                                  \
    X(true)                                                                                        \
    X(undefined)                                                                                   \
    X(unsupported)                                                                                 \
    X(yield)

enum nif_atom {
#define NIF_ATOM_MEMBER(name) NIF_ATOM_##name,
    NIF_ATOMS(NIF_ATOM_MEMBER)
#undef NIF_ATOM_MEMBER
        NIF_ATOM_COUNT
};

struct nif_atom_name {
    const char *text;
    size_t length;
};

extern ERL_NIF_TERM nif_atom_terms[NIF_ATOM_COUNT];

// From load and upgrade only, which the VM never runs at the same time. The second call in the same
// library image does nothing: other threads may be reading.
void nif_atoms_load(ErlNifEnv *env);

static inline ERL_NIF_TERM nif_atom(enum nif_atom atom) {
    return nif_atom_terms[atom];
}

// NULL: `term` is not one of the listed atoms.
const struct nif_atom_name *nif_atom_name(ERL_NIF_TERM term);
// False: `name` is not one of the listed atoms.
bool nif_atom_find(const char *name, size_t length, ERL_NIF_TERM *term);

// {Tag, Value}, such as {error, closed}.
static inline ERL_NIF_TERM nif_atom_pair(ErlNifEnv *env, enum nif_atom tag, ERL_NIF_TERM value) {
    return enif_make_tuple2(env, nif_atom(tag), value);
}

#endif
