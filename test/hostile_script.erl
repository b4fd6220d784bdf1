%% SPDX-License-Identifier: Apache-2.0
%% The hostile scripts as files: finding them, and reading what each says about itself in the
%% comment it begins with.
%%
%%   -- expect: OUTCOME | OUTCOME ...   what may come of it; `|` where several are legal
%%   -- options: NAME=VALUE ...         of the box, in place of the suite's
%%   -- after: reset                    it changes globals, as scripts may: they are made anew
%%   -- needs: timer                    with `preempt => count` nothing ends it
%%   -- then: eval                      it returns a source, and that source is the hostile one
%%
%% An OUTCOME is one of
%%
%%   ok               it ended well                ok JSON       with these results
%%   lua "TEXT"       an error, TEXT in its message
%%   badterm          some value cannot cross      badterm JSON  this path leads to it
%%   limit NAME       the call met its limit
%%   down NAME        and the box was lost
-module(hostile_script).

-export([categories/0, all/1, read/1, is_endless/1, time_ms/1, name/1, legal/2]).
-export_type([script/0]).

-type outcome() :: {ok | badterm, any | list()} | {lua, binary()} | {limit | down, atom()}.
-type script() :: #{file := file:filename(), source := binary(), expect := [outcome(), ...],
                    options := #{atom() => integer() | atom()}, after_it := nothing | reset,
                    needs := nothing | timer, then := nothing | eval}.

%% What a script that must be stopped may run; what the others, which end by themselves, may need on
%% a machine that has much else to do.
-define(ENDLESS_MS, 40).
-define(ENDING_MS, 60000).

%% Relative to where the build puts the beams: build/test/ebin.
directory() ->
    filename:join([filename:dirname(filename:absname(code:which(?MODULE))), "..", "..", "..",
                   "test", "hostile"]).

-spec categories() -> [atom()].
categories() ->
    {ok, Names} = file:list_dir(directory()),
    [list_to_atom(Name) || Name <- lists:sort(Names),
                           filelib:is_dir(filename:join(directory(), Name))].

-spec all(atom()) -> [script()].
all(Category) ->
    Files = filelib:wildcard(filename:join([directory(), Category, "*.lua"])),
    [read(File) || File <- lists:sort(Files)].

-spec name(script()) -> string().
name(#{file := File}) -> filename:basename(File, ".lua").

-spec read(file:filename()) -> script().
read(File) ->
    {ok, Source} = file:read_file(File),
    Head = lists:takewhile(fun(Line) -> string:prefix(Line, "--") =/= nomatch end,
                           binary:split(Source, <<"\n">>, [global])),
    Read = lists:foldl(fun header/2,
                       #{options => #{}, after_it => nothing, needs => nothing, then => nothing},
                       Head),
    maps:is_key(expect, Read) orelse erlang:error({expects_nothing, File}),
    Read#{file => File, source => Source}.

header(<<"-- expect: ", Outcomes/binary>>, Script) ->
    Script#{expect => [outcome(Text) || Text <- binary:split(Outcomes, <<" | ">>, [global])]};
header(<<"-- options: ", Options/binary>>, Script) ->
    Pairs = [binary:split(Option, <<"=">>) || Option <- binary:split(Options, <<" ">>, [global])],
    Script#{options => maps:from_list([{binary_to_atom(Name), value(Value)}
                                       || [Name, Value] <- Pairs])};
header(<<"-- after: reset">>, Script) -> Script#{after_it => reset};
header(<<"-- needs: timer">>, Script) -> Script#{needs => timer};
header(<<"-- then: eval">>, Script) -> Script#{then => eval};
header(_, Script) -> Script.

value(Text) ->
    try binary_to_integer(Text) catch error:badarg -> binary_to_existing_atom(Text) end.

outcome(<<"ok">>) -> {ok, any};
outcome(<<"ok ", Json/binary>>) -> {ok, tripod_json:decode(Json)};
outcome(<<"badterm">>) -> {badterm, any};
outcome(<<"badterm ", Json/binary>>) -> {badterm, tripod_json:decode(Json)};
outcome(<<"lua ", Json/binary>>) -> {lua, tripod_json:decode(Json)};
outcome(<<"limit ", Name/binary>>) -> {limit, binary_to_atom(Name)};
outcome(<<"down ", Name/binary>>) -> {down, binary_to_atom(Name)}.

%% May its end be that its time is over?
-spec is_endless(script()) -> boolean().
is_endless(#{expect := Outcomes}) -> lists:member({limit, time}, Outcomes).

-spec time_ms(script()) -> pos_integer().
time_ms(#{options := #{time_ms := TimeMs}}) -> TimeMs;
time_ms(Script) ->
    case is_endless(Script) of
        true -> ?ENDLESS_MS;
        false -> ?ENDING_MS
    end.

-spec legal(script(), tripod_strategy:reply()) -> boolean().
legal(#{expect := Outcomes}, Reply) ->
    lists:any(fun(Outcome) -> matches(Outcome, Reply) end, Outcomes).

matches({ok, any}, {ok, _}) -> true;
matches({ok, Results}, {ok, Got}) -> Got =:= Results orelse same(Got, Results);
matches({badterm, any}, {error, {badterm, _}}) -> true;
matches({badterm, Path}, {error, {badterm, Path}}) -> true;
matches({lua, Text}, {error, {lua, #{message := Message}}}) ->
    Text =:= <<>> orelse binary:match(Message, Text) =/= nomatch;
matches({limit, Name}, {error, {limit, Name}}) -> true;
matches({down, Name}, {error, {down, Name}}) -> true;
matches(_, _) -> false.

%% JSON has no keys but strings.
same(Map, Json) when is_map(Map), is_map(Json) ->
    tripod_json:decode(iolist_to_binary(tripod_json:encode(Map))) =:= Json;
same(List, Json) when is_list(List), is_list(Json), length(List) =:= length(Json) ->
    lists:all(fun({A, B}) -> A =:= B orelse same(A, B) end, lists:zip(List, Json));
same(_, _) -> false.
