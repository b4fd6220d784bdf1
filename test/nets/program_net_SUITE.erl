%% SPDX-License-Identifier: Apache-2.0
%% For `make nets`: plants a fault in a running port program, and is content with whatever comes of
%% it. Only the net can tell.
-module(program_net_SUITE).

-export([all/0, groups/0]).
-export([clean/1, heap_overrun/1, memory_leak/1, signed_overflow/1]).

-spec all() -> [{group, atom()}].
all() -> [{group, Case} || Case <- cases()].

cases() -> [clean, heap_overrun, memory_leak, signed_overflow].

%% One for each case, because a group is what build-aux/net-erl chooses.
-spec groups() -> [{atom(), [], [atom()]}].
groups() -> [{Case, [], [Case]} || Case <- cases()].

-spec clean([{atom(), term()}]) -> ok.
clean(Config) -> run(clean, filename:join(proplists:get_value(priv_dir, Config), "clean")).

-spec heap_overrun([{atom(), term()}]) -> ok.
heap_overrun(Config) -> planted(heap_overrun, Config).

-spec memory_leak([{atom(), term()}]) -> ok.
memory_leak(Config) -> planted(memory_leak, Config).

-spec signed_overflow([{atom(), term()}]) -> ok.
signed_overflow(Config) -> planted(undefined, Config).

-spec planted(atom(), [{atom(), term()}]) -> ok.
planted(Fault, Config) ->
    Base = filename:join(proplists:get_value(priv_dir, Config), atom_to_list(Fault)),
    %% The fault service leaves proof in the file that the program's environment names.
    true = os:putenv("TRIPOD_FAULT_PROOF", Base ++ ".proof"),
    run({fault, Fault}, Base ++ ".frames"),
    {ok, Proof} = file:read_file(Base ++ ".proof"),
    true = string:prefix(Proof, atom_to_list(Fault)) =/= nomatch,
    ok.

%% Fed by hand, because the room kills a program that takes long to end: leaks are looked for then.
run(Request, File) ->
    Frames = tripod_port_program_wire:request(1, 0, term_to_binary(Request)),
    ok = file:write_file(File, [[<<(iolist_size(Frame)):16>>, Frame] || Frame <- Frames]),
    Program = tripod_strategy:artefact("tripod_port_program"),
    Arguments = "serve faults 67108864 5000 200 65536 timer",
    %% To the standard error that the room would leave it.
    Errors = ["2>>/proc/", os:getpid(), "/fd/2"],
    ct:log("~ts", [os:cmd(lists:join($\s, [Program, Arguments, "<", File, Errors]))]).
