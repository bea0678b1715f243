#!/usr/bin/env bash
# scripts/migrate: each file once, also when two run together; nothing of a failed file stays; a changed
# file is an error; --status and --dry-run change nothing; the password is in no process's arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh
# shellcheck source=scripts/lib/postgres.sh
. scripts/lib/postgres.sh

tmp=$(mktemp -d /tmp/omni-migrate.XXXXXX)
postgres=
finish() {
    [[ -z $postgres ]] || { kill -INT "$postgres" && wait "$postgres"; } || true
    rm -rf "$tmp"
}
trap finish EXIT
fail() {
    echo "FAILED: $*"
    exit 1
}

# shellcheck disable=SC2034 # they are for postgres.sh
STATE=$tmp/state RUN=$tmp/run pg_admin_password=$(random_hex 8) pg_app_password=$(random_hex 8) pg_reader_password=$(random_hex 8)
pg_owner_password="with blank $(random_hex 8)"
mkdir -p "$STATE/log" "$RUN" "$tmp/m"
chmod 755 "$tmp" "$STATE" "$RUN"
pg_port=$(free_port)
pg_place
pg_init
pg_configure
"${pg_user[@]}" "$pg_bin/postgres" -D "$pg_home/data" -c fsync=off 2>"$tmp/postgresql.log" &
postgres=$!
for ((i = 0; i < 1200; i++)); do
    ! pg_ready || break
    sleep 0.05
done
pg_bootstrap

export OMNI_MIGRATIONS=$tmp/m
export MIGRATE_DATABASE_URL="host=127.0.0.1 port=$pg_port dbname=omni user=omni_owner password='$pg_owner_password'"
ask() { pg_psql -d omni -At -c "$1"; }

echo 'CREATE TABLE one (n int); INSERT INTO one VALUES (1);' >"$tmp/m/20250101000000_one.sql"
printf '%s\n' 'SELECT pg_sleep(0.5);' 'CREATE TABLE two (n int);' >"$tmp/m/20250102000000_two.sql"

[[ $(scripts/migrate --dry-run) == $'pending  20250101000000_one\npending  20250102000000_two' ]] || fail "--dry-run"
[[ $(ask "SELECT to_regclass('schema_migrations') IS NULL") == t ]] || fail "--dry-run changed something"

echo "two runs at once"
scripts/migrate >"$tmp/out1" 2>&1 & first=$!
scripts/migrate >"$tmp/out2" 2>&1 & second=$!
sleep 0.3
if grep -lzF "${pg_owner_password}" /proc/[0-9]*/cmdline 2>/dev/null; then fail "the password is an argument"; fi
wait "$first" || fail "first run: $(cat "$tmp/out1")"
wait "$second" || fail "second run: $(cat "$tmp/out2")"
[[ $(cat "$tmp/out1" "$tmp/out2" | grep -c '^applying') == 2 ]] || fail "not once each: $(cat "$tmp"/out?)"
[[ $(ask 'SELECT count(*) FROM one') == 1 ]] || fail "the first file did not run once"
[[ $(ask 'SELECT count(*) FROM schema_migrations WHERE length(checksum) = 64') == 2 ]] || fail "rows"
[[ $(ask "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'schema_migrations'") == t ]] ||
    fail "row security of schema_migrations"
[[ $(ask "SELECT count(*) FROM pg_policies WHERE tablename = 'schema_migrations' AND roles = '{omni_owner}'") == 1 ]] ||
    fail "the policy names its role"

echo "again: nothing to do"
[[ -z $(scripts/migrate) ]] || fail "a second run did something"
[[ $(scripts/migrate --status | grep -c '^applied') == 2 ]] || fail "--status"

echo "a file that fails leaves nothing, and those before it stay"
echo 'CREATE TABLE three (n int);' >"$tmp/m/20250103000000_three.sql"
echo 'CREATE TABLE four (n int); SELECT 1 / 0;' >"$tmp/m/20250104000000_four.sql"
status=0
scripts/migrate >"$tmp/out1" 2>&1 || status=$?
[[ $status == 1 ]] || fail "exit status $status"
grep -q 'division by zero' "$tmp/out1" || fail "no reason given: $(cat "$tmp/out1")"
[[ $(ask "SELECT to_regclass('three') IS NOT NULL AND to_regclass('four') IS NULL") == t ]] || fail "transactions"
[[ $(scripts/migrate --dry-run) == 'pending  20250104000000_four' ]] || fail "what is pending now"
rm "$tmp/m/20250104000000_four.sql"

echo "a changed file"
echo '-- changed' >>"$tmp/m/20250101000000_one.sql"
status=0
scripts/migrate >"$tmp/out1" 2>&1 || status=$?
[[ $status == 1 ]] || fail "exit status $status"
grep -q '20250101000000_one was changed' "$tmp/out1" || fail "no clear message: $(cat "$tmp/out1")"
scripts/migrate --status >"$tmp/out1" || true # read whole: grep -q would leave the writer without a reader
grep -q '^changed  20250101000000_one' "$tmp/out1" || fail "--status of a changed file"

echo "refused: a bad name, transaction control"
echo 'SELECT 1;' >"$tmp/m/next.sql"
! scripts/migrate 2>/dev/null || fail "a bad name was accepted"
rm "$tmp/m/next.sql"
printf '%s\n' 'CREATE TABLE five (n int);' 'COMMIT;' >"$tmp/m/20250105000000_five.sql"
! scripts/migrate 2>/dev/null || fail "a COMMIT was accepted"
echo "migrate: all as it should be"
