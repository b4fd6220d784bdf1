%% SPDX-License-Identifier: Apache-2.0
%% The strategy that runs the service inside the VM, on the scheduler of the process that calls.
%% A handle is the NIF resource itself; there is no process here, and nothing to supervise.
-module(tripod_nif).
-behaviour(tripod_strategy).

-export([children/0, modes/0, open/1, call/3, send/3, receive_reply/3, interrupt/1, give_away/2,
         usage/1, close/1, census/0]).

%% The VM's own idea of a time slice, which enif_consume_timeslice/2 documents.
-define(SLICE_NS, 1_000_000).

-spec children() -> [].
children() -> [].

-spec modes() -> [tripod_strategy:mode(), ...].
modes() -> [yield].

-spec open(tripod_strategy:config()) -> {ok, reference()} | {error, term()}.
open(#{service := Service, mode := Mode, memory_bytes := MemoryBytes, time_ms := TimeMs,
       depth := Depth, reply_bytes := ReplyBytes, preempt := Preempt}) ->
    tripod_nif_lib:open({Service, MemoryBytes, TimeMs * 1_000_000, slice_ns(Mode), Depth,
                         ReplyBytes, Preempt}).

slice_ns(yield) -> ?SLICE_NS.

-spec call(reference(), term(), non_neg_integer()) -> tripod_strategy:reply().
call(Handle, Request, TimeMs) ->
    tripod_nif_lib:call(Handle, Request, TimeMs).

%% In this mode the caller is the thread that would do the work, so the call runs here and now, and
%% the reply waits in the caller's mailbox until it is asked for.
-spec send(reference(), term(), non_neg_integer()) ->
          {ok, reference()} | {error, tripod_strategy:reason()}.
send(Handle, Request, TimeMs) ->
    case tripod_nif_lib:call(Handle, Request, TimeMs) of
        {error, Why} = Error when Why =:= closed; Why =:= not_owner ->
            Error;
        Reply ->
            Id = make_ref(),
            self() ! {?MODULE, Id, Reply},
            {ok, Id}
    end.

-spec receive_reply(reference(), reference(), timeout()) -> tripod_strategy:reply() | timeout.
receive_reply(_Handle, Id, Timeout) ->
    receive
        {?MODULE, Id, Reply} -> Reply
    after Timeout ->
        timeout
    end.

-spec interrupt(reference()) -> ok.
interrupt(Handle) -> tripod_nif_lib:interrupt(Handle).

-spec give_away(reference(), pid()) ->
          ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(Handle, Pid) -> tripod_nif_lib:give_away(Handle, Pid).

-spec usage(reference()) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage(Handle) -> tripod_nif_lib:usage(Handle).

-spec close(reference()) -> ok.
close(Handle) -> tripod_nif_lib:close(Handle).

-spec census() -> tripod_strategy:census().
census() -> tripod_nif_lib:census().
