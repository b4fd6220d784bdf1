%% SPDX-License-Identifier: Apache-2.0
%% bench/floors/driver.c from Erlang. The port belongs to the process that opened it.
-module(tripod_floor_driver).

-export([open/1, control/1, command/2, close/1]).
-export_type([answer/0]).

%% How commands are answered: with `ok`, with `ok` by way of the async pool, with a copy of the
%% command's bytes, or with a payload built in the driver.
-type answer() :: reply | async | copy | {build, tripod_shape:shape()}.

-spec open(answer()) -> {ok, port()} | {error, term()}.
open(Answer) ->
    Directory = filename:dirname(tripod_strategy:artefact("tripod_floor_driver.so")),
    case erl_ddll:load(Directory, "tripod_floor_driver") of
        ok -> {ok, answer(open_port({spawn_driver, "tripod_floor_driver"}, [binary]), Answer)};
        {error, Why} -> {error, {artefact, "tripod_floor_driver.so", erl_ddll:format_error(Why)}}
    end.

answer(Port, Answer) ->
    {Command, Argument} = encode(Answer),
    _ = port_control(Port, Command, Argument),
    Port.

encode(reply) -> {1, <<>>};
encode(copy) -> {2, <<>>};
encode(async) -> {3, <<>>};
encode({build, {Kind, N}}) -> {4, <<(kind(Kind)):32, N:32>>}.

kind(list) -> 0;
kind(map) -> 1;
kind(nested) -> 2.

%% A control call that does nothing.
-spec control(port()) -> [].
control(Port) -> port_control(Port, 0, <<>>).

%% A command and its reply.
-spec command(port(), iodata()) -> term().
command(Port, Data) ->
    true = port_command(Port, Data),
    receive {Port, Reply} -> Reply end.

-spec close(port()) -> ok.
close(Port) ->
    true = port_close(Port),
    ok.
