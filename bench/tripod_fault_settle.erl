%% SPDX-License-Identifier: Apache-2.0
%% Waits until nothing is left of a box that was lost, and says when that was. Runs inside the VM
%% that has the boxes, in a process that no fault can stall.
-module(tripod_fault_settle).

-export([baseline/1, settle/3, pause/1, serve/3]).
-export_type([baseline/0, settled/0]).

-type baseline() :: #{strategy := tripod_strategy:name(), census := tripod_strategy:census()}.
%% Times are tripod_fault_os:now_ns()'s; null: not before the deadline. `left` is what the census has
%% more than the baseline.
-type settled() :: #{gone_at := integer() | null, clean_at := integer() | null,
                     left := #{boxes := integer(), bytes := integer(), os_processes := integer()}}.

%% What is alive before the box in question is opened.
-spec baseline(tripod_strategy:name()) -> baseline().
baseline(Strategy) -> #{strategy => Strategy, census => tripod:census(Strategy)}.

-spec settle(baseline(), WantedNs :: integer(), TimeoutMs :: non_neg_integer()) -> settled().
settle(Baseline, WantedNs, TimeoutMs) ->
    poll(Baseline, null, WantedNs + TimeoutMs * 1000000).

poll(Baseline, GoneAt, Deadline) ->
    Left = left(Baseline),
    Now = tripod_fault_os:now_ns(),
    Gone = case Left of
               #{boxes := Boxes} when GoneAt =:= null, Boxes =< 0 -> Now;
               _ -> GoneAt
           end,
    case {lists:all(fun(More) -> More =< 0 end, maps:values(Left)), Now > Deadline} of
        {true, _} -> #{gone_at => Gone, clean_at => Now, left => Left};
        {false, true} -> #{gone_at => Gone, clean_at => null, left => Left};
        {false, false} ->
            #{census := #{os_processes := Before}} = Baseline,
            #{os_processes := More} = Left,
            ok = pause(Before + More),
            poll(Baseline, Gone, Deadline)
    end.

%% Before the next look: everybody else has a turn, no more, for a timer would hide the first
%% millisecond. But nobody is told of a process's end within a millisecond, and looking at one costs
%% system calls, without end: on two cores it would be these that the process waits for (46 ms were
%% seen).
-spec pause(OsProcesses :: non_neg_integer()) -> ok.
pause(0) ->
    true = erlang:yield(),
    ok;
pause(_) ->
    receive after 1 -> ok end.

%% Calls are not compared: bystanders make them. Nor are bytes where boxes are OS processes: what
%% those occupy changes without a call, and an ended one occupies nothing.
left(#{strategy := Strategy, census := #{boxes := Boxes, bytes := Bytes, os_processes := Programs}}) ->
    #{boxes := NowBoxes, bytes := NowBytes, os_processes := NowPrograms} = tripod:census(Strategy),
    MoreBytes = case NowPrograms + Programs of
                    0 -> NowBytes - Bytes;
                    _ -> 0
                end,
    #{boxes => NowBoxes - Boxes, bytes => MoreBytes, os_processes => NowPrograms - Programs}.

%% Opens a box in a new process, as whoever replaces an owner does. When it answered, or why not.
%% Returns when that box has gone too.
-spec serve(tripod_strategy:name(), map(), TimeoutMs :: pos_integer()) ->
          {ok, AnsweredAt :: integer()} | {error, term()}.
serve(Strategy, Options, TimeoutMs) ->
    Baseline = baseline(Strategy),
    Result = serve_and_end(Strategy, Options, TimeoutMs),
    _ = settle(Baseline, tripod_fault_os:now_ns(), TimeoutMs),
    Result.

serve_and_end(Strategy, Options, TimeoutMs) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> Caller ! {self(), answered(Strategy, Options)} end),
    receive
        {Pid, Result} ->
            %% Until it is gone, so that its own end is not taken for another's.
            receive {'DOWN', Monitor, process, Pid, _} -> Result end;
        {'DOWN', Monitor, process, Pid, Why} ->
            {error, Why}
    after TimeoutMs ->
            true = demonitor(Monitor, [flush]),
            true = exit(Pid, kill),
            {error, timeout}
    end.

answered(Strategy, Options) ->
    case tripod:open(Strategy, Options) of
        {ok, Box} ->
            Reply = tripod_lua:eval(Box, <<"return 1">>),
            AnsweredAt = tripod_fault_os:now_ns(),
            ok = tripod:close(Box),
            case Reply of
                {ok, [1]} -> {ok, AnsweredAt};
                Other -> {error, Other}
            end;
        {error, _} = Error ->
            Error
    end.
