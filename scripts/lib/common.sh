# shellcheck shell=bash
#
# What every script shares: messages, the program table, ports, secrets, the build. Sourced, never run.

OMNI_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# The program table without its comments: "name path processes body" a line.
programs() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$OMNI_ROOT/scripts/lib/programs"
}

# random_hex BYTES
random_hex() {
    od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}

# The text as one word of any POSIX shell, newlines included.
shell_quote() {
    printf "'%s'" "${1//\'/\'\\\'\'}"
}

# port_taken PORT: somebody answers there.
port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A port nobody listens on, below the range from which the kernel takes ports of outgoing connections.
free_port() {
    local port
    while :; do
        port=$((15000 + (RANDOM * 32768 + RANDOM) % 17000))
        port_taken "$port" || break
    done
    printf '%s\n' "$port"
}

# listens PID PORT: that very process holds the listening socket of 127.0.0.1:PORT. An answer alone
# would not do: it might come from another instance that took the port first.
listens() {
    local inode
    inode=$(awk -v at="$(printf '0100007F:%04X' "$2")" '$2 == at && $4 == "0A" { print $10 }' /proc/net/tcp)
    [[ -n $inode ]] || return 1
    find "/proc/$1/fd" -lname "socket:\[$inode\]" 2>/dev/null | grep -q .
}

# Splits a libpq connection string into PG_URL, without the password, and PGPASSWORD (exported), since
# any local user can read the arguments of a process.
# shellcheck disable=SC2034
pg_split() {
    local url=$1 rest
    PG_URL=$url
    if [[ $url =~ ^(postgres(ql)?://[^:@/]*):([^@/]*)@(.*)$ ]]; then
        PG_URL=${BASH_REMATCH[1]}@${BASH_REMATCH[4]}
        rest=${BASH_REMATCH[3]//\\/\\\\}
        printf -v PGPASSWORD '%b' "${rest//%/\\x}"
        export PGPASSWORD
    elif [[ $url =~ (^|[[:space:]])password[[:space:]]*=[[:space:]]*\'(([^\'\\]|\\.)*)\' ]]; then
        rest=${BASH_REMATCH[2]//\\\'/\'}
        export PGPASSWORD=${rest//\\\\/\\}
        PG_URL=${url/"${BASH_REMATCH[0]}"/ }
    elif [[ $url =~ (^|[[:space:]])password[[:space:]]*=[[:space:]]*([^\'[:space:]][^[:space:]]*) ]]; then
        export PGPASSWORD=${BASH_REMATCH[2]}
        PG_URL=${url/"${BASH_REMATCH[0]}"/ }
    fi
}

# build [TARGET...]: OMNI_BUILD_DIR as it is, else build/, where all or the targets are brought up to date
# first. Sets BUILD.
build() {
    if [[ -n ${OMNI_BUILD_DIR:-} ]]; then
        BUILD=$(cd "$OMNI_BUILD_DIR" && pwd -P) || die "OMNI_BUILD_DIR: no such folder: $OMNI_BUILD_DIR"
        return
    fi
    BUILD=$OMNI_ROOT/build
    mkdir -p "$BUILD"
    {
        flock 8 # several instances may start at the same moment
        { [[ -f $BUILD/Makefile ]] || cmake -S "$OMNI_ROOT" -B "$BUILD"; } &&
            cmake --build "$BUILD" -j "$(nproc)" --target "${@:-all}"
    } 8>"$BUILD/.lock" >&2 || die "the build failed; the messages above say where"
}
