%% SPDX-License-Identifier: Apache-2.0
%% What a node consists of besides boxes: who is linked to and monitors whom, ports, files, threads,
%% operating system processes, tables. Taken before and after a test, to see that nothing stays.
-module(node_traces).

-export([take/0, exchanged/3, await/1, blocks/0]).
-export_type([traces/0]).

-type traces() :: #{atom() => list()}.

%% Everything in it can be compared exactly.
-spec take() -> traces().
take() ->
    #{processes => lists:sort([Traces || Pid <- processes(), Traces <- process(Pid)]),
      ports => lists:sort([Traces || Port <- erlang:ports(), Traces <- port(Port)]),
      tables => lists:sort(ets:all()),
      files => names("/proc/self/fd"),
      threads => names("/proc/self/task"),
      children => children()}.

process(Pid) ->
    case process_info(Pid, [links, monitors, monitored_by]) of
        undefined -> [];
        Traces -> [{Pid, [{Item, lists:sort(Values)} || {Item, Values} <- Traces]}]
    end.

port(Port) ->
    case {erlang:port_info(Port, links), erlang:port_info(Port, monitors)} of
        {{links, Links}, {monitors, Monitors}} -> [{Port, lists:sort(Links), lists:sort(Monitors)}];
        _ -> []
    end.

%% The kernel's view of this operating system process.
names(Directory) ->
    {ok, Names} = file:list_dir(Directory),
    lists:sort(Names).

%% The VM's children and theirs: port programs are forked by a helper.
children() -> children(os:getpid()).

children(Pid) ->
    Files = filelib:wildcard("/proc/" ++ Pid ++ "/task/*/children"),
    Children = [Child || File <- Files, {ok, Text} <- [file:read_file(File)],
                         Child <- string:lexemes(binary_to_list(Text), " ")],
    lists:sort([Child || Child <- Children, not is_zombie(Child)]
               ++ lists:append([children(Child) || Child <- Children])).

%% Whoever waits for it will, but nobody else does.
is_zombie(Pid) ->
    case file:read_file("/proc/" ++ Pid ++ "/stat") of
        {ok, Text} -> binary:part(lists:last(string:split(Text, ")", trailing)), 0, 2) =:= <<" Z">>;
        {error, _} -> true
    end.

%% As it would be if one process were in the other's place.
-spec exchanged(traces(), pid(), pid()) -> traces().
exchanged(#{processes := Processes, ports := Ports} = Traces, One, Other) ->
    Exchange = fun(Pid) when Pid =:= One -> Other;
                  (Pid) when Pid =:= Other -> One;
                  (Term) -> Term
               end,
    Tied = fun({Kind, With}) -> {Kind, Exchange(With)}; (With) -> Exchange(With) end,
    All = fun(Ties) -> lists:sort([Tied(Tie) || Tie <- Ties]) end,
    Traces#{processes := lists:sort([{Exchange(Pid), [{Item, All(Ties)} || {Item, Ties} <- Items]}
                                     || {Pid, Items} <- Processes]),
            ports := [{Port, All(Links), All(Monitors)} || {Port, Links, Monitors} <- Ports]}.

%% Until the node is as it was.
-spec await(traces()) -> ok.
await(Before) ->
    contract:await(fun() ->
        Now = take(),
        case [{What, gone, Were -- Are, new, Are -- Were}
              || {What, Were} <- maps:to_list(Before), Are <- [maps:get(What, Now)], Are =/= Were] of
            [] -> true;
            Differences -> Differences
        end
    end).

%% Blocks of memory that hold resources, binaries, and what the driver and the NIF have allocated. Not
%% exact, since others use them too: a leak shows by what repetition does to them. 0 in a VM that leaves
%% memory to malloc.
-spec blocks() -> non_neg_integer().
blocks() ->
    lists:foreach(fun(Pid) -> _ = garbage_collect(Pid) end, processes()),
    lists:sum([blocks(Allocator) || Allocator <- [driver_alloc, binary_alloc]]).

blocks(Allocator) ->
    case erlang:system_info({allocator, Allocator}) of
        false ->
            0;
        Instances ->
            lists:sum([Count || {instance, _, Info} <- Instances,
                                {_, Carriers} <- Info, is_list(Carriers),
                                {blocks, Blocks} <- Carriers,
                                {Of, Figures} <- Blocks, Of =:= Allocator,
                                {count, Count, _, _} <- Figures])
    end.
