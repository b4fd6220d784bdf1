%% SPDX-License-Identifier: Apache-2.0
%% Interrupts, closes, deaths and the ends of calls, whichever comes first, in both modes: who is hit
%% and by how much, and that every box, job and byte is given back once.
%%
%% Each case runs in a node of its own, with one async thread, so that a crash of the VM is one failed
%% case. Each race is run until it has ended in every way that it can, or it is none.
-module(port_driver_races_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(driver_node, [in_node/2, port/1, no_boxes/0, driver_users/0]).
-import(async_node, [open/0, open/1, echo/0, run/2, spin/1, blocked/0, release/1, forked/1, outcome/1,
                     settled/2]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([interrupts_race_inline_calls/1, interrupts_race_async_calls/1,
         interrupts_race_many_async_calls/1, inline_interrupts_are_quick/1,
         async_interrupts_are_quick/1, idle_interrupts_are_forgotten/1, close_races_jobs/1,
         owner_death_races_jobs/1, port_death_races_jobs/1, the_owners_own_close_races_jobs/1,
         closed_when_the_job_is_done/1, owner_killed_when_the_job_is_done/1,
         port_killed_when_the_job_is_done/1, loader_killed_in_a_job/1, unloaded_in_a_job/1,
         halted_in_a_job/1, stopped_in_a_job/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [interrupts_race_inline_calls, interrupts_race_async_calls, interrupts_race_many_async_calls,
     inline_interrupts_are_quick, async_interrupts_are_quick, idle_interrupts_are_forgotten,
     close_races_jobs, owner_death_races_jobs, port_death_races_jobs,
     the_owners_own_close_races_jobs, closed_when_the_job_is_done,
     owner_killed_when_the_job_is_done, port_killed_when_the_job_is_done, loader_killed_in_a_job,
     unloaded_in_a_job, halted_in_a_job, stopped_in_a_job].

-define(ROUNDS, 2000).

init_per_testcase(_, Config) -> driver_node:start([], ["+A", "1"], Config).

end_per_testcase(Case, _) when Case =:= halted_in_a_job; Case =:= stopped_in_a_job -> ok;
end_per_testcase(_, Config) -> driver_node:stop(Config).

%% --- interrupts ---

interrupts_race_inline_calls(Config) -> in_node(Config, fun() -> interrupts_race(inline) end).

interrupts_race_async_calls(Config) -> in_node(Config, fun() -> interrupts_race(async) end).

%% The interrupt has returned before the second call is made, so it is the first call's or nobody's.
%% The service counts instructions here, because it then sees an interrupt within microseconds.
interrupts_race(Mode) ->
    {Owner, Monitor, Box} = owner(Mode, #{preempt => count}),
    rounds(fun() ->
        Self = self(),
        contract:tell(Owner, fun() ->
            Self ! {first, tripod:call(Box, spin(rand:uniform(40_000)))},
            receive second -> Self ! {second, tripod:call(Box, run("return 7", []))} end
        end),
        turns(rand:uniform(40_000)),
        ok = tripod:interrupt(Box),
        Owner ! second,
        First = receive {first, Reply} -> Reply end,
        ?assertEqual({ok, [7]}, receive {second, Next} -> Next end),
        First
    end, [{ok, []}, {error, interrupted}]),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, _} -> ok end,
    no_boxes().

owner(Mode, Options) -> contract:owner([{strategy, port_driver}, {mode, Mode}], Options).

turns(0) -> ok;
turns(N) -> turns(N - 1).

rounds(Round, Outcomes) ->
    Missing = rounds(?ROUNDS, Round, Outcomes, Outcomes),
    ?assertEqual([], rounds(20 * ?ROUNDS, Round, Outcomes, Missing)),
    ?assertEqual([], contract:mailbox()).

rounds(0, _, _, Missing) ->
    Missing;
rounds(N, _, _, []) when N > ?ROUNDS ->
    [];
rounds(N, Round, Outcomes, Missing) ->
    Outcome = Round(),
    ?assert(lists:member(Outcome, Outcomes)),
    rounds(N - 1, Round, Outcomes, lists:delete(Outcome, Missing)).

%% Each interrupt ends one of the calls in flight, or none.
interrupts_race_many_async_calls(Config) ->
    in_node(Config, fun() ->
        Box = open(#{preempt => count}),
        rounds(fun() ->
            Interrupter = forked(fun() ->
                [begin turns(rand:uniform(10_000)), ok = tripod:interrupt(Box) end || _ <- [1, 2]]
            end),
            Requests = [begin {ok, Request} = tripod:send(Box, spin(10_000)), Request end
                        || _ <- lists:seq(1, 4)],
            [ok, ok] = outcome(Interrupter),
            {ok, Last} = tripod:send(Box, run("return 7", [])),
            Ends = [tripod:receive_reply(Request, infinity) || Request <- Requests],
            {ok, [7]} = tripod:receive_reply(Last, infinity),
            ?assertEqual([], lists:usort(Ends) -- [{ok, []}, {error, interrupted}]),
            length([End || {error, interrupted} = End <- Ends])
        end, [0, 1, 2]),
        ok = tripod:close(Box),
        no_boxes()
    end).

inline_interrupts_are_quick(Config) -> in_node(Config, fun() -> quick(inline) end).

async_interrupts_are_quick(Config) -> in_node(Config, fun() -> quick(async) end).

%% The best of many, because whatever else the machine does comes on top.
quick(Mode) ->
    {Owner, Monitor, Box} = owner(Mode, #{time_ms => 60_000}),
    Self = self(),
    Microseconds =
        [begin
             contract:tell(Owner, fun() ->
                 Reply = tripod:call(Box, spin(forever)),
                 Self ! {ended, Reply, erlang:monotonic_time(microsecond)}
             end),
             async_node:calling(1),
             Began = erlang:monotonic_time(microsecond),
             ok = tripod:interrupt(Box),
             Ended = receive {ended, {error, interrupted}, At} -> At end,
             Ended - Began
         end || _ <- lists:seq(1, 50)],
    ct:pal("~p: from ~b to ~b us", [Mode, lists:min(Microseconds), lists:max(Microseconds)]),
    ?assert(lists:min(Microseconds) < 5000),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, _} -> ok end,
    no_boxes().

idle_interrupts_are_forgotten(Config) ->
    in_node(Config, fun() ->
        [begin
             {Owner, Monitor, Box} = owner(Mode, #{preempt => count}),
             [begin
                  ok = tripod:interrupt(Box),
                  {ok, []} = contract:ask(Owner, fun() -> tripod:call(Box, spin(100)) end)
              end || _ <- lists:seq(1, ?ROUNDS)],
             exit(Owner, kill),
             receive {'DOWN', Monitor, process, Owner, _} -> ok end
         end || Mode <- [inline, async]],
        no_boxes()
    end).

%% --- a box ends while its jobs run, wait, or are about to be answered ---

close_races_jobs(Config) ->
    ends(Config, fun(_, Box) -> ok = tripod:close(Box) end, [closed, answered]).

owner_death_races_jobs(Config) ->
    ends(Config, fun(Owner, _) -> exit(Owner, kill) end, [killed, answered]).

port_death_races_jobs(Config) ->
    ends(Config, fun(_, Box) -> exit(port(Box), kill) end, [closed, answered]).

%% The owner opens the box, has requests in flight and waits for replies. It always learns how each
%% of them ended, or is dead.
ends(Config, End, Outcomes) ->
    in_node(Config, fun() ->
        settled(fun() ->
            rounds(fun() ->
                Self = self(),
                {Owner, _} = Fork = forked(fun() ->
                    Box = open(#{preempt => count}),
                    Self ! {box, Box},
                    Sent = [tripod:send(Box, spin(rand:uniform(5000)))
                            || _ <- lists:seq(1, rand:uniform(4))],
                    Ends = [case Send of
                                {ok, Request} -> tripod:receive_reply(Request, infinity);
                                {error, closed} = Error -> Error
                            end || Send <- Sent],
                    receive after 0 -> ok end,
                    {Ends, contract:mailbox()}
                end),
                Box = receive {box, Opened} -> Opened end,
                turns(rand:uniform(40_000)),
                _ = End(Owner, Box),
                ended(outcome(Fork))
            end, Outcomes)
        end, 1)
    end).

ended(killed) ->
    killed;
ended({Ends, []}) ->
    case lists:usort(Ends) of
        [{ok, []}] -> answered;
        Others -> ?assertEqual([], Others -- [{ok, []}, {error, closed}]), closed
    end.

the_owners_own_close_races_jobs(Config) ->
    in_node(Config, fun() ->
        settled(fun() ->
            Box = open(#{preempt => count}),
            Requests = [begin {ok, Request} = tripod:send(Box, spin(rand:uniform(5000))), Request end
                        || _ <- lists:seq(1, rand:uniform(4))],
            turns(rand:uniform(20_000)),
            ok = tripod:close(Box),
            Ends = [tripod:receive_reply(Request, infinity) || Request <- Requests],
            ?assertEqual([], lists:usort(Ends) -- [{ok, []}, {error, closed}])
        end, ?ROUNDS)
    end).

%% ready_async runs on the scheduler that sent the request, so while that one is in an inline call a
%% job stays between the two.
closed_when_the_job_is_done(Config) ->
    when_the_job_is_done(Config, fun(_, Box) -> ok = tripod:close(Box) end,
                         fun(Owner) -> {error, closed} = outcome(Owner) end).

owner_killed_when_the_job_is_done(Config) ->
    when_the_job_is_done(Config, fun(Owner, Box) ->
                                         driver_node:kill(Owner),
                                         contract:await(fun() -> {error, closed} =:= tripod:info(Box)
                                                        end)
                                 end,
                         fun(Owner) -> killed = outcome(Owner) end).

%% The port's death is a task of its own, which may have to wait for that scheduler as well.
port_killed_when_the_job_is_done(Config) ->
    when_the_job_is_done(Config, fun(_, Box) -> exit(port(Box), kill) end,
                         fun(Owner) ->
                                 Outcome = outcome(Owner),
                                 true = lists:member(Outcome, [{ok, [1]}, {error, closed}])
                         end).

when_the_job_is_done(Config, End, Check) ->
    in_node(Config, fun() ->
        ok = contract:bind(),
        settled(fun() ->
            Other = echo(),
            {Blocker, Blocked, Inline} = owner(inline, #{time_ms => 60_000}),
            Hold = blocked(),
            {Pid, _} = Owner = job(),
            Box = receive {waiting, Opened} -> Opened end,
            contract:tell(Blocker, fun() -> tripod:call(Inline, spin(forever)) end),
            async_node:calling(2),
            ok = release(Hold),
            %% The thread's next job: the one before it is done.
            {ok, done} = tripod:call(Other, done),
            End(Pid, Box),
            ok = tripod:interrupt(Inline),
            Check(Owner),
            ok = tripod:close(Other),
            exit(Blocker, kill),
            receive {'DOWN', Blocked, process, Blocker, _} -> ok end
        end, 25)
    end).

%% Sends a request from the last scheduler, then waits for the reply on the first.
job() ->
    Self = self(),
    Scheduler = binary_to_atom(<<"scheduler">>),
    spawn_opt(fun() ->
                      Box = open(),
                      {ok, Request} = tripod:send(Box, run("return 1", [])),
                      _ = process_flag(Scheduler, 1),
                      Self ! {waiting, Box},
                      exit({returned, tripod:receive_reply(Request, infinity)})
              end, [monitor, {scheduler, erlang:system_info(schedulers)}]).

%% --- the library and the VM go ---

loader_killed_in_a_job(Config) ->
    in_node(Config, fun() ->
        [begin
             {Box, Request} = blocked(),
             Next = echo(),
             {ok, Waiting} = tripod:send(Next, waits),
             Loader = whereis(tripod_port_driver_loader),
             driver_node:kill(Loader),
             ?assertEqual(timeout, tripod:receive_reply(Request, 0)),
             ok = tripod:interrupt(Box),
             {error, interrupted} = tripod:receive_reply(Request, infinity),
             {ok, waits} = tripod:receive_reply(Waiting, infinity),
             contract:await(fun() -> driver_users() =:= [{users, 1}] end),
             ok = tripod:close(Box),
             ok = tripod:close(Next)
         end || _ <- lists:seq(1, 5)],
        no_boxes()
    end).

%% A library is not unloaded under a job that runs.
unloaded_in_a_job(Config) ->
    in_node(Config, fun() ->
        [begin
             {_, Request} = blocked(),
             Waiting = [begin {ok, Sent} = tripod:send(Box, run("return 1", [])), Sent end
                        || _ <- lists:seq(1, 5), Box <- [open()]],
             ok = application:stop(tripod),
             [{error, closed} = tripod:receive_reply(Sent, infinity) || Sent <- [Request | Waiting]],
             contract:await(fun() -> driver_users() =:= [] end),
             [] = contract:mailbox(),
             {ok, _} = application:ensure_all_started(tripod),
             Box = open(),
             {ok, [1]} = tripod:call(Box, run("return 1", [])),
             ok = tripod:close(Box)
         end || _ <- lists:seq(1, 30)],
        no_boxes()
    end).

halted_in_a_job(Config) -> goes_down(Config, {erlang, halt, [0]}).

stopped_in_a_job(Config) -> goes_down(Config, {init, stop, []}).

%% The calls may take longer than this case, and the rest of the pool's work waits for them, standard
%% output too; so the node says nothing any more.
goes_down(Config, {Module, Function, Args}) ->
    Node = proplists:get_value(node, Config),
    Monitor = monitor(process, Node),
    unlink(Node),
    ok = peer:cast(Node, driver_node, run, [fun() ->
        Boxes = [open(#{time_ms => 3_600_000}) || _ <- lists:seq(1, 5)],
        [{ok, _} = tripod:send(Box, spin(forever)) || Box <- Boxes],
        async_node:calling(1),
        spawn(Module, Function, Args),
        receive after infinity -> ok end
    end]),
    receive {'DOWN', Monitor, process, Node, _} -> ok end.
