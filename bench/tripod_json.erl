%% SPDX-License-Identifier: Apache-2.0
%% JSON for replies and results. Escaping and parsing are OTP's own where it has a JSON module,
%% jiffy's before; how Erlang's values look in JSON is decided here:
%%
%%   nil, null              null; comes back as nil
%%   integer, float         number; a float always has a point or an exponent, and round-trips
%%   binary of UTF-8        string
%%   any other binary       {"base64": "..."}; comes back as the binary
%%   other atom             string
%%   list, tuple            array
%%   map                    object, sorted by key; integer and float keys become strings
%%   a map that an object   {"pairs": [[Key, Value], ...]}; comes back as the map
%%   cannot hold faithfully
%%   anything else          string, as io:format("~tp") writes it
%%
%% An object cannot hold a map with a key that is not text, with two keys that look the same as
%% strings (1 and <<"1">>), or whose only key is "base64" or "pairs".
-module(tripod_json).

-export([encode/1, decode/1, library/0]).

-if(?OTP_RELEASE >= 27).
-define(LIBRARY, json).
parse(Text) -> json:decode(Text).
-else.
-define(LIBRARY, jiffy).
parse(Text) -> jiffy:decode(Text, [return_maps]).
-endif.

%% The module that does the work; it must be there before the first call.
-spec library() -> module().
library() -> ?LIBRARY.

-spec encode(term()) -> iodata().
encode(nil) -> <<"null">>;
encode(null) -> <<"null">>;
encode(true) -> <<"true">>;
encode(false) -> <<"false">>;
encode(Atom) when is_atom(Atom) -> string(atom_to_binary(Atom));
encode(Integer) when is_integer(Integer) -> integer_to_binary(Integer);
encode(Float) when is_float(Float) -> float_to_binary(Float, [short]);
encode(Binary) when is_binary(Binary) ->
    case is_text(Binary) of
        true -> string(Binary);
        false -> object([{<<"base64">>, base64:encode(Binary)}])
    end;
encode(List) when length(List) >= 0 -> [$[, lists:join($,, [encode(One) || One <- List]), $]];
encode(Tuple) when is_tuple(Tuple) -> encode(tuple_to_list(Tuple));
encode(Map) when is_map(Map) ->
    Pairs = lists:sort(maps:to_list(Map)),
    case names(Pairs) of
        {ok, Names} -> object(lists:zip(Names, [Value || {_, Value} <- Pairs]));
        none -> object([{<<"pairs">>, [[Key, Value] || {Key, Value} <- Pairs]}])
    end;
encode(Other) -> string(unicode:characters_to_binary(io_lib:format("~tp", [Other]))).

%% Object keys are binaries. What is not JSON raises an error.
-spec decode(binary()) -> term().
decode(Text) -> restore(parse(Text)).

string(Text) -> ?LIBRARY:encode(Text).

object(Pairs) ->
    [${, lists:join($,, [[string(Name), $:, encode(Value)] || {Name, Value} <- Pairs]), $}].

names(Pairs) ->
    Names = [name(Key) || {Key, _} <- Pairs],
    Faithful = lists:all(fun is_text/1, Names)
        andalso length(lists:usort(Names)) =:= length(Names)
        andalso Names =/= [<<"base64">>] andalso Names =/= [<<"pairs">>],
    case Faithful of
        true -> {ok, Names};
        false -> none
    end.

name(Key) when is_integer(Key) -> integer_to_binary(Key);
name(Key) when is_float(Key) -> float_to_binary(Key, [short]);
name(Key) when is_atom(Key) -> atom_to_binary(Key);
name(Key) -> Key.

is_text(Binary) when is_binary(Binary) -> is_binary(unicode:characters_to_binary(Binary));
is_text(_) -> false.

restore(null) -> nil;
restore(List) when is_list(List) -> [restore(One) || One <- List];
restore(#{<<"base64">> := Text} = Map) when map_size(Map) =:= 1, is_binary(Text) ->
    base64:decode(Text);
restore(#{<<"pairs">> := Pairs} = Map) when map_size(Map) =:= 1, is_list(Pairs) ->
    maps:from_list([{restore(Key), restore(Value)} || [Key, Value] <- Pairs]);
restore(Map) when is_map(Map) -> maps:map(fun(_, Value) -> restore(Value) end, Map);
restore(Scalar) -> Scalar.
