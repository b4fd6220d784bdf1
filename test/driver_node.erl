%% SPDX-License-Identifier: Apache-2.0
%% A node for each case of the port driver's suites: its census begins at zero, and a crash of the
%% VM is one failed case. And what the cases ask in it.
-module(driver_node).

-include("../port_driver/tripod_port_driver.hrl").

-export([start/2, start/3, stop/1, in_node/2, run/1]).
-export([open/0, open/1, owner/0, owner/1, port/1, box_ports/0, switchboards/0, driver_users/0,
         known/1, kill/1, no_boxes/0, driver_blocks/0]).

-define(CONFIG, [{strategy, port_driver}, {mode, inline}]).

start(Env, Config) -> start(Env, [], Config).

%% With arguments for the VM.
start(Env, Args, Config) ->
    Paths = [["-pa", filename:absname(Path)] || Path <- code:get_path(),
                                                not lists:prefix(code:root_dir(), Path)],
    {ok, Node, _} = peer:start_link(#{connection => standard_io, args => Args ++ lists:append(Paths),
                                      env => Env}),
    [{node, Node} | Config].

stop(Config) -> peer:stop(proplists:get_value(node, Config)).

in_node(Config, Fun) ->
    peer:call(proplists:get_value(node, Config), ?MODULE, run, [Fun], 100_000).

run(Fun) ->
    {ok, _} = application:ensure_all_started(tripod),
    Fun().

%% What follows is called in the case's node.

open() -> open(#{service => echo}).

open(Options) -> contract:open(?CONFIG, Options).

%% As contract:owner/2.
owner() -> owner(#{service => echo}).

owner(Options) -> contract:owner(?CONFIG, Options).

%% The box's port, as the room's handle has it.
port(Box) -> element(2, element(3, Box)).

box_ports() ->
    [Port || Port <- erlang:ports(), erlang:port_info(Port, name) =:= {name, ?DRIVER}].

switchboards() ->
    [Port || Port <- erlang:ports(),
             erlang:port_info(Port, name) =:= {name, ?DRIVER " switchboard"}].

%% Processes that keep the driver loaded, if it is loaded.
driver_users() ->
    [{users, length(Users)} || {?DRIVER, Info} <- erl_ddll:info(), {processes, Users} <- Info].

%% What the VM knows about a process, in a fixed order.
known(Pid) ->
    [{Item, lists:sort(Value)}
     || {Item, Value} <- process_info(Pid, [links, monitors, monitored_by, messages])].

kill(Pid) ->
    Monitor = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Monitor, process, _, _} -> ok end.

%% Blocks that drivers have allocated and not freed, by the VM's count; 0 in a VM that leaves them to
%% malloc, as one does that looks for memory errors.
driver_blocks() ->
    case erlang:system_info({allocator, driver_alloc}) of
        false ->
            0;
        Instances ->
            lists:sum([Count || {instance, _, Info} <- Instances,
                                {_, Carriers} <- Info, is_list(Carriers),
                                {blocks, Blocks} <- Carriers,
                                {driver_alloc, Figures} <- Blocks,
                                {count, Count, _, _} <- Figures])
    end.

%% The VM tells the driver of a death and everybody else in no particular order.
no_boxes() ->
    Nothing = #{boxes => 0, bytes => 0, calls => 0, os_processes => 0},
    contract:await(fun() ->
                           case tripod:census(port_driver) of
                               Nothing -> true;
                               Census -> Census
                           end
                   end).
