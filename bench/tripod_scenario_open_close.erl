%% SPDX-License-Identifier: Apache-2.0
%% A box for each request: opening and closing one, and the same with one call in between, because
%% work that opening puts off is paid by the first call.
-module(tripod_scenario_open_close).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> open_close.
name() -> open_close.

-spec description() -> string().
description() -> "opening a box, one call or none, closing it".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(_, _) ->
    [#{params => #{calls => Calls}, task => {open_close, Calls}, rivals => [luerl]}
     || Calls <- [0, 1]].

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free], rounds => 3, rival_rounds => 3, open_ms => 20,
      visit => #{warm_ms => 5, visit_ms => 40, min => 10, max => 10000}};
plan(full) ->
    #{placements => [free, pinned], rounds => 10, rival_rounds => 10, open_ms => 20,
      visit => #{warm_ms => 50, visit_ms => 300, min => 50, max => 20000}}.

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, Strategy, Mode) ->
    case tripod_floor:family(Strategy, Mode) of
        nif -> [lua_state];
        driver -> [lua_state];
        program -> [echo_spawn];
        unknown -> []
    end.
