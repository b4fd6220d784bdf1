%% SPDX-License-Identifier: Apache-2.0
%% How to reproduce: commands that do the same again, and what they were done with.
-module(tripod_report_reproduce).

-export([sections/1]).

-spec sections(tripod_report_facts:facts()) -> [tripod_report_doc:section()].
sections(Facts) ->
    [#{id => "reproduce", title => "How to reproduce",
       blocks => [{commands, checkout(Facts) ++ commands(Facts)},
                  {paragraph, versions(Facts)},
                  {paragraph, ["Every number here comes from ",
                               {code, tripod_cli:text(tripod_report_facts:source(Facts))},
                               ", one JSON object a line; docs/results-schema.json describes it. Times differ "
                               "from machine to machine; ratios to the floors of the same run differ less."]}]}].

checkout(Facts) ->
    case tripod_report_facts:env(Facts) of
        #{<<"git">> := Git} when is_binary(Git) ->
            %% git describe: v1.0-3-gabcdef, abcdef, each perhaps with -dirty.
            Revision = lists:last(binary:split(binary:replace(Git, <<"-dirty">>, <<>>), <<"-g">>, [global])),
            case re:run(Revision, "^[0-9a-zA-Z._-]+$") of
                {match, _} -> [["git checkout ", Revision, " && make"]];
                nomatch -> []
            end;
        #{} ->
            []
    end.

%% One command when a comparison was asked for; its parts otherwise.
commands(Facts) ->
    case tripod_report_facts:run(compare, Facts) of
        {ok, Run} -> [command("compare", Run)];
        none -> [command(atom_to_list(Command), Run) || {Command, Run} <- tripod_report_facts:runs(Facts)]
    end.

%% The words that were typed, if the results have them; otherwise such that the same is done.
command(_, #{argv := [_ | _] = Words}) ->
    lists:join(" ", ["./tripod" | [quoted(Word) || Word <- Words]]);
command(Name, #{level := Level, scenarios := Scenarios, strategies := Strategies, script := Script}) ->
    lists:join(" ", ["./tripod", Name] ++ ["--quick" || Level =:= <<"quick">>]
               ++ lists:append([[Flag, quoted(iolist_to_binary(lists:join(",", Words)))]
                                || {Flag, Words} <- [{"--only", Scenarios}, {"--strategy", Strategies}],
                                   Words =/= []])
               ++ lists:append([["--script", quoted(Script)] || is_binary(Script)])).

%% As a shell reads it.
quoted(Word) ->
    case re:run(Word, "^[A-Za-z0-9_./,:=+-]+$") of
        {match, _} -> Word;
        nomatch -> ["'", binary:replace(Word, <<"'">>, <<"'\\''">>, [global]), "'"]
    end.

versions(Facts) ->
    Env = tripod_report_facts:env(Facts),
    Titles = [{<<"git">>, "Tripod, git revision"}, {<<"otp">>, "Erlang/OTP"}, {<<"lua">>, "library"},
              {<<"system">>, "on"}, {<<"kernel">>, "Linux"}],
    Texts = [[Title, " ", Value] || {Key, Title} <- Titles, #{Key := Value} <- [Env], is_binary(Value)],
    case Texts of
        [] -> "This file does not say with which versions it was made.";
        _ -> ["Made with ", lists:join(", ", Texts), ".",
              [" The revision had changes that are not in it." || is_dirty(Env)]]
    end.

is_dirty(#{<<"git">> := Git}) when is_binary(Git) -> binary:match(Git, <<"-dirty">>) =/= nomatch;
is_dirty(#{}) -> false.
