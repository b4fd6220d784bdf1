%% SPDX-License-Identifier: Apache-2.0
%% `tripod run`: Lua files as chunks of one box. Everything is read and checked before the box is
%% opened, so a usage error has run nothing.
-module(tripod_cli_run).

-export([main/1]).

-define(OK, 0).
-define(LUA, 1).
-define(USAGE, 2).
-define(LIMIT, 3).
-define(DOWN, 4).

-spec main(tripod_cli_options:parsed()) -> 0..4.
main(#{args := Files} = Options) ->
    case ready(Files) of
        {ok, Chunks} -> in_box(Options, Chunks);
        {error, Text} -> usage(Text)
    end.

ready(Files) ->
    case code:ensure_loaded(tripod_json:library()) of
        {module, _} ->
            chunks(Files);
        {error, _} ->
            {error, "JSON needs jiffy (Debian: erlang-jiffy) or OTP 27"}
    end.

chunks(Files) ->
    case [File || "-" = File <- Files] of
        [_, _ | _] -> {error, "standard input (-) can be read only once"};
        _ -> read_all(Files, [])
    end.

read_all([], Chunks) -> {ok, lists:reverse(Chunks)};
read_all([File | More], Chunks) ->
    case read(File) of
        {ok, Source} ->
            read_all(More, [{chunk_name(File), without_first_line(Source)} | Chunks]);
        {error, Why} ->
            {error, [tripod_cli:text(File), ": ", file:format_error(Why)]}
    end.

read("-") -> {ok, standard_input()};
read(File) -> file:read_file(File).

%% The VM runs with -noinput, so that it never takes input that nobody asked for.
standard_input() ->
    Port = open_port({fd, 0, 0}, [in, binary, eof]),
    collect(Port, []).

collect(Port, Parts) ->
    receive
        {Port, {data, Part}} -> collect(Port, [Parts, Part]);
        {Port, eof} -> iolist_to_binary(Parts)
    end.

chunk_name("-") -> <<"stdin">>;
chunk_name(File) -> tripod_cli:text(filename:basename(File)).

%% As lua(1) does: a byte order mark and a first line that starts with # are not Lua. The line's end
%% stays, so that line numbers do.
without_first_line(<<16#ef, 16#bb, 16#bf, Source/binary>>) -> without_first_line(Source);
without_first_line(<<$#, _/binary>> = Source) ->
    case binary:match(Source, <<"\n">>) of
        {End, 1} -> binary:part(Source, End, byte_size(Source) - End);
        nomatch -> <<>>
    end;
without_first_line(Source) -> Source.

in_box(#{via := Strategy} = Options, Chunks) ->
    Given = maps:with([mode, memory_bytes, time_ms], Options),
    try tripod:open(Strategy, maps:filter(fun(_, Value) -> Value =/= undefined end, Given)) of
        {ok, Box} ->
            Reply = run(Box, Chunks),
            ok = tripod:close(Box),
            answer(Reply);
        {error, {missing_artefact, File, Hint}} ->
            usage([tripod_cli:text(File), " is missing: ", Hint]);
        {error, {artefact, File, Why}} ->
            usage([tripod_cli:text(File), " cannot be loaded: ", io_lib:format("~tp", [Why])]);
        {error, Reason} ->
            answer({error, Reason})
    catch
        error:badarg:Stack -> usage(option_error(Stack))
    end.

run(Box, [{Name, Source}]) -> tripod_lua:load(Box, Name, Source);
run(Box, [{Name, Source} | More]) ->
    case tripod_lua:load(Box, Name, Source) of
        {ok, _} -> run(Box, More);
        {error, _} = Error -> Error
    end.

%% The facade checks values; only the spelling of its options differs here.
option_error(Stack) ->
    [Text | _] = maps:values(tripod_options:format_error(badarg, Stack)),
    case unicode:characters_to_list(Text) of
        "option " ++ Said ->
            [Key, Why] = string:split(Said, " "),
            ["--", string:replace(Key, "_", "-", all), " ", Why];
        Said ->
            Said
    end.

usage(Text) ->
    tripod_cli:say("tripod run: ~ts", [Text]),
    ?USAGE.

answer({ok, Results}) ->
    print(["{\"ok\":", tripod_json:encode(Results), "}"]),
    ?OK;
answer({error, Reason}) ->
    {Kind, Detail} = case Reason of
                         {One, Other} -> {One, Other};
                         One -> {One, nil}
                     end,
    print(["{\"error\":{\"kind\":", tripod_json:encode(Kind),
           ",\"detail\":", tripod_json:encode(Detail), "}}"]),
    status(Kind).

print(Line) ->
    ok = tripod_cli:data([Line, $\n]).

status(lua) -> ?LUA;
status(badterm) -> ?LUA;
status(limit) -> ?LIMIT;
status(interrupted) -> ?LIMIT;
status(_) -> ?DOWN.
