%% SPDX-License-Identifier: Apache-2.0
%% Sacrificial VMs: connected by their standard input and output, each in a guard's care. What became
%% of one is told by the operating system: its exit status, and which of its processes are left.
-module(tripod_fault_node).

-export([start/2, stop/1, call/5, process/1, status/1, await_gone/2, kill/1, quiet/1]).
-export_type([vm/0, status/0]).

-record(fault_node, {peer :: pid(),
                     process :: tripod_fault_os:process(),
                     guard :: tripod_fault_guard:guard(),
                     files :: file:filename()}).

-opaque vm() :: #fault_node{}.
%% What the VM's parent saw: it called exit, or a signal ended it.
-type status() :: {exit, 0..127} | {signal, pos_integer()} | unknown.

-define(BOOT_MS, 30000).
-define(KILL_MS, 10000).

%% A shell waits for the VM, because `peer` keeps the exit status to itself. No core file, no crash
%% dump; what the VM says on standard error goes to a file.
-define(SCRIPT,
        "files=$1\n"
        "shift\n"
        "exec 2>\"$files.stderr\"\n"
        "ulimit -c 0\n"
        "\"$@\"\n"
        "status=$?\n"
        "echo $status >\"$files.part\" && mv \"$files.part\" \"$files.status\"\n"
        "exit $status\n").

%% Env is what the VM and its programs find in their environment. Linked to the caller.
-spec start(tripod_fault_guard:guard(), [{string(), string()}]) -> {ok, vm()} | {error, term()}.
start(Guard, Env) ->
    Files = filename:join(tripod_fault_guard:directory(Guard),
                          "vm" ++ integer_to_list(erlang:unique_integer([positive]))),
    Options = #{connection => standard_io, wait_boot => ?BOOT_MS, shutdown => close,
                args => threads() ++ code_paths() ++ ["-kernel", "logger_level", "none"],
                env => [{"ERL_CRASH_DUMP", "/dev/null"}, {"ERL_CRASH_DUMP_SECONDS", "0"} | Env],
                exec => {"/bin/sh", ["-c", ?SCRIPT, "fault-vm", Files, erl()]}},
    try peer:start_link(Options) of
        {ok, Peer} -> started(Guard, Files, Peer);
        {ok, Peer, _} -> started(Guard, Files, Peer);
        {error, _} = Error -> Error
    catch
        exit:Why -> {error, Why}
    end.

%% Two schedulers at least, as threads if there is but one core: one may be stalled.
threads() ->
    Async = ["+A", integer_to_list(tripod_bench_node:async_threads())],
    case erlang:system_info(schedulers_online) of
        1 -> ["+S", "2:2" | Async];
        _ -> Async
    end.

erl() -> filename:join([code:root_dir(), "bin", "erl"]).

%% Everything that is not OTP's own, in this VM's order.
code_paths() ->
    Root = code:root_dir(),
    Own = [Dir || Dir <- code:get_path(), not lists:prefix(Root, Dir), Dir =/= "."],
    lists:append([["-pa", filename:absname(Dir)] || Dir <- lists:reverse(Own)]).

started(Guard, Files, Peer) ->
    Pid = list_to_integer(peer:call(Peer, os, getpid, [])),
    {ok, Process} = tripod_fault_os:identity(Pid),
    ok = tripod_fault_guard:watch(Guard, Process),
    {ok, #fault_node{peer = Peer, process = Process, guard = Guard, files = Files}}.

-spec process(vm()) -> tripod_fault_os:process().
process(#fault_node{process = Process}) -> Process.

-spec call(vm(), module(), atom(), [term()], TimeoutMs :: pos_integer()) ->
          {ok, term()} | {error, lost | timeout | {failed, term()}}.
call(#fault_node{peer = Peer} = Vm, Module, Function, Args, Timeout) ->
    try
        {ok, peer:call(Peer, Module, Function, Args, Timeout)}
    catch
        exit:{timeout, _} -> {error, timeout};
        Class:Why:Stack -> {error, lost_or_failed(Vm, {Class, Why, Stack})}
    end.

%% The connection breaks before the process that holds it has ended.
lost_or_failed(#fault_node{peer = Peer, process = Process}, Failure) ->
    case is_process_alive(Peer) andalso tripod_fault_os:alive(Process) of
        true -> {failed, Failure};
        false -> lost
    end.

%% How the VM ended; unknown while it lives.
-spec status(vm()) -> status().
status(#fault_node{files = Files}) ->
    case file:read_file(Files ++ ".status") of
        {ok, Text} ->
            case binary_to_integer(string:trim(Text)) of
                Status when Status > 128 -> {signal, Status - 128};
                Status -> {exit, Status}
            end;
        {error, _} ->
            unknown
    end.

%% Waits until none of the processes is alive; returns those that still are after that time.
-spec await_gone([tripod_fault_os:process()], TimeoutMs :: non_neg_integer()) ->
          [tripod_fault_os:process()].
await_gone(Processes, TimeoutMs) ->
    await_gone_until(Processes, erlang:monotonic_time(millisecond) + TimeoutMs).

await_gone_until(Processes, Deadline) ->
    case [Process || Process <- Processes, tripod_fault_os:alive(Process)] of
        [] -> [];
        Left ->
            case erlang:monotonic_time(millisecond) < Deadline of
                true -> receive after 1 -> await_gone_until(Left, Deadline) end;
                false -> Left
            end
    end.

%% By force, as it is to be done with a VM that is stuck. Returns when its parent has seen it end.
-spec kill(vm()) -> ok.
kill(#fault_node{process = Process, guard = Guard} = Vm) ->
    _ = tripod_fault_guard:signal(Guard, Process, "KILL"),
    stop(Vm).

%% Returns when the VM is gone: it ends when its standard input does, and by force if it does not.
-spec stop(vm()) -> ok.
stop(#fault_node{peer = Peer, process = Process, guard = Guard} = Vm) ->
    try peer:stop(Peer)
    catch exit:_ -> ok
    end,
    receive {'EXIT', Peer, _} -> ok after 0 -> ok end,
    case await_gone([Process], ?KILL_MS div 4) of
        [] ->
            ok = ended(Vm, erlang:monotonic_time(millisecond) + ?KILL_MS),
            tripod_fault_guard:unwatch(Guard, Process);
        [_] ->
            kill(Vm)
    end.

%% The shell writes the status a moment after the VM ended.
ended(Vm, Deadline) ->
    case status(Vm) =:= unknown andalso erlang:monotonic_time(millisecond) < Deadline of
        true -> receive after 1 -> ended(Vm, Deadline) end;
        false -> ok
    end.

%% A VM that ends just when it is called takes the process that holds the connection with it, which
%% would be reported at length. With `true`, no end of such a process is.
-spec quiet(boolean()) -> ok.
quiet(true) ->
    case logger:add_primary_filter(?MODULE, {fun peer_ended/2, none}) of
        ok -> ok;
        {error, {already_exist, ?MODULE}} -> ok
    end;
quiet(false) ->
    case logger:remove_primary_filter(?MODULE) of
        ok -> ok;
        {error, {not_found, ?MODULE}} -> ok
    end.

peer_ended(#{msg := {report, #{label := {gen_server, terminate}, state := State}}}, _)
  when element(1, State) =:= peer_state ->
    stop;
peer_ended(#{msg := {report, #{label := {proc_lib, crash}, report := [Info | _]}}}, _) ->
    case proplists:get_value(initial_call, Info) of
        {peer, _, _} -> stop;
        _ -> ignore
    end;
peer_ended(_, _) ->
    ignore.
