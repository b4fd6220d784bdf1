%% SPDX-License-Identifier: Apache-2.0
%% The NIF's module is loaded anew, deleted and purged under boxes in every state of every mode. Code
%% that is purged takes the processes with it that run it, as everywhere in Erlang; whoever lives on
%% keeps its box, and of the others no byte stays. TRIPOD_REPEAT says how often each is tried.
%%
%% Each group runs in a node of its own, with processes that keep its schedulers busy.
-module(nif_reload_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/3, no_boxes/0, until/1]).

-export([suite/0, all/0, groups/0, init_per_group/2, end_per_group/2]).
-export([reloaded/1, reloaded_softly/1, deleted/1, deleted_softly/1]).

-define(LIBRARY, tripod_nif_lib).
%% Met only by what hangs.
-define(DEADLINE_MS, 30_000).
%% Of a case that tries each state once.
-define(LIMIT_MS, 240_000).

suite() -> [{timetrap, 60_000 + contract:limit_ms(?LIMIT_MS, 1)}].

all() -> [{group, Group} || {Group, _, _} <- groups()].

groups() ->
    [{list_to_atom(lists:concat([Mode, ":", Cleanup])), [],
      [reloaded, reloaded_softly, deleted, deleted_softly]}
     || Mode <- tripod_nif:modes(), Cleanup <- [owner, gc]].

init_per_group(Group, Config) ->
    [Mode, Cleanup] = string:split(atom_to_list(Group), ":"),
    Started = nif_node:start([], [], [{times, contract:repetitions(1)},
                                      {mode, list_to_existing_atom(Mode)},
                                      {cleanup, list_to_existing_atom(Cleanup)} | Config]),
    true = unlink(?config(peer, Started)), % the process that starts a group ends
    Started.

end_per_group(_, Config) -> nif_node:stop(Config).

%% Twice, so that the code that the calls were made by is purged too.
reloaded(Config) -> each_state(Config, fun() -> load(), purge(), load(), purge() end).
reloaded_softly(Config) -> each_state(Config, fun() -> load(), soft_purge() end).
%% The next call loads the module again.
deleted(Config) -> each_state(Config, fun() -> delete(), purge() end).
deleted_softly(Config) -> each_state(Config, fun() -> delete(), soft_purge() end).

load() -> {module, ?LIBRARY} = code:load_file(?LIBRARY).
delete() -> true = code:delete(?LIBRARY).
purge() -> code:purge(?LIBRARY).
soft_purge() -> code:soft_purge(?LIBRARY).

each_state(Config, Act) ->
    [Mode, Cleanup, Times] = [?config(Key, Config) || Key <- [mode, cleanup, times]],
    Ends = in_peer(Config, fun() -> each_state(Mode, Cleanup, Times, Act) end,
                   contract:limit_ms(?LIMIT_MS, 1)),
    ct:log("~p", [Ends]).

%% Whether owners lived, for each state.
each_state(Mode, Cleanup, Times, Act) ->
    {ok, _} = application:ensure_all_started(tripod),
    ok = contract:bind(),
    Threads = threads(),
    Noise = [spawn_link(fun noise/0) || _ <- lists:seq(1, erlang:system_info(schedulers))],
    Ends = [begin
                End = once(Mode, Cleanup, State, Act),
                _ = purge(),
                no_boxes(),
                {State, End}
            end || _ <- lists:seq(1, Times), State <- states(Mode)],
    [begin true = unlink(Pid), nif_node:kill(Pid) end || Pid <- Noise],
    _ = code:delete(?LIBRARY),
    _ = purge(),
    until(fun() -> erlang:garbage_collect(), threads() =:= Threads end),
    lists:usort(Ends).

threads() ->
    {ok, Names} = file:list_dir("/proc/self/task"),
    length(Names).

noise() ->
    _ = lists:seq(1, rand:uniform(2000)),
    erlang:yield(),
    noise().

states(thread) ->
    [idle, endless, in_a_handler, in_line, large_request, large_reply, in_a_callback];
states(_) -> [idle, endless, in_a_comparator, in_a_handler, large_request, large_reply, in_a_callback].

%% What one owner does at that moment; how it goes on if it is still there, and its box with it.
once(Mode, Cleanup, State, Act) ->
    {Owner, Monitor, Box} =
        contract:owner([{strategy, nif}, {mode, Mode}],
                       #{cleanup => Cleanup, time_ms => time_ms(Mode),
                         functions => #{<<"wait">> => wait(self())}}),
    ok = begin_call(State, Mode, Owner, Box),
    _ = Act(),
    ok = end_call(State, Owner, Box),
    receive
        {reply, Owner, Replies} ->
            ok = all_right(State, Mode, Replies),
            goes_on(Mode, Cleanup, State, Owner, Monitor, Box);
        {'DOWN', Monitor, process, Owner, killed} ->
            gone(Mode, Cleanup, State, Box)
    after ?DEADLINE_MS ->
        error({hangs, State, tripod:census(nif)})
    end.

%% The purge may have found the owner in the code, and the owner may have come out and replied before it
%% was killed for it.
goes_on(Mode, Cleanup, State, Owner, Monitor, Box) ->
    Self = self(),
    ok = contract:tell(Owner, fun() -> Self ! {again, Owner, tripod_lua:eval(Box, "return 1")} end),
    receive
        {again, Owner, Reply} ->
            ?assertEqual({ok, [1]}, Reply),
            ok = end_box(Cleanup, rand:uniform(3), Owner, Monitor, Box),
            lives;
        {'DOWN', Monitor, process, Owner, killed} ->
            gone(Mode, Cleanup, State, Box)
    after ?DEADLINE_MS ->
        error({hangs_again, State, tripod:census(nif)})
    end.

gone(Mode, Cleanup, State, Box) ->
    true = may_die(Mode, State),
    ok = leave(Cleanup, Box),
    dies.

%% It ran purged code: it was between two steps, or on a dirty scheduler. On a normal one it comes out
%% first, and elsewhere it waits in Erlang code.
may_die(_, State) when State =:= idle; State =:= in_a_callback -> false;
may_die(inline, _) -> false;
may_die(thread, State) -> State =:= large_request; % while it is copied
may_die(_, _) -> true.

%% A purge waits for the call of an inline box, and for one of a yield box that cannot be sliced.
time_ms(inline) -> 30;
time_ms(_) -> 60_000.

wait(Case) ->
    fun([]) ->
            Case ! {waits, self()},
            receive go_on -> [1] end
    end.

begin_call(State, Mode, Owner, Box) ->
    Case = self(),
    ok = contract:tell(Owner, fun() ->
        State =:= in_a_callback orelse begin Case ! {waits, self()} end,
        Case ! {reply, self(), calls(State, Box)}
    end),
    receive {waits, Owner} -> ok after ?DEADLINE_MS -> error({does_not_begin, State}) end,
    %% Else its interrupt would come before it.
    (State =:= in_line orelse (endless(State) andalso Mode =/= inline))
        andalso until(fun() -> maps:get(calls, tripod:census(nif)) =:= 1 end),
    spin(rand:uniform(20_000)).

endless(State) -> State =:= endless orelse State =:= in_a_comparator.

spin(0) -> ok;
spin(N) -> spin(N - 1).

calls(idle, _) -> [];
calls(endless, Box) -> [tripod_lua:eval(Box, "while true do pcall(error) end")];
calls(in_a_comparator, Box) ->
    [tripod_lua:eval(Box, "table.sort({1, 2}, function() while true do pcall(error) end end)")];
%% It cannot pause.
calls(in_a_handler, Box) ->
    Source = <<"xpcall(error, function() while true do pcall(error) end end)">>,
    [tripod:call(Box, {eval, Source, []}, #{time_ms => 30})];
calls(in_a_callback, Box) -> [tripod_lua:eval(Box, "return wait()")];
calls(in_line, Box) ->
    Ids = [begin
               {ok, Id} = tripod:send(Box, {eval, Source, []}),
               Id
           end || Source <- [<<"while true do end">>, <<"return 1">>, <<"return 1">>]],
    [tripod:receive_reply(Id, infinity) || Id <- Ids];
calls(large_request, Box) ->
    large(fun() -> tripod_lua:eval(Box, "return #(...)", [lists:seq(1, 20_000)]) end);
calls(large_reply, Box) ->
    Source = "local t = {} for i = 1, 20000 do t[i] = i end return t",
    large(fun() ->
              case tripod_lua:eval(Box, Source) of
                  {ok, [List]} -> {ok, [length(List)]};
                  Error -> Error
              end
          end).

%% Over and over, until somebody says that it is enough: each ends by itself.
large(Call) ->
    Reply = Call(),
    receive enough -> [Reply] after 0 -> large_again(Reply, Call) end.

large_again({ok, _}, Call) -> large(Call);
large_again(Error, _) -> receive enough -> [Error] end.

end_call(idle, _, _) -> ok;
end_call(in_a_callback, Owner, _) -> Owner ! go_on, ok;
end_call(State, Owner, _) when State =:= large_request; State =:= large_reply ->
    Owner ! enough,
    ok;
end_call(_, _, Box) -> tripod:interrupt(Box).

all_right(idle, _, []) -> ok;
all_right(in_a_callback, _, [{ok, [1]}]) -> ok;
all_right(in_line, _, [{error, interrupted}, {ok, [1]}, {ok, [1]}]) -> ok;
all_right(State, _, [{ok, [20_000]}]) when State =:= large_request; State =:= large_reply -> ok;
all_right(in_a_handler, _, [{error, {limit, time}}]) -> ok;
all_right(State, inline, [{error, {limit, time}}]) when State =/= in_a_callback -> ok;
all_right(State, _, [{error, interrupted}])
  when State =:= endless; State =:= in_a_comparator; State =:= in_a_handler -> ok.

end_box(_, 1, Owner, Monitor, Box) ->
    ok = tripod:close(Box),
    kill(Owner, Monitor);
end_box(_, 2, Owner, Monitor, Box) ->
    ok = contract:ask(Owner, fun() -> tripod:close(Box) end),
    kill(Owner, Monitor);
end_box(Cleanup, 3, Owner, Monitor, Box) ->
    ok = kill(Owner, Monitor),
    leave(Cleanup, Box).

kill(Owner, Monitor) ->
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end.

%% The owner is dead, and this process has the handle.
leave(owner, _) -> ok;
leave(gc, Box) -> tripod:close(Box).
