#!/usr/bin/env bash
# The guards of the architecture: scripts/lib/floors and scripts/lib/doors pass a clean tree, and each rule,
# broken once in a scratch tree, is caught with the file's name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
tmp=$(mktemp -d /tmp/omni-floors.XXXXXX)
trap 'rm -rf "$tmp"' EXIT
caught=0

clean() {
    rm -rf "$tmp/tree"
    mkdir -p "$tmp"/tree/shared/{base,core,io,model,provider,flow,frame} "$tmp"/tree/handlers/{tools,webhooks}
    cd "$tmp/tree"
    printf '%s\n' '#include "base/err.h"' '#include <openssl/hmac.h>' >shared/base/hmac.c
    printf '%s\n' '#include <stdlib.h>' 'void *p(void) { return malloc(1); }' >shared/base/arena.c
    printf '%s\n' '#include <time.h>' 'long t(void) { return time(NULL); }' >shared/base/clk.c
    printf '%s\n' '#include "base/err.h"' '#include <json-c/json.h>' >shared/core/json.c
    printf '%s\n' 'char *e(void) { return getenv("X"); }' >shared/core/config.c
    printf '%s\n' '#include <libpq-fe.h>' >shared/io/db.c
    printf '%s\n' '#include <curl/curl.h>' >shared/io/http.c
    printf '%s\n' '#include <fcgiapp.h>' >shared/io/fcgi.c
    printf '%s\n' '#include "io/db.h"' '#include "sql/statements.h"' '/* free() and time() are words here; SELECT a FROM b */' \
        'const char *w = "a time (UTC)"; int arena_free(int); // malloc(1)' >shared/model/session.c
    printf '%s\n' '#include "core/phone.h"' '#include "provider/provider.h"' >shared/provider/sms.c
    printf '%s\n' '#include "model/session.h"' '#include "provider/provider.h"' >shared/flow/deliver.c
    printf '%s\n' '#include "flow/deliver.h"' '#include "io/fcgi.h"' >shared/frame/call.c
    printf '%s\n' '#include "core/json.h"' '#include "flow/deliver.h"' '#include "frame/handler.h"' '#include "provider/provider.h"' \
        '#include "words.h"' >handlers/tools/tool.c
}

# broken CHECK FILE LINE: with that line in that file of the tree, the check fails and names the file.
broken() {
    clean
    printf '%s\n' "$3" >>"$2"
    if "$root/scripts/lib/$1" "$tmp/tree" >"$tmp/out" 2>&1 || ! grep -qF "$2" "$tmp/out"; then
        echo "FAILED: $1 does not see '$3' in $2"
        cat "$tmp/out"
        exit 1
    fi
    caught=$((caught + 1))
}

clean
"$root/scripts/lib/floors" "$tmp/tree" >/dev/null
"$root/scripts/lib/doors" "$tmp/tree" >/dev/null

broken floors shared/base/err.c '#include "core/log.h"'
broken floors shared/core/log.c '#include "io/db.h"'
broken floors shared/core/log.c '#  include <io/db.h>'
broken floors shared/core/log.c '#include "sql/statements.h"'
broken floors shared/io/db.c '#include "model/session.h"'
broken floors shared/model/call.c '#include "provider/provider.h"'
broken floors shared/model/call.c '#include "flow/deliver.h"'
broken floors shared/provider/sms.c '#include "model/session.h"'
broken floors shared/provider/sms.c '#include "io/http.h"'
broken floors shared/provider/sms.h '#include "sql/statements.h"'
broken floors shared/flow/deliver.c '#include "frame/call.h"'
broken floors shared/flow/deliver.c '#include "../model/session.h"'
broken floors shared/flow/deliver.c '#include "deliver.h"'
for floor in model io sql; do
    broken floors handlers/tools/tool.c "#include \"$floor/x.h\""
done
broken floors handlers/tools/tool.c '#include "core/log.h"'
broken floors handlers/tools/tool.c '#include "provider/sms.h"'
broken floors handlers/webhooks/hook.c '#include "../../shared/io/db.h"'

broken doors shared/flow/deliver.c '#include <curl/curl.h>'
broken doors shared/model/session.c '#include <libpq-fe.h>'
broken doors shared/frame/call.c '#include <fcgiapp.h>'
broken doors handlers/tools/tool.c '#include <fcgi_stdio.h>'
broken doors shared/provider/sms.c '#include <json-c/json.h>'
broken doors shared/core/json.h '#include <json-c/json_object.h>'
broken doors shared/provider/sms.c '#include <openssl/evp.h>'
broken doors shared/base/str.c 'char *x = getenv("PATH");'
broken doors shared/flow/deliver.c 'long now = time(NULL);'
broken doors shared/base/uuid.c 'int t(void) { return clock_gettime(CLOCK_REALTIME, &ts); }'
for call in 'malloc(8)' 'calloc(1, 8)' 'realloc(p, 8)' 'strdup("x")' 'free (p)'; do
    broken doors shared/flow/deliver.c "void *p = $call;"
done
broken doors shared/model/session.c 'const char *q = "SELECT id FROM profiles";'
broken doors shared/model/session.c 'const char *q = "UPDATE profiles SET name = 1";'
broken doors shared/io/db.c '    "SELECT id, "'
broken doors handlers/tools/tool.c 'const char *q = /* once */ "DELETE FROM profiles"; /* more */'
echo "floors and doors: $caught violations made, $caught seen"
