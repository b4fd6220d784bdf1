// SPDX-License-Identifier: Apache-2.0
// The functions that Erlang sees, one to one with the stubs in tripod_nif_lib.erl. All are called
// by the scheduler thread that runs the calling process; a normal one, except where nif.c says
// dirty.
#ifndef TRIPOD_NIF_H
#define TRIPOD_NIF_H

#include <erl_nif.h>

// ({Service, MemoryBytes, TimeNs, SliceNs, Depth, ReplyBytes, Preempt, Mode, Cleanup}) ->
// {ok, Handle} | {error, _}
ERL_NIF_TERM nif_open(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Request, TimeMs) -> what the service answers | {error, closed | not_owner | {down, _}}
ERL_NIF_TERM nif_call(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// The same for boxes of the mode dirty, on a dirty CPU scheduler.
ERL_NIF_TERM nif_call_dirty(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Request, TimeMs, Id) -> ok | full | {error, closed | not_owner | {down, _}}
// For boxes of the mode thread. After ok the caller gets {tripod_nif, Id, Reply}. After full it
// gets {tripod_nif, room, Handle} as soon as it should try again.
ERL_NIF_TERM nif_submit(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Id) -> ok | {error, _}, likewise; the reply is that of usage, in its turn.
ERL_NIF_TERM nif_submit_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> ok
ERL_NIF_TERM nif_interrupt(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle, Pid) -> ok | {error, closed | not_owner | noproc | {down, _}}
ERL_NIF_TERM nif_give_away(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> {ok, #{bytes, peak_bytes, calls, live_bytes}} | {error, _}
ERL_NIF_TERM nif_usage(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// (Handle) -> ok
ERL_NIF_TERM nif_close(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// () -> ok. Closes every box and ends the threads; calls in progress end with {error, closed}.
// Dirty IO.
ERL_NIF_TERM nif_stop(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
// () -> #{boxes, bytes, calls, os_processes}
ERL_NIF_TERM nif_census(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);

#endif
