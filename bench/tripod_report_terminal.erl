%% SPDX-License-Identifier: Apache-2.0
%% A run at a glance for the terminal: at most 80 columns, no colours, no control characters,
%% whatever a results file calls things.
-module(tripod_report_terminal).

-export([export/1]).

-define(NAME, 22).
-define(NUMBER, 11).
-define(PROGRAM, [12, 10, 10, 10]).

-spec export(tripod_report_facts:facts()) -> unicode:chardata().
export(Facts) ->
    {Titles, Costs} = tripod_report_glance:costs(Facts),
    Programs = tripod_report_glance:programs(Facts),
    case [Table || Table <- [costs(Titles, Costs), programs(Programs)], Table =/= []] of
        [] -> "No results to show.\n";
        Tables -> [lists:join("\n", Tables), worries(tripod_report_trust:count(Facts))]
    end.

worries({0, 0}) -> [];
worries({Failures, Doubts}) ->
    io_lib:format("~n~b failed, ~b in doubt: the report says what and why.~n", [Failures, Doubts]).

costs(_, []) -> [];
costs(Titles, Rows) ->
    Words = [string:split(Title, " ") || Title <- Titles],
    [line("", [hd(Two) || Two <- Words], ?NUMBER),
     line("median", [lists:last(Two) || Two <- Words], ?NUMBER),
     [cost(Row) || Row <- Rows]].

%% Without a floor there is one line instead of three.
cost({Subject, Costs}) ->
    [line(name(Subject), [value(Cost, 1) || Cost <- Costs], ?NUMBER)
     | [[line("  floor", [value(Cost, 2) || Cost <- Costs], ?NUMBER),
         line("  ratio", [ratio(Cost) || Cost <- Costs], ?NUMBER)]
        || [] =/= [Floor || {_, Floor, _} <- Costs, Floor =/= none]]].

value(none, _) -> "-";
value(Cost, Index) -> quantity(element(Index, Cost)).

ratio({_, _, Ratio}) when is_number(Ratio) -> tripod_report_text:ratio(Ratio);
ratio(_) -> "-".

quantity(none) -> "-";
quantity({quantity, Number, ""}) -> Number;
quantity({quantity, Number, Unit}) -> string:replace([Number, " ", Unit], "µ", "u").

programs([]) -> [];
programs(Rows) ->
    [widths(["", "compute", "alloc", "script", "kill to"], "a segfault"),
     widths(["", "x lua5.4", "x lua5.4", "x lua5.4", "clean"], "costs"),
     [widths([name(Subject)] ++ [span(maps:get(Key, Program)) || Key <- [compute, alloc, script]]
             ++ [quantity(Clean)],
             case Segfault of none -> "-"; _ -> Segfault end)
      || {Subject, #{clean := Clean, segfault := Segfault} = Program} <- Rows]].

span(none) -> "-";
span({Ratio, Ratio}) -> tripod_report_text:ratio(Ratio);
span({Least, Most}) -> [short(Least), "-", short(Most)].

short(Ratio) when Ratio < 10 -> tripod_report_text:ratio(Ratio);
short(Ratio) -> io_lib:format("~.1f", [float(Ratio)]).

name(Subject) -> printable(tripod_report_text:subject(Subject)).

printable(Text) ->
    [case Char of
         _ when Char >= $\s, Char < 16#7f -> Char;
         _ -> $?
     end || Char <- tripod_chart_svg:characters(Text)].

line(Name, Cells, Width) ->
    joined([left(Name, ?NAME) | [right(Cell, Width) || Cell <- Cells]]).

widths([Name | Cells], Last) ->
    joined([left(Name, ?NAME), [right(Cell, Width) || {Cell, Width} <- lists:zip(Cells, ?PROGRAM)], "  ",
            left(printable(Last), 14)]).

joined(Parts) -> [string:trim(unicode:characters_to_list(Parts), trailing), $\n].

%% Too long a text is cut, with a blank left between columns.
left(Text, Width) -> string:pad(string:slice(Text, 0, Width - 1), Width).
right(Text, Width) -> string:pad(string:slice(Text, 0, Width - 1), Width, leading).
