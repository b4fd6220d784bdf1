%% SPDX-License-Identifier: Apache-2.0
%% What `tripod shell` runs beside the Erlang shell: Tripod, or why it does not start.
-module(tripod_cli_shell).

-export([start/0]).

-spec start() -> ok.
start() ->
    case application:ensure_all_started(tripod) of
        {ok, _} -> ok;
        {error, Reason} -> io:format(standard_error, "tripod: cannot start: ~tp~n", [Reason])
    end.
