%% SPDX-License-Identifier: Apache-2.0
%% Programs that mostly allocate, with all limits on: the arena against malloc.
-module(tripod_scenario_alloc).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> alloc.
name() -> alloc.

-spec description() -> string().
description() -> "bundled scripts that allocate, against the stock library".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(quick, _) -> [tripod_bench_script:bundled(Name) || Name <- ["binary_trees"]];
cases(full, _) -> [tripod_bench_script:bundled(Name) || Name <- ["binary_trees", "string_build"]].

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(Level) -> tripod_bench_script:plan(Level).

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, _, _) -> ['lua5.4'].
