%% SPDX-License-Identifier: Apache-2.0
%% The contract, part three: values, one line of the table in docs/contract.md each. The properties
%% in prop_contract.erl cover the rest.
-module(contract_values_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

cases() ->
    [into_lua, out_of_lua, atoms_are_not_made, what_cannot_enter, what_cannot_leave, cycles,
     nesting, colliding_keys, large_values].

%% Each: the argument, and a Lua expression that is true of it.
into_lua(Config) ->
    contract:with_box(Config, fun(Box) ->
        [?assertEqual({Term, {ok, [true]}},
                      {Term, tripod_lua:eval(Box, ["local v = ... return ", Test], [Term])})
         || {Term, Test} <- into_lua()]
    end).

into_lua() ->
    [{nil, "v == nil"}, {true, "v == true"}, {false, "v == false"},
     {undefined, "v == 'undefined'"}, {'caf\x{e9}', "v == 'caf\\u{e9}'"},
     {42, "math.type(v) == 'integer' and v == 42"}, {-1, "v == -1"},
     {16#7fffffffffffffff, "v == math.maxinteger"}, {-16#8000000000000000, "v == math.mininteger"},
     {1.0, "math.type(v) == 'float' and v == 1.0"}, {1.0e-300, "v == 1e-300"},
     {<<>>, "v == ''"}, {<<0, 255, "x">>, "v == '\\0\\255x'"},
     {[], "type(v) == 'table' and next(v) == nil"}, {[1, 2, 3], "#v == 3 and v[3] == 3"},
     {"text", "#v == 4 and v[1] == 116"}, {{a, {b}}, "v[1] == 'a' and v[2][1] == 'b'"},
     {#{}, "next(v) == nil"}, {#{a => 1, <<"b">> => 2}, "v.a == 1 and v.b == 2"},
     {#{1 => x, 2.5 => y}, "v[1] == 'x' and v[2.5] == 'y'"}, {#{2.0 => x}, "v[2] == 'x'"},
     {#{true => 1, false => 2}, "v[true] == 1 and v[false] == 2"},
     {#{a => nil, b => 1}, "v.a == nil and v.b == 1"}, {[1, nil, 3], "v[1] == 1 and v[2] == nil and v[3] == 3"},
     {maps:from_list([{I, I * I} || I <- lists:seq(1, 1000)]), "#v == 1000 and v[1000] == 1000000"}].

out_of_lua(Config) ->
    contract:with_box(Config, fun(Box) ->
        [?assertEqual({Source, {ok, [Term]}}, {Source, tripod_lua:eval(Box, "return " ++ Source)})
         || {Source, Term} <- out_of_lua()]
    end).

out_of_lua() ->
    [{"nil", nil}, {"true", true}, {"1 << 62", 1 bsl 62}, {"math.mininteger", -16#8000000000000000},
     {"0.5", 0.5}, {"2^53", 9007199254740992.0}, {"'a\\0b'", <<"a", 0, "b">>}, {"''", <<>>},
     {"{}", []}, {"{1, 2, 3}", [1, 2, 3]}, {"{{}, {{}}}", [[], [[]]]}, {"{a = 1}", #{<<"a">> => 1}},
     {"{[1] = 'a', [2] = 'b'}", [<<"a">>, <<"b">>]}, {"{[2] = 'b', [1] = 'a'}", [<<"a">>, <<"b">>]},
     {"{[1] = 'a', [3] = 'c'}", #{1 => <<"a">>, 3 => <<"c">>}}, {"{1, 2, x = 3}", #{1 => 1, 2 => 2, <<"x">> => 3}},
     {"{[0] = 'z', 'a'}", #{0 => <<"z">>, 1 => <<"a">>}}, {"{[1.5] = true}", #{1.5 => true}},
     {"{[1.0] = 'one'}", [<<"one">>]}, {"{[true] = 1}", #{true => 1}}, {"{1, nil, 3}", #{1 => 1, 3 => 3}},
     {"(function() local t = {} for i = 9, 1, -1 do t[i] = i end return t end)()", lists:seq(1, 9)},
     {"setmetatable({1, 2}, {__len = function() return 7 end, __index = {x = 1}})", [1, 2]}].

%% A script cannot fill the atom table: strings stay binaries, also where an atom would do.
atoms_are_not_made(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, [<<"ok">>, <<"error">>]} = tripod_lua:eval(Box, "return 'ok', 'error'"),
        Before = erlang:system_info(atom_count),
        {ok, [_]} = tripod_lua:eval(Box, "local t = {} for i = 1, 1000 do t['tripod_no_atom_' .. i] = i end return t"),
        ?assert(erlang:system_info(atom_count) < Before + 100)
    end).

what_cannot_enter(Config) ->
    contract:with_box(Config, fun(Box) ->
        [?assertEqual({Term, {error, {badterm, [1 | Path]}}}, {Term, tripod_lua:eval(Box, "return 1", [Term])})
         || {Term, Path} <- [{self(), []}, {make_ref(), []}, {fun() -> ok end, []}, {<<1:3>>, []},
                             {1 bsl 63, []}, {[a, self()], [2]}, {{a, {b, 1 bsl 64}}, [2, 2]}, {[1 | 2], [2]},
                             {#{k => [self()]}, [<<"k">>, 1]}, {#{[] => 1}, []}, {#{nil => 1}, []},
                             {#{a => #{b => self()}}, [<<"a">>, <<"b">>]}]],
        {error, {badterm, [3]}} = tripod_lua:eval(Box, "return 1", [a, b, self()]),
        {error, {badterm, [2]}} = tripod_lua:set(Box, "x", [a, self()]),
        {error, {badterm, []}} = tripod_lua:set(Box, "x", self()),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

what_cannot_leave(Config) ->
    contract:with_box(Config, fun(Box) ->
        [?assertEqual({Source, {error, {badterm, Path}}}, {Source, tripod_lua:eval(Box, "return " ++ Source)})
         || {Source, Path} <- [{"print", [1]}, {"1, print", [2]}, {"coroutine.create(print)", [1]}, {"0/0", [1]},
                               {"1/0", [1]}, {"{1, {a = {print}}}", [1, 2, <<"a">>, 1]}, {"{[1.5] = print}", [1, 1.5]},
                               {"{[print] = 1}", [1]}, {"{[{}] = 1}", [1]}, {"{1, 2, print}", [1, 3]},
                               {"{x = {1, nil, print}}", [1, <<"x">>, 3]}]],
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

cycles(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {badterm, [1, <<"self">>]}} = tripod_lua:eval(Box, "local t = {} t.self = t return t"),
        {error, {badterm, [1, 1, 1]}} = tripod_lua:eval(Box, "local a, b = {}, {} a[1] = b b[1] = a return a"),
        %% The same table twice is no cycle.
        {ok, [[[1], [1]]]} = tripod_lua:eval(Box, "local t = {1} return {t, t}")
    end).

nesting(Config) ->
    Nest = fun Nest(0, Inner) -> Inner; Nest(N, Inner) -> Nest(N - 1, [Inner]) end,
    contract:with_box(Config, #{depth => 50}, fun(Box) ->
        Fits = Nest(49, [x]),
        {ok, [_]} = tripod_lua:eval(Box, "return ...", [Fits]),
        {error, {badterm, In}} = tripod_lua:eval(Box, "return 1", [Nest(50, [x])]),
        ?assertEqual(lists:duplicate(51, 1), In),
        {error, {badterm, Deep}} = tripod_lua:eval(Box, "return 1", [Nest(5000, [x])]),
        ?assertEqual(lists:duplicate(51, 1), Deep),
        {ok, [_]} = tripod_lua:eval(Box, "local t = {1} for i = 1, 49 do t = {t} end return t"),
        {error, {badterm, Out}} = tripod_lua:eval(Box, "local t = {1} for i = 1, 50 do t = {t} end return t"),
        ?assertEqual(lists:duplicate(51, 1), Out)
    end).

%% Different terms, one key in Lua: refused rather than losing one of them.
colliding_keys(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {badterm, [1]}} = tripod_lua:eval(Box, "return 1", [#{a => 1, <<"a">> => 2}]),
        {error, {badterm, [1, 2]}} = tripod_lua:eval(Box, "return 1", [[x, #{1 => 1, 1.0 => 2}]]),
        {ok, [3]} = tripod_lua:eval(Box, "local n = 0 for _ in pairs(...) do n = n + 1 end return n",
                                    [#{a => 1, <<"b">> => 2, 1 => 3}])
    end).

large_values(Config) ->
    contract:with_box(Config, fun(Box) ->
        Map = maps:from_list([{integer_to_binary(I), I} || I <- lists:seq(1, 20000)]),
        {ok, [Map]} = tripod_lua:eval(Box, "return ...", [Map]),
        List = lists:seq(1, 200000),
        {ok, [List]} = tripod_lua:eval(Box, "return ...", [List]),
        [begin
             Binary = binary:copy(<<"b">>, Size),
             {ok, [Binary]} = tripod_lua:eval(Box, "return ...", [Binary])
         end || Size <- [63, 64, 65, 65000, 65534, 65535, 65536, 131072, 5000000]]
    end).
