%% SPDX-License-Identifier: Apache-2.0
%% Any sequence of commands, and any at once, leave nothing behind, on every strategy and mode.
%% lifecycle_model says what each command must answer in a sequence, lifecycle_order what it must when
%% there is some sequence that explains all answers, lifecycle_races what it may answer at all, also when
%% numbers change their meaning meanwhile.
-module(prop_lifecycle).

-export([prop_one_after_another/0, prop_at_once/0, prop_as_if_one_after_another/0]).

-include("prop.hrl").

-define(TRIES, 20).

-spec prop_one_after_another() -> proper:test().
prop_one_after_another() ->
    ?FORALL({Commands, How}, {proper_statem:commands(lifecycle_model), oneof([close, kill])},
            on_all(How, fun() ->
                {History, _, Result} = proper_statem:run_commands(lifecycle_model, Commands),
                Result =:= ok orelse {Result, answers(History)}
            end)).

%% The answers of each command, the last of which was wrong.
answers(History) -> [Answer || {_, Answer} <- History].

%% Two processes take turns in taking the commands, and then each runs its own as fast as it can.
-spec prop_at_once() -> proper:test().
prop_at_once() ->
    ?FORALL({Commands, How},
            {resize(12, proper_statem:commands(lifecycle_races)), oneof([close, kill])},
            on_all(How, fun() ->
                ok = lifecycle_world:open(1, 1),
                ok = lifecycle_world:open(2, 2),
                {[], AtOnce, Result} =
                    proper_statem:run_parallel_commands(lifecycle_races, {[], dealt(Commands)}),
                Result =:= ok orelse {Result, AtOnce}
            end)).

dealt(Commands) -> dealt(Commands, [], []).

dealt([], Ours, Theirs) -> [lists:reverse(Ours), lists:reverse(Theirs)];
dealt([Command | Commands], Ours, Theirs) -> dealt(Commands, Theirs, [Command | Ours]).

%% Three processes at once, each with commands of its own, after some that were done before.
-spec prop_as_if_one_after_another() -> proper:test().
prop_as_if_one_after_another() ->
    ?FORALL({Before, AtOnce, How},
            {lifecycle_parallel:before(), lifecycle_parallel:at_once(), oneof([close, kill])},
            on_all(How, fun() ->
                Events = lifecycle_parallel:run(Before, AtOnce),
                case lifecycle_order:find(Events) of
                    {ok, _} -> true;
                    none -> {no_order, lifecycle_parallel:story(Events)}
                end
            end)).

%% What failed by chance is tried often while PropEr makes it smaller, and only where it failed.
on_all(How, Run) ->
    {Groups, Times} = case get(failed) of
                          undefined -> {contract:groups(), 1};
                          Failed -> {[Failed], ?TRIES}
                      end,
    lists:all(fun(Group) -> on(Group, How, Run) end, lists:append(lists:duplicate(Times, Groups))).

on(Group, How, Run) ->
    ok = lifecycle_world:start(Group),
    Result = try Run() catch error:Why:Stack -> {Why, Stack} end,
    case {Result, lifecycle_world:finish(How)} of
        {true, ok} ->
            true;
        Wrong ->
            _ = put(failed, Group),
            error({Group, Wrong})
    end.
