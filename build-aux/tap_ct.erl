%% SPDX-License-Identifier: Apache-2.0
%% Runs Common Test suites and writes what became of every case as TAP. An event handler rather than
%% a reader of Common Test's logs: the events are its documented interface for this.
%%
%%   erl ... -run tap_ct main TAP_FILE LOG_DIR BEAM_DIR GROUP CASE SUITE...
%%
%% GROUP and CASE may be "all".
%%
%% A case that Common Test skipped because a configuration function failed did not run: `not ok`.
-module(tap_ct).
-behaviour(gen_event).

-export([main/1]).
-export([init/1, handle_event/2, handle_call/2]).

-include_lib("common_test/include/ct_event.hrl").

-record(state, {tap :: file:io_device(), groups = [] :: [atom()]}).

-spec main([string()]) -> no_return().
main([TapFile, LogDir, BeamDir, Group, Case | Suites]) ->
    ok = file:write_file(TapFile, ""),
    Common = [{dir, BeamDir}, {auto_compile, false}, {logdir, LogDir},
              {event_handler, {?MODULE, [filename:absname(TapFile)]}}],
    Results = [run(TapFile, Options ++ Common) || Options <- runs(Group, Case, Suites)],
    halt(case Results of [] -> 2; _ -> lists:max(Results) end).

%% Common Test takes a group or a case of one suite only: then a run for each suite that has it.
runs("all", "all", Suites) ->
    [[{suite, Suites}]];
runs(Group, Case, Suites) ->
    Has = [list_to_atom(Suite) || Suite <- Suites, has(list_to_atom(Suite), Group, Case)],
    [[{suite, Suite}] ++ [{group, list_to_atom(Group)} || Group =/= "all"]
     ++ [{testcase, list_to_atom(Case)} || Case =/= "all"] || Suite <- Has].

has(Suite, Group, Case) ->
    Exports = Suite:module_info(exports),
    (Group =:= "all" orelse
     (lists:member({groups, 0}, Exports) andalso
      lists:any(fun(Defined) -> atom_to_list(element(1, Defined)) =:= Group end, Suite:groups())))
        andalso
    (Case =:= "all" orelse lists:member({list_to_atom(Case), 1}, Exports)).

run(TapFile, Options) ->
    case ct:run_test(Options) of
        {Ok, Failed, {UserSkipped, AutoSkipped}} ->
            %% Common Test's own count, against which the events are checked.
            append(TapFile, io_lib:format("1..~b~n", [Ok + Failed + UserSkipped + AutoSkipped])),
            if Failed + AutoSkipped =:= 0 -> 0; true -> 1 end;
        {error, Reason} ->
            append(TapFile, ["not planned\nnot ok common_test\n", comment(Reason)]),
            2
    end.

append(File, Text) ->
    ok = file:write_file(File, unicode:characters_to_binary(Text), [append]).

-spec init([file:filename()]) -> {ok, #state{}}.
init([TapFile]) ->
    {ok, Tap} = file:open(TapFile, [append, {encoding, utf8}]),
    {ok, #state{tap = Tap}}.

-spec handle_event(#event{}, #state{}) -> {ok, #state{}}.
handle_event(#event{name = tc_done, data = {Suite, {init_per_group, Group, _}, ok}}, State) ->
    _ = Suite,
    {ok, State#state{groups = [Group | State#state.groups]}};
handle_event(#event{name = tc_done, data = {Suite, {end_per_group, Group, _}, Result}}, State) ->
    configured(Suite, {end_per_group, Group}, Result, State),
    {ok, State#state{groups = State#state.groups -- [Group]}};
handle_event(#event{name = tc_done, data = {Suite, {Function, Group, _}, Result}}, State) ->
    configured(Suite, {Function, Group}, Result, State),
    {ok, State};
handle_event(#event{name = tc_done, data = {Suite, Function, Result}}, State)
  when Function =:= init_per_suite; Function =:= end_per_suite ->
    configured(Suite, Function, Result, State),
    {ok, State};
handle_event(#event{name = tc_done, data = {Suite, Case, Result}}, State) ->
    ran(name(Suite, Case, State), Result, State),
    {ok, State};
handle_event(#event{name = tc_user_skip, data = {Suite, Case, Reason}}, State) ->
    ran(name(Suite, Case, State), {skipped, Reason}, State),
    {ok, State};
handle_event(#event{name = tc_auto_skip, data = {Suite, Case, Reason}}, State) ->
    case is_configuration(Case) of
        true -> ok;
        false -> not_ok(name(Suite, Case, State), {never_ran, Reason}, State)
    end,
    {ok, State};
handle_event(_, State) ->
    {ok, State}.

-spec handle_call(term(), #state{}) -> {ok, ok, #state{}}.
handle_call(_, State) -> {ok, ok, State}.

ran(Name, ok, #state{tap = Tap}) -> io:format(Tap, "ok ~ts~n", [Name]);
ran(Name, {skipped, Reason}, #state{tap = Tap}) ->
    io:format(Tap, "ok ~ts # SKIP ~ts~n", [Name, one_line(Reason)]);
ran(Name, Reason, State) -> not_ok(Name, Reason, State).

%% Common Test does not count these among its cases, so they stand outside the plan.
configured(_, _, ok, _) -> ok;
configured(_, _, {skipped, _}, _) -> ok;
configured(Suite, Function, Reason, #state{tap = Tap} = State) ->
    io:format(Tap, "not planned~n", []),
    not_ok(name(Suite, Function, State), Reason, State).

not_ok(Name, Reason, #state{tap = Tap}) ->
    io:format(Tap, "not ok ~ts~n~ts", [Name, comment(Reason)]).

is_configuration({Function, _Group}) -> is_configuration(Function);
is_configuration(Function) ->
    lists:member(Function, [init_per_suite, end_per_suite, init_per_group, end_per_group]).

name(Suite, {Function, Group}, State) ->
    name(Suite, Function, State#state{groups = [Group | State#state.groups -- [Group]]});
name(Suite, Function, #state{groups = Groups}) ->
    lists:join($., [atom_to_list(Atom) || Atom <- [Suite | lists:reverse(Groups)] ++ [Function]]).

one_line(Reason) when is_list(Reason); is_binary(Reason) ->
    case io_lib:printable_unicode_list(unicode:characters_to_list(Reason)) of
        true -> string:replace(Reason, "\n", " ", all);
        false -> io_lib:format("~0tp", [Reason])
    end;
one_line(Reason) -> io_lib:format("~0tp", [Reason]).

comment(Reason) ->
    Lines = string:split(io_lib:format("~tP", [Reason, 60]), "\n", all),
    [["#   ", Line, $\n] || Line <- Lines].
