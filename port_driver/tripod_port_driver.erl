%% SPDX-License-Identifier: Apache-2.0
%% Boxes behind ports of a linked-in driver. One box is one port; driver_frame.h has the frames.
%%
%% A port's own link is taken away at once: what ends a box with its owner is the driver's monitor
%% on the owner. So no box ever has a link, no exit signal reaches an owner that traps exits, and
%% giving a box away has no link to move.
%%
%% Nobody but the owner uses the port of a box while a call may run in it: a port that is busy makes
%% the VM park the scheduler of whoever comes next. All others go through a switchboard.
-module(tripod_port_driver).
-behaviour(tripod_strategy).

-include("tripod_port_driver.hrl").

-export([children/0, modes/0, open/1, call/3, send/3, receive_reply/3, interrupt/1, give_away/2,
         usage/1, close/1, census/0]).

-record(driver_box, {port :: port(),
                     id :: non_neg_integer(),
                     opener :: pid()}).

-opaque handle() :: #driver_box{}.
-export_type([handle/0]).

-spec children() -> [supervisor:child_spec()].
children() ->
    [#{id => tripod_port_driver_loader, start => {tripod_port_driver_loader, start_link, []}}].

-spec modes() -> [tripod_strategy:mode(), ...].
modes() -> [inline].

-spec open(tripod_strategy:config()) -> {ok, handle()} | {error, term()}.
open(Config) ->
    case open_port() of
        {ok, Port} ->
            open_box(Port, Config);
        not_loaded ->
            case tripod_port_driver_loader:load() of
                ok -> open_loaded(Config);
                {error, _} = Error -> Error
            end;
        {error, _} = Error ->
            Error
    end.

open_loaded(Config) ->
    case open_port() of
        {ok, Port} -> open_box(Port, Config);
        not_loaded -> {error, {unsupported, ?DRIVER}};
        {error, _} = Error -> Error
    end.

open_port() ->
    try open_port({spawn_driver, ?DRIVER}, [binary]) of
        Port ->
            true = unlink(Port),
            {ok, Port}
    catch
        error:badarg -> not_loaded;
        error:Reason -> {error, Reason}
    end.

open_box(Port, #{service := Service} = Config) ->
    case control(Port, ?OPEN, open_frame(Config)) of
        <<?OK, Id:64>> ->
            {ok, #driver_box{port = Port, id = Id, opener = self()}};
        <<?ERROR, "service">> ->
            ok = close_port(Port),
            {error, {unsupported, {service, Service}}};
        Status ->
            ok = close_port(Port),
            refused(Status)
    end.

open_frame(#{memory_bytes := MemoryBytes, time_ms := TimeMs, reply_bytes := ReplyBytes,
             depth := Depth, preempt := Preempt, service := Service}) ->
    [<<MemoryBytes:64, TimeMs:64, ReplyBytes:64, Depth:32, (by(Preempt)):8>>,
     atom_to_binary(Service)].

by(timer) -> 0;
by(count) -> 1.

-spec call(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call(#driver_box{opener = Opener} = Box, Request, TimeMs) when Opener =:= self() ->
    call_port(Box, Request, TimeMs);
call(Box, Request, TimeMs) ->
    case owned(Box) of
        ok -> call_port(Box, Request, TimeMs);
        {error, _} = Error -> Error
    end.

%% The reply is the result, unless it is long. Then it is in the mailbox, and taken before this
%% returns, so one id serves all calls.
call_port(#driver_box{port = Port} = Box, Request, TimeMs) ->
    Operation = ?CALL + min(TimeMs, ?MAX_TIME_MS),
    case control(Port, Operation, term_to_binary(Request)) of
        <<?ETF, _/binary>> = Value -> decode(Box, Value, fun(Term) -> {ok, Term} end);
        <<?WHOLE, Reply/binary>> -> decode(Box, Reply, fun(Term) -> Term end);
        <<?OK>> -> take(Port, 0);
        Status -> refused(Status)
    end.

%% A service that breaks its promise of one whole term has lost its box.
decode(Box, Bytes, Reply) ->
    try binary_to_term(Bytes) of
        Term -> Reply(Term)
    catch
        error:badarg ->
            ok = close(Box),
            {error, {down, broken}}
    end.

%% The call runs at once, in here; its reply waits in the mailbox.
-spec send(handle(), term(), non_neg_integer()) ->
          {ok, tripod_strategy:request_id()} | {error, tripod_strategy:reason()}.
send(#driver_box{port = Port} = Box, Request, TimeMs) ->
    case owned(Box) of
        ok ->
            Id = erlang:unique_integer([positive]),
            Frame = [<<?SEND, Id:64, TimeMs:32>>, term_to_binary(Request)],
            try port_command(Port, Frame) of
                true -> {ok, Id}
            catch
                error:badarg -> {error, closed}
            end;
        {error, _} = Error ->
            Error
    end.

%% Never waits: send/3 returned after the reply had come.
-spec receive_reply(handle(), tripod_strategy:request_id(), timeout()) -> tripod_strategy:reply().
receive_reply(#driver_box{port = Port}, Id, _Timeout) ->
    take(Port, Id).

%% No timeout and no monitor, because a reply that is not there will never come. port_command/2
%% returns true, and port_control/3 a result, only after the driver's callback has returned, and
%% before that the callback has sent the one message it had to send:
%% - the port was free: the callback ran inside the BIF;
%% - the port was busy with another signal, such as a racing close: the request was queued and the
%%   BIF waited for the port's answer, which the port sends after the callback has returned, so
%%   after the reply (port_sig_outputv and port_sig_control in io.c);
%% - the port closed before the queued request ran: the BIF raised badarg;
%% - the box was closed while the call ran: {error, closed} is the reply.
%% What is left is a reply that somebody has taken already.
take(Port, Id) ->
    receive
        {Port, Id, Reply} -> Reply
    after 0 ->
        {error, closed}
    end.

%% Whether the caller owns the box, as far as can be told without the box's port: somebody who
%% opened it and gave it away still learns better from the driver.
owned(#driver_box{opener = Opener}) when Opener =:= self() ->
    ok;
owned(#driver_box{id = Id}) ->
    case switch(?OWNED, <<Id:64>>) of
        <<?OK>> -> ok;
        Status -> refused(Status)
    end.

-spec interrupt(handle()) -> ok.
interrupt(#driver_box{id = Id}) ->
    _ = switch(?INTERRUPT, <<Id:64>>),
    ok.

%% In three steps, because a driver learns a pid only as the port's connected process. The owner
%% stays the owner until the third: dying before that ends the box. `Port ! connect` is used, not
%% port_connect/2, because the latter links the heir to the port.
-spec give_away(handle(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(#driver_box{port = Port} = Box, Heir) ->
    case ask(Box, ?MAY_GIVE) of
        <<?OK>> ->
            Port ! {self(), {connect, Heir}},
            given(Port, Heir, control(Port, ?GIVE, []));
        Status ->
            refused(Status)
    end.

given(Port, Heir, Status) ->
    %% The port has handled the connect signal before the control one, so its answer is here, or
    %% the port was closed before and there is none.
    receive
        {Port, connected} -> ok
    after 0 ->
        ok
    end,
    case Status of
        <<?OK>> ->
            ok;
        <<?ERROR, "noproc">> ->
            %% The answer to this one goes to Heir, who is dead.
            Port ! {Heir, {connect, self()}},
            {error, noproc};
        _ ->
            refused(Status)
    end.

-spec usage(handle()) -> {ok, tripod_strategy:usage()} | {error, tripod_strategy:reason()}.
usage(Box) ->
    case ask(Box, ?USAGE) of
        <<?OK, Bytes:64, Peak:64, Calls:64, Live:64>> ->
            {ok, #{bytes => Bytes, peak_bytes => Peak, calls => Calls, live_bytes => Live}};
        Status ->
            refused(Status)
    end.

%% Closing the box first ends a call that runs, so that closing the port need not wait for it.
-spec close(handle()) -> ok.
close(#driver_box{port = Port, id = Id}) ->
    _ = switch(?CLOSE, <<Id:64>>),
    close_port(Port).

close_port(Port) ->
    try port_close(Port) of
        true -> ok
    catch
        error:badarg -> ok
    end.

-spec census() -> tripod_strategy:census().
census() ->
    case switch(?CENSUS, []) of
        <<?OK, Boxes:64, Bytes:64, Calls:64>> ->
            #{boxes => Boxes, bytes => Bytes, calls => Calls, os_processes => 0};
        <<?ERROR, "closed">> ->
            #{boxes => 0, bytes => 0, calls => 0, os_processes => 0}
    end.

ask(#driver_box{port = Port, opener = Opener}, Op) when Opener =:= self() ->
    control(Port, Op, []);
ask(#driver_box{port = Port, id = Id}, Op) ->
    case switch(?OWNED, <<Id:64>>) of
        <<?OK>> -> control(Port, Op, []);
        Status -> Status
    end.

%% A port that is closed answers like a box that is closed.
control(Port, Op, Data) ->
    try
        port_control(Port, Op, Data)
    catch
        error:badarg -> <<?ERROR, "closed">>
    end.

%% Without a switchboard the driver was never loaded or is being unloaded: there is no box.
switch(Op, Data) ->
    case tripod_port_driver_loader:switchboard() of
        none -> <<?ERROR, "closed">>;
        Port -> switch(Port, Op, Data)
    end.

switch(Port, Op, Data) ->
    try
        port_control(Port, Op, Data)
    catch
        error:badarg -> switch_again(Op, Data)
    end.

%% Somebody closed a switchboard that does not belong to them, or the application is stopping.
switch_again(Op, Data) ->
    case tripod_port_driver_loader:load() of
        ok -> control(tripod_port_driver_loader:switchboard(), Op, Data);
        {error, _} -> <<?ERROR, "closed">>
    end.

refused(<<?ERROR, Reason/binary>>) -> {error, binary_to_existing_atom(Reason)};
%% One of the few names of box_down_reason in core/box.c.
refused(<<?DOWN, Why/binary>>) -> {error, {down, binary_to_atom(Why)}}.
