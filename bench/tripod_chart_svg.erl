%% SPDX-License-Identifier: Apache-2.0
%% From a drawing of gnuplot's to an element of a page: colours become the page's variables, so that
%% they follow its light or dark scheme, placeholders become texts, names become the page's own.
-module(tripod_chart_svg).

-export([embed/2, colour/1, number/1, placeholder/1, escaped/1, characters/1]).

%% Colours by number: gnuplot gets values that nothing else has.
-define(COLOURS, [nif, port_driver, port_program, luerl, other, ink, soft, faint]).
-define(FIRST, 16#7a0500).

%% As it stands in a gnuplot script, quoted.
-spec colour(tripod_chart:colour()) -> unicode:chardata().
colour(Colour) -> io_lib:format("\"#~6.16.0b\"", [number(Colour)]).

%% As it stands in gnuplot's data.
-spec number(tripod_chart:colour()) -> non_neg_integer().
number(Colour) -> ?FIRST + index(Colour, ?COLOURS, 1).

index(Colour, [Colour | _], Index) -> Index;
index(Colour, [_ | More], Index) -> index(Colour, More, Index + 1).

%% What stands for the text of that number.
-spec placeholder(pos_integer()) -> unicode:chardata().
placeholder(Number) -> io_lib:format("\"T~4..0bT\"", [Number]).

-spec embed(binary(), #{id := string(), title := unicode:chardata(), texts := [unicode:chardata()],
                        width := pos_integer(), height := pos_integer()}) ->
          {ok, unicode:chardata()} | {error, unicode:chardata()}.
embed(Svg, Page) ->
    %% What is in the group that holds everything.
    case re:run(Svg, "(<defs>.*)</g>\\s*</svg>", [dotall, {capture, [1], binary}]) of
        {match, [Body]} -> {ok, element_of(Body, Page)};
        nomatch -> {error, "this gnuplot's drawings are of a kind that is not known here"}
    end.

element_of(Body, #{id := Id, title := Title, texts := Texts, width := Width, height := Height}) ->
    Own = lists:foldl(fun({Pattern, By}, Text) ->
                              re:replace(Text, Pattern, By, [global, {return, binary}])
                      end, Body, changes(Id)),
    [io_lib:format("<svg viewBox=\"0 0 ~b ~b\" role=\"img\" "
                   "aria-labelledby=\"~s-title\">~n<title id=\"~s-title\">", [Width, Height, Id, Id]),
     escaped(Title), "</title>\n", texts(Own, Texts), "</svg>\n"].

changes(Id) ->
    Variables = [{colour_pattern(Colour), ["style=\"\\1:var(--", atom_to_list(Colour), ")\""]}
                 || Colour <- ?COLOURS],
    [{"(?s)<filter .*?</filter>\\s*", ""},
     {"<title>[^<]*</title>", ""},
     {" id=\"gnuplot_[^\"]*\"", ""},
     {"xlink:href", "href"},
     {"'#gp", ["'#", Id]},
     {"id='gp", ["id='", Id]},
     {" font-family=\"[^\"]*\"", ""},
     {"(stroke|fill|color)=(['\"])(black|white)\\2", "\\1=\\2currentColor\\2"}
     | Variables]
        ++ [{"<g [^>]*>\\s*</g>\\s*", ""}, {"[ \\t]+\\n", "\n"}, {"\\n\\s*\\n", "\n"}].

colour_pattern(Colour) ->
    Number = number(Colour),
    io_lib:format("(stroke|fill|color)=['\"]rgb\\( *~b, *~b, *~b\\)['\"]",
                  [Number bsr 16, (Number bsr 8) band 255, Number band 255]).

texts(Svg, Texts) ->
    Numbered = maps:from_list(lists:enumerate(Texts)),
    [case Part of
         <<"T", Digits:4/binary, "T">> -> escaped(maps:get(binary_to_integer(Digits), Numbered));
         _ -> Part
     end || Part <- re:split(Svg, "(?<=>)(T[0-9]{4}T)(?=<)")].

%% Whatever a text holds, as the content of an element or of a quoted attribute of XML.
-spec escaped(unicode:chardata()) -> unicode:chardata().
escaped(Text) ->
    [case Char of
         $& -> "&amp;";
         $< -> "&lt;";
         $> -> "&gt;";
         $" -> "&quot;";
         $' -> "&#39;";
         _ when Char >= 16#20, Char =/= 16#7f, Char =/= 16#fffe, Char =/= 16#ffff -> Char;
         _ -> $\s
     end || Char <- characters(Text)].

%% Bytes that are no UTF-8 are shown as Latin-1.
-spec characters(unicode:chardata()) -> [char()].
characters(Text) ->
    case unicode:characters_to_list(Text) of
        Chars when is_list(Chars) -> Chars;
        _ -> unicode:characters_to_list(iolist_to_binary(Text), latin1)
    end.
