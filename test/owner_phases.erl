%% SPDX-License-Identifier: Apache-2.0
%% Owners that are killed at a moment of our choice. What they do is timed by chance, so each killing
%% also finds out where it met its owner, by evidence that cannot be had anywhere else:
%%
%%   before, late    the owner had not begun, or was through with it
%%   anything else   it was met where it should be; each phase says by what that is known
%%
%% A killing returns when the handle says closed.
-module(owner_phases).

-export([all/0, exists/2, met/1, kill_at/2]).
-export_type([phase/0, place/0, rig/0]).

-import(owner_meeting, [meet/5, meet/6, meet_from_afar/6, begin_to/3, act/2, wait/2, until/1, hesitate/1,
                        stage/1, still/2, died/2, kill/1, end_owner/2, end_held/1, closed/1]).

-type phase() :: opening | idle | in_a_call | between_slices | in_conversion | in_a_callback
               | in_a_handler | in_an_owners_function | in_line | closing | being_closed | giving_away
               | heir_dies | both_die.
-type place() :: atom().
%% heir: a process that lives on. marks: how far the owner is, and what the phase wants to know besides.
-type rig() :: #{config := list(), heir := {pid(), reference()}, marks := atomics:atomics_ref()}.

-define(DEADLINE_MS, 30000).
%% Of marks, the word that is a phase's own.
-define(NOTE, 2).
-define(CALLBACK_BYTES, (1 bsl 23)).
-define(REQUESTS, 150).
-define(NUMBERS, 100000).

-spec all() -> [phase(), ...].
all() ->
    [opening, idle, in_a_call, between_slices, in_conversion, in_a_callback, in_a_handler,
     in_an_owners_function, in_line, closing, being_closed, giving_away, heir_dies, both_die].

%% Slices exist where a call makes room for others.
-spec exists(phase(), Mode :: atom()) -> boolean().
exists(between_slices, Mode) -> Mode =/= inline andalso Mode =/= async;
exists(_, _) -> true.

-spec met(place()) -> boolean().
met(Place) -> Place =/= before andalso Place =/= late.

%% Where each owner was that was killed.
-spec kill_at(phase(), rig()) -> [place(), ...].
%% It died after it had begun and before it was through.
kill_at(opening, #{config := Config, marks := Marks}) ->
    {Owner, Monitor} = contract:heir(),
    Pause = longest(Config),
    _ = meet(Owner, Owner, Marks, fun() -> contract:open(Config) end, fun nothing/0, fun() ->
        ok = hesitate(Pause),
        true
    end),
    killed = died(Owner, Monitor),
    %% Whoever opens boxes for others may still have to open one for the dead, before this one.
    ok = contract:with_box(Config, fun(_) -> ok end),
    [stage(Marks)];

%% It waits for a message, after a call.
kill_at(idle, #{config := Config}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{}),
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    ok = until(fun() -> {status, waiting} =:= process_info(Owner, status) end),
    ok = hesitate(16),
    ok = end_owner(Victim, Config),
    [idle];

%% A call that does not end by itself is in progress.
kill_at(in_a_call, Rig) ->
    in_a_call(Rig, fun owner_meeting:end_owner/2, "while true do pcall(error) end",
              fun(Calls, _) -> Calls =:= 1 end);

%% And the comparator has allocated. It pauses like any other code.
kill_at(in_a_callback, Rig) ->
    in_a_call(Rig, fun owner_meeting:end_owner/2,
              ["table.sort({1, 2}, function() ", endless_with_bytes(), " end)"], fun has_bytes/2);

%% And the handler has allocated, which cannot pause: the first such step of a box in mode yield is on
%% the owner's scheduler, like one of a box in mode inline.
kill_at(in_a_handler, #{config := Config} = Rig) ->
    End = case proplists:get_value(mode, Config) of
              yield -> fun(Victim, _) -> end_held(Victim) end;
              _ -> fun owner_meeting:end_owner/2
          end,
    in_a_call(Rig, End, ["xpcall(error, function() ", endless_with_bytes(), " end)"],
              fun has_bytes/2);

kill_at(between_slices, #{config := Config}) ->
    case contract:strategy(Config) of
        port_program -> in_a_sliced_program(Config);
        _ -> between_slices(Config, inside_at_most(proplists:get_value(mode, Config)))
    end;

%% The call has begun, and the script's first statement has not been reached; or was, and its results
%% are on their way.
kill_at(in_conversion, #{config := Config, marks := Marks}) ->
    Reached = fun(_) -> ok = atomics:put(Marks, ?NOTE, 1), [] end,
    {Owner, _, Box} = Victim = contract:owner(Config, #{functions => #{reached => Reached}}),
    ok = contract:ask(Owner, fun() -> undefined = put(numbers, lists:seq(1, ?NUMBERS)), ok end),
    Convert = fun() -> tripod_lua:eval(Box, "reached() return ...", [get(numbers)]) end,
    Evidence = fun() -> {calls(Config), note(Marks), stage(Marks)} end,
    Begun = case rand:uniform(2) of
                1 -> fun() -> calls(Config) =:= 1 end;
                2 -> fun() -> note(Marks) =:= 1 end
            end,
    Met = case proplists:get_value(mode, Config) of
              inline -> meet_from_afar(Owner, Owner, Marks, Convert, Evidence, Begun);
              _ -> meet(Owner, Owner, Marks, Convert, Evidence, Begun)
          end,
    ok = end_owner(Victim, Config),
    [case Met of
         {{1, 0, _}, {_, 0, inside}} -> into_lua;
         {{1, 1, _}, {1, 1, inside}} -> out_of_lua;
         {{0, 0, _}, _} -> before;
         _ -> late
     end];

%% It died between the function's first and last expression; or while Lua ran and called it again.
kill_at(in_an_owners_function, #{config := Config, marks := Marks}) ->
    Next = fun([N]) ->
                   ok = atomics:add(Marks, ?NOTE, 1),
                   true = erlang:yield(),
                   ok = atomics:add(Marks, ?NOTE, 1),
                   [N + 1]
           end,
    {Owner, _, Box} = Victim =
        contract:owner(Config, #{time_ms => 60000, functions => #{next => Next}}),
    _ = meet(Owner, Owner, Marks,
             fun() -> tripod_lua:eval(Box, "local n = 0 while true do n = next(n) end") end,
             fun nothing/0, fun() -> note(Marks) > 0 end),
    ok = end_owner(Victim, Config),
    [case note(Marks) of
         0 -> before;
         Odd when Odd rem 2 =:= 1 -> in_the_function;
         _ -> asking
     end];

%% One request is in progress for ever. In some modes the others wait behind it.
kill_at(in_line, #{config := Config, marks := Marks}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{time_ms => 60000}),
    Send = fun(Source) ->
                   {ok, _} = tripod:send(Box, {eval, Source, []}),
                   ok = atomics:add(Marks, ?NOTE, 1)
           end,
    ok = begin_to(Owner, Marks, fun() ->
        [Send(Source) || Source <- [<<"while true do pcall(error) end">>
                                    | lists:duplicate(?REQUESTS, <<"return 1">>)]]
    end),
    ok = wait(Marks, fun() -> calls(Config) > 0 end),
    Calls = calls(Config),
    ok = end_owner(Victim, Config),
    [case {Calls, note(Marks)} of
         {0, _} -> before;
         {_, 0} -> sending;
         {_, Sent} when Sent < ?REQUESTS -> others_in_line;
         {_, _} -> all_in_line
     end];

kill_at(closing, #{config := Config, marks := Marks}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{}),
    _ = meet(Owner, Owner, Marks, fun() -> tripod:close(Box) end, fun nothing/0),
    ok = end_owner(Victim, Config),
    [stage(Marks)];

%% By another process, which had begun before the owner was killed and was not through after that.
kill_at(being_closed, #{config := Config, marks := Marks}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{time_ms => 60000}),
    ok = contract:tell(Owner, fun() -> tripod_lua:eval(Box, "while true do pcall(error) end") end),
    ok = until(fun() -> calls(Config) =:= 1 end),
    {Closer, Monitor} =
        spawn_opt(fun() -> act(Marks, fun() -> ok = tripod:close(Box) end) end,
                  [monitor, contract:scheduler(first)]),
    ok = wait(Marks, fun() -> true end),
    Place = stage(Marks),
    true = exit(Owner, kill),
    Later = stage(Marks),
    normal = died(Closer, Monitor),
    ok = end_owner(Victim, Config),
    [still(Place, Later)];

%% Either the heir has it, for good, or nobody.
kill_at(giving_away, #{config := Config, marks := Marks, heir := {Heir, _}}) ->
    {Owner, Monitor, Box} = contract:owner(Config, #{}),
    _ = meet(Owner, Owner, Marks, fun() -> tripod:give_away(Box, Heir) end, fun nothing/0),
    killed = died(Owner, Monitor),
    Use = fun() -> tripod_lua:eval(Box, "return 1") end,
    ok = contract:await(fun() ->
        Reply = contract:ask(Heir, Use),
        Reply =/= {error, not_owner} orelse Reply
    end),
    Place = case {stage(Marks), contract:ask(Heir, Use)} of
                {before, {error, closed}} -> before;
                {late, {ok, [1]}} -> late;
                {inside, {ok, [1]}} -> given;
                {inside, {error, closed}} -> not_given
            end,
    ok = contract:ask(Heir, fun() -> tripod:close(Box) end),
    ok = closed(Box),
    [Place];

%% It is told that nobody was there, and has its box; or the box is gone.
kill_at(heir_dies, #{config := Config, marks := Marks}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{}),
    {Heir, _} = Dying = contract:heir(anywhere()),
    Self = self(),
    {Place, Later} = meet(Owner, Heir, Marks, fun() -> Self ! {given, tripod:give_away(Box, Heir)} end,
                          fun() -> stage(Marks) end),
    killed = kill(Dying),
    case receive {given, Given} -> Given after ?DEADLINE_MS -> hangs end of
        ok ->
            ok = closed(Box);
        {error, noproc} ->
            {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end)
    end,
    ok = end_owner(Victim, Config),
    [still(Place, Later)];

kill_at(both_die, #{config := Config, marks := Marks}) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{}),
    {Heir, _} = Dying = contract:heir(anywhere()),
    _ = meet(Owner, Heir, Marks, fun() -> tripod:give_away(Box, Heir) end,
             fun() -> exit(Owner, kill) end),
    ok = end_owner(Victim, Config),
    killed = kill(Dying),
    [stage(Marks)].

in_a_call(#{config := Config, marks := Marks}, End, Source, Is) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{time_ms => 60000}),
    There = fun() ->
                    #{calls := Calls, bytes := Bytes} = tripod:census(contract:strategy(Config)),
                    Is(Calls, Bytes)
            end,
    ok = begin_to(Owner, Marks, fun() -> tripod_lua:eval(Box, Source) end),
    ok = wait(Marks, There),
    Place = case There() of true -> in_it; false -> before end,
    ok = End(Victim, Config),
    [Place].

endless_with_bytes() ->
    ["local s = ('x'):rep(", integer_to_list(?CALLBACK_BYTES), ") while true do pcall(error) end"].

has_bytes(Calls, Bytes) -> Calls =:= 1 andalso Bytes >= ?CALLBACK_BYTES.

%% More calls are in progress than threads there are for them, so that some are between two slices.
between_slices(Config, Inside) ->
    Victims = [contract:owner(Config, #{time_ms => 60000}) || _ <- lists:seq(1, Inside + 3)],
    lists:foreach(fun({Owner, _, Box}) ->
        contract:tell(Owner, fun() -> tripod_lua:eval(Box, "while true do pcall(error) end") end)
    end, Victims),
    ok = until(fun() -> calls(Config) =:= length(Victims) end),
    ok = hesitate(16),
    lists:foreach(fun({Owner, _, _}) -> exit(Owner, kill) end, Victims),
    lists:foreach(fun(Victim) -> ok = end_owner(Victim, Config) end, Victims),
    lists:duplicate(3, between) ++ lists:duplicate(Inside, late).

%% A run that could not leave its scheduler in time may be on a dirty one.
inside_at_most(yield) -> 1 + erlang:system_info(dirty_cpu_schedulers_online);
inside_at_most(dirty) -> erlang:system_info(dirty_cpu_schedulers_online);
inside_at_most(thread) -> erlang:system_info(schedulers).

%% It has computed for longer than a slice, twice.
in_a_sliced_program(Config) ->
    {Owner, _, Box} = Victim = contract:owner(Config, #{time_ms => 60000}),
    {_, {OsPid, _}} = os_process:of_owner(Owner),
    Began = computed_ns(OsPid),
    ok = contract:tell(Owner, fun() -> tripod_lua:eval(Box, "while true do pcall(error) end") end),
    ok = until(fun() -> computed_ns(OsPid) - Began > 3000000 end),
    ok = hesitate(16),
    1 = calls(Config),
    ok = end_owner(Victim, Config),
    [sliced].

computed_ns(OsPid) ->
    {ok, Text} = file:read_file(lists:concat(["/proc/", OsPid, "/schedstat"])),
    binary_to_integer(hd(string:lexemes(Text, " "))).

%% An operating system process takes milliseconds to start.
longest(Config) ->
    case contract:strategy(Config) of
        port_program -> 23;
        _ -> 4
    end.

calls(Config) -> maps:get(calls, tripod:census(contract:strategy(Config))).

%% An heir on the owner's scheduler dies when the owner is scheduled out; elsewhere, at any moment.
anywhere() -> lists:nth(rand:uniform(2), [first, last]).

nothing() -> none.

note(Marks) -> atomics:get(Marks, ?NOTE).
