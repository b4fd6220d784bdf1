// SPDX-License-Identifier: Apache-2.0
// Everything that Erlang may ask of a box except a call: short, never scheduled anew.
#include "nif.h"

#include "nif_atoms.h"
#include "nif_box.h"
#include "nif_sink.h"

#include <stdint.h>
#include <string.h>

static ERL_NIF_TERM nif_verbs_error(ErlNifEnv *env, ERL_NIF_TERM reason) {
    return nif_atom_pair(env, NIF_ATOM_error, reason);
}

// For BOX_CLOSED, BOX_DOWN and BOX_TAKEN.
static ERL_NIF_TERM nif_verbs_explain(ErlNifEnv *env, const struct nif_box *self,
                                      enum box_result result) {
    struct nif_sink reply;
    ERL_NIF_TERM term;
    nif_sink_init(&reply, env);
    if (box_explain(&self->box, result, &reply.sink) < 0 || !nif_sink_term(&reply, &term))
        term = enif_raise_exception(env, nif_atom(NIF_ATOM_system));
    nif_sink_release(&reply);
    return term;
}

// False: not the tuple that tripod_nif:open/1 prepares.
static bool nif_verbs_limits(ErlNifEnv *env, ERL_NIF_TERM config, ERL_NIF_TERM *service,
                             struct service_limits *limits) {
    int arity;
    const ERL_NIF_TERM *field;
    ErlNifUInt64 memory_bytes, time_ns, slice_ns, reply_bytes;
    unsigned depth;
    if (!enif_get_tuple(env, config, &arity, &field) || arity != 7 ||
        !enif_is_atom(env, field[0]) || !enif_get_uint64(env, field[1], &memory_bytes) ||
        !enif_get_uint64(env, field[2], &time_ns) || !enif_get_uint64(env, field[3], &slice_ns) ||
        !enif_get_uint(env, field[4], &depth) || !enif_get_uint64(env, field[5], &reply_bytes))
        return false;
    *service = field[0];
    *limits = (struct service_limits){
        .memory_bytes = (size_t)memory_bytes,
        .time_ns = time_ns,
        .slice_ns = slice_ns,
        .depth = depth,
        .reply_bytes = (size_t)reply_bytes,
        .preempt =
            field[6] == nif_atom(NIF_ATOM_count) ? SERVICE_PREEMPT_COUNT : SERVICE_PREEMPT_TIMER,
    };
    return true;
}

ERL_NIF_TERM nif_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    ERL_NIF_TERM name, handle, why;
    struct service_limits limits;
    if (!nif_verbs_limits(env, argv[0], &name, &limits))
        return enif_make_badarg(env);
    char text[256];
    int size = enif_get_atom(env, name, text, sizeof text, ERL_NIF_LATIN1);
    const struct service *service = size > 0 ? service_find(text, (size_t)size - 1) : NULL;
    if (service == NULL)
        return nif_verbs_error(env, nif_atom_pair(env, NIF_ATOM_unsupported,
                                                  nif_atom_pair(env, NIF_ATOM_service, name)));
    int code = nif_box_open(env, service, &limits, &handle);
    if (code == 0)
        return nif_atom_pair(env, NIF_ATOM_ok, handle);
    const char *reason = box_down_reason(code);
    if (!nif_atom_find(reason, strlen(reason), &why))
        why = nif_atom(NIF_ATOM_broken);
    return nif_verbs_error(env, nif_atom_pair(env, NIF_ATOM_down, why));
}

ERL_NIF_TERM nif_interrupt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self != NULL)
        (void)box_interrupt(&self->box);
    return nif_atom(NIF_ATOM_ok);
}

ERL_NIF_TERM nif_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self != NULL)
        nif_box_close(env, self);
    return nif_atom(NIF_ATOM_ok);
}

ERL_NIF_TERM nif_give_away(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    ErlNifPid heir, giver;
    if (!enif_get_local_pid(env, argv[1], &heir))
        return enif_make_badarg(env);
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL || !nif_box_owned(env, self))
        return nif_box_refuse(env, self);
    // The gate knows whether the box is closed, down or in a call; asking for usage passes it.
    struct box_usage unused;
    enum box_result result = box_usage(&self->box, &unused);
    if (result != BOX_DONE)
        return nif_verbs_explain(env, self, result);
    if (enif_self(env, &giver) != NULL && giver.pid == heir.pid)
        return nif_atom(NIF_ATOM_ok);
    switch (nif_box_give(env, self, &heir)) {
    case NIF_GIFT_GIVEN:
        return nif_atom(NIF_ATOM_ok);
    case NIF_GIFT_NOPROC:
        return nif_verbs_error(env, nif_atom(NIF_ATOM_noproc));
    case NIF_GIFT_CLOSED:
        break;
    }
    return nif_verbs_error(env, nif_atom(NIF_ATOM_closed));
}

// Distinct keys, so it cannot be refused.
static ERL_NIF_TERM nif_verbs_map(ErlNifEnv *env, ERL_NIF_TERM keys[4], ERL_NIF_TERM values[4]) {
    ERL_NIF_TERM map;
    return enif_make_map_from_arrays(env, keys, values, 4, &map) ? map : enif_make_badarg(env);
}

ERL_NIF_TERM nif_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL || !nif_box_owned(env, self))
        return nif_box_refuse(env, self);
    struct box_usage usage;
    enum box_result result = box_usage(&self->box, &usage);
    if (result != BOX_DONE)
        return nif_verbs_explain(env, self, result);
    ERL_NIF_TERM keys[4] = {nif_atom(NIF_ATOM_bytes), nif_atom(NIF_ATOM_peak_bytes),
                            nif_atom(NIF_ATOM_calls), nif_atom(NIF_ATOM_live_bytes)};
    ERL_NIF_TERM values[4] = {
        enif_make_uint64(env, usage.bytes), enif_make_uint64(env, usage.peak_bytes),
        enif_make_uint64(env, usage.calls), enif_make_uint64(env, usage.live_bytes)};
    return nif_atom_pair(env, NIF_ATOM_ok, nif_verbs_map(env, keys, values));
}

ERL_NIF_TERM nif_census(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    (void)argv;
    struct census_total total = census_count();
    ERL_NIF_TERM keys[4] = {nif_atom(NIF_ATOM_boxes), nif_atom(NIF_ATOM_bytes),
                            nif_atom(NIF_ATOM_calls), nif_atom(NIF_ATOM_os_processes)};
    ERL_NIF_TERM values[4] = {enif_make_uint64(env, total.boxes),
                              enif_make_uint64(env, total.bytes),
                              enif_make_uint64(env, total.calls), enif_make_uint64(env, 0)};
    return nif_verbs_map(env, keys, values);
}
