%% SPDX-License-Identifier: Apache-2.0
%% A shell that outlives this VM by a moment, to end what must not be left behind: a VM that is stuck
%% in C code does not notice that its standard input was closed, so somebody has to kill it however
%% this VM ends. The shell's standard input ends with this VM, or with the process that started the
%% guard; then it kills every OS process on its list and removes its directory.
%%
%% It is out of reach of the terminal's Ctrl-C, because the VM starts every port program in a session
%% of its own. It also sends the signals that are faults themselves, at the cost of a system call.
-module(tripod_fault_guard).

-export([start/0, stop/1, directory/1, watch/2, unwatch/2, signal/3]).
-export_type([guard/0]).

-record(guard, {port :: port(), directory :: file:filename()}).

-opaque guard() :: #guard{}.

%% Only numbers and names of ours are ever written to it.
-define(SCRIPT,
        "umask 077\n"
        "dir=$(mktemp -d \"${TMPDIR:-/tmp}/tripod-faults-XXXXXX\") || exit 1\n"
        "echo \"$dir\"\n"
        "pids=' '\n"
        "while read -r verb pid signal; do\n"
        "    case $verb in\n"
        "    watch) pids=\"$pids$pid \" ;;\n"
        "    unwatch) pids=\"${pids%% $pid *} ${pids#* $pid }\" ;;\n"
        "    signal) kill -\"$signal\" \"$pid\" 2>/dev/null && echo sent || echo failed ;;\n"
        "    esac\n"
        "done\n"
        "for pid in $pids; do kill -KILL \"$pid\" 2>/dev/null; done\n"
        "rm -rf \"$dir\"\n").

-define(PATIENCE_MS, 10000).

%% The guard belongs to the calling process and ends with it.
-spec start() -> {ok, guard()} | {error, term()}.
start() ->
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", ?SCRIPT]}, {line, 4096}, use_stdio, exit_status, hide]),
    case answer(Port) of
        {ok, Directory} -> {ok, #guard{port = Port, directory = Directory}};
        {error, _} = Error -> Error
    end.

answer(Port) ->
    receive
        {Port, {data, {eol, Line}}} -> {ok, Line};
        {Port, {exit_status, Status}} -> {error, {guard_ended, Status}}
    after ?PATIENCE_MS ->
            {error, guard_silent}
    end.

%% Kills what is still on the list and removes the directory.
-spec stop(guard()) -> ok.
stop(#guard{port = Port, directory = Directory}) ->
    true = port_close(Port),
    removed(Directory, erlang:monotonic_time(millisecond) + ?PATIENCE_MS).

removed(Directory, Deadline) ->
    case filelib:is_dir(Directory) andalso erlang:monotonic_time(millisecond) < Deadline of
        true -> receive after 1 -> removed(Directory, Deadline) end;
        false -> ok
    end.

%% For the files of a run; it goes when the guard goes.
-spec directory(guard()) -> file:filename().
directory(#guard{directory = Directory}) -> Directory.

-spec watch(guard(), tripod_fault_os:process()) -> ok.
watch(Guard, {Pid, _}) -> tell(Guard, "watch ~b~n", [Pid]).

%% To be called once the process is known to be gone, before its number can be given to another.
-spec unwatch(guard(), tripod_fault_os:process()) -> ok.
unwatch(Guard, {Pid, _}) -> tell(Guard, "unwatch ~b~n", [Pid]).

-spec signal(guard(), tripod_fault_os:process(), Signal :: string()) -> ok | {error, term()}.
signal(#guard{port = Port} = Guard, {Pid, _}, Signal) ->
    ok = tell(Guard, "signal ~b ~s~n", [Pid, Signal]),
    case answer(Port) of
        {ok, "sent"} -> ok;
        {ok, "failed"} -> {error, no_such_process};
        {error, _} = Error -> Error
    end.

tell(#guard{port = Port}, Format, Args) ->
    true = port_command(Port, io_lib:format(Format, Args)),
    ok.
