#!/usr/bin/env bash
# scripts/lib/pool: a program that has done its share is replaced at once, one that fails after a growing delay, and what is told to
# stop leaves nothing behind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tmp=$(mktemp -d -t omni-pool.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

fail() {
    echo "FAILED: $*"
    cat "$tmp"/*.err
    exit 1
}

# program NAME STATUS: one that notes its start and ends with this status
program() {
    printf '#!/bin/sh\necho started >>"%s/%s.log"\nexit %s\n' "$tmp" "$1" "$2" >"$tmp/$1"
    chmod +x "$tmp/$1"
}

# starts NAME SECONDS: how often a pool of one starts the program in that time
starts() {
    local pool
    scripts/lib/pool 1 "$tmp/$1.pid" "$tmp/$1" </dev/null 2>"$tmp/$1.err" &
    pool=$!
    sleep "$2"
    kill -TERM "$pool"
    wait "$pool" || true
    [[ ! -e $tmp/$1.pid ]] || fail "$1: the list of pids is left"
    wc -l <"$tmp/$1.log"
}

program finished 0
program broken 3
n=$(starts finished 4)
((n >= 6)) || fail "a program that has done its share was started only $n times in 4 s"
[[ ! -s $tmp/finished.err ]] || fail "a program that has done its share is reported as a fault"
n=$(starts broken 4)
((n >= 3 && n <= 7)) || fail "a failing program was started $n times in 4 s"
grep -q '^broken ended with status 3' "$tmp/broken.err" || fail "a failing program is not reported"
echo "pool: all as it should be"
