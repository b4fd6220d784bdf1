%% SPDX-License-Identifier: Apache-2.0
%% What the operating system says about a process, read from Linux's /proc (proc(5)).
%%
%% A process is its id together with its start time: the id alone may have been given to another
%% process meanwhile. Knows nothing of ports and boxes.
-module(tripod_port_program_os).

-export([start/1, alive/2, is_stopped/2, resident_bytes/1]).
-export_type([pid_number/0, start/0]).

-type pid_number() :: pos_integer().
%% In clock ticks since boot.
-type start() :: non_neg_integer().

%% `gone` includes a process that ended, whether or not its parent has been told: in a container whose
%% first process collects no orphans, it never is. An error says that /proc could not be read, which
%% is no news about the process.
-spec start(pid_number()) -> {ok, start()} | gone | {error, file:posix() | badarg | term()}.
start(Pid) ->
    case read(Pid, "stat") of
        {ok, Stat} -> started(Stat);
        Other -> Other
    end.

%% Fields 3 and 22. Field 2, the command's name, is in brackets and may contain anything.
started(Stat) ->
    [_, Rest] = string:split(Stat, ")", trailing),
    case string:lexemes(Rest, " ") of
        [<<State>> | _] when State =:= $Z; State =:= $X -> gone;
        Fields -> {ok, binary_to_integer(lists:nth(22 - 2, Fields))}
    end.

%% True also when /proc cannot be read: a process is gone only when that was seen.
-spec alive(pid_number(), start()) -> boolean().
alive(Pid, Start) ->
    case start(Pid) of
        {ok, Other} -> Other =:= Start;
        gone -> false;
        {error, _} -> true
    end.

%% By a signal or a debugger.
-spec is_stopped(pid_number(), start()) -> boolean().
is_stopped(Pid, Start) ->
    case read(Pid, "stat") of
        {ok, Stat} ->
            [_, <<" ", State, _/binary>>] = string:split(Stat, ")", trailing),
            (State =:= $T orelse State =:= $t) andalso started(Stat) =:= {ok, Start};
        _ ->
            false
    end.

%% 0 when it cannot be told.
-spec resident_bytes(pid_number()) -> non_neg_integer().
resident_bytes(Pid) ->
    case read(Pid, "status") of
        {ok, Status} ->
            case re:run(Status, "^VmRSS:\\s+([0-9]+) kB$", [multiline, {capture, [1], binary}]) of
                {match, [Kilobytes]} -> 1024 * binary_to_integer(Kilobytes);
                nomatch -> 0
            end;
        _ ->
            0
    end.

%% Raw, so that no other process is involved.
read(Pid, Name) ->
    case file:open(["/proc/", integer_to_list(Pid), "/", Name], [read, raw, binary]) of
        {ok, File} ->
            Result = file:read(File, 4096),
            ok = file:close(File),
            content(Result);
        {error, enoent} ->
            gone;
        {error, _} = Error ->
            Error
    end.

content({ok, _} = Content) -> Content;
content(eof) -> gone;
content({error, esrch}) -> gone;
content({error, _} = Error) -> Error.
