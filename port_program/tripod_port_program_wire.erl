%% SPDX-License-Identifier: Apache-2.0
%% The frames of wire.h as the VM sees them: cutting requests, and taking out of the mailbox what a
%% port sent. Every `receive` of this room that waits for a program is here.
%%
%% Nothing that a program sends is trusted. Frames are at most 64 KiB because the port is opened
%% with {packet, 2}; a reply's total is checked before its frames are collected. Knows nothing of
%% owners and of what the answers mean.
-module(tripod_port_program_wire).

-export([request/3, usage/1, interrupt/1]).
-export([greeting/2, taken/3, await/6, exit_status/1, flush/1]).
-export([vocabulary/0]).
-export_type([result/0]).

%% `ended` carries the exit status; `gone` means that the port closed without telling.
-type result() :: {reply, tripod_strategy:reply()} | {ended, non_neg_integer()} | gone | protocol | stuck.

-define(VERSION, 1).
-define(SERVICE_ABI, 1).

-define(HELLO, 0).
-define(REQUEST, 1).
-define(REPLY, 1).
-define(MORE, 2).
-define(INTERRUPT, 3).
-define(USAGE, 4).

-define(REQUEST_BYTES, (65535 - 13)). % of a request in its first frame
-define(REPLY_BYTES, (65535 - 9)).    % of a reply in its first frame
-define(MORE_BYTES, (65535 - 5)).     % of either in the frames that follow

%% How long the next frame of a reply that has begun may take before the program counts as stuck.
-define(FRAME_MS, 2000).

-spec request(tripod_port_program_shared:id(), non_neg_integer(), binary()) -> [iodata(), ...].
request(Id, TimeMs, Bytes) ->
    Total = byte_size(Bytes),
    Head = <<?REQUEST, Id:32, TimeMs:32, Total:32>>,
    case Bytes of
        <<First:?REQUEST_BYTES/binary, Rest/binary>> -> [[Head, First] | more(Id, Rest)];
        _ -> [[Head, Bytes]]
    end.

more(_Id, <<>>) ->
    [];
more(Id, <<Part:?MORE_BYTES/binary, Rest/binary>>) ->
    [[<<?MORE, Id:32>>, Part] | more(Id, Rest)];
more(Id, Part) ->
    [[<<?MORE, Id:32>>, Part]].

-spec usage(tripod_port_program_shared:id()) -> binary().
usage(Id) -> <<?USAGE, Id:32>>.

%% No request sent after LastId is meant.
-spec interrupt(tripod_port_program_shared:id()) -> binary().
interrupt(LastId) -> <<?INTERRUPT, LastId:32>>.

%% open_port returns before the program was executed, so only its hello tells that it was.
-spec greeting(port(), timeout()) ->
          ok | gone | timeout | {ended, non_neg_integer()} | {protocol, binary()}.
greeting(Port, Ms) ->
    Monitor = monitor(port, Port),
    Result = receive
                 {Port, {data, <<?HELLO, ?VERSION:16, ?SERVICE_ABI:16>>}} -> ok;
                 {Port, {data, Other}} -> {protocol, Other};
                 {Port, {exit_status, Status}} -> {ended, Status};
                 {'DOWN', Monitor, port, _, _} -> gone
             after Ms -> timeout
             end,
    true = demonitor(Monitor, [flush]),
    Result.

%% The reply to request Id, if it has come.
-spec taken(port(), tripod_port_program_shared:id(), pos_integer()) -> result() | none.
taken(Port, Id, MaxBytes) ->
    receive
        {Port, {data, <<?REPLY, Id:32, Total:32, Bytes/binary>>}} ->
            collect(Port, Id, MaxBytes, Total, Bytes)
    after 0 -> none
    end.

%% Waits for the reply to request Id. Replies to other requests stay in the mailbox, so that a frame
%% is out of place for certain only when this request is `alone`. Expiry is the result when nothing
%% came within Ms.
-spec await(port(), tripod_port_program_shared:id(), pos_integer(), alone | queued,
            non_neg_integer(), Expiry) -> result() | Expiry.
await(Port, Id, MaxBytes, Kind, Ms, Expiry) ->
    Monitor = monitor(port, Port),
    Result = receive
                 {Port, {data, <<?REPLY, Id:32, Total:32, Bytes/binary>>}} ->
                     collect(Port, Id, MaxBytes, Total, Bytes);
                 {Port, {exit_status, Status}} ->
                     {ended, Status};
                 {'DOWN', Monitor, port, _, _} ->
                     gone;
                 {Port, {data, _}} when Kind =:= alone ->
                     protocol;
                 {Port, {data, <<What, _/binary>>}} when What =/= ?REPLY, What =/= ?MORE ->
                     protocol;
                 {Port, {data, <<>>}} ->
                     protocol
             after Ms -> Expiry
             end,
    true = demonitor(Monitor, [flush]),
    Result.

%% The program cuts a reply in one way only, so a reply of Total bytes is a known number of frames.
collect(Port, Id, MaxBytes, Total, Bytes) ->
    case byte_size(Bytes) of
        Total when Total =< MaxBytes ->
            decode(Bytes);
        ?REPLY_BYTES when Total > ?REPLY_BYTES, Total =< MaxBytes ->
            Monitor = monitor(port, Port),
            Result = collect_more(Port, Id, Monitor, Total - ?REPLY_BYTES, [Bytes]),
            true = demonitor(Monitor, [flush]),
            Result;
        _ ->
            protocol
    end.

collect_more(_Port, _Id, _Monitor, 0, Parts) ->
    decode(iolist_to_binary(lists:reverse(Parts)));
collect_more(Port, Id, Monitor, Left, Parts) ->
    receive
        {Port, {data, <<?MORE, Id:32, Part/binary>>}}
          when byte_size(Part) =:= Left; byte_size(Part) =:= ?MORE_BYTES, Left > ?MORE_BYTES ->
            collect_more(Port, Id, Monitor, Left - byte_size(Part), [Part | Parts]);
        {Port, {data, _}} ->
            protocol;
        {Port, {exit_status, Status}} ->
            {ended, Status};
        {'DOWN', Monitor, port, _, _} ->
            gone
    after ?FRAME_MS ->
        stuck
    end.

%% Compressed terms are refused because a few bytes of them can claim gigabytes; atoms that the node
%% does not know, because it never frees one.
decode(<<131, 80, _/binary>>) ->
    protocol;
decode(Bytes) ->
    try binary_to_term(Bytes, [safe]) of
        {ok, _} = Reply -> {reply, Reply};
        {error, _} = Reply -> {reply, Reply};
        {ask, Name, Args} = Reply when is_binary(Name), is_list(Args) -> {reply, Reply};
        {printed, Texts, Inner} = Reply ->
            case are_texts(Texts) andalso is_inner(Inner) of
                true -> {reply, Reply};
                false -> protocol
            end;
        _ -> protocol
    catch
        error:badarg -> protocol
    end.

is_inner({ok, _}) -> true;
is_inner({error, _}) -> true;
is_inner({ask, Name, Args}) -> is_binary(Name) andalso is_list(Args);
is_inner(_) -> false.

are_texts([Text | Texts]) when is_binary(Text) -> are_texts(Texts);
are_texts(Texts) -> Texts =:= [].

%% The atoms that a program may say without having heard them. That they stand here makes them known
%% to the node. A service with words of its own must have an Erlang module loaded that names them.
-spec vocabulary() -> [atom()].
vocabulary() ->
    [ok, error, nil, true, false,
     lua, message, traceback, value, limit, memory, time, depth, reply, interrupted, closed, badterm,
     down, system, request, broken, unsupported, concurrent_call].

%% The last message of a port whose program ended.
-spec exit_status(port()) -> {ended, non_neg_integer()} | none.
exit_status(Port) ->
    receive
        {Port, {exit_status, Status}} -> {ended, Status}
    after 0 -> none
    end.

-spec flush(port()) -> ok.
flush(Port) ->
    receive
        {Port, {data, _}} -> flush(Port);
        {Port, {exit_status, _}} -> flush(Port)
    after 0 -> ok
    end.
