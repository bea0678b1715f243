#!/usr/bin/env bash
# scripts/demo plays its journeys; kept, it serves every example of scripts/curl; stopped, nothing is left.
# Interrupted half way it cleans up too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tmp=$(mktemp -d /tmp/omni-kept.XXXXXX)
export OMNI_DEMO_DIR=$tmp/demo
trap 'scripts/demo --stop 2>/dev/null || true; rm -rf "$tmp"' EXIT
chmod 0755 "$tmp"
fail() {
    echo "FAILED: $*"
    exit 1
}
left() { # FOLDER
    local i
    for ((i = 0; i < 600; i++)); do
        if ! pgrep -f "$1" >"$tmp/left"; then return 1; fi
        sleep 0.05
    done
}

scripts/demo --keep >"$tmp/out" 2>"$tmp/err" || fail "the demo: $(cat "$tmp/out" "$tmp/err")"
grep -q 'All journeys went well' "$tmp/out" || fail "no good end: $(cat "$tmp/out")"
! grep -nE '^.{81}' <(grep -v '^  ' "$tmp/out") || fail "wider than 80 columns"
! scripts/demo --keep >/dev/null 2>&1 || fail "two kept demos in one folder"

export OMNI_ENV=$OMNI_DEMO_DIR/env
for example in scripts/curl/*; do
    "$example" >"$tmp/answer" 2>&1 || fail "$example: $(cat "$tmp/answer")"
    grep -q '^HTTP 20[02]$' "$tmp/answer" || fail "$example: $(cat "$tmp/answer")"
    ! grep -E '^HTTP [13-5]' "$tmp/answer" || fail "$example: $(cat "$tmp/answer")"
    echo "$example: $(grep -c '^HTTP 20' "$tmp/answer") good"
done
while read -r name path _; do
    case $name in '' | '#'*) continue ;; esac
    [[ $path == - || -x scripts/curl/$name ]] || fail "no example for $name"
done <scripts/lib/programs

scripts/demo --stop
! left "$OMNI_DEMO_DIR" || fail "left running: $(cat "$tmp/left")"

TMPDIR=$tmp scripts/demo >"$tmp/out" 2>&1 &
demo=$!
for ((i = 0; i < 600; i++)); do
    ! grep -q '^Marie' "$tmp/out" || break
    sleep 0.05
done
kill -TERM "$demo"
wait "$demo" && fail "an interrupted demo says that all was well"
! left "$tmp/omni-demo" || fail "left running: $(cat "$tmp/left")"
echo "demo: all as it should be"
