%% SPDX-License-Identifier: Apache-2.0
%% `make lateness`: by the clock on the wall, how late the endless scripts of test/hostile come to an
%% end: at their time limit, when they are interrupted, and when their owner is killed. Wants a
%% machine that does nothing else; the suites, which must pass on any, make allowances that this
%% does not make.
%%
%%   erl ... -run hostile_late main GROUP
%%
%% Each script is run up to ?TIMES times for each end, until one run was within the bound: late in all of
%% them is the sandbox's doing, and the exit status is 1. The table shows the first runs, too.
-module(hostile_late).

-export([main/1]).

-define(TIMES, 5).
-define(LONG_MS, 60000).
%% Long enough, and yet bearable where a call cannot notice the death (docs/sandbox.md, what does not hold).
-define(BEARABLE_MS, 1000).
%% How long a script runs before it is interrupted or its owner killed.
-define(RUNNING_MS, 20).

-type ending() :: limit | interrupt | death.
%% `ended`: it came to another end before.
-type lateness() :: integer() | ended.

-spec main([string()]) -> no_return().
main([Chosen]) ->
    {ok, _} = application:ensure_all_started(tripod),
    ok = contract:bind(),
    Groups = [Group || Group <- contract:groups(), Chosen =:= "all" orelse Chosen =:= atom_to_list(Group)],
    Scripts = [Script || Category <- hostile_script:categories(), Script <- hostile_script:all(Category),
                         must_be_stopped(Script)],
    Trials = [{Group, Ending} || Group <- Groups, Ending <- [limit, interrupt, death],
                                 is_possible(Group, Ending)],
    Each = ?RUNNING_MS + 30,
    Progress = tripod_progress:start(max(1, length(Trials) * length(Scripts) * Each)),
    io:format("~-22s ~-9s ~7s  ~27s  ~27s~n",
              ["", "", "", "first run, ms", "least of up to five, ms"]),
    io:format("~-22s ~-9s ~7s  ~8s ~8s ~9s  ~8s ~8s ~9s~n",
              ["mode", "end", "scripts", "p50", "p90", "worst", "p50", "p90", "worst"]),
    Late = [Name || Trial <- Trials, Name <- trial(Trial, Scripts, Progress, Each)],
    ok = tripod_progress:finish(Progress),
    halt(case {Trials, Late} of
             {[], _} -> io:format("no such group~n"), 2;
             {_, []} -> 0;
             {_, _} -> io:format("~b were late every time~n", [length(Late)]), 1
         end).

must_be_stopped(#{then := Then} = Script) -> Then =:= nothing andalso hostile_script:is_endless(Script).

%% The owner of a box in mode `inline` runs its call, so it cannot end before that does.
is_possible(Group, death) -> proplists:get_value(mode, contract:options(Group)) =/= inline;
is_possible(_, _) -> true.

%% The names of those that were late every time.
trial({Group, Ending}, Scripts, Progress, Each) ->
    Bound = bound_us(Group, Ending),
    Judged = [{Name, Lateness}
              || Script <- Scripts,
                 ok =:= tripod_progress:step(Progress, io_lib:format("~s, ~s", [Group, Ending]), Each),
                 {Name, Lateness} <- [{hostile_script:name(Script), judge(Group, Ending, Script, Bound)}],
                 Lateness =/= ended],
    First = [First || {_, [First | _]} <- Judged],
    Least = [lists:min(Runs) || {_, Runs} <- Judged],
    Late = [Name || {Name, Runs} <- Judged, lists:min(Runs) > Bound],
    io:format("~-22s ~-9s ~7b  ~s  ~s~n", [Group, Ending, length(Judged), figures(First), figures(Least)]),
    [io:format("    late: ~s~n", [Name]) || Name <- Late],
    Late.

%% What is promised. The end of an OS process is seen when its parent has looked for it.
bound_us(_, limit) -> 20000;
bound_us(Group, death) when Group =:= 'port_program:process' -> 20000;
bound_us(_, _) -> 5000.

figures(Us) ->
    Sorted = lists:sort(Us),
    At = fun(Share) -> lists:nth(max(1, ceil(Share * length(Sorted))), Sorted) / 1000 end,
    io_lib:format("~8.2f ~8.2f ~9.2f", [At(0.5), At(0.9), At(1.0)]).

-spec judge(atom(), ending(), hostile_script:script(), pos_integer()) -> [integer(), ...] | ended.
judge(Group, Ending, Script, Bound) -> judge(Group, Ending, Script, Bound, []).

judge(Group, Ending, Script, Bound, Runs) ->
    case once(Ending, Script, contract:options(Group)) of
        ended -> ended;
        Late when Late =< Bound; length(Runs) + 1 =:= ?TIMES -> lists:reverse([Late | Runs]);
        Late -> judge(Group, Ending, Script, Bound, [Late | Runs])
    end.

-spec once(ending(), hostile_script:script(), list()) -> lateness().
once(Ending, #{options := Options} = Script, Config) ->
    Limits = maps:merge(#{memory_bytes => 8 * 1024 * 1024, time_ms => 30000}, Options),
    Late = once(Ending, Script, Config, Limits),
    contract:await_nothing_alive(),
    _ = contract:mailbox(), % what scripts print
    Late.

once(limit, #{source := Source} = Script, Config, Limits) ->
    Box = contract:open(Config, Limits),
    TimeMs = hostile_script:time_ms(Script),
    Before = now_us(),
    Reply = tripod:call(Box, {eval, Source, []}, #{time_ms => TimeMs}),
    Late = now_us() - Before - TimeMs * 1000,
    ok = tripod:close(Box),
    case Reply of
        {error, {limit, time}} -> Late;
        {error, {down, time}} -> Late;
        _ -> ended
    end;
once(interrupt, Script, Config, Limits) ->
    {Owner, Monitor, Box} = running(Script, Config, Limits, ?LONG_MS),
    receive after ?RUNNING_MS -> ok end,
    At = now_us(),
    ok = tripod:interrupt(Box),
    receive
        {Owner, ended, _, EndedAt} when EndedAt < At -> gone(Owner, Monitor, ended);
        {Owner, ended, {error, interrupted}, EndedAt} -> gone(Owner, Monitor, EndedAt - At);
        {Owner, ended, {error, {down, time}}, EndedAt} -> gone(Owner, Monitor, EndedAt - At);
        {Owner, ended, Reply, _} -> error({Reply, hostile_script:name(Script)})
    end;
once(death, Script, Config, Limits) ->
    {Owner, Monitor, _} = running(Script, Config, Limits, ?BEARABLE_MS),
    receive after ?RUNNING_MS -> ok end,
    At = now_us(),
    true = exit(Owner, kill),
    EndedAt = nobody_inside(contract:strategy(Config)),
    receive {'DOWN', Monitor, process, Owner, _} -> ok end,
    receive
        {Owner, ended, _, _} -> ended
    after 0 ->
            EndedAt - At
    end.

%% On another scheduler, so that whoever looks on is not what it waits for.
running(#{source := Source}, Config, Limits, TimeMs) ->
    Caller = self(),
    {Owner, Monitor} =
        spawn_opt(fun() ->
                          Box = contract:open(Config, Limits),
                          Caller ! {self(), box, Box},
                          Reply = tripod:call(Box, {eval, Source, []}, #{time_ms => TimeMs}),
                          Caller ! {self(), ended, Reply, now_us()},
                          receive go -> ok end
                  end, [monitor, contract:scheduler(last)]),
    receive {Owner, box, Box} -> {Owner, Monitor, Box} end.

gone(Owner, Monitor, Late) ->
    Owner ! go,
    receive {'DOWN', Monitor, process, Owner, _} -> Late end.

%% When the script runs no more. What it held may still be on its way back: that is another measure
%% (`./tripod bench --only cleanup`).
nobody_inside(Strategy) ->
    case tripod:census(Strategy) of
        #{boxes := 0, calls := 0, os_processes := 0} ->
            now_us();
        #{os_processes := Programs} ->
            ok = tripod_fault_settle:pause(Programs),
            nobody_inside(Strategy)
    end.

now_us() -> erlang:monotonic_time(microsecond).
