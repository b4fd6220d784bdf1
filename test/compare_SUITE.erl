%% SPDX-License-Identifier: Apache-2.0
%% `tripod compare` as a command: parts into one file, a table and a report whatever failed, nothing
%% left running.
-module(compare_SUITE).
-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").
-compile([export_all, nowarn_export_all]).

all() ->
    [all_parts, a_part_that_fails, a_part_that_breaks_off, only_what_is_asked_for, wrong_options,
     results_as_lines, results_that_cannot_be_written, an_interrupt_leaves_nothing].

suite() -> [{timetrap, {minutes, 20}}].

init_per_testcase(Case, Config) ->
    Dir = filename:join(?config(priv_dir, Config), Case),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    [{dir, Dir}, {out, filename:join(Dir, "out")} | Config].

end_per_testcase(_, _) -> ok.

home() -> filename:dirname(filename:dirname(filename:absname(code:which(tripod_compare)))).

tripod() -> filename:join(home(), "tripod").

%% Exit status, lines on standard output, text on standard error.
compare(Config, Args) -> compare(Config, Args, []).

compare(Config, Args, Env) ->
    Errors = filename:join(?config(dir, Config), "errors"),
    Apart = ["-c", "exec \"$@\" 2>'" ++ Errors ++ "'", "sh"],
    Command = [tripod(), "compare", "--out", ?config(out, Config) | Args],
    Result = tripod_os_process:run("/bin/sh", Apart ++ Command, 150000, Env),
    {ok, Said} = file:read_file(Errors),
    case Result of
        {ok, Output} -> {0, lines(Output), Said};
        {error, {exit_status, Status, Output}} -> {Status, lines(Output), Said}
    end.

lines(Text) -> binary:split(Text, <<"\n">>, [global, trim_all]).

results(Config) ->
    {ok, Lines} = tripod_results:read(filename:join(?config(out, Config), "results.jsonl")),
    Lines.

commands(Config) -> [Command || #{<<"type">> := <<"run">>, <<"command">> := Command} <- results(Config)].

report(Config) ->
    {ok, Md} = file:read_file(filename:join(?config(out, Config), "report.md")),
    true = filelib:is_regular(filename:join(?config(out, Config), "report.html")),
    Md.

contains(Text, Part) -> binary:match(Text, Part) =/= nomatch.

%% A few things of each part, in seconds.
-define(FEW, ["--quick", "--only", "call,kill,segfault"]).

all_parts(Config) ->
    {0, Lines, Said} = compare(Config, ?FEW, [{"NO_COLOR", "1"}]),
    ?assertEqual([<<"compare">>, <<"bench">>, <<"kill">>, <<"crash">>], commands(Config)),
    {Table, Where} = lists:split(length(Lines) - 2, Lines),
    [?assertNot(contains(Line, <<"p99">>), Line) || Line <- Table], % as in the tables of the parts
    [?assert(byte_size(Line) =< 80, Line) || Line <- Table],
    [?assertEqual(nomatch, re:run(Line, "[^ -~]"), Line) || Line <- Lines],
    [?assertMatch([_, _], [Line || Line <- Table, contains(Line, Name)], Name)
     || Name <- [<<"nif/yield">>, <<"port_driver/inline">>, <<"port_program/process">>]],
    ?assertEqual([iolist_to_binary(["report: ", filename:join(?config(out, Config), File)])
                  || File <- ["report.md", "report.html"]], Where),
    ?assertEqual(nomatch, re:run(Said, "\e\\[[0-9;]*m")),
    Md = report(Config),
    ?assert(contains(Md, <<"./tripod compare --out ">>)),
    ?assert(contains(Md, <<"--quick --only call,kill,segfault\n">>)),
    Validator = filename:join([home(), "build-aux", "tap-schema"]),
    {ok, _} = tripod_os_process:run(Validator, [filename:join([home(), "docs", "results-schema.json"]),
                                                filename:join(?config(out, Config), "results.jsonl")], 30000).

%% A script that never answers the same is refused by bench; kill goes on.
a_part_that_fails(Config) ->
    Script = filename:join(?config(dir, Config), "never the same.lua"),
    ok = file:write_file(Script, "local n = 0 function main() n = n + 1 return n + os.clock() end"),
    {1, Lines, Said} = compare(Config, ["--quick", "--only", "script,kill", "--strategy", "nif,port_driver",
                                        "--script", Script]),
    ?assert(contains(Said, <<"bench did not do all of it (status 1)">>)),
    ?assertMatch([_], [Line || Line <- Lines, contains(Line, <<"nif/yield">>)]),
    Md = report(Config),
    ?assert(contains(Md, <<"**failure:**">>)),
    ?assert(contains(Md, <<"| owner is killed | `nif/yield` | contained |">>)).

%% Whatever ends a part's process ends that part only.
a_part_that_breaks_off(Config) ->
    Lib = filename:join(?config(dir, Config), "lib"),
    ok = filelib:ensure_dir(filename:join(Lib, "x")),
    {ok, tripod_kill, Beam} = compile:forms(broken_kill(), []),
    ok = file:write_file(filename:join(Lib, "tripod_kill.beam"), Beam),
    {1, _, Said} = compare(Config, ["--quick", "--only", "kill,lua_loop", "--strategy", "nif"],
                           [{"ERL_FLAGS", "-pa " ++ Lib}]),
    ?assert(contains(Said, <<"kill broke off: kicked">>)),
    ?assertEqual([<<"compare">>, <<"crash">>], commands(Config)),
    ?assert(contains(report(Config), <<"**failure:** kill left no results.">>)).

broken_kill() ->
    Form = fun(Text) ->
                   {ok, Tokens, _} = erl_scan:string(Text),
                   {ok, Parsed} = erl_parse:parse_form(Tokens),
                   Parsed
           end,
    [Form(Text) || Text <- ["-module(tripod_kill).", "-export([main/1]).",
                              "main(_) -> spawn_link(fun() -> exit(kicked) end), receive never -> 0 end."]].

only_what_is_asked_for(Config) ->
    {0, _, _} = compare(Config, ["--quick", "--only", "lua_loop", "--strategy", "nif"]),
    ?assertEqual([<<"compare">>, <<"crash">>], commands(Config)),
    ?assertNot(contains(report(Config), <<"left no results">>)).

wrong_options(Config) ->
    {2, [], Said} = compare(Config, ["--only", "call,nothing_like_it"]),
    ?assert(contains(Said, <<"there is no scenario or fault nothing_like_it">>)),
    {2, [], _} = compare(Config, ["--sctipt"]),
    ?assertEqual({error, enoent}, file:read_file_info(?config(out, Config))),
    {2, _, _} = compare(Config, ["--script", "/nowhere.lua", "--only", "script"]).

results_as_lines(Config) ->
    {0, Lines, Said} = compare(Config, ["--quick", "--only", "lua_loop", "--strategy", "nif", "--json"]),
    ?assertEqual(results(Config), [tripod_json:decode(Line) || Line <- Lines]),
    ?assert(contains(Said, <<"report.html">>)).

results_that_cannot_be_written(Config) ->
    ok = file:write_file(?config(out, Config), "a file, not a directory"),
    {2, [], Said} = compare(Config, ["--quick", "--only", "lua_loop"]),
    ?assert(contains(Said, <<"cannot write">>)).

%% As by Ctrl-C: the signal goes to the VM that the terminal knows, not to what that one started.
an_interrupt_leaves_nothing(Config) ->
    Marker = "tripod-compare-" ++ os:getpid(),
    [begin
         Out = filename:join(?config(out, Config), Part),
         Port = open_port({spawn_executable, tripod()},
                          [{args, ["compare", "--quick", "--only", Part, "--out", Out]}, exit_status, binary,
                           {env, [{"TRIPOD_TEST_MARKER", Marker}]}, stderr_to_stdout]),
         {os_pid, OsPid} = erlang:port_info(Port, os_pid),
         await(fun() -> began(Out) andalso length(marked(Marker)) > 3 end),
         ?assertEqual("", os:cmd("kill -INT " ++ integer_to_list(OsPid))),
         receive {Port, {exit_status, Status}} -> ?assert(Status > 0) after 30000 -> ct:fail(still_there) end,
         await(fun() -> marked(Marker) =:= [] end)
     end || Part <- ["call", "mid_call", "c_loop"]],
    ok.

%% Something was measured or injected.
began(Out) ->
    case tripod_results:read(filename:join(Out, "results.jsonl")) of
        {ok, Lines} -> [] =/= [Type || #{<<"type">> := Type} <- Lines, lists:member(Type, [<<"sample">>, <<"fault">>])];
        {error, enoent} -> false
    end.

%% Processes that inherited the marker.
marked(Marker) ->
    [Pid || File <- filelib:wildcard("/proc/[0-9]*/environ"), {ok, Environ} <- [file:read_file(File)],
            binary:match(Environ, list_to_binary(Marker)) =/= nomatch,
            Pid <- [filename:basename(filename:dirname(File))]].

await(Condition) -> await(Condition, erlang:monotonic_time(millisecond) + 120000).

await(Condition, Deadline) ->
    case Condition() of
        true -> ok;
        false ->
            ?assert(erlang:monotonic_time(millisecond) < Deadline),
            receive after 20 -> await(Condition, Deadline) end
    end.
