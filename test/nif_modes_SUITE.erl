%% SPDX-License-Identifier: Apache-2.0
%% Where the calls of each mode of the NIF strategy run, and what an owner's death, or its absence
%% with `cleanup => gc`, does to them. The service itself tells on which kind of thread it was used
%% (test/faults/faults_threads.c), so nothing here depends on time.
%%
%% Each case runs in a node of its own (nif_node.erl), with the artefacts that can tell.
-module(nif_modes_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, idle/0, ask/2, until/1, no_boxes/0, kill/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([small_calls/1, large_requests_leave/1, large_replies_leave/1, the_rest_stays/1,
         inline_never_leaves/1, dirty_stays/1, a_stuck_box_leaves_and_returns/1,
         a_run_that_pauses_stays/1, owner_is_killed/1, owner_is_killed_in_a_callback/1,
         gc_waits_for_the_last_handle/1, gc_ignores_death_in_a_call/1, gc_gives_away/1,
         gc_is_of_nif/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [small_calls, large_requests_leave, large_replies_leave, the_rest_stays, inline_never_leaves,
     dirty_stays, a_stuck_box_leaves_and_returns, a_run_that_pauses_stays, owner_is_killed,
     owner_is_killed_in_a_callback, gc_waits_for_the_last_handle, gc_ignores_death_in_a_call,
     gc_gives_away, gc_is_of_nif].

%% A handler that outlasts its slice many times and cannot be paused.
-define(STUCK, "local n = 0 xpcall(error, function()"
               " for i = 1, 3e7 do n = n + 1 end end)").

init_per_testcase(_, Config) ->
    Home = filename:dirname(filename:dirname(code:which(tripod))),
    Private = os:getenv("TRIPOD_FAULTS_PRIV", filename:join([Home, "build", "faults", "priv"])),
    nif_node:start([], [{"TRIPOD_PRIV", Private}], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

open(Mode) -> open(Mode, #{}).

open(Mode, Options) ->
    {ok, Box} = tripod:open(nif, Options#{mode => Mode, service => faults}),
    Box.

%% Requests taken, steps made, replies finished, while Use ran: each by kind of thread.
threads(Box, Use) ->
    Before = seen(Box),
    Use(),
    lists:zipwith(fun(New, Old) -> lists:zipwith(fun erlang:'-'/2, New, Old) end, seen(Box), Before).

seen(Box) ->
    {ok, [_, _, _] = Rows} = tripod:call(Box, {fault, threads}),
    Rows.

eval(Box, Source) -> {ok, []} = tripod_lua:eval(Box, Source).

echo(Box, Term) -> {ok, [Term]} = tripod_lua:eval(Box, "return ...", [Term]).

small_calls(Config) ->
    in_peer(Config, fun() ->
        [begin
             Box = open(Mode),
             ?assertEqual({Mode, [Where, Where, Where]},
                          {Mode, threads(Box, fun() -> echo(Box, 1) end)})
         end || {Mode, Where} <- [{yield, [1, 0, 0, 0]}, {inline, [1, 0, 0, 0]},
                                  {dirty, [0, 1, 0, 0]}, {thread, [0, 0, 1, 0]}]]
    end).

%% Each would hold a normal scheduler for more than a millisecond.
large() ->
    Key = fun(I) -> <<"key ", (integer_to_binary(I))/binary>> end,
    Row = fun(I) -> {Key(I), #{<<"id">> => I, <<"text">> => binary:copy(<<"x">>, 200)}} end,
    Map = maps:from_list([Row(I) || I <- lists:seq(1, 100)]),
    [lists:seq(1, 1_000_000), maps:from_list([{Key(I), Map} || I <- lists:seq(1, 600)]),
     maps:from_list([{Key(I), I} || I <- lists:seq(1, 5000)]), binary:copy(<<"x">>, 8 bsl 20),
     list_to_tuple(lists:seq(1, 20_000)), [[I] || I <- lists:seq(1, 20_000)],
     [list_to_tuple(lists:seq(1, 60)) || _ <- lists:seq(1, 200)]].

large_requests_leave(Config) ->
    in_peer(Config, fun() ->
        Box = open(yield, #{memory_bytes => 1 bsl 30}),
        [?assertMatch([[0, 1, 0, 0], [0, _, 0, 0], [0, 1, 0, 0]],
                      threads(Box, fun() -> {ok, [1]} = tripod_lua:eval(Box, "return 1", [Term]) end))
         || Term <- large()],
        ?assertMatch([[0, 1, 0, 0] | _], threads(Box, fun() -> echo_list(Box) end))
    end).

echo_list(Box) ->
    List = lists:seq(1, 1_000_000),
    {ok, [List]} = tripod_lua:eval(Box, "return ...", [List]).

%% The attempt on the normal scheduler is a step that was not finished.
large_replies_leave(Config) ->
    in_peer(Config, fun() ->
        Box = open(yield, #{memory_bytes => 1 bsl 30, reply_bytes => 64 bsl 20}),
        [begin
             {ok, []} = tripod_lua:eval(Box, "t = ... function get() return t end", [Term]),
             ?assertMatch([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0]],
                          threads(Box, fun() -> {ok, [_]} = tripod_lua:call(Box, "get", []) end))
         end || Term <- large()],
        eval(Box, "function fail() error(t) end"),
        ?assertMatch([_, _, [0, 1, 0, 0]],
                     threads(Box, fun() -> {error, {lua, _}} = tripod_lua:call(Box, "fail", []) end))
    end).

the_rest_stays(Config) ->
    in_peer(Config, fun() ->
        Box = open(yield),
        Key = fun(I) -> <<"key ", (integer_to_binary(I))/binary>> end,
        [?assertEqual([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]],
                      threads(Box, fun() -> echo(Box, Term) end))
         || Term <- [binary:copy(<<"x">>, 1 bsl 20), lists:seq(1, 5000),
                     maps:from_list([{Key(I), I} || I <- lists:seq(1, 1000)])]]
    end).

inline_never_leaves(Config) ->
    in_peer(Config, fun() ->
        Box = open(inline, #{memory_bytes => 1 bsl 30}),
        Here = [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]],
        ?assertEqual(Here, threads(Box, fun() -> echo_list(Box) end)),
        ?assertEqual(Here, threads(Box, fun() -> eval(Box, ?STUCK) end)),
        ?assertEqual(Here, threads(Box, fun() -> eval(Box, "for _ = 1, 1e7 do end") end))
    end).

dirty_stays(Config) ->
    in_peer(Config, fun() ->
        [begin
             Box = open(Mode, #{memory_bytes => 1 bsl 30}),
             [begin
                  Rows = threads(Box, Use),
                  ?assertEqual({Mode, [], 1}, {Mode, [N || Row <- Rows, {I, N} <- lists:enumerate(Row),
                                                           I =/= Column, N =/= 0],
                                               lists:nth(Column, hd(Rows))})
              end || Use <- [fun() -> echo_list(Box) end, fun() -> eval(Box, ?STUCK) end,
                             fun() -> eval(Box, "for _ = 1, 3e7 do end") end]]
         end || {Mode, Column} <- [{dirty, 2}, {thread, 3}]]
    end).

%% What runs now cannot move; what comes next does, until the box has behaved for a while.
a_stuck_box_leaves_and_returns(Config) ->
    in_peer(Config, fun() ->
        Box = open(yield),
        ?assertMatch([[1, 0, 0, 0], [1, _, 0, 0], _],
                     threads(Box, fun() -> eval(Box, ?STUCK ++ " for _ = 1, 1e6 do end") end)),
        ?assertEqual([[0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]],
                     threads(Box, fun() -> echo(Box, 1) end)),
        Calls = fun() -> [echo(Box, I) || I <- lists:seq(1, 500)] end,
        until(fun() ->
                      [[Normal, Dirty, 0, 0] | _] = threads(Box, Calls),
                      Normal + Dirty =:= 500 andalso Dirty < 100
              end)
    end).

%% Once, at least: a machine that stops for long looks like a box that does.
a_run_that_pauses_stays(Config) ->
    in_peer(Config, fun() ->
        Box = open(yield),
        until(fun() ->
                      case threads(Box, fun() -> eval(Box, "for _ = 1, 5e5 do pcall(type, 1) end") end) of
                          [[1, 0, 0, 0], [Slices, 0, 0, 0], [1, 0, 0, 0]] when Slices > 5 -> true;
                          _ -> false
                      end
              end)
    end).

%% --- owners ---

owner(Mode, Options) ->
    Owner = idle(),
    {Owner, ask(Owner, fun(_) -> Box = open(Mode, Options#{time_ms => 60_000}), {Box, Box} end)}.

killed_in(Source) ->
    [begin
         {Owner, Box} = owner(Mode, #{}),
         Owner ! {ask, self(), fun(Held) -> {tripod_lua:eval(Box, Source), Held} end},
         until(fun() -> maps:get(calls, tripod:census(nif)) =:= 1 end),
         kill(Owner),
         no_boxes(),
         ?assertEqual({error, closed}, tripod:call(Box, 1))
     end || Mode <- [yield, dirty, thread], _ <- lists:seq(1, 20)].

owner_is_killed(Config) ->
    in_peer(Config, fun() -> killed_in("while true do pcall(error) end") end).

%% Only where the scheduler that notices the death is not the one that runs the call.
owner_is_killed_in_a_callback(Config) ->
    in_peer(Config, fun() ->
        Endless = "xpcall(error, function() while true do end end)",
        [begin
             {Owner, Box} = owner(Mode, #{}),
             Owner ! {ask, self(), fun(Held) -> {tripod_lua:eval(Box, Endless), Held} end},
             until(fun() -> maps:get(calls, tripod:census(nif)) =:= 1 end),
             kill(Owner),
             no_boxes()
         end || Mode <- [dirty, thread], _ <- lists:seq(1, 20)]
    end).

%% --- cleanup => gc ---

%% The owner's death does nothing, as long as somebody holds the handle; nobody can call any more.
gc_waits_for_the_last_handle(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Owner, Box} = owner(Mode, #{cleanup => gc}),
             ?assertEqual([], nif_node:monitors(Owner)),
             Holder = idle(),
             ok = ask(Holder, fun(_) -> {ok, Box} end),
             kill(Owner),
             ?assertEqual({error, not_owner}, tripod:call(Box, 1)),
             ok = tripod:interrupt(Box)
         end || Mode <- tripod_nif:modes()]
    end),
    %% The handles of the process above are garbage now.
    in_peer(Config, fun() ->
        ?assertMatch(#{boxes := 4}, tripod:census(nif)),
        [exit(Pid, kill) || Pid <- processes(), process_info(Pid, current_function)
                                =:= {current_function, {nif_node, holder, 1}}],
        until(fun() -> [erlang:garbage_collect(Pid) || Pid <- processes()], boxes() =:= 0 end)
    end).

boxes() -> maps:get(boxes, tripod:census(nif)).

%% On a thread of its own the call goes on; elsewhere it stops after its slice and is never over.
gc_ignores_death_in_a_call(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Owner, Box} = owner(Mode, #{cleanup => gc}),
             Owner ! {ask, self(), fun(Held) -> {tripod_lua:eval(Box, "while true do end"), Held} end},
             until(fun() -> maps:get(calls, tripod:census(nif)) =:= 1 end),
             kill(Owner),
             ?assertMatch(#{boxes := 1, calls := 1}, tripod:census(nif)),
             ok = tripod:interrupt(Box),
             Mode =:= thread andalso until(fun() -> maps:get(calls, tripod:census(nif)) =:= 0 end),
             ?assertMatch(#{boxes := 1}, tripod:census(nif)),
             ok = tripod:close(Box),
             no_boxes()
         end || Mode <- [yield, dirty, thread]]
    end).

gc_gives_away(Config) ->
    in_peer(Config, fun() ->
        [begin
             {Owner, Box} = owner(Mode, #{cleanup => gc}),
             Heir = idle(),
             Dead = spawn(fun() -> ok end),
             until(fun() -> not is_process_alive(Dead) end),
             ok = ask(Owner, fun(Held) -> {tripod:give_away(Box, Heir), Held} end),
             {error, not_owner} = ask(Owner, fun(Held) -> {tripod:call(Box, 1), Held} end),
             {error, noproc} = ask(Heir, fun(Held) -> {tripod:give_away(Box, Dead), Held} end),
             {ok, [1]} = ask(Heir, fun(Held) -> {tripod_lua:eval(Box, "return 1"), Held} end),
             ok = tripod:close(Box),
             [exit(Pid, kill) || Pid <- [Owner, Heir]]
         end || Mode <- tripod_nif:modes()],
        no_boxes()
    end).

gc_is_of_nif(_Config) ->
    [?assertError(badarg, tripod:open(Strategy, #{cleanup => gc}))
     || Strategy <- [port_program, port_driver]],
    ?assertError(badarg, tripod:open(nif, #{cleanup => never})),
    try tripod:open(port_driver, #{cleanup => gc})
    catch
        error:badarg:Stack ->
            #{2 := Text} = tripod_options:format_error(badarg, Stack),
            ?assertNotEqual(nomatch, string:find(Text, "cleanup"))
    end.
