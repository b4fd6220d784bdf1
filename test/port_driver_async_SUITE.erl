%% SPDX-License-Identifier: Apache-2.0
%% Boxes whose calls run in the VM's async pool: who waits for whom, what keeps its order, and what an
%% interrupt does to a call that waits.
%%
%% Each case runs in a node of its own, with one async thread or with four as its name says, so that
%% a crash of the VM is one failed case. What holds for every mode is in contract_*_SUITE.
-module(port_driver_async_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include("../port_driver/tripod_port_driver.hrl").

-import(driver_node, [in_node/2, port/1, no_boxes/0]).
-import(async_node, [open/0, echo/0, run/2, spin/1, blocked/0, release/1, forked/1, outcome/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([one_thread_makes_boxes_wait/1, four_threads_do_not/1, boxes_spread_over_four_threads/1,
         requests_keep_their_order/1, requests_stay_valid/1, pieces/1, long_replies/1,
         a_reply_is_received_once/1, info_comes_after_requests/1, give_away_comes_after_requests/1,
         a_waiting_call_is_interrupted/1, only_the_first_is_interrupted/1, frames/1,
         random_frames/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [one_thread_makes_boxes_wait, four_threads_do_not, boxes_spread_over_four_threads,
     requests_keep_their_order, requests_stay_valid, pieces, long_replies, a_reply_is_received_once,
     info_comes_after_requests, give_away_comes_after_requests, a_waiting_call_is_interrupted,
     only_the_first_is_interrupted, frames, random_frames].

init_per_testcase(Case, Config) when Case =:= four_threads_do_not;
                                     Case =:= boxes_spread_over_four_threads;
                                     Case =:= requests_keep_their_order ->
    driver_node:start([], ["+A", "4"], Config);
init_per_testcase(_, Config) ->
    driver_node:start([], ["+A", "1"], Config).

end_per_testcase(_, Config) -> driver_node:stop(Config).

%% --- the pool ---

%% The default pool has one thread. Both boxes' replies come to one mailbox by way of one scheduler,
%% so their order is the order in which the calls ended.
one_thread_makes_boxes_wait(Config) ->
    in_node(Config, fun() ->
        ?assertEqual(1, erlang:system_info(thread_pool_size)),
        ok = contract:bind(),
        [begin
             {First, Second} = {open(), open()},
             {ok, _} = tripod:send(First, spin(forever)),
             {ok, _} = tripod:send(Second, run("return 2", [])),
             async_node:calling(1),
             ok = tripod:interrupt(First),
             Replies = [receive {Port, _, Reply} -> {Port, Reply} end || _ <- [First, Second]],
             ?assertEqual([{port(First), {error, interrupted}}, {port(Second), {ok, [2]}}], Replies),
             ok = tripod:close(First),
             ok = tripod:close(Second)
         end || _ <- lists:seq(1, 50)],
        no_boxes()
    end).

four_threads_do_not(Config) ->
    in_node(Config, fun() ->
        ?assertEqual(4, erlang:system_info(thread_pool_size)),
        Endless = [open() || _ <- lists:seq(1, 3)],
        Waiting = [begin {ok, Request} = tripod:send(Box, spin(forever)), Request end
                   || Box <- Endless],
        async_node:calling(3),
        Free = open(),
        [{ok, [I]} = tripod:call(Free, run("return ...", [I])) || I <- lists:seq(1, 1000)],
        [?assertEqual(timeout, tripod:receive_reply(Request, 0)) || Request <- Waiting],
        [ok = tripod:interrupt(Box) || Box <- Endless],
        [{error, interrupted} = tripod:receive_reply(Request, infinity) || Request <- Waiting],
        [ok = tripod:close(Box) || Box <- [Free | Endless]],
        no_boxes()
    end).

%% Whatever their number and the order in which they were opened: four run at once.
boxes_spread_over_four_threads(Config) ->
    in_node(Config, fun() ->
        [begin
             Boxes = [open() || _ <- lists:seq(1, 12)],
             Four = lists:sublist(lists:sort(fun(_, _) -> rand:uniform(2) =:= 1 end, Boxes), 4),
             Requests = [begin {ok, Request} = tripod:send(Box, spin(forever)), Request end
                         || Box <- Four],
             async_node:calling(4),
             [ok = tripod:interrupt(Box) || Box <- Four],
             [{error, interrupted} = tripod:receive_reply(Request, infinity)
              || Request <- Requests],
             [ok = tripod:close(Box) || Box <- Boxes]
         end || _ <- lists:seq(1, 10)],
        no_boxes()
    end).

%% --- one box's requests ---

%% In windows of every size, so that the line runs empty and may choose another thread in between.
requests_keep_their_order(Config) ->
    in_node(Config, fun() ->
        Boxes = [open() || _ <- lists:seq(1, 6)],
        Count = fun(Box, Window) ->
                        [begin
                             {ok, Request} = tripod:send(Box, run("n = (n or 0) + 1 return n", [])),
                             Request
                         end || _ <- lists:seq(1, Window)]
                end,
        Check = fun(Requests, From) ->
                        lists:foldl(fun(Request, N) ->
                                            ?assertEqual({ok, [N]},
                                                         tripod:receive_reply(Request, infinity)),
                                            N + 1
                                    end, From, Requests)
                end,
        lists:foldl(fun(Window, From) ->
                            Sent = [Count(Box, Window) || Box <- Boxes],
                            [To] = lists:usort([Check(Requests, From) || Requests <- Sent]),
                            To
                    end, 1, [1 + I * 7 rem 130 || I <- lists:seq(1, 200)]),
        [] = contract:mailbox(),
        [ok = tripod:close(Box) || Box <- Boxes],
        no_boxes()
    end).

%% Nobody but the driver holds the request any more when the thread reads it.
requests_stay_valid(Config) ->
    in_node(Config, fun() ->
        Box = echo(),
        [begin
             {Pool, Hold} = blocked(),
             Sums = [begin
                         Bytes = rand:bytes(Size + rand:uniform(100)),
                         {ok, Request} = tripod:send(Box, [Size, Bytes]),
                         {Size, erlang:md5(Bytes), Request}
                     end || Size <- [0, 30, 450, 4000, 100_000]],
             garbage_collect(),
             Others = [rand:bytes(Size) || Size <- [40, 460, 4000, 100_000]],
             release({Pool, Hold}),
             [begin
                  {ok, [Size, Back]} = tripod:receive_reply(Request, infinity),
                  ?assertEqual(Sum, erlang:md5(Back))
              end || {Size, Sum, Request} <- Sums],
             ?assert(is_list(Others))
         end || _ <- lists:seq(1, 200)],
        ok = tripod:close(Box),
        no_boxes()
    end).

%% However the VM cuts a frame up.
pieces(Config) ->
    in_node(Config, fun() ->
        Box = echo(),
        Port = port(Box),
        [begin
             Term = {rand:bytes(Size), lists:seq(1, 100)},
             Frame = <<?SEND, 7:64, 0:32, (term_to_binary(Term))/binary>>,
             Cut = min(Cut0, byte_size(Frame)),
             <<First:Cut/binary, Rest/binary>> = Frame,
             true = port_command(Port, [binary:copy(First), binary:copy(Rest)]),
             receive
                 {Port, 7, Etf} when is_binary(Etf) -> ?assertEqual({ok, Term}, binary_to_term(Etf));
                 {Port, 7, Reply} -> ?assertEqual({ok, Term}, Reply)
             end
         end || Size <- [0, 100, 3000, 70_000], Cut0 <- [1, 12, 13, 14, 200, 2000, 60_000]],
        [] = contract:mailbox(),
        ok = tripod:close(Box),
        no_boxes()
    end).

%% Around every size at which a reply goes another way, and what refers to the message's bytes.
long_replies(Config) ->
    in_node(Config, fun() ->
        Boxes = [echo(), open()],
        [begin
             Value = rand:bytes(Size),
             ?assertEqual({ok, Value}, tripod:call(hd(Boxes), Value)),
             ?assertEqual({ok, [Value]}, tripod:call(hd(Boxes), [Value])),
             ?assertEqual({ok, [Value, x]}, tripod:call(hd(Boxes), [Value, x])),
             ?assertEqual({ok, [Value]}, tripod:call(lists:last(Boxes), run("return ...", [Value])))
         end || Size <- lists:seq(480, 520) ++ lists:seq(4090, 4100) ++ [1 bsl 16, 1 bsl 22]],
        [?assertEqual({ok, Term}, tripod:call(hd(Boxes), Term))
         || Term <- [maps:from_list([{integer_to_binary(I), I / 2} || I <- lists:seq(1, 10_000)]),
                     lists:seq(1, 300_000), #{}, [], {}, "string", 'ünïcode']],
        [] = contract:mailbox(),
        [ok = tripod:close(Box) || Box <- Boxes],
        no_boxes()
    end).

a_reply_is_received_once(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        {ok, Request} = tripod:send(Box, run("return 1", [])),
        {ok, [1]} = tripod:receive_reply(Request, infinity),
        ?assertEqual({error, closed}, tripod:receive_reply(Request, infinity)),
        {ok, Endless} = tripod:send(Box, spin(forever)),
        ?assertEqual(timeout, tripod:receive_reply(Endless, 0)),
        ?assertEqual(timeout, tripod:receive_reply(Endless, 5)),
        Self = self(),
        {error, closed} =
            outcome(forked(fun() -> Self =/= self() andalso tripod:receive_reply(Endless, infinity) end)),
        ok = tripod:interrupt(Box),
        {error, interrupted} = tripod:receive_reply(Endless, infinity),
        ?assertEqual([{monitors, []}, {messages, []}],
                     process_info(self(), [monitors, messages])),
        ok = tripod:close(Box),
        no_boxes()
    end).

info_comes_after_requests(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        Requests = [begin {ok, Request} = tripod:send(Box, spin(20_000)), Request end
                    || _ <- lists:seq(1, 10)],
        #{calls := 10, bytes := Bytes} = tripod:info(Box),
        ?assert(Bytes > 0),
        [{ok, []} = tripod:receive_reply(Request, 0) || Request <- Requests],
        #{calls := 10} = tripod:info(Box),
        [] = contract:mailbox(),
        ok = tripod:close(Box),
        no_boxes()
    end).

give_away_comes_after_requests(Config) ->
    in_node(Config, fun() ->
        Self = self(),
        [begin
             Box = open(),
             Requests = [begin {ok, Request} = tripod:send(Box, spin(2000)), Request end
                         || _ <- lists:seq(1, 10)],
             Heir = forked(fun() ->
                 receive {box, Given} -> {Given =:= Box, tripod:call(Given, run("return 5", []))} end
             end),
             ok = tripod:give_away(Box, element(1, Heir)),
             [{ok, []} = tripod:receive_reply(Request, 0) || Request <- Requests],
             ?assertEqual({error, not_owner}, tripod:call(Box, run("return 5", []))),
             element(1, Heir) ! {box, Box},
             ?assertEqual({true, {ok, [5]}}, outcome(Heir)),
             no_boxes()
         end || _ <- lists:seq(1, 200)],
        ?assertEqual([], [M || M <- contract:mailbox(), M =/= Self])
    end).

%% --- interrupts ---

%% Answered at once, although no thread is free to run it; and it is never run.
a_waiting_call_is_interrupted(Config) ->
    in_node(Config, fun() ->
        [begin
             Hold = blocked(),
             Box = open(),
             {ok, Request} = tripod:send(Box, run("ran = true", [])),
             ok = tripod:interrupt(Box),
             ?assertEqual({error, interrupted}, tripod:receive_reply(Request, 0)),
             ok = tripod:interrupt(Box),
             release(Hold),
             ?assertEqual({ok, [nil]}, tripod:call(Box, run("return ran", []))),
             ok = tripod:close(Box)
         end || _ <- lists:seq(1, 300)],
        no_boxes(),
        [] = contract:mailbox()
    end).

only_the_first_is_interrupted(Config) ->
    in_node(Config, fun() ->
        [begin
             Hold = blocked(),
             Box = open(),
             Requests = [begin {ok, Request} = tripod:send(Box, run("return ...", [I])), Request end
                         || I <- lists:seq(1, 5)],
             [ok = tripod:interrupt(Box) || _ <- [1, 2]],
             release(Hold),
             ?assertEqual([{error, interrupted}, {error, interrupted}, {ok, [3]}, {ok, [4]}, {ok, [5]}],
                          [tripod:receive_reply(Request, infinity) || Request <- Requests]),
             ok = tripod:close(Box)
         end || _ <- lists:seq(1, 300)],
        no_boxes()
    end).

%% --- frames past the facade ---

frames(Config) ->
    in_node(Config, fun() ->
        Box = echo(),
        Port = port(Box),
        [?assertError(badarg, port_control(Port, Op, term_to_binary(x))) || Op <- [?CALL, ?CALL + 7]],
        [?assertError(badarg, port_control(Port, ?AWAITED, Bytes)) || Bytes <- [<<>>, <<0:56>>, <<0:72>>]],
        ?assertEqual(<<?OK>>, port_control(Port, ?AWAITED, <<1:64>>)),
        ?assertEqual(<<?OK>>, port_control(Port, ?WITHDRAW, [])),
        outcome(forked(fun() ->
            true = port_command(Port, [<<?SEND, 1:64, 0:32>>, term_to_binary(x)]),
            ?assertEqual({error, not_owner}, receive {Port, 1, Reply} -> Reply end),
            ?assertEqual(<<?OK>>, port_control(Port, ?AWAITED, <<1:64>>)),
            [?assertEqual(<<?ERROR, "not_owner">>, port_control(Port, Op, <<0:256>>))
             || Op <- [?OPEN, ?USAGE, ?MAY_GIVE, ?GIVE]]
        end)),
        %% Requests that are no terms.
        Whole = term_to_binary({a, [1, <<"two">>], #{three => 3.0}}),
        [begin
             true = port_command(Port, [<<?SEND, 3:64, 0:32>>, Bytes]),
             ?assertMatch({error, _}, receive {Port, 3, Reply} -> Reply end)
         end || Bytes <- [<<>>, <<131>>, <<0>>, <<131, 109, 255, 255, 255, 255>>, <<131, 80, 0, 0, 1, 0>>]
                    ++ [binary:part(Whole, 0, N) || N <- lists:seq(0, byte_size(Whole) - 1)]],
        %% While requests are in flight, usage comes by message and needs an id.
        Hold = blocked(),
        {ok, Request} = tripod:send(Box, later),
        ?assertError(badarg, port_control(Port, ?USAGE, [])),
        ?assertEqual(<<?LATER>>, port_control(Port, ?MAY_GIVE, [])),
        release(Hold),
        {ok, later} = tripod:receive_reply(Request, infinity),
        ok = tripod:close(Box),
        no_boxes()
    end).

random_frames(Config) ->
    in_node(Config, fun() ->
        Box = echo(),
        Port = port(Box),
        Throw = fun() ->
            [begin
                 Bytes = rand:bytes(rand:uniform(60) - 1),
                 true = port_command(Port, [lists:nth(rand:uniform(2), [<<?SEND>>, <<>>]), Bytes]),
                 Op = lists:nth(rand:uniform(2), [rand:uniform(15), rand:uniform(1 bsl 32) - 1]),
                 try port_control(Port, Op, Bytes) of
                     Result -> ?assert(is_binary(Result))
                 catch
                     error:badarg -> ok
                 end
             end || _ <- lists:seq(1, 20_000)],
            ok
        end,
        ok = outcome(forked(Throw)),
        Throw(),
        ?assertEqual({ok, alive}, tripod:call(Box, alive)),
        ok = tripod:close(Box),
        no_boxes()
    end).
