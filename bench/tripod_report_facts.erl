%% SPDX-License-Identifier: Apache-2.0
%% What a report asks about results. A comparison's runs belong together; otherwise the last run of
%% each command counts. Earlier ones in the same file are named, not mixed in.
-module(tripod_report_facts).

-export([new/2, run/2, runs/1, earlier/1, env/1, source/1, broken/1, unknown/1]).
-export([boxes/1, rivals/2, scenarios/1, summaries/2, summaries/3, cases/2, placements/2, find/3, find/4]).
-export([faults/2, fault_places/2, fault_names/2, fault/3, not_injected/2, checks/1]).
-export([is_box/1, no_floors/1, subject_of/1, same/2]).
-export_type([facts/0, command/0, subject/0, params/0]).

-type input() :: tripod_report_input:input().
-type run() :: tripod_report_input:run().
-type summary() :: tripod_report_input:summary().
-type fault() :: tripod_report_input:fault().
-type check() :: tripod_report_input:check().
-type command() :: bench | kill | crash | compare.
-type subject() :: {Strategy :: binary(), Mode :: binary()}.
-type params() :: #{binary() => term()}.

-record(facts, {source :: file:filename(), last :: #{command() => run()}, earlier :: [run()],
                broken :: [tripod_report_input:broken()], unknown :: #{binary() => pos_integer()}}).
-opaque facts() :: #facts{}.

-spec new(file:filename(), input()) -> facts().
new(File, #{runs := Runs, broken := Broken, unknown := Unknown}) ->
    Last = last_runs(Runs, #{}),
    Shown = maps:values(Last),
    #facts{source = File, last = Last, earlier = [Run || Run <- Runs, not lists:member(Run, Shown)],
           broken = Broken, unknown = Unknown}.

%% A command that was repeated after a comparison is no part of it, and makes it none.
last_runs([], Last) ->
    Last;
last_runs([Run | Runs], Last) ->
    case command(Run) of
        compare -> last_runs(Runs, #{compare => Run});
        Again when is_map_key(Again, Last) -> last_runs(Runs, (maps:remove(compare, Last))#{Again := Run});
        First -> last_runs(Runs, Last#{First => Run})
    end.

%% Lines without a run line before them are the work of whoever measures.
command(#{command := <<"kill">>}) -> kill;
command(#{command := <<"crash">>}) -> crash;
command(#{command := <<"compare">>}) -> compare;
command(#{}) -> bench.

-spec run(command(), facts()) -> {ok, run()} | none.
run(Command, #facts{last = Last}) ->
    case Last of
        #{Command := Run} -> {ok, Run};
        #{} -> none
    end.

%% Those that measure, in the order in which compare does them.
-spec runs(facts()) -> [{command(), run()}].
runs(Facts) -> [{Command, Run} || Command <- [bench, kill, crash], {ok, Run} <- [run(Command, Facts)]].

-spec earlier(facts()) -> [run()].
earlier(#facts{earlier = Earlier}) -> Earlier.

%% Of the first run that has one.
-spec env(facts()) -> #{binary() => term()}.
env(Facts) ->
    case [Env || {_, #{env := Env}} <- runs(Facts), Env =/= none] of
        [Env | _] -> Env;
        [] -> #{}
    end.

-spec source(facts()) -> file:filename().
source(#facts{source = Source}) -> Source.

-spec broken(facts()) -> [tripod_report_input:broken()].
broken(#facts{broken = Broken}) -> Broken.

-spec unknown(facts()) -> [{Type :: binary(), pos_integer()}].
unknown(#facts{unknown = Unknown}) -> lists:sort(maps:to_list(Unknown)).

all_summaries(Facts) ->
    case run(bench, Facts) of
        {ok, #{summaries := Summaries}} -> Summaries;
        none -> []
    end.

-spec is_box(subject()) -> boolean().
is_box({Strategy, _}) -> Strategy =/= <<"floor">> andalso Strategy =/= <<"luerl">>.

%% Boxes and rivals: whatever takes part.
-spec no_floors([summary()]) -> [summary()].
no_floors(Summaries) ->
    [Summary || #{strategy := Strategy} = Summary <- Summaries, Strategy =/= <<"floor">>].

-spec subject_of(#{strategy := binary(), mode := binary(), atom() => term()}) -> subject().
subject_of(#{strategy := Strategy, mode := Mode}) -> {Strategy, Mode}.

%% Strategy and mode of every box that was measured, modes in the order of the results.
-spec boxes(facts()) -> [subject()].
boxes(Facts) ->
    in_order([Subject || Summary <- all_summaries(Facts), is_box(Subject = subject_of(Summary))]
             ++ fault_places(kill, Facts) ++ fault_places(crash, Facts)).

in_order(Subjects) ->
    Distinct = distinct(Subjects),
    Known = [<<"nif">>, <<"port_driver">>, <<"port_program">>],
    lists:append([[Subject || {Strategy, _} = Subject <- Distinct, Strategy =:= One] || One <- Known])
        ++ [Subject || {Strategy, _} = Subject <- Distinct, not lists:member(Strategy, Known)].

distinct(Items) ->
    lists:reverse(lists:foldl(fun(One, Seen) ->
                                      case lists:member(One, Seen) of
                                          true -> Seen;
                                          false -> [One | Seen]
                                      end
                              end, [], Items)).

%% What takes part in a scenario and is neither a box nor a floor.
-spec rivals(binary(), facts()) -> [subject()].
rivals(Scenario, Facts) ->
    distinct([Subject || {Strategy, _} = Subject <- subjects(Scenario, Facts),
                         Strategy =/= <<"floor">>, not is_box(Subject)]).

subjects(Scenario, Facts) -> [subject_of(Summary) || Summary <- summaries(Scenario, Facts)].

-spec scenarios(facts()) -> [binary()].
scenarios(Facts) -> distinct([Scenario || #{scenario := Scenario} <- all_summaries(Facts)]).

-spec summaries(binary(), facts()) -> [summary()].
summaries(Scenario, Facts) ->
    [Summary || #{scenario := One} = Summary <- all_summaries(Facts), One =:= Scenario].

%% Of one case: boxes first, in their order, then rivals, then floors.
-spec summaries(binary(), params(), facts()) -> [summary()].
summaries(Scenario, Params, Facts) ->
    All = [Summary || #{params := Own} = Summary <- summaries(Scenario, Facts), matches(Params, Own)],
    Order = in_order([Subject || Summary <- All, is_box(Subject = subject_of(Summary))])
        ++ rivals(Scenario, Facts),
    lists:append([[Summary || Summary <- All, subject_of(Summary) =:= Subject] || Subject <- Order])
        ++ [Summary || #{strategy := <<"floor">>} = Summary <- All].

matches(Wanted, Params) -> maps:with(maps:keys(Wanted), Params) =:= Wanted.

%% What distinguishes the cases of a scenario, placement aside.
-spec cases(binary(), facts()) -> [params()].
cases(Scenario, Facts) ->
    distinct([maps:without([<<"batch">>, <<"placement">>], Params)
              || #{params := Params} <- summaries(Scenario, Facts)]).

-spec placements(binary(), facts()) -> [binary()].
placements(Scenario, Facts) ->
    distinct([Placement || #{params := #{<<"placement">> := Placement}} <- summaries(Scenario, Facts),
                           is_binary(Placement)]).

%% Without a placement among the Params, `free` comes first.
-spec find(binary(), subject(), params(), facts()) -> {ok, summary()} | none.
find(Scenario, Subject, Params, Facts) ->
    Found = [Summary || #{params := Own} = Summary <- summaries(Scenario, Facts),
                        subject_of(Summary) =:= Subject, matches(Params, Own)],
    Free = [Summary || #{params := #{<<"placement">> := <<"free">>}} = Summary <- Found],
    case Free ++ Found of
        [Summary | _] -> {ok, Summary};
        [] -> none
    end.

-spec find(binary(), subject(), facts()) -> {ok, summary()} | none.
find(Scenario, Subject, Facts) -> find(Scenario, Subject, #{}, Facts).

-spec faults(kill | crash, facts()) -> [fault()].
faults(Command, Facts) ->
    case run(Command, Facts) of
        {ok, #{faults := Faults}} -> Faults;
        none -> []
    end.

%% Strategy and mode of every fault, injected or not.
-spec fault_places(kill | crash, facts()) -> [subject()].
fault_places(Command, Facts) ->
    in_order([subject_of(Fault) || Fault <- faults(Command, Facts)]
             ++ [Place || {_, Place} <- not_injected(Command, Facts)]).

-spec fault_names(kill | crash, facts()) -> [binary()].
fault_names(Command, Facts) ->
    distinct([Name || #{fault := Name} <- faults(Command, Facts)]
             ++ [Name || {Name, _} <- not_injected(Command, Facts)]).

-spec fault(binary(), subject(), [fault()]) -> {ok, fault()} | none.
fault(Name, Place, Faults) ->
    case [Fault || #{fault := One} = Fault <- Faults, One =:= Name, subject_of(Fault) =:= Place] of
        [] -> none;
        Found -> {ok, lists:last(Found)}
    end.

%% Faults that were to happen and did not.
-spec not_injected(kill | crash, facts()) -> [{Fault :: binary(), subject()}].
not_injected(Command, Facts) ->
    case run(Command, Facts) of
        {ok, #{checks := Checks}} ->
            [{Name, {Strategy, Mode}}
             || #{ok := false, severity := <<"failure">>, scenario := Name, strategy := Strategy,
                  mode := Mode} <- Checks,
                is_binary(Name), is_binary(Strategy), is_binary(Mode)];
        none ->
            []
    end.

-spec checks(facts()) -> [{command(), check()}].
checks(Facts) -> [{Command, Check} || {Command, #{checks := Checks}} <- runs(Facts), Check <- Checks].

%% Two medians that differ by no more than the rounds of one measurement do are the same, as far as
%% this run can tell.
-spec same(summary(), summary()) -> boolean().
same(#{p50 := A} = One, #{p50 := B} = Other) ->
    max(A, B) =< min(A, B) * max(spread(One), spread(Other)).

spread(#{p50_spread := Spread}) when is_number(Spread), Spread >= 1 -> Spread;
spread(#{}) -> 1.0.
