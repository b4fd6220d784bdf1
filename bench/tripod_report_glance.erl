%% SPDX-License-Identifier: Apache-2.0
%% The run at a glance: a line for each strategy and mode with the few numbers that most people ask
%% for. The page and the terminal show the same ones. There is no column that adds them up.
-module(tripod_report_glance).

-export([costs/1, programs/1, blocks/1]).
-export_type([cost/0, cost_row/0, program_row/0]).

-type quantity() :: tripod_report_text:quantity().
-type cost() :: {quantity(), Floor :: quantity() | none, Ratio :: number() | nil} | none.
-type cost_row() :: {tripod_report_facts:subject(), [cost()]}.
%% Least and greatest ratio to lua5.4; what a kill and a segfault come to.
-type program_row() :: {tripod_report_facts:subject(), #{compute := {number(), number()} | none,
                                                         alloc := {number(), number()} | none,
                                                         script := {number(), number()} | none,
                                                         clean := quantity() | none,
                                                         segfault := unicode:chardata() | none}}.

%% What each column is, and where its numbers come from.
columns() ->
    Lua = #{<<"service">> => <<"lua">>},
    Binary = Lua#{<<"kind">> => <<"binary">>, <<"placement">> => <<"free">>},
    [{"call free", <<"call">>, Lua#{<<"placement">> => <<"free">>}},
     {"call pinned", <<"call">>, Lua#{<<"placement">> => <<"pinned">>}},
     {"echo 64 KiB", <<"payload">>, Binary#{<<"size">> => 65536}},
     {"echo 1 MiB", <<"payload">>, Binary#{<<"size">> => 1048576}},
     {"open, close", <<"open_close">>, #{<<"calls">> => 0, <<"placement">> => <<"free">>}}].

subjects(Facts) ->
    tripod_report_facts:boxes(Facts)
        ++ lists:usort(lists:append([tripod_report_facts:rivals(Scenario, Facts)
                                     || Scenario <- tripod_report_facts:scenarios(Facts)])).

%% In rows of titles and of numbers.
-spec costs(tripod_report_facts:facts()) -> {[unicode:chardata()], [cost_row()]}.
costs(Facts) ->
    {[Title || {Title, _, _} <- columns()],
     [Row || Subject <- subjects(Facts),
             {_, Costs} = Row <- [{Subject, [cost(Subject, Column, Facts) || Column <- columns()]}],
             lists:any(fun(Cost) -> Cost =/= none end, Costs)]}.

cost(Subject, {_, Scenario, Params}, Facts) ->
    case tripod_report_facts:find(Scenario, Subject, Params, Facts) of
        {ok, #{p50 := P50, floor_p50 := Floor, ratio := Ratio, unit := Unit}} ->
            {tripod_report_text:quantity(P50, Unit), tripod_report_text:quantity(Floor, Unit), Ratio};
        none ->
            none
    end.

-spec programs(tripod_report_facts:facts()) -> [program_row()].
programs(Facts) ->
    [Row || Subject <- subjects(Facts),
            {_, Program} = Row <- [{Subject, program(Subject, Facts)}],
            lists:any(fun(Cell) -> Cell =/= none end, maps:values(Program))].

program(Subject, Facts) ->
    #{compute => ratios(<<"compute">>, Subject, Facts), alloc => ratios(<<"alloc">>, Subject, Facts),
      script => ratios(<<"script">>, Subject, Facts), clean => clean(Subject, Facts),
      segfault => segfault(Subject, Facts)}.

ratios(Scenario, Subject, Facts) ->
    Ratios = [Ratio || Case <- tripod_report_facts:cases(Scenario, Facts),
                       {Summary, Ratio} <- tripod_report_programs:ratios({Scenario, Case}, Facts),
                       tripod_report_facts:subject_of(Summary) =:= Subject],
    case Ratios of
        [] -> none;
        _ -> {lists:min(Ratios), lists:max(Ratios)}
    end.

clean(Subject, Facts) ->
    case tripod_report_facts:fault(<<"kill">>, Subject, tripod_report_facts:faults(kill, Facts)) of
        {ok, #{clean_ns := Clean}} when is_number(Clean) -> tripod_report_text:duration(Clean);
        {ok, #{}} -> {quantity, "never", ""};
        none -> none
    end.

segfault(Subject, Facts) ->
    case {tripod_report_facts:fault(<<"segfault">>, Subject, tripod_report_facts:faults(crash, Facts)),
          lists:member({<<"segfault">>, Subject}, tripod_report_facts:not_injected(crash, Facts))} of
        {{ok, #{outcome := <<"contained">>}}, _} -> "the call";
        {{ok, #{outcome := <<"box_lost">>}}, _} -> "the box";
        {{ok, #{outcome := <<"node_lost">>}}, _} -> "the node";
        {{ok, Fault}, _} -> tripod_report_faults:outcome_text(Fault);
        {none, true} -> "not injected";
        {none, false} -> none
    end.

%% As tables of the report.
-spec blocks(tripod_report_facts:facts()) -> [tripod_report_doc:block()].
blocks(Facts) ->
    {Titles, Costs} = costs(Facts),
    Programs = programs(Facts),
    [{heading, "At a glance"} || Costs =/= [] orelse Programs =/= []]
        ++ [costs_table(Some, Rows) || {Some, Rows} <- halves(Titles, Costs), Rows =/= []]
        ++ [programs_table(Programs) || Programs =/= []].

costs_table(Titles, Rows) ->
    {table, #{columns => [{"through", left}
                          | lists:append([[{Title, right}, {"floor", right}, {"ratio", right}]
                                          || Title <- Titles])],
              rows => [[{code, tripod_report_text:subject(Subject)}
                        | lists:append([cells(Cost) || Cost <- Row])]
                       || {Subject, Row} <- Rows]}}.

programs_table(Programs) ->
    {table, #{columns => [{"through", left}, {"compute, over lua5.4", right}, {"alloc, over lua5.4", right},
                          {"your script, over lua5.4", right}, {"kill to clean", right},
                          {"a segfault costs", left}],
              rows => [[{code, tripod_report_text:subject(Subject)}]
                       ++ [span(maps:get(Key, Program)) || Key <- [compute, alloc, script]]
                       ++ [Clean, Segfault]
                       || {Subject, #{clean := Clean, segfault := Segfault} = Program} <- Programs]}}.

%% Calls in one table, the rest in another: all side by side are too broad for paper.
halves(Titles, Costs) ->
    {Calls, Others} = lists:split(2, Titles),
    [{Calls, [{Subject, lists:sublist(Row, 2)} || {Subject, Row} <- Costs]},
     {Others, [{Subject, lists:nthtail(2, Row)} || {Subject, Row} <- Costs]}].

cells(none) -> [none, none, none];
cells({P50, Floor, Ratio}) -> [P50, Floor, tripod_report_text:ratio(Ratio)].

span(none) -> none;
span({Ratio, Ratio}) -> tripod_report_text:ratio(Ratio);
span({Least, Most}) -> [tripod_report_text:ratio(Least), "–", tripod_report_text:ratio(Most)].
