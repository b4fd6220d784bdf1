%% SPDX-License-Identifier: Apache-2.0
%% Whole commands, timed by hyperfine from fork to exit, without a shell in between.
-module(tripod_hyperfine).

-export([times_ns/2, environment/0]).

%% The time of each run, in order.
-spec times_ns(Command :: [string(), ...], Runs :: pos_integer()) ->
          {ok, [pos_integer(), ...]} | {error, term()}.
times_ns(Command, Runs) ->
    Unique = integer_to_list(erlang:unique_integer([positive])),
    File = filename:join(temporary(), "tripod-" ++ os:getpid() ++ "-" ++ Unique ++ ".json"),
    Args = ["--shell=none", "--style=none", "--warmup=0", "--runs=" ++ integer_to_list(Runs),
            "--export-json", File,
            lists:flatten(lists:join(" ", [quoted(Word) || Word <- Command]))],
    try tripod_os_process:run("hyperfine", Args, 60000 + Runs * 10000, environment()) of
        {ok, _} -> {ok, read(File)};
        {error, Why} -> {error, {hyperfine, Why}}
    after
        file:delete(File)
    end.

%% What commands run with: a VM that fails leaves no dump behind.
-spec environment() -> [{string(), string()}].
environment() -> [{"ERL_CRASH_DUMP_BYTES", "0"}].

temporary() -> os:getenv("TMPDIR", "/tmp").

read(File) ->
    {ok, Text} = file:read_file(File),
    #{<<"results">> := [#{<<"times">> := Seconds}]} = tripod_json:decode(Text),
    [round(Second * 1.0e9) || Second <- Seconds].

%% hyperfine takes a command as one text and splits it as a shell would.
quoted(Word) -> [$', string:replace(Word, "'", "'\\''", all), $'].
