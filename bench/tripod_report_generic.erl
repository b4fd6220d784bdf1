%% SPDX-License-Identifier: Apache-2.0
%% A scenario as a table of what its results hold, whatever they are about.
-module(tripod_report_generic).

-export([table/2, case_text/1]).

-spec table(binary(), tripod_report_facts:facts()) -> {ok, tripod_report_doc:table()} | none.
table(Scenario, Facts) ->
    case [row(Case, Summary) || Case <- tripod_report_facts:cases(Scenario, Facts),
                                Summary <- tripod_report_facts:summaries(Scenario, Case, Facts)] of
        [] ->
            none;
        Rows ->
            {ok, #{columns => [{"case", left}, {"through", left}, {"placement", left}, {"p50", right},
                               {"floor", right}, {"ratio", right}, {"p99", right}, {"max", right},
                               {"n", right}],
                   rows => Rows}}
    end.

row(Case, #{params := Params, unit := Unit, p99 := P99, max := Max} = Summary) ->
    [case_text(Case), {code, tripod_report_text:subject(tripod_report_facts:subject_of(Summary))},
     case Params of
         #{<<"placement">> := Placement} when is_binary(Placement) -> Placement;
         #{} -> none
     end]
        ++ tripod_report_doc:number(Summary)
        ++ [tripod_report_text:quantity(P99, Unit), tripod_report_text:quantity(Max, Unit),
            tripod_report_text:samples(Summary)].

%% The parameters of a case: texts as they are, others with their names.
-spec case_text(tripod_report_facts:params()) -> unicode:chardata().
case_text(Case) ->
    lists:join(", ", [case Value of
                          _ when is_binary(Value) -> Value;
                          _ -> io_lib:format("~ts ~tp", [Key, Value])
                      end || {Key, Value} <- lists:sort(maps:to_list(Case))]).
