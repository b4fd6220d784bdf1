%% SPDX-License-Identifier: Apache-2.0
%% Kills owners in one phase (owner_phases) over and over, and sees that nothing is alive after each
%% and that the node is as it was after all of them.
-module(owner_trial).

-export([run/3, share/1]).
-export_type([limits/0, places/0]).

%% until: the VM's monotonic time in milliseconds, after which no killing begins. done: is told now
%% and then how many owners were killed so far.
-type limits() :: #{times := pos_integer(), until => integer(),
                    done => fun((non_neg_integer()) -> term())}.
%% How often an owner was met where.
-type places() :: #{owner_phases:place() => pos_integer()}.

-define(ROUNDS, 5).
-define(AGAIN, 200).
-define(LOOKS, 100).

%% Config has the strategy and mode. Raises when something was left behind, and says what.
-spec run(list(), owner_phases:phase(), limits()) -> places().
run(Config, Phase, #{times := Times} = Limits) ->
    ok = contract:bind(),
    Noise = owner_noise:start(busy(contract:strategy(Config))),
    {Heir, Monitor} = contract:heir(),
    Kill = fun() ->
                   owner_phases:kill_at(Phase, #{config => Config, heir => {Heir, Monitor},
                                                 marks => atomics:new(2, [])})
           end,
    %% What is made only once is made now: threads, a guard of processes, buffers.
    _ = repeat(Kill, #{times => max(1, Times div 10)}, #{}),
    ok = pass(Config),
    Before = node_traces:take(),
    Blocks = node_traces:blocks(),
    Places = repeat(Kill, Limits, #{}),
    ok = pass(Config),
    ok = node_traces:await(Before),
    ok = not_grown(Kill, Blocks, killed(Places), ?ROUNDS),
    [] = contract:ask(Heir, fun contract:mailbox/0),
    true = exit(Heir, kill),
    receive {'DOWN', Monitor, process, Heir, killed} -> ok end,
    ok = owner_noise:stop(Noise),
    [] = contract:mailbox(),
    Places.

%% A program needs a processor as well.
busy(port_program) -> 2;
busy(_) -> 8.

%% Whoever opens boxes for others may still have to open one for an owner that is dead; it serves them
%% in turn, and this one after that.
pass(Config) ->
    {ok, [1]} = contract:with_box(Config, fun(Box) -> tripod_lua:eval(Box, "return 1") end),
    contract:await_nothing_alive().

%% One in a hundred is enough: what a NIF does takes a microsecond, and not every killer can take aim.
-spec share(places()) -> enough | {too_few, places()}.
share(Places) ->
    case met(Places) > 0 andalso met(Places) * 100 >= killed(Places) of
        true -> enough;
        false -> {too_few, Places}
    end.

met(Places) -> killed(maps:filter(fun(Place, _) -> owner_phases:met(Place) end, Places)).

%% A leak adds a block for each owner, or for each that was met somewhere. Others allocate too, the VM
%% frees a resource some time after its last reference is gone, and what is kept to be used again grows
%% until it is full: only a leak grows every time.
not_grown(_, _, _, 0) ->
    error(blocks_of_memory_are_left_each_time);
not_grown(Kill, Before, Killed, Rounds) ->
    Most = Before + 20 + Killed div 50,
    case settled(Most, ?LOOKS) of
        {above, Blocks} ->
            Again = killed(repeat(Kill, #{times => ?AGAIN}, #{})),
            not_grown(Kill, Blocks, Again, Rounds - 1);
        below ->
            ok
    end.

settled(Most, Looks) ->
    case node_traces:blocks() of
        Blocks when Blocks =< Most -> below;
        Blocks when Looks =:= 0 -> {above, Blocks};
        _ -> receive after 1 -> ok end, settled(Most, Looks - 1)
    end.

killed(Places) -> lists:sum(maps:values(Places)).

repeat(Kill, #{times := Times} = Limits, Places) ->
    Killed = killed(Places),
    _ = (maps:get(done, Limits, fun(_) -> ok end))(Killed),
    case is_enough(Killed, Times, Places) orelse is_over(Limits) of
        true ->
            Places;
        false ->
            Met = Kill(),
            ok = contract:await_nothing_alive(),
            repeat(Kill, Limits, lists:foldl(fun add/2, Places, Met))
    end.

%% Where few are met, by chance or because the machine has much else to do, more are tried.
is_enough(0, _, _) -> false;
is_enough(Killed, Times, _) when Killed >= 10 * Times -> true;
is_enough(Killed, Times, Places) -> Killed >= Times andalso share(Places) =:= enough.

is_over(#{until := Until}) -> erlang:monotonic_time(millisecond) > Until;
is_over(#{}) -> false.

add(Place, Places) -> maps:update_with(Place, fun(Times) -> Times + 1 end, 1, Places).
