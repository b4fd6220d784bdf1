%% SPDX-License-Identifier: Apache-2.0
%% The contract, part one: what each verb does and what each error looks like.
-module(contract_verbs_SUITE).
-include("contract.hrl").
-compile([export_all, nowarn_export_all]).

cases() ->
    [eval, eval_with_arguments, state_lasts, load_names_the_chunk, call_by_path, compile_and_run,
     set_and_get, reset, echo, info, send_and_receive, replies_keep_their_order,
     receive_can_time_out, time_limit_of_one_call, empty_tables_as_maps, lua_error, error_object,
     syntax_error, error_in_coroutine, error_in_handler, time_limit, limits_cannot_be_caught, memory_limit, a_full_box_recovers, depth_limit,
     depth_option, reply_limit, interrupted, interrupt_without_a_call, hard_memory_limit,
     unknown_verb, wrong_arguments, unknown_service, misuse_is_badarg, capabilities].

eval(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, [3]} = tripod_lua:eval(Box, "return 1 + 2"),
        {ok, []} = tripod_lua:eval(Box, <<"local x = 1">>),
        {ok, [1, nil, <<"x">>, true]} = tripod_lua:eval(Box, "return 1, nil, 'x', true")
    end).

eval_with_arguments(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, [3, 1, nil, <<"c">>]} =
            tripod_lua:eval(Box, "return select('#', ...), ...", [1, nil, <<"c">>]),
        Many = lists:seq(1, 1000),
        {ok, [500500]} = tripod_lua:eval(Box, "local s = 0 for _, v in ipairs({...}) do s = s + v end "
                                              "return s", Many)
    end).

state_lasts(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "n = 40"),
        {ok, [42]} = tripod_lua:eval(Box, "n = n + 2 return n")
    end).

load_names_the_chunk(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:load(Box, "rules", "function double(x) return 2 * x end"),
        {ok, [14]} = tripod_lua:call(Box, "double", [7]),
        {ok, []} = tripod_lua:load(Box, "broken", "\n\nfunction bad() error('no') end"),
        {error, {lua, #{message := <<"broken:3: no">>, traceback := Traceback}}} =
            tripod_lua:call(Box, "bad", []),
        {_, _} = binary:match(Traceback, <<"broken:3:">>)
    end).

call_by_path(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "account = {limits = {check = function(a, b) return a < b end}}"),
        {ok, [true]} = tripod_lua:call(Box, <<"account.limits.check">>, [1, 2]),
        {error, {lua, #{message := NoTable}}} = tripod_lua:call(Box, <<"account.none.check">>, []),
        {_, _} = binary:match(NoTable, <<"account.none">>),
        {error, {lua, #{message := NoFunction}}} = tripod_lua:call(Box, <<"missing">>, []),
        {_, _} = binary:match(NoFunction, <<"missing">>),
        {ok, []} = tripod_lua:eval(Box, "callable = setmetatable({}, {__call = function(_, x) return x end})"),
        {ok, [5]} = tripod_lua:call(Box, <<"callable">>, [5])
    end).

compile_and_run(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, Add} = tripod_lua:compile(Box, "local a, b = ... return a + b"),
        {ok, Count} = tripod_lua:compile(Box, "count = (count or 0) + 1 return count"),
        {ok, [3]} = tripod_lua:run(Box, Add, [1, 2]),
        {ok, [30]} = tripod_lua:run(Box, Add, [10, 20]),
        {ok, [1]} = tripod_lua:run(Box, Count, []),
        {ok, [2]} = tripod_lua:run(Box, Count, []),
        {error, {lua, #{message := _}}} = tripod_lua:compile(Box, "return +"),
        {error, {lua, #{message := Unknown}}} = tripod_lua:run(Box, 999, []),
        {_, _} = binary:match(Unknown, <<"999">>)
    end).

set_and_get(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:set(Box, "config", #{<<"rate">> => 1.5, <<"tags">> => [<<"a">>]}),
        {ok, [#{<<"rate">> := 1.5, <<"tags">> := [<<"a">>]}]} = tripod_lua:get(Box, "config"),
        {ok, []} = tripod_lua:set(Box, "config.rate", 2),
        {ok, [2]} = tripod_lua:get(Box, "config.rate"),
        {ok, [2]} = tripod_lua:eval(Box, "return config.rate"),
        {ok, [nil]} = tripod_lua:get(Box, "nothing"),
        {error, {lua, #{message := _}}} = tripod_lua:set(Box, "no.such.table", 1)
    end).

reset(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "x = 1 string = nil"),
        {ok, Chunk} = tripod_lua:compile(Box, "return 1"),
        {ok, []} = tripod_lua:reset(Box),
        {ok, [nil]} = tripod_lua:get(Box, "x"),
        {ok, [2]} = tripod_lua:eval(Box, "return string.len('ab')"),
        {error, {lua, _}} = tripod_lua:run(Box, Chunk, [])
    end).

echo(Config) ->
    contract:with_box(Config, #{service => echo}, fun(Box) ->
        Term = {ok, [1, -1, 1 bsl 40, 1.5, <<"bytes">>, true, nil, #{a => {1, 2}}, []]},
        {ok, Term} = tripod:call(Box, Term)
    end).

info(Config) ->
    Strategy = contract:strategy(Config),
    Mode = ?config(mode, Config),
    contract:with_box(Config, fun(Box) ->
        {ok, _} = tripod_lua:eval(Box, "return 1"),
        {ok, _} = tripod_lua:eval(Box, "big = string.rep('x', 1000000)"),
        #{strategy := Strategy, mode := Mode, service := lua, bytes := Bytes, peak_bytes := Peak,
          calls := 2, live_bytes := Live, age_ms := Age} = tripod:info(Box),
        ?assert(Live > 1000000),
        ?assert(Bytes >= Live),
        ?assert(Peak >= Bytes),
        ?assert(Age >= 0),
        #{boxes := 1, calls := 0} = tripod:census(Strategy)
    end).

send_and_receive(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, Request} = tripod:send(Box, {eval, <<"return ...">>, [1]}),
        {ok, [1]} = tripod:receive_reply(Request, 30000),
        [] = contract:mailbox()
    end).

replies_keep_their_order(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "n = 0 function tick() n = n + 1 return n end"),
        Requests = [element(2, {ok, _} = tripod:send(Box, {call, <<"tick">>, []})) || _ <- lists:seq(1, 100)],
        %% Asked for in another order than they were sent.
        Replies = [{I, tripod:receive_reply(R, 30000)} || {I, R} <- lists:reverse(lists:enumerate(Requests))],
        [] = [Wrong || {I, Reply} = Wrong <- Replies, Reply =/= {ok, [I]}],
        [] = contract:mailbox()
    end).

receive_can_time_out(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, Request} = tripod:send(Box, {eval, <<"local t = os.clock() while os.clock() - t < 0.05 do end return 7">>, []}),
        Reply = case tripod:receive_reply(Request, 0) of
                    timeout -> tripod:receive_reply(Request, 30000);
                    Early -> Early
                end,
        {ok, [7]} = Reply
    end).

time_limit_of_one_call(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {limit, time}} = tripod:call(Box, {eval, <<"while true do end">>, []}, #{time_ms => 20}),
        {ok, [1]} = tripod_lua:eval(Box, "local n = 0 for i = 1, 1e6 do n = n + 1 end return 1")
    end).

empty_tables_as_maps(Config) ->
    contract:with_box(Config, #{empty => map}, fun(Box) ->
        {ok, [#{}, #{<<"a">> := E}]} = tripod_lua:eval(Box, "return {}, {a = {}}"),
        ?assertEqual(#{}, E),
        {ok, []} = tripod_lua:reset(Box),
        {ok, [Again]} = tripod_lua:eval(Box, "return {}"),
        ?assertEqual(#{}, Again)
    end),
    contract:with_box(Config, fun(Box) -> {ok, [[]]} = tripod_lua:eval(Box, "return {}") end).

lua_error(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {lua, #{message := <<"eval:2: attempt to index a nil value (global 'nothing')">>,
                        traceback := Traceback} = Error}} =
            tripod_lua:eval(Box, "\nreturn nothing.field"),
        {_, _} = binary:match(Traceback, <<"eval:2:">>),
        ?assertNot(is_map_key(value, Error)),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

error_object(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {lua, #{message := <<"(error object is a table value)">>, value := #{<<"code">> := 7}}}} =
            tripod_lua:eval(Box, "error({code = 7})"),
        {error, {lua, #{message := <<"(error object is a table value)">>} = NoValue}} =
            tripod_lua:eval(Box, "error({f = print})"),
        ?assertNot(is_map_key(value, NoValue)),
        {error, {lua, #{message := <<"(error object is a nil value)">>}}} = tripod_lua:eval(Box, "error()")
    end).

syntax_error(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {lua, #{message := <<"eval:1: ", _/binary>>, traceback := <<>>}}} =
            tripod_lua:eval(Box, "return return"),
        {error, {lua, #{message := <<"m:2: ", _/binary>>}}} = tripod_lua:load(Box, "m", "\n)"),
        %% Precompiled code is not text.
        {error, {lua, _}} = tripod_lua:eval(Box, <<"\eLua", 16#54, 0>>)
    end).

error_in_coroutine(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, [false, <<"eval:1: inner">>]} =
            tripod_lua:eval(Box, "return coroutine.resume(coroutine.create(function() error('inner') end))"),
        {error, {lua, #{message := _}}} =
            tripod_lua:eval(Box, "coroutine.wrap(function() error('inner') end)()")
    end).

%% As in stock Lua: a handler that fails is no limit.
error_in_handler(Config) ->
    contract:with_box(Config, fun(Box) ->
        {ok, [false, Message]} = tripod_lua:eval(Box, "return xpcall(error, error, 'm')"),
        ?assert(is_binary(Message)),
        {ok, [false, <<"handled">>]} =
            tripod_lua:eval(Box, "return xpcall(error, function() return 'handled' end)"),
        {error, {limit, depth}} =
            tripod_lua:eval(Box, "local function f(n) return 1 + f(n) end return xpcall(f, function() return 1 end, 1)"),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

time_limit(Config) ->
    contract:with_box(Config, #{time_ms => 50}, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "kept = 'state'"),
        [?assertEqual({Source, {error, {limit, time}}}, {Source, tripod_lua:eval(Box, Source)})
         || Source <- ["while true do end",
                       "local function f() return f() end return f()",
                       "coroutine.wrap(function() while true do end end)()",
                       "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
                       "while true do pcall(function() return #t end) end",
                       "table.sort({3, 2, 1}, function() while true do end end)",
                       "string.gsub('abc', '.', function() while true do end end)"]],
        {ok, [<<"state">>]} = tripod_lua:get(Box, "kept")
    end).

limits_cannot_be_caught(Config) ->
    contract:with_box(Config, #{time_ms => 50}, fun(Box) ->
        Loop = "function loop() while true do end end ",
        {ok, []} = tripod_lua:eval(Box, Loop),
        [?assertEqual({Source, {error, {limit, time}}}, {Source, tripod_lua:eval(Box, Source)})
         || Source <- ["while true do pcall(loop) end",
                       "xpcall(loop, loop) return 1",
                       "xpcall(loop, function() return 1 end) return 1",
                       "xpcall(function() string.gsub('a', 'a', loop) end, loop) return 1",
                       "local ok = coroutine.resume(coroutine.create(loop)) return ok",
                       "pcall(string.gsub, 'a', 'a', function() pcall(loop) end) return 1",
                       "pcall(table.sort, {1, 2}, function() pcall(loop) return true end) return 1",
                       "load(function() loop() end) return 1",
                       "local co = coroutine.wrap(function() pcall(loop) end) pcall(co) return 1",
                       "string.gsub('a', 'a', function() coroutine.wrap(loop)() end) return 1",
                       "do local c <close> = setmetatable({}, {__close = loop}) end return 1"]],
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

memory_limit(Config) ->
    contract:with_box(Config, #{memory_bytes => 8 * 1024 * 1024}, fun(Box) ->
        {ok, []} = tripod_lua:eval(Box, "kept = 'state'"),
        [?assertEqual({Source, {error, {limit, memory}}}, {Source, tripod_lua:eval(Box, Source)})
         || Source <- ["local t = {} while true do t = {t} end",
                       "local t = {} while true do pcall(function() while true do t = {t} end end) end",
                       "return string.rep('x', 1 << 30)",
                       "local t = {} coroutine.wrap(function() while true do t = {t} end end)()"]],
        {error, {limit, memory}} = tripod_lua:eval(Box, "return 1", [binary:copy(<<"x">>, 9 * 1024 * 1024)]),
        {ok, [<<"state">>]} = tripod_lua:get(Box, "kept"),
        #{peak_bytes := Peak} = tripod:info(Box),
        ?assert(Peak =< 8 * 1024 * 1024 * 11 div 10 + 1024 * 1024 + 65536)
    end).

%% What filled the box is still there, and the next calls can free it.
a_full_box_recovers(Config) ->
    [contract:with_box(Config, #{memory_bytes => Limit}, fun(Box) ->
         [begin
              ?assertEqual({Limit, Value, {error, {limit, memory}}},
                           {Limit, Value, tripod_lua:eval(Box, "t = {} while true do t = {t, " ++ Value ++ "} end")}),
              {ok, [<<"table">>]} = tripod_lua:eval(Box, "return type(t)"),
              {ok, []} = tripod_lua:eval(Box, "t = nil"),
              {ok, [1000]} = tripod_lua:eval(Box, "local u = {} for i = 1, 1000 do u[i] = {i} end return #u")
          end || Value <- ["1", "{}", "string.rep('x', 100)", "string.rep('x', 1000)"]]
     end) || Limit <- [256 * 1024, 4 * 1024 * 1024]].

depth_limit(Config) ->
    contract:with_box(Config, fun(Box) ->
        [?assertEqual({Source, {error, {limit, depth}}}, {Source, tripod_lua:eval(Box, Source)})
         || Source <- ["local function f(n) return 1 + f(n) end return f(1)",
                       "local function f(n) return 1 + f(n) end return pcall(f, 1)",
                       "local function g(s) return (string.gsub(s, '.', g)) end return g('a')",
                       "local function w() return coroutine.wrap(w)() end return w()",
                       "local t = setmetatable({}, {__index = function(t, k) return t[k] end}) return t.x"]],
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

%% A depth of 30 ends recursion through C earlier than one of 120, or than the smallest stack does.
depth_option(Config) ->
    Reached = fun(Depth) ->
        contract:with_box(Config, #{depth => Depth}, fun(Box) ->
            {error, {limit, depth}} =
                tripod_lua:eval(Box, "function g(s) n = n + 1 return (string.gsub(s, '.', g)) end n = 0 return g('a')"),
            {ok, [N]} = tripod_lua:get(Box, "n"),
            N
        end)
    end,
    Shallow = Reached(30),
    Deep = Reached(120),
    ?assert(Shallow > 10),
    ?assert(Shallow < 30),
    ?assert(Deep > Shallow),
    ?assert(Deep < 120).

reply_limit(Config) ->
    contract:with_box(Config, #{reply_bytes => 1000}, fun(Box) ->
        {ok, [_]} = tripod_lua:eval(Box, "return string.rep('x', 900)"),
        {error, {limit, reply}} = tripod_lua:eval(Box, "return string.rep('x', 1001)"),
        {error, {limit, reply}} =
            tripod_lua:eval(Box, "local t = {'x'} for i = 1, 40 do t = {t, t} end return t"),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

interrupted(Config) ->
    Self = self(),
    {Owner, Monitor, Box} = contract:owner(Config, #{time_ms => 60000}),
    contract:tell(Owner, fun() -> Self ! {reply, tripod_lua:eval(Box, "while true do pcall(error) end")} end),
    contract:await(fun() -> maps:get(calls, tripod:census(contract:strategy(Config))) =:= 1 end),
    ok = tripod:interrupt(Box),
    receive {reply, Reply} -> ?assertEqual({error, interrupted}, Reply) after 30000 -> error(not_interrupted) end,
    {ok, [1]} = contract:ask(Owner, fun() -> tripod_lua:eval(Box, "return 1") end),
    exit(Owner, kill),
    receive {'DOWN', Monitor, process, Owner, killed} -> ok end.

%% An interrupt never reaches a later call.
interrupt_without_a_call(Config) ->
    contract:with_box(Config, fun(Box) ->
        ok = tripod:interrupt(Box),
        {ok, [1]} = tripod_lua:eval(Box, "for i = 1, 1e6 do end return 1"),
        ok = tripod:interrupt(Box),
        {ok, [2]} = tripod_lua:eval(Box, "for i = 1, 1e6 do end return 2")
    end).

%% One request beyond the hard cap, where Lua cannot be unwound: the box is lost, and says so.
hard_memory_limit(Config) ->
    contract:with_box(Config, #{memory_bytes => 4 * 1024 * 1024}, fun(Box) ->
        {error, {down, memory}} = tripod_lua:eval(Box, "local s = 'x' while true do s = s .. s end"),
        {error, {down, memory}} = tripod_lua:eval(Box, "return 1"),
        {error, {down, memory}} = tripod:info(Box)
    end).

unknown_verb(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {unsupported, <<"dance">>}} = tripod:call(Box, {dance, 1}),
        {error, {unsupported, <<"request">>}} = tripod:call(Box, [1]),
        {ok, [1]} = tripod_lua:eval(Box, "return 1")
    end).

wrong_arguments(Config) ->
    contract:with_box(Config, fun(Box) ->
        {error, {badterm, []}} = tripod:call(Box, {eval, 42, []}),
        {error, {badterm, []}} = tripod:call(Box, {eval, <<"return 1">>, not_a_list}),
        {error, {unsupported, <<"eval">>}} = tripod:call(Box, {eval, <<"return 1">>}),
        {error, {unsupported, <<"get">>}} = tripod:call(Box, {get, <<"x">>, 1, 2})
    end).

unknown_service(Config) ->
    {error, {unsupported, {service, no_such_service}}} =
        tripod:open(contract:strategy(Config), #{service => no_such_service}).

misuse_is_badarg(Config) ->
    Strategy = contract:strategy(Config),
    Bad = [#{colour => red}, #{time_ms => 0}, #{time_ms => 1.5}, #{memory_bytes => -1}, #{depth => 201},
           #{mode => sideways}, #{reply_bytes => huge}, #{preempt => never}, #{empty => maybe}, []],
    [?assertMatch({Options, {'EXIT', {badarg, [{tripod, open, [_, _], _} | _]}}},
                  {Options, catch tripod:open(Strategy, Options)}) || Options <- Bad],
    {'EXIT', {badarg, Stack}} = (catch tripod:open(Strategy, #{colour => red})),
    #{2 := Explanation} = tripod_options:format_error(badarg, Stack),
    {_, _} = binary:match(iolist_to_binary(Explanation), <<"colour">>),
    {'EXIT', {badarg, _}} = (catch tripod:call(not_a_box, x)),
    {'EXIT', {badarg, _}} = (catch tripod:close(not_a_box)),
    {'EXIT', {badarg, _}} = (catch tripod:receive_reply(not_a_request, 0)),
    ok.

capabilities(Config) ->
    contract:with_box(Config, fun(Box) ->
        Absent = ["io", "debug", "package", "require", "dofile", "loadfile", "os.execute", "os.exit", "os.getenv",
                  "os.remove", "os.rename", "os.setlocale", "os.tmpname", "string.dump"],
        [?assertEqual({Name, {ok, [nil]}}, {Name, tripod_lua:eval(Box, "return " ++ Name)}) || Name <- Absent],
        {error, {lua, _}} = tripod_lua:eval(Box, "return setmetatable({}, {__gc = function() end})"),
        {ok, [nil, _]} = tripod_lua:eval(Box, "return load('\\27Lua', 'x', 'b')"),
        {ok, [true, true]} = tripod_lua:eval(Box, "return os.time() > 0, type(os.date()) == 'string'")
    end).
