%% SPDX-License-Identifier: Apache-2.0
%% One API over three ways to reach the same C service. docs/contract.md says what holds for every
%% strategy and mode.
-module(tripod).

-export([open/2, call/2, call/3, send/2, send/3, receive_reply/2, interrupt/1, give_away/2, info/1,
         close/1, census/0, census/1]).
-export_type([box/0, request_id/0]).

%% call is fun Room:call/3: calling it goes straight to the code, where Room:call(...) looks the
%% function up by name each time.
-record(tripod_box, {room :: module(),
                     handle :: tripod_strategy:handle(),
                     strategy :: tripod_strategy:name(),
                     mode :: tripod_strategy:mode(),
                     service :: atom(),
                     opened_ms :: integer(),
                     talk :: tripod_talk:talk() | quiet,
                     call :: fun((tripod_strategy:handle(), term(), non_neg_integer()) ->
                                        tripod_strategy:reply())}).
-record(tripod_request, {room :: module(),
                         handle :: tripod_strategy:handle(),
                         id :: tripod_strategy:request_id(),
                         talker :: none | #tripod_box{}}). % the box, if it talks

-opaque box() :: #tripod_box{}.
-opaque request_id() :: #tripod_request{}.
-type call_options() :: #{time_ms => pos_integer()}.

%% Opens a box; the caller becomes its owner. Options and their defaults: tripod_options.
-spec open(tripod_strategy:name(), map()) -> {ok, box()} | {error, term()}.
open(Strategy, Options) ->
    {Config, ServiceOptions} = tripod_options:open(Strategy, Options, {open, [Strategy, Options]}),
    case tripod_app:ensure_started() of
        ok -> open_box(Strategy, Config, ServiceOptions);
        {error, _} = Error -> Error
    end.

open_box(Strategy, #{mode := Mode, service := Service} = Config, ServiceOptions) ->
    Room = tripod_strategy:room(Strategy),
    case Room:open(Config) of
        {ok, Handle} ->
            Box = #tripod_box{room = Room, handle = Handle, strategy = Strategy, mode = Mode,
                              service = Service, opened_ms = erlang:monotonic_time(millisecond),
                              talk = quiet, call = fun Room:call/3},
            configure(Box, ServiceOptions);
        {error, _} = Error ->
            Error
    end.

%% A service's own options travel as a request, so that the C interface needs to know none of them.
configure(Box, ServiceOptions) when map_size(ServiceOptions) =:= 0 ->
    {ok, Box};
configure(Box, ServiceOptions) ->
    case call(Box, {configure, tripod_talk:wire(ServiceOptions)}) of
        {ok, _} ->
            {ok, Box#tripod_box{talk = tripod_talk:open(ServiceOptions)}};
        {error, _} = Error ->
            ok = close(Box),
            Error
    end.

%% A call of a box that talks to its owner in the middle of it.
talk(#tripod_box{call = Call, handle = Handle, talk = Talk} = Box, Request, TimeMs) ->
    converse(Box, again(Request, Talk, Handle, Call, Call(Handle, Request, TimeMs))).

converse(#tripod_box{handle = Handle, call = Call, talk = Talk} = Box, Reply) ->
    tripod_talk:converse(Box, Talk, fun(Answer) -> Call(Handle, Answer, 0) end, Reply).

%% A fresh state knows no functions.
again(reset, Talk, Handle, Call, {ok, _} = Reply) ->
    case tripod_talk:functions(Talk) of
        Functions when map_size(Functions) =:= 0 ->
            Reply;
        Functions ->
            case Call(Handle, {configure, tripod_talk:wire(#{functions => Functions})}, 0) of
                {ok, _} -> Reply;
                {error, _} = Error -> Error
            end
    end;
again(_, _, _, _, Reply) ->
    Reply.

-spec call(box(), Request :: term()) -> tripod_strategy:reply().
call(#tripod_box{call = Call, handle = Handle, talk = quiet}, Request) ->
    Call(Handle, Request, 0);
call(#tripod_box{} = Box, Request) ->
    talk(Box, Request, 0);
call(Box, Request) ->
    tripod_options:not_a_box({call, [Box, Request]}).

-spec call(box(), Request :: term(), call_options()) -> tripod_strategy:reply().
call(#tripod_box{call = Call, handle = Handle, talk = Talk} = Box, Request, Options) ->
    TimeMs = tripod_options:call(Options, {call, [Box, Request, Options]}),
    case Talk of
        quiet -> Call(Handle, Request, TimeMs);
        _ -> talk(Box, Request, TimeMs)
    end;
call(Box, Request, Options) ->
    tripod_options:not_a_box({call, [Box, Request, Options]}).

%% Like gen_server:send_request/2: several requests may be in flight; they run in order.
-spec send(box(), Request :: term()) -> {ok, request_id()} | {error, tripod_strategy:reason()}.
send(Box, Request) ->
    send(Box, Request, #{}).

-spec send(box(), Request :: term(), call_options()) ->
          {ok, request_id()} | {error, tripod_strategy:reason()}.
send(#tripod_box{room = Room, handle = Handle} = Box, Request, Options) ->
    TimeMs = tripod_options:call(Options, {send, [Box, Request, Options]}),
    case Room:send(Handle, Request, TimeMs) of
        {ok, Id} ->
            Talker = case Box of #tripod_box{talk = quiet} -> none; _ -> Box end,
            {ok, #tripod_request{room = Room, handle = Handle, id = Id, talker = Talker}};
        {error, _} = Error -> Error
    end;
send(Box, Request, Options) ->
    tripod_options:not_a_box({send, [Box, Request, Options]}).

%% `timeout` leaves the request as it was: the reply can still be received.
-spec receive_reply(request_id(), timeout()) -> tripod_strategy:reply() | timeout.
receive_reply(#tripod_request{room = Room, handle = Handle, id = Id, talker = Talker} = Request,
              Timeout) ->
    Ms = tripod_options:timeout(Timeout, {receive_reply, [Request, Timeout]}),
    Reply = Room:receive_reply(Handle, Id, Ms),
    case Talker of
        none -> Reply;
        Box -> converse(Box, Reply)
    end;
receive_reply(Request, Timeout) ->
    tripod_options:not_a_request({receive_reply, [Request, Timeout]}).

%% From any process. The call in progress ends with {error, interrupted}; never a later one.
-spec interrupt(box()) -> ok.
interrupt(#tripod_box{room = Room, handle = Handle, talk = quiet}) -> Room:interrupt(Handle);
interrupt(#tripod_box{room = Room, handle = Handle, talk = Talk}) ->
    case tripod_talk:interrupt(Talk) of
        true -> ok;
        false -> Room:interrupt(Handle)
    end;
interrupt(Box) -> tripod_options:not_a_box({interrupt, [Box]}).

-spec give_away(box(), pid()) -> ok | {error, closed | not_owner | noproc | {down, term()}}.
give_away(#tripod_box{room = Room, handle = Handle}, Pid) when is_pid(Pid), node(Pid) =:= node() ->
    Room:give_away(Handle, Pid);
give_away(#tripod_box{} = Box, Pid) ->
    tripod_options:not_a_local_pid({give_away, [Box, Pid]});
give_away(Box, Pid) ->
    tripod_options:not_a_box({give_away, [Box, Pid]}).

-spec info(box()) -> #{strategy := tripod_strategy:name(), mode := tripod_strategy:mode(),
                       service := atom(), bytes := non_neg_integer(),
                       peak_bytes := non_neg_integer(), calls := non_neg_integer(),
                       live_bytes := non_neg_integer(), age_ms := non_neg_integer()}
                   | {error, tripod_strategy:reason()}.
info(#tripod_box{room = Room, handle = Handle} = Box) ->
    case Room:usage(Handle) of
        {ok, Usage} ->
            #tripod_box{strategy = Strategy, mode = Mode, service = Service, opened_ms = Opened} =
                Box,
            Usage#{strategy => Strategy, mode => Mode, service => Service,
                   age_ms => erlang:monotonic_time(millisecond) - Opened};
        {error, _} = Error ->
            Error
    end;
info(Box) ->
    tripod_options:not_a_box({info, [Box]}).

%% From any process, any number of times, also while a call runs.
-spec close(box()) -> ok.
close(#tripod_box{room = Room, handle = Handle}) -> Room:close(Handle);
close(Box) -> tripod_options:not_a_box({close, [Box]}).

%% What is alive in this node, over all strategies.
-spec census() -> tripod_strategy:census().
census() ->
    lists:foldl(fun add_census/2, #{boxes => 0, bytes => 0, calls => 0, os_processes => 0},
                [census(Strategy) || Strategy <- tripod_strategy:all()]).

-spec census(tripod_strategy:name()) -> tripod_strategy:census().
census(Strategy) ->
    Room = tripod_options:room(Strategy, {census, [Strategy]}),
    Room:census().

add_census(One, Sum) ->
    maps:map(fun(Key, Value) -> Value + maps:get(Key, One) end, Sum).
