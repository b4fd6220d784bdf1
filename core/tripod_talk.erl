%% SPDX-License-Identifier: Apache-2.0
%% Boxes that talk to their owner in the middle of a call: what they print, and the owner's functions
%% that they call. All of it arrives as replies, in the process that owns the box and waits for one.
-module(tripod_talk).

-export([open/1, wire/1, functions/1, interrupt/1, converse/4]).
-export_type([talk/0]).

-type functions() :: #{binary() => fun(([term()]) -> [term()])}.
%% The owner's functions, and what the owner is doing: in none of them, in one, in one while somebody
%% interrupted the call.
-opaque talk() :: {functions(), atomics:atomics_ref()}.
-type room_call() :: fun((Request :: term()) -> tripod_strategy:reply()).

-define(NOT_ASKED, 0).
-define(ASKED, 1).
-define(INTERRUPTED, 2).

%% For a box with these options; `quiet` when it never talks.
-spec open(map()) -> talk() | quiet.
open(#{functions := Functions}) ->
    new(maps:from_list([{name(Name), Function} || {Name, Function} <- maps:to_list(Functions)]));
open(#{print := owner}) -> new(#{});
open(#{}) -> quiet.

new(Functions) -> {Functions, atomics:new(1, [])}.

-spec functions(talk()) -> functions().
functions({Functions, _}) -> Functions.

%% Between a question and its answer no call runs in C that could be interrupted. False: no question
%% is open.
-spec interrupt(talk()) -> boolean().
interrupt({_, State}) ->
    try
        atomics:compare_exchange(State, 1, ?ASKED, ?INTERRUPTED) =/= ?NOT_ASKED
    catch
        error:badarg -> false
    end.

%% The word lives as long as somebody holds the reference to it. A handle that is at another node, or
%% that was nothing but bytes for a while, does not hold it.
exchange(State, Value) ->
    try
        atomics:exchange(State, 1, Value)
    catch
        error:badarg -> Value
    end.

%% The service's options as they travel: of functions, their names.
-spec wire(map()) -> map().
wire(#{functions := Functions} = Options) ->
    Options#{functions := [name(Name) || Name <- maps:keys(Functions)]};
wire(Options) ->
    Options.

name(Name) when is_atom(Name) -> atom_to_binary(Name);
name(Name) when is_binary(Name) -> Name.

%% Answers until the call is over. The box's owner gets {tripod_print, Box, Text} for each text.
-spec converse(tripod:box(), talk(), room_call(), tripod_strategy:reply()) -> tripod_strategy:reply().
converse(Box, Talk, Call, {printed, Texts, Reply}) ->
    lists:foreach(fun(Text) -> self() ! {tripod_print, Box, Text} end, Texts),
    converse(Box, Talk, Call, Reply);
converse(Box, {Functions, State} = Talk, Call, {ask, Name, Args}) ->
    _ = exchange(State, ?ASKED),
    Answer = answer(Functions, State, Call, Name, Args),
    converse(Box, Talk, Call, Call(unless_interrupted(State, Answer)));
converse(_Box, _Talk, _Call, Reply) ->
    Reply.

unless_interrupted(State, Answer) ->
    case exchange(State, ?NOT_ASKED) of
        ?INTERRUPTED -> {answer, interrupted, []};
        _ -> Answer
    end.

%% Errors and throws become errors of the script. An exit means the owner, not the script: the call
%% ends before the process goes on to end, or not.
answer(Functions, State, Call, Name, Args) ->
    try (maps:get(Name, Functions))(Args) of
        Results when is_list(Results) -> {answer, true, Results};
        _ -> {answer, false, [<<Name/binary, ": the owner's function returned no list of results">>]}
    catch
        throw:Value ->
            {answer, false, [Value]};
        error:Reason ->
            {answer, false, [unicode:characters_to_binary(io_lib:format("~ts: ~0tp", [Name, Reason]))]};
        exit:Reason:Stacktrace ->
            _ = exchange(State, ?NOT_ASKED),
            _ = Call({answer, interrupted, []}),
            erlang:raise(exit, Reason, Stacktrace)
    end.
