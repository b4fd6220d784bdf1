%% SPDX-License-Identifier: Apache-2.0
%% The mode thread of the NIF strategy: order, fairness, back-pressure, what becomes of requests in
%% line when a box, its owner, the application or the library goes, and that threads end.
%%
%% Each case runs in a node of its own (nif_node.erl). What holds for every strategy is in
%% contract_*_SUITE.
-module(nif_thread_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, idle/0, ask/2, until/1, no_boxes/0, kill/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([order/1, many_boxes/1, endless_calls_take_turns/1, large_maps/1, line_is_full/1,
         line_is_full_of_bytes/1, one_large_request/1, full_and_closed/1, full_and_killed/1,
         killed_with_requests_in_line/1, closed_with_requests_in_line/1, close_races_requests/1,
         given_away_after_the_requests/1, interrupt_is_for_the_first/1,
         interrupt_never_hits_the_next/1, application_stops/1, unloaded_idle/1, unloaded_busy/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [order, many_boxes, endless_calls_take_turns, large_maps, line_is_full, line_is_full_of_bytes,
     one_large_request, full_and_closed, full_and_killed, killed_with_requests_in_line,
     closed_with_requests_in_line, close_races_requests, given_away_after_the_requests,
     interrupt_is_for_the_first, interrupt_never_hits_the_next, application_stops, unloaded_idle,
     unloaded_busy].

%% As nif_pool.h has it.
-define(MOST, 128).
-define(ENDLESS, {eval, <<"while true do end">>, []}).
-define(ONE, {eval, <<"return 1">>, []}).

init_per_testcase(_, Config) -> nif_node:start([], [], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

open() -> open(#{}).

open(Options) ->
    {ok, Box} = tripod:open(nif, maps:merge(#{mode => thread, time_ms => 60_000}, Options)),
    Box.

send(Box, Request) ->
    {ok, Id} = tripod:send(Box, Request),
    Id.

reply(Id) -> tripod:receive_reply(Id, 10_000).

calls() -> maps:get(calls, tripod:census(nif)).

busy(Box) ->
    Id = send(Box, ?ENDLESS),
    until(fun() -> calls() > 0 end),
    Id.

empty() -> ?assertEqual({messages, []}, process_info(self(), messages)).

%% --- order and turns ---

%% More than fit into the line at once, answered in order, received in the reverse one.
order(Config) ->
    in_peer(Config, fun() ->
        Box = open(),
        {ok, []} = tripod_lua:eval(Box, "n = 0 function tick() n = n + 1 return n end"),
        Ids = [send(Box, {call, <<"tick">>, []}) || _ <- lists:seq(1, 2000)],
        ?assertEqual({ok, [2001]}, tripod_lua:call(Box, "tick", [])),
        [?assertEqual({ok, [N]}, reply(Id)) || {N, Id} <- lists:reverse(lists:enumerate(Ids))],
        ?assertEqual(timeout, tripod:receive_reply(hd(Ids), 0)),
        empty()
    end).

many_boxes(Config) ->
    in_peer(Config, fun() ->
        Self = self(),
        Owners = [spawn_link(fun() ->
            Box = open(),
            Ids = [send(Box, {eval, <<"n = (n or 0) + 1 return n, ...">>, [I]}) || I <- lists:seq(1, 20)],
            Self ! {self(), [reply(Id) || Id <- Ids]},
            empty()
        end) || _ <- lists:seq(1, 500)],
        [receive {Owner, Replies} -> ?assertEqual([{ok, [I, I]} || I <- lists:seq(1, 20)], Replies) end
         || Owner <- Owners],
        no_boxes()
    end).

%% More of them than threads.
endless_calls_take_turns(Config) ->
    in_peer(Config, fun() ->
        Busy = [{Box, send(Box, ?ENDLESS)} || _ <- lists:seq(1, 2 * erlang:system_info(schedulers) + 1),
                                              Box <- [open()]],
        until(fun() -> calls() =:= length(Busy) end),
        Other = open(),
        [?assertEqual({ok, [I]}, tripod_lua:eval(Other, "return ...", [I])) || I <- lists:seq(1, 10)],
        [ok = tripod:interrupt(Box) || {Box, _} <- Busy],
        ?assertEqual([{error, interrupted}], lists:usort([reply(Id) || {_, Id} <- Busy])),
        [ok = tripod:close(Box) || Box <- [Other | [Box || {Box, _} <- Busy]]],
        no_boxes()
    end).

%% What a thread cannot build leaves it encoded.
large_maps(Config) ->
    in_peer(Config, fun() ->
        Box = open(),
        Map = fun(N) -> maps:from_list([{I, <<"v">>} || I <- lists:seq(2, N + 1)]) end,
        [?assertEqual({ok, [Term]}, tripod_lua:eval(Box, "return ...", [Term]))
         || N <- [0, 1, 31, 32, 33, 34, 64, 1000, 100_000], N > 0,
            Term <- [Map(N), [Map(N), [Map(N)]], #{<<"a">> => Map(N)}]],
        {ok, Echo} = tripod:open(nif, #{mode => thread, service => echo}),
        [?assertEqual({ok, Term}, tripod:call(Echo, Term))
         || N <- [32, 33, 5000], Term <- [Map(N), {a, Map(N), nil}]],
        Id = send(Echo, Map(50)),
        ?assertEqual({ok, Map(50)}, reply(Id))
    end).

%% --- back-pressure ---

%% A process that sends without end, and counts what was taken.
sender(Options, Request) ->
    Sent = counters:new(1, []),
    Self = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
        Box = open(Options),
        Self ! {self(), Box, send(Box, ?ENDLESS)},
        flood(Box, Request, Sent)
    end),
    receive {Pid, Box, _} -> {Pid, Monitor, Box, Sent} end.

flood(Box, Request, Sent) ->
    case tripod:send(Box, Request) of
        {ok, _} -> counters:add(Sent, 1, 1), flood(Box, Request, Sent);
        {error, Why} -> exit({refused, Why})
    end.

%% Whoever waits for room waits in a receive.
stalled(Pid) ->
    until(fun() ->
                  process_info(Pid, [status, current_function])
                      =:= [{status, waiting}, {current_function, {tripod_nif, submit, 4}}]
          end).

line_is_full(Config) ->
    in_peer(Config, fun() ->
        {Pid, _, Box, Sent} = sender(#{}, ?ONE),
        stalled(Pid),
        ?assertEqual(?MOST - 1, counters:get(Sent, 1)),
        {message_queue_len, 0} = process_info(Pid, message_queue_len),
        ok = tripod:interrupt(Box), % the line moves on
        until(fun() -> counters:get(Sent, 1) > 10 * ?MOST end),
        kill(Pid),
        no_boxes()
    end).

line_is_full_of_bytes(Config) ->
    in_peer(Config, fun() ->
        Request = {eval, <<"return 1">>, [binary:copy(<<"x">>, 200_000)]},
        {Pid, _, Box, Sent} = sender(#{memory_bytes => 1_000_000}, Request),
        stalled(Pid),
        ?assert(counters:get(Sent, 1) < 8),
        ok = tripod:interrupt(Box),
        until(fun() -> counters:get(Sent, 1) > 50 end),
        kill(Pid),
        no_boxes()
    end).

%% More than may be in line is let in alone, and the service judges it.
one_large_request(Config) ->
    in_peer(Config, fun() ->
        Box = open(#{memory_bytes => 1_000_000}),
        ?assertEqual({error, {limit, memory}},
                     tripod_lua:eval(Box, "return 1", [binary:copy(<<"x">>, 5_000_000)])),
        ?assertEqual({ok, [1]}, tripod_lua:eval(Box, "return 1"))
    end).

full_and_closed(Config) ->
    in_peer(Config, fun() ->
        {Pid, Monitor, Box, _} = sender(#{}, ?ONE),
        stalled(Pid),
        ok = tripod:close(Box),
        receive {'DOWN', Monitor, process, Pid, Why} -> ?assertEqual({refused, closed}, Why) end,
        no_boxes()
    end).

full_and_killed(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Pid, _, _, _} = sender(#{}, ?ONE),
             stalled(Pid),
             kill(Pid),
             no_boxes()
         end || _ <- lists:seq(1, 20)]
    end).

%% --- ends ---

killed_with_requests_in_line(Config) ->
    in_peer(Config, fun() ->
        [begin
             Owner = idle(),
             ok = ask(Owner, fun(_) ->
                 Box = open(),
                 [send(Box, R) || R <- [?ENDLESS | lists:duplicate(50, ?ONE)]],
                 {ok, Box}
             end),
             Wait andalso until(fun() -> calls() =:= 1 end),
             kill(Owner),
             no_boxes()
         end || Wait <- [true, false], _ <- lists:seq(1, 50)]
    end).

%% Everybody gets an answer.
closed_with_requests_in_line(Config) ->
    in_peer(Config, fun() ->
        Box = open(),
        Ids = [busy(Box) | [send(Box, ?ONE) || _ <- lists:seq(1, 50)]],
        ok = tripod:close(Box),
        ?assertEqual([{error, closed}], lists:usort([reply(Id) || Id <- Ids])),
        ?assertEqual({error, closed}, tripod:send(Box, ?ONE)),
        ?assertEqual({error, closed}, tripod:call(Box, ?ONE)),
        ?assertEqual({error, closed}, tripod:info(Box)),
        empty(),
        no_boxes()
    end).

close_races_requests(Config) ->
    in_peer(Config, fun() ->
        [begin
             Box = open(),
             nif_node:start(nif_node:racer(fun() -> tripod:close(Box) end)),
             Sent = [tripod:send(Box, ?ONE) || _ <- lists:seq(1, 20)],
             [?assert(lists:member(reply(Id), [{ok, [1]}, {error, closed}])) || {ok, Id} <- Sent],
             ?assertEqual([], [Error || {error, _} = Error <- Sent, Error =/= {error, closed}]),
             empty()
         end || _ <- lists:seq(1, 500)],
        no_boxes(),
        nif_node:no_monitors(self())
    end).

given_away_after_the_requests(Config) ->
    in_peer(Config, fun() ->
        Heir = idle(),
        [begin
             Box = open(),
             Ids = [send(Box, {eval, <<"n = (n or 0) + 1 return n">>, []}) || _ <- lists:seq(1, 100)],
             ok = tripod:give_away(Box, Heir),
             ?assertEqual({message_queue_len, 100}, process_info(self(), message_queue_len)),
             ?assertEqual({ok, [101]}, ask(Heir, fun(_) ->
                 {tripod_lua:eval(Box, "n = n + 1 return n"), Box}
             end)),
             ?assertEqual({error, not_owner}, tripod:send(Box, ?ONE)),
             ?assertEqual([{ok, [N]} || N <- lists:seq(1, 100)], [reply(Id) || Id <- Ids]),
             ok = tripod:close(Box)
         end || _ <- lists:seq(1, 20)],
        no_boxes()
    end).

interrupt_is_for_the_first(Config) ->
    in_peer(Config, fun() ->
        Box = open(),
        Ids = [busy(Box) | [send(Box, R) || R <- [?ENDLESS, ?ONE, ?ENDLESS, ?ONE]]],
        [A, B, C, D, E] = Ids,
        ok = tripod:interrupt(Box),
        ?assertEqual({error, interrupted}, reply(A)),
        until(fun() -> calls() =:= 1 end),
        ?assertEqual(timeout, tripod:receive_reply(C, 0)),
        ok = tripod:interrupt(Box),
        ?assertEqual([{error, interrupted}, {ok, [1]}], [reply(B), reply(C)]),
        until(fun() -> calls() =:= 1 end),
        ok = tripod:interrupt(Box),
        ?assertEqual([{error, interrupted}, {ok, [1]}], [reply(D), reply(E)]),
        ok = tripod:interrupt(Box), % nobody
        ?assertEqual({ok, [1]}, tripod:call(Box, ?ONE))
    end).

%% An interrupt before a call returns ends that call or nothing.
interrupt_never_hits_the_next(Config) ->
    in_peer(Config, fun() ->
        Box = open(),
        Outcomes = [begin
             Race = {_, _} = nif_node:racer(fun() -> tripod:interrupt(Box) end),
             {Racer, _} = Race,
             Monitor = monitor(process, Racer),
             nif_node:start(Race),
             First = tripod:call(Box, ?ONE),
             receive {'DOWN', Monitor, process, Racer, _} -> ok end,
             ?assertEqual({ok, [1]}, tripod:call(Box, ?ONE)),
             First
         end || _ <- lists:seq(1, 1000)],
        ?assertEqual([], lists:usort(Outcomes) -- [{ok, [1]}, {error, interrupted}])
    end).

%% --- threads ---

threads() ->
    {ok, Tasks} = file:list_dir("/proc/self/task"),
    length([own || Task <- Tasks, {ok, Name} <- [file:read_file("/proc/self/task/" ++ Task ++ "/comm")],
                   Name =:= <<"tripod_nif\n">>]).

application_stops(Config) ->
    in_peer(Config, fun() ->
        {ok, _} = application:ensure_all_started(tripod),
        ?assertEqual(0, threads()),
        [begin
             Idle = open(),
             ?assertEqual(0, threads()),
             Busy = [{Box, [busy(Box), send(Box, ?ONE)]} || _ <- lists:seq(1, 5), Box <- [open()]],
             until(fun() -> calls() =:= 5 end),
             ?assertEqual(erlang:system_info(schedulers), threads()),
             ok = application:stop(tripod),
             ?assertEqual(0, threads()),
             ?assertEqual([{error, closed}], lists:usort([reply(Id) || {_, Ids} <- Busy, Id <- Ids])),
             no_boxes(),
             ?assertEqual({error, closed}, tripod:call(Idle, ?ONE)),
             ok = application:start(tripod)
         end || _ <- lists:seq(1, 5)],
        empty()
    end).

unloaded_idle(Config) ->
    in_peer(Config, fun() ->
        [begin
             Box = open(),
             {ok, [1]} = tripod:call(Box, ?ONE),
             ?assertEqual(erlang:system_info(schedulers), threads()),
             ok = tripod:close(Box),
             unload(),
             until(fun() -> erlang:garbage_collect(), threads() =:= 0 end)
         end || _ <- lists:seq(1, 5)]
    end).

unload() ->
    true = code:delete(tripod_nif_lib),
    _ = code:purge(tripod_nif_lib),
    ok.

%% The code is gone and the call goes on: its box keeps the library until it is over.
unloaded_busy(Config) ->
    in_peer(Config, fun() ->
        [begin
             Owner = idle(),
             Owner ! {ask, self(), fun(_) ->
                 Box = open(#{time_ms => 1500}),
                 Ids = [send(Box, R) || R <- [?ENDLESS, ?ONE]],
                 {[reply(Id) || Id <- Ids], nothing}
             end},
             until(fun() -> calls() =:= 1 end),
             unload(),
             ?assertEqual([{error, {limit, time}}, {ok, [1]}], nif_node:outcome(Owner)),
             kill(Owner),
             until(fun() -> threads() =:= 0 end)
         end || _ <- lists:seq(1, 5)],
        no_boxes()
    end).
