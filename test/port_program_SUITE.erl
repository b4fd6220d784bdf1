%% SPDX-License-Identifier: Apache-2.0
%% What is peculiar to the external port program: operating system processes that must end however
%% the VM, the keeper, the owner or they themselves end, and what the owner is told.
-module(port_program_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(KEEPER, tripod_port_program_keeper).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [dies_idle, dies_in_a_call, dies_with_requests_queued, dies_before_the_new_owner_asks,
     owner_killed_idle, owner_killed_in_a_call, owner_killed_while_stopped,
     owner_killed_with_a_full_pipe, owner_killed_while_opening, closed_while_stopped,
     stopped_in_a_call, waiting_callers_hear_of_a_close, keeper_killed, keeper_killed_in_a_call,
     application_stopped, vm_killed].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Config.

end_per_suite(_Config) -> application:stop(tripod).

init_per_testcase(_Case, Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    ok = contract:await_nothing_alive(),
    Config.

end_per_testcase(_Case, _Config) ->
    [] = contract:mailbox(),
    contract:await_nothing_alive().

config() -> [{strategy, port_program}, {mode, process}].

open() -> contract:open(config()).
open(Options) -> contract:open(config(), Options).

%% Runs in a process of its own, which is left to wait; the port, the OS process, and a way to see
%% whether it is gone.
owner(Options) ->
    {Owner, Monitor, Box} = contract:owner(config(), Options),
    {Port, Pid} = os_process:of_owner(Owner),
    #{owner => Owner, monitor => Monitor, box => Box, port => Port, pid => Pid}.

kill(#{owner := Owner, monitor := Monitor}) ->
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end.

%% A call that is running for certain.
call_endlessly(#{owner := Owner, box := Box}) ->
    Self = self(),
    contract:tell(Owner, fun() -> Self ! {reply, tripod_lua:eval(Box, "while true do end")} end),
    contract:await(fun() -> maps:get(calls, tripod:census(port_program)) =:= 1 end).

the_reply() ->
    receive {reply, Reply} -> Reply after 30000 -> error(call_hangs) end.

await_closed(Port) ->
    contract:await(fun() -> erlang:port_info(Port) =:= undefined end).

%% The program dies.

dies_idle(_Config) ->
    [begin
         Box = open(),
         {Port, Process} = os_process:of_owner(self()),
         ok = os_process:signal(Signal, Process),
         os_process:await_gone(Process),
         await_closed(Port),
         Down = {error, {down, {signal, Why}}},
         Down = tripod:call(Box, reset),
         Down = tripod:call(Box, reset),
         Down = tripod:info(Box),
         Down = tripod:give_away(Box, self()),
         Down = tripod:send(Box, reset),
         ok = tripod:interrupt(Box),
         ok = tripod:close(Box),
         {error, closed} = tripod:call(Box, reset),
         [] = contract:mailbox()
     end || {Signal, Why} <- [{"KILL", kill}, {"SEGV", segv}, {"ABRT", abrt}, {"TERM", term}, {"USR1", 10}]],
    %% Nobody asks after it: close takes the port's last message away.
    Box = open(),
    {Port, Process} = os_process:of_owner(self()),
    ok = os_process:signal("KILL", Process),
    await_closed(Port),
    ok = tripod:close(Box).

dies_in_a_call(_Config) ->
    [begin
         #{pid := Process} = Owner = owner(#{time_ms => 60000}),
         ok = call_endlessly(Owner),
         ok = os_process:signal(Signal, Process),
         {error, {down, {signal, Why}}} = the_reply(),
         kill(Owner)
     end || {Signal, Why} <- [{"KILL", kill}, {"SEGV", segv}, {"ABRT", abrt}]].

%% What it had answered can still be received; the rest is down.
dies_with_requests_queued(_Config) ->
    Box = open(#{time_ms => 60000}),
    {_, Process} = os_process:of_owner(self()),
    {ok, First} = tripod:send(Box, {eval, <<"return 1">>, []}),
    {ok, Second} = tripod:send(Box, {eval, <<"while true do end">>, []}),
    {ok, Third} = tripod:send(Box, {eval, <<"return 3">>, []}),
    timeout = tripod:receive_reply(Second, 0),
    contract:await(fun() -> [] =/= element(2, process_info(self(), messages)) end),
    ok = os_process:signal("KILL", Process),
    Down = {error, {down, {signal, kill}}},
    Down = tripod:receive_reply(Second, infinity),
    {ok, [1]} = tripod:receive_reply(First, infinity),
    Down = tripod:receive_reply(Third, infinity),
    Down = tripod:receive_reply(Third, 0),
    ok = tripod:close(Box).

dies_before_the_new_owner_asks(_Config) ->
    #{owner := Owner, box := Box, port := Port, pid := Process} = O = owner(#{}),
    Self = self(),
    ok = contract:ask(Owner, fun() -> tripod:give_away(Box, Self) end),
    kill(O),
    ok = os_process:signal("KILL", Process),
    await_closed(Port),
    {error, {down, {signal, kill}}} = tripod:call(Box, reset),
    ok = tripod:close(Box).

%% The owner dies.

owner_killed_idle(_Config) ->
    #{pid := Process} = Owner = owner(#{}),
    kill(Owner),
    os_process:await_gone(Process).

owner_killed_in_a_call(_Config) ->
    #{pid := Process} = Owner = owner(#{time_ms => 60000}),
    ok = call_endlessly(Owner),
    kill(Owner),
    os_process:await_gone(Process).

owner_killed_while_stopped(_Config) ->
    #{pid := Process} = Owner = owner(#{}),
    ok = os_process:stop(Process),
    kill(Owner),
    os_process:await_gone(Process).

%% Stopped, and with requests in the pipe and in the driver's queue: closing such a port would wait
%% for ever if it were to flush.
owner_killed_with_a_full_pipe(_Config) ->
    #{owner := Pid, box := Box, port := Port, pid := Process} = Owner = owner(#{}),
    ok = os_process:stop(Process),
    contract:ask(Pid, fun() -> [{ok, _} = tripod:send(Box, {eval, <<>>, [binary:copy(<<0>>, 500000)]})
                                || _ <- lists:seq(1, 4)] end),
    {queue_size, Queued} = erlang:port_info(Port, queue_size),
    ?assert(Queued > 1000000),
    kill(Owner),
    os_process:await_gone(Process),
    await_closed(Port).

%% Deaths all along the way from the first step to the last.
owner_killed_while_opening(_Config) ->
    [begin
         {Pid, Monitor} = spawn_monitor(fun() -> open(), receive never -> ok end end),
         spin(Round * 20),
         exit(Pid, kill),
         receive {'DOWN', Monitor, process, Pid, killed} -> ok end
     end || Round <- lists:seq(0, 99)],
    contract:await_nothing_alive().

%% Microseconds.
spin(Us) ->
    Until = erlang:monotonic_time(microsecond) + Us,
    (fun Loop() -> erlang:monotonic_time(microsecond) < Until andalso Loop() end)().

closed_while_stopped(_Config) ->
    Box = open(),
    {Port, Process} = os_process:of_owner(self()),
    ok = os_process:stop(Process),
    {ok, _} = tripod:send(Box, {eval, <<>>, [binary:copy(<<0>>, 1000000)]}),
    ok = tripod:close(Box),
    undefined = erlang:port_info(Port),
    os_process:await_gone(Process).

%% Nothing inside the program can end this call, so the VM does.
stopped_in_a_call(_Config) ->
    #{pid := Process} = Owner = owner(#{time_ms => 2000}), % time enough to stop it before
    ok = call_endlessly(Owner),
    ok = os_process:stop(Process),
    {error, {down, stuck}} = the_reply(),
    os_process:await_gone(Process),
    kill(Owner).

waiting_callers_hear_of_a_close(_Config) ->
    [begin
         #{box := Box} = Owner = owner(#{time_ms => 60000}),
         ok = call_endlessly(Owner),
         ok = tripod:close(Box),
         {error, closed} = the_reply(),
         kill(Owner)
     end || _ <- lists:seq(1, 20)].

%% The keeper, the application, the VM die.

kill_keeper() ->
    Keeper = whereis(?KEEPER),
    exit(Keeper, kill),
    contract:await(fun() -> is_pid(whereis(?KEEPER)) andalso whereis(?KEEPER) =/= Keeper end).

keeper_killed(_Config) ->
    Box = open(),
    {_, Mine} = os_process:of_owner(self()),
    #{pid := Stopped, port := Port, box := Other, owner := Pid} = Owner = owner(#{}),
    ok = os_process:stop(Stopped),
    contract:ask(Pid, fun() -> tripod:send(Other, {eval, <<>>, [binary:copy(<<0>>, 1000000)]}) end),
    kill_keeper(),
    os_process:await_gone(Mine),
    os_process:await_gone(Stopped),
    await_closed(Port),
    {error, {down, lost}} = tripod:call(Box, reset),
    {error, {down, lost}} = contract:ask(Pid, fun() -> tripod:call(Other, reset) end),
    ok = tripod:close(Box),
    {error, closed} = tripod:call(Box, reset),
    kill(Owner),
    Next = open(),
    {ok, [1]} = tripod_lua:eval(Next, "return 1"),
    ok = tripod:close(Next).

keeper_killed_in_a_call(_Config) ->
    Owner = owner(#{time_ms => 60000}),
    ok = call_endlessly(Owner),
    kill_keeper(),
    {error, {down, lost}} = the_reply(),
    kill(Owner).

application_stopped(_Config) ->
    Box = open(),
    {_, Process} = os_process:of_owner(self()),
    #{pid := Stopped} = Owner = owner(#{}),
    ok = os_process:stop(Stopped),
    ok = application:stop(tripod),
    ?assertNot(os_process:alive(Process)),
    ?assertNot(os_process:alive(Stopped)),
    {error, closed} = tripod:call(Box, reset),
    ok = tripod:close(Box),
    kill(Owner).

%% Not even a stopped program survives the VM.
vm_killed(_Config) ->
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => ["-pa" | code:get_path()]}),
    ok = peer:call(Peer, ?MODULE, hold_boxes, [3]),
    Processes = [begin
                     {ok, Start} = tripod_port_program_os:start(Pid),
                     {Pid, Start}
                 end || #{os_pid := Pid} <- peer:call(Peer, ?KEEPER, processes, [])],
    3 = length(Processes),
    ok = os_process:stop(hd(Processes)),
    Vm = peer:call(Peer, os, getpid, []),
    Monitor = monitor(process, Peer),
    "" = os:cmd("kill -KILL " ++ Vm),
    receive {'DOWN', Monitor, process, Peer, _} -> ok end,
    [os_process:await_gone(Process) || Process <- Processes].

hold_boxes(Number) ->
    Self = self(),
    Pid = spawn(fun() -> [open() || _ <- lists:seq(1, Number)], Self ! {open, self()}, exit_when_asked() end),
    receive {open, Pid} -> ok end.

exit_when_asked() -> receive stop -> ok end.
