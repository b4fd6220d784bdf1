%% SPDX-License-Identifier: Apache-2.0
%% What it costs to be stoppable: the same programs with the timer and with the portable count hook,
%% against the stock library, which nothing can stop.
-module(tripod_scenario_preempt).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-spec name() -> preempt.
name() -> preempt.

-spec description() -> string().
description() -> "bundled scripts with the timer and with the count hook".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(quick, _) -> programs(["nbody"]);
cases(full, _) -> programs(["nbody", "pattern", "sort", "binary_trees"]).

programs(Names) -> [program(Name, Preempt) || Name <- Names, Preempt <- [timer, count]].

program(Name, Preempt) ->
    #{params := Params, task := Task} = Case = tripod_bench_script:bundled(Name),
    Case#{params := Params#{preempt => atom_to_binary(Preempt)},
          task := {with, #{preempt => Preempt}, Task},
          rivals := []}.

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(Level) -> tripod_bench_script:plan(Level).

-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(_, _, _) -> ['lua5.4'].
