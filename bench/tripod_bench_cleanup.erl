%% SPDX-License-Identifier: Apache-2.0
%% The work of the scenario `cleanup`: an owner is killed, over and over, and the time until nothing is
%% left of its box is a sample. Of a large box the sample is something else: the worst that a ticker on
%% any scheduler was late meanwhile.
%%
%% The one who looks on and the owner stay on schedulers of their own, so that neither waits for the
%% other's turn. Nobody else may have boxes in this VM.
-module(tripod_bench_cleanup).

-export([open/3, open_floor/0]).
-export_type([box/0]).

-type box() :: idle | mid_call | large.

-define(LARGE_BYTES, (256 * 1024 * 1024)).
%% How long a ticker is watched, with a death or without one. A box takes less to die.
-define(WINDOW_MS, 150).
-define(REST_MS, 20).
-define(PATIENCE_MS, 20000).
%% A call that was seen running for so long is in the middle.
-define(RUNNING_MS, 3).

-spec open(tripod_strategy:name(), tripod_strategy:mode(), box()) ->
          {ok, tripod_bench_task:work()} | {unsupported, unicode:chardata()}.
open(_, inline, mid_call) ->
    {unsupported, "the call runs to its end on the scheduler where its owner would die"};
open(Strategy, Mode, Box) ->
    Options = #{mode => Mode, memory_bytes => 2 * ?LARGE_BYTES, time_ms => 60000},
    work(fun() -> dying(Strategy, Options, Box) end, Box).

%% What a ticker is late when nobody dies.
-spec open_floor() -> {ok, tripod_bench_task:work()}.
open_floor() ->
    work(fun() -> {fun now_ns/0, fun(_) -> 0 end} end, large).

%% Prepare() returns two functions. The first does what is to be watched and returns when; the second
%% is told that, waits until all is over, and returns how long it took.
work(Prepare, Box) ->
    {ok, #{samples => fun(Plan) ->
                              {1, apart(fun() -> samples(Prepare, Box, Plan) end), unknown}
                      end}}.

%% In a process of its own, which takes its place on a scheduler, and its tickers, with it.
apart(Work) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> Caller ! {self(), Work()} end),
    receive
        {Pid, Result} ->
            %% Until it is gone, and its tickers with it.
            receive {'DOWN', Monitor, process, Pid, _} -> Result end;
        {'DOWN', Monitor, process, Pid, Why} ->
            exit(Why)
    end.

samples(Prepare, Box, #{visit_ms := VisitMs, min := Min, max := Max}) ->
    ok = tripod_fault_pause:stay_on(1),
    Once = once(Prepare, Box),
    samples(Once, now_ns() + VisitMs * 1000000, Min, Max, []).

samples(Once, Until, Min, Max, Taken) ->
    N = length(Taken),
    case N < Max andalso (N < Min orelse now_ns() < Until) of
        true -> samples(Once, Until, Min, Max, [Once() | Taken]);
        false -> lists:reverse(Taken)
    end.

once(Prepare, large) ->
    Tickers = tripod_fault_pause:start(),
    fun() ->
            {Event, Over} = Prepare(),
            %% A tick that the preparation made late must not count.
            receive after ?REST_MS -> ok end,
            ok = tripod_fault_pause:reset(Tickers),
            At = Event(),
            %% Whoever looks on without a pause would be what the ticker waits for.
            receive after ?WINDOW_MS -> ok end,
            WorstNs = tripod_fault_pause:worst_ns(Tickers),
            _ = Over(At),
            WorstNs
    end;
once(Prepare, _) ->
    fun() ->
            {Event, Over} = Prepare(),
            Over(Event())
    end.

dying(Strategy, Options, Box) ->
    Baseline = tripod_fault_settle:baseline(Strategy),
    {Pid, Monitor} = owner(Strategy, Options, Box),
    ok = ready(Pid, Monitor, Strategy, Box),
    {fun() ->
             KilledAt = tripod_fault_os:now_ns(),
             true = exit(Pid, kill),
             KilledAt
     end,
     fun(KilledAt) ->
             #{clean_at := CleanAt, left := Left} =
                 tripod_fault_settle:settle(Baseline, KilledAt, ?PATIENCE_MS),
             is_integer(CleanAt) orelse exit({left, Left}),
             receive {'DOWN', Monitor, process, Pid, killed} -> CleanAt - KilledAt end
     end}.

owner(Strategy, Options, Box) ->
    Caller = self(),
    spawn_monitor(fun() ->
                          ok = tripod_fault_pause:stay_on(erlang:system_info(schedulers_online)),
                          {ok, Opened} = tripod:open(Strategy, Options),
                          {ok, _} = tripod_lua:eval(Opened, filling(Box)),
                          Caller ! {self(), open},
                          live(Opened, Box)
                  end).

filling(large) ->
    io_lib:format("local text = ('x'):rep(1000) held = {} "
                  "for i = 1, ~b do held[i] = text .. i end", [?LARGE_BYTES div 1072]);
filling(_) -> "return 1".

live(Opened, mid_call) -> tripod_lua:eval(Opened, "while true do end");
live(_, _) -> receive never -> ok end.

ready(Pid, Monitor, Strategy, Box) ->
    receive
        {Pid, open} when Box =:= mid_call -> running(Strategy, none, now_ns());
        {Pid, open} -> ok;
        {'DOWN', Monitor, process, Pid, Why} -> exit({owner, Why})
    end.

running(Strategy, Since, Begin) ->
    Now = now_ns(),
    case tripod:census(Strategy) of
        #{calls := 1} when Since =:= none -> running(Strategy, Now, Begin);
        #{calls := 1} when Now - Since > ?RUNNING_MS * 1000000 -> ok;
        #{calls := 1} -> running(Strategy, Since, Begin);
        #{calls := 0} when Now - Begin > ?PATIENCE_MS * 1000000 -> exit(call_not_seen);
        #{calls := 0} -> running(Strategy, none, Begin)
    end.

now_ns() -> erlang:monotonic_time(nanosecond).
