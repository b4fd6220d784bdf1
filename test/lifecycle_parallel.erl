%% SPDX-License-Identifier: Apache-2.0
%% Commands for several processes, and a record of what each was answered and when. Boxes and requests
%% that are opened or sent have numbers of the process that does so, so that a number means one thing.
-module(lifecycle_parallel).

-export([before/0, at_once/0, run/2, story/1]).

-import(proper_types, [oneof/1, frequency/1, list/1, resize/2]).

-define(WORLD, lifecycle_world).
-define(PROCESSES, 3).
-define(OWNERS, [1, 2, 3]).
-define(MOST_BEFORE, 4).
-define(MOST_AT_ONCE, 6).
%% In turns.
-define(HESITATION, 10).
-define(BUSY, 4).
-define(DEADLINE_MS, 60000).

-type command() :: {atom(), [term()]}.

%% By process 0, which has opened two boxes.
-spec before() -> proper_types:type().
before() -> resize(?MOST_BEFORE, list(command(0))).

%% A tuple of types is the type of such tuples.
-spec at_once() -> tuple().
at_once() ->
    list_to_tuple([resize(?MOST_AT_ONCE, list(command(N))) || N <- lists:seq(1, ?PROCESSES)]).

command(Process) ->
    Owner = oneof(?OWNERS),
    Box = oneof([1, 1, 2, 2 | [10 + N || N <- lists:seq(1, ?PROCESSES)]]),
    Request = oneof([10 * Process + 1, 10 * Process + 2]),
    Script = oneof(?WORLD:scripts()),
    frequency([{2, {open_new, [Owner, 10 + Process]}},
               {4, {call, [Owner, Box, Script]}},
               {4, {send, [Owner, Box, Request, Script]}},
               {3, {receive_reply, [Owner, Request]}},
               {2, {interrupt, [Box]}},
               {6, {give_away, [Owner, Box, Owner]}},
               {2, {info, [Owner, Box]}},
               {1, {close, [Box]}},
               {1, {close, [Owner, Box]}},
               {2, {kill, [Owner]}},
               {1, {leak, [Box, oneof([message, ets, binary])]}}]).

%% Everything that was done, up to who owns what in the end.
-spec run([command()], tuple()) -> [lifecycle_order:event()].
run(Before, AtOnce) ->
    Clock = atomics:new(1, []),
    Noise = owner_noise:start(?BUSY),
    First = [event(Command, Clock) || Command <- [{open_new, [1, 1]}, {open_new, [2, 2]} | Before]],
    Start = atomics:new(1, []),
    Processes = [spawn_monitor(fun() ->
                     ok = until_started(Start),
                     exit({events, [hesitant_event(Command, Clock) || Command <- Commands]})
                 end) || Commands <- tuple_to_list(AtOnce)],
    ok = atomics:put(Start, 1, 1),
    Events = lists:append([events(Process) || Process <- Processes]),
    ok = owner_noise:stop(Noise),
    Requests = [10 * N + I || N <- lists:seq(0, ?PROCESSES), I <- [1, 2]],
    Boxes = [1, 2 | [10 + N || N <- lists:seq(0, ?PROCESSES)]],
    First ++ Events ++ [event({settle, []}, Clock)]
        ++ [event({receive_reply, [Owner, Request]}, Clock) || Owner <- ?OWNERS, Request <- Requests]
        ++ [event({probe, [Box]}, Clock) || Box <- Boxes]
        ++ [event({ties, [Owner]}, Clock) || Owner <- ?OWNERS].

until_started(Start) ->
    case atomics:get(Start, 1) of
        0 -> true = erlang:yield(), until_started(Start);
        1 -> ok
    end.

events({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {events, Events}} -> Events;
        {'DOWN', Monitor, process, Pid, Why} -> error(Why)
    after ?DEADLINE_MS ->
        error(hangs)
    end.

hesitant_event(Command, Clock) ->
    ok = owner_noise:hesitate(1 bsl rand:uniform(?HESITATION)),
    ok = owner_noise:narrow(),
    event(Command, Clock).

event({Command, Args}, Clock) ->
    From = atomics:add_get(Clock, 1, 1),
    Result = apply(?WORLD, Command, Args),
    #{command => Command, args => Args, result => Result,
      from => From, to => atomics:add_get(Clock, 1, 1)}.

%% For a reader, without what led nowhere.
-spec story([lifecycle_order:event()]) -> [tuple()].
story(Events) ->
    lists:sort([{From, To, list_to_tuple([Command | Args]), Result}
                || #{command := Command, args := Args, result := Result, from := From, to := To} <- Events,
                   Result =/= none]).
