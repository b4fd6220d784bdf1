#!/usr/bin/env escript
%% SPDX-License-Identifier: Apache-2.0
%% Writes the seeds of the fuzzers into corpus/ beside this file: one small file a tag, from real
%% term_to_binary wherever it can be made to write that tag.
-mode(compile).

main([]) ->
    Etf = [{Name, term_to_binary(Term)} || {Name, Term} <- terms()] ++ encoded(),
    write("etf", Etf),
    write("push", pieces(Etf)).

write(Target, Seeds) ->
    Here = filename:dirname(filename:absname(escript:script_name())),
    Dir = filename:join([Here, "corpus", Target]),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    lists:foreach(fun({Name, Bytes}) -> ok = file:write_file(filename:join(Dir, Name), Bytes) end,
                  Seeds),
    io:format("~b seeds in ~ts~n", [length(filelib:wildcard("*", Dir)), Dir]).

%% What push_fuzz.c reads: options, then requests (0) and values (1), each with its length.
pieces(Etf) ->
    Requests = [piece(0, term_to_binary(Request)) || Request <- requests()],
    [{"requests", [0, Requests]}, {"requests_with_pauses", [4, Requests]},
     {"requests_shallow", [3, Requests]}] ++
        [{"value_" ++ Name, [0, piece(1, Value)]}
         || {Name, Bytes} <- Etf, <<131, Value/binary>> <- [iolist_to_binary(Bytes)]].

piece(Kind, Bytes) ->
    [<<Kind:1, (byte_size(Bytes)):15>>, Bytes].

requests() ->
    [{eval, <<"return ...">>, [1, <<"a">>, [1, nil, 3], #{a => {b, 2.5}}]},
     {load, <<"m">>, <<"function f(x) g = x; return x, {x} end">>},
     {call, <<"f">>, [[5, #{<<"k">> => []}]]},
     {compile, <<"return #{...}">>},
     {run, 1, [1, 2]},
     {set, <<"y">>, #{a => 1, 2 => [3]}},
     {get, <<"y">>},
     {get, <<"nosuch.field">>},
     {call, <<"string.rep">>, [<<"ab">>, 200]},
     {configure, #{<<"empty">> => <<"map">>}},
     {eval, <<"return {}, print, 0/0">>, []},
     {eval, <<"error({1})">>, []},
     {eval, <<"while true do end">>, []},
     {reset},
     {unknown, 1}].

terms() ->
    [{"small_integer", 7},
     {"integer", -300},
     {"small_big", (1 bsl 63) - 1},
     {"small_big_negative", -(1 bsl 63)},
     {"small_big_too_large", 1 bsl 63},
     {"large_big", 1 bsl 2048},
     {"float", 1.5},
     {"atom", ok},
     {"atom_utf8", '\x{1f600}'},
     {"atom_long", list_to_atom(lists:duplicate(255, 16#e9))},
     {"binary", <<"bytes", 0, 255>>},
     {"binary_empty", <<>>},
     {"bit_binary", <<5:3>>},
     {"nil", []},
     {"list", [1, a, <<"b">>]},
     {"list_nested", [[[[[1]]]], []]},
     {"list_improper", [a | b]},
     {"string", "string"},
     {"tuple", {a, {}, {1, {2}}}},
     {"tuple_large", list_to_tuple(lists:duplicate(256, []))},
     {"map", #{a => 1, <<"b">> => [2], 3 => #{}}},
     {"map_large", maps:from_list([{N, N} || N <- lists:seq(1, 40)])},
     {"map_mixed_keys", #{a => nil, <<"b">> => 1, 2.0 => x, true => [], 1 => 0.5}},
     {"map_sequence", #{1 => a, 2 => #{1.0 => b}, 3.0 => [nil]}},
     {"map_holes", #{1 => [1, nil, 3], 3 => {nil, {}, nil}}},
     {"map_same_key", #{a => 1, <<"a">> => 2}},
     {"map_same_number", #{1 => a, 1.0 => b}},
     {"map_bad_keys", #{[] => 1, nil => 2, {a} => 3}},
     {"fun_export", fun lists:map/2},
     {"request", {call, <<"account.limits.check">>, [1, 2.5, true, nil, #{deep => [{x, <<"y">>}]}]}},
     {"reply", {ok, [[1, 2, 3], #{<<"k">> => <<"v">>}]}},
     {"error", {error, {lua, #{message => <<"m">>, traceback => <<"t">>}}}}].

encoded() ->
    [{"float_textual", term_to_binary(1.5, [{minor_version, 0}])},
     {"atom_minor_version_1", term_to_binary('caf\x{e9}', [{minor_version, 1}])},
     {"compressed", term_to_binary(lists:duplicate(1000, 7), [compressed])},
     {"pid", term_to_binary(self())},
     {"reference", term_to_binary(make_ref())},
     {"port", term_to_binary(hd(erlang:ports()))},
     {"fun_new", term_to_binary(fun() -> ok end)},
     {"atom_latin1_small", <<131, 115, 2, "o", 16#e9>>},
     {"atom_latin1", <<131, 100, 0, 2, "ok">>},
     {"atom_utf8_wide", <<131, 118, 0, 2, "ok">>},
     {"tuple_wide", <<131, 105, 0, 0, 0, 1, 106>>},
     {"integer_wide", <<131, 98, 0, 0, 0, 7>>},
     {"large_big_padded", <<131, 111, 0, 0, 0, 10, 1, 1, 0:72>>},
     {"map_equal_keys", <<131, 116, 0, 0, 0, 2, 97, 1, 97, 2, 97, 1, 97, 3>>},
     {"count_too_large", <<131, 108, 16#ffffffff:32, 97, 1, 106>>},
     {"trailing", <<131, 106, 106>>},
     {"deep", [131, lists:duplicate(300, <<104, 1>>), 106]}].
