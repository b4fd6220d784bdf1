// SPDX-License-Identifier: Apache-2.0
#include "nif_answer.h"

ERL_NIF_TERM nif_answer_explain(ErlNifEnv *env, const struct nif_box *self,
                                enum box_result result) {
    struct nif_sink reply;
    ERL_NIF_TERM term;
    nif_sink_init(&reply, env, NIF_BUDGET_NONE);
    if (box_explain(&self->box, result, &reply.sink) < 0 || !nif_sink_term(&reply, &term))
        term = nif_answer_error(env, nif_atom(NIF_ATOM_system)); // without memory
    nif_sink_release(&reply);
    return term;
}

ERL_NIF_TERM nif_answer_none(ErlNifEnv *env, ErlNifEnv *caller, struct nif_box *self,
                             enum box_result result) {
    if (result == BOX_DONE) {
        nif_box_close(caller, self);
        result = BOX_DOWN;
    }
    return nif_answer_explain(env, self, result);
}

ERL_NIF_TERM nif_answer_map(ErlNifEnv *env, const enum nif_atom keys[4], const uint64_t values[4]) {
    ERL_NIF_TERM key[4], value[4], map;
    for (size_t i = 0; i < 4; i++) {
        key[i] = nif_atom(keys[i]);
        value[i] = enif_make_uint64(env, values[i]);
    }
    return enif_make_map_from_arrays(env, key, value, 4, &map) ? map : nif_atom(NIF_ATOM_system);
}

ERL_NIF_TERM nif_answer_usage(ErlNifEnv *env, struct nif_box *self) {
    struct box_usage usage;
    enum box_result result = box_usage(&self->box, &usage);
    if (result != BOX_DONE)
        return nif_answer_explain(env, self, result);
    static const enum nif_atom keys[4] = {NIF_ATOM_bytes, NIF_ATOM_peak_bytes, NIF_ATOM_calls,
                                          NIF_ATOM_live_bytes};
    const uint64_t values[4] = {usage.bytes, usage.peak_bytes, usage.calls, usage.live_bytes};
    return nif_atom_pair(env, NIF_ATOM_ok, nif_answer_map(env, keys, values));
}
