%% SPDX-License-Identifier: Apache-2.0
%% What is particular to boxes behind ports: they leave no trace on any process, and whichever of
%% close, death and handover comes first, the port goes with the box.
%%
%% Each case runs in a node of its own, so that a crash of the VM is one failed case. What holds for
%% every strategy is in contract_*_SUITE.
-module(port_driver_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(driver_node, [in_node/2, open/0, open/1, owner/0, port/1, box_ports/0, known/1, kill/1,
                      no_boxes/0]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([no_trace/1, no_trace_on_the_heir/1, one_monitor_after_many_handovers/1,
         owner_killed_idle/1, ports_go_with_their_owners/1, close_races_owner_death/1,
         close_races_handover/1, handover_races_heirs_death/1, closed_under_a_call/1,
         a_call_yields_its_turn/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [no_trace, no_trace_on_the_heir, one_monitor_after_many_handovers, owner_killed_idle,
     ports_go_with_their_owners, close_races_owner_death, close_races_handover,
     handover_races_heirs_death, closed_under_a_call, a_call_yields_its_turn].

-define(ROUNDS, 1000).

init_per_testcase(_, Config) -> driver_node:start([], Config).

end_per_testcase(_, Config) -> driver_node:stop(Config).

%% --- no trace ---

no_trace(Config) ->
    in_node(Config, fun() ->
        [no_trace(Trap, Close) || Trap <- [false, true], Close <- [owner, stranger]],
        ok
    end).

no_trace(Trap, Close) ->
    Was = process_flag(trap_exit, Trap),
    Before = known(self()),
    Box = open(),
    Port = port(Box),
    {monitored_by, By} = lists:keyfind(monitored_by, 1, Before),
    Owned = lists:keyreplace(monitored_by, 1, Before, {monitored_by, lists:sort([Port | By])}),
    Check = fun() ->
                    ?assertEqual(Owned, known(self())),
                    ?assertEqual({links, []}, erlang:port_info(Port, links)),
                    ?assertEqual({monitors, [{process, self()}]}, erlang:port_info(Port, monitors)),
                    ?assertEqual({monitored_by, []}, erlang:port_info(Port, monitored_by)),
                    ?assertEqual({connected, self()}, erlang:port_info(Port, connected))
            end,
    Check(),
    {ok, short} = tripod:call(Box, short),
    {ok, _} = tripod:call(Box, lists:seq(1, 2000)),
    {ok, Request} = tripod:send(Box, sent),
    {ok, sent} = tripod:receive_reply(Request, 0),
    Check(),
    #{bytes := _} = tripod:info(Box),
    {Dead, Monitor} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', Monitor, process, Dead, normal} -> ok end,
    {error, noproc} = tripod:give_away(Box, Dead),
    ok = tripod:give_away(Box, self()),
    Check(),
    close_as(Close, Box),
    contract:await(fun() -> known(self()) =:= Before end),
    ?assertEqual(undefined, erlang:port_info(Port)),
    no_boxes(),
    process_flag(trap_exit, Was).

close_as(owner, Box) ->
    ok = tripod:close(Box);
close_as(stranger, Box) ->
    {Pid, Monitor} = spawn_monitor(fun() -> ok = tripod:close(Box) end),
    receive {'DOWN', Monitor, process, Pid, Why} -> ?assertEqual(normal, Why) end.

no_trace_on_the_heir(Config) ->
    in_node(Config, fun() ->
        [begin
             Giver = known(self()),
             Box = open(),
             Port = port(Box),
             Heir = spawn(fun() -> process_flag(trap_exit, Trap), obey() end),
             Before = contract:ask(Heir, fun() -> known(self()) end),
             ok = tripod:give_away(Box, Heir),
             contract:await(fun() -> known(self()) =:= Giver end),
             ?assertEqual({links, []}, erlang:port_info(Port, links)),
             ?assertEqual({connected, Heir}, erlang:port_info(Port, connected)),
             ?assertEqual({error, not_owner}, tripod:call(Box, 1)),
             ?assertEqual({error, not_owner}, tripod:info(Box)),
             {ok, 2} = contract:ask(Heir, fun() -> tripod:call(Box, 2) end),
             ?assertEqual([{monitored_by, [Port]}],
                          contract:ask(Heir, fun() -> known(self()) end) -- Before),
             ok = contract:ask(Heir, fun() -> tripod:close(Box) end),
             contract:await(fun() -> contract:ask(Heir, fun() -> known(self()) end) =:= Before end),
             ?assertEqual(Giver, known(self())),
             kill(Heir)
         end || Trap <- [false, true]],
        ok
    end).

obey() ->
    receive {do, From, Ref, Action} -> From ! {Ref, Action()} end,
    obey().

one_monitor_after_many_handovers(Config) ->
    in_node(Config, fun() ->
        Self = self(),
        Box = open(),
        Heir = spawn(fun obey/0),
        [begin
             ok = tripod:give_away(Box, Heir),
             ok = contract:ask(Heir, fun() -> tripod:give_away(Box, Self) end)
         end || _ <- lists:seq(1, 100)],
        ?assertEqual({monitors, [{process, Self}]}, erlang:port_info(port(Box), monitors)),
        contract:await(fun() -> process_info(Heir, monitored_by) =:= {monitored_by, []} end),
        kill(Heir),
        {ok, here} = tripod:call(Box, here),
        [] = contract:mailbox(),
        ok = tripod:close(Box)
    end).

%% --- death and races ---

owner_killed_idle(Config) ->
    in_node(Config, fun() ->
        {Owner, _, Box} = owner(),
        #{boxes := 1} = tripod:census(port_driver),
        kill(Owner),
        no_boxes(),
        %% The port may take a moment longer than the box.
        ?assertEqual({error, closed}, tripod:call(Box, 1)),
        contract:await(fun() -> box_ports() =:= [] end),
        ?assertEqual({error, closed}, tripod:call(Box, 1)),
        ok = tripod:close(Box)
    end).

ports_go_with_their_owners(Config) ->
    in_node(Config, fun() ->
        Owners = [owner() || _ <- lists:seq(1, ?ROUNDS)],
        ?assertEqual(?ROUNDS, length(box_ports())),
        [exit(Owner, kill) || {Owner, _, _} <- Owners],
        [receive {'DOWN', Monitor, process, _, _} -> ok end || {_, Monitor, _} <- Owners],
        no_boxes(),
        contract:await(fun() -> box_ports() =:= [] end)
    end).

close_races_owner_death(Config) ->
    in_node(Config, fun() ->
        races(fun() ->
            {Owner, Monitor, Box} = owner(),
            Closer = racer(fun() -> ok = tripod:close(Box), tripod:close(Box) end),
            exit(Owner, kill),
            receive {'DOWN', Monitor, process, _, _} -> ok end,
            finished(Closer)
        end, [ok])
    end).

close_races_handover(Config) ->
    in_node(Config, fun() ->
        Heir = spawn(fun obey/0),
        races(fun() ->
            Box = open(),
            Closer = racer(fun() -> tripod:close(Box) end),
            Outcome = tripod:give_away(Box, Heir),
            ok = finished(Closer),
            Outcome
        end, [ok, {error, closed}])
    end).

handover_races_heirs_death(Config) ->
    in_node(Config, fun() ->
        races(fun() ->
            Box = open(),
            Heir = spawn(fun obey/0),
            Killer = racer(fun() -> exit(Heir, kill) end),
            Outcome = tripod:give_away(Box, Heir),
            true = finished(Killer),
            after_handover(Outcome, Box),
            Outcome
        end, [ok, {error, noproc}])
    end).

after_handover(ok, Box) ->
    contract:await(fun() -> tripod:call(Box, 1) =:= {error, closed} end);
after_handover({error, noproc}, Box) ->
    ?assertEqual({ok, 1}, tripod:call(Box, 1)),
    ?assertEqual({connected, self()}, erlang:port_info(port(Box), connected)),
    ok = tripod:close(Box).

%% As often as ROUNDS, and until every outcome has been seen: a race that always ends alike is none.
races(Round, Outcomes) ->
    Missing = races(?ROUNDS, Round, Outcomes, Outcomes),
    ?assertEqual([], races(20 * ?ROUNDS, Round, Outcomes, Missing)),
    contract:await(fun() -> box_ports() =:= [] end),
    ?assertEqual([], contract:mailbox()),
    no_boxes().

races(0, _, _, Missing) ->
    Missing;
races(N, _, _, []) when N > ?ROUNDS ->
    [];
races(N, Round, Outcomes, Missing) ->
    Outcome = Round(),
    ?assert(lists:member(Outcome, Outcomes)),
    races(N - 1, Round, Outcomes, lists:delete(Outcome, Missing)).

%% Runs Fun on another scheduler at about the time when this returns.
racer(Fun) ->
    ok = contract:bind(),
    Line = atomics:new(1, []),
    {Pid, Monitor} =
        spawn_opt(fun() ->
                          atomics:put(Line, 1, 1),
                          await_line(Line, 2),
                          spin(rand:uniform(500)),
                          exit({did, Fun()})
                  end, [monitor, {scheduler, erlang:system_info(schedulers_online)}]),
    await_line(Line, 1),
    atomics:put(Line, 1, 2),
    spin(rand:uniform(500)),
    {Pid, Monitor}.

await_line(Line, State) ->
    atomics:get(Line, 1) =:= State orelse await_line(Line, State).

spin(0) -> ok;
spin(N) -> spin(N - 1).

finished({Pid, Monitor}) ->
    receive {'DOWN', Monitor, process, Pid, {did, Outcome}} -> Outcome end.

%% The port is closed past the facade while calls run: an answer, never a hang.
closed_under_a_call(Config) ->
    in_node(Config, fun() ->
        [begin
             {Owner, Monitor, Box} = owner(),
             Self = self(),
             contract:tell(Owner, fun() -> Self ! {last, calls(Box)} end),
             true = port_close(port(Box)),
             receive {last, Last} -> ?assertEqual({error, closed}, Last) end,
             exit(Owner, kill),
             receive {'DOWN', Monitor, process, _, _} -> ok end
         end || _ <- lists:seq(1, ?ROUNDS)],
        no_boxes()
    end).

calls(Box) ->
    {ok, Request} = case tripod:send(Box, sent) of
                        {ok, _} = Sent -> Sent;
                        {error, closed} -> {ok, none}
                    end,
    case tripod:call(Box, <<0:80000>>) of
        {ok, <<0:80000>>} ->
            {ok, sent} = tripod:receive_reply(Request, infinity),
            calls(Box);
        Error ->
            Error
    end.

%% The VM charges 40 reductions for using a port, however long it takes.
a_call_yields_its_turn(Config) ->
    in_node(Config, fun() ->
        Box = open(#{}),
        {reductions, Before} = process_info(self(), reductions),
        {error, {limit, time}} = tripod:call(Box, {eval, <<"while true do end">>, []},
                                             #{time_ms => 50}),
        {reductions, After} = process_info(self(), reductions),
        ?assert(After - Before >= 2000),
        ok = tripod:close(Box)
    end).
