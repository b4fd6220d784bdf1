%% SPDX-License-Identifier: Apache-2.0
%% Which strategies and modes work here: a box of each is opened and closed once, in a VM of its own
%% for each strategy, before anything is measured.
-module(tripod_bench_boxes).

-export([usable/2]).
-export([try_mode/2]).

-spec usable([tripod_strategy:name()], tripod_results:results()) ->
          [{tripod_strategy:name(), tripod_strategy:mode()}].
usable(Strategies, Results) ->
    lists:append([usable_modes(Strategy, Results) || Strategy <- Strategies]).

usable_modes(Strategy, Results) ->
    Room = tripod_strategy:room(Strategy),
    case code:ensure_loaded(Room) of
        {module, Room} ->
            {ok, Vm} = tripod_bench_node:start(free),
            Usable = [{Strategy, Mode} || Mode <- Room:modes(), works(Vm, Strategy, Mode, Results)],
            ok = tripod_bench_node:stop(Vm),
            Usable;
        {error, Why} ->
            refuse(Results, Strategy, null, io_lib:format("~s is not built: ~p", [Room, Why])),
            []
    end.

works(Vm, Strategy, Mode, Results) ->
    case tripod_bench_node:call(Vm, ?MODULE, try_mode, [Strategy, Mode], 30000) of
        {ok, ok} ->
            true;
        {ok, {error, Why}} ->
            refuse(Results, Strategy, Mode, io_lib:format("It does not open: ~0tp", [Why])),
            false;
        {error, Why} ->
            refuse(Results, Strategy, Mode, io_lib:format("Opening it failed: ~0tP", [Why, 30])),
            false
    end.

%% Runs in the VM.
-spec try_mode(tripod_strategy:name(), tripod_strategy:mode()) -> ok | {error, term()}.
try_mode(Strategy, Mode) ->
    case tripod:open(Strategy, #{mode => Mode}) of
        {ok, Box} -> tripod:close(Box);
        {error, _} = Error -> Error
    end.

refuse(Results, Strategy, Mode, Why) ->
    tripod_results:check(Results, #{name => usable, ok => false, severity => failure, detail => Why,
                                    strategy => Strategy, mode => Mode,
                                    advice => "It is left out. Build everything with `make`."}).
