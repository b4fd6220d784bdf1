%% SPDX-License-Identifier: Apache-2.0
%% `tripod kill`: ends owners in every way and sees what is left of their boxes, on the artefacts that
%% are shipped.
-module(tripod_kill).

-export([main/1]).

-spec main(tripod_fault_run:options()) -> 0..2.
main(Options) ->
    tripod_fault_run:main(#{name => kill, faults => tripod_fault_kinds:kill(), hidden => [],
                            service => lua, artefacts => default},
                          Options).
