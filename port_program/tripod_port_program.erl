%% SPDX-License-Identifier: Apache-2.0
%% The room of the external port program: one operating system process per box, reached through two
%% pipes. The bytes on them are described in wire.h; who opens and closes what, in README.md.
%%
%% Runs in the processes that use a box. A call is one port command and one message back; the
%% keeper is asked only to open, close and give away.
-module(tripod_port_program).
-behaviour(tripod_strategy).

-export([children/0, modes/0, open/1, call/3, send/3, receive_reply/3, interrupt/1, give_away/2,
         usage/1, close/1, census/0]).

-define(ARTEFACT, "tripod_port_program").

%% As program.c has them.
-define(REPLY_SLACK_BYTES, 4096).
-define(REQUEST_SLACK_BYTES, 65536).

-define(HELLO_MS, 10000).

-record(box, {port :: port(),
              shared :: tripod_port_program_shared:shared(),
              time_ms :: pos_integer(),
              request_bytes :: pos_integer(),
              reply_bytes :: pos_integer()}).

-spec children() -> [supervisor:child_spec()].
children() ->
    %% The caller is the supervisor, whose table it becomes.
    ok = tripod_port_program_keeper:create_table(),
    [#{id => tripod_port_program_keeper, start => {tripod_port_program_keeper, start_link, []}}].

-spec modes() -> [process, ...].
modes() -> [process].

-spec open(tripod_strategy:config()) -> {ok, #box{}} | {error, term()}.
open(#{service := Service, memory_bytes := MemoryBytes, time_ms := TimeMs, depth := Depth,
       reply_bytes := ReplyBytes, preempt := Preempt}) ->
    File = tripod_strategy:artefact(?ARTEFACT),
    Args = ["serve", atom_to_list(Service)]
        ++ [integer_to_list(N) || N <- [MemoryBytes, TimeMs, Depth, ReplyBytes]]
        ++ [atom_to_list(Preempt)],
    case tripod_port_program_keeper:open(File, Args) of
        {ok, Port, Shared} ->
            Box = #box{port = Port, shared = Shared, time_ms = TimeMs,
                       request_bytes = MemoryBytes + ?REQUEST_SLACK_BYTES,
                       reply_bytes = ReplyBytes + ?REPLY_SLACK_BYTES},
            case greeting(Port) of
                ok ->
                    {ok, Box};
                Why ->
                    ok = close(Box),
                    {error, refusal(Why, File, Service)}
            end;
        {error, enoent} ->
            {error, tripod_strategy:missing(File)};
        {error, gone} ->
            {error, {down, lost}};
        {error, Why} ->
            {error, {artefact, File, Why}}
    end.

%% The exit status of a program that ended at once may have gone to the keeper, which passes it on
%% before it answers anything else.
greeting(Port) ->
    case tripod_port_program_wire:greeting(Port, ?HELLO_MS) of
        gone ->
            _ = tripod_port_program_keeper:close(Port),
            tripod_port_program_wire:exit_status(Port);
        Greeting ->
            Greeting
    end.

refusal({ended, Status}, File, Service) ->
    case tripod_port_program_shared:startup(Status) of
        no_service -> {unsupported, {service, Service}};
        {unconfined, What} -> {unsupported, {confinement, What}};
        {exec, Why} -> {artefact, File, Why};
        {down, _} = Down -> Down
    end;
refusal(none, _File, _Service) ->
    {down, lost};
refusal(Why, File, _Service) ->
    {artefact, File, Why}.

-spec call(#box{}, term(), non_neg_integer()) -> tripod_strategy:reply().
call(#box{shared = Shared} = Box, Request, TimeMs) ->
    case post(Box, Request, TimeMs) of
        {error, _} = Error -> Error;
        {Id, Kind} -> await(Box, Id, Kind, tripod_port_program_shared:patience(Shared), stuck)
    end.

-spec send(#box{}, term(), non_neg_integer()) ->
          {ok, tripod_port_program_shared:id()} | {error, tripod_strategy:reason()}.
send(Box, Request, TimeMs) ->
    case post(Box, Request, TimeMs) of
        {error, _} = Error -> Error;
        {Id, _Kind} -> {ok, Id}
    end.

post(#box{port = Port, shared = Shared} = Box, Request, TimeMs) ->
    Self = self(),
    case tripod_port_program_keeper:owner(Port) of
        Self ->
            Bytes = term_to_binary(Request),
            case byte_size(Bytes) > Box#box.request_bytes of
                true ->
                    {error, {limit, memory}};
                false ->
                    LimitMs = case TimeMs of 0 -> Box#box.time_ms; _ -> TimeMs end,
                    {Id, _} = Booked = tripod_port_program_shared:book(Shared, LimitMs),
                    commands(Box, Booked, tripod_port_program_wire:request(Id, TimeMs, Bytes))
            end;
        none ->
            gone(Box);
        _ ->
            {error, not_owner}
    end.

commands(_Box, Booked, []) ->
    Booked;
commands(Box, Booked, [Frame | Frames]) ->
    case command(Box, Frame) of
        ok -> commands(Box, Booked, Frames);
        {error, _} = Error -> Error
    end.

%% Never suspends on a busy port, because a suspended caller cannot give up.
command(#box{port = Port, shared = Shared} = Box, Frame) ->
    case try_command(Port, Frame) of
        true -> ok;
        false -> press(Box, Frame, now_ms() + tripod_port_program_shared:patience(Shared));
        closed -> gone(Box)
    end.

press(#box{port = Port} = Box, Frame, UntilMs) ->
    receive after 1 -> ok end,
    case try_command(Port, Frame) of
        true ->
            ok;
        false ->
            case now_ms() > UntilMs of
                true -> condemn(Box, stuck);
                false -> press(Box, Frame, UntilMs)
            end;
        closed ->
            gone(Box)
    end.

try_command(Port, Frame) ->
    try
        erlang:port_command(Port, Frame, [nosuspend])
    catch
        error:badarg -> closed
    end.

now_ms() ->
    erlang:monotonic_time(millisecond).

%% What has come is looked for first: it belongs to this process even after it gave the box away.
%% Only the owner may wait.
-spec receive_reply(#box{}, tripod_port_program_shared:id(), timeout()) ->
          tripod_strategy:reply() | timeout.
receive_reply(#box{port = Port, reply_bytes = MaxBytes} = Box, Id, Timeout) ->
    case tripod_port_program_wire:taken(Port, Id, MaxBytes) of
        none ->
            Self = self(),
            case tripod_port_program_keeper:owner(Port) of
                Self -> wait(Box, Id, Timeout);
                none -> gone(Box);
                _ -> {error, not_owner}
            end;
        Result ->
            outcome(Box, Result)
    end.

wait(#box{shared = Shared} = Box, Id, Timeout) ->
    Patience = tripod_port_program_shared:patience(Shared),
    case tripod_port_program_shared:in_flight(Shared) of
        0 -> {error, {unsupported, no_such_request}};
        _ when Timeout < Patience -> await(Box, Id, queued, Timeout, timeout);
        _ -> await(Box, Id, queued, Patience, stuck)
    end.

await(#box{port = Port, reply_bytes = MaxBytes} = Box, Id, Kind, Ms, Expiry) ->
    outcome(Box, tripod_port_program_wire:await(Port, Id, MaxBytes, Kind, Ms, Expiry)).

outcome(#box{shared = Shared}, {reply, Reply}) ->
    ok = tripod_port_program_shared:received(Shared),
    case Reply of
        {error, {down, Why}} -> tripod_port_program_shared:fell(Shared, Why);
        _ -> ok
    end,
    Reply;
outcome(#box{shared = Shared} = Box, {ended, Status}) ->
    ok = tripod_port_program_shared:ended(Shared, {exit_status, Status}),
    gone(Box);
outcome(Box, gone) -> gone(Box);
outcome(_Box, timeout) -> timeout;
outcome(Box, Ending) -> condemn(Box, Ending). % protocol or stuck

%% The program cannot be relied on any more.
condemn(#box{port = Port, shared = Shared} = Box, Ending) ->
    ok = tripod_port_program_shared:ended(Shared, Ending),
    _ = tripod_port_program_keeper:shut(Port, Ending),
    gone(Box).

%% Why a box whose port is closed gives no answer. If its process ended while nobody waited, the
%% port's last message still lies here.
gone(#box{port = Port, shared = Shared}) ->
    case tripod_port_program_wire:exit_status(Port) of
        {ended, Status} -> tripod_port_program_shared:ended(Shared, {exit_status, Status});
        none -> ok
    end,
    case tripod_port_program_shared:fate(Shared) of
        open -> {error, {down, lost}};
        {error, _} = Error -> Error
    end.

-spec interrupt(#box{}) -> ok.
interrupt(#box{port = Port, shared = Shared} = Box) ->
    case tripod_port_program_shared:fate(Shared) of
        open ->
            Frame = tripod_port_program_wire:interrupt(tripod_port_program_shared:last_id(Shared)),
            case try_command(Port, Frame) of
                false ->
                    interrupt(Box, Frame, tripod_port_program_shared:progress(Shared),
                              now_ms() + tripod_port_program_shared:patience(Shared));
                _ ->
                    ok
            end;
        {error, _} ->
            ok
    end.

%% A busy port is looked at again, but no longer than the call lasts that was meant.
interrupt(#box{port = Port, shared = Shared} = Box, Frame, Progress, UntilMs) ->
    receive after 1 -> ok end,
    case tripod_port_program_shared:progress(Shared) =:= Progress andalso now_ms() =< UntilMs of
        true ->
            case try_command(Port, Frame) of
                false -> interrupt(Box, Frame, Progress, UntilMs);
                _ -> ok
            end;
        false ->
            ok
    end.

%% Requests in flight are answered first: their replies stay with the process that sent them.
-spec give_away(#box{}, pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(#box{port = Port, shared = Shared} = Box, Pid) ->
    Self = self(),
    case tripod_port_program_keeper:owner(Port) of
        Self when Pid =:= Self ->
            case erlang:port_info(Port, id) of
                undefined -> gone(Box);
                {id, _} -> ok
            end;
        Self -> hand_over(Box, Pid, tripod_port_program_shared:in_flight(Shared));
        none -> gone(Box);
        _ -> {error, not_owner}
    end.

hand_over(#box{port = Port} = Box, Pid, 0) ->
    case tripod_port_program_keeper:give_away(Port, Pid) of
        {error, gone} -> gone(Box);
        Result -> Result
    end;
hand_over(Box, Pid, _InFlight) ->
    case usage(Box) of
        {ok, _} -> hand_over(Box, Pid, 0);
        {error, _} = Error -> Error
    end.

-spec usage(#box{}) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage(#box{port = Port, shared = Shared, time_ms = TimeMs} = Box) ->
    Self = self(),
    case tripod_port_program_keeper:owner(Port) of
        Self ->
            {Id, Kind} = tripod_port_program_shared:book(Shared, TimeMs),
            case command(Box, tripod_port_program_wire:usage(Id)) of
                ok ->
                    Ms = tripod_port_program_shared:patience(Shared),
                    figures(Box, await(Box, Id, Kind, Ms, stuck));
                {error, _} = Error ->
                    Error
            end;
        none ->
            gone(Box);
        _ ->
            {error, not_owner}
    end.

figures(_Box, {ok, {Bytes, PeakBytes, Calls, LiveBytes}}) ->
    {ok, #{bytes => Bytes, peak_bytes => PeakBytes, calls => Calls, live_bytes => LiveBytes}};
figures(_Box, {error, _} = Error) ->
    Error;
figures(Box, {ok, _}) ->
    condemn(Box, protocol).

%% The port is closed when this returns; the process ends on its own or is killed soon after.
-spec close(#box{}) -> ok.
close(#box{port = Port, shared = Shared}) ->
    ok = tripod_port_program_shared:closed(Shared),
    _ = tripod_port_program_keeper:close(Port),
    tripod_port_program_wire:flush(Port).

%% bytes: what the processes occupy in physical memory, which is more than what the boxes hold.
-spec census() -> tripod_strategy:census().
census() ->
    lists:foldl(fun count/2, #{boxes => 0, bytes => 0, calls => 0, os_processes => 0},
                tripod_port_program_keeper:processes()).

count(#{owner := Owner, os_pid := OsPid, shared := Shared},
      #{boxes := Boxes, bytes := Bytes, calls := Calls, os_processes := Processes} = Sum) ->
    Counted = Sum#{bytes := Bytes + resident_bytes(OsPid), os_processes := Processes + 1},
    case Owner of
        none -> Counted;
        _ -> Counted#{boxes := Boxes + 1,
                      calls := Calls + tripod_port_program_shared:in_flight(Shared)}
    end.

resident_bytes(none) -> 0;
resident_bytes(OsPid) -> tripod_port_program_os:resident_bytes(OsPid).
