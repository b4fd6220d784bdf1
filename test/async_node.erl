%% SPDX-License-Identifier: Apache-2.0
%% What the suites of the port driver's mode async share. Everything here is called in the node of
%% the case.
-module(async_node).

-export([open/0, open/1, echo/0, run/2, spin/1, spin/2, blocked/0, release/1, calling/1, suspended/1,
         forked/1, outcome/1, until_told/1, settled/2]).

open() -> open(#{}).

open(Options) -> contract:open([{strategy, port_driver}, {mode, async}], Options).

echo() -> open(#{service => echo}).

%% A request to the Lua service.
run(Source, Args) -> {eval, iolist_to_binary(Source), Args}.

%% One that takes so many turns of a loop, or does not end.
spin(Turns) -> spin(Turns, []).

spin(forever, Args) -> run("while true do end", Args);
spin(Turns, Args) -> run(["for i = 1, ", integer_to_list(Turns), " do end"], Args).

%% Takes the pool's only thread until release/1, which returns when the thread is free.
blocked() ->
    Box = open(#{time_ms => 60_000}),
    {ok, Request} = tripod:send(Box, spin(forever)),
    ok = calling(1),
    {Box, Request}.

release({Box, Request}) ->
    ok = tripod:interrupt(Box),
    {error, interrupted} = tripod:receive_reply(Request, infinity),
    ok = tripod:close(Box).

%% Waits until so many calls run.
calling(Number) ->
    contract:await(fun() -> maps:get(calls, tripod:census(port_driver)) =:= Number end).

suspended({Pid, _}) ->
    contract:await(fun() ->
                           case process_info(Pid, status) of
                               {status, suspended} -> true;
                               Other -> Other
                           end
                   end).

%% A process and what it returned, or why it died.
forked(Fun) -> spawn_monitor(fun() -> exit({returned, Fun()}) end).

outcome({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {returned, Value}} -> Value;
        {'DOWN', Monitor, process, Pid, Why} -> Why
    end.

%% Does it over and over until it is sent `stop`; returns how often.
until_told(Fun) -> until_told(Fun, 0).

until_told(Fun, Times) ->
    receive
        stop -> Times
    after 0 ->
        _ = Fun(),
        until_told(Fun, Times + 1)
    end.

%% Runs it many times; then every box and port is gone, and every block that the driver allocated is
%% freed, by the VM's own count.
settled(Fun, Times) ->
    _ = [Fun() || _ <- lists:seq(1, 2)],
    Before = still(),
    _ = [Fun() || _ <- lists:seq(1, Times)],
    ok = contract:await(fun() -> none_left() andalso driver_node:driver_blocks() =< Before
                                     orelse {driver_node:driver_blocks(), Before} end),
    [] = contract:mailbox(),
    ok.

none_left() ->
    driver_node:box_ports() =:= []
        andalso maps:get(boxes, tripod:census(port_driver)) =:= 0.

%% What is there when nothing is: the same for a while.
still() ->
    ok = contract:await(fun none_left/0),
    still(driver_node:driver_blocks(), 20).

still(Blocks, 0) ->
    Blocks;
still(Blocks, Times) ->
    receive after 2 -> ok end,
    case driver_node:driver_blocks() of
        Blocks -> still(Blocks, Times - 1);
        Other -> still(Other, 20)
    end.
