%% SPDX-License-Identifier: Apache-2.0
%% The user's own script: its global main, or the file itself, with the user's arguments.
-module(tripod_scenario_script).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> script.
name() -> script.

-spec description() -> string().
description() -> "your own script, against the stock library".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(_, #{script := File, args := Args}) -> [tripod_bench_script:own(File, Args)];
cases(_, _) -> [].

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free], rounds => 3, rival_rounds => 1, open_ms => 100,
      visit => #{warm_ms => 10, visit_ms => 100, min => 2, max => 10000}};
plan(full) ->
    #{placements => [free, pinned], rounds => 10, rival_rounds => 2, open_ms => 100,
      visit => #{warm_ms => 50, visit_ms => 500, min => 3, max => 10000}}.

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, _, _) -> ['lua5.4'].
