%% SPDX-License-Identifier: Apache-2.0
%% What is left of the rounds of a case: summary lines, the table, and whether the rounds agree well
%% enough to be believed.
-module(tripod_bench_summary).

-export([write/4, check/3]).
-export_type([variations/0]).

%% How much the medians of each subject's rounds vary.
-type variations() :: [{tripod_results:line(), float()}].

%% More makes a result doubtful.
-define(VARIATION, 0.1).

%% For each of the subjects that was measured.
-spec write(tripod_scenario:run(), tripod_bench_lines:context(), [tripod_bench_task:subject()],
            tripod_bench_lines:rounds()) -> variations().
write(#{results := Results, progress := Progress, table := Table}, Context, Subjects, Rounds) ->
    Measured = [Subject || Subject <- Subjects, is_map_key(Subject, Rounds)],
    Lines = [tripod_bench_lines:summary(Context, Rounds, Subject) || Subject <- Measured],
    ok = lists:foreach(fun(Line) -> tripod_results:write(Results, Line) end, Lines),
    ok = case Table of
             true ->
                 ok = tripod_progress:finish(Progress),
                 tripod_bench_table:print(Lines);
             false ->
                 ok
         end,
    [{Line, tripod_bench_lines:variation(maps:get(Subject, Rounds))}
     || {Subject, Line} <- lists:zip(Measured, Lines)].

%% Says which medians are not to be trusted.
-spec check(module(), tripod_scenario:run(), variations()) -> ok.
check(_, _, []) ->
    ok;
check(Scenario, #{results := Results}, Variations) ->
    Noisy = [One || {_, Variation} = One <- lists:reverse(lists:keysort(2, Variations)),
                    Variation > ?VARIATION],
    Check = #{name => rounds_agree, scenario => Scenario:name(), ok => Noisy =:= []},
    tripod_results:check(Results, maps:merge(Check, said(Noisy, length(Variations)))).

said([], _) ->
    #{severity => note, detail => "Every median varies by less than 10 % between rounds."};
said(Noisy, All) ->
    Worst = [text(One) || One <- lists:sublist(Noisy, 4)],
    #{severity => doubt,
      detail => [integer_to_list(length(Noisy)), " of ", integer_to_list(All),
                 " medians vary by more than 10 % between rounds, most of all ",
                 lists:join("; ", Worst), "."],
      advice => "Differences of that order mean nothing. Measure on a quiet machine, or without "
                "--quick."}.

text({#{strategy := Strategy, mode := Mode, params := Params}, Variation}) ->
    io_lib:format("~s/~s (~ts) ~b %", [Strategy, Mode, tripod_bench_table:title(Params),
                                       round(100 * Variation)]).
