%% SPDX-License-Identifier: Apache-2.0
%% Break-even: from how much work in each call on the strategy no longer matters.
-module(tripod_report_breakeven).

-export([sections/1, overheads/2]).
-export_type([overhead/0]).

%% What a call adds to its work. `pcall` is the work that was taken off: the bare call of the same
%% function in C.
-type overhead() :: #{subject := tripod_report_facts:subject(), ns := number(), pcall := number() | none,
                      summary := tripod_report_input:summary()}.

-define(CALL, #{<<"service">> => <<"lua">>}).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "break-even", title => "Break-even: overhead against work per call",
       blocks => blocks(Facts, overheads(<<"free">>, Facts), overheads(<<"pinned">>, Facts))}].

blocks(_, [], []) ->
    [{paragraph, "Not measured: this run has no call scenario, so no overhead is known."}];
blocks(Facts, Free, Pinned) ->
    [{paragraph,
      ["Overhead is the median of add(1, 2) through the facade", pcall(Free ++ Pinned),
       ". A call that does as much work as that spends half of its time on overhead; nine times as much "
       "work, and it is 10 %. If your calls do more than that, choose by safety, not by speed."]},
     {chart, chart(Facts, Free, Pinned), legend(Free, Pinned), table(Free ++ Pinned)}
     | duration(Facts)].

pcall(Overheads) ->
    case [Ns || #{pcall := Ns} <- Overheads, Ns =/= none] of
        [] -> "";
        [Ns | _] -> [", less the bare lua_pcall of the same function in C (",
                     tripod_report_text:plain(tripod_report_text:duration(Ns)), ")"]
    end.

legend([], _) -> "VM and programs pinned to one core; the table has the numbers.";
legend(_, _) -> "Placement free: the operating system chooses cores. The table has pinned, too.".

%% Of boxes and of what else can make the call.
-spec overheads(Placement :: binary(), tripod_report_facts:facts()) -> [overhead()].
overheads(Placement, Facts) ->
    Params = ?CALL#{<<"placement">> => Placement},
    Pcall = case tripod_report_facts:find(<<"call">>, {<<"floor">>, <<"lua_pcall">>}, Params, Facts) of
                {ok, #{p50 := Ns}} -> Ns;
                none -> none
            end,
    [overhead(Summary, Pcall) || Summary <- tripod_report_facts:no_floors(
                                               tripod_report_facts:summaries(<<"call">>, Params, Facts))].

%% A call cannot be cheaper than its work; if it was, the difference is noise and nothing is taken off.
overhead(#{p50 := P50} = Summary, Pcall) when is_number(Pcall), Pcall < P50 ->
    #{subject => tripod_report_facts:subject_of(Summary), ns => P50 - Pcall, pcall => Pcall,
      summary => Summary};
overhead(#{p50 := P50} = Summary, _) ->
    #{subject => tripod_report_facts:subject_of(Summary), ns => P50, pcall => none, summary => Summary}.

chart(Facts, [], Pinned) -> chart(Facts, Pinned, []);
chart(Facts, Overheads, _) ->
    Subjects = tripod_report_facts:boxes(Facts),
    Largest = lists:max([Ns || #{ns := Ns} <- Overheads]),
    Smallest = lists:min([Ns || #{ns := Ns} <- Overheads]),
    From = floor(math:log10(max(Smallest, 1) / 10)),
    To = ceil(math:log10(Largest * 1000)),
    Points = [math:pow(10, Eighth / 8) || Eighth <- lists:seq(From * 8, To * 8)],
    #{kind => lines, title => "Share of a call that is overhead, by how much work the call does",
      x => #{title => "work in each call", unit => <<"ns">>},
      y => #{title => "share of the time that is overhead", unit => <<"share">>},
      y_range => {0.001, 1}, guides => [0.1, 0.5],
      series => [#{label => tripod_report_plot:label(Subject), colour => tripod_report_plot:colour(Subject),
                   dash => tripod_report_plot:dash(Subject, Subjects), marks => false,
                   points => [{Work, Ns / (Ns + Work)} || Work <- Points]}
                 || #{subject := Subject, ns := Ns} <- Overheads]}.

table(Overheads) ->
    #{columns => [{"placement", left}, {"through", left}, {"call p50", right}, {"floor", right},
                  {"ratio", right}, {"overhead", right}, {"work at 50 %", right},
                  {"work at 10 %", right}, {"n", right}],
      rows => [row(Overhead) || Overhead <- Overheads]}.

row(#{subject := Subject, ns := Ns, summary := #{params := Params} = Summary}) ->
    [maps:get(<<"placement">>, Params, none), {code, tripod_report_text:subject(Subject)}]
        ++ tripod_report_doc:number(Summary)
        ++ [tripod_report_text:duration(Ns), tripod_report_text:duration(Ns),
            tripod_report_text:duration(9 * Ns), tripod_report_text:samples(Summary)].

%% Measured instead of computed, where a run has that.
duration(Facts) ->
    case tripod_report_generic:table(<<"duration">>, Facts) of
        none -> [];
        {ok, Table} -> [{heading, "Measured: calls that work for a known time"}, {table, Table}]
    end.
