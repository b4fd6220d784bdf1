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
     many_owners_die, very_many_owners_die, killed_opening, killed_idle, killed_in_a_call,
     killed_in_conversion, killed_in_a_sort_callback, killed_in_an_owners_function,
     killed_giving_away, killed_while_the_heir_dies, killed_closing].

suite() -> [{timetrap, {minutes, 10}}].

is_program(Config) -> contract:strategy(Config) =:= port_program.

repeat(Action) ->
    Times = case os:getenv("TRIPOD_REPEAT") of
                false -> ?REPEAT;
                Text -> list_to_integer(Text)
            end,
    lists:foreach(fun(_) -> Action() end, lists:seq(1, Times)).

died(Pid, Monitor) ->
    receive
        {'DOWN', Monitor, process, Pid, Why} -> Why
    after ?DEADLINE_MS ->
        error({lives, Pid})
    end.

kill(Pid, Monitor) ->
    exit(Pid, kill),
    died(Pid, Monitor).

closed(Box) ->
    contract:await_nothing_alive(),
    ?assertEqual({error, closed}, tripod_lua:eval(Box, "return 1")).

%% --- links and trapped exits ---

give_away_permutations(Config) ->
    [permutation(Config, Linked, OldTraps, NewTraps, Ends)
     || Linked <- [false, true], OldTraps <- [false, true], NewTraps <- [false, true],
        Ends <- [[old], [new], [old, new], [new, old]]].

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
    _ = [killed = died(Old, OldMonitor) || OldFalls],
    _ = [killed = died(New, NewMonitor) || NewFalls],
    case NewFalls of
        true ->
            closed(Box);
        false ->
            {ok, [7]} = contract:ask(New, fun() -> tripod_lua:eval(Box, "return x") end),
            ?assertEqual(Said(Old), contract:ask(New, fun contract:mailbox/0)),
            killed = kill(New, NewMonitor),
            closed(Box)
    end,
    case OldFalls of
        true ->
            ok;
        false ->
            {error, closed} = contract:ask(Old, fun() -> tripod_lua:eval(Box, "return 1") end),
            ?assertEqual(Said(New), contract:ask(Old, fun contract:mailbox/0)),
            killed = kill(Old, OldMonitor)
    end.

known(Pid, Items) ->
    [{Item, lists:sort(Value)} || {Item, Value} <- process_info(Pid, Items)].

%% --- traces ---

%% At any time one thing at most watches the owner, nothing watches who is not, and no process or
%% port is linked to either.
no_trace_is_left(Config) ->
    {Old, OldMonitor} = contract:heir(),
    {New, NewMonitor} = contract:heir(),
    Items = [links, monitors, monitored_by],
    Before = [known(Pid, Items) || Pid <- [Old, New]],
    Ports = erlang:ports(),
    Box = contract:ask(Old, fun() -> contract:open(Config) end),
    OurPorts = erlang:ports() -- Ports,
    Trace = fun(Owner, Others) ->
                    [?assertEqual([], Now -- Then)
                     || {Pid, Known} <- lists:zip([Old, New], Before),
                        {{Item, Now}, {Item, Then}} <- lists:zip(known(Pid, Items), Known),
                        Pid =/= Owner orelse Item =/= monitored_by],
                    ?assertEqual(1, length(watchers(Owner))),
                    [?assertEqual([], watchers(Other)) || Other <- Others],
                    [tied_to_neither(Port, Old, New) || Port <- OurPorts]
            end,
    Trace(Old, [New]),
    {ok, [1]} = contract:ask(Old, fun() -> tripod_lua:eval(Box, "return 1") end),
    [begin
         ok = contract:ask(Old, fun() -> tripod:give_away(Box, Old) end),
         Trace(Old, [New]),
         ok = contract:ask(Old, fun() -> tripod:give_away(Box, New) end),
         Trace(New, [Old]),
         {error, not_owner} = contract:ask(Old, fun() -> tripod:give_away(Box, Old) end),
         ok = contract:ask(New, fun() -> tripod:give_away(Box, Old) end),
         Trace(Old, [New])
     end || _ <- lists:seq(1, 10)],
    {Dead, DeadMonitor} = contract:heir(),
    killed = kill(Dead, DeadMonitor),
    {error, noproc} = contract:ask(Old, fun() -> tripod:give_away(Box, Dead) end),
    Trace(Old, [New]),
    ok = contract:ask(Old, fun() -> tripod:close(Box) end),
    contract:await_nothing_alive(),
    contract:await(fun() ->
        Now = [known(Pid, Items) || Pid <- [Old, New]],
        Now =:= Before orelse {Before, Now}
    end),
    ?assertEqual([], [Port || Port <- OurPorts, erlang:port_info(Port) =/= undefined]),
    ?assertEqual([[], []], [contract:ask(Pid, fun contract:mailbox/0) || Pid <- [Old, New]]),
    killed = kill(Old, OldMonitor),
    killed = kill(New, NewMonitor).

watchers(Pid) ->
    {monitored_by, By} = process_info(Pid, monitored_by),
    By -- [self()].

tied_to_neither(Port, Old, New) ->
    {links, Links} = erlang:port_info(Port, links),
    {monitors, Monitors} = erlang:port_info(Port, monitors),
    ?assertEqual([], [Pid || Pid <- Links, Pid =:= Old orelse Pid =:= New]),
    ?assertEqual(length(lists:usort(Links)), length(Links)),
    ?assertEqual(length(lists:usort(Monitors)), length(Monitors)).

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
    killed = kill(Owner, Monitor),
    contract:await_nothing_alive(),
    [begin
         ?assertEqual(lists:duplicate(5, {error, closed}), Use()),
         ok = tripod:close(Box)
     end || Use <- Uses],
    true = persistent_term:erase(?MODULE),
    killed = kill(Keeper, KeeperMonitor),
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
    Self = self(),
    {Owner, Monitor} = spawn_monitor(fun() ->
        Self ! {bytes, term_to_binary(contract:open(Config))}
    end),
    Bytes = receive {bytes, Made} -> Made after ?DEADLINE_MS -> error(no_box) end,
    normal = died(Owner, Monitor),
    contract:await_nothing_alive(),
    Box = binary_to_term(Bytes),
    ?assertEqual(lists:duplicate(5, {error, closed}), every_use(Box)),
    ok = tripod:close(Box).

%% --- all at once ---

many_owners_die(Config) ->
    die_together(Config, case is_program(Config) of true -> 50; false -> 1000 end).

%% In the first mode of those strategies whose boxes are no processes of the system.
very_many_owners_die(Config) ->
    Strategy = contract:strategy(Config),
    case hd((tripod_strategy:room(Strategy)):modes()) =:= ?config(mode, Config) of
        true when Strategy =/= port_program -> die_together(Config, 10000);
        _ -> ok
    end.

die_together(Config, Number) ->
    Strategy = contract:strategy(Config),
    Owners = [contract:owner(Config, #{memory_bytes => 65536}) || _ <- lists:seq(1, Number)],
    ?assertMatch(#{boxes := Number}, tripod:census(Strategy)),
    [exit(Owner, kill) || {Owner, _, _} <- Owners],
    [killed = died(Owner, Monitor) || {Owner, Monitor, _} <- Owners],
    contract:await_nothing_alive(),
    [{error, closed} = tripod:info(Box) || {_, _, Box} <- Owners].

%% --- at every moment ---

%% A process that says when it is about to do something, and is killed a while after that: sooner or
%% later than it does it.
killed_in(Config, Options, Prepare, Do) ->
    killed_in(Config, [inline], Options, Prepare, Do).

killed_in(Config, Holding, Options, Prepare, Do) ->
    Holds = lists:member(?config(mode, Config), Holding),
    repeat(fun() ->
        {Owner, Monitor, Box} = contract:owner(Config, Options),
        Prepared = Prepare(),
        ok = about_to(Owner, fun() -> Do(Box, Prepared) end),
        turns(rand:uniform(20000)),
        exit(Owner, kill),
        killed = ended(Owner, Monitor, Box, Holds),
        closed(Box)
    end),
    [] = contract:mailbox().

%% Both sides then hesitate, so that either may be first.
about_to(Owner, Do) ->
    Self = self(),
    contract:tell(Owner, fun() -> Self ! about_to, turns(rand:uniform(20000)), Do() end),
    receive about_to -> ok after ?DEADLINE_MS -> error(not_told) end.

%% No process can end while C code holds its scheduler. It may be interrupted before the call has
%% begun, and then again.
ended(Owner, Monitor, _Box, false) ->
    died(Owner, Monitor);
ended(Owner, Monitor, Box, true) ->
    ended(Owner, Monitor, Box, erlang:monotonic_time(millisecond) + ?DEADLINE_MS);
%% Not is_process_alive/1, which waits for the scheduler that is held.
ended(Owner, Monitor, Box, Deadline) ->
    ?assert(erlang:monotonic_time(millisecond) < Deadline),
    ok = tripod:interrupt(Box),
    receive
        {'DOWN', Monitor, process, Owner, Why} -> Why
    after 1 ->
        ended(Owner, Monitor, Box, Deadline)
    end.

turns(0) -> ok;
turns(N) -> turns(N - 1).

nothing() -> none.

killed_opening(Config) ->
    repeat(fun() ->
        {Owner, Monitor} = contract:heir(),
        ok = about_to(Owner, fun() -> contract:open(Config) end),
        turns(rand:uniform(100000)),
        killed = kill(Owner, Monitor),
        contract:await_nothing_alive()
    end).

killed_idle(Config) ->
    killed_in(Config, #{}, fun nothing/0, fun(_, _) -> ok end).

killed_in_a_call(Config) ->
    killed_in(Config, #{time_ms => 60000}, fun nothing/0, fun(Box, _) ->
        tripod_lua:eval(Box, "while true do pcall(error) end")
    end).

%% The first such step of a box in mode yield is on the owner's scheduler as well.
killed_in_a_sort_callback(Config) ->
    killed_in(Config, [inline, yield], #{time_ms => 60000}, fun nothing/0, fun(Box, _) ->
        tripod_lua:eval(Box, "table.sort({1, 2}, function() while true do pcall(error) end end)")
    end).

killed_in_conversion(Config) ->
    killed_in(Config, #{}, fun() -> lists:seq(1, 20000) end, fun(Box, Numbers) ->
        tripod_lua:eval(Box, "return ...", [Numbers])
    end).

killed_in_an_owners_function(Config) ->
    Functions = #{inc => fun([N]) -> [N + 1] end},
    killed_in(Config, #{time_ms => 60000, functions => Functions}, fun nothing/0, fun(Box, _) ->
        tripod_lua:eval(Box, "local n = 0 while true do n = inc(n) end")
    end).

killed_closing(Config) ->
    killed_in(Config, #{}, fun nothing/0, fun(Box, _) -> tripod:close(Box) end).

%% Either the heir has it, for good, or nobody.
killed_giving_away(Config) ->
    {Heir, HeirMonitor} = contract:heir(),
    Ends = ets:new(ends, []),
    repeat(fun() ->
        {Owner, Monitor, Box} = contract:owner(Config, #{}),
        ok = about_to(Owner, fun() -> tripod:give_away(Box, Heir) end),
        turns(rand:uniform(20000)),
        killed = kill(Owner, Monitor),
        Use = fun() -> tripod_lua:eval(Box, "return 1") end,
        contract:await(fun() -> settled(contract:ask(Heir, Use)) end),
        End = contract:ask(Heir, Use),
        _ = ets:update_counter(Ends, End, 1, {End, 0}),
        ok = contract:ask(Heir, fun() -> tripod:close(Box) end),
        closed(Box)
    end),
    ct:log("~tp", [ets:tab2list(Ends)]),
    ?assertEqual([], contract:ask(Heir, fun contract:mailbox/0)),
    killed = kill(Heir, HeirMonitor).

settled({ok, [1]}) -> true;
settled({error, closed}) -> true;
settled(Reply) -> Reply.

killed_while_the_heir_dies(Config) ->
    repeat(fun() ->
        {Owner, Monitor, Box} = contract:owner(Config, #{}),
        {Heir, HeirMonitor} = contract:heir(),
        ok = about_to(Owner, fun() -> tripod:give_away(Box, Heir) end),
        turns(rand:uniform(20000)),
        [exit(Pid, kill) || Pid <- [Heir, Owner]],
        killed = died(Owner, Monitor),
        killed = died(Heir, HeirMonitor),
        closed(Box)
    end).
