%% SPDX-License-Identifier: Apache-2.0
%% The verdict for these inputs, in sentences. Each says what was measured and nothing else; what was
%% not measured gets no sentence. There is no score.
-module(tripod_report_verdict).

-export([sections/1]).

-import(tripod_report_text, [plain/1, duration/1, subject/1, sentence_list/1]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    Sentences = lists:append([Topic(Facts) || Topic <- [fun inputs/1, fun call/1, fun break_even/1, fun payload/1,
                                                        fun programs/1, fun boxes/1, fun killed/1, fun crashed/1,
                                                        fun looped/1]]),
    [#{id => "verdict", title => "The verdict for your inputs",
       blocks => [Block || {warning, _} = Block <- [tripod_report_trust:against(Facts)]]
           ++ case Sentences of
                  [] -> [{paragraph, "There are no results to say anything about."}];
                  _ -> [{items, Sentences}]
              end
           ++ tripod_report_glance:blocks(Facts) ++ tripod_report_choice:blocks(Facts)}].

inputs(Facts) ->
    case [[atom_to_list(Command), case Level of nil -> ""; _ -> [" (", Level, ")"] end]
          || {Command, #{level := Level}} <- tripod_report_facts:runs(Facts)] of
        [] -> [];
        Commands ->
            Scripts = [Script || {_, #{script := Script}} <- tripod_report_facts:runs(Facts), is_binary(Script)],
            [[{strong, "What was asked: "}, sentence_list(Commands), " over ",
              sentence_list([{code, subject(Subject)} || Subject <- tripod_report_facts:boxes(Facts)]),
              case Scripts of
                  [] -> ", with the bundled scripts.";
                  [Script | _] -> [", with your script ", {code, Script}, "."]
              end]]
    end.

%% VALUE through SUBJECT, VALUE through SUBJECT and VALUE through SUBJECT.
each(Values) ->
    sentence_list([[Value, " through ", {code, subject(Subject)}] || {Subject, Value} <- Values]).

medians(Summaries) ->
    [{tripod_report_facts:subject_of(Summary), tripod_report_text:quantity(P50, Unit)}
     || #{p50 := P50, unit := Unit} = Summary <- Summaries].

taking_part(Summaries) -> [Summary || #{strategy := Strategy} = Summary <- Summaries, Strategy =/= <<"floor">>].

calls(Placement, Facts) ->
    taking_part(tripod_report_facts:summaries(<<"call">>, #{<<"service">> => <<"lua">>, <<"placement">> => Placement}, Facts)).

call(Facts) ->
    case {calls(<<"free">>, Facts), calls(<<"pinned">>, Facts)} of
        {[], []} -> [];
        {[], Pinned} -> [[{strong, "A trivial call"}, " costs ", each(medians(Pinned)), " (median, pinned to one core)."]];
        {Free, Pinned} ->
            [[{strong, "A trivial call"}, " costs ", each(medians(Free)), " (median)",
              [["; pinned to one core, ", each(medians(Pinned))] || Pinned =/= []], "."]]
    end.

break_even(Facts) ->
    case tripod_report_breakeven:overheads(<<"free">>, Facts) of
        [] -> [];
        Overheads ->
            [[{strong, "The way in and out"}, " falls under 10 % of the time when a call does more work than ",
              each([{Subject, duration(9 * Ns)} || #{subject := Subject, ns := Ns} <- Overheads]), "."]]
    end.

%% The largest binary.
payload(Facts) ->
    Largest = [{Size, Summary} || Subject <- tripod_report_facts:boxes(Facts),
                                  {Size, Summary} <- tripod_report_payload:binaries(Subject, Facts)],
    case Largest of
        [] -> [];
        _ ->
            Size = lists:max([One || {One, _} <- Largest]),
            [[{strong, ["A ", tripod_report_text:payload(#{<<"kind">> => <<"binary">>, <<"size">> => Size})]},
              " goes in and comes back in ", each(medians([Summary || {One, Summary} <- Largest, One =:= Size])), "."]]
    end.

%% A script of the user's by itself; the others together.
programs(Facts) ->
    [[{strong, "Your script "}, {code, tripod_report_programs:title(Case)}, " takes ", each(medians([S || {S, _} <- Ratios])),
      ": ", sentence_list([tripod_report_text:ratio(Ratio) || {_, Ratio} <- Ratios]), " times the stock library's time."]
     || Case <- tripod_report_facts:cases(<<"script">>, Facts),
        (Ratios = tripod_report_programs:ratios({<<"script">>, Case}, Facts)) =/= []]
        ++ bundled(Facts).

bundled(Facts) ->
    Cases = [{Scenario, Case} || Scenario <- [<<"compute">>, <<"alloc">>], Case <- tripod_report_facts:cases(Scenario, Facts)],
    Ratios = [{tripod_report_facts:subject_of(Summary), Ratio}
              || One <- Cases, {Summary, Ratio} <- tripod_report_programs:ratios(One, Facts)],
    Subjects = [Subject || Subject <- tripod_report_facts:boxes(Facts) ++ lists:usort([Rival || {Rival, _} <- Ratios,
                                                                                        not tripod_report_facts:is_box(Rival)]),
                           lists:keymember(Subject, 1, Ratios)],
    [[{strong, "Programs that compute"}, " (", sentence_list([tripod_report_programs:title(Case) || {_, Case} <- Cases]),
      ") take, measured by the stock library's time, ",
      sentence_list([[span([Ratio || {One, Ratio} <- Ratios, One =:= Subject]), " times through ", {code, subject(Subject)}]
                     || Subject <- Subjects]), "."] || Subjects =/= []].

span(Ratios) ->
    case {tripod_report_text:ratio(lists:min(Ratios)), tripod_report_text:ratio(lists:max(Ratios))} of
        {Same, Same} -> Same;
        {Low, High} -> [Low, " to ", High]
    end.

boxes(Facts) ->
    case taking_part(tripod_report_facts:summaries(<<"open_close">>, #{<<"calls">> => 1, <<"placement">> => <<"free">>}, Facts)) of
        [] -> [];
        Summaries -> [[{strong, "A box for each request"}, " (open, one call, close) costs ", each(medians(Summaries)), "."]]
    end.

killed(Facts) ->
    Faults = tripod_report_facts:faults(kill, Facts),
    Killed = [{Place, Fault} || Place <- tripod_report_facts:fault_places(kill, Facts),
                                {ok, Fault} <- [tripod_report_facts:fault(<<"kill">>, Place, Faults)]],
    Clean = [{Subject, duration(Clean)} || {Subject, #{clean_ns := Clean}} <- Killed, is_number(Clean)],
    Leaks = [{Subject, Name} || #{fault := Name, outcome := <<"leak">>} = Fault <- Faults,
                                Subject <- [tripod_report_facts:subject_of(Fault)]],
    [[{strong, "When its owner is killed"}, ", nothing is left of a box after ", each(Clean), " (median)."] || Clean =/= []]
        ++ [[{strong, "Ended owners left something behind: "},
             sentence_list([[tripod_report_text:fault(Name), " through ", {code, subject(Subject)}] || {Subject, Name} <- Leaks]),
             "."] || Leaks =/= []].

%% Faults that end whoever has them.
-define(CRASHES, [<<"segfault">>, <<"abort">>, <<"stack_overflow">>, <<"double_free">>, <<"heap_overrun">>, <<"exit">>]).

crashed(Facts) ->
    Faults = [Fault || #{fault := Name} = Fault <- tripod_report_facts:faults(crash, Facts),
                       lists:member(Name, ?CRASHES)],
    costs({strong, "A crash in C"}, Faults, Facts).

looped(Facts) ->
    Faults = tripod_report_facts:faults(crash, Facts),
    lists:append([costs({strong, Text}, [Fault || #{fault := One} = Fault <- Faults, One =:= Name], Facts)
                  || {Name, Text} <- [{<<"c_loop">>, "An endless loop in C"},
                                      {<<"lua_loop">>, "An endless loop in Lua"}]]).

%% Subjects that lose the same to the same are named together.
costs(_, [], _) -> [];
costs(What, Faults, Facts) ->
    Costs = [{Subject, fault_costs(Subject, Faults)} || Subject <- tripod_report_facts:fault_places(crash, Facts)],
    Distinct = lists:foldl(fun({_, []}, Done) -> Done;
                              ({_, Own}, Done) -> Done ++ [Own || not lists:member(Own, Done)]
                           end, [], Costs),
    [[What, " ",
      lists:join("; ", [[sentence_list([cost_text(Cost, Faults) || Cost <- Own]), " through ",
                         sentence_list([{code, subject(Subject)} || {Subject, One} <- Costs, One =:= Own])]
                        || Own <- Distinct]), "."]].

%% What faults cost a subject, with those that cost it.
fault_costs(Subject, Faults) ->
    Own = [{cost(Fault), Name} || #{fault := Name} = Fault <- Faults, tripod_report_facts:subject_of(Fault) =:= Subject],
    [{Cost, [Name || {One, Name} <- Own, One =:= Cost]} || Cost <- lists:usort([Cost || {Cost, _} <- Own])].

%% Which fault is said where there are several.
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
