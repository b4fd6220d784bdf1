%% SPDX-License-Identifier: Apache-2.0
%% Percentiles of a trivial call, free and pinned, and the floors that it stands on.
-module(tripod_report_percentiles).

-export([sections/1, by_round/1]).

-define(SCENARIO, <<"call">>).
-define(LUA, #{<<"service">> => <<"lua">>}).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    Blocks = case tripod_report_facts:placements(?SCENARIO, Facts) of
                 [] -> [{paragraph, "Not measured: this run has no call scenario."}];
                 Placements -> blocks(Facts, Placements)
             end,
    [#{id => "percentiles", title => "Percentiles of a trivial call", blocks => Blocks}].

blocks(Facts, Placements) ->
    Lua = measured(?LUA, Placements, Facts),
    Echo = measured(#{<<"service">> => <<"echo">>}, Placements, Facts),
    Floors = [{Placement, [Summary || #{strategy := <<"floor">>} = Summary <- placed(?LUA, Placement, Facts)]}
              || Placement <- Placements],
    [{paragraph, ["One caller, one call after the other, so waiting in a queue is not in these tails. Free: the "
                  "operating system chooses cores. Pinned: the VM and its programs share one core. Where n has "
                  "a factor, each sample is the mean of that many calls, and percentiles are of those means."]}]
        ++ [{chart, chart(Lua, Facts), tripod_report_plot:legend(), table(Lua)} || has_any(Lua)]
        ++ [Block || has_any(Echo),
                     Block <- [{heading, "The same request to the echo service: the way without Lua"},
                               {table, table(Echo)}]]
        ++ [Block || has_any(Floors),
                     Block <- [{heading, "The floors: what the same mechanism costs when nothing is done"},
                               {table, floors(Floors)}]].

measured(Params, Placements, Facts) ->
    [{Placement, tripod_report_facts:no_floors(placed(Params, Placement, Facts))} || Placement <- Placements].

placed(Params, Placement, Facts) ->
    tripod_report_facts:summaries(?SCENARIO, Params#{<<"placement">> => Placement}, Facts).

has_any(Places) -> lists:any(fun({_, Summaries}) -> Summaries =/= [] end, Places).

chart(Places, Facts) ->
    Subjects = tripod_report_facts:boxes(Facts),
    #{kind => dots, title => "A trivial call: median, 99th percentile and worst", scale => log,
      unit => <<"ns">>, guides => [],
      rows => lists:append([[{group, Placement}
                             | [tripod_report_plot:row(Summary, Subjects) || Summary <- Summaries]]
                            || {Placement, Summaries} <- Places, Summaries =/= []])}.

table(Places) ->
    #{columns => [{"placement", left}, {"through", left}, {"p50", right}, {"p90", right}, {"p99", right},
                  {"p99.9", right}, {"max", right}, {"floor", right}, {"ratio", right}, {"by round", right},
                  {"n", right}],
      rows => [[Placement, {code, tripod_report_text:subject(tripod_report_facts:subject_of(Summary))}]
               ++ [tripod_report_text:quantity(maps:get(Key, Summary), Unit)
                   || Key <- [p50, p90, p99, p999, max]]
               ++ tl(tripod_report_doc:number(Summary))
               ++ [by_round(Summary), tripod_report_text:samples(Summary)]
               || {Placement, Summaries} <- Places, #{unit := Unit} = Summary <- Summaries]}.

%% The extremes of the rounds' own ratios.
-spec by_round(tripod_report_input:summary()) -> tripod_report_doc:cell().
by_round(#{ratio_low := Low, ratio_high := High}) when is_number(Low), is_number(High) ->
    [tripod_report_text:ratio(Low), "–", tripod_report_text:ratio(High)];
by_round(#{}) ->
    none.

floors(Places) ->
    #{columns => [{"placement", left}, {"floor", left}, {"what it is", left}, {"p50", right}, {"p99", right},
                  {"max", right}, {"n", right}],
      rows => [[Placement, {code, Mode}, about(Mode)]
               ++ [tripod_report_text:quantity(maps:get(Key, Summary), Unit) || Key <- [p50, p99, max]]
               ++ [tripod_report_text:samples(Summary)]
               || {Placement, Summaries} <- Places, #{mode := Mode, unit := Unit} = Summary <- Summaries]}.

%% A results file may have floors that this version does not know.
about(Name) ->
    _ = code:ensure_loaded(tripod_floor), % for its names
    try tripod_floor:text(binary_to_existing_atom(Name))
    catch error:_ -> ""
    end.
