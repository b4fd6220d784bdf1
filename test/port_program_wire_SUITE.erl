%% SPDX-License-Identifier: Apache-2.0
%% The port program without the room: it is fed frames by hand, among them bytes that no VM would
%% send. port_program_hostile_SUITE is the other direction.
-module(port_program_wire_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [no_arguments_that_make_sense, end_of_file_between_frames, end_of_file_at_every_byte,
     end_of_file_in_a_call, pipe_closed_in_a_call, pipe_closed_behind_a_full_buffer, lies_of_the_vm, garbage_from_the_vm,
     a_request_in_many_frames, requests_are_answered_in_order, interrupt_right_behind_its_request,
     interrupt_before_a_request, interrupt_within_a_request, interrupt_for_the_first_of_two, interrupt_for_an_older_request].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Config.

end_per_suite(_Config) -> application:stop(tripod).

init_per_testcase(Case, Config) ->
    Dir = filename:join(?config(priv_dir, Config), Case),
    ok = filelib:ensure_dir(filename:join(Dir, "x")),
    [{dir, Dir} | Config].

end_per_testcase(_Case, _Config) -> ok.

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

%% The output is a pipe always: the program may not write to files.
command(file) -> ["in=$0; out=$1; shift; { \"$@\" <$in", after_the_end()];
command(pipe) -> ["in=$0; out=$1; shift; { cat $in | \"$@\"", after_the_end()].

after_the_end() -> "; echo $? >$out.status; } | cat >$out; read status <$out.status; exit $status".

shell(Command, Arguments) ->
    Port = open_port({spawn_executable, "/bin/sh"}, [{args, ["-c", lists:flatten(Command) | Arguments]}, exit_status]),
    receive
        {Port, {exit_status, Status}} -> Status
    after 30000 ->
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
    ?EXIT_USAGE = Try(["guard", "1"]),
    ?EXIT_USAGE = Try(["reap", "12:2"]),
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
            after 30000 -> error(no_reply)
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
