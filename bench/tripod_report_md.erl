%% SPDX-License-Identifier: Apache-2.0
%% A report as Markdown, as GitHub reads it: everything that the page has, in tables.
-module(tripod_report_md).

-export([export/1]).

-spec export(tripod_report_doc:doc()) -> unicode:chardata().
export(#{title := Title, subtitle := Subtitle, sections := Sections}) ->
    ["# ", escaped(Title), "\n\n", inline(Subtitle), "\n", [section(Section) || Section <- Sections]].

section(#{title := Title, blocks := Blocks}) ->
    ["\n## ", escaped(Title), "\n", [["\n", block(Block)] || Block <- Blocks]].

block({paragraph, Inline}) -> [inline(Inline), "\n"];
block({warning, Inline}) -> ["> ", inline(Inline), "\n"];
block({heading, Text}) -> ["### ", escaped(Text), "\n"];
block({items, Items}) -> [["- ", inline(Item), "\n"] || Item <- Items];
block({commands, Lines}) -> [["    ", plain(Line), "\n"] || Line <- Lines];
block({chart, #{title := Title}, _, Table}) -> [inline({strong, Title}), "\n\n", table(Table)];
block({table, Table}) -> table(Table).

table(#{columns := Columns, rows := Rows}) ->
    [row([escaped(Title) || {Title, _} <- Columns]),
     row([case Side of left -> ":--"; right -> "--:" end || {_, Side} <- Columns]),
     [row([cell(Cell) || Cell <- Row]) || Row <- Rows]].

row(Cells) -> ["|", [[" ", Cell, " |"] || Cell <- Cells], "\n"].

cell({tone, _, Inline}) -> inline(Inline);
cell(Inline) -> inline(Inline).

inline(none) -> "–";
inline({strong, Text}) -> ["**", escaped(string:trim(Text)), "**", trailing(Text)];
inline({code, Text}) -> code(Text);
inline({quantity, Number, Unit}) -> escaped([Number, " ", Unit]);
inline(Text) when is_binary(Text) -> escaped(Text);
inline(Parts) -> pieces(Parts).

%% Markdown's asterisks must touch what they are about.
trailing(Text) ->
    case lists:suffix(" ", unicode:characters_to_list(Text)) of
        true -> " ";
        false -> ""
    end.

%% A list may be text, or hold more than text.
pieces([]) -> [];
pieces([Char | _] = List) when is_integer(Char) ->
    {Chars, Rest} = lists:splitwith(fun is_integer/1, List),
    [escaped(Chars) | pieces(Rest)];
pieces([Part | Parts]) -> [inline(Part) | pieces(Parts)].

%% Only what is plain may stand in a code span, where nothing can be escaped.
code(Text) ->
    Plain = unicode:characters_to_binary(plain(Text)),
    case re:run(Plain, "^[A-Za-z0-9_ .,:;/+=()-]+$") of
        {match, _} -> [$`, Plain, $`];
        nomatch -> escaped(Plain)
    end.

%% On one line, without control characters.
plain(Text) ->
    [case Char of
         _ when Char < $\s; Char =:= 16#7f -> $\s;
         _ -> Char
     end || Char <- tripod_chart_svg:characters(Text)].

%% Nothing in a text is markup: neither Markdown's, nor HTML's, nor what becomes a link by itself.
escaped(Text) -> escaped(plain(Text), $\s).

escaped([], _) ->
    [];
escaped([$_ | Rest], Before) ->
    [case is_word(Before) andalso Rest =/= [] andalso is_word(hd(Rest)) of
         true -> $_;
         false -> "\\_"
     end | escaped(Rest, $_)];
escaped("://" ++ Rest, _) -> ["&#58;//" | escaped(Rest, $/)];
escaped("www." ++ Rest, _) -> ["www&#46;" | escaped(Rest, $.)];
escaped([Char | Rest], _) ->
    [case Char of
         $< -> "&lt;";
         $> -> "&gt;";
         $& -> "&amp;";
         _ when Char =:= $\\; Char =:= $`; Char =:= $*; Char =:= $[; Char =:= $]; Char =:= $#; Char =:= $|;
                Char =:= $~; Char =:= $! -> [$\\, Char];
         _ -> Char
     end | escaped(Rest, Char)].

is_word(Char) ->
    (Char >= $0 andalso Char =< $9) orelse (Char >= $A andalso Char =< $Z)
        orelse (Char >= $a andalso Char =< $z).
