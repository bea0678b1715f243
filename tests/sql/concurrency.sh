#!/usr/bin/env bash
#
# What must hold when many do the same at the same moment: parallel connections held back at a gate and let go
# together; then a mixed load of everything, after which no deadlock has happened and nothing is where it must not be.
# OMNI_STRESS_S (default 5): how long the mixed load lasts.
set -euo pipefail
# shellcheck source=tests/sql/cluster.sh
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

cluster_start
cluster_roles
database_new race
migrate race >"$CLUSTER/migrate.out" 2>&1 || die "migration: $(cat "$CLUSTER/migrate.out")"
psql -d race -Xq -v ON_ERROR_STOP=1 -f "$SQL_DIR/support/fixtures.sql" -f "$SQL_DIR/support/stress.sql"
sql postgres 'CREATE DATABASE mixed TEMPLATE race OWNER omni_owner'
sql race 'CREATE TABLE t.over (told boolean)'

# taken NUMBER: waits until a connection in the background has this lock
taken() {
    local until=$((SECONDS + 60))
    while [[ $(sql race "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted") != 1 ]]; do
        ((SECONDS < until)) || die "nobody takes lock $1"
        sleep 0.01
    done
}

# burst N STATEMENTS: N connections of the programs' role run them at once; :n is the connection's number.
# Prints what they print, their errors included.
burst() {
    local n=$1
    printf "\\\\set VERBOSITY terse\nSET lock_timeout = '30s';\nSET statement_timeout = '60s';\nSELECT pg_advisory_lock_shared(42) \\g /dev/null\n%s\n" "$2" >"$CLUSTER/burst.sql"
    sql race "SET statement_timeout = '60s'" BEGIN 'SELECT pg_advisory_xact_lock(42)' "DO 'BEGIN
            WHILE (SELECT count(*) FROM pg_locks WHERE locktype = ''advisory'' AND objid = 42 AND NOT granted) < $n LOOP
                PERFORM pg_sleep(0.002);
            END LOOP;
        END'" COMMIT >/dev/null &
    taken 42
    seq "$n" | xargs -P "$n" -I{} psql -XqAt -U omni_app -d race -v n={} -f "$CLUSTER/burst.sql" 2>&1 || true
    wait "$!"
}

# hold STATEMENT: a transaction that has run STATEMENT and is open until let_go; its lock 43 goes with it, so that taken sees the next one's
hold() {
    sql race "SET statement_timeout = '120s'" BEGIN "$1" 'SELECT pg_advisory_xact_lock(43)' "DO 'BEGIN
            WHILE NOT EXISTS (SELECT 1 FROM t.over) LOOP
                PERFORM pg_sleep(0.01);
            END LOOP;
        END'" COMMIT >/dev/null
}

# let_go PID...: ends what holds, waits for it and for who was in line behind it
let_go() {
    sql race 'INSERT INTO t.over VALUES (true)'
    wait "$@"
    sql race 'TRUNCATE t.over'
}

# meanwhile STATEMENT PROBE: what PROBE says while a transaction has run STATEMENT and is still open
meanwhile() {
    hold "$1" &
    local holder=$!
    taken 43
    sql race "$2" 2>&1 || true
    let_go "$holder"
}

# in_line HELD STATEMENT PROBE: as meanwhile, when a third transaction has run STATEMENT and waits for what the first one holds
in_line() {
    hold "$1" &
    local holder=$! until=$((SECONDS + 60))
    taken 43
    sql race "$2" >/dev/null &
    while [[ $(sql race "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0 ]]; do
        ((SECONDS < until)) || die "nobody waits"
        sleep 0.01
    done
    sql race "$3" 2>&1 || true
    let_go "$holder" "$!"
}

# Each different line of the input with its number, in one line.
count() {
    sed 's/^psql:.*ERROR: */ERROR: /' | sort | uniq -c | awk '{ n = $1; $1 = ""; printf "%s%s=%d", sep, substr($0, 2), n; sep = " " } END { print "" }'
}

# ---------------------------------------------------------------------------------------------------------------------
# Inbound

is '50 times the same message: one is new' \
    "$(burst 50 "SELECT outcome FROM t.inbound('+250780001001', '{\"external_id\": \"same\", \"quiet_ms\": 0}');" | count)" 'duplicate=49 new=1'
is '... one row, one person, one conversation, one turn due, one message counted' \
    "$(sql race "SELECT count(*), count(DISTINCT m.profile_id), count(DISTINCT s.id), count(s.turn_due_at), sum(c.message_count)
                   FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id JOIN conversation_threads c ON c.session_id = s.id
                   JOIN profiles p ON p.user_id = m.profile_id WHERE p.phone_number = '+250780001001'" \
        'SELECT count(*) FROM profiles')" $'1|1|1|1|1\n1'

is 'a person nobody knows writes 20 messages on both channels at once: one conversation is made' \
    "$(burst 20 "SELECT outcome, session_created FROM t.inbound('+250780001002', CASE WHEN :n % 2 = 0 THEN
           '{\"channel\": \"whatsapp\", \"wa_id\": \"250780001002\"}'::jsonb ELSE '{}' END);" | count)" 'new|f=19 new|t=1'
is '... one person with both addresses, 20 messages that wait, in two threads' \
    "$(sql race "SELECT count(DISTINCT p.user_id), count(DISTINCT s.id), count(DISTINCT m.id), count(DISTINCT m.id) FILTER (WHERE m.awaits_turn)
                   FROM profiles p JOIN omnichannel_sessions s ON s.profile_id = p.user_id JOIN message_delivery_log m ON m.profile_id = p.user_id
                  WHERE p.phone_number = '+250780001002'" \
        "SELECT kind, value FROM contact_addresses WHERE value LIKE '%250780001002' ORDER BY 1" \
        "SELECT channel, message_count FROM conversation_threads c JOIN profiles p ON p.user_id = c.profile_id WHERE p.phone_number = '+250780001002' ORDER BY 1")" \
    $'1|1|20|20\ntel|+250780001002\nwa|250780001002\nsms|10\nwhatsapp|10'

is 'STOP by SMS while WhatsApp messages of the same person come: no deadlock' \
    "$(sql race "SELECT 1 FROM t.inbound('+250780001003')" >/dev/null
    burst 30 "SELECT format('SELECT outcome FROM t.inbound(''+250780001003'', ''{\"channel\": \"%s\", \"keyword\": \"%s\"}'')',
                  CASE WHEN (:n + i) % 2 = 0 THEN 'sms' ELSE 'whatsapp' END, CASE WHEN (:n + i) % 2 = 1 THEN '' WHEN i % 2 = 0 THEN 'start' ELSE 'stop' END)
                FROM generate_series(1, 10) AS i \\gexec" | count)" 'new=300'

# A person who is learning an address is not locked against rows that refer to her: a turn that ends just then does not wait, holding its
# conversation, for somebody who waits for that conversation.
session=$(sql race "SELECT get_or_create_session(t.person('+250780001007'), 'sms')")
is 'rows can refer to a person who is learning an address' \
    "$(meanwhile "SELECT person_find_or_create('+250780001007', '250780001007', NULL, 'Aline', NULL)" \
        "SELECT display_name IS NULL FROM profiles WHERE phone_number = '+250780001007' FOR KEY SHARE NOWAIT")" t
is 'who logs a message from outside holds the conversation, so that messages have their numbers in the order of commits' \
    "$(meanwhile "SELECT log_message_delivery('$session', t.profile_of('$session'), 'sms', 'operator', 'text', '+250780001007', 'mtn', 'sent')" \
        "SELECT 1 FROM omnichannel_sessions WHERE id = '$session' FOR NO KEY UPDATE NOWAIT" | grep -o 'could not obtain lock')" 'could not obtain lock'

# Two persons are joined while messages come from the one, from the other and from both, STOP among them, and a tool writes to the one who goes.
sql race "CREATE TABLE t.joins AS SELECT n, i.profile_id AS gone, i.session_id FROM generate_series(1, 20) AS n,
        LATERAL t.inbound(NULL, jsonb_build_object('channel', 'whatsapp', 'bsuid', 'RW.j' || n)) AS i" 'GRANT SELECT ON t.joins TO PUBLIC' \
    "SELECT t.inbound('+2507800030' || n + 10), t.enqueue(session_id, '{\"channel\": \"whatsapp\", \"provider\": \"meta\"}') FROM t.joins" \
    "INSERT INTO tool_calls (id, tool, caller, profile_id) SELECT uuid_v7(), 'join', 'bound', gone FROM t.joins" >/dev/null
is 'twenty persons are joined while all sorts of things come from both: no deadlock' \
    "$(burst 30 "SELECT CASE :n % 5
            WHEN 0 THEN format('SELECT count(*) > 0 FROM tool_send(%L, %L, %L, NULL, jsonb_build_array(t.outbound(''{\"message_type\": \"tool\", \"provider\": \"kannel\"}'')), ''[]'', false, uuid_v7())',
                (SELECT c.id FROM tool_calls c WHERE c.tool = 'join' AND c.profile_id IN (gone, (SELECT p.merged_into FROM profiles p WHERE p.user_id = gone)) LIMIT 1), gone, session_id)
            WHEN 1 THEN format('SELECT true FROM t.inbound(NULL, ''{\"channel\": \"whatsapp\", \"bsuid\": \"RW.j%s\"}'')', n)
            WHEN 2 THEN format('SELECT true FROM t.inbound(''+2507800030%s'', ''{\"channel\": \"whatsapp\", \"bsuid\": \"RW.j%s\", \"keyword\": \"stop\"}'')', n + 10, n)
            WHEN 3 THEN format('SELECT true FROM t.inbound(''+2507800030%s'', ''{\"channel\": \"whatsapp\", \"bsuid\": \"RW.j%s\"}'')', n + 10, n)
            ELSE format('SELECT true FROM t.inbound(''+2507800030%s'')', n + 10) END FROM t.joins ORDER BY n \gexec" | count)" 't=600'
is '... nothing is left with those who are gone' \
    "$(sql race "SELECT count(*) FILTER (WHERE p.merged_into IS NULL), (SELECT count(*) FROM omnichannel_sessions s JOIN t.joins j ON j.gone = s.profile_id),
            (SELECT count(*) FROM message_delivery_log m JOIN t.joins j ON j.gone = m.profile_id) FROM t.joins j JOIN profiles p ON p.user_id = j.gone")" '0|0|0'
is '... and nobody who said STOP is written to' \
    "$(sql race "SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id JOIN t.joins j ON j.gone IN (SELECT g.user_id FROM profiles g WHERE g.merged_into = p.user_id)
                  WHERE m.channel = 'whatsapp' AND m.status IN ('pending', 'failed') AND m.message_type <> 'confirmation'")" 0

sql race "CREATE TABLE t.stops AS SELECT n, i.profile_id AS gone FROM generate_series(1, 20) AS n, LATERAL t.inbound(NULL, jsonb_build_object('channel', 'whatsapp', 'bsuid', 'RW.s' || n)) AS i" \
    'GRANT SELECT ON t.stops TO PUBLIC' "SELECT t.inbound('+2507800040' || n + 10) FROM t.stops" >/dev/null
is 'STOP from a hidden number at the moment it shows' \
    "$(burst 20 "SELECT format('SELECT outcome FROM t.inbound(%s, ''{\"channel\": \"whatsapp\", \"bsuid\": \"RW.s%s\", \"keyword\": \"%s\"}'')',
            CASE WHEN :n % 2 = 0 THEN 'NULL' ELSE quote_literal('+2507800040' || n + 10) END, n, CASE WHEN :n = 2 THEN 'stop' ELSE '' END) FROM t.stops ORDER BY n \gexec" | count)" 'new=400'
is '... is the person''s, who has one conversation with all of it' \
    "$(sql race "SELECT count(*) FILTER (WHERE NOT p.allows_whatsapp), sum((SELECT count(*) FROM omnichannel_sessions s WHERE s.profile_id = p.user_id AND s.status <> 'closed')),
            sum((SELECT count(*) FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id AND s.status <> 'closed' WHERE s.profile_id = p.user_id AND m.direction = 'inbound'))
       FROM t.stops j JOIN profiles g ON g.user_id = j.gone JOIN profiles p ON p.user_id = g.merged_into")" '20|20|440'

# The order of locks, where it is easily lost: who waits for a message holds neither its person nor a conversation.
session=$(sql race "SELECT get_or_create_session(t.person('+250780001009'), 'sms')")
message=$(sql race "SELECT t.enqueue('$session')")
is 'STOP from an address we learn with it takes the messages before their person' \
    "$(in_line "SELECT 1 FROM message_delivery_log WHERE id = '$message' FOR NO KEY UPDATE" \
        "SELECT t.inbound('+250780001009', '{\"bsuid\": \"RW.new\", \"keyword\": \"stop\", \"name\": \"Aline\"}')" \
        "SELECT count(*) FROM (SELECT 1 FROM profiles WHERE phone_number = '+250780001009' FOR NO KEY UPDATE NOWAIT) AS p")" 1
sql race "SELECT t.call(NULL, '+250780001008', '{\"sip\": \"sip-order\"}')" >/dev/null
session=$(sql race "SELECT session_id FROM call_summaries WHERE call_id = 'sip-order'")
message=$(sql race "SELECT message_id FROM t.inbound('+250780001008')")
is 'a call that gets its name takes the conversation before what the person wrote in it' \
    "$(in_line "SELECT 1 FROM omnichannel_sessions WHERE id = '$session' FOR NO KEY UPDATE" "SELECT t.call('order', NULL, '{\"sip\": \"sip-order\"}')" \
        "SELECT count(*) FROM (SELECT 1 FROM message_delivery_log WHERE id = '$message' FOR NO KEY UPDATE NOWAIT) AS m")" 1
message=$(sql race "SELECT t.enqueue('$session', '{\"channel\": \"whatsapp\", \"provider\": \"meta\"}')")
sql race "SELECT t.call(NULL, '+250780001008', '{\"sip\": \"sip-order-2\"}')" "UPDATE message_delivery_log SET call_id = 'sip-order-2' WHERE id = '$message'" >/dev/null
is '... and its person before the conversation' \
    "$(in_line "SELECT 1 FROM profiles WHERE phone_number = '+250780001008' FOR NO KEY UPDATE" "SELECT t.call('order-2', NULL, '{\"sip\": \"sip-order-2\"}')" \
        "SELECT count(*) FROM (SELECT 1 FROM omnichannel_sessions WHERE id = '$session' FOR NO KEY UPDATE NOWAIT) AS s")" 1

# ---------------------------------------------------------------------------------------------------------------------
# Sessions

person=$(sql race "SELECT t.person('+250780001004')")
is '20 callers ask for the conversation of one person: one is made' \
    "$(burst 20 "SELECT get_or_create_omnichannel_session('$person', 'sms');" | sort -u | wc -l)" 1
sql race "UPDATE omnichannel_sessions SET expires_at = clock_timestamp() WHERE profile_id = '$person'"
is '... and one again when the first has just expired' \
    "$(burst 20 "SELECT get_or_create_omnichannel_session('$person', 'sms');" | sort -u | wc -l)" 1
is '... the first is closed' "$(sql race "SELECT status FROM omnichannel_sessions WHERE profile_id = '$person' ORDER BY started_at" | paste -sd' ')" 'closed active'

session=$(sql race "SELECT get_or_create_omnichannel_session('$person', 'sms')")
is '16 writers merge 20 facts each into the context' \
    "$(burst 16 "SELECT format('SELECT update_omnichannel_session_status(%L, ''active'', ''{\"w%s.%s\": 1}'')', '$session', :n, i) FROM generate_series(1, 20) AS i \\gexec" | count)" 't=320'
is '... and lose none' "$(sql race "SELECT count(*) FROM omnichannel_sessions, jsonb_object_keys(context) WHERE id = '$session'")" 320

# ---------------------------------------------------------------------------------------------------------------------
# Delivery and turns

sql race "SELECT count(t.enqueue(t.session())) FROM generate_series(1, 2000)" >/dev/null
burst 8 "SELECT 'SELECT id FROM claim_outbound(''mtn'', ''worker ' || :n || ''', 25, 90)' FROM generate_series(1, 60) \\gexec" >"$CLUSTER/claimed"
is '8 workers claim 2,000 due rows: each row once' \
    "$(wc -l <"$CLUSTER/claimed") $(sort -u "$CLUSTER/claimed" | wc -l)" '2000 2000'
is '... none left behind, none with a second fence' \
    "$(sql race "SELECT count(*), max(fence), count(DISTINCT worker) > 1 FROM delivery_attempts" "SELECT count(*) FROM message_delivery_log WHERE status = 'pending' AND provider = 'mtn' AND content = 'text'")" $'2000|1|t\n0'

sql race "UPDATE omnichannel_sessions SET turn_due_at = NULL" "SELECT count(t.inbound('+25078000' || n)) FROM generate_series(2001, 2100) AS n" >/dev/null
is '8 workers claim 100 due turns: each once' \
    "$(burst 8 "SELECT 'SELECT session_id FROM claim_turns(''w'', 5, 60)' FROM generate_series(1, 30) \\gexec" | sort | uniq -c | awk '{ n++; if ($1 > 1) twice++ } END { print n + 0, twice + 0 }')" '100 0'
is 'the worker, a report and the sweeper reach one message at once: it is read' \
    "$(message=$(sql race "SELECT t.in_flight()")
    sql race "SELECT t.lease_over('$message')" >/dev/null
    burst 12 "SELECT CASE :n % 3 WHEN 0 THEN 'SELECT t.finish(''$message'', 1, ''accepted'', ''{\"external_id\": \"r1\"}'')'
        WHEN 1 THEN 'SELECT t.report(''r1'', NULL, ''read'')' ELSE 'SELECT sweep_outbound(90)' END \\gexec" >"$CLUSTER/mixed"
    grep -c ERROR "$CLUSTER/mixed" || true
    sql race "SELECT t.status('$message')")" $'0\nread'

# A report under the gateway's id and the answer that brings this id pass each other: neither may miss the other.
sql race "CREATE TABLE t.pairs AS SELECT n, t.in_flight() AS message FROM generate_series(1, 60) AS n" 'GRANT SELECT ON t.pairs TO PUBLIC' >/dev/null
for round in 0 1 2; do
    burst 40 "SELECT CASE WHEN :n % 2 = 0 THEN format('SELECT t.finish(%L, 1, ''accepted'', ''{\"external_id\": \"pair-%s\"}'')', message, n)
        ELSE format('SELECT t.report(''pair-%s'', NULL, ''delivered'')', n) END FROM t.pairs WHERE n = $round * 20 + (:n + 1) / 2 \\gexec" >/dev/null
done
is '60 reports that cross the answers to their messages: all are applied' \
    "$(sql race "SELECT m.status, count(*) FROM t.pairs p JOIN message_delivery_log m ON m.id = p.message GROUP BY 1")" 'delivered|60'

# Two requests with reports about the same ten people, in opposite order: each changes all of them and writes to all their conversations.
sql race "CREATE FUNCTION t.on_whatsapp(session uuid) RETURNS uuid LANGUAGE plpgsql AS \$\$
    DECLARE
        m uuid := t.enqueue(session, jsonb_build_object('channel', 'whatsapp', 'provider', 'meta', 'fallback', jsonb_build_object('sms', t.outbound())));
    BEGIN
        PERFORM t.claim(m), t.finish(m, 1, 'accepted');
        RETURN m;
    END \$\$" \
    "CREATE TABLE t.people AS SELECT n, i, t.session() AS session FROM generate_series(1, 40) AS n, generate_series(1, 10) AS i" \
    "CREATE TABLE t.crossed AS SELECT n, 1 AS batch, t.on_whatsapp(session) AS message FROM (SELECT * FROM t.people ORDER BY n, i OFFSET 0) AS p
     UNION ALL SELECT n, 2, t.on_whatsapp(session) FROM (SELECT * FROM t.people ORDER BY n, i DESC OFFSET 0) AS p" \
    'GRANT SELECT ON t.crossed TO PUBLIC' >/dev/null
is 'reports about the same people in opposite order: no deadlock' \
    "$(burst 2 "SELECT format('SELECT moved FROM record_status_events(''meta'', %L)', jsonb_agg(jsonb_build_object('our_ref', message, 'status', 'undelivered',
        'error_code', '131026'))) FROM t.crossed WHERE batch = :n GROUP BY n ORDER BY n \\gexec" | count)" '10=80'
is 'the same reports in opposite order: no deadlock' \
    "$(burst 4 "SELECT format('SELECT stored >= 0 FROM record_status_events(''meta'', %L)', (SELECT jsonb_agg(jsonb_build_object('external_id', n || '.' || i,
        'status', 'sent') ORDER BY CASE :n % 2 WHEN 0 THEN i ELSE -i END) FROM generate_series(1, 20) AS i)) FROM generate_series(1, 50) AS n \\gexec" | count)" 't=200'

# ---------------------------------------------------------------------------------------------------------------------
# Calls

call=$(sql race "SELECT id FROM t.call('n1', '+250780001005', '{\"ended\": true, \"summary\": \"Text\"}')")
is '10 times the notification of one call: one writes' \
    "$(burst 10 "SELECT notify_call('$call', jsonb_build_array(t.outbound('{\"message_type\": \"summary\", \"call_id\": \"n1\"}')), 'sent', NULL);" | count)" 'f=9 t=1'
is '... its row' "$(sql race "SELECT count(*) FROM message_delivery_log WHERE call_id = 'n1'")" 1
is '10 times the same call: one is made' \
    "$(burst 10 "SELECT created FROM t.call('n2', '+250780001006', '{\"sip\": \"sip-n2\", \"ended\": true}');" | count)" 'f=9 t=1'
is '... by either of its names, too, and without an error' \
    "$(burst 20 "SELECT created FROM t.call(CASE WHEN :n % 2 = 0 THEN 'n3' END, '+250780001006', '{\"sip\": \"sip-n3\"}');" | count)" 'f=19 t=1'

# The end comes without a number while the call is being made, by its name or by its SIP name: it finds the call or is found by it.
for ref in call sip; do
    for round in 1 2 3; do
        burst 40 "SELECT CASE WHEN :n % 2 = 0
            THEN format('SELECT t.call(%L, %L, ''{\"sip\": \"%s\"}'')', 'c-$ref-$round-' || :n / 2, '+250780003' || lpad(:n::text, 3, '0'), 's-$ref-$round-' || :n / 2)
            ELSE format('SELECT t.call(%L, NULL, ''{\"sip\": %s, \"ended\": true}'')', CASE '$ref' WHEN 'call' THEN 'c-$ref-$round-' || (:n + 1) / 2 END,
                CASE '$ref' WHEN 'sip' THEN '\"s-$ref-$round-' || (:n + 1) / 2 || '\"' ELSE 'null' END) END \\gexec" >"$CLUSTER/ends"
    done
    is "60 calls made at the moment of their end ($ref): all have ended" \
        "$(sql race "SELECT status, count(*) FROM call_summaries WHERE call_id LIKE 'c-$ref-%' GROUP BY 1")" 'ended|60'
done
is '... and no end waits for its call' "$(sql race 'SELECT count(*) FROM call_triggers')" 0

# ---------------------------------------------------------------------------------------------------------------------
# Dead letters

sql race "SELECT t.in_flight('{\"idem_key\": \"dead\"}')" "SELECT t.finish((SELECT id FROM message_delivery_log WHERE idem_key = 'dead'), 1, 'permanent')" >/dev/null
is 'a dead letter is not sent again while somebody else adds to its conversation' \
    "$(meanwhile "SELECT 1 FROM omnichannel_sessions s JOIN message_delivery_log m ON m.session_id = s.id WHERE m.idem_key = 'dead' FOR NO KEY UPDATE OF s" \
        "SET lock_timeout = '200ms'; SELECT replay_dead(id) FROM message_delivery_log WHERE idem_key = 'dead'" | grep -c 'lock timeout')" 1
is '... ten times afterwards: once' \
    "$(burst 10 "SELECT replay_dead(id) IS NULL FROM message_delivery_log WHERE idem_key = 'dead';" | count)" 'f=1 t=9'

# ---------------------------------------------------------------------------------------------------------------------
# Everything at once

errors_before=$(grep -c 'ERROR:' "$CLUSTER/server.log" || true)
weights=(inbound.sql@10 call.sql@4 notify.sql@4 deliver_mtn.sql@6 deliver_meta.sql@6 report_mtn.sql@5 report_meta.sql@5 turns.sql@6 sweep.sql@1
    outside.sql@3)
pgbench -n -M prepared -U omni_app -c 8 -j 2 -T "${OMNI_STRESS_S:-5}" "${weights[@]/#/-f$SQL_DIR/support/stress/}" mixed \
    >"$CLUSTER/pgbench.out" 2>&1 || true
printf '# %s\n' "$(grep -E 'actually processed' "$CLUSTER/pgbench.out")" "messages: $(sql mixed "SELECT direction || ' ' || status, count(*) FROM message_delivery_log GROUP BY 1 ORDER BY 1" | paste -sd' ')" \
    "calls: $(sql mixed 'SELECT status, count(notified_at) FROM call_summaries GROUP BY 1 ORDER BY 1' | paste -sd' '); turns: $(sql mixed 'SELECT status, count(*) FROM turns GROUP BY 1 ORDER BY 1' | paste -sd' ')"
is 'a mixed load on 8 connections: no deadlock, no other error' \
    "$(grep 'ERROR:' "$CLUSTER/server.log" | tail -n +$((errors_before + 1)) | sed 's/.*ERROR: *//' | count)" ''
is '... and nothing is where it must not be' "$(sql mixed 'SELECT what, count(*) FROM t.violations GROUP BY 1 ORDER BY 1' | paste -sd' ')" ''
done_testing
