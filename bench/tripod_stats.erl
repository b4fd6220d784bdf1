%% SPDX-License-Identifier: Apache-2.0
%% Statistics over samples: pure functions over numbers of any unit. Nothing is trimmed, smoothed or
%% assumed to be normal.
-module(tripod_stats).

-export([summary/1, percentile/2, median/1, median_interval/2, mean/1, variation/1, ratio/2]).
-export_type([summary/0]).

-type summary() :: #{n := pos_integer(), min := number(), p50 := number(), p90 := number(),
                     p99 := number(), p999 := number(), max := number()}.

%% Percentiles by nearest rank: each is a value that was measured. With fewer than 1000 samples p999
%% is the maximum, with fewer than 100 so is p99.
-spec summary([number(), ...]) -> summary().
summary(Values) ->
    Sorted = sorted(Values),
    #{n => tuple_size(Sorted),
      min => element(1, Sorted),
      p50 => at(Sorted, 500),
      p90 => at(Sorted, 900),
      p99 => at(Sorted, 990),
      p999 => at(Sorted, 999),
      max => element(tuple_size(Sorted), Sorted)}.

%% The smallest value that at least PerMille thousandths of all values do not exceed.
-spec percentile([number(), ...], PerMille :: 1..1000) -> number().
percentile(Values, PerMille) -> at(sorted(Values), PerMille).

-spec median([number(), ...]) -> number().
median(Values) -> percentile(Values, 500).

sorted(Values) -> list_to_tuple(lists:sort(Values)).

%% Integers, because 0.999 * 1000 is not 999.
at(Sorted, PerMille) -> element((tuple_size(Sorted) * PerMille + 999) div 1000, Sorted).

%% The percentile bootstrap's interval for the median, exactly, as if after infinitely many
%% resamplings: a resample's median is at most the j-th smallest value when at least half of its n
%% draws fall among the j smallest, which has a binomial probability. Assumes independent samples;
%% what differs between rounds is not in it.
-spec median_interval([number(), ...], Confidence :: float()) -> {number(), number()}.
median_interval(Values, Confidence) ->
    Sorted = sorted(Values),
    Size = tuple_size(Sorted),
    Tail = (1 - Confidence) / 2,
    {element(resampled_rank(Size, Tail), Sorted), element(resampled_rank(Size, 1 - Tail), Sorted)}.

%% The smallest j for which a resample's median is at most the j-th value with probability P.
resampled_rank(Size, P) -> resampled_rank(1, Size, Size, (Size + 1) div 2, P).

resampled_rank(Low, Low, _, _, _) ->
    Low;
resampled_rank(Low, High, Size, Half, P) ->
    Middle = (Low + High) div 2,
    case at_least(Half, Size, Middle / Size) >= P of
        true -> resampled_rank(Low, Middle, Size, Half, P);
        false -> resampled_rank(Middle + 1, High, Size, Half, P)
    end.

%% P(Binomial(N, P) >= K). Beyond a thousand draws the normal approximation with continuity
%% correction is off by far less than one rank.
at_least(_, _, P) when P >= 1 ->
    1.0;
at_least(K, N, P) when N =< 1000 ->
    First = lists:sum([math:log((N - K + I) / I) || I <- lists:seq(1, K)])
            + K * math:log(P) + (N - K) * math:log(1 - P),
    at_least(K, N, P / (1 - P), First, 0.0);
at_least(K, N, P) ->
    0.5 * math:erfc((K - 0.5 - N * P) / math:sqrt(2 * N * P * (1 - P))).

%% Sums the terms from K on; each follows from the one before, in logarithms for want of range.
at_least(N, N, _, Log, Sum) ->
    Sum + math:exp(Log);
at_least(K, N, Odds, Log, Sum) ->
    at_least(K + 1, N, Odds, Log + math:log(Odds * (N - K) / (K + 1)), Sum + math:exp(Log)).

-spec mean([number(), ...]) -> float().
mean(Values) -> lists:sum(Values) / length(Values).

%% Coefficient of variation: the sample standard deviation over the mean; 0.0 for a single value.
-spec variation([number(), ...]) -> float().
variation([_]) -> 0.0;
variation(Values) ->
    Mean = mean(Values),
    Squares = lists:sum([(Value - Mean) * (Value - Mean) || Value <- Values]),
    case Mean == 0 of
        true -> 0.0;
        false -> math:sqrt(Squares / (length(Values) - 1)) / abs(Mean)
    end.

%% null when there is nothing to divide by.
-spec ratio(number(), number() | null) -> float() | null.
ratio(_, null) -> null;
ratio(_, Floor) when Floor == 0 -> null;
ratio(Value, Floor) -> Value / Floor.
