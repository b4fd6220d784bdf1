%% SPDX-License-Identifier: Apache-2.0
%% What every holder of a box's handle sees of it without asking anybody: how many requests were
%% sent and answered, until when, and how the box ended. A few atomic words that live as long as
%% the handle, so that no table has to remember boxes that are gone.
%%
%% The counters are written by the owner only. The fate is written by whoever learns of it; closed
%% is final, and what the operating system said replaces what we could only guess.
-module(tripod_port_program_shared).

-export([new/0, book/2, last_id/1, received/1, progress/1, in_flight/1, patience/1]).
-export([ended/2, fell/2, closed/1, fate/1, startup/1]).
-export_type([shared/0, id/0, ending/0]).

-opaque shared() :: atomics:atomics_ref().
-type id() :: non_neg_integer().
%% lost: the port closed and nobody could say why. protocol: the program sent what it must not.
%% stuck: it neither answered nor took input long after its time limit. Or an exit status, as the
%% port driver reports it.
-type ending() :: lost | protocol | stuck | {exit_status, non_neg_integer()}.

-define(SENT, 1).
-define(RECEIVED, 2).
%% By when the last request must have been answered. Negative: its time limit in milliseconds, for
%% it was sent alone, which needs no clock; otherwise milliseconds since the VM started.
-define(DUE, 3).
-define(FATE, 4).

-define(FATE_OPEN, 0).
-define(FATE_CLOSED, 1).
-define(FATE_LOST, 2).
-define(FATE_PROTOCOL, 3).
-define(FATE_STUCK, 4).
-define(FATE_EXIT_STATUS, 16).

-define(EXIT_CODES, [{65, protocol}, {67, memory}, {68, system}, {69, reply}, {70, request},
                     {71, broken}, {72, time}]).

%% Ids are 32 bits of a frame.
-define(ID_MASK, 16#ffffffff).

%% How much later than its time limit allows a reply may come before the program counts as stuck.
-define(STUCK_MS, 2000).

-spec new() -> shared().
new() -> atomics:new(4, [{signed, true}]).

%% One more request, which may run for LimitMs when those before it have ended. Its id, and whether
%% it is the only one in flight.
-spec book(shared(), pos_integer()) -> {id(), alone | queued}.
book(Shared, LimitMs) ->
    Sent = atomics:add_get(Shared, ?SENT, 1),
    Kind = case atomics:get(Shared, ?RECEIVED) of
               Received when Received =:= Sent - 1 ->
                   ok = atomics:put(Shared, ?DUE, -LimitMs),
                   alone;
               _ ->
                   ok = atomics:put(Shared, ?DUE, max(uptime_ms(), due(Shared)) + LimitMs),
                   queued
           end,
    {Sent band ?ID_MASK, Kind}.

%% Of the request that was booked last.
-spec last_id(shared()) -> id().
last_id(Shared) -> atomics:get(Shared, ?SENT) band ?ID_MASK.

%% One more reply was taken out of the mailbox.
-spec received(shared()) -> ok.
received(Shared) -> atomics:add(Shared, ?RECEIVED, 1).

%% Changes whenever a reply is received.
-spec progress(shared()) -> non_neg_integer().
progress(Shared) -> atomics:get(Shared, ?RECEIVED).

%% Requests whose reply nobody received yet.
-spec in_flight(shared()) -> non_neg_integer().
in_flight(Shared) -> max(0, atomics:get(Shared, ?SENT) - atomics:get(Shared, ?RECEIVED)).

%% How many milliseconds from now the reply to the last request may still take. For a request sent
%% alone that is counted from now too: later than necessary, but never for ever.
-spec patience(shared()) -> non_neg_integer().
patience(Shared) ->
    case atomics:get(Shared, ?DUE) of
        Limit when Limit < 0 -> ?STUCK_MS - Limit;
        Due -> max(0, Due + ?STUCK_MS - uptime_ms())
    end.

due(Shared) ->
    case atomics:get(Shared, ?DUE) of
        Limit when Limit < 0 -> uptime_ms() - Limit;
        Due -> Due
    end.

uptime_ms() ->
    erlang:convert_time_unit(erlang:monotonic_time() - erlang:system_info(start_time), native,
                             millisecond).

-spec ended(shared(), ending()) -> ok.
ended(Shared, Ending) ->
    Fate = encode(Ending),
    case atomics:compare_exchange(Shared, ?FATE, ?FATE_OPEN, Fate) of
        ?FATE_LOST ->
            _ = atomics:compare_exchange(Shared, ?FATE, ?FATE_LOST, Fate),
            ok;
        _ ->
            ok
    end.

%% The program said {error, {down, Why}}: it will end with the exit code that says the same. The
%% status itself is lost when a command finds the pipe closed before the VM has noticed the end.
-spec fell(shared(), term()) -> ok.
fell(Shared, Why) ->
    case lists:keyfind(Why, 2, ?EXIT_CODES) of
        {Status, Why} -> ended(Shared, {exit_status, Status});
        false -> ok
    end.

-spec closed(shared()) -> ok.
closed(Shared) ->
    try
        atomics:put(Shared, ?FATE, ?FATE_CLOSED)
    catch
        error:badarg -> ok
    end.

-spec fate(shared()) -> open | {error, closed | {down, atom() | tuple()}}.
fate(Shared) ->
    case fate_word(Shared) of
        ?FATE_OPEN -> open;
        ?FATE_CLOSED -> {error, closed};
        ?FATE_LOST -> {error, {down, lost}};
        ?FATE_PROTOCOL -> {error, {down, protocol}};
        ?FATE_STUCK -> {error, {down, stuck}};
        Status when Status >= ?FATE_EXIT_STATUS -> {error, {down, why(Status - ?FATE_EXIT_STATUS)}}
    end.

%% A handle that was stored as external term refers to nothing when it is the last one.
fate_word(Shared) ->
    try
        atomics:get(Shared, ?FATE)
    catch
        error:badarg -> ?FATE_CLOSED
    end.

encode(lost) -> ?FATE_LOST;
encode(protocol) -> ?FATE_PROTOCOL;
encode(stuck) -> ?FATE_STUCK;
encode({exit_status, Status}) -> ?FATE_EXIT_STATUS + Status.

%% enum exit_code (exit_codes.h), and the shell's convention for signals, which erl_child_setup.c
%% follows.
why(128 + 31) ->
    seccomp; % SIGSYS
why(Status) when Status > 128 ->
    {signal, signal(Status - 128)};
why(Status) ->
    case lists:keyfind(Status, 1, ?EXIT_CODES) of
        {Status, Why} -> Why;
        false -> {exit, Status}
    end.

signal(4) -> ill;
signal(5) -> trap;
signal(6) -> abrt;
signal(7) -> bus;
signal(8) -> fpe;
signal(9) -> kill;
signal(11) -> segv;
signal(13) -> pipe;
signal(14) -> alrm;
signal(15) -> term;
signal(24) -> xcpu;
signal(25) -> xfsz;
signal(Number) -> Number.

%% What an exit status means when the program has not said hello.
-spec startup(non_neg_integer()) -> no_service | {unconfined, atom()} | {down, atom() | tuple()}
                                  | {exec, term()}.
startup(66) -> no_service;
startup(80) -> {unconfined, seccomp};
startup(81) -> {unconfined, limits};
startup(82) -> {unconfined, privileges};
startup(127) -> {exec, loader}; % ld.so: a shared library is missing
startup(Status) when Status > 0, Status < 64 -> {exec, {errno, Status}};
startup(Status) -> {down, why(Status)}.
