%% SPDX-License-Identifier: Apache-2.0
%% A node for each case of the nif suites: its census begins at zero, and a crash of the VM is one
%% failed case. And what the cases say in it: processes that own boxes, races, and conditions that
%% are polled to a deadline.
-module(nif_node).

-export([start/3, stop/1, in_peer/2, in_peer/3, run/1]).
-export([config/0, open/1, idle/0, owner/1, ask/2, endless/2, outcome/1, racer/1, start/1, kill/1,
         monitors/1, no_monitors/1, no_boxes/0, until/1]).

-define(DEADLINE_MS, 30_000).

start(Args, Env, Config) ->
    Paths = lists:append([["-pa", filename:absname(Path)] || Path <- code:get_path(),
                                                             not in_otp(Path)]),
    {ok, Peer, _} = peer:start_link(#{connection => standard_io, args => Args ++ Paths,
                                      env => Env}),
    [{peer, Peer} | Config].

stop(Config) ->
    peer:stop(proplists:get_value(peer, Config)).

in_otp(Path) -> lists:prefix(code:root_dir(), Path) orelse Path =:= ".".

%% Runs Fun in the case's node. The module that made it is on the code path there.
in_peer(Config, Fun) -> in_peer(Config, Fun, 100_000).

in_peer(Config, Fun, LimitMs) ->
    peer:call(proplists:get_value(peer, Config), ?MODULE, run, [Fun], LimitMs).

run(Fun) -> Fun().

%% What follows is called in the case's node.

config() ->
    #{service => echo, mode => yield, memory_bytes => 1 bsl 20, time_ms => 1000, depth => 200,
      reply_bytes => 1 bsl 20, preempt => timer, cleanup => owner}.

open(Service) ->
    {ok, Box} = tripod:open(nif, #{service => Service, time_ms => 60_000}),
    Box.

%% A process that does as it is asked.
idle() -> spawn(fun() -> holder(nothing) end).

%% One that owns a box.
owner(Service) ->
    Owner = idle(),
    {Owner, ask(Owner, fun(_) -> Box = open(Service), {Box, Box} end)}.

holder(Held) ->
    receive
        {ask, From, Fun} ->
            {Value, Kept} = Fun(Held),
            From ! {self(), Value},
            holder(Kept)
    end.

%% Fun gets what the process holds and returns {Answer, WhatItHoldsFromNowOn}.
ask(Pid, Fun) ->
    Monitor = monitor(process, Pid),
    Pid ! {ask, self(), Fun},
    receive
        {Pid, Value} ->
            demonitor(Monitor, [flush]),
            Value;
        {'DOWN', Monitor, process, _, Why} ->
            error({died, Why})
    after ?DEADLINE_MS ->
        error(deadline)
    end.

%% Returns when the owner is inside a call that does not end by itself.
endless(Owner, Box) ->
    Owner ! {ask, self(), fun(Held) -> {tripod_lua:eval(Box, "while true do end"), Held} end},
    until(fun() -> maps:get(calls, tripod:census(nif)) > 0 end),
    Owner.

outcome(Owner) ->
    receive {Owner, Reply} -> Reply after ?DEADLINE_MS -> error(deadline) end.

%% A process that is about to do Fun on another scheduler, and does it soon after start/1. Left to
%% itself, a fresh process waits in the run queue of the scheduler that this one keeps busy.
racer(Fun) ->
    _ = process_flag(scheduler, 1),
    Line = atomics:new(1, []),
    Pid = spawn_opt(fun() ->
        atomics:put(Line, 1, 1),
        wait_for(Line, 2),
        spin(rand:uniform(1000)),
        Fun()
    end, [{scheduler, min(2, erlang:system_info(schedulers_online))}]),
    wait_for(Line, 1),
    {Pid, Line}.

start({_, Line}) ->
    atomics:put(Line, 1, 2),
    spin(rand:uniform(1000)).

wait_for(Line, State) ->
    case atomics:get(Line, 1) of
        State -> ok;
        _ -> wait_for(Line, State)
    end.

spin(0) -> ok;
spin(N) -> spin(N - 1).

kill(Pid) ->
    Monitor = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Monitor, process, _, _} -> ok after ?DEADLINE_MS -> error(deadline) end.

%% Resources that monitor the process. Removing one is a signal to it, so this is polled.
monitors(Pid) ->
    {monitored_by, By} = process_info(Pid, monitored_by),
    [Ref || Ref <- By, is_reference(Ref)].

no_monitors(Pid) ->
    until(fun() -> monitors(Pid) =:= [] end).

no_boxes() ->
    until(fun() -> tripod:census(nif) =:= #{boxes => 0, bytes => 0, calls => 0, os_processes => 0}
          end).

until(Condition) ->
    until(Condition, erlang:monotonic_time(millisecond) + ?DEADLINE_MS).

until(Condition, Deadline) ->
    case Condition() of
        true ->
            ok;
        false ->
            erlang:monotonic_time(millisecond) < Deadline orelse
                error({deadline, tripod:census(nif), monitors(self())}),
            receive after 1 -> until(Condition, Deadline) end
    end.
