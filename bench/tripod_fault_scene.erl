%% SPDX-License-Identifier: Apache-2.0
%% What a fault happens beside: healthy boxes, each with an owner of its own, a bystander that keeps
%% calling its box, and a ticker on every scheduler. Runs inside the sacrificial VM.
%%
%% One process runs the scene and the faults in it. It stays on the first scheduler, and whatever a
%% fault may stall runs on the last, so that this VM can still be asked about itself.
%% tripod_fault_node starts VMs with two schedulers at least.
-module(tripod_fault_scene).

-export([start/1, request/2]).
-export_type([spec/0, facts/0, request/0]).

%% `healthy` boxes besides the bystander's.
-type spec() :: #{strategy := tripod_strategy:name(), mode := tripod_strategy:mode(),
                  service := atom(), healthy := pos_integer()}.
%% Before any fault: what is alive, what the pause of an idle VM is, and whether pauses can be told.
-type facts() :: #{census := tripod_strategy:census(), idle_pause_ns := non_neg_integer(),
                   self_test := ok | {missed, map()}}.
-type request() ::
        %% An owner fault, that many times.
        {owner, tripod_fault_owner:name(), Rounds :: pos_integer()}
        %% A fault inside a call, in steps: the box is open; the call is on its way; it was answered
        %% or the time is over; everything is closed.
      | {prepare, tripod_fault_victim:call()} | inject | {await, TimeoutMs :: pos_integer()} | finish
        %% How many of the other boxes do not answer, and the worst pause so far.
      | others.

-record(scene, {spec :: spec(), tickers :: tripod_fault_pause:tickers(), others :: [pid()],
                victim = none :: none | tripod_fault_victim:victim()}).

-define(START_MS, 60000).
-define(PING_MS, 1000).
-define(IDLE_MS, 100).

-spec start(spec()) -> {ok, facts()} | {error, term()}.
start(Spec) ->
    Caller = self(),
    {Pid, Monitor} = spawn_monitor(fun() -> scene(Caller, Spec) end),
    receive
        {Pid, Facts} ->
            true = demonitor(Monitor, [flush]),
            {ok, Facts};
        {'DOWN', Monitor, process, Pid, Why} ->
            {error, Why}
    after ?START_MS ->
            {error, timeout}
    end.

%% The scene's answer; exits when there is none in time.
-spec request(request(), TimeoutMs :: pos_integer()) -> term().
request(Request, TimeoutMs) ->
    Monitor = monitor(process, ?MODULE),
    ?MODULE ! {request, self(), Monitor, Request},
    receive
        {Monitor, Answer} ->
            true = demonitor(Monitor, [flush]),
            Answer;
        {'DOWN', Monitor, process, _, Why} ->
            exit({scene, Why})
    after TimeoutMs ->
            exit({scene, timeout})
    end.

scene(Caller, #{strategy := Strategy, healthy := Healthy} = Spec) ->
    true = register(?MODULE, self()),
    false = process_flag(trap_exit, true),
    ok = tripod_fault_pause:stay_on(1),
    Owners = [owner(Spec) || _ <- lists:seq(1, Healthy)],
    Others = [bystander(Spec) | Owners],
    Tickers = tripod_fault_pause:start(),
    receive after ?IDLE_MS -> ok end,
    ok = tripod_fault_pause:reset(Tickers),
    receive after ?IDLE_MS -> ok end,
    Facts = #{idle_pause_ns => tripod_fault_pause:worst_ns(Tickers),
              self_test => tripod_fault_pause:self_test(Tickers),
              census => tripod:census(Strategy)},
    Caller ! {self(), Facts},
    loop(#scene{spec = Spec, tickers = Tickers, others = Others}).

loop(Scene) ->
    receive
        {request, From, Ref, Request} ->
            {Answer, Next} = handle(Request, Scene),
            From ! {Ref, Answer},
            loop(Next);
        %% One of the others has died: it will be missing.
        {'EXIT', _, _} ->
            loop(Scene)
    end.

handle({owner, Name, Rounds}, #scene{spec = Spec, tickers = Tickers} = Scene) ->
    ok = tripod_fault_pause:reset(Tickers),
    Done = [tripod_fault_owner:round(Name, Spec) || _ <- lists:seq(1, Rounds)],
    {(others(Scene))#{rounds => Done}, Scene};
handle({prepare, Call}, #scene{spec = Spec} = Scene) ->
    case tripod_fault_victim:open(Call, Spec) of
        {ok, Victim} -> {ok, Scene#scene{victim = Victim}};
        {error, _} = Error -> {Error, Scene}
    end;
handle(inject, #scene{victim = Victim, tickers = Tickers} = Scene) ->
    ok = tripod_fault_pause:reset(Tickers),
    {tripod_fault_victim:inject(Victim), Scene};
handle({await, TimeoutMs}, #scene{victim = Victim} = Scene) ->
    {tripod_fault_victim:await(Victim, TimeoutMs), Scene};
handle(finish, #scene{victim = Victim} = Scene) ->
    Finished = tripod_fault_victim:finish(Victim),
    {maps:merge(others(Scene), Finished), Scene#scene{victim = none}};
handle(others, Scene) ->
    {others(Scene), Scene}.

%% The pause is read first: asking everybody at once is work of ours.
others(#scene{others = Others, tickers = Tickers}) ->
    Pause = tripod_fault_pause:worst_ns(Tickers),
    Ref = make_ref(),
    lists:foreach(fun(Pid) -> Pid ! {ping, self(), Ref} end, Others),
    Deadline = erlang:monotonic_time(millisecond) + ?PING_MS,
    #{pause_ns => Pause, other_boxes => missing(Ref, length(Others), Deadline)}.

missing(_, 0, _) ->
    0;
missing(Ref, Missing, Deadline) ->
    receive
        {Ref, answers} -> missing(Ref, Missing - 1, Deadline)
    after max(0, Deadline - erlang:monotonic_time(millisecond)) ->
            Missing
    end.

%% Returns when the box is open. Linked, so that they end with the scene.
owner(#{strategy := Strategy, mode := Mode, service := Service}) ->
    started(fun() ->
                    {ok, Box} = tripod:open(Strategy, #{mode => Mode, service => Service}),
                    {ok, [1]} = tripod_lua:eval(Box, <<"return 1">>),
                    fun() -> idle(Box) end
            end).

idle(Box) ->
    receive
        {ping, From, Ref} ->
            {ok, [1]} = tripod_lua:eval(Box, <<"return 1">>),
            From ! {Ref, answers}
    end,
    idle(Box).

%% Keeps calling. Its service is the one whose memory does not change from call to call.
bystander(#{strategy := Strategy, mode := Mode}) ->
    started(fun() ->
                    {ok, Box} = tripod:open(Strategy, #{mode => Mode, service => echo}),
                    fun() -> busy(Box) end
            end).

busy(Box) ->
    {ok, here} = tripod:call(Box, here),
    receive
        {ping, From, Ref} -> From ! {Ref, answers}
    after 1 -> ok
    end,
    busy(Box).

started(Open) ->
    Caller = self(),
    Pid = spawn_link(fun() -> live(Caller, Open) end),
    receive
        {Pid, open} -> Pid;
        {'EXIT', Pid, Why} -> exit(Why)
    end.

-spec live(pid(), fun(() -> fun(() -> no_return()))) -> no_return().
live(Caller, Open) ->
    Live = Open(),
    Caller ! {self(), open},
    Live().
