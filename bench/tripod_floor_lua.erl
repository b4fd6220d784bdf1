%% SPDX-License-Identifier: Apache-2.0
%% bench/floors/lua.c from Erlang: bare Lua in a program of its own, which takes its own time, so
%% that starting it counts nowhere.
-module(tripod_floor_lua).

-export([samples/2, entry/2]).
-export_type([work/0]).

-type work() :: pcall
              | open
              | {build, tripod_shape:shape()}
              | {script, file:filename_all(), Args :: [term()]}.

%% Totals of batches in ns, and what the script returned if JSON can say it.
-spec samples(work(), tripod_bench_task:plan()) ->
          {Batch :: pos_integer(), [non_neg_integer(), ...], Results :: [term()] | unknown}.
samples(Work, #{visit_ms := VisitMs, min := Min}) ->
    #{<<"batch">> := Batch, <<"ns">> := Totals, <<"results">> := Results} =
        run(Work, VisitMs, Min, 0),
    {Batch, Totals, case Results of
                        nil -> unknown;
                        _ -> [value(Result) || Result <- Results]
                    end}.

%% Whether the file defines a global function main, found by running it. A file that fails in stock
%% Lua is judged by its looks: it may need what only a box offers.
-spec entry(file:filename_all(), Args :: [term()]) -> main | chunk.
entry(File, Args) ->
    try run({script, File, Args}, 0, 1, 1) of
        #{<<"entry">> := <<"main">>} -> main;
        #{<<"entry">> := <<"chunk">>} -> chunk
    catch
        error:{floor_lua, _} ->
            {ok, Source} = file:read_file(File),
            case re:run(Source, "^(function main\\b|main *=)", [multiline, {capture, none}]) of
                match -> main;
                nomatch -> chunk
            end
    end.

run(Work, VisitMs, Min, Batch) ->
    {Name, Args} = arguments(Work),
    Numbers = [integer_to_list(N) || N <- [VisitMs, Min, Batch]],
    Program = tripod_strategy:artefact("tripod_floor_lua"),
    case tripod_os_process:run(Program, [Name | Numbers] ++ Args, 120000 + 2 * VisitMs) of
        {ok, Output} -> tripod_json:decode(Output);
        {error, Why} -> error({floor_lua, Why})
    end.

arguments(pcall) -> {"pcall", []};
arguments(open) -> {"open", []};
arguments({build, {Kind, N}}) -> {"build", [atom_to_list(Kind), integer_to_list(N)]};
arguments({script, File, Args}) ->
    {"script", [File, lists:flatten(["return ", lists:join(", ", [literal(Arg) || Arg <- Args])])]}.

%% A value as Lua source, under the contract's mapping.
literal(nil) -> "nil";
literal(true) -> "true";
literal(false) -> "false";
literal(Atom) when is_atom(Atom) -> literal(atom_to_binary(Atom));
literal(Integer) when is_integer(Integer) -> integer_to_list(Integer);
literal(Float) when is_float(Float) -> float_to_list(Float, [short]);
literal(Text) when is_binary(Text) ->
    [$", [io_lib:format("\\~3..0b", [Byte]) || <<Byte>> <= Text], $"];
literal(Tuple) when is_tuple(Tuple) -> literal(tuple_to_list(Tuple));
literal(List) when is_list(List) -> [${, [[literal(Item), $,] || Item <- List], $}];
literal(Map) when is_map(Map) ->
    [${, [[$[, literal(Key), "]=", literal(Value), $,] || {Key, Value} <- maps:to_list(Map)], $}].

%% The program writes each byte of a string as the character of that number.
value(Text) when is_binary(Text) -> unicode:characters_to_binary(Text, utf8, latin1);
value(Value) -> Value.
