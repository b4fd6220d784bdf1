%% SPDX-License-Identifier: Apache-2.0
%% The floors: work that nothing can avoid, reached by the same mechanism. Opening one gives work to
%% run, as opening a box does.
-module(tripod_floor).

-export([open/2, mechanism/2, family/2, text/1]).

-type name() :: tripod_bench_task:floor_name().

%% What a call costs before any Lua runs: the parts of the floor of a strategy and mode. One that is
%% not listed has no floor.
-spec mechanism(tripod_strategy:name(), tripod_strategy:mode()) -> [name()].
mechanism(nif, yield) -> [null_nif];
mechanism(nif, inline) -> [null_nif];
mechanism(nif, dirty) -> [null_dirty_cpu];
mechanism(nif, thread) -> [null_thread];
mechanism(port_driver, inline) -> [null_command, term_to_binary];
mechanism(port_driver, async) -> [null_async];
mechanism(port_program, process) -> [echo_packet4];
mechanism(_, _) -> [].

%% Whose API builds the reply.
-spec family(tripod_strategy:name(), tripod_strategy:mode()) -> nif | driver | program | unknown.
family(nif, _) -> nif;
family(port_driver, _) -> driver;
family(port_program, _) -> program;
family(_, _) -> unknown.

%% Opens a floor; the task says which request or payload.
-spec open(name(), tripod_bench_task:task()) -> {ok, tripod_bench_task:work()}.
open(Name, {with, _, Task}) -> open(Name, Task);
open(null_nif, _) -> fresh(fun() -> tripod_floor_nif:null() end);
open(null_nif_term, Task) ->
    Request = request(Task),
    fresh(fun() -> tripod_floor_nif:null(Request) end);
open(null_dirty_cpu, Task) ->
    Request = request(Task),
    fresh(fun() -> tripod_floor_nif:null_dirty_cpu(Request) end);
open(null_dirty_io, Task) ->
    Request = request(Task),
    fresh(fun() -> tripod_floor_nif:null_dirty_io(Request) end);
open(null_thread, _) -> fresh(fun() -> tripod_floor_nif:job() end);
open(nif_copy, Task) ->
    Payload = tripod_shape:term(shape(Task)),
    fresh(fun() -> tripod_floor_nif:copy(Payload) end);
open(nif_build, Task) ->
    Shape = shape(Task),
    fresh(fun() -> tripod_floor_nif:build(Shape) end);
open(null_control, _) ->
    driver(reply, fun(Port) -> tripod_floor_driver:control(Port) end);
open(null_command, Task) ->
    Data = term_to_binary(request(Task)),
    driver(reply, fun(Port) -> tripod_floor_driver:command(Port, Data) end);
open(null_async, Task) ->
    Data = term_to_binary(request(Task)),
    driver(async, fun(Port) -> tripod_floor_driver:command(Port, Data) end);
open(driver_copy, Task) ->
    Payload = tripod_shape:term(shape(Task)),
    driver(copy, fun(Port) -> tripod_floor_driver:command(Port, Payload) end);
open(driver_build, Task) ->
    driver({build, shape(Task)}, fun(Port) -> tripod_floor_driver:command(Port, <<>>) end);
open(term_to_binary, Task) ->
    Request = request(Task),
    fresh(fun() -> term_to_binary(Request) end);
open(echo_packet2, Task) -> echo(2, Task);
open(echo_packet4, Task) -> echo(4, Task);
open(echo_spawn, _) ->
    fresh(fun() ->
                  Port = tripod_floor_echo:open(4),
                  ok = tripod_floor_echo:call(Port, ok),
                  tripod_floor_echo:close(Port)
          end);
open(lua_pcall, _) -> bare_lua(pcall);
open(lua_state, _) -> bare_lua(open);
open(lua_build, Task) -> bare_lua({build, shape(Task)});
open(idle_ticker, _) -> tripod_bench_cleanup:open_floor();
open('lua5.4', {script, File, _, Args}) -> bare_lua({script, File, Args}).

fresh(Once) -> {ok, #{once => Once, close => fun() -> ok end}}.

driver(Answer, Once) ->
    {ok, Port} = tripod_floor_driver:open(Answer),
    {ok, #{once => fun() -> Once(Port) end,
           close => fun() -> tripod_floor_driver:close(Port) end}}.

echo(Packet, Task) ->
    Port = tripod_floor_echo:open(Packet),
    Request = request(Task),
    {ok, #{once => fun() -> tripod_floor_echo:call(Port, Request) end,
           close => fun() -> tripod_floor_echo:close(Port) end}}.

bare_lua(Work) ->
    {ok, #{samples => fun(Plan) -> tripod_floor_lua:samples(Work, Plan) end}}.

%% What a box is sent for the task.
request({lua, _, Function, Args}) ->
    {call, Function, [tripod_bench_task:value(Arg) || Arg <- Args]};
request({echo, Value}) ->
    tripod_bench_task:value(Value).

shape({lua, _, _, [{shape, Shape}]}) -> Shape;
shape({echo, {shape, Shape}}) -> Shape.

%% What it is, in one line.
-spec text(name()) -> binary().
text(null_nif) -> <<"a NIF that returns an atom">>;
text(null_nif_term) -> <<"a NIF that returns its argument">>;
text(null_dirty_cpu) -> <<"a NIF that returns its argument from a dirty CPU scheduler">>;
text(null_dirty_io) -> <<"a NIF that returns its argument from a dirty IO scheduler">>;
text(null_thread) -> <<"an empty job for a thread of a NIF library's own, answered by message">>;
text(nif_copy) -> <<"a NIF that copies a binary in and out: two memcpy">>;
text(nif_build) -> <<"a NIF that builds the payload with the NIF API">>;
text(null_control) -> <<"a port_control that does nothing">>;
text(null_command) -> <<"a port_command answered with a term">>;
text(null_async) -> <<"a port_command answered with a term by way of the async pool">>;
text(driver_copy) -> <<"a port_command answered with a copy of its bytes: two memcpy">>;
text(driver_build) -> <<"a port_command answered with the payload, built with the driver API">>;
text(term_to_binary) -> <<"term_to_binary of the request">>;
text(echo_packet2) -> <<"a program that answers frames of {packet, 2} with themselves">>;
text(echo_packet4) -> <<"a program that answers frames of {packet, 4} with themselves">>;
text(echo_spawn) -> <<"starting that program, one answer, closing its port">>;
text(lua_pcall) -> <<"lua_pcall of add(1, 2) in a C loop">>;
text(lua_state) -> <<"a bare Lua state with the same libraries, opened and closed in C">>;
text(lua_build) -> <<"building the payload's table with the Lua API in C">>;
text('lua5.4') -> <<"the same script in the stock library, called from C">>;
text(idle_ticker) -> <<"the worst that a ticker is late when nobody dies">>;
text(erl) -> <<"erl that starts and halts">>.
