%% SPDX-License-Identifier: Apache-2.0
%% What the models of boxes and owners act upon: owners are processes that do what they are told,
%% and owners, boxes and requests go by small numbers, which mean nothing until something has been made
%% under them. Every command returns a value and never raises.
-module(lifecycle_world).

-export([start/1, finish/1]).
-export([open/2, open_new/2, settle/0, probe/1, call/3, tell_call/3, send/4, receive_reply/2, interrupt/1, give_away/3, close/1,
         close/2, info/2, ties/1, kill/1, revive/1, leak/2, await_gone/1]).
-export([owners/0, boxes/0, requests/0, scripts/0, result/1]).

-define(OWNERS, 3).
-define(BOXES, 3).
-define(REQUESTS, 4).
%% Longer than any call lasts, also on a machine with much else to do.
-define(DEADLINE_MS, 30000).

-spec owners() -> [pos_integer()].
owners() -> lists:seq(1, ?OWNERS).

-spec boxes() -> [pos_integer()].
boxes() -> lists:seq(1, ?BOXES).

-spec requests() -> [pos_integer()].
requests() -> lists:seq(1, ?REQUESTS).

-spec scripts() -> [atom()].
scripts() -> [one, loop, sort, grow, endless].

%% What a call of the script returns when nothing happens to it.
-spec result(atom()) -> tripod_strategy:reply().
result(one) -> {ok, [1]};
result(loop) -> {ok, [2]};
result(sort) -> {ok, [3]};
result(grow) -> {error, {limit, memory}};
result(endless) -> {error, {limit, time}}.

source(one) -> <<"return 1">>;
source(loop) -> <<"for i = 1, 200000 do end return 2">>;
source(sort) -> <<"local t = {} for i = 1, 2000 do t[i] = -i end "
                  "table.sort(t, function(a, b) return a < b end) return 3">>;
source(grow) -> <<"local t = {} for i = 1, math.huge do t[i] = i end">>;
source(endless) -> <<"while true do pcall(error) end">>.

call_options(endless) -> #{time_ms => 5};
call_options(_) -> #{}.

%% A world of one strategy and mode, with owners that live and own nothing.
-spec start(atom()) -> ok.
start(Group) ->
    ok = contract:await_nothing_alive(),
    ?MODULE = ets:new(?MODULE, [named_table, public]),
    true = ets:insert(?MODULE, {config, contract:options(Group)}),
    lists:foreach(fun(Owner) -> ok = revive(Owner) end, owners()).

%% Ends what is left, by closing the boxes or by killing the owners. Ok when that leaves nothing: no
%% box, no link, no monitor, and no message in the mailbox of an owner that has taken its replies.
-spec finish(close | kill) -> ok | {left, term()}.
finish(How) ->
    Unread = [receive_reply(Owner, Request)
              || {{request, Request}, {Owner, _}} <- ets:tab2list(?MODULE)],
    Handles = [Handle || {{Kind, _}, Handle} <- ets:tab2list(?MODULE),
                         Kind =:= box orelse Kind =:= former],
    How =:= kill orelse lists:foreach(fun(Handle) -> ok = tripod:close(Handle) end, Handles),
    Left = [{Owner, Trace} || How =:= close, Owner <- owners(), Trace <- traces(Owner)],
    Said = [Report || {{said, _}, Report} <- ets:tab2list(?MODULE)],
    lists:foreach(fun(Owner) -> kill(Owner) end, owners()),
    true = ets:delete(?MODULE),
    Alive = try contract:await_nothing_alive(), []
            catch error:{deadline, Census} -> [Census]
            end,
    case {Left, [Reply || Reply <- Unread, not is_end(Reply)], Said ++ Alive} of
        {[], [], []} -> ok;
        What -> {left, What}
    end.

is_end(timeout) -> false;
is_end({raised, _}) -> false;
is_end({died, _}) -> false;
is_end(hangs) -> false;
is_end(_) -> true.

%% An owner monitors the process that started it and is watched by nobody else.
traces(Owner) ->
    Pid = pid(Owner),
    Self = self(),
    Known = fun() ->
                    [{Item, Values}
                     || {Item, Values} <- process_info(Pid, [links, monitors, monitored_by]),
                        Values =/= [], {Item, Values} =/= {monitors, [{process, Self}]}]
            end,
    case ask(Owner, fun contract:mailbox/0) of
        dead -> [];
        Messages ->
            try
                contract:await(fun() -> Known() =:= [] orelse Known() end)
            of
                ok -> [{mailbox, Messages} || Messages =/= []]
            catch
                error:{deadline, Traces} -> [Traces]
            end
    end.

-spec open(pos_integer(), pos_integer()) -> ok | term().
open(Owner, Box) ->
    [{config, Config}] = ets:lookup(?MODULE, config),
    Open = fun() ->
                   Handle = contract:open(Config, #{memory_bytes => 1 bsl 20}),
                   _ = [ets:insert(?MODULE, {{former, make_ref()}, Former})
                        || {_, Former} <- ets:take(?MODULE, {box, Box})],
                   true = ets:insert(?MODULE, {{box, Box}, Handle}),
                   ok
           end,
    ask(Owner, Open).

%% Only one process at a time may open the boxes of a number.
-spec open_new(pos_integer(), pos_integer()) -> ok | exists | term().
open_new(Owner, Box) ->
    case ets:member(?MODULE, {box, Box}) of
        true -> exists;
        false -> open(Owner, Box)
    end.

%% Returns when what anybody had asked for is done: who does such things, does them in turn.
-spec settle() -> ok.
settle() ->
    [{config, Config}] = ets:lookup(?MODULE, config),
    contract:with_box(Config, fun(_) -> ok end).

%% Whose the box is, when nobody does anything any more: its owner's, or gone.
-spec probe(pos_integer()) -> none | gone | {owned, pos_integer()} | nobodys.
probe(Box) ->
    with(Box, fun(Handle) ->
        try
            contract:await(fun() -> whose(Box, Handle) =/= nobodys orelse nobodys end)
        of
            ok -> whose(Box, Handle)
        catch
            error:{deadline, nobodys} -> nobodys
        end
    end).

whose(Box, Handle) ->
    case {[Owner || Owner <- owners(), info(Owner, Box) =:= ok], tripod:info(Handle)} of
        {[Owner], {error, not_owner}} -> {owned, Owner};
        {[], {error, closed}} -> gone;
        _ -> nobodys
    end.

-spec call(pos_integer(), pos_integer(), atom()) -> term().
call(Owner, Box, Script) ->
    with(Box, fun(Handle) -> ask(Owner, fun() -> eval(Handle, Script) end) end).

eval(Handle, Script) -> tripod:call(Handle, {eval, source(Script), []}, call_options(Script)).

%% Does not wait for the call, which the commands after it then meet.
-spec tell_call(pos_integer(), pos_integer(), atom()) -> ok | none.
tell_call(Owner, Box, Script) ->
    with(Box, fun(Handle) ->
        contract:tell(pid(Owner), fun() ->
            Reply = raised(fun() -> eval(Handle, Script) end),
            lifecycle_races:is_legal(call, Script, Reply)
                orelse ets:insert(?MODULE, {{said, make_ref()}, {Script, Reply}})
        end)
    end).

-spec send(pos_integer(), pos_integer(), pos_integer(), atom()) -> ok | term().
send(Owner, Box, Request, Script) ->
    with(Box, fun(Handle) ->
        case ets:insert_new(?MODULE, {{request, Request}, {Owner, not_sent}}) of
            true -> sent(Request, ask(Owner, fun() -> request(Owner, Handle, Request, Script) end));
            false -> none
        end
    end).

request(Owner, Handle, Request, Script) ->
    case tripod:send(Handle, {eval, source(Script), []}, call_options(Script)) of
        {ok, Id} ->
            true = ets:insert(?MODULE, {{request, Request}, {Owner, Id}}),
            ok;
        Refused ->
            Refused
    end.

sent(_Request, ok) ->
    ok;
sent(Request, Refused) ->
    true = ets:delete(?MODULE, {request, Request}),
    Refused.

%% By the owner that sent the request.
-spec receive_reply(pos_integer(), pos_integer()) -> term().
receive_reply(Owner, Request) ->
    case ets:lookup(?MODULE, {request, Request}) of
        [{_, {Owner, Id}} = Sent] when Id =/= not_sent ->
            true = ets:delete_object(?MODULE, Sent),
            ask(Owner, fun() -> tripod:receive_reply(Id, ?DEADLINE_MS) end);
        _ ->
            none
    end.

-spec interrupt(pos_integer()) -> term().
interrupt(Box) -> with(Box, fun(Handle) -> raised(fun() -> tripod:interrupt(Handle) end) end).

-spec give_away(pos_integer(), pos_integer(), pos_integer()) -> term().
give_away(Owner, Box, Heir) ->
    Pid = pid(Heir),
    with(Box, fun(Handle) -> ask(Owner, fun() -> tripod:give_away(Handle, Pid) end) end).

-spec close(pos_integer()) -> term().
close(Box) -> with(Box, fun(Handle) -> raised(fun() -> tripod:close(Handle) end) end).

-spec close(pos_integer(), pos_integer()) -> term().
close(Owner, Box) ->
    with(Box, fun(Handle) -> ask(Owner, fun() -> tripod:close(Handle) end) end).

-spec info(pos_integer(), pos_integer()) -> term().
info(Owner, Box) ->
    with(Box, fun(Handle) ->
        case ask(Owner, fun() -> tripod:info(Handle) end) of
            #{calls := _, live_bytes := _} -> ok;
            Refused -> Refused
        end
    end).

%% How many watch the owner and are linked to it, while nobody else asks it anything.
-spec ties(pos_integer()) -> dead | {Watchers :: non_neg_integer(), Links :: non_neg_integer()}.
ties(Owner) ->
    case process_info(pid(Owner), [monitored_by, links]) of
        [{monitored_by, By}, {links, Links}] -> {length(By), length(Links)};
        undefined -> dead
    end.

%% Returns when the owner is dead, which is before all of its boxes are known to be gone.
-spec kill(pos_integer()) -> ok.
kill(Owner) ->
    Pid = pid(Owner),
    Monitor = monitor(process, Pid),
    exit(Pid, kill),
    receive
        {'DOWN', Monitor, process, Pid, _} ->
            true = ets:match_delete(?MODULE, {{request, '_'}, {Owner, '_'}}),
            ok
    after ?DEADLINE_MS ->
        hangs
    end.

%% A new process under the number of an owner that is dead.
-spec revive(pos_integer()) -> ok.
revive(Owner) ->
    {Pid, Monitor} = contract:heir(),
    true = demonitor(Monitor, [flush]),
    true = ets:insert(?MODULE, {{owner, Owner}, Pid}),
    ok.

%% The handle says so a moment after the owner's death.
-spec await_gone(pos_integer()) -> ok.
await_gone(Box) ->
    [{_, Handle}] = ets:lookup(?MODULE, {box, Box}),
    contract:await(fun() -> tripod:info(Handle) =:= {error, closed} end).

%% What a process learns that got the handle in some other way than by owning it.
-spec leak(pos_integer(), message | ets | persistent_term | binary) -> term().
leak(Box, Way) ->
    with(Box, fun(Handle) ->
        {Pid, Monitor} =
            spawn_monitor(fun() ->
                Leaked = leaked(Handle, Way),
                exit({leaked, raised(fun() -> tripod:call(Leaked, {eval, <<"return 1">>, []}) end)})
            end),
        receive
            {'DOWN', Monitor, process, Pid, {leaked, Reply}} -> Reply;
            {'DOWN', Monitor, process, Pid, Why} -> {died, Why}
        after ?DEADLINE_MS ->
            hangs
        end
    end).

leaked(Handle, message) -> Handle;
leaked(Handle, binary) -> binary_to_term(term_to_binary(Handle));
leaked(Handle, ets) ->
    Table = ets:new(leaked, []),
    true = ets:insert(Table, {handle, Handle}),
    ets:lookup_element(Table, handle, 2);
leaked(Handle, persistent_term) ->
    Key = {?MODULE, self()},
    ok = persistent_term:put(Key, Handle),
    Leaked = persistent_term:get(Key),
    true = persistent_term:erase(Key),
    Leaked.

with(Box, Use) ->
    case ets:lookup(?MODULE, {box, Box}) of
        [{_, Handle}] -> Use(Handle);
        [] -> none
    end.

pid(Owner) -> ets:lookup_element(?MODULE, {owner, Owner}, 2).

ask(Owner, Action) ->
    Pid = pid(Owner),
    Monitor = monitor(process, Pid),
    Pid ! {do, self(), Monitor, fun() -> raised(Action) end},
    receive
        {Monitor, Result} ->
            true = demonitor(Monitor, [flush]),
            Result;
        {'DOWN', Monitor, process, Pid, Why} when Why =:= killed; Why =:= noproc ->
            dead;
        {'DOWN', Monitor, process, Pid, Why} ->
            {died, Why}
    after ?DEADLINE_MS ->
        hangs
    end.

raised(Action) ->
    try
        Action()
    catch
        Class:Reason:Stack -> {raised, {Class, Reason, Stack}}
    end.
