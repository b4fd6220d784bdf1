%% SPDX-License-Identifier: Apache-2.0
%% `make soak`: owners that are killed in every phase, thousands of times, and thousands at once, in
%% every mode of every strategy. A line for each on standard output, progress on standard error.
%%
%%   erl ... -run owner_soak main TIMES MINUTES GROUP PHASE
%%
%% GROUP and PHASE may be "all". Ends at the first failure, with exit status 1.
-module(owner_soak).

-export([main/1]).

%% What a killing is thought to take, before the first has been seen.
-define(GUESS_MS, 2).
-define(PROGRAM_GUESS_MS, 6).
-define(CROWD, 10000).
-define(CROWD_MS, 30000).

-type trial() :: {Group :: atom(), owner_phases:phase() | crowd}.

-spec main([string()]) -> no_return().
main([Times, Minutes, Group, Phase]) ->
    {ok, _} = application:ensure_all_started(tripod),
    Until = now_ms() + list_to_integer(Minutes) * 60000,
    Trials = trials(Group, Phase),
    Guesses = [guess(Trial, list_to_integer(Times)) || Trial <- Trials],
    Progress = tripod_progress:start(max(1, lists:sum(Guesses))),
    Few = run(lists:zip(Trials, Guesses), list_to_integer(Times), Until, Progress),
    ok = tripod_progress:finish(Progress),
    halt(case {Trials, Few} of
             {[], _} -> io:format("no such group or phase~n"), 2;
             {_, 0} -> io:format("~b phases: nothing was left, and all were met~n", [length(Trials)]), 0;
             {_, _} -> io:format("~b phases had too little time~n", [Few]), 1
         end).

-spec trials(string(), string()) -> [trial()].
trials(Group, Phase) ->
    [{G, P} || G <- contract:groups(), is_chosen(Group, G), P <- owner_phases:all() ++ [crowd],
               is_chosen(Phase, P), owner_phases:exists(P, mode(G))].

is_chosen("all", _) -> true;
is_chosen(Name, Chosen) -> Name =:= atom_to_list(Chosen).

mode(Group) -> proplists:get_value(mode, contract:options(Group)).

guess({Group, crowd}, _) -> min(?CROWD_MS, ?CROWD * guess(Group) div 2);
guess({Group, _}, Times) -> Times * guess(Group).

guess(Group) ->
    case contract:strategy(contract:options(Group)) of
        port_program -> ?PROGRAM_GUESS_MS;
        _ -> ?GUESS_MS
    end.

%% How many had to be cut short. What a trial leaves of its time is for those after it.
run([], _, _, _) ->
    0;
run([{{Group, Phase}, Guess} | Trials], Times, Until, Progress) ->
    Weight = Guess / lists:sum([Guess | [G || {_, G} <- Trials]]),
    Own = now_ms() + round((Until - now_ms()) * Weight),
    Began = now_ms(),
    {Enough, Text} = trial(Group, Phase, Times, Own, Guess, Progress),
    ok = tripod_progress:finish(Progress),
    io:format("~-21s ~-22s ~ts ~b s~n", [Group, Phase, Text, (now_ms() - Began + 500) div 1000]),
    (case Enough of true -> 0; false -> 1 end) + run(Trials, Times, Until, Progress).

%% In a process of its own, so that all it has begun ends with it.
trial(Group, Phase, Times, Until, Guess, Progress) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        exit({tried, kill(Group, Phase, Times, Until, Guess, Progress)})
    end),
    receive
        {'DOWN', Monitor, process, Pid, {tried, Line}} ->
            Line;
        {'DOWN', Monitor, process, Pid, Why} ->
            ok = tripod_progress:finish(Progress),
            io:format("~s ~s failed~n~tp~n", [Group, Phase, Why]),
            halt(1)
    end.

kill(Group, crowd, _, _, Guess, Progress) ->
    Config = contract:options(Group),
    {Number, Why} = owner_crowd:bearable(contract:strategy(Config), ?CROWD),
    ok = tripod_progress:step(Progress, label(Group, crowd), Guess),
    case owner_crowd:die(Config, Number, ?CROWD_MS) of
        Number -> {true, io_lib:format("~5b at once: ~ts,", [Number, Why])};
        Fewer -> {true, io_lib:format("~5b at once: time to open them,", [Fewer])}
    end;
kill(Group, Phase, Times, Until, Guess, Progress) ->
    Tenth = max(1, Times div 10),
    Done = fun(Killed) when Killed > 0, Killed =< Times, Killed rem Tenth =:= 0 ->
                   tripod_progress:step(Progress, label(Group, Phase), Guess div 10);
              (_) ->
                   ok
           end,
    Places = owner_trial:run(contract:options(Group), Phase,
                             #{times => Times, until => Until, done => Done}),
    Killed = lists:sum(maps:values(Places)),
    Short = case Killed < Times of true -> ", cut short after"; false -> "," end,
    {owner_trial:share(Places) =:= enough,
     io_lib:format("~5b ~ts~s", [Killed, places(Places), Short])}.

label(Group, Phase) -> io_lib:format("~s ~s", [Group, Phase]).

places(Places) ->
    lists:join(", ", [io_lib:format("~s ~b", [Place, Times])
                      || {Place, Times} <- lists:keysort(2, maps:to_list(Places))]).

now_ms() -> erlang:monotonic_time(millisecond).
