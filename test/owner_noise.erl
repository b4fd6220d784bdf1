%% SPDX-License-Identifier: Apache-2.0
%% Processes that compete with owners for their scheduler, so that an owner which is scheduled out in
%% the middle of what it does stays out for a while; and how an owner gets scheduled out just there.
-module(owner_noise).

-export([start/1, stop/1, turns/1, hesitate/1, narrow/0]).
-export_type([noise/0]).

-opaque noise() :: [pid()].

-define(PROCESSES, 3).
%% A process may use so many reductions before another has its turn (CONTEXT_REDS in erts).
-define(REDUCTIONS, 4000).
%% The most that a command takes, give or take.
-define(COMMAND_REDUCTIONS, 300).

%% On the scheduler where contract:owner/2 puts owners. Ends with the caller too. Each is busy so many
%% times and then has a pause.
-spec start(Busy :: pos_integer()) -> noise().
start(Busy) ->
    Self = self(),
    [spawn_opt(fun() -> noise(monitor(process, Self), Busy) end,
               [contract:scheduler(last)])
     || _ <- lists:seq(1, ?PROCESSES)].

-spec stop(noise()) -> ok.
stop(Noise) ->
    lists:foreach(fun(Pid) ->
        Monitor = monitor(process, Pid),
        true = exit(Pid, kill),
        receive {'DOWN', Monitor, process, Pid, _} -> ok end
    end, Noise).

noise(Case, Busy) ->
    hesitate(?REDUCTIONS),
    receive
        {'DOWN', Case, process, _, _} -> ok
    after rand:uniform(Busy) div Busy ->
        true = erlang:yield(),
        noise(Case, Busy)
    end.

%% Time passes, and reductions.
-spec turns(non_neg_integer()) -> ok.
turns(0) -> ok;
turns(N) -> turns(N - 1).

-spec hesitate(pos_integer()) -> ok.
hesitate(Most) -> turns(rand:uniform(Most)).

%% The caller is scheduled out a few reductions from now, which is in the middle of what it does next;
%% or, one time in four, is not.
-spec narrow() -> ok.
narrow() -> narrow(rand:uniform(4)).

narrow(1) ->
    ok;
narrow(_) ->
    %% The shorter a command, the fewer there are that end in the middle of it.
    Left = 1 + trunc(math:exp(math:pow(rand:uniform(), 2) * math:log(?COMMAND_REDUCTIONS))),
    true = erlang:yield(),
    true = erlang:bump_reductions(?REDUCTIONS - Left),
    ok.
