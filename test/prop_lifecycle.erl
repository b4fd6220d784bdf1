%% SPDX-License-Identifier: Apache-2.0
%% Any sequence of commands, and any two at once, leave nothing behind, on every strategy and mode.
%% lifecycle_model says what each command must answer in a sequence, lifecycle_races what it may
%% answer in a race.
-module(prop_lifecycle).

-export([prop_one_after_another/0, prop_at_once/0]).

-include("prop.hrl").

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

on_all(How, Run) -> lists:all(fun(Group) -> on(Group, How, Run) end, contract:groups()).

on(Group, How, Run) ->
    ok = lifecycle_world:start(Group),
    Result = try Run() catch error:Why:Stack -> {Why, Stack} end,
    case {Result, lifecycle_world:finish(How)} of
        {true, ok} -> true;
        Wrong -> error({Group, Wrong})
    end.
