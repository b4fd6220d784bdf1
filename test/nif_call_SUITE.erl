%% SPDX-License-Identifier: Apache-2.0
%% NIF calls: terms cross unchanged or not at all, a call is sliced so that other processes run, and
%% what a send is in a strategy without a second thread.
%%
%% Each case runs in a node of its own (nif_node.erl). What holds for every strategy is in
%% contract_*_SUITE.
-module(nif_call_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, open/1, owner/1, until/1, no_boxes/0, endless/2, outcome/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([send_runs_at_once/1, terms_cross/1, terms_that_cannot_cross/1, deep_terms/1,
         owner_death_ends_a_call/1, an_endless_call_yields/1, short_calls_yield_too/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [send_runs_at_once, terms_cross, terms_that_cannot_cross, deep_terms,
     owner_death_ends_a_call, an_endless_call_yields, short_calls_yield_too].

%% One scheduler where the question is whether a call leaves it to others.
init_per_testcase(Case, Config)
  when Case =:= an_endless_call_yields; Case =:= short_calls_yield_too ->
    nif_node:start(["+S", "1:1"], [], Config);
init_per_testcase(_, Config) ->
    nif_node:start([], [], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

send_runs_at_once(Config) ->
    in_peer(Config, fun() ->
        Box = open(echo),
        Ids = [begin {ok, Id} = tripod:send(Box, N), Id end || N <- lists:seq(1, 50)],
        ?assertEqual({message_queue_len, 50}, process_info(self(), message_queue_len)),
        ?assertEqual([{ok, N} || N <- lists:seq(50, 1, -1)],
                     [tripod:receive_reply(Id, 0) || Id <- lists:reverse(Ids)]),
        ?assertEqual(timeout, tripod:receive_reply(hd(Ids), 0))
    end).

%% --- terms ---

terms_cross(Config) ->
    in_peer(Config, fun() ->
        Box = open(echo),
        [?assertEqual({Term, {ok, term_to_binary(Term)}}, {Term, encoded(tripod:call(Box, Term))})
         || Term <- terms()]
    end).

%% As bytes, because 0.0 =:= -0.0 before OTP 27.
encoded({ok, Term}) -> {ok, term_to_binary(Term)};
encoded(Error) -> Error.

terms() ->
    <<_:3, Unaligned:40/binary, _/bits>> = crypto:strong_rand_bytes(50),
    <<_:5/binary, Part:70/binary, _/bits>> = crypto:strong_rand_bytes(90),
    Wide = [list_to_atom(Name) || Name <- [[16#E9], [16#3A9, $x], [16#1F600],
                                           lists:duplicate(255, 16#E9), lists:duplicate(255, $a),
                                           lists:duplicate(255, 16#1F600)]],
    [0, 1, -1, (1 bsl 59) - 1, 1 bsl 59, -(1 bsl 59), -(1 bsl 59) - 1, (1 bsl 63) - 1, -(1 bsl 63),
     0.0, -0.0, 1.5, 1.7976931348623157e308, 5.0e-324, -2.2250738585072014e-308,
     '', nil, true, false, undefined, ok, not_a_listed_atom | Wide]
        ++ [<<>>, <<0>>, Unaligned, Part]
        ++ [crypto:strong_rand_bytes(N) || N <- [63, 64, 65, 4096, 1 bsl 20]]
        ++ [[], [[]], [1 | [2 | []]], "text", [1, 255, 256], lists:seq(1, 100_000)]
        ++ [{}, {{}}, {1, a, <<"b">>}, list_to_tuple(lists:seq(1, 70_000))]
        ++ [#{}, #{a => 1}, #{1 => a, 1.0 => b, <<"1">> => c, {1} => d, [1] => e, #{1 => 1} => f}]
        ++ [maps:from_list([{I, {I, #{}}} || I <- lists:seq(1, N)]) || N <- [31, 32, 33, 64, 5000]].

terms_that_cannot_cross(Config) ->
    in_peer(Config, fun() ->
        Box = open(echo),
        Port = hd(erlang:ports()),
        [begin
             ?assertMatch({_, {error, {badterm, _}}}, {Term, tripod:call(Box, Term)}),
             ?assertMatch({_, {error, {badterm, _}}}, {Term, tripod:call(Box, [#{k => {Term}}])}),
             ?assertMatch({_, {error, {badterm, _}}}, {Term, tripod:call(Box, #{Term => 1})})
         end || Term <- [1 bsl 63, -(1 bsl 63) - 1, 1 bsl 200, self(), make_ref(), Port,
                         fun() -> ok end, fun lists:map/2, <<1:1>>, <<1, 2, 3:7>>, [1 | 2],
                         [a, b | <<"c">>]]],
        ?assertEqual({ok, 1}, tripod:call(Box, 1))
    end).

deep_terms(Config) ->
    in_peer(Config, fun() ->
        Box = open(echo),
        [begin
             Deep = nest(Wrap, 200, 1),
             ?assertEqual({ok, Deep}, tripod:call(Box, Deep)),
             [?assertEqual({N, {error, {limit, depth}}}, {N, tripod:call(Box, nest(Wrap, N, 1))})
              || N <- [300, 100_000]]
         end || Wrap <- [fun(T) -> [T] end, fun(T) -> {T} end, fun(T) -> #{k => T} end,
                         fun(T) -> #{T => 1} end]],
        ?assertEqual({ok, 1}, tripod:call(Box, 1))
    end).

nest(_, 0, Term) -> Term;
nest(Wrap, N, Term) -> nest(Wrap, N - 1, Wrap(Term)).

%% --- slices ---

owner_death_ends_a_call(Config) ->
    in_peer(Config, fun() ->
        {Owner, Box} = owner(lua),
        _ = endless(Owner, Box),
        exit(Owner, kill),
        no_boxes(),
        ?assertEqual({error, closed}, tripod:call(Box, 1))
    end).

%% One scheduler and four calls that want it for a minute: 50 turns of everybody take 0.2 s.
an_endless_call_yields(Config) ->
    in_peer(Config, fun() ->
        ?assertEqual(1, erlang:system_info(schedulers_online)),
        Owners = [owner(lua) || _ <- lists:seq(1, 4)],
        Calls = [{endless(Owner, Box), Box} || {Owner, Box} <- Owners],
        Turns = counters:new(1, []),
        until(fun() -> erlang:yield(), counters:add(Turns, 1, 1), counters:get(Turns, 1) >= 50 end),
        [ok = tripod:interrupt(Box) || {_, Box} <- Calls],
        [?assertEqual({error, interrupted}, outcome(Call)) || {Call, _} <- Calls],
        [exit(Owner, kill) || {Owner, _} <- Owners],
        no_boxes()
    end).

%% Calls of a fraction of a slice, one after the other. The VM counts each as one reduction of 4000,
%% so a process that was charged no more than that would run thousands of them in a row.
short_calls_yield_too(Config) ->
    InARow = in_peer(Config, fun() ->
        ?assertEqual(1, erlang:system_info(schedulers_online)),
        Done = counters:new(1, []),
        {Owner, Box} = owner(lua),
        Owner ! {ask, self(), fun(_) -> busy(Box, Done) end},
        until(fun() -> counters:get(Done, 1) > 0 end),
        Seen = [begin
             Before = counters:get(Done, 1),
             erlang:yield(),
             counters:get(Done, 1) - Before
         end || _ <- lists:seq(1, 41)],
        exit(Owner, kill),
        no_boxes(),
        lists:sort(Seen)
    end),
    ct:log("calls in a row: ~w", [InARow]),
    ?assert(lists:nth(21, InARow) < 100).

%% About half a slice each.
busy(Box, Done) ->
    {ok, []} = tripod_lua:eval(Box, "for _ = 1, 150000 do end"),
    counters:add(Done, 1, 1),
    busy(Box, Done).
