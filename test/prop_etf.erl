%% SPDX-License-Identifier: Apache-2.0
%% core/etf_read.c and etf_write.c against the VM's own term_to_binary and binary_to_term, through
%% test/c/etf_pipe.c.
-module(prop_etf).

-export([prop_crosses/0, prop_crosses_in_every_encoding/0, prop_aliens_are_refused/0,
         prop_cut_is_corrupt/0]).

-include("prop.hrl").

-define(TYPE, 4). % -TERM_E_TYPE, core/term.h
-define(CORRUPT, 5).
-define(TIMEOUT_MS, 30000).

-spec prop_crosses() -> proper:test().
prop_crosses() ->
    ?FORALL(Term, gen_term:value(), same(Term, copy(term_to_binary(Term)))).

-spec prop_crosses_in_every_encoding() -> proper:test().
prop_crosses_in_every_encoding() ->
    ?FORALL({Term, Options}, {gen_term:value(), encoding()},
            same(Term, copy(term_to_binary(Term, Options)))).

-spec prop_aliens_are_refused() -> proper:test().
prop_aliens_are_refused() ->
    ?FORALL({Term, Options}, {gen_term:holding(gen_term:alien()), encoding()},
            refused(?TYPE, copy(term_to_binary(Term, Options)))).

-spec prop_cut_is_corrupt() -> proper:test().
prop_cut_is_corrupt() ->
    ?FORALL({Whole, Cut},
            ?LET({Term, Options}, {gen_term:value(), encoding()},
                 begin
                     Bytes = term_to_binary(Term, Options),
                     {exactly(Bytes), integer(0, byte_size(Bytes) - 1)}
                 end),
            refused(?CORRUPT, copy(binary:part(Whole, 0, Cut)))).

encoding() ->
    oneof([exactly(Options) || Options <- [[], [{minor_version, 1}], [{minor_version, 2}],
                                           [deterministic]]]).

%% 0.0 =:= -0.0 before OTP 27; their encodings differ in every release.
same(Term, <<131, _/binary>> = Copy) ->
    case binary_to_term(Copy, [safe]) of
        Back when Back =:= Term ->
            term_to_binary(Back, [deterministic]) =:= term_to_binary(Term, [deterministic])
                orelse error({encoded_as, Copy});
        Back ->
            error({came_back_as, Back})
    end;
same(_, Refusal) ->
    error({refused, Refusal}).

refused(Code, <<Code>>) -> true;
refused(_, Copy) -> error({answered, Copy}).

copy(Bytes) ->
    Pipe = pipe(),
    true = port_command(Pipe, Bytes),
    receive
        {Pipe, {data, Copy}} -> Copy;
        {Pipe, {exit_status, Status}} -> error({etf_pipe_left, Status})
    after ?TIMEOUT_MS -> error(etf_pipe_is_silent)
    end.

%% One for each process that runs a property, because a port answers whoever opened it; it ends with
%% that process.
pipe() ->
    case get(etf_pipe) of
        undefined ->
            Pipe = open_port({spawn_executable, program()}, [{packet, 4}, binary, exit_status]),
            undefined = put(etf_pipe, Pipe),
            Pipe;
        Pipe ->
            Pipe
    end.

%% Of the build that TRIPOD_TEST_MODE names.
program() ->
    Build = filename:join([filename:dirname(code:which(?MODULE)), "..", ".."]),
    filename:join([Build, os:getenv("TRIPOD_TEST_MODE", "release"), "test", "c", "etf_pipe"]).
