%% SPDX-License-Identifier: Apache-2.0
%% What the operating system says about a VM and the programs it started, read from Linux's /proc
%% (proc(5)). Knows nothing of boxes, and asks no VM: a stuck one can be looked at too.
-module(tripod_fault_os).

-export([identity/1, alive/1, state/1, descendants/1, family/1, now_ns/0]).
-export_type([process/0, family/0]).

%% An id together with the start time: the id alone may have been given to another process meanwhile.
-type process() :: {Pid :: pos_integer(), Start :: non_neg_integer()}.
%% A process and everything that descends from it, added up. `bytes` is anonymous resident memory.
-type family() :: #{os_processes := pos_integer(), bytes := non_neg_integer(),
                    fds := non_neg_integer(), threads := non_neg_integer()}.

%% The clock that faults stamp their proof with: the same in all processes of a machine.
-spec now_ns() -> integer().
now_ns() -> os:system_time(nanosecond).

-spec identity(pos_integer()) -> {ok, process()} | gone.
identity(Pid) ->
    case stat(Pid) of
        {ok, _, _, Start} -> {ok, {Pid, Start}};
        gone -> gone
    end.

%% A process that ended and was not yet waited for is not alive.
-spec alive(process()) -> boolean().
alive({Pid, Start}) ->
    case stat(Pid) of
        {ok, "Z", _, _} -> false;
        {ok, "X", _, _} -> false;
        {ok, _, _, Start} -> true;
        _ -> false
    end.

%% The letter of proc(5): T is stopped, R runs, S sleeps.
-spec state(process()) -> string() | gone.
state({Pid, Start}) ->
    case stat(Pid) of
        {ok, State, _, Start} -> State;
        _ -> gone
    end.

%% Fields 3, 4 and 22; field 2, the command's name, is in brackets and may contain anything.
stat(Pid) ->
    case read(Pid, "stat") of
        {ok, Text} ->
            [_, Rest] = string:split(Text, ")", trailing),
            Fields = string:lexemes(Rest, " \n"),
            {ok, lists:nth(1, Fields), list_to_integer(lists:nth(2, Fields)),
             list_to_integer(lists:nth(20, Fields))};
        gone ->
            gone
    end.

%% Zombies are left out: nothing of them remains but the exit status.
-spec descendants(process()) -> [process()].
descendants({Pid, _}) ->
    All = [{Parent, {Child, Start}} || Child <- pids(), {ok, State, Parent, Start} <- [stat(Child)],
                                       State =/= "Z", State =/= "X"],
    below([Pid], All).

below([], _) ->
    [];
below([Parent | Parents], All) ->
    Children = [Child || {P, Child} <- All, P =:= Parent],
    Children ++ below(Parents ++ [Pid || {Pid, _} <- Children], All).

pids() ->
    {ok, Names} = file:list_dir("/proc"),
    [list_to_integer(Name) || [Digit | _] = Name <- Names, Digit >= $1, Digit =< $9].

-spec family(process()) -> family().
family(Process) ->
    Members = [Process | descendants(Process)],
    lists:foldl(fun add/2, #{os_processes => length(Members), bytes => 0, fds => 0, threads => 0},
                Members).

add({Pid, _}, #{bytes := Bytes, fds := Fds, threads := Threads} = Sum) ->
    Sum#{bytes := Bytes + anonymous_bytes(Pid), fds := Fds + entries(Pid, "fd"),
         threads := Threads + entries(Pid, "task")}.

anonymous_bytes(Pid) ->
    case read(Pid, "status") of
        {ok, Text} ->
            case re:run(Text, "^RssAnon:\\s+([0-9]+) kB", [multiline, {capture, [1], list}]) of
                {match, [KiB]} -> 1024 * list_to_integer(KiB);
                nomatch -> 0
            end;
        gone ->
            0
    end.

entries(Pid, Directory) ->
    case file:list_dir(path(Pid, Directory)) of
        {ok, Names} -> length(Names);
        {error, _} -> 0
    end.

read(Pid, Name) ->
    case file:read_file(path(Pid, Name)) of
        {ok, Text} when Text =/= <<>> -> {ok, binary_to_list(Text)};
        _ -> gone
    end.

path(Pid, Name) -> lists:concat(["/proc/", Pid, "/", Name]).
