%% SPDX-License-Identifier: Apache-2.0
%% A dot for each number, on rows beneath each other: what it is on the left, its value on the right,
%% the spread as a line through it, the floor as a tick.
-module(tripod_chart_dots).

-export([drawing/1]).

-define(ROW, 20).
-define(GROUP, 26).
-define(TOP, 6).
-define(BOTTOM, 26). % the axis' numbers
-define(LEFT, 190).
-define(RIGHT, 150).

-spec drawing(tripod_chart:dots()) -> tripod_chart:drawing().
drawing(#{rows := Rows} = Chart) ->
    {Placed, Body} = placed(Rows, 0, []),
    Height = ?TOP + Body + ?BOTTOM,
    Axis = axis(Chart),
    {Labels, Texts} = texts(Placed, Axis),
    #{script => [frame(Chart, Axis, Body, Height), Labels, data(Placed, Axis)], texts => Texts,
      height => Height}.

%% Each row with the middle of where it stands, from the top.
placed([], Below, Done) -> {lists:reverse(Done), Below};
placed([{group, _} = Row | Rows], Below, Done) ->
    placed(Rows, Below + ?GROUP, [{Below + ?GROUP - ?ROW div 2, Row} | Done]);
placed([Row | Rows], Below, Done) ->
    placed(Rows, Below + ?ROW, [{Below + ?ROW div 2, Row} | Done]).

axis(#{rows := Rows, scale := Scale, guides := Guides, unit := Unit}) ->
    Values = lists:append([[Value | [Floor || Floor =/= none]]
                           ++ lists:append([[From, To] || {From, To, _} <- Spans])
                           || #{value := Value, floor := Floor, spans := Spans} <- Rows]),
    Range = tripod_chart_axis:range(Scale, Values ++ Guides, true),
    #{scale => Scale, range => Range, ticks => tripod_chart_axis:ticks(Scale, Range, Unit, 8), unit => Unit}.

frame(#{guides := Guides}, #{scale := Scale, range := {Low, High}}, Body, Height) ->
    Width = tripod_chart:width(),
    [io_lib:format("set lmargin at screen ~.5f~nset rmargin at screen ~.5f~n",
                   [?LEFT / Width, (Width - ?RIGHT) / Width]),
     io_lib:format("set tmargin at screen ~.5f~nset bmargin at screen ~.5f~n",
                   [(Height - ?TOP) / Height, ?BOTTOM / Height]),
     io_lib:format("set xrange [~w:~w]~nset yrange [~b:0]~n", [Low, High, Body]),
     ["set logscale x\n" || Scale =:= log],
     "unset key\nset border 0\nunset ytics\n",
     "set grid xtics noytics back lt 1 lw 0.8 lc rgb ", tripod_chart_svg:colour(faint), "\n",
     [io_lib:format("set arrow from ~w,graph 0 to ~w,graph 1 nohead back lt 1 lw 1.4 lc rgb ~s~n",
                    [Guide, Guide, tripod_chart_svg:colour(soft)]) || Guide <- Guides]].

%% Ticks, then rows.
texts(Placed, #{ticks := Ticks, unit := Unit}) ->
    TickTexts = [tripod_report_text:tick(Value, Unit) || Value <- Ticks],
    RowTexts = lists:append([row_texts(Place) || Place <- Placed]),
    Texts = TickTexts ++ [Text || {_, Text} <- RowTexts],
    {AtTicks, AtRows} = lists:split(length(Ticks), tripod_chart_axis:texts(Texts)),
    {["set xtics scale 0 textcolor rgb ", tripod_chart_svg:colour(soft), " (",
      lists:join(", ", [io_lib:format("~s ~w", [Holder, Value])
                        || {Value, {_, Holder}} <- lists:zip(Ticks, AtTicks)]), ")\n",
      [["set label ", Holder, " ", Where, "\n"]
       || {{Where, _}, {_, Holder}} <- lists:zip(RowTexts, AtRows)]],
     Texts}.

row_texts({Y, {group, Text}}) ->
    [{label(0.004, Y, "left", ink), Text}];
row_texts({Y, #{label := Label, text := Text, colour := Colour}}) ->
    Width = tripod_chart:width(),
    [{label((?LEFT - 12) / Width, Y, "right", Colour), Label},
     {label((Width - 4) / Width, Y, "right", ink), Text}].

label(X, Y, Side, Colour) ->
    io_lib:format("at screen ~.5f, first ~b ~s textcolor rgb ~s",
                  [X, Y, Side, tripod_chart_svg:colour(Colour)]).

data(Placed, Axis) ->
    Rows = [{Y, Row} || {Y, #{} = Row} <- Placed],
    Spans = [{Width, io_lib:format("~w ~b ~w ~b~n", [inside(Axis, From), Y, inside(Axis, To),
                                                     tripod_chart_svg:number(Colour)])}
             || {Y, #{spans := Own, colour := Colour}} <- Rows, {From, To, Width} <- Own],
    Widths = lists:enumerate(lists:usort([Width || {Width, _} <- Spans])),
    Floors = [io_lib:format("~w ~b~n", [inside(Axis, Floor), Y])
              || {Y, #{floor := Floor}} <- Rows, Floor =/= none],
    Dots = [io_lib:format("~w ~b ~b ~b~n", [inside(Axis, Value), Y, tripod_chart_svg:number(Colour),
                                            case Hollow of true -> 6; false -> 7 end])
            || {Y, #{value := Value, colour := Colour, hollow := Hollow}} <- Rows],
    [[table(spans(Number), [Line || {One, Line} <- Spans, One =:= Width]) || {Number, Width} <- Widths],
     table("floors", Floors), table("dots", Dots),
     "plot ",
     lists:join(", \\\n", [["$", spans(Number), " using 1:2:($3-$1):(0):4 with vectors nohead lw ",
                            io_lib:format("~w", [Width]), " lc rgb variable"] || {Number, Width} <- Widths]
                ++ [["$floors using 1:($2-7):(0):(14) with vectors nohead lw 2.2 lc rgb ",
                     tripod_chart_svg:colour(ink)] || Floors =/= []]
                ++ ["$dots using 1:2:4:3 with points pt variable ps 0.9 lw 2 lc rgb variable"]), "\n"].

%% Nothing is left of a logarithmic axis' beginning.
inside(#{range := {Low, High}}, Value) -> min(max(Value, Low), High).

%% A plot has lines of one width.
spans(Number) -> ["spans", integer_to_list(Number)].

table(_, []) -> [];
table(Name, Lines) -> ["$", Name, " << END\n", Lines, "END\n"].
