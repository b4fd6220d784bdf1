%% SPDX-License-Identifier: Apache-2.0
%% The verdict for these inputs, in sentences. Each says what was measured and nothing else; what was
%% not measured gets no sentence. There is no score.
-module(tripod_report_verdict).

-export([sections/1]).

-import(tripod_report_text, [plain/1, duration/1, quantity/2, ratio/1, subject/1, sentence_list/1]).
-import(tripod_report_facts, [subject_of/1, no_floors/1]).

-type sentence() :: tripod_report_doc:inline().

%% Faults that end whoever has them.
-define(CRASHES, [<<"segfault">>, <<"abort">>, <<"stack_overflow">>, <<"double_free">>, <<"heap_overrun">>,
                  <<"exit">>]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    Doubts = [Block || {warning, _} = Block <- [tripod_report_trust:against(Facts)]],
    Verdict = case sentences(Facts) of
                  [] -> {paragraph, "There are no results to say anything about."};
                  Sentences -> {items, Sentences}
              end,
    [#{id => "verdict", title => "The verdict for your inputs",
       blocks => Doubts ++ [Verdict] ++ tripod_report_glance:blocks(Facts)
           ++ tripod_report_choice:blocks(Facts)}].

-spec sentences(tripod_report_facts:facts()) -> [sentence()].
sentences(Facts) ->
    Topics = [fun inputs/1, fun call/1, fun break_even/1, fun payload/1, fun script/1, fun programs/1,
              fun boxes/1, fun killed/1, fun left_behind/1, fun crashed/1, fun looped/1],
    lists:append([Topic(Facts) || Topic <- Topics]).

inputs(Facts) ->
    Runs = tripod_report_facts:runs(Facts),
    Commands = [[atom_to_list(Command), [[" (", Level, ")"] || Level =/= nil]]
                || {Command, #{level := Level}} <- Runs],
    Scripts = case [Script || {_, #{script := Script}} <- Runs, is_binary(Script)] of
                  [] -> ", with the bundled scripts.";
                  [Script | _] -> [", with your script ", {code, Script}, "."]
              end,
    [[{strong, "What was asked: "}, sentence_list(Commands), " over ",
      names(tripod_report_facts:boxes(Facts)), Scripts] || Commands =/= []].

names(Subjects) -> sentence_list([{code, subject(Subject)} || Subject <- Subjects]).

%% VALUE through SUBJECT, VALUE through SUBJECT and VALUE through SUBJECT.
each(Values) ->
    sentence_list([[Value, " through ", {code, subject(Subject)}] || {Subject, Value} <- Values]).

medians(Summaries) ->
    [{subject_of(Summary), quantity(P50, Unit)} || #{p50 := P50, unit := Unit} = Summary <- Summaries].

measured(Scenario, Params, Facts) -> no_floors(tripod_report_facts:summaries(Scenario, Params, Facts)).

call(Facts) ->
    Lua = #{<<"service">> => <<"lua">>},
    case {measured(<<"call">>, Lua#{<<"placement">> => <<"free">>}, Facts),
          measured(<<"call">>, Lua#{<<"placement">> => <<"pinned">>}, Facts)} of
        {[], []} ->
            [];
        {[], Pinned} ->
            [[{strong, "A trivial call"}, " costs ", each(medians(Pinned)), " (median, pinned to one core)."]];
        {Free, Pinned} ->
            [[{strong, "A trivial call"}, " costs ", each(medians(Free)), " (median)",
              [["; pinned to one core, ", each(medians(Pinned))] || Pinned =/= []], "."]]
    end.

break_even(Facts) ->
    case tripod_report_breakeven:overheads(<<"free">>, Facts) of
        [] ->
            [];
        Overheads ->
            Limits = [{Subject, duration(9 * Ns)} || #{subject := Subject, ns := Ns} <- Overheads],
            [[{strong, "The way in and out"},
              " falls under 10 % of the time when a call does more work than ", each(Limits), "."]]
    end.

%% The largest binary.
payload(Facts) ->
    case [{Size, Summary} || Subject <- tripod_report_facts:boxes(Facts),
                             {Size, Summary} <- tripod_report_payload:binaries(Subject, Facts)] of
        [] ->
            [];
        Binaries ->
            Size = lists:max([One || {One, _} <- Binaries]),
            What = tripod_report_text:payload(#{<<"kind">> => <<"binary">>, <<"size">> => Size}),
            [[{strong, ["A ", What]}, " goes in and comes back in ",
              each(medians([Summary || {One, Summary} <- Binaries, One =:= Size])), "."]]
    end.

script(Facts) ->
    [[{strong, "Your script "}, {code, tripod_report_programs:title(Case)}, " takes ",
      each(medians([Summary || {Summary, _} <- Ratios])), ": ",
      sentence_list([ratio(Ratio) || {_, Ratio} <- Ratios]), " times the stock library's time."]
     || Case <- tripod_report_facts:cases(<<"script">>, Facts),
        [_ | _] = Ratios <- [tripod_report_programs:ratios({<<"script">>, Case}, Facts)]].

%% The bundled ones together.
programs(Facts) ->
    Programs = [{Scenario, Case} || Scenario <- [<<"compute">>, <<"alloc">>],
                                    Case <- tripod_report_facts:cases(Scenario, Facts)],
    Ratios = [{subject_of(Summary), Ratio}
              || Program <- Programs, {Summary, Ratio} <- tripod_report_programs:ratios(Program, Facts)],
    Rivals = lists:usort([Subject || {Subject, _} <- Ratios, not tripod_report_facts:is_box(Subject)]),
    Spans = [{Subject, span(Own)} || Subject <- tripod_report_facts:boxes(Facts) ++ Rivals,
                                     [_ | _] = Own <- [[Ratio || {One, Ratio} <- Ratios, One =:= Subject]]],
    [[{strong, "Programs that compute"}, " (",
      sentence_list([tripod_report_programs:title(Case) || {_, Case} <- Programs]),
      ") take, measured by the stock library's time, ", each(Spans), "."] || Spans =/= []].

span(Ratios) ->
    case {ratio(lists:min(Ratios)), ratio(lists:max(Ratios))} of
        {Same, Same} -> [Same, " times"];
        {Low, High} -> [Low, " to ", High, " times"]
    end.

boxes(Facts) ->
    Summaries = measured(<<"open_close">>, #{<<"calls">> => 1, <<"placement">> => <<"free">>}, Facts),
    [[{strong, "A box for each request"}, " (open, one call, close) costs ", each(medians(Summaries)), "."]
     || Summaries =/= []].

killed(Facts) ->
    Faults = tripod_report_facts:faults(kill, Facts),
    Clean = [{Place, duration(Ns)}
             || Place <- tripod_report_facts:fault_places(kill, Facts),
                {ok, #{clean_ns := Ns}} <- [tripod_report_facts:fault(<<"kill">>, Place, Faults)],
                is_number(Ns)],
    [[{strong, "When its owner is killed"}, ", nothing is left of a box after ", each(Clean), " (median)."]
     || Clean =/= []].

left_behind(Facts) ->
    Leaks = [{subject_of(Fault), tripod_report_text:fault(Name)}
             || #{fault := Name, outcome := <<"leak">>} = Fault <- tripod_report_facts:faults(kill, Facts)],
    [[{strong, "Ended owners left something behind: "}, each(Leaks), "."] || Leaks =/= []].

crashed(Facts) ->
    Faults = [Fault || #{fault := Name} = Fault <- tripod_report_facts:faults(crash, Facts),
                       lists:member(Name, ?CRASHES)],
    costs({strong, "A crash in C"}, Faults, Facts).

looped(Facts) ->
    Loops = [{<<"c_loop">>, "An endless loop in C"}, {<<"lua_loop">>, "An endless loop in Lua"}],
    Faults = tripod_report_facts:faults(crash, Facts),
    lists:append([costs({strong, Text}, [Fault || #{fault := One} = Fault <- Faults, One =:= Name], Facts)
                  || {Name, Text} <- Loops]).

%% Subjects that lose the same to the same are named together.
costs(_, [], _) ->
    [];
costs(What, Faults, Facts) ->
    Costs = [{Place, Own} || Place <- tripod_report_facts:fault_places(crash, Facts),
                             [_ | _] = Own <- [costs_of(Place, Faults)]],
    Distinct = lists:foldl(fun({_, Own}, Done) -> Done ++ [Own || not lists:member(Own, Done)] end, [], Costs),
    Parts = [[sentence_list([cost_text(Cost, Faults) || Cost <- Own]), " through ",
              names([Place || {Place, One} <- Costs, One =:= Own])] || Own <- Distinct],
    [[What, " ", lists:join("; ", Parts), "."]].

%% Each with the faults that cost it.
costs_of(Place, Faults) ->
    Own = [{cost(Fault), Name} || #{fault := Name} = Fault <- Faults, subject_of(Fault) =:= Place],
    [{Cost, [Name || {One, Name} <- Own, One =:= Cost]} || Cost <- lists:usort([Cost || {Cost, _} <- Own])].

%% Which fault it was is said where there are several.
cost_text({Cost, Names}, Faults) ->
    case lists:usort([Name || #{fault := Name} <- Faults]) of
        [_] -> Cost;
        _ -> [Cost, " (", sentence_list([tripod_report_text:fault(Name) || Name <- Names]), ")"]
    end.

cost(#{outcome := <<"contained">>}) -> "costs no more than the call";
cost(#{outcome := <<"box_lost">>}) -> "costs the box and nothing else";
cost(#{outcome := <<"node_lost">>}) -> "costs the node with everything in it";
cost(#{outcome := <<"hang">>}) -> "hangs the call for good";
cost(#{outcome := <<"leak">>} = Fault) -> ["leaves behind ", plain(tripod_report_faults:leaked(Fault))];
cost(Fault) -> ["ends as ", tripod_report_faults:outcome_text(Fault)].
