%% SPDX-License-Identifier: Apache-2.0
%% What `tripod kill` and `tripod crash` have in common: every fault on every strategy and mode, one
%% after the other, with results, progress and tables.
%%
%% Exit status: 0 every fault was injected and judged, whatever came of it; 1 one was not; 2 usage, or
%% results cannot be written, or there is nothing to inject faults into.
-module(tripod_fault_run).

-export([main/2]).
-export_type([command/0, options/0]).

-type command() :: #{name := kill | crash, faults := [tripod_fault_kinds:fault()],
                     %% Faults that are done only when named.
                     hidden := [tripod_fault_kinds:fault()],
                     service := atom(), artefacts := file:filename() | default}.
-type options() :: #{quick => boolean(), only => [atom() | binary() | string()],
                     strategies => [tripod_strategy:name()], out => file:filename(),
                     json => boolean(), table => boolean(), atom() => term()}.

-record(run, {command :: command(), quick :: boolean(), results :: tripod_results:results(),
              progress :: tripod_progress:progress(), guard :: tripod_fault_guard:guard()}).

-define(SCHEMA, 1).
-define(STAGE_MS, 1500). % estimates, for the time left

-spec main(command(), options()) -> 0..2.
main(#{name := Name} = Command, Options) ->
    %% VMs are linked to this process; their end is what is looked for.
    Trapping = process_flag(trap_exit, true),
    ok = tripod_fault_node:quiet(true),
    try
        Faults = faults(Command, Options),
        Places = places(Options),
        ok = built(Command),
        injected(Command, Options, Faults, Places)
    catch
        throw:{usage, Text} ->
            say(["tripod ", atom_to_list(Name), ": ", Text]),
            2;
        throw:{unwritable, File, Why} ->
            say(["tripod ", atom_to_list(Name), ": cannot write ", File, ": ", file:format_error(Why),
                 "; lines written before are whole"]),
            2
    after
        tripod_fault_node:quiet(false),
        process_flag(trap_exit, Trapping)
    end.

say(Text) -> io:put_chars(standard_error, [Text, $\n]).

%% Those that are named, or all, or those of a quick run.
faults(#{faults := Faults, hidden := Hidden}, #{only := [_ | _] = Names}) ->
    lists:append([case [Fault || #{name := Name} = Fault <- Faults ++ Hidden,
                                 atom_to_list(Name) =:= text(Wanted)] of
                      [] -> throw({usage, ["there is no fault ", text(Wanted), "; there are ",
                                           lists:join(", ", [text(Name) || #{name := Name} <- Faults])]});
                      Found -> Found
                  end || Wanted <- Names]);
faults(#{faults := Faults}, Options) ->
    case maps:get(quick, Options, false) of
        true -> [Fault || #{quick := true} = Fault <- Faults];
        false -> Faults
    end.

text(Name) when is_atom(Name) -> atom_to_list(Name);
text(Name) when is_binary(Name) -> unicode:characters_to_list(Name);
text(Name) -> Name.

places(Options) ->
    Strategies = case maps:get(strategies, Options, []) of
                     [] -> tripod_strategy:all();
                     Some -> Some
                 end,
    case Strategies -- tripod_strategy:all() of
        [] -> [{Strategy, Mode} || Strategy <- Strategies, Mode <- (tripod_strategy:room(Strategy)):modes()];
        [Unknown | _] -> throw({usage, ["there is no strategy ", text(Unknown)]})
    end.

built(#{artefacts := default}) ->
    ok;
built(#{artefacts := Directory}) ->
    filelib:is_dir(Directory)
        orelse throw({usage, ["there is no ", Directory, ": the artefacts that can be told to crash are"
                              " built with `make faults`"]}),
    ok.

injected(Command, Options, Faults, Places) ->
    Quick = maps:get(quick, Options, false),
    Json = maps:get(json, Options, false),
    Out = maps:get(out, Options, "results"),
    Results = tripod_results:open(Out, #{json => Json}),
    ok = tripod_results:write(Results, run_line(Command, Quick, Faults, Places)),
    ok = tripod_results:write(Results, (tripod_bench_env:facts())#{type => <<"env">>}),
    Estimate = lists:sum([estimate_ms(Fault) || Fault <- Faults, _ <- Places]) + ?STAGE_MS * length(Places),
    {ok, Guard} = tripod_fault_guard:start(),
    try
        Run = #run{command = Command, quick = Quick, results = Results, guard = Guard,
                   progress = tripod_progress:start(Estimate, Options)},
        Cells = lists:append([place(Run, Place, Faults) || Place <- Places]),
        ok = tripod_progress:finish(Run#run.progress),
        _ = maps:get(table, Options, not Json)
            andalso tripod_cli:data(tripod_fault_table:tables(Cells, tripod_fault_table:is_colourful())),
        finish(Results, Out)
    after
        tripod_fault_guard:stop(Guard)
    end.

run_line(#{name := Name}, Quick, Faults, Places) ->
    #{type => <<"run">>, schema => ?SCHEMA, command => Name,
      level => case Quick of true -> quick; false -> full end,
      started => list_to_binary(calendar:system_time_to_rfc3339(erlang:system_time(second),
                                                                [{offset, "Z"}])),
      scenarios => [Fault || #{name := Fault} <- Faults],
      strategies => lists:usort([Strategy || {Strategy, _} <- Places]), script => null}.

estimate_ms(#{sign := no_answer}) -> 6000;
estimate_ms(#{class := owner, name := mid_call}) -> 1500;
estimate_ms(#{class := owner}) -> 300;
estimate_ms(_) -> 1500.

%% All faults on one strategy and mode, in VMs of their own.
place(#run{progress = Progress} = Run, {Strategy, Mode} = Place, Faults) ->
    ok = tripod_progress:step(Progress, place_text(Place), ?STAGE_MS),
    case tripod_fault_stage:open(setting(Run, Place)) of
        {ok, Stage} ->
            Tested = self_tested(Run, Place, tripod_fault_stage:facts(Stage)),
            cells(Run, Place, Tested, Faults, {ok, Stage});
        {error, Why} ->
            ok = failure(Run, stage, Strategy, Mode, null,
                         ["boxes do not open: ", io_lib:format("~tP", [Why, 20])]),
            [{Name, Place, not_injected} || #{name := Name} <- Faults]
    end.

place_text({Strategy, Mode}) -> [atom_to_list(Strategy), $/, atom_to_list(Mode)].

setting(#run{command = #{service := Service, artefacts := Artefacts}, quick = Quick, guard = Guard},
        {Strategy, Mode}) ->
    Proof = filename:join(tripod_fault_guard:directory(Guard), "proof"),
    Env = [{"TRIPOD_PRIV", Artefacts} || Artefacts =/= default],
    #{guard => Guard, proof => Proof, env => [{"TRIPOD_FAULT_PROOF", Proof} | Env],
      rounds => case Quick of true -> 5; false -> 25 end,
      scene => #{strategy => Strategy, mode => Mode, service => Service,
                 healthy => healthy(Strategy, Quick)}}.

%% A box that is an OS process takes time to start.
healthy(port_program, true) -> 10;
healthy(_, _) -> 100.

self_tested(_, _, #{self_test := ok}) ->
    true;
self_tested(Run, {Strategy, Mode}, #{self_test := {missed, What}}) ->
    ok = failure(Run, pause, Strategy, Mode, null,
                 ["the tickers missed a known stall, so pauses are not reported: ",
                  io_lib:format("~tp", [What])]),
    false.

cells(_, _, _, [], Last) ->
    case Last of
        {ok, Stage} -> ok = tripod_fault_stage:close(Stage);
        {error, _} -> ok
    end,
    [];
cells(Run, {Strategy, Mode} = Place, Tested, [#{name := Name} | _] = Faults, {error, Why}) ->
    ok = failure(Run, stage, Strategy, Mode, Name,
                 ["no VM to go on with: ", io_lib:format("~tP", [Why, 20])]),
    cells(Run, Place, Tested, [], {error, Why}) ++ [{Left, Place, not_injected} || #{name := Left} <- Faults];
cells(#run{progress = Progress} = Run, Place, Tested, [#{name := Name} = Fault | Faults], {ok, Stage}) ->
    ok = tripod_progress:step(Progress, [place_text(Place), $ , atom_to_list(Name)], estimate_ms(Fault)),
    {Result, Next} = tripod_fault_cell:run(Fault, Stage),
    Cell = {Name, Place, report(Run, Fault, Place, Tested, Stage, Result)},
    [Cell | cells(Run, Place, Tested, Faults, Next)].

report(_, _, _, _, _, not_applicable) ->
    none;
report(Run, #{name := Name}, {Strategy, Mode}, _, _, {not_injected, Why}) ->
    ok = failure(Run, injection, Strategy, Mode, Name, ["the fault was not injected: ", Why]),
    not_injected;
report(#run{results = Results}, #{name := Name, class := Class}, {Strategy, Mode}, Tested, Stage, {ok, Verdict}) ->
    #{idle_pause_ns := Idle} = tripod_fault_stage:facts(Stage),
    Shown = case Tested of
                true -> Verdict;
                false -> Verdict#{pause_ns := null}
            end,
    #{learned := Learned, evidence := Evidence} = Shown,
    ok = tripod_results:write(Results,
                              Shown#{type => <<"fault">>, fault => Name, class => Class, strategy => Strategy,
                                     mode => Mode, learned := chars(Learned), evidence := chars(Evidence),
                                     idle_pause_ns => case Tested of true -> Idle; false -> null end}),
    Shown.

chars(null) -> null;
chars(Text) -> unicode:characters_to_binary(Text).

failure(#run{results = Results}, Name, Strategy, Mode, Fault, Detail) ->
    tripod_results:check(Results, #{name => Name, ok => false, severity => failure, scenario => Fault,
                                    strategy => Strategy, mode => Mode, detail => Detail}).

finish(Results, Out) ->
    Failures = tripod_results:failures(Results),
    %% The last line: without it the run was cut short.
    ok = tripod_results:check(Results, #{name => complete, ok => true, severity => note,
                                         detail => [integer_to_list(Failures), " failures"]}),
    ok = tripod_results:close(Results),
    File = filename:join(Out, "results.jsonl"),
    {ok, Lines} = tripod_results:read(File),
    ok = lists:foreach(fun warn/1, this_run(Lines)),
    say(["results: ", File]),
    min(Failures, 1).

%% The file may hold earlier runs.
this_run(Lines) ->
    lists:reverse(lists:takewhile(fun(#{<<"type">> := Type}) -> Type =/= <<"run">> end,
                                  lists:reverse(Lines))).

warn(#{<<"type">> := <<"check">>, <<"ok">> := false, <<"severity">> := Severity, <<"detail">> := Detail} = Check) ->
    Where = [Text || Key <- [<<"scenario">>, <<"strategy">>, <<"mode">>],
                     is_binary(Text = maps:get(Key, Check))],
    say([Severity, ": ", lists:join(" ", Where), ": ", Detail]);
warn(_) ->
    ok.
