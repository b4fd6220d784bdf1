%% SPDX-License-Identifier: Apache-2.0
%% Runs EUnit modules and writes what became of every test as TAP, as a listener of EUnit's own.
%%
%%   erl ... -run tap_eunit main TAP_FILE MODULE...
-module(tap_eunit).
-behaviour(eunit_listener).

-export([main/1]).
-export([start/1, init/1, handle_begin/3, handle_end/3, handle_cancel/3, terminate/2]).

-record(state, {tap :: file:io_device()}).

-spec main([string()]) -> no_return().
main([TapFile | Modules]) ->
    {ok, Tap} = file:open(TapFile, [write, {encoding, utf8}]),
    Result = eunit:test([list_to_atom(Module) || Module <- Modules],
                        [no_tty, {report, {?MODULE, [Tap]}}]),
    halt(case Result of ok -> 0; _ -> 1 end).

-spec start([file:io_device()]) -> pid().
start(Options) -> eunit_listener:start(?MODULE, Options).

-spec init([file:io_device()]) -> #state{}.
init([Tap]) -> #state{tap = Tap}.

-spec handle_begin(test | group, [term()], #state{}) -> #state{}.
handle_begin(_, _, State) -> State.

-spec handle_end(test | group, [term()], #state{}) -> #state{}.
handle_end(test, Data, #state{tap = Tap} = State) ->
    Name = name(proplists:get_value(source, Data), Data),
    case proplists:get_value(status, Data) of
        ok -> io:format(Tap, "ok ~ts~n", [Name]);
        {skipped, Why} -> not_ok(Tap, Name, {never_ran, Why});
        {error, Exception} -> not_ok(Tap, Name, Exception)
    end,
    State;
handle_end(group, _, State) ->
    State.

%% A group or test that could not be set up: EUnit counts it among no result, we do.
-spec handle_cancel(test | group, [term()], #state{}) -> #state{}.
handle_cancel(_, Data, #state{tap = Tap} = State) ->
    case proplists:get_value(reason, Data) of
        undefined -> ok;  % a group whose part was cancelled and has said so itself
        {blame, _} -> ok;
        Reason ->
            io:format(Tap, "not planned~n", []),
            not_ok(Tap, name(proplists:get_value(source, Data), Data), Reason)
    end,
    State.

%% EUnit's own count, against which the events are checked.
-spec terminate({ok, [{atom(), non_neg_integer()}]} | {error, term()}, #state{}) -> ok.
terminate({ok, Counts}, #state{tap = Tap}) ->
    Planned = lists:sum([proplists:get_value(Key, Counts) || Key <- [pass, fail, skip]]),
    io:format(Tap, "1..~b~n", [Planned]),
    file:close(Tap);
terminate({error, Reason}, #state{tap = Tap}) ->
    not_ok(Tap, "eunit", Reason),
    file:close(Tap).

name({Module, Function, _}, Data) ->
    Line = case proplists:get_value(line, Data, 0) of 0 -> ""; N -> [$:, integer_to_list(N)] end,
    [atom_to_list(Module), $., atom_to_list(Function), Line | described(Data)];
name(undefined, Data) ->
    ["group" | described(Data)].

described(Data) ->
    case proplists:get_value(desc, Data) of
        undefined -> "";
        Text -> [$\s | string:replace(Text, "\n", " ", all)]
    end.

not_ok(Tap, Name, Reason) ->
    Lines = string:split(io_lib:format("~tP", [Reason, 60]), "\n", all),
    io:format(Tap, "not ok ~ts~n~ts", [Name, [["#   ", Line, $\n] || Line <- Lines]]).
