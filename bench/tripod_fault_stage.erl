%% SPDX-License-Identifier: Apache-2.0
%% A sacrificial VM with everything in place for faults: healthy boxes, a bystander, tickers; and what
%% the operating system shows of it.
-module(tripod_fault_stage).

-export([open/1, reopen/1, close/1, call/5, signal/3]).
-export([setting/1, vm/1, facts/1, process/1, rounds/1, has_programs/1, new_programs/2]).
-export([look/1, growth/2, proof/1]).
-export_type([setting/0, stage/0, look/0]).

%% What all stages of one strategy and mode share. `env` is what their VMs find in the environment;
%% `proof` is the file that it names for proof.
-type setting() :: #{guard := tripod_fault_guard:guard(), env := [{string(), string()}],
                     proof := file:filename(), scene := tripod_fault_scene:spec(),
                     rounds := pos_integer()}.

-record(stage, {setting :: setting(), vm :: tripod_fault_node:vm(),
                facts :: tripod_fault_scene:facts(), kin :: [tripod_fault_os:process()]}).
-opaque stage() :: #stage{}.

%% `kin`: the VM's descendants. `marks`: lines of proof so far.
-type look() :: #{family := tripod_fault_os:family(), kin := [tripod_fault_os:process()],
                  marks := non_neg_integer()}.

-define(START_MS, 90000).
-define(SERVE_MS, 10000).

-spec open(setting()) -> {ok, stage()} | {error, term()}.
open(Setting) ->
    case start(Setting) of
        {ok, Vm} -> dress(Setting, Vm);
        {error, _} = Error -> Error
    end.

%% In place of a VM that was lost: also when the new one first served.
-spec reopen(setting()) -> {ok, stage(), ServedAt :: integer() | null} | {error, term()}.
reopen(#{scene := #{strategy := Strategy} = Scene} = Setting) ->
    case start(Setting) of
        {ok, Vm} ->
            Options = maps:with([mode, service], Scene),
            Served = tripod_fault_node:call(Vm, tripod_fault_settle, serve,
                                            [Strategy, Options, ?SERVE_MS], 2 * ?SERVE_MS),
            case {dress(Setting, Vm), Served} of
                {{ok, Stage}, {ok, {ok, At}}} -> {ok, Stage, At};
                {{ok, Stage}, _} -> {ok, Stage, null};
                {{error, _} = Error, _} -> Error
            end;
        {error, _} = Error ->
            Error
    end.

start(#{guard := Guard, env := Env}) -> tripod_fault_node:start(Guard, Env).

dress(#{scene := Scene} = Setting, Vm) ->
    case tripod_fault_node:call(Vm, tripod_fault_scene, start, [Scene], ?START_MS) of
        {ok, {ok, Facts}} ->
            Kin = tripod_fault_os:descendants(tripod_fault_node:process(Vm)),
            {ok, #stage{setting = Setting, vm = Vm, facts = Facts, kin = Kin}};
        Failed ->
            ok = tripod_fault_node:stop(Vm),
            case Failed of
                {ok, {error, Why}} -> {error, Why};
                {error, _} -> Failed
            end
    end.

-spec close(stage()) -> ok.
close(#stage{vm = Vm}) -> tripod_fault_node:stop(Vm).

-spec call(stage(), module(), atom(), [term()], TimeoutMs :: pos_integer()) ->
          {ok, term()} | {error, lost | timeout | {failed, term()}}.
call(#stage{vm = Vm}, Module, Function, Args, TimeoutMs) ->
    tripod_fault_node:call(Vm, Module, Function, Args, TimeoutMs).

-spec signal(stage(), tripod_fault_os:process(), Signal :: string()) -> ok | {error, term()}.
signal(#stage{setting = #{guard := Guard}}, Process, Signal) ->
    tripod_fault_guard:signal(Guard, Process, Signal).

-spec setting(stage()) -> setting().
setting(#stage{setting = Setting}) -> Setting.

-spec vm(stage()) -> tripod_fault_node:vm().
vm(#stage{vm = Vm}) -> Vm.

-spec facts(stage()) -> tripod_fault_scene:facts().
facts(#stage{facts = Facts}) -> Facts.

-spec process(stage()) -> tripod_fault_os:process().
process(#stage{vm = Vm}) -> tripod_fault_node:process(Vm).

%% How often an owner fault is repeated.
-spec rounds(stage()) -> pos_integer().
rounds(#stage{setting = #{rounds := Rounds}}) -> Rounds.

%% Whether boxes of this strategy are OS processes.
-spec has_programs(stage()) -> boolean().
has_programs(#stage{facts = #{census := #{os_processes := Programs}}}) -> Programs > 0.

%% Those that were not there when the stage was opened.
-spec new_programs(stage(), look()) -> [tripod_fault_os:process()].
new_programs(#stage{kin = Kin}, #{kin := Now}) -> Now -- Kin.

-spec look(stage()) -> look().
look(Stage) ->
    Process = process(Stage),
    #{family => tripod_fault_os:family(Process), kin => tripod_fault_os:descendants(Process),
      marks => length(proof(Stage))}.

-spec growth(Before :: look(), After :: look()) -> tripod_fault_judge:growth().
growth(#{family := Before}, #{family := After}) ->
    maps:map(fun(Key, Value) -> max(0, Value - maps:get(Key, Before)) end, After).

%% What services have left so far, the oldest first.
-spec proof(stage()) -> [tripod_fault_judge:proof()].
proof(#stage{setting = #{proof := File}}) ->
    case file:read_file(File) of
        {ok, Text} -> [mark(Line) || Line <- string:lexemes(binary_to_list(Text), "\n")];
        {error, enoent} -> []
    end.

mark(Line) ->
    [Name, Pid, Thread, At] = string:lexemes(Line, " "),
    #{name => Name, pid => list_to_integer(Pid), thread => list_to_integer(Thread),
      at => list_to_integer(At)}.
