%% SPDX-License-Identifier: Apache-2.0
%% Stall: what one long call does to everybody else on the VM.
-module(tripod_report_stall).

-export([sections/1]).

%% Faults in which a call goes on until something ends it.
-define(LONG, [<<"lua_loop">>, <<"c_loop">>, <<"pattern_bomb">>, <<"recursion">>, <<"memory_bomb">>,
               <<"deadlock">>]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "stall", title => "Stall: what a long call does to others",
       blocks => measured(Facts) ++ pauses(Facts)}].

measured(Facts) ->
    case tripod_report_generic:table(<<"stall">>, Facts) of
        none -> [{paragraph, "Lateness under many long calls (the stall scenario) was not measured."}];
        {ok, Table} -> [{table, Table}]
    end.

pauses(Facts) ->
    Faults = tripod_report_facts:faults(crash, Facts),
    Long = [Fault || #{fault := Name, pause_ns := Pause} = Fault <- Faults, lists:member(Name, ?LONG),
                     is_number(Pause)],
    case Long of
        [] ->
            [{paragraph, "Nor is there a pause during an endless loop; `tripod crash` measures that."}];
        _ ->
            Places = tripod_report_facts:fault_places(crash, Facts),
            Sorted = [Fault || Name <- ?LONG, Place <- Places,
                               {ok, Fault} <- [tripod_report_facts:fault(Name, Place, Long)]],
            [{paragraph, "While one call would not end, a process on each scheduler wanted to run every "
                         "millisecond. Its worst lateness is what the rest of the VM felt. Where the node was "
                         "lost, there is nobody left to be late."},
             {chart, chart(Sorted, Places), "Dot: the worst lateness. Upright tick: the same on the idle VM.",
              table(Sorted)}]
    end.

chart(Faults, Places) ->
    #{kind => dots, title => "Worst lateness of a 1 ms ticker while a call would not end", scale => log,
      unit => <<"ns">>, guides => [],
      rows => lists:append([group(Name, [Fault || #{fault := One} = Fault <- Faults, One =:= Name], Places)
                            || Name <- ?LONG])}.

group(_, [], _) -> [];
group(Name, Faults, Places) ->
    [{group, tripod_report_text:fault(Name)} | [row(Fault, Places) || Fault <- Faults]].

row(#{pause_ns := Pause, idle_pause_ns := Idle} = Fault, Places) ->
    Row = tripod_report_plot:fault_row(tripod_report_facts:subject_of(Fault), Pause, Places),
    case Idle of
        nil -> Row;
        _ -> Row#{floor := Idle}
    end.

table(Faults) ->
    #{columns => [{"call", left}, {"through", left}, {"outcome", left}, {"worst pause", right},
                  {"idle VM (floor)", right}, {"ratio", right}, {"n", right}],
      rows => [[tripod_report_text:fault(Name),
                {code, tripod_report_text:subject(tripod_report_facts:subject_of(Fault))},
                tripod_report_faults:outcome(Fault), tripod_report_text:duration(Pause),
                tripod_report_text:duration(Idle), ratio(Pause, Idle), tripod_report_faults:rounds(Fault)]
               || #{fault := Name, pause_ns := Pause, idle_pause_ns := Idle} = Fault <- Faults]}.

ratio(Pause, Idle) when is_number(Idle), Idle > 0 -> tripod_report_text:ratio(Pause / Idle);
ratio(_, _) -> none.
