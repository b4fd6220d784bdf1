%% SPDX-License-Identifier: Apache-2.0
%% What a scenario is: which cases it has, how thoroughly each is measured, and what each strategy's
%% floor is made of. One module each, tripod_scenario_NAME.
-module(tripod_scenario).

-export([all/0, module/1, more_floors/2, measure/3, estimate_ms/3]).
-export_type([level/0, options/0, scenario_case/0, plan/0, run/0]).

-type level() :: quick | full.
-type options() :: #{script => file:filename_all(), args => [term()]}. % both or none
%% `params` are how results name the case; `rivals` are the alternatives that can take part;
%% `expected` is the reply that every box must give, when it is known.
-type scenario_case() :: #{params := #{atom() => term()},
                           task := tripod_bench_task:task(),
                           rivals := [luerl],
                           expected => term()}.
%% Each round visits each subject once, so that whatever changes during a run touches all alike.
%% Rivals may be much slower than boxes: they sit out all rounds after the first rival_rounds.
%% open_ms and rival_ms (opening, and each visit) are guesses, for telling how long a run will take.
-type plan() :: #{placements := [tripod_bench_node:placement(), ...],
                  rounds := pos_integer(),
                  rival_rounds := pos_integer(),
                  open_ms := pos_integer(),
                  rival_ms => pos_integer(),
                  visit := tripod_bench_task:plan()}.
%% What a run has to offer its scenarios.
-type run() :: #{results := tripod_results:results(),
                 progress := tripod_progress:progress(),
                 table := boolean(),
                 level := level(),
                 boxes := [{tripod_strategy:name(), tripod_strategy:mode()}]}.

-callback name() -> atom().
%% One line for people.
-callback description() -> unicode:chardata().
-callback cases(level(), options()) -> [scenario_case()].
-callback plan(level()) -> plan().
%% The parts of a box's floor, whose medians add up; [] when there is none.
-callback floor(scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
    [tripod_bench_task:floor_name()].
%% Floors that are measured for comparison, beside those that are part of one.
-callback more_floors(scenario_case()) -> [tripod_bench_task:floor_name()].
%% A scenario that tripod_bench_rounds cannot measure does it itself. How long that will take is to
%% be given back step by step to tripod_progress.
-callback measure(run(), [scenario_case()]) -> ok.
-callback estimate_ms(run(), [scenario_case()]) -> non_neg_integer().
-optional_callbacks([more_floors/1, measure/2, estimate_ms/2]).

%% In the order in which they run.
-spec all() -> [module()].
all() ->
    [tripod_scenario_call, tripod_scenario_payload, tripod_scenario_open_close,
     tripod_scenario_compute, tripod_scenario_alloc, tripod_scenario_preempt,
     tripod_scenario_cleanup, tripod_scenario_script, tripod_scenario_cold_start].

-spec module(atom() | binary() | string()) -> {ok, module()} | unknown.
module(Name) when is_atom(Name) ->
    case [Module || Module <- all(), Module:name() =:= Name] of
        [Module] -> {ok, Module};
        [] -> unknown
    end;
module(Name) ->
    Text = unicode:characters_to_list(Name),
    case [Module || Module <- all(), atom_to_list(Module:name()) =:= Text] of
        [Module] -> {ok, Module};
        [] -> unknown
    end.

-spec more_floors(module(), scenario_case()) -> [tripod_bench_task:floor_name()].
more_floors(Scenario, Case) ->
    case erlang:function_exported(Scenario, more_floors, 1) of
        true -> Scenario:more_floors(Case);
        false -> []
    end.

-spec measure(module(), run(), [scenario_case()]) -> ok.
measure(Scenario, Run, Cases) ->
    case erlang:function_exported(Scenario, measure, 2) of
        true -> Scenario:measure(Run, Cases);
        false -> tripod_bench_rounds:measure(Scenario, Run, Cases)
    end.

-spec estimate_ms(module(), run(), [scenario_case()]) -> non_neg_integer().
estimate_ms(Scenario, Run, Cases) ->
    case erlang:function_exported(Scenario, estimate_ms, 2) of
        true -> Scenario:estimate_ms(Run, Cases);
        false -> tripod_bench_rounds:estimate_ms(Scenario, Run, Cases)
    end.
