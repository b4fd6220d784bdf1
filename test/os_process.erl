%% SPDX-License-Identifier: Apache-2.0
%% The operating system's side of a port program's box, for the tests that look at or kill it.
-module(os_process).

-export([of_owner/1, await_gone/1, alive/1, signal/2, stop/1]).
-export_type([process/0]).

-type process() :: {tripod_port_program_os:pid_number(), tripod_port_program_os:start()}.

%% The port and the process of the only box that belongs to Owner.
-spec of_owner(pid()) -> {port(), process()}.
of_owner(Owner) ->
    [{Port, Pid}] = [{Port, Pid} || #{owner := O, port := Port, os_pid := Pid}
                                        <- tripod_port_program_keeper:processes(), O =:= Owner],
    {ok, Start} = tripod_port_program_os:start(Pid),
    {Port, {Pid, Start}}.

-spec alive(process()) -> boolean().
alive({Pid, Start}) -> tripod_port_program_os:alive(Pid, Start).

-spec await_gone(process()) -> ok.
await_gone(Process) -> contract:await(fun() -> not alive(Process) end).

-spec signal(string(), process()) -> ok.
signal(Name, {Pid, _}) ->
    "" = os:cmd(lists:concat(["kill -", Name, " ", Pid])),
    ok.

%% Returns when it stands still.
-spec stop(process()) -> ok.
stop({Pid, _} = Process) ->
    ok = signal("STOP", Process),
    contract:await(fun() ->
                           {ok, Status} = file:read_file(lists:concat(["/proc/", Pid, "/stat"])),
                           binary:part(lists:last(string:split(Status, ")", trailing)), 0, 2) =:= <<" T">>
                   end).
