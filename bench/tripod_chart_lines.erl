%% SPDX-License-Identifier: Apache-2.0
%% Lines over two logarithmic axes. Each line's name stands at its end, moved up or down where names
%% would be on top of each other.
-module(tripod_chart_lines).

-export([drawing/1]).

-define(HEIGHT, 330).
-define(TOP, 24).
-define(BOTTOM, 46).
-define(LEFT, 72).
-define(RIGHT, 190).
-define(APART, 16). % names, in pixels

-spec drawing(tripod_chart:lines()) -> tripod_chart:drawing().
drawing(#{x := #{unit := XUnit, title := XTitle}, y := #{unit := YUnit, title := YTitle},
          series := Series, guides := Guides} = Chart) ->
    Points = lists:append([Own || #{points := Own} <- Series]),
    X = {XRange, XTicks} = axis([Value || {Value, _} <- Points], all, XUnit, []),
    Y = {YRange, YTicks} = axis([Value || {_, Value} <- Points], maps:get(y_range, Chart), YUnit, Guides),
    Labels = [{["at graph 0, screen ", share(?HEIGHT - 10), " left ", ink(soft)], YTitle},
              {["at graph 1, screen ", share(10), " right ", ink(soft)], XTitle}]
        ++ names(Series, YRange),
    Texts = [tripod_report_text:tick(Value, XUnit) || Value <- XTicks]
        ++ [tripod_report_text:tick(Value, YUnit) || Value <- YTicks] ++ [Text || {_, Text} <- Labels],
    {AtX, Rest} = lists:split(length(XTicks), tripod_chart_axis:texts(Texts)),
    {AtY, AtLabels} = lists:split(length(YTicks), Rest),
    #{script => [frame(XRange, YRange, Guides), ticks("x", X, AtX), ticks("y", Y, AtY),
                 [["set label ", Holder, " ", Where, "\n"]
                  || {{Where, _}, {_, Holder}} <- lists:zip(Labels, AtLabels)],
                 data(Series)],
      texts => Texts, height => ?HEIGHT}.

axis(Values, all, Unit, Guides) ->
    axis(Values, tripod_chart_axis:range(log, Values, false), Unit, Guides);
axis(_, Range, Unit, Guides) ->
    {Range, lists:usort(Guides ++ tripod_chart_axis:ticks(log, Range, Unit, 8))}.

%% A height in pixels as gnuplot's share of the screen.
share(Px) -> io_lib:format("~.5f", [Px / ?HEIGHT]).

ink(Colour) -> ["textcolor rgb ", tripod_chart_svg:colour(Colour)].

frame({XLow, XHigh}, {YLow, YHigh}, Guides) ->
    Width = tripod_chart:width(),
    [io_lib:format("set lmargin at screen ~.5f~nset rmargin at screen ~.5f~n",
                   [?LEFT / Width, (Width - ?RIGHT) / Width]),
     io_lib:format("set tmargin at screen ~.5f~nset bmargin at screen ~.5f~n",
                   [(?HEIGHT - ?TOP) / ?HEIGHT, ?BOTTOM / ?HEIGHT]),
     io_lib:format("set xrange [~w:~w]~nset yrange [~w:~w]~n", [XLow, XHigh, YLow, YHigh]),
     "set logscale xy\nunset key\nset border 0\n",
     "set grid xtics ytics back lt 1 lw 0.8 lc rgb ", tripod_chart_svg:colour(faint), "\n",
     [[io_lib:format("set arrow from graph 0, first ~w to graph 1, first ~w", [Value, Value]),
       " nohead back lt 1 lw 1.4 lc rgb ", tripod_chart_svg:colour(soft), "\n"] || Value <- Guides]].

ticks(Axis, {_, Ticks}, Texts) ->
    ["set ", Axis, "tics scale 0 ", ink(soft), " (",
     lists:join(", ", [io_lib:format("~s ~w", [Holder, Value])
                       || {Value, {_, Holder}} <- lists:zip(Ticks, Texts)]), ")\n"].

%% From the lowest up, each at least a line above the one before.
names(Series, YRange) ->
    Ends = lists:sort([{element(2, lists:last(Points)), Index, One}
                       || {Index, #{points := Points} = One} <- lists:enumerate(Series)]),
    Spread = spread([px(Last, YRange) || {Last, _, _} <- Ends]),
    [{["at graph 1.065, screen ", share(Px), " left ", ink(Colour), sample(Number, Px, One)], Label}
     || {Number, {Px, {_, _, #{label := Label, colour := Colour} = One}}}
            <- lists:enumerate(lists:zip(Spread, Ends))].

%% A piece of the line, for lines that end elsewhere.
%% gnuplot draws neighbours of the same colour and width as one line, with the dashes of the first.
sample(Number, Px, #{colour := Colour, dash := Dash}) ->
    Width = io_lib:format("~.2f", [2 + (Number rem 2) / 50]),
    ["\nset arrow from graph 1.012, screen ", share(Px), " to graph 1.055, screen ", share(Px),
     " nohead lw ", Width, " dt ", integer_to_list(Dash), " lc rgb ", tripod_chart_svg:colour(Colour)].

px(Value, YRange) -> ?BOTTOM + (?HEIGHT - ?TOP - ?BOTTOM) * tripod_chart_axis:on(log, YRange, Value).

%% Pushed apart upwards, then back below the top.
spread(Pixels) ->
    Up = lists:reverse(lists:foldl(fun(Px, []) -> [Px];
                                      (Px, [Below | _] = Done) -> [max(Px, Below + ?APART) | Done]
                                   end, [], Pixels)),
    Down = lists:foldr(fun(Px, []) -> [min(Px, ?HEIGHT - ?TOP)];
                          (Px, [Above | _] = Done) -> [min(Px, Above - ?APART) | Done]
                       end, [], Up),
    Down.

data(Series) ->
    Numbered = lists:enumerate(Series),
    Plots = lists:append([plots(Index, One) || {Index, One} <- Numbered]),
    [[io_lib:format("$s~b << END~n", [Index]), [io_lib:format("~w ~w~n", [X, Y]) || {X, Y} <- Points],
      "END\n"] || {Index, #{points := Points}} <- Numbered]
        ++ ["plot ", lists:join(", \\\n", Plots), "\n"].

plots(Index, #{colour := Colour, dash := Dash, marks := Marks}) ->
    [io_lib:format("$s~b using 1:2 with lines lw 2 dt ~b lc rgb ~s",
                   [Index, Dash, tripod_chart_svg:colour(Colour)])
     | [io_lib:format("$s~b using 1:2 with points pt 7 ps 0.7 lc rgb ~s",
                      [Index, tripod_chart_svg:colour(Colour)]) || Marks]].
