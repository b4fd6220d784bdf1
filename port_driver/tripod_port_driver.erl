%% SPDX-License-Identifier: Apache-2.0
%% Boxes behind ports of a linked-in driver. One box is one port; driver_frame.h has the frames.
%%
%% A port's own link is taken away at once: what ends a box with its owner is the driver's monitor
%% on the owner. So no box ever has a link, no exit signal reaches an owner that traps exits, and
%% giving a box away has no link to move.
%%
%% Nobody but the owner uses the port of a box of mode inline while a call may run in it: a port that
%% is busy makes the VM park the scheduler of whoever comes next. All others go through a switchboard.
%% In mode async no callback takes long, and a port that is gone is learned of by a monitor.
-module(tripod_port_driver).
-behaviour(tripod_strategy).

-include("tripod_port_driver.hrl").

-export([children/0, modes/0, open/1, call/3, send/3, receive_reply/3, interrupt/1, give_away/2,
         usage/1, close/1, census/0]).

%% From this size on a binary that shares the memory of the message is better than a copy.
-define(WORTH_SHARING, 4096).

-record(driver_box, {port :: port(),
                     id :: non_neg_integer(),
                     opener :: pid(),
                     mode :: inline | async}).

-opaque handle() :: #driver_box{}.
-export_type([handle/0]).

-spec children() -> [supervisor:child_spec()].
children() ->
    [#{id => tripod_port_driver_loader, start => {tripod_port_driver_loader, start_link, []}}].

-spec modes() -> [tripod_strategy:mode(), ...].
modes() -> [inline, async].

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
            kept(Port)
    catch
        error:badarg -> not_loaded;
        error:Reason -> {error, Reason}
    end.

%% The VM also opens ports of a driver that it is about to unload, as long as a job of an earlier box is
%% under way; such a port would not be closed with the application. While there are switchboards, it
%% has not been told to unload yet, and then it closes this port too.
kept(Port) ->
    case tripod_port_driver_loader:switchboard() of
        none ->
            ok = close_port(Port),
            not_loaded;
        _ ->
            {ok, Port}
    end.

open_box(Port, #{service := Service, mode := Mode} = Config) ->
    case control(Port, ?OPEN, open_frame(Config)) of
        <<?OK, Id:64>> ->
            {ok, #driver_box{port = Port, id = Id, opener = self(), mode = Mode}};
        <<?ERROR, "service">> ->
            ok = close_port(Port),
            {error, {unsupported, {service, Service}}};
        Status ->
            ok = close_port(Port),
            refused(Status)
    end.

open_frame(#{memory_bytes := MemoryBytes, time_ms := TimeMs, reply_bytes := ReplyBytes,
             depth := Depth, preempt := Preempt, service := Service, mode := Mode}) ->
    [<<MemoryBytes:64, TimeMs:64, ReplyBytes:64, Depth:32, (by(Preempt)), (in(Mode))>>,
     atom_to_binary(Service)].

by(timer) -> 0;
by(count) -> 1.

in(inline) -> 0;
in(async) -> 1.

-spec call(handle(), term(), non_neg_integer()) -> tripod_strategy:reply().
call(#driver_box{mode = inline, opener = Opener} = Box, Request, TimeMs) when Opener =:= self() ->
    call_port(Box, Request, TimeMs);
call(#driver_box{mode = Mode} = Box, Request, TimeMs) ->
    case owned(Box) of
        ok when Mode =:= inline -> call_port(Box, Request, TimeMs);
        ok -> call_thread(Box, Request, TimeMs);
        {error, _} = Error -> Error
    end.

call_thread(#driver_box{port = Port} = Box, Request, TimeMs) ->
    Monitor = monitor(port, Port),
    case post(Port, Request, TimeMs) of
        {ok, Id} ->
            await(Box, Id, Monitor, infinity);
        {error, _} = Error ->
            true = demonitor(Monitor, [flush]),
            Error
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

%% What a message brought: a term, or its bytes.
reply(_, Reply) when is_tuple(Reply) ->
    Reply;
%% A binary or string that is most of the message need not be copied out of it.
reply(_, <<?ETF, 104, 2, 119, 2, "ok", 109, Size:32, Value:Size/binary>>) when Size >= ?WORTH_SHARING ->
    {ok, Value};
reply(_, <<?ETF, 104, 2, 119, 2, "ok", 108, 1:32, 109, Size:32, Value:Size/binary, 106>>)
  when Size >= ?WORTH_SHARING ->
    {ok, [Value]};
reply(Box, Bytes) ->
    decode(Box, Bytes, fun(Term) -> Term end).

%% A service that breaks its promise of one whole term has lost its box.
decode(Box, Bytes, Reply) ->
    try binary_to_term(Bytes) of
        Term -> Reply(Term)
    catch
        error:badarg ->
            ok = close(Box),
            {error, {down, broken}}
    end.

%% Inline, the call runs at once, in here, and its reply waits in the mailbox. Async, this returns
%% when the request has a place in the box's line, which may take until others are answered.
-spec send(handle(), term(), non_neg_integer()) ->
          {ok, tripod_strategy:request_id()} | {error, tripod_strategy:reason()}.
send(#driver_box{port = Port} = Box, Request, TimeMs) ->
    case owned(Box) of
        ok -> post(Port, Request, TimeMs);
        {error, _} = Error -> Error
    end.

post(Port, Request, TimeMs) ->
    Id = erlang:unique_integer([positive]),
    Frame = [<<?SEND, Id:64, TimeMs:32>>, term_to_binary(Request)],
    try port_command(Port, Frame) of
        true -> {ok, Id}
    catch
        error:badarg -> {error, closed}
    end.

%% Inline, it never waits: send/3 returned after the reply had come.
-spec receive_reply(handle(), tripod_strategy:request_id(), timeout()) ->
          tripod_strategy:reply() | timeout.
receive_reply(#driver_box{port = Port, mode = inline}, Id, _Timeout) ->
    take(Port, Id);
receive_reply(#driver_box{port = Port} = Box, Id, Timeout) ->
    receive
        {Port, Id, Reply} -> reply(Box, Reply)
    after 0 ->
        await_later(Box, Id, Timeout)
    end.

%% The driver knows whether there is anything to wait for. If not, the reply came just now, or
%% somebody has taken it already.
await_later(#driver_box{port = Port} = Box, Id, Timeout) ->
    Monitor = monitor(port, Port),
    case control(Port, ?AWAITED, <<Id:64>>) of
        <<?LATER>> -> await(Box, Id, Monitor, Timeout);
        _ -> last(Box, Id, Monitor)
    end.

await(#driver_box{port = Port} = Box, Id, Monitor, Timeout) ->
    receive
        {Port, Id, Reply} ->
            true = demonitor(Monitor, [flush]),
            reply(Box, Reply);
        {'DOWN', Monitor, port, _, _} ->
            last(Box, Id, Monitor)
    after Timeout ->
        true = demonitor(Monitor, [flush]),
        timeout
    end.

%% A port sends nothing after its death was announced.
last(#driver_box{port = Port} = Box, Id, Monitor) ->
    true = demonitor(Monitor, [flush]),
    receive
        {Port, Id, Reply} -> reply(Box, Reply)
    after 0 ->
        {error, closed}
    end.

%% Of mode inline. No timeout and no monitor, because a reply that is not there will never come. port_command/2
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
interrupt(#driver_box{id = Id, mode = inline}) ->
    _ = switch(?INTERRUPT, <<Id:64>>),
    ok;
%% A call that waits for a thread is in progress as well, and only the port knows of it.
interrupt(#driver_box{port = Port, id = Id}) ->
    _ = case switch(?INTERRUPT, <<Id:64>>) of
            <<?LATER>> -> control(Port, ?WITHDRAW, []);
            Status -> Status
        end,
    ok.

%% In three steps, because a driver learns a pid only as the port's connected process. The owner
%% stays the owner until the third: dying before that ends the box. `Port ! connect` is used, not
%% port_connect/2, because the latter links the heir to the port.
-spec give_away(handle(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(#driver_box{port = Port} = Box, Heir) ->
    case ask(Box, ?MAY_GIVE, []) of
        <<?OK>> ->
            Port ! {self(), {connect, Heir}},
            given(Port, Heir, control(Port, ?GIVE, []));
        <<?LATER>> ->
            %% Requests in flight are answered first; this one comes after them.
            case usage(Box) of
                {ok, _} -> give_away(Box, Heir);
                {error, _} = Error -> Error
            end;
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
    Id = erlang:unique_integer([positive]),
    case ask(Box, ?USAGE, <<Id:64>>) of
        <<?OK, Bytes:64, Peak:64, Calls:64, Live:64>> ->
            figures({Bytes, Peak, Calls, Live});
        <<?LATER>> ->
            case await_later(Box, Id, infinity) of
                {ok, Figures} -> figures(Figures);
                {error, _} = Error -> Error
            end;
        Status ->
            refused(Status)
    end.

figures({Bytes, Peak, Calls, Live}) ->
    {ok, #{bytes => Bytes, peak_bytes => Peak, calls => Calls, live_bytes => Live}}.

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

ask(#driver_box{port = Port, opener = Opener}, Op, Data) when Opener =:= self() ->
    control(Port, Op, Data);
ask(#driver_box{port = Port, id = Id}, Op, Data) ->
    case switch(?OWNED, <<Id:64>>) of
        <<?OK>> -> control(Port, Op, Data);
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
