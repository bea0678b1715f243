#!/usr/bin/env bash
#
# The migrations on databases that have people and calls already, with all that years leave behind: no row is lost, one
# person is one row, a second run changes nothing; and what somebody is told who may not make roles.
set -euo pipefail
# shellcheck source=tests/sql/cluster.sh
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"

cluster_start

# dump DATABASE FILE: the whole database as text
dump() {
    pg_dump -d "$1" | sed '/^\\restrict /d; /^\\unrestrict /d' >"$CLUSTER/$2"
}

# ---------------------------------------------------------------------------------------------------------------------
# Roles are missing and the migrating role may not make them. First, while the cluster has none of them.

sql postgres 'CREATE ROLE plain LOGIN'
database_new plain plain
result=0
migrate plain plain >"$CLUSTER/plain.out" 2>&1 || result=$?
is 'without CREATEROLE and without the roles: refused' "$((result != 0))" 1
is '... saying which role is missing and who may not make it' \
    "$(grep -o 'role omni_owner is missing and plain may not create roles' "$CLUSTER/plain.out")" 'role omni_owner is missing and plain may not create roles'
is '... and what to do' "$(grep -o 'CREATE ROLE omni_owner NOLOGIN; CREATE ROLE omni_app NOLOGIN; CREATE ROLE omni_reader NOLOGIN; CREATE ROLE omni_user NOLOGIN;' "$CLUSTER/plain.out" | wc -l)" 1
is '... nothing of that migration remains' "$(sql plain "SELECT to_regclass('omnichannel_sessions') IS NULL")" t

cluster_roles
sql postgres 'CREATE ROLE omni_user NOLOGIN'
result=0
migrate plain plain >"$CLUSTER/plain.out" 2>&1 || result=$?
is 'with the roles, but no member of the owner: refused, saying so' \
    "$((result != 0)) $(grep -o 'plain is not a member of omni_owner' "$CLUSTER/plain.out")" '1 plain is not a member of omni_owner'
sql postgres 'GRANT omni_owner TO plain'
migrate plain plain >"$CLUSTER/plain.out" 2>&1 || die "as a member: $(cat "$CLUSTER/plain.out")"
is 'with both: done' "$(sql plain 'SELECT count(*) FROM agents')" 5
is '... everything is the owner'"'"'s' "$(sql plain "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
    AND relowner <> 'omni_owner'::regrole AND relname <> 'schema_migrations'")" 0

# ---------------------------------------------------------------------------------------------------------------------
# People and calls by text: numbers in every spelling, tables that point at people in every way.

database_new texts
psql -d texts -U omni_owner -Xq -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE profiles (user_id uuid PRIMARY KEY, phone_number text UNIQUE NOT NULL, email text, created_at timestamptz,
    referred_by uuid REFERENCES profiles (user_id));
CREATE TABLE orders (id int PRIMARY KEY, user_id uuid NOT NULL REFERENCES profiles (user_id) ON DELETE CASCADE);
CREATE TABLE visits (id int PRIMARY KEY, visitor uuid REFERENCES profiles (user_id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE wallets (user_id uuid PRIMARY KEY REFERENCES profiles (user_id), balance int NOT NULL);
CREATE FUNCTION u(n int) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO profiles VALUES
    (u(1), '0788000001', 'old@example.org', '2020-01-01', NULL),           -- three spellings of one number
    (u(2), '+250 788 000 001', 'new@example.org', '2021-01-01', NULL),
    (u(3), '250788000001', NULL, '2022-01-01', NULL),
    (u(4), 'not a number', NULL, '2020-01-01', u(2)),                       -- no numbers
    (u(5), '', NULL, '2020-01-01', NULL),
    (u(6), '12345', NULL, '2020-01-01', NULL),
    (u(7), '+33 6 12 34 56 78', NULL, '2020-01-01', NULL),                  -- numbers of one spelling each
    (u(8), '00250788000008', NULL, '2020-01-01', NULL),
    (u(9), '+250788000009', NULL, '2020-01-01', NULL),
    (u(10), '+250722000011', NULL, '2023-01-01', NULL),                     -- two, and each has a wallet
    (u(11), '(0722) 000-011', NULL, '2022-01-01', NULL);
INSERT INTO orders SELECT n, u(n) FROM generate_series(1, 11) AS n;
INSERT INTO visits SELECT n, u(n) FROM generate_series(1, 11) AS n;
INSERT INTO wallets VALUES (u(2), 20), (u(10), 100), (u(11), 110);
CREATE TABLE call_summaries (id uuid PRIMARY KEY, call_id text, summary_text text, phone_number text);
INSERT INTO call_summaries VALUES
    (u(101), 'c1', 'one', '0788 000 001'), (u(102), 'c2', 'first', 'withheld'), (u(103), 'c2', 'second', NULL),
    (u(104), NULL, 'nameless', NULL), (u(105), NULL, 'nameless, too', NULL), (u(106), 'c2', 'third', NULL);
SQL
migrate texts >"$CLUSTER/texts.out" 2>&1 || die "texts: $(cat "$CLUSTER/texts.out")"

people="SELECT right(user_id::text, 2)::int, phone_number, unreadable_phone, right(merged_into::text, 2)::int FROM profiles ORDER BY 1"
is 'spellings of one number are one person, the oldest; numbers become E.164; what is no number moves aside' \
    "$(sql texts "$people")" \
    $'1|+250788000001||\n4||not a number|\n5|||\n6||12345|\n7|+33612345678||\n8|+250788000008||\n9|+250788000009||\n10|||11\n11|+250722000011||'
is '... and keeps what else was known' "$(sql texts "SELECT email FROM profiles WHERE phone_number = '+250788000001'")" 'old@example.org'
is 'every number is an address of its person' "$(sql texts "SELECT kind, value, right(profile_id::text, 2)::int FROM contact_addresses ORDER BY 3")" \
    $'tel|+250788000001|1\ntel|+33612345678|7\ntel|+250788000008|8\ntel|+250788000009|9\ntel|+250722000011|11'
is 'no child is lost, those of a twin point at the person who stays' \
    "$(sql texts "SELECT right(user_id::text, 2)::int, count(*) FROM orders GROUP BY 1 ORDER BY 1" | paste -sd' ')" '1|3 4|1 5|1 6|1 7|1 8|1 9|1 11|2'
is '... where checks are deferred, too' \
    "$(sql texts "SELECT right(visitor::text, 2)::int, count(*) FROM visits GROUP BY 1 ORDER BY 1" | paste -sd' ')" '1|3 4|1 5|1 6|1 7|1 8|1 9|1 11|2'
is '... and where people point at people' "$(sql texts 'SELECT right(referred_by::text, 2)::int FROM profiles WHERE referred_by IS NOT NULL')" 1
is 'of what a person has once nothing is lost' "$(sql texts "SELECT right(user_id::text, 2)::int, balance FROM wallets ORDER BY 1" | paste -sd' ')" '1|20 10|100 11|110'
is 'every call has a name of its own; of several rows the last has the call'"'"'s' \
    "$(sql texts "SELECT summary_text, regexp_replace(call_id, '0000.*(1..)$', '\\1'), status, notify_due_at IS NULL FROM call_summaries ORDER BY id")" \
    $'one|c1|ended|t\nfirst|c2:102|ended|t\nsecond|c2:103|ended|t\nnameless|row:104|ended|t\nnameless, too|row:105|ended|t\nthird|c2|ended|t'
is '... the number of a call becomes E.164 where it is one' "$(sql texts 'SELECT phone_number FROM call_summaries WHERE phone_number IS NOT NULL ORDER BY id' | paste -sd' ')" '+250788000001 withheld'
is 'the number is unique' "$(sql texts "INSERT INTO profiles (phone_number) VALUES ('+250788000001')" 2>&1 | grep -c 'duplicate key')" 1

psql -d texts -Xq -v ON_ERROR_STOP=1 -f "$SQL_DIR/support/fixtures.sql"
is 'the person is found by the number, in whichever way he or she comes' \
    "$(sql texts "SELECT right(profile_id::text, 2)::int FROM t.inbound('+250788000001')" "SELECT right(profile_id::text, 2)::int FROM t.call('c1', NULL, '{\"ended\": true}')" \
        "SELECT right(profile_id::text, 2)::int FROM t.inbound('+250722000011')" | paste -sd' ')" '1 1 11'
is '... who has not been seen is new' "$(sql texts "SELECT uuid_extract FROM (SELECT substr(profile_id::text, 15, 1) AS uuid_extract FROM t.inbound('+250788000099')) AS x")" 7
sql texts 'DROP SCHEMA t CASCADE' 2>/dev/null

dump texts before
migrate texts >"$CLUSTER/again.out" 2>&1 || die "again: $(cat "$CLUSTER/again.out")"
dump texts after
is 'a second run changes nothing' "$(diff "$CLUSTER/before" "$CLUSTER/after" | head -n 5)" ''

# ---------------------------------------------------------------------------------------------------------------------
# Calls by uuid, tied to a table of their own; no times, no keys; and a role for signed-in people.

sql postgres 'CREATE ROLE authenticated NOLOGIN'
database_new uuids
psql -d uuids -U omni_owner -Xq -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE profiles (user_id uuid PRIMARY KEY, phone_number text);
CREATE TABLE calls (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
CREATE TABLE call_summaries (id uuid, call_id uuid DEFAULT gen_random_uuid() REFERENCES calls (id), summary_text text, status text);
CREATE FUNCTION u(n int) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
INSERT INTO profiles VALUES (u(2), '0788000001'), (u(1), '+250788000001'), (u(3), NULL), (u(4), NULL);
INSERT INTO calls SELECT u(n) FROM generate_series(201, 203) AS n;
INSERT INTO call_summaries VALUES (u(101), u(201), 'one', 'completed'), (u(102), u(202), 'first', NULL), (u(103), u(202), 'second', 'ended'),
    (u(104), NULL, 'nameless', 'failed'), (NULL, u(203), 'no id', NULL);
SQL
migrate uuids >"$CLUSTER/uuids.out" 2>&1 || die "uuids: $(cat "$CLUSTER/uuids.out")"
is 'without a time the row that was there first stays' "$(sql uuids "$people" | paste -sd' ')" '2|+250788000001|| 3||| 4|||'
is 'calls named by a uuid keep it as text' \
    "$(sql uuids "SELECT summary_text, regexp_replace(call_id, '00000000-0000-4000-8000-000000000', '', 'g'), status FROM call_summaries ORDER BY summary_text COLLATE \"C\"")" \
    $'first|202:102|ended\nnameless|row:104|failed\nno id|203|ended\none|201|ended\nsecond|202|ended'
is '... the table of their own stays as it was' "$(sql uuids 'SELECT count(*) FROM calls')" 3
is '... and new calls are not bound to it' \
    "$(sql uuids "INSERT INTO call_summaries (call_id) VALUES ('rtc_1') RETURNING status, id IS NOT NULL")" 'in_progress|t'
is '... every row has an id of its own' "$(sql uuids 'SELECT count(*) = count(DISTINCT id) FROM call_summaries')" t
is '... and cannot share it' "$(sql uuids "INSERT INTO call_summaries (id, call_id) SELECT id, 'rtc_2' FROM call_summaries LIMIT 1" 2>&1 | grep -c 'duplicate key')" 1
is 'signed-in people are end users: they see their own rows' \
    "$(sql uuids 'GRANT USAGE ON SCHEMA public TO authenticated' 'SET ROLE authenticated' 'SELECT count(*) FROM profiles' 'BEGIN' \
        "SELECT '' FROM set_config('request.jwt.claims', '{\"sub\": \"00000000-0000-4000-8000-000000000003\"}', true)" 'SELECT user_id FROM profiles' 'COMMIT' | paste -sd' ')" \
    '0  00000000-0000-4000-8000-000000000003'

# ---------------------------------------------------------------------------------------------------------------------
# An empty database, migrated by two at once

database_new empty
migrate empty >"$CLUSTER/one.out" 2>&1 &
migrate empty >"$CLUSTER/two.out" 2>&1 || die "side by side: $(cat "$CLUSTER/two.out")"
wait "$!" || die "side by side: $(cat "$CLUSTER/one.out")"
is 'two runs at once apply each file once' "$(cat "$CLUSTER/one.out" "$CLUSTER/two.out" | grep -c '^applying')" "$(find "$OMNI_ROOT/migrations" -name '*.sql' | wc -l)"
dump empty before
migrate empty >"$CLUSTER/again.out" 2>&1
dump empty after
is '... a third changes nothing' "$(diff "$CLUSTER/before" "$CLUSTER/after" | head -n 5)" ''

done_testing
