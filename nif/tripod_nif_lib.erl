%% SPDX-License-Identifier: Apache-2.0
%% The NIF library, one to one: each function below is replaced by the one of the same name in
%% nif/nif.h as soon as the library is loaded. tripod_nif is the only caller.
%%
%% The library is loaded by whoever calls first, not by -on_load: a missing or broken artefact must
%% not keep the module or the application from starting, and has to be an answer that names the
%% file. Any number of processes may come first at the same time.
%%
%% Each stub is a single tail call, and has to stay one: load_nif/2 writes the native call over the
%% stub's own code (ERTS: beam/jit, beamasm_emit_call_nif), so nothing may ever return into a stub.
%% One that loads the library itself and then goes on crashes the VM (seen with OTP 25 as soon as
%% the process is scheduled out in between).
-module(tripod_nif_lib).

-export([load/0, loaded/0]).
-export([open/1, call/3, call_dirty/3, submit/4, submit_usage/2, interrupt/1, give_away/2, usage/1,
         close/1, stop/0, census/0]).
-nifs([open/1, call/3, call_dirty/3, submit/4, submit_usage/2, interrupt/1, give_away/2, usage/1,
       close/1, stop/0, census/0]).
-on_load(reloaded/0).

-define(LOADED, {?MODULE, loaded}).

-type limits() :: {Service :: atom(), MemoryBytes :: pos_integer(), TimeNs :: pos_integer(),
                   SliceNs :: non_neg_integer(), Depth :: pos_integer(),
                   ReplyBytes :: pos_integer(), Preempt :: timer | count,
                   tripod_strategy:mode(), Cleanup :: owner | gc}.
-type handle() :: reference().

-spec open(limits()) -> {ok, handle()} | {error, term()}.
open(Limits) -> absent(open, [Limits]).

-spec call(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call(Handle, Request, TimeMs) -> absent(call, [Handle, Request, TimeMs]).

-spec call_dirty(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call_dirty(Handle, Request, TimeMs) -> absent(call_dirty, [Handle, Request, TimeMs]).

-spec submit(handle(), term(), non_neg_integer(), reference()) ->
          ok | full | {error, tripod_strategy:reason()}.
submit(Handle, Request, TimeMs, Id) -> absent(submit, [Handle, Request, TimeMs, Id]).

-spec submit_usage(handle(), reference()) -> ok | {error, tripod_strategy:reason()}.
submit_usage(Handle, Id) -> absent(submit_usage, [Handle, Id]).

-spec interrupt(handle()) -> ok.
interrupt(Handle) -> absent(interrupt, [Handle]).

-spec give_away(handle(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(Handle, Pid) -> absent(give_away, [Handle, Pid]).

-spec usage(handle()) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage(Handle) -> absent(usage, [Handle]).

-spec close(handle()) -> ok.
close(Handle) -> absent(close, [Handle]).

-spec stop() -> ok.
stop() -> absent(stop, []).

-spec census() -> tripod_strategy:census().
census() -> absent(census, []).

absent(Function, Args) ->
    case load() of
        ok -> apply(?MODULE, Function, Args);
        {error, _} = Error -> without(Function, Error)
    end.

%% Without a library there are no boxes, so every handle is a closed one.
without(open, Error) -> Error;
without(interrupt, _) -> ok;
without(close, _) -> ok;
without(stop, _) -> ok;
without(census, _) -> #{boxes => 0, bytes => 0, calls => 0, os_processes => 0};
without(_, _) -> {error, closed}.

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

%% Whether there ever was a library, so that something may have to be ended.
-spec loaded() -> boolean().
loaded() -> persistent_term:get(?LOADED, false).

%% Loading this module anew takes the library along at once: boxes that live now stay reachable even
%% if the old code is purged before anybody calls. Does nothing the first time. A library that cannot
%% be loaded must not take the place of one that can: the module that is loaded then stays.
reloaded() ->
    case loaded() of
        true -> replaces(load());
        false -> ok
    end.

replaces(ok) ->
    ok;
replaces({error, _} = Error) ->
    case erlang:module_loaded(?MODULE) of
        true -> Error;
        false -> ok % the next call says what is wrong
    end.
