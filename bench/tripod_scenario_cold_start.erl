%% SPDX-License-Identifier: Apache-2.0
%% From nothing to the first reply: a whole erl that opens a box, has it run a line of Lua, and
%% halts. The floor is an erl that halts at once; lua5.4 itself stands beside it. Taken by
%% hyperfine, several times round all commands.
-module(tripod_scenario_cold_start).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3, measure/2, estimate_ms/2]).
-export([reply/1]).

-define(RUN_MS, 220). % a guess at one run
-define(SOURCE, "return 1 + 2").

-spec name() -> cold_start.
name() -> cold_start.

-spec description() -> string().
description() -> "from no process at all to the first reply".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(_, _) ->
    [#{params => #{source => <<?SOURCE>>},
       task => {lua, <<"function first() " ?SOURCE " end">>, <<"first">>, []}, rivals => [luerl]}].

%% `min` is the number of runs each round.
-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) -> plan(2, 3);
plan(full) -> plan(5, 5).

plan(Rounds, Runs) ->
    #{placements => [free], rounds => Rounds, rival_rounds => Rounds, open_ms => ?RUN_MS,
      visit => #{warm_ms => 0, visit_ms => ?RUN_MS * Runs, min => Runs, max => Runs}}.

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, _, _) -> [erl].

%% A strategy starts alike in all of its modes, so that only the first takes part.
subjects(#{boxes := Boxes}) ->
    Defaults = lists:foldl(fun({Strategy, Mode}, Found) ->
                                   case lists:keymember(Strategy, 1, Found) of
                                       true -> Found;
                                       false -> Found ++ [{Strategy, Mode}]
                                   end
                           end, [], Boxes),
    [{box, Strategy, Mode} || {Strategy, Mode} <- Defaults]
        ++ [{rival, luerl}, {floor, erl}, {floor, 'lua5.4'}].

-spec estimate_ms(tripod_scenario:run(), [tripod_scenario:scenario_case()]) -> non_neg_integer().
estimate_ms(#{level := Level} = Run, _) ->
    #{rounds := Rounds, visit := #{visit_ms := VisitMs}} = plan(Level),
    length(subjects(Run)) * (?RUN_MS + Rounds * VisitMs).

-spec measure(tripod_scenario:run(), [tripod_scenario:scenario_case()]) -> ok.
measure(Run, [Case]) ->
    case os:find_executable("hyperfine") of
        false ->
            check(Run, #{name => hyperfine, severity => failure,
                         detail => "hyperfine is not installed.",
                         advice => "Install it, or leave this scenario out."});
        _ ->
            taking(Run, Case, [Subject || Subject <- subjects(Run), starts(Run, Subject)])
    end.

%% Also the warm-up: files are in the page cache afterwards.
starts(#{progress := Progress} = Run, Subject) ->
    ok = tripod_progress:step(Progress, label(Subject), ?RUN_MS),
    [Program | Args] = command(Subject),
    case tripod_os_process:run(Program, Args, 30000, tripod_hyperfine:environment()) of
        {ok, _} ->
            true;
        {error, Why} ->
            ok = check(Run, Subject, #{name => open, severity => severity(Subject)}, Why),
            false
    end.

severity({box, _, _}) -> failure;
severity(_) -> note.

taking(#{level := Level} = Run, #{params := Params}, Subjects) ->
    #{rounds := Rounds} = Plan = plan(Level),
    Context = #{scenario => name(), params => Params#{placement => free},
                floors => maps:from_list([{Subject, [erl]} || Subject <- Subjects,
                                                              element(1, Subject) =/= floor])},
    Measured = lists:foldl(fun(Round, Sofar) ->
                                   round(Run, Plan, Context, Subjects, Round, Sofar)
                           end, #{}, lists:seq(1, Rounds)),
    Variations = tripod_bench_summary:write(Run, Context, Subjects, Measured),
    tripod_bench_summary:check(?MODULE, Run, Variations).

round(#{results := Results} = Run, Plan, Context, Subjects, Round, Sofar) ->
    Turn = [{Subject, Values} || Subject <- tripod_bench_rounds:rotated(Round - 1, Subjects),
                                 {ok, Values} <- [visit(Run, Plan, Subject)]],
    Measured = lists:foldl(fun({Subject, Values}, Map) ->
                                   Own = maps:get(Subject, Map, #{}),
                                   Map#{Subject => Own#{Round => #{batch => 1, values => Values}}}
                           end, Sofar, Turn),
    ok = lists:foreach(fun({Subject, _}) ->
                               Line = tripod_bench_lines:sample(Context, Measured, Subject, Round),
                               tripod_results:write(Results, Line)
                       end, Turn),
    Measured.

visit(#{progress := Progress} = Run, #{visit := #{visit_ms := Ms, min := Runs}}, Subject) ->
    ok = tripod_progress:step(Progress, label(Subject), Ms),
    case tripod_hyperfine:times_ns(command(Subject), Runs) of
        {ok, Values} ->
            {ok, Values};
        {error, Why} ->
            ok = check(Run, Subject, #{name => sample, severity => failure}, Why),
            failed
    end.

check(Run, Subject, Check, Why) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    check(Run, Check#{strategy => Strategy, mode => Mode,
                      detail => io_lib:format("~0tP", [Why, 30])}).

check(#{results := Results}, Check) ->
    tripod_results:check(Results, Check#{ok => false, scenario => name()}).

label(Subject) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    io_lib:format("~s: ~s/~s", [name(), Strategy, Mode]).

command({floor, 'lua5.4'}) ->
    ["lua5.4", "-e", "local function first() " ?SOURCE " end assert(first() == 3)"];
command({floor, erl}) ->
    tripod_bench_node:erl_command(["-run", "erlang", "halt"]);
command(Subject) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    tripod_bench_node:erl_command(["-run", atom_to_list(?MODULE), "reply", atom_to_list(Strategy),
                                   atom_to_list(Mode)]).

%% What the measured erl does. It must know the answer: a wrong one is not a start.
-spec reply([string()]) -> no_return().
reply([Strategy, Mode]) ->
    [Subject] = [Subject || Subject <- [{rival, luerl} | boxes()],
                            tripod_bench_task:subject_name(Subject)
                                =:= {list_to_existing_atom(Strategy), list_to_existing_atom(Mode)}],
    [#{task := Task}] = cases(quick, #{}),
    {ok, #{once := Once, close := Close}} = tripod_bench_task:open(Subject, Task),
    [3] = Once(),
    _ = Close(),
    erlang:halt(0).

boxes() ->
    [{box, Strategy, Mode} || Strategy <- tripod_strategy:all(),
                              Mode <- (tripod_strategy:room(Strategy)):modes()].
