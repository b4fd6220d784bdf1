%% SPDX-License-Identifier: Apache-2.0
%% What the death of an owner costs: how long until every native byte of its box is back, and how long
%% the giving back of a large box keeps others waiting.
-module(tripod_scenario_cleanup).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> cleanup.
name() -> cleanup.

-spec description() -> string().
description() -> "from an owner's death to its box's last byte; the worst pause when a large box dies".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(quick, _) -> [dying(Box) || Box <- [idle, mid_call]];
cases(full, _) -> [dying(Box) || Box <- [idle, mid_call, large]].

dying(Box) -> #{params => #{box => atom_to_binary(Box)}, task => {cleanup, Box}, rivals => []}.

%% Whoever looks on needs a core of its own.
-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free], rounds => 2, rival_rounds => 2, open_ms => 50,
      visit => #{warm_ms => 0, visit_ms => 200, min => 3, max => 10000}};
plan(full) ->
    #{placements => [free], rounds => 5, rival_rounds => 5, open_ms => 500,
      visit => #{warm_ms => 0, visit_ms => 600, min => 3, max => 10000}}.

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(#{task := {cleanup, large}}, _, _) -> [idle_ticker];
floor(_, _, _) -> [].
