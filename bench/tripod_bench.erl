%% SPDX-License-Identifier: Apache-2.0
%% `tripod bench`: measures the strategies side by side, each beside its floor. Data goes to
%% standard output and DIR/results.jsonl, everything else to standard error.
%%
%% Exit status: 0 measured; 1 something could not be measured or was refused (the results say what);
%% 2 usage, or results cannot be written. Doubts about a result do not change it.
-module(tripod_bench).

-export([main/1]).
-export_type([options/0]).

-type options() :: #{quick => boolean(), only => [atom() | binary() | string()],
                     strategies => [tripod_strategy:name()],
                     script => file:filename_all() | undefined,
                     args => [term()], out => file:filename(), json => boolean(), table => boolean(),
                     atom() => term()}.

-define(SCHEMA, 1).

-spec main(options()) -> 0..2.
main(Options) ->
    %% The VMs that are measured in are linked to this process: a lost one is a result.
    Trapping = process_flag(trap_exit, true),
    try
        Scenarios = scenarios(Options),
        Strategies = strategies(Options),
        ok = readable(maps:get(script, Options, undefined)),
        measure(Options, Scenarios, Strategies)
    catch
        throw:{usage, Text} ->
            say(["tripod bench: ", Text]),
            2;
        throw:{unwritable, File, Why} ->
            say(["tripod bench: cannot write ", File, ": ", file:format_error(Why),
                 "; lines written before are whole"]),
            2
    after
        process_flag(trap_exit, Trapping)
    end.

say(Text) -> io:put_chars(standard_error, [Text, $\n]).

%% All that apply when none is named; `script` applies when there is one.
scenarios(#{only := [_ | _] = Names} = Options) ->
    Scenarios = [case tripod_scenario:module(Name) of
                     {ok, Scenario} -> Scenario;
                     unknown ->
                         throw({usage, ["there is no scenario ", name(Name), "; there are",
                                        known()]})
                 end || Name <- Names],
    case {lists:member(tripod_scenario_script, Scenarios), maps:get(script, Options, undefined)} of
        {true, undefined} -> throw({usage, "the scenario script needs --script FILE"});
        _ -> [Scenario || Scenario <- tripod_scenario:all(), lists:member(Scenario, Scenarios)]
    end;
scenarios(#{script := Script}) when Script =/= undefined ->
    tripod_scenario:all();
scenarios(_) ->
    tripod_scenario:all() -- [tripod_scenario_script].

name(Name) when is_atom(Name) -> atom_to_list(Name);
name(Name) -> Name.

known() ->
    [io_lib:format("~n  ~-12s~ts", [Scenario:name(), Scenario:description()])
     || Scenario <- tripod_scenario:all()].

readable(undefined) -> ok;
readable(File) ->
    case file:open(File, [read, raw]) of
        {ok, Device} -> file:close(Device);
        {error, Why} -> throw({usage, ["cannot read ", File, ": ", file:format_error(Why)]})
    end.

measure(Options, Scenarios, Strategies) ->
    Level = case maps:get(quick, Options, false) of
                true -> quick;
                false -> full
            end,
    Json = maps:get(json, Options, false),
    Out = maps:get(out, Options, "results"),
    Results = tripod_results:open(Out, #{json => Json}),
    ok = tripod_results:write(Results, run_line(Options, Level, Scenarios, Strategies)),
    Facts = tripod_bench_env:facts(),
    Began = tripod_bench_env:cpu_times(),
    ok = tripod_results:write(Results, Facts#{type => <<"env">>}),
    Cases = [{Scenario, Scenario:cases(Level, script_options(Options))} || Scenario <- Scenarios],
    Run0 = #{results => Results, progress => tripod_progress:start(1), table => maps:get(table, Options, not Json),
             level => Level, boxes => tripod_bench_boxes:usable(Strategies, Results)},
    Ms = lists:sum([tripod_scenario:estimate_ms(Scenario, Run0, Its) || {Scenario, Its} <- Cases]),
    Run = Run0#{progress := tripod_progress:start(max(1, Ms), Options)},
    ok = lists:foreach(fun({Scenario, Its}) -> tripod_scenario:measure(Scenario, Run, Its) end,
                       Cases),
    ok = tripod_progress:finish(maps:get(progress, Run)),
    finish(Results, tripod_bench_env:doubts(Facts, Began), Out).

strategies(Options) ->
    case maps:get(strategies, Options, []) of
        [] -> tripod_strategy:all();
        Strategies ->
            case Strategies -- tripod_strategy:all() of
                [] -> Strategies;
                [Unknown | _] -> throw({usage, ["there is no strategy ", name(Unknown)]})
            end
    end.

script_options(#{script := File} = Options) when File =/= undefined ->
    #{script => File, args => maps:get(args, Options, [])};
script_options(_) ->
    #{}.

run_line(Options, Level, Scenarios, Strategies) ->
    #{type => <<"run">>, schema => ?SCHEMA, command => <<"bench">>, level => Level,
      started => list_to_binary(calendar:system_time_to_rfc3339(erlang:system_time(second),
                                                                [{offset, "Z"}])),
      scenarios => [Scenario:name() || Scenario <- Scenarios],
      strategies => Strategies,
      script => case script_options(Options) of
                    #{script := File} -> tripod_bench_script:name(File);
                    #{} -> null
                end}.

finish(Results, Doubts, Out) ->
    ok = lists:foreach(fun(Check) -> tripod_results:check(Results, Check) end, Doubts),
    Failures = tripod_results:failures(Results),
    %% The last line: without it the run was cut short.
    ok = tripod_results:check(Results, #{name => complete, ok => true, severity => note,
                                         detail => [integer_to_list(Failures), " failures"]}),
    ok = tripod_results:close(Results),
    File = filename:join(Out, "results.jsonl"),
    {ok, Lines} = tripod_results:read(File),
    ok = lists:foreach(fun warn/1, this_run(Lines)),
    say(["results: ", File]),
    min(Failures, 1).

%% The file may hold earlier runs.
this_run(Lines) ->
    lists:reverse(lists:takewhile(fun(#{<<"type">> := Type}) -> Type =/= <<"run">> end,
                                  lists:reverse(Lines))).

warn(#{<<"type">> := <<"check">>, <<"ok">> := false, <<"severity">> := Severity} = Check)
  when Severity =/= <<"note">> ->
    #{<<"name">> := Name, <<"detail">> := Detail, <<"advice">> := Advice} = Check,
    Where = [Text || Key <- [<<"scenario">>, <<"strategy">>, <<"mode">>],
                     (Text = maps:get(Key, Check)) =/= nil],
    say([Severity, ": ", lists:join(" ", [Name | Where]), ": ", Detail, " ", Advice]);
warn(_) ->
    ok.
