%% SPDX-License-Identifier: Apache-2.0
%% The room against a program that is not ours: what the VM makes of bytes that no honest program
%% sends, of half replies, and of a program that neither answers nor ends.
-module(port_program_hostile_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-compile([export_all, nowarn_export_all]).

-define(MORE, 2).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [lies_of_the_program, no_hello, another_hello, half_a_reply_and_exit, half_a_reply_and_silence,
     replies_at_the_edges_of_a_frame, sizes_that_are_only_claimed].

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

frame(Bytes) -> <<(byte_size(Bytes)):16, Bytes/binary>>.

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

%% Bytes that claim more to come: what the VM sets aside for it, at most, while it waits.
sizes_that_are_only_claimed(Config) ->
    MiB = 1024 * 1024,
    Claims = #{frame => <<16#7fffffff:32>>,
               frame_of_most => <<16#ffff:16, 1, 1:32>>,
               total => frame(<<1, 1:32, 16#7fffffff:32, 0:(65526 * 8)>>),
               total_within_limit => frame(<<1, 1:32, (64 * MiB):32, 0:(65526 * 8)>>)},
    [begin
         Grown = claimed(Config, Claim),
         ct:log("~p: ~b bytes", [Name, Grown]),
         ?assertMatch({_, Bytes} when Bytes < 4 * MiB, {Name, Grown})
     end || {Name, Claim} <- maps:to_list(Claims)],
    %% The same measure of a port that does not limit frames sees what they would have cost.
    Before = erlang:memory(total),
    Port = open_port({spawn_executable, "/bin/sh"},
                     [{args, ["-c", "printf '\\017\\377\\377\\377'; exec sleep 600"]}, {packet, 4}, binary]),
    {os_pid, Pid} = erlang:port_info(Port, os_pid),
    ok = contract:await(fun() -> erlang:memory(total) - Before > 200 * MiB end),
    true = port_close(Port),
    "" = os:cmd("kill -KILL " ++ integer_to_list(Pid)),
    ok.

claimed(Config, Claim) ->
    Self = self(),
    {Owner, Monitor} =
        spawn_monitor(fun() ->
                              {ok, Box} = fake(Config, "hello; take; answer; obey_the_end", Claim,
                                               #{reply_bytes => 64 * 1024 * 1024, time_ms => 100}),
                              Self ! {opened, self()},
                              receive call -> ok end,
                              {error, {down, _}} = tripod:call(Box, hey),
                              ok = tripod:close(Box)
                      end),
    receive {opened, Owner} -> ok end,
    Before = erlang:memory(total),
    Owner ! call,
    most(Monitor, Before, 0).

%% Looks until the call has ended.
most(Monitor, Before, Most) ->
    More = max(Most, erlang:memory(total) - Before),
    receive
        {'DOWN', Monitor, process, _, normal} -> More
    after 1 ->
            most(Monitor, Before, More)
    end.
