%% SPDX-License-Identifier: Apache-2.0
%% The contract, part six: owners that end at every moment, together, tied to each other or not, and
%% handles that reach whom they should not. TRIPOD_REPEAT says how often each moment is tried.
-module(contract_owners_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

-define(REPEAT, 100).
-define(DEADLINE_MS, 30000).

cases() ->
    [give_away_permutations, no_trace_is_left, leaked_handles, only_bytes_of_the_handle_are_left,
     owner_keeps_only_bytes, many_owners_die, killed_opening, killed_idle, killed_in_a_call,
     killed_between_slices, killed_in_conversion, killed_in_a_sort_callback,
     killed_in_a_handler, killed_in_an_owners_function, killed_in_line, killed_closing, killed_being_closed,
     killed_giving_away, killed_while_the_heir_dies, heir_is_killed].

suite() -> [{timetrap, contract:limit_ms(600_000, ?REPEAT)}].

closed(Box) ->
    contract:await_nothing_alive(),
    ?assertEqual({error, closed}, tripod_lua:eval(Box, "return 1")).

%% --- links and trapped exits ---

give_away_permutations(Config) ->
    ok = used_once(Config),
    Before = node_traces:take(),
    [permutation(Config, Linked, OldTraps, NewTraps, Ends)
     || Linked <- [false, true], OldTraps <- [false, true], NewTraps <- [false, true],
        Ends <- [[old], [new], [old, new], [new, old]]],
    node_traces:await(Before).

%% Whoever is linked to one who is killed ends too, unless it traps exits; the box ends with the new
%% owner, and only with it.
permutation(Config, Linked, OldTraps, NewTraps, Ends) ->
    ct:log("~tp", [{linked, Linked, traps, OldTraps, NewTraps, Ends}]),
    {Old, OldMonitor, Box} = contract:owner(Config, #{}),
    {New, NewMonitor} = contract:heir(),
    _ = contract:ask(Old, fun() -> process_flag(trap_exit, OldTraps) end),
    _ = contract:ask(New, fun() -> process_flag(trap_exit, NewTraps) end),
    _ = [contract:ask(Old, fun() -> link(New) end) || Linked],
    {ok, []} = contract:ask(Old, fun() -> tripod_lua:eval(Box, "x = 7") end),
    Before = [known(Pid, [links, monitors]) || Pid <- [Old, New]],
    ok = contract:ask(Old, fun() -> tripod:give_away(Box, New) end),
    ?assertEqual(Before, [known(Pid, [links, monitors]) || Pid <- [Old, New]]),
    Killed = fun(old) -> exit(Old, kill); (new) -> exit(New, kill) end,
    lists:foreach(Killed, Ends),
    Falls = fun(Who, Other, Traps) ->
                    lists:member(Who, Ends)
                        orelse (Linked andalso not Traps andalso lists:member(Other, Ends))
            end,
    Said = fun(Other) -> [{'EXIT', Other, killed} || Linked] end,
    NewFalls = Falls(new, old, NewTraps),
    OldFalls = Falls(old, new, OldTraps),
    %% First those that end, so that their signals have arrived at those that stay.
    _ = [killed = owner_meeting:died(Old, OldMonitor) || OldFalls],
    _ = [killed = owner_meeting:died(New, NewMonitor) || NewFalls],
    case NewFalls of
        true ->
            closed(Box);
        false ->
            {ok, [7]} = contract:ask(New, fun() -> tripod_lua:eval(Box, "return x") end),
            ?assertEqual(Said(Old), contract:ask(New, fun contract:mailbox/0)),
            killed = owner_meeting:kill({New, NewMonitor}),
            closed(Box)
    end,
    case OldFalls of
        true ->
            ok;
        false ->
            {error, closed} = contract:ask(Old, fun() -> tripod_lua:eval(Box, "return 1") end),
            ?assertEqual(Said(New), contract:ask(Old, fun contract:mailbox/0)),
            killed = owner_meeting:kill({Old, OldMonitor})
    end.

known(Pid, Items) ->
    [{Item, lists:sort(Value)} || {Item, Value} <- process_info(Pid, Items)].

%% --- traces ---

%% What the whole node knows of links and monitors is, with the new owner, what it was with the old one, but
%% that the one is in the other's place; and in the end it is what it was before.
no_trace_is_left(Config) ->
    [no_trace_is_left(Config, End)
     || End <- [fun(Owner, Box) -> ok = contract:ask(Owner, fun() -> tripod:close(Box) end) end,
                fun(_, Box) -> ok = tripod:close(Box) end,
                fun(Owner, _) -> exit(Owner, kill) end]].

no_trace_is_left(Config, End) ->
    ok = used_once(Config),
    {Old, OldMonitor} = contract:heir(),
    {New, NewMonitor} = contract:heir(),
    Before = node_traces:take(),
    Box = contract:ask(Old, fun() -> contract:open(Config) end),
    WithOld = node_traces:take(),
    WithNew = node_traces:exchanged(WithOld, Old, New),
    ?assertEqual(1, length(watchers(Old))),
    ?assertNotEqual(WithOld, WithNew),
    {ok, [1]} = contract:ask(Old, fun() -> tripod_lua:eval(Box, "return 1") end),
    [begin
         ok = contract:ask(Old, fun() -> tripod:give_away(Box, Old) end),
         ?assertEqual(WithOld, node_traces:take()),
         ok = contract:ask(Old, fun() -> tripod:give_away(Box, New) end),
         ?assertEqual(WithNew, node_traces:take()),
         {error, not_owner} = contract:ask(Old, fun() -> tripod:give_away(Box, Old) end),
         ?assertEqual(WithNew, node_traces:take()),
         ok = contract:ask(New, fun() -> tripod:give_away(Box, Old) end),
         ?assertEqual(WithOld, node_traces:take())
     end || _ <- lists:seq(1, 10)],
    {Dead, DeadMonitor} = contract:heir(),
    killed = owner_meeting:kill({Dead, DeadMonitor}),
    {error, noproc} = contract:ask(Old, fun() -> tripod:give_away(Box, Dead) end),
    ?assertEqual(WithOld, node_traces:take()),
    ?assertEqual([[], []], [contract:ask(Pid, fun contract:mailbox/0) || Pid <- [Old, New]]),
    _ = End(Old, Box),
    contract:await_nothing_alive(),
    case is_process_alive(Old) of
        true -> ok = node_traces:await(Before), killed = owner_meeting:kill({Old, OldMonitor});
        false -> killed = owner_meeting:died(Old, OldMonitor)
    end,
    ?assertEqual({monitored_by, [self()]}, process_info(New, monitored_by)),
    ?assertEqual([], contract:ask(New, fun contract:mailbox/0)),
    killed = owner_meeting:kill({New, NewMonitor}).

%% What is made only once is there: threads, a guard of processes.
used_once(Config) ->
    {ok, [1]} = contract:with_box(Config, fun(Box) -> tripod_lua:eval(Box, "return 1") end),
    contract:await_nothing_alive().

watchers(Pid) ->
    {monitored_by, By} = process_info(Pid, monitored_by),
    By -- [self()].

%% --- handles that leaked ---

leaked_handles(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    Table = ets:new(leaked, []),
    true = ets:insert(Table, {box, Box}),
    ok = persistent_term:put(?MODULE, Box),
    {Keeper, KeeperMonitor} = contract:heir(),
    true = contract:ask(Keeper, fun() -> undefined =:= put(box, Box) end),
    Bytes = term_to_binary(Box),
    Compressed = term_to_binary(Box, [compressed]),
    Uses = [fun() -> contract:ask(Keeper, fun() -> every_use(get(box)) end) end,
            fun() -> every_use(ets:lookup_element(Table, box, 2)) end,
            fun() -> every_use(persistent_term:get(?MODULE)) end,
            fun() -> every_use(binary_to_term(Bytes)) end,
            fun() -> every_use(binary_to_term(Compressed)) end],
    [?assertEqual(lists:duplicate(5, {error, not_owner}), Use()) || Use <- Uses],
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    killed = owner_meeting:kill({Owner, Monitor}),
    contract:await_nothing_alive(),
    [begin
         ?assertEqual(lists:duplicate(5, {error, closed}), Use()),
         ok = tripod:close(Box)
     end || Use <- Uses],
    true = persistent_term:erase(?MODULE),
    killed = owner_meeting:kill({Keeper, KeeperMonitor}),
    [] = contract:mailbox().

every_use(Box) ->
    ok = tripod:interrupt(Box),
    Sent = case tripod:send(Box, {eval, <<"return 1">>, []}) of
               {ok, Request} -> tripod:receive_reply(Request, ?DEADLINE_MS);
               Refused -> Refused
           end,
    [Sent, tripod:call(Box, {eval, <<"return 1">>, []}), tripod:info(Box),
     tripod:give_away(Box, self()), tripod_lua:reset(Box)].

%% Nothing but bytes keeps the handle, so that whatever it meant is garbage by now.
only_bytes_of_the_handle_are_left(Config) ->
    [bytes_are_left(Config, Options) || Options <- talking_or_not()].

talking_or_not() -> [#{}, #{functions => #{f => fun([N]) -> [N + 1] end}}].

bytes_are_left(Config, Options) ->
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        Self ! {bytes, term_to_binary(contract:open(Config, Options))}
    end),
    Bytes = receive {bytes, Made} -> Made after ?DEADLINE_MS -> error(no_box) end,
    normal = owner_meeting:died(Owner, Monitor),
    contract:await_nothing_alive(),
    Box = binary_to_term(Bytes),
    ?assertEqual(lists:duplicate(5, {error, closed}), every_use(Box)),
    ok = tripod:close(Box).

%% The box may be garbage as well, or be as good as ever.
owner_keeps_only_bytes(Config) ->
    [keeps_only_bytes(Config, Options, Source)
     || {Options, Source} <- lists:zip(talking_or_not(), ["return 2", "return f(1)"])].

keeps_only_bytes(Config, Options, Source) ->
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        Bytes = term_to_binary(contract:open(Config, Options)),
        true = garbage_collect(),
        Box = binary_to_term(Bytes),
        ok = tripod:interrupt(Box),
        Self ! {replies, [tripod_lua:eval(Box, Source) || _ <- [1, 2]]}
    end),
    receive
        {replies, [Reply, Reply]} ->
            ?assert(lists:member(Reply, [{ok, [2]}, {error, closed}])),
            normal = owner_meeting:died(Owner, Monitor);
        {'DOWN', Monitor, process, Owner, Why} ->
            error(Why)
    after ?DEADLINE_MS ->
        error(hangs)
    end,
    contract:await_nothing_alive().

%% --- all at once ---

%% Operating system processes are dear; `make soak` takes as many as there can be.
many_owners_die(Config) ->
    owner_crowd:die(Config, case contract:strategy(Config) of
                                port_program -> 100;
                                _ -> 10000
                            end).

%% --- at every moment ---

killed_opening(Config) -> killed(Config, opening).
killed_idle(Config) -> killed(Config, idle).
killed_in_a_call(Config) -> killed(Config, in_a_call).
killed_between_slices(Config) -> killed(Config, between_slices).
killed_in_conversion(Config) -> killed(Config, in_conversion).
killed_in_a_sort_callback(Config) -> killed(Config, in_a_callback).
killed_in_a_handler(Config) -> killed(Config, in_a_handler).
killed_in_an_owners_function(Config) -> killed(Config, in_an_owners_function).
killed_in_line(Config) -> killed(Config, in_line).
killed_closing(Config) -> killed(Config, closing).
killed_being_closed(Config) -> killed(Config, being_closed).
killed_giving_away(Config) -> killed(Config, giving_away).
killed_while_the_heir_dies(Config) -> killed(Config, both_die).
heir_is_killed(Config) -> killed(Config, heir_dies).

%% Owners were met there, and not only shortly before or after. `make soak` does the same, longer.
killed(Config, Phase) ->
    case owner_phases:exists(Phase, ?config(mode, Config)) of
        false ->
            ok;
        true ->
            Places = owner_trial:run(Config, Phase, #{times => repetitions()}),
            ct:log("~tp", [Places]),
            ?assertEqual(enough, owner_trial:share(Places))
    end.

repetitions() -> contract:repetitions(?REPEAT).
