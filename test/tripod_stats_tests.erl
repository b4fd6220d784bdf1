%% SPDX-License-Identifier: Apache-2.0
%% Statistics against values worked out by hand.
-module(tripod_stats_tests).
-include_lib("eunit/include/eunit.hrl").

%% Nearest rank: p50 of four values is the second, p90 the fourth (rank 3.6 rounded up).
summary_of_four_test() ->
    ?assertEqual(#{n => 4, min => 10, p50 => 20, p90 => 40, p99 => 40, p999 => 40, max => 40},
                 tripod_stats:summary([30, 10, 40, 20])).

summary_of_one_test() ->
    ?assertEqual(#{n => 1, min => 7, p50 => 7, p90 => 7, p99 => 7, p999 => 7, max => 7},
                 tripod_stats:summary([7])).

%% With 1..1000 every percentile is its own rank; 0.999 * 1000 in floats would make p999 the 1000th.
summary_of_a_thousand_test() ->
    ?assertEqual(#{n => 1000, min => 1, p50 => 500, p90 => 900, p99 => 990, p999 => 999,
                   max => 1000},
                 tripod_stats:summary(shuffled(lists:seq(1, 1000)))).

%% One more value moves each rank up.
summary_of_a_thousand_and_one_test() ->
    ?assertEqual(#{n => 1001, min => 1, p50 => 501, p90 => 901, p99 => 991, p999 => 1000,
                   max => 1001},
                 tripod_stats:summary(shuffled(lists:seq(1, 1001)))).

%% The worst value of a hundred is not trimmed away.
an_outlier_stays_test() ->
    Values = [1000000 | lists:duplicate(99, 10)],
    ?assertMatch(#{p50 := 10, p99 := 10, p999 := 1000000, max := 1000000},
                 tripod_stats:summary(Values)).

floats_test() ->
    ?assertEqual(1.5, tripod_stats:median([2.5, 1.5, 0.5])).

%% Three values: a resample's median is the smallest when at least two of three draws are it, with
%% probability 3 * 1/9 * 2/3 + 1/27 = 7/27 = 0.259. So it is in every interval of confidence above
%% 1 - 2 * 0.259 = 0.481, and the interval shrinks to the middle below that.
median_interval_of_three_test() ->
    ?assertEqual({1, 3}, tripod_stats:median_interval([2, 3, 1], 0.49)),
    ?assertEqual({2, 2}, tripod_stats:median_interval([2, 3, 1], 0.48)).

median_interval_of_one_test() ->
    ?assertEqual({5, 5}, tripod_stats:median_interval([5], 0.95)).

%% Ten values, median at rank 5: P(Binomial(10, 0.1) >= 5) = 0.0016 and P(Binomial(10, 0.2) >= 5) =
%% 0.0328, so 2.5 % lie below rank 2. P(Binomial(10, 0.7) >= 5) = 0.9527 and for 0.8 it is 0.9936:
%% the upper end is rank 8.
median_interval_of_ten_test() ->
    ?assertEqual({2, 8}, tripod_stats:median_interval(lists:seq(1, 10), 0.95)).

%% Against resampling itself.
median_interval_is_the_bootstrap_test() ->
    _ = rand:seed(exsss, {1, 2, 3}),
    N = 31,
    Medians = lists:sort([tripod_stats:median([rand:uniform(N) || _ <- lists:seq(1, N)])
                          || _ <- lists:seq(1, 20000)]),
    {Low, High} = tripod_stats:median_interval(lists:seq(1, N), 0.95),
    ?assert(abs(Low - lists:nth(500, Medians)) =< 1),
    ?assert(abs(High - lists:nth(19500, Medians)) =< 1).

%% The approximation for many values continues the exact sum.
median_interval_of_many_test() ->
    {Low0, High0} = tripod_stats:median_interval(lists:seq(1, 1000), 0.95),
    {Low1, High1} = tripod_stats:median_interval(lists:seq(1, 1001), 0.95),
    ?assert(abs(Low1 - Low0) =< 1),
    ?assert(abs(High1 - High0) =< 1).

%% Mean 5, squared deviations 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 = 32, sample variance 32 / 7.
variation_test() ->
    Values = [2, 4, 4, 4, 5, 5, 7, 9],
    ?assertEqual(5.0, tripod_stats:mean(Values)),
    ?assert(abs(tripod_stats:variation(Values) - math:sqrt(32 / 7) / 5) < 1.0e-12),
    ?assertEqual(0.0, tripod_stats:variation([3])).

ratio_test() ->
    ?assertEqual(1.5, tripod_stats:ratio(30, 20)),
    ?assertEqual(null, tripod_stats:ratio(30, null)),
    ?assertEqual(null, tripod_stats:ratio(30, 0)).

shuffled(List) ->
    _ = rand:seed(exsss, {4, 5, 6}),
    [Value || {_, Value} <- lists:sort([{rand:uniform(), Value} || Value <- List])].
