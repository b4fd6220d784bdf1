%% SPDX-License-Identifier: Apache-2.0
%% The contract, part five: boxes that talk to their owner in the middle of a call.
-module(contract_talk_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

cases() ->
    [functions, functions_everywhere, what_functions_raise, values_that_cannot_cross,
     where_functions_cannot_be_called, the_clock_stands_still, interrupted_in_a_function,
     exit_in_a_function, killed_in_a_function, closed_in_a_function, calls_inside_a_function,
     functions_after_reset, functions_of_sent_requests, functions_and_prints, many_questions].

functions(Config) ->
    Functions = #{add => fun([A, B]) -> [A + B] end,
                  <<"none">> => fun([]) -> [] end,
                  <<"echo">> => fun(Args) -> Args end},
    contract:with_box(Config, #{functions => Functions}, fun(Box) ->
        {ok, [3]} = tripod_lua:eval(Box, "return add(1, 2)"),
        {ok, [6]} = tripod_lua:eval(Box, "return add(add(1, 2), 3)"),
        {ok, [0]} = tripod_lua:eval(Box, "return select('#', none())"),
        {ok, [1, nil, [1, [2]], #{<<"a">> := 1.5}, nil]} =
            tripod_lua:eval(Box, "return echo(1, nil, {1, {2}}, {a = 1.5}, nil)"),
        {ok, [3]} = tripod_lua:call(Box, "add", [1, 2]),
        {ok, []} = tripod_lua:load(Box, "lib", "function twice(x) return add(x, x) end"),
        {ok, [8]} = tripod_lua:call(Box, "twice", [4])
    end).

%% Wherever a pause can pass, so can a question.
functions_everywhere(Config) ->
    contract:with_box(Config, #{functions => #{inc => fun([N]) -> [N + 1] end}}, fun(Box) ->
        [?assertEqual({Source, {ok, [Expected]}}, {Source, tripod_lua:eval(Box, Source)})
         || {Source, Expected} <-
                [{"return select(2, pcall(inc, 1))", 2},
                 {"return select(2, xpcall(inc, print, 1))", 2},
                 {"return coroutine.wrap(function() return inc(1) end)()", 2},
                 {"local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(inc(i)) end end) "
                  "return {f(), f(), f()}", [2, 3, 4]},
                 {"local function deep(n) if n == 0 then return inc(0) end "
                  "return coroutine.wrap(function() return select(2, pcall(deep, n - 1)) end)() end "
                  "return deep(10)", 1},
                 {"local t = setmetatable({}, {__index = function(_, k) return inc(k) end}) return t[41]", 42},
                 {"local t = setmetatable({}, {__add = function(a, b) return inc(b) end}) return t + 1", 2},
                 {"local n = 0 do local c <close> = setmetatable({}, {__close = function() n = inc(n) end}) end "
                  "return n", 1},
                 {"local s = 0 for i in function(_, i) i = inc(i) if i < 4 then return i end end, nil, 0 do s = s + i end "
                  "return s", 6}]]
    end).

what_functions_raise(Config) ->
    Functions = #{wrong => fun(_) -> error(wrong) end,
                  clause => fun([1]) -> [] end,
                  text => fun(_) -> throw(<<"thrown">>) end,
                  value => fun(_) -> throw(#{code => 7}) end,
                  no_list => fun(_) -> ok end},
    contract:with_box(Config, #{functions => Functions}, fun(Box) ->
        {ok, [false, <<"wrong: wrong">>]} = tripod_lua:eval(Box, "return pcall(wrong)"),
        {ok, [false, <<"clause: function_clause">>]} = tripod_lua:eval(Box, "return pcall(clause)"),
        {ok, [<<"thrown">>]} = tripod_lua:eval(Box, "return select(2, pcall(text))"),
        {ok, [7]} = tripod_lua:eval(Box, "return select(2, pcall(value)).code"),
        {ok, [false, <<"no_list: ", _/binary>>]} = tripod_lua:eval(Box, "return pcall(no_list)"),
        {error, {lua, #{message := <<"wrong: wrong">>}}} = tripod_lua:eval(Box, "wrong()"),
        {error, {lua, #{value := #{<<"code">> := 7}}}} = tripod_lua:eval(Box, "value()")
    end).

values_that_cannot_cross(Config) ->
    Functions = #{pid => fun(_) -> [self()] end, size => fun([Text]) -> [byte_size(Text)] end},
    contract:with_box(Config, #{functions => Functions, reply_bytes => 10000}, fun(Box) ->
        {ok, [false, <<"bad argument #2 to 'size' (value cannot cross to the owner)">>]} =
            tripod_lua:eval(Box, "return pcall(size, 'x', print)"),
        {ok, [false, <<"a result of the owner's function cannot cross">>]} =
            tripod_lua:eval(Box, "return pcall(pid)"),
        {ok, [5000]} = tripod_lua:eval(Box, "return size(('x'):rep(5000))"),
        {error, {limit, reply}} = tripod_lua:eval(Box, "return pcall(size, ('x'):rep(20000))"),
        {ok, [1]} = tripod_lua:eval(Box, "return size('x')")
    end).

where_functions_cannot_be_called(Config) ->
    contract:with_box(Config, #{functions => #{less => fun([A, B]) -> [A < B] end}}, fun(Box) ->
        {ok, [false, Message]} =
            tripod_lua:eval(Box, "local co = coroutine.create(function() "
                                 "local c <close> = setmetatable({}, {__close = function() "
                                 "less(1, 2) end}) coroutine.yield() end) "
                                 "coroutine.resume(co) return coroutine.close(co)"),
        {_, _} = binary:match(Message, <<"'less' is the owner's and cannot be called from here">>),
        {ok, [[1, 2, 3], <<"1 < 2">>]} =
            tripod_lua:eval(Box, "local list = {2, 1, 3} table.sort(list, less) "
                                 "return list, (('1 2'):gsub('(%d) (%d)', function(a, b) "
                                 "return less(a, b) and a .. ' < ' .. b end))"),
        {ok, [true]} = tripod_lua:eval(Box, "return less(1, 2)")
    end).

%% The owner takes longer than the whole call may.
the_clock_stands_still(Config) ->
    Slow = fun([Ms]) -> busy(erlang:monotonic_time(millisecond) + Ms), [] end,
    contract:with_box(Config, #{functions => #{slow => Slow}, time_ms => 500}, fun(Box) ->
        {ok, [1]} = tripod_lua:eval(Box, "slow(600) return 1"),
        {error, {limit, time}} = tripod_lua:eval(Box, "slow(600) while true do end"),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

busy(Until) ->
    case erlang:monotonic_time(millisecond) < Until of
        true -> busy(Until);
        false -> ok
    end.

interrupted_in_a_function(Config) ->
    Self = self(),
    Think = fun([]) ->
                    tripod:interrupt(get(box)),
                    Self ! asked,
                    []
            end,
    contract:with_box(Config, #{functions => #{think => Think}}, fun(Box) ->
        put(box, Box),
        {error, interrupted} = tripod_lua:eval(Box, "pcall(think) return 1"),
        receive asked -> ok end,
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

exit_in_a_function(Config) ->
    contract:with_box(Config, #{functions => #{leave => fun(_) -> exit(tired) end}}, fun(Box) ->
        tired = try tripod_lua:eval(Box, "n = 1 pcall(leave) n = 2 return 1")
                catch exit:Reason -> Reason
                end,
        {ok, [1]} = tripod_lua:eval(Box, "return n")
    end).

killed_in_a_function(Config) ->
    [begin
         Self = self(),
         {Owner, Monitor} = spawn_monitor(fun() ->
             Hang = fun([]) -> Self ! asked, receive never -> [] end end,
             Box = contract:open(Config, #{functions => #{hang => Hang}}),
             tripod_lua:eval(Box, "coroutine.wrap(function() pcall(hang) end)()")
         end),
         receive asked -> ok end,
         ?assertMatch(#{boxes := 1}, tripod:census(contract:strategy(Config))),
         exit(Owner, kill),
         receive {'DOWN', Monitor, process, Owner, killed} -> ok end,
         contract:await_nothing_alive()
     end || _ <- lists:seq(1, 20)].

closed_in_a_function(Config) ->
    Close = fun([]) -> tripod:close(get(box)), [] end,
    Box = contract:open(Config, #{functions => #{close => Close}}),
    put(box, Box),
    {error, closed} = tripod_lua:eval(Box, "close() return 1"),
    {error, closed} = tripod_lua:eval(Box, "return 1"),
    contract:await_nothing_alive().

%% The question stays open: the inner call is refused, the outer one goes on.
calls_inside_a_function(Config) ->
    Inner = fun([]) -> {error, {unsupported, What}} = tripod_lua:eval(get(box), "return 1"), [What] end,
    contract:with_box(Config, #{functions => #{inner => Inner}}, fun(Box) ->
        put(box, Box),
        {ok, [<<"call inside a function of the owner's">>, 2]} = tripod_lua:eval(Box, "return inner(), 2"),
        {ok, [1]} = tripod_lua:eval(Box, "return 1"),
        {error, {unsupported, _}} = tripod:call(Box, {answer, true, [1]})
    end).

functions_after_reset(Config) ->
    contract:with_box(Config, #{functions => #{one => fun(_) -> [1] end}, empty => map}, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "one = nil"),
        {error, {lua, _}} = tripod_lua:eval(Box, "return one()"),
        {ok, []} = tripod_lua:reset(Box),
        {ok, [1, #{}]} = tripod_lua:eval(Box, "return one(), {}")
    end).

functions_of_sent_requests(Config) ->
    contract:with_box(Config, #{functions => #{one => fun(_) -> [1] end}}, fun(Box) ->
        {ok, Id} = tripod:send(Box, {eval, <<"return one() + one()">>, []}),
        {ok, [2]} = tripod:receive_reply(Id, 30000)
    end).

functions_and_prints(Config) ->
    contract:with_box(Config, #{functions => #{f => fun(_) -> contract:mailbox() =/= [] andalso self() ! seen, [] end},
                                print => owner}, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "print('before') f() print('after')"),
        [seen, {tripod_print, Box, <<"after">>}] = contract:mailbox()
    end).

many_questions(Config) ->
    contract:with_box(Config, #{functions => #{inc => fun([N]) -> [N + 1] end}}, fun(Box) ->
        {ok, [2000]} = tripod_lua:eval(Box, "local n = 0 for i = 1, 2000 do n = inc(n) end return n"),
        {ok, [Live]} = tripod_lua:eval(Box, "collectgarbage() return collectgarbage('count')"),
        {ok, _} = tripod_lua:eval(Box, "local n = 0 for i = 1, 2000 do n = inc(n) end return n"),
        {ok, [After]} = tripod_lua:eval(Box, "collectgarbage() return collectgarbage('count')"),
        ?assert(After - Live < 1)
    end).
