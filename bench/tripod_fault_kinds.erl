%% SPDX-License-Identifier: Apache-2.0
%% What `tripod kill` and `tripod crash` can do to a box, and how it shows that it was really done.
%% docs/faults.md describes each.
-module(tripod_fault_kinds).

-export([kill/0, crash/0, planted/0]).
-export_type([fault/0, class/0, sign/0]).

%% owner: the owner ends. service: the C code does it. lua: the script does it. program: a signal
%% hits the OS process of the box, if it has one. vm: a signal hits the VM.
-type class() :: owner | service | lua | program | vm.
%% What must be seen, besides the proof, for the fault to have happened.
-type sign() :: none                              % the rounds of an owner fault judge themselves
              | {killed_by, [Signal :: pos_integer()]} % whoever ran the service, by itself
              | {exited, Status :: 0..127}        % likewise
              | no_answer                         % the service never answered
              | {more, fds | bytes, pos_integer()} % held by the VM and its programs afterwards
              | {more_fds_or_forbidden, pos_integer()} % or the program was ended for the attempt
              | not_ok                            % the answer is not {ok, _}
              | {limit, [memory | time | depth]}  % the call ended so, or the box went down so
              | stopped.                          % the process was seen stopped
-type fault() :: #{name := atom(), class := class(), quick := boolean(), sign := sign(),
                   call => tripod_fault_victim:call(), signal => string()}.

-define(ILL, [4, 6, 7, 11]).
%% Faults that end by the time limit must leave it to show that they were not ended before.
-define(TIME_MS, 200).

-spec kill() -> [fault(), ...].
kill() ->
    Quick = [normal, kill, mid_call, leaked_handle],
    [#{name => Name, class => owner, quick => lists:member(Name, Quick), sign => none}
     || Name <- tripod_fault_owner:names()].

-spec crash() -> [fault(), ...].
crash() ->
    [service(segfault, true, {killed_by, [11, 7]}),
     service(abort, true, {killed_by, [6]}),
     service(stack_overflow, false, {killed_by, [11, 7]}),
     service(double_free, false, {killed_by, ?ILL}),
     service(heap_overrun, false, {killed_by, ?ILL}),
     service(exit, false, {exited, 0}),
     service(c_loop, true, no_answer),
     service(deadlock, false, no_answer),
     service(syscall, false, {more_fds_or_forbidden, 1}),
     service(fd_leak, false, {more_fds_or_forbidden, 64}),
     service(memory_leak, false, {more, bytes, 60 * 1024 * 1024}),
     service(host_leak, false, {more, bytes, 7 * 1024 * 1024}),
     service(garbage_reply, false, not_ok),
     service(half_reply, false, not_ok),
     lua(lua_loop, true, {limit, [time]}, <<"while true do end">>),
     lua(memory_bomb, false, {limit, [memory]},
         <<"local t = {} for i = 1, math.huge do t[i] = {i} end">>),
     lua(string_bomb, false, {limit, [memory]},
         <<"local t = {} for i = 1, math.huge do t[i] = string.rep('x', 1000) .. i end">>),
     lua(recursion, false, {limit, [depth]},
         <<"local function f() return (string.gsub('x', 'x', f)) end return f()">>),
     lua(pattern_bomb, false, {limit, [time]},
         <<"return string.find(string.rep('a', 100), string.rep('a-', 50) .. 'b')">>),
     program(sigkill, "KILL", {killed_by, [9]}),
     program(sigsegv, "SEGV", {killed_by, [11]}),
     program(sigstop, "STOP", stopped),
     #{name => vm_kill, class => vm, quick => false, signal => "KILL", sign => {killed_by, [9]},
       call => loop(5000)}].

%% Faults that do not happen, for the test that this is found out: one never arrives, one arrives and
%% does nothing.
-spec planted() -> [fault(), ...].
planted() ->
    [service(nothing, false, {killed_by, ?ILL}), service(proof_only, false, {killed_by, ?ILL})].

service(Name, Quick, Sign) ->
    #{name => Name, class => service, quick => Quick, sign => Sign,
      call => #{request => {fault, Name}, time_ms => ?TIME_MS, options => #{}}}.

lua(Name, Quick, Sign, Source) ->
    #{name => Name, class => lua, quick => Quick, sign => Sign,
      call => #{request => {eval, Source, []}, time_ms => time_ms(Sign),
                options => #{memory_bytes => 16 * 1024 * 1024}}}.

%% Another limit must be reached before time is up.
time_ms({limit, [time]}) -> ?TIME_MS;
time_ms(_) -> 10000.

program(Name, Signal, Sign) ->
    #{name => Name, class => program, quick => false, signal => Signal, sign => Sign,
      call => loop(1000)}.

loop(TimeMs) ->
    #{request => {eval, <<"while true do end">>, []}, time_ms => TimeMs, options => #{}}.
