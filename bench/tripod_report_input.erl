%% SPDX-License-Identifier: Apache-2.0
%% Reads results.jsonl: from lines to runs with what belongs to each. A reader of files that others
%% wrote, perhaps newer ones, perhaps cut short: lines of unknown types are counted, a line that is
%% broken is named by its number, and the rest is used.
-module(tripod_report_input).

-export([read/1]).
-export_type([input/0, run/0, summary/0, fault/0, check/0, broken/0]).

-type text() :: binary().
-type summary() :: #{scenario := text(), strategy := text(), mode := text(), params := #{text() => term()},
                     unit := text(), n := pos_integer(), min := number(), p50 := number(),
                     p90 := number(), p99 := number(), p999 := number(), max := number(),
                     floor := text() | nil, floor_p50 := number() | nil, ratio := number() | nil,
                     rounds := pos_integer() | nil, p50_spread := number() | nil,
                     ratio_low := number() | nil, ratio_high := number() | nil}.
-type fault() :: #{fault := text(), strategy := text(), mode := text(), outcome := text(),
                   lost := #{text() => boolean() | integer()}, leaked := #{text() => integer()},
                   detect_ns := number() | nil, clean_ns := number() | nil, serve_ns := number() | nil,
                   pause_ns := number() | nil, idle_pause_ns := number() | nil, class := text() | nil,
                   learned := text() | nil, rounds := pos_integer() | nil}.
-type check() :: #{name := text(), ok := boolean(), severity := text(), detail := text(),
                   advice := text() | nil, scenario := text() | nil, strategy := text() | nil,
                   mode := text() | nil}.
%% `line` is where it begins; `complete`: its last line is there. Lines before the first run line
%% make a run without a command.
-type run() :: #{line := pos_integer(), command := text(), level := text() | nil, started := text() | nil,
                 scenarios := [text()], strategies := [text()], script := text() | nil,
                 argv := [text()], env := #{text() => term()} | none, summaries := [summary()],
                 samples := non_neg_integer(), faults := [fault()], checks := [check()],
                 complete := boolean()}.
-type broken() :: {Line :: pos_integer(), Why :: unicode:chardata()}.
-type input() :: #{runs := [run()], broken := [broken()], unknown := #{text() => pos_integer()}}.

-spec read(file:filename()) -> {ok, input()} | {error, file:posix() | badarg | terminated | system_limit}.
read(File) ->
    case file:read_file(File) of
        {ok, Bytes} ->
            Lines = lists:enumerate(binary:split(Bytes, <<"\n">>, [global])),
            Empty = #{runs => [], broken => [], unknown => #{}},
            {ok, finished(lists:foldl(fun line/2, Empty, Lines))};
        {error, _} = Error ->
            Error
    end.

finished(#{runs := Runs, broken := Broken} = Input) ->
    Input#{runs := lists:reverse([finished_run(Run) || Run <- Runs]), broken := lists:reverse(Broken)}.

finished_run(#{summaries := Summaries, faults := Faults, checks := Checks} = Run) ->
    Run#{summaries := lists:reverse(Summaries), faults := lists:reverse(Faults),
         checks := lists:reverse(Checks),
         complete => [] =/= [Check || #{name := <<"complete">>} = Check <- Checks]}.

line({Number, Line}, #{broken := Broken} = Input) ->
    case string:trim(Line) of
        <<>> ->
            Input;
        _ ->
            case decoded(Line) of
                {ok, Value} -> value(Number, Value, Input);
                {error, Why} -> Input#{broken := [{Number, Why} | Broken]}
            end
    end.

%% Whatever the JSON library raises means the same: this is no JSON.
decoded(Line) ->
    try tripod_json:decode(Line) of
        #{<<"type">> := Type} = Value when is_binary(Type) -> {ok, Value};
        #{} -> {error, "an object without a type"};
        _ -> {error, "not an object"}
    catch
        _:_ -> {error, "not JSON, or cut short"}
    end.

value(Number, #{<<"type">> := Type} = Value, #{broken := Broken, unknown := Unknown} = Input) ->
    case fields(Type) of
        unknown ->
            Input#{unknown := Unknown#{Type => maps:get(Type, Unknown, 0) + 1}};
        Fields ->
            case taken(Fields, Value, #{}) of
                {ok, Taken} -> put_in_run(Type, Number, Taken, Value, Input);
                {error, Why} -> Input#{broken := [{Number, [Type, ": ", Why]} | Broken]}
            end
    end.

put_in_run(<<"run">>, Number, Taken, _, #{runs := Runs} = Input) ->
    Input#{runs := [maps:merge(empty_run(Number), Taken) | Runs]};
put_in_run(Type, Number, Taken, Value, #{runs := []} = Input) ->
    put_in_run(Type, Number, Taken, Value, Input#{runs := [empty_run(Number)]});
put_in_run(Type, _, Taken, Value, #{runs := [Run | Runs]} = Input) ->
    Input#{runs := [added(Type, Taken, Value, Run) | Runs]}.

added(<<"env">>, _, Value, Run) -> Run#{env := maps:remove(<<"type">>, Value)};
added(<<"sample">>, _, _, #{samples := Samples} = Run) -> Run#{samples := Samples + 1};
added(<<"summary">>, Taken, _, #{summaries := Summaries} = Run) -> Run#{summaries := [Taken | Summaries]};
added(<<"fault">>, Taken, _, #{faults := Faults} = Run) -> Run#{faults := [Taken | Faults]};
added(<<"check">>, Taken, _, #{checks := Checks} = Run) -> Run#{checks := [Taken | Checks]}.

empty_run(Number) ->
    #{line => Number, command => <<>>, level => nil, started => nil, scenarios => [], strategies => [],
      script => nil, argv => [], env => none, summaries => [], samples => 0, faults => [], checks => []}.

%% What is read of each type of line: {Key, Kind}, or {Key, Kind, Default} for what may be missing or
%% null.
fields(<<"run">>) ->
    [{command, text}, {level, text, nil}, {started, text, nil}, {scenarios, texts, []},
     {strategies, texts, []}, {script, text, nil}, {argv, texts, []}];
fields(<<"env">>) ->
    [];
fields(<<"sample">>) ->
    [];
fields(<<"summary">>) ->
    [{scenario, text}, {strategy, text}, {mode, text}, {params, object}, {unit, text}, {n, count},
     {min, number}, {p50, number}, {p90, number}, {p99, number}, {p999, number}, {max, number},
     {floor, text, nil}, {floor_p50, number, nil}, {ratio, number, nil}, {rounds, count, nil},
     {p50_spread, number, nil}, {ratio_low, number, nil}, {ratio_high, number, nil}];
fields(<<"fault">>) ->
    [{fault, text}, {strategy, text}, {mode, text}, {outcome, text}, {lost, losses, #{}},
     {leaked, amounts, #{}}, {detect_ns, number, nil}, {clean_ns, number, nil}, {serve_ns, number, nil},
     {pause_ns, number, nil}, {idle_pause_ns, number, nil}, {class, text, nil}, {learned, text, nil},
     {rounds, count, nil}];
fields(<<"check">>) ->
    [{name, text}, {ok, flag}, {severity, text}, {detail, text}, {advice, text, nil},
     {scenario, text, nil}, {strategy, text, nil}, {mode, text, nil}];
fields(_) ->
    unknown.

taken([], _, Taken) ->
    {ok, Taken};
taken([Field | Fields], Value, Taken) ->
    Key = element(1, Field),
    case {maps:get(atom_to_binary(Key), Value, nil), Field} of
        {nil, {_, _, Default}} ->
            taken(Fields, Value, Taken#{Key => Default});
        {One, _} ->
            Kind = element(2, Field),
            case is(Kind, One) of
                true -> taken(Fields, Value, Taken#{Key => One});
                false -> {error, [atom_to_list(Key), " is not ", kind(Kind)]}
            end
    end.

is(text, One) -> is_binary(One);
is(number, One) -> is_number(One) andalso One >= 0;
is(count, One) -> is_integer(One) andalso One > 0;
is(flag, One) -> is_boolean(One);
is(object, One) -> is_map(One);
is(texts, One) -> is_list(One) andalso lists:all(fun is_binary/1, One);
is(losses, One) -> is_map(One) andalso lists:all(fun is_loss/1, maps:values(One));
is(amounts, One) -> is_map(One) andalso lists:all(fun is_integer/1, maps:values(One)).

is_loss(Loss) -> is_boolean(Loss) orelse is_integer(Loss).

kind(text) -> "text";
kind(number) -> "a number, at least 0";
kind(count) -> "a whole number above 0";
kind(flag) -> "true or false";
kind(object) -> "an object";
kind(texts) -> "a list of texts";
kind(losses) -> "an object of numbers and truths";
kind(amounts) -> "an object of whole numbers".
