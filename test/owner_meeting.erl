%% SPDX-License-Identifier: Apache-2.0
%% Where an owner and its killer meet: one does something, the other ends it, or somebody else, in the
%% middle of that, and says what it found. Marks are two words: the first says how far the one is, the
%% second is for those who need another.
-module(owner_meeting).

-export([meet/5, meet/6, meet_from_afar/6, begin_to/3, act/2, wait/2, until/1, hesitate/1]).
-export([stage/1, still/2, died/2, kill/1, end_owner/2, end_held/1, closed/1]).
-export_type([stage/0]).

%% Whether it has begun, and is through with it.
-type stage() :: before | inside | late.
-type process() :: {pid(), Monitor :: reference()}.
-type owner() :: {pid(), Monitor :: reference(), tripod:box()}.

-define(DEADLINE_MS, 30000).
-define(LOOKS, 1000).
%% Of marks.
-define(STAGE, 1).
-define(READY, 1).
-define(BEGUN, 2).
-define(DONE, 3).

%% Actor does something, in the middle of which Victim is killed, or about then: once Begun, most often.
%% Returns what Evidence said before and after that.
-spec meet(pid(), pid(), atomics:atomics_ref(), fun(() -> term()), fun(() -> Found)) -> {Found, Found}.
meet(Actor, Victim, Marks, Do, Evidence) ->
    meet(Actor, Victim, Marks, Do, Evidence, fun() -> true end).

-spec meet(pid(), pid(), atomics:atomics_ref(), fun(() -> term()), fun(() -> Found),
           Begun :: fun(() -> boolean())) -> {Found, Found}.
meet(Actor, Victim, Marks, Do, Evidence, Begun) ->
    case rand:uniform(3) of
        1 -> meet_from_afar(Actor, Victim, Marks, Do, Evidence, Begun);
        _ -> meet_by_turns(Actor, Victim, Marks, Do, Evidence, Begun)
    end.

%% The killer shares the scheduler of Actor, and so finds it wherever it was scheduled out.
meet_by_turns(Actor, Victim, Marks, Do, Evidence, Begun) ->
    Meet = fun() ->
                   ok = until_begun(Marks, Begun),
                   exit({met, kill_watched(Victim, Evidence)})
           end,
    {Killer, Monitor} =
        spawn_opt(Meet, [monitor, contract:scheduler(last)]),
    ok = begin_to(Actor, Marks, Do),
    {met, Met} = died(Killer, Monitor),
    Met.

%% The killer is on another scheduler.
-spec meet_from_afar(pid(), pid(), atomics:atomics_ref(), fun(() -> term()), fun(() -> Found),
                     Begun :: fun(() -> boolean())) -> {Found, Found}.
meet_from_afar(Actor, Victim, Marks, Do, Evidence, Begun) ->
    ok = begin_to(Actor, Marks, Do),
    ok = wait(Marks, Begun),
    kill_watched(Victim, Evidence).

kill_watched(Victim, Evidence) ->
    Was = Evidence(),
    true = exit(Victim, kill),
    {Was, Evidence()}.

%% Or was through with it before that was seen.
until_begun(Marks, Begun) ->
    until(fun() ->
        case stage(Marks) of
            before -> false;
            inside -> Begun();
            late -> true
        end
    end).

%% Returns when Actor is about to. All look at a word instead of waiting for a message, because waking
%% up takes longer than most of what is done.
-spec begin_to(pid(), atomics:atomics_ref(), fun(() -> term())) -> ok.
begin_to(Actor, Marks, Do) ->
    ok = contract:tell(Actor, fun() -> act(Marks, Do) end),
    until(fun() -> atomics:get(Marks, ?STAGE) =/= 0 end).

-spec act(atomics:atomics_ref(), fun(() -> term())) -> ok.
act(Marks, Do) ->
    ok = atomics:put(Marks, ?STAGE, ?READY),
    ok = hesitate(12),
    ok = owner_noise:narrow(),
    ok = atomics:put(Marks, ?STAGE, ?BEGUN),
    _ = Do(),
    ok = atomics:put(Marks, ?STAGE, ?DONE).

%% What is done takes from a microsecond to milliseconds.
-spec wait(atomics:atomics_ref(), fun(() -> boolean())) -> ok.
wait(Marks, Begun) ->
    ok = case rand:uniform(4) of 1 -> ok; _ -> until_begun(Marks, Begun) end,
    case rand:uniform(2) of 1 -> ok; 2 -> hesitate(20) end.

%% As many turns of each order of magnitude.
-spec hesitate(pos_integer()) -> ok.
hesitate(Powers) -> owner_noise:hesitate(1 bsl rand:uniform(Powers)).

-spec stage(atomics:atomics_ref()) -> stage().
stage(Marks) ->
    case atomics:get(Marks, ?STAGE) of
        ?BEGUN -> inside;
        ?DONE -> late;
        _ -> before
    end.

-spec still(stage(), stage()) -> stage().
still(inside, inside) -> inside;
still(before, _) -> before;
still(_, late) -> late.

%% At first without the pauses of contract:await/1.
-spec until(fun(() -> boolean())) -> ok.
until(Condition) -> until(Condition, ?LOOKS).

until(Condition, 0) ->
    contract:await(Condition, ?DEADLINE_MS);
until(Condition, Looks) ->
    case Condition() of
        true ->
            ok;
        false ->
            true = erlang:yield(),
            until(Condition, Looks - 1)
    end.

-spec died(pid(), reference()) -> term().
died(Pid, Monitor) ->
    receive
        {'DOWN', Monitor, process, Pid, Why} -> Why
    after ?DEADLINE_MS ->
        error({lives, Pid})
    end.

-spec kill(process()) -> term().
kill({Pid, Monitor}) ->
    true = exit(Pid, kill),
    died(Pid, Monitor).

-spec end_owner(owner(), list()) -> ok.
end_owner({Owner, Monitor, Box} = Victim, Config) ->
    case proplists:get_value(mode, Config) of
        inline -> end_held(Victim);
        _ -> killed = kill({Owner, Monitor}), closed(Box)
    end.

%% No process can end while C code holds its scheduler. The call may be interrupted before it has
%% begun, and then again.
-spec end_held(owner()) -> ok.
end_held({Owner, Monitor, Box}) ->
    true = exit(Owner, kill),
    killed = ended(Owner, Monitor, Box, erlang:monotonic_time(millisecond) + ?DEADLINE_MS),
    closed(Box).

%% Not is_process_alive/1, which waits for the scheduler that is held.
ended(Owner, Monitor, Box, Deadline) ->
    receive
        {'DOWN', Monitor, process, Owner, Why} -> Why
    after 1 ->
        erlang:monotonic_time(millisecond) < Deadline orelse error({lives, Owner}),
        ok = tripod:interrupt(Box),
        ended(Owner, Monitor, Box, Deadline)
    end.

-spec closed(tripod:box()) -> ok.
closed(Box) ->
    contract:await(fun() ->
        Reply = tripod_lua:eval(Box, "return 1"),
        Reply =:= {error, closed} orelse Reply
    end).
