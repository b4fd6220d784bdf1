%% SPDX-License-Identifier: Apache-2.0
%% Every contract suite runs all of its cases once per strategy and mode. The list of modes is what
%% the rooms themselves report, so a new mode is tested without touching the suites.
-ifndef(TRIPOD_CONTRACT_HRL).
-define(TRIPOD_CONTRACT_HRL, true).

-include_lib("common_test/include/ct.hrl").
-include_lib("stdlib/include/assert.hrl").

-export([all/0, groups/0, init_per_suite/1, end_per_suite/1, init_per_group/2, end_per_group/2,
         init_per_testcase/2, end_per_testcase/2]).

all() -> [{group, Group} || {Group, _, _} <- groups()].

groups() -> [{Group, [], cases()} || Group <- contract:groups()].

init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(tripod),
    Config.

end_per_suite(_Config) -> application:stop(tripod).

init_per_group(Group, Config) -> contract:options(Group) ++ Config.

end_per_group(_Group, _Config) -> ok.

%% Each case must leave the node as it found it, and the mailbox empty.
init_per_testcase(_Case, Config) ->
    ok = contract:bind(),
    ok = contract:await_nothing_alive(),
    Config.

end_per_testcase(_Case, _Config) ->
    contract:await_nothing_alive().

-endif.
