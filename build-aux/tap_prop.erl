%% SPDX-License-Identifier: Apache-2.0
%% Runs every exported prop_*/0 of the named modules with PropEr and writes the verdicts as TAP.
%%
%%   erl ... -run tap_prop main TAP_FILE NUMBER_OF_TESTS MODULE...
-module(tap_prop).

-export([main/1, property/1]).

-spec main([string()]) -> no_return().
main([TapFile, Tests | Modules]) ->
    Options = [{numtests, list_to_integer(Tests)}, long_result, nocolors,
               {on_output, fun(Format, Args) -> collect(io_lib:format(Format, Args)) end}],
    {ok, Tap} = file:open(TapFile, [write, {encoding, utf8}]), % any process may write to it
    Verdicts = [verdict(Tap, Property, Options) || Property <- properties(Modules)],
    io:format(Tap, "1..~b~n", [length(Verdicts)]),
    ok = file:close(Tap),
    halt(case lists:all(fun(Passed) -> Passed end, Verdicts) of true -> 0; false -> 1 end).

%% Around the body of each ?FORALL: Debian's PropEr asks for erlang:get_stacktrace(), which is gone,
%% when a property raises, and would report that instead of the exception.
-spec property(fun((X) -> Result)) -> fun((X) -> Result | false).
property(Body) ->
    fun(X) ->
        try Body(X)
        catch
            Class:Reason:Stack ->
                collect(io_lib:format("~n~tp:~tP~n~tP~n", [Class, Reason, 60, Stack, 60])),
                false
        end
    end.

properties(Modules) ->
    lists:append([properties_of(list_to_atom(Module)) || Module <- Modules]).

%% A module without a property is a failure of its own, not nothing.
properties_of(Module) ->
    case [{Module, Name} || {Name, 0} <- Module:module_info(exports),
                            lists:prefix("prop_", atom_to_list(Name))] of
        [] -> [{Module, no_property}];
        Properties -> Properties
    end.

%% In a process of its own: what one property opens, and keeps for all of its cases, is gone before
%% the next begins.
verdict(Tap, Property, Options) ->
    {Pid, Monitor} = spawn_monitor(fun() -> exit({verdict, judge(Tap, Property, Options)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {verdict, Passed}} -> Passed;
        {'DOWN', Monitor, process, Pid, Why} ->
            {Module, Name} = Property,
            said(Tap, false, Module, Name, Why)
    end.

judge(Tap, {Module, Name}, Options) ->
    try proper:quickcheck(Module:Name(), Options) of
        true -> said(Tap, true, Module, Name, []);
        Counterexample -> said(Tap, false, Module, Name, Counterexample)
    catch
        Class:Reason:Stack -> said(Tap, false, Module, Name, {Class, Reason, Stack})
    end.

said(Tap, true, Module, Name, _) ->
    io:format(Tap, "ok ~ts.~ts~n", [Module, Name]),
    true;
said(Tap, false, Module, Name, Why) ->
    Text = io_lib:format("~ts~n~tP", [lists:reverse(output()), Why, 200]),
    Lines = [Line || Line <- string:split(Text, "\n", all),
                     not string:is_empty(string:trim(Line, both, ".! "))],
    io:format(Tap, "not ok ~ts.~ts~n~ts", [Module, Name, [["#   ", Line, $\n] || Line <- Lines]]),
    false.

%% PropEr's own words: shown only when the property failed.
collect(Text) ->
    _ = put(output, [Text | output()]),
    ok.

output() ->
    case get(output) of
        undefined -> [];
        Text -> Text
    end.
