%% SPDX-License-Identifier: Apache-2.0
%% PropEr generators of terms, as docs/contract.md divides them: those that cross unchanged in
%% external term format, and those that no strategy lets through. For every suite; knows no strategy.
%%
%%   value()      any value that crosses: integers of 64 bits, floats, atoms, binaries, lists,
%%                tuples, maps. Crosses as the same term through anything that keeps Erlang types.
%%   plain()      what a service with fewer types gives back unchanged: no atoms but true and
%%                false, no tuples, no nil, maps keyed by binaries and never empty or a sequence.
%%   alien()      a value that cannot cross at all.
%%   holding(G)   a value with one element of G somewhere inside.
-module(gen_term).

-export([value/0, value/1, plain/0, alien/0, holding/1]).
-export([int64/0, finite/0, name/0, bytes/0]).

-include("prop.hrl").
-import(proper_types, [binary/1, bitstring/0, byte/0, loose_tuple/1, non_empty/1]).

-define(MIN, -16#8000000000000000).
-define(MAX, 16#7fffffffffffffff).

-spec value() -> proper_types:type().
value() -> ?SIZED(Size, value(min(Size, 40))).

%% Grows with Size in breadth and depth, each level a third of the one around it: hundreds of
%% elements at 40.
-spec value(non_neg_integer()) -> proper_types:type().
value(0) -> scalar();
value(Size) ->
    Inner = Size div 3,
    frequency([{3, scalar()},
               {1, ?LAZY(string())},
               {2, ?LAZY(resize(Inner, list(value(Inner))))},
               {2, ?LAZY(resize(Inner, loose_tuple(value(Inner))))},
               {2, ?LAZY(resize(Inner, map_of(value(Inner), value(Inner))))},
               {1, ?LAZY(wide(oneof([int64(), finite(), {}, []])))},
               {1, ?LAZY(deep(value(Inner)))}]).

scalar() ->
    frequency([{4, int64()}, {2, finite()}, {3, name()}, {3, bytes()}, {1, []}, {1, {}}, {1, #{}}]).

%% Integers, with the edges of every width that external term format has.
-spec int64() -> proper_types:type().
int64() ->
    Edges = [Sign * (1 bsl Bits) + Off || Bits <- [0, 7, 8, 15, 16, 27, 31, 32, 39, 40, 47, 52, 53,
                                                   55, 59, 62, 63],
                                          Sign <- [1, -1], Off <- [-1, 0, 1]],
    frequency([{2, integer()},
               {3, oneof([N || N <- Edges, N >= ?MIN, N =< ?MAX])},
               {2, integer(?MIN, ?MAX)}]).

-spec finite() -> proper_types:type().
finite() ->
    frequency([{2, float()},
               {1, oneof([0.0, -0.0, 1.0, -1.0, 0.1, 1.0e308, -1.7976931348623157e308, 5.0e-324,
                             2.2250738585072014e-308, 9007199254740993.0, 9.223372036854775807e18])},
               {1, ?LET(Bits, binary(8), any_float(Bits))}]).

%% Bits that are no float stand for another one.
any_float(<<F/float>>) -> F;
any_float(_) -> 0.5.

%% Atoms come from a fixed set, so that a long run does not fill the atom table.
-spec name() -> proper_types:type().
name() ->
    frequency([{3, oneof([true, false, nil])},
               {2, oneof([ok, error, undefined, '', 'two words', a@b, '\x{e9}', 'caf\x{e9}',
                             '\x{ff}\x{fe}', '\x{3bb}', '\x{20ac}', '\x{1f600}', '\x{10ffff}',
                             'with\0null'])},
               {1, oneof([list_to_atom(lists:duplicate(N, C)) ||
                                N <- [63, 64, 127, 128, 254, 255],
                                C <- [$x, 16#e9, 16#20ac, 16#1f600]])}]).

-spec bytes() -> proper_types:type().
bytes() ->
    frequency([{2, <<>>},
               {10, binary()},
               {3, oneof([<<0>>, <<255, 254, 0>>, <<"text">>, <<"\x{20ac}"/utf8>>])},
               {1, ?LET({N, C}, {integer(0, 3000), byte()}, binary:copy(<<C>>, N))}]).

%% Lists of bytes, which term_to_binary writes as STRING_EXT up to 65535 of them.
string() ->
    frequency([{100, list(byte())},
               {1, ?LET({N, C}, {oneof([255, 256, 65535, 65536]), byte()},
                        lists:duplicate(N, C))}]).

%% Around the number of elements where tuples and maps change their form.
wide(Element) ->
    ?LET({N, One}, {oneof([32, 33, 254, 255, 256, 257]), Element},
         oneof([list_to_tuple(lists:duplicate(N, One)),
                lists:duplicate(N, One),
                maps:from_list([{K, One} || K <- lists:seq(1, N)])])).

%% Several of these inside one another stay below the 200 levels that cross.
deep(Inner) ->
    ?LET({Levels, One}, {integer(1, 30), Inner},
         lists:foldl(fun(Level, Term) -> nest(Level rem 4, Term) end, One, lists:seq(1, Levels))).

nest(0, Term) -> [Term];
nest(1, Term) -> {Term};
nest(2, Term) -> #{inner => Term};
nest(3, Term) -> #{[Term] => Term =:= []}.

map_of(Key, Value) ->
    ?LET(Pairs, list({Key, Value}), maps:from_list(Pairs)).

-spec plain() -> proper_types:type().
plain() -> ?SIZED(Size, plain(min(Size, 40))).

plain(0) ->
    oneof([int64(), finite(), boolean(), bytes(), []]);
plain(Size) ->
    Inner = Size div 3,
    frequency([{3, plain(0)},
               {2, ?LAZY(resize(Inner, list(plain(Inner))))},
               {2, ?LAZY(resize(Inner, map_of_some(bytes(), plain(Inner))))}]).

map_of_some(Key, Value) ->
    ?LET(Pairs, non_empty(list({Key, Value})), maps:from_list(Pairs)).

-spec alien() -> proper_types:type().
alien() ->
    oneof([?LAZY(self()),
           ?LAZY(make_ref()),
           ?LAZY(oneof(erlang:ports())),
           exactly(fun() -> self() end),
           exactly(fun lists:map/2),
           oneof([?MAX + 1, ?MIN - 1, 1 bsl 64, -(1 bsl 64), 1 bsl 2048, -(1 bsl 2048)]),
           ?SUCHTHAT(Bits, bitstring(), bit_size(Bits) rem 8 =/= 0),
           ?LET({Head, Tail}, {non_empty(resize(3, list(value(5)))), improper_tail()}, Head ++ Tail)]).

improper_tail() ->
    ?SUCHTHAT(Tail, value(5), not is_list(Tail)).

-spec holding(proper_types:type()) -> proper_types:type().
holding(Inner) ->
    ?LET({Before, One, After}, {resize(3, list(value(5))), Inner, resize(3, list(value(5)))},
         oneof([One,
                Before ++ [One | After],
                list_to_tuple(Before ++ [One | After]),
                #{Before => One, 1 => After},
                #{One => After},
                [#{k => {Before, One}}]])).
