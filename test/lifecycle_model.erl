%% SPDX-License-Identifier: Apache-2.0
%% What must happen to boxes when one thing happens after another: who owns each, whether it is
%% gone, and which replies each request in flight may still have. lifecycle_world does what is said here.
-module(lifecycle_model).
-behaviour(proper_statem).

-export([initial_state/0, command/1, precondition/2, next_state/3, postcondition/3]).

-import(proper_types, [oneof/1, frequency/1]).

-define(WORLD, lifecycle_world).

-type state() :: #{alive := [pos_integer()],
                   boxes := #{pos_integer() => {owned, pos_integer()} | gone},
                   requests := #{pos_integer() => {Owner :: pos_integer(), Box :: pos_integer(),
                                                   [tripod_strategy:reply()]}}}.

-spec initial_state() -> state().
initial_state() -> #{alive => ?WORLD:owners(), boxes => #{}, requests => #{}}.

-spec command(state()) -> proper_types:type().
command(#{alive := []}) ->
    {call, ?WORLD, revive, [oneof(?WORLD:owners())]};
command(#{alive := Alive}) ->
    Owner = oneof(Alive),
    Anybody = oneof(?WORLD:owners()),
    Box = oneof(?WORLD:boxes()),
    Request = oneof(?WORLD:requests()),
    Script = oneof(?WORLD:scripts()),
    frequency([{Weight, {call, ?WORLD, Command, Args}}
               || {Weight, Command, Args} <-
                      [{6, open, [Owner, Box]},
                       {6, call, [Owner, Box, Script]},
                       {5, send, [Owner, Box, Request, Script]},
                       {5, receive_reply, [Owner, Request]},
                       {2, interrupt, [Box]},
                       {4, give_away, [Owner, Box, Anybody]},
                       {1, info, [Owner, Box]},
                       {3, ties, [Owner]},
                       {1, close, [Box]},
                       {1, close, [Owner, Box]},
                       {2, kill, [Owner]},
                       {2, revive, [Anybody]},
                       {2, leak, [Box, oneof([message, ets, persistent_term, binary])]}]]).

-spec precondition(state(), proper_statem:symbolic_call()) -> boolean().
precondition(#{boxes := Boxes} = State, {call, _, open, [Owner, Box]}) ->
    lives(Owner, State) andalso maps:get(Box, Boxes, gone) =:= gone;
precondition(#{requests := Requests} = State, {call, _, send, [Owner, Box, Request, _]}) ->
    lives(Owner, State) andalso is_box(Box, State) andalso not is_map_key(Request, Requests);
precondition(#{requests := Requests}, {call, _, receive_reply, [Owner, Request]}) ->
    case Requests of
        #{Request := {Owner, _, _}} -> true;
        _ -> false
    end;
precondition(State, {call, _, Command, [Owner]}) when Command =:= kill; Command =:= ties ->
    lives(Owner, State);
precondition(State, {call, _, revive, [Owner]}) -> not lives(Owner, State);
precondition(State, {call, _, Command, [Box | _]})
  when Command =:= interrupt; Command =:= leak -> is_box(Box, State);
precondition(State, {call, _, close, [Box]}) -> is_box(Box, State);
precondition(State, {call, _, _, [Owner, Box | _]}) ->
    lives(Owner, State) andalso is_box(Box, State).

lives(Owner, #{alive := Alive}) -> lists:member(Owner, Alive).

is_box(Box, #{boxes := Boxes}) -> is_map_key(Box, Boxes).

-spec next_state(state(), term(), proper_statem:symbolic_call()) -> state().
next_state(#{boxes := Boxes} = State, _, {call, _, open, [Owner, Box]}) ->
    State#{boxes := Boxes#{Box => {owned, Owner}}};
next_state(#{requests := Requests} = State, _, {call, _, send, [Owner, Box, Request, Script]}) ->
    Replies = case right(Owner, Box, State) of
                  ok -> [?WORLD:result(Script)];
                  Refused -> [Refused, none]
              end,
    State#{requests := Requests#{Request => {Owner, Box, Replies}}};
next_state(#{requests := Requests} = State, _, {call, _, receive_reply, [_, Request]}) ->
    State#{requests := maps:remove(Request, Requests)};
next_state(State, _, {call, _, interrupt, [Box]}) ->
    may_end(Box, {error, interrupted}, State);
next_state(#{boxes := Boxes} = State, _, {call, _, give_away, [Owner, Box, Heir]}) ->
    case given(Owner, Box, Heir, State) of
        ok -> State#{boxes := Boxes#{Box := {owned, Heir}}};
        {error, _} -> State
    end;
next_state(State, _, {call, _, close, [Box]}) -> closed(Box, State);
next_state(State, _, {call, _, close, [_, Box]}) -> closed(Box, State);
next_state(#{alive := Alive, requests := Requests} = State, _, {call, _, kill, [Owner]}) ->
    Unread = maps:filter(fun(_, {Sender, _, _}) -> Sender =/= Owner end, Requests),
    lists:foldl(fun closed/2, State#{alive := lists:delete(Owner, Alive), requests := Unread},
                owned(Owner, State));
next_state(#{alive := Alive} = State, _, {call, _, revive, [Owner]}) ->
    State#{alive := [Owner | Alive]};
next_state(State, _, _) ->
    State.

closed(Box, #{boxes := Boxes} = State) ->
    may_end(Box, {error, closed}, State#{boxes := Boxes#{Box := gone}}).

%% Whatever of the box's was in flight was perhaps not answered before.
may_end(Box, Reply, #{requests := Requests} = State) ->
    State#{requests := maps:map(fun(_, {Owner, Of, Replies}) when Of =:= Box ->
                                        {Owner, Of, [Reply | Replies]};
                                   (_, Request) ->
                                        Request
                                end, Requests)}.

owned(Owner, #{boxes := Boxes}) -> [Box || {Box, {owned, By}} <- maps:to_list(Boxes), By =:= Owner].

right(Owner, Box, #{boxes := Boxes}) ->
    case maps:get(Box, Boxes) of
        gone -> {error, closed};
        {owned, Owner} -> ok;
        {owned, _} -> {error, not_owner}
    end.

given(Owner, Box, Heir, State) ->
    case {right(Owner, Box, State), lives(Heir, State)} of
        {ok, false} -> {error, noproc};
        {Right, _} -> Right
    end.

-spec postcondition(state(), proper_statem:symbolic_call(), term()) -> boolean().
postcondition(State, {call, _, kill, [Owner]}, Result) ->
    lists:foreach(fun(Box) -> ok = ?WORLD:await_gone(Box) end, owned(Owner, State)),
    Result =:= ok;
postcondition(State, Call, Result) -> lists:member(Result, expected(State, Call)).

expected(State, {call, _, call, [Owner, Box, Script]}) ->
    case right(Owner, Box, State) of
        ok -> [?WORLD:result(Script)];
        Refused -> [Refused]
    end;
%% A request may also be refused by its reply.
expected(State, {call, _, send, [Owner, Box, _, _]}) -> [ok, right(Owner, Box, State)];
expected(#{requests := Requests}, {call, _, receive_reply, [_, Request]}) ->
    #{Request := {_, _, Replies}} = Requests,
    Replies;
expected(State, {call, _, give_away, [Owner, Box, Heir]}) -> [given(Owner, Box, Heir, State)];
expected(State, {call, _, info, [Owner, Box]}) -> [right(Owner, Box, State)];
%% One watcher for each box.
expected(State, {call, _, ties, [Owner]}) -> [{length(owned(Owner, State)), 0}];
expected(State, {call, _, leak, [Box, _]}) ->
    case State of
        #{boxes := #{Box := gone}} -> [{error, closed}];
        _ -> [{error, not_owner}]
    end;
expected(_, _) -> [ok].
