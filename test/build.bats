#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The build itself: that counting is honest, that set-up asks before it acts, that what changed is
# rebuilt, and that a rebar3 project can depend on this one.

setup() {
    cd "$BATS_TEST_DIRNAME/.." || return
    unset MAKEFLAGS MAKELEVEL MFLAGS
}

tap() {
    printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/t.tap"
    run build-aux/tally "$BATS_TEST_TMPDIR/t.tap"
}

@test "tally: passed, failed and skipped are added over files" {
    printf 'ok a\nok b # SKIP why\n1..2\n# exit 0\n' >"$BATS_TEST_TMPDIR/a.tap"
    printf 'ok c\nnot ok d\n# because\n1..2\n# exit 1\n' >"$BATS_TEST_TMPDIR/b.tap"
    run build-aux/tally "$BATS_TEST_TMPDIR/a.tap" "$BATS_TEST_TMPDIR/b.tap"
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = "2 passed, 1 failed, 1 skipped" ]
    [[ $output == *"not ok d"*"# because"* ]]
    run build-aux/tally "$BATS_TEST_TMPDIR/a.tap"
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "1 passed, 0 failed, 1 skipped" ]
}

@test "tally: what did not run to its end did not pass" {
    tap 'ok a' '1..1'
    [ "$status" -eq 1 ] && [[ $output == *"was cut off"* ]]
    tap '1..0' '# exit 0'
    [ "$status" -eq 1 ] && [[ $output == *"no test was executed"* ]]
    tap 'ok a' '1..2' '# exit 0'
    [ "$status" -eq 1 ] && [[ $output == *"1 tests of 2 planned"* ]]
    tap 'ok a' '1..1' '# exit 3'
    [ "$status" -eq 1 ] && [[ $output == *"exit status 3"* ]]
    run build-aux/tally "$BATS_TEST_TMPDIR/none.tap"
    [ "$status" -eq 1 ]
    run build-aux/tally
    [ "$status" -eq 1 ]
}

program() {
    { echo '#!/bin/sh'; cat; } >"$BATS_TEST_TMPDIR/program"
    chmod +x "$BATS_TEST_TMPDIR/program"
    run build-aux/tap-c "$BATS_TEST_TMPDIR/program"
}

@test "tap-c: reads cmocka's TAP, skips included" {
    program <<<'printf "1..3\nok 1 - a\nnot ok 2 - b\n# why\nnot ok 3 # SKIP c\n"; exit 1'
    [ "$status" -eq 1 ]
    [ "$output" = $'ok program.a\nnot ok program.b\n#   why\nok program.c # SKIP\n1..3' ]
}

@test "tap-c: a program that dies, hangs or stops early failed" {
    program <<<'printf "1..1\nok 1 - a\n"; kill -SEGV $$'
    [ "$status" -eq 1 ] && [[ $output == *"not ok program (exited with 139"* ]]
    program <<<'printf "1..2\nok 1 - a\n"'
    [ "$status" -eq 1 ] && [[ $output == *"ran 1 of 2 tests"* ]]
    program <<<'exit 0'
    [ "$status" -eq 1 ] && [[ $output == *"ran 0 of 0 tests"* ]]
    SECONDS_EACH=1 program <<<'printf "1..1\nok 1 - a\n"; exec sleep 100'
    [ "$status" -eq 1 ] && [[ $output == *"took too long"* ]]
}

@test "tap-c: what it runs ends with it" {
    printf '#!/bin/sh\necho $$ >"${0%%/*}/pid"\nexec sleep 100\n' >"$BATS_TEST_TMPDIR/program"
    chmod +x "$BATS_TEST_TMPDIR/program"
    build-aux/tap-c "$BATS_TEST_TMPDIR/program" 3>&- &
    for _ in $(seq 300); do
        [ ! -s "$BATS_TEST_TMPDIR/pid" ] || break
        sleep 0.1
    done
    pid=$(cat "$BATS_TEST_TMPDIR/pid")
    kill -0 "$pid"
    kill $!
    wait $! || status=$?
    [ "$status" -eq 130 ]
    run kill -0 "$pid"
    [ "$status" -ne 0 ]
}

@test "progress: the time left is guessed from the last time" {
    plan=$BATS_TEST_TMPDIR/run
    printf 'a 3000\nb 1000\n' >"$plan.seconds"
    build-aux/progress begin "$plan" a b c
    run build-aux/progress step "$plan" a
    # c, which is new, is thought to take as long as the others do: 6000 seconds at least.
    [[ $output =~ ^"  0 %  "[0-9]+":"[0-9][0-9]" left  a"$ ]]
    minutes=${output#*%  }
    [ "${minutes%%:*}" -ge 100 ]
    build-aux/progress over "$plan"
    build-aux/progress begin "$plan" a c
    run build-aux/progress step "$plan" a
    minutes=${output#*%  }
    [ "${minutes%%:*}" -lt 100 ]
    sed -i 's/^printed .*/printed 0/' "$plan.steps"
    run build-aux/progress step "$plan" c
    [[ $output == *" left  c" ]]
}

# A path on which only these commands exist.
bare_path() {
    mkdir "$BATS_TEST_TMPDIR/bin"
    for command in sh env sed awk grep tr cut dirname id find head ls cat expand printf "$@"; do
        ln -s "$(command -v "$command")" "$BATS_TEST_TMPDIR/bin/$command"
    done
    bare=$BATS_TEST_TMPDIR/bin
}

@test "deps: DEPS=skip names what is missing, changes nothing, stops when it is essential" {
    bare_path
    printf '#!/bin/sh\necho called >"%s/called"\n' "$BATS_TEST_TMPDIR" >"$bare/apt-get"
    chmod +x "$bare/apt-get"
    PATH=$bare DEPS=skip run build-aux/deps build bench
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "needs: "*" erlang-base "*" hyperfine "* ]]
    [[ ${lines[1]} == "missing: "*" erlang-base "*" hyperfine "* ]]
    [[ ${lines[2]} == *"cannot do without:"*"erlang-base"* && ${lines[2]} != *hyperfine* ]]
    PATH=$bare DEPS=skip run build-aux/deps bench
    [ "$status" -eq 0 ]
    [[ ${lines[2]} == *"going on without: hyperfine"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/called" ]
}

@test "deps: a system without apt-get gets the list and a clear stop" {
    bare_path
    PATH=$bare run build-aux/deps build bench
    [ "$status" -eq 2 ]
    [[ ${lines[-1]} == "no apt-get here: "*" erlang-base "*" hyperfine "* ]]
}

@test "deps: installs only what is missing, without questions or recommended packages" {
    bare_path
    for command in apt-cache id; do
        printf '#!/bin/sh\necho 0\n' >"$bare/.$command" && chmod +x "$bare/.$command"
        mv -f "$bare/.$command" "$bare/$command"
    done
    printf '#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >>"%s/called"\n' "$BATS_TEST_TMPDIR" >"$bare/apt-get"
    printf '#!/bin/sh\n' >"$bare/gnuplot"
    chmod +x "$bare/apt-get" "$bare/gnuplot"
    PATH=$bare run build-aux/deps bench
    [ "$status" -eq 0 ]
    run grep install "$BATS_TEST_TMPDIR/called"
    [[ $output == "noninteractive "*" -y "*"install --no-install-recommends hyperfine lua5.4 erlang-luerl" ]]
}

@test "make: reads its file where neither erl nor pkg-config exists, and says what is missing" {
    bare_path mkdir cmp mv rm
    PATH=$bare run "$(command -v make)" help
    [ "$status" -eq 0 ]
    [[ $output == *"make compare"* ]]
    PATH=$bare run build-aux/deps --check build
    [ "$status" -eq 2 ]
    [[ $output == "missing:"*"erlang-base"*"make deps"* ]]
}

@test "make: other flags, another header or nothing new: rebuilt, rebuilt, left alone" {
    build=$BATS_TEST_TMPDIR/build
    object=$build/core/census.o
    run make BUILD="$build" "$object"
    [ "$status" -eq 0 ] && [[ $output == *"core/census.c"* ]]
    run make BUILD="$build" "$object"
    [ "$status" -eq 0 ] && [[ $output != *"core/census.c"* ]]
    run make BUILD="$build" CFLAGS=-DOTHER "$object"
    [ "$status" -eq 0 ] && [[ $output == *"core/census.c"* ]]
    run make BUILD="$build" CFLAGS=-DOTHER -W core/census.h "$object"
    [ "$status" -eq 0 ] && [[ $output == *"core/census.c"* ]]
}

@test "rebar3: a project that depends on Tripod compiles, and all strategies answer" {
    command -v rebar3 >/dev/null || skip "rebar3 is not here"
    project=$BATS_TEST_TMPDIR/consumer
    mkdir -p "$project/src" "$project/_checkouts/tripod"
    cp -r Makefile rebar.config build-aux core nif port_driver port_program "$project/_checkouts/tripod"
    cd "$project" || return
    echo '{deps, [tripod]}.' >rebar.config
    echo '{application, consumer, [{description, ""}, {vsn, "1"},
        {applications, [kernel, stdlib, tripod]}]}.' >src/consumer.app.src
    cat >src/consumer.erl <<'ERL'
-module(consumer).
-export([main/0]).
main() ->
    {ok, _} = application:ensure_all_started(tripod),
    lists:foreach(fun(Strategy) ->
                          {ok, Box} = tripod:open(Strategy, #{}),
                          {ok, [42]} = tripod_lua:eval(Box, <<"return 6 * 7">>),
                          io:format("~s answers~n", [Strategy])
                  end, tripod_strategy:all()),
    halt().
ERL
    HOME=$BATS_TEST_TMPDIR run rebar3 compile
    [ "$status" -eq 0 ]
    run erl -noshell -pa _build/default/lib/*/ebin _build/default/checkouts/*/ebin -s consumer main
    [ "$status" -eq 0 ]
    [ "$output" = $'port_program answers\nport_driver answers\nnif answers' ]
}

@test "lua-library: inside the artefacts if that links, shared if told so" {
    out=$BATS_TEST_TMPDIR/lua.libs
    run build-aux/lua-library inside "$out"
    [ "$status" -eq 0 ] && [ -z "$output" ]
    [[ $(<"$out") == "$BATS_TEST_TMPDIR/lua.a "* ]]
    printf 'int luaopen_base(void *); int main(void) { return luaopen_base(0); }' >"$out.c"
    # shellcheck disable=SC2046 # words
    cc -shared -fPIC -o "$out.so" "$out.c" $(<"$out") -lm
    run nm -D --defined-only "$out.so"
    [[ $output == *main* && $output != *lua* ]]
    run readelf -d "$out.so"
    [[ $output != *liblua* && $output != *TEXTREL* ]]
    run build-aux/lua-library shared "$out"
    [ "$status" -eq 0 ] && [[ $(<"$out") == "-l"* ]]
}

@test "lua-library: shared when the static library cannot be had, and says why" {
    out=$BATS_TEST_TMPDIR/lua.libs
    OBJCOPY=false run build-aux/lua-library auto "$out"
    [ "$status" -eq 0 ] && [[ $output == "note: the shared library of Lua"*"could not be changed"* ]]
    [[ $(<"$out") == "-l"* ]]
    OBJCOPY=false run build-aux/lua-library inside "$out.2"
    [ "$status" -eq 1 ] && [[ $output == *"LUA_LINK=shared"* ]] && [ ! -e "$out.2" ]
    run build-aux/lua-library yes "$out.2"
    [ "$status" -eq 2 ] && [[ $output == *"auto, inside, shared"* ]]
}

@test "lua-library: no library that a script can crash is taken without a word" {
    out=$BATS_TEST_TMPDIR/lua.libs
    probe() {
        # shellcheck disable=SC2046 # words
        cc $(pkg-config --cflags lua5.4) -o "$out.probe" build-aux/lua-probe.c $(<"$out") -lm -ldl
        run sh -c 'ulimit -c 0; "$1"; exit $?' sh "$out.probe"
    }
    build-aux/lua-library inside "$out"
    probe
    [ "$status" -eq 0 ]
    run build-aux/lua-library shared "$out"
    said=$output
    probe
    [ "$status" -eq 0 ] || [[ $said == "warning: "*lua_concat.c* ]]
}

@test "lua-library: a static library of another release is not taken" {
    printf '#!/bin/sh\n[ "$1" = -print-file-name=liblua5.4.a ] && exec echo "%s"\nexec cc "$@"\n' \
        "$BATS_TEST_TMPDIR/liblua5.4.a" >"$BATS_TEST_TMPDIR/cc"
    chmod +x "$BATS_TEST_TMPDIR/cc"
    sed 's/Lua 5\.4\.[0-9]*/Lua 5.4.x/g' "$(cc -print-file-name=liblua5.4.a)" >"$BATS_TEST_TMPDIR/liblua5.4.a"
    CC=$BATS_TEST_TMPDIR/cc run build-aux/lua-library auto "$BATS_TEST_TMPDIR/lua.libs"
    [ "$status" -eq 0 ] && [[ $output == *"is not the headers' Lua 5.4."* ]]
}
