%% SPDX-License-Identifier: Apache-2.0
%% `tripod compare`: bench, kill and crash into one results.jsonl, under one progress, then the report
%% and a table. What fails on the way is reported; the rest goes on.
%%
%% Exit status: 0 everything was measured; 1 something was not, and the report says what; 2 usage, or
%% results cannot be written.
-module(tripod_compare).

-export([main/1]).

-type options() :: #{quick => boolean(), only => [atom() | binary() | string()],
                     strategies => [tripod_strategy:name()], script => file:filename() | undefined,
                     args => [term()], out => file:filename(), json => boolean(), atom() => term()}.
-type part() :: {bench | kill | crash, module(), Only :: [string()]}.

-define(SCHEMA, 1).

-spec main(options()) -> 0..2.
main(Options) ->
    Out = maps:get(out, Options, "results"),
    try
        Parts = parts(Options),
        ok = announced(Out, Parts, Options),
        GuessMs = lists:sum([guess_ms(Name, Options) || {Name, _, _} <- Parts]),
        Statuses = run(Parts, Options, tripod_progress:start(GuessMs)),
        lists:max([reported(Out, Options) | Statuses])
    catch
        throw:{usage, Text} ->
            ok = tripod_cli:say("tripod compare: ~ts", [Text]),
            2;
        throw:{unwritable, File, Why} ->
            ok = tripod_cli:say("tripod compare: cannot write ~ts: ~ts",
                                [tripod_cli:text(File), file:format_error(Why)]),
            2
    end.

%% All three, or those that have what --only names.
-spec parts(options()) -> [part(), ...].
parts(Options) ->
    Names = [unicode:characters_to_list(text(Name)) || Name <- maps:get(only, Options, [])],
    Known = [{bench, tripod_bench, [Scenario:name() || Scenario <- tripod_scenario:all()]},
             {kill, tripod_kill, [Fault || #{name := Fault} <- tripod_fault_kinds:kill()]},
             {crash, tripod_crash, [Fault || #{name := Fault} <- tripod_fault_kinds:crash()]}],
    Wanted = [{Part, Module, [Name || Name <- Names, lists:member(Name, [atom_to_list(One) || One <- All])]}
              || {Part, Module, All} <- Known],
    case {Names, Names -- lists:append([Some || {_, _, Some} <- Wanted])} of
        {[], _} -> Wanted;
        {_, []} -> [Part || {_, _, [_ | _]} = Part <- Wanted];
        {_, [Unknown | _]} ->
            There = [atom_to_list(One) || {_, _, All} <- Known, One <- All],
            throw({usage, ["there is no scenario or fault ", Unknown, "; there are ", lists:join(", ", There)]})
    end.

text(Name) when is_atom(Name) -> atom_to_list(Name);
text(Name) -> Name.

%% The line that says what is to come, so that what does not come is missed.
announced(Out, Parts, Options) ->
    Results = tripod_results:open(Out, #{json => maps:get(json, Options, false)}),
    Line = #{type => <<"run">>, schema => ?SCHEMA, command => <<"compare">>,
             level => case maps:get(quick, Options, false) of true -> quick; false -> full end,
             started => list_to_binary(calendar:system_time_to_rfc3339(erlang:system_time(second),
                                                                       [{offset, "Z"}])),
             scenarios => [Part || {Part, _, _} <- Parts],
             strategies => maps:get(strategies, Options, tripod_strategy:all()),
             script => case maps:get(script, Options, undefined) of
                           undefined -> null;
                           File -> tripod_bench_script:name(File)
                       end},
    ok = tripod_results:write(Results, maps:merge(Line, typed())),
    tripod_results:close(Results).

%% Only the command line knows what was typed.
typed() ->
    case init:get_plain_arguments() of
        ["compare" | _] = Words -> #{argv => [tripod_cli:text(Word) || Word <- Words]};
        _ -> #{}
    end.

%% Until a part knows better.
guess_ms(Part, Options) ->
    case {Part, maps:get(quick, Options, false)} of
        {bench, true} -> 60000;
        {bench, false} -> 900000;
        {kill, true} -> 10000;
        {kill, false} -> 60000;
        {crash, true} -> 25000;
        {crash, false} -> 150000
    end.

%% A part that says that nothing can be done is the last one.
run([], _, _) -> [];
run([{Name, _, _} = Part | Parts], Options, Progress) ->
    case status(Part, Options#{table => false, progress => {Progress, guess_ms(Name, Options)}}) of
        2 -> [2];
        Status -> [Status | run(Parts, Options, Progress)]
    end.

%% In a process of its own, so that whatever happens to it happens to nobody else.
status({Name, Module, Only}, Options) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
                                           Status = Module:main(Options#{only => Only}),
                                           Caller ! {status, self(), Status}
                                   end),
    receive
        {'DOWN', Monitor, process, Pid, normal} ->
            receive {status, Pid, Status} -> told(Name, Status) end;
        {'DOWN', Monitor, process, Pid, Reason} ->
            ok = tripod_cli:say("tripod compare: ~s broke off: ~tP", [Name, Reason, 30]),
            1
    end.

told(_, 0) -> 0;
told(Name, Status) ->
    ok = tripod_cli:say("tripod compare: ~s did not do all of it (status ~b)", [Name, Status]),
    Status.

%% From what there is.
reported(Out, Options) ->
    case tripod_report:write(Out) of
        {ok, Facts, Files} ->
            Where = [["report: ", tripod_cli:text(File), $\n] || File <- Files],
            ok = case maps:get(json, Options, false) of
                     true -> tripod_cli:say("~ts", [Where]);
                     false -> tripod_cli:data([tripod_report_terminal:export(Facts), $\n, Where])
                 end,
            min(1, length(tripod_report_facts:broken(Facts)));
        {error, Text} ->
            ok = tripod_cli:say("tripod compare: ~ts", [Text]),
            1
    end.
