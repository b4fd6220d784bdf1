%% SPDX-License-Identifier: Apache-2.0
%% The strategy that runs the service inside the VM: on the scheduler of the process that calls, on a
%% dirty one, or on threads of the library's own. There is no process here, and nothing to supervise.
-module(tripod_nif).
-behaviour(tripod_strategy).

-export([children/0, stopped/0, modes/0, open/1, call/3, send/3, receive_reply/3, interrupt/1,
         give_away/2, usage/1, close/1, census/0]).

%% The VM's own idea of a time slice, which enif_consume_timeslice/2 documents; on a thread of the
%% library's own, how long one box keeps others waiting.
-define(SLICE_NS, 1_000_000).
%% On a dirty scheduler, where nobody waits but other dirty jobs.
-define(DIRTY_SLICE_NS, 10_000_000).

%% The NIF resource, marked where calls do not go by way of the caller's scheduler.
-type handle() :: reference() | {dirty | thread, reference()}.
-export_type([handle/0]).

-spec children() -> [].
children() -> [].

%% The application has stopped: every box is closed, as with the other strategies, and no thread of
%% the library's stays behind.
-spec stopped() -> ok.
stopped() ->
    case tripod_nif_lib:loaded() of
        true -> tripod_nif_lib:stop();
        false -> ok
    end.

-spec modes() -> [tripod_strategy:mode(), ...].
modes() -> [yield, inline, dirty, thread].

-spec open(tripod_strategy:config()) -> {ok, handle()} | {error, term()}.
open(#{service := Service, mode := Mode, memory_bytes := MemoryBytes, time_ms := TimeMs,
       depth := Depth, reply_bytes := ReplyBytes, preempt := Preempt, cleanup := Cleanup}) ->
    Limits = {Service, MemoryBytes, TimeMs * 1_000_000, slice_ns(Mode), Depth, ReplyBytes, Preempt,
              Mode, Cleanup},
    case tripod_nif_lib:open(Limits) of
        {ok, Box} when Mode =:= dirty; Mode =:= thread -> {ok, {Mode, Box}};
        Result -> Result
    end.

slice_ns(inline) -> 0;
slice_ns(dirty) -> ?DIRTY_SLICE_NS;
slice_ns(_) -> ?SLICE_NS.

-spec call(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call({dirty, Box}, Request, TimeMs) ->
    tripod_nif_lib:call_dirty(Box, Request, TimeMs);
call({thread, Box}, Request, TimeMs) ->
    Id = make_ref(),
    case submit(Box, Request, TimeMs, Id) of
        ok -> receive {?MODULE, Id, Reply} -> reply(Box, Reply) end;
        {error, _} = Error -> Error
    end;
call(Box, Request, TimeMs) ->
    tripod_nif_lib:call(Box, Request, TimeMs).

%% Every request that was taken is answered, and so is every wait for room, however the box ends; so
%% neither needs a timeout or a monitor.
submit(Box, Request, TimeMs, Id) ->
    case tripod_nif_lib:submit(Box, Request, TimeMs, Id) of
        full ->
            receive {?MODULE, room, Box} -> ok end,
            submit(Box, Request, TimeMs, Id);
        Result ->
            Result
    end.

%% In the mode thread the request waits for its turn. In the others the caller is the thread that
%% would do the work, or has to wait for it, so the call runs here and now. Either way the reply
%% waits in the caller's mailbox until it is asked for.
-spec send(handle(), term(), non_neg_integer()) ->
          {ok, reference()} | {error, tripod_strategy:reason()}.
send({thread, Box}, Request, TimeMs) ->
    Id = make_ref(),
    case submit(Box, Request, TimeMs, Id) of
        ok -> {ok, Id};
        {error, _} = Error -> Error
    end;
send(Handle, Request, TimeMs) ->
    case call(Handle, Request, TimeMs) of
        {error, Why} = Error when Why =:= closed; Why =:= not_owner ->
            Error;
        Reply ->
            Id = make_ref(),
            self() ! {?MODULE, Id, Reply},
            {ok, Id}
    end.

-spec receive_reply(handle(), reference(), timeout()) -> tripod_strategy:reply() | timeout.
receive_reply(Handle, Id, Timeout) ->
    receive
        {?MODULE, Id, Reply} -> reply(box(Handle), Reply)
    after Timeout ->
        timeout
    end.

%% A service that breaks its promise of one whole term has lost its box.
reply(Box, {encoded, Bytes}) ->
    try
        binary_to_term(Bytes)
    catch
        error:badarg ->
            ok = tripod_nif_lib:close(Box),
            {error, {down, broken}}
    end;
reply(_Box, Reply) ->
    Reply.

-spec interrupt(handle()) -> ok.
interrupt(Handle) -> tripod_nif_lib:interrupt(box(Handle)).

%% Requests in flight are answered first, to their sender: when a question that was put in line
%% behind them is answered, they are. Whatever else there is to say, the library says.
-spec give_away(handle(), pid()) ->
          ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away({thread, Box} = Handle, Pid) ->
    _ = usage(Handle),
    tripod_nif_lib:give_away(Box, Pid);
give_away(Handle, Pid) ->
    tripod_nif_lib:give_away(box(Handle), Pid).

-spec usage(handle()) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage({thread, Box}) ->
    Id = make_ref(),
    case tripod_nif_lib:submit_usage(Box, Id) of
        ok -> receive {?MODULE, Id, Usage} -> Usage end;
        {error, _} = Error -> Error
    end;
usage(Handle) ->
    tripod_nif_lib:usage(box(Handle)).

-spec close(handle()) -> ok.
close(Handle) -> tripod_nif_lib:close(box(Handle)).

-spec census() -> tripod_strategy:census().
census() -> tripod_nif_lib:census().

box({_Mode, Box}) -> Box;
box(Box) -> Box.
