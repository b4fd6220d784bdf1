%% SPDX-License-Identifier: Apache-2.0
%% The process that kills for us (guard.h): started with the first box, started anew when it dies or
%% was stopped, and told what there is. A part of the keeper, whose port it is.
%%
%% Nothing here waits for it, but for its end in stop/2. Without one boxes still end by themselves; a
%% guard that cannot be started is tried again with the next box. Knows nothing of boxes.
-module(tripod_port_program_guard).

-export([new/2, start/1, add/2, remove/2, kill/2, ended/2, stop/2]).
-export_type([guard/0, process/0]).

-type process() :: {tripod_port_program_os:pid_number(), tripod_port_program_os:start()}.
-record(guard, {file :: file:filename(),
                all :: fun(() -> [process()]), % that there are
                running = none :: none | {port(), process()}}).
-opaque guard() :: #guard{}.

%% Not started yet.
-spec new(file:filename(), fun(() -> [process()])) -> guard().
new(File, All) -> #guard{file = File, all = All}.

%% Unless it runs. It is told of all there are.
-spec start(guard()) -> guard().
start(#guard{running = none, file = File, all = All} = Guard) ->
    case run(File) of
        {ok, Running} ->
            tell($+, All(), Guard#guard{running = Running});
        {error, Why} ->
            logger:error("tripod: ~ts cannot guard port programs: ~tp", [File, Why]),
            Guard
    end;
start(Guard) ->
    Guard.

run(File) ->
    try open_port({spawn_executable, File}, [{args, ["guard"]}, binary, use_stdio]) of
        Port ->
            case identity(erlang:port_info(Port, os_pid)) of
                {ok, Process} ->
                    {ok, {Port, Process}};
                {error, _} = Error ->
                    true = exit(Port, kill),
                    Error
            end
    catch
        error:Why -> {error, Why}
    end.

identity(undefined) ->
    {error, gone};
identity({os_pid, Pid}) ->
    case tripod_port_program_os:start(Pid) of
        {ok, Start} -> {ok, {Pid, Start}};
        gone -> {error, gone};
        {error, Why} -> {error, {proc, Why}}
    end.

%% There is one more, which `all` returns too.
-spec add(process(), guard()) -> guard().
add(_Process, #guard{running = none} = Guard) -> start(Guard);
add(Process, Guard) -> tell($+, [Process], Guard).

%% They were seen to be gone.
-spec remove([process()], guard()) -> guard().
remove(Processes, Guard) -> tell($-, Processes, Guard).

%% A guard that somebody stopped takes what it is told and does nothing: the next one kills it too.
-spec kill([process()], guard()) -> guard().
kill([], Guard) ->
    Guard;
kill(Processes, #guard{running = {Port, {OsPid, Start} = Process}} = Guard) ->
    case tripod_port_program_os:is_stopped(OsPid, Start) of
        true ->
            ok = close(Port),
            tell($!, [Process | Processes], start(Guard#guard{running = none}));
        false ->
            tell($!, Processes, Guard)
    end;
kill(Processes, Guard) ->
    tell($!, Processes, start(Guard)).

%% Whether that was its port, and what is left then.
-spec ended(port(), guard()) -> {true, guard()} | false.
ended(Port, #guard{running = {Port, _}} = Guard) -> {true, Guard#guard{running = none}};
ended(_Port, _Guard) -> false.

%% Returns when it has ended, or at UntilMs.
-spec stop(integer(), guard()) -> ok.
stop(_UntilMs, #guard{running = none}) ->
    ok;
stop(UntilMs, #guard{running = {Port, Process}}) ->
    ok = close(Port),
    await_gone(Process, UntilMs).

await_gone({OsPid, Start} = Process, UntilMs) ->
    case tripod_port_program_os:alive(OsPid, Start)
        andalso erlang:monotonic_time(millisecond) =< UntilMs of
        true ->
            receive after 1 -> ok end,
            await_gone(Process, UntilMs);
        false ->
            ok
    end.

%% The one reason that does not wait until everything is written.
close(Port) ->
    true = exit(Port, kill),
    ok.

%% One that does not take it is of no use; its port's exit signal comes next.
tell(_What, [], Guard) ->
    Guard;
tell(_What, _Processes, #guard{running = none} = Guard) ->
    Guard;
tell(What, Processes, #guard{running = {Port, _}} = Guard) ->
    Records = << <<What, Pid:32, Start:64>> || {Pid, Start} <- Processes >>,
    try erlang:port_command(Port, Records, [nosuspend]) of
        true -> Guard;
        false -> ok = close(Port), Guard
    catch
        error:badarg -> Guard
    end.
