%% SPDX-License-Identifier: Apache-2.0
%% When to choose which: for each strategy and mode what in this run speaks for it and against it.
%% Differences that rounds of the same measurement show, too, are ties and speak for nobody alone.
-module(tripod_report_choice).

-export([blocks/1]).

-import(tripod_report_text, [plain/1, duration/1, subject/1, sentence_list/1]).

-type subject() :: tripod_report_facts:subject().
%% A question that the fastest, or those that cannot be told from it, answer.
-type contest() :: {Condition :: unicode:chardata(), What :: unicode:chardata(),
                    [{subject(), tripod_report_input:summary()}]}.

-spec blocks(tripod_report_facts:facts()) -> [tripod_report_doc:block()].
blocks(Facts) ->
    Boxes = tripod_report_facts:boxes(Facts),
    Contests = [Contest || {_, _, [_, _ | _]} = Contest <- contests(Boxes, Facts)],
    case [{Subject, Reasons} || Subject <- Boxes, (Reasons = reasons(Subject, Contests, Facts)) =/= []] of
        [] -> [];
        Given -> [{heading, "Choose it when"},
                  {paragraph, "Each reason is a fact of this run. Where rounds of one measurement differ as "
                              "much as two results do, the two count as equal."}]
                     ++ lists:append([[{paragraph, [{strong, subject(Subject)}]}, {items, Reasons}]
                                      || {Subject, Reasons} <- Given])
                     ++ rivals(Facts)
    end.

contests(Boxes, Facts) ->
    [{Condition, What, [{Box, Summary}
                        || Box <- Boxes,
                           {ok, Summary} <- [tripod_report_facts:find(Scenario, Box, Params, Facts)]]}
     || {Condition, What, Scenario, Params} <- questions(Facts)].

questions(Facts) ->
    [{"calls are many and short", "a trivial call", <<"call">>, #{<<"service">> => <<"lua">>}}]
        ++ [{"large binaries cross", ["a ", tripod_report_text:payload(Case)], <<"payload">>, Case}
            || Case <- largest(Facts)]
        ++ [{"structured values cross", ["a ", tripod_report_text:payload(Case)], <<"payload">>, Case}
            || #{<<"kind">> := <<"map">>, <<"service">> := <<"lua">>} = Case
                   <- tripod_report_facts:cases(<<"payload">>, Facts)]
        ++ [{"boxes live for one request", "open, one call, close", <<"open_close">>, #{<<"calls">> => 1}}]
        ++ [{"your script is what you run", tripod_report_programs:title(Case), <<"script">>, Case}
            || Case <- tripod_report_facts:cases(<<"script">>, Facts)].

largest(Facts) ->
    Binary = #{<<"kind">> => <<"binary">>, <<"service">> => <<"lua">>},
    Cases = [{Size, Case} || #{<<"size">> := Size} = Case <- tripod_report_facts:cases(<<"payload">>, Facts),
                             is_integer(Size), maps:with(maps:keys(Binary), Case) =:= Binary],
    case lists:reverse(lists:keysort(1, Cases)) of
        [{_, Case} | _] -> [Case];
        [] -> []
    end.

reasons(Subject, Contests, Facts) ->
    For = [Reason || Contest <- Contests, Reason <- won(Subject, Contest)] ++ survives(Subject, Facts),
    Against = [Reason || Contest <- Contests, Reason <- lost(Subject, Contest)] ++ falls(Subject, Facts)
        ++ stalls(Subject, Facts),
    case {For, Against} of
        {[], [_ | _]} ->
            ["Nothing that was measured here speaks for it." | [["And ", One, "."] || One <- Against]];
        _ -> [["When ", One, "."] || One <- For] ++ [["But ", One, "."] || One <- Against]
    end.

best(Results) ->
    hd(lists:sort(fun({_, #{p50 := A}}, {_, #{p50 := B}}) -> A =< B end, Results)).

%% Who is as fast as the fastest; a contest that all win decides nothing.
-spec winners(contest()) -> [subject()].
winners({_, _, Results}) ->
    {_, Best} = best(Results),
    [Subject || {Subject, Summary} <- Results, tripod_report_facts:same(Summary, Best)].

won(Subject, {Condition, What, Results} = Contest) ->
    Winners = winners(Contest),
    Losers = [One || {Other, _} = One <- Results, not lists:member(Other, Winners)],
    case {lists:member(Subject, Winners), Losers} of
        {true, [_ | _]} ->
            {_, #{p50 := Own}} = lists:keyfind(Subject, 1, Results),
            {Next, #{p50 := Theirs}} = best(Losers),
            [[Condition, ": ", What, " takes ", plain(duration(Own)), equals(Subject, Winners), "; ",
              {code, subject(Next)}, " takes ", tripod_report_text:times(Theirs / Own), " as long"]];
        _ ->
            []
    end.

equals(Subject, Winners) ->
    case Winners -- [Subject] of
        [] -> "";
        Others -> [", no different from ", sentence_list([{code, subject(Other)} || Other <- Others])]
    end.

%% Only what is worth a sentence.
lost(Subject, {_, What, Results} = Contest) ->
    {Best, #{p50 := Least}} = best(Results),
    case {lists:member(Subject, winners(Contest)), lists:keyfind(Subject, 1, Results)} of
        {false, {_, #{p50 := Own}}} when Own >= 2 * Least ->
            [[What, " takes ", plain(duration(Own)), ", ", tripod_report_text:times(Own / Least),
              " that of ", {code, subject(Best)}]];
        _ ->
            []
    end.

crashes(Subject, Outcomes, Facts) ->
    [Name || #{fault := Name, outcome := Outcome} = Fault <- tripod_report_facts:faults(crash, Facts),
             tripod_report_facts:subject_of(Fault) =:= Subject, lists:member(Outcome, Outcomes)].

%% The node survived faults that took it through somebody else.
survives(Subject, Facts) ->
    Own = crashes(Subject, [<<"contained">>, <<"box_lost">>], Facts),
    Deadly = lists:usort(lists:append([crashes(Other, [<<"node_lost">>, <<"hang">>], Facts)
                                       || Other <- tripod_report_facts:boxes(Facts)])),
    case {[Name || Name <- Own, lists:member(Name, Deadly)], crashes(Subject, [<<"node_lost">>], Facts)} of
        {[_ | _] = Survived, []} ->
            [["the C code may go wrong: ",
              sentence_list([tripod_report_text:fault(Name) || Name <- Survived]),
              " cost the node or hung it elsewhere, and here no more than the box"]];
        _ ->
            []
    end.

falls(Subject, Facts) ->
    [[What, sentence_list([tripod_report_text:fault(Name) || Name <- Names])]
     || {Outcome, What} <- [{<<"node_lost">>, "the whole node was lost to: "},
                            {<<"hang">>, "it hung for good in: "},
                            {<<"leak">>, "it left something behind after: "}],
        (Names = crashes(Subject, [Outcome], Facts)) =/= []].

%% An endless loop in Lua that others felt.
-define(FELT_NS, 5000000).

stalls(Subject, Facts) ->
    case tripod_report_facts:fault(<<"lua_loop">>, Subject, tripod_report_facts:faults(crash, Facts)) of
        {ok, #{pause_ns := Pause, idle_pause_ns := Idle}}
          when is_number(Pause), Pause > ?FELT_NS, Idle =:= nil orelse Pause > 2 * Idle ->
            [["an endless loop in Lua kept others waiting for ", plain(duration(Pause)),
              [[" (", plain(duration(Idle)), " on the idle VM)"] || Idle =/= nil]]];
        _ ->
            []
    end.

%% The alternative without any C.
rivals(Facts) ->
    Programs = [{Scenario, Case} || Scenario <- [<<"script">>, <<"compute">>, <<"alloc">>],
                                    Case <- tripod_report_facts:cases(Scenario, Facts)],
    Ratios = [{tripod_report_programs:title(Case), Ratio}
              || {_, Case} = One <- Programs,
                 {#{strategy := <<"luerl">>}, Ratio} <- tripod_report_programs:ratios(One, Facts)],
    [Block || Ratios =/= [],
              Block <- [{paragraph, [{strong, "luerl"}, ", Lua in pure Erlang"]},
                        {items, [["When having no C at all is worth the time: ",
                                  sentence_list([[Title, " takes ", tripod_report_text:times(Ratio)]
                                                 || {Title, Ratio} <- Ratios]),
                                  " as long as in the stock library."]]}]].
