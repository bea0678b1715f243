# shellcheck shell=bash
#
# The private PostgreSQL of scripts/serve. Sourced by it, after common.sh; STATE is the state folder, RUN
# the short folder of the sockets, pg_admin_password and the like come from STATE/secrets.
# It runs as an ordinary user (it refuses root), on 127.0.0.1 and a unix socket, passwords always asked
# for, fully durable, and writes no row, parameter or statement into its log.

pg_admin_password='' pg_owner_password='' pg_app_password='' pg_reader_password=''
pg_bin=
pg_home=   # the folder that belongs to PostgreSQL; the data are in pg_home/data
pg_port=
pg_user=() # words in front of a command that PostgreSQL's user is to run

pg_env() { # COMMAND...: as PostgreSQL's user, without our environment
    "${pg_user[@]}" env -i -C / PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@"
}

# Where the data live: STATE/pg. Where PostgreSQL's user cannot enter STATE, that is a link to a folder
# in /var/tmp whose name follows from STATE.
pg_place() {
    pg_bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -n 1)
    [[ -n $pg_bin ]] || die "PostgreSQL is not installed below /usr/lib/postgresql"
    pg_home=$STATE/pg
    if ((EUID == 0)); then
        pg_user=(setpriv --reuid postgres --regid postgres --init-groups)
        if ! "${pg_user[@]}" test -x "$STATE"; then
            pg_home=/var/tmp/omni-pg-$(printf '%s' "$STATE" | sha256sum | cut -c 1-20)
            if [[ $(readlink "$STATE/pg") != "$pg_home" || $(stat -c %U "$pg_home" 2>/dev/null) != postgres ]]; then
                [[ ! -d $STATE/pg || -L $STATE/pg ]] || die "$STATE/pg is there, but the user postgres cannot enter $STATE"
                rm -rf "$pg_home" # of a state folder that was there once
                ln -sfn "$pg_home" "$STATE/pg"
            fi
        fi
    fi
    [[ -d $pg_home ]] || mkdir -m 0700 "$pg_home"
    mkdir -m 0700 "$RUN/pg"
    if ((EUID == 0)); then
        chown postgres:postgres "$pg_home" "$RUN/pg"
    fi
    chmod 0711 "$RUN/pg"
}

# Makes the data folder under another name first, so that a half-made one is never taken for one.
pg_init() {
    local data=$pg_home/data password=$RUN/pg/password
    [[ ! -d $data ]] || return 0
    say "making a PostgreSQL data folder in $data"
    rm -rf "$data.new"
    printf '%s\n' "$pg_admin_password" >"$password"
    ((EUID != 0)) || chown postgres "$password"
    pg_env "$pg_bin/initdb" -D "$data.new" --username omni_admin --pwfile "$password" --auth scram-sha-256 \
        --encoding UTF8 --locale C.UTF-8 --data-checksums >>"$STATE/log/postgresql.log" 2>&1 || return 1
    rm -f "$password"
    mv "$data.new" "$data"
}

pg_configure() {
    cat >"$pg_home/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $pg_port
unix_socket_directories = '$RUN/pg'
max_connections = 200
shared_buffers = '256MB'
fsync = on
full_page_writes = on
synchronous_commit = on
wal_compression = lz4
checkpoint_timeout = '15min'
max_wal_size = '4GB'
jit = off
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %a '
log_checkpoints = off
# A constraint error quotes the row: numbers and texts must not reach the log.
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
END
    printf '%s\n' 'local all all scram-sha-256' 'host all all 127.0.0.1/32 scram-sha-256' >"$pg_home/data/pg_hba.conf"
    ((EUID != 0)) || chown postgres:postgres "$pg_home/data/postgresql.conf" "$pg_home/data/pg_hba.conf"
}

# Pids of whatever PostgreSQL still runs in our data folder: all its processes have it as their own folder.
pg_processes() {
    local data
    data=$(readlink -f "$pg_home/data") || return 0
    find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -printf '%l\t%h\n' 2>/dev/null |
        awk -F '\t' -v data="$data" '$1 == data { sub("/proc/", "", $2); print $2 }'
}

# Ends what a killed instance left. Then a stale postmaster.pid is only a trap: its number may be
# another process's by now.
pg_clear() {
    local i signal
    for ((i = 0; i < 200; i++)); do
        [[ -n $(pg_processes) ]] || break
        signal=INT
        ((i < 50)) || signal=QUIT
        ((i < 150)) || signal=KILL
        # shellcheck disable=SC2046 # pids
        ((i % 50)) || kill -s "$signal" $(pg_processes) 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$pg_home/data/postmaster.pid"
}

pg_ready() {
    "$pg_bin/pg_isready" -q -h "$RUN/pg" -p "$pg_port"
}

pg_psql() { # the bootstrap superuser's psql
    PGPASSWORD=$pg_admin_password "$pg_bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$RUN/pg" -p "$pg_port" -U omni_admin "$@"
}

# Roles and database; at every start, so that what an interrupted first start left undone is made good.
pg_bootstrap() {
    pg_psql -d postgres <<END
SELECT 'CREATE ROLE ' || name FROM unnest(ARRAY['omni_owner', 'omni_app', 'omni_reader']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE omni_owner LOGIN CREATEROLE PASSWORD '$pg_owner_password';
ALTER ROLE omni_app LOGIN PASSWORD '$pg_app_password';
ALTER ROLE omni_reader LOGIN PASSWORD '$pg_reader_password';
SELECT 'CREATE DATABASE omni OWNER omni_owner ENCODING ''UTF8'' TEMPLATE template0'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'omni') \gexec
REVOKE ALL ON DATABASE omni FROM PUBLIC;
GRANT CONNECT ON DATABASE omni TO omni_app, omni_reader;
END
}
