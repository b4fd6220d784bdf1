%% SPDX-License-Identifier: Apache-2.0
%% How far a run is and how long it still takes, on standard error: one line that is written over on
%% a terminal, a line every ten seconds elsewhere.
-module(tripod_progress).

-export([start/1, start/2, step/3, finish/1]).
-export_type([progress/0]).

-record(progress, {terminal :: boolean(),
                   began_ms :: integer(),
                   counts :: counters:counters_ref()}).

-opaque progress() :: #progress{}.

-define(DONE_MS, 1).   % of the estimate
-define(PRINTED_MS, 2). % since the beginning; when the last line was printed
-define(TOTAL_MS, 3).
-define(SPARSE_MS, 10000).
-define(COLUMNS, 79).

%% TotalMs: what all steps together are thought to take.
-spec start(TotalMs :: pos_integer()) -> progress().
start(TotalMs) ->
    Counts = counters:new(3, []),
    ok = counters:put(Counts, ?TOTAL_MS, TotalMs),
    #progress{terminal = is_terminal(), began_ms = now_ms(), counts = Counts}.

%% With a `progress` among a command's options it is a part of that one, for which GuessMs are in the
%% whole already.
-spec start(TotalMs :: pos_integer(),
            #{progress => {progress(), GuessMs :: pos_integer()}, atom() => term()}) -> progress().
start(TotalMs, #{progress := {#progress{counts = Counts} = Whole, GuessMs}}) ->
    ok = counters:add(Counts, ?TOTAL_MS, TotalMs - GuessMs),
    Whole;
start(TotalMs, #{}) ->
    start(TotalMs).

%% Linux names what standard error is; elsewhere it counts as no terminal.
is_terminal() ->
    case file:read_link("/proc/self/fd/2") of
        {ok, "/dev/pts/" ++ _} -> true;
        {ok, "/dev/tty" ++ _} -> true;
        {ok, "/dev/console"} -> true;
        _ -> false
    end.

%% A step begins that is thought to take EstimateMs.
-spec step(progress(), unicode:chardata(), EstimateMs :: non_neg_integer()) -> ok.
step(#progress{counts = Counts} = Progress, Label, EstimateMs) ->
    ok = show(Progress, Label),
    counters:add(Counts, ?DONE_MS, EstimateMs).

-spec finish(progress()) -> ok.
finish(#progress{terminal = true}) -> io:put_chars(standard_error, "\r\e[K");
finish(#progress{terminal = false}) -> ok.

show(#progress{terminal = Terminal, began_ms = Began, counts = Counts} = Progress, Label) ->
    Elapsed = now_ms() - Began,
    Line = line(Progress, Elapsed, Label),
    case Terminal of
        true ->
            io:put_chars(standard_error, ["\r", Line, "\e[K"]);
        false ->
            Since = Elapsed - counters:get(Counts, ?PRINTED_MS),
            case Since >= ?SPARSE_MS of
                true ->
                    ok = counters:put(Counts, ?PRINTED_MS, Elapsed),
                    io:put_chars(standard_error, [Line, $\n]);
                false ->
                    ok
            end
    end.

line(#progress{counts = Counts}, Elapsed, Label) ->
    Total = counters:get(Counts, ?TOTAL_MS),
    Done = min(counters:get(Counts, ?DONE_MS), Total),
    Text = io_lib:format("~3b %  ~ts left  ~ts",
                         [100 * Done div Total, left(Total, Done, Elapsed), Label]),
    string:slice(unicode:characters_to_list(Text), 0, ?COLUMNS).

%% The estimate, corrected by how wrong it was so far; at first there is little to learn from.
left(Total, Done, Elapsed) ->
    Pace = (Elapsed + 5000) / (Done + 5000),
    duration(round((Total - Done) * Pace)).

duration(Ms) ->
    Seconds = (Ms + 999) div 1000,
    io_lib:format("~b:~2..0b", [Seconds div 60, Seconds rem 60]).

now_ms() -> erlang:monotonic_time(millisecond).
