%% SPDX-License-Identifier: Apache-2.0
%% The hostile scripts of test/hostile, each in a box of its own, on every strategy and mode, and
%% with `preempt => count` on one. A case is a directory of scripts; it runs all of them, prints
%% what came of each, and fails with the list of those that ended otherwise than they say.
%%
%% Beside the outcome, each script is judged by what it leaves: the call ends in time, and unless
%% the box is lost the next call finds the globals of before, the library as it was, and everything
%% at work. Nothing arrives in the owner's mailbox.
-module(hostile_SUITE).
-include_lib("common_test/include/ct.hrl").
-compile([export_all, nowarn_export_all]).

%% A call ends within its limit and this.
-define(LATE_US, 20000).
%% The repetitions of one that was late; the least late decides.
-define(REPETITIONS, 5).
%% For the calls before and after the hostile one.
-define(PATIENT, #{time_ms => 30000}).

-define(COUNTED, 'nif:yield:count').

all() ->
    [every_directory_is_a_case, there_are_enough | [{group, Group} || {Group, _, _} <- groups()]].

groups() -> [{Group, [], cases()} || Group <- contract:groups() ++ [?COUNTED]].

cases() ->
    [address, catching, closing, coroutine, depth, escape, math, memory, metamethod, os, parser,
     pattern, sort, state, string, table, time, utf8, value].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Config.

end_per_suite(_Config) -> application:stop(tripod).

init_per_group(?COUNTED, Config) -> [{preempt, count} | contract:options('nif:yield')] ++ Config;
init_per_group(Group, Config) -> [{preempt, timer} | contract:options(Group)] ++ Config.

end_per_group(_Group, _Config) -> ok.

every_directory_is_a_case(_Config) ->
    Directories = hostile_script:categories(),
    Directories = cases().

there_are_enough(_Config) ->
    Scripts = length(lists:append([hostile_script:all(Category) || Category <- cases()])),
    {true, Scripts} = {Scripts >= 180, Scripts}.

address(Config) -> run(?FUNCTION_NAME, Config).
catching(Config) -> run(?FUNCTION_NAME, Config).
closing(Config) -> run(?FUNCTION_NAME, Config).
coroutine(Config) -> run(?FUNCTION_NAME, Config).
depth(Config) -> run(?FUNCTION_NAME, Config).
escape(Config) -> run(?FUNCTION_NAME, Config).
math(Config) -> run(?FUNCTION_NAME, Config).
memory(Config) -> run(?FUNCTION_NAME, Config).
metamethod(Config) -> run(?FUNCTION_NAME, Config).
os(Config) -> run(?FUNCTION_NAME, Config).
parser(Config) -> run(?FUNCTION_NAME, Config).
pattern(Config) -> run(?FUNCTION_NAME, Config).
sort(Config) -> run(?FUNCTION_NAME, Config).
state(Config) -> run(?FUNCTION_NAME, Config).
string(Config) -> run(?FUNCTION_NAME, Config).
table(Config) -> run(?FUNCTION_NAME, Config).
time(Config) -> run(?FUNCTION_NAME, Config).
utf8(Config) -> run(?FUNCTION_NAME, Config).
value(Config) -> run(?FUNCTION_NAME, Config).

run(Category, Config) ->
    Scripts = [Script || #{needs := Needs} = Script <- hostile_script:all(Category),
                         Needs =/= timer orelse ?config(preempt, Config) =:= timer],
    Failed = [Failure || Script <- Scripts, Failure <- judge(Script, Config)],
    contract:await_nothing_alive(),
    [] = Failed,
    ok.

%% [] or one failure.
judge(Script, Config) ->
    Name = hostile_script:name(Script),
    {Reply, LateUs, Faults} = in_time(Script, Config),
    Wrong = [{expected, maps:get(expect, Script), came, shorter(Reply)}
             || not hostile_script:legal(Script, Reply)],
    Late = [{late_us, LateUs} || LateUs > ?LATE_US],
    ct:log("~ts: ~ts after ~b ms~ts",
           [Name, shorter(Reply), hostile_script:time_ms(Script) + LateUs div 1000,
            [io_lib:format("~n  but ~0tp", [Fault]) || Fault <- Wrong ++ Late ++ Faults]]),
    case Wrong ++ Late ++ Faults of
        [] -> [];
        Bad -> [{Name, Bad}]
    end.

%% Late at times can be the machine's doing, and what a hypervisor takes no figure of the guest's
%% tells; late in every one of five runs is the sandbox's. Whatever else a run shows, counts.
in_time(Script, Config) -> in_time(Script, Config, once(Script, Config), 1).

in_time(_, _, {_, LateUs, _} = Judged, N) when LateUs =< ?LATE_US; N =:= ?REPETITIONS ->
    Judged;
in_time(Script, Config, {Reply, LateUs, Faults}, N) ->
    {Again, AgainUs, More} = once(Script, Config),
    Wrong = [{came_again, shorter(Again)} || not hostile_script:legal(Script, Again)],
    in_time(Script, Config, {Reply, min(LateUs, AgainUs), lists:usort(Faults ++ More ++ Wrong)}, N + 1).

once(#{options := Options} = Script, Config) ->
    Given = Options#{preempt => ?config(preempt, Config), time_ms => 30000},
    Box = contract:open(Config, maps:merge(#{memory_bytes => 8 * 1024 * 1024}, Given)),
    {Reply, LateUs, Left} = once_in(Box, Script),
    %% After the close, which takes out what the end of an OS process left (docs/contract.md, rule 3).
    {Reply, LateUs, Left ++ mailbox(Options, Box)}.

once_in(Box, #{source := Source, then := Then} = Script) ->
    try
        {ok, []} = tripod_lua:eval(Box, before()),
        Hostile = prepared(Then, Box, Source),
        TimeMs = hostile_script:time_ms(Script),
        Call = fun() -> tripod:call(Box, {eval, Hostile, []}, #{time_ms => TimeMs}) end,
        {Reply, LateUs, WaitedUs} = hostile_clock:late_us(TimeMs, Call),
        {Reply, LateUs - WaitedUs, left(Script, Reply, Box)}
    after
        ok = tripod:close(Box)
    end.

prepared(nothing, _Box, Source) -> Source;
prepared(eval, Box, Source) ->
    {ok, [Made]} = tripod_lua:eval(Box, Source),
    Made.

%% What the script did to the box beyond what its outcome says.
left(_Script, {error, {down, Why}}, Box) ->
    case tripod_lua:eval(Box, "return 1") of
        {error, {down, Why}} -> [];
        Next -> [{after_down, Next}]
    end;
left(#{after_it := reset}, _Reply, Box) ->
    {ok, []} = tripod_lua:reset(Box),
    {ok, []} = tripod_lua:eval(Box, before()),
    found(Box);
left(#{after_it := nothing}, _Reply, Box) ->
    found(Box).

found(Box) ->
    case tripod_lua:eval(Box, later()) of
        {ok, [[]]} -> [];
        Next -> [{next_call, shorter(Next)}]
    end.

%% What was printed comes with the reply, if it was asked for, and is no more than a reply may be.
mailbox(#{print := owner, reply_bytes := Most}, Box) ->
    {Prints, Others} = lists:partition(fun(Message) -> is_print_of(Box, Message) end,
                                       contract:mailbox()),
    Bytes = lists:sum([byte_size(Text) || {tripod_print, _, Text} <- Prints]),
    [{mailbox, Others} || Others =/= []] ++ [{printed, Bytes} || Bytes > Most];
mailbox(_Options, _Box) ->
    case contract:mailbox() of
        [] -> [];
        Messages -> [{mailbox, Messages}]
    end.

is_print_of(Box, {tripod_print, Box, Text}) -> is_binary(Text);
is_print_of(_, _) -> false.

%% A state to be found again, and every function of the library by name.
before() ->
    "before, kept = 42, {} "
    "for _, library in ipairs {_G, string, table, math, utf8, os, coroutine} do "
    "    for name, value in pairs(library) do "
    "        if type(value) == 'function' then kept[#kept + 1] = {library, name, value} end "
    "    end "
    "end "
    "assert(#kept > 70)".

%% `hoard` is what scripts call that which they leave on purpose, `violated` what they set where no
%% script may arrive.
later() ->
    "hoard = nil "
    "local faults = {} "
    "local function check(what, holds) if not holds then faults[#faults + 1] = what end end "
    "check('nothing ran after the limit', violated == nil) "
    "check('globals', before == 42) "
    "for _, it in ipairs(kept) do check(it[2], rawequal(it[1][it[2]], it[3])) end "
    "check('methods', ('%d'):format(7):rep(2) .. ('x'):upper() == '77X' and #'abc' == 3) "
    "check('patterns', ('k=v'):gsub('(%w)=(%w)', '%2=%1') == 'v=k') "
    "local t = {3, 1, 2} "
    "table.sort(t) table.insert(t, 4) "
    "check('table', table.concat(t, ',') == '1,2,3,4' and select('#', table.unpack(t)) == 4) "
    "check('pcall', select(2, pcall(error, 'e', 0)) == 'e') "
    "check('xpcall', select(2, xpcall(error, function(e) return e .. '!' end, 'e')) == 'e!') "
    "local co = coroutine.wrap(function(a) return coroutine.yield(a + 1) end) "
    "check('coroutines', co(1) == 2 and co(5) == 5) "
    "local closed = false "
    "do local x <close> = setmetatable({}, {__close = function() closed = true end}) end "
    "check('close', closed) "
    "check('load', load('return 1 + ...')(2) == 3) "
    "check('metatables', setmetatable({}, {__index = function(_, k) return k end}).x == 'x') "
    "collectgarbage() "
    "local sum = 0 "
    "for i = 1, 1000 do sum = sum + i end "
    "check('sum', sum == 500500) "
    "return faults".

shorter(Reply) -> string:slice(io_lib:format("~0tP", [Reply, 100]), 0, 300).
