%% SPDX-License-Identifier: Apache-2.0
%% The contract between nodes: a box belongs to a process of its own node, whoever else gets to know of
%% it, and whatever becomes of their nodes. Each case runs at a node `here`, with another one `away`,
%% which has the same application, stopped or running.
-module(contract_nodes_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, groups/0, suite/0, init_per_group/2, end_per_group/2, init_per_testcase/2,
         end_per_testcase/2]).
-export([handle_goes_away/1, handle_comes_back/1, used_from_away/1, not_given_away/1,
         owner_loses_its_node/1, owner_loses_its_node_in_a_call/1, owned_away/1]).
%% Called at the nodes.
-export([do/3, every_use/1, echo/0, open_and_stay/2, ties/1]).

-define(DEADLINE_MS, 30000).

suite() -> [{timetrap, {minutes, 5}}].

all() -> [{group, Group} || Group <- contract:groups()].

groups() ->
    [{Group, [], [handle_goes_away, handle_comes_back, used_from_away, not_given_away,
                  owner_loses_its_node, owner_loses_its_node_in_a_call, owned_away]}
     || Group <- contract:groups()].

init_per_group(Group, Config) ->
    {Here, Port} = two_nodes:start({1, any}),
    {ok, _} = two_nodes:at(Here, application, {ensure_all_started, [tripod]}),
    [{here, Here}, {port, Port} | contract:options(Group) ++ Config].

end_per_group(_, Config) -> two_nodes:kill(?config(here, Config)).

init_per_testcase(_, Config) ->
    {Away, _} = two_nodes:start({2, ?config(port, Config)}),
    true = two_nodes:at(?config(here, Config), net_kernel, {connect_node, [two_nodes:name(Away)]}),
    [{away, Away} | Config].

end_per_testcase(_, Config) -> two_nodes:kill(?config(away, Config)).

%% Runs a function at the node here, with the strategy and mode and with who is away.
here(Config, Function) -> here(Config, Function, none).

here(Config, Function, Arg) ->
    Options = [{Key, ?config(Key, Config)} || Key <- [strategy, mode]],
    Away = ?config(away, Config),
    two_nodes:at(?config(here, Config), ?MODULE,
                 {do, [Options, {two_nodes:name(Away), two_nodes:os_pid(Away)},
                       fun(Given, Node) -> Function(Given, Node, Arg) end]}).

do(Options, Away, Function) ->
    ok = contract:bind(),
    ok = Function(Options, Away),
    ok = contract:await_nothing_alive(),
    ?assertEqual([], contract:mailbox()).

%% --- handles ---

%% There it is the handle of a box that is closed, and nothing that is done to it comes back here.
handle_goes_away(Config) ->
    [here(Config, fun goes_away/3, {Started, BoxOptions})
     || Started <- [false, true], BoxOptions <- [#{}, #{functions => #{f => fun erlang:abs/1}}]].

goes_away(Config, {Away, _}, {Started, BoxOptions}) ->
    Started andalso ({ok, _} = erpc:call(Away, application, ensure_all_started, [tripod])),
    {Owner, Monitor, Box} = contract:owner(Config, BoxOptions),
    Closed = {lists:duplicate(5, {error, closed}), ok, ok},
    ?assertEqual(Closed, erpc:call(Away, ?MODULE, every_use, [Box])),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    killed = kill(Owner, Monitor),
    contract:await_nothing_alive(),
    ?assertEqual(Closed, erpc:call(Away, ?MODULE, every_use, [Box])),
    ?assertEqual(Closed, every_use(Box)),
    ok.

every_use(Box) ->
    Sent = case tripod:send(Box, {eval, <<"return 1">>, []}) of
               {ok, Request} -> tripod:receive_reply(Request, ?DEADLINE_MS);
               Refused -> Refused
           end,
    {[Sent, tripod:call(Box, {eval, <<"return 1">>, []}), tripod:info(Box),
      tripod:give_away(Box, self()), tripod_lua:reset(Box)],
     tripod:interrupt(Box), tripod:close(Box)}.

%% What was sent away and came back is as good as ever, until the owner is gone.
handle_comes_back(Config) -> here(Config, fun comes_back/3).

comes_back(Config, {Away, _}, none) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    Echo = spawn(Away, ?MODULE, echo, []),
    Travelled = contract:ask(Owner, fun() ->
        Echo ! {self(), Box},
        receive {Echo, Back} -> Back end
    end),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Travelled, "return 1") end),
    {error, not_owner} = tripod_lua:eval(Travelled, "return 1"),
    killed = kill(Owner, Monitor),
    contract:await_nothing_alive(),
    closed(Travelled).

echo() -> receive {From, Term} -> From ! {self(), Term} end.

%% --- processes away ---

%% Whoever calls from there is a stranger here, who may interrupt and close.
used_from_away(Config) -> here(Config, fun from_away/3).

from_away(Config, {Away, _}, none) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    Here = node(),
    From = fun(Function, Args) -> erpc:call(Away, erpc, call, [Here, tripod, Function, Args]) end,
    {error, not_owner} = From(call, [Box, {eval, <<"return 1">>, []}]),
    {error, not_owner} = From(info, [Box]),
    ok = From(interrupt, [Box]),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    ok = From(close, [Box]),
    {error, closed} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    killed = kill(Owner, Monitor),
    ok.

%% A process of another node cannot be watched as one of this node can, so it cannot be the owner.
not_given_away(Config) -> here(Config, fun not_given/3).

not_given(Config, {Away, _}, none) ->
    Remote = spawn(Away, ?MODULE, echo, []),
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    Items = [links, monitors, monitored_by, messages],
    Before = process_info(Owner, Items),
    Give = fun() ->
                   try tripod:give_away(Box, Remote)
                   catch error:badarg:Stack -> hd(Stack)
                   end
           end,
    ?assertMatch({tripod, give_away, [_, _], [_ | _]}, contract:ask(Owner, Give)),
    ?assertEqual(Before, process_info(Owner, Items)),
    ?assertEqual([{links, []}, {monitored_by, []}], erpc:call(Away, ?MODULE, ties, [Remote])),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    killed = kill(Owner, Monitor),
    ok.

ties(Pid) -> process_info(Pid, [links, monitored_by]).

%% --- nodes that go down ---

%% The owner is linked to a process of the other node, and ends with it.
owner_loses_its_node(Config) -> here(Config, fun loses_its_node/3, idle).
owner_loses_its_node_in_a_call(Config) -> here(Config, fun loses_its_node/3, in_a_call).

loses_its_node(Config, {Away, OsPid}, What) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{time_ms => 60000}),
    Remote = spawn(Away, ?MODULE, echo, []),
    true = contract:ask(Owner, fun() -> link(Remote) end),
    ok = busy(What, Owner, Box),
    "" = os:cmd("kill -KILL " ++ OsPid),
    ?assertEqual(noconnection, ended(Owner, Monitor, Box, ?config(mode, Config))),
    ok = contract:await_nothing_alive(),
    closed(Box).

busy(idle, _, _) ->
    ok;
busy(in_a_call, Owner, Box) ->
    ok = contract:tell(Owner, fun() -> tripod_lua:eval(Box, "while true do pcall(error) end") end),
    contract:await(fun() -> maps:get(calls, tripod:census()) =:= 1 end).

%% An inline call holds its owner's scheduler: the exit signal waits for somebody to end it.
ended(Owner, Monitor, Box, inline) ->
    receive
        {'DOWN', Monitor, process, Owner, Why} -> Why
    after 1 ->
        ok = tripod:interrupt(Box),
        ended(Owner, Monitor, Box, inline)
    end;
ended(Owner, Monitor, _, _) ->
    receive {'DOWN', Monitor, process, Owner, Why} -> Why after ?DEADLINE_MS -> error(lives) end.

%% A box of the other node's is gone with that node, and so is its operating system process.
owned_away(Config) -> here(Config, fun of_another/3).

of_another(Config, {Away, OsPid}, none) ->
    _ = spawn(Away, ?MODULE, open_and_stay, [Config, self()]),
    {Box, OsPids} = receive {opened, Opened, Pids} -> {Opened, Pids} after ?DEADLINE_MS -> error(hangs) end,
    closed(Box),
    {error, not_owner} = erpc:call(Away, tripod, call, [Box, {eval, <<"return 1">>, []}]),
    "" = os:cmd("kill -KILL " ++ OsPid),
    ok = contract:await(fun() ->
        Left = [Pid || Pid <- [OsPid | OsPids], tripod_port_program_os:start(list_to_integer(Pid)) =/= gone],
        Left =:= [] orelse Left
    end),
    closed(Box).

open_and_stay(Config, Reader) ->
    {ok, _} = application:ensure_all_started(tripod),
    Box = contract:open(Config),
    Reader ! {opened, Box, [integer_to_list(Pid) || Port <- erlang:ports(),
                                                    {os_pid, Pid} <- [erlang:port_info(Port, os_pid)],
                                                    is_integer(Pid)]},
    receive never -> ok end.

closed(Box) ->
    ?assertEqual({lists:duplicate(5, {error, closed}), ok, ok}, every_use(Box)),
    ok.

kill(Pid, Monitor) ->
    true = exit(Pid, kill),
    receive {'DOWN', Monitor, process, Pid, Why} -> Why after ?DEADLINE_MS -> error(lives) end.
