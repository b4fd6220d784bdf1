%% SPDX-License-Identifier: Apache-2.0
%% The parts that a measurement is made of: lines, agreement, floors, the table.
-module(tripod_bench_tests).
-include_lib("eunit/include/eunit.hrl").

-define(NIF, {box, nif, yield}).
-define(PROGRAM, {box, port_program, process}).

%% Lines

context() ->
    #{scenario => call, params => #{placement => free},
      floors => #{?NIF => [null_nif, lua_pcall]}}.

rounds() ->
    #{?NIF => #{1 => of_batch(100, [30, 40, 50]), 2 => of_batch(100, [60, 60, 60])},
      {floor, null_nif} => #{1 => of_batch(100, [10]), 2 => of_batch(100, [10])},
      {floor, lua_pcall} => #{1 => of_batch(100, [10]), 2 => of_batch(100, [20])}}.

of_batch(Batch, Values) -> #{batch => Batch, values => Values}.

%% A sample is against the floor of its own round.
sample_test() ->
    ?assertMatch(#{type := <<"sample">>, round := 1, strategy := nif, mode := yield, n := 3,
                   p50 := 40, floor := <<"null_nif+lua_pcall">>, floor_p50 := 20, ratio := 2.0,
                   params := #{batch := 100, placement := free}},
                 tripod_bench_lines:sample(context(), rounds(), ?NIF, 1)),
    ?assertMatch(#{round := 2, p50 := 60, floor_p50 := 30, ratio := 2.0},
                 tripod_bench_lines:sample(context(), rounds(), ?NIF, 2)).

%% All values 30 40 50 60 60 60: the median by nearest rank is 50; the floors' are 10 and 10.
%% The rounds' medians 40 and 60 have mean 50 and standard deviation 14.14: 0.283.
summary_test() ->
    ?assertMatch(#{type := <<"summary">>, rounds := 2, n := 6, min := 30, p50 := 50, max := 60,
                   floor_p50 := 20, ratio := 2.5, ratio_low := 2.0, ratio_high := 2.0,
                   p50_cv := 0.283},
                 tripod_bench_lines:summary(context(), rounds(), ?NIF)).

a_floor_has_no_floor_test() ->
    ?assertMatch(#{strategy := floor, mode := null_nif, floor := null, floor_p50 := null,
                   ratio := null, ratio_low := null},
                 tripod_bench_lines:summary(context(), rounds(), {floor, null_nif})).

%% A sum without one of its parts would flatter nobody but be wrong.
no_ratio_without_every_part_test() ->
    Rounds = maps:remove({floor, lua_pcall}, rounds()),
    ?assertMatch(#{floor := <<"null_nif+lua_pcall">>, floor_p50 := null, ratio := null},
                 tripod_bench_lines:summary(context(), Rounds, ?NIF)).

%% Agreement

reply(Term) ->
    #{strict => tripod_bench_worker:fingerprint(Term),
      loose => tripod_bench_worker:loose_fingerprint(Term), text => io_lib:format("~p", [Term])}.

a_case() -> #{params => #{}, task => {echo, {term, x}}, rivals => []}.

boxes_agree_test() ->
    ?assertMatch({ok, [?NIF, ?PROGRAM], [#{name := agreement, ok := true}]},
                 tripod_bench_agree:check(a_case(), [{?NIF, reply([3])}, {?PROGRAM, reply([3])}])).

%% An integer where another gives the equal float is another answer.
boxes_that_disagree_are_refused_test() ->
    Opened = [{?NIF, reply([3])}, {?PROGRAM, reply([3.0])}],
    {refused, #{ok := false, severity := failure, detail := Detail}} =
        tripod_bench_agree:check(a_case(), Opened),
    Text = lists:flatten(Detail),
    ?assertNotEqual(nomatch, string:find(Text, "nif/yield replies [3]")),
    ?assertNotEqual(nomatch, string:find(Text, "port_program/process replies [3.0]")).

%% All the same and all wrong.
a_wrong_reply_is_refused_test() ->
    Case = (a_case())#{expected => [4]},
    ?assertMatch({refused, #{severity := failure}},
                 tripod_bench_agree:check(Case, [{?NIF, reply([3])}, {?PROGRAM, reply([3])}])),
    ?assertMatch({ok, [?NIF], _}, tripod_bench_agree:check(Case, [{?NIF, reply([4])}])).

a_rival_may_be_loose_but_not_wrong_test() ->
    Rival = {rival, luerl},
    ?assertMatch({ok, [?NIF, Rival], _},
                 tripod_bench_agree:check(a_case(), [{?NIF, reply([3])}, {Rival, reply([3.0])}])),
    {ok, [?NIF], Checks} =
        tripod_bench_agree:check(a_case(), [{?NIF, reply([3])}, {Rival, reply([4])}]),
    ?assertMatch([#{name := unsupported, severity := note, strategy := luerl}],
                 [Check || #{ok := false} = Check <- Checks]).

floors_take_part_without_a_reply_test() ->
    Floor = {floor, null_nif},
    ?assertMatch({ok, [?NIF, Floor], _},
                 tripod_bench_agree:check(a_case(), [{?NIF, reply([3])}, {Floor, unknown}])).

%% Maps of the same content have one fingerprint, however they came to be.
fingerprint_test() ->
    Keys = [integer_to_binary(I) || I <- lists:seq(1, 1000)],
    Up = lists:foldl(fun(Key, Map) -> Map#{Key => 1} end, #{}, Keys),
    Down = lists:foldr(fun(Key, Map) -> Map#{Key => 1} end, #{}, Keys),
    ?assertEqual(tripod_bench_worker:fingerprint(Up), tripod_bench_worker:fingerprint(Down)),
    ?assertNotEqual(tripod_bench_worker:fingerprint(Up),
                    tripod_bench_worker:fingerprint(Up#{<<"1">> := 2})).

%% Batches

slow_work_is_not_batched_test() ->
    Busy = fun() -> spin(erlang:monotonic_time(nanosecond) + 20000) end,
    ?assertEqual(1, tripod_bench_worker:batch(Busy)).

fast_work_is_batched_test() ->
    ?assertEqual(100, tripod_bench_worker:batch(fun() -> ok end)).

spin(Until) ->
    case erlang:monotonic_time(nanosecond) < Until of
        true -> spin(Until);
        false -> ok
    end.

%% Floors: what the C code builds is what the boxes are sent.

shapes() -> [{list, 10000}, {map, 1000}, {nested, 6}, {nested, 0}, {list, 1}].

nif_floor_builds_the_payload_test() ->
    [?assertEqual(tripod_shape:term(Shape), tripod_floor_nif:build(Shape)) || Shape <- shapes()],
    ?assertError(badarg, tripod_floor_nif:build({list, 0})).

driver_floor_builds_the_payload_test() ->
    [begin
         {ok, Port} = tripod_floor_driver:open({build, Shape}),
         ?assertEqual(tripod_shape:term(Shape), tripod_floor_driver:command(Port, <<>>)),
         ok = tripod_floor_driver:close(Port)
     end || Shape <- shapes()].

copies_copy_test() ->
    Payload = tripod_shape:term({binary, 100000}),
    ?assertEqual(100000, byte_size(Payload)),
    ?assertEqual(Payload, tripod_floor_nif:copy(Payload)),
    {ok, Port} = tripod_floor_driver:open(copy),
    ?assertEqual(Payload, tripod_floor_driver:command(Port, Payload)),
    ?assertEqual(Payload, tripod_floor_driver:command(Port, [binary:part(Payload, 0, 10),
                                                             binary:part(Payload, 10, 99990)])),
    ok = tripod_floor_driver:close(Port).

null_floors_answer_test() ->
    ?assertEqual(ok, tripod_floor_nif:null()),
    ?assertEqual(x, tripod_floor_nif:null_dirty_cpu(x)),
    ?assertEqual(x, tripod_floor_nif:null_dirty_io(x)),
    ?assertEqual(ok, tripod_floor_nif:job()),
    {ok, Port} = tripod_floor_driver:open(async),
    ?assertEqual(ok, tripod_floor_driver:command(Port, <<>>)),
    ?assertEqual([], tripod_floor_driver:control(Port)),
    ok = tripod_floor_driver:close(Port).

%% Every floor that a scenario names, for every strategy and mode there is, can be opened for that
%% scenario's tasks, and said in words.
every_floor_can_be_opened_test_() ->
    Boxes = [{Strategy, Mode} || Strategy <- tripod_strategy:all(),
                                 Mode <- (tripod_strategy:room(Strategy)):modes()],
    Named = [{Floor, Task} || Scenario <- tripod_scenario:all() -- [tripod_scenario_script],
                              #{task := Task} = Case <- Scenario:cases(quick, #{}),
                              Floor <- lists:append([Scenario:floor(Case, Strategy, Mode)
                                                     || {Strategy, Mode} <- Boxes])
                                  ++ tripod_scenario:more_floors(Scenario, Case)],
    ?assert(length(lists:usort(Named)) > 20),
    [{lists:flatten(io_lib:format("~p for ~0tP", [Floor, Task, 10])),
      fun() ->
              ?assert(is_binary(tripod_floor:text(Floor))),
              Floor =:= erl orelse runs(tripod_floor:open(Floor, Task))
      end} || {Floor, Task} <- lists:usort(Named)].

runs({ok, #{once := Once, close := Close}}) ->
    Reply = Once(),
    ?assertEqual(Reply, Once()),
    Close();
runs({ok, #{samples := _}}) ->
    ok.

%% Every mode of every strategy has a floor for a call.
every_mode_has_a_floor_test() ->
    [?assertNotEqual({Strategy, Mode, []},
                     {Strategy, Mode, tripod_floor:mechanism(Strategy, Mode)})
     || Strategy <- tripod_strategy:all(), Mode <- (tripod_strategy:room(Strategy)):modes()].

%% Larger than a pipe holds, so that both sides must make progress.
echo_floor_echoes_test() ->
    [begin
         Port = tripod_floor_echo:open(Packet),
         [?assertEqual(Term, tripod_floor_echo:call(Port, Term)) || Term <- Terms],
         ok = tripod_floor_echo:close(Port)
     end || {Packet, Terms} <- [{2, [ok, tripod_shape:term({binary, 60000}), <<>>]},
                                {4, [ok, tripod_shape:term({binary, 1000000}), [1, 2]]}]].

bare_lua_measures_test() ->
    Plan = #{warm_ms => 0, visit_ms => 5, min => 3, max => 1000},
    {Batch, Totals, [3]} = tripod_floor_lua:samples(pcall, Plan),
    ?assertEqual(100, Batch),
    ?assert(length(Totals) >= 3),
    {1, [_, _, _ | _], _} = tripod_floor_lua:samples(open, Plan),
    {_, [_, _, _ | _], _} = tripod_floor_lua:samples({build, {map, 1000}}, Plan).

%% The results of stock Lua come back byte for byte, its arguments get there byte for byte.
bare_lua_crosses_values_test() ->
    File = filename:join(os:getenv("TMPDIR", "/tmp"), "tripod-" ++ os:getpid() ++ ".lua"),
    ok = file:write_file(File, "function main(...) return ... end"),
    Values = [1, -1.5, <<"caf", 233, 0, "\"\\\n">>, true, nil, 1 bsl 62],
    Plan = #{warm_ms => 0, visit_ms => 1, min => 1, max => 10},
    try
        ?assertMatch({_, _, Values}, tripod_floor_lua:samples({script, File, Values}, Plan)),
        ?assertMatch({_, _, unknown}, tripod_floor_lua:samples({script, File, [#{}]}, Plan)),
        ?assertEqual(main, tripod_floor_lua:entry(File, Values)),
        ok = file:write_file(File, "return ..."),
        ?assertEqual(chunk, tripod_floor_lua:entry(File, Values)),
        ?assertMatch({_, _, Values}, tripod_floor_lua:samples({script, File, Values}, Plan))
    after
        file:delete(File)
    end.

%% The table

every_line_fits_the_terminal_test() ->
    Params = #{placement => pinned, service => lua, request => binary:copy(<<"wide ">>, 30)},
    Lines = [#{scenario => call, params => Params#{batch => 1}, strategy => floor,
               mode => null_nif, p50 => P50, p99 => P50 * 10, floor_p50 => P50, ratio => Ratio}
             || {P50, Ratio} <- [{12.34, 0.5}, {1.0e3, 99.994}, {123456789, 12345.6},
                                 {9.99e9, null}]],
    Text = unicode:characters_to_list(tripod_bench_table:block(Lines)),
    ?assertEqual([], [Line || Line <- string:split(Text, "\n", all), length(Line) > 80]).

durations_have_three_digits_test() ->
    ?assertEqual(["9.87 ns", "98.7 ns", "987 ns", "9.87 us", "98.7 us", "987 us", "9.87 ms",
                  "98.7 ms", "987 ms", "9.87 s"],
                 [lists:flatten(tripod_bench_table:duration(9.87 * math:pow(10, Power)))
                  || Power <- lists:seq(0, 9)]).
