%% SPDX-License-Identifier: Apache-2.0
%% Programs that mostly compute, with all limits on, against the stock library with none.
-module(tripod_scenario_compute).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> compute.
name() -> compute.

-spec description() -> string().
description() -> "bundled scripts that compute, against the stock library".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(quick, _) -> [tripod_bench_script:bundled(Name) || Name <- ["nbody", "pricing"]];
cases(full, _) ->
    [tripod_bench_script:bundled(Name)
     || Name <- ["nbody", "pricing", "rate_limiter", "json", "template", "pattern", "sort"]].

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(Level) -> tripod_bench_script:plan(Level).

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, _, _) -> ['lua5.4'].
