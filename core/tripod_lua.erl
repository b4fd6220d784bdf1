%% SPDX-License-Identifier: Apache-2.0
%% The Lua service's verbs. Each is one request to a box opened with `service => lua` (the default)
%% and returns what tripod:call/2 returns: {ok, Results} or {error, Reason}. How values cross is in
%% docs/contract.md.
-module(tripod_lua).

-export([eval/2, eval/3, load/3, call/3, compile/2, run/3, set/3, get/2, reset/1]).
-export_type([chunk/0, results/0]).

-type chunk() :: pos_integer().
-type results() :: {ok, [term()]} | {error, tripod_strategy:reason()}.

%% Runs Source as a chunk whose `...` are the arguments.
-spec eval(tripod:box(), unicode:chardata()) -> results().
eval(Box, Source) -> eval(Box, Source, []).

-spec eval(tripod:box(), unicode:chardata(), [term()]) -> results().
eval(Box, Source, Args) -> tripod:call(Box, {eval, text(Source), Args}).

%% Runs Source as a chunk called Name, usually to define functions. Errors say Name and line.
-spec load(tripod:box(), unicode:chardata(), unicode:chardata()) -> results().
load(Box, Name, Source) -> tripod:call(Box, {load, text(Name), text(Source)}).

%% Calls a global function, or one inside tables: <<"account.limits.check">>. The path is looked up
%% without metamethods.
-spec call(tripod:box(), unicode:chardata(), [term()]) -> results().
call(Box, Name, Args) -> tripod:call(Box, {call, text(Name), Args}).

%% Compiles once, to be run many times in this box. A chunk is gone after reset/1.
-spec compile(tripod:box(), unicode:chardata()) ->
          {ok, chunk()} | {error, tripod_strategy:reason()}.
compile(Box, Source) ->
    case tripod:call(Box, {compile, text(Source)}) of
        {ok, [Chunk]} -> {ok, Chunk};
        {error, _} = Error -> Error
    end.

-spec run(tripod:box(), chunk(), [term()]) -> results().
run(Box, Chunk, Args) -> tripod:call(Box, {run, Chunk, Args}).

%% Assigns a global, or a field of a table that exists.
-spec set(tripod:box(), unicode:chardata(), term()) -> results().
set(Box, Name, Value) -> tripod:call(Box, {set, text(Name), Value}).

-spec get(tripod:box(), unicode:chardata()) -> results().
get(Box, Name) -> tripod:call(Box, {get, text(Name)}).

%% A fresh state, as after open.
-spec reset(tripod:box()) -> results().
reset(Box) -> tripod:call(Box, reset).

%% Binaries pass untouched: Lua strings are bytes, not necessarily UTF-8.
text(Binary) when is_binary(Binary) -> Binary;
text(Chardata) -> unicode:characters_to_binary(Chardata).
