#!/usr/bin/env bash
#
# The pgTAP tests of the migrated schema. Each file gets a database of its own, copied from one that was migrated
# once. They run as the role of the programs, so that its rights are tested all along; schema and rights look from
# outside. "run.sh NAME..." runs some: run.sh delivery turns.
set -euo pipefail
# shellcheck source=tests/sql/cluster.sh
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

command -v pg_prove >/dev/null || die "pg_prove is missing (Debian: libtap-parser-sourcehandler-pgtap-perl)"

declare -a files=()
if (($# > 0)); then
    for name in "$@"; do
        files+=("$SQL_DIR/$name.sql")
    done
else
    files=("$SQL_DIR"/*.sql)
fi

cluster_start
cluster_roles
database_new omni_template
migrate omni_template >"$CLUSTER/migrate.out" 2>&1 || die "migration: $(cat "$CLUSTER/migrate.out")"
sql omni_template 'CREATE SCHEMA tap' 'CREATE EXTENSION pgtap SCHEMA tap' 'GRANT USAGE ON SCHEMA tap TO PUBLIC'
psql -d omni_template -Xq -v ON_ERROR_STOP=1 -f "$SQL_DIR/support/fixtures.sql"

failed=0
for file in "${files[@]}"; do
    [[ -f $file ]] || die "no such test: $file"
    name=$(basename "$file" .sql)
    sql postgres "CREATE DATABASE \"$name\" TEMPLATE omni_template OWNER omni_owner" \
        "ALTER DATABASE \"$name\" SET search_path = public, tap"
    case $name in
    schema | rights) user=postgres ;;
    *) user=omni_app ;;
    esac
    # A file fills its tables in one statement where it can; how long that takes is the machine's affair.
    PGOPTIONS='-c statement_timeout=120s' pg_prove --failures --comments -U "$user" -d "$name" "$file" || failed=1
    sql postgres "DROP DATABASE \"$name\""
done
exit "$failed"
