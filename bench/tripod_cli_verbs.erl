%% SPDX-License-Identifier: Apache-2.0
%% What the command line offers: each verb's module, options and help text. A verb whose module is
%% not in this build does not exist for the user.
-module(tripod_cli_verbs).

-export([find/1, help/0, help/1, version/0]).
-export_type([verb/0]).

%% The module exports main(tripod_cli_options:parsed()) -> ExitStatus.
-type verb() :: #{name := string(), module := module(), usage := string(), summary := string(),
                  about := string(), options := [tripod_cli_options:option()],
                  arguments := tripod_cli_options:arguments(), status => string()}.

-spec find(string()) -> {ok, verb()} | {error, unicode:chardata()}.
find(Name) ->
    Verbs = built(),
    case [Verb || #{name := One} = Verb <- Verbs, One =:= Name] of
        [Verb] ->
            {ok, Verb};
        [] ->
            Names = [One || #{name := One} <- Verbs],
            {error, ["there is no command ", tripod_cli:text(Name),
                     tripod_cli_options:closest(Name, Names),
                     "\ncommands: ", lists:join(", ", Names)]}
    end.

built() ->
    [Verb || #{module := Module} = Verb <- all(), code:ensure_loaded(Module) =:= {module, Module}].

all() -> [run(), bench(), kill(), crash(), compare(), report(), shell()].

run() ->
    #{name => "run",
      module => tripod_cli_run,
      usage => "[OPTION...] FILE...",
      summary => "run Lua files in one box and print the result as JSON",
      about =>
          "Runs each FILE as a chunk, in order, in one box, so that a later file sees\n"
          "the globals of an earlier one. Prints what the last one returned as one line:\n"
          "{\"ok\": [...]}, or {\"error\": {\"kind\": ..., \"detail\": ...}} where it stopped.\n"
          "The FILE - is standard input.\n",
      options =>
          [#{flag => "--via", key => via, kind => strategy, value => "STRATEGY",
             default => port_program,
             help => "port_program, port_driver or nif; default\n"
                     "port_program: whatever its C code does, Erlang survives"},
           #{flag => "--mode", key => mode, kind => name, value => "MODE", default => undefined,
             help => "one of the strategy's modes; default its first"},
           #{flag => "--memory-bytes", key => memory_bytes, kind => positive, value => "N",
             default => undefined, help => "memory limit; default 67108864 (64 MiB)"},
           #{flag => "--time-ms", key => time_ms, kind => positive, value => "N",
             default => undefined, help => "time limit of each file; default 5000"},
           #{flag => "--json", key => json, kind => flag, default => false,
             help => "one line of JSON, which is the default anyway"}],
      arguments => {files, "FILE; - is standard input"},
      status =>
          "  0  ok\n"
          "  1  Lua error, or a result that cannot leave Lua (\"badterm\")\n"
          "  2  usage: nothing was run; standard error says what to change\n"
          "  3  limit or interrupted\n"
          "  4  down: the box was lost, or could not be opened\n"
          "\n"
          "JSON: nil is null; text is a string, other bytes are {\"base64\": \"...\"}; keys\n"
          "that are numbers become strings; a table that an object cannot hold is\n"
          "{\"pairs\": [[KEY, VALUE], ...]}; an empty table is []; floats keep their point.\n"}.

bench() ->
    measuring("bench", tripod_bench, "measure the strategies side by side",
              "Runs the benchmark scenarios over every strategy, each beside its floor.\n").

kill() ->
    measuring("kill", tripod_kill, "kill owners and see what is cleaned up, and when",
              "Ends owner processes in every way and records what was lost, what leaked,\n"
              "and how long detection and cleaning took.\n").

crash() ->
    measuring("crash", tripod_crash, "break the C code on purpose, in sacrificial nodes",
              "Injects faults into the service and records how far each one reached.\n").

compare() ->
    measuring("compare", tripod_compare, "bench, kill and crash, then report",
              "Runs everything and writes results.jsonl, report.md and report.html.\n").

measuring(Name, Module, Summary, About) ->
    #{name => Name,
      module => Module,
      usage => "[OPTION...] [--script FILE [-- ARGUMENT...]]",
      summary => Summary,
      about => About,
      options =>
          [#{flag => "--quick", key => quick, kind => flag, default => false,
             help => "fewer and shorter samples"},
           #{flag => "--only", key => only, kind => names, value => "A,B", default => [],
             help => "these scenarios or faults; default all"},
           #{flag => "--strategy", key => strategies, kind => strategies, value => "S,...",
             default => tripod_strategy:all(), help => "these strategies; default all three"},
           #{flag => "--script", key => script, kind => path, value => "FILE",
             default => undefined,
             help => "your own Lua file: its main(ARGUMENT...), or else\n"
                     "the file itself; an ARGUMENT is JSON, or else text"},
           #{flag => "--out", key => out, kind => path, value => "DIR",
             default => "results/" ++ timestamp(),
             help => "where results go; default results/<time>"},
           #{flag => "--json", key => json, kind => flag, default => false,
             help => "results as JSON lines on standard output"}],
      arguments => script}.

report() ->
    #{name => "report",
      module => tripod_report,
      usage => "[DIR]",
      summary => "write report.md and report.html from results",
      about => "Reads DIR/results.jsonl, by default the newest under results/.\n",
      options => [],
      arguments => {optional, "DIR"}}.

%% Started by the `tripod` script, because it needs the terminal; here for its help.
shell() ->
    #{name => "shell",
      module => tripod_cli_shell,
      usage => "[ERL_ARGUMENT...]",
      summary => "an Erlang shell with Tripod started",
      about => "Starts erl with the ERL_ARGUMENTs, Tripod on the code path and running.\n",
      options => [],
      arguments => none}.

timestamp() ->
    {{Year, Month, Day}, {Hour, Minute, Second}} = calendar:universal_time(),
    lists:flatten(io_lib:format("~4..0b~2..0b~2..0bT~2..0b~2..0b~2..0bZ",
                                [Year, Month, Day, Hour, Minute, Second])).

-spec help() -> unicode:chardata().
help() ->
    ["usage: tripod COMMAND [OPTION...] [ARGUMENT...]\n\n"
     "One C service, three ways into the BEAM: port program, port driver, NIF.\n\n",
     [io_lib:format("  ~-8s ~ts~n", [Name, Summary])
      || #{name := Name, summary := Summary} <- built()],
     "\n`tripod COMMAND --help` says more; `tripod --version` says which Tripod this is.\n"].

-spec help(verb()) -> unicode:chardata().
help(#{name := Name, usage := Usage, about := About, options := Options} = Verb) ->
    ["usage: tripod ", Name, " ", Usage, "\n\n", About, "\nOptions:\n",
     [option_help(Option) || Option <- Options],
     "  --help              this text\n",
     [["\nExit status:\n", Status] || {ok, Status} <- [maps:find(status, Verb)]]].

option_help(#{flag := Flag, help := Help} = Option) ->
    Left = string:trim([Flag, " ", maps:get(value, Option, "")]),
    [First | More] = string:split(Help, "\n", all),
    [io_lib:format("  ~-19ts ~ts~n", [Left, First]),
     [io_lib:format("~22s~ts~n", ["", Line]) || Line <- More]].

-spec version() -> unicode:chardata().
version() ->
    _ = application:load(tripod),
    case application:get_key(tripod, vsn) of
        {ok, Version} -> ["tripod ", Version];
        undefined -> "tripod (no application file)"
    end.
