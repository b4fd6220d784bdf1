%% SPDX-License-Identifier: Apache-2.0
%% bench/floors/echo.c from Erlang: a port program that does nothing but answer.
-module(tripod_floor_echo).

-export([open/1, call/2, close/1]).

-spec open(Packet :: 2 | 4) -> port().
open(Packet) ->
    open_port({spawn_executable, tripod_strategy:artefact("tripod_floor_echo")},
              [{packet, Packet}, {args, [integer_to_list(Packet)]}, binary, exit_status]).

%% The term to the program and back.
-spec call(port(), term()) -> term().
call(Port, Term) ->
    true = port_command(Port, term_to_binary(Term)),
    receive
        {Port, {data, Data}} -> binary_to_term(Data);
        {Port, {exit_status, Status}} -> exit({floor_echo, Status})
    end.

-spec close(port()) -> ok.
close(Port) ->
    true = port_close(Port),
    ok.
