%% SPDX-License-Identifier: Apache-2.0
%% `tripod report`: from DIR/results.jsonl to DIR/report.md and DIR/report.html. Where they lie is
%% said on standard output, everything else on standard error.
%%
%% Exit status: 0 written; 1 written, but lines were broken and left out; 2 there is nothing to report,
%% or the report cannot be written.
-module(tripod_report).

-export([main/1, write/1]).

-type options() :: #{args := [file:filename()], atom() => term()}.

-spec main(options()) -> 0..2.
main(#{args := Args}) ->
    case directory(Args) of
        {ok, Dir} ->
            case write(Dir) of
                {ok, Facts, Files} ->
                    ok = tripod_cli:data([[tripod_cli:text(File), $\n] || File <- Files]),
                    case tripod_report_facts:broken(Facts) of
                        [] -> 0;
                        _ -> 1
                    end;
                {error, Text} ->
                    refused(Text)
            end;
        {error, Text} ->
            refused(Text)
    end.

refused(Text) ->
    ok = tripod_cli:say("tripod report: ~ts", [Text]),
    2.

%% Without an argument: where the newest results are.
directory([Dir]) ->
    {ok, Dir};
directory([]) ->
    Files = filelib:wildcard("results/*/results.jsonl") ++ filelib:wildcard("results/results.jsonl"),
    case lists:sort([{filelib:last_modified(File), File} || File <- Files]) of
        [] -> {error, "there are no results under results/: `tripod compare` makes some; or name a "
                      "directory"};
        Dated ->
            {_, Newest} = lists:last(Dated),
            {ok, filename:dirname(Newest)}
    end.

%% Writes both files, and says on standard error what is wrong with what they are made of.
-spec write(file:filename()) ->
          {ok, tripod_report_facts:facts(), [file:filename()]} | {error, unicode:chardata()}.
write(Dir) ->
    File = filename:join(Dir, "results.jsonl"),
    case tripod_report_input:read(File) of
        {ok, #{runs := [], broken := []}} ->
            {error, [tripod_cli:text(File), " holds no results"]};
        {ok, #{runs := []}} ->
            {error, [tripod_cli:text(File), " holds no results, only lines that cannot be read"]};
        {ok, #{broken := Broken} = Input} ->
            ok = lists:foreach(fun({Line, Why}) ->
                                       tripod_cli:say("tripod report: ~ts:~b: ~ts; left out",
                                                      [tripod_cli:text(File), Line, Why])
                               end, Broken),
            written(Dir, tripod_report_facts:new(File, Input));
        {error, enoent} ->
            {error, ["there is no ", tripod_cli:text(File)]};
        {error, Why} ->
            {error, ["cannot read ", tripod_cli:text(File), ": ", file:format_error(Why)]}
    end.

written(Dir, Facts) ->
    Doc = tripod_report_doc:report(Facts),
    {Page, Drawn} = tripod_report_html:export(Doc),
    ok = case Drawn of
             drawn -> ok;
             {undrawn, Why} -> tripod_cli:say("tripod report: charts are missing: ~ts", [Why])
         end,
    Files = [{filename:join(Dir, "report.md"), tripod_report_md:export(Doc)},
             {filename:join(Dir, "report.html"), Page}],
    case [{File, Error} || {File, Text} <- Files,
                           {error, Error} <- [file:write_file(File, unicode:characters_to_binary(Text))]] of
        [] -> {ok, Facts, [File || {File, _} <- Files]};
        [{File, Error} | _] -> {error, ["cannot write ", tripod_cli:text(File), ": ", file:format_error(Error)]}
    end.
