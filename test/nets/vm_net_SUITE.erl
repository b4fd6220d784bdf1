%% SPDX-License-Identifier: Apache-2.0
%% For `make nets`: plants a fault in the NIF and in the driver, inside a running VM, and is content
%% with whatever comes of it. Only the sanitizers can tell.
%%
%% What ends a VM is planted in one that the case starts. So is the driver's leak; the NIF's is left
%% in the VM of the suite itself: reports of both must be found.
-module(vm_net_SUITE).

-export([all/0, groups/0, end_per_testcase/2]).
-export([clean/1, nif_leak/1, nif_overrun/1, nif_double_free/1, nif_undefined/1, driver_leak/1,
         driver_overrun/1, driver_double_free/1]).

cases() ->
    [clean, nif_leak, nif_overrun, nif_double_free, nif_undefined, driver_leak, driver_overrun,
     driver_double_free].

-spec all() -> [{group, atom()}].
all() -> [{group, Case} || Case <- cases()].

%% One for each case, because a group is what build-aux/net-erl chooses.
-spec groups() -> [{atom(), [], [atom()]}].
groups() -> [{Case, [], [Case]} || Case <- cases()].

-spec end_per_testcase(atom(), [{atom(), term()}]) -> ok.
end_per_testcase(_, _) ->
    _ = application:stop(tripod),
    ok.

-spec clean([{atom(), term()}]) -> ok.
clean(_) ->
    [{Mode, {ok, proof_only}} = {Mode, inject(Strategy, Mode, proof_only)}
     || Strategy <- [nif, port_driver], Mode <- (tripod_strategy:room(Strategy)):modes()],
    {ok, proof_only} = child(fun() -> inject(nif, yield, proof_only) end),
    ok.

-spec nif_leak([{atom(), term()}]) -> ok.
nif_leak(_) ->
    {ok, host_leak} = inject(nif, yield, host_leak),
    proven(host_leak).

-spec nif_overrun([{atom(), term()}]) -> ok.
nif_overrun(_) -> planted(nif, yield, host_overrun).

-spec nif_double_free([{atom(), term()}]) -> ok.
nif_double_free(_) -> planted(nif, thread, host_double_free).

-spec nif_undefined([{atom(), term()}]) -> ok.
nif_undefined(_) -> planted(nif, dirty, undefined).

-spec driver_leak([{atom(), term()}]) -> ok.
driver_leak(_) -> planted(port_driver, async, host_leak).

-spec driver_overrun([{atom(), term()}]) -> ok.
driver_overrun(_) -> planted(port_driver, inline, host_overrun).

-spec driver_double_free([{atom(), term()}]) -> ok.
driver_double_free(_) -> planted(port_driver, async, host_double_free).

planted(Strategy, Mode, Fault) ->
    _ = child(fun() -> inject(Strategy, Mode, Fault) end),
    proven(Fault).

%% In a node of its own, which may not come back.
child(Fun) ->
    Child = driver_node:start([], []),
    try
        Reply = driver_node:in_node(Child, Fun),
        driver_node:stop(Child),
        Reply
    catch
        exit:Reason -> Reason
    end.

%% Called in whichever node.
inject(Strategy, Mode, Fault) ->
    {ok, _} = application:ensure_all_started(tripod),
    {ok, Box} = tripod:open(Strategy, #{service => faults, mode => Mode}),
    Reply = tripod:call(Box, {fault, Fault}),
    ok = tripod:close(Box),
    Reply.

%% The fault service leaves it in the file that build-aux/nets has named.
proven(Fault) ->
    {ok, Proof} = file:read_file(os:getenv("TRIPOD_FAULT_PROOF")),
    true = string:prefix(Proof, atom_to_list(Fault)) =/= nomatch,
    ok.
