%% SPDX-License-Identifier: Apache-2.0
%% Calls through the external port program where they are peculiar to it: what is in flight between
%% two processes, sizes beyond one frame, artefacts that do not run, and how its process is set up.
-module(port_program_calls_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [pipelined_in_any_order, timeout_leaves_the_request, reply_received_twice,
     give_away_with_replies_pending, interrupt_while_the_port_is_busy, large_requests,
     request_beyond_memory, missing_artefact, wrong_service,
     figures].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Config.

end_per_suite(_Config) -> application:stop(tripod).

init_per_testcase(_Case, Config) ->
    ok = contract:await_nothing_alive(),
    Config.

end_per_testcase(_Case, _Config) ->
    [] = contract:mailbox(),
    contract:await_nothing_alive().

open() -> open(#{}).

open(Options) ->
    {ok, Box} = tripod:open(port_program, Options),
    Box.

pipelined_in_any_order(_Config) ->
    Box = open(#{service => echo}),
    Send = fun() -> [{N, element(2, {ok, _} = tripod:send(Box, {N, x}))} || N <- lists:seq(1, 1000)] end,
    [[{N, {ok, {N, x}}} = {N, tripod:receive_reply(Request, infinity)} || {N, Request} <- Order(Send())]
     || Order <- [fun(L) -> L end, fun lists:reverse/1, fun(L) -> lists:sort(fun({A, _}, {B, _}) -> A rem 7 =< B rem 7 end, L) end]],
    #{calls := 0} = tripod:census(port_program),
    ok = tripod:close(Box).

timeout_leaves_the_request(_Config) ->
    Box = open(),
    {ok, Request} = tripod:send(Box, {eval, <<"for i = 1, 1e7 do end return 1">>, []}),
    timeout = tripod:receive_reply(Request, 0),
    timeout = tripod:receive_reply(Request, 1),
    {ok, [2]} = tripod_lua:eval(Box, "return 2"),
    {ok, [1]} = tripod:receive_reply(Request, infinity),
    ok = tripod:close(Box).

%% A second receive must not take the box for stuck.
reply_received_twice(_Config) ->
    Box = open(),
    {ok, Request} = tripod:send(Box, {eval, <<"return 1">>, []}),
    {ok, [1]} = tripod:receive_reply(Request, infinity),
    {error, {unsupported, no_such_request}} = tripod:receive_reply(Request, infinity),
    {ok, [2]} = tripod_lua:eval(Box, "return 2"),
    ok = tripod:close(Box).

give_away_with_replies_pending(_Config) ->
    Box = open(),
    Requests = [{N, element(2, tripod:send(Box, {eval, <<"for i = 1, 1e5 do end return ...">>, [N]}))}
                || N <- lists:seq(1, 10)],
    {Heir, Monitor} = spawn_monitor(fun Loop() -> receive {do, F, R, A} -> F ! {R, A()}, Loop() end end),
    ok = tripod:give_away(Box, Heir),
    {ok, [0]} = contract:ask(Heir, fun() -> tripod_lua:eval(Box, "return 0") end),
    [{ok, [N]} = tripod:receive_reply(Request, infinity) || {N, Request} <- Requests],
    {error, not_owner} = tripod:receive_reply(element(2, hd(Requests)), infinity),
    [] = contract:ask(Heir, fun contract:mailbox/0),
    exit(Heir, kill),
    receive {'DOWN', Monitor, process, Heir, killed} -> ok end.

%% Megabytes are queued behind the endless call; the interrupt lies behind them, for as long as the
%% call may last, and must not reach a later one.
interrupt_while_the_port_is_busy(_Config) ->
    Box = open(#{time_ms => 2000}),
    {_, Process} = os_process:of_owner(self()),
    {ok, Endless} = tripod:send(Box, {eval, <<"while true do end">>, []}),
    Large = [element(2, {ok, _} = tripod:send(Box, {eval, <<"return #...">>, [binary:copy(<<0>>, 1000000)]}))
             || _ <- lists:seq(1, 8)],
    {Pid, Monitor} = spawn_monitor(fun() -> ok = tripod:interrupt(Box) end),
    {error, {limit, time}} = tripod:receive_reply(Endless, infinity),
    [{ok, [1000000]} = tripod:receive_reply(Request, infinity) || Request <- Large],
    receive {'DOWN', Monitor, process, Pid, Why} -> normal = Why end,
    {ok, [1]} = tripod_lua:eval(Box, "for i = 1, 1e6 do end return 1"),
    true = os_process:alive(Process),
    ok = tripod:close(Box).

large_requests(_Config) ->
    Box = open(#{service => echo, reply_bytes => 64 * 1024 * 1024}),
    [begin
         Binary = binary:copy(<<"0123456789abcdef">>, Size div 16),
         ?assert({ok, Binary} =:= tripod:call(Box, Binary))
     end || Size <- [4 * 1024 * 1024, 16, 48 * 1024 * 1024, 16]],
    Term = [{N, integer_to_binary(N), #{N => 1.5 * N}} || N <- lists:seq(1, 50000)],
    ?assert({ok, Term} =:= tripod:call(Box, Term)),
    ok = tripod:close(Box).

request_beyond_memory(_Config) ->
    Box = open(#{service => echo, memory_bytes => 1024 * 1024}),
    {error, {limit, memory}} = tripod:call(Box, binary:copy(<<0>>, 2 * 1024 * 1024)),
    {error, {limit, memory}} = tripod:send(Box, binary:copy(<<0>>, 2 * 1024 * 1024)),
    {ok, still_here} = tripod:call(Box, still_here),
    ok = tripod:close(Box).

%% Artefacts.

missing_artefact(Config) ->
    Dir = filename:join(?config(priv_dir, Config), "empty"),
    File = filename:join(Dir, "tripod_port_program"),
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => ["-pa" | code:get_path()],
                                 env => [{"TRIPOD_PRIV", Dir}]}),
    {ok, _} = peer:call(Peer, application, ensure_all_started, [tripod]),
    {error, {missing_artefact, File, _}} = peer:call(Peer, tripod, open, [port_program, #{}]),
    ok = filelib:ensure_dir(File),
    ok = file:write_file(File, "not a program"),
    {error, {artefact, File, eacces}} = peer:call(Peer, tripod, open, [port_program, #{}]),
    ok = file:change_mode(File, 8#755),
    {error, {artefact, File, {errno, 8}}} = peer:call(Peer, tripod, open, [port_program, #{}]),
    ok = peer:call(Peer, contract, await_nothing_alive, []),
    peer:stop(Peer).

wrong_service(_Config) ->
    {error, {unsupported, {service, no_such_service}}} = tripod:open(port_program, #{service => no_such_service}),
    ok.

figures(_Config) ->
    Box = open(),
    #{boxes := 1, os_processes := 1, calls := 0, bytes := Resident} = tripod:census(port_program),
    ?assert(Resident > 500000),
    {ok, []} = tripod_lua:eval(Box, "t = {} for i = 1, 1e6 do t[i] = i end"),
    #{bytes := Grown} = tripod:census(port_program),
    ?assert(Grown > Resident + 16000000),
    #{bytes := Held, live_bytes := Live, peak_bytes := Peak, calls := 1} = tripod:info(Box),
    ?assert(Live >= 16000000 andalso Held >= Live andalso Peak >= Held andalso Peak < 2 * Grown),
    ok = tripod:close(Box).
