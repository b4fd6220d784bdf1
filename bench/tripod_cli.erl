%% SPDX-License-Identifier: Apache-2.0
%% The command line: finds the verb, parses its options, ends the VM with its exit status. The
%% `tripod` script starts it, with +fnl: arguments and file names are lists of bytes here.
%%
%% Standard output carries data only; whatever is said to people goes to standard error.
-module(tripod_cli).

-export([main/0, data/1, say/2, text/1]).

-define(OK, 0).
-define(USAGE, 2).
-define(BROKEN, 4).

-spec main() -> no_return().
main() ->
    %% Messages come out as UTF-8 whatever the locale; SIGTERM ends the VM as it ends any program.
    ok = io:setopts(standard_error, [{encoding, unicode}]),
    ok = os:set_signal(sigterm, default),
    %% A process of its own: this one belongs to init, which takes the VM down when it is killed by a
    %% process that a verb linked to.
    Main = self(),
    {Pid, Monitor} =
        spawn_monitor(fun() -> Main ! {self(), guarded(init:get_plain_arguments())} end),
    receive
        {Pid, Status} ->
            halt(Status);
        {'DOWN', Monitor, process, _, Reason} ->
            say("tripod: ended by a linked process: ~tp", [Reason]),
            halt(?BROKEN)
    end.

guarded(Args) ->
    try
        command(Args)
    catch
        throw:{output, Reason} ->
            say("tripod: cannot write to standard output: ~ts", [file:format_error(Reason)]),
            ?BROKEN;
        Class:Reason:Stack ->
            say("tripod: this should not have happened: ~tp:~tp~n~tp", [Class, Reason, Stack]),
            ?BROKEN
    end.

command([]) ->
    say("~ts", [tripod_cli_verbs:help()]),
    ?USAGE;
command([Help]) when Help =:= "--help"; Help =:= "-h"; Help =:= "help" ->
    printed(tripod_cli_verbs:help());
command(["help", Name]) ->
    command([Name, "--help"]);
command(["--version"]) ->
    printed([tripod_cli_verbs:version(), $\n]);
command([Name | Args]) ->
    case tripod_cli_verbs:find(Name) of
        {ok, Verb} ->
            verb(Verb, Args);
        {error, Hint} ->
            say("tripod: ~ts", [Hint]),
            ?USAGE
    end.

verb(#{name := Name, module := Module} = Verb, Args) ->
    case tripod_cli_options:parse(Verb, Args) of
        {ok, Options} ->
            Module:main(Options);
        help ->
            printed(tripod_cli_verbs:help(Verb));
        {error, Text} ->
            say("tripod ~ts: ~ts~ntry: tripod ~ts --help", [Name, Text, Name]),
            ?USAGE
    end.

printed(Text) ->
    ok = data(Text),
    ?OK.

%% To standard output, all of it before this returns. A reader that went away is no failure of ours;
%% a full disk is, and ends the command.
-spec data(unicode:chardata()) -> ok.
data(Text) ->
    %% Not io: it has answered `ok` before it writes. The port's end would end us, too.
    {Writer, Monitor} = spawn_monitor(fun() -> write(unicode:characters_to_binary(Text)) end),
    receive
        {'DOWN', Monitor, process, Writer, normal} -> ok;
        {'DOWN', Monitor, process, Writer, epipe} -> ok;
        {'DOWN', Monitor, process, Writer, Reason} -> throw({output, Reason})
    end.

write(Bytes) ->
    Port = open_port({fd, 1, 1}, [out, binary]),
    true = port_command(Port, Bytes),
    written(Port).

written(Port) ->
    case erlang:port_info(Port, queue_size) of
        {queue_size, 0} -> ok;
        undefined -> receive never -> ok end;
        {queue_size, _} -> receive after 1 -> written(Port) end
    end.

%% A line to standard error.
-spec say(io:format(), [term()]) -> ok.
say(Format, Args) ->
    io:format(standard_error, Format ++ "~n", Args).

%% A byte list such as a file name, to be shown: UTF-8 if it is that, otherwise Latin-1.
-spec text(string()) -> unicode:unicode_binary().
text(Bytes) ->
    Binary = list_to_binary(Bytes),
    case unicode:characters_to_binary(Binary) of
        Binary -> Binary;
        _ -> unicode:characters_to_binary(Binary, latin1)
    end.
