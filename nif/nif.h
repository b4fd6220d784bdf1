// SPDX-License-Identifier: Apache-2.0
// The functions that Erlang sees, one to one with the stubs in tripod_nif_lib.erl. All are called
// by the scheduler thread that runs the calling process; a normal one, except where nif.c says
// dirty.
#ifndef TRIPOD_NIF_H
#define TRIPOD_NIF_H

#include <erl_nif.h>

// ({Service, MemoryBytes, TimeNs, SliceNs, Depth, ReplyBytes, Preempt}) -> {ok, Handle} | {error,
// _}
ERL_NIF_TERM nif_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Request, TimeMs) -> what the service answers | {error, closed | not_owner | {down, _}}
ERL_NIF_TERM nif_call(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> ok
ERL_NIF_TERM nif_interrupt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Pid) -> ok | {error, closed | not_owner | noproc | {down, _}}
ERL_NIF_TERM nif_give_away(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> {ok, #{bytes, peak_bytes, calls, live_bytes}} | {error, _}
ERL_NIF_TERM nif_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> ok
ERL_NIF_TERM nif_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// () -> #{boxes, bytes, calls, os_processes}
ERL_NIF_TERM nif_census(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

#endif
