%% SPDX-License-Identifier: Apache-2.0
%% The parts of the fault harness that decide or clean up, each by itself: none may be fooled.
-module(faults_parts_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0]).
-export([stall_seen/1, stall_missed/1, stall_counts_while_it_lasts/1, guard_stops/1, guard_orphaned/1,
         guard_unwatches/1, identity_is_more_than_a_number/1, node_reports_its_end/1,
         no_proof_no_outcome/1, signs_must_fit/1, outcomes/1, table_fits/1]).

all() ->
    [stall_seen, stall_missed, stall_counts_while_it_lasts, guard_stops, guard_orphaned,
     guard_unwatches, identity_is_more_than_a_number, node_reports_its_end, no_proof_no_outcome,
     signs_must_fit, outcomes, table_fits].

stall_seen(_Config) ->
    Tickers = tripod_fault_pause:start(),
    ?assertEqual(ok, tripod_fault_pause:self_test(Tickers)).

%% A ticker that does not run writes nothing down, and the test must say so.
stall_missed(_Config) ->
    Before = links(),
    Tickers = tripod_fault_pause:start(),
    Schedulers = erlang:system_info(schedulers_online),
    Pids = links() -- Before,
    ?assertEqual(Schedulers, length(Pids)),
    Last = lists:last(lists:sort(Pids)),
    true = unlink(Last),
    true = exit(Last, kill),
    ?assertMatch({missed, #{scheduler := Schedulers, seen_ns := 0}}, tripod_fault_pause:self_test(Tickers)).

stall_counts_while_it_lasts(_Config) ->
    Before = links(),
    Tickers = tripod_fault_pause:start(),
    [true = erlang:suspend_process(Pid) || Pid <- links() -- Before],
    ok = contract:await(fun() -> tripod_fault_pause:worst_ns(Tickers) > 50000000 end).

links() ->
    {links, Links} = process_info(self(), links),
    [Pid || Pid <- Links, is_pid(Pid)].

%% A program that ends only by force.
stubborn() ->
    Port = open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", "trap '' TERM; echo x; while :; do sleep 60; done"]}]),
    receive {Port, {data, _}} -> ok end,
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    {ok, Process} = tripod_fault_os:identity(Pid),
    [Process | tripod_fault_os:descendants(Process)].

guard_stops(_Config) ->
    {ok, Guard} = tripod_fault_guard:start(),
    [Program | Children] = stubborn(),
    [ok = tripod_fault_guard:watch(Guard, Process) || Process <- [Program | Children]],
    ok = tripod_fault_guard:signal(Guard, Program, "STOP"),
    ok = contract:await(fun() -> tripod_fault_os:state(Program) =:= "T" orelse running end),
    Directory = tripod_fault_guard:directory(Guard),
    ok = file:write_file(filename:join(Directory, "file"), "x"),
    ok = tripod_fault_guard:stop(Guard),
    ?assertEqual([], tripod_fault_node:await_gone([Program | Children], 30000)),
    ?assertNot(filelib:is_dir(Directory)).

%% Whoever started the guard is gone before it could stop it.
guard_orphaned(_Config) ->
    Test = self(),
    [Program | Children] = stubborn(),
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           {ok, Guard} = tripod_fault_guard:start(),
                                           [ok = tripod_fault_guard:watch(Guard, Process)
                                            || Process <- [Program | Children]],
                                           Test ! {directory, tripod_fault_guard:directory(Guard)},
                                           receive never -> ok end
                                   end),
    Directory = receive {directory, D} -> D end,
    ?assert(filelib:is_dir(Directory)),
    true = exit(Pid, kill),
    receive {'DOWN', Monitor, process, Pid, killed} -> ok end,
    ?assertEqual([], tripod_fault_node:await_gone([Program | Children], 30000)),
    ok = contract:await(fun() -> not filelib:is_dir(Directory) end).

%% What was taken off the list is spared; its neighbours on the list are not.
guard_unwatches(_Config) ->
    {ok, Guard} = tripod_fault_guard:start(),
    Programs = [First, Spared, Last] = [hd(stubborn()) || _ <- [1, 2, 3]],
    Children = lists:append([tripod_fault_os:descendants(Program) || Program <- Programs]),
    [ok = tripod_fault_guard:watch(Guard, Process) || Process <- Programs ++ Children],
    ok = tripod_fault_guard:unwatch(Guard, Spared),
    ok = tripod_fault_guard:stop(Guard),
    ?assertEqual([], tripod_fault_node:await_gone([First, Last | Children], 30000)),
    ?assert(tripod_fault_os:alive(Spared)),
    {ok, Other} = tripod_fault_guard:start(),
    Rest = tripod_fault_os:descendants(Spared),
    [ok = tripod_fault_guard:watch(Other, Process) || Process <- [Spared | Rest]],
    ok = tripod_fault_guard:stop(Other),
    ?assertEqual([], tripod_fault_node:await_gone([Spared | Rest], 30000)).

identity_is_more_than_a_number(_Config) ->
    {ok, {Pid, Start} = Self} = tripod_fault_os:identity(list_to_integer(os:getpid())),
    ?assert(tripod_fault_os:alive(Self)),
    ?assertNot(tripod_fault_os:alive({Pid, Start + 1})),
    #{os_processes := Before, fds := Fds} = tripod_fault_os:family(Self),
    {ok, Device} = file:open(code:which(?MODULE), [read, raw]),
    #{os_processes := After, fds := More} = tripod_fault_os:family(Self),
    ok = file:close(Device),
    ?assertEqual({Before, Fds + 1}, {After, More}).

%% The exit status, and what is gone.
node_reports_its_end(_Config) ->
    ok = tripod_fault_node:quiet(true),
    {ok, Guard} = tripod_fault_guard:start(),
    Start = fun() -> {ok, Vm} = tripod_fault_node:start(Guard, [{"SAID", "so"}]), Vm end,
    Exits = Start(),
    ?assertEqual({ok, "so"}, tripod_fault_node:call(Exits, os, getenv, ["SAID"], 30000)),
    ?assertMatch({error, {failed, _}}, tripod_fault_node:call(Exits, erlang, error, [x], 30000)),
    ?assertEqual({error, timeout}, tripod_fault_node:call(Exits, timer, sleep, [5000], 100)),
    ?assertEqual(unknown, tripod_fault_node:status(Exits)),
    ?assertEqual({error, lost}, tripod_fault_node:call(Exits, erlang, halt, [3], 30000)),
    ok = tripod_fault_node:stop(Exits),
    ?assertEqual({exit, 3}, tripod_fault_node:status(Exits)),
    Killed = Start(),
    ok = tripod_fault_node:kill(Killed),
    ?assertEqual({signal, 9}, tripod_fault_node:status(Killed)),
    ?assertEqual({error, lost}, tripod_fault_node:call(Killed, erlang, node, [], 30000)),
    %% Stopped, it does not see that its standard input ends.
    Deaf = Start(),
    ok = tripod_fault_guard:signal(Guard, tripod_fault_node:process(Deaf), "STOP"),
    ok = tripod_fault_node:stop(Deaf),
    ?assertEqual([], tripod_fault_node:await_gone([tripod_fault_node:process(V) || V <- [Exits, Killed, Deaf]], 0)),
    ok = tripod_fault_guard:stop(Guard),
    tripod_fault_node:quiet(false).

fault(Name) ->
    [Fault] = [Fault || #{name := N} = Fault <- tripod_fault_kinds:kill() ++ tripod_fault_kinds:crash(), N =:= Name],
    Fault.

judge(Name, Evidence) -> tripod_fault_judge:judge(fault(Name), Evidence).

none() -> #{bytes => 0, fds => 0, threads => 0, os_processes => 0}.

proof(Name) -> [#{name => Name, pid => 77, thread => 78, at => 1000}].

seen(Answer, Usable) ->
    #{ending => {seen, #{called_at => 900, answered_at => 3000, answer => Answer, usable => Usable,
                         served_at => 5000, clean_at => 4000, gone_at => 4000, left => #{}}},
      healthy => 11, proof => [], injected_at => 950, target_gone => not Usable, stopped => false,
      other_boxes => 0, pause_ns => 17, grown => none(), leaked => none()}.

lost(Status) ->
    #{ending => {lost, Status}, healthy => 11, proof => [], injected_at => 950, target_gone => true,
      stopped => false, learned_at => 2000, clean_at => 3000, served_at => 4000, grown => none(),
      leaked => none()}.

%% Whatever else speaks for a fault.
no_proof_no_outcome(_Config) ->
    [?assertMatch({not_injected, _}, judge(Name, Evidence))
     || Name <- [segfault, abort, c_loop, exit, fd_leak, garbage_reply],
        Evidence <- [lost({signal, 11}), lost({signal, 6}), lost({exit, 0}),
                     seen({error, {down, {signal, segv}}}, false), seen({error, {down, stuck}}, false),
                     (seen({ok, Name}, true))#{grown := (none())#{fds := 64}},
                     (lost(unknown))#{ending := hang}]],
    Other = (lost({signal, 11}))#{proof := proof("abort")},
    ?assertMatch({not_injected, _}, judge(segfault, Other)),
    Twice = (lost({signal, 11}))#{proof := proof("segfault") ++ proof("segfault")},
    ?assertMatch({not_injected, _}, judge(segfault, Twice)).

%% Proof that it was reached is not proof that it happened.
signs_must_fit(_Config) ->
    Proven = fun(Name, Evidence) -> judge(Name, Evidence#{proof := proof(atom_to_list(Name))}) end,
    [?assertMatch({not_injected, _}, Proven(Name, Evidence))
     || {Name, Evidence} <- [{segfault, lost({signal, 9})}, {segfault, lost({exit, 1})},
                             {segfault, lost(unknown)}, {segfault, seen({ok, segfault}, true)},
                             {segfault, seen({error, {down, {signal, abrt}}}, false)},
                             {segfault, (seen({error, {down, {signal, segv}}}, false))#{target_gone := false}},
                             {exit, lost({exit, 1})}, {exit, lost({signal, 11})},
                             {c_loop, seen({ok, c_loop}, true)}, {c_loop, seen({error, {limit, time}}, true)},
                             {fd_leak, (seen({ok, fd_leak}, true))#{grown := (none())#{fds := 63}}},
                             {syscall, seen({ok, syscall}, true)},
                             {syscall, (seen({error, {down, seccomp}}, false))#{target_gone := false}},
                             {syscall, seen({error, {down, {signal, kill}}}, false)},
                             {memory_leak, seen({error, {down, seccomp}}, false)},
                             {half_reply, seen({ok, half_reply}, true)}]],
    [?assertMatch({not_injected, _}, judge(Name, Evidence))
     || {Name, Evidence} <- [{lua_loop, seen({ok, []}, true)}, {lua_loop, seen({error, {lua, #{}}}, true)},
                             {recursion, seen({error, {limit, time}}, true)},
                             {sigstop, seen({error, {down, stuck}}, false)},
                             {vm_kill, lost({signal, 11})},
                             {kill, (seen(x, true))#{ending := {failed, x}}}]].

outcomes(_Config) ->
    Proven = fun(Name, Evidence) -> {ok, Verdict} = judge(Name, Evidence#{proof := proof(atom_to_list(Name))}), Verdict end,
    ?assertMatch(#{outcome := box_lost, detect_ns := 2000, clean_ns := 3000, serve_ns := 4000, pause_ns := 17,
                   lost := #{call := true, box := true, other_boxes := 0, node := false}},
                 Proven(segfault, seen({error, {down, {signal, segv}}}, false))),
    ?assertMatch(#{outcome := node_lost, detect_ns := 1000, clean_ns := 2000, serve_ns := 3000, pause_ns := null,
                   lost := #{call := true, box := true, other_boxes := 11, node := true}},
                 Proven(segfault, lost({signal, 11}))),
    ?assertMatch(#{outcome := hang, detect_ns := null, lost := #{node := true, other_boxes := 11}},
                 Proven(c_loop, (lost({signal, 9}))#{ending := stuck})),
    ?assertMatch(#{outcome := hang, detect_ns := null, lost := #{node := false, other_boxes := 2}},
                 Proven(c_loop, (lost({signal, 9}))#{ending := hang, other_boxes => 2, pause_ns => 5})),
    Open = (seen({ok, fd_leak}, true))#{grown := (none())#{fds := 64}},
    ?assertMatch(#{outcome := contained, lost := #{call := false, box := false}}, Proven(fd_leak, Open)),
    ?assertMatch(#{outcome := leak}, Proven(fd_leak, Open#{leaked := (none())#{fds := 64}})),
    ?assertMatch(#{outcome := box_lost}, Proven(fd_leak, Open#{other_boxes := 1})),
    [?assertMatch(#{outcome := box_lost}, Proven(Name, seen({error, {down, seccomp}}, false)))
     || Name <- [syscall, fd_leak]],
    Round = #{problem => none, killed_at => 0, learned => none, gone_at => 10, clean_at => 20, left => #{},
              served_at => 30},
    Rounds = fun(All) -> (seen(x, true))#{ending := {rounds, All}} end,
    ?assertMatch({ok, #{outcome := contained, clean_ns := 20, rounds := 3}},
                 judge(kill, Rounds([Round, Round#{clean_at := 2000}, Round]))),
    ?assertMatch({ok, #{outcome := leak, clean_ns := null}}, judge(kill, Rounds([Round, Round#{clean_at := null}]))),
    ?assertMatch({not_injected, "why"}, judge(kill, Rounds([Round, Round#{problem := "why"}]))).

%% Also with more modes than there are today.
table_fits(_Config) ->
    {ok, Verdict} = judge(segfault, (seen({error, {down, {signal, segv}}}, false))#{proof := proof("segfault")}),
    Places = [{port_program, process}, {port_driver, inline}, {port_driver, async}, {nif, yield},
              {nif, inline}, {nif, dirty}, {nif, thread}],
    Cells = [{Name, Place, case Name of abort -> not_injected; sigstop -> none; _ -> Verdict end}
             || #{name := Name} <- tripod_fault_kinds:crash() ++ tripod_fault_kinds:kill(), Place <- Places],
    Lines = string:split(tripod_fault_table:tables(Cells, false), "\n", all),
    ?assertEqual([], [Line || Line <- Lines, string:length(Line) > 80]),
    ?assertEqual(nomatch, string:find(Lines, "\e")),
    ?assertNotEqual(nomatch, string:find(tripod_fault_table:tables(Cells, true), "\e[33m")),
    ?assertEqual([], tripod_fault_table:tables([], false)).
