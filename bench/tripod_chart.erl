%% SPDX-License-Identifier: Apache-2.0
%% Charts as SVG to be put inside an HTML page, drawn by gnuplot. It is told numbers and the names of
%% placeholders only: what a results file calls things never gets into its script.
-module(tripod_chart).

-export([svg/2, available/0, width/0]).
-export_type([chart/0, dots/0, row/0, lines/0, series/0, axis/0, colour/0, text/0, drawing/0]).

-type text() :: unicode:chardata().
%% Strategies keep their colour everywhere; the page says which it is, in light and in dark.
-type colour() :: nif | port_driver | port_program | luerl | other | ink | soft | faint.
-type row() :: {group, text()}
             | #{label := text(), colour := colour(), hollow := boolean(), value := number(),
                 %% From where to where, and how broad the line is.
                 spans := [{number(), number(), Width :: number()}],
                 floor := number() | none,
                 text := text()}.        % at the end of the row
%% One row for each number, beneath each other, on a common axis.
-type dots() :: #{kind := dots, title := text(), scale := log | linear, unit := binary(),
                  rows := [row(), ...], guides := [number()]}.
-type axis() :: #{title := text(), unit := binary()}.
-type series() :: #{label := text(), colour := colour(), dash := pos_integer(), marks := boolean(),
                    points := [{number(), number()}, ...]}.
%% Lines over two logarithmic axes, each with its name at its end.
-type lines() :: #{kind := lines, title := text(), x := axis(), y := axis(),
                   %% The least and the most that is shown; the rest is cut off.
                   y_range := {number(), number()} | all,
                   guides := [Y :: number()], series := [series(), ...]}.
-type chart() :: dots() | lines().
%% Placeholders are numbered in the order of their texts.
-type drawing() :: #{script := iodata(), texts := [text()], height := pos_integer()}.

-define(TIMEOUT_MS, 20000).

%% Of every drawing, in pixels.
-spec width() -> 760.
width() -> 760.

%% Whether there is something to draw with.
-spec available() -> boolean().
available() -> os:find_executable("gnuplot") =/= false.

%% Id is unique within the page.
-spec svg(chart(), Id :: string()) -> {ok, unicode:chardata()} | {error, text()}.
svg(#{title := Title} = Chart, Id) ->
    #{script := Script, texts := Texts, height := Height} = drawing(Chart),
    case plotted(Script, Height) of
        {ok, Svg} -> tripod_chart_svg:embed(Svg, #{id => Id, title => Title, texts => Texts,
                                                   width => width(), height => Height});
        {error, _} = Error -> Error
    end.

drawing(#{kind := dots} = Chart) -> tripod_chart_dots:drawing(Chart);
drawing(#{kind := lines} = Chart) -> tripod_chart_lines:drawing(Chart).

%% gnuplot may have something to say on standard output and error, so the drawing goes to a file.
plotted(Script, Height) ->
    Base = [temporary(), io_lib:format("/tripod-~s-~b", [os:getpid(), erlang:unique_integer([positive])])],
    Input = lists:flatten([Base, ".gnuplot"]),
    Output = lists:flatten([Base, ".svg"]),
    Head = io_lib:format("set terminal svg size ~b,~b dynamic\nset output '~s'\n",
                         [width(), Height, string:replace(Output, "'", "''", all)]),
    try
        case file:write_file(Input, [Head, Script]) of
            ok -> read(Output, tripod_os_process:run("gnuplot", ["-d", Input], ?TIMEOUT_MS));
            {error, Why} -> {error, [Input, ": ", file:format_error(Why)]}
        end
    after
        _ = file:delete(Input),
        _ = file:delete(Output)
    end.

temporary() ->
    case os:getenv("TMPDIR", "") of
        "" -> "/tmp";
        Dir -> Dir
    end.

read(Output, {ok, _}) ->
    case file:read_file(Output) of
        {ok, Svg} -> {ok, Svg};
        {error, Why} -> {error, ["gnuplot drew nothing: ", file:format_error(Why)]}
    end;
read(_, {error, not_found}) ->
    {error, "gnuplot is not installed"};
read(_, {error, Why}) ->
    {error, io_lib:format("gnuplot: ~tP", [Why, 20])}.
