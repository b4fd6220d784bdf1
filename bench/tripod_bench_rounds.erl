%% SPDX-License-Identifier: Apache-2.0
%% Measures a scenario in rounds: fresh VMs, every subject opened, replies compared, then each
%% subject in turn, round after round, starting with another one each time.
-module(tripod_bench_rounds).

-export([measure/3, estimate_ms/3, placements/1]).
%% For scenarios that measure themselves.
-export([summarize/4, check_variation/3, rotated/2]).

-define(VM_MS, 150). % to start one
%% Beyond what a step should take: then it hangs.
-define(PATIENCE_MS, 120000).
%% Rounds whose medians vary by more make a result doubtful.
-define(VARIATION, 0.1).

-record(bench, {scenario :: module(),
                run :: tripod_scenario:run(),
                plan :: tripod_scenario:plan(),
                placement :: tripod_bench_node:placement()}).

-type group() :: atom(). % subjects that share a VM
-type vms() :: #{group() => tripod_bench_node:vm()}.

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
-spec placements(tripod_scenario:plan()) -> [tripod_bench_node:placement()].
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
    Variations = [place(#bench{scenario = Scenario, run = Run, plan = Plan, placement = Placement}, Cases)
               || Placement <- placements(Plan), Cases =/= []],
    check_variation(Scenario, Run, lists:append(Variations)).

place(Bench, Cases) ->
    {Vms, Variations} = lists:foldl(fun(Case, {Vms, Variations}) ->
                                         {Left, More} = measure_case(Bench, Case, Vms),
                                         {Left, [More | Variations]}
                                 end, {#{}, []}, Cases),
    ok = lists:foreach(fun tripod_bench_node:stop/1, maps:values(Vms)),
    lists:append(lists:reverse(Variations)).

measure_case(#bench{scenario = Scenario, run = Run, placement = Placement} = Bench,
             #{params := Params} = Case, Vms0) ->
    Subjects = subjects(Scenario, Run, Case),
    Context = #{scenario => Scenario:name(), params => Params#{placement => Placement},
                floors => maps:from_list([{Box, Scenario:floor(Case, Strategy, Mode)}
                                          || {box, Strategy, Mode} = Box <- Subjects])},
    {Opened, Vms1} = open(Bench, Context, Case, Subjects, Vms0),
    case tripod_bench_agree:check(Case, Opened) of
        {ok, Taking, Checks} ->
            ok = lists:foreach(fun(Check) -> check(Bench, Context, Check) end, Checks),
            {Rounds, Vms2} = rounds(Bench, Context, Taking, Vms1),
            Vms3 = close(Bench, Context, [Subject || {Subject, _} <- Opened], Vms2),
            {Vms3, summarize(Run, Context, Subjects, Rounds)};
        {refused, Check} ->
            ok = check(Bench, Context, Check),
            {close(Bench, Context, [Subject || {Subject, _} <- Opened], Vms1), []}
    end.

%% Opens every subject and keeps those that could be.
open(#bench{plan = Plan} = Bench, Context, #{task := Task}, Subjects, Vms0) ->
    lists:foldl(
      fun(Subject, {Opened, Vms}) ->
              ok = step(Bench, Context, Subject, open_ms(Plan, Subject)),
              case ask(Bench, Vms, Subject, open, [Subject, Task]) of
                  {{ok, Reply}, Left} ->
                      {Opened ++ [{Subject, Reply}], Left};
                  {{unsupported, Why}, Left} ->
                      ok = check(Bench, Context, Subject, unsupported, note, Why),
                      {Opened, Left};
                  {{error, Why}, Left} ->
                      ok = check(Bench, Context, Subject, open, failure, reason(Why)),
                      {Opened, Left}
              end
      end, {[], Vms0}, Subjects).

rounds(#bench{plan = #{rounds := Rounds}} = Bench, Context, Taking, Vms) ->
    rounds(1, Rounds, Bench, Context, Taking, #{}, Vms).

rounds(Round, Rounds, _, _, _, Measured, Vms) when Round > Rounds ->
    {Measured, Vms};
rounds(Round, Rounds, Bench, Context, Taking, Measured, Vms) ->
    Turn = [Subject || Subject <- rotated(Round - 1, Taking), not rests(Bench, Subject, Round)],
    {Left, More, Lost} = lists:foldl(fun(Subject, State) -> visit(Bench, Context, Round, Subject, State) end,
                                     {Vms, Measured, []}, Turn),
    ok = lists:foreach(fun(Subject) -> write_sample(Bench, Context, More, Subject, Round) end, Turn -- Lost),
    rounds(Round + 1, Rounds, Bench, Context, Taking -- Lost, More, Left).

rests(#bench{plan = #{rival_rounds := Last}}, {rival, _}, Round) -> Round > Last;
rests(_, _, _) -> false.

%% The list beginning with another element.
-spec rotated(non_neg_integer(), [Item]) -> [Item].
rotated(_, []) -> [];
rotated(By, List) ->
    {First, Second} = lists:split(By rem length(List), List),
    Second ++ First.

visit(#bench{plan = #{visit := Visit} = Plan} = Bench, Context, Round, Subject, {Vms, Measured, Lost}) ->
    ok = step(Bench, Context, Subject, visit_ms(Plan, Subject)),
    case ask(Bench, Vms, Subject, sample, [Subject, patient(Subject, Visit)]) of
        {{ok, Values}, Left} ->
            Own = maps:get(Subject, Measured, #{}),
            {Left, Measured#{Subject => Own#{Round => Values}}, Lost};
        {{error, Why}, Left} ->
            ok = check(Bench, Context, Subject, sample, failure, reason(Why)),
            {Left, Measured, [Subject | Lost]}
    end.

%% A rival that takes long for one run need not run twice.
patient({rival, _}, Visit) -> Visit#{min := 1};
patient(_, Visit) -> Visit.

write_sample(#bench{run = #{results := Results}}, Context, Measured, Subject, Round) ->
    tripod_results:write(Results, tripod_bench_lines:sample(Context, Measured, Subject, Round)).

close(Bench, Context, Subjects, Vms0) ->
    lists:foldl(fun(Subject, Vms) ->
                        case ask(Bench, Vms, Subject, close, [Subject]) of
                            {ok, Left} ->
                                Left;
                            {{error, not_open}, Left} ->
                                Left; % lost before, and said so
                            {{error, Why}, Left} ->
                                ok = check(Bench, Context, Subject, close, failure, reason(Why)),
                                Left
                        end
                end, Vms0, Subjects).

%% Writes the summary of each subject that was measured; returns them with how much the rounds of
%% each disagree.
-spec summarize(tripod_scenario:run(), tripod_bench_lines:context(), [tripod_bench_task:subject()],
                tripod_bench_lines:rounds()) -> [{tripod_results:line(), float()}].
summarize(#{results := Results, table := Table, progress := Progress}, Context, Subjects0, Rounds) ->
    Subjects = [Subject || Subject <- Subjects0, is_map_key(Subject, Rounds)],
    Lines = [tripod_bench_lines:summary(Context, Rounds, Subject) || Subject <- Subjects],
    ok = lists:foreach(fun(Line) -> tripod_results:write(Results, Line) end, Lines),
    ok = case Table of
             true ->
                 ok = tripod_progress:finish(Progress),
                 tripod_bench_table:print(Lines);
             false -> ok
         end,
    [{Line, tripod_bench_lines:variation(maps:get(Subject, Rounds))}
     || {Subject, Line} <- lists:zip(Subjects, Lines)].

%% Says which medians are not to be trusted because rounds disagree.
-spec check_variation(module(), tripod_scenario:run(), [{tripod_results:line(), float()}]) -> ok.
check_variation(_, _, []) ->
    ok;
check_variation(Scenario, #{results := Results}, Variations) ->
    Noisy = lists:reverse(lists:keysort(2, [One || {_, Variation} = One <- Variations, Variation > ?VARIATION])),
    Check = #{name => rounds_agree, scenario => Scenario:name(), ok => Noisy =:= []},
    tripod_results:check(
      Results,
      case Noisy of
          [] ->
              Check#{severity => note,
                     detail => "Every median varies by less than 10 % between rounds."};
          _ ->
              Check#{severity => doubt,
                     detail => [integer_to_list(length(Noisy)), " of ", integer_to_list(length(Variations)),
                                " medians vary by more than 10 % between rounds, most of all "
                                | lists:join("; ", [variation_text(One) || One <- lists:sublist(Noisy, 4)])],
                     advice => "Differences between these results that are of that order mean "
                               "nothing. Measure on a quiet machine, or without --quick."}
      end).

variation_text({#{strategy := Strategy, mode := Mode, params := Params}, Variation}) ->
    io_lib:format("~s/~s (~ts) ~b %", [Strategy, Mode, tripod_bench_table:title(Params),
                                       round(100 * Variation)]).

%% Asks the subject's VM, which is started for the purpose if there is none.
ask(#bench{plan = #{visit := #{visit_ms := VisitMs}}, placement = Placement}, Vms, Subject, Function, Args) ->
    Group = group(Subject),
    case vm(Group, Placement, Function, Vms) of
        {ok, Vm, Left} ->
            case tripod_bench_node:call(Vm, tripod_bench_worker, Function, Args, ?PATIENCE_MS + VisitMs) of
                {ok, Answer} ->
                    {Answer, Left};
                {error, {failed, _} = Why} ->
                    {{error, Why}, Left};
                {error, Why} -> % lost, or stuck and of no use any more
                    ok = tripod_bench_node:stop(Vm),
                    {{error, Why}, maps:remove(Group, Left)}
            end;
        {error, Why} ->
            {{error, Why}, Vms}
    end.

-spec vm(group(), tripod_bench_node:placement(), Function :: atom(), vms()) ->
          {ok, tripod_bench_node:vm(), vms()} | {error, term()}.
vm(Group, _, _, Vms) when is_map_key(Group, Vms) ->
    {ok, map_get(Group, Vms), Vms};
vm(Group, Placement, open, Vms) ->
    maybe_started(Group, tripod_bench_node:start(Placement), Vms);
vm(_, _, _, _) ->
    {error, not_open}.

maybe_started(Group, {ok, Vm}, Vms) ->
    case tripod_bench_node:call(Vm, tripod_bench_worker, start, [], 10000) of
        {ok, ok} -> {ok, Vm, Vms#{Group => Vm}};
        {error, Why} -> {error, {vm, Why}}
    end;
maybe_started(_, {error, Why}, _) ->
    {error, {vm, Why}}.

-spec group(tripod_bench_task:subject()) -> group().
group({box, Strategy, _}) -> Strategy;
group({floor, _}) -> floor;
group({rival, Rival}) -> Rival.

step(#bench{run = #{progress := Progress}, placement = Placement}, #{scenario := Scenario}, Subject, Ms) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    tripod_progress:step(Progress, io_lib:format("~s: ~s/~s, ~s", [Scenario, Strategy, Mode, Placement]), Ms).

check(#bench{run = #{results := Results}}, #{scenario := Scenario, params := Params}, Check) ->
    tripod_results:check(Results, Check#{scenario => Scenario, params => Params}).

check(Bench, Context, Subject, Name, Severity, Detail) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    check(Bench, Context, #{name => Name, ok => false, severity => Severity, strategy => Strategy,
                            mode => Mode, detail => Detail}).

reason(Why) -> io_lib:format("~0tP", [Why, 30]).
