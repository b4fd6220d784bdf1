%% SPDX-License-Identifier: Apache-2.0
%% The results file: one JSON object a line, written as it comes to be, so that a run that was cut
%% short leaves whole lines. docs/results-schema.json describes them.
%%
%% A file that cannot be written ends the run: throws {unwritable, File, Why}.
-module(tripod_results).

-export([open/2, write/2, check/2, failures/1, close/1, read/1]).
-export_type([results/0, line/0, check/0]).

-record(results, {file :: file:filename(), device :: file:io_device(), echo :: boolean(),
                  counts :: counters:counters_ref()}).

-define(FAILURES, 1).
-define(BYTES, 2). % of whole lines in the file

-opaque results() :: #results{}.
-type line() :: #{type := binary(), atom() => term()}.
%% `note`: worth knowing. `doubt`: results may mislead. `failure`: something was not measured.
-type check() :: #{name := atom(), ok := boolean(), severity := note | doubt | failure,
                   detail := unicode:chardata(), advice => unicode:chardata(),
                   scenario => atom() | null, strategy => atom() | null, mode => atom() | null,
                   params => map()}.

%% Appends to DIR/results.jsonl. `json`: every line goes to standard output too.
-spec open(file:filename(), #{json => boolean()}) -> results().
open(Dir, Options) ->
    File = filename:join(Dir, "results.jsonl"),
    ok = written(File, filelib:ensure_dir(File)),
    Device = opened(File, file:open(File, [append, raw])),
    Counts = counters:new(2, []),
    counters:put(Counts, ?BYTES, opened(File, file:position(Device, eof))),
    #results{file = File, device = Device, echo = maps:get(json, Options, false), counts = Counts}.

opened(_, {ok, Value}) -> Value;
opened(File, {error, Why}) -> throw({unwritable, File, Why}).

written(_, ok) -> ok;
written(File, {error, Why}) -> throw({unwritable, File, Why}).

-spec write(results(), line()) -> ok.
write(#results{file = File, device = Device, echo = Echo, counts = Counts}, Line) ->
    Text = iolist_to_binary([tripod_json:encode(Line), $\n]),
    case file:write(Device, Text) of
        ok ->
            counters:add(Counts, ?BYTES, byte_size(Text)),
            _ = Echo andalso tripod_cli:data(Text),
            ok;
        {error, Why} ->
            %% A full disk may have taken half of the line.
            _ = file:position(Device, counters:get(Counts, ?BYTES)),
            _ = file:truncate(Device),
            throw({unwritable, File, Why})
    end.

%% A check that is ok is written as a note: it says what was looked at and found in order.
-spec check(results(), check()) -> ok.
check(Results, #{ok := Ok, severity := Severity, detail := Detail} = Check) ->
    case {Ok, Severity} of
        {false, failure} -> counters:add(Results#results.counts, ?FAILURES, 1);
        _ -> ok
    end,
    Empty = #{scenario => null, strategy => null, mode => null, params => #{}, advice => <<>>},
    Full = maps:merge(Empty, Check),
    write(Results, Full#{type => <<"check">>, detail := text(Detail),
                         advice := text(maps:get(advice, Full))}).

text(Chardata) -> unicode:characters_to_binary(Chardata).

%% How many checks failed so far.
-spec failures(results()) -> non_neg_integer().
failures(#results{counts = Counts}) -> counters:get(Counts, ?FAILURES).

-spec close(results()) -> ok.
close(#results{file = File, device = Device}) -> written(File, file:close(Device)).

%% Every whole line of a file; keys are binaries.
-spec read(file:filename()) -> {ok, [map()]} | {error, file:posix()}.
read(File) ->
    case file:read_file(File) of
        {ok, Text} ->
            Lines = binary:split(Text, <<"\n">>, [global, trim_all]),
            {ok, [tripod_json:decode(Line) || Line <- Lines]};
        {error, Why} ->
            {error, Why}
    end.
