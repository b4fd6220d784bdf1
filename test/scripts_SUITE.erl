%% SPDX-License-Identifier: Apache-2.0
%% The bundled scripts give their expected results, integers as integers and floats as floats, in a
%% box of every strategy and mode. test/scripts.bats compares the same files with stock Lua.
-module(scripts_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

cases() ->
    [every_script_is_here, rate_limiter, pricing, template, json, nbody, binary_trees, string_build,
     sort, pattern].

every_script_is_here(_Config) ->
    Names = [list_to_atom(filename:basename(File, ".expected.json"))
             || File <- filelib:wildcard(filename:join(directory(), "*.expected.json"))],
    ?assertEqual(lists:sort(Names), lists:sort(cases() -- [?FUNCTION_NAME])).

rate_limiter(Config) -> script(Config, "rate_limiter").
pricing(Config) -> script(Config, "pricing").
template(Config) -> script(Config, "template").
json(Config) -> script(Config, "json").
nbody(Config) -> script(Config, "nbody").
binary_trees(Config) -> script(Config, "binary_trees").
string_build(Config) -> script(Config, "string_build").
sort(Config) -> script(Config, "sort").
pattern(Config) -> script(Config, "pattern").

%% All cases of a script in one box: a result must not depend on what ran before.
script(Config, Name) ->
    {ok, Source} = file:read_file(filename:join(directory(), Name ++ ".lua")),
    {ok, Text} = file:read_file(filename:join(directory(), Name ++ ".expected.json")),
    #{<<"cases">> := [_, _ | _] = Cases} = tripod_json:decode(Text),
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:load(Box, Name, Source),
        lists:foreach(fun(#{<<"args">> := Args, <<"expected">> := Expected}) ->
                              ?assertEqual({ok, Expected}, tripod_lua:call(Box, "main", Args))
                      end,
                      Cases)
    end).

directory() ->
    filename:join([filename:dirname(code:which(tripod)), "..", "bench", "scripts"]).
