%% SPDX-License-Identifier: Apache-2.0
%% Who frees a NIF box and when: the owner's death, garbage collection, close and give_away, alone and
%% against each other; and what a handle answers that is no longer, or never was, a resource.
%%
%% Each case runs in a node of its own (nif_node.erl). What holds for every strategy is in
%% contract_*_SUITE.
-module(nif_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, open/1, owner/1, idle/0, ask/2, kill/1, until/1, monitors/1,
                   no_monitors/1, no_boxes/0, config/0, endless/2, racer/1, start/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([owner_death_closes_a_leaked_handle/1, a_dropped_handle_is_collected/1,
         close_removes_the_monitor/1, strangers_and_closed_boxes/1, giving_away/1,
         giving_away_leaves_one_monitor/1, giving_races_the_heirs_death/1,
         giving_races_close/1, close_races_owner_death/1, close_races_the_callers_death/1,
         stale_handles/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [owner_death_closes_a_leaked_handle, a_dropped_handle_is_collected,
     close_removes_the_monitor, strangers_and_closed_boxes, giving_away,
     giving_away_leaves_one_monitor, giving_races_the_heirs_death, giving_races_close,
     close_races_owner_death, close_races_the_callers_death, stale_handles].

-define(ROUNDS, 1000).

init_per_testcase(_, Config) -> nif_node:start([], [], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

%% --- who frees a box, and when ---

%% The test process keeps the handle, so the destructor cannot run: it must have been `down`.
owner_death_closes_a_leaked_handle(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Owner, Box} = owner(echo),
             ?assertMatch(#{boxes := 1}, tripod:census(nif)),
             exit(Owner, Why),
             no_boxes(),
             ?assertEqual({error, closed}, tripod:call(Box, 1)),
             ?assertEqual({error, closed}, tripod:info(Box)),
             ?assertEqual({error, closed}, tripod:give_away(Box, self())),
             ?assertEqual(ok, tripod:interrupt(Box)),
             ?assertEqual(ok, tripod:close(Box))
         end || Why <- [kill, shutdown, {some, reason}]]
    end).

%% The owner lives on, so `down` cannot have fired: it must have been the destructor.
a_dropped_handle_is_collected(Config) ->
    in_peer(Config, fun() ->
        Owner = idle(),
        ok = ask(Owner, fun(_) -> {ok, Box} = tripod:open(nif, #{service => echo}), {ok, Box} end),
        ?assertMatch(#{boxes := 1}, tripod:census(nif)),
        ok = ask(Owner, fun(_) -> erlang:garbage_collect(), {ok, dropped} end),
        ok = ask(Owner, fun(_) -> erlang:garbage_collect(), {ok, dropped} end),
        no_boxes(),
        no_monitors(Owner),
        ?assert(is_process_alive(Owner))
    end).

close_removes_the_monitor(Config) ->
    in_peer(Config, fun() ->
        Boxes = [open(echo) || _ <- lists:seq(1, 10)],
        until(fun() -> length(monitors(self())) =:= 10 end),
        [ok = tripod:close(Box) || Box <- Boxes],
        no_monitors(self()),
        no_boxes(),
        [ok = tripod:close(Box) || Box <- Boxes]
    end).

strangers_and_closed_boxes(Config) ->
    in_peer(Config, fun() ->
        {Owner, Box} = owner(echo),
        ?assertEqual({error, not_owner}, tripod:call(Box, 1)),
        ?assertEqual({error, not_owner}, tripod:send(Box, 1)),
        ?assertEqual({error, not_owner}, tripod:info(Box)),
        ?assertEqual({error, not_owner}, tripod:give_away(Box, self())),
        ok = ask(Owner, fun(Held) -> ok = tripod:close(Box), {ok, Held} end),
        ?assertEqual({error, closed}, tripod:call(Box, 1)),
        ok = ask(Owner, fun(Held) -> {error, closed} = tripod:call(Box, 1), {ok, Held} end)
    end).

%% --- giving away ---

giving_away(Config) ->
    in_peer(Config, fun() ->
        {Owner, Box} = owner(echo),
        Heir = idle(),
        Dead = spawn(fun() -> ok end),
        until(fun() -> not is_process_alive(Dead) end),
        ok = ask(Owner, fun(Held) -> {error, noproc} = tripod:give_away(Box, Dead), {ok, Held} end),
        ok = ask(Owner, fun(Held) -> ok = tripod:give_away(Box, self()), {ok, Held} end),
        ok = ask(Owner, fun(Held) -> {ok, 1} = tripod:call(Box, 1), {ok, Held} end),
        ok = ask(Owner, fun(Held) -> ok = tripod:give_away(Box, Heir), {ok, Held} end),
        ok = ask(Owner, fun(Held) -> {error, not_owner} = tripod:call(Box, 1), {ok, Held} end),
        no_monitors(Owner),
        kill(Owner),
        ok = ask(Heir, fun(Held) -> {ok, 2} = tripod:call(Box, 2), {ok, Held} end),
        kill(Heir),
        no_boxes(),
        ?assertEqual({error, closed}, tripod:call(Box, 1))
    end).

giving_away_leaves_one_monitor(Config) ->
    in_peer(Config, fun() ->
        {A, Box} = owner(echo),
        B = idle(),
        [begin
             ok = ask(From, fun(Held) -> ok = tripod:give_away(Box, To), {ok, Held} end),
             ok = ask(To, fun(Held) -> {ok, x} = tripod:call(Box, x), {ok, Held} end)
         end || _ <- lists:seq(1, 100), {From, To} <- [{A, B}, {B, A}]],
        until(fun() -> {length(monitors(A)), length(monitors(B))} =:= {1, 0} end),
        kill(B),
        ok = ask(A, fun(Held) -> {ok, x} = tripod:call(Box, x), {ok, Held} end),
        kill(A),
        no_boxes()
    end).

%% Whatever the order, the box ends up with a living owner or closed: never alive without one.
giving_races_the_heirs_death(Config) ->
    Given = in_peer(Config, fun() ->
        Outcomes = [begin
             Box = open(echo),
             {Heir, _} = Race = racer(fun() -> exit(died) end),
             start(Race),
             case tripod:give_away(Box, Heir) of
                 ok ->
                     {error, _} = tripod:call(Box, 1),
                     until(fun() -> tripod:call(Box, 1) =:= {error, closed} end),
                     given;
                 {error, noproc} ->
                     {ok, 1} = tripod:call(Box, 1),
                     ok = tripod:close(Box),
                     kept
             end
         end || _ <- lists:seq(1, ?ROUNDS)],
        no_boxes(),
        no_monitors(self()),
        length([given || given <- Outcomes])
    end),
    ct:log("~p of ~p given before the heir died", [Given, ?ROUNDS]).

giving_races_close(Config) ->
    in_peer(Config, fun() ->
        Heir = idle(),
        [begin
             Box = open(echo),
             start(racer(fun() -> tripod:close(Box) end)),
             case tripod:give_away(Box, Heir) of
                 ok -> ok;
                 {error, closed} -> ok
             end
         end || _ <- lists:seq(1, ?ROUNDS)],
        no_boxes(),
        no_monitors(self()),
        no_monitors(Heir)
    end).

close_races_owner_death(Config) ->
    in_peer(Config, fun() ->
        Boxes = [begin
             {Owner, Box} = owner(echo),
             start(racer(fun() -> tripod:close(Box) end)),
             exit(Owner, kill),
             Box
         end || _ <- lists:seq(1, ?ROUNDS)],
        no_boxes(),
        ?assertEqual([{error, closed}], lists:usort([tripod:call(Box, 1) || Box <- Boxes]))
    end).

%% Between two slices of a call and in the middle of one.
close_races_the_callers_death(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Owner, Box} = owner(lua),
             _ = endless(Owner, Box),
             start(racer(fun() -> tripod:close(Box) end)),
             exit(Owner, kill),
             no_boxes()
         end || _ <- lists:seq(1, ?ROUNDS div 5)]
    end).

%% --- handles that are no resources ---

stale_handles(Config) ->
    {ok, Foreign} = tripod_nif:open(config()),
    Closed = fun(Handle) ->
        ?assertEqual({error, closed}, tripod_nif:call(Handle, 1, 0)),
        ?assertEqual({error, closed}, tripod_nif:send(Handle, 1, 0)),
        ?assertEqual({error, closed}, tripod_nif:usage(Handle)),
        ?assertEqual({error, closed}, tripod_nif:give_away(Handle, self())),
        ?assertEqual(ok, tripod_nif:interrupt(Handle)),
        ?assertEqual(ok, tripod_nif:close(Handle))
    end,
    in_peer(Config, fun() ->
        Closed(Foreign), % before the library is loaded
        Holder = idle(),
        Bytes = ask(Holder, fun(_) ->
            {ok, Handle} = tripod_nif:open(config()),
            Copy = binary_to_term(term_to_binary(Handle)),
            {ok, 1} = tripod_nif:call(Copy, 1, 0),
            {term_to_binary(Handle), Handle}
        end),
        [Closed(Handle) || Handle <- [Foreign, remote(), make_ref(), self(), box, 1, <<>>, []]],
        kill(Holder),
        no_boxes(),
        Closed(binary_to_term(Bytes))
    end),
    ?assertEqual({ok, 1}, tripod_nif:call(Foreign, 1, 0)),
    ok = tripod_nif:close(Foreign).

%% A reference of another node, in the external term format (NEWER_REFERENCE_EXT).
remote() ->
    Remote = binary_to_term(<<131, 90, 3:16, 119, 3, "x@y", 1:32, 1:32, 2:32, 3:32>>),
    ?assertEqual('x@y', node(Remote)),
    Remote.
