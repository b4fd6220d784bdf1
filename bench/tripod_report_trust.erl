%% SPDX-License-Identifier: Apache-2.0
%% Can you trust this run: what speaks against it, what it ran on, what was looked at, and what was
%% not measured at all.
-module(tripod_report_trust).

-export([sections/1, against/1, count/1]).

%% `failure`: something is not known. `doubt`: what is known may mislead.
-type worry() :: {failure | doubt, unicode:chardata(), Advice :: unicode:chardata() | nil}.

%% What a complete comparison consists of.
-define(SCENARIOS, [<<"call">>, <<"payload">>, <<"concurrency">>, <<"pipeline">>, <<"duration">>,
                    <<"stall">>, <<"open_close">>, <<"memory">>, <<"cold_start">>, <<"compute">>,
                    <<"alloc">>, <<"preempt">>, <<"cleanup">>, <<"script">>]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "trust", title => "Can you trust this run?",
       blocks => [against(Facts)] ++ worries_blocks(Facts) ++ missing_blocks(Facts) ++ machine(Facts)
           ++ looked_at(Facts)}].

%% One sentence: how many failures and doubts.
-spec against(tripod_report_facts:facts()) -> tripod_report_doc:block().
against(Facts) ->
    case count(Facts) of
        {0, 0} -> {paragraph, "Nothing was found that speaks against these results."};
        {Failures, Doubts} ->
            Counts = [counted(N, What) || {N, What} <- [{Failures, "failure"}, {Doubts, "doubt"}], N > 0],
            {warning, [{strong, lists:join(" and ", Counts)}, " against these results. A failure is a result "
                       "that is missing; a doubt may make results mislead."]}
    end.

-spec count(tripod_report_facts:facts()) ->
          {Failures :: non_neg_integer(), Doubts :: non_neg_integer()}.
count(Facts) ->
    Worries = worries(Facts),
    {length([F || {failure, _, _} = F <- Worries]), length([D || {doubt, _, _} = D <- Worries])}.

counted(1, What) -> ["1 ", What];
counted(N, What) -> [tripod_report_text:count(N), " ", What, "s"].

worries_blocks(Facts) ->
    case worries(Facts) of
        [] -> [];
        Worries ->
            Sorted = [Worry || Severity <- [failure, doubt], {One, _, _} = Worry <- Worries,
                               One =:= Severity],
            [{items, [[{strong, [atom_to_list(Severity), ": "]}, sentence(Text), [[" ", One] || One <- Shown]]
                      || {{Severity, Text, _}, Shown} <- lists:zip(Sorted, advice(Sorted))]}]
    end.

sentence(Text) ->
    case lists:suffix(".", unicode:characters_to_list(Text)) of
        true -> Text;
        false -> [Text, "."]
    end.

%% Advice that the next one has too is left to that.
advice([]) -> [];
advice([{_, _, Advice}, {_, _, Advice} = Next | Worries]) -> [[] | advice([Next | Worries])];
advice([{_, _, Advice} | Worries]) -> [[Advice || Advice =/= nil, Advice =/= <<>>] | advice(Worries)].

%% Everything that speaks against the results.
-spec worries(tripod_report_facts:facts()) -> [worry()].
worries(Facts) ->
    File = tripod_cli:text(filename:basename(tripod_report_facts:source(Facts))),
    [{failure, ["line ", integer_to_list(Line), " of ", File, " was left out: ", Why, "."], nil}
     || {Line, Why} <- tripod_report_facts:broken(Facts)]
        ++ parts(Facts)
        ++ [{severity(Check), [where(Command, Check), Detail], Advice}
            || {Command, #{ok := false, severity := Severity, detail := Detail, advice := Advice} = Check}
                   <- tripod_report_facts:checks(Facts),
               Severity =/= <<"note">>]
        ++ differing(Facts).

severity(#{severity := <<"doubt">>}) -> doubt;
severity(#{}) -> failure.

where(Command, #{name := Name, scenario := Scenario, strategy := Strategy, mode := Mode}) ->
    Place = case {Strategy, Mode} of
                {nil, _} -> [];
                {_, nil} -> [Strategy];
                _ -> [tripod_report_text:subject({Strategy, Mode})]
            end,
    [lists:join(" ", [atom_to_list(Command) || Command =/= bench] ++ [Scenario || Scenario =/= nil] ++ Place
                ++ [binary:replace(Name, <<"_">>, <<" ">>, [global])]), ": "].

%% Commands that were cut short, or that a comparison never came to.
parts(Facts) ->
    Ran = tripod_report_facts:runs(Facts),
    Names = [atom_to_binary(Command) || {Command, _} <- Ran],
    [{failure, [atom_to_list(Command), " was cut short: its last line is missing."], nil}
     || {Command, #{complete := false}} <- Ran]
        ++ case tripod_report_facts:run(compare, Facts) of
               none -> [];
               {ok, #{scenarios := Parts}} ->
                   [{failure, [Part, " left no results."], nil}
                    || Part <- Parts, not lists:member(Part, Names)]
           end.

differing(Facts) ->
    Keys = [<<"otp">>, <<"lua">>, <<"cpu">>, <<"cores">>, <<"kernel">>, <<"git">>],
    Envs = lists:usort([maps:with(Keys, Env)
                        || {_, #{env := Env}} <- tripod_report_facts:runs(Facts), Env =/= none]),
    [{doubt, "bench, kill and crash ran on different machines or versions.", nil} || length(Envs) > 1].

missing_blocks(Facts) ->
    Unknown = [[integer_to_list(Count), " of type ", Type]
               || {Type, Count} <- tripod_report_facts:unknown(Facts)],
    Earlier = length(tripod_report_facts:earlier(Facts)),
    [{paragraph, ["Not measured in this run: ", tripod_report_text:sentence_list(Missing), "."]}
     || Missing <- [missing(Facts)], Missing =/= []]
        ++ [{paragraph, ["Not known to this version of the report and left out: lines ",
                         tripod_report_text:sentence_list(Unknown), "."]} || Unknown =/= []]
        ++ [{paragraph, ["The file also holds ", counted(Earlier, "earlier run"), ", not shown here."]}
            || Earlier > 0].

%% Scenarios and commands without any result.
missing(Facts) ->
    Found = tripod_report_facts:scenarios(Facts),
    Rivals = lists:append([tripod_report_facts:rivals(Scenario, Facts) || Scenario <- Found]),
    [name(Scenario) || Scenario <- ?SCENARIOS, not lists:member(Scenario, Found)]
        ++ ["luerl" || Found =/= [], Rivals =:= []]
        ++ [Name || {Command, Name} <- [{kill, "killed owners"}, {crash, "crashes"}],
                    tripod_report_facts:faults(Command, Facts) =:= []].

name(<<"script">>) -> "a script of your own";
name(Scenario) -> Scenario.

machine(Facts) ->
    Env = tripod_report_facts:env(Facts),
    Rows = [[Title, value(Key, Value)] || {Key, Title} <- env_titles(),
                                          (Value = maps:get(Key, Env, nil)) =/= nil],
    [{heading, "The machine and the software"} || Rows =/= []]
        ++ [{table, #{columns => [{"what", left}, {"value", left}], rows => Rows}} || Rows =/= []].

env_titles() ->
    [{<<"cpu">>, "CPU"}, {<<"cores">>, "cores this VM may use"},
     {<<"cpu_quota">>, "cores the control group allows"}, {<<"memory_bytes">>, "memory"},
     {<<"system">>, "system"}, {<<"kernel">>, "kernel"}, {<<"virtual">>, "virtual machine"},
     {<<"container">>, "container"}, {<<"governor">>, "CPU frequency governor"},
     {<<"load1">>, "load average, one minute, before"}, {<<"busy_percent">>, "cores busy just before"},
     {<<"otp">>, "Erlang/OTP"}, {<<"erts">>, "erts"}, {<<"jit">>, "JIT"}, {<<"schedulers">>, "schedulers"},
     {<<"dirty_cpu_schedulers">>, "dirty CPU schedulers"}, {<<"dirty_io_schedulers">>, "dirty IO schedulers"},
     {<<"async_threads">>, "async threads (+A)"}, {<<"erl_flags">>, "flags from the environment"},
     {<<"lua">>, "Lua library"}, {<<"clock">>, "clock"},
     {<<"clock_ns">>, "one reading of the clock, in every sample"},
     {<<"git">>, "git revision"}].

value(<<"memory_bytes">>, Bytes) when is_integer(Bytes) -> tripod_report_text:bytes(Bytes);
value(<<"clock_ns">>, Ns) when is_number(Ns) -> tripod_report_text:duration(Ns);
value(<<"busy_percent">>, Percent) when is_number(Percent) -> io_lib:format("~.1f %", [float(Percent)]);
value(_, true) -> "yes";
value(_, false) -> "no";
value(_, Text) when is_binary(Text) -> Text;
value(_, Value) -> io_lib:format("~0tp", [Value]).

%% All checks by name: what was in order, and how often it was not.
looked_at(Facts) ->
    Checks = [Check || {_, #{name := Name} = Check} <- tripod_report_facts:checks(Facts),
                       Name =/= <<"complete">>],
    Names = lists:usort([Name || #{name := Name} <- Checks]),
    Rows = [check_row(Name, [Check || #{name := One} = Check <- Checks, One =:= Name]) || Name <- Names]
        ++ probe_row(tripod_report_facts:faults(kill, Facts) ++ tripod_report_facts:faults(crash, Facts)),
    [{heading, "What was looked at"} || Rows =/= []]
        ++ [{table, #{columns => [{"check", left}, {"in order", right}, {"for example", left}], rows => Rows}}
            || Rows =/= []].

%% A pause is there only where the probe was tested and saw a known stall.
probe_row([]) -> [];
probe_row(Faults) ->
    Tested = length([Fault || #{idle_pause_ns := Idle} = Fault <- Faults, Idle =/= nil]),
    [["self-test of the pause probe",
      [tripod_report_text:count(Tested), " of ", tripod_report_text:count(length(Faults))],
      "Before faults, each scheduler was stalled for a known time, and its ticker had to see that."]].

check_row(Name, Checks) ->
    Fine = length([Check || #{ok := true} = Check <- Checks]),
    [#{detail := Example} | _] = [Check || #{ok := false} = Check <- Checks] ++ Checks,
    [binary:replace(Name, <<"_">>, <<" ">>, [global]),
     [tripod_report_text:count(Fine), " of ", tripod_report_text:count(length(Checks))], Example].
