%% SPDX-License-Identifier: Apache-2.0
%% Whether what several processes did at once, and were answered, could have been done one after another:
%% in some order that fits who was through before whom, each command taking effect at one moment, and
%% every answer exactly what the contract says in that order.
%%
%% Three things take more than a moment. A box whose owner is dead goes at some time after the death. What
%% an owner had asked for when it died may still be done, until all is settled. A call ends early by an
%% interrupt that it overlapped, of which only the time is looked at.
-module(lifecycle_order).

-export([find/1]).
-export_type([event/0]).

-define(WORLD, lifecycle_world).

%% Times are those of one counter.
-type event() :: #{command := atom(), args := [term()], result := term(),
                   from := integer(), to := integer()}.
%% The state is a map of
%%   dead        owners
%%   boxes       #{Box => {owned, Owner} | gone}
%%   requests    #{Request => {Owner, Box, Replies}}: the replies it may have besides {error, closed}

%% None: no order explains the answers.
-spec find([event()]) -> {ok, [event()]} | none.
find(Events) ->
    [Settled] = [From || #{command := settle, from := From} <- Events],
    Told = lists:append([told(Event, Events, Settled) || Event <- Events]),
    Start = #{dead => [], boxes => #{}, requests => #{}},
    case search(lists:zip(lists:seq(1, length(Told)), Told), Start, #{}) of
        {found, Order} -> {ok, Order};
        {lost, _} -> none
    end.

%% Whether somebody interrupted the box while a call of it was in progress. A dead owner's command is
%% two events: that it was dead, and what perhaps came of it.
told(#{command := Command, result := dead} = Event, _, Settled) when Command =/= ties ->
    [Event, Event#{result := perhaps, to := Settled}];
told(#{command := call, args := [_, Box, _], from := From, to := To} = Event, Events, _) ->
    [Event#{interrupted =>
                lists:any(fun(#{command := interrupt, args := [Of], from := F, to := T}) ->
                                  Of =:= Box andalso F =< To andalso From =< T;
                             (_) ->
                                  false
                          end, Events)}];
told(Event, _, _) ->
    [Event].

%% Seen are the dead ends.
search([], _, _) ->
    {found, []};
search(Left, State, Seen) ->
    Where = {[Number || {Number, _} <- Left], State},
    case Seen of
        #{Where := _} ->
            {lost, Seen};
        #{} ->
            case first_of([Next || Event <- Left, is_next(Event, Left), Next <- nexts(Event, Left, State)],
                          Seen) of
                {lost, More} -> {lost, More#{Where => lost}};
                Found -> Found
            end
    end.

first_of([], Seen) ->
    {lost, Seen};
first_of([{Event, Left, State} | Nexts], Seen) ->
    case search(Left, State, Seen) of
        {found, Order} -> {found, [Event | Order]};
        {lost, More} -> first_of(Nexts, More)
    end.

%% Nobody else was through before it began.
is_next({_, #{from := From}}, Left) ->
    lists:all(fun({_, #{to := To}}) -> To >= From end, Left).

%% What may come after the state, if this event does.
nexts({_, Event} = Numbered, Left, State) ->
    [{Event, Left -- [Numbered], Next} || Now <- perhaps_gone(Event, State), Next <- after_it(Event, Now)].

perhaps_gone(Event, #{dead := Dead, boxes := Boxes} = State) ->
    [State | [closed(Box, State) || Box <- boxes(Event, State),
                                    {owned, Owner} <- [maps:get(Box, Boxes, gone)],
                                    lists:member(Owner, Dead)]].

boxes(#{command := receive_reply, args := [_, Request]}, #{requests := Requests}) ->
    [Box || {_, Box, _} <- [maps:get(Request, Requests, none)]];
boxes(#{command := Command, args := [Box | _]}, _)
  when Command =:= interrupt; Command =:= leak; Command =:= probe -> [Box];
boxes(#{command := close, args := [Box]}, _) -> [Box];
boxes(#{command := Command}, _) when Command =:= kill; Command =:= ties;
                                        Command =:= settle -> [];
boxes(#{args := [_, Box | _]}, _) -> [Box].

%% The states after it, if the answer is right.
after_it(#{command := receive_reply, result := perhaps}, State) ->
    [State];
after_it(#{command := Command, args := Args, result := perhaps} = Event, State) ->
    lists:usort([State | [Next || {_, Next} <- steps(Command, Args, Event#{interrupted => false}, State)]]);
after_it(#{result := dead, args := [Owner | _]}, State) ->
    [State || not lives(Owner, State)];
after_it(#{command := Command, args := Args, result := Result} = Event, State) ->
    case needs_owner(Command, Args, Result) andalso not lives(hd(Args), State) of
        true -> [];
        false -> [Next || {Right, Next} <- steps(Command, Args, Event, State), Right =:= Result]
    end.

%% Nobody is asked about what was never opened, or was sent before.
needs_owner(_, _, Result) when Result =:= none; Result =:= exists ->
    false;
needs_owner(Command, Args, _) ->
    not lists:member(Command, [interrupt, leak, probe, kill, receive_reply, settle])
        andalso {Command, length(Args)} =/= {close, 1}.

lives(Owner, #{dead := Dead}) -> not lists:member(Owner, Dead).

%% Every right answer of a command, with what it leads to.
steps(open_new, [Owner, Box], _, #{boxes := Boxes} = State) ->
    case Boxes of
        #{Box := _} -> [{exists, State}];
        #{} -> [{ok, State#{boxes := Boxes#{Box => {owned, Owner}}}}]
    end;
steps(receive_reply, [Owner, Request], _, #{requests := Requests} = State) ->
    Taken = State#{requests := maps:remove(Request, Requests)},
    case Requests of
        #{Request := {Owner, Box, Replies}} ->
            %% The dead have no requests, a moment after their death.
            [{none, Taken} || not lives(Owner, State)]
                ++ [{Reply, Taken} || lives(Owner, State), Reply <- may_be(Box, Replies, State)];
        #{} ->
            [{none, State}]
    end;
%% One watcher for each box. Only when all is quiet, and the boxes of the dead have been looked at.
steps(ties, [Owner], _, #{boxes := Boxes} = State) ->
    [{{length([Box || {Box, {owned, By}} <- maps:to_list(Boxes), By =:= Owner]), 0}, State}];
steps(settle, [], _, State) ->
    [{ok, State}];
steps(kill, [Owner], _, #{dead := Dead} = State) ->
    [{ok, State#{dead := lists:usort([Owner | Dead])}}];
steps(Command, Args, Event, #{boxes := Boxes} = State) ->
    [Box] = boxes(Event, State),
    case Boxes of
        #{Box := _} -> box_steps(Command, Args, Event, State);
        #{} -> [{none, State}]
    end.

may_be(Box, Replies, #{boxes := Boxes}) ->
    case Boxes of
        #{Box := gone} -> [{error, closed} | Replies];
        #{} -> Replies
    end.

box_steps(call, [Owner, Box, Script], Event, State) ->
    case right(Owner, Box, State) of
        ok -> [{?WORLD:result(Script), State}
               | [{{error, interrupted}, State} || maps:get(interrupted, Event)]];
        Refused -> [{Refused, State}]
    end;
box_steps(send, [Owner, Box, Request, Script], _, #{requests := Requests} = State) ->
    Sent = fun(Replies) -> State#{requests := Requests#{Request => {Owner, Box, Replies}}} end,
    First = case right(Owner, Box, State) of
                ok -> [{ok, Sent([?WORLD:result(Script)])}];
                %% A request may also be refused by its reply.
                Refused -> [{Refused, State}, {ok, Sent([Refused])}]
            end,
    case Requests of
        #{Request := {Sender, _, _}} -> [{none, State} | [Step || not lives(Sender, State), Step <- First]];
        #{} -> First
    end;
box_steps(interrupt, [Box], _, #{requests := Requests} = State) ->
    Told = maps:map(fun(_, {Owner, Of, Replies}) when Of =:= Box ->
                            {Owner, Of, lists:usort([{error, interrupted} | Replies])};
                       (_, Request) ->
                            Request
                    end, Requests),
    [{ok, State#{requests := Told}}];
box_steps(give_away, [Owner, Box, Heir], _, #{boxes := Boxes} = State) ->
    case {right(Owner, Box, State), lives(Heir, State)} of
        {ok, true} -> [{ok, State#{boxes := Boxes#{Box := {owned, Heir}}}}];
        {ok, false} -> [{{error, noproc}, State}];
        {Refused, _} -> [{Refused, State}]
    end;
box_steps(close, [Box], _, State) -> [{ok, closed(Box, State)}];
box_steps(close, [_, Box], _, State) -> [{ok, closed(Box, State)}];
box_steps(info, [Owner, Box], _, State) -> [{right(Owner, Box, State), State}];
box_steps(leak, [Box, _], _, State) -> [{right(nobody, Box, State), State}];
%% Whose it is when all is quiet.
box_steps(probe, [Box], _, #{boxes := Boxes, dead := Dead} = State) ->
    case Boxes of
        #{Box := gone} -> [{gone, State}];
        #{Box := {owned, Owner}} -> [{{owned, Owner}, State} || not lists:member(Owner, Dead)]
    end.

right(Who, Box, #{boxes := Boxes}) ->
    case Boxes of
        #{Box := gone} -> {error, closed};
        #{Box := {owned, Who}} -> ok;
        #{Box := {owned, _}} -> {error, not_owner}
    end.

closed(Box, #{boxes := Boxes} = State) -> State#{boxes := Boxes#{Box := gone}}.
