%% SPDX-License-Identifier: Apache-2.0
%% Runs a program to its end and hands back what it printed, errors too. Whatever happens to the
%% caller, to this VM or to the time limit, the program does not stay behind.
-module(tripod_os_process).

-export([run/3, run/4]).

-type result() :: {ok, Output :: binary()}
                | {error, {exit_status, 1..255, Output :: binary()} | timeout | not_found}.
-export_type([result/0]).

%% The VM kills no program when its port closes, so a shell stands between: its standard input ends
%% when the port does, however that happens, and then it kills its process group, which is its own
%% because the VM starts every port program in a session of its own.
-define(GUARD,
        "exec 3<&0 </dev/null\n"
        "\"$@\" 3<&- &\n"
        "child=$!\n"
        "{ read -r _; kill -9 0; } <&3 >/dev/null 2>&1 &\n"
        "guard=$!\n"
        "exec 3<&-\n"
        "{ wait $child; status=$?; kill -9 $guard; } 2>/dev/null\n"
        "exit $status\n").

%% Program is a path, or a name to be found in PATH.
-spec run(file:filename(), [string() | binary()], TimeoutMs :: pos_integer()) -> result().
run(Program, Args, TimeoutMs) -> run(Program, Args, TimeoutMs, []).

%% With further environment variables; false unsets one.
-spec run(file:filename(), [string() | binary()], TimeoutMs :: pos_integer(),
          [{string(), string() | false}]) -> result().
run(Program, Args, TimeoutMs, Env) ->
    case os:find_executable(Program) of
        false -> {error, not_found};
        Path -> guarded(Path, Args, TimeoutMs, Env)
    end.

guarded(Path, Args, TimeoutMs, Env) ->
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", ?GUARD, "guard", Path | Args]}, {env, Env}, binary, exit_status,
                      use_stdio, stderr_to_stdout, hide]),
    Timer = erlang:start_timer(TimeoutMs, self(), Port),
    Result = collect(Port, Timer, []),
    _ = erlang:cancel_timer(Timer),
    receive {timeout, Timer, Port} -> ok after 0 -> ok end,
    Result.

collect(Port, Timer, Output) ->
    receive
        {Port, {data, Data}} ->
            collect(Port, Timer, [Data | Output]);
        {Port, {exit_status, 0}} ->
            {ok, joined(Output)};
        {Port, {exit_status, Status}} ->
            {error, {exit_status, Status, joined(Output)}};
        {timeout, Timer, Port} ->
            true = port_close(Port),
            {error, timeout}
    end.

joined(Output) -> iolist_to_binary(lists:reverse(Output)).
