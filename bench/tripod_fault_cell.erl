%% SPDX-License-Identifier: Apache-2.0
%% One fault on one strategy and mode: done to a sacrificial VM, watched from outside of it, and
%% judged. Hands back the stage for the next fault.
-module(tripod_fault_cell).

-export([run/2]).

%% Longer than the longest time limit of a call that a fault makes endless, and what a strategy adds
%% to that before it gives up on a box.
-define(DEADLINE_MS, 4000).
-define(LIMITED_MS, 15000). % where another limit than time ends the call
-define(REQUEST_MS, 10000).
-define(OTHERS_MS, 3000).
-define(SLACK_MS, 2000).
-define(RUNNING_MS, 1000).

%% `not_applicable`: the boxes of this strategy are no OS processes.
-spec run(tripod_fault_kinds:fault(), tripod_fault_stage:stage()) ->
          {{ok, tripod_fault_judge:verdict()} | not_applicable
           | {not_injected, Why :: unicode:chardata()},
           {ok, tripod_fault_stage:stage()} | {error, term()}}.
run(#{class := Class} = Fault, Stage) ->
    case Class =:= program andalso not tripod_fault_stage:has_programs(Stage) of
        true ->
            {not_applicable, {ok, Stage}};
        false ->
            {Evidence, Next} = once(Fault, Stage),
            {Sure, Last} = again(Fault, Evidence, Next),
            {tripod_fault_judge:judge(Fault, Sure), Last}
    end.

once(Fault, Stage) ->
    Before = tripod_fault_stage:look(Stage),
    Seen = happen(Fault, Stage, #{injected_at => tripod_fault_os:now_ns(), stopped => false,
                                  grown => tripod_fault_stage:growth(Before, Before)}),
    tripod_fault_after:settle(Stage, Before, Seen).

%% A VM's allocators keep memory that was given back to them. What they keep is there for the next
%% time; a leak grows once more.
again(Fault, #{only_resident := true} = Evidence, {ok, Stage}) ->
    case once(Fault, Stage) of
        {#{ending := {seen, _}, leaked := Leaked}, Next} -> {Evidence#{leaked := Leaked}, Next};
        {_, Next} -> {Evidence, Next}
    end;
again(_, Evidence, Next) ->
    {Evidence, Next}.

%% Up to the point where the outcome is known.
happen(#{class := owner, name := Name}, Stage, Evidence) ->
    Rounds = tripod_fault_stage:rounds(Stage),
    case ask(Stage, {owner, Name, Rounds}, Rounds * ?REQUEST_MS) of
        {ok, #{rounds := Done} = Answer} ->
            #{left := Left} = lists:last(Done),
            ended(Answer, {rounds, Done}, Evidence#{left => Left});
        Failed -> fell(Failed, Evidence)
    end;
happen(#{call := Call} = Fault, Stage, Evidence) ->
    case ask(Stage, {prepare, Call}, 2 * ?REQUEST_MS) of
        {ok, ok} -> inject(Fault, Stage, tripod_fault_stage:look(Stage), Evidence);
        Failed -> fell(Failed, Evidence)
    end.

%% What was there before the call is what has grown after it; and who was there may be left.
inject(Fault, Stage, #{kin := Kin} = Open, Evidence) ->
    Asked = Evidence#{injected_at => tripod_fault_os:now_ns(), kin => Kin},
    case ask(Stage, inject, ?REQUEST_MS) of
        {ok, ok} -> await(Fault, Stage, Open, signalled(Fault, Stage, Open, Asked));
        Failed -> fell(Failed, Asked)
    end.

%% Sends the signal, if the fault is one, once its target is busy with the call.
signalled(#{class := program} = Fault, Stage, Open, Evidence) ->
    case tripod_fault_stage:new_programs(Stage, Open) of
        [Program] -> send(Fault, Stage, Program, Evidence);
        _ -> Evidence
    end;
signalled(#{class := vm} = Fault, Stage, _, Evidence) ->
    send(Fault, Stage, tripod_fault_stage:process(Stage), Evidence);
signalled(_, _, _, Evidence) ->
    Evidence.

send(#{signal := Signal}, Stage, Target, Evidence) ->
    _ = until(fun() -> tripod_fault_os:state(Target) =:= "R" end),
    SentAt = tripod_fault_os:now_ns(),
    ok = tripod_fault_stage:signal(Stage, Target, Signal),
    Stopped = Signal =:= "STOP" andalso until(fun() -> tripod_fault_os:state(Target) =:= "T" end),
    Evidence#{injected_at => SentAt, target => Target, stopped => Stopped}.

until(Condition) -> until(Condition, erlang:monotonic_time(millisecond) + ?RUNNING_MS).

until(Condition, Deadline) ->
    case {Condition(), erlang:monotonic_time(millisecond) < Deadline} of
        {true, _} -> true;
        {false, true} -> receive after 1 -> until(Condition, Deadline) end;
        {false, false} -> false
    end.

await(#{call := #{time_ms := TimeMs}}, Stage, Open, Evidence) ->
    Deadline = case TimeMs < ?DEADLINE_MS of
                   true -> ?DEADLINE_MS;
                   false -> ?LIMITED_MS
               end,
    case ask(Stage, {await, Deadline}, Deadline + 2 * ?REQUEST_MS) of
        {ok, {seen, Seen}} ->
            Grown = tripod_fault_stage:growth(Open, tripod_fault_stage:look(Stage)),
            close(Stage, Seen, Evidence#{grown => Grown});
        {ok, hang} ->
            hang(Stage, Evidence);
        Failed ->
            fell(Failed, Evidence)
    end.

close(Stage, Seen, Evidence) ->
    case ask(Stage, finish, ?REQUEST_MS) of
        {ok, #{left := Left} = Answer} -> ended(Answer, {seen, Seen}, Evidence#{left => Left});
        Failed -> fell(Failed, Evidence)
    end.

%% The owner still waits. Does the VM still answer others?
hang(Stage, Evidence) ->
    case ask(Stage, others, ?OTHERS_MS) of
        {ok, Answer} -> ended(Answer, hang, Evidence);
        {error, lost} -> fell({error, lost}, Evidence);
        {error, _} -> Evidence#{ending => stuck}
    end.

ended(Answer, Ending, Evidence) ->
    maps:merge(Evidence#{ending => Ending}, maps:with([pause_ns, other_boxes], Answer)).

fell({error, lost}, Evidence) -> Evidence#{ending => lost, learned_at => tripod_fault_os:now_ns()};
fell({error, timeout}, Evidence) -> Evidence#{ending => stuck};
fell({error, {failed, Why}}, Evidence) -> Evidence#{ending => {failed, Why}};
fell({ok, Why}, Evidence) -> Evidence#{ending => {failed, Why}}.

ask(Stage, Request, TimeoutMs) ->
    tripod_fault_stage:call(Stage, tripod_fault_scene, request, [Request, TimeoutMs],
                            TimeoutMs + ?SLACK_MS).
