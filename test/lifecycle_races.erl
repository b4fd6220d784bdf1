%% SPDX-License-Identifier: Apache-2.0
%% Which answers are legal when several processes act on the same boxes and owners at once. There is
%% nothing to remember: any command may meet a box in any state, or none.
-module(lifecycle_races).
-behaviour(proper_statem).

-export([initial_state/0, command/1, precondition/2, next_state/3, postcondition/3]).
-export([is_legal/3]).

-import(proper_types, [oneof/1, frequency/1]).

-define(WORLD, lifecycle_world).

-spec initial_state() -> racing.
initial_state() -> racing.

-spec command(racing) -> proper_types:type().
command(_) ->
    %% Two of each, so that the commands meet.
    Owner = oneof([1, 2]),
    Box = oneof([1, 2]),
    Request = oneof([1, 2]),
    Script = oneof(?WORLD:scripts()),
    frequency([{Weight, {call, ?WORLD, Command, Args}}
               || {Weight, Command, Args} <-
                      [{3, open, [Owner, Box]},
                       {3, call, [Owner, Box, Script]},
                       {4, tell_call, [Owner, Box, Script]},
                       {2, send, [Owner, Box, Request, Script]},
                       {2, receive_reply, [Owner, Request]},
                       {4, interrupt, [Box]},
                       {5, give_away, [Owner, Box, Owner]},
                       {1, info, [Owner, Box]},
                       {2, close, [Box]},
                       {2, close, [Owner, Box]},
                       {2, kill, [Owner]},
                       {1, leak, [Box, oneof([message, ets, binary])]}]]).

-spec precondition(racing, proper_statem:symbolic_call()) -> true.
precondition(racing, _) -> true.

-spec next_state(racing, term(), proper_statem:symbolic_call()) -> racing.
next_state(racing, _, _) -> racing.

-spec postcondition(racing, proper_statem:symbolic_call(), term()) -> boolean().
postcondition(racing, {call, _, Command, Args}, Result) ->
    is_legal(Command, lists:last(Args), Result).

%% The last argument of a command that runs a script is the script.
-spec is_legal(atom(), term(), term()) -> boolean().
is_legal(Command, Script, Result) ->
    lists:member(Result, legal(Command, Script)).

%% dead: the owner was; none: nothing had been opened or sent under that number.
legal(open, _) -> [ok, dead];
legal(Command, Script) when Command =:= call; Command =:= tell_call ->
    [ok, ?WORLD:result(Script), {error, interrupted}, {error, closed}, {error, not_owner}, dead,
     none];
legal(send, _) -> [ok, {error, closed}, {error, not_owner}, dead, none];
legal(receive_reply, _) ->
    [{error, interrupted}, {error, closed}, {error, not_owner}, dead, none
     | [?WORLD:result(Script) || Script <- ?WORLD:scripts()]];
legal(give_away, _) -> [ok, {error, closed}, {error, not_owner}, {error, noproc}, dead, none];
legal(info, _) -> [ok, {error, closed}, {error, not_owner}, dead, none];
legal(close, _) -> [ok, dead, none];
legal(leak, _) -> [{error, closed}, {error, not_owner}, none];
legal(interrupt, _) -> [ok, none];
legal(kill, _) -> [ok].
