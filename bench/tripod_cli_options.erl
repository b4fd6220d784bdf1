%% SPDX-License-Identifier: Apache-2.0
%% Parses a verb's options as its description in tripod_cli_verbs says. Options may stand before and
%% after arguments, as `--name VALUE` or `--name=VALUE`; `--` ends them; the last of several counts.
-module(tripod_cli_options).

-export([parse/2, closest/2]).
-export_type([option/0, arguments/0, parsed/0]).

-type kind() :: flag | strategy | strategies | name | names | positive | path.
%% `value` is what help calls the value; a flag has none.
-type option() :: #{flag := string(), key := atom(), kind := kind(), default := term(),
                    value => string(), help := string()}.
%% `script`: arguments of the script's main(), allowed with --script only, each JSON or else text.
-type arguments() :: {files, Name :: string()} | {optional, Name :: string()} | script | none.
%% The key of every option of the verb, and:
-type parsed() :: #{args := [term()], atom() => term()}.

-spec parse(tripod_cli_verbs:verb(), [string()]) ->
          {ok, parsed()} | help | {error, unicode:chardata()}.
parse(#{options := Options, arguments := Arguments}, Args) ->
    Defaults = maps:from_list([{Key, Default} || #{key := Key, default := Default} <- Options]),
    case walk(Args, Options, Defaults, []) of
        {ok, Parsed, Rest} -> arguments(Arguments, Parsed, Rest);
        Other -> Other
    end.

walk([], _, Parsed, Rest) -> {ok, Parsed, lists:reverse(Rest)};
walk(["--" | More], _, Parsed, Rest) -> {ok, Parsed, lists:reverse(Rest, More)};
walk([Help | _], _, _, _) when Help =:= "--help"; Help =:= "-h" -> help;
walk(["-" | More], Options, Parsed, Rest) -> walk(More, Options, Parsed, ["-" | Rest]);
walk(["-" ++ _ = Word | More], Options, Parsed, Rest) ->
    [Flag | Inline] = string:split(Word, "="),
    case [Option || #{flag := F} = Option <- Options, F =:= Flag] of
        [Option] ->
            case value(Option, Inline, More) of
                {ok, Value, Left} ->
                    walk(Left, Options, Parsed#{maps:get(key, Option) => Value}, Rest);
                {error, Text} ->
                    {error, [Flag, " ", Text]}
            end;
        [] ->
            {error, unknown(Flag, [F || #{flag := F} <- Options])}
    end;
walk([Word | More], Options, Parsed, Rest) ->
    walk(More, Options, Parsed, [Word | Rest]).

unknown(Flag, Known) ->
    ["there is no option ", tripod_cli:text(Flag), closest(Flag, Known)].

value(#{kind := flag}, [], More) -> {ok, true, More};
value(#{kind := flag}, [_], _) -> {error, "takes no value"};
value(#{value := Name}, [], []) -> {error, ["needs a value: ", Name]};
value(Option, [], [Text | More]) -> converted(Option, Text, More);
value(Option, [Text], More) -> converted(Option, Text, More).

converted(#{value := Name}, "", _) ->
    {error, ["needs a value: ", Name]};
converted(#{kind := Kind}, Text, More) ->
    case convert(Kind, Text) of
        {ok, Value} -> {ok, Value, More};
        {error, Why} -> {error, Why}
    end.

convert(path, Text) -> {ok, Text};
convert(strategy, Text) -> strategy(Text);
convert(strategies, Text) -> strategies(string:split(Text, ",", all), []);
convert(names, Text) -> {ok, string:lexemes(Text, ",")};
convert(name, Text) ->
    %% Only names that the code knows become atoms; the rest is refused by whoever takes them.
    try {ok, list_to_existing_atom(Text)}
    catch error:badarg -> {ok, tripod_cli:text(Text)}
    end;
convert(positive, Text) ->
    try list_to_integer(Text) of
        Value when Value > 0 -> {ok, Value};
        _ -> not_positive(Text)
    catch
        error:badarg -> not_positive(Text)
    end.

not_positive(Text) ->
    {error, ["must be a whole number greater than 0, not ", quoted(Text)]}.

strategy(Text) ->
    Known = [atom_to_list(Name) || Name <- tripod_strategy:all()],
    case lists:member(Text, Known) of
        true -> {ok, list_to_existing_atom(Text)};
        false -> {error, ["must be one of ", lists:join(", ", Known), ", not ", quoted(Text),
                          closest(Text, Known)]}
    end.

strategies([], Done) -> {ok, lists:reverse(Done)};
strategies([Text | More], Done) ->
    case strategy(Text) of
        {ok, Strategy} -> strategies(More, [Strategy | lists:delete(Strategy, Done)]);
        {error, _} = Error -> Error
    end.

arguments({files, Name}, _, []) -> {error, ["needs at least one ", Name]};
arguments({files, _}, Parsed, Args) -> {ok, Parsed#{args => Args}};
arguments(script, #{script := Script} = Parsed, Args) when Script =/= undefined; Args =:= [] ->
    {ok, Parsed#{args => [script_argument(Arg) || Arg <- Args]}};
arguments({optional, _}, Parsed, Args) when length(Args) =< 1 -> {ok, Parsed#{args => Args}};
arguments(none, Parsed, []) -> {ok, Parsed#{args => []}};
arguments({optional, Name}, _, [_, Extra | _]) ->
    {error, ["takes one ", Name, " at most; there is also ", quoted(Extra)]};
arguments(script, _, [Extra | _]) ->
    {error, ["takes arguments with --script only, not ", quoted(Extra)]};
arguments(none, _, [Extra | _]) ->
    {error, ["takes no arguments, not ", quoted(Extra)]}.

script_argument(Bytes) ->
    Binary = list_to_binary(Bytes),
    try tripod_json:decode(Binary)
    catch error:_ -> Binary
    end.

quoted(Text) -> [$", tripod_cli:text(Text), $"].

%% "; did you mean X?" for the known word that needs the fewest changes, or nothing.
-spec closest(string(), [string()]) -> unicode:chardata().
closest(_, []) -> "";
closest(Word, Known) ->
    case lists:min([{not lists:prefix(Word, One), distance(Word, One), One} || One <- Known]) of
        {Other, Distance, Best} when not Other; Distance =< 1; Distance =< length(Best) div 3 ->
            ["; did you mean ", Best, "?"];
        _ ->
            ""
    end.

%% Letters to insert, delete or replace, one row of the usual table after the other; the same letters
%% in another order are the typing error that counts least.
distance(From, To) ->
    case lists:sort(From) =:= lists:sort(To) of
        true when From =/= To -> 1;
        _ -> lists:last(rows(From, To, 1, lists:seq(0, length(To))))
    end.

rows([], _, _, Row) -> Row;
rows([Letter | More], To, Number, Row) ->
    rows(More, To, Number + 1, row(Letter, To, Row, [Number])).

row(_, [], _, Done) -> lists:reverse(Done);
row(Letter, [Same | To], [Diagonal, Above | Row], [Left | _] = Done) ->
    Change = case Letter of Same -> 0; _ -> 1 end,
    row(Letter, To, [Above | Row], [lists:min([Diagonal + Change, Above + 1, Left + 1]) | Done]).
