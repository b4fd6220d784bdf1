%% SPDX-License-Identifier: Apache-2.0
%% Opens the ports, watches their owners, and sees to it that every operating system process ends.
%%
%% The keeper is linked to the ports and the owner is merely connected: when the keeper dies all
%% ports close, and an owner never gets an exit signal. What is open stands in a public table that
%% belongs to the supervisor: owners look themselves up without asking anybody, and a new keeper
%% finds the processes of the one before it, which nobody else would end if they are stopped.
%%
%% A row leaves the table only when its process was seen to be gone. After its port was closed a
%% process has ?GRACE_MS to end by itself; then the guard kills it, which knows all processes and also
%% kills them when the VM halts (docs/decisions/0002-who-kills-the-process.md). Nothing here waits
%% for a program.
-module(tripod_port_program_keeper).
-behaviour(gen_server).

-export([create_table/0, start_link/0]).
-export([open/2, owner/1, shut/2, close/1, give_away/2, processes/0]).
%% Called by the guard, through a name, so that it outlives a new version of this module.
-export([identities/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).
-export_type([process/0]).

-define(TABLE, ?MODULE).
-define(GRACE_MS, 10).
-define(KILL_AGAIN_MS, 100).
%% How long nobody guards what is there, at most, when the guard has died.
-define(GUARD_AGAIN_MS, 100).
%% Processes looked at in one go, so that openers never wait long behind a mass funeral.
-define(BATCH, 64).
-define(SHUTDOWN_MS, 4000).
%% A driver queue this long makes a port busy. Larger than the default, because an owner that finds
%% its port busy looks again a millisecond later, and a pipe takes about a megabyte in that time.
-define(BUSY_BYTES, {2 * 1024 * 1024, 4 * 1024 * 1024}).

-record(row, {port :: port(),
              owner :: pid() | none, % none: closed, the process may still be there
              os_pid :: tripod_port_program_os:pid_number() | none,
              start :: tripod_port_program_os:start() | none,
              shared :: tripod_port_program_shared:shared()}).

-record(leaving, {row :: #row{},
                  kill_at_ms :: integer()}).

-record(state, {guard :: tripod_port_program_guard:guard(),
                ports = #{} :: #{reference() => port()},    % by the monitor of the owner
                monitors = #{} :: #{port() => reference()},
                leaving = queue:new() :: queue:queue(#leaving{}),
                timer = none :: none | reference(),
                buried_ms = 0 :: integer()}). % when the last of `leaving` came

-type process() :: #{port := port(), owner := pid() | none, shared := tripod_port_program_shared:shared(),
                     os_pid := tripod_port_program_os:pid_number() | none}.

%% Called in the process that is to own the table, which must outlive the keeper.
-spec create_table() -> ok.
create_table() ->
    case ets:whereis(?TABLE) of
        undefined ->
            ?TABLE = ets:new(?TABLE, [named_table, public, {keypos, #row.port},
                                      {read_concurrency, true}]),
            ok;
        _ ->
            ok
    end.

-spec start_link() -> {ok, pid()} | ignore | {error, term()}.
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

%% Starts File; the caller becomes the owner. Whether the program really runs is for the owner to
%% find out from what the port sends.
-spec open(file:filename(), [string()]) ->
          {ok, port(), tripod_port_program_shared:shared()} | {error, term()}.
open(File, Args) ->
    call({open, File, Args}).

-spec owner(port()) -> pid() | none.
owner(Port) ->
    try
        ets:lookup_element(?TABLE, Port, #row.owner)
    catch
        error:badarg -> none
    end.

%% Closes the port because the program is not to be trusted any more.
-spec shut(port(), tripod_port_program_shared:ending()) -> ok | {error, term()}.
shut(Port, Ending) ->
    call({shut, Port, Ending}).

%% When it returns the port is closed, and what it had sent to the caller is in its mailbox.
-spec close(port()) -> ok | {error, term()}.
close(Port) ->
    call({shut, Port, closed}).

-spec give_away(port(), pid()) -> ok | {error, gone | not_owner | noproc}.
give_away(Port, Pid) ->
    call({give_away, Port, Pid}).

%% Everything that is not known to be gone.
-spec processes() -> [process()].
processes() ->
    try ets:tab2list(?TABLE) of
        Rows -> [#{port => Port, owner => Owner, os_pid => Pid, shared => Shared}
                 || #row{port = Port, owner = Owner, os_pid = Pid, shared = Shared} <- Rows]
    catch
        error:badarg -> []
    end.

%% The keeper may be restarting. Its ports died with it.
call(Request) ->
    try
        gen_server:call(?MODULE, Request, infinity)
    catch
        exit:_ -> {error, gone}
    end.

%% Whatever is in the table was left by a keeper that died, and its ports died with it.
-spec init([]) -> {ok, #state{}}.
init([]) ->
    false = process_flag(trap_exit, true),
    Rows = ets:tab2list(?TABLE),
    File = tripod_strategy:artefact("tripod_port_program"),
    State = #state{guard = tripod_port_program_guard:new(File, fun ?MODULE:identities/0)},
    {ok, lists:foldl(fun bury/2, retire_all(lost, State), [Row || #row{owner = none} = Row <- Rows])}.

-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call({open, File, Args}, {Owner, _}, State) ->
    try open_port({spawn_executable, File}, [{args, Args}, {packet, 2}, binary, use_stdio,
                                             exit_status, {busy_limits_port, ?BUSY_BYTES}]) of
        Port -> opened(Port, Owner, State)
    catch
        error:Why -> {reply, {error, Why}, State}
    end;
handle_call({shut, Port, Ending}, _From, State) ->
    {reply, ok, retire(Port, Ending, State)};
handle_call({give_away, Port, Pid}, {Owner, _}, State) ->
    case owner(Port) of
        Owner -> hand_over(Port, Pid, State);
        none -> {reply, {error, gone}, State};
        _ -> {reply, {error, not_owner}, State}
    end.

-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_, State) ->
    {noreply, State}.

-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({'DOWN', Monitor, process, _, _}, #state{ports = Ports} = State) ->
    case Ports of
        #{Monitor := Port} -> {noreply, retire(Port, closed, State)};
        #{} -> {noreply, State}
    end;
handle_info({'EXIT', Port, _}, State) when is_port(Port) ->
    case tripod_port_program_guard:ended(Port, State#state.guard) of
        {true, Guard} ->
            _ = erlang:send_after(?GUARD_AGAIN_MS, self(), guard),
            {noreply, State#state{guard = Guard}};
        false ->
            {noreply, retire(Port, lost, State)}
    end;
handle_info(sweep, State) ->
    {noreply, sweep(State)};
handle_info(guard, State) ->
    case ets:info(?TABLE, size) of
        0 -> {noreply, State};
        _ -> {noreply, State#state{guard = tripod_port_program_guard:start(State#state.guard)}}
    end;
%% What the program said while the keeper was connected.
handle_info({Port, {Kind, _}} = Message, State) when is_port(Port), Kind =:= data orelse
                                                     Kind =:= exit_status ->
    case owner(Port) of
        none -> ok;
        Owner -> Owner ! Message, ok
    end,
    {noreply, State};
handle_info(_, State) ->
    {noreply, State}.

%% With the application: stops only when nothing is left running, or nothing can be done about it.
%% After a crash that is the next keeper's work.
-spec terminate(term(), #state{}) -> ok.
terminate(shutdown, State) ->
    UntilMs = now_ms() + ?SHUTDOWN_MS,
    #state{guard = Guard} = drain(retire_all(closed, State), UntilMs),
    tripod_port_program_guard:stop(UntilMs, Guard);
terminate(_Crash, _State) ->
    ok.

drain(#state{leaving = Leaving} = State, UntilMs) ->
    case queue:is_empty(Leaving) orelse now_ms() > UntilMs of
        true ->
            State;
        false ->
            receive sweep -> ok after 10 -> ok end,
            drain(sweep(State), UntilMs)
    end.

opened(Port, Owner, State) ->
    case identity(Port) of
        {error, Why} ->
            true = exit(Port, kill),
            {reply, {error, {proc, Why}}, State};
        {OsPid, Start} ->
            Shared = tripod_port_program_shared:new(),
            true = ets:insert(?TABLE, #row{port = Port, owner = Owner, os_pid = OsPid,
                                           start = Start, shared = Shared}),
            %% A dead owner is reported by its monitor, a dead port by its link.
            _ = connect(Port, Owner),
            Watched = watch(Port, monitor(process, Owner), State),
            {reply, {ok, Port, Shared}, there(OsPid, Start, Watched)}
    end.

there(none, none, State) ->
    State;
there(OsPid, Start, #state{guard = Guard} = State) ->
    State#state{guard = tripod_port_program_guard:add({OsPid, Start}, Guard)}.

-spec identities() -> [tripod_port_program_guard:process()].
identities() -> identities(ets:tab2list(?TABLE)).

identities(Rows) ->
    [{OsPid, Start} || #row{os_pid = OsPid, start = Start} <- Rows, OsPid =/= none].

%% A program that ended already has no identity any more, and needs none.
identity(Port) ->
    case erlang:port_info(Port, os_pid) of
        {os_pid, OsPid} ->
            case tripod_port_program_os:start(OsPid) of
                {ok, Start} -> {OsPid, Start};
                gone -> {none, none};
                {error, _} = Error -> Error
            end;
        undefined ->
            {none, none}
    end.

%% As a message, because port_connect/2 would link Pid (io.c, set_port_connected). The keeper must
%% be the one connected. False: the port is closed.
connect(Port, Pid) ->
    Port ! {self(), {connect, Pid}},
    erlang:port_info(Port, connected) =:= {connected, Pid}.

watch(Port, Monitor, #state{ports = Ports, monitors = Monitors} = State) ->
    State#state{ports = Ports#{Monitor => Port}, monitors = Monitors#{Port => Monitor}}.

unwatch(Port, #state{ports = Ports, monitors = Monitors} = State) ->
    case maps:take(Port, Monitors) of
        {Monitor, Rest} ->
            true = demonitor(Monitor, [flush]),
            State#state{ports = maps:remove(Monitor, Ports), monitors = Rest};
        error ->
            State
    end.

hand_over(Port, Pid, State) ->
    case is_process_alive(Pid) andalso take_back(Port) of
        true ->
            true = ets:update_element(?TABLE, Port, {#row.owner, Pid}),
            _ = connect(Port, Pid),
            {reply, ok, watch(Port, monitor(process, Pid), unwatch(Port, State))};
        false ->
            {reply, {error, noproc}, State};
        closed ->
            {reply, {error, gone}, State}
    end.

%% The keeper is linked already, so nothing changes but who is connected.
take_back(Port) ->
    try
        port_connect(Port, self())
    catch
        error:badarg -> closed
    end.

retire_all(Ending, State) ->
    lists:foldl(fun(Port, S) -> retire(Port, Ending, S) end, State,
                [Port || #row{port = Port} <- ets:tab2list(?TABLE)]).

%% Ends a box: first its fate, then the owner's right to it, then the port. `kill` is the one reason
%% that does not wait until the driver's queue is empty (io.c, erts_deliver_port_exit); a program
%% that does not read could otherwise keep its port for ever.
retire(Port, Ending, State) ->
    case ets:lookup(?TABLE, Port) of
        [#row{owner = Owner, shared = Shared} = Row] when Owner =/= none ->
            ok = settle(Shared, Ending),
            true = ets:update_element(?TABLE, Port, {#row.owner, none}),
            true = exit(Port, kill),
            _ = erlang:port_info(Port, id), % ordered behind the signal: now it is closed
            bury(Row, unwatch(Port, State));
        _ ->
            State
    end.

settle(Shared, closed) -> tripod_port_program_shared:closed(Shared);
settle(Shared, Ending) -> tripod_port_program_shared:ended(Shared, Ending).

bury(#row{port = Port, os_pid = none}, State) ->
    true = ets:delete(?TABLE, Port),
    State;
bury(Row, #state{leaving = Leaving} = State) ->
    Now = now_ms(),
    Last = #leaving{row = Row, kill_at_ms = Now + ?GRACE_MS},
    hurry(State#state{leaving = queue:in(Last, Leaving), buried_ms = Now}).

%% Looks at the processes whose turn it is.
sweep(#state{leaving = Leaving, guard = Guard} = State0) ->
    State = State0#state{timer = none},
    {Some, Rest} = queue:split(min(?BATCH, queue:len(Leaving)), Leaving),
    {Gone, Left} = lists:partition(fun vanished/1, queue:to_list(Some)),
    Now = now_ms(),
    {Late, InTime} = lists:partition(fun(#leaving{kill_at_ms = At}) -> At =< Now end, Left),
    Again = InTime ++ [L#leaving{kill_at_ms = Now + ?KILL_AGAIN_MS} || L <- Late],
    Told = tripod_port_program_guard:remove(identities(rows(Gone)), Guard),
    Killing = tripod_port_program_guard:kill(identities(rows(Late)), Told),
    schedule(State#state{leaving = queue:join(Rest, queue:from_list(Again)), guard = Killing}).

rows(Leaving) -> [Row || #leaving{row = Row} <- Leaving].

vanished(#leaving{row = #row{port = Port, os_pid = OsPid, start = Start}}) ->
    case tripod_port_program_os:alive(OsPid, Start) of
        true -> false;
        false -> ets:delete(?TABLE, Port)
    end.

%% Every millisecond after a funeral, then ever more rarely: a process that even SIGKILL does not
%% end must not cost much for long.
schedule(#state{leaving = Leaving, buried_ms = Buried} = State) ->
    case queue:is_empty(Leaving) of
        true -> State;
        false -> arm(max(1, min(?KILL_AGAIN_MS, (now_ms() - Buried) div 4)), State)
    end.

%% A timer that is about to fire stays: were each funeral to put it off, many would stop it for good.
hurry(#state{timer = none} = State) ->
    arm(1, State);
hurry(#state{timer = Timer} = State) ->
    case erlang:read_timer(Timer) of
        Ms when is_integer(Ms), Ms > 1 ->
            _ = erlang:cancel_timer(Timer),
            arm(1, State);
        _ ->
            State
    end.

arm(Ms, State) ->
    State#state{timer = erlang:send_after(Ms, self(), sweep)}.

now_ms() ->
    erlang:monotonic_time(millisecond).
