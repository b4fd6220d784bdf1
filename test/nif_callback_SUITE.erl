%% SPDX-License-Identifier: Apache-2.0
%% Mode `yield` on a node with a single scheduler: code of a script's that never ends, called back by
%% a C function of the sandbox's, leaves the scheduler to others and dies with its owner. If it held
%% the scheduler, nothing here would run until the call's limit, which is much longer than the
%% deadline.
-module(nif_callback_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, ask/2, idle/0, until/1, no_boxes/0, kill/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([sort/1, gsub/1, texts/1, load/1, tables/1, arithmetic/1, nested/1, a_handler_is_different/1]).

-define(TIME_MS, 60_000).
-define(DEADLINE_MS, 5_000).
-define(TICKS, 20).

suite() -> [{timetrap, {seconds, 120}}].

all() -> [sort, gsub, texts, load, tables, arithmetic, nested, a_handler_is_different].

init_per_testcase(_, Config) -> nif_node:start(["+S", "1:1"], [], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

sort(Config) ->
    killed_in(Config, ["table.sort({3, 2, 1}, endless)",
                       "table.sort({3, 2, 1}, function() while true do pcall(error) end end)",
                       "table.sort({has('__lt'), has('__lt')})",
                       "table.sort(has('__len'))",
                       "table.sort(has('__index', 3))"]).

gsub(Config) ->
    killed_in(Config, ["string.gsub('abc', '.', endless)",
                       "string.gsub('abc', '.', has('__index'))"]).

texts(Config) ->
    killed_in(Config, ["tostring(has('__tostring'))", "print(1, has('__tostring'))",
                       "string.format('%d %s', 1, has('__tostring'))"]).

load(Config) ->
    killed_in(Config, ["load(endless)"]).

tables(Config) ->
    killed_in(Config, ["for i in ipairs(has('__index')) do end",
                       "table.insert(has('__len'), 1)",
                       "table.insert(has('__newindex', 3), 1)",
                       "table.insert(has('__index', 3), 1, 1)",
                       "table.remove(has('__index', 3), 1)",
                       "table.move(has('__index'), 1, 3, 2)",
                       "table.move({1, 2, 3}, 1, 3, 2, has('__eq'))",
                       "table.concat(has('__index', 3))",
                       "table.unpack(has('__index'), 1, 3)"]).

arithmetic(Config) ->
    killed_in(Config, ["return 'x' + has('__add')"]).

nested(Config) ->
    killed_in(Config, ["table.sort({2, 1}, function() string.gsub('a', 'a', function() "
                       "table.sort({2, 1}, function() coroutine.wrap(function() "
                       "pcall(tostring, has('__tostring')) end)() end) end) end)"]).

%% What cannot pause does hold it: this suite would notice.
a_handler_is_different(Config) ->
    in_peer(Config, fun() ->
        {ok, Box} = tripod:open(nif, #{mode => yield, time_ms => 1000}),
        Ticker = ticker(),
        Before = ticks(Ticker),
        ?assertEqual({error, {limit, time}},
                     tripod_lua:eval(Box, "xpcall(error, function() while true do end end)")),
        ?assert(ticks(Ticker) - Before < ?TICKS),
        ok = tripod:close(Box)
    end).

prelude() ->
    "function endless() while true do end end "
    "function has(event, length) "
    "  return setmetatable({}, {[event] = endless, __len = length and function() return length end "
    "                                               or event == '__len' and endless or nil}) "
    "end ".

killed_in(Config, Sources) ->
    in_peer(Config, fun() ->
        Ticker = ticker(),
        [killed(Source, Ticker) || Source <- Sources]
    end).

killed(Source, Ticker) ->
    Began = erlang:monotonic_time(millisecond),
    Owner = idle(),
    Box = ask(Owner, fun(_) ->
        {ok, Opened} = tripod:open(nif, #{mode => yield, time_ms => ?TIME_MS}),
        {Opened, Opened}
    end),
    Owner ! {ask, self(), fun(Held) -> {tripod_lua:eval(Box, [prelude(), Source]), Held} end},
    until(fun() -> maps:get(calls, tripod:census(nif)) =:= 1 end),
    Before = ticks(Ticker),
    until(fun() -> ticks(Ticker) - Before >= ?TICKS end),
    ?assertMatch({Source, #{calls := 1, boxes := 1}}, {Source, tripod:census(nif)}),
    kill(Owner),
    no_boxes(),
    ?assertMatch({Source, #{calls := 0, bytes := 0}}, {Source, tripod:census(nif)}),
    Took = erlang:monotonic_time(millisecond) - Began,
    ?assert(Took < ?DEADLINE_MS, {Source, Took}).

%% A second process of the same scheduler.
ticker() -> spawn_link(fun() -> tick(0) end).

tick(Ticks) ->
    receive
        {ticks, From} ->
            From ! {self(), Ticks},
            tick(Ticks)
    after 1 ->
        tick(Ticks + 1)
    end.

ticks(Ticker) ->
    Ticker ! {ticks, self()},
    receive {Ticker, Ticks} -> Ticks after ?DEADLINE_MS -> error(deadline) end.
