%% SPDX-License-Identifier: Apache-2.0
%% Numbers and names as people read them. Three digits and a unit; ratios with two decimals.
-module(tripod_report_text).

-export([duration/1, bytes/1, quantity/2, tick/2, ratio/1, times/1, percent/1, count/1, samples/1, plain/1,
         subject/1, sentence_list/1, fault/1, payload/1]).
-export_type([quantity/0]).

-type quantity() :: {quantity, Number :: unicode:chardata(), Unit :: unicode:chardata()}.

-spec duration(number() | nil) -> quantity() | none.
duration(nil) -> none;
duration(Ns) -> scaled(Ns, [{1.0e3, 1, "ns"}, {1.0e6, 1.0e3, "µs"}, {1.0e9, 1.0e6, "ms"}], {1.0e9, "s"}).

-spec bytes(number()) -> quantity().
bytes(Bytes) when Bytes < 1024 -> {quantity, count(Bytes), "B"};
bytes(Bytes) -> scaled(Bytes, [{1048576, 1024, "KiB"}, {1073741824, 1048576, "MiB"}], {1073741824, "GiB"}).

%% By the name that the results give the unit.
-spec quantity(number() | nil, Unit :: binary()) -> quantity() | none.
quantity(nil, _) -> none;
quantity(Value, <<"ns">>) -> duration(Value);
quantity(Value, Unit) when Unit =:= <<"bytes">>; Unit =:= <<"B">> -> bytes(Value);
quantity(Value, Unit) -> {quantity, digits(Value), Unit}.

%% On an axis, without digits that say nothing: `10 µs`.
-spec tick(number(), Unit :: binary()) -> unicode:chardata().
tick(Value, _) when Value == 0 -> "0";
tick(Value, <<"ratio">>) -> [shortest(Value), "×"];
tick(Value, <<"share">>) -> [shortest(100 * Value), " %"];
tick(Value, Unit) ->
    {quantity, Number, Scale} = quantity(Value, Unit),
    [bare(Number), " ", Scale].

shortest(Value) -> bare(io_lib:format("~.3f", [float(Value)])).

bare(Number) ->
    Text = unicode:characters_to_list(Number),
    case lists:member($., Text) of
        true -> string:trim(string:trim(Text, trailing, "0"), trailing, ".");
        false -> Text
    end.

%% Rounding first: 999.7 ns is a microsecond.
scaled(Value, [{Below, By, Unit} | More], Last) ->
    case Value < Below * 0.9995 of
        true -> {quantity, digits(Value / By), Unit};
        false -> scaled(Value, More, Last)
    end;
scaled(Value, [], {By, Unit}) ->
    {quantity, digits(Value / By), Unit}.

digits(Value) when Value < 9.995 -> io_lib:format("~.2f", [float(Value)]);
digits(Value) when Value < 99.95 -> io_lib:format("~.1f", [float(Value)]);
digits(Value) -> count(round(Value)).

%% Digits in groups of three.
-spec count(number()) -> unicode:chardata().
count(Number) when is_float(Number) -> count(round(Number));
count(Number) when Number < 0 -> ["-", count(-Number)];
count(Number) -> grouped(lists:reverse(integer_to_list(Number)), []).

grouped([A, B, C, D | More], Done) -> grouped([D | More], [$,, C, B, A | Done]);
grouped(Rest, Done) -> lists:reverse(Rest, Done).

-spec ratio(number() | nil) -> unicode:chardata() | none.
ratio(nil) -> none;
ratio(Ratio) -> io_lib:format("~.2f", [float(Ratio)]).

%% A ratio within a sentence.
-spec times(number()) -> unicode:chardata().
times(Ratio) -> [ratio(Ratio), " times"].

%% Of a share: 0.1 is 10 %.
-spec percent(number()) -> unicode:chardata().
percent(Share) when Share < 0.0005 -> "under 0.1 %";
percent(Share) when Share < 0.0995 -> io_lib:format("~.1f %", [100.0 * Share]);
percent(Share) -> io_lib:format("~b %", [round(100 * Share)]).

%% How many samples there are; with batches, of how many repetitions each.
-spec samples(tripod_report_input:summary()) -> unicode:chardata().
samples(#{n := N, params := #{<<"batch">> := Batch}}) when is_integer(Batch), Batch > 1 ->
    [count(N), " × ", count(Batch)];
samples(#{n := N}) ->
    count(N).

-spec plain(quantity() | unicode:chardata() | none) -> unicode:chardata().
plain(none) -> "–";
plain({quantity, Number, Unit}) -> [Number, " ", Unit];
plain(Text) -> Text.

-spec subject({Strategy :: binary(), Mode :: binary()}) -> binary().
subject({<<"floor">>, Name}) -> Name;
subject({<<"luerl">>, <<"pure">>}) -> <<"luerl">>;
subject({Strategy, Mode}) -> <<Strategy/binary, "/", Mode/binary>>.

%% A, B and C.
-spec sentence_list([Item]) -> [Item | string()].
sentence_list([]) -> [];
sentence_list([One]) -> [One];
sentence_list([One, Two]) -> [One, " and ", Two];
sentence_list([One | More]) -> [One, ", " | sentence_list(More)].

%% What happens, for people; a fault that this version does not know keeps its name.
-spec fault(binary()) -> binary().
fault(<<"c_loop">>) -> <<"endless loop in C">>;
fault(<<"lua_loop">>) -> <<"endless loop in Lua">>;
fault(<<"exit">>) -> <<"exit(0)">>;
fault(<<"syscall">>) -> <<"system call that nobody needs">>;
fault(<<"fd_leak">>) -> <<"leak of file descriptors">>;
fault(<<"sigkill">>) -> <<"SIGKILL to the program">>;
fault(<<"sigsegv">>) -> <<"SIGSEGV to the program">>;
fault(<<"sigstop">>) -> <<"SIGSTOP to the program">>;
fault(<<"vm_kill">>) -> <<"SIGKILL to the VM">>;
fault(<<"normal">>) -> <<"owner ends normally">>;
fault(<<"shutdown">>) -> <<"owner is shut down">>;
fault(<<"kill">>) -> <<"owner is killed">>;
fault(<<"mid_call">>) -> <<"owner is killed in a call">>;
fault(<<"leaked_handle">>) -> <<"owner is killed, handle kept elsewhere">>;
fault(Name) -> binary:replace(Name, <<"_">>, <<" ">>, [global]).

%% How the payload scenario names its shapes: `binary 65536`.
-spec payload(#{binary() => term()}) -> unicode:chardata().
payload(#{<<"kind">> := <<"binary">>, <<"size">> := Size}) when is_integer(Size) ->
    [whole(bytes(Size)), " binary"];
payload(#{<<"kind">> := <<"list">>, <<"size">> := Size}) when is_integer(Size) ->
    ["list of ", count(Size)];
payload(#{<<"kind">> := <<"map">>, <<"size">> := Size}) when is_integer(Size) ->
    ["map of ", count(Size), " keys"];
payload(#{<<"kind">> := <<"nested">>, <<"size">> := Size}) when is_integer(Size) ->
    ["maps nested ", count(Size), " deep"];
payload(#{<<"payload">> := Text}) when is_binary(Text) -> Text;
payload(_) -> "payload".

whole({quantity, Number, Unit}) -> [bare(Number), " ", Unit].
