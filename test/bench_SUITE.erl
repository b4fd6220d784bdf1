%% SPDX-License-Identifier: Apache-2.0
%% `tripod bench` as a whole: real runs, what they write, and how they end when things go wrong.
-module(bench_SUITE).
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-compile([export_all, nowarn_export_all]).

all() ->
    [a_quick_run, deaths_of_owners, a_script_of_the_users_own, an_unstable_script_is_refused, wrong_options,
     results_that_cannot_be_written, a_full_disk, results_are_appended, a_killed_run_leaves_nothing,
     a_lost_vm_costs_only_its_own, lines_on_standard_output, programs_end_with_the_vm,
     programs_that_fail, a_vm_that_dies_is_an_error].

init_per_testcase(Case, Config) ->
    Out = filename:join(?config(priv_dir, Config), Case),
    [{out, Out}, {file, filename:join(Out, "results.jsonl")} | Config].

end_per_testcase(_, _) -> ok.

%% Runs, and returns the exit status with the lines.
bench(Config, Options) ->
    Status = tripod_bench:main(Options#{quick => true, out => ?config(out, Config)}),
    case tripod_results:read(?config(file, Config)) of
        {ok, Lines} -> {Status, Lines};
        {error, enoent} -> {Status, none}
    end.

home() -> filename:dirname(filename:dirname(filename:absname(code:which(tripod_bench)))).

of_type(Type, Lines) -> [Line || #{<<"type">> := Found} = Line <- Lines, Found =:= Type].

checks(Name, Lines) ->
    [Check || #{<<"name">> := Found} = Check <- of_type(<<"check">>, Lines), Found =:= Name].

valid(Config) ->
    Schema = filename:join([home(), "docs", "results-schema.json"]),
    Validator = filename:join([home(), "build-aux", "tap-schema"]),
    case tripod_os_process:run(Validator, [Schema, ?config(file, Config)], 30000) of
        {ok, _} -> ok;
        {error, {exit_status, 1, Said}} -> ct:fail("~ts", [Said])
    end.

%% Each sample is a death after which nothing was left. A call on the owner's own scheduler cannot be
%% ended by that, and says so.
deaths_of_owners(Config) ->
    {0, Lines} = bench(Config, #{only => [cleanup], strategies => [port_driver, port_program]}),
    ok = valid(Config),
    Seen = [{Box, Strategy, Mode}
            || #{<<"strategy">> := Strategy, <<"mode">> := Mode, <<"n">> := N,
                 <<"params">> := #{<<"box">> := Box}} <- of_type(<<"summary">>, Lines), N >= 6],
    ?assertEqual(lists:sort([{Box, Strategy, Mode}
                             || Box <- [<<"idle">>, <<"mid_call">>],
                                {Strategy, Mode} <- [{<<"port_driver">>, <<"async">>},
                                                     {<<"port_driver">>, <<"inline">>},
                                                     {<<"port_program">>, <<"process">>}],
                                {Box, Mode} =/= {<<"mid_call">>, <<"inline">>}]),
                 lists:sort(Seen)),
    ?assertMatch([#{<<"mode">> := <<"inline">>}], checks(<<"unsupported">>, Lines)).

%% Every box with a ratio to a floor that was measured in the same run, in every round.
a_quick_run(Config) ->
    {0, Lines} = bench(Config, #{only => [call, "open_close"]}),
    ok = valid(Config),
    [#{<<"type">> := <<"run">>, <<"schema">> := 1} | _] = Lines,
    #{<<"type">> := <<"check">>, <<"name">> := <<"complete">>} = lists:last(Lines),
    [#{<<"cores">> := Cores}] = of_type(<<"env">>, Lines),
    ?assert(Cores > 0),
    Summaries = of_type(<<"summary">>, Lines),
    Boxes = [Line || #{<<"strategy">> := Strategy} = Line <- Summaries, is_box(Strategy)],
    Expected = [{atom_to_binary(Strategy), atom_to_binary(Mode)}
                || Strategy <- tripod_strategy:all(),
                   Mode <- (tripod_strategy:room(Strategy)):modes()],
    [?assertEqual(lists:sort(Expected),
                  lists:usort([{Strategy, Mode} || #{<<"strategy">> := Strategy, <<"mode">> := Mode,
                                                     <<"scenario">> := Found} <- Boxes,
                                                   Found =:= Scenario]))
     || Scenario <- [<<"call">>, <<"open_close">>]],
    [begin
         #{<<"p50">> := P50, <<"floor_p50">> := Floor, <<"ratio">> := Ratio} = Line,
         ?assert(abs(Ratio - P50 / Floor) < 0.001 * Ratio + 0.001)
     end || Line <- Boxes],
    Samples = of_type(<<"sample">>, Lines),
    [?assertEqual(N, lists:sum([M || #{<<"n">> := M} = Sample <- Samples, same_case(Sample, Line)]))
     || #{<<"n">> := N} = Line <- Summaries],
    Placements = case tripod_bench_node:can_pin() of
                     true -> [<<"free">>, <<"pinned">>];
                     false -> [<<"free">>]
                 end,
    Params = [Its || #{<<"scenario">> := <<"call">>, <<"params">> := Its} <- Boxes],
    ?assertEqual(Placements, lists:usort([Placement || #{<<"placement">> := Placement} <- Params])).

is_box(Strategy) ->
    lists:member(Strategy, [atom_to_binary(Name) || Name <- tripod_strategy:all()]).

same_case(Sample, Summary) ->
    Keys = [<<"scenario">>, <<"strategy">>, <<"mode">>, <<"params">>],
    maps:with(Keys, Sample) =:= maps:with(Keys, Summary).

script(Config, Source) ->
    File = filename:join(?config(priv_dir, Config), "own.lua"),
    ok = file:write_file(File, Source),
    File.

a_script_of_the_users_own(Config) ->
    File = script(Config, "local sum = 0\n"
                          "function main(n, more)\n"
                          "  for i = 1, n do sum = i + more[1] end\n"
                          "  return sum, 'done'\n"
                          "end\n"),
    {0, Lines} = bench(Config, #{only => [script], script => File, args => [1000, [7]],
                                 strategies => [nif]}),
    ok = valid(Config),
    Strategies = lists:usort([Strategy || #{<<"strategy">> := Strategy}
                                              <- of_type(<<"summary">>, Lines)]),
    ?assertEqual([], [<<"floor">>, <<"luerl">>, <<"nif">>] -- Strategies).

%% Its replies differ between boxes, so that there is nothing to compare.
an_unstable_script_is_refused(Config) ->
    File = script(Config, "function main() return tostring({}), os.time() * math.random() end"),
    {1, Lines} = bench(Config, #{only => [script], script => File}),
    ok = valid(Config),
    ?assertMatch([#{<<"ok">> := false, <<"severity">> := <<"failure">>}],
                 checks(<<"agreement">>, Lines)),
    ?assertEqual([], of_type(<<"summary">>, Lines)).

wrong_options(Config) ->
    [?assertEqual({2, none}, bench(Config, Options))
     || Options <- [#{only => [nonsense]}, #{only => [script]}, #{strategies => [nonsense]},
                    #{script => filename:join(?config(priv_dir, Config), "missing.lua")}]].

results_that_cannot_be_written(Config) ->
    ok = file:write_file(?config(out, Config), "a file where a directory should be"),
    ?assertEqual(2, tripod_bench:main(a_call(Config))).

a_call(Config) -> #{quick => true, only => [call], out => ?config(out, Config)}.

%% /dev/full takes nothing.
a_full_disk(Config) ->
    ok = filelib:ensure_dir(?config(file, Config)),
    ok = file:make_symlink("/dev/full", ?config(file, Config)),
    ?assertEqual(2, tripod_bench:main(a_call(Config))).

results_are_appended(Config) ->
    Out = ?config(out, Config),
    Check = #{name => note, ok => true, severity => note, detail => "first"},
    First = tripod_results:open(Out, #{}),
    ok = tripod_results:check(First, Check),
    ok = tripod_results:close(First),
    Second = tripod_results:open(Out, #{}),
    ok = tripod_results:check(Second, Check#{ok := false, severity := failure, detail := "second"}),
    ?assertEqual(1, tripod_results:failures(Second)),
    ok = tripod_results:close(Second),
    {ok, Lines} = tripod_results:read(?config(file, Config)),
    ?assertEqual([<<"first">>, <<"second">>], [Detail || #{<<"detail">> := Detail} <- Lines]),
    ok = valid(Config).

%% The VM that runs the benchmark is killed in the middle: no VM, no program stays, and what was
%% written is whole.
a_killed_run_leaves_nothing(Config) ->
    Marker = "tripod-bench-" ++ os:getpid(),
    Eval = io_lib:format("tripod_bench:main(#{quick => true, only => [call], out => ~p}).",
                         [?config(out, Config)]),
    Port = open_port({spawn_executable, os:find_executable("erl")},
                     [{args, ["-noinput", "-pa", filename:join(home(), "ebin"), "-eval", Eval]},
                      {env, [{"TRIPOD_TEST_MARKER", Marker}]}, exit_status, binary,
                      stderr_to_stdout]),
    {os_pid, OsPid} = erlang:port_info(Port, os_pid),
    await(fun() -> length(of_type(<<"sample">>, written(Config))) > 5 end),
    ?assert(length(marked(Marker)) > 2),
    [] = os:cmd("kill -9 " ++ integer_to_list(OsPid)),
    await(fun() -> marked(Marker) =:= [] end),
    ok = valid(Config).

written(Config) ->
    case tripod_results:read(?config(file, Config)) of
        {ok, Lines} -> Lines;
        {error, enoent} -> []
    end.

%% Processes that inherited the marker.
marked(Marker) ->
    [Pid || File <- filelib:wildcard("/proc/[0-9]*/environ"),
            {ok, Environ} <- [file:read_file(File)],
            binary:match(Environ, list_to_binary(Marker)) =/= nomatch,
            Pid <- [filename:basename(filename:dirname(File))]].

await(Condition) -> await(Condition, erlang:monotonic_time(millisecond) + 60000).

await(Condition, Deadline) ->
    case Condition() of
        true -> ok;
        false ->
            erlang:monotonic_time(millisecond) < Deadline orelse ct:fail("it never came true"),
            receive after 20 -> await(Condition, Deadline) end
    end.

%% One of the VMs that are measured is killed: what it held is missing, and said to be; the rest is
%% measured.
a_lost_vm_costs_only_its_own(Config) ->
    Marker = "tripod-lost-" ++ os:getpid(),
    true = os:putenv("TRIPOD_TEST_MARKER", Marker),
    Options = #{only => [call], strategies => [nif]},
    {Pid, Monitor} = spawn_monitor(fun() -> exit(bench(Config, Options)) end),
    await(fun() -> length(of_type(<<"sample">>, written(Config))) > 5 end),
    %% The one with the NIF, and not the library of its floors.
    [OsPid | _] = [OsPid || OsPid <- marked(Marker), maps_file(OsPid, <<"tripod_nif.so">>)],
    [] = os:cmd("kill -9 " ++ OsPid),
    true = os:unsetenv("TRIPOD_TEST_MARKER"),
    receive
        {'DOWN', Monitor, process, Pid, {Status, Lines}} ->
            ?assertEqual(1, Status),
            ok = valid(Config),
            ?assertMatch([_ | _], [lost || #{<<"severity">> := <<"failure">>,
                                             <<"strategy">> := <<"nif">>}
                                               <- of_type(<<"check">>, Lines)]),
            ?assertMatch([_], checks(<<"complete">>, Lines)),
            ?assertMatch([_ | _], [floor || #{<<"strategy">> := <<"floor">>,
                                              <<"params">> := #{<<"placement">> := <<"pinned">>}}
                                                <- of_type(<<"summary">>, Lines)])
    end,
    await(fun() -> marked(Marker) =:= [] end).

maps_file(OsPid, File) ->
    case file:read_file("/proc/" ++ OsPid ++ "/maps") of
        {ok, Maps} -> binary:match(Maps, File) =/= nomatch;
        {error, _} -> false
    end.

%% Through the command line, with a file name that is not ASCII.
lines_on_standard_output(Config) ->
    File = filename:join(?config(priv_dir, Config), <<"z", 195, 164, "hler.lua">>),
    ok = file:write_file(File, "return 1"),
    Args = ["bench", "--quick", "--json", "--only", "script", "--strategy", "nif",
            "--out", ?config(out, Config), "--script", File],
    Command = filename:join(home(), "tripod") ++ " \"$@\" 2>/dev/null",
    {ok, Text} = tripod_os_process:run("sh", ["-c", Command, "sh" | Args], 300000),
    {ok, Written} = file:read_file(?config(file, Config)),
    ?assertEqual(Written, Text),
    {ok, [#{<<"type">> := <<"run">>, <<"script">> := Name} | _]} =
        tripod_results:read(?config(file, Config)),
    ?assertEqual(<<"zähler.lua"/utf8>>, Name).

%% The time limit, and the caller's death.
programs_end_with_the_vm(_) ->
    Marker = "tripod-program-" ++ os:getpid(),
    Env = [{"TRIPOD_TEST_MARKER", Marker}],
    Run = fun(Ms) -> tripod_os_process:run("sh", ["-c", "sleep 1000; true"], Ms, Env) end,
    ?assertEqual({error, timeout}, Run(300)),
    await(fun() -> marked(Marker) =:= [] end),
    {Pid, Monitor} = spawn_monitor(fun() -> Run(60000) end),
    await(fun() -> length(marked(Marker)) >= 3 end),
    exit(Pid, kill),
    receive {'DOWN', Monitor, process, Pid, killed} -> ok end,
    await(fun() -> marked(Marker) =:= [] end).

programs_that_fail(_) ->
    ?assertEqual({ok, <<"a b\n">>}, tripod_os_process:run("echo", ["a b"], 30000)),
    ?assertEqual({error, {exit_status, 3, <<"so\n">>}},
                 tripod_os_process:run("sh", ["-c", "echo so; exit 3"], 30000)),
    ?assertEqual({error, not_found}, tripod_os_process:run("no-such-program", [], 30000)).

a_vm_that_dies_is_an_error(_) ->
    _ = process_flag(trap_exit, true),
    {ok, Vm} = tripod_bench_node:start(free),
    ?assertEqual({ok, 3}, tripod_bench_node:call(Vm, erlang, '+', [1, 2], 30000)),
    ?assertMatch({error, {failed, {error, badarith}}},
                 tripod_bench_node:call(Vm, erlang, '+', [1, a], 30000)),
    ?assertEqual({error, timeout}, tripod_bench_node:call(Vm, timer, sleep, [60000], 100)),
    ?assertEqual({error, node_lost}, tripod_bench_node:call(Vm, erlang, halt, [1], 30000)),
    ok = tripod_bench_node:stop(Vm).
