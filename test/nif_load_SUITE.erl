%% SPDX-License-Identifier: Apache-2.0
%% The NIF library: loaded by the first call, missing, broken, and loaded again under living boxes.
%%
%% Each case runs in a node of its own (nif_node.erl). What holds for every strategy is in
%% contract_*_SUITE.
-module(nif_load_SUITE).

-include_lib("stdlib/include/assert.hrl").

-import(nif_node, [in_peer/2, open/1, owner/1, ask/2, until/1, no_monitors/1, no_boxes/0,
                   endless/2, outcome/1]).

-export([suite/0, all/0, init_per_testcase/2, end_per_testcase/2]).
-export([unknown_service/1, missing_artefact/1, broken_artefact/1, many_first_opens/1,
         reload_keeps_boxes/1, unload_leaves_nothing/1, reload_during_a_call/1, another_build/1,
         a_build_that_knows_other_data/1, no_library_to_go_on_with/1]).

suite() -> [{timetrap, {minutes, 10}}].

all() ->
    [unknown_service, missing_artefact, broken_artefact, many_first_opens, reload_keeps_boxes,
     unload_leaves_nothing, reload_during_a_call, another_build, a_build_that_knows_other_data,
     no_library_to_go_on_with].

init_per_testcase(Case, Config) when Case =:= missing_artefact; Case =:= broken_artefact ->
    Private = filename:join(proplists:get_value(priv_dir, Config), Case),
    ok = filelib:ensure_path(Private),
    nif_node:start([], [{"TRIPOD_PRIV", Private}], [{private, Private} | Config]);
init_per_testcase(_, Config) ->
    nif_node:start([], [], Config).

end_per_testcase(_, Config) -> nif_node:stop(Config).

unknown_service(Config) ->
    in_peer(Config, fun() ->
        [?assertEqual({error, {unsupported, {service, Name}}},
                      tripod:open(nif, #{service => Name}))
         || Name <- [no_such_service, '', list_to_atom([16#3A9])]],
        no_boxes(),
        no_monitors(self())
    end).

missing_artefact(Config) ->
    File = filename:join(proplists:get_value(private, Config), "tripod_nif.so"),
    Built = tripod_strategy:artefact("tripod_nif.so"),
    in_peer(Config, fun() ->
        ?assertMatch({ok, _}, application:ensure_all_started(tripod)),
        ?assertMatch({error, {missing_artefact, File, [_ | _]}},
                     tripod:open(nif, #{service => echo})),
        ?assertEqual({error, closed}, tripod_nif:call(make_ref(), 1, 0)),
        ?assertEqual(ok, tripod_nif:close(make_ref())),
        ?assertMatch(#{boxes := 0, bytes := 0, calls := 0}, tripod:census(nif)),
        {ok, _} = file:copy(Built, File),
        ?assertEqual({ok, 1}, tripod:call(open(echo), 1)) % without a restart
    end).

broken_artefact(Config) ->
    File = filename:join(proplists:get_value(private, Config), "tripod_nif.so"),
    ok = file:write_file(File, <<"not a shared object">>),
    in_peer(Config, fun() ->
        ?assertMatch({error, {artefact, File, [_ | _]}}, tripod:open(nif, #{service => echo}))
    end).

many_first_opens(Config) ->
    in_peer(Config, fun() ->
        {ok, _} = application:ensure_all_started(tripod),
        Parent = self(),
        Openers = [spawn_link(fun() ->
            receive go -> ok end,
            Parent ! {self(), tripod:call(open(echo), self_is)}
        end) || _ <- lists:seq(1, 300)],
        [Pid ! go || Pid <- Openers],
        [receive {Pid, Reply} -> ?assertEqual({ok, self_is}, Reply) end || Pid <- Openers],
        no_boxes()
    end).

%% Twice in a row, with the old code purged and nobody calling in between.
reload_keeps_boxes(Config) ->
    in_peer(Config, fun() ->
        {Owner, Box} = owner(echo),
        Mine = open(echo),
        [begin
             _ = code:purge(tripod_nif_lib),
             {module, _} = code:load_file(tripod_nif_lib)
         end || _ <- lists:seq(1, 3)],
        _ = code:purge(tripod_nif_lib),
        ?assertEqual({ok, 1}, tripod:call(Mine, 1)),
        ?assertMatch(#{boxes := 2}, tripod:census(nif)),
        exit(Owner, kill),
        until(fun() -> maps:get(boxes, tripod:census(nif)) =:= 1 end),
        ?assertEqual({error, closed}, tripod:call(Box, 1)),
        ok = tripod:close(Mine),
        no_boxes(),
        no_monitors(self())
    end).

%% Deleted and purged, the library is unloaded and leaves no thread behind.
unload_leaves_nothing(Config) ->
    in_peer(Config, fun() ->
        {ok, _} = application:ensure_all_started(tripod),
        Threads = threads(),
        [begin
             Box = open(echo),
             ?assertEqual({ok, 1}, tripod:call(Box, 1)),
             ?assert(threads() > Threads), % the timer's watchdog
             ok = tripod:close(Box),
             true = code:delete(tripod_nif_lib),
             _ = code:purge(tripod_nif_lib),
             until(fun() -> erlang:garbage_collect(), threads() =:= Threads end)
         end || _ <- lists:seq(1, 5)]
    end).

threads() ->
    {ok, Names} = file:list_dir("/proc/self/task"),
    length(Names).

reload_during_a_call(Config) ->
    in_peer(Config, fun() ->
        {Owner, Box} = owner(lua),
        Caller = endless(Owner, Box),
        {module, _} = code:load_file(tripod_nif_lib),
        ok = tripod:interrupt(Box),
        ?assertEqual({error, interrupted}, outcome(Caller)),
        ok = ask(Owner, fun(Held) -> {ok, [1]} = tripod_lua:eval(Box, "return 1"), {ok, Held} end),
        exit(Owner, kill),
        no_boxes()
    end).

%% --- the next library is another one ---

%% Builds that are told apart by their files, each in a directory of its own, as releases have it:
%% under the same name the system's loader would find the one that it has.
build(Config, Name) -> build(Config, Name, fun(Bytes) -> Bytes end).

build(Config, Name, Change) ->
    {ok, Bytes} = file:read_file(tripod_strategy:artefact("tripod_nif.so")),
    write(Config, Name, Change(Bytes)).

write(Config, Name, Bytes) ->
    Dir = directory(Config, Name),
    ok = file:write_file(filename:join(Dir, "tripod_nif.so"), Bytes),
    Dir.

directory(Config, Name) ->
    Dir = filename:join([proplists:get_value(priv_dir, Config), ?MODULE, Name]),
    ok = filelib:ensure_path(Dir),
    Dir.

load_from(Dir) ->
    true = os:putenv("TRIPOD_PRIV", Dir),
    code:load_file(tripod_nif_lib).

%% In each mode one owner that does not call, and in some one that does.
owners() ->
    Case = self(),
    ok = contract:bind(),
    Owners = [begin
                  {Owner, _, Box} = contract:owner([{strategy, nif}, {mode, Mode}],
                                                   #{time_ms => 60_000}),
                  ok = contract:tell(Owner, fun() -> Case ! {reply, Owner, Use(Box)} end),
                  {Owner, Box}
              end || {Mode, Use} <- [{Mode, fun endless/1} || Mode <- [yield, dirty, thread]]
                         ++ [{Mode, fun(_) -> idle end} || Mode <- tripod_nif:modes()]],
    until(fun() -> maps:get(calls, tripod:census(nif)) =:= 3 end),
    Owners.

endless(Box) -> tripod_lua:eval(Box, "while true do end").

replies(Owners, Expected) ->
    [receive {reply, Owner, Reply} -> ?assert(lists:member(Reply, [idle, Expected])) end
     || {Owner, _} <- Owners].

another_build(Config) ->
    Builds = [build(Config, Name) || Name <- ["a", "b", "c"]],
    in_peer(Config, fun() ->
        {ok, _} = application:ensure_all_started(tripod),
        Threads = threads(),
        [begin
             Owners = owners(),
             {module, _} = load_from(Dir),
             replies(Owners, {error, closed}),
             no_boxes(),
             _ = code:purge(tripod_nif_lib),
             [begin
                  ?assertEqual({error, closed}, contract:ask(Owner, fun() -> tripod:info(Box) end)),
                  ok = tripod:interrupt(Box),
                  ok = tripod:close(Box)
              end || {Owner, Box} <- Owners],
             Mine = open(echo),
             ?assertEqual({ok, 1}, tripod:call(Mine, 1)),
             ok = tripod:close(Mine),
             [nif_node:kill(Owner) || {Owner, _} <- Owners]
         end || Dir <- Builds ++ Builds],
        true = code:delete(tripod_nif_lib),
        _ = code:purge(tripod_nif_lib),
        until(fun() -> erlang:garbage_collect(), threads() =:= Threads end)
    end).

%% NIF_MODULE_LAYOUT in nif_module.c, as it lies in memory.
-define(LAYOUT, <<16#747269706f643031:64/little>>).

a_build_that_knows_other_data(Config) ->
    Dir = build(Config, "other_data", fun(Bytes) ->
        [_ | _] = binary:matches(Bytes, ?LAYOUT),
        binary:replace(Bytes, ?LAYOUT, <<"a layout">>, [global])
    end),
    in_peer(Config, fun() ->
        Owners = owners(),
        ?assertEqual({error, on_load_failure}, load_from(Dir)),
        goes_on(Owners)
    end).

%% As if nothing had been tried.
goes_on(Owners) ->
    ?assertMatch(#{boxes := 7, calls := 3}, tripod:census(nif)),
    [tripod:interrupt(Box) || {_, Box} <- Owners],
    replies(Owners, {error, interrupted}),
    [?assertEqual({ok, [1]}, contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end))
     || {Owner, Box} <- Owners],
    [ok = tripod:close(Box) || {_, Box} <- Owners],
    no_boxes().

no_library_to_go_on_with(Config) ->
    Empty = directory(Config, "empty"),
    Broken = write(Config, "broken", <<"not a shared object">>),
    Good = build(Config, "good"),
    in_peer(Config, fun() ->
        {module, _} = load_from(Good),
        Owners = owners(),
        ?assertEqual({error, on_load_failure}, load_from(Empty)),
        ?assertEqual({error, on_load_failure}, load_from(Broken)),
        goes_on(Owners),
        %% Nor is there a module whose library could go on.
        true = os:putenv("TRIPOD_PRIV", Empty),
        Mine = open(echo),
        true = code:delete(tripod_nif_lib),
        _ = code:purge(tripod_nif_lib),
        ?assertEqual({error, closed}, tripod:call(Mine, 1)),
        File = filename:join(Empty, "tripod_nif.so"),
        ?assertMatch({error, {missing_artefact, File, [_ | _]}}, tripod:open(nif, #{})),
        true = os:putenv("TRIPOD_PRIV", Good),
        ?assertEqual({ok, 1}, tripod:call(Mine, 1)),
        ok = tripod:close(Mine),
        no_boxes()
    end).
