%% SPDX-License-Identifier: Apache-2.0
%% What the contract suites share: which strategies and modes there are, opening a box of the one
%% under test, and waiting until nothing is alive.
-module(contract).

-export([groups/0, options/1, strategy/1, open/1, open/2, with_box/2, with_box/3]).
-export([bind/0, scheduler/1, await_nothing_alive/0, await/1, await/2, owner/2, heir/0, heir/1]).
-export([tell/2, ask/2, mailbox/0, repetitions/1, limit_ms/2]).

%% Met only by what hangs.
-define(DEADLINE_MS, 30000).

%% One group per strategy and mode: 'nif:yield' and so on (Common Test makes file names of them).
-spec groups() -> [atom()].
groups() ->
    [group(Strategy, Mode) || Strategy <- tripod_strategy:all(),
                              Mode <- (tripod_strategy:room(Strategy)):modes()].

group(Strategy, Mode) -> list_to_atom(lists:concat([Strategy, ":", Mode])).

%% What a case finds in its configuration.
-spec options(atom()) -> [{strategy | mode, atom()}].
options(Group) ->
    [Strategy, Mode] = string:split(atom_to_list(Group), ":"),
    [{strategy, list_to_existing_atom(Strategy)}, {mode, list_to_existing_atom(Mode)}].

-spec strategy(list()) -> atom().
strategy(Config) -> proplists:get_value(strategy, Config).

-spec open(list()) -> tripod:box().
open(Config) -> open(Config, #{}).

%% What a case says nothing of takes as long as it takes: the limit of a call that need not end by it
%% is the deadline of everything else.
-spec open(list(), map()) -> tripod:box().
open(Config, Options) ->
    {ok, Box} = tripod:open(strategy(Config),
                            maps:merge(#{time_ms => ?DEADLINE_MS},
                                       Options#{mode => proplists:get_value(mode, Config)})),
    Box.

-spec with_box(list(), fun((tripod:box()) -> Result)) -> Result.
with_box(Config, Use) -> with_box(Config, #{}, Use).

-spec with_box(list(), map(), fun((tripod:box()) -> Result)) -> Result.
with_box(Config, Options, Use) ->
    Box = open(Config, Options),
    try
        Use(Box)
    after
        ok = tripod:close(Box)
    end.

%% Keeps the calling process away from the scheduler of the owners.
-spec bind() -> ok.
bind() ->
    {Flag, _} = scheduler(first),
    _ = process_flag(Flag, 1),
    ok.

%% An option of spawn_opt/2: where the test case is, and where owners are. Not a constant, because OTP's
%% types leave it out.
-spec scheduler(first | last) -> {atom(), pos_integer()}.
scheduler(first) -> {binary_to_atom(<<"scheduler">>), 1};
scheduler(last) -> {binary_to_atom(<<"scheduler">>), erlang:system_info(schedulers)}.

%% The census is exact, but a death is noticed a moment after it happened.
-spec await_nothing_alive() -> ok.
await_nothing_alive() ->
    await(fun() ->
                  case tripod:census() of
                      #{boxes := 0, bytes := 0, calls := 0, os_processes := 0} -> true;
                      Census -> {still_alive, Census}
                  end
          end).

-spec await(fun(() -> true | term())) -> ok.
await(Condition) -> await(Condition, ?DEADLINE_MS).

%% Polls until the condition is true; fails with what it said last.
-spec await(fun(() -> true | term()), pos_integer()) -> ok.
await(Condition, Ms) ->
    await_until(Condition, erlang:monotonic_time(millisecond) + Ms).

await_until(Condition, Deadline) ->
    case Condition() of
        true ->
            ok;
        Otherwise ->
            erlang:monotonic_time(millisecond) < Deadline
                orelse erlang:error({deadline, Otherwise}),
            receive after 1 -> ok end,
            await_until(Condition, Deadline)
    end.

%% A process that opens a box and then does what it is told. Returns it, monitored, with the box.
%% It is bound to the last scheduler, and the test case from then on to the first, because an inline
%% call holds its scheduler with all that waits there, timers included.
-spec owner(list(), map()) -> {pid(), reference(), tripod:box()}.
owner(Config, Options) ->
    Self = self(),
    ok = bind(),
    {Pid, Monitor} =
        spawn_opt(fun() ->
                          Case = erlang:monitor(process, Self),
                          Self ! {opened, self(), open(Config, Options)},
                          obey(Case)
                  end, [monitor, scheduler(last)]),
    receive
        {opened, Pid, Box} -> {Pid, Monitor, Box};
        {'DOWN', Monitor, process, Pid, Why} -> erlang:error({owner_died, Why})
    after ?DEADLINE_MS ->
            erlang:error(owner_did_not_open)
    end.

%% Like an owner, but without a box of its own.
-spec heir() -> {pid(), reference()}.
heir() -> heir(last).

-spec heir(first | last) -> {pid(), reference()}.
heir(Where) ->
    Self = self(),
    {Pid, _} = Heir =
        spawn_opt(fun() -> obey(erlang:monitor(process, Self)) end,
                  [monitor, scheduler(Where)]),
    ok = ask(Pid, fun() -> ok end),
    Heir.

%% Ends with the test case, so that a case that fails leaves no owner behind.
obey(Case) ->
    receive
        {do, From, Ref, Action} -> From ! {Ref, Action()}, obey(Case);
        {do, Action} -> Action(), obey(Case);
        {'DOWN', Case, process, _, _} -> ok
    end.

%% Makes the owner run a function; tell does not wait for it, ask returns what it returned.
-spec tell(pid(), fun(() -> term())) -> ok.
tell(Pid, Action) ->
    Pid ! {do, Action},
    ok.

-spec ask(pid(), fun(() -> Result)) -> Result.
ask(Pid, Action) ->
    Ref = make_ref(),
    Pid ! {do, self(), Ref, Action},
    receive
        {Ref, Result} -> Result
    after ?DEADLINE_MS ->
            erlang:error(owner_did_not_answer)
    end.

%% Empties the mailbox and returns what was in it.
-spec mailbox() -> [term()].
mailbox() ->
    receive
        Message -> [Message | mailbox()]
    after 0 ->
            []
    end.

%% How often a moment is tried: TRIPOD_REPEAT, where that is set.
-spec repetitions(pos_integer()) -> pos_integer().
repetitions(Usually) ->
    case os:getenv("TRIPOD_REPEAT") of
        false -> Usually;
        Text -> list_to_integer(Text)
    end.

%% What may take so long at the usual number of repetitions, at the number there is.
-spec limit_ms(pos_integer(), pos_integer()) -> pos_integer().
limit_ms(Ms, Usually) -> max(Ms, Ms * repetitions(Usually) div Usually).
