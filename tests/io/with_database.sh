#!/usr/bin/env bash
#
# with_database.sh empty|migrated PROGRAM: runs the program with TEST_DATABASE_URL, a database of a cluster
# that is thrown away afterwards. The role is that of the programs; in the empty database it may make tables.
set -euo pipefail
# shellcheck source=tests/sql/cluster.sh
source "$(dirname "${BASH_SOURCE[0]}")/../sql/cluster.sh"

cluster_start
cluster_roles
case $1 in
empty)
    database_new io omni_app
    ;;
migrated)
    database_new io
    migrate io >"$CLUSTER/migrate.out" 2>&1 || die "migration: $(cat "$CLUSTER/migrate.out")"
    ;;
*)
    die "no such database: $1"
    ;;
esac
# The socket's folder has its own variable: one test puts another socket in between.
TEST_DATABASE_SOCKETS=$CLUSTER TEST_DATABASE_URL="host=$CLUSTER dbname=io user=omni_app" "$2"
