%% SPDX-License-Identifier: Apache-2.0
%% What a full line of a box of mode async does to its owner: it is suspended, which takes no memory,
%% and there is a way back whatever happens next.
%%
%% Each case runs in a node of its own, with one async thread, so that a crash of the VM is one failed
%% case.
-module(port_driver_busy_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(driver_node, [in_node/2, port/1, no_boxes/0]).
-import(async_node, [open/1, run/2, spin/2, blocked/0, release/1, suspended/1, settled/2, forked/1,
                     outcome/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([few_large_requests_are_in_flight/1, few_small_requests_are_in_flight/1,
         a_suspended_sender_is_killed/1, a_suspended_senders_box_is_closed/1,
         a_suspended_senders_port_is_killed/1, a_line_is_full_over_and_over/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [few_large_requests_are_in_flight, few_small_requests_are_in_flight,
     a_suspended_sender_is_killed, a_suspended_senders_box_is_closed,
     a_suspended_senders_port_is_killed, a_line_is_full_over_and_over].

init_per_testcase(_, Config) -> driver_node:start([], ["+A", "1"], Config).

end_per_testcase(_, Config) -> driver_node:stop(Config).

%% The box's thread is taken. Of 500 requests of 256 KiB each as many are let in as make up 1 MiB.
few_large_requests_are_in_flight(Config) ->
    in_node(Config, fun() ->
        Before = binary_bytes(),
        {Sender, Sent, Box, Hold} = flood(500, 262_144),
        ?assert(atomics:get(Sent, 1) =< 5),
        ?assert(binary_bytes() - Before < 4 * 1024 * 1024),
        %% It is the caller that waits, not a scheduler, and the box answers others.
        ?assertEqual({status, suspended}, process_info(element(1, Sender), status)),
        ?assertEqual({error, not_owner}, tripod:info(Box)),
        release(Hold),
        ?assertEqual(in_order, outcome(Sender)),
        no_boxes()
    end).

%% A VM that leaves its memory to malloc does not know; there the number of requests has to do.
binary_bytes() ->
    try
        erlang:memory(binary)
    catch
        error:notsup -> 0
    end.

few_small_requests_are_in_flight(Config) ->
    in_node(Config, fun() ->
        {Sender, Sent, _, Hold} = flood(50_000, 1),
        ?assertEqual(64, atomics:get(Sent, 1)),
        release(Hold),
        ?assertEqual(in_order, outcome(Sender)),
        no_boxes()
    end).

%% A sender that is suspended because the only thread is taken by another box.
flood(Count, Bytes) ->
    Hold = blocked(),
    Sent = atomics:new(1, []),
    Self = self(),
    Sender = forked(fun() ->
        Box = open(#{time_ms => 60_000}),
        Self ! {box, Box},
        Requests = [begin
                        {ok, Request} = tripod:send(Box, run("n = (n or 0) + 1 return n, #(...)",
                                                             [binary:copy(<<I>>, Bytes)])),
                        ok = atomics:put(Sent, 1, I),
                        Request
                    end || I <- lists:seq(1, Count)],
        Expected = [{ok, [I, Bytes]} || I <- lists:seq(1, Count)],
        case [tripod:receive_reply(Request, infinity) || Request <- Requests] of
            Expected -> in_order;
            Others -> Others -- Expected
        end
    end),
    Box = receive {box, Opened} -> Opened end,
    suspended(Sender),
    {Sender, Sent, Box, Hold}.

a_suspended_sender_is_killed(Config) ->
    in_node(Config, fun() ->
        settled(fun() ->
            {{Pid, Monitor}, _, _, Hold} = flood(100, 262_144),
            exit(Pid, kill),
            receive {'DOWN', Monitor, process, Pid, Why} -> ?assertEqual(killed, Why) end,
            %% Nothing of the sender's is left, while the thread is still taken.
            contract:await(fun() -> maps:get(boxes, tripod:census(port_driver)) =:= 1 end),
            release(Hold)
        end, 30)
    end).

a_suspended_senders_box_is_closed(Config) ->
    in_node(Config, fun() ->
        settled(fun() ->
            {Sender, _, Box, Hold} = flood(100, 262_144),
            ok = tripod:close(Box),
            ?assertMatch({badmatch, {error, closed}}, element(1, outcome(Sender))),
            release(Hold)
        end, 30)
    end).

a_suspended_senders_port_is_killed(Config) ->
    in_node(Config, fun() ->
        settled(fun() ->
            {Sender, _, Box, Hold} = flood(100, 262_144),
            exit(port(Box), kill),
            ?assertMatch({badmatch, {error, closed}}, element(1, outcome(Sender))),
            release(Hold)
        end, 30)
    end).

%% No busy port without a way back, whatever took requests out of the line.
a_line_is_full_over_and_over(Config) ->
    in_node(Config, fun() ->
        Box = open(#{time_ms => 60_000}),
        Interrupter = forked(fun() -> async_node:until_told(fun() -> tripod:interrupt(Box) end) end),
        Replies = [begin
                       Size = element(rand:uniform(4), {1, 100, 30_000, 400_000}),
                       {ok, Request} = tripod:send(Box, spin(rand:uniform(20_000),
                                                             [binary:copy(<<1>>, Size)])),
                       Request
                   end || _ <- lists:seq(1, 3000)],
        Outcomes = [tripod:receive_reply(Request, infinity) || Request <- Replies],
        element(1, Interrupter) ! stop,
        true = outcome(Interrupter) > 0,
        ?assertEqual([{error, interrupted}, {ok, []}], lists:usort(Outcomes)),
        {ok, [1]} = tripod:call(Box, run("return 1", [])),
        [] = contract:mailbox(),
        ok = tripod:close(Box),
        no_boxes()
    end).
