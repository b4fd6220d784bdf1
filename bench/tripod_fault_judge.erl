%% SPDX-License-Identifier: Apache-2.0
%% From what was seen to a verdict. A function of the evidence alone: it asks nobody, and a fault that
%% was not seen to happen gets no outcome.
-module(tripod_fault_judge).

-export([judge/2]).
-export_type([evidence/0, verdict/0, proof/0, ending/0, growth/0]).

-type proof() :: #{name := string(), pid := pos_integer(), thread := pos_integer(), at := integer()}.
%% How it ended. `lost` is the VM; `seen` is what the owner saw; `hang`: no answer before the
%% deadline; `stuck`: nor did the VM itself. `failed`: the harness did.
-type ending() :: {lost, tripod_fault_node:status()} | hang | stuck | {seen, tripod_fault_victim:seen()}
                | {rounds, [tripod_fault_owner:result()]} | {failed, term()}.
%% Times are tripod_fault_os:now_ns()'s.
-type evidence() :: #{ending := ending(),
                      healthy := pos_integer(),           % boxes beside
                      proof := [proof()],                 % left since the fault was asked for
                      injected_at := integer(),           % when we asked for it, or sent the signal
                      target_gone := boolean(),           % who left proof or got the signal is no more
                      stopped := boolean(),               % who got the signal was seen stopped
                      learned_at => integer(),            % the VM's end was noticed
                      clean_at => integer() | null,       % nothing left of the VM that was ended
                      served_at => integer() | null,      % by the VM that replaced it
                      other_boxes => non_neg_integer(),   % that did not answer
                      pause_ns => non_neg_integer(),
                      grown := growth(),                  % while the box was still open
                      leaked := growth(),
                      atom() => term()}.
-type growth() :: #{bytes := integer(), fds := integer(), threads := integer(),
                    os_processes := integer()}.
-type verdict() :: #{outcome := contained | box_lost | node_lost | leak | hang,
                     lost := #{call := boolean(), box := boolean(), other_boxes := integer(),
                               node := boolean()},
                     leaked := growth(), learned := unicode:chardata() | null,
                     evidence := unicode:chardata(), detect_ns := integer() | null,
                     clean_ns := integer() | null, serve_ns := integer() | null,
                     pause_ns := integer() | null, rounds => pos_integer()}.

-spec judge(tripod_fault_kinds:fault(), evidence()) ->
          {ok, verdict()} | {not_injected, Why :: unicode:chardata()}.
judge(_, #{ending := {failed, Why}}) ->
    {not_injected, io_lib:format("the harness failed: ~tP", [Why, 20])};
judge(Fault, Evidence) ->
    case happened(Fault, Evidence) of
        {true, Text} -> {ok, (verdict(Fault, Evidence))#{evidence => Text}};
        {false, Why} -> {not_injected, Why}
    end.

happened(#{class := owner}, #{ending := {rounds, Rounds}}) ->
    case [Problem || #{problem := Problem} <- Rounds, Problem =/= none] of
        [] -> {true, "the owner's monitor reported the reason"};
        [Problem | _] -> {false, Problem}
    end;
happened(#{class := owner}, #{ending := Ending}) ->
    {true, io_lib:format("the VM did not survive it: ~tp", [Ending])};
happened(#{class := service, name := Name, sign := Sign}, #{proof := Proof} = Evidence) ->
    Expected = atom_to_list(Name),
    case Proof of
        [#{name := Expected, pid := Pid, thread := Thread}] ->
            with_proof(io_lib:format("proof of process ~b, thread ~b; ", [Pid, Thread]),
                       sign(Sign, Evidence, Pid));
        [] ->
            {false, ["the service left no proof that it was reached; ", answered(Evidence)]};
        _ ->
            {false, io_lib:format("proof of something else: ~tp", [Proof])}
    end;
happened(#{sign := Sign}, Evidence) ->
    sign(Sign, Evidence, none).

with_proof(Text, {Happened, More}) -> {Happened, [Text, More]}.

answered(#{ending := {seen, #{answer := Answer}}}) -> io_lib:format("the answer was ~tp", [Answer]);
answered(#{ending := hang}) -> "no answer before the deadline";
answered(#{ending := stuck}) -> "no answer before the deadline, nor from the VM";
answered(#{ending := Ending}) -> io_lib:format("it ended with ~tp", [Ending]).

%% The end of a process counts only when it is gone as well as reported; who reports it is the parent
%% of the VM, or the room for a program.
sign({killed_by, Signals}, #{target_gone := true} = Evidence, _) ->
    case signal(Evidence) of
        {ok, Signal, Who} ->
            {lists:member(Signal, Signals), io_lib:format("~s ended by signal ~b", [Who, Signal])};
        none ->
            {false, ["no signal was reported; ", answered(Evidence)]}
    end;
sign({killed_by, _}, Evidence, _) ->
    {false, ["the process is still there; ", answered(Evidence)]};
sign({exited, Status}, #{target_gone := true, ending := {lost, {exit, Status}}}, _) ->
    {true, io_lib:format("the VM exited with status ~b", [Status])};
sign({exited, Status}, #{target_gone := true,
                         ending := {seen, #{answer := {error, {down, {exit, Status}}}}}}, _) ->
    {true, io_lib:format("the program exited with status ~b", [Status])};
sign({exited, _}, Evidence, _) ->
    {false, answered(Evidence)};
sign(no_answer, #{ending := Ending}, _) when Ending =:= hang; Ending =:= stuck ->
    {true, "no answer before the deadline"};
sign(no_answer, #{ending := {seen, #{answer := {error, {down, stuck}}}}, target_gone := true}, _) ->
    {true, "no answer, and the program was ended"};
sign(no_answer, Evidence, _) ->
    {false, answered(Evidence)};
sign({more_fds_or_forbidden, _}, #{ending := {seen, #{answer := {error, {down, seccomp}}}},
                                   target_gone := true}, _) ->
    {true, "the program ended by signal 31 (SIGSYS)"};
sign({more_fds_or_forbidden, Least}, Evidence, Pid) ->
    sign({more, fds, Least}, Evidence, Pid);
sign({more, What, Least}, #{grown := Grown} = Evidence, _) ->
    case maps:get(What, Grown) of
        More when More >= Least -> {true, io_lib:format("~b more ~s", [More, What])};
        More -> {false, [io_lib:format("only ~b more ~s; ", [More, What]), answered(Evidence)]}
    end;
sign(not_ok, #{ending := {seen, #{answer := {ok, _}}}} = Evidence, _) ->
    {false, answered(Evidence)};
sign(not_ok, Evidence, _) ->
    {true, answered(Evidence)};
sign({limit, Limits}, #{ending := {seen, #{answer := Answer}}} = Evidence, _) ->
    {limit(Answer, Limits), answered(Evidence)};
sign({limit, _}, Evidence, _) ->
    {true, answered(Evidence)};
sign(stopped, #{stopped := true}, _) ->
    {true, "the program was seen stopped"};
sign(stopped, _, _) ->
    {false, "the program was not seen stopped"}.

limit({error, {limit, Limit}}, Limits) -> lists:member(Limit, Limits);
limit({error, {down, stuck}}, Limits) -> lists:member(time, Limits); % the limit did not end it
limit({error, {down, Limit}}, Limits) -> lists:member(Limit, Limits);
limit(_, _) -> false.

signal(#{ending := {lost, {signal, Signal}}}) -> {ok, Signal, "the VM"};
signal(#{ending := {seen, #{answer := {error, {down, {signal, Name}}}}}}) ->
    {ok, number(Name), "the program"};
signal(_) -> none.

number(Number) when is_integer(Number) -> Number;
number(Name) -> maps:get(Name, #{ill => 4, abrt => 6, bus => 7, kill => 9, segv => 11}, 0).

verdict(_, #{ending := {lost, Status}} = Evidence) ->
    #{learned_at := LearnedAt, clean_at := CleanAt, served_at := ServedAt, healthy := Healthy,
      leaked := Leaked} = Evidence,
    At = injected_at(Evidence),
    #{outcome => node_lost, leaked => Leaked,
      lost => #{call => true, box => true, other_boxes => Healthy, node => true},
      learned => io_lib:format("the VM ended: ~tp", [Status]), detect_ns => LearnedAt - At,
      clean_ns => since(CleanAt, At), serve_ns => since(ServedAt, At), pause_ns => null};
verdict(_, #{ending := Ending} = Evidence) when Ending =:= hang; Ending =:= stuck ->
    #{served_at := ServedAt, healthy := Healthy, clean_at := CleanAt, leaked := Leaked} = Evidence,
    At = injected_at(Evidence),
    #{outcome => hang, leaked => Leaked,
      lost => #{call => true, box => true, node => Ending =:= stuck,
                other_boxes => maps:get(other_boxes, Evidence, Healthy)},
      learned => null, detect_ns => null, clean_ns => since(CleanAt, At),
      serve_ns => since(ServedAt, At), pause_ns => maps:get(pause_ns, Evidence, null)};
verdict(_, #{ending := {seen, #{answer := Answer, usable := Usable} = Seen}} = Evidence) ->
    #{leaked := Leaked, pause_ns := Pause, other_boxes := Others} = Evidence,
    At = injected_at(Evidence),
    Outcome = case {leaks(Leaked), Usable andalso Others =:= 0} of
                  {true, _} -> leak;
                  {false, true} -> contained;
                  {false, false} -> box_lost
              end,
    #{outcome => Outcome, leaked => Leaked,
      lost => #{call => not is_ok(Answer), box => not Usable, other_boxes => Others, node => false},
      learned => io_lib:format("~tP", [Answer, 12]), detect_ns => maps:get(answered_at, Seen) - At,
      clean_ns => since(maps:get(clean_at, Seen, null), At),
      serve_ns => since(maps:get(served_at, Seen), At), pause_ns => Pause};
verdict(#{name := Name}, #{ending := {rounds, Rounds}} = Evidence) ->
    #{leaked := Leaked, pause_ns := Pause, other_boxes := Others} = Evidence,
    Unclean = lists:member(null, [At || #{clean_at := At} <- Rounds]),
    Outcome = case {leaks(Leaked) orelse Unclean, Others} of
                  {true, _} -> leak;
                  {false, 0} -> contained; % its own box was to end
                  {false, _} -> box_lost
              end,
    [#{learned := Learned} | _] = Rounds,
    #{outcome => Outcome, leaked => Leaked, rounds => length(Rounds),
      lost => #{call => Name =:= mid_call, box => true, other_boxes => Others, node => false},
      learned => case Learned of
                     none -> null;
                     _ -> io_lib:format("~tP", [Learned, 12])
                 end,
      detect_ns => median(gone_at, Rounds), clean_ns => median(clean_at, Rounds),
      serve_ns => median(served_at, Rounds), pause_ns => Pause}.

is_ok({ok, _}) -> true;
is_ok(_) -> false.

leaks(Leaked) -> lists:any(fun(More) -> More > 0 end, maps:values(Leaked)).

%% The service's own stamp is nearest to the damage.
injected_at(#{proof := [#{at := At}]}) -> At;
injected_at(#{injected_at := At}) -> At.

since(null, _) -> null;
since(At, Since) -> At - Since.

median(Key, Rounds) ->
    Times = [since(maps:get(Key, Round), At) || #{killed_at := At} = Round <- Rounds],
    case lists:member(null, Times) of
        true -> null;
        false -> lists:nth((length(Times) + 1) div 2, lists:sort(Times))
    end.
