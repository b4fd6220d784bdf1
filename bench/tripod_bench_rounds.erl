%% SPDX-License-Identifier: Apache-2.0
%% Measures a scenario in rounds: fresh VMs, every subject opened, replies compared, then each
%% subject in turn, round after round, starting with another one each time.
-module(tripod_bench_rounds).

-export([measure/3, estimate_ms/3]).
-export([rotated/2]). % for scenarios that measure themselves

-define(VM_MS, 150). % to start one
%% Beyond what a step should take: then it hangs.
-define(PATIENCE_MS, 120000).

-record(bench, {scenario :: module(),
                run :: tripod_scenario:run(),
                plan :: tripod_scenario:plan(),
                placement :: tripod_bench_node:placement()}).

-spec estimate_ms(module(), tripod_scenario:run(), [tripod_scenario:scenario_case()]) ->
          non_neg_integer().
estimate_ms(_, _, []) ->
    0;
estimate_ms(Scenario, #{level := Level} = Run, Cases) ->
    Plan = Scenario:plan(Level),
    OnePlacement = lists:sum([case_ms(Plan, subjects(Scenario, Run, Case)) || Case <- Cases]),
    length(placements(Plan)) * (OnePlacement + 5 * ?VM_MS).

case_ms(#{rounds := Rounds, rival_rounds := RivalRounds} = Plan, Subjects) ->
    lists:sum([case Subject of
                   {rival, _} -> open_ms(Plan, Subject) + RivalRounds * visit_ms(Plan, Subject);
                   _ -> open_ms(Plan, Subject) + Rounds * visit_ms(Plan, Subject)
               end || Subject <- Subjects]).

open_ms(#{rival_ms := Ms}, {rival, _}) -> Ms;
open_ms(#{open_ms := Ms}, _) -> Ms.

visit_ms(#{rival_ms := Ms}, {rival, _}) -> Ms;
visit_ms(#{visit := #{warm_ms := WarmMs, visit_ms := VisitMs}}, _) -> WarmMs + VisitMs.

%% Those that this machine can have.
placements(#{placements := Placements}) ->
    [Placement || Placement <- Placements,
                  Placement =:= free orelse tripod_bench_node:can_pin()].

subjects(Scenario, #{boxes := Boxes}, #{rivals := Rivals} = Case) ->
    Parts = lists:append([Scenario:floor(Case, Strategy, Mode) || {Strategy, Mode} <- Boxes]),
    Floors = lists:usort(Parts ++ tripod_scenario:more_floors(Scenario, Case)),
    [{box, Strategy, Mode} || {Strategy, Mode} <- Boxes] ++ [{rival, Rival} || Rival <- Rivals]
        ++ [{floor, Floor} || Floor <- Floors].

-spec measure(module(), tripod_scenario:run(), [tripod_scenario:scenario_case()]) -> ok.
measure(Scenario, #{level := Level} = Run, Cases) ->
    Plan = Scenario:plan(Level),
    Variations = [place(#bench{scenario = Scenario, run = Run, plan = Plan, placement = Placement},
                        Cases)
                  || Placement <- placements(Plan), Cases =/= []],
    tripod_bench_summary:check(Scenario, Run, lists:append(Variations)).

place(#bench{placement = Placement} = Bench, Cases) ->
    {Variations, Pool} = lists:mapfoldl(fun(Case, Pool) -> measure_case(Bench, Case, Pool) end,
                                        tripod_bench_pool:new(Placement), Cases),
    ok = tripod_bench_pool:stop(Pool),
    lists:append(Variations).

measure_case(#bench{scenario = Scenario, run = Run, placement = Placement} = Bench,
             #{params := Params} = Case, Pool0) ->
    Subjects = subjects(Scenario, Run, Case),
    Context = #{scenario => Scenario:name(), params => Params#{placement => Placement},
                floors => maps:from_list([{Box, Scenario:floor(Case, Strategy, Mode)}
                                          || {box, Strategy, Mode} = Box <- Subjects])},
    {Opened, Pool1} = open(Bench, Context, Case, Subjects, Pool0),
    {Measured, Pool2} =
        case tripod_bench_agree:check(Case, Opened) of
            {ok, Taking, Checks} ->
                ok = lists:foreach(fun(Check) -> check(Bench, Context, Check) end, Checks),
                rounds(1, Bench, Context, Taking, #{}, Pool1);
            {refused, Check} ->
                ok = check(Bench, Context, Check),
                {#{}, Pool1}
        end,
    Pool3 = close(Bench, Context, [Subject || {Subject, _} <- Opened], Pool2),
    {tripod_bench_summary:write(Run, Context, Subjects, Measured), Pool3}.

%% Opens every subject and keeps those that could be, with their first replies.
open(#bench{plan = Plan} = Bench, Context, #{task := Task}, Subjects, Pool0) ->
    Open = fun(Subject, Pool) ->
                   ok = step(Bench, Context, Subject, open_ms(Plan, Subject)),
                   {Answer, Left} = ask(Bench, Pool, Subject, open, [Subject, Task]),
                   {opened(Bench, Context, Subject, Answer), Left}
           end,
    {Opened, Pool1} = lists:mapfoldl(Open, Pool0, Subjects),
    {lists:append(Opened), Pool1}.

opened(_, _, Subject, {ok, Reply}) ->
    [{Subject, Reply}];
opened(Bench, Context, Subject, {unsupported, Why}) ->
    ok = check(Bench, Context, Subject, unsupported, note, Why),
    [];
opened(Bench, Context, Subject, {error, Why}) ->
    ok = check(Bench, Context, Subject, open, failure, reason(Why)),
    [].

%% Each round is written as it ends. Who is lost in one does not take part in the next.
rounds(Round, #bench{plan = #{rounds := Last}}, _, _, Measured, Pool) when Round > Last ->
    {Measured, Pool};
rounds(Round, #bench{run = #{results := Results}} = Bench, Context, Taking, Measured0, Pool0) ->
    Turn = [Subject || Subject <- rotated(Round - 1, Taking), not rests(Bench, Subject, Round)],
    {Measured, Lost, Pool} =
        lists:foldl(fun(Subject, State) -> visit(Bench, Context, Round, Subject, State) end,
                    {Measured0, [], Pool0}, Turn),
    ok = lists:foreach(fun(Subject) ->
                               Line = tripod_bench_lines:sample(Context, Measured, Subject, Round),
                               tripod_results:write(Results, Line)
                       end, Turn -- Lost),
    rounds(Round + 1, Bench, Context, Taking -- Lost, Measured, Pool).

rests(#bench{plan = #{rival_rounds := Last}}, {rival, _}, Round) -> Round > Last;
rests(_, _, _) -> false.

%% The list beginning with another element.
-spec rotated(non_neg_integer(), [Item]) -> [Item].
rotated(_, []) -> [];
rotated(By, List) ->
    {First, Second} = lists:split(By rem length(List), List),
    Second ++ First.

visit(#bench{plan = #{visit := Visit} = Plan} = Bench, Context, Round, Subject,
      {Measured, Lost, Pool}) ->
    ok = step(Bench, Context, Subject, visit_ms(Plan, Subject)),
    case ask(Bench, Pool, Subject, sample, [Subject, patient(Subject, Visit)]) of
        {{ok, Values}, Left} ->
            Own = maps:get(Subject, Measured, #{}),
            {Measured#{Subject => Own#{Round => Values}}, Lost, Left};
        {{error, Why}, Left} ->
            ok = check(Bench, Context, Subject, sample, failure, reason(Why)),
            {Measured, [Subject | Lost], Left}
    end.

%% A rival that takes long for one run need not run twice.
patient({rival, _}, Visit) -> Visit#{min := 1};
patient(_, Visit) -> Visit.

close(Bench, Context, Subjects, Pool0) ->
    lists:foldl(fun(Subject, Pool) ->
                        {Answer, Left} = ask(Bench, Pool, Subject, close, [Subject]),
                        ok = closed(Bench, Context, Subject, Answer),
                        Left
                end, Pool0, Subjects).

closed(_, _, _, ok) -> ok;
closed(_, _, _, {error, not_open}) -> ok; % lost before, and said so
closed(Bench, Context, Subject, {error, Why}) ->
    check(Bench, Context, Subject, close, failure, reason(Why)).

ask(#bench{plan = #{visit := #{visit_ms := VisitMs}}}, Pool, Subject, Function, Args) ->
    tripod_bench_pool:ask(Pool, Subject, Function, Args, ?PATIENCE_MS + VisitMs).

step(#bench{run = #{progress := Progress}, placement = Placement}, #{scenario := Scenario}, Subject,
     Ms) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    Label = io_lib:format("~s: ~s/~s, ~s", [Scenario, Strategy, Mode, Placement]),
    tripod_progress:step(Progress, Label, Ms).

check(Bench, Context, Subject, Name, Severity, Detail) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    check(Bench, Context, #{name => Name, ok => false, severity => Severity, strategy => Strategy,
                            mode => Mode, detail => Detail}).

check(#bench{run = #{results := Results}}, #{scenario := Scenario, params := Params}, Check) ->
    tripod_results:check(Results, Check#{scenario => Scenario, params => Params}).

reason(Why) -> io_lib:format("~0tP", [Why, 30]).
