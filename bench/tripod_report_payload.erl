%% SPDX-License-Identifier: Apache-2.0
%% Payload: what it costs to move a value in and out, by size and by kind.
-module(tripod_report_payload).

-export([sections/1, binaries/2]).

-define(SCENARIO, <<"payload">>).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    Blocks = case tripod_report_facts:cases(?SCENARIO, Facts) of
                 [] -> [{paragraph, "Not measured: this run has no payload scenario."}];
                 Cases -> blocks(Facts, Cases)
             end,
    [#{id => "payload", title => "Payload: a value in and the same value out", blocks => Blocks}].

blocks(Facts, Cases) ->
    Services = lists:usort([Service || #{<<"service">> := Service} <- Cases, is_binary(Service)]),
    [{paragraph, "A Lua function returns its argument unchanged. The floor of a binary is two copies of it "
                 "through the same mechanism; of a term, building the table in C and the term with the host's "
                 "API; of the program, an echo program with the same frames."}
     | lists:append([service(Service, [Case || #{<<"service">> := One} = Case <- Cases, One =:= Service],
                             Facts) || Service <- lists:reverse(Services)])].

service(Service, Cases, Facts) ->
    Binaries = [Case || #{<<"kind">> := <<"binary">>} = Case <- Cases],
    Terms = Cases -- Binaries,
    [{heading, ["Through the ", Service, " service"]} || Service =/= <<"lua">>]
        ++ [{chart, lines(Sorted, Facts), "Both axes are logarithmic; medians, placement free.",
             table(Sorted, Facts)}
            || length(Binaries) > 1, Sorted <- [by_size(Binaries)]]
        ++ [{chart, dots(Some, Facts), tripod_report_plot:legend(), table(Some, Facts)}
            || Some <- [Terms ++ [Case || length(Binaries) =:= 1, Case <- Binaries]], Some =/= []].

by_size(Cases) ->
    lists:sort(fun(#{<<"size">> := A}, #{<<"size">> := B}) -> A =< B end,
               [Case || #{<<"size">> := Size} = Case <- Cases, is_integer(Size)]).

%% The sizes in bytes of the binaries that a subject moved, and what that took.
-spec binaries(tripod_report_facts:subject(), tripod_report_facts:facts()) ->
          [{pos_integer(), tripod_report_input:summary()}].
binaries(Subject, Facts) ->
    [{Size, Summary} || #{<<"service">> := <<"lua">>, <<"kind">> := <<"binary">>, <<"size">> := Size} = Case
                            <- by_size([Case || #{<<"kind">> := <<"binary">>} = Case
                                                    <- tripod_report_facts:cases(?SCENARIO, Facts)]),
                        {ok, Summary} <- [found(Subject, Case, Facts)]].

subjects(Facts) -> tripod_report_facts:boxes(Facts) ++ tripod_report_facts:rivals(?SCENARIO, Facts).

lines(Cases, Facts) ->
    Subjects = subjects(Facts),
    #{kind => lines, title => "Time for a binary to go in and come back, by its size",
      x => #{title => "size of the binary", unit => <<"bytes">>},
      y => #{title => "median of in and out", unit => <<"ns">>}, y_range => all, guides => [],
      series => [#{label => tripod_report_plot:label(Subject), colour => tripod_report_plot:colour(Subject),
                   dash => tripod_report_plot:dash(Subject, Subjects), marks => true, points => Points}
                 || Subject <- Subjects, (Points = points(Subject, Cases, Facts)) =/= []]}.

points(Subject, Cases, Facts) ->
    [{Size, P50} || #{<<"size">> := Size} = Case <- Cases,
                    {ok, #{p50 := P50}} <- [found(Subject, Case, Facts)]].

found(Subject, Case, Facts) -> tripod_report_facts:find(?SCENARIO, Subject, Case, Facts).

dots(Cases, Facts) ->
    Subjects = subjects(Facts),
    #{kind => dots, title => "Time for a term to go in and come back", scale => log, unit => <<"ns">>,
      guides => [],
      rows => lists:append([[{group, tripod_report_text:payload(Case)}
                             | [tripod_report_plot:row(Summary, Subjects)
                                || Subject <- Subjects,
                                   {ok, Summary} <- [found(Subject, Case, Facts)]]]
                            || Case <- Cases])}.

table(Cases, Facts) ->
    #{columns => [{"value", left}, {"through", left}, {"placement", left}, {"p50", right}, {"floor", right},
                  {"ratio", right}, {"p99", right}, {"n", right}],
      rows => [[tripod_report_text:payload(Case),
                {code, tripod_report_text:subject(tripod_report_facts:subject_of(Summary))},
                maps:get(<<"placement">>, Params, none)]
               ++ tripod_report_doc:number(Summary)
               ++ [tripod_report_text:quantity(P99, Unit), tripod_report_text:samples(Summary)]
               || Case <- Cases,
                  #{params := Params, unit := Unit, p99 := P99} = Summary
                      <- tripod_report_facts:no_floors(
                           tripod_report_facts:summaries(?SCENARIO, Case, Facts))]}.
