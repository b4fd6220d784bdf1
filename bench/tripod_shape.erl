%% SPDX-License-Identifier: Apache-2.0
%% Payloads by description, so that a few bytes name a large term. bench/floors/shapes.h makes the
%% same ones in C.
-module(tripod_shape).

-export([term/1, text/1]).
-export_type([shape/0]).

-type shape() :: {binary, Bytes :: pos_integer()}
               | {list, Length :: pos_integer()}
               | {map, Keys :: pos_integer()}
               | {nested, Depth :: non_neg_integer()}.

-spec term(shape()) -> term().
term({binary, Bytes}) ->
    binary:copy(<<"0123456789abcdef">>, Bytes div 16);
term({list, Length}) ->
    lists:seq(1, Length);
term({map, Keys}) ->
    maps:from_list([{<<"key", (integer_to_binary(I))/binary>>, I} || I <- lists:seq(1, Keys)]);
term({nested, 0}) ->
    node(0, []);
term({nested, Depth}) ->
    node(Depth, [term({nested, Depth - 1}), term({nested, Depth - 1})]).

node(Id, Children) ->
    #{<<"id">> => Id, <<"name">> => <<"node">>, <<"children">> => Children}.

%% For people and for params: "binary 1 MiB", "map 1000".
-spec text(shape()) -> binary().
text({binary, Bytes}) when Bytes rem (1024 * 1024) =:= 0 ->
    <<"binary ", (integer_to_binary(Bytes div (1024 * 1024)))/binary, " MiB">>;
text({binary, Bytes}) when Bytes rem 1024 =:= 0 ->
    <<"binary ", (integer_to_binary(Bytes div 1024))/binary, " KiB">>;
text({binary, Bytes}) ->
    <<"binary ", (integer_to_binary(Bytes))/binary, " B">>;
text({Kind, N}) ->
    <<(atom_to_binary(Kind))/binary, " ", (integer_to_binary(N))/binary>>.
