# shellcheck shell=bash
#
# What the examples of scripts/curl share: the environment of a running instance (that of "scripts/demo
# --keep", or the one whose env file OMNI_ENV names), a signature, and a call that shows itself.

# shellcheck source=scripts/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

OMNI_ENV=${OMNI_ENV:-$OMNI_ROOT/var/demo/env}
if [[ ! -r $OMNI_ENV ]]; then
    printf 'no %s: start "scripts/demo --keep" first, or name an env file in OMNI_ENV\n' "$OMNI_ENV" >&2
    exit 1
fi
set -a
# shellcheck source=/dev/null
. "$OMNI_ENV"
set +a
URL=${OMNI_URL:-$(cat "$(dirname "$OMNI_ENV")/url")}

# signature SECRET BODY: the hex HMAC-SHA256. The secret goes by the environment, not by the arguments.
signature() {
    SECRET=$1 BODY=$2 python3 -c 'import hashlib, hmac, os
print(hmac.new(os.environb[b"SECRET"], os.environb[b"BODY"], hashlib.sha256).hexdigest())'
}

# call PATH [CURL-OPTION...]: shows the command, then the answer with its status.
call() {
    local path=$1 option
    shift
    printf '\ncurl %s' "$(shell_quote "$URL$path")"
    for option in "$@"; do
        case $option in
        -*) printf ' \\\n    %s' "$option" ;;
        *) printf ' %s' "$(shell_quote "$option")" ;;
        esac
    done
    printf '\n\n'
    curl -sS --noproxy '*' -m 30 -w '\nHTTP %{http_code}\n' "$@" "$URL$path"
}

# conversation FIELD: the session_id or profile_id of the person of the examples.
conversation() {
    curl -sS --noproxy '*' -m 30 -H "Authorization: Bearer $SERVICE_ROLE_KEY" -H 'Content-Type: application/json' \
        -d '{"phone_number": "+250788100009"}' "$URL/tools/session_get_or_create" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# tool NAME ARGUMENTS: one call of a tool with the service key.
tool() {
    call "/tools/$1" -H "Authorization: Bearer $SERVICE_ROLE_KEY" -H 'Content-Type: application/json' -d "$2"
}
