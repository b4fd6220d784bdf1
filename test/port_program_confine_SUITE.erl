%% SPDX-License-Identifier: Apache-2.0
%% What a port program has given up before it serves (port_program/confine.h), seen from outside in
%% /proc, and that a system call which it gave up ends that box and nothing else.
-module(port_program_confine_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("kernel/include/file.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [threads, descriptors, inherited_descriptors, limits, address_space, environment,
     environment_is_wiped, time_zone, time_zone_unset, as_somebody_else, forbidden_calls,
     forbidden_call_later, refused_by_the_system].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Root = filename:dirname(filename:dirname(code:which(tripod))),
    [{faults, filename:join([Root, "build", "faults", "priv"])},
     {fixtures, filename:join([Root, "test", "fixtures"])} | Config].

end_per_suite(_Config) -> application:stop(tripod).

init_per_testcase(_Case, Config) ->
    ok = contract:await_nothing_alive(),
    Config.

end_per_testcase(_Case, _Config) ->
    [true = os:unsetenv(Name) || Name <- ["TRIPOD_PRIV", "TRIPOD_FAULT_PROOF", "TZ", "TRIPOD_TEST_SECRET"]],
    [] = contract:mailbox(),
    contract:await_nothing_alive().

open() -> open(#{}).

open(Options) -> contract:open([{strategy, port_program}, {mode, process}], Options).

process() -> {_, {Pid, _}} = os_process:of_owner(self()), Pid.

proc(Pid, Name) -> lists:concat(["/proc/", Pid, "/", Name]).

read(Pid, Name) ->
    {ok, Text} = file:read_file(proc(Pid, Name)),
    Text.

field(Status, Name) ->
    {match, [Value]} = re:run(Status, ["^", Name, ":\\s*(\\S+)$"], [multiline, {capture, [1], binary}]),
    Value.

hex(Status, Name) -> binary_to_integer(field(Status, Name), 16).

%% Soft and hard limit; the units stand behind them.
limit(Pid, Name) ->
    {match, Both} = re:run(read(Pid, "limits"), ["^", Name, "\\s+(\\S+)\\s+(\\S+)"],
                           [multiline, {capture, all_but_first, list}]),
    [case Limit of "unlimited" -> unlimited; _ -> list_to_integer(Limit) end || Limit <- Both].

%% Every thread by itself, because most of this belongs to threads.
threads(_Config) ->
    Box = open(),
    Pid = process(),
    {ok, Threads} = file:list_dir(proc(Pid, "task")),
    ?assertEqual(2, length(Threads)), % the one that serves, and the timer's
    [begin
         Status = read(Pid, "task/" ++ Thread ++ "/status"),
         ?assertEqual(<<"2">>, field(Status, "Seccomp")),
         ?assertEqual(<<"1">>, field(Status, "NoNewPrivs")),
         [?assertEqual({Set, 0}, {Set, hex(Status, Set)})
          || Set <- ["CapInh", "CapPrm", "CapEff", "CapAmb"]],
         ?assertEqual(<<"0077">>, field(Status, "Umask")),
         %% SIGPIPE and SIGXFSZ, and nothing else of what the VM leaves ignored.
         ?assertEqual((1 bsl 12) bor (1 bsl 24), hex(Status, "SigIgn") band ((1 bsl 31) - 1))
     end || Thread <- Threads],
    ?assertEqual(0, hex(read(Pid, "status"), "SigBlk")),
    ok = tripod:close(Box).

descriptors(_Config) ->
    Box = open(),
    Pid = process(),
    {ok, Descriptors} = file:list_dir(proc(Pid, "fd")),
    ?assertEqual(["0", "1", "2", "3", "4"], lists:sort(Descriptors)),
    Target = fun(Descriptor) -> element(2, file:read_link_all(proc(Pid, "fd/" ++ Descriptor))) end,
    "/dev/null" = Target("0"),
    ?assertEqual(Target("2"), Target("1")),
    "pipe:" ++ _ = Target("3"),
    "pipe:" ++ _ = Target("4"),
    {ok, "/"} = file:read_link_all(proc(Pid, "cwd")),
    ok = tripod:close(Box).

%% The VM closes its own; a launcher of somebody's may leave others open.
inherited_descriptors(_Config) ->
    Command = "exec 3</dev/null 7</dev/null 9</etc/passwd; exec \"$0\" serve echo 65536 100 10 1000 timer",
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", Command, tripod_strategy:artefact("tripod_port_program")]}, {packet, 2}, binary]),
    receive {Port, {data, <<0, _/binary>>}} -> ok after 30000 -> error(no_hello) end,
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    {ok, Descriptors} = file:list_dir(proc(Pid, "fd")),
    ?assertEqual(["0", "1", "2", "3", "4"], lists:sort(Descriptors)),
    "pipe:" ++ _ = element(2, file:read_link_all(proc(Pid, "fd/3"))),
    true = port_close(Port),
    contract:await(fun() -> not filelib:is_dir(proc(Pid, "")) end).

limits(_Config) ->
    Box = open(),
    Pid = process(),
    [?assertEqual({Name, [Limit, Limit]}, {Name, limit(Pid, Name)})
     || {Name, Limit} <- [{"Max core file size", 0}, {"Max open files", 5}, {"Max processes", 0},
                          {"Max file size", 0}, {"Max locked memory", 0}, {"Max msgqueue size", 0}]],
    [Stack, Stack] = limit(Pid, "Max stack size"),
    ?assert(Stack =< 8 * 1024 * 1024),
    ok = tripod:close(Box).

%% Grows with what the box may take, and no script that stays within its limits ever meets it.
address_space(_Config) ->
    MiB = 1024 * 1024,
    [Small, Large] =
        [begin
             Box = open(#{memory_bytes => Bytes}),
             [Limit, Limit] = limit(process(), "Max address space"),
             ?assert(Limit > 2 * Bytes andalso Limit < 5 * Bytes + 256 * MiB),
             {error, {limit, memory}} =
                 tripod_lua:eval(Box, "local t = {} for i = 1, math.huge do t[i] = {i} end", []),
             {ok, [7]} = tripod_lua:eval(Box, "return 7"),
             ok = tripod:close(Box),
             Limit
         end || Bytes <- [16 * MiB, 128 * MiB]],
    ?assert(Large - Small >= 2 * 112 * MiB).

environment(_Config) ->
    true = os:putenv("TRIPOD_TEST_SECRET", "swordfish"),
    Box = open(),
    {ok, [nil]} = tripod_lua:eval(Box, "return os.getenv and os.getenv('TRIPOD_TEST_SECRET')"),
    ok = tripod:close(Box).

%% Not in the memory of the process either, where the kernel had put it; who may read it sees zeros.
environment_is_wiped(_Config) ->
    true = os:putenv("TRIPOD_TEST_SECRET", "swordfish"),
    Box = open(),
    case file:read_file(proc(process(), "environ")) of
        {ok, Memory} ->
            ?assert(byte_size(Memory) > byte_size(<<"TRIPOD_TEST_SECRET=swordfish">>)),
            ?assertEqual([], [Byte || <<Byte>> <= Memory, Byte =/= 0]);
        {error, eacces} ->
            ok
    end,
    ok = tripod:close(Box).

%% The zone is read before the files are out of reach.
time_zone(_Config) ->
    true = os:putenv("TZ", "XYZ-5"),
    Box = open(),
    {ok, [<<"05 XYZ">>, Noon]} =
        tripod_lua:eval(Box, "return os.date('%H %Z', 0), os.time{year=1970, month=1, day=2, hour=12}"),
    ?assertEqual(86400 + 7 * 3600, Noon),
    ok = tripod:close(Box).

time_zone_unset(_Config) ->
    true = os:unsetenv("TZ"),
    Box = open(),
    {ok, [Hour, Noon]} =
        tripod_lua:eval(Box, "for i = 1, 3 do os.date('%c %x %Z'); os.time(os.date('*t')) end "
                             "return tonumber(os.date('%H', 0)), os.time{year=1970, month=1, day=2, hour=12}"),
    {{1970, 1, 1}, {Expected, _, _}} = calendar:universal_time_to_local_time({{1970, 1, 1}, {0, 0, 0}}),
    ?assertEqual(Expected, Hour),
    [NoonHere] = calendar:local_time_to_universal_time_dst({{1970, 1, 2}, {12, 0, 0}}),
    ?assertEqual(calendar:datetime_to_gregorian_seconds(NoonHere) - 62167219200, Noon),
    ok = tripod:close(Box).

%% Where the VM is not root, nor are its programs; what belongs to root then says that a process is not
%% dumpable, and the limit of processes holds.
as_somebody_else(_Config) ->
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => ["-pa" | code:get_path()],
                                 exec => nobody(os:cmd("id -u")), env => [{"HOME", "/"}]}),
    #{vm := Vm, owner := 0, memory := {error, eacces}, environment := {error, eacces}} =
        peer:call(Peer, ?MODULE, look_as_somebody_else, []),
    ?assertNotEqual(0, Vm),
    peer:stop(Peer).

nobody("0" ++ _) ->
    {os:find_executable("setpriv"), ["--reuid=65534", "--regid=65534", "--clear-groups",
                                     os:find_executable("erl")]};
nobody(_) ->
    os:find_executable("erl").

look_as_somebody_else() ->
    {ok, _} = application:ensure_all_started(tripod),
    Box = open(),
    {ok, [3]} = tripod_lua:eval(Box, "return 1 + 2"),
    {error, {limit, time}} = tripod:call(Box, {eval, <<"while true do end">>, []}, #{time_ms => 50}),
    {_, {Pid, _} = Process} = os_process:of_owner(self()),
    {ok, Owner} = file:read_file_info(proc(Pid, "mem")),
    Seen = #{vm => list_to_integer(string:trim(os:cmd("id -u"))), owner => Owner#file_info.uid,
             memory => file:open(proc(Pid, "mem"), [read, raw, binary]),
             environment => file:read_file(proc(Pid, "environ"))},
    %% It can still be killed, and be seen to be gone.
    ok = os_process:stop(Process),
    ok = tripod:close(Box),
    ok = os_process:await_gone(Process),
    Seen.

calls() ->
    [syscall, syscall_open, syscall_fork, syscall_thread, syscall_kill, syscall_ptrace, syscall_prctl,
     syscall_map_code, syscall_make_code].

%% The fault service leaves proof that the call was really made; nobody else notices.
forbidden_calls(Config) ->
    Proof = proof(Config),
    Other = open(),
    [begin
         Box = faulty(Config, Proof),
         Result = tripod:call(Box, {fault, Call}),
         ?assertEqual({Call, {error, {down, seccomp}}}, {Call, Result}),
         ?assertEqual(Result, tripod:call(Box, reset)),
         ?assertEqual(Result, tripod:info(Box)),
         ok = tripod:close(Box),
         {ok, Left} = file:read_file(Proof),
         ?assertEqual([atom_to_list(Call)], [hd(string:lexemes(Line, " ")) || Line <- lines(Left)]),
         ok = file:delete(Proof),
         {ok, [1]} = tripod_lua:eval(Other, "return 1")
     end || Call <- calls()],
    ok = contract:await(fun() -> maps:get(os_processes, tripod:census(port_program)) =:= 1 end),
    ok = tripod:close(Other).

lines(Text) -> string:lexemes(unicode:characters_to_list(Text), "\n").

proof(Config) -> filename:join(?config(priv_dir, Config), "proof").

faulty(Config, Proof) ->
    true = os:putenv("TRIPOD_PRIV", ?config(faults, Config)),
    true = os:putenv("TRIPOD_FAULT_PROOF", Proof),
    Box = open(#{service => faults}),
    true = os:unsetenv("TRIPOD_PRIV"),
    Box.

%% Nobody waits for it: the request is queued behind one that lasts.
forbidden_call_later(Config) ->
    Box = faulty(Config, proof(Config)),
    {ok, First} = tripod:send(Box, {eval, <<"while true do end">>, []}),
    {ok, Second} = tripod:send(Box, {fault, syscall}),
    {ok, Third} = tripod:send(Box, {eval, <<"return 3">>, []}),
    ok = tripod:interrupt(Box),
    {error, {down, seccomp}} = tripod:receive_reply(Second, infinity),
    {error, interrupted} = tripod:receive_reply(First, infinity),
    {error, {down, seccomp}} = tripod:receive_reply(Third, infinity),
    ok = tripod:close(Box).

%% Where the program cannot give up what it must it does not serve, and says which part that is.
refused_by_the_system(Config) ->
    [?assertEqual({Call, {error, {unsupported, {confinement, What}}}}, {Call, open_where(Call, Config)})
     || {Call, What} <- [{seccomp, seccomp}, {prlimit64, limits}, {capset, privileges}]].

open_where(Refused, Config) ->
    Dir = filename:join(?config(priv_dir, Config), Refused),
    Program = filename:join(Dir, "tripod_port_program"),
    ok = filelib:ensure_dir(Program),
    ok = file:write_file(Program, ["#!/bin/sh\nexec ", ?config(fixtures, Config), "/refuse_call.py ",
                                   atom_to_list(Refused), " ",
                                   tripod_strategy:artefact("tripod_port_program"), " \"$@\"\n"]),
    ok = file:change_mode(Program, 8#755),
    true = os:putenv("TRIPOD_PRIV", Dir),
    Result = tripod:open(port_program, #{}),
    true = os:unsetenv("TRIPOD_PRIV"),
    Result.
