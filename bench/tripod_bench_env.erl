%% SPDX-License-Identifier: Apache-2.0
%% The machine and the software that a run happens on, and what about them makes its results
%% doubtful. Everything is read, nothing is changed; what cannot be read is null.
-module(tripod_bench_env).

-export([facts/0, busy/1, cpu_times/0, doubts/2]).
-export_type([cpu_times/0]).

%% Clock ticks since boot: everything, doing something, taken by the hypervisor.
-type cpu_times() :: {Total :: non_neg_integer(), Busy :: non_neg_integer(),
                      Stolen :: non_neg_integer()} | unknown.

-define(BUSY_PERCENT, 10.0).

-spec facts() -> #{atom() => term()}.
facts() ->
    #{otp => list_to_binary(otp_version()),
      erts => list_to_binary(erlang:system_info(version)),
      lua => lua_version(),
      jit => erlang:system_info(emu_flavor) =:= jit,
      cpu => cpu_model(),
      cores => cores(),
      schedulers => erlang:system_info(schedulers_online),
      dirty_cpu_schedulers => erlang:system_info(dirty_cpu_schedulers_online),
      dirty_io_schedulers => erlang:system_info(dirty_io_schedulers),
      async_threads => tripod_bench_node:async_threads(),
      memory_bytes => memory_bytes(),
      kernel => first_line("/proc/sys/kernel/osrelease"),
      system => system_name(),
      governor => first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      load1 => load_average(),
      busy_percent => busy(300),
      clock => atom_to_binary(proplists:get_value(function, clock_info(), unknown)),
      clock_ns => clock_ns(),
      virtual => virtual(),
      container => container(),
      cpu_quota => cpu_quota(),
      erl_flags => erl_flags(),
      git => git_revision()}.

otp_version() ->
    Release = erlang:system_info(otp_release),
    File = filename:join([code:root_dir(), "releases", Release, "OTP_VERSION"]),
    case first_line(File) of
        null -> Release;
        Version -> binary_to_list(Version)
    end.

%% The interpreter of the same package as the library that services link.
lua_version() ->
    case tripod_os_process:run("lua5.4", ["-v"], 5000) of
        {ok, Text} -> hd(binary:split(string:trim(Text), <<"  ">>));
        {error, _} -> null
    end.

cpu_model() ->
    case file:read_file("/proc/cpuinfo") of
        {ok, Text} ->
            case re:run(Text, "model name\\s*: (.*)", [{capture, [1], binary}]) of
                {match, [Model]} -> string:trim(Model);
                nomatch -> null
            end;
        {error, _} ->
            null
    end.

%% Those this VM may use; taskset and cpusets count.
cores() ->
    case erlang:system_info(logical_processors_available) of
        unknown -> erlang:system_info(schedulers);
        Cores -> Cores
    end.

memory_bytes() ->
    case file:read_file("/proc/meminfo") of
        {ok, Text} ->
            {match, [KiB]} = re:run(Text, "MemTotal:\\s*([0-9]+)", [{capture, [1], list}]),
            list_to_integer(KiB) * 1024;
        {error, _} ->
            null
    end.

system_name() ->
    case file:read_file("/etc/os-release") of
        {ok, Text} ->
            case re:run(Text, "PRETTY_NAME=\"(.*)\"", [{capture, [1], binary}]) of
                {match, [Name]} -> Name;
                nomatch -> null
            end;
        {error, _} ->
            null
    end.

load_average() ->
    case first_line("/proc/loadavg") of
        null -> null;
        Line -> binary_to_float(hd(binary:split(Line, <<" ">>)))
    end.

clock_info() -> erlang:system_info(os_monotonic_time_source).

%% What one reading of the clock costs; every sample contains one.
clock_ns() ->
    Times = 100000,
    Begin = erlang:monotonic_time(nanosecond),
    ok = read_clock(Times),
    round((erlang:monotonic_time(nanosecond) - Begin) / Times).

read_clock(0) -> ok;
read_clock(N) ->
    _ = erlang:monotonic_time(nanosecond),
    read_clock(N - 1).

virtual() ->
    case file:read_file("/proc/cpuinfo") of
        {ok, Text} ->
            Options = [multiline, {capture, none}],
            re:run(Text, "^flags.*\\bhypervisor\\b", Options) =:= match;
        {error, _} -> null
    end.

container() ->
    Hints = [{"/.dockerenv", <<"docker">>}, {"/run/.containerenv", <<"podman">>},
             {"/run/systemd/container", <<"systemd">>}],
    case [Name || {File, Name} <- Hints, filelib:is_file(File)] of
        [Name | _] -> Name;
        [] -> null
    end.

%% Cores that the control group allows, where it sets a limit.
cpu_quota() ->
    case first_line("/sys/fs/cgroup/cpu.max") of
        null -> null;
        <<"max", _/binary>> -> null;
        Line ->
            [Quota, Period] = [binary_to_integer(N) || N <- binary:split(Line, <<" ">>)],
            Quota / Period
    end.

erl_flags() ->
    Flags = [{Name, os:getenv(Name)} || Name <- ["ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS"]],
    case [[Name, "=", Value] || {Name, Value} <- Flags, Value =/= false] of
        [] -> null;
        Set -> unicode:characters_to_binary(lists:join(" ", Set))
    end.

git_revision() ->
    Home = filename:dirname(filename:dirname(filename:absname(code:which(?MODULE)))),
    case tripod_os_process:run("git", ["-C", Home, "describe", "--always", "--dirty"], 5000) of
        {ok, Text} -> string:trim(Text);
        {error, _} -> null
    end.

first_line(File) ->
    case file:read_file(File) of
        {ok, Text} -> string:trim(hd(binary:split(Text, <<"\n">>)));
        {error, _} -> null
    end.

-spec cpu_times() -> cpu_times().
cpu_times() ->
    case first_line("/proc/stat") of
        null ->
            unknown;
        <<"cpu ", Line/binary>> ->
            [User, Nice, System, Idle, IoWait, Irq, SoftIrq, Steal | _] =
                [binary_to_integer(N) || N <- string:lexemes(Line, " ")],
            Busy = User + Nice + System + Irq + SoftIrq + Steal,
            {Busy + Idle + IoWait, Busy, Steal}
    end.

%% How busy all cores are in percent, looking for that long and doing nothing else.
-spec busy(LookMs :: pos_integer()) -> float() | null.
busy(LookMs) ->
    Before = cpu_times(),
    receive after LookMs -> ok end,
    case {Before, cpu_times()} of
        {{Total0, Busy0, _}, {Total1, Busy1, _}} when Total1 > Total0 ->
            round(1000 * (Busy1 - Busy0) / (Total1 - Total0)) / 10;
        _ ->
            null
    end.

%% Checks about the machine, given its facts and the CPU times since the run began. Each says what
%% it means for the results and what to do about it.
-spec doubts(#{atom() => term()}, Began :: cpu_times()) -> [tripod_results:check()].
doubts(Facts, Began) ->
    [idle(Facts), enough_cores(Facts), governor(Facts), stolen(Began)].

idle(#{busy_percent := Busy}) when is_number(Busy), Busy > ?BUSY_PERCENT ->
    doubt(idle, ["Other programs kept the cores ", number(Busy), " % busy before the run began: "
                 "everything is slower than it should be, tails most of all."],
          "Stop them and measure again.");
idle(#{busy_percent := Busy}) ->
    fine(idle, ["The cores were ", number(Busy), " % busy before the run began."]).

enough_cores(#{cores := Cores, cpu_quota := Quota}) when Cores < 2; is_number(Quota), Quota < 2 ->
    doubt(cores, "There is less than two cores to run on: placements `free` and `pinned` are the "
          "same, and whatever needs two threads (port programs, dirty schedulers, threads of a "
          "NIF) looks different on a larger machine.",
          "Measure on at least two cores.");
enough_cores(#{cores := Cores}) ->
    fine(cores, [integer_to_list(Cores), " cores."]).

governor(#{governor := Governor})
  when Governor =:= <<"powersave">>; Governor =:= <<"ondemand">>; Governor =:= <<"conservative">>;
       Governor =:= <<"schedutil">> ->
    doubt(governor, ["The CPU frequency governor is `", Governor, "`: short measurements may run "
                     "at a lower clock than long ones, so ratios between them mean less."],
          "cpupower frequency-set -g performance");
governor(#{governor := null}) ->
    fine(governor, "The CPU frequency governor cannot be read here.");
governor(#{governor := Governor}) ->
    fine(governor, ["The CPU frequency governor is `", Governor, "`."]).

stolen(Began) ->
    case {Began, cpu_times()} of
        {{Total0, _, Stolen0}, {Total1, _, Stolen1}} when Total1 > Total0 ->
            Percent = 100 * (Stolen1 - Stolen0) / (Total1 - Total0),
            case Percent > 1.0 of
                true ->
                    doubt(stolen, ["The hypervisor took ", number(Percent), " % of the time for "
                                   "other machines: p99 and above show those."],
                          "Compare medians only, or measure on a machine of your own.");
                false ->
                    fine(stolen, ["The hypervisor took ", number(Percent), " % of the time."])
            end;
        _ ->
            fine(stolen, "What the hypervisor takes cannot be read here.")
    end.

number(null) -> "unknown";
number(Number) -> io_lib:format("~.1f", [float(Number)]).

doubt(Name, Detail, Advice) ->
    #{name => Name, ok => false, severity => doubt, detail => Detail, advice => Advice}.

fine(Name, Detail) -> #{name => Name, ok => true, severity => note, detail => Detail}.
