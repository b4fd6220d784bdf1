%% SPDX-License-Identifier: Apache-2.0
%% The NIF library, one to one: each function below is replaced by the one of the same name in
%% nif/nif.h as soon as the library is loaded. tripod_nif is the only caller.
%%
%% The library is loaded by the first function that is called, not by -on_load: a missing or broken
%% artefact must not keep the module or the application from starting, and has to be an answer that
%% names the file. Any number of processes may come first at the same time.
-module(tripod_nif_lib).

-export([load/0]).
-export([open/1, call/3, interrupt/1, give_away/2, usage/1, close/1, census/0]).
-nifs([open/1, call/3, interrupt/1, give_away/2, usage/1, close/1, census/0]).
-on_load(reloaded/0).

-define(LOADED, {?MODULE, loaded}).

-type limits() :: {Service :: atom(), MemoryBytes :: pos_integer(), TimeNs :: pos_integer(),
                   SliceNs :: non_neg_integer(), Depth :: pos_integer(),
                   ReplyBytes :: pos_integer(), Preempt :: timer | count}.
-type handle() :: reference().

%% ok once the library is loaded into this module's current code, by this process or another.
-spec load() -> ok | {error, term()}.
load() ->
    Path = tripod_strategy:artefact("tripod_nif"),
    case erlang:load_nif(Path, 0) of
        ok -> persistent_term:put(?LOADED, true);
        {error, {reload, _}} -> ok; % another process was faster
        {error, {old_code, _}} -> ?MODULE:load(); % this module was loaded anew meanwhile
        {error, {_, Why}} -> {error, not_loaded(Path ++ ".so", Why)}
    end.

not_loaded(File, Why) ->
    case filelib:is_regular(File) of
        true -> {artefact, File, Why};
        false -> tripod_strategy:missing(File)
    end.

%% Loading this module anew takes the library along at once: boxes that live now stay reachable even
%% if the old code is purged before anybody calls. Does nothing the first time.
reloaded() ->
    case persistent_term:get(?LOADED, false) of
        true -> _ = load(), ok;
        false -> ok
    end.

%% Without a library there are no boxes, so every handle is a closed one.
-spec open(limits()) -> {ok, handle()} | {error, term()}.
open(Limits) ->
    case load() of
        ok -> ?MODULE:open(Limits);
        {error, _} = Error -> Error
    end.

-spec call(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call(Handle, Request, TimeMs) ->
    case load() of
        ok -> ?MODULE:call(Handle, Request, TimeMs);
        {error, _} -> {error, closed}
    end.

-spec interrupt(handle()) -> ok.
interrupt(Handle) ->
    case load() of
        ok -> ?MODULE:interrupt(Handle);
        {error, _} -> ok
    end.

-spec give_away(handle(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(Handle, Pid) ->
    case load() of
        ok -> ?MODULE:give_away(Handle, Pid);
        {error, _} -> {error, closed}
    end.

-spec usage(handle()) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage(Handle) ->
    case load() of
        ok -> ?MODULE:usage(Handle);
        {error, _} -> {error, closed}
    end.

-spec close(handle()) -> ok.
close(Handle) ->
    case load() of
        ok -> ?MODULE:close(Handle);
        {error, _} -> ok
    end.

-spec census() -> tripod_strategy:census().
census() ->
    case load() of
        ok -> ?MODULE:census();
        {error, _} -> #{boxes => 0, bytes => 0, calls => 0, os_processes => 0}
    end.
