%% SPDX-License-Identifier: Apache-2.0
%% The driver's library and the process that loads it: which of the two may be missing, die or be
%% stopped, and what live boxes notice of it.
%%
%% Each case runs in a node of its own, so that a crash of the VM is one failed case.
-module(port_driver_loader_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include("../port_driver/tripod_port_driver.hrl").

-import(driver_node, [in_node/2, open/0, owner/1, box_ports/0, switchboards/0, driver_users/0,
                      kill/1, no_boxes/0]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([loader_killed/1, loader_killed_in_a_call/1, stopped_without_a_successor/1,
         application_stopped/1, missing_artefact/1, broken_artefact/1,
         a_closed_switchboard_is_replaced/1, log_goes_to_the_logger/1]).
-export([log/2]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [loader_killed, loader_killed_in_a_call, stopped_without_a_successor, application_stopped,
     missing_artefact, broken_artefact, a_closed_switchboard_is_replaced, log_goes_to_the_logger].

init_per_testcase(Case, Config) when Case =:= missing_artefact; Case =:= broken_artefact ->
    Priv = filename:join(proplists:get_value(priv_dir, Config), Case),
    ok = filelib:ensure_dir(filename:join(Priv, "file")),
    driver_node:start([{"TRIPOD_PRIV", Priv}], [{artefacts, Priv} | Config]);
init_per_testcase(_, Config) ->
    driver_node:start([], Config).

end_per_testcase(_, Config) -> driver_node:stop(Config).

kill_loader() ->
    Loader = whereis(tripod_port_driver_loader),
    kill(Loader),
    Loader.

await_loader(Old) ->
    contract:await(fun() ->
                           case whereis(tripod_port_driver_loader) of
                               undefined -> false;
                               New -> New =/= Old
                           end
                   end).

loader_killed(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        Switchboards = switchboards(),
        ?assertEqual(erlang:system_info(schedulers), length(Switchboards)),
        ok = sys:suspend(tripod_sup),
        Loader = kill_loader(),
        %% There is none, until the supervisor goes on.
        ?assertEqual([{users, 0}], driver_users()),
        {ok, 1} = tripod:call(Box, 1),
        #{boxes := 1} = tripod:census(port_driver),
        ok = tripod:interrupt(Box),
        Second = open(),
        ok = sys:resume(tripod_sup),
        await_loader(Loader),
        {ok, 2} = tripod:call(Second, 2),
        {ok, 1} = tripod:call(Box, 1),
        contract:await(fun() -> driver_users() =:= [{users, 1}] end),
        [?assertMatch({id, _}, erlang:port_info(Port, id)) || Port <- Switchboards],
        ok = tripod:close(Box),
        ok = tripod:close(Second),
        no_boxes()
    end).

loader_killed_in_a_call(Config) ->
    in_node(Config, fun() ->
        {Owner, Monitor, Box} = owner(#{time_ms => 60_000}),
        Self = self(),
        contract:tell(Owner, fun() ->
            Self ! {reply, tripod:call(Box, {eval, <<"while true do end">>, []})} end),
        contract:await(fun() -> maps:get(calls, tripod:census(port_driver)) =:= 1 end),
        Loader = kill_loader(),
        ok = tripod:interrupt(Box),
        receive {reply, Reply} -> ?assertEqual({error, interrupted}, Reply) end,
        await_loader(Loader),
        {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
        exit(Owner, kill),
        receive {'DOWN', Monitor, process, _, _} -> ok end
    end).

%% Orderly, it closes every box. Nothing starts it again but its supervisor.
stopped_without_a_successor(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        ok = supervisor:terminate_child(tripod_sup, tripod_port_driver_loader),
        contract:await(fun() -> tripod:call(Box, 1) =:= {error, closed} end),
        contract:await(fun() -> driver_users() =:= [] end),
        {error, {tripod_port_driver_loader, _}} =
            tripod:open(port_driver, #{service => echo}),
        #{boxes := 0} = tripod:census(port_driver),
        ok = tripod:interrupt(Box),
        ok = tripod:close(Box),
        {ok, _} = supervisor:restart_child(tripod_sup, tripod_port_driver_loader),
        Next = open(),
        {ok, 1} = tripod:call(Next, 1),
        ?assertEqual({error, closed}, tripod:call(Box, 1)),
        ok = tripod:close(Next)
    end).

application_stopped(Config) ->
    in_node(Config, fun() ->
        Trapped = process_flag(trap_exit, true),
        [begin
             Boxes = [open() || _ <- lists:seq(1, 20)],
             ok = application:stop(tripod),
             [contract:await(fun() -> tripod:call(Box, 1) =:= {error, closed} end)
              || Box <- Boxes],
             contract:await(fun() -> driver_users() =:= [] end),
             ?assertEqual([], box_ports()),
             [] = contract:mailbox(),
             %% Ids of one load do not come back in the next.
             Stale = hd(Boxes),
             New = open(),
             ok = tripod:close(Stale),
             {ok, 1} = tripod:call(New, 1),
             ok = tripod:close(New)
         end || _ <- lists:seq(1, 10)],
        process_flag(trap_exit, Trapped)
    end).

missing_artefact(Config) ->
    Priv = proplists:get_value(artefacts, Config),
    Real = tripod_strategy:artefact(?DRIVER ".so"),
    in_node(Config, fun() ->
        File = filename:join(Priv, ?DRIVER ".so"),
        ?assertEqual({error, tripod_strategy:missing(File)},
                     tripod:open(port_driver, #{service => echo})),
        ?assertMatch({error, {missing_artefact, File, _}},
                     tripod:open(port_driver, #{service => echo})),
        #{boxes := 0} = tripod:census(port_driver),
        [] = contract:mailbox(),
        %% Built in the meantime.
        {ok, _} = file:copy(Real, File),
        Box = open(),
        {ok, 1} = tripod:call(Box, 1),
        ok = tripod:close(Box)
    end).

broken_artefact(Config) ->
    Priv = proplists:get_value(artefacts, Config),
    in_node(Config, fun() ->
        File = filename:join(Priv, ?DRIVER ".so"),
        ok = file:write_file(File, <<"not a library">>),
        {error, {artefact, File, Why}} = tripod:open(port_driver, #{service => echo}),
        ?assert(is_list(Why) andalso Why =/= ""),
        [_ | _] = supervisor:which_children(tripod_sup)
    end).

a_closed_switchboard_is_replaced(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        [port_close(Port) || Port <- switchboards()],
        #{boxes := 1} = tripod:census(port_driver),
        ok = tripod:close(Box),
        no_boxes()
    end).

log_goes_to_the_logger(Config) ->
    in_node(Config, fun() ->
        Self = self(),
        ok = logger:add_handler(?MODULE, ?MODULE, #{config => Self}),
        whereis(tripod_port_driver_loader) ! {tripod_port_driver_log, warning, <<"so it is">>},
        receive
            {logged, warning, {"~ts", [<<"so it is">>]}} -> ok
        after 30_000 ->
            error(deadline)
        end
    end).

%% As a handler of logger's.
log(#{level := Level, msg := Message}, #{config := Pid}) ->
    Pid ! {logged, Level, Message}.
