%% SPDX-License-Identifier: Apache-2.0
%% What is measured: a task says what work, a subject says who does it, and opening the two gives
%% something that can be run over and over. Runs in the process that will be measured.
-module(tripod_bench_task).

-export([open/2, subject_name/1, value/1, source/1]).
-export_type([task/0, value/0, subject/0, floor_name/0, work/0, plan/0]).

%% Who does the work. Floors and rivals are measured like boxes and told apart by their names.
-type subject() :: {box, tripod_strategy:name(), tripod_strategy:mode()}
                 | {floor, floor_name()}
                 | {rival, luerl}.
-type floor_name() :: atom().

-type value() :: {term, term()} | {shape, tripod_shape:shape()}.
-type task() ::
        %% Loads Source, then calls its global Function over and over.
        {lua, Source :: binary(), Function :: binary(), Args :: [value()]}
        %% Calls the global main of a Lua file, or runs the file itself.
      | {script, File :: file:filename_all(), main | chunk, Args :: [term()]}
        %% The echo service.
      | {echo, value()}
        %% The same task in a box with options of its own, which no floor has.
      | {with, Options :: map(), task()}
        %% Opens a box, calls it as often as said, closes it.
      | {open_close, Calls :: 0 | 1}
        %% Kills the owner of a box.
      | {cleanup, tripod_bench_cleanup:box()}.

%% `once` does the work once and returns what came of it; `close` gives everything back. Work that
%% happens in another program cannot be called from here: it samples itself. Its batches are the
%% totals, in ns, of as many repetitions.
-type work() :: #{once := fun(() -> term()), close := fun(() -> term())}
              | #{samples := fun((plan()) -> {Batch :: pos_integer(), [non_neg_integer(), ...],
                                              Results :: [term()] | unknown})}.
-type plan() :: #{warm_ms := non_neg_integer(), visit_ms := pos_integer(), min := pos_integer(),
                  max := pos_integer()}.

%% Names as they stand in the results: strategy and mode.
-spec subject_name(subject()) -> {atom(), atom()}.
subject_name({box, Strategy, Mode}) -> {Strategy, Mode};
subject_name({floor, Name}) -> {floor, Name};
subject_name({rival, Name}) -> {Name, pure}.

%% Raises when the subject fails at the task.
-spec open(subject(), task()) -> {ok, work()} | {unsupported, unicode:chardata()}.
open({floor, Name}, Task) -> tripod_floor:open(Name, Task);
open({rival, luerl}, Task) -> tripod_bench_luerl:open(Task);
open({box, Strategy, Mode}, {open_close, Calls}) ->
    Once = fun() ->
                   {ok, Box} = tripod:open(Strategy, #{mode => Mode}),
                   ok = call_times(Calls, Box),
                   ok = tripod:close(Box)
           end,
    {ok, #{once => Once, close => fun() -> ok end}};
open({box, Strategy, Mode}, {cleanup, Box}) ->
    tripod_bench_cleanup:open(Strategy, Mode, Box);
open({box, Strategy, Mode}, Task) ->
    {ok, Box} = tripod:open(Strategy, (options(Task))#{mode => Mode}),
    {ok, #{once => prepare(Box, Task), close => fun() -> tripod:close(Box) end}}.

call_times(0, _) -> ok;
call_times(1, Box) ->
    {ok, [1]} = tripod_lua:eval(Box, <<"return 1">>),
    ok.

options({with, Options, Task}) -> maps:merge(options(Task), Options);
options({echo, {term, _}}) -> #{service => echo};
options({echo, {shape, _}}) -> (roomy())#{service => echo};
options({lua, _, _, [{shape, _}]}) -> roomy();
options({lua, _, _, _}) -> #{};
options({script, _, _, _}) -> roomy().

%% Limits stay on, but the largest payload and a long script fit.
roomy() ->
    #{memory_bytes => 512 * 1024 * 1024, reply_bytes => 64 * 1024 * 1024, time_ms => 60000}.

%% Every reply is matched: a box that begins to answer errors must not count as fast.
prepare(Box, {with, _, Task}) ->
    prepare(Box, Task);
prepare(Box, {echo, Value}) ->
    Request = value(Value),
    fun() -> {ok, Reply} = tripod:call(Box, Request), Reply end;
prepare(Box, {lua, Source, Function, Args}) ->
    {ok, _} = tripod_lua:load(Box, <<"bench">>, Source),
    calling(Box, Function, [value(Arg) || Arg <- Args]);
prepare(Box, {script, File, main, Args}) ->
    {ok, _} = tripod_lua:load(Box, filename:basename(File), source(File)),
    calling(Box, <<"main">>, Args);
prepare(Box, {script, File, chunk, Args}) ->
    {ok, Chunk} = tripod_lua:compile(Box, source(File)),
    fun() -> {ok, Reply} = tripod_lua:run(Box, Chunk, Args), Reply end.

calling(Box, Function, Args) ->
    fun() -> {ok, Reply} = tripod_lua:call(Box, Function, Args), Reply end.

-spec value(value()) -> term().
value({term, Term}) -> Term;
value({shape, Shape}) -> tripod_shape:term(Shape).

-spec source(file:filename_all()) -> binary().
source(File) ->
    {ok, Source} = file:read_file(File),
    Source.
