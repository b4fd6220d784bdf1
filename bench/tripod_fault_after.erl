%% SPDX-License-Identifier: Apache-2.0
%% What a fault leaves behind, and whether the VM can be used for another one. A VM that was lost or
%% that hangs is ended for certain, with everything it started, and another takes its place.
-module(tripod_fault_after).

-export([settle/3]).

-define(GONE_MS, 5000).
-define(SETTLE_MS, 2000).
%% A VM's allocators keep some of what they got, whatever was given back to them: growth of resident
%% memory counts from here on. What the census counts, counts from the first byte.
-define(KEPT_BYTES, (16 * 1024 * 1024)).

-type seen() :: #{ending := term(), atom() => term()}.

-spec settle(tripod_fault_stage:stage(), tripod_fault_stage:look(), seen()) ->
          {tripod_fault_judge:evidence(), {ok, tripod_fault_stage:stage()} | {error, term()}}.
settle(Stage, Before, #{ending := Ending} = Seen) when not is_tuple(Ending); element(1, Ending) =:= failed ->
    ended(Stage, Seen, known(Stage, Before, Seen));
settle(Stage, Before, Seen) ->
    Left = maps:get(left, Seen, #{}),
    Leaked = await_growth(Stage, Before, Left, erlang:monotonic_time(millisecond) + ?SETTLE_MS),
    Known = known(Stage, Before, Seen),
    Evidence = Known#{leaked => Leaked, target_gone => target_gone(Known, Stage),
                      only_resident => only_resident(Leaked, Left)},
    %% The same VM again, even if its memory has grown: whether that goes on is the question then.
    case clean(Leaked#{bytes := maps:get(bytes, Left, 0)}) andalso clean(Left) of
        true ->
            {Evidence, {ok, Stage}};
        false ->
            ok = tripod_fault_stage:close(Stage),
            {Evidence, tripod_fault_stage:open(tripod_fault_stage:setting(Stage))}
    end.

clean(Leaked) -> lists:all(fun(More) -> More =< 0 end, maps:values(Leaked)).

%% Nothing but resident memory has grown, and the census knows nothing of it.
only_resident(#{bytes := Bytes} = Leaked, Left) ->
    Bytes > 0 andalso clean(Leaked#{bytes := maps:get(bytes, Left, 0)}).

known(Stage, #{marks := Marks, kin := Kin}, Seen) ->
    #{scene := #{healthy := Healthy}} = tripod_fault_stage:setting(Stage),
    maps:merge(#{kin => Kin, proof => lists:nthtail(Marks, tripod_fault_stage:proof(Stage)),
                 healthy => Healthy + 1},
               Seen).

%% Looks until nothing has grown, or for as long as it takes to believe that it stays so.
await_growth(Stage, Before, Left, Deadline) ->
    Grown = leaked(tripod_fault_stage:growth(Before, tripod_fault_stage:look(Stage)), Left),
    case {clean(Grown), erlang:monotonic_time(millisecond) < Deadline} of
        {true, _} -> Grown;
        {false, true} -> receive after 10 -> await_growth(Stage, Before, Left, Deadline) end;
        {false, false} -> Grown
    end.

leaked(#{bytes := Bytes} = Grown, Left) ->
    Resident = case Bytes > ?KEPT_BYTES of
                   true -> Bytes;
                   false -> 0
               end,
    Grown#{bytes := lists:max([0, Resident, maps:get(bytes, Left, 0)])}.

%% Whoever left proof or got the signal.
target_gone(#{target := Target}, _) ->
    not tripod_fault_os:alive(Target);
target_gone(#{proof := [#{pid := Pid}], kin := Kin}, Stage) ->
    case lists:keyfind(Pid, 1, [tripod_fault_stage:process(Stage) | Kin]) of
        false -> false;
        Process -> not tripod_fault_os:alive(Process)
    end;
target_gone(_, _) ->
    false.

%% By force if need be; nothing that the VM started may be left.
ended(Stage, #{ending := Ending}, #{kin := Kin} = Known) ->
    Vm = tripod_fault_stage:vm(Stage),
    Ended = case Ending of
                lost -> ok;
                _ -> tripod_fault_node:kill(Vm)
            end,
    Left = tripod_fault_node:await_gone([tripod_fault_stage:process(Stage) | Kin], ?GONE_MS),
    CleanAt = tripod_fault_os:now_ns(),
    ok = lists:foreach(fun(Process) -> tripod_fault_stage:signal(Stage, Process, "KILL") end, Left),
    ok = Ended,
    ok = tripod_fault_node:stop(Vm),
    Status = tripod_fault_node:status(Vm),
    Evidence = Known#{ending := ending(Ending, Status),
                      clean_at => case Left of [] -> CleanAt; _ -> null end,
                      leaked => #{bytes => 0, fds => 0, threads => 0, os_processes => length(Left)}},
    Gone = Evidence#{target_gone => target_gone(Known, Stage)},
    case tripod_fault_stage:reopen(tripod_fault_stage:setting(Stage)) of
        {ok, Next, ServedAt} -> {Gone#{served_at => ServedAt}, {ok, Next}};
        {error, _} = Error -> {Gone#{served_at => null}, Error}
    end.

ending(lost, Status) -> {lost, Status};
ending(Other, _) -> Other.
