%% SPDX-License-Identifier: Apache-2.0
%% The process that kills for the VM: it hits nobody but whom it is told to, it is replaced, and with
%% it no state of a box keeps a VM from halting, or outlives one.
-module(port_program_guard_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all, {no_auto_import, [halt/0]}]).

-define(GUARD, tripod_port_program_guard).
%% To halt must not take longer than a busy machine needs. What it waited for without a guard never came.
-define(HALT_MS, 20000).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [spares_the_wrong, kills_at_the_end_of_its_input, forgets_what_is_gone, ends_on_garbage,
     killed_guard_is_replaced, stopped_guard_is_replaced, ends_with_the_application,
     deaf_box_ends_with_its_owner, vm_halts, vm_killed].

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

open() -> contract:open([{strategy, port_program}, {mode, process}], #{time_ms => 60000}).

process() -> {_, Process} = os_process:of_owner(self()), Process.

program() -> tripod_strategy:artefact("tripod_port_program").

%% A guard of our own, fed by hand.
guard() ->
    open_port({spawn_executable, program()}, [{args, ["guard"]}, binary, exit_status]).

tell(Port, What, {Pid, Start}) ->
    true = port_command(Port, <<What, Pid:32, Start:64>>).

%% Something that lasts and is not ours.
sleeper() ->
    Port = open_port({spawn_executable, os:find_executable("sleep")}, [{args, ["600"]}]),
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    {ok, Start} = tripod_port_program_os:start(Pid),
    {Port, {Pid, Start}}.

end_sleeper({Port, Process}) ->
    ok = os_process:signal("KILL", Process),
    ok = os_process:await_gone(Process),
    contract:await(fun() -> erlang:port_info(Port) =:= undefined end).

%% The process with that number, but not the one that was meant.
spares_the_wrong(_Config) ->
    {_, {Pid, Start}} = Wrong = sleeper(),
    {_, Meant} = sleeper(),
    Guard = guard(),
    tell(Guard, $!, {Pid, Start + 1}),
    tell(Guard, $!, Meant),
    ok = os_process:await_gone(Meant), % the guard has read the one before
    ?assert(os_process:alive({Pid, Start})),
    true = port_close(Guard),
    end_sleeper(Wrong).

kills_at_the_end_of_its_input(_Config) ->
    Sleepers = [sleeper() || _ <- lists:seq(1, 100)],
    Guard = guard(),
    [tell(Guard, $+, Process) || {_, Process} <- Sleepers],
    {os_pid, Pid} = erlang:port_info(Guard, os_pid),
    {ok, Start} = tripod_port_program_os:start(Pid),
    true = port_close(Guard),
    [ok = os_process:await_gone(Process) || {_, Process} <- Sleepers],
    ok = os_process:await_gone({Pid, Start}).

forgets_what_is_gone(_Config) ->
    [{_, First}, Second, {_, Third}] = [sleeper() || _ <- [1, 2, 3]],
    Guard = guard(),
    [tell(Guard, $+, Process) || Process <- [First, element(2, Second), Third]],
    tell(Guard, $-, element(2, Second)),
    {os_pid, Pid} = erlang:port_info(Guard, os_pid),
    {ok, Start} = tripod_port_program_os:start(Pid),
    true = port_close(Guard),
    [ok = os_process:await_gone(Process) || Process <- [First, Third, {Pid, Start}]],
    ?assert(os_process:alive(element(2, Second))),
    end_sleeper(Second).

ends_on_garbage(_Config) ->
    [begin
         Guard = guard(),
         true = port_command(Guard, Garbage),
         receive {Guard, {exit_status, 65}} -> ok after 30000 -> error({accepts, Garbage}) end
     end || Garbage <- [binary:copy(<<"x">>, 13), <<"!", 0:32, 0:64>>, <<"!", 1:32, 0:64>>,
                        <<"+", 16#ffffffff:32, 0:64>>]].

%% The one that the keeper started: its parent is that of the boxes.
of_keeper() ->
    {ok, Vm} = tripod_fault_os:identity(list_to_integer(os:getpid())),
    [Process || {Pid, _} = Process <- tripod_fault_os:descendants(Vm), is_guard(Pid)].

is_guard(Pid) ->
    case file:read_file(lists:concat(["/proc/", Pid, "/cmdline"])) of
        {ok, Line} -> [program(), "guard", ""] =:= string:split(unicode:characters_to_list(Line), [0], all);
        {error, _} -> false
    end.

%% It is started beside the first box, and may not have come as far.
the_guard() ->
    ok = contract:await(fun() -> length(of_keeper()) =:= 1 end),
    [Guard] = of_keeper(),
    Guard.

await_another(Guard) ->
    contract:await(fun() ->
                           case of_keeper() of
                               [Other] when Other =/= Guard -> true;
                               Found -> {guards, Found}
                           end
                   end).

%% Kills the owner of a box that only a guard can end.
stopped_box_ends() ->
    {Owner, Monitor, _Box} = contract:owner([{strategy, port_program}, {mode, process}], #{}),
    {_, Process} = os_process:of_owner(Owner),
    ok = os_process:stop(Process),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
    os_process:await_gone(Process).

killed_guard_is_replaced(_Config) ->
    Box = open(),
    Guard = the_guard(),
    ok = os_process:signal("KILL", Guard),
    ok = await_another(Guard),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ok = stopped_box_ends(),
    %% And at once, before it is replaced.
    Second = the_guard(),
    ok = os_process:signal("KILL", Second),
    ok = stopped_box_ends(),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ok = tripod:close(Box).

stopped_guard_is_replaced(_Config) ->
    Box = open(),
    Guard = the_guard(),
    ok = os_process:stop(Guard),
    ok = stopped_box_ends(),
    ok = os_process:await_gone(Guard),
    ok = await_another(Guard),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ok = tripod:close(Box).

ends_with_the_application(_Config) ->
    ok = tripod:close(open()),
    Guard = the_guard(),
    ok = application:stop(tripod),
    ?assertNot(os_process:alive(Guard)).

%% A program that does not notice the end of file, has asked for no signal at its parent's death, and
%% takes no notice of any that it can. The guard is that of the real one.
open_deaf(Config) ->
    Dir = filename:join(?config(priv_dir, Config), "deaf"),
    Program = filename:join(Dir, "tripod_port_program"),
    Fixtures = filename:join([filename:dirname(filename:dirname(code:which(tripod))), "test", "fixtures"]),
    ok = filelib:ensure_dir(Program),
    {ok, _} = file:copy(filename:join(Fixtures, "fake_program.sh"), Program),
    ok = file:change_mode(Program, 8#755),
    ok = file:write_file(filename:join(Dir, "behaviour"),
                         "trap '' HUP INT QUIT PIPE TERM USR1 USR2; hello; ignore_everything"),
    true = os:putenv("TRIPOD_PRIV", Dir),
    Box = open(),
    true = os:unsetenv("TRIPOD_PRIV"),
    Box.

deaf_box_ends_with_its_owner(Config) ->
    Other = open(), % there is a guard
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() -> Self ! {open, open_deaf(Config)}, receive never -> ok end end),
    receive {open, _Box} -> ok end,
    {_, Process} = os_process:of_owner(Owner),
    ok = os_process:signal("TERM", Process),
    ?assert(os_process:alive(Process)),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
    ok = os_process:await_gone(Process),
    ok = tripod:close(Other).

%% States of a box that its VM leaves it in.

states() ->
    [idle, in_a_call, in_c_code, stopped, stopped_in_a_call, full, full_in_a_call].

vm_halts(Config) ->
    [halts(State, halt) || State <- [{deaf, Config} | states()]],
    halts(full, close_and_halt).

halts(State, How) ->
    {Peer, Processes} = with_box(State),
    Monitor = monitor(process, Peer),
    Began = erlang:monotonic_time(millisecond),
    ok = peer:cast(Peer, ?MODULE, How, []),
    receive {'DOWN', Monitor, process, Peer, _} -> ok after ?HALT_MS -> error({does_not_halt, State}) end,
    Vm = hd(Processes),
    ok = contract:await(fun() -> not os_process:alive(Vm) end, ?HALT_MS),
    ct:log("~p: halted after ~b ms", [State, erlang:monotonic_time(millisecond) - Began]),
    [ok = os_process:await_gone(Process) || Process <- Processes].

%% The guard dies with the VM, as all programs do that asked for the signal, so the deaf one is not here.
vm_killed(_Config) ->
    [begin
         {Peer, [Vm | _] = Processes} = with_box(State),
         Monitor = monitor(process, Peer),
         ok = os_process:signal("KILL", Vm),
         receive {'DOWN', Monitor, process, Peer, _} -> ok end,
         [ok = os_process:await_gone(Process) || Process <- Processes]
     end || State <- states()].

%% A VM with a box in that state, and it with everything that descends from it.
with_box(State) ->
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => ["-pa" | code:get_path()]}),
    ok = peer:call(Peer, ?MODULE, hold, [State], 20000),
    {ok, Vm} = tripod_fault_os:identity(list_to_integer(peer:call(Peer, os, getpid, []))),
    %% erl_child_setup, the boxes, and the guard, which may not have come as far as they.
    Others = case State of {deaf, _} -> 4; _ -> 3 end,
    ok = contract:await(fun() -> length(tripod_fault_os:descendants(Vm)) >= Others end),
    {Peer, [Vm | tripod_fault_os:descendants(Vm)]}.

hold(State) ->
    {ok, _} = application:ensure_all_started(tripod),
    Self = self(),
    {Pid, Monitor} =
        spawn_monitor(fun() ->
                              Box = open(),
                              ok = bring(State, Box),
                              true = register(?MODULE, self()),
                              Self ! {holds, self()},
                              receive close -> tripod:close(Box) end
                      end),
    receive
        {holds, Pid} -> ok;
        {'DOWN', Monitor, process, Pid, Why} -> error(Why)
    end.

halt() -> erlang:halt(0).

%% While the room closes it.
close_and_halt() ->
    ?MODULE ! close,
    erlang:halt(0).

bring(idle, _Box) ->
    ok;
bring(in_a_call, Box) ->
    {ok, _} = tripod:send(Box, {eval, <<"while true do end">>, []}),
    runs();
bring(stopped, _Box) ->
    os_process:stop(process());
bring(stopped_in_a_call, Box) ->
    ok = bring(in_a_call, Box),
    os_process:stop(process());
bring(full, Box) ->
    ok = os_process:stop(process()),
    fill(Box);
%% That never looks at anything again; the program is the one of `make faults`. Its owner has this one box.
bring(in_c_code, Box) ->
    ok = tripod:close(Box),
    Root = filename:dirname(filename:dirname(code:which(tripod))),
    true = os:putenv("TRIPOD_PRIV", filename:join([Root, "build", "faults", "priv"])),
    true = os:putenv("TRIPOD_FAULT_PROOF", "/dev/null"),
    {ok, Loops} = tripod:open(port_program, #{service => faults, time_ms => 60000}),
    true = os:unsetenv("TRIPOD_PRIV"),
    {ok, Request} = tripod:send(Loops, {fault, c_loop}),
    ok = runs(),
    timeout = tripod:receive_reply(Request, 100), % it was not refused
    ok;
bring({deaf, Config}, _Box) ->
    _ = open_deaf(Config),
    ok;
bring(full_in_a_call, Box) ->
    ok = bring(in_a_call, Box),
    fill(Box).

runs() ->
    Reading = lists:concat(["/proc/", element(1, process()), "/stat"]),
    contract:await(fun() -> {ok, Stat} = file:read_file(Reading), nomatch =/= binary:match(Stat, <<") R ">>) end).

%% The pipe and, for more than a megabyte, the driver's queue.
fill(Box) ->
    {Port, _} = os_process:of_owner(self()),
    [{ok, _} = tripod:send(Box, {eval, <<>>, [binary:copy(<<0>>, 500000)]}) || _ <- lists:seq(1, 4)],
    {queue_size, Queued} = erlang:port_info(Port, queue_size),
    ?assert(Queued > 1000000),
    ok.
