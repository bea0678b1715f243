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
    printf '#!/bin/sh\ndate +%%s%%3N >>"%s/%s.log"\nexit %s\n' "$tmp" "$1" "$2" >"$tmp/$1"
    chmod +x "$tmp/$1"
}

# starts NAME COUNT: a pool of one until it has started the program so often, for which it has a minute; the log has the times in ms
starts() {
    local pool i
    : >"$tmp/$1.log"
    scripts/lib/pool 1 "$tmp/$1.pid" "$tmp/$1" </dev/null 2>"$tmp/$1.err" &
    pool=$!
    for ((i = 0; i < 600 && $(wc -l <"$tmp/$1.log") < $2; i++)); do sleep 0.1; done
    kill -TERM "$pool"
    wait "$pool" || true
    [[ ! -e $tmp/$1.pid ]] || fail "$1: the list of pids is left"
    (($(wc -l <"$tmp/$1.log") >= $2)) || fail "$1 was started only $(wc -l <"$tmp/$1.log") times in a minute"
}

program finished 0
program broken 3
starts finished 20 # with a delay that grows they would take longer than a minute
[[ ! -s $tmp/finished.err ]] || fail "a program that has done its share is reported as a fault"
starts broken 4
delays=$(sed -n '1,3s/^broken ended with status 3 after [0-9]* ms; the next starts in \([0-9]*\) ms$/\1/p' "$tmp/broken.err" | paste -sd' ')
[[ $delays == '100 200 400' ]] || fail "a failing program is not reported, or not with a delay that grows: $delays"
mapfile -t at <"$tmp/broken.log"
((at[3] - at[2] >= 400)) || fail "the delay of 400 ms was $((at[3] - at[2])) ms"
echo "pool: all as it should be"
