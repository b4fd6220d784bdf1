// SPDX-License-Identifier: Apache-2.0
// Everything that Erlang may ask of a box except a call: short, never scheduled anew.
#include "nif.h"

#include "nif_answer.h"
#include "nif_module.h"
#include "nif_pool.h"

#include <stdint.h>
#include <string.h>

static bool nif_verbs_mode(ERL_NIF_TERM name, enum nif_mode *mode) {
    static const struct {
        enum nif_atom name;
        enum nif_mode mode;
    } modes[] = {{NIF_ATOM_yield, NIF_YIELD},
                 {NIF_ATOM_inline, NIF_INLINE},
                 {NIF_ATOM_dirty, NIF_DIRTY},
                 {NIF_ATOM_thread, NIF_THREAD}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (nif_atom(modes[i].name) == name) {
            *mode = modes[i].mode;
            return true;
        }
    return false;
}

// False: not the tuple that tripod_nif:open/1 prepares.
static bool nif_verbs_options(ErlNifEnv *env, ERL_NIF_TERM config, ERL_NIF_TERM *service,
                              struct nif_box_options *options) {
    int arity;
    const ERL_NIF_TERM *field;
    ErlNifUInt64 memory_bytes, time_ns, slice_ns, reply_bytes;
    unsigned depth;
    if (!enif_get_tuple(env, config, &arity, &field) || arity != 9 ||
        !enif_is_atom(env, field[0]) || !enif_get_uint64(env, field[1], &memory_bytes) ||
        !enif_get_uint64(env, field[2], &time_ns) || !enif_get_uint64(env, field[3], &slice_ns) ||
        !enif_get_uint(env, field[4], &depth) || !enif_get_uint64(env, field[5], &reply_bytes) ||
        !nif_verbs_mode(field[7], &options->mode))
        return false;
    *service = field[0];
    options->watched = field[8] != nif_atom(NIF_ATOM_gc);
    options->limits = (struct service_limits){
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
    struct nif_box_options options;
    if (!nif_verbs_options(env, argv[0], &name, &options))
        return enif_make_badarg(env);
    char text[256];
    int size = enif_get_atom(env, name, text, sizeof text, ERL_NIF_LATIN1);
    options.service = size > 0 ? service_find(text, (size_t)size - 1) : NULL;
    if (options.service == NULL)
        return nif_answer_error(env, nif_atom_pair(env, NIF_ATOM_unsupported,
                                                   nif_atom_pair(env, NIF_ATOM_service, name)));
    int code = nif_box_open(env, &options, &handle);
    if (code == 0)
        return nif_atom_pair(env, NIF_ATOM_ok, handle);
    const char *reason = box_down_reason(code);
    if (!nif_atom_find(reason, strlen(reason), &why))
        why = nif_atom(NIF_ATOM_broken);
    return nif_answer_error(env, nif_atom_pair(env, NIF_ATOM_down, why));
}

ERL_NIF_TERM nif_interrupt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self != NULL && self->mode == NIF_THREAD)
        nif_pool_interrupt(self);
    else if (self != NULL)
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
        return nif_answer_explain(env, self, result);
    if (enif_self(env, &giver) != NULL && giver.pid == heir.pid)
        return nif_atom(NIF_ATOM_ok);
    switch (nif_box_give(env, self, &heir)) {
    case NIF_GIFT_GIVEN:
        return nif_atom(NIF_ATOM_ok);
    case NIF_GIFT_NOPROC:
        return nif_answer_error(env, nif_atom(NIF_ATOM_noproc));
    case NIF_GIFT_CLOSED:
        break;
    }
    return nif_answer_error(env, nif_atom(NIF_ATOM_closed));
}

ERL_NIF_TERM nif_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    struct nif_box *self = nif_box_get(env, argv[0]);
    if (self == NULL || !nif_box_owned(env, self))
        return nif_box_refuse(env, self);
    return nif_answer_usage(env, self);
}

ERL_NIF_TERM nif_census(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    (void)argv;
    struct census_total total = nif_module_census();
    static const enum nif_atom keys[4] = {NIF_ATOM_boxes, NIF_ATOM_bytes, NIF_ATOM_calls,
                                          NIF_ATOM_os_processes};
    const uint64_t values[4] = {total.boxes, total.bytes, total.calls, 0};
    return nif_answer_map(env, keys, values);
}

ERL_NIF_TERM nif_stop(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]) {
    (void)argc;
    (void)argv;
    nif_register_condemn();
    nif_register_close(env);
    nif_pool_stop(env);
    return nif_atom(NIF_ATOM_ok);
}
