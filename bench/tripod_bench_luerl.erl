%% SPDX-License-Identifier: Apache-2.0
%% The do-nothing alternative: luerl, Lua in pure Erlang, in the calling process. It speaks an older
%% Lua and lacks some of its libraries, so that it may be unable to do a task; that is an answer.
-module(tripod_bench_luerl).

-export([open/1]).

-dialyzer({nowarn_function, [state/1, call/3]}). % releases answer differently

%% Luerl's own errors, in opening or in running, are of many shapes; whichever it is, the task
%% cannot be done. tripod_bench_worker takes them so.
-spec open(tripod_bench_task:task()) ->
          {ok, tripod_bench_task:work()} | {unsupported, unicode:chardata()}.
open({script, _, chunk, _}) ->
    {unsupported, "only scripts that define main"};
open({echo, _}) ->
    {unsupported, "luerl has no echo service"};
open(Task) ->
    case code:ensure_loaded(luerl) of
        {module, luerl} -> {ok, #{once => once(Task), close => fun() -> ok end}};
        {error, _} -> {unsupported, "luerl is not installed"}
    end.

once({lua, Source, Function, Args}) ->
    calling(state(Source), Function, [tripod_bench_task:value(Arg) || Arg <- Args]);
once({script, File, main, Args}) ->
    calling(state(tripod_bench_task:source(File)), <<"main">>, Args);
once({open_close, 0}) ->
    fun() -> _ = luerl:init(), ok end;
once({open_close, 1}) ->
    fun() -> _ = state(<<"return 1">>), ok end.

%% Every call starts from the state after loading: states are values, and the garbage collector
%% takes what a call made of it, so that calls do not slow down as the state grows.
calling(State, Function, Args) ->
    fun() -> call(State, Function, Args) end.

state(Source) ->
    case luerl:do(Source, luerl:init()) of
        {ok, _, State} -> State;
        {error, Why, _} -> error(Why);
        {_, State} -> State
    end.

call(State, Function, Args) ->
    case luerl:call_function([Function], Args, State) of
        {ok, Results, _} -> [value(Result) || Result <- Results];
        {Results, _} when is_list(Results) -> [value(Result) || Result <- Results]
    end.

%% Tables arrive as lists of pairs.
value([{_, _} | _] = Pairs) ->
    Values = lists:sort([{Key, value(Value)} || {Key, Value} <- Pairs]),
    case [Key || {Key, _} <- Values] == lists:seq(1, length(Values)) of
        true -> [Value || {_, Value} <- Values];
        false -> maps:from_list(Values)
    end;
value(Value) ->
    Value.
