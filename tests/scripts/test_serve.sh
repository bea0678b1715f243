#!/usr/bin/env bash
# scripts/serve with stand-ins for the programs: two instances side by side under the two web servers, in
# awkward folders; what dies comes back; what is killed can be started again and has lost nothing; what is
# stopped leaves no process behind. And what the web servers make of requests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/lib/common.sh
. scripts/lib/common.sh
# shellcheck source=scripts/lib/lab.sh
. scripts/lib/lab.sh

tmp=$(mktemp -d /tmp/omni-serve.XXXXXX)
trap 'stop_all; rm -rf "$tmp"' EXIT
chmod 0700 "$tmp" # as root: nobody else can enter
long=$tmp/$(printf 'a long folder name %.0s' {1..12})
open=$(mktemp -d /var/tmp/omni-serve.XXXXXX)
chmod 0755 "$open"
trap 'stop_all; rm -rf "$tmp" "$open" /var/tmp/omni-pg-"$(printf %s "$long" | sha256sum | cut -c 1-20)"' EXIT

fail() {
    echo "FAILED: $*"
    tail -n 20 "$long/serve.err" "$open/serve.err" 2>/dev/null || true
    exit 1
}

mkdir -p "$tmp/build/handlers" "$tmp/migrations"
cc -std=c17 -D_POSIX_C_SOURCE=200809L -o "$tmp/standin" tests/scripts/standin.c -lfcgi
while read -r name _; do
    cp "$tmp/standin" "$tmp/build/handlers/$name"
done < <(programs)
echo 'CREATE TABLE kept (word text);' >"$tmp/migrations/20250101000000_kept.sql"
export OMNI_BUILD_DIR=$tmp/build OMNI_MIGRATIONS=$tmp/migrations QUOTED="it's \"a\" \$HOME
second line"
unset DATABASE_URL MIGRATE_DATABASE_URL SERVICE_ROLE_KEY SPOOL_DIR WAKE_SOCKET

ask() { # URL-OPTIONS...: the body and, after a blank, the status
    curl -sS --noproxy '*' -m 60 -H 'Expect:' -w ' %{http_code}' "$@"
}
answers() { [[ $(ask -o /dev/null "$1/healthz" 2>/dev/null) == ' 200' ]]; }
row() { psql -X -At -d "$1" -c "$2"; }
database_up() { row "$1" 'SELECT 1' >/dev/null 2>&1; }
processes() { # FOLDER: pids of what runs for it, zombies aside
    local file
    while read -r file; do
        awk '/^State:/ && $2 != "Z" { print FILENAME }' "${file%environ}status" 2>/dev/null || true
    done < <(grep -lzxF "OMNI_STATE=$1" /proc/[0-9]*/environ 2>/dev/null)
    find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname '*/pg*/data' -printf '%l %p\n' 2>/dev/null | grep -F "$1/pg/" || true
}
lives() { kill -0 "$(cat "$1")" 2>/dev/null; }                                             # PIDFILE
four_again() { [[ $(wc -l <"$1") == 4 ]] && ! grep -qx "$2" "$1"; }                       # PIDFILE OLD-PID
nothing_left() { [[ -z $(processes "$1") ]]; }

echo "starting two side by side"
serve_start one "$long" --port 0
serve_start two "$open" --port 0 --server apache
[[ $(wc -l <"$long/serve.out") == 2 && $(head -n 1 "$long/serve.out") == 'database '* ]] || fail "standard output"
[[ $(stat -c %a "$long/env") == 600 && $(stat -c %a "$long/secrets") == 600 ]] || fail "modes"

echo "the environment file"
(
    # shellcheck source=/dev/null
    set -a && . "$long/env" && set +a
    [[ $QUOTED == $'it\'s "a" $HOME\nsecond line' ]] || fail "quoting: $QUOTED"
    [[ -n $SERVICE_ROLE_KEY && -d $SPOOL_DIR && -z ${MIGRATE_DATABASE_URL:-} ]] || fail "variables"
    [[ $(row "$DATABASE_URL" 'SELECT current_user') == omni_app ]] || fail "DATABASE_URL"
)
# shellcheck disable=SC1091 # made a moment ago
QUOTED=x sh -c '. "$1"; [ -n "$SERVICE_ROLE_KEY" ]' sh "$long/env" || fail "the environment file in a plain shell"

echo "the database"
[[ $(row "${serve_db[one]}" "SELECT current_setting('is_superuser')") == on ]] || fail "database line"
for setting in fsync full_page_writes synchronous_commit data_checksums; do
    [[ $(row "${serve_db[one]}" "SHOW $setting") == on ]] || fail "$setting is off"
done
[[ $(row "${serve_db[one]}" "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'") == 0 ]] || fail "pg_hba"
row "${serve_db[one]}" "INSERT INTO kept VALUES ('a word')" >/dev/null

for name in one two; do
    url=${serve_url[$name]}
    echo "requests at $url"
    [[ $(ask -H 'Authorization: Bearer abc' -H 'X-MTN-Signature: 12' "$url/healthz?token=SECRET") == \
        *'"query":"token=SECRET"'*'"authorization":"Bearer abc","signature":"12"}'*200 ]] || fail "headers"
    [[ $(ask "$url/functions/v1/healthz") == *'"program":"healthz"'*200 ]] || fail "/functions/v1"
    [[ $(ask -d '{}' "$url/tools/call_log_summary") == *'"program":"call_log_summary","pid"'*'"length":"2","body":2,'*200 ]] || fail "tool"
    [[ $(ask "$url/functions/v1/tools") == *'"program":"tool-catalog"'*200 ]] || fail "the catalog of tools"
    for path in / /healthz/ /healthzz /tools/ /tools/nothing /nope?token=SECRET; do
        [[ $(ask "$url$path") == '{"success":false,"error":{"code":"not_found"'*404 ]] || fail "$path: $(ask "$url$path")"
    done
    head -c 70000 /dev/zero >"$tmp/body"
    for coding in 'X-Transfer: whole' 'Transfer-Encoding: chunked'; do
        [[ $(ask --data-binary "@$tmp/body" -H "$coding" "$url/sms-inbound-webhook") == *'"body":70000,'*200 ]] ||
            fail "$coding body"
        [[ $(ask --data-binary "@$tmp/body" -H "$coding" "$url/sms-inbound-webhook?max=65536") == *'"program":'*413 ]] ||
            fail "$coding body, refused by the program"
    done
    head -c 3145728 /dev/zero >"$tmp/body"
    [[ $(ask --data-binary "@$tmp/body" "$url/wa-webhook-core") == *'"body":3145728,'*200 ]] || fail "3 MiB"
    [[ $(ask --data-binary "@$tmp/body" "$url/sms-inbound-webhook") == '{"success":false,"error":{"code":"too_large"'*413 ]] || fail "the server's own cap"
    [[ $(ask -D - -o /dev/null "$url/healthz" | grep -i '^server:') =~ ^[Ss]erver:\ [A-Za-z]+.?$ ]] || fail "Server header"
    [[ $(ask "$url/healthz?status=503") == '{"program":'*503 ]] || fail "a program's own 503"
done

echo "what dies comes back"
for name in one two; do
    folder=$long
    [[ $name == one ]] || folder=$open
    url=${serve_url[$name]}
    old=$(head -n 1 "$folder/run/sms-inbound-webhook.pid")
    ask "$url/sms-inbound-webhook?wait_ms=2000&token=SECRET" >/dev/null & # one in hand while it dies
    sleep 0.3
    # shellcheck disable=SC2046 # pids
    kill -KILL $(cat "$folder/run/sms-inbound-webhook.pid" "$folder/run/message-worker.pid")
    [[ $(ask "$url/sms-inbound-webhook") == *200 ]] || fail "a request just after the kill was lost"
    eventually 60 four_again "$folder/run/sms-inbound-webhook.pid" "$old" || fail "not four processes again"
    eventually 60 lives "$folder/run/message-worker.pid" || fail "no worker again"
    kill -KILL "$(cat "$folder/run/postgresql.pid")"
    eventually 60 database_up "${serve_db[$name]}" || fail "PostgreSQL did not come back"
    kill -KILL "$(cat "$folder"/run/lighttpd.pid "$folder"/run/apache.pid 2>/dev/null)"
    sleep 0.3
    eventually 60 answers "$url" || fail "the web server did not come back"
    kill -KILL "$(awk '/^PPid:/ { print $2 }' "/proc/$(cat "$folder/run/healthz.pid")/status")" # its pool
    sleep 0.3
    eventually 60 answers "$url" || fail "the pool did not come back"
done
if grep -rl SECRET "$long/log" "$open/log"; then fail "a query string was logged"; fi

echo "killed, and started again on the same folder"
key=$(grep '^SERVICE_ROLE_KEY=' "$long/env")
serve_stop one KILL
eventually 60 nothing_left "$long" || fail "left behind after kill -9: $(processes "$long")"
serve_start one "$long" --port 0 --no-worker
[[ $(row "${serve_db[one]}" 'SELECT word FROM kept') == 'a word' ]] || fail "the data are gone"
[[ $(grep '^SERVICE_ROLE_KEY=' "$long/env") == "$key" ]] || fail "another SERVICE_ROLE_KEY"
[[ ! -e $long/run/message-worker.pid ]] || fail "--no-worker"
! scripts/serve --port 0 --state "$long" >/dev/null 2>"$tmp/err" || fail "a second instance on one folder"
grep -q 'another instance' "$tmp/err" || fail "no clear message: $(cat "$tmp/err")"

echo "with a database that is there already"
DATABASE_URL="${serve_db[one]}" serve_start three "$open/three" --port 0
[[ ${serve_db[three]} == "${serve_db[one]}" && ! -e $open/three/pg ]] || fail "a private database nevertheless"
answers "${serve_url[three]}" || fail "no answer"
serve_stop three INT
[[ $serve_status == 0 ]] || fail "exit status $serve_status after SIGINT"
nothing_left "$open/three" || fail "left behind: $(processes "$open/three")"

echo "stopped: nothing left, and the neighbour goes on"
folder=$(cat "$long/run/folder")
serve_stop one
[[ $serve_status == 0 ]] || fail "exit status $serve_status after SIGTERM"
nothing_left "$long" || fail "left behind: $(processes "$long")"
[[ ! -e $folder ]] || fail "$folder was left"
answers "${serve_url[two]}" || fail "the neighbour was stopped too"

echo "a piece that does not start"
mkdir -p "$tmp/bad/handlers"
cp "$tmp"/build/handlers/* "$tmp/bad/handlers/"
printf '#!/bin/sh\necho "SMS_PROVIDERS: nonsense" >&2\nexit 1\n' >"$tmp/bad/handlers/healthz"
! OMNI_BUILD_DIR=$tmp/bad scripts/serve --port 0 --state "$open/four" >"$tmp/out" 2>"$tmp/err" </dev/null || fail "serve did not fail"
grep -q "$open/four/log/healthz.log" "$tmp/err" || fail "the log is not named: $(cat "$tmp/err")"
[[ ! -s $tmp/out ]] || fail "standard output: $(cat "$tmp/out")"
nothing_left "$open/four" || fail "left behind: $(processes "$open/four")"
port=${serve_url[two]##*:}
! scripts/serve --port "$port" --state "$open/four" >"$tmp/out" 2>"$tmp/err" </dev/null || fail "a taken port"
grep -q "port $port is taken" "$tmp/err" || fail "no clear message: $(cat "$tmp/err")"

serve_stop two
[[ $serve_status == 0 ]] || fail "exit status $serve_status"
nothing_left "$open" || fail "left behind: $(processes "$open")"
echo "serve: all as it should be"
