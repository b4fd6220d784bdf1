%% SPDX-License-Identifier: Apache-2.0
%% Verdicts for the terminal, at most 80 columns wide: what was lost, fault by fault, and below it how
%% long everything took.
-module(tripod_fault_table).

-export([tables/2, is_colourful/0]).
-export_type([cell/0]).

%% `none`: the fault does not apply there.
-type cell() :: {Fault :: atom(), Place :: {tripod_strategy:name(), tripod_strategy:mode()},
                 tripod_fault_judge:verdict() | not_injected | none}.

-define(COLUMNS, 80).
-define(FAULT, 15).
-define(OUTCOME, 13).
-define(TIME, 8).

%% Cells in the order in which they were done.
-spec tables([cell()], Colourful :: boolean()) -> unicode:chardata().
tables([], _) -> [];
tables(Cells, Colourful) ->
    Places = in_order([Place || {_, Place, _} <- Cells]),
    Faults = in_order([Fault || {Fault, _, _} <- Cells]),
    Found = maps:from_list([{{Fault, Place}, Verdict} || {Fault, Place, Verdict} <- Cells]),
    [[outcomes(Faults, Some, Found, Colourful) || Some <- groups(Places)],
     times(Faults, Places, Found, Colourful)].

in_order(All) ->
    lists:foldl(fun(One, Done) -> Done ++ [One || not lists:member(One, Done)] end, [], All).

%% As many as fit beside each other.
groups(Places) ->
    Most = (?COLUMNS - ?FAULT) div ?OUTCOME,
    case length(Places) =< Most of
        true -> [Places];
        false ->
            {Some, Rest} = lists:split(Most, Places),
            [Some | groups(Rest)]
    end.

outcomes(Faults, Places, Found, Colourful) ->
    [$\n,
     string:pad("", ?FAULT), [string:pad(atom_to_list(Strategy), ?OUTCOME) || {Strategy, _} <- Places], $\n,
     string:pad("fault", ?FAULT), [string:pad(atom_to_list(Mode), ?OUTCOME) || {_, Mode} <- Places], $\n,
     [[string:pad(atom_to_list(Fault), ?FAULT),
       [outcome(maps:get({Fault, Place}, Found, none), ?OUTCOME, Colourful) || Place <- Places], $\n]
      || Fault <- Faults]].

outcome(Verdict, Width, Colourful) ->
    {Word, Colour} = word(Verdict),
    Padded = string:pad(Word, Width),
    case Colourful of
        true -> ["\e[", Colour, $m, Padded, "\e[m"];
        false -> Padded
    end.

word(none) -> {"-", "0"};
word(not_injected) -> {"NOT INJECTED", "1;31"};
word(#{outcome := contained}) -> {"contained", "32"};
word(#{outcome := box_lost}) -> {"box lost", "33"};
word(#{outcome := node_lost}) -> {"node lost", "31"};
word(#{outcome := leak}) -> {"leak", "31"};
word(#{outcome := hang}) -> {"hang", "31"}.

times(Faults, Places, Found, Colourful) ->
    Rows = [row(Fault, Place, maps:get({Fault, Place}, Found), Colourful)
            || Fault <- Faults, Place <- Places, is_map(maps:get({Fault, Place}, Found, none))],
    times(Rows).

times([]) -> [];
times(Rows) ->
    [$\n, string:pad("fault", ?FAULT), string:pad("strategy/mode", 21), string:pad("outcome", 10),
     [string:pad(Name, ?TIME, leading) || Name <- ["detect", "clean", "serve", "pause"]], $\n,
     Rows, legend()].

row(Fault, {Strategy, Mode}, #{detect_ns := Detect, clean_ns := Clean, serve_ns := Serve,
                               pause_ns := Pause} = Verdict, Colourful) ->
    [string:pad(atom_to_list(Fault), ?FAULT),
     string:pad([atom_to_list(Strategy), $/, atom_to_list(Mode)], 21),
     outcome(Verdict, 10, Colourful),
     [string:pad(duration(Ns), ?TIME, leading) || Ns <- [Detect, Clean, Serve, Pause]], $\n].

%% Two or three digits and a unit.
duration(null) -> "-";
duration(Ns) when Ns < 1.0e3 -> io_lib:format("~b ns", [round(Ns)]);
duration(Ns) when Ns < 1.0e4 -> io_lib:format("~.1f us", [Ns / 1.0e3]);
duration(Ns) when Ns < 9.995e5 -> io_lib:format("~b us", [round(Ns / 1.0e3)]);
duration(Ns) when Ns < 1.0e7 -> io_lib:format("~.1f ms", [Ns / 1.0e6]);
duration(Ns) when Ns < 9.995e8 -> io_lib:format("~b ms", [round(Ns / 1.0e6)]);
duration(Ns) -> io_lib:format("~.1f s", [Ns / 1.0e9]).

legend() ->
    "\nSince the fault: detect, until whoever is left learns of it; clean, until\n"
    "nothing is left of what was lost; serve, until a box answers again. Pause: the\n"
    "longest that a scheduler kept others waiting. docs/faults.md says more.\n".

%% Whether standard output shows colours and nobody asked it not to: https://no-color.org.
-spec is_colourful() -> boolean().
is_colourful() ->
    case {os:getenv("NO_COLOR", ""), file:read_link("/proc/self/fd/1")} of
        {"", {ok, "/dev/pts/" ++ _}} -> true;
        {"", {ok, "/dev/tty" ++ _}} -> true;
        _ -> false
    end.
