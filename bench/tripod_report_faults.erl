%% SPDX-License-Identifier: Apache-2.0
%% Cleanup after kill and the blast radius of crashes: what was lost, what leaked, and how long it
%% took to notice, to clean up and to serve again.
-module(tripod_report_faults).

-export([sections/1, outcome/1, outcome_text/1, leaked/1, rounds/1]).

-type fault() :: tripod_report_input:fault().

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "cleanup", title => "Cleanup after kill", blocks => cleanup(Facts)},
     #{id => "blast-radius", title => "Blast radius: what a fault takes with it", blocks => crash(Facts)}].

cleanup(Facts) -> killed(Facts) ++ deaths(Facts).

%% The scenario of that name, in which only owners die, but often enough for percentiles.
deaths(Facts) ->
    case tripod_report_generic:table(<<"cleanup">>, Facts) of
        none ->
            [];
        {ok, Table} ->
            [{heading, "Many deaths of one kind"},
             {paragraph, "idle, mid_call: from the owner's death until its box's last native byte is back. "
                         "large: the worst that a 1 ms ticker on any scheduler was late in the 150 ms in "
                         "which a box of 256 MiB died; its floor is the same when nobody dies."},
             {table, Table}]
    end.

killed(Facts) ->
    case tripod_report_facts:faults(kill, Facts) of
        [] ->
            [{paragraph, "Not measured: this file has no results of tripod kill."}];
        Faults ->
            [{paragraph, "Owners end in each way; the box must end with them. Clean: until every native byte "
                         "and every operating system process of the box is gone. Serve: until a new box has "
                         "answered. Times are medians of n rounds; nothing about them has a floor."},
             clean([Fault || #{clean_ns := Clean} = Fault <- Faults, is_number(Clean)],
                   table(Faults, kill, Facts), Facts)
             | not_injected(kill, Facts)]
    end.

%% With a chart, unless nothing was ever clean.
clean([], Table, _) ->
    {table, Table};
clean(Faults, Table, Facts) ->
    Places = tripod_report_facts:fault_places(kill, Facts),
    Groups = [{Name, [tripod_report_plot:fault_row(Place, Clean, Places)
                      || Place <- Places,
                         {ok, #{clean_ns := Clean}} <- [tripod_report_facts:fault(Name, Place, Faults)]]}
              || Name <- tripod_report_facts:fault_names(kill, Facts)],
    {chart, #{kind => dots, title => "From an owner's death until nothing is left of its box", scale => log,
              unit => <<"ns">>, guides => [],
              rows => lists:append([[{group, tripod_report_text:fault(Name)} | Rows]
                                    || {Name, [_ | _] = Rows} <- Groups])},
     "Dot: median time from the owner's death until nothing is left.", Table}.

crash(Facts) ->
    case tripod_report_facts:faults(crash, Facts) of
        [] ->
            [{paragraph, "Not measured: this file has no results of tripod crash."}
             | not_injected(crash, Facts)];
        Faults ->
            [{paragraph, "Each fault happened in a sacrificial VM beside other boxes. Contained: the call ended "
                         "and the box stays usable. Box lost: this box and no other. Node lost: the VM and "
                         "everything in it. Hang: no answer before the deadline. Leak: something was left "
                         "behind."},
             {table, matrix(Facts)},
             {heading, "In detail"},
             {table, table(Faults, crash, Facts)}]
                ++ not_injected(crash, Facts)
    end.

matrix(Facts) ->
    Places = tripod_report_facts:fault_places(crash, Facts),
    Faults = tripod_report_facts:faults(crash, Facts),
    Missed = tripod_report_facts:not_injected(crash, Facts),
    #{columns => [{"fault", left} | [{tripod_report_text:subject(Place), left} || Place <- Places]],
      rows => [[tripod_report_text:fault(Name)
                | [matrix_cell(Name, Place, Faults, Missed) || Place <- Places]]
               || Name <- tripod_report_facts:fault_names(crash, Facts)]}.

matrix_cell(Name, Place, Faults, Missed) ->
    case {tripod_report_facts:fault(Name, Place, Faults), lists:member({Name, Place}, Missed)} of
        {{ok, Fault}, _} -> with_losses(Fault);
        {none, true} -> {tone, bad, "not injected"};
        {none, false} -> none % it has nothing there that could be hit
    end.

with_losses(#{lost := #{<<"other_boxes">> := Others}} = Fault) when is_integer(Others), Others > 0 ->
    {tone, Tone, Text} = outcome(Fault),
    {tone, Tone, [Text, ", ", tripod_report_text:count(Others), " other ", plural(Others, "box", "boxes")]};
with_losses(Fault) ->
    outcome(Fault).

plural(1, One, _) -> One;
plural(_, _, Many) -> Many.

-spec outcome(fault()) -> {tone, tripod_report_doc:tone(), unicode:chardata()}.
outcome(#{outcome := Outcome}) ->
    {tone, tone(Outcome), binary:replace(Outcome, <<"_">>, <<16#a0/utf8>>, [global])}.

%% An owner's own box was to end with it, so that nothing else is lost.
tone(<<"contained">>) -> good;
tone(<<"box_lost">>) -> fair;
tone(_) -> bad.

%% The same with a blank that breaks.
-spec outcome_text(fault()) -> binary().
outcome_text(#{outcome := Outcome}) -> binary:replace(Outcome, <<"_">>, <<" ">>, [global]).

table(Faults, Command, Facts) ->
    #{columns => [{"fault", left}, {"through", left}, {"outcome", left}, {"lost", left}, {"leaked", left},
                  {"learned", left}, {"detect", right}, {"clean", right}, {"serve", right},
                  {"pause", right}, {"n", right}],
      rows => [row(Fault) || Name <- tripod_report_facts:fault_names(Command, Facts),
                             Place <- tripod_report_facts:fault_places(Command, Facts),
                             {ok, Fault} <- [tripod_report_facts:fault(Name, Place, Faults)]]}.

row(#{fault := Name} = Fault) ->
    Place = tripod_report_facts:subject_of(Fault),
    Times = [detect_ns, clean_ns, serve_ns, pause_ns],
    [tripod_report_text:fault(Name), {code, tripod_report_text:subject(Place)}, outcome(Fault), lost(Fault),
     leaked(Fault), learned(Fault)]
        ++ [tripod_report_text:duration(maps:get(Key, Fault)) || Key <- Times]
        ++ [rounds(Fault)].

-spec rounds(fault()) -> unicode:chardata().
rounds(#{rounds := nil}) -> "1";
rounds(#{rounds := Rounds}) -> tripod_report_text:count(Rounds).

lost(#{lost := Lost}) ->
    case [lost(Key, Value) || {Key, Value} <- lists:sort(maps:to_list(Lost)), Value =/= false, Value =/= 0] of
        [] -> "nothing";
        Losses -> lists:join(", ", Losses)
    end.

lost(<<"other_boxes">>, Count) when is_integer(Count) ->
    [tripod_report_text:count(Count), " other ", plural(Count, "box", "boxes")];
lost(Key, true) -> name(Key);
lost(Key, Count) -> [tripod_report_text:count(Count), " ", name(Key)].

-spec leaked(fault()) -> unicode:chardata().
leaked(#{leaked := Leaked}) ->
    case [leaked(Key, Count) || {Key, Count} <- lists:sort(maps:to_list(Leaked)), Count > 0] of
        [] -> "nothing";
        Leaks -> lists:join(", ", Leaks)
    end.

leaked(<<"bytes">>, Bytes) -> tripod_report_text:plain(tripod_report_text:bytes(Bytes));
leaked(Key, Count) -> [tripod_report_text:count(Count), " ", name(Key)].

name(<<"fds">>) -> <<"file descriptors">>;
name(<<"os_processes">>) -> <<"operating system processes">>;
name(Key) -> binary:replace(Key, <<"_">>, <<" ">>, [global]).

learned(#{learned := nil}) -> none;
learned(#{learned := Learned}) -> Learned.

not_injected(Command, Facts) ->
    case tripod_report_facts:not_injected(Command, Facts) of
        [] -> [];
        Missed ->
            [{warning, ["Not injected, so nothing is known about: ",
                        lists:join("; ", [[tripod_report_text:fault(Name), " through ",
                                           tripod_report_text:subject(Place)] || {Name, Place} <- Missed]),
                        "."]}]
    end.
