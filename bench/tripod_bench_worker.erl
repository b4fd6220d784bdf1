%% SPDX-License-Identifier: Apache-2.0
%% Takes the samples, inside the VM that is measured. Each subject has a process of its own there,
%% which opens it, owns it, and runs it whenever its turn comes.
-module(tripod_bench_worker).

-export([start/0, open/2, sample/2, close/1]).
-export([batch/1, fingerprint/1, loose_fingerprint/1]).
-export_type([opened/0, measured/0]).

%% What the first run returned: fingerprints to compare between VMs, and a text for people. `loose`
%% ignores whether a number is an integer or a float.
-type opened() :: #{strict := binary(), loose := binary(), text := unicode:chardata()} | unknown.
%% The time of one repetition, in ns: of each sample, or of each batch's mean.
-type measured() :: #{batch := pos_integer(), values := [number(), ...]}.

-define(TABLE, tripod_bench_workers).

%% Once in each VM, before anything else.
-spec start() -> ok.
start() ->
    Caller = self(),
    Ready = make_ref(),
    _ = spawn(fun() ->
                      _ = ets:new(?TABLE, [named_table, public]),
                      Caller ! Ready,
                      receive stop -> ok end
              end),
    receive Ready -> ok end.

%% Opens the subject in a process of its own and runs it once.
-spec open(tripod_bench_task:subject(), tripod_bench_task:task()) ->
          {ok, opened()} | {unsupported, unicode:chardata()} | {error, term()}.
open(Subject, Task) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> worker(Caller, Subject, Task) end),
    receive
        {Pid, {ok, _} = Opened} ->
            true = erlang:demonitor(Monitor, [flush]),
            true = ets:insert(?TABLE, {Subject, Pid}),
            Opened;
        {Pid, {unsupported, _} = Unsupported} ->
            true = erlang:demonitor(Monitor, [flush]),
            Unsupported;
        {'DOWN', Monitor, process, Pid, Why} ->
            {error, Why}
    end.

-spec sample(tripod_bench_task:subject(), tripod_bench_task:plan()) ->
          {ok, measured()} | {error, term()}.
sample(Subject, Plan) -> ask(Subject, {sample, Plan}).

-spec close(tripod_bench_task:subject()) -> ok | {error, term()}.
close(Subject) ->
    case ask(Subject, close) of
        {ok, closed} -> ok;
        {error, _} = Error -> Error
    end.

ask(Subject, Request) ->
    case ets:lookup(?TABLE, Subject) of
        [{_, Pid}] ->
            Monitor = monitor(process, Pid),
            Pid ! {self(), Monitor, Request},
            receive
                {Monitor, Answer} ->
                    true = erlang:demonitor(Monitor, [flush]),
                    {ok, Answer};
                {'DOWN', Monitor, process, Pid, Why} ->
                    {error, Why}
            end;
        [] ->
            {error, not_open}
    end.

worker(Caller, {rival, _} = Subject, Task) ->
    try
        work(Caller, Subject, Task)
    catch
        Class:Reason ->
            Caller ! {self(), {unsupported, io_lib:format("~0tP", [{Class, Reason}, 20])}}
    end;
worker(Caller, Subject, Task) ->
    work(Caller, Subject, Task).

work(Caller, Subject, Task) ->
    case tripod_bench_task:open(Subject, Task) of
        {ok, #{once := Once} = Work} ->
            {Reply, Ns} = timed(Once),
            {Expected, Batch} = known(Once, Reply, Ns),
            Caller ! {self(), {ok, opened(Subject, Reply)}},
            serve(Work, Expected, Batch);
        {ok, #{samples := Samples} = Work} ->
            {_, _, Results} = Samples(#{warm_ms => 0, visit_ms => 1, min => 1, max => 1}),
            Caller ! {self(), {ok, opened(Subject, Results)}},
            serve(Work, varies, 1);
        {unsupported, _} = Unsupported ->
            Caller ! {self(), Unsupported}
    end.

%% What further runs must return, and how many make a sample. A script may keep a state that its
%% replies show. Work of half a second is not run again to find out.
known(_, _, Ns) when Ns > 500000000 ->
    {varies, 1};
known(Once, Reply, _) ->
    {Again, Ns} = timed(Once),
    Expected = case Again of
                   Reply -> {always, Reply};
                   _ -> varies
               end,
    case Ns < 100000 of
        true -> {Expected, batch(Once)};
        false -> {Expected, 1}
    end.

timed(Once) ->
    Begin = now_ns(),
    Reply = Once(),
    {Reply, now_ns() - Begin}.

%% Floors return what they like, except those that run the task's own Lua.
opened({floor, 'lua5.4'}, unknown) -> unknown;
opened({floor, Name}, _) when Name =/= 'lua5.4' -> unknown;
opened(_, Reply) ->
    #{strict => fingerprint(Reply), loose => loose_fingerprint(Reply),
      text => io_lib:format("~0tP", [Reply, 16])}.

%% Equal terms have equal fingerprints, in every VM of the same release.
-spec fingerprint(term()) -> binary().
fingerprint(Term) -> erlang:md5(term_to_binary(Term, [deterministic])).

-spec loose_fingerprint(term()) -> binary().
loose_fingerprint(Term) -> fingerprint(loose(Term)).

loose(Integer) when is_integer(Integer) -> float(Integer);
loose(List) when is_list(List) -> [loose(Item) || Item <- List];
loose(Map) when is_map(Map) ->
    maps:from_list([{loose(Key), loose(Value)} || {Key, Value} <- maps:to_list(Map)]);
loose(Term) -> Term.

serve(Work, Expected, Batch) ->
    receive
        {Caller, Reference, {sample, Plan}} ->
            Caller ! {Reference, visit(Work, Expected, Batch, Plan)},
            serve(Work, Expected, Batch);
        {Caller, Reference, close} ->
            _ = case Work of
                    #{close := Close} -> Close();
                    #{samples := _} -> ok
                end,
            Caller ! {Reference, closed}
    end.

visit(#{samples := Samples}, _, _, Plan) ->
    {Batch, Totals, _} = Samples(Plan),
    #{batch => Batch, values => each(Batch, Totals)};
visit(#{once := Once}, Expected, Batch,
      #{warm_ms := WarmMs, visit_ms := VisitMs, max := Max} = Plan) ->
    true = erlang:garbage_collect(),
    ok = repeat_until(Once, Batch, now_ns() + WarmMs * 1000000),
    %% Outside the heap, so that taking samples does not change how often it is collected.
    Store = atomics:new(Max, [{signed, false}]),
    Until = now_ns() + VisitMs * 1000000,
    {N, Last} = fill(Once, Batch, Store, 0, Plan, Until),
    %% Still the same work: not, say, a box that has begun to answer something else.
    case Expected of
        {always, Last} -> ok;
        {always, _} -> exit({reply_changed, io_lib:format("~0tP", [Last, 16])});
        varies -> ok
    end,
    #{batch => Batch, values => each(Batch, [atomics:get(Store, I) || I <- lists:seq(1, N)])}.

repeat_until(Once, Batch, Until) ->
    case now_ns() < Until of
        true ->
            _ = repeat(Batch, Once),
            repeat_until(Once, Batch, Until);
        false ->
            ok
    end.

fill(Once, Batch, Store, N, #{min := Min, max := Max} = Plan, Until) ->
    Begin = now_ns(),
    Reply = repeat(Batch, Once),
    End = now_ns(),
    ok = atomics:put(Store, N + 1, End - Begin),
    case N + 1 < Max andalso (End < Until orelse N + 1 < Min) of
        true -> fill(Once, Batch, Store, N + 1, Plan, Until);
        false -> {N + 1, Reply}
    end.

repeat(1, Once) -> Once();
repeat(N, Once) ->
    _ = Once(),
    repeat(N - 1, Once).

%% How many repetitions make one sample: work under a microsecond is lost in the cost of reading the
%% clock.
-spec batch(fun(() -> term())) -> pos_integer().
batch(Once) ->
    case lists:min([Ns || _ <- lists:seq(1, 50), {_, Ns} <- [timed(Once)]]) < 1000 of
        true -> 100;
        false -> 1
    end.

each(1, Totals) -> Totals;
each(Batch, Totals) -> [round(100 * Total / Batch) / 100 || Total <- Totals].

now_ns() -> erlang:monotonic_time(nanosecond).
