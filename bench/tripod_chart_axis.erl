%% SPDX-License-Identifier: Apache-2.0
%% Ranges and ticks of an axis, and texts to be put in later.
-module(tripod_chart_axis).

-export([range/3, ticks/4, on/3, texts/1]).
-export_type([range/0, scale/0]).

-type range() :: {number(), number()}.
-type scale() :: log | linear.

%% Room for all values. A logarithmic axis begins and ends at 1, 2 or 5 times a power of ten.
-spec range(scale(), [number(), ...], Zero :: boolean()) -> range().
range(linear, Values, Zero) ->
    Least = case Zero of
                true -> 0;
                false -> lists:min(Values)
            end,
    Most = max(lists:max(Values), Least + 1.0e-9),
    Step = step(Most - Least),
    {Step * floor(Least / Step), Step * ceil(Most / Step)};
range(log, Values, _) ->
    Positive = [Value || Value <- Values, Value > 0],
    {Least, Most} = case Positive of
                        [] -> {1, 10};
                        _ -> {lists:min(Positive), lists:max(Positive)}
                    end,
    Low = lists:last([Nice || Nice <- nice(Least / 10, Least), Nice =< Least]),
    [High | _] = [Nice || Nice <- nice(Most, Most * 10), Nice >= Most, Nice > Low],
    {Low, High}.

step(Span) ->
    Power = math:pow(10, floor(math:log10(Span))),
    [Step | _] = [Factor * Power || Factor <- [0.1, 0.2, 0.25, 0.5, 1.0, 2.0], Span / (Factor * Power) =< 6],
    Step.

%% 1, 2 and 5 times the powers of ten that may lie between.
nice(From, To) ->
    [Factor * math:pow(10, Power)
     || Power <- lists:seq(floor(math:log10(From)) - 1, ceil(math:log10(To)) + 1), Factor <- [1, 2, 5]].

%% Where numbers stand: at most as many as Most, every power of ten if they fit.
-spec ticks(scale(), range(), Unit :: binary(), Most :: pos_integer()) -> [number()].
ticks(linear, {Low, High}, _, _) ->
    Step = step(High - Low),
    [Low + Step * Index || Index <- lists:seq(0, round((High - Low) / Step))];
ticks(log, {Low, High}, <<"bytes">>, _) ->
    [Tick || Power <- lists:seq(0, 12), (Tick = 1 bsl (4 * Power)) >= Low, Tick =< High];
ticks(log, {Low, High} = Range, _, Most) ->
    Decades = math:log10(High / Low),
    Choices = [within(Range, [1, 2, 5], 1) || Decades =< 2.5]
        ++ [within(Range, [1], Every) || Every <- [1, 2, 3, 6]],
    [Fitting | _] = [Ticks || Ticks <- Choices, length(Ticks) =< Most] ++ [[Low, High]],
    Fitting.

within({Low, High}, Factors, Every) ->
    [Tick || Power <- lists:seq(floor(math:log10(Low)), ceil(math:log10(High))), Power rem Every =:= 0,
             Factor <- Factors,
             (Tick = Factor * math:pow(10, Power)) >= Low * 0.999, Tick =< High * 1.001].

%% A value's place on an axis, between 0 and 1; what lies outside is put at the end.
-spec on(scale(), range(), number()) -> float().
on(Scale, {Low, High}, Value) ->
    case min(max(Value, Low), High) of
        Inside when Scale =:= log -> math:log(Inside / Low) / math:log(High / Low);
        Inside -> (Inside - Low) / (High - Low)
    end.

%% Gives texts their placeholders: for each, what stands for it.
-spec texts([tripod_chart:text()]) -> [{tripod_chart:text(), Placeholder :: unicode:chardata()}].
texts(Texts) ->
    [{Text, tripod_chart_svg:placeholder(Number)} || {Number, Text} <- lists:enumerate(Texts)].
