# shellcheck shell=bash
#
# Starting the lab and instances of the system, and waiting for them; for the demo and for tests. Sourced
# after common.sh. Its results are variables. Whoever uses it calls stop_all at the end, from a trap; a
# terminal's Ctrl-C does not reach what was started here.
#
#   lab_start FOLDER BUILD [OPTION...]   sets LAB to the lab's URL
#   serve_start NAME FOLDER [OPTION...]  an instance of scripts/serve with its state in FOLDER; sets
#                                        serve_url[NAME], serve_db[NAME], serve_pid[NAME]
#   serve_stop NAME [SIGNAL]             sets serve_status to its exit status
# shellcheck disable=SC2034

declare -A serve_pid=() serve_url=() serve_db=()
lab_pid='' LAB='' serve_status=0

# wait_line SECONDS PID FILE PREFIX: prints the rest of the first line of FILE that begins with PREFIX, as
# soon as it is there; fails if the time is over or the process has ended.
wait_line() {
    local i line
    for ((i = $1 * 20; i > 0; i--)); do
        line=$(grep -m 1 "^$4" "$3" 2>/dev/null || true)
        if [[ -n $line ]]; then
            printf '%s\n' "${line#"$4"}"
            return
        fi
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

lab_start() {
    local folder=$1 build=$2
    shift 2
    mkdir -p "$folder"
    : >"$folder/lab.out" # here, before the child does it: the old line must not be read
    setsid "$build/tests/lab/lab" "$@" >"$folder/lab.out" 2>"$folder/lab.log" </dev/null &
    lab_pid=$!
    LAB=$(wait_line 60 "$lab_pid" "$folder/lab.out" 'ready ') || {
        say "the lab did not start; see $folder/lab.log"
        return 1
    }
}

serve_start() {
    local name=$1 folder=$2
    shift 2
    mkdir -p "$folder"
    : >"$folder/serve.out"
    setsid "$OMNI_ROOT/scripts/serve" --state "$folder" "$@" >"$folder/serve.out" 2>"$folder/serve.err" </dev/null &
    serve_pid[$name]=$!
    serve_url[$name]=$(wait_line 600 "${serve_pid[$name]}" "$folder/serve.out" 'ready ') || {
        say "scripts/serve did not start; $folder/serve.err ends:"
        tail -n 8 "$folder/serve.err" >&2
        return 1
    }
    serve_db[$name]=$(wait_line 1 $$ "$folder/serve.out" 'database ')
}

serve_stop() { # NAME [SIGNAL]
    serve_status=0
    [[ -n ${serve_pid[$1]:-} ]] || return 0
    kill -s "${2:-TERM}" "${serve_pid[$1]}" 2>/dev/null || true
    wait "${serve_pid[$1]}" || serve_status=$?
    unset "serve_pid[$1]"
}

# demo_environment: what the programs and the lab are told when they face each other; exported.
demo_environment() {
    export ALLOW_HTTP=1 SMS_SHORT_CODE=8080
    export WHATSAPP_API_URL=$LAB/graph/v25.0 WHATSAPP_PHONE_ID=1122334455
    export MTN_SMS_API_URL=$LAB/mtn/v1/sms/send
    export OPENAI_BASE_URL=$LAB/openai/v1 OPENAI_API_KEY=lab-openai-key VOICE_BRIDGE_URL=$LAB
    export WHATSAPP_ACCESS_TOKEN=lab-whatsapp-token MTN_SMS_API_KEY=lab-mtn-key MTN_SMS_API_SECRET=lab-mtn-secret
    export MTN_WEBHOOK_SECRET WA_APP_SECRET WA_VERIFY_TOKEN SERVICE_ROLE_KEY OPENAI_WEBHOOK_SECRET
    MTN_WEBHOOK_SECRET=$(random_hex 16) WA_APP_SECRET=$(random_hex 16)
    WA_VERIFY_TOKEN=$(random_hex 16) SERVICE_ROLE_KEY=$(random_hex 24)
    OPENAI_WEBHOOK_SECRET=whsec_$(random_hex 24) # hex digits are base64 too
}

# lab_tell URL: the instance the lab's phones talk to, and its secrets.
lab_tell() {
    jq -nc --arg target "$1" '{target: $target, mtn_webhook_secret: env.MTN_WEBHOOK_SECRET, wa_app_secret: env.WA_APP_SECRET,
        service_role_key: env.SERVICE_ROLE_KEY, openai_webhook_secret: env.OPENAI_WEBHOOK_SECRET, phone_number_id: env.WHATSAPP_PHONE_ID, sms_short_code: env.SMS_SHORT_CODE}' |
        curl -sS --noproxy '*' -f -m 60 -o /dev/null --data-binary @- "$LAB/lab/config"
}

stop_all() {
    local name
    for name in "${!serve_pid[@]}"; do
        serve_stop "$name"
    done
    if [[ -n $lab_pid ]]; then
        kill "$lab_pid" 2>/dev/null || true
        wait "$lab_pid" || true
        lab_pid=
    fi
}

# eventually SECONDS COMMAND...: repeats it until it succeeds.
eventually() {
    local i
    ((i = $1 * 20))
    shift
    for (( ; i > 0; i--)); do
        ! "$@" || return 0
        sleep 0.05
    done
    return 1
}
