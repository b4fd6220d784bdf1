%% SPDX-License-Identifier: Apache-2.0
%% Implementations that give different replies are not compared. Looks at what each subject replied
%% to the same task and says who may be measured.
-module(tripod_bench_agree).

-export([check/2]).

-type subject() :: tripod_bench_task:subject().
-type opened() :: tripod_bench_worker:opened().

%% `refused`: the boxes disagree, nobody is measured. Otherwise who takes part, and what else is
%% worth a check.
-spec check(tripod_scenario:scenario_case(), [{subject(), opened()}]) ->
          {ok, [subject()], [tripod_results:check()]} | {refused, tripod_results:check()}.
check(Case, Opened) ->
    Boxes = [{Subject, Reply} || {{box, _, _} = Subject, Reply} <- Opened],
    case disagreement(Case, Boxes) of
        none -> {ok, Taking, Checks} = others(Opened, Boxes),
                {ok, Taking, agreed(Boxes) ++ Checks};
        Text -> {refused, #{name => agreement, ok => false, severity => failure, detail => Text,
                            advice => "Nothing was measured: a faster wrong answer is no result. A "
                                      "script whose result depends on time, chance or addresses "
                                      "cannot be compared."}}
    end.

disagreement(#{expected := Expected}, Boxes) ->
    Fingerprint = tripod_bench_worker:fingerprint(Expected),
    case [Box || {_, #{strict := Strict}} = Box <- Boxes, Strict =/= Fingerprint] of
        [] -> none;
        Wrong -> ["expected ", io_lib:format("~0tP", [Expected, 16]), "; " | replies(Wrong)]
    end;
disagreement(_, Boxes) ->
    case lists:usort([Strict || {_, #{strict := Strict}} <- Boxes]) of
        [_, _ | _] -> replies(Boxes);
        _ -> none
    end.

replies(Boxes) ->
    lists:join("; ", [[name(Subject), " replies ", Text] || {Subject, #{text := Text}} <- Boxes]).

agreed([]) -> [];
agreed(Boxes) ->
    [#{name => agreement, ok => true, severity => note,
       detail => ["Same reply from ", lists:join(", ", [name(Subject) || {Subject, _} <- Boxes])]}].

%% Floors and rivals are measured only at the boxes' own work; they may not tell 1 from 1.0.
others(Opened, Boxes) ->
    Wanted = case Boxes of
                 [{_, #{loose := Loose}} | _] -> Loose;
                 [] -> any
             end,
    lists:foldr(fun({Subject, Reply}, {ok, Taking, Checks}) ->
                        case differs(Reply, Wanted) of
                            false -> {ok, [Subject | Taking], Checks};
                            true -> {ok, Taking, [odd(Subject, Reply) | Checks]}
                        end
                end, {ok, [], []}, Opened).

differs(unknown, _) -> false;
differs(_, any) -> false;
differs(#{loose := Loose}, Wanted) -> Loose =/= Wanted.

odd(Subject, #{text := Text}) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    #{name => unsupported, ok => false, severity => note, strategy => Strategy, mode => Mode,
      detail => ["It replies ", Text, " where the boxes reply otherwise, so it was not measured."]}.

name(Subject) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    [atom_to_list(Strategy), $/, atom_to_list(Mode)].
