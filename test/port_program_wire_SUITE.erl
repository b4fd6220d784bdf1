%% SPDX-License-Identifier: Apache-2.0
%% The frames between the VM and the port program, in both directions, from both ends: the real
%% program is fed bytes that no VM would send, and the VM gets bytes that no honest program sends.
-module(port_program_wire_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {minutes, 2}}].

all() ->
    [no_arguments_that_make_sense, end_of_file_between_frames, end_of_file_at_every_byte,
     end_of_file_in_a_call, pipe_closed_in_a_call, pipe_closed_behind_a_full_buffer, lies_of_the_vm, garbage_from_the_vm,
     a_request_in_many_frames, requests_are_answered_in_order, interrupt_right_behind_its_request,
     interrupt_before_a_request, interrupt_within_a_request, interrupt_for_the_first_of_two, interrupt_for_an_older_request,
     lies_of_the_program, no_hello, another_hello, half_a_reply_and_exit, half_a_reply_and_silence,
     replies_at_the_edges_of_a_frame].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Root = filename:dirname(filename:dirname(code:which(tripod))),
    [{fixtures, filename:join([Root, "test", "fixtures"])} | Config].

end_per_suite(_Config) -> application:stop(tripod).

init_per_testcase(Case, Config) ->
    ok = contract:await_nothing_alive(),
    Dir = filename:join(?config(priv_dir, Config), Case),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    [{dir, Dir} | Config].

end_per_testcase(_Case, _Config) ->
    true = os:unsetenv("TRIPOD_PRIV"),
    contract:await_nothing_alive().

%% The real program, fed by hand.

-define(REQUEST, 1).
-define(MORE, 2).
-define(INTERRUPT, 3).
-define(USAGE, 4).

%% WIRE_AHEAD_BYTES.
-define(READ_AHEAD, (4 * 65537)).

-define(END, 0).
-define(EXIT_USAGE, 64).
-define(EXIT_PROTOCOL, 65).
-define(EXIT_SERVICE, 66).

program() -> tripod_strategy:artefact("tripod_port_program").

arguments(Service) ->
    ["serve", Service, "67108864", "60000", "200", "16777216", "timer"].

frame(Bytes) -> <<(byte_size(Bytes)):16, Bytes/binary>>.

request(Id, Term) ->
    Bytes = term_to_binary(Term),
    frame(<<?REQUEST, Id:32, 0:32, (byte_size(Bytes)):32, Bytes/binary>>).

interrupt(Id) -> frame(<<?INTERRUPT, Id:32>>).

endless() -> {eval, <<"while true do end">>, []}.

%% What the program wrote, as {hello, Version} and {Id, Term}; fails on anything else.
replies(<<>>) -> [];
replies(<<Length:16, Frame:Length/binary, Rest/binary>>) ->
    case Frame of
        <<0, Version:16, 1:16>> -> [{hello, Version} | replies(Rest)];
        <<1, Id:32, Total:32, Bytes:Total/binary>> -> [{Id, binary_to_term(Bytes)} | replies(Rest)]
    end.

%% Runs the program with Input on its standard input, first as a file, then as a pipe: their ends
%% look different to poll. Both must give the same.
feed(Service, Input, Config) ->
    In = filename:join(?config(dir, Config), "in"),
    Out = filename:join(?config(dir, Config), "out"),
    ok = file:write_file(In, Input),
    [Result] = lists:usort([begin
                                Status = shell(command(Way), [In, Out, program() | arguments(Service)]),
                                {ok, Output} = file:read_file(Out),
                                {Status, replies(Output)}
                            end || Way <- [file, pipe]]),
    Result.

command(file) -> "in=$0; out=$1; shift; exec \"$@\" <$in >$out";
command(pipe) -> "in=$0; out=$1; shift; cat $in | \"$@\" >$out".

shell(Command, Arguments) ->
    Port = open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", Command | Arguments]}, exit_status]),
    receive
        {Port, {exit_status, Status}} -> Status
    after 20000 ->
        error({hangs, Command, Arguments})
    end.

no_arguments_that_make_sense(_Config) ->
    Try = fun(Arguments) -> shell("exec \"$0\" \"$@\" </dev/null 2>/dev/null", [program() | Arguments]) end,
    ?EXIT_USAGE = Try([]),
    ?EXIT_USAGE = Try(["serve"]),
    ?EXIT_USAGE = Try(["serve", "echo", "1", "1", "1", "x", "timer"]),
    ?EXIT_USAGE = Try(["serve", "echo", "65536", "1", "1", "99999999999", "timer"]),
    ?EXIT_USAGE = Try(["serve", "echo", "65536", "-1", "1", "64", "timer"]),
    ?EXIT_USAGE = Try(["serve", "echo", "65536", "1", "1", "64", "sometimes"]),
    ?EXIT_USAGE = Try(["reap", "1:2"]),
    ?EXIT_USAGE = Try(["reap", "12"]),
    ?EXIT_SERVICE = Try(arguments("no_such_service")).

end_of_file_between_frames(Config) ->
    {?END, [{hello, 1}]} = feed("echo", <<>>, Config),
    {?END, [{hello, 1}, {7, {ok, hey}}]} = feed("echo", request(7, hey), Config),
    {?END, [{hello, 1}, {1, {ok, {_, _, _, _}}}]} = feed("echo", frame(<<?USAGE, 1:32>>), Config).

end_of_file_at_every_byte(Config) ->
    First = request(1, {some, [1, 2.5]}),
    All = <<First/binary, (request(2, x))/binary>>,
    [begin
         Answered = case Length >= byte_size(First) of
                        true -> [{1, {ok, {some, [1, 2.5]}}}];
                        false -> []
                    end,
         ?assertEqual({Length, {?END, [{hello, 1} | Answered]}},
                      {Length, feed("echo", binary:part(All, 0, Length), Config)})
     end || Length <- lists:seq(0, byte_size(All) - 1)].

%% The call has a minute; only the end of the input can end it sooner.
end_of_file_in_a_call(Config) ->
    {?END, [{hello, 1}]} = feed("lua", request(1, endless()), Config),
    Queued = << <<(request(N, x))/binary>> || N <- lists:seq(1, 100) >>,
    {?END, [{hello, 1}]} = feed("lua", [request(1, endless()), Queued], Config).

pipe_closed_in_a_call(_Config) ->
    Port = raw_port("lua", []),
    Process = process_of(Port),
    true = port_command(Port, request(1, endless())),
    true = port_close(Port),
    os_process:await_gone(Process).

%% What the program reads ahead is full and the pipe is not empty: it must see the hang-up without
%% reading.
pipe_closed_behind_a_full_buffer(_Config) ->
    Port = raw_port("lua", []),
    {Pid, _} = Process = process_of(Port),
    Before = bytes_read(Pid),
    Behind = [request(N, binary:copy(<<0>>, 60000)) || N <- lists:seq(2, 6)],
    true = port_command(Port, [request(1, endless()), Behind]),
    contract:await(fun() -> bytes_read(Pid) - Before >= ?READ_AHEAD end),
    {queue_size, 0} = erlang:port_info(Port, queue_size),
    ?assert(bytes_read(Pid) - Before < iolist_size(Behind)),
    true = port_close(Port),
    os_process:await_gone(Process).

process_of(Port) ->
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    {ok, Start} = tripod_port_program_os:start(Pid),
    {Pid, Start}.

bytes_read(Pid) ->
    {ok, Io} = file:read_file(lists:concat(["/proc/", Pid, "/io"])),
    {match, [Bytes]} = re:run(Io, "rchar: ([0-9]+)", [{capture, [1], binary}]),
    binary_to_integer(Bytes).

lies_of_the_vm(Config) ->
    Hey = term_to_binary(hey),
    Size = byte_size(Hey),
    Request = fun(Total, Bytes) -> frame(<<?REQUEST, 1:32, 0:32, Total:32, Bytes/binary>>) end,
    Lies = #{empty => frame(<<>>),
             hello => frame(<<0, 1:16, 1:16>>),
             unknown => frame(<<5>>),
             short_request => frame(<<?REQUEST, 1:32, 0:32, 0:24>>),
             short_usage => frame(<<?USAGE, 1:24>>),
             long_usage => frame(<<?USAGE, 1:32, 0>>),
             short_interrupt => frame(<<?INTERRUPT>>),
             long_interrupt => frame(<<?INTERRUPT, 1:32, 0>>),
             total_below => Request(Size - 1, Hey),
             total_beyond_all => Request(16#ffffffff, Hey),
             more_of_nothing => frame(<<?MORE, 1:32, Hey/binary>>),
             more_of_another => [Request(Size + 1, Hey), frame(<<?MORE, 2:32, 0>>)],
             more_than_said => [Request(Size + 1, Hey), frame(<<?MORE, 1:32, 0, 0>>)],
             more_without_bytes => [Request(Size + 1, Hey), frame(<<?MORE, 1:32>>)],
             request_within_request => [Request(Size + 1, Hey), request(2, hey)],
             usage_within_request => [Request(Size + 1, Hey), frame(<<?USAGE, 2:32>>)]},
    [?assertEqual({Name, {?EXIT_PROTOCOL, [{hello, 1}]}}, {Name, feed("echo", Lie, Config)})
     || {Name, Lie} <- maps:to_list(Lies)],
    %% A term that is none is the service's business.
    {?END, [{hello, 1}, {1, {error, {badterm, []}}}]} = feed("echo", Request(Size, <<0:Size/unit:8>>), Config),
    {?END, [{hello, 1}, {1, {error, {badterm, []}}}]} = feed("echo", Request(0, <<>>), Config).

garbage_from_the_vm(Config) ->
    _ = rand:seed(exsss, {1, 2, 3}),
    Start = request(1, [a, b]),
    [begin
         Position = rand:uniform(byte_size(Start)) - 1,
         <<Before:Position/binary, _, After/binary>> = Start,
         Garbage = <<Before/binary, (rand:uniform(256) - 1), After/binary,
                     (rand:bytes(rand:uniform(40)))/binary>>,
         {Status, [{hello, 1} | _]} = feed("echo", Garbage, Config),
         ?assert(lists:member(Status, [?END, ?EXIT_PROTOCOL]), {Status, Garbage})
     end || _ <- lists:seq(1, 100)].

%% A port to the real program, without the room.
raw_port(Service, Options) ->
    Port = open_port({spawn_executable, program()},
                     [{args, arguments(Service)}, binary, exit_status | Options]),
    hello = raw_reply(Port),
    Port.

raw_reply(Port) ->
    <<Length:16>> = raw_bytes(Port, 2),
    case raw_bytes(Port, Length) of
        <<0, 1:16, 1:16>> -> hello;
        <<1, Id:32, Total:32, Bytes/binary>> ->
            {Id, binary_to_term(iolist_to_binary([Bytes | raw_more(Port, Id, Total - byte_size(Bytes))]))}
    end.

raw_more(_Port, _Id, 0) -> [];
raw_more(Port, Id, Left) ->
    <<Length:16>> = raw_bytes(Port, 2),
    <<?MORE, Id:32, Bytes/binary>> = raw_bytes(Port, Length),
    [Bytes | raw_more(Port, Id, Left - byte_size(Bytes))].

%% What a port sends comes in pieces of any size.
raw_bytes(Port, Size) ->
    Have = case erase(Port) of undefined -> <<>>; Bytes -> Bytes end,
    case Have of
        <<Wanted:Size/binary, Rest/binary>> ->
            put(Port, Rest),
            Wanted;
        _ ->
            receive
                {Port, {data, More}} -> put(Port, <<Have/binary, More/binary>>), raw_bytes(Port, Size);
                {Port, {exit_status, Status}} -> error({ended, Status})
            after 20000 -> error(no_reply)
            end
    end.

a_request_in_many_frames(_Config) ->
    Port = raw_port("echo", []),
    Term = [binary:copy(<<"x">>, 100000), 1, {a, 2.5}],
    Bytes = term_to_binary(Term),
    <<First:10/binary, Second:1/binary, Third:60000/binary, Rest/binary>> = Bytes,
    true = port_command(Port, [frame(<<?REQUEST, 3:32, 0:32, (byte_size(Bytes)):32, First/binary>>),
                               [frame(<<?MORE, 3:32, Part/binary>>) || Part <- [Second, Third, Rest]]]),
    {3, {ok, Term}} = raw_reply(Port),
    true = port_close(Port).

requests_are_answered_in_order(_Config) ->
    Port = raw_port("echo", []),
    true = port_command(Port, [[request(N, N), frame(<<?USAGE, (N + 1):32>>)] || N <- lists:seq(1, 1000, 2)]),
    [begin
         {N, {ok, N}} = raw_reply(Port),
         Next = N + 1,
         {Next, {ok, {_, _, _, _}}} = raw_reply(Port)
     end || N <- lists:seq(1, 1000, 2)],
    true = port_close(Port).

%% All frames of these four arrive in one read.
interrupt_right_behind_its_request(_Config) ->
    Port = raw_port("lua", []),
    true = port_command(Port, [request(1, endless()), interrupt(1), request(2, {eval, <<"return 2">>, []})]),
    {1, {error, interrupted}} = raw_reply(Port),
    {2, {ok, [2]}} = raw_reply(Port),
    true = port_close(Port).

interrupt_before_a_request(_Config) ->
    Port = raw_port("lua", []),
    Long = {eval, <<"for i = 1, 1e6 do end return 1">>, []},
    true = port_command(Port, [interrupt(1), interrupt(7), request(1, Long)]),
    {1, {ok, [1]}} = raw_reply(Port),
    true = port_close(Port).

interrupt_within_a_request(_Config) ->
    Port = raw_port("lua", []),
    Bytes = term_to_binary(endless()),
    <<First:10/binary, Rest/binary>> = Bytes,
    true = port_command(Port, [frame(<<?REQUEST, 1:32, 0:32, (byte_size(Bytes)):32, First/binary>>),
                               interrupt(0), interrupt(1), interrupt(0), frame(<<?MORE, 1:32, Rest/binary>>),
                               request(2, {eval, <<"for i = 1, 1e6 do end return 2">>, []})]),
    {1, {error, interrupted}} = raw_reply(Port),
    {2, {ok, [2]}} = raw_reply(Port),
    true = port_close(Port).

%% The oldest unanswered request, not the one right before the interrupt.
interrupt_for_the_first_of_two(_Config) ->
    Port = raw_port("lua", []),
    true = port_command(Port, [request(1, endless()), request(2, {eval, <<"for i = 1, 1e6 do end return 2">>, []}),
                               interrupt(2)]),
    {1, {error, interrupted}} = raw_reply(Port),
    {2, {ok, [2]}} = raw_reply(Port),
    true = port_close(Port).

%% It was sent for a call that ended meanwhile. Ids wrap.
interrupt_for_an_older_request(_Config) ->
    Port = raw_port("lua", []),
    Long = {eval, <<"for i = 1, 3e7 do end return 1">>, []},
    [begin
         true = port_command(Port, [request(Id, Long), interrupt(Older)]),
         {Id, {ok, [1]}} = raw_reply(Port)
     end || {Id, Older} <- [{9, 8}, {0, 16#ffffffff}]],
    true = port_command(Port, [request(16#ffffffff, endless()), interrupt(0)]),
    {16#ffffffff, {error, interrupted}} = raw_reply(Port),
    true = port_close(Port).

%% A program that is not ours, and the room.

%% Opens a box whose program does what Behaviour says.
fake(Config, Behaviour, Answer, Options) ->
    Dir = ?config(dir, Config),
    Program = filename:join(Dir, "tripod_port_program"),
    Fixture = filename:join(?config(fixtures, Config), "fake_program.sh"),
    {ok, _} = file:copy(Fixture, Program),
    ok = file:change_mode(Program, 8#755),
    ok = file:write_file(filename:join(Dir, "behaviour"), Behaviour),
    ok = file:write_file(filename:join(Dir, "answer"), Answer),
    true = os:putenv("TRIPOD_PRIV", Dir),
    Opened = tripod:open(port_program, Options#{service => echo}),
    true = os:unsetenv("TRIPOD_PRIV"),
    Opened.

answers(Config, Answer) -> answers(Config, "answer; obey_the_end", Answer).

%% What the owner is told about such an answer to its first call.
answers(Config, Then, Answer) ->
    {ok, Box} = fake(Config, ["hello; take; ", Then], Answer, #{reply_bytes => 100000, time_ms => 100}),
    Result = tripod:call(Box, hey),
    ?assertEqual(Result, tripod:call(Box, hey)),
    ?assertEqual(Result, tripod:info(Box)),
    ?assertEqual(Result, tripod:give_away(Box, self())),
    ok = tripod:close(Box),
    {error, closed} = tripod:call(Box, hey),
    [] = contract:mailbox(),
    Result.

lies_of_the_program(Config) ->
    Reply = fun(Id, Total, Bytes) -> frame(<<1, Id:32, Total:32, Bytes/binary>>) end,
    Whole = fun(Bytes) -> Reply(1, byte_size(Bytes), Bytes) end,
    Good = term_to_binary({ok, hey}),
    Size = byte_size(Good),
    {ok, hey} = answers_once(Config, Whole(Good)),
    Bomb = term_to_binary({ok, binary:copy(<<0>>, 10000000)}, [compressed]),
    Unknown = <<131, 104, 2, 119, 2, "ok", 119, 27, "an_atom_nobody_ever_spelled">>,
    Lies = #{empty => frame(<<>>),
             unknown => frame(<<9, 1:32>>),
             hello_again => frame(<<0, 1:16, 1:16>>),
             more_first => frame(<<?MORE, 1:32, Good/binary>>),
             another_id => Reply(2, Size, Good),
             short_header => frame(<<1, 1:32, 0:24>>),
             total_below => Reply(1, Size - 1, Good),
             total_above_in_one_small_frame => [Reply(1, Size + 1, Good), frame(<<?MORE, 1:32, 0>>)],
             total_beyond_limit => Reply(1, 200000, binary:copy(<<0>>, 65526)),
             total_beyond_all => Reply(1, 16#ffffffff, binary:copy(<<0>>, 65526)),
             more_of_another => [Reply(1, 70000, binary:copy(<<0>>, 65526)), frame(<<?MORE, 2:32, 0:(4474 * 8)>>)],
             more_too_short => [Reply(1, 70000, binary:copy(<<0>>, 65526)), frame(<<?MORE, 1:32, 0>>)],
             more_too_long => [Reply(1, 70000, binary:copy(<<0>>, 65526)), frame(<<?MORE, 1:32, 0:(4475 * 8)>>)],
             no_term => Whole(<<"hey">>),
             nothing => Whole(<<>>),
             half_a_term => Whole(binary:part(Good, 0, Size - 1)),
             no_reply => Whole(term_to_binary(hey)),
             compressed => Whole(Bomb),
             new_atom => Whole(Unknown)},
    [?assertEqual({Name, {error, {down, protocol}}}, {Name, answers(Config, Lie)})
     || {Name, Lie} <- maps:to_list(Lies)].

answers_once(Config, Answer) ->
    {ok, Box} = fake(Config, "hello; take; answer; obey_the_end", Answer, #{}),
    Result = tripod:call(Box, hey),
    ok = tripod:close(Box),
    Result.

no_hello(Config) ->
    {error, {artefact, _, {errno, 7}}} = fake(Config, "exit 7", <<>>, #{}),
    {error, {down, {exit, 0}}} = fake(Config, "exit 0", <<>>, #{}),
    {error, {down, {signal, kill}}} = fake(Config, "kill -KILL $$", <<>>, #{}),
    {error, {artefact, _, loader}} = fake(Config, "exit 127", <<>>, #{}),
    [] = contract:mailbox().

another_hello(Config) ->
    Hello = <<0, 2:16, 1:16>>,
    {error, {artefact, _, {protocol, Hello}}} = fake(Config, "answer; obey_the_end", frame(Hello), #{}),
    [] = contract:mailbox().

half_a_reply_and_exit(Config) ->
    Half = frame(<<1, 1:32, 70000:32, 0:(65526 * 8)>>),
    {error, {down, {exit, 3}}} = answers(Config, "answer; exit 3", Half),
    {error, {down, {signal, segv}}} = answers(Config, "answer; kill -SEGV $$", Half).

%% Neither answers nor reads nor notices the end of file: it is killed.
half_a_reply_and_silence(Config) ->
    Half = frame(<<1, 1:32, 70000:32, 0:(65526 * 8)>>),
    {error, {down, stuck}} = answers(Config, "answer; ignore_everything", Half),
    {error, {down, stuck}} = answers(Config, "ignore_everything", <<>>),
    {ok, Box} = fake(Config, "hello; ignore_everything", <<>>, #{time_ms => 100}),
    {error, {down, stuck}} = tripod:call(Box, binary:copy(<<0>>, 10000000)),
    ok = tripod:close(Box).

replies_at_the_edges_of_a_frame(_Config) ->
    {ok, Box} = tripod:open(port_program, #{service => echo}),
    %% A binary in {ok, Binary} takes 12 bytes more.
    Sizes = [Frames * 65530 - 4 - 12 + Off || Frames <- [1, 2, 3, 17], Off <- lists:seq(-12, 12)],
    [begin
         Binary = binary:copy(<<(Size rem 256)>>, Size),
         ?assert({ok, Binary} =:= tripod:call(Box, Binary))
     end || Size <- lists:seq(65490, 65550) ++ Sizes],
    ok = tripod:close(Box).
