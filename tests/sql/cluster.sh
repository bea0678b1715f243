# shellcheck shell=bash
#
# A throwaway PostgreSQL cluster for the SQL tests: in a folder of its own, on a Unix socket only, gone when
# the script ends. Sourced, never run. The roles are those of a running system: omni_owner owns the databases
# and may make roles, omni_app and omni_reader log in; omni_user is left for the migration to make.

SQL_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
OMNI_ROOT=$(cd "$SQL_DIR/../.." && pwd -P)
CLUSTER=''

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a program of the server as somebody the server accepts: it refuses root.
as_server() {
    if ((EUID == 0)); then
        (cd / && exec setpriv --reuid postgres --regid postgres --init-groups env HOME="$CLUSTER" "$@")
    else
        "$@"
    fi
}

cluster_start() {
    local bin
    bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
    [[ -x $bin/initdb ]] || die "no PostgreSQL server under /usr/lib/postgresql"
    export PATH=$bin:$PATH
    unset "${!PG@}" # whatever points at another server
    # Not under TMPDIR: the path of a socket may have 107 bytes at most.
    CLUSTER=$(mktemp -d /tmp/omni-sql.XXXXXX)
    trap cluster_stop EXIT
    trap 'exit 130' INT TERM HUP
    ((EUID != 0)) || chown postgres: "$CLUSTER"
    as_server initdb -D "$CLUSTER/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$CLUSTER/initdb.out" 2>&1 ||
        die "initdb: $(tail -n 3 "$CLUSTER/initdb.out")"
    {
        printf "listen_addresses = ''\nunix_socket_directories = '%s'\n" "$CLUSTER"
        printf 'fsync = off\nmax_connections = 120\nlog_lock_waits = on\ndeadlock_timeout = 200ms\n'
    } >>"$CLUSTER/data/postgresql.conf"
    as_server pg_ctl -D "$CLUSTER/data" -l "$CLUSTER/server.log" -w -s start ||
        die "the server does not start: $(tail -n 3 "$CLUSTER/server.log")"
    export PGHOST=$CLUSTER PGUSER=postgres PGDATABASE=postgres
}

cluster_stop() {
    [[ -n $CLUSTER ]] || return 0
    [[ ! -s $CLUSTER/data/postmaster.pid ]] || as_server pg_ctl -D "$CLUSTER/data" -m immediate -s stop || true
    rm -rf "$CLUSTER"
    CLUSTER=''
}

# sql DATABASE STATEMENT...: unaligned rows on standard output, the first error ends it
sql() {
    local database=$1 statement arguments=()
    shift
    for statement in "$@"; do
        arguments+=(-c "$statement")
    done
    psql -d "$database" -XqAt -v ON_ERROR_STOP=1 "${arguments[@]}"
}

cluster_roles() {
    sql postgres 'CREATE ROLE omni_owner LOGIN CREATEROLE' 'CREATE ROLE omni_app LOGIN' 'CREATE ROLE omni_reader LOGIN'
}

# database_new NAME [OWNER]
database_new() {
    sql postgres "CREATE DATABASE $1 OWNER ${2:-omni_owner}"
}

# migrate DATABASE [ROLE]: all migrations, as an operator would
migrate() {
    local url="host=$CLUSTER dbname=$1 user=${2:-omni_owner}" file
    if [[ -x $OMNI_ROOT/scripts/migrate ]]; then
        MIGRATE_DATABASE_URL=$url DATABASE_URL=$url "$OMNI_ROOT/scripts/migrate"
        return
    fi
    for file in "$OMNI_ROOT"/migrations/*.sql; do
        psql -d "$url" -Xq1 -v ON_ERROR_STOP=1 -f "$file" || return
    done
}

# Facts of the shell tests, in TAP: "ok N - what" or "not ok N - what".
FACTS=0
FAILED=0

# is WHAT GOT EXPECTED
is() {
    FACTS=$((FACTS + 1))
    if [[ $2 == "$3" ]]; then
        printf 'ok %d - %s\n' "$FACTS" "$1"
    else
        FAILED=$((FAILED + 1))
        printf 'not ok %d - %s\n#   got:      %s\n#   expected: %s\n' "$FACTS" "$1" "$2" "$3"
    fi
}

# done_testing: the plan at the end; fails when a fact did
done_testing() {
    printf '1..%d\n' "$FACTS"
    ((FAILED == 0)) || die "$FAILED of $FACTS facts do not hold"
}
