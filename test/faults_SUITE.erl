%% SPDX-License-Identifier: Apache-2.0
%% The faults really happen, reach as far as docs/faults.md says, and leave nothing running; and the
%% harness finds out when one does not happen.
-module(faults_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, suite/0, init_per_suite/1, end_per_suite/1, init_per_testcase/2, end_per_testcase/2]).
-export([owners/1, crashes/1, endless/1, leaks/1, system_calls/1, replies/1, scripts/1, signals/1, planted/1,
         unknown_names/1, forwards_requests/1, reply/2, harness_killed/1]).

suite() -> [{timetrap, {minutes, 20}}].

all() ->
    [owners, crashes, endless, leaks, system_calls, replies, scripts, signals, planted, unknown_names,
     forwards_requests, harness_killed].

init_per_suite(Config) ->
    %% The schedulers, threads and so on of this VM are its own; a child is not.
    [{children, children()} | Config].

end_per_suite(_Config) -> ok.

%% Whatever a case starts is noted down by number while it runs, and must be gone afterwards.
init_per_testcase(_Case, Config) ->
    ok = tripod_fault_node:quiet(true),
    [{witness, spawn(fun() -> witness(sets:new()) end)} | Config].

end_per_testcase(_Case, Config) ->
    ok = tripod_fault_node:quiet(false),
    Witness = ?config(witness, Config),
    Witness ! {self(), seen},
    Started = receive {Witness, Seen} -> Seen -- ?config(children, Config) end,
    ?assertEqual([], tripod_fault_node:await_gone(Started, 10000)),
    ok.

witness(Seen) ->
    Now = lists:foldl(fun sets:add_element/2, Seen, children()),
    receive
        {From, seen} -> From ! {self(), sets:to_list(Now)}
    after 20 ->
            witness(Now)
    end.

children() ->
    {ok, Self} = tripod_fault_os:identity(list_to_integer(os:getpid())),
    tripod_fault_os:descendants(Self).

%% Runs a command; its exit status and the lines it wrote.
run(Command, Names, Config) ->
    Out = filename:join(?config(priv_dir, Config), lists:join($-, [atom_to_list(N) || N <- Names])),
    Status = Command:main(#{quick => true, only => Names, json => true, out => Out}),
    File = filename:join(Out, "results.jsonl"),
    {ok, Lines} = tripod_results:read(File),
    ok = valid(File),
    {Status, Lines}.

valid(File) ->
    Home = filename:dirname(filename:dirname(code:which(tripod_results))),
    case tripod_os_process:run(filename:join([Home, "build-aux", "tap-schema"]),
                               [filename:join([Home, "docs", "results-schema.json"]), File], 30000) of
        {ok, _} -> ok;
        {error, Why} -> ct:fail({File, Why})
    end.

%% Each fault was injected in each place, and nothing else is said.
verdicts(Command, Names, Config) ->
    {0, Lines} = run(Command, Names, Config),
    Failures = [Line || #{<<"type">> := <<"check">>, <<"ok">> := false} = Line <- Lines],
    ?assertEqual([], Failures),
    Verdicts = [Line || #{<<"type">> := <<"fault">>} = Line <- Lines],
    [ct:pal("~ts ~ts/~ts: ~ts, ~ts", [Fault, Strategy, Mode, Outcome, Evidence])
     || #{<<"fault">> := Fault, <<"strategy">> := Strategy, <<"mode">> := Mode,
          <<"outcome">> := Outcome, <<"evidence">> := Evidence} <- Verdicts],
    Verdicts.

%% What the fault comes to where a box is a process of its own, and where it lives in the VM.
check(Verdicts, Name, Apart, Inside) ->
    Places = [{Strategy, Mode} || Strategy <- tripod_strategy:all(),
                                  Mode <- (tripod_strategy:room(Strategy)):modes(),
                                  not (Inside =:= none andalso Strategy =/= port_program)],
    Expected = [{atom_to_binary(Strategy), atom_to_binary(Mode),
                 atom_to_binary(case Strategy of port_program -> Apart; _ -> Inside end)}
                || {Strategy, Mode} <- Places],
    Found = [{Strategy, Mode, Outcome}
             || #{<<"fault">> := Fault, <<"strategy">> := Strategy, <<"mode">> := Mode,
                  <<"outcome">> := Outcome} <- Verdicts, Fault =:= atom_to_binary(Name)],
    ?assertEqual({Name, lists:sort(Expected)}, {Name, lists:sort(Found)}).

of_fault(Verdicts, Name) ->
    [Verdict || #{<<"fault">> := Fault} = Verdict <- Verdicts, Fault =:= atom_to_binary(Name)].

%% An owner may die as it likes: its box goes, and nothing else.
owners(Config) ->
    Names = tripod_fault_owner:names(),
    Verdicts = verdicts(tripod_kill, Names, Config),
    [check(Verdicts, Name, contained, contained) || Name <- Names],
    [begin
         ?assertEqual(#{<<"call">> => Fault =:= <<"mid_call">>, <<"box">> => true,
                        <<"other_boxes">> => 0, <<"node">> => false}, Lost),
         ?assert(is_integer(Clean) andalso Clean > 0 andalso Serve >= Clean)
     end || #{<<"fault">> := Fault, <<"lost">> := Lost, <<"clean_ns">> := Clean,
              <<"serve_ns">> := Serve} <- Verdicts],
    [?assertEqual(<<"{error,closed}">>, Learned)
     || #{<<"learned">> := Learned} <- of_fault(Verdicts, leaked_handle)],
    %% The owner cannot die before its call ends where that occupies its scheduler.
    [?assertMatch(#{<<"clean_ns">> := Ns} when Ns > 100000000, Verdict)
     || #{<<"mode">> := <<"inline">>} = Verdict <- of_fault(Verdicts, mid_call)].

%% Contained by a process of its own, and by nothing else.
crashes(Config) ->
    Names = [segfault, abort, stack_overflow, double_free, heap_overrun, exit],
    Verdicts = verdicts(tripod_crash, Names, Config),
    [check(Verdicts, Name, box_lost, node_lost) || Name <- Names],
    [?assertMatch(#{<<"other_boxes">> := 0, <<"node">> := false}, Lost)
     || #{<<"outcome">> := <<"box_lost">>, <<"lost">> := Lost} <- Verdicts],
    [?assertMatch(#{<<"other_boxes">> := Others, <<"node">> := true} when Others > 100, Lost)
     || #{<<"outcome">> := <<"node_lost">>, <<"lost">> := Lost} <- Verdicts],
    [?assertNotEqual(nomatch, binary:match(Evidence, <<"signal 11">>))
     || #{<<"evidence">> := Evidence} <- of_fault(Verdicts, segfault)],
    [?assertNotEqual(nomatch, binary:match(Evidence, <<"signal 6">>))
     || #{<<"evidence">> := Evidence} <- of_fault(Verdicts, abort)].

%% C code that never comes back keeps a scheduler thread for good.
endless(Config) ->
    Verdicts = verdicts(tripod_crash, [c_loop, deadlock], Config),
    [check(Verdicts, Name, box_lost, hang) || Name <- [c_loop, deadlock]],
    [?assertEqual(<<"{error,{down,stuck}}">>, Learned)
     || #{<<"outcome">> := <<"box_lost">>, <<"learned">> := Learned} <- Verdicts],
    [?assertMatch(#{<<"detect_ns">> := nil, <<"leaked">> := #{<<"os_processes">> := 0}}, Verdict)
     || #{<<"outcome">> := <<"hang">>} = Verdict <- Verdicts].

leaks(Config) ->
    Names = [fd_leak, memory_leak, host_leak],
    Verdicts = verdicts(tripod_crash, Names, Config),
    [check(Verdicts, Name, contained, leak) || Name <- [memory_leak, host_leak]],
    check(Verdicts, fd_leak, box_lost, leak), % it must not open anything
    [?assertMatch(#{<<"bytes">> := 8388608}, Leaked)
     || #{<<"outcome">> := <<"leak">>, <<"leaked">> := Leaked} <- of_fault(Verdicts, host_leak)],
    [?assertMatch(#{<<"fds">> := 64}, Leaked)
     || #{<<"outcome">> := <<"leak">>, <<"leaked">> := Leaked} <- of_fault(Verdicts, fd_leak)],
    [?assertMatch(#{<<"bytes">> := Bytes} when Bytes >= 60 * 1024 * 1024, Leaked)
     || #{<<"outcome">> := <<"leak">>, <<"leaked">> := Leaked} <- of_fault(Verdicts, memory_leak)].

%% What C code may ask of the system: where it is confined, nothing that its service does not need.
system_calls(Config) ->
    Verdicts = verdicts(tripod_crash, [syscall], Config),
    check(Verdicts, syscall, box_lost, leak),
    [?assertMatch(#{<<"learned">> := <<"{error,{down,seccomp}}">>, <<"leaked">> := #{<<"fds">> := 0},
                    <<"lost">> := #{<<"other_boxes">> := 0, <<"node">> := false}}, Verdict)
     || #{<<"strategy">> := <<"port_program">>} = Verdict <- Verdicts],
    [?assertMatch(#{<<"fds">> := 1}, Leaked)
     || #{<<"outcome">> := <<"leak">>, <<"leaked">> := Leaked} <- Verdicts].

%% What a service emits that is no reply ends the call, or the box; not more.
replies(Config) ->
    Verdicts = verdicts(tripod_crash, [garbage_reply, half_reply], Config),
    [begin
         ?assert(lists:member(Outcome, [<<"contained">>, <<"box_lost">>])),
         ?assertMatch(#{<<"call">> := true, <<"other_boxes">> := 0, <<"node">> := false}, Lost)
     end || #{<<"outcome">> := Outcome, <<"lost">> := Lost} <- Verdicts].

%% The sandbox's limits hold everywhere.
scripts(Config) ->
    Verdicts = verdicts(tripod_crash, [lua_loop, memory_bomb, string_bomb, recursion], Config),
    [check(Verdicts, Name, contained, contained) || Name <- [lua_loop, memory_bomb, recursion]],
    [?assert(lists:member(Outcome, [<<"contained">>, <<"box_lost">>]))
     || #{<<"outcome">> := Outcome} <- of_fault(Verdicts, string_bomb)].

%% Signals to programs, where there are any, and to the VM.
signals(Config) ->
    Verdicts = verdicts(tripod_crash, [sigkill, sigsegv, sigstop, vm_kill], Config),
    [check(Verdicts, Name, box_lost, none) || Name <- [sigkill, sigsegv, sigstop]],
    check(Verdicts, vm_kill, node_lost, node_lost),
    [?assertMatch(#{<<"os_processes">> := 0}, Leaked) || #{<<"leaked">> := Leaked} <- Verdicts].

%% Faults that do not happen: never arrived, and arrived without doing anything.
planted(Config) ->
    Names = [nothing, proof_only],
    {1, Lines} = run(tripod_crash, Names, Config),
    ?assertEqual([], [Line || #{<<"type">> := <<"fault">>} = Line <- Lines]),
    Places = [{Strategy, Mode} || Strategy <- tripod_strategy:all(),
                                  Mode <- (tripod_strategy:room(Strategy)):modes()],
    [begin
         Details = [Detail || #{<<"type">> := <<"check">>, <<"ok">> := false, <<"scenario">> := Fault,
                                <<"detail">> := Detail} <- Lines, Fault =:= atom_to_binary(Name)],
         ?assertEqual(length(Places), length(Details)),
         [?assertNotEqual(nomatch, binary:match(Detail, <<"was not injected">>)) || Detail <- Details]
     end || Name <- Names].

unknown_names(Config) ->
    Options = #{quick => true, json => true, out => ?config(priv_dir, Config)},
    ?assertEqual(2, tripod_crash:main(Options#{only => ["segfalt"]})),
    ?assertEqual(2, tripod_kill:main(Options#{only => [segfault]})),
    ?assertEqual(2, tripod_kill:main(Options#{strategies => [telepathy]})),
    ?assertEqual(2, tripod_kill:main(Options#{out => "/proc/nowhere"})).

%% The decorated service answers as it does undecorated, also to what is almost a fault.
forwards_requests(_Config) ->
    Artefacts = filename:join([filename:dirname(filename:dirname(code:which(tripod))), "build", "faults",
                               "priv"]),
    {ok, Guard} = tripod_fault_guard:start(),
    {ok, Vm} = tripod_fault_node:start(Guard, [{"TRIPOD_PRIV", Artefacts}]),
    Requests = [{eval, <<"return ...">>, [1, 2.5, <<"x">>, [], #{a => [b]}, {1, 2}, nil]},
                {eval, <<"error('x')">>, []}, {eval, <<"return">>, []}, {eval, <<"(">>, []}, reset,
                {set, <<"x">>, #{1 => [2, 3]}}, {get, <<"x">>}, {eval, self(), []},
                {eval, <<"return 1">>, [[1 | 2]]}, fault, {fault}, {fault, 1}, {fault, 1.5},
                {fault, <<"abort">>}, {fault, [abort]}, {fault, abort, 1}, {fault, fault, fault},
                {[fault], abort}, {"fault", abort}, [fault, abort], {}, [], #{fault => abort},
                {fault, list_to_atom(lists:duplicate(100, $x))}],
    [begin
         [Plain, Decorated] = [tripod_fault_node:call(Vm, ?MODULE, reply, [{Place, Service}, Request], 30000)
                               || Service <- [lua, faults]],
         ?assertMatch({ok, {_, _}}, Plain),
         ?assertEqual({Place, Request, Plain}, {Place, Request, Decorated})
     end || Strategy <- tripod_strategy:all(), Mode <- (tripod_strategy:room(Strategy)):modes(),
            Place <- [{Strategy, Mode}], Request <- Requests],
    ok = tripod_fault_node:stop(Vm),
    ok = tripod_fault_guard:stop(Guard).

reply({{Strategy, Mode}, Service}, Request) ->
    {ok, Box} = tripod:open(Strategy, #{mode => Mode, service => Service}),
    Reply = tripod:call(Box, Request),
    ok = tripod:close(Box),
    Reply.

%% The harness dies while VMs hang: nothing stays, and no file does. The witness sees to the processes.
harness_killed(Config) ->
    Options = #{quick => true, json => true, only => [c_loop], strategies => [nif],
                out => filename:join(?config(priv_dir, Config), "killed")},
    Before = directories(),
    {Pid, Monitor} = spawn_monitor(fun() -> exit({status, tripod_crash:main(Options)}) end),
    [Directory] = contract_await(fun() -> [D || D <- directories() -- Before, reached(D)] end),
    true = exit(Pid, kill),
    receive {'DOWN', Monitor, process, Pid, killed} -> ok end,
    ok = contract:await(fun() -> not filelib:is_dir(Directory) end).

reached(Directory) -> filelib:file_size(filename:join(Directory, "proof")) > 0.

directories() ->
    filelib:wildcard(filename:join(os:getenv("TMPDIR", "/tmp"), "tripod-faults-*")).

%% The first answer that is not empty.
contract_await(Ask) ->
    ok = contract:await(fun() -> Ask() =/= [] orelse empty end, 30000),
    Ask().
