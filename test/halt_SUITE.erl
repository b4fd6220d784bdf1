%% SPDX-License-Identifier: Apache-2.0
%% A VM goes down in every way that it can be told to, with boxes in every state, on every strategy
%% and mode: at once, and nothing of it outlives it. A call that would hold it up has a minute to run.
-module(halt_SUITE).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([suite/0, all/0, groups/0, init_per_group/2, end_per_group/2]).
-export([halt_flushes/1, halt_does_not_flush/1, init_stops/1, sigterm/1]).
-export([go_down/4, in_order/0, wait/0]).

%% What a busy machine may need for it.
-define(AT_ONCE_MS, 15_000).
-define(CALL_MS, 60_000).
%% How long a call may run that the VM waits for.
-define(AWAITED_CALL_MS, 1_000).

suite() -> [{timetrap, {minutes, 2}}].

all() -> [{group, Group} || {Group, _, _} <- groups()].

groups() ->
    [{Group, [parallel], [halt_flushes, halt_does_not_flush, init_stops, sigterm]}
     || Group <- contract:groups()].

init_per_group(Group, Config) -> contract:options(Group) ++ Config.

end_per_group(_, _) -> ok.

halt_flushes(Config) -> goes_down(Config, call_ms(Config), {erlang, halt, [0]}).
halt_does_not_flush(Config) -> goes_down(Config, ?CALL_MS, {erlang, halt, [0, [{flush, false}]]}).
init_stops(Config) -> goes_down(Config, ?CALL_MS, {?MODULE, in_order, []}).
%% From outside. It becomes a message to a process, which may itself wait behind an inline call.
sigterm(Config) ->
    CallMs = case ?config(mode, Config) of inline -> ?AWAITED_CALL_MS; _ -> ?CALL_MS end,
    goes_down(Config, CallMs, {?MODULE, wait, []}).

%% Before it flushes the VM waits until each scheduler has come by, so for an inline call (erts_halt in
%% erl_process.c). From OTP 26 on it tells NIF libraries first.
call_ms(Config) ->
    case {?config(strategy, Config), ?config(mode, Config)} of
        {nif, inline} ->
            case list_to_integer(erlang:system_info(otp_release)) >= 26 of
                true -> ?CALL_MS;
                false -> ?AWAITED_CALL_MS
            end;
        {_, inline} -> ?AWAITED_CALL_MS;
        _ -> ?CALL_MS
    end.

%% The VM is asked nothing once it holds its boxes: an inline call may hold whatever would answer.
goes_down(Config, CallMs, Act) ->
    Paths = lists:append([["-pa", Path] || Path <- code:get_path(), not in_otp(Path)]),
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => Paths}),
    Monitor = monitor(process, Peer),
    Mode = [{Key, ?config(Key, Config)} || Key <- [strategy, mode]],
    Name = "going_down_" ++ integer_to_list(erlang:unique_integer([positive])),
    Note = filename:join(?config(priv_dir, Config), Name),
    ok = peer:cast(Peer, ?MODULE, go_down, [Mode, CallMs, Note, Act]),
    ok = contract:await(fun() -> filelib:is_regular(Note) end, 30_000),
    {ok, [{Began, [{Pid, _} = Vm | _] = Processes}]} = file:consult(Note),
    _ = [os:cmd("kill -TERM " ++ integer_to_list(Pid)) || Act =:= {?MODULE, wait, []}],
    receive {'DOWN', Monitor, process, Peer, _} -> ok after ?AT_ONCE_MS -> error(goes_on) end,
    ok = contract:await(fun() -> not os_process:alive(Vm) end, ?AT_ONCE_MS),
    ct:log("down after ~b ms", [erlang:system_time(millisecond) - Began]),
    [ok = os_process:await_gone(Process) || Process <- Processes].

in_otp(Path) -> lists:prefix(code:root_dir(), Path) orelse Path =:= ".".

%% In the VM that goes down.

go_down(Config, CallMs, Note, {Module, Function, Args}) ->
    {ok, _} = application:ensure_all_started(tripod),
    ok = contract:bind(),
    Endless = hold(Config, CallMs),
    {ok, Vm} = tripod_fault_os:identity(list_to_integer(os:getpid())),
    Processes = io_lib:format("~p", [[Vm | tripod_fault_os:descendants(Vm)]]),
    true = erlang:function_exported(Module, Function, length(Args)),
    ok = Endless(),
    %% From here on without the help of any process: it may wait behind the call.
    Began = integer_to_binary(erlang:system_time(millisecond)),
    ok = file:write_file(Note ++ ".new", ["{", Began, ",", Processes, "}.\n"], [raw]),
    ok = prim_file:rename(Note ++ ".new", Note),
    apply(Module, Function, Args).

%% One box is idle, one waits for a function of its owner's, and where there are lines one has some in
%% it. Returns what puts one more in a call, because of what inline does to the scheduler of all owners.
hold(Config, CallMs) ->
    Self = self(),
    Waits = fun([]) -> Self ! waits, receive never -> [] end end,
    _ = owner(Config, #{}, fun(_) -> ok end),
    _ = owner(Config, #{functions => #{<<"wait">> => Waits}},
              fun(Box) -> tripod_lua:eval(Box, "wait()") end),
    receive waits -> ok end,
    await_guard(contract:strategy(Config)),
    _ = [owner(Config, #{}, fun send_some/1) || lists:member(mode(Config), [async, thread])],
    Calls = calls(Config),
    Endless = {eval, <<"while true do end">>, []},
    fun() ->
        _ = owner(Config, #{}, fun(Box) -> tripod:call(Box, Endless, #{time_ms => CallMs}) end),
        %% The VM has one thread for all of mode async.
        mode(Config) =:= async orelse contract:await(fun() -> calls(Config) > Calls end),
        ok
    end.

%% Beside erl_child_setup and the boxes; it may not have come as far as they.
await_guard(port_program) ->
    {ok, Vm} = tripod_fault_os:identity(list_to_integer(os:getpid())),
    contract:await(fun() -> length(tripod_fault_os:descendants(Vm)) >= 4 end);
await_guard(_) ->
    ok.

mode(Config) -> proplists:get_value(mode, Config).

calls(Config) -> maps:get(calls, tripod:census(contract:strategy(Config))).

%% Lives on without the process that began it.
owner(Config, Options, Use) ->
    Self = self(),
    Pid = spawn(fun() ->
        {Owner, Monitor, Box} = contract:owner(Config, Options#{time_ms => ?CALL_MS}),
        ok = contract:tell(Owner, fun() -> Use(Box) end),
        Self ! {opened, self()},
        receive {'DOWN', Monitor, process, Owner, _} -> ok end
    end),
    receive {opened, Pid} -> Pid end.

send_some(Box) ->
    [{ok, _} = tripod:send(Box, {eval, <<"while true do end">>, []}) || _ <- lists:seq(1, 5)].

in_order() -> init:stop(0).

wait() -> receive never -> ok end.
