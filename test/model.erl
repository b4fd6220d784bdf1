%% SPDX-License-Identifier: Apache-2.0
%% What docs/contract.md says about values, as a function: what a term looks like after it was an
%% argument of a Lua function that returns it.
-module(model).

-export([through_lua/1]).

-define(MIN, -16#8000000000000000).
-define(MAX, 16#7fffffffffffffff).

%% {ok, Term}, or badterm when it cannot be a Lua value, or either when keys collide in a map in
%% which one of them may vanish because its value is nil.
-spec through_lua(term()) -> {ok, term()} | badterm.
through_lua(Term) ->
    try
        {ok, value(Term)}
    catch
        throw:badterm -> badterm
    end.

value(Atom) when Atom =:= nil; Atom =:= true; Atom =:= false -> Atom;
value(Atom) when is_atom(Atom) -> atom_to_binary(Atom, utf8);
value(Integer) when is_integer(Integer), Integer >= ?MIN, Integer =< ?MAX -> Integer;
value(Float) when is_float(Float) -> Float;
value(Binary) when is_binary(Binary) -> Binary;
value(List) when is_list(List), length(List) >= 0 ->
    Values = [value(Element) || Element <- List],
    table(maps:from_list([{I, V} || {I, V} <- lists:zip(lists:seq(1, length(Values)), Values),
                                    V =/= nil]));
value(Tuple) when is_tuple(Tuple) -> value(tuple_to_list(Tuple));
value(Map) when is_map(Map) ->
    Pairs = [{key(K), value(V)} || {K, V} <- maps:to_list(Map)],
    Table = maps:from_list(Pairs),
    map_size(Table) =:= map_size(Map) orelse throw(badterm),
    table(maps:filter(fun(_, V) -> V =/= nil end, Table));
value(_) -> throw(badterm).

key(nil) -> throw(badterm);
key(Float) when is_float(Float) ->
    case trunc(Float) of
        Whole when Whole == Float, Whole >= ?MIN, Whole =< ?MAX -> Whole;
        _ -> Float
    end;
key(Scalar) when is_atom(Scalar); is_integer(Scalar); is_binary(Scalar) -> value(Scalar);
key(_) -> throw(badterm).

%% A table whose keys are exactly 1..n is a list, also when n is 0.
table(Table) ->
    N = map_size(Table),
    case lists:all(fun(I) -> is_map_key(I, Table) end, lists:seq(1, N)) of
        true -> [maps:get(I, Table) || I <- lists:seq(1, N)];
        false -> Table
    end.
