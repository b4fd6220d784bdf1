#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The bundled scripts give their expected results under stock Lua, and the check notices when not.

setup() {
    scripts="$BATS_TEST_DIRNAME/../bench/scripts"
}

@test "every bundled script gives its expected results under lua5.4" {
    run lua5.4 "$scripts/check.lua"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^ok ' <<<"$output")" -ge 19 ]
    [ "$(ls "$scripts"/*.expected.json | wc -l)" -eq 9 ]
}

@test "the check fails when a result differs" {
    cp "$scripts"/*.lua "$scripts"/*.json "$BATS_TEST_TMPDIR/"
    sed -i 's/"stays":255/"stays":255.0/' "$BATS_TEST_TMPDIR/binary_trees.expected.json"
    run lua5.4 "$BATS_TEST_TMPDIR/check.lua" binary_trees
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" == *"not ok binary_trees (small): result.1.stays: want 255.0, got 255"* ]]
}

@test "the check fails for a script that reaches outside the allow-list" {
    cp "$scripts"/*.lua "$scripts"/*.json "$BATS_TEST_TMPDIR/"
    printf 'function main() return io.open("/etc/passwd") end\n' >"$BATS_TEST_TMPDIR/sort.lua"
    run lua5.4 "$BATS_TEST_TMPDIR/check.lua" sort
    [ "$status" -ne 0 ]
    [[ "$output" == *"nil value (global 'io')"* ]]
}
