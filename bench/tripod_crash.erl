%% SPDX-License-Identifier: Apache-2.0
%% `tripod crash`: breaks the service in every way and sees how far it reaches. The artefacts are those
%% of `make faults`, whose service does what it is told.
-module(tripod_crash).

-export([main/1]).

-spec main(tripod_fault_run:options()) -> 0..2.
main(Options) ->
    tripod_fault_run:main(#{name => crash, faults => tripod_fault_kinds:crash(),
                            hidden => tripod_fault_kinds:planted(), service => faults,
                            artefacts => artefacts()},
                          Options).

artefacts() ->
    Ebin = filename:dirname(filename:absname(code:which(?MODULE))),
    filename:join([filename:dirname(Ebin), "build", "faults", "priv"]).
