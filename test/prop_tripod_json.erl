%% SPDX-License-Identifier: Apache-2.0
%% JSON loses nothing of what a box may answer, and looks as its header says.
-module(prop_tripod_json).

-include("prop.hrl").

-export([prop_round_trip/0, prop_awkward_maps/0, prop_texts/0, prop_not_json/0]).

%% Any contract value comes back, except that keys that are numbers come back as strings.
prop_round_trip() ->
    ?FORALL(Value, value(), tripod_json:decode(text_of(Value)) =:= Value).

%% Keys that look alike, keys that no object can hold: no pair is lost, and the text is UTF-8.
prop_awkward_maps() ->
    Key = oneof([integer(0, 3), 1.0, <<"1">>, <<"1.0">>, <<"base64">>, <<"pairs">>,
                 proper_types:binary(2)]),
    ?FORALL(Map, map(Key, scalar()),
            begin
                Text = text_of(Map),
                Decoded = tripod_json:decode(Text),
                is_binary(unicode:characters_to_binary(Text))
                    andalso is_map(Decoded) andalso map_size(Decoded) =:= map_size(Map)
            end).

prop_texts() ->
    ?FORALL({Value, Text}, oneof(texts()), text_of(Value) =:= Text).

texts() ->
    [{nil, <<"null">>},
     {[], <<"[]">>},
     {#{}, <<"{}">>},
     {[true, 1, 1.0, 1.0e22, -0.0], <<"[true,1,1.0,1.0e22,-0.0]">>},
     {<<0, $", $\\, "é"/utf8>>, <<"\"\\u0000\\\"\\\\é\""/utf8>>},
     {<<255>>, <<"{\"base64\":\"/w==\"}">>},
     {#{2 => 1, 10 => 2, 1.5 => 3}, <<"{\"1.5\":3,\"2\":1,\"10\":2}">>},
     {#{1 => 2, <<"1">> => 3}, <<"{\"pairs\":[[1,2],[\"1\",3]]}">>},
     {#{<<"base64">> => <<"AA==">>}, <<"{\"pairs\":[[\"base64\",\"AA==\"]]}">>},
     {{down, {exit_status, 9}}, <<"[\"down\",[\"exit_status\",9]]">>},
     {[a | b], <<"\"[a|b]\"">>}].

prop_not_json() ->
    ?FORALL(Text, oneof([<<>>, <<"{">>, <<"[1,]">>, <<"1 2">>, <<"nul">>, <<$", 255, $">>]),
            try tripod_json:decode(Text) of
                _ -> false
            catch
                error:_ -> true
            end).

text_of(Value) -> iolist_to_binary(tripod_json:encode(Value)).

value() -> ?SIZED(Size, value(Size)).

value(0) ->
    scalar();
value(Size) ->
    Inner = ?LAZY(value(Size div 3)),
    frequency([{4, scalar()}, {1, list(Inner)}, {1, map(key(), Inner)}]).

map(Key, Value) ->
    ?LET(Pairs, list(tuple([Key, Value])), maps:from_list(Pairs)).

scalar() ->
    Int64 = integer(-(1 bsl 63), (1 bsl 63) - 1),
    oneof([nil, true, false, integer(), Int64, any_float(), text(),
                        binary()]).

%% Every bit pattern that is a float; -0.0 and the smallest one often.
any_float() ->
    ?LET(Bits, oneof([proper_types:binary(8), <<128, 0:56>>, <<0:63, 1:1>>]),
         case Bits of
             <<Float/float>> -> Float;
             _ -> 0.5
         end).

key() -> oneof([text(), binary(), <<"base64">>, <<"pairs">>]).

text() ->
    ?LET(Text, list(proper_types:char()),
         unicode:characters_to_binary([Char || Char <- Text, Char < 16#d800])).
