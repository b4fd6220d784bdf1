%% SPDX-License-Identifier: Apache-2.0
%% The application: one supervisor over whatever permanent processes the rooms need.
-module(tripod_app).
-behaviour(application).
-behaviour(supervisor).

-export([ensure_started/0]).
-export([start/2, stop/1]).
-export([init/1]).

%% So that tripod:open/2 works in a plain `erl -pa ebin` too. Releases list tripod among their
%% applications and never come past the first clause.
-spec ensure_started() -> ok | {error, term()}.
ensure_started() ->
    case whereis(tripod_sup) of
        undefined ->
            case application:ensure_all_started(tripod) of
                {ok, _} -> ok;
                {error, _} = Error -> Error
            end;
        _ ->
            ok
    end.

-spec start(application:start_type(), term()) -> {ok, pid()} | {error, term()}.
start(_Type, _Args) ->
    case supervisor:start_link({local, tripod_sup}, ?MODULE, []) of
        {ok, Pid} -> {ok, Pid};
        ignore -> {error, ignore};
        {error, _} = Error -> Error
    end.

-spec stop(term()) -> ok.
stop(_State) ->
    lists:foreach(fun(Strategy) ->
                          Room = tripod_strategy:room(Strategy),
                          erlang:function_exported(Room, stopped, 0) andalso Room:stopped()
                  end, tripod_strategy:all()).

-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    Children = [Child || Strategy <- tripod_strategy:all(),
                         Child <- (tripod_strategy:room(Strategy)):children()],
    {ok, {#{strategy => one_for_one, intensity => 5, period => 10}, Children}}.
