%% SPDX-License-Identifier: Apache-2.0
%% From measured values to lines of the results file, and from several rounds to one summary.
-module(tripod_bench_lines).

-export([sample/4, summary/3, variation/1]).
-export_type([context/0, rounds/0]).

%% What all lines of one case have in common.
-type context() :: #{scenario := atom(), params := map(),
                     %% The parts of each box's floor.
                     floors := #{tripod_bench_task:subject() => [tripod_bench_task:floor_name()]}}.
-type round() :: pos_integer().
-type rounds() :: #{tripod_bench_task:subject() => #{round() => tripod_bench_worker:measured()}}.

%% One subject's values of one round, against its floor in the same round.
-spec sample(context(), rounds(), tripod_bench_task:subject(), round()) -> tripod_results:line().
sample(Context, Rounds, Subject, Round) ->
    #{batch := Batch, values := Values} = maps:get(Round, maps:get(Subject, Rounds)),
    Line = line(Context, Subject, Batch, Values,
                floor_p50(Context, Subject, fun(Floor) -> in_round(Rounds, Floor, Round) end)),
    Line#{type => <<"sample">>, round => Round}.

%% One subject's values of all rounds. `ratio_low` and `ratio_high` are the extremes of the rounds'
%% own ratios: what the order of things and the state of the machine can do to the ratio.
-spec summary(context(), rounds(), tripod_bench_task:subject()) -> tripod_results:line().
summary(Context, Rounds, Subject) ->
    Own = maps:get(Subject, Rounds),
    [#{batch := Batch} | _] = maps:values(Own),
    Values = all_values(Own),
    {Low, High} = tripod_stats:median_interval(Values, 0.95),
    Line = line(Context, Subject, Batch, Values,
                floor_p50(Context, Subject, fun(Floor) -> all_rounds(Rounds, Floor) end)),
    Ratios = [Ratio || Round <- lists:sort(maps:keys(Own)),
                       #{ratio := Ratio} <- [sample(Context, Rounds, Subject, Round)],
                       Ratio =/= null],
    Line#{type => <<"summary">>, rounds => map_size(Own), p50_low => Low, p50_high => High,
          p50_cv => rounded(variation(Own)), ratio_low => extreme(fun lists:min/1, Ratios),
          ratio_high => extreme(fun lists:max/1, Ratios)}.

%% How much the rounds disagree: the coefficient of variation of their medians.
-spec variation(#{round() => tripod_bench_worker:measured()}) -> float().
variation(Own) ->
    Medians = [tripod_stats:median(Values) || #{values := Values} <- maps:values(Own)],
    tripod_stats:variation(Medians).

line(#{scenario := Scenario, params := Params}, Subject, Batch, Values, {Floor, FloorP50}) ->
    {Strategy, Mode} = tripod_bench_task:subject_name(Subject),
    #{p50 := P50} = Summary = tripod_stats:summary(Values),
    Summary#{scenario => Scenario, strategy => Strategy, mode => Mode,
             params => Params#{batch => Batch}, unit => <<"ns">>, floor => Floor,
             floor_p50 => FloorP50, ratio => rounded(tripod_stats:ratio(P50, FloorP50))}.

%% The sum of its parts' medians; nothing when a part is missing.
floor_p50(#{floors := Floors}, Subject, Values) ->
    case maps:get(Subject, Floors, []) of
        [] ->
            {null, null};
        Parts ->
            Name = lists:join("+", [atom_to_list(Part) || Part <- Parts]),
            Medians = [median(Values({floor, Part})) || Part <- Parts],
            {unicode:characters_to_binary(Name), sum(Medians)}
    end.

median([]) -> null;
median(Values) -> tripod_stats:median(Values).

sum(Medians) ->
    case lists:member(null, Medians) of
        true -> null;
        false -> lists:sum(Medians)
    end.

in_round(Rounds, Subject, Round) ->
    case Rounds of
        #{Subject := #{Round := #{values := Values}}} -> Values;
        #{} -> []
    end.

all_rounds(Rounds, Subject) -> all_values(maps:get(Subject, Rounds, #{})).

all_values(Own) -> lists:append([Values || #{values := Values} <- maps:values(Own)]).

extreme(_, []) -> null;
extreme(Which, Ratios) -> Which(Ratios).

rounded(null) -> null;
rounded(Number) -> round(Number * 1000) / 1000.
