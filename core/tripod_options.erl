%% SPDX-License-Identifier: Apache-2.0
%% Every option of the facade, validated alike for every strategy. Misuse raises badarg in the
%% caller's function, with error_info that names the argument and says what would be right.
-module(tripod_options).

-export([open/3, call/2, timeout/2, room/2, not_a_box/1, not_a_request/1, not_a_local_pid/1]).
-export([defaults/0, format_error/2]).
-export_type([site/0]).

%% The facade's function that was misused, with its arguments.
-type site() :: {Function :: atom(), Args :: [term()]}.

-define(MAX_MS, 16#ffffffff).
-define(MAX_BYTES, 16#ffffffffffff).

%% mode has no default here: it is the strategy's first.
-spec defaults() -> #{atom() => term()}.
defaults() ->
    #{service => lua,
      memory_bytes => 64 * 1024 * 1024,
      time_ms => 5000,
      depth => 200,
      reply_bytes => 16 * 1024 * 1024,
      preempt => timer,
      cleanup => owner}.

%% Strategy is the first of Args, Options the second.
-spec open(term(), term(), site()) -> {tripod_strategy:config(), map()}.
open(Strategy, Options, Args) ->
    Room = room(Strategy, Args),
    is_map(Options) orelse misuse(Args, #{2 => "must be a map of options"}),
    Modes = Room:modes(),
    Service = maps:get(service, Options, lua),
    {Ours, Theirs} = split(Options, service_options(Service)),
    Given = maps:merge((defaults())#{mode => hd(Modes)}, Ours),
    maps:foreach(fun(Key, Value) -> check(Key, Value, Modes, Service, Args) end,
                 maps:merge(Given, Theirs)),
    maps:get(cleanup, Given) =:= owner orelse Strategy =:= nif
        orelse misuse(Args, #{2 => "option cleanup must be owner for this strategy; gc is of nif"}),
    {Given, Theirs}.

split(Options, ServiceKeys) ->
    {maps:without(ServiceKeys, Options), maps:with(ServiceKeys, Options)}.

service_options(lua) -> [empty, functions, print, seed, source_bytes];
service_options(_) -> [].

check(Key, Value, Modes, Service, Args) ->
    case expected(Key, Value, Modes, Service) of
        ok -> ok;
        Expected -> misuse(Args, #{2 => io_lib:format("option ~tp ~ts", [Key, Expected])})
    end.

expected(service, Value, _, _) when is_atom(Value) -> ok;
expected(service, _, _, _) -> "must be an atom, such as lua or echo";
expected(mode, Value, Modes, _) ->
    case lists:member(Value, Modes) of
        true -> ok;
        false -> io_lib:format("must be one of ~tp for this strategy", [Modes])
    end;
expected(memory_bytes, Value, _, _) -> in_range(Value, 65536, ?MAX_BYTES, "bytes");
expected(time_ms, Value, _, _) -> in_range(Value, 1, ?MAX_MS, "milliseconds");
expected(depth, Value, _, _) -> in_range(Value, 1, 200, "nested C calls");
expected(reply_bytes, Value, _, _) -> in_range(Value, 64, ?MAX_MS, "bytes");
expected(preempt, Value, _, _) when Value =:= timer; Value =:= count -> ok;
expected(preempt, _, _, _) -> "must be timer or count";
expected(cleanup, Value, _, _) when Value =:= owner; Value =:= gc -> ok;
expected(cleanup, _, _, _) -> "must be owner or gc";
expected(empty, Value, _, lua) when Value =:= list; Value =:= map -> ok;
expected(empty, _, _, lua) -> "must be list or map";
expected(functions, Value, _, lua) ->
    case is_map(Value) andalso lists:all(fun is_named_function/1, maps:to_list(Value)) of
        true -> ok;
        false -> "must be a map from names, atoms or binaries, to functions of one argument"
    end;
expected(print, Value, _, lua) when Value =:= discard; Value =:= owner -> ok;
expected(print, _, _, lua) -> "must be discard or owner";
expected(seed, Value, _, lua) ->
    in_range(Value, -16#8000000000000000, 16#7fffffffffffffff, "");
expected(source_bytes, Value, _, lua) -> in_range(Value, 1, ?MAX_MS, "bytes");
expected(_, _, _, Service) ->
    Known = lists:sort([mode | maps:keys(defaults())] ++ service_options(Service)),
    io_lib:format("is unknown; the options are ~tp", [Known]).

is_named_function({Name, Function}) ->
    (is_atom(Name) orelse is_binary(Name)) andalso is_function(Function, 1).

in_range(Value, Min, Max, _) when is_integer(Value), Value >= Min, Value =< Max -> ok;
in_range(_, Min, Max, Unit) -> io_lib:format("must be an integer from ~b to ~b ~s", [Min, Max, Unit]).

%% The time limit for one call, 0 when none was given. Options are the last of Args.
-spec call(term(), site()) -> non_neg_integer().
call(Options, _Args) when Options =:= #{} ->
    0;
call(#{time_ms := TimeMs} = Options, Args) when map_size(Options) =:= 1 ->
    case in_range(TimeMs, 1, ?MAX_MS, "milliseconds") of
        ok -> TimeMs;
        Expected -> misuse(Args, #{arity(Args) => ["option time_ms ", Expected]})
    end;
call(_, Args) ->
    misuse(Args, #{arity(Args) => "must be a map; the only option is time_ms"}).

-spec timeout(term(), site()) -> timeout().
timeout(infinity, _) -> infinity;
timeout(Ms, _) when is_integer(Ms), Ms >= 0, Ms =< ?MAX_MS -> Ms;
timeout(_, Args) -> misuse(Args, #{arity(Args) => "must be milliseconds or infinity"}).

%% Strategy is the first of Args.
-spec room(term(), site()) -> module().
room(Strategy, Args) ->
    All = tripod_strategy:all(),
    case lists:member(Strategy, All) of
        true -> tripod_strategy:room(Strategy);
        false -> misuse(Args, #{1 => io_lib:format("must be one of ~tp", [All])})
    end.

arity({_, Args}) -> length(Args).

-spec not_a_box(site()) -> no_return().
not_a_box(Args) -> misuse(Args, #{1 => "is not a box from tripod:open/2"}).

-spec not_a_request(site()) -> no_return().
not_a_request(Args) -> misuse(Args, #{1 => "is not a request from tripod:send/2"}).

-spec not_a_local_pid(site()) -> no_return().
not_a_local_pid(Args) -> misuse(Args, #{2 => "must be the pid of a process of this node"}).

%% The report shows the facade's function as the one that failed, as it does for a BIF.
-spec misuse({atom(), [term()]}, #{pos_integer() => iodata()}) -> no_return().
misuse({Function, Args}, Cause) ->
    {current_stacktrace, [_Here | Callers]} = process_info(self(), current_stacktrace),
    Info = [{error_info, #{module => ?MODULE, cause => Cause}}],
    Outside = lists:dropwhile(fun({Module, _, _, _}) -> Module =:= ?MODULE orelse Module =:= tripod end,
                              Callers),
    erlang:raise(error, badarg, [{tripod, Function, Args, Info} | Outside]).

%% Called by the shell and by loggers, as EEP 54 describes.
-spec format_error(term(), erlang:stacktrace()) -> #{pos_integer() | general => unicode:chardata()}.
format_error(_Reason, [{_, _, _, Info} | _]) ->
    #{cause := Cause} = proplists:get_value(error_info, Info, #{cause => #{}}),
    Cause.
