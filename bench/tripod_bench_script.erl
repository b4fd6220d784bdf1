%% SPDX-License-Identifier: Apache-2.0
%% Cases made of Lua files: the bundled ones, whose results are known, and the user's own.
-module(tripod_bench_script).

-export([bundled/1, own/2, name/1, plan/1]).

%% A script of bench/scripts with its default arguments.
-spec bundled(string()) -> tripod_scenario:scenario_case().
bundled(Name) ->
    File = filename:join(directory(), Name ++ ".lua"),
    #{params => #{script => list_to_binary(Name)},
      task => {script, File, main, []},
      expected => expected(Name),
      rivals => [luerl]}.

expected(Name) ->
    {ok, Text} = file:read_file(filename:join(directory(), Name ++ ".expected.json")),
    #{<<"cases">> := Cases} = tripod_json:decode(Text),
    [Results] = [Results || #{<<"args">> := [], <<"expected">> := Results} <- Cases],
    Results.

directory() ->
    Home = filename:dirname(filename:dirname(filename:absname(code:which(?MODULE)))),
    filename:join([Home, "bench", "scripts"]).

-spec own(file:filename_all(), Args :: [term()]) -> tripod_scenario:scenario_case().
own(File, Args) ->
    Raw = raw(filename:absname(File)),
    #{params => #{script => name(File)},
      task => {script, Raw, tripod_floor_lua:entry(Raw, Args), Args},
      rivals => [luerl]}.

%% The file's name, to be shown.
-spec name(file:filename_all()) -> binary().
name(File) -> tripod_cli:text(binary_to_list(raw(filename:basename(File)))).

%% As bytes, which mean the same file in a VM that takes file names to be of another encoding.
raw(File) when is_binary(File) -> File;
raw(File) -> unicode:characters_to_binary(File, unicode, file:native_name_encoding()).

%% Bundled scripts run some ten milliseconds, luerl some ten times that.
-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free], rounds => 3, rival_rounds => 1, open_ms => 120, rival_ms => 1500,
      visit => #{warm_ms => 0, visit_ms => 90, min => 2, max => 1000}};
plan(full) ->
    #{placements => [free], rounds => 10, rival_rounds => 2, open_ms => 120, rival_ms => 2500,
      visit => #{warm_ms => 100, visit_ms => 500, min => 5, max => 1000}}.
