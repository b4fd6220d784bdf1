%% SPDX-License-Identifier: Apache-2.0
%% Two nodes that can reach each other, for the tests of what happens between nodes. They need no epmd:
%% each has an address of the loopback network to itself, and one port serves both.
-module(two_nodes).

-export([start/1, at/3, kill/1, os_pid/1, name/1]).
-export_type([place/0]).

%% 1 is where boxes are, 2 is elsewhere.
-opaque place() :: #{peer := pid(), node := node(), os_pid := string()}.

-define(CALL_MS, 100000).

%% One node; both of a pair are started with the same port.
-spec start({1 | 2, inet:port_number() | any}) -> {place(), inet:port_number()}.
start({Number, any}) ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    start({Number, Port});
start({Number, Port}) ->
    Host = lists:concat(["127.0.0.", Number]),
    Paths = lists:append([["-pa", filename:absname(Path)]
                          || Path <- code:get_path(), not lists:prefix(code:root_dir(), Path)]),
    {ok, Peer, Node} =
        peer:start(#{connection => standard_io, name => list_to_atom("tripod@" ++ Host),
                     longnames => true,
                     args => ["-setcookie", "tripod", "-start_epmd", "false",
                              "-erl_epmd_port", integer_to_list(Port), "-kernel",
                              "inet_dist_use_interface",
                              lists:flatten(io_lib:format("{127,0,0,~b}", [Number]))] ++ Paths}),
    {#{peer => Peer, node => Node, os_pid => peer:call(Peer, os, getpid, [])}, Port}.

-spec name(place()) -> node().
name(#{node := Node}) -> Node.

-spec os_pid(place()) -> string().
os_pid(#{os_pid := Pid}) -> Pid.

%% Calls a function at the node.
-spec at(place(), module(), {atom(), [term()]}) -> term().
at(#{peer := Peer}, Module, {Function, Args}) -> peer:call(Peer, Module, Function, Args, ?CALL_MS).

%% Without a word to anybody, or when it is gone already.
-spec kill(place()) -> ok.
kill(#{peer := Peer, os_pid := Pid}) ->
    Monitor = monitor(process, Peer),
    _ = os:cmd("kill -KILL " ++ Pid),
    receive {'DOWN', Monitor, process, Peer, _} -> ok end.
