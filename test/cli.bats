#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `tripod run`: what it prints and how it ends, over every strategy; how Ctrl-C ends it.

bats_require_minimum_version 1.5.0

setup() {
    tripod="$BATS_TEST_DIRNAME/../tripod"
    strategies="port_program port_driver nif"
    cd "$BATS_TEST_TMPDIR" || return
}

# chunk NAME: standard input as a file.
chunk() {
    cat >"$1"
}

# runs STATUS STDOUT ARGUMENT...: `tripod run` prints exactly that line, nothing on standard error.
runs() {
    local status_wanted=$1 line=$2
    shift 2
    run --separate-stderr "$tripod" run "$@"
    echo "run $*: status $status, stdout: $output, stderr: $stderr"
    [ "$status" -eq "$status_wanted" ]
    [ "$output" = "$line" ]
    [ -z "$stderr" ]
}

# refuses TEXT ARGUMENT...: usage error that says TEXT, nothing on standard output.
refuses() {
    local text=$1
    shift
    run --separate-stderr "$tripod" "$@"
    echo "$*: status $status, stdout: $output, stderr: $stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [[ "$stderr" == *"$text"* ]]
}

@test "run prints the last chunk's results as one line of JSON" {
    chunk values.lua <<'LUA'
return nil, true, 7, -1.5, 2.0, "g\u{fc}n\n", "\xff", {}, {1, {2}}, {a = 1, [3] = "x"}
LUA
    for via in $strategies; do
        runs 0 '{"ok":[null,true,7,-1.5,2.0,"gün\n",{"base64":"/w=="},[],[1,[2]],{"3":"x","a":1}]}' \
            --via "$via" values.lua
    done
    runs 0 '{"ok":[null,true,7,-1.5,2.0,"gün\n",{"base64":"/w=="},[],[1,[2]],{"3":"x","a":1}]}' \
        --json values.lua
}

@test "several files share one box, in order" {
    echo 'count = (count or 0) + 1' | chunk one.lua
    echo 'return count' | chunk last.lua
    for via in $strategies; do
        runs 0 '{"ok":[2]}' --via="$via" one.lua one.lua last.lua
    done
    echo 'error("stop")' | chunk stop.lua
    run --separate-stderr "$tripod" run one.lua stop.lua last.lua
    [ "$status" -eq 1 ]
    [[ "$output" == *'"message":"stop.lua:1: stop"'* ]]
}

@test "- is standard input: a pipe, a file, nothing, alone or between files" {
    echo 'x = 20' | chunk x.lua
    echo 'return x + y' | chunk sum.lua
    echo 'y = 22' >y.lua
    runs 0 '{"ok":[42]}' x.lua - sum.lua <y.lua
    run bash -c "echo 'return 1' | '$tripod' run -"
    [ "$output" = '{"ok":[1]}' ]
    runs 0 '{"ok":[]}' - </dev/null
    refuses "can be read only once" run - x.lua - </dev/null
}

@test "run takes no input that it was not asked for" {
    echo 'return 1' | chunk one.lua
    run bash -c "printf 'kept\n' | { '$tripod' run one.lua >/dev/null; cat; }"
    [ "$output" = kept ]
}

@test "a Lua error is status 1 and says chunk, line and traceback" {
    printf 'local function f()\n  error("bo\\"om")\nend\nf()\n' | chunk bad.lua
    for via in $strategies; do
        run --separate-stderr "$tripod" run --via "$via" bad.lua
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == '{"error":{"kind":"lua","detail":{'*'}}}' ]]
        [[ "$output" == *'"message":"bad.lua:2: bo\"om"'* ]]
        [[ "$output" == *'"traceback":"stack traceback:'*'bad.lua:4: in main chunk'* ]]
    done
    echo 'return return' | chunk syntax.lua
    run --separate-stderr "$tripod" run syntax.lua
    [ "$status" -eq 1 ]
    [[ "$output" == *'"message":"syntax.lua:1: '* ]]
}

@test "a result that cannot leave Lua is badterm, status 1, with its path" {
    echo 'return 1, {a = {true, print or error}}' | chunk fun.lua
    for via in $strategies; do
        runs 1 '{"error":{"kind":"badterm","detail":[2,"a",2]}}' --via "$via" fun.lua
    done
}

@test "limits are status 3" {
    echo 'while true do end' | chunk loop.lua
    echo 'local t = {} for i = 1, math.huge do t[i] = {i} end' | chunk bomb.lua
    for via in $strategies; do
        runs 3 '{"error":{"kind":"limit","detail":"time"}}' --via "$via" --time-ms 100 loop.lua
        runs 3 '{"error":{"kind":"limit","detail":"memory"}}' \
            --via "$via" --memory-bytes 1000000 bomb.lua
    done
    # The limit is each file's own: together these take longer, each far less.
    echo 'local t = os.clock() while os.clock() - t < 0.1 do end' | chunk busy.lua
    for _ in {1..31}; do files+=(busy.lua); done
    runs 0 '{"ok":[]}' --time-ms 3000 "${files[@]}"
}

@test "a box that is lost is down, status 4" {
    # Doubling leaps over the hard cap from below the soft one: the box goes, Erlang stays.
    echo 'local s = "x" while true do s = s .. s end' | chunk double.lua
    for via in $strategies; do
        runs 4 '{"error":{"kind":"down","detail":"memory"}}' \
            --via "$via" --memory-bytes 4194304 double.lua
    done
}

@test "every mode of every strategy can be named" {
    echo 'return 1' | chunk one.lua
    runs 0 '{"ok":[1]}' --via nif --mode yield one.lua
    runs 0 '{"ok":[1]}' --via port_driver --mode inline one.lua
    runs 0 '{"ok":[1]}' --via port_program --mode process one.lua
    refuses '--mode must be one of [process' run --via port_program --mode yield one.lua
    refuses '--mode must be one of [process' run --mode no_such_mode_anywhere one.lua
}

@test "usage errors are status 2, say what to do, and run nothing" {
    echo 'while true do end' | chunk loop.lua
    refuses 'there is no option --vai; did you mean --via?' run --vai nif loop.lua
    refuses 'try: tripod run --help' run --vai nif loop.lua
    refuses 'not "nfi"; did you mean nif?' run --via nfi loop.lua
    refuses '--via needs a value: STRATEGY' run loop.lua --via
    refuses '--time-ms must be a whole number greater than 0, not "soon"' run --time-ms soon loop.lua
    refuses '--time-ms must be a whole number greater than 0, not "0"' run --time-ms=0 loop.lua
    refuses '--time-ms must be an integer from 1 to 4294967295' run --time-ms 99999999999 loop.lua
    refuses '--memory-bytes must be an integer from 65536' run --memory-bytes 9 loop.lua
    refuses '--json takes no value' run --json=yes loop.lua
    refuses 'needs at least one FILE' run
    refuses 'missing.lua: no such file or directory' run loop.lua missing.lua
    refuses '/: illegal operation on a directory' run /
    refuses 'there is no command rnu; did you mean run?' rnu loop.lua
    refuses 'usage: tripod COMMAND'
}

@test "file names may hold anything; the chunk is named after the file" {
    dir=$'a b;$(touch pwned)\'"\\/-x*?'
    mkdir -p "$dir"
    for name in '--via' '-' $'new\nline' '$(touch pwned).lua' 'ü"'"'" $'\xff\xfe' '+Bi' '-extra'; do
        echo 'return 1' >"$dir/$name"
        runs 0 '{"ok":[1]}' "$dir/$name"
    done
    (cd "$dir" && runs 0 '{"ok":[1]}' -- --via '-extra' '+Bi' ./-)
    echo 'error("x")' >$'\xff.lua'
    run --separate-stderr "$tripod" run $'\xff.lua'
    [[ "$output" == *'"message":"ÿ.lua:1: x"'* ]]
    echo 'error("x")' >'ü.lua'
    LC_ALL=C run --separate-stderr "$tripod" run 'ü.lua'
    [[ "$output" == *'"message":"ü.lua:1: x"'* ]]
    LC_ALL=C refuses 'ö: no such file' run 'ö'
    [ -z "$(find . -name pwned)" ]
}

@test "a first line that starts with # and a byte order mark are skipped, lines still count" {
    printf '#!/usr/bin/env lua\nerror("x")' | chunk hash.lua
    run "$tripod" run hash.lua
    [[ "$output" == *'"message":"hash.lua:2: x"'* ]]
    printf '\xef\xbb\xbfreturn 1' | chunk bom.lua
    runs 0 '{"ok":[1]}' bom.lua
    printf '# only this' | chunk only.lua
    runs 0 '{"ok":[]}' only.lua
}

@test "a large answer arrives whole, also through a slow reader; a full disk is noticed" {
    echo 'return ("x"):rep(3000000)' | chunk large.lua
    run bash -c "'$tripod' run large.lua | { IFS= read -r -N 1 first; printf %s \"\$first\"; cat; } | wc -c"
    [ "$output" -eq 3000012 ]
    run bash -c "'$tripod' run large.lua | head -c 5; exit \${PIPESTATUS[0]}"
    [ "$status" -eq 0 ]
    [ "$output" = '{"ok"' ]
    if [ -e /dev/full ]; then
        run --separate-stderr bash -c "'$tripod' run large.lua >/dev/full"
        [ "$status" -eq 4 ]
        [[ "$stderr" == *'cannot write to standard output'* ]]
    fi
}

# The process and all its descendants.
family() {
    local pid child
    for pid in "$@"; do
        echo "$pid"
        for child in $(cat /proc/"$pid"/task/*/children 2>/dev/null); do family "$child"; done
    done
}

cpu_ticks() {
    sed 's/.*) //' /proc/"$1"/stat 2>/dev/null | cut -d ' ' -f 12,13 | tr ' ' '+' | { read -r sum; echo $((sum)); }
}

# Until every process of the list is gone (or a zombie that only its parent can bury).
gone() {
    local pid deadline=$((SECONDS + 60))
    for pid in "$@"; do
        while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
            [ "$SECONDS" -lt "$deadline" ] || { echo "still there: $pid $(tr '\0' ' ' </proc/"$pid"/cmdline)"; return 1; }
            sleep 0.01
        done
    done
}

# begins STRATEGY: an endless loop in a process group of its own; sets pid and members.
begins() {
    local busy=0 deadline=$((SECONDS + 120))
    echo 'while true do end' | chunk loop.lua
    set -m # a process group
    # SIGINT stays ignored in whatever a background job of a script starts, which we may be.
    env --default-signal=INT "$tripod" run --via "$1" --time-ms 60000 loop.lua >out 2>err 3>&- &
    pid=$!
    set +m
    # A second of processor time: only the loop explains it.
    while [ "$busy" -lt 100 ]; do
        [ "$SECONDS" -lt "$deadline" ]
        members=$(family "$pid")
        busy=0
        for member in $members; do busy=$((busy + $(cpu_ticks "$member" || echo 0))); done
        sleep 0.05
    done
}

# The port programs among the members.
programs() {
    for member in $members; do
        ! tr '\0' '\n' <"/proc/$member/cmdline" 2>/dev/null | grep -q tripod_port_program || echo "$member"
    done
}

# ends SIGNAL STATUS STRATEGY: the signal reaches the process group in the middle of a call.
ends() {
    begins "$3"
    [ "$3" != port_program ] || [ -n "$(programs)" ]
    kill -s "$1" -- "-$pid"
    wait "$pid" && status=0 || status=$?
    echo "$3 $1: status $status; $(cat err)"
    [ "$status" -eq "$2" ]
    [ ! -s out ]
    gone $members
}

@test "a port program that somebody kills is down, status 4, and leaves no process" {
    begins port_program
    programs | xargs kill -KILL
    wait "$pid" && status=0 || status=$?
    cat out err
    [ "$status" -eq 4 ]
    grep -q '^{"error":{"kind":"down","detail":' out
    [ ! -s err ]
    gone $members
}

@test "Ctrl-C ends it with status 130 and leaves no process" {
    for via in $strategies; do ends INT 130 "$via"; done
}

@test "SIGTERM ends it with status 143 and leaves no process" {
    for via in $strategies; do ends TERM 143 "$via"; done
}
