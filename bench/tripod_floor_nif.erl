%% SPDX-License-Identifier: Apache-2.0
%% bench/floors/nif.c from Erlang: the stubs, and the null job on a thread of its own.
-module(tripod_floor_nif).

-export([null/0, null/1, null_dirty_cpu/1, null_dirty_io/1, copy/1, job/0, build/1]).
-nifs([null/0, null/1, null_dirty_cpu/1, null_dirty_io/1, copy/1, build_nif/2, job_nif/1]).
-on_load(load/0).

load() ->
    erlang:load_nif(filename:rootname(tripod_strategy:artefact("tripod_floor_nif.so")), 0).

-spec null() -> ok.
null() -> erlang:nif_error(not_loaded).

%% Returns its argument, as the two that follow.
-spec null(term()) -> term().
null(_) -> erlang:nif_error(not_loaded).

-spec null_dirty_cpu(term()) -> term().
null_dirty_cpu(_) -> erlang:nif_error(not_loaded).

-spec null_dirty_io(term()) -> term().
null_dirty_io(_) -> erlang:nif_error(not_loaded).

%% A copy of the binary, made by way of memory of the library's own.
-spec copy(binary()) -> binary().
copy(_) -> erlang:nif_error(not_loaded).

%% Through a queue to a thread of the library's, and back as a message.
-spec job() -> ok.
job() ->
    Reference = make_ref(),
    ok = job_nif(Reference),
    receive {Reference, ok} -> ok end.

%% The term tripod_shape:term/1 makes, made with the NIF API.
-spec build(tripod_shape:shape()) -> term().
build({list, N}) -> build_nif(0, N);
build({map, N}) -> build_nif(1, N);
build({nested, N}) -> build_nif(2, N).

build_nif(_, _) -> erlang:nif_error(not_loaded).
job_nif(_) -> erlang:nif_error(not_loaded).
