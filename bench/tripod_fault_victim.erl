%% SPDX-License-Identifier: Apache-2.0
%% The box that a fault is injected into, and its owner: a process that makes the call, learns what
%% becomes of it, and does what an owner does then. Runs inside the sacrificial VM.
-module(tripod_fault_victim).

-export([open/2, inject/1, await/2, finish/1]).
-export_type([call/0, victim/0, seen/0]).

%% The call that the fault is, or that it happens in. `options` are further ones of the box.
-type call() :: #{request := term(), time_ms := pos_integer(), options := map()}.
%% What the owner saw. Times are tripod_fault_os:now_ns()'s. `usable`: the box answered another call
%% afterwards; if it did not, the owner has closed it, and waited, and opened another.
-type seen() :: #{called_at := integer(), answered_at := integer(), answer := term(),
                  usable := boolean(), served_at => integer() | null, refused => term(),
                  gone_at => integer() | null, clean_at => integer() | null, left => map()}.

-record(victim, {owner :: pid(), monitor :: reference(), spec :: tripod_fault_scene:spec(),
                 baseline :: tripod_fault_settle:baseline()}).
-opaque victim() :: #victim{}.

-define(OPEN_MS, 10000).
-define(SETTLE_MS, 5000).

-spec open(call(), tripod_fault_scene:spec()) -> {ok, victim()} | {error, term()}.
open(#{options := Further} = Call, #{strategy := Strategy} = Spec) ->
    Baseline = tripod_fault_settle:baseline(Strategy),
    Scene = self(),
    Options = maps:merge(Further, maps:with([mode, service], Spec)),
    {Owner, Monitor} = spawn_monitor(fun() ->
                                             ok = tripod_fault_pause:stay_on(last()),
                                             own(Scene, Call, Strategy, Options)
                                     end),
    Victim = #victim{owner = Owner, monitor = Monitor, spec = Spec, baseline = Baseline},
    receive
        {Owner, open} -> {ok, Victim};
        {'DOWN', Monitor, process, Owner, Why} -> {error, {did_not_open, Why}}
    after ?OPEN_MS ->
            {error, {did_not_open, timeout}}
    end.

last() -> erlang:system_info(schedulers_online).

own(Scene, #{request := Request, time_ms := TimeMs}, Strategy, Options) ->
    {ok, Box} = tripod:open(Strategy, Options),
    {ok, [1]} = works(Box),
    Scene ! {self(), open},
    receive inject -> ok end,
    CalledAt = tripod_fault_os:now_ns(),
    Scene ! {self(), calling},
    Answer = answer(fun() -> tripod:call(Box, Request, #{time_ms => TimeMs}) end),
    AnsweredAt = tripod_fault_os:now_ns(),
    Usable = works(Box) =:= {ok, [1]},
    Seen = #{called_at => CalledAt, answered_at => AnsweredAt, answer => Answer, usable => Usable},
    _ = Usable orelse tripod:close(Box),
    Scene ! {self(), {seen, Seen, tripod_fault_os:now_ns()}},
    receive finish -> tripod:close(Box) end.

works(Box) -> answer(fun() -> tripod_lua:eval(Box, <<"return 1">>) end).

%% A call that raises is an answer too, if no good one.
answer(Call) ->
    try Call()
    catch Class:Why -> {raised, Class, Why}
    end.

%% Returns when the owner is about to call.
-spec inject(victim()) -> ok | {error, term()}.
inject(#victim{owner = Owner, monitor = Monitor}) ->
    Owner ! inject,
    receive
        {Owner, calling} -> ok;
        {'DOWN', Monitor, process, Owner, Why} -> {error, Why}
    end.

%% A box that works stays open, so that what the fault left can be looked at.
-spec await(victim(), TimeoutMs :: pos_integer()) -> {seen, seen()} | hang | {error, term()}.
await(#victim{owner = Owner, monitor = Monitor} = Victim, TimeoutMs) ->
    receive
        {Owner, {seen, #{usable := true} = Seen, At}} ->
            {seen, Seen#{served_at => At}};
        {Owner, {seen, Seen, _}} ->
            Settled = settle(Victim),
            {seen, maps:merge(maps:merge(Seen, Settled), served(Victim))};
        {'DOWN', Monitor, process, Owner, Why} ->
            {error, Why}
    after TimeoutMs ->
            hang
    end.

settle(#victim{baseline = Baseline}) ->
    tripod_fault_settle:settle(Baseline, tripod_fault_os:now_ns(), ?SETTLE_MS).

served(#victim{spec = #{strategy := Strategy} = Spec}) ->
    case tripod_fault_settle:serve(Strategy, maps:with([mode, service], Spec), ?OPEN_MS) of
        {ok, At} -> #{served_at => At};
        {error, Why} -> #{served_at => null, refused => Why}
    end.

%% The owner closes its box and ends. What is left then, for good.
-spec finish(victim()) -> #{left := map()}.
finish(#victim{owner = Owner, monitor = Monitor} = Victim) ->
    Owner ! finish,
    receive {'DOWN', Monitor, process, Owner, _} -> ok end,
    maps:with([left], settle(Victim)).
