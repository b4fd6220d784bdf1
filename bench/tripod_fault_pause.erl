%% SPDX-License-Identifier: Apache-2.0
%% How long a VM's schedulers kept others waiting: one process on each scheduler that wants to run
%% every millisecond and writes down how late it was. Runs inside the VM that is watched.
%%
%% A ticker's own timer is late together with its process, so lateness is counted from when it should
%% have run; and one that does not run at all is late too, so reading adds what still goes on.
-module(tripod_fault_pause).

-export([start/0, reset/1, worst_ns/1, self_test/1, stay_on/1]).
-export_type([tickers/0]).

-record(tickers, {slots :: atomics:atomics_ref(), schedulers :: pos_integer()}).

-opaque tickers() :: #tickers{}.

-define(TICK_NS, 1000000).
%% Each ticker's two words: when it ran last, and how late it was at worst.
-define(LAST(Scheduler), (2 * (Scheduler) - 1)).
-define(WORST(Scheduler), (2 * (Scheduler))).
%% The known stall is at least that long, and a ticker must have seen all of it but what it would have
%% slept anyway.
-define(STALL_NS, 20000000).
-define(UNSEEN_NS, (2 * ?TICK_NS)).
-define(RECOVERY_NS, 1000000000).
-define(TRIES, 3).

%% They end with the caller.
-spec start() -> tickers().
start() ->
    Schedulers = erlang:system_info(schedulers_online),
    Tickers = #tickers{slots = atomics:new(2 * Schedulers, []), schedulers = Schedulers},
    ok = reset(Tickers),
    lists:foreach(fun(Scheduler) ->
                          on_scheduler(Scheduler, fun() -> tick(Tickers, Scheduler, now_ns()) end)
                  end, lists:seq(1, Schedulers)),
    Tickers.

on_scheduler(Scheduler, Work) ->
    spawn_link(fun() ->
                       ok = stay_on(Scheduler),
                       Work()
               end).

%% The calling process never leaves that scheduler from here on. The flag is not documented (the VM's
%% own tests place processes with it), so its name is hidden from those who check calls.
-spec stay_on(pos_integer()) -> ok.
stay_on(Scheduler) ->
    _ = erlang:process_flag(list_to_atom("scheduler"), Scheduler),
    %% It is there once it was scheduled anew.
    true = erlang:yield(),
    ok.

tick(#tickers{slots = Slots} = Tickers, Scheduler, Before) ->
    receive after 1 -> ok end,
    Now = now_ns(),
    Late = Now - Before - ?TICK_NS,
    _ = Late > atomics:get(Slots, ?WORST(Scheduler))
        andalso atomics:put(Slots, ?WORST(Scheduler), Late),
    ok = atomics:put(Slots, ?LAST(Scheduler), Now),
    tick(Tickers, Scheduler, Now).

%% Forgets what was. A tick that is under way counts in full.
-spec reset(tickers()) -> ok.
reset(#tickers{slots = Slots, schedulers = Schedulers}) ->
    Now = now_ns(),
    lists:foreach(fun(Scheduler) ->
                          case atomics:get(Slots, ?LAST(Scheduler)) of
                              0 -> atomics:put(Slots, ?LAST(Scheduler), Now);
                              _ -> ok
                          end,
                          atomics:put(Slots, ?WORST(Scheduler), 0)
                  end, lists:seq(1, Schedulers)).

%% The longest that any scheduler kept its ticker waiting since reset/1.
-spec worst_ns(tickers()) -> non_neg_integer().
worst_ns(#tickers{schedulers = Schedulers} = Tickers) ->
    lists:max([worst_ns(Tickers, Scheduler) || Scheduler <- lists:seq(1, Schedulers)]).

worst_ns(#tickers{slots = Slots}, Scheduler) ->
    Last = atomics:get(Slots, ?LAST(Scheduler)),
    lists:max([0, atomics:get(Slots, ?WORST(Scheduler)), now_ns() - Last - ?TICK_NS]).

%% Stalls each scheduler for a known time and looks whether its ticker saw it.
-spec self_test(tickers()) -> ok | {missed, #{scheduler := pos_integer(), stall_ns := integer(),
                                              seen_ns := integer()}}.
self_test(#tickers{schedulers = Schedulers} = Tickers) ->
    self_test(Tickers, factor(1 bsl 16), lists:seq(1, Schedulers), ?TRIES).

%% Missing one may be the machine's doing: whoever stalls can lose its turn between two looks at the
%% clock, and others run then. A ticker that does not work misses all.
self_test(_, _, [], _) ->
    ok;
self_test(Tickers, Factor, [Scheduler | Rest] = Schedulers, Tries) ->
    ok = reset(Tickers),
    Caller = self(),
    Staller = on_scheduler(Scheduler, fun() -> Caller ! {self(), stall(Factor)} end),
    StallNs = receive {Staller, Ns} -> Ns end,
    case recorded_ns(Tickers, Scheduler, now_ns(), now_ns() + ?RECOVERY_NS) of
        _ when StallNs < ?STALL_NS -> self_test(Tickers, longer(Factor), Schedulers, Tries);
        Seen when Seen >= StallNs - ?UNSEEN_NS -> self_test(Tickers, Factor, Rest, ?TRIES);
        _ when Tries > 1 -> self_test(Tickers, Factor, Schedulers, Tries - 1);
        Seen -> {missed, #{scheduler => Scheduler, stall_ns => StallNs, seen_ns => Seen}}
    end.

%% What the ticker itself wrote down once it ran again; 0 when it does not.
recorded_ns(#tickers{slots = Slots} = Tickers, Scheduler, After, Deadline) ->
    case {atomics:get(Slots, ?LAST(Scheduler)) > After, now_ns() > Deadline} of
        {true, _} -> atomics:get(Slots, ?WORST(Scheduler));
        {false, true} -> 0;
        {false, false} ->
            receive after 1 -> recorded_ns(Tickers, Scheduler, After, Deadline) end
    end.

%% Multiplying is one operation of the VM, however large the numbers are: nothing else runs on the
%% scheduler meanwhile, no process and no timer.
stall(Factor) ->
    Begin = now_ns(),
    Product = Factor * Factor,
    End = now_ns(),
    true = Product > Factor,
    End - Begin.

factor(Factor) ->
    case stall(Factor) >= ?STALL_NS of
        true -> Factor;
        false -> factor(longer(Factor))
    end.

longer(Factor) -> (Factor bsl (bits(Factor) div 2)) + 1.

bits(Number) -> 8 * byte_size(binary:encode_unsigned(Number)).

now_ns() -> erlang:monotonic_time(nanosecond).
