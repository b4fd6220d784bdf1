%% SPDX-License-Identifier: Apache-2.0
%% A report as a value: sections of blocks, which know nothing of HTML or Markdown. The exporters
%% know nothing of results. Text in it is plain text, whatever it holds; exporters escape.
-module(tripod_report_doc).

-export([report/1, number/1, optional/1]).
-export_type([doc/0, section/0, block/0, inline/0, cell/0, table/0, tone/0]).

-type text() :: unicode:chardata().
-type inline() :: text() | {strong, text()} | {code, text()} | tripod_report_text:quantity() | none
                | [inline()].
%% How a result looks at a glance; colour never says what the words do not.
-type tone() :: good | fair | bad.
-type cell() :: inline() | {tone, tone(), inline()}.
%% Every row has a cell for each column. `groups`: rows with another first cell begin a group.
-type table() :: #{columns := [{text(), left | right}, ...], rows := [[cell()]]}.
-type block() :: {paragraph, inline()}
               | {items, [inline(), ...]}
               | {table, table()}
               | {chart, tripod_chart:chart(), Legend :: inline(), table()}
               | {heading, text()}
               | {warning, inline()}
               | {commands, [text(), ...]}.
-type section() :: #{id := string(), title := text(), blocks := [block()]}.
-type doc() :: #{title := text(), subtitle := inline(), sections := [section()]}.

-spec report(tripod_report_facts:facts()) -> doc().
report(Facts) ->
    #{title => "Tripod: port program, port driver or NIF",
      subtitle => subtitle(Facts),
      sections => [Section || Module <- sections(), Section <- Module:sections(Facts)]}.

%% In the order of the report.
sections() ->
    [tripod_report_verdict, tripod_report_trust, tripod_report_breakeven, tripod_report_stall,
     tripod_report_payload, tripod_report_percentiles, tripod_report_programs, tripod_report_startup,
     tripod_report_faults, tripod_report_reproduce].

subtitle(Facts) ->
    Env = tripod_report_facts:env(Facts),
    Started = [When || {_, #{started := When}} <- tripod_report_facts:runs(Facts), is_binary(When)],
    Parts = [[When] || When <- lists:sublist(Started, 1)]
        ++ [Text || Key <- [<<"cpu">>, <<"system">>], (Text = maps:get(Key, Env, nil)) =/= nil]
        ++ [["OTP ", Otp] || #{<<"otp">> := Otp} <- [Env]]
        ++ [Lua || #{<<"lua">> := Lua} <- [Env], Lua =/= nil],
    lists:join(" · ", Parts).

%% The cells of a value, of its floor and of their ratio.
-spec number(tripod_report_input:summary()) -> [cell()].
number(#{p50 := P50, unit := Unit, floor_p50 := Floor, ratio := Ratio}) ->
    [tripod_report_text:quantity(P50, Unit), tripod_report_text:quantity(Floor, Unit),
     tripod_report_text:ratio(Ratio)].

%% A section, unless there is nothing to put into it.
-spec optional(section()) -> [section()].
optional(#{blocks := []}) -> [];
optional(Section) -> [Section].
