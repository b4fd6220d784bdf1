%% SPDX-License-Identifier: Apache-2.0
%% A report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere.
%% It is well-formed XML, too.
-module(tripod_report_html).

-export([export/1]).

%% Charts are drawn on the way. The first that cannot be is the last that is tried.
-spec export(tripod_report_doc:doc()) ->
          {Page :: unicode:chardata(), drawn | {undrawn, Why :: unicode:chardata()}}.
export(#{title := Title, subtitle := Subtitle, sections := Sections}) ->
    {Bodies, {_, Drawn}} = lists:mapfoldl(fun section/2, {1, drawn}, Sections),
    {["<!DOCTYPE html>\n"
      "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>", text(Title), "</title>\n<style>\n",
      tripod_report_css:text(), "</style>\n</head>\n<body>\n<header>\n<h1>", text(Title), "</h1>\n<p>",
      inline(Subtitle), "</p>\n</header>\n<nav>\n<ol>\n",
      [["<li><a href=\"#", Id, "\">", text(Name), "</a></li>\n"] || #{id := Id, title := Name} <- Sections],
      "</ol>\n</nav>\n",
      case Drawn of
          drawn -> [];
          {undrawn, Why} -> ["<p class=\"warning\">Charts are missing: ", text(Why),
                             ". Their numbers are in the tables.</p>\n"]
      end,
      "<main>\n", Bodies, "</main>\n</body>\n</html>\n"],
     Drawn}.

section(#{id := Id, title := Title, blocks := Blocks}, Charts) ->
    {Bodies, Left} = lists:mapfoldl(fun block/2, Charts, Blocks),
    {["<section id=\"", Id, "\">\n<h2>", text(Title), "</h2>\n", Bodies, "</section>\n"], Left}.

block({chart, Chart, Legend, Table}, {Number, drawn}) ->
    case tripod_chart:svg(Chart, "c" ++ integer_to_list(Number)) of
        {ok, Svg} -> {figure(Chart, [" ", inline(Legend)], Svg, Table), {Number + 1, drawn}};
        {error, Why} -> {figure(Chart, "", "", Table), {Number, {undrawn, Why}}}
    end;
block({chart, Chart, _, Table}, Undrawn) ->
    {figure(Chart, "", "", Table), Undrawn};
block(Block, Charts) ->
    {block(Block), Charts}.

figure(#{title := Title}, Legend, Svg, Table) ->
    ["<figure>\n<figcaption><b>", text(Title), "</b>", Legend, "</figcaption>\n", Svg, table(Table),
     "</figure>\n"].

block({paragraph, Inline}) -> ["<p>", inline(Inline), "</p>\n"];
block({warning, Inline}) -> ["<p class=\"warning\">", inline(Inline), "</p>\n"];
block({heading, Text}) -> ["<h3>", text(Text), "</h3>\n"];
block({items, Items}) -> ["<ul>\n", [["<li>", inline(Item), "</li>\n"] || Item <- Items], "</ul>\n"];
block({commands, Lines}) -> ["<pre>", [[text(Line), "\n"] || Line <- Lines], "</pre>\n"];
block({table, Table}) -> table(Table).

%% Numbers of a column stand below each other whatever their units are.
table(#{columns := Columns, rows := Rows}) ->
    Sides = [case [Row || Row <- Rows, is_quantity(lists:nth(Index, Row))] of
                 [_ | _] when Side =:= right -> quantity;
                 _ -> Side
             end || {Index, {_, Side}} <- lists:enumerate(Columns)],
    ["<div class=\"scroll\"><table>\n<thead><tr>",
     [["<th scope=\"col\"", side(Side), ">", text(Title), [unit("") || Side =:= quantity], "</th>"]
      || {{Title, _}, Side} <- lists:zip(Columns, Sides)],
     "</tr></thead>\n<tbody>\n", rows(Rows, none, Sides), "</tbody>\n</table></div>\n"].

is_quantity(Cell) -> is_tuple(Cell) andalso element(1, Cell) =:= quantity.

unit(Unit) -> ["<span class=\"unit\">", Unit, "</span>"].

%% A rule above each row that begins otherwise than the one above.

rows([], _, _) ->
    [];
rows([[First | _] = Row | Rows], Before, Sides) ->
    Shown = [inline(plain_cell(First))],
    Class = case unicode:characters_to_binary(Shown) =:= Before of
                true -> "";
                false -> " class=\"group\""
            end,
    [["<tr", Class, ">", [cell(Cell, Side) || {Cell, Side} <- lists:zip(Row, Sides)], "</tr>\n"]
     | rows(Rows, unicode:characters_to_binary(Shown), Sides)].

plain_cell({tone, _, Inline}) -> Inline;
plain_cell(Inline) -> Inline.

cell({tone, Tone, Inline}, _) -> ["<td class=\"", atom_to_list(Tone), "\">", inline(Inline), "</td>"];
cell({quantity, Number, Unit}, quantity) ->
    ["<td class=\"right\">", text(Number), unit(["&#160;", text(Unit)]), "</td>"];
cell(Inline, quantity) ->
    ["<td class=\"right\">", inline(Inline), unit(""), "</td>"];
cell(Inline, Side) -> ["<td", side(Side), ">", inline(Inline), "</td>"].

side(left) -> "";
side(_) -> " class=\"right\"".

inline(none) -> "–";
inline({strong, Text}) -> ["<b>", text(Text), "</b>"];
inline({code, Text}) -> ["<code>", text(Text), "</code>"];
inline({quantity, Number, Unit}) -> [text(Number), "&#160;", text(Unit)];
inline(Text) when is_binary(Text) -> text(Text);
inline(Parts) -> pieces(Parts).

%% A list may be text, or hold more than text.
pieces([]) -> [];
pieces([Char | _] = List) when is_integer(Char) ->
    {Chars, Rest} = lists:splitwith(fun is_integer/1, List),
    [text(Chars) | pieces(Rest)];
pieces([Part | Parts]) -> [inline(Part) | pieces(Parts)].

text(Text) -> tripod_chart_svg:escaped(Text).
