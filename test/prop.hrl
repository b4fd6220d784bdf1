%% SPDX-License-Identifier: Apache-2.0
%% Debian's erlang-proper comes without PropEr's header; these are the macros of it that our
%% properties use, over PropEr's documented functions.
-ifndef(TRIPOD_PROP_HRL).
-define(TRIPOD_PROP_HRL, true).

-import(proper_types, [integer/0, integer/2, float/0, binary/0, boolean/0, atom/0, list/1, tuple/1,
                       oneof/1, frequency/1, exactly/1, resize/2]).

%% For all X of a type, Property holds.
-define(FORALL(X, Type, Property),
        proper:forall(Type, tap_prop:property(fun(X) -> Property end))).
%% A type made from a drawn value X of another.
-define(LET(X, Type, Made), proper_types:bind(Type, fun(X) -> Made end, false)).
%% Only values X for which Condition holds; PropEr gives up when that is rare.
-define(SUCHTHAT(X, Type, Condition),
        proper_types:add_constraint(Type, fun(X) -> Condition end, true)).
%% A type that depends on how large values should be by now.
-define(SIZED(Size, Type), proper_types:sized(fun(Size) -> Type end)).
%% Keeps a recursive type from unfolding for ever.
-define(LAZY(Type), proper_types:lazy(fun() -> Type end)).

-endif.
