%% SPDX-License-Identifier: Apache-2.0
%% `tripod report`: what is written from good, partial, broken and hostile results.
-module(report_SUITE).
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-include_lib("xmerl/include/xmerl.hrl").
-compile([export_all, nowarn_export_all]).

all() ->
    [numbers_of_the_results, sections_in_order, a_page_that_needs_nothing_else, charts_with_tables_beneath,
     every_line_has_its_dashes, broken_lines_are_named, nothing_to_report, a_report_that_cannot_be_written,
     the_newest_results_by_default, only_the_last_runs_count, parts_that_are_missing,
     a_run_that_was_cut_short, hostile_names, without_gnuplot, a_gnuplot_that_fails, a_table_of_80_columns,
     the_command_that_was_typed].

init_per_testcase(Case, Config) ->
    Dir = filename:join(?config(priv_dir, Config), Case),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    [{dir, Dir}, {path, os:getenv("PATH")} | Config].

end_per_testcase(_, Config) -> true = os:putenv("PATH", ?config(path, Config)).

fixture(Name) ->
    Home = filename:dirname(filename:dirname(filename:absname(code:which(tripod_report)))),
    {ok, Text} = file:read_file(filename:join([Home, "test", "fixtures", Name])),
    Text.

lines() -> binary:split(fixture("results.jsonl"), <<"\n">>, [global, trim_all]).

%% The report of such a file: exit status, Markdown, HTML.
report(Config, Text) ->
    Dir = ?config(dir, Config),
    ok = file:write_file(filename:join(Dir, "results.jsonl"), Text),
    Status = tripod_report:main(#{args => [Dir]}),
    {ok, Md} = file:read_file(filename:join(Dir, "report.md")),
    {ok, Html} = file:read_file(filename:join(Dir, "report.html")),
    {Status, Md, Html}.

contains(Text, Part) -> binary:match(Text, unicode:characters_to_binary(Part)) =/= nomatch.

parsed(Html) ->
    {Document, []} = xmerl_scan:string(binary_to_list(Html), [{quiet, true}]),
    Document.

text(Node) -> unicode:characters_to_binary(text_of(Node)).

text_of(#xmlText{value = Value}) -> Value;
text_of(#xmlElement{content = Content}) -> [text_of(Node) || Node <- Content];
text_of(_) -> [].

%% The cells of each row of the tables in a section.
rows(Html, Section) ->
    Path = "//section[@id='" ++ Section ++ "']//tr",
    [[text(Cell) || #xmlElement{name = Name} = Cell <- Row, Name =:= td orelse Name =:= th]
     || #xmlElement{content = Row} <- xmerl_xpath:string(Path, parsed(Html))].

summary(Scenario, Strategy, Placement) ->
    hd([Line || #{<<"type">> := <<"summary">>, <<"scenario">> := S, <<"strategy">> := St,
                  <<"params">> := #{<<"placement">> := P}} = Line <- [tripod_json:decode(Text) || Text <- lines()],
                S =:= Scenario, St =:= Strategy, P =:= Placement]).

shown(Ns) -> unicode:characters_to_binary(tripod_report_text:plain(tripod_report_text:duration(Ns))).

unspaced(Cells) -> [binary:replace(Cell, <<160/utf8>>, <<" ">>, [global]) || Cell <- Cells].

numbers_of_the_results(Config) ->
    {0, Md, Html} = report(Config, fixture("results.jsonl")),
    #{<<"p50">> := P50, <<"p999">> := P999, <<"ratio">> := Ratio, <<"floor_p50">> := Floor}
        = summary(<<"call">>, <<"nif">>, <<"pinned">>),
    [Row] = [Cells || [<<"pinned">>, <<"nif/yield">> | _] = Cells <- rows(Html, "percentiles")],
    Expected = [shown(P50), shown(P999), shown(Floor), iolist_to_binary(tripod_report_text:ratio(Ratio))],
    ?assertEqual([], Expected -- unspaced(Row)),
    ?assertMatch([_], [Line || Line <- binary:split(Md, <<"\n">>, [global]),
                               contains(Line, "| pinned | `nif/yield` |"), contains(Line, shown(P999)),
                               lists:all(fun(One) -> contains(Line, One) end, Expected)]),
    Matrix = [unspaced(Cells) || Cells <- rows(Html, "blast-radius"), length(Cells) =:= 4],
    ?assert(lists:member([<<"endless loop in C">>, <<"hang">>, <<"hang">>, <<"box lost">>], Matrix)),
    ?assert(lists:member([<<"abort">>, <<"not injected">>, <<"node lost, 101 other boxes">>, <<"box lost">>],
                         Matrix)),
    [?assert(contains(Text, Part))
     || Text <- [Md, Html],
        Part <- ["AMD EPYC", "discount.lua", "costs the node with everything in it",
                 "Not measured in this run: concurrency, pipeline, duration, stall, memory, preempt and cleanup."]].

sections_in_order(Config) ->
    {0, Md, Html} = report(Config, fixture("results.jsonl")),
    Ids = ["verdict", "trust", "break-even", "stall", "payload", "percentiles", "throughput", "memory",
           "start-up", "cleanup", "blast-radius", "reproduce"],
    ?assertEqual(Ids, [Id || #xmlAttribute{value = Id} <- xmerl_xpath:string("//section/@id", parsed(Html))]),
    Titles = [text(Title) || Title <- xmerl_xpath:string("//section/h2", parsed(Html))],
    ?assertEqual(Titles, [Title || <<"## ", Title/binary>> <- binary:split(Md, <<"\n">>, [global])]).

a_page_that_needs_nothing_else(Config) ->
    {0, _, Html} = report(Config, fixture("results.jsonl")),
    _ = parsed(Html),
    [?assertNot(contains(Html, Part), Part)
     || Part <- ["http://", "https://", "<script", "<link", "<img", "url(", "@import", "src=", "xlink"]],
    [?assert(contains(Html, Part), Part) || Part <- ["prefers-color-scheme: dark", "@media print", "<svg"]],
    %% References stay inside the page, and lead somewhere.
    Ids = [Id || #xmlAttribute{value = Id} <- xmerl_xpath:string("//@id", parsed(Html))],
    ?assertEqual([], Ids -- lists:usort(Ids)),
    ?assertEqual([], lists:usort(references(Html)) -- ["#" ++ Id || Id <- Ids]).

references(Html) -> [Ref || #xmlAttribute{value = Ref} <- xmerl_xpath:string("//@href", parsed(Html))].

charts_with_tables_beneath(Config) ->
    {0, _, Html} = report(Config, fixture("results.jsonl")),
    Figures = xmerl_xpath:string("//figure", parsed(Html)),
    ?assert(length(Figures) >= 8),
    [?assertMatch({[_], [_]}, {xmerl_xpath:string("./svg", Figure), xmerl_xpath:string("./div/table", Figure)})
     || Figure <- Figures],
    %% Texts are back in their places, colours are the page's.
    ?assertEqual(nomatch, re:run(Html, ">T[0-9]{4}T<")),
    ?assertEqual(nomatch, re:run(Html, "rgb\\(")),
    ?assert(contains(Html, "style=\"color:var(--nif)\"")),
    Labels = [text(Text) || Text <- xmerl_xpath:string("//svg//text", parsed(Html))],
    [?assert(lists:member(Label, Labels)) || Label <- [<<"nif/yield">>, <<"luerl">>, <<"50 %">>, <<"64 KiB">>]].

%% Also the piece beside its name.
every_line_has_its_dashes(_) ->
    Series = [#{label => integer_to_list(Dash), colour => nif, dash => Dash, marks => false,
                points => [{1, Dash}, {10, 2 * Dash}]} || Dash <- lists:seq(1, 5)],
    {ok, Svg} = tripod_chart:svg(#{kind => lines, title => "x", x => #{title => "x", unit => <<"ns">>},
                                   y => #{title => "y", unit => <<"ns">>}, y_range => all, guides => [],
                                   series => Series}, "c"),
    {match, Dashes} = re:run(unicode:characters_to_binary(Svg), "stroke-dasharray='([^']*)'",
                             [global, {capture, [1], binary}]),
    ?assertEqual(2 * (length(Series) - 1), length(Dashes)). % the first has none

broken_lines_are_named(Config) ->
    {1, Md, Html} = report(Config, fixture("broken.jsonl")),
    [?assert(contains(Text, ["line ", integer_to_list(Line), " of results.jsonl was left out"]), Line)
     || Text <- [Md, Html], Line <- [5, 6, 7, 8, 12]],
    ?assert(contains(Md, "summary: p50 is not a number, at least 0")),
    ?assert(contains(Md, "lines 2 of type forecast")),
    ?assertEqual(3, length([Row || [<<"free">>, _ | _] = Row <- rows(Html, "percentiles"), length(Row) > 7])).

nothing_to_report(Config) ->
    Dir = ?config(dir, Config),
    ?assertEqual(2, tripod_report:main(#{args => [Dir]})),
    File = filename:join(Dir, "results.jsonl"),
    [begin
         ok = file:write_file(File, Text),
         ?assertEqual(2, tripod_report:main(#{args => [Dir]})),
         ?assertEqual([File], filelib:wildcard(filename:join(Dir, "*")))
     end || Text <- ["", "\n\n", "{\"type\":\"run\"\n", "{\"type\":\"forecast\"}\n"]].

a_report_that_cannot_be_written(Config) ->
    Dir = ?config(dir, Config),
    ok = file:write_file(filename:join(Dir, "results.jsonl"), fixture("results.jsonl")),
    ok = file:make_dir(filename:join(Dir, "report.md")),
    ?assertEqual(2, tripod_report:main(#{args => [Dir]})).

the_newest_results_by_default(Config) ->
    {ok, Cwd} = file:get_cwd(),
    Dir = ?config(dir, Config),
    ok = file:set_cwd(Dir),
    try
        ?assertEqual(2, tripod_report:main(#{args => []})),
        [begin
             File = filename:join(["results", Name, "results.jsonl"]),
             ok = filelib:ensure_dir(File),
             ok = file:write_file(File, fixture("results.jsonl")),
             ok = file:change_time(File, {{Year, 1, 1}, {0, 0, 0}})
         end || {Name, Year} <- [{"b", 2024}, {"c", 2026}, {"a", 2025}]],
        ?assertEqual(0, tripod_report:main(#{args => []})),
        ?assertEqual(["results/c/report.html"], filelib:wildcard("results/*/report.html"))
    after
        ok = file:set_cwd(Cwd)
    end.

only_the_last_runs_count(Config) ->
    [_ | _] = Lines = lines(),
    Run = <<"{\"type\":\"run\",\"command\":\"kill\",\"level\":\"full\"}">>,
    {0, Md, _} = report(Config, lists:join($\n, Lines ++ [Run, complete()])),
    %% The kill before, and the comparison that it was part of.
    ?assert(contains(Md, "The file also holds 2 earlier runs")),
    ?assert(contains(Md, "Not measured: this file has no results of tripod kill.")),
    ?assert(contains(Md, "./tripod kill\n")),
    {0, Twice, _} = report(Config, lists:join($\n, Lines ++ Lines)),
    ?assert(contains(Twice, "The file also holds 4 earlier runs")),
    ?assert(contains(Twice, "./tripod compare --quick")).

complete() ->
    tripod_json:encode(#{type => check, name => complete, ok => true, severity => note, detail => <<"0 failures">>}).

of_runs(Wanted) ->
    {Kept, _} = lists:foldl(fun(Text, {Kept, Keeps}) ->
                                    Now = case tripod_json:decode(Text) of
                                              #{<<"type">> := <<"run">>, <<"command">> := Command} ->
                                                  lists:member(Command, Wanted);
                                              _ -> Keeps
                                          end,
                                    {[[Text, $\n] || Now] ++ Kept, Now}
                            end, {[], false}, lines()),
    lists:reverse(Kept).

parts_that_are_missing(Config) ->
    {0, Bench, _} = report(Config, of_runs([<<"bench">>])),
    [?assert(contains(Bench, Part))
     || Part <- ["this file has no results of tripod kill", "killed owners and crashes"]],
    {0, Kill, KillPage} = report(Config, of_runs([<<"kill">>])),
    [?assert(contains(Kill, Part))
     || Part <- ["this run has no call scenario", "this run has no payload scenario"]],
    _ = parsed(KillPage),
    {0, Compare, _} = report(Config, of_runs([<<"compare">>, <<"bench">>, <<"crash">>])),
    ?assert(contains(Compare, "**failure:** kill left no results.")),
    %% Any one line less is a report as well.
    true = no_charts(),
    lists:foreach(fun(Line) ->
                          {Status, _, Page} = report(Config, lists:join($\n, lists:delete(Line, lines()))),
                          ?assertEqual(0, Status),
                          #xmlElement{} = parsed(Page)
                  end, lines()).

no_charts() -> os:putenv("PATH", "/nowhere").

a_run_that_was_cut_short(Config) ->
    {1, Md, _} = report(Config, binary:part(fixture("results.jsonl"), 0, 20000)),
    ?assert(contains(Md, "was cut short: its last line is missing.")),
    ?assert(contains(Md, "not JSON, or cut short")).

-define(SHOWN, "</title><script>x()</script>`id` $(id) \"'&|\\ [a](http://b)").
-define(HOSTILE, ?SHOWN " _i_ ![c](d) \e[31m www.e.f {{ T0001T").

hostile_names(Config) ->
    Text = iolist_to_binary([<<?HOSTILE>>, 0, "\n# h", <<16#1F600/utf8>>]),
    Hostile = [tripod_json:encode(hostile(tripod_json:decode(Line), Text)) || Line <- lines()],
    {0, Md, Html} = report(Config, lists:join($\n, Hostile)),
    ?assertEqual([], xmerl_xpath:string("//script", parsed(Html))),
    [?assertNot(contains(One, Part), Part)
     || {One, Parts} <- [{Md, ["http://", "www."]}, {Html, []}],
        Part <- ["<script", "</title><", "\e", <<0>> | Parts]],
    ?assertEqual([], [Ref || Ref <- references(Html), hd(Ref) =/= $#]),
    ?assertEqual(nomatch, re:run(Md, "(?<!\\\\)!\\[c\\]")),
    ?assertEqual(nomatch, re:run(Md, "(?m)^# h")),
    %% It is all there to be read, in texts, in tables and in charts.
    [?assertMatch([_ | _], [Element || Element <- xmerl_xpath:string(Path, parsed(Html)),
                                       contains(text(Element), ?SHOWN)], Path)
     || Path <- ["//header/p", "//section[@id='verdict']//code", "//section[@id='trust']//td", "//svg//text"]],
    {ok, Input} = tripod_report_input:read(filename:join(?config(dir, Config), "results.jsonl")),
    fits(tripod_report_terminal:export(tripod_report_facts:new("x", Input))).

%% Every text that people or machines may have chosen.
hostile(#{<<"type">> := <<"run">>} = Line, Text) -> Line#{<<"script">> := Text};
hostile(#{<<"type">> := <<"env">>} = Line, Text) ->
    Line#{<<"cpu">> := Text, <<"system">> := Text, <<"git">> := Text};
hostile(#{<<"type">> := <<"check">>, <<"name">> := <<"complete">>} = Line, _) -> Line;
hostile(#{<<"type">> := <<"check">>} = Line, Text) -> Line#{<<"detail">> := Text, <<"advice">> := Text};
hostile(#{<<"type">> := <<"fault">>} = Line, Text) -> Line#{<<"learned">> := Text};
hostile(#{<<"params">> := #{<<"script">> := _} = Params, <<"mode">> := Mode} = Line, Text) ->
    Line#{<<"params">> := Params#{<<"script">> := Text}, <<"mode">> := case Mode of
                                                                         <<"inline">> -> Text;
                                                                         _ -> Mode
                                                                     end};
hostile(Line, _) -> Line.

without_gnuplot(Config) ->
    {0, Md, With} = report(Config, fixture("results.jsonl")),
    true = no_charts(),
    {0, Same, Without} = report(Config, fixture("results.jsonl")),
    ?assertEqual(Md, Same),
    ?assertNot(contains(Without, "<svg")),
    ?assert(contains(Without, "Charts are missing: gnuplot is not installed.")),
    Tables = fun(Html) -> [text(Table) || Table <- xmerl_xpath:string("//table", parsed(Html))] end,
    ?assertEqual(Tables(With), Tables(Without)).

a_gnuplot_that_fails(Config) ->
    Bin = filename:join(?config(dir, Config), "bin"),
    Fake = filename:join(Bin, "gnuplot"),
    ok = filelib:ensure_dir(Fake),
    [begin
         ok = file:write_file(Fake, ["#!/bin/sh\n", Does, "\n"]),
         ok = file:change_mode(Fake, 8#755),
         true = os:putenv("PATH", Bin ++ ":" ++ ?config(path, Config)),
         {0, _, Html} = report(Config, fixture("results.jsonl")),
         ?assertNot(contains(Html, "<svg")),
         ?assert(contains(Html, Said)),
         #xmlElement{name = html} = parsed(Html)
     end || {Does, Said} <-
                [{"echo '<sad>'; exit 3", "&lt;sad&gt;"}, {"exit 0", "gnuplot drew nothing"},
                 {"sed -n \"s/^set output '\\(.*\\)'/echo new >\\1/p\" \"$2\" | sh",
                  "of a kind that is not known"}]].

%% No line is longer than a terminal is broad, and nothing is in it but text.
fits(Table) ->
    Lines = string:split(unicode:characters_to_list(Table), "\n", all),
    [?assert(string:length(Line) =< 80, Line) || Line <- Lines],
    ?assertEqual(nomatch, re:run(unicode:characters_to_binary(Table), "[^ -~\n]")),
    Lines.

a_table_of_80_columns(Config) ->
    {0, _, _} = report(Config, fixture("results.jsonl")),
    {ok, Input} = tripod_report_input:read(filename:join(?config(dir, Config), "results.jsonl")),
    Facts = tripod_report_facts:new("x", Input),
    Table = tripod_report_terminal:export(Facts),
    Lines = fits(Table),
    [?assertMatch([_, _], [Line || Line <- Lines, lists:prefix(Name, Line)], Name)
     || Name <- ["nif/yield", "port_driver/inline", "port_program/process", "luerl"]],
    #{<<"p50">> := P50} = summary(<<"call">>, <<"nif">>, <<"free">>),
    [Nif | _] = [Line || Line <- Lines, lists:prefix("nif/yield", Line)],
    ?assert(contains(unicode:characters_to_binary(Nif), shown(P50))),
    ?assertMatch([_], [Line || Line <- Lines, lists:prefix("nif/yield", Line), lists:suffix("the node", Line)]),
    ?assert(lists:member("1 failed, 1 in doubt: the report says what and why.", Lines)),
    %% The same whether colours are wanted or not: there are none.
    true = os:putenv("NO_COLOR", "1"),
    ?assertEqual(Table, tripod_report_terminal:export(Facts)),
    true = os:unsetenv("NO_COLOR"),
    Nothing = tripod_report_facts:new("x", #{runs => [], broken => [], unknown => #{}}),
    _ = fits(tripod_report_terminal:export(Nothing)).

the_command_that_was_typed(Config) ->
    {0, Md, _} = report(Config, fixture("results.jsonl")),
    Typed = "./tripod compare --quick --script 'my scripts/discount.lua' --out results/a",
    ?assert(contains(Md, ["\n    ", Typed, "\n"])),
    ?assert(contains(Md, "git checkout 1234abc && make\n")),
    ?assert(contains(Md, "The revision had changes that are not in it.")).
