%% SPDX-License-Identifier: Apache-2.0
%% What each of the three rooms implements. The facade (tripod.erl) is the only caller; it has
%% validated every argument, so a room never sees an unknown option or a mode it did not list.
%%
%% A handle is the room's own term. Wherever a call, send, usage or give_away comes from a process
%% that is not the owner, the answer is {error, not_owner}; after close or the owner's death it is
%% {error, closed}; after the instance ended itself, {error, {down, Why}} until it is closed.
-module(tripod_strategy).

-export([all/0, room/1, artefact/1, missing/1]).
-export_type([name/0, mode/0, config/0, handle/0, request_id/0, reply/0, reason/0, usage/0, census/0]).

-type name() :: port_program | port_driver | nif.
-type mode() :: process | inline | async | yield | dirty | thread.
%% Every key is present.
-type config() :: #{service := atom(),
                    mode := mode(),
                    memory_bytes := pos_integer(),
                    time_ms := pos_integer(),
                    depth := pos_integer(),
                    reply_bytes := pos_integer(),
                    preempt := timer | count,
                    cleanup := owner | gc}.
-type handle() :: term().
-type request_id() :: term().
%% What the service emitted, unchanged, or the room's own word about a box that gave none.
-type reply() :: {ok, term()} | {error, reason()}
               %% Only within tripod and tripod_talk:
               | {printed, [binary()], reply()} | {ask, Name :: binary(), Args :: [term()]}.
-type reason() :: {lua, map()} | {limit, memory | time | depth | reply} | interrupted | closed
                | not_owner | {badterm, list()} | {down, atom() | tuple()} | {unsupported, term()}.
-type usage() :: #{bytes := non_neg_integer(), peak_bytes := non_neg_integer(),
                   calls := non_neg_integer(), live_bytes := non_neg_integer()}.
-type census() :: #{boxes := non_neg_integer(), bytes := non_neg_integer(),
                    calls := non_neg_integer(), os_processes := non_neg_integer()}.

%% Permanent processes that the room needs, started by tripod_sup. They must start even when the
%% room's artefact is missing.
-callback children() -> [supervisor:child_spec()].
%% The application has stopped, and its processes are gone. For rooms that have more to end.
-callback stopped() -> ok.
-optional_callbacks([stopped/0]).
%% The first is the default.
-callback modes() -> [mode(), ...].
%% The caller becomes the owner. An artefact that is missing or cannot be loaded is
%% {error, tripod_strategy:missing(...)} or {error, {artefact, File, Why}}.
-callback open(config()) -> {ok, handle()} | {error, term()}.
%% TimeMs replaces the box's time limit for this call; 0 keeps it.
-callback call(handle(), Request :: term(), TimeMs :: non_neg_integer()) -> reply().
-callback send(handle(), Request :: term(), TimeMs :: non_neg_integer()) ->
    {ok, request_id()} | {error, reason()}.
%% `timeout` leaves the request as it was: the reply can still be received.
-callback receive_reply(handle(), request_id(), timeout()) -> reply() | timeout.
-callback interrupt(handle()) -> ok.
%% The pid is local. noproc: it is dead, and the box still belongs to the caller.
-callback give_away(handle(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
-callback usage(handle()) -> {ok, usage()} | {error, reason()}.
-callback close(handle()) -> ok.
-callback census() -> census().

-spec all() -> [name(), ...].
all() -> [port_program, port_driver, nif].

-spec room(name()) -> module().
room(port_program) -> tripod_port_program;
room(port_driver) -> tripod_port_driver;
room(nif) -> tripod_nif.

%% Absolute path of a built file. TRIPOD_PRIV names another directory of artefacts, such as the
%% test build that can be told to crash.
-spec artefact(file:filename()) -> file:filename().
artefact(Name) ->
    case os:getenv("TRIPOD_PRIV") of
        Dir when is_list(Dir), Dir =/= "" -> filename:absname(filename:join(Dir, Name));
        _ -> filename:join(filename:join(filename:dirname(own_directory()), "priv"), Name)
    end.

own_directory() ->
    filename:dirname(filename:absname(code:which(?MODULE))).

-spec missing(file:filename()) -> {missing_artefact, file:filename(), string()}.
missing(File) ->
    {missing_artefact, File, "build it with `make` in " ++ filename:dirname(filename:dirname(File))}.
