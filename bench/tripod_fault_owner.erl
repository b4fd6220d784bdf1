%% SPDX-License-Identifier: Apache-2.0
%% The ways in which an owner can die. Each opens a box in a new owner, ends the owner, and looks at
%% what becomes of the box, through the facade only. Runs inside the sacrificial VM, in the scene.
-module(tripod_fault_owner).

-export([names/0, round/2]).
-export_type([name/0, result/0]).

-type name() :: atom().
%% Times are tripod_fault_os:now_ns()'s. `problem`: why this was not the fault that it was to be.
-type result() :: #{problem := none | unicode:chardata(), killed_at := integer(),
                    learned := term(), gone_at := integer() | null, clean_at := integer() | null,
                    left := map(), served_at := integer() | null}.

-record(owner, {pid :: pid(), monitor :: reference(), baseline :: tripod_fault_settle:baseline()}).

-define(PATIENCE_MS, 10000).
-define(SETTLE_MS, 5000).
%% The limit of the call that an owner is killed in. In an inline mode its death waits for that.
-define(CALL_MS, 300).
%% So long must the call have been seen running, and the owner must not have come back from it.
-define(RUNNING_MS, 20).

-spec names() -> [name(), ...].
names() ->
    [normal, shutdown, kill, linked_death, trapped_exit, hibernated, mid_call, leaked_handle,
     close_race].

-spec round(name(), tripod_fault_scene:spec()) -> result().
round(normal, Spec) ->
    Owner = open(Spec, fun(_) -> receive leave -> ok end end),
    ended(Owner, Spec, normal, fun() -> Owner#owner.pid ! leave end);
round(shutdown, Spec) ->
    Owner = open(Spec, fun(_) -> wait() end),
    ended(Owner, Spec, shutdown, fun() -> exit(Owner#owner.pid, shutdown) end);
round(kill, Spec) ->
    Owner = open(Spec, fun(_) -> wait() end),
    ended(Owner, Spec, killed, fun() -> exit(Owner#owner.pid, kill) end);
round(linked_death, Spec) ->
    Partner = spawn(fun wait/0),
    Owner = open(Spec, fun(_) -> true = link(Partner), linked(Partner) end),
    ok = confirmed(Owner, linked),
    ended(Owner, Spec, partner_died, fun() -> exit(Partner, partner_died) end);
round(trapped_exit, Spec) ->
    Owner = open(Spec, fun(_) ->
                               _ = process_flag(trap_exit, true),
                               trapping()
                       end),
    ok = confirmed(Owner, trapping),
    ended(Owner, Spec, {trapped, shutdown}, fun() -> exit(Owner#owner.pid, shutdown) end);
round(hibernated, Spec) ->
    Owner = open(Spec, fun(_) -> erlang:hibernate(erlang, apply, [fun wait/0, []]) end),
    ok = until(fun() ->
                       process_info(Owner#owner.pid, current_function)
                           =:= {current_function, {erlang, hibernate, 3}}
               end),
    ended(Owner, Spec, killed, fun() -> exit(Owner#owner.pid, kill) end);
round(mid_call, Spec) ->
    Scene = self(),
    Owner = open(Spec, fun(Box) ->
                               receive call -> ok end,
                               Reply = tripod:call(Box, {eval, <<"while true do end">>, []},
                                                   #{time_ms => ?CALL_MS}),
                               Scene ! {self(), {returned, Reply}},
                               wait()
                       end),
    #owner{pid = Pid} = Owner,
    Pid ! call,
    case running(Owner, Spec) of
        ok -> ended(Owner, Spec, killed, fun() -> exit(Pid, kill) end);
        {error, Problem} -> (ended(Owner, Spec, killed, fun() -> exit(Pid, kill) end))#{problem := Problem}
    end;
round(leaked_handle, Spec) ->
    Holder = spawn_link(fun holder/0),
    Owner = open(Spec, fun(Box) ->
                               Holder ! {hold, Box},
                               wait()
                       end),
    Before = probe(Holder),
    Ended = ended(Owner, Spec, killed, fun() -> exit(Owner#owner.pid, kill) end),
    After = probe(Holder),
    true = unlink(Holder),
    true = exit(Holder, kill),
    Problem = case Before of
                  {error, not_owner} -> maps:get(problem, Ended);
                  _ -> io_lib:format("before the death, the other process got ~tp", [Before])
              end,
    Ended#{learned := After, problem := Problem};
round(close_race, Spec) ->
    Scene = self(),
    Owner = open(Spec, fun(Box) ->
                               Scene ! {self(), {box, Box}},
                               wait()
                       end),
    #owner{pid = Pid} = Owner,
    Box = receive {Pid, {box, Opened}} -> Opened end,
    Start = atomics:new(1, []),
    {Closer, Monitor} = spawn_monitor(fun() ->
                                              ok = spin(Start),
                                              ok = tripod:close(Box)
                                      end),
    ok = until(fun() -> process_info(Closer, current_function) =/= undefined end),
    Ended = ended(Owner, Spec, killed, fun() ->
                                               ok = atomics:put(Start, 1, 1),
                                               exit(Pid, kill)
                                       end),
    receive
        {'DOWN', Monitor, process, Closer, normal} -> Ended#{learned := ok};
        {'DOWN', Monitor, process, Closer, Why} ->
            Ended#{problem := io_lib:format("the closer ended with ~tp", [Why])}
    end.

%% A process that opens a box and goes on with Live; it alone has the handle.
open(#{strategy := Strategy} = Spec, Live) ->
    Baseline = tripod_fault_settle:baseline(Strategy),
    Scene = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           ok = tripod_fault_pause:stay_on(last()),
                                           {ok, Box} = tripod:open(Strategy, options(Spec)),
                                           {ok, [1]} = tripod_lua:eval(Box, <<"return 1">>),
                                           Scene ! {self(), open},
                                           Live(Box)
                                   end),
    receive
        {Pid, open} -> #owner{pid = Pid, monitor = Monitor, baseline = Baseline};
        {'DOWN', Monitor, process, Pid, Why} -> exit({did_not_open, Why})
    after ?PATIENCE_MS ->
            exit({did_not_open, timeout})
    end.

options(Spec) -> maps:with([mode, service], Spec).

last() -> erlang:system_info(schedulers_online).

wait() -> receive never -> ok end.

linked(Partner) ->
    receive {confirm, From} -> From ! {self(), {linked, Partner}} end,
    wait().

%% An exit signal does not end it: the box must live until it leaves by itself.
trapping() ->
    receive
        {confirm, From} ->
            From ! {self(), trapping},
            trapping();
        {'EXIT', _, Why} ->
            exit({trapped, Why})
    end.

%% The owner has come to the point where it waits for its death.
confirmed(#owner{pid = Pid, monitor = Monitor}, _What) ->
    Pid ! {confirm, self()},
    receive
        {Pid, _} -> ok;
        {'DOWN', Monitor, process, Pid, Why} -> exit({owner_died, Why})
    end.

%% Ends the owner and follows what is left of it.
ended(#owner{pid = Pid, monitor = Monitor, baseline = Baseline}, #{strategy := Strategy} = Spec,
      Expected, End) ->
    KilledAt = tripod_fault_os:now_ns(),
    _ = End(),
    Settled = tripod_fault_settle:settle(Baseline, KilledAt, ?SETTLE_MS),
    Problem = receive
                  {'DOWN', Monitor, process, Pid, Expected} -> none;
                  {'DOWN', Monitor, process, Pid, Other} ->
                      io_lib:format("the owner died of ~tp", [Other])
              after ?PATIENCE_MS -> "the owner did not die"
              end,
    ServedAt = case tripod_fault_settle:serve(Strategy, options(Spec), ?PATIENCE_MS) of
                   {ok, At} -> At;
                   {error, _} -> null
               end,
    Settled#{problem => Problem, killed_at => KilledAt, learned => none, served_at => ServedAt}.

%% The census shows a call longer than the bystander's ever last, and the owner is still in it.
running(#owner{pid = Pid}, #{strategy := Strategy}) ->
    running(Pid, Strategy, now_ms(), now_ms() + ?CALL_MS div 2).

running(Pid, Strategy, Since, Deadline) ->
    Now = now_ms(),
    case tripod:census(Strategy) of
        #{calls := Calls} when Calls > 0, Now - Since >= ?RUNNING_MS ->
            receive
                {Pid, {returned, Reply}} ->
                    {error, io_lib:format("the call had ended already: ~tp", [Reply])}
            after 0 -> ok
            end;
        #{calls := 0} when Now > Deadline ->
            {error, "the call was not seen running"};
        #{calls := 0} ->
            true = erlang:yield(),
            running(Pid, Strategy, now_ms(), Deadline);
        _ ->
            true = erlang:yield(),
            running(Pid, Strategy, Since, Deadline)
    end.

%% Somebody else who has the handle, and uses it.
holder() ->
    receive {hold, Box} -> holder(Box) end.

holder(Box) ->
    receive {probe, From} -> From ! {self(), tripod_lua:eval(Box, <<"return 1">>)} end,
    holder(Box).

probe(Holder) ->
    Holder ! {probe, self()},
    receive
        {Holder, Answer} -> Answer
    after ?PATIENCE_MS ->
            timeout
    end.

spin(Start) ->
    case atomics:get(Start, 1) of
        0 -> spin(Start);
        1 -> ok
    end.

until(Condition) -> until(Condition, now_ms() + ?PATIENCE_MS).

until(Condition, Deadline) ->
    case Condition() of
        true ->
            ok;
        false ->
            now_ms() < Deadline orelse exit(timeout),
            true = erlang:yield(),
            until(Condition, Deadline)
    end.

now_ms() -> erlang:monotonic_time(millisecond).
