#!/usr/bin/env bash
# The committed server configurations are what the generator makes of the program table, the servers
# accept them, and the units keep what systemd grants to a minimum.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tmp=$(mktemp -d /tmp/omni-webconf.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

scripts/lib/webconf files "$tmp/made"
cp apache-conf/crontab "$tmp/made/" # written by hand
diff -r apache-conf "$tmp/made" || {
    echo "apache-conf/ is not what scripts/lib/programs says: run scripts/lib/webconf files"
    exit 1
}

mkdir "$tmp/log" "$tmp/upload"
scripts/lib/webconf errors "$tmp/errors"
for file in "$tmp"/errors/*.html; do
    jq -e '.success == false and (.error.code | length > 0) and (.error.message | length > 0)' "$file" >/dev/null
done
here=(listen=127.0.0.1:8080 user= sockets="$tmp" errors="$tmp/errors" upload="$tmp/upload" run="$tmp" log="$tmp/log")
scripts/lib/webconf lighttpd "${here[@]}" >"$tmp/lighttpd.conf"
scripts/lib/webconf apache "${here[@]}" >"$tmp/apache.conf"
/usr/sbin/lighttpd -tt -f "$tmp/lighttpd.conf"
/usr/sbin/apache2 -t -f "$tmp/apache.conf"

# Each program of the table: known to both servers, with a socket and the right number of processes.
while read -r name path processes _; do
    case $name in '' | '#'*) continue ;; esac
    [[ $path != - ]] || continue
    grep -qF "/run/omni/$name.sock" apache-conf/lighttpd.conf
    grep -qF "unix:/run/omni/$name.sock|fcgi://$name/" apache-conf/easymo.conf
    [[ $(grep -c "^Wants=$name@" apache-conf/systemd/omni.target) == "$processes" ]]
done <scripts/lib/programs

# Nothing that could hold a secret or a number is logged: no query string, no Referer.
if grep -nE '%q|%r|Referer|%\{.*\}i' <(grep -iE '^(accesslog.format|CustomLog|ErrorLogFormat)' \
    apache-conf/lighttpd.conf apache-conf/easymo.conf); then
    exit 1
fi
if grep -n 'enablereuse' apache-conf/easymo.conf; then exit 1; fi

if command -v systemd-analyze >/dev/null; then
    for unit in apache-conf/systemd/message-worker.service apache-conf/systemd/healthz@.service; do
        systemd-analyze security --offline=true --threshold=20 --no-pager "$PWD/$unit" >"$tmp/security" ||
            { cat "$tmp/security" && exit 1; }
    done
fi
echo "the configurations match the program table"
