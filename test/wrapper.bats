#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The `tripod` script itself, help, and how options reach the verbs.

bats_require_minimum_version 1.5.0

setup() {
    home=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
    cd "$BATS_TEST_TMPDIR" || return
}

# A copy of the command line with nothing but itself, in a directory with an awkward name.
lonely() {
    lone="$BATS_TEST_TMPDIR/lo ne \$(x)'\""
    mkdir -p "$lone/ebin"
    cp "$home/tripod" "$lone/"
    cp "$home"/ebin/tripod_cli*.beam "$home"/ebin/tripod_json.beam "$home"/ebin/tripod_strategy.beam "$lone/ebin/"
}

@test "it finds its home through symbolic links, from anywhere, with CDPATH set" {
    version=$("$home/tripod" --version)
    [[ "$version" == "tripod "[0-9]* ]]
    mkdir -p 'bin dir' other
    ln -s "$home/tripod" 'bin dir/absolute'
    ln -s '../bin dir/absolute' other/relative
    ln -s relative other/chained
    export CDPATH=/:/tmp
    for command in 'bin dir/absolute' other/relative other/chained "$PWD/other/chained"; do
        [ "$("./${command#"$PWD"/}" --version)" = "$version" ]
        [ "$("$BATS_TEST_TMPDIR/${command#"$PWD"/}" --version)" = "$version" ]
    done
    [ "$(PATH="$PWD/other:$PATH" chained --version)" = "$version" ]
    [ "$(cd other && sh chained --version)" = "$version" ]
    [ "$(cd "$home" && sh tripod --version)" = "$version" ]
}

@test "not built, or no erl: status 2 and what to do" {
    lonely
    rm -r "$lone/ebin"
    run --separate-stderr "$lone/tripod" run x.lua
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$stderr" = "tripod: not built yet: run 'make' in $lone" ]
    ERL=no-such-erl run --separate-stderr "$home/tripod" --version
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "$stderr" == "tripod: 'no-such-erl' was not found: install Erlang/OTP"* ]]
}

@test "help is data, a wrong command is not" {
    for ask in --help -h help; do
        run --separate-stderr "$home/tripod" $ask
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
        [[ "$output" == "usage: tripod COMMAND"* ]]
    done
    run --separate-stderr "$home/tripod"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "$stderr" == "usage: tripod COMMAND"* ]]
}

@test "every command in the help explains itself within 80 columns, without colour" {
    names=$("$home/tripod" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
    [[ "$names" == *run*shell* ]]
    for name in $names; do
        run --separate-stderr "$home/tripod" "$name" --help
        echo "$name: $output $stderr"
        [ "$status" -eq 0 ]
        [[ "$output" == "usage: tripod $name "* ]]
        ! grep -E '.{81}' <<<"$output"
        ! grep $'\e' <<<"$output"
        [ "$("$home/tripod" help "$name")" = "$output" ]
    done
}

@test "a command that is not in this build is not offered" {
    lonely
    run "$lone/tripod" --help
    [[ "$output" == *"  run "* ]]
    [[ "$output" != *"  bench "* ]]
    run --separate-stderr "$lone/tripod" bench
    [ "$status" -eq 2 ]
    [[ "$stderr" == "tripod: there is no command bench"*"commands: run, shell" ]]
}

@test "nothing but data on standard output: no logger, no ~/.erlang" {
    lonely
    echo 'io:format("from .erlang~n").' >.erlang
    HOME=$PWD ERL_AFLAGS='-eval error_logger:error_report(logged)' run --separate-stderr "$lone/tripod" --version
    [ "$status" -eq 0 ]
    [ "$output" = "tripod (no application file)" ]
    [[ "$stderr" == *logged* ]]
}

@test "options reach a verb parsed; its status is the command's" {
    lonely
    cat >tripod_bench.erl <<'ERL'
-module(tripod_bench).
-export([main/1]).
main(Options) -> tripod_cli:data(io_lib:format("~0tp~n", [Options])), 7.
ERL
    erlc -o "$lone/ebin" tripod_bench.erl
    run --separate-stderr "$lone/tripod" bench --quick --only=call,payload --strategy nif,port_program \
        --script 'my file' --out 'a dir' --json -- 7 '{"a":[null]}' 'no json'
    echo "$output $stderr"
    [ "$status" -eq 7 ]
    [ -z "$stderr" ]
    for part in 'quick => true' 'only => ["call","payload"]' 'strategies => [nif,port_program]' \
        'script => "my file"' 'out => "a dir"' 'json => true' \
        'args => [7,#{<<"a">> => [nil]},<<"no json">>]'; do
        [[ "$output" == *"$part"* ]]
    done
    run --separate-stderr "$lone/tripod" bench
    for part in 'quick => false' 'only => []' 'strategies => [port_program,port_driver,nif]' \
        'script => undefined' 'out => "results/2' 'json => false' 'args => []'; do
        [[ "$output" == *"$part"* ]]
    done
    run --separate-stderr "$lone/tripod" bench stray
    [ "$status" -eq 2 ]
    [[ "$stderr" == *'takes arguments with --script only, not "stray"'* ]]
    run --separate-stderr "$lone/tripod" bench --strategy nif,foo
    [ "$status" -eq 2 ]
    [[ "$stderr" == *'--strategy must be one of port_program, port_driver, nif, not "foo"'* ]]
}

@test "a verb that fails unexpectedly is status 4 and says so on standard error" {
    lonely
    cat >tripod_bench.erl <<'ERL'
-module(tripod_bench).
-export([main/1]).
main(#{quick := false}) -> error(died);
main(#{quick := true}) -> spawn_link(fun() -> exit(linked_death) end), receive never -> 0 end.
ERL
    erlc -o "$lone/ebin" tripod_bench.erl
    run --separate-stderr "$lone/tripod" bench
    [ "$status" -eq 4 ]
    [ -z "$output" ]
    [[ "$stderr" == *"this should not have happened: error:died"* ]]
    run --separate-stderr "$lone/tripod" bench --quick
    [ "$status" -eq 4 ]
    [[ "$stderr" == "tripod: ended by a linked process: linked_death" ]]
    [ ! -e erl_crash.dump ]
}

@test "shell starts erl with Tripod running" {
    # The shell may be quicker than Tripod: asked for up to ten seconds.
    cat >ask <<'ERL'
lists:any(fun(_) -> timer:sleep(10), whereis(tripod_sup) =/= undefined end, lists:seq(1, 1000)).
halt(3).
ERL
    run bash -c "'$home/tripod' shell <ask"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *"tripod:open("* ]]
    grep -q '^\([0-9]*> \)\?true' <<<"$output"
}
