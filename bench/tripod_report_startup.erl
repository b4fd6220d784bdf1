%% SPDX-License-Identifier: Apache-2.0
%% Start-up: from nothing to the first reply, and what a box of its own for each request costs.
-module(tripod_report_startup).

-export([sections/1]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "start-up", title => "Start-up: the first reply, and opening and closing a box",
       blocks => cold_start(Facts) ++ open_close(Facts)}].

cold_start(Facts) ->
    case measured(<<"cold_start">>, Facts) of
        [] ->
            [{paragraph, "From no process to the first reply (cold_start) was not measured."}];
        Cases ->
            [{paragraph, "A whole erl that opens a box, has it run a line of Lua and halts; the floor is an erl "
                         "that halts at once. Taken by hyperfine, from fork to exit."},
             {chart, chart("From no process at all to the first reply", linear, Cases, Facts), legend(),
              table(Cases, with_floors)}]
    end.

legend() -> "Dot: median. Line: to the slowest. Upright tick: the floor.".

open_close(Facts) ->
    case measured(<<"open_close">>, Facts) of
        [] ->
            [{paragraph, "Opening and closing a box (open_close) was not measured."}];
        Cases ->
            [{heading, "A box for each request"},
             {paragraph, "Opening and closing a box, with one call in between and without: work that opening "
                         "puts off is paid by the first call. The floor is a bare Lua state with the same "
                         "libraries, and for the program starting an echo program."},
             {chart, chart("Opening and closing a box", log, Cases, Facts), tripod_report_plot:legend(),
              table(Cases, without_floors)}]
    end.

%% With a title for each case.
measured(Scenario, Facts) ->
    [{title(Scenario, Case), Scenario, tripod_report_facts:summaries(Scenario, Case, Facts)}
     || Case <- tripod_report_facts:cases(Scenario, Facts)].

title(<<"open_close">>, #{<<"calls">> := 0}) -> "open, close";
title(<<"open_close">>, #{<<"calls">> := 1}) -> "open, one call, close";
title(_, Case) -> tripod_report_generic:case_text(Case).

chart(Title, Scale, Cases, Facts) ->
    Subjects = tripod_report_facts:boxes(Facts),
    #{kind => dots, title => Title, scale => Scale, unit => <<"ns">>, guides => [],
      rows => lists:append([[{group, Name}
                             | [row(Scenario, Summary, Subjects)
                                || Summary <- tripod_report_facts:no_floors(free(Summaries))]]
                            || {Name, Scenario, Summaries} <- Cases])}.

free(Summaries) ->
    case [Summary || #{params := #{<<"placement">> := <<"free">>}} = Summary <- Summaries] of
        [] -> Summaries;
        Free -> Free
    end.

row(<<"cold_start">>, #{p50 := P50, max := Max} = Summary, Subjects) ->
    (tripod_report_plot:row(Summary, Subjects))#{spans := [{P50, Max, 2.4}]};
row(_, Summary, Subjects) ->
    tripod_report_plot:row(Summary, Subjects).

table(Cases, Floors) ->
    #{columns => [{"what", left}, {"through", left}, {"placement", left}, {"p50", right}, {"floor", right},
                  {"ratio", right}, {"p99", right}, {"max", right}, {"n", right}],
      rows => [[Name, {code, tripod_report_text:subject(tripod_report_facts:subject_of(Summary))},
                maps:get(<<"placement">>, Params, none)]
               ++ tripod_report_doc:number(Summary)
               ++ [tripod_report_text:quantity(P99, Unit), tripod_report_text:quantity(Max, Unit),
                   tripod_report_text:samples(Summary)]
               || {Name, _, Summaries} <- Cases,
                  #{params := Params, unit := Unit, p99 := P99, max := Max} = Summary
                      <- case Floors of
                             with_floors -> Summaries;
                             without_floors -> tripod_report_facts:no_floors(Summaries)
                         end]}.
