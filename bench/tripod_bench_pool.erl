%% SPDX-License-Identifier: Apache-2.0
%% The VMs of one scenario and placement: one for each strategy, one for the floors, one for each
%% rival. Each starts when something is first opened in it.
-module(tripod_bench_pool).

-export([new/1, ask/5, stop/1]).
-export_type([pool/0]).

-record(pool, {placement :: tripod_bench_node:placement(),
               vms = #{} :: #{group() => tripod_bench_node:vm()}}).

-opaque pool() :: #pool{}.
-type group() :: atom().

-spec new(tripod_bench_node:placement()) -> pool().
new(Placement) -> #pool{placement = Placement}.

%% Calls a function of tripod_bench_worker in the subject's VM. A VM that is lost, or takes longer
%% than that and is of no use any more, is gone with all that was open in it.
-spec ask(pool(), tripod_bench_task:subject(), open | sample | close, [term()], pos_integer()) ->
          {term() | {error, term()}, pool()}.
ask(Pool, Subject, Function, Args, TimeoutMs) ->
    Group = group(Subject),
    case vm(Pool, Group, Function) of
        {ok, Vm, #pool{vms = Vms} = Larger} ->
            case tripod_bench_node:call(Vm, tripod_bench_worker, Function, Args, TimeoutMs) of
                {ok, Answer} ->
                    {Answer, Larger};
                {error, {failed, _} = Why} ->
                    {{error, Why}, Larger};
                {error, Why} ->
                    ok = tripod_bench_node:stop(Vm),
                    {{error, Why}, Larger#pool{vms = maps:remove(Group, Vms)}}
            end;
        {error, Why} ->
            {{error, Why}, Pool}
    end.

group({box, Strategy, _}) -> Strategy;
group({floor, _}) -> floor;
group({rival, Rival}) -> Rival.

vm(#pool{vms = Vms} = Pool, Group, _) when is_map_key(Group, Vms) ->
    {ok, map_get(Group, Vms), Pool};
vm(#pool{placement = Placement} = Pool, Group, open) ->
    started(Pool, Group, tripod_bench_node:start(Placement));
vm(_, _, _) ->
    {error, not_open}.

started(#pool{vms = Vms} = Pool, Group, {ok, Vm}) ->
    case tripod_bench_node:call(Vm, tripod_bench_worker, start, [], 10000) of
        {ok, ok} -> {ok, Vm, Pool#pool{vms = Vms#{Group => Vm}}};
        {error, Why} -> {error, {vm, Why}}
    end;
started(_, _, {error, Why}) ->
    {error, {vm, Why}}.

-spec stop(pool()) -> ok.
stop(#pool{vms = Vms}) ->
    lists:foreach(fun tripod_bench_node:stop/1, maps:values(Vms)).
