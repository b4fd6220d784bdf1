%% SPDX-License-Identifier: Apache-2.0
%% Fresh VMs to measure in, connected by their standard input and output: no distribution, and a VM
%% that ends when this one does, however this one ends.
-module(tripod_bench_node).

-export([start/1, stop/1, call/5, can_pin/0, erl_command/1, async_threads/0]).
-export_type([vm/0, placement/0]).

-record(bench_node, {peer :: pid(), os_pid :: string()}).

-opaque vm() :: #bench_node{}.
%% `pinned`: the VM and every program that it starts share one core.
-type placement() :: free | pinned.

%% Linked to the caller, which ends it by ending.
-spec start(placement()) -> {ok, vm()} | {error, term()}.
start(Placement) ->
    Options = #{connection => standard_io, wait_boot => 30000, shutdown => close,
                args => ["+A", integer_to_list(async_threads()) | code_paths()] ++ quiet(),
                exec => command(Placement)},
    case peer:start_link(Options) of
        {ok, Peer} -> {ok, #bench_node{peer = Peer, os_pid = peer:call(Peer, os, getpid, [])}};
        {ok, Peer, _} -> {ok, #bench_node{peer = Peer, os_pid = peer:call(Peer, os, getpid, [])}};
        {error, _} = Error -> Error
    end.

%% Async threads of the VMs that are measured and broken. With the one that is the default a long job
%% in the pool would hold up the connection: standard output is written there as well.
-spec async_threads() -> pos_integer().
async_threads() ->
    case erlang:system_info(thread_pool_size) of
        1 -> 8;
        Chosen -> Chosen
    end.

%% Everything that is not OTP's own, in this VM's order.
code_paths() ->
    Root = code:root_dir(),
    Own = [Dir || Dir <- code:get_path(), not lists:prefix(Root, Dir), Dir =/= "."],
    lists:append([["-pa", filename:absname(Dir)] || Dir <- lists:reverse(Own)]).

%% What goes wrong there is told here, as a check.
quiet() -> ["-kernel", "logger_level", "none"].

command(free) ->
    erl();
command(pinned) ->
    {os:find_executable("taskset"), ["-c", integer_to_list(last_core()), erl()]}.

%% A command line that runs erl with this VM's code and these arguments, detached from any input.
-spec erl_command([string()]) -> [string(), ...].
erl_command(Args) -> [erl(), "-noinput", "-boot", "no_dot_erlang"] ++ code_paths() ++ Args.

erl() -> filename:join([code:root_dir(), "bin", "erl"]).

%% Whether `pinned` means anything here.
-spec can_pin() -> boolean().
can_pin() ->
    os:find_executable("taskset") =/= false andalso allowed_cores() =/= unknown.

%% The last one, because interrupts tend to go to the first.
last_core() ->
    [Last | _] = lists:reverse(string:lexemes(allowed_cores(), ",-")),
    list_to_integer(Last).

allowed_cores() ->
    case file:read_file("/proc/self/status") of
        {ok, Status} ->
            case re:run(Status, "Cpus_allowed_list:\\s*([0-9,-]+)", [{capture, [1], list}]) of
                {match, [Cores]} -> Cores;
                nomatch -> unknown
            end;
        {error, _} ->
            unknown
    end.

-spec call(vm(), module(), atom(), [term()], timeout()) ->
          {ok, term()} | {error, node_lost | timeout | {failed, term()}}.
call(#bench_node{peer = Peer}, Module, Function, Args, Timeout) ->
    try
        {ok, peer:call(Peer, Module, Function, Args, Timeout)}
    catch
        exit:{timeout, _} -> {error, timeout};
        Class:Reason -> {error, lost_or_failed(Peer, Class, Reason)}
    end.

lost_or_failed(Peer, Class, Reason) ->
    case is_process_alive(Peer) andalso peer:get_state(Peer) of
        running -> {failed, {Class, Reason}};
        _ -> node_lost
    end.

%% Also when it is stuck: then by force.
-spec stop(vm()) -> ok.
stop(#bench_node{peer = Peer, os_pid = OsPid}) ->
    try peer:stop(Peer)
    catch _:_ -> ok
    end,
    gone(OsPid, erlang:monotonic_time(millisecond) + 2000).

gone(OsPid, Deadline) ->
    case {filelib:is_dir("/proc/" ++ OsPid), erlang:monotonic_time(millisecond) < Deadline} of
        {false, _} ->
            ok;
        {true, true} ->
            receive after 2 -> gone(OsPid, Deadline) end;
        {true, false} ->
            _ = tripod_os_process:run("kill", ["-9", OsPid], 5000),
            ok
    end.
