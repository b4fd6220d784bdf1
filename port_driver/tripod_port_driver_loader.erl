%% SPDX-License-Identifier: Apache-2.0
%% Loads the driver, and opens the switchboards.
%%
%% The VM unloads a driver when the last process that loaded it dies, so the process that opens a
%% box must not be the one that loads. This one is permanent. Should it be killed, the ports that
%% are open keep the library in place (loaded without kill_ports), the supervisor starts another
%% loader, and its load revokes the unloading: boxes notice nothing, only opens fail in between.
%% When the application stops, every box is closed and the library goes.
%%
%% One switchboard per scheduler, so that their locks are never contended. They have no link to
%% this process and survive it too: an interrupt works without a loader.
-module(tripod_port_driver_loader).
-behaviour(gen_server).

-include("tripod_port_driver.hrl").

-export([start_link/0, load/0, switchboard/0]).
-export([init/1, handle_continue/2, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

%% Whether this process has loaded the driver.
-type loaded() :: boolean().

-define(SWITCHBOARDS, {tripod_port_driver, switchboards}).

-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% Loads what is not loaded. An artefact that was missing is looked for again.
-spec load() -> ok | {error, term()}.
load() ->
    try
        gen_server:call(?MODULE, load, infinity)
    catch
        exit:{Reason, {gen_server, call, _}} -> {error, {tripod_port_driver_loader, Reason}}
    end.

-spec switchboard() -> port() | none.
switchboard() ->
    case persistent_term:get(?SWITCHBOARDS, none) of
        none -> none;
        Ports -> element((erlang:system_info(scheduler_id) - 1) rem tuple_size(Ports) + 1, Ports)
    end.

%% Nothing is loaded until the first box is opened, unless this is the successor of a loader.
-spec init([]) -> {ok, loaded()} | {ok, loaded(), {continue, load}}.
init([]) ->
    _ = process_flag(trap_exit, true),
    case persistent_term:get(?SWITCHBOARDS, none) of
        none -> {ok, false};
        _ -> {ok, false, {continue, load}}
    end.

-spec handle_continue(load, loaded()) -> {noreply, loaded()}.
handle_continue(load, Loaded) ->
    {_, Now} = ready(Loaded),
    {noreply, Now}.

-spec handle_call(load, gen_server:from(), loaded()) ->
          {reply, ok | {error, term()}, loaded()}.
handle_call(load, _From, Loaded) ->
    {Result, Now} = ready(Loaded),
    {reply, Result, Now}.

-spec handle_cast(term(), loaded()) -> {noreply, loaded()}.
handle_cast(_, Loaded) ->
    {noreply, Loaded}.

-spec handle_info(term(), loaded()) -> {noreply, loaded()}.
handle_info({tripod_port_driver_log, Level, Text}, Loaded) ->
    logger:log(Level, "~ts", [Text], #{domain => [tripod, port_driver]}),
    {noreply, Loaded};
handle_info(_, Loaded) ->
    {noreply, Loaded}.

-spec terminate(term(), loaded()) -> ok.
terminate(_Reason, false) ->
    ok;
terminate(_Reason, true) ->
    ok = close_boxes(tuple_to_list(persistent_term:get(?SWITCHBOARDS, {}))),
    _ = persistent_term:erase(?SWITCHBOARDS),
    _ = erl_ddll:try_unload(?DRIVER, [kill_ports]),
    ok.

%% Before anything that waits for a call that holds its scheduler: to close the port that the call has
%% locked does, and so does erasing a persistent term, which is over when every scheduler has come by.
close_boxes([]) ->
    ok;
close_boxes([Port | Ports]) ->
    try port_control(Port, ?CLOSE_ALL, []) of
        <<?OK>> -> ok
    catch
        error:badarg -> close_boxes(Ports) % somebody closed this one
    end.

%% A process counts as one user of a driver for each time that it loaded it.
ready(false) ->
    case load_driver() of
        ok -> ready(true);
        {error, _} = Error -> {Error, false}
    end;
ready(true) ->
    ok = open_switchboards(),
    {ok, true}.

load_driver() ->
    File = tripod_strategy:artefact(?DRIVER ".so"),
    case filelib:is_regular(File) of
        true ->
            case erl_ddll:load(filename:dirname(File), ?DRIVER) of
                ok ->
                    ok;
                {error, Reason} ->
                    {error, {artefact, File, lists:flatten(erl_ddll:format_error(Reason))}}
            end;
        false ->
            {error, tripod_strategy:missing(File)}
    end.

%% Those of a predecessor go on.
open_switchboards() ->
    Old = persistent_term:get(?SWITCHBOARDS, {}),
    Ports = [open_switchboard(Port) || Port <- wanted(tuple_to_list(Old))],
    <<?OK>> = port_control(hd(Ports), ?LOG, []),
    case list_to_tuple(Ports) of
        Old -> ok;
        New -> persistent_term:put(?SWITCHBOARDS, New)
    end.

wanted([]) -> lists:duplicate(erlang:system_info(schedulers), none);
wanted(Ports) -> Ports.

open_switchboard(Old) ->
    case is_port(Old) andalso erlang:port_info(Old, id) of
        {id, _} ->
            Old;
        _ ->
            Port = open_port({spawn_driver, ?DRIVER " switchboard"}, [binary]),
            true = unlink(Port),
            Port
    end.
