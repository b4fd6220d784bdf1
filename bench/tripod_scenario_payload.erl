%% SPDX-License-Identifier: Apache-2.0
%% Large arguments that come back unchanged: what it costs to move a value in and out, by size and
%% by kind. Through a Lua function, and through the echo service, which has no values of its own.
-module(tripod_scenario_payload).
-behaviour(tripod_scenario).

-export([name/0, description/0, cases/2, plan/1, floor/3]).

-define(KIB, 1024).
-define(MIB, (1024 * 1024)).

-spec name() -> payload.
name() -> payload.

-spec description() -> string().
description() -> "a value in and the same value out: binaries, a list, maps".

-spec cases(tripod_scenario:level(), tripod_scenario:options()) ->
          [tripod_scenario:scenario_case()].
cases(quick, _) ->
    [through(lua, Shape) || Shape <- [{binary, 16}, {binary, 64 * ?KIB}, {binary, ?MIB} | terms()]];
cases(full, _) ->
    Binaries = [{binary, Bytes} || Bytes <- [16, 256, 4 * ?KIB, 64 * ?KIB, ?MIB, 16 * ?MIB]],
    [through(Service, Shape) || Service <- [lua, echo], Shape <- Binaries ++ terms()].

terms() -> [{list, 10000}, {map, 1000}, {nested, 6}].

through(lua, Shape) ->
    #{params => params(lua, Shape),
      task => {lua, <<"function echo(x) return x end">>, <<"echo">>, [{shape, Shape}]},
      expected => [tripod_shape:term(Shape)],
      rivals => [luerl]};
through(echo, Shape) ->
    #{params => params(echo, Shape),
      task => {echo, {shape, Shape}},
      expected => tripod_shape:term(Shape),
      rivals => []}.

params(Service, {Kind, Size} = Shape) ->
    #{service => Service, payload => tripod_shape:text(Shape), kind => Kind, size => Size}.

-spec plan(tripod_scenario:level()) -> tripod_scenario:plan().
plan(quick) ->
    #{placements => [free], rounds => 3, rival_rounds => 3, open_ms => 20,
      visit => #{warm_ms => 4, visit_ms => 25, min => 5, max => 10000}};
plan(full) ->
    #{placements => [free, pinned], rounds => 6, rival_rounds => 2, open_ms => 50,
      visit => #{warm_ms => 20, visit_ms => 120, min => 5, max => 10000}}.

%% A binary costs two copies. A term costs the service's own representation plus building it anew
%% with the host's API.
-spec floor(tripod_scenario:scenario_case(), tripod_strategy:name(), tripod_strategy:mode()) ->
          [tripod_bench_task:floor_name()].
floor(#{params := #{kind := Kind, service := Service}}, Strategy, Mode) ->
    case {tripod_floor:family(Strategy, Mode), Kind} of
        {nif, binary} -> [nif_copy];
        {driver, binary} -> [driver_copy];
        {nif, _} -> table(Service) ++ [nif_build];
        {driver, _} -> table(Service) ++ [driver_build];
        {program, _} -> [echo_packet4];
        {unknown, _} -> []
    end.

table(lua) -> [lua_build];
table(echo) -> [].
