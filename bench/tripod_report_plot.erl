%% SPDX-License-Identifier: Apache-2.0
%% Charts of what results hold: which colour, which mark, which texts.
-module(tripod_report_plot).

-export([row/2, fault_row/3, label/1, colour/1, hollow/2, dash/2, legend/0]).

-type summary() :: tripod_report_input:summary().
-type subject() :: tripod_report_facts:subject().

%% The median; a line to p99, a thin one to the largest; the floor.
-spec row(summary(), [subject()]) -> tripod_chart:row().
row(#{p50 := P50, p99 := P99, max := Max, unit := Unit, floor_p50 := Floor, ratio := Ratio} = Summary,
    Subjects) ->
    Subject = tripod_report_facts:subject_of(Summary),
    #{label => label(Subject), colour => colour(Subject), hollow => hollow(Subject, Subjects), value => P50,
      spans => [{P50, P99, 2.4}, {P99, Max, 0.7}],
      floor => case Floor of nil -> none; _ -> Floor end,
      text => [tripod_report_text:plain(tripod_report_text:quantity(P50, Unit)),
               case Ratio of nil -> ""; _ -> ["\x{a0}\x{a0}\x{a0}×", tripod_report_text:ratio(Ratio)] end]}.

-spec fault_row(subject(), number(), [subject()]) -> tripod_chart:row().
fault_row(Subject, Ns, Subjects) ->
    #{label => label(Subject), colour => colour(Subject), hollow => hollow(Subject, Subjects), value => Ns,
      spans => [], floor => none, text => tripod_report_text:plain(tripod_report_text:duration(Ns))}.

-spec label(subject()) -> binary().
label(Subject) -> tripod_report_text:subject(Subject).

-spec colour(subject()) -> tripod_chart:colour().
colour({<<"nif">>, _}) -> nif;
colour({<<"port_driver">>, _}) -> port_driver;
colour({<<"port_program">>, _}) -> port_program;
colour({<<"luerl">>, _}) -> luerl;
colour(_) -> other.

%% A strategy's first mode is filled, so that modes are told apart without colour.
-spec hollow(subject(), [subject()]) -> boolean().
hollow(Subject, Subjects) -> mode_number(Subject, Subjects) > 1.

-spec dash(subject(), [subject()]) -> pos_integer().
dash(Subject, Subjects) -> min(mode_number(Subject, Subjects), 5).

mode_number({Strategy, _} = Subject, Subjects) ->
    Modes = [One || {Same, _} = One <- Subjects, Same =:= Strategy],
    length(lists:takewhile(fun(One) -> One =/= Subject end, Modes)) + 1.

-spec legend() -> unicode:chardata().
legend() ->
    "Dot: median. Line: to the 99th percentile, thin to the largest. Upright tick: the floor. × is the "
    "median over the floor.".
