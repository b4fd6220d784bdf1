%% SPDX-License-Identifier: Apache-2.0
%% Many owners that are killed at once.
-module(owner_crowd).

-export([die/2, die/3, bearable/2]).

-define(DEADLINE_MS, 120000).
%% A small port program's own pages and what the kernel keeps for it: 0.3 MiB and about as much.
-define(PROGRAM_BYTES, (1 bsl 20)).
%% Its two pipes. The guard opens a file for those that it is to kill, one after another.
-define(PROGRAM_FILES, 2).
-define(OTHER_FILES, 100).

-spec die(list(), pos_integer()) -> ok.
die(Config, Number) ->
    Number = die(Config, Number, infinity),
    ok.

%% They are killed as fast as signals can be sent. Nothing of theirs is left. Returns how many there
%% were: fewer when opening them took longer than Ms.
-spec die(list(), pos_integer(), timeout()) -> pos_integer().
die(Config, Most, Ms) ->
    Strategy = contract:strategy(Config),
    %% What is made only once is made now.
    {ok, [1]} = contract:with_box(Config, fun(Box) -> tripod_lua:eval(Box, "return 1") end),
    ok = contract:await_nothing_alive(),
    Before = node_traces:take(),
    Owners = owners(Config, Most, until(Ms)),
    Number = length(Owners),
    #{boxes := Number} = tripod:census(Strategy),
    lists:foreach(fun({Owner, _, _}) -> exit(Owner, kill) end, Owners),
    lists:foreach(fun({Owner, Monitor, _}) ->
        receive
            {'DOWN', Monitor, process, Owner, killed} -> ok
        after ?DEADLINE_MS ->
            error({lives, Owner})
        end
    end, Owners),
    ok = contract:await(fun() -> nothing_alive(tripod:census()) end, ?DEADLINE_MS),
    lists:foreach(fun({_, _, Box}) -> {error, closed} = tripod:info(Box) end, Owners),
    ok = node_traces:await(Before),
    Number.

until(infinity) -> infinity;
until(Ms) -> erlang:monotonic_time(millisecond) + Ms.

%% One at least. An atom is more than any number.
owners(_, 0, _) ->
    [];
owners(Config, Most, Until) ->
    Owner = contract:owner(Config, #{memory_bytes => 65536}),
    case erlang:monotonic_time(millisecond) < Until of
        true -> [Owner | owners(Config, Most - 1, Until)];
        false -> [Owner]
    end.

nothing_alive(#{boxes := 0, bytes := 0, calls := 0, os_processes := 0}) -> true;
nothing_alive(Census) -> Census.

%% How many of Wanted this machine bears, and what keeps it from more.
-spec bearable(tripod_strategy:name(), pos_integer()) -> {pos_integer(), string()}.
bearable(port_program, Wanted) ->
    lists:min([{Wanted, "all that were wanted"},
               {(limit("Max open files") - ?OTHER_FILES) div ?PROGRAM_FILES, "open files"},
               {limit("Max processes") div 2, "processes of a user"},
               {number("/proc/sys/kernel/pid_max") div 2, "process numbers"},
               {free_bytes() div 2 div ?PROGRAM_BYTES, "memory"}]);
bearable(_, Wanted) ->
    {Wanted, "all that were wanted"}.

limit(Name) ->
    {ok, Text} = file:read_file("/proc/self/limits"),
    case re:run(Text, Name ++ " +([a-z0-9]+)", [{capture, all_but_first, list}]) of
        {match, ["unlimited"]} -> 1 bsl 32;
        {match, [Limit]} -> list_to_integer(Limit)
    end.

number(File) ->
    {ok, Text} = file:read_file(File),
    binary_to_integer(string:trim(Text)).

free_bytes() ->
    {ok, Text} = file:read_file("/proc/meminfo"),
    {match, [KiB]} = re:run(Text, "MemAvailable: +([0-9]+) kB", [{capture, all_but_first, list}]),
    list_to_integer(KiB) * 1024.
