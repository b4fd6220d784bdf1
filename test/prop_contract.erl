%% SPDX-License-Identifier: Apache-2.0
%% Any value of the contract survives the round trip, and every strategy and mode gives the same
%% reply to the same request. Boxes are opened once, by the process that runs the properties.
-module(prop_contract).

-export([prop_lua_values/0, prop_echo/0, prop_aliens/0, prop_any_lua_result/0]).

-include("prop.hrl").

-spec prop_lua_values() -> proper:test().
prop_lua_values() ->
    ?FORALL(Term, gen_term:value(),
            case {agreed(lua, {eval, <<"return ...">>, [Term]}), model:through_lua(Term)} of
                {{ok, [Back]}, {ok, Back}} -> true;
                {{error, {badterm, [1 | _]}}, badterm} -> true;
                {Reply, Expected} -> error({unexpected, Reply, Expected})
            end).

-spec prop_echo() -> proper:test().
prop_echo() ->
    ?FORALL(Term, gen_term:value(),
            case agreed(echo, Term) of
                {ok, Back} when Back =:= Term -> true;
                Reply -> error({unexpected, Reply})
            end).

%% What cannot cross is refused with a path, whether it is an argument or inside one.
-spec prop_aliens() -> proper:test().
prop_aliens() ->
    ?FORALL(Term, gen_term:holding(gen_term:alien()),
            case agreed(lua, {eval, <<"return ...">>, [0, Term]}) of
                {error, {badterm, [2 | _]}} -> true;
                Reply -> error({unexpected, Reply})
            end).

%% What a script makes of numbers, strings and tables crosses alike, or is refused alike.
-spec prop_any_lua_result() -> proper:test().
prop_any_lua_result() ->
    ?FORALL(Expression, expression(),
            case agreed(lua, {eval, iolist_to_binary(["return ", Expression]), []}, fun first/1) of
                {ok, [_]} -> true;
                {error, {badterm, [1]}} -> true;
                {error, {lua, #{message := _}}} -> true;
                Reply -> error({unexpected, Reply})
            end).

%% Where several values of one table cannot cross, each Lua state may come upon another one first:
%% the order of a table's keys depends on a seed that Lua draws for each state.
first({error, {badterm, [Index | _]}}) -> {error, {badterm, [Index]}};
first(Reply) -> Reply.

expression() -> ?SIZED(Size, expression(min(Size, 12))).

expression(0) ->
    oneof(["nil", "true", "0", "-1", "1.5", "1/0", "0/0", "-0.0", "1e308 * 10", "math.maxinteger",
           "math.mininteger", "2^53", "'text'", "'\\0\\255'", "print", "''"]);
expression(Size) ->
    Inner = Size div 3,
    frequency([{2, expression(0)},
               {3, ?LET(Es, resize(4, list(expression(Inner))), ["{", lists:join(",", Es), "}"])},
               {3, ?LET(Es, resize(4, list({key(), expression(Inner)})),
                        ["{", [["[", K, "]=", E, ";"] || {K, E} <- Es], "}"])},
               {1, ?LET(E, expression(Inner), ["setmetatable({", E, "}, {})"])},
               {1, ?LET(E, expression(Inner), ["(function() local t = {", E, "} t[#t + 1] = t return t end)()"])}]).

key() -> oneof(["1", "2", "3", "1.0", "0", "-1", "2.5", "'k'", "true", "{}", "1/0", "''"]).

%% The reply that all give; an error when they differ.
agreed(Service, Request) -> agreed(Service, Request, fun(Reply) -> Reply end).

agreed(Service, Request, What) ->
    Replies = [{Group, What(tripod:call(Box, Request))} || {Group, Box} <- boxes(Service)],
    case lists:usort([term_to_binary(Reply, [deterministic]) || {_, Reply} <- Replies]) of
        [_] -> element(2, hd(Replies));
        _ -> error({strategies_disagree, Replies})
    end.

boxes(Service) ->
    case get({?MODULE, Service}) of
        undefined ->
            Boxes = [{Group, contract:open(contract:options(Group), #{service => Service})}
                     || Group <- contract:groups()],
            undefined = put({?MODULE, Service}, Boxes),
            Boxes;
        Boxes ->
            Boxes
    end.
