%% SPDX-License-Identifier: Apache-2.0
%% A call that does next to nothing: what it costs is what the strategy costs. Beside it the same
%% request to the echo service, which leaves Lua out.
-module(tripod_scenario_call).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3, more_floors/1]).

-spec name() -> call.
name() -> call.

-spec description() -> string().
description() -> "one add(1, 2): what it costs to get there and back".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(_, _) ->
    [#{params => #{service => lua, request => <<"add(1, 2)">>},
       task => {lua, <<"function add(a, b) return a + b end">>, <<"add">>, [{term, 1}, {term, 2}]},
       expected => [3],
       rivals => [luerl]},
     #{params => #{service => echo, request => <<"{call, \"add\", [1, 2]}">>},
       task => {echo, {term, {call, <<"add">>, [1, 2]}}},
       rivals => []}].

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free, pinned], rounds => 3, rival_rounds => 3, open_ms => 15,
      visit => #{warm_ms => 8, visit_ms => 35, min => 20, max => 10000}};
plan(full) ->
    #{placements => [free, pinned], rounds => 10, rival_rounds => 10, open_ms => 15,
      visit => #{warm_ms => 50, visit_ms => 400, min => 100, max => 20000}}.

%% The Lua call itself counts where it is not lost in what the mechanism costs.
-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(#{task := {lua, _, _, _}}, Strategy, Mode) ->
    Mechanism = tripod_floor:mechanism(Strategy, Mode),
    case Mechanism of
        [null_nif] -> [null_nif, lua_pcall];
        [null_command | _] -> Mechanism ++ [lua_pcall];
        _ -> Mechanism
    end;
floor(#{task := {echo, _}}, Strategy, Mode) ->
    tripod_floor:mechanism(Strategy, Mode).

-spec more_floors(tripod_scenario:scenario_case()) -> [tripod_bench_task:floor_name()].
more_floors(#{task := {lua, _, _, _}}) ->
    [null_nif_term, null_dirty_io, null_control, echo_packet2];
more_floors(#{task := {echo, _}}) -> [].
