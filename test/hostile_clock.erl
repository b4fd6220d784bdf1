%% SPDX-License-Identifier: Apache-2.0
%% How late a call came back, without what the machine is to blame for.
%%
%% A call that must end at its limit is judged by the clock on the wall, and a machine with more to
%% run than it has cores makes everything late. Linux counts for every thread how long it stood
%% ready and was not run (the second figure in /proc/PID/task/TID/schedstat, see the kernel's
%% Documentation/scheduler/sched-stats.rst). The threads of this VM and of the boxes' OS processes
%% hand a call from one to the next, so what they waited in all is the most that can be excused.
-module(hostile_clock).

-export([late_us/2]).

%% A box's process may be gone at the end of the call, so a sampler reads its figures meanwhile.
-define(SAMPLE_MS, 3).

%% Runs the function; returns its result, how long it took beyond LimitMs, and how much of that the
%% threads waited for a core, both in microseconds.
-spec late_us(pos_integer(), fun(() -> Result)) -> {Result, integer(), non_neg_integer()}.
late_us(LimitMs, Run) ->
    WaitedBefore = waited_ns(["self" | boxes()]),
    {Sampler, Monitor} = spawn_monitor(fun() -> sample(boxes(), #{}) end),
    Before = erlang:monotonic_time(microsecond),
    Result = Run(),
    After = erlang:monotonic_time(microsecond),
    Sampler ! {stop, self()},
    Sampled = receive
                  {sampled, Sampler, Waited} -> Waited;
                  {'DOWN', Monitor, process, Sampler, Why} -> erlang:error(Why)
              end,
    true = erlang:demonitor(Monitor, [flush]),
    WaitedAfter = maps:merge(Sampled, waited_ns(["self" | boxes()])),
    WaitedNs = maps:fold(fun(Thread, Ns, Sum) -> Sum + Ns - maps:get(Thread, WaitedBefore, 0) end,
                         0, WaitedAfter),
    {Result, After - Before - LimitMs * 1000, max(0, WaitedNs) div 1000}.

sample([], Sampled) ->
    receive {stop, From} -> From ! {sampled, self(), Sampled} end;
sample(Boxes, Sampled) ->
    receive
        {stop, From} -> From ! {sampled, self(), Sampled}
    after ?SAMPLE_MS ->
            sample(Boxes, maps:merge(Sampled, waited_ns(Boxes)))
    end.

boxes() -> [integer_to_list(Pid) || #{os_pid := Pid} <- tripod_port_program_keeper:processes()].

waited_ns(Pids) -> maps:from_list(lists:append([threads(Pid) || Pid <- Pids])).

threads(Pid) ->
    Directory = filename:join(["/proc", Pid, "task"]),
    Names = case file:list_dir(Directory) of
                {ok, Found} -> Found;
                {error, _} -> []
            end,
    lists:append([waited(filename:join([Directory, Name, "schedstat"])) || Name <- Names]).

waited(File) ->
    case file:read_file(File) of
        {ok, Text} ->
            [_Ran, Waited, _Slices] = binary:split(string:trim(Text), <<" ">>, [global]),
            [{File, binary_to_integer(Waited)}];
        {error, _} ->
            []
    end.
