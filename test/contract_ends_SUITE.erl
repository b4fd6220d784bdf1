%% SPDX-License-Identifier: Apache-2.0
%% The contract, part seven: whatever can end a box meets whatever else can, in every pair, with the box
%% idle and in a call; afterwards nothing is left. Each mode has a node of its own. TRIPOD_REPEAT says
%% how often each pair is tried.
-module(contract_ends_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([suite/0, all/0, groups/0, init_per_group/2, end_per_group/2]).
-export([idle/1, in_a_call/1]).
-export([pairs/2]).

-define(DEADLINE_MS, 30_000).
-define(SHORT_MS, 20).
-define(REPEAT, 10).
%% Of a case. Code is loaded from files, and an application that starts loads its library, so the pairs
%% with these are usually tried less.
-define(LIMIT_MS, 500_000).
-define(SLOW_REPEAT, 2).

suite() -> [{timetrap, 60_000 + contract:limit_ms(?LIMIT_MS, ?REPEAT)}].

all() -> [{group, Group} || {Group, _, _} <- groups()].

groups() -> [{Group, [], [idle, in_a_call]} || Group <- contract:groups()].

init_per_group(Group, Config) ->
    Started = nif_node:start([], [], contract:options(Group) ++ Config),
    true = unlink(?config(peer, Started)), % the process that starts a group ends
    Started.

end_per_group(_, Config) -> nif_node:stop(Config).

idle(Config) -> in_node(Config, idle).
in_a_call(Config) -> in_node(Config, in_a_call).

in_node(Config, State) ->
    Mode = [{Key, ?config(Key, Config)} || Key <- [strategy, mode]],
    peer:call(?config(peer, Config), ?MODULE, pairs, [Mode, State],
              contract:limit_ms(?LIMIT_MS, ?REPEAT)).

%% What can end a box, or seem to.
-define(ENDS, [close, death, collection, purge, stop]).

%% In the node of the group.
pairs(Config, State) ->
    ok = logger:set_primary_config(level, none), % two purges complain of each other
    ok = contract:bind(),
    [race(Config, State, One, Other)
     || One <- ?ENDS, Other <- ?ENDS, One =< Other, _ <- lists:seq(1, times([One, Other]))],
    ok.

times(Pair) ->
    contract:repetitions(case Pair -- [close, death, collection] of
                             [] -> ?REPEAT;
                             _ -> ?SLOW_REPEAT
                         end).

race(Config, State, One, Other) ->
    {ok, _} = application:ensure_all_started(tripod),
    Line = atomics:new(1, []),
    Racers = [spawn_monitor(fun() -> racer(Config, End, Line) end) || End <- [One, Other]],
    Options = options(Config),
    {Owner, Monitor} = owner(Config, Options, State, [Pid || {Pid, _} <- Racers]),
    [receive
         {'DOWN', Ref, process, Pid, Why} -> ?assertEqual(normal, Why)
     after ?DEADLINE_MS -> error({hangs, State, One, Other, process_info(Pid)})
     end || {Pid, Ref} <- Racers],
    exit(Owner, kill),
    receive
        {'DOWN', Monitor, process, Owner, _} -> ok
    after ?DEADLINE_MS -> error({lives, State, One, Other})
    end,
    {ok, _} = application:ensure_all_started(tripod), % who else would see the program's processes go
    try
        ok = await_nothing_alive(Options)
    catch
        error:Why -> error({State, One, Other, Options, Why})
    end,
    ?assertEqual({State, One, Other, []}, {State, One, Other, contract:mailbox() -- [replied()]}).

%% What is left of an owner that died in a dirty NIF, its handles too, OTP 25 leaves to the owner's
%% scheduler without waking that. Only a destructor waits for it: other boxes are closed by then.
await_nothing_alive(#{cleanup := gc}) ->
    Waker = spawn_opt(fun stay_awake/0, [contract:scheduler(last)]),
    ok = contract:await_nothing_alive(),
    true = exit(Waker, kill),
    ok;
await_nothing_alive(_) ->
    contract:await_nothing_alive().

stay_awake() -> receive after 1 -> stay_awake() end.

%% What the owner's call came to was looked at by the owner.
replied() -> {replied, fine}.

%% Nobody but the owner has the handle, and who closes.
owner(Config, Options, State, Racers) ->
    Case = self(),
    {Owner, Monitor} =
        spawn_opt(fun() -> own(contract:open(Config, Options), State, Racers, Case) end,
                  [monitor, {scheduler, erlang:system_info(schedulers)}]),
    receive
        {begins, Owner} -> ok;
        {'DOWN', Monitor, process, Owner, Why} -> error({owner_died, Why})
    after ?DEADLINE_MS -> error(does_not_begin)
    end,
    %% A short call may be over before anybody sees it.
    State =:= idle orelse maps:get(time_ms, Options) =:= ?SHORT_MS
        orelse contract:await(fun() -> calls(Config) =:= 1 end),
    [Pid ! {go, Owner} || Pid <- Racers],
    {Owner, Monitor}.

calls(Config) -> maps:get(calls, tripod:census(contract:strategy(Config))).

own(Box, State, Racers, Case) ->
    [Pid ! {box, Box} || Pid <- Racers],
    Case ! {begins, self()},
    State =:= in_a_call andalso begin Case ! {replied, judged(endless(Box))} end,
    forget().

endless(Box) -> tripod_lua:eval(Box, "while true do end").

%% The last mention of the box is behind us.
forget() ->
    receive
        {collect, From} ->
            true = garbage_collect(),
            From ! {collected, self()},
            forget()
    end.

judged({error, closed}) -> fine;
judged({error, {limit, time}}) -> fine;
judged(Other) -> Other.

%% Neither an inline call nor one of a box that only a destructor frees ends with its owner.
options(Config) ->
    Cleanup = case contract:strategy(Config) of
                  nif -> lists:nth(rand:uniform(2), [owner, gc]);
                  _ -> owner
              end,
    case Cleanup =:= gc orelse proplists:get_value(mode, Config) =:= inline of
        true -> #{cleanup => Cleanup, time_ms => ?SHORT_MS};
        false -> #{time_ms => 60_000}
    end.

racer(Config, End, Line) ->
    Box = receive {box, Given} -> Given end,
    Act = act(End, Config, Box),
    receive
        {go, Owner} ->
            ok = atomics:add(Line, 1, 1),
            both(Line),
            spin(rand:uniform(3000)),
            Act(Owner)
    end.

both(Line) ->
    case atomics:get(Line, 1) of
        2 -> ok;
        _ -> erlang:yield(), both(Line)
    end.

spin(0) -> ok;
spin(N) -> spin(N - 1).

act(close, _, Box) -> fun(_) -> ok = tripod:close(Box) end;
act(death, _, _) -> fun(Owner) -> exit(Owner, kill) end;
act(collection, _, _) -> fun collect/1;
act(purge, Config, _) -> fun(_) -> [replace(Module) || Module <- modules(Config)] end;
act(stop, _, _) -> fun(_) -> application:stop(tripod) end.

%% Unless the owner is dead, or in a call.
collect(Owner) ->
    true = garbage_collect(),
    Monitor = monitor(process, Owner),
    Owner ! {collect, self()},
    receive
        {collected, Owner} -> ok;
        {'DOWN', Monitor, process, Owner, _} -> ok
    after 50 -> ok
    end.

%% Twice, so that the code that was in use is gone. Two of these may be in each other's way.
replace(Module) ->
    [begin
         _ = code:purge(Module),
         code:load_file(Module)
     end || _ <- [1, 2]],
    code:purge(Module).

modules(Config) ->
    [tripod | case contract:strategy(Config) of
                  nif -> [tripod_nif_lib, tripod_nif];
                  port_driver -> [tripod_port_driver_loader, tripod_port_driver];
                  port_program -> [tripod_port_program_keeper, tripod_port_program_shared,
                                   tripod_port_program]
              end].
