%% SPDX-License-Identifier: Apache-2.0
%% Summaries for the terminal: one block of at most 80 columns for each case.
-module(tripod_bench_table).

-export([print/1, block/1, title/1, duration/1]).

-define(COLUMNS, 79).
-define(NAME, 36).

-spec print([tripod_results:line()]) -> ok.
print([]) -> ok;
print(Lines) -> tripod_cli:data(block(Lines)).

%% All lines are of one case.
-spec block([tripod_results:line(), ...]) -> unicode:chardata().
block([#{scenario := Scenario, params := Params} | _] = Lines) ->
    Title = string:slice([atom_to_list(Scenario), ": ", title(Params)], 0, ?COLUMNS),
    Head = case string:length(Title) =< ?NAME of
               true -> head(Title);
               false -> [Title, $\n, head("")]
           end,
    [$\n, Head, [line(Line) || Line <- Lines]].

head(Title) -> row(Title, "p50", "p99", "floor", "ratio").

%% What distinguishes the case from others; `batch` differs by line, `payload` says kind and size.
-spec title(map()) -> unicode:chardata().
title(Params) ->
    Shown = maps:without([batch, kind, size], Params),
    lists:join(", ", [text(Key, Value) || {Key, Value} <- lists:sort(maps:to_list(Shown))]).

text(calls, 1) -> "1 call";
text(calls, Calls) -> io_lib:format("~b calls", [Calls]);
text(_, Value) when is_atom(Value) -> atom_to_list(Value);
text(_, Value) when is_binary(Value) -> Value;
text(Key, Value) -> io_lib:format("~s ~tp", [Key, Value]).

line(#{strategy := Strategy, mode := Mode, p50 := P50, p99 := P99, floor_p50 := Floor,
       ratio := Ratio}) ->
    row(["  ", atom_to_list(Strategy), $/, atom_to_list(Mode)], duration(P50), duration(P99),
        duration(Floor), ratio(Ratio)).

row(Name, P50, P99, Floor, Ratio) ->
    Numbers = [string:pad(Text, 11, leading) || Text <- [P50, P99, Floor, Ratio]],
    Columns = [string:pad(Name, ?NAME) | Numbers],
    [string:trim(lists:flatten(Columns), trailing), $\n].

ratio(null) -> "";
ratio(Ratio) when Ratio < 100 -> io_lib:format("~.2f", [float(Ratio)]);
ratio(Ratio) -> integer_to_list(round(Ratio)).

%% Three digits and a unit.
-spec duration(number() | null) -> unicode:chardata().
duration(null) -> "";
duration(Ns) when Ns < 1.0e3 -> [digits(Ns), " ns"];
duration(Ns) when Ns < 1.0e6 -> [digits(Ns / 1.0e3), " us"];
duration(Ns) when Ns < 1.0e9 -> [digits(Ns / 1.0e6), " ms"];
duration(Ns) -> [digits(Ns / 1.0e9), " s"].

digits(Value) when Value < 10 -> io_lib:format("~.2f", [float(Value)]);
digits(Value) when Value < 100 -> io_lib:format("~.1f", [float(Value)]);
digits(Value) -> integer_to_list(round(Value)).
