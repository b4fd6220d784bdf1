%% SPDX-License-Identifier: Apache-2.0
%% The contract, part two: who owns a box, and that every way of losing it gives everything back.
%% After each case init/end_per_testcase waits for a census of zero: boxes, bytes, calls and
%% operating system processes.
-module(contract_lifecycle_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

cases() ->
    [owner_exits_normally, owner_shuts_down, owner_crashes, owner_is_killed, owner_dies_of_a_link,
     owner_is_killed_in_a_call, owner_is_killed_in_a_handler, owner_leaks_its_handle,
     owner_dies_with_replies_pending, many_owners_die_at_once, only_the_owner_calls,
     close_is_idempotent, use_after_close, a_stranger_closes, close_while_a_call_runs,
     failed_open_leaves_nothing, open_close_many_times, give_away, give_away_and_die,
     give_away_there_and_back, new_owner_dies, give_away_to_the_dead, give_away_by_a_stranger,
     give_away_a_closed_box, no_link_or_monitor_is_left, a_trapping_owner_gets_no_message,
     close_races_owner_death].

owner_exits_normally(Config) -> dies(Config, normal, fun() -> exit(normal) end).
owner_shuts_down(Config) -> dies(Config, shutdown, fun() -> exit(shutdown) end).
owner_crashes(Config) -> dies(Config, oops, fun() -> exit(oops) end).

dies(Config, Reason, Action) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    contract:tell(Owner, Action),
    receive {'DOWN', Monitor, process, Owner, Why} -> ?assertEqual(Reason, Why) end,
    gone(Box).

%% The handle outlives the box and says so.
gone(Box) ->
    contract:await_nothing_alive(),
    ?assertEqual({error, closed}, tripod_lua:eval(Box, "return 1")),
    ?assertEqual({error, closed}, tripod:info(Box)),
    ?assertEqual({error, closed}, tripod:give_away(Box, self())),
    ok = tripod:interrupt(Box),
    ok = tripod:close(Box).

kill(Owner, Monitor) ->
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end.

owner_is_killed(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    kill(Owner, Monitor),
    gone(Box).

owner_dies_of_a_link(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    ok = contract:tell(Owner, fun() -> spawn_link(fun() -> exit(linked) end) end),
    receive {'DOWN', Monitor, process, Owner, linked} -> ok end,
    gone(Box).

in_a_call(Config, Source) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{time_ms => 60000}),
    contract:tell(Owner, fun() -> tripod_lua:eval(Box, Source) end),
    contract:await(fun() -> maps:get(calls, tripod:census(contract:strategy(Config))) =:= 1 end),
    {Owner, Monitor, Box}.

%% An inline call holds the owner's scheduler, and no process can die while it runs: there the exit
%% signal waits, so somebody must also end the call, as close/1 does.
end_call(Config, Box) ->
    case ?config(mode, Config) of
        inline -> tripod:interrupt(Box);
        _ -> ok
    end.

owner_is_killed_in_a_call(Config) ->
    {Owner, Monitor, Box} = in_a_call(Config, "while true do pcall(error) end"),
    exit(Owner, kill),
    ok = end_call(Config, Box),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
    gone(Box).

%% Here the call cannot leave the thread between two steps.
owner_is_killed_in_a_handler(Config) ->
    {Owner, Monitor, Box} =
        in_a_call(Config, "xpcall(error, function() while true do pcall(error) end end)"),
    exit(Owner, kill),
    ok = tripod:interrupt(Box),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
    gone(Box).

owner_leaks_its_handle(Config) ->
    Self = self(),
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    Table = ets:new(leaks, [public]),
    true = ets:insert(Table, {box, Box}),
    persistent_term:put(?MODULE, Box),
    Keeper = spawn_link(fun() -> receive {use, Kept} -> Self ! {used, tripod_lua:eval(Kept, "return 1")} end end),
    kill(Owner, Monitor),
    contract:await_nothing_alive(),
    Keeper ! {use, Box},
    receive {used, Reply} -> ?assertEqual({error, closed}, Reply) end,
    [{box, Stored}] = ets:lookup(Table, box),
    {error, closed} = tripod:call(Stored, reset),
    {error, closed} = tripod:call(persistent_term:get(?MODULE), reset),
    {error, closed} = tripod:call(binary_to_term(term_to_binary(Box)), reset),
    persistent_term:erase(?MODULE),
    gone(Box).

owner_dies_with_replies_pending(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    contract:ask(Owner, fun() -> [tripod:send(Box, {eval, <<"return 1">>, []}) || _ <- lists:seq(1, 50)] end),
    kill(Owner, Monitor),
    gone(Box).

many_owners_die_at_once(Config) ->
    Number = case contract:strategy(Config) of port_program -> 20; _ -> 1000 end,
    Owners = [contract:owner(Config, #{}) || _ <- lists:seq(1, Number)],
    #{boxes := Number} = tripod:census(contract:strategy(Config)),
    [exit(Owner, kill) || {Owner, _, _} <- Owners],
    [receive {'DOWN', Monitor, process, _, killed} -> ok end || {_, Monitor, _} <- Owners],
    contract:await_nothing_alive().

only_the_owner_calls(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    {error, not_owner} = tripod_lua:eval(Box, "return 1"),
    {error, not_owner} = tripod:info(Box),
    {error, not_owner} = tripod:give_away(Box, self()),
    Sent = case tripod:send(Box, {eval, <<"return 1">>, []}) of
               {ok, Request} -> tripod:receive_reply(Request, 30000);
               Refused -> Refused
           end,
    ?assertEqual({error, not_owner}, Sent),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    kill(Owner, Monitor),
    [] = contract:mailbox().

close_is_idempotent(Config) ->
    Box = contract:open(Config),
    ok = tripod:close(Box),
    ok = tripod:close(Box),
    ok = tripod:close(Box),
    [] = contract:mailbox().

use_after_close(Config) ->
    Box = contract:open(Config),
    ok = tripod:close(Box),
    {error, closed} = tripod:call(Box, reset),
    {error, closed} = tripod:info(Box),
    {error, closed} = tripod:give_away(Box, self()),
    {error, closed} = case tripod:send(Box, reset) of
                          {ok, Request} -> tripod:receive_reply(Request, 30000);
                          Refused -> Refused
                      end,
    ok = tripod:interrupt(Box),
    [] = contract:mailbox().

a_stranger_closes(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    ok = tripod:close(Box),
    {error, closed} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    kill(Owner, Monitor).

close_while_a_call_runs(Config) ->
    Self = self(),
    {Owner, Monitor, Box} = contract:owner(Config, #{time_ms => 60000}),
    contract:tell(Owner, fun() -> Self ! {reply, tripod_lua:eval(Box, "while true do pcall(error) end")} end),
    contract:await(fun() -> maps:get(calls, tripod:census(contract:strategy(Config))) =:= 1 end),
    ok = tripod:close(Box),
    receive {reply, Reply} -> ?assertEqual({error, closed}, Reply) after 30000 -> error(hangs) end,
    contract:await_nothing_alive(),
    [] = contract:ask(Owner, fun contract:mailbox/0),
    kill(Owner, Monitor).

failed_open_leaves_nothing(Config) ->
    Items = [links, monitors, monitored_by, messages],
    Before = known(self(), Items),
    [{error, _} = tripod:open(contract:strategy(Config), #{service => no_such_service}) || _ <- lists:seq(1, 20)],
    contract:await_nothing_alive(),
    ?assertEqual(Before, known(self(), Items)).

open_close_many_times(Config) ->
    Number = case contract:strategy(Config) of port_program -> 20; _ -> 2000 end,
    [contract:with_box(Config, fun(Box) -> {ok, [I]} = tripod_lua:eval(Box, "return ...", [I]) end)
     || I <- lists:seq(1, Number)],
    [] = contract:mailbox().

give_away(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    {ok, []} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "x = 'kept'") end),
    Self = self(),
    ok = contract:ask(Owner, fun() -> tripod:give_away(Box, Self) end),
    {error, not_owner} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return x") end),
    {ok, [<<"kept">>]} = tripod_lua:eval(Box, "return x"),
    ok = tripod:close(Box),
    [] = contract:mailbox(),
    kill(Owner, Monitor).

%% The box survives the one who gave it away.
give_away_and_die(Config) ->
    Self = self(),
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    contract:tell(Owner, fun() -> Self ! {given, tripod:give_away(Box, Self)}, exit(normal) end),
    receive {given, Given} -> ?assertEqual(ok, Given) end,
    receive {'DOWN', Monitor, process, Owner, normal} -> ok end,
    [{ok, [I]} = tripod_lua:eval(Box, "return ...", [I]) || I <- lists:seq(1, 100)],
    ok = tripod:close(Box).

%% To a helper and back, over and over: no duplicate monitor, and the last owner is the owner.
give_away_there_and_back(Config) ->
    Self = self(),
    Box = contract:open(Config),
    {Other, Monitor} = spawn_monitor(fun Loop() -> receive {do, F, R, A} -> F ! {R, A()}, Loop() end end),
    [begin
         ok = tripod:give_away(Box, Other),
         ok = contract:ask(Other, fun() -> tripod:give_away(Box, Self) end)
     end || _ <- lists:seq(1, 50)],
    kill(Other, Monitor),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ok = tripod:give_away(Box, self()),
    {ok, [2]} = tripod_lua:eval(Box, "return 2"),
    ok = tripod:close(Box).

new_owner_dies(Config) ->
    Box = contract:open(Config),
    {Heir, Monitor} = spawn_monitor(fun() -> receive never -> ok end end),
    ok = tripod:give_away(Box, Heir),
    kill(Heir, Monitor),
    gone(Box).

give_away_to_the_dead(Config) ->
    Box = contract:open(Config),
    {Dead, Monitor} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Monitor, process, Dead, normal} -> ok end,
    {error, noproc} = tripod:give_away(Box, Dead),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    {'EXIT', {badarg, _}} = (catch tripod:give_away(Box, not_a_pid)),
    ok = tripod:close(Box).

give_away_by_a_stranger(Config) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    {error, not_owner} = tripod:give_away(Box, self()),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    kill(Owner, Monitor).

give_away_a_closed_box(Config) ->
    Box = contract:open(Config),
    ok = tripod:close(Box),
    {error, closed} = tripod:give_away(Box, self()).

%% Sorted, because a link that came and went leaves the others in another order.
known(Pid, Items) ->
    [{Item, lists:sort(Value)} || {Item, Value} <- process_info(Pid, Items)].

%% What the VM knows about this process is the same before, between and after.
no_link_or_monitor_is_left(Config) ->
    Items = [links, monitors],
    Before = known(self(), Items),
    Box = contract:open(Config),
    ?assertEqual(Before, known(self(), Items)),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ?assertEqual(Before, known(self(), Items)),
    {Heir, Monitor} = spawn_monitor(fun() -> receive never -> ok end end),
    ok = tripod:give_away(Box, Heir),
    true = demonitor(Monitor, [flush]),
    ?assertEqual(Before, known(self(), Items)),
    ?assertEqual([{links, []}, {monitors, []}], known(Heir, Items)),
    ok = tripod:close(Box),
    contract:await_nothing_alive(),
    ?assertEqual([{links, []}, {monitors, []}], known(Heir, Items)),
    contract:await(fun() -> process_info(Heir, monitored_by) =:= {monitored_by, []} end),
    exit(Heir, kill),
    ?assertEqual(Before, known(self(), Items)).

a_trapping_owner_gets_no_message(Config) ->
    Trapped = process_flag(trap_exit, true),
    Box = contract:open(Config),
    {ok, [1]} = tripod_lua:eval(Box, "return 1"),
    ok = tripod:close(Box),
    Other = contract:open(Config),
    Self = self(),
    Pid = spawn(fun() -> ok = tripod:close(Other), Self ! closed end),
    receive closed -> ok end,
    contract:await(fun() -> not is_process_alive(Pid) end),
    contract:await_nothing_alive(),
    ?assertEqual([], contract:mailbox()),
    process_flag(trap_exit, Trapped).

close_races_owner_death(Config) ->
    Rounds = case contract:strategy(Config) of port_program -> 20; _ -> 1000 end,
    [begin
         {Owner, Monitor, Box} = contract:owner(Config, #{}),
         Closer = spawn_monitor(fun() -> ok = tripod:close(Box) end),
         exit(Owner, kill),
         {Pid, Ref} = Closer,
         receive {'DOWN', Ref, process, Pid, Why} -> ?assertEqual(normal, Why) end,
         receive {'DOWN', Monitor, process, Owner, killed} -> ok end
     end || _ <- lists:seq(1, Rounds)],
    contract:await_nothing_alive().

%% Whom a process is linked to and monitors, in an order that does not depend on history.
relations(Pid) ->
    [{Item, lists:sort(Pids)} || {Item, Pids} <- process_info(Pid, [links, monitors])].
