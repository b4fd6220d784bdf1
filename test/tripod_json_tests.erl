%% SPDX-License-Identifier: Apache-2.0
%% JSON round trips (EUnit, with PropEr's functions: Debian's package has no header with macros).
-module(tripod_json_tests).

-export([round_trip_test_/0, awkward_maps_test_/0, faithful_objects_test/0, texts_test/0,
         not_json_test/0]).

%% Whatever a box may answer comes back, except that keys that are numbers come back as strings.
round_trip_test_() ->
    {timeout, 60, fun() -> holds(proper:forall(value(), fun round_trips/1)) end}.

round_trips(Value) ->
    reread(Value) =:= Value.

%% Keys that look alike, keys that no object can hold: no pair is lost, and the text is UTF-8.
awkward_maps_test_() ->
    Keys = proper_types:oneof([proper_types:integer(0, 3), <<"1">>, <<"base64">>, <<"pairs">>, 1.0,
                               <<"1.0">>, proper_types:binary(2)]),
    {timeout, 60, fun() -> holds(proper:forall(map(Keys, scalar()), fun keeps_pairs/1)) end}.

keeps_pairs(Map) ->
    Text = text_of(Map),
    Decoded = tripod_json:decode(Text),
    is_binary(unicode:characters_to_binary(Text))
        andalso is_map(Decoded) andalso map_size(Decoded) =:= map_size(Map).

%% The same value always gives the same text: keys are sorted as terms.
faithful_objects_test() ->
    <<"{\"1.5\":3,\"2\":1,\"10\":2}">> = text_of(#{2 => 1, 10 => 2, 1.5 => 3}),
    #{1 := <<"a">>, <<"1">> := 2} = reread(#{1 => a, <<"1">> => 2}),
    #{<<"base64">> := 1} = reread(#{<<"base64">> => 1}),
    #{<<"base64">> := <<"AA==">>} = reread(#{<<"base64">> => <<"AA==">>}),
    #{<<255>> := <<254>>} = reread(#{<<255>> => <<254>>}).

text_of(Value) -> iolist_to_binary(tripod_json:encode(Value)).

reread(Value) -> tripod_json:decode(text_of(Value)).

texts_test() ->
    Same = fun(Value, Text) -> Text = text_of(Value) end,
    Same(nil, <<"null">>),
    Same([], <<"[]">>),
    Same(#{}, <<"{}">>),
    Same(1.0, <<"1.0">>),
    Same(-0.0, <<"-0.0">>),
    Same(<<0, $", $\\, "é"/utf8>>, <<"\"\\u0000\\\"\\\\é\""/utf8>>),
    Same(<<255>>, <<"{\"base64\":\"/w==\"}">>),
    Same({down, {exit_status, 9}}, <<"[\"down\",[\"exit_status\",9]]">>),
    Same([a | b], <<"\"[a|b]\"">>).

not_json_test() ->
    lists:foreach(fun(Text) ->
                          refused = try tripod_json:decode(Text) catch error:_ -> refused end
                  end,
                  [<<>>, <<"{">>, <<"[1,]">>, <<"1 2">>, <<"nul">>, <<$", 255, $">>]).

holds(Property) ->
    true = proper:quickcheck(Property, [{numtests, 1000}, quiet]).

value() -> proper_types:sized(fun value/1).

value(0) ->
    scalar();
value(Size) ->
    Inner = proper_types:lazy(fun() -> value(Size div 3) end),
    proper_types:frequency([{4, scalar()},
                            {1, proper_types:list(Inner)},
                            {1, map(key(), Inner)}]).

map(Key, Value) ->
    Pairs = proper_types:list(proper_types:tuple([Key, Value])),
    proper_types:bind(Pairs, fun maps:from_list/1, false).

scalar() ->
    Int64 = proper_types:integer(-(1 bsl 63), (1 bsl 63) - 1),
    proper_types:oneof([nil, true, false, proper_types:integer(), Int64, any_float(), text(),
                        proper_types:binary()]).

%% Every bit pattern that is a float; -0.0 and the smallest ones often.
any_float() ->
    Bits = proper_types:oneof([proper_types:binary(8), <<128, 0:56>>, <<0:63, 1:1>>]),
    proper_types:bind(Bits, fun(<<Float/float>>) -> Float; (_) -> 0.5 end, false).

key() ->
    proper_types:oneof([text(), proper_types:binary(), <<"base64">>, <<"pairs">>]).

text() ->
    Valid = fun(Text) -> unicode:characters_to_binary([C || C <- Text, C < 16#d800]) end,
    proper_types:bind(proper_types:list(proper_types:char()), Valid, false).
