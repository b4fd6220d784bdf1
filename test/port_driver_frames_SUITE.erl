%% SPDX-License-Identifier: Apache-2.0
%% What goes through a driver's port: every term, both ways that a reply can take, and whatever else
%% a process may write to a port that it has no business with.
%%
%% Each case runs in a node of its own, so that a crash of the VM is one failed case.
-module(port_driver_frames_SUITE).

-include_lib("stdlib/include/assert.hrl").
-include("../port_driver/tripod_port_driver.hrl").

-import(driver_node, [in_node/2, open/0, open/1, port/1, switchboards/0, no_boxes/0]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([scalars/1, containers/1, large_terms/1, around_the_longest_result/1, a_long_mailbox/1,
         many_sent/1, pieces/1, a_key_twice/1, requests_that_are_no_terms/1, frames_of_strangers/1,
         frames_of_the_owner/1, frames_to_switchboards/1, random_frames/1, messages_to_a_port/1,
         a_stolen_connection/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [scalars, containers, large_terms, around_the_longest_result, a_long_mailbox, many_sent, pieces,
     a_key_twice, requests_that_are_no_terms, frames_of_strangers, frames_of_the_owner,
     frames_to_switchboards, random_frames, messages_to_a_port, a_stolen_connection].

init_per_testcase(_, Config) -> driver_node:start([], Config).

end_per_testcase(_, Config) -> driver_node:stop(Config).

%% --- terms ---

%% As a result of port_control, as a message because it is long, and as a message because it was
%% sent. Nothing may be left in the mailbox.
same(Box, Term) ->
    ?assertEqual({ok, Term}, tripod:call(Box, Term)),
    Long = [Term, <<0:20000>>],
    ?assertEqual({ok, Long}, tripod:call(Box, Long)),
    {ok, Request} = tripod:send(Box, Term),
    ?assertEqual({ok, Term}, tripod:receive_reply(Request, 0)),
    ?assertEqual([], contract:mailbox()).

with_echo(Config, Use) ->
    in_node(Config, fun() ->
        Box = open(),
        Use(Box),
        ok = tripod:close(Box),
        no_boxes()
    end).

scalars(Config) ->
    with_echo(Config, fun(Box) ->
        Integers = [0, 1, -1, 255, 256, -256, 16#7fffffff, -16#80000000, 16#80000000,
                    (1 bsl 59) - 1, 1 bsl 59, -(1 bsl 59), -(1 bsl 59) - 1,
                    16#7fffffffffffffff, -16#8000000000000000],
        Reals = [0.0, -0.0, 1.5, -1.0e308, 5.0e-324, 1.7976931348623157e308, 3.141592653589793],
        Atoms = [ok, nil, true, '', 'with space', 'nul\0inside', list_to_atom([233, 255]),
                 list_to_atom("λ"), list_to_atom(lists:duplicate(255, $x)),
                 list_to_atom(lists:duplicate(255, 16#1f600))],
        Binaries = [<<>>, <<0>>, <<1:512>>, <<1:520>>, binary:copy(<<255>>, 2047)],
        [same(Box, Term) || Term <- Integers ++ Reals ++ Atoms ++ Binaries],
        %% -0.0 and 0.0 compare equal.
        {ok, Zero} = tripod:call(Box, -0.0),
        ?assertEqual(<<-0.0/float>>, <<Zero/float>>)
    end).

containers(Config) ->
    with_echo(Config, fun(Box) ->
        [same(Box, Term)
         || Term <- [[], {}, #{}, [[]], {{}}, #{#{} => #{}}, [1, [2, {3, #{4 => [5]}}]], "string",
                     #{[1] => {2}, 1 => a, 1.0 => b, <<"1">> => c, {} => d},
                     list_to_tuple(lists:seq(1, 300)), maps:from_list([{I, -I} || I <- lists:seq(1, 33)])]]
    end).

large_terms(Config) ->
    with_echo(Config, fun(Box) ->
        Nested = lists:foldl(fun(_, Inner) -> [Inner] end, x, lists:seq(1, 190)),
        [same(Box, Term)
         || Term <- [maps:from_list([{integer_to_binary(I), I / 2} || I <- lists:seq(1, 10_000)]),
                     maps:from_list([{{I, -I}, #{I => [I]}} || I <- lists:seq(1, 1000)]),
                     lists:seq(1, 100_000),
                     [I / 3 || I <- lists:seq(1, 5000)],
                     [list_to_atom("ü" ++ integer_to_list(I)) || I <- lists:seq(1, 500)],
                     Nested,
                     rand:bytes(1 bsl 20),
                     [rand:bytes(100) || _ <- lists:seq(1, 5000)]]]
    end).

%% Where a result becomes too short for the VM's buffer, and too long for a result.
around_the_longest_result(Config) ->
    with_echo(Config, fun(Box) ->
        [?assertEqual({ok, Binary}, tripod:call(Box, Binary))
         || Size <- lists:seq(30, 80) ++ lists:seq(980, 1060), Binary <- [rand:bytes(Size)]],
        [?assertEqual({ok, List}, tripod:call(Box, List))
         || Size <- lists:seq(450, 520), List <- [lists:duplicate(Size, 7.5)]],
        ?assertEqual([], contract:mailbox())
    end).

%% Other messages stay, in their order, whatever way the reply takes.
a_long_mailbox(Config) ->
    with_echo(Config, fun(Box) ->
        Others = lists:seq(1, 10_000),
        [self() ! Other || Other <- Others],
        {ok, short} = tripod:call(Box, short),
        {ok, <<1:16000>>} = tripod:call(Box, <<1:16000>>),
        {ok, Request} = tripod:send(Box, sent),
        {ok, sent} = tripod:receive_reply(Request, 0),
        ?assertEqual(Others, contract:mailbox())
    end).

%% Received in another order than sent, between calls.
many_sent(Config) ->
    with_echo(Config, fun(Box) ->
        Sent = [begin {ok, Request} = tripod:send(Box, I), {I, Request} end
                || I <- lists:seq(1, 200)],
        {ok, call} = tripod:call(Box, call),
        {ok, <<2:16000>>} = tripod:call(Box, <<2:16000>>),
        [?assertEqual({ok, I}, tripod:receive_reply(Request, 0))
         || {I, Request} <- lists:reverse(Sent)],
        {_, Again} = hd(Sent),
        ?assertEqual({error, closed}, tripod:receive_reply(Again, infinity)),
        ?assertEqual([], contract:mailbox())
    end).

%% --- frames past the facade ---

header(Id) -> <<?SEND, Id:64, 0:32>>.

reply(Port, Id) ->
    receive {Port, Id, Reply} -> Reply after 0 -> none end.

%% However the VM cuts a frame up.
pieces(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        Term = {rand:bytes(3000), lists:seq(1, 1000)},
        Frame = <<(header(7))/binary, (term_to_binary(Term))/binary>>,
        [begin
             true = port_command(Port, cut(Frame, Sizes)),
             ?assertEqual({ok, Term}, reply(Port, 7))
         end || Sizes <- [[1], [13], [5, 400], [12, 1], [13, 2000], [14], [300, 300, 1]]],
        true = port_command(Port, [header(8) | term_to_iovec({a, rand:bytes(100_000), b})]),
        {ok, {a, _, b}} = reply(Port, 8),
        ?assertEqual([], contract:mailbox())
    end).

%% Binaries of these sizes, over and over.
cut(Frame, Sizes) -> cut(Frame, Sizes, Sizes).

cut(<<>>, _, _) -> [];
cut(Frame, [], Sizes) -> cut(Frame, Sizes, Sizes);
cut(Frame, [Size | Left], Sizes) when byte_size(Frame) > Size ->
    <<Piece:Size/binary, Rest/binary>> = Frame,
    [binary:copy(Piece) | cut(Rest, Left, Sizes)];
cut(Frame, _, _) -> [Frame].

%% The VM refuses the message; the caller gets an answer all the same.
a_key_twice(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        Many = [<<97, 1, 97, 1>> || _ <- lists:seq(1, 400)],
        [begin
             true = port_command(Port, [header(9), Map]),
             ?assertEqual({error, {badterm, []}}, reply(Port, 9))
         end || Map <- [[<<131, 116, 2:32>>, <<97, 1, 97, 1>>, <<97, 1, 97, 2>>],
                        [<<131, 116, 400:32>>, Many]]],
        <<?WHOLE, Refused/binary>> = port_control(Port, ?CALL, [<<131, 116, 400:32>>, Many]),
        ?assertEqual({error, {badterm, []}}, binary_to_term(Refused)),
        {ok, alive} = tripod:call(Box, alive),
        ?assertEqual([], contract:mailbox())
    end).

requests_that_are_no_terms(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        Whole = term_to_binary({a, [1, <<"two">>], #{three => 3.0}}),
        [begin
             true = port_command(Port, [header(1), Bytes]),
             ?assertMatch({error, _}, reply(Port, 1)),
             <<?WHOLE, Reply/binary>> = port_control(Port, ?CALL, Bytes),
             ?assertMatch({error, _}, binary_to_term(Reply))
         end || Bytes <- [<<>>, <<131>>, <<131, 255>>, <<0>>, <<131, 109, 255, 255, 255, 255>>,
                          <<131, 108, 255, 255, 255, 255>>, <<131, 80, 0, 0, 1, 0>>]
                    ++ [binary:part(Whole, 0, N) || N <- lists:seq(0, byte_size(Whole) - 1)]],
        {ok, alive} = tripod:call(Box, alive),
        ?assertEqual([], contract:mailbox())
    end).

frames_of_strangers(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        stranger(fun() ->
            true = port_command(Port, [header(1), term_to_binary(x)]),
            ?assertEqual({error, not_owner}, reply(Port, 1)),
            NotOwner = term_to_binary({error, not_owner}, [{minor_version, 2}]),
            ?assertEqual(<<?WHOLE, NotOwner/binary>>, port_control(Port, ?CALL, term_to_binary(x))),
            [?assertEqual(<<?ERROR, "not_owner">>, port_control(Port, Op, <<0:256>>))
             || Op <- [?OPEN, ?USAGE, ?MAY_GIVE, ?GIVE, ?CENSUS, ?CLOSE, 0, 99, 255]],
            ?assertEqual([], contract:mailbox())
        end),
        {ok, alive} = tripod:call(Box, alive),
        ?assertEqual([], contract:mailbox())
    end).

stranger(Do) ->
    {Pid, Monitor} = spawn_monitor(Do),
    receive {'DOWN', Monitor, process, Pid, Why} -> ?assertEqual(normal, Why) end.

frames_of_the_owner(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        %% Not a frame: ignored, because there is no id to answer to.
        [true = port_command(Port, Bytes)
         || Bytes <- [<<>>, <<1>>, <<1:96>>, <<0:2000>>, [<<2>>, <<0:96>>, <<"x">>]]],
        [?assertError(badarg, port_control(Port, Op, <<0:64>>))
         || Op <- [0, ?SEND, ?OPEN, ?CENSUS, ?INTERRUPT, ?CLOSE, ?OWNED, ?LOG, 11, 255]],
        ?assertError(badarg, erlang:port_call(Port, 0, x)),
        {ok, alive} = tripod:call(Box, alive),
        ?assertEqual([], contract:mailbox()),
        %% A port that has no box yet, and frames that should open one.
        Bare = open_port({spawn_driver, ?DRIVER}, [binary]),
        ?assertEqual(<<?ERROR, "closed">>, port_control(Bare, ?USAGE, [])),
        [?assertError(badarg, port_control(Bare, ?OPEN, binary:copy(<<255>>, N)))
         || N <- [0, 1, 28, 29, 30, 1000]],
        true = port_command(Bare, [header(3), term_to_binary(x)]),
        ?assertEqual({error, closed}, reply(Bare, 3)),
        true = port_close(Bare)
    end).

frames_to_switchboards(Config) ->
    with_echo(Config, fun(Box) ->
        [begin
             true = port_command(Port, [header(1), term_to_binary(x)]),
             [?assertError(badarg, port_control(Port, Op, Bytes))
              || Op <- [?INTERRUPT, ?CLOSE, ?OWNED], Bytes <- [<<>>, <<1>>, <<0:56>>, <<0:72>>]],
             [?assertError(badarg, port_control(Port, Op, <<0:64>>))
              || Op <- [0, ?SEND, ?OPEN, ?USAGE, ?GIVE, 11, ?CALL, 16#ffffffff]],
             [?assertEqual(<<?ERROR, "closed">>, port_control(Port, Op, <<Id:64>>))
              || Op <- [?INTERRUPT, ?CLOSE, ?OWNED], Id <- [0, 1, -1, rand:uniform(1 bsl 64) - 1]]
         end || Port <- switchboards()],
        {ok, alive} = tripod:call(Box, alive),
        ?assertEqual([], contract:mailbox())
    end).

%% Anything at all, from the owner and from others. CLOSE is left out for the box to live on.
random_frames(Config) ->
    with_echo(Config, fun(Box) ->
        Ports = [port(Box) | switchboards()],
        Throw = fun() ->
            [begin
                 Port = lists:nth(rand:uniform(length(Ports)), Ports),
                 Bytes = rand:bytes(rand:uniform(60) - 1),
                 true = port_command(Port, [lists:nth(rand:uniform(2), [<<?SEND>>, <<>>]), Bytes]),
                 Op = lists:nth(rand:uniform(4), [rand:uniform(7), 300, 255 + rand:uniform(99),
                                                  rand:uniform(1 bsl 32) - 1]),
                 try port_control(Port, Op, Bytes) of
                     Result -> ?assert(is_binary(Result))
                 catch
                     error:badarg -> ok
                 end
             end || _ <- lists:seq(1, 20_000)],
            ok
        end,
        Throw(),
        stranger(Throw),
        _ = contract:mailbox(),
        {ok, alive} = tripod:call(Box, alive)
    end).

%% `Port ! Message` of strangers. The VM punishes the owner for a bad one (an exit signal badsig), so
%% the owner traps exits here; the box does not mind.
messages_to_a_port(Config) ->
    with_echo(Config, fun(Box) ->
        Port = port(Box),
        process_flag(trap_exit, true),
        stranger(fun() ->
            Port ! nonsense,
            Port ! {self(), {command, <<"x">>}},
            Port ! {self(), close},
            Port ! {self(), {connect, self()}}
        end),
        {ok, alive} = tripod:call(Box, alive),
        [{'EXIT', Port, badsig}] = lists:usort(contract:mailbox())
    end).

%% A stranger connects the port to itself: the box is still the owner's, who cannot give it away any
%% more. The link that the VM made with the stranger closes the box with it.
a_stolen_connection(Config) ->
    in_node(Config, fun() ->
        Box = open(),
        Thief = spawn(fun() -> receive stop -> ok end end),
        true = port_connect(port(Box), Thief),
        {ok, alive} = tripod:call(Box, alive),
        {error, not_owner} = tripod:give_away(Box, spawn(fun() -> ok end)),
        {ok, alive} = tripod:call(Box, alive),
        driver_node:kill(Thief),
        contract:await(fun() -> tripod:call(Box, alive) =:= {error, closed} end),
        no_boxes()
    end).
