%% SPDX-License-Identifier: Apache-2.0
%% Throughput and memory: whole programs against the stock library, and whatever else a run measured
%% that no other section is about.
-module(tripod_report_programs).

-export([sections/1, ratios/2, title/1]).

-define(PROGRAMS, [<<"script">>, <<"compute">>, <<"alloc">>]).
-define(ELSEWHERE, [<<"call">>, <<"payload">>, <<"open_close">>, <<"cold_start">>, <<"duration">>,
                    <<"stall">>, <<"memory">>, <<"cleanup">>]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "throughput", title => "Throughput: whole programs against the stock library",
       blocks => throughput(Facts)},
     #{id => "memory", title => "Memory", blocks => memory(Facts)}].

throughput(Facts) ->
    Programs = [{Scenario, Case} || Scenario <- ?PROGRAMS,
                                    Case <- tripod_report_facts:cases(Scenario, Facts)],
    Others = [Scenario || Scenario <- tripod_report_facts:scenarios(Facts),
                          not lists:member(Scenario, ?PROGRAMS ++ ?ELSEWHERE)],
    programs(Programs, Facts)
        ++ lists:append([[{heading, Scenario}, {table, Table}]
                         || Scenario <- Others,
                            {ok, Table} <- [tripod_report_generic:table(Scenario, Facts)]])
        ++ missing(Others).

programs([], _) ->
    [{paragraph, "Not measured: this run has neither compute, alloc nor a script of your own."}];
programs(Programs, Facts) ->
    [{paragraph, "Each program runs to its end in one call, with all limits on; the floor is the same file in "
                 "the stock library, called from C with no limits. Below 1.00 is faster than that."},
     {chart, chart(Programs, Facts),
      "Dot: median over the floor's. Line: the lowest and highest of the rounds' own ratios.",
      table(Programs, Facts)}].

missing(Others) ->
    case [Scenario || Scenario <- [<<"concurrency">>, <<"pipeline">>], not lists:member(Scenario, Others)] of
        [] -> [];
        Missing ->
            [{paragraph, ["Not measured in this run: ", tripod_report_text:sentence_list(Missing), "."]}]
    end.

chart(Programs, Facts) ->
    Subjects = tripod_report_facts:boxes(Facts),
    Groups = [{title(Case), rows(Scenario, Case, Subjects, Facts)} || {Scenario, Case} <- Programs],
    #{kind => dots, title => "Time of whole programs, over the stock library's", scale => log,
      unit => <<"ratio">>, guides => [1],
      rows => lists:append([[{group, Title} | Rows] || {Title, [_ | _] = Rows} <- Groups])}.

rows(Scenario, Case, Subjects, Facts) ->
    [(tripod_report_plot:row(Summary, Subjects))#{value := Ratio, spans := spans(Summary), floor := none,
                                                  text := text(Summary, Ratio)}
     || {Summary, Ratio} <- ratios({Scenario, Case}, Facts)].

spans(#{ratio_low := Low, ratio_high := High}) when is_number(Low), is_number(High) -> [{Low, High, 2.4}];
spans(#{}) -> [].

text(#{p50 := P50, unit := Unit}, Ratio) ->
    [tripod_report_text:plain(tripod_report_text:quantity(P50, Unit)), "\x{a0}\x{a0}\x{a0}×",
     tripod_report_text:ratio(Ratio)].

%% Everybody's median over that of lua5.4, also of rivals, which have no floor of their own. Placement
%% free, where there is that.
-spec ratios({Scenario :: binary(), tripod_report_facts:params()}, tripod_report_facts:facts()) ->
          [{tripod_report_input:summary(), number()}].
ratios({Scenario, Case}, Facts) ->
    Stock = case tripod_report_facts:find(Scenario, {<<"floor">>, <<"lua5.4">>}, Case, Facts) of
                {ok, #{p50 := Floor}} when Floor > 0 -> Floor;
                _ -> none
            end,
    Subjects = tripod_report_facts:boxes(Facts) ++ tripod_report_facts:rivals(Scenario, Facts),
    [{Summary, Ratio} || Subject <- Subjects,
                         {ok, Summary} <- [tripod_report_facts:find(Scenario, Subject, Case, Facts)],
                         Ratio <- [over(Summary, Stock)], Ratio =/= none].

over(#{ratio := Ratio}, _) when is_number(Ratio) -> Ratio;
over(#{p50 := P50}, Stock) when is_number(Stock) -> P50 / Stock;
over(#{}, none) -> none.

%% The program's name.
-spec title(tripod_report_facts:params()) -> unicode:chardata().
title(#{<<"script">> := Name}) when is_binary(Name) -> Name;
title(Case) -> tripod_report_generic:case_text(Case).

table(Programs, Facts) ->
    #{columns => [{"program", left}, {"through", left}, {"placement", left}, {"p50", right},
                  {"lua5.4 (floor)", right}, {"ratio", right}, {"by round", right}, {"n", right}],
      rows => [[title(Case), {code, tripod_report_text:subject(tripod_report_facts:subject_of(Summary))},
                maps:get(<<"placement">>, Params, none)]
               ++ with_stock(Summary, Scenario, Case, Facts)
               ++ [tripod_report_percentiles:by_round(Summary), tripod_report_text:samples(Summary)]
               || {Scenario, Case} <- Programs,
                  #{params := Params} = Summary
                      <- tripod_report_facts:no_floors(
                           tripod_report_facts:summaries(Scenario, Case, Facts))]}.

with_stock(#{floor_p50 := nil, p50 := P50, params := Params, unit := Unit} = Summary, Scenario, Case,
           Facts) ->
    Same = maps:merge(Case, maps:with([<<"placement">>], Params)),
    case tripod_report_facts:find(Scenario, {<<"floor">>, <<"lua5.4">>}, Same, Facts) of
        {ok, #{p50 := Stock}} when Stock > 0 ->
            [tripod_report_text:quantity(P50, Unit), tripod_report_text:quantity(Stock, Unit),
             tripod_report_text:ratio(P50 / Stock)];
        _ ->
            tripod_report_doc:number(Summary)
    end;
with_stock(Summary, _, _, _) ->
    tripod_report_doc:number(Summary).

memory(Facts) ->
    case tripod_report_generic:table(<<"memory">>, Facts) of
        none -> [{paragraph, "Not measured: this run has no memory scenario."}];
        {ok, Table} -> [{table, Table}]
    end.
