-- The shape that outside readers rely on, and what must hold in it whoever writes.
SET client_min_messages = warning;
SELECT plan(85);

-- Names and types that others query -----------------------------------------------------------------------------------

SELECT is_empty($$
    SELECT e.place FROM (VALUES
        ('profiles.user_id uuid'), ('profiles.phone_number text'), ('profiles.display_name text'),
        ('profiles.preferred_language text'), ('profiles.whatsapp_jid text'), ('profiles.has_whatsapp boolean'),
        ('profiles.wa_window_until timestamptz'), ('profiles.allows_sms boolean'), ('profiles.last_active_channel text'),
        ('profiles.notification_preferences jsonb'),
        ('contact_addresses.profile_id uuid'), ('contact_addresses.kind text'), ('contact_addresses.value text'),
        ('contact_addresses.verified_at timestamptz'),
        ('call_summaries.id uuid'), ('call_summaries.call_id text'), ('call_summaries.sip_call_id text'),
        ('call_summaries.profile_id uuid'), ('call_summaries.phone_number text'), ('call_summaries.channel text'),
        ('call_summaries.status text'), ('call_summaries.started_at timestamptz'), ('call_summaries.answered_at timestamptz'),
        ('call_summaries.ended_at timestamptz'), ('call_summaries.end_seen_at timestamptz'),
        ('call_summaries.duration_seconds int4'), ('call_summaries.summary_text text'), ('call_summaries.bullets jsonb'),
        ('call_summaries.next_actions jsonb'), ('call_summaries.transcript text'), ('call_summaries.main_intent text'),
        ('call_summaries.language text'),
        ('omnichannel_sessions.id uuid'), ('omnichannel_sessions.profile_id uuid'), ('omnichannel_sessions.call_id text'),
        ('omnichannel_sessions.primary_channel text'), ('omnichannel_sessions.active_channels _text'),
        ('omnichannel_sessions.last_agent_id text'), ('omnichannel_sessions.last_intent text'),
        ('omnichannel_sessions.status text'), ('omnichannel_sessions.started_at timestamptz'),
        ('omnichannel_sessions.updated_at timestamptz'), ('omnichannel_sessions.closed_at timestamptz'),
        ('omnichannel_sessions.expires_at timestamptz'), ('omnichannel_sessions.context jsonb'),
        ('omnichannel_sessions.summary_sent_whatsapp boolean'), ('omnichannel_sessions.summary_sent_sms boolean'),
        ('message_delivery_log.id uuid'), ('message_delivery_log.session_id uuid'), ('message_delivery_log.profile_id uuid'),
        ('message_delivery_log.call_id text'), ('message_delivery_log.channel text'), ('message_delivery_log.direction text'),
        ('message_delivery_log.message_type text'), ('message_delivery_log.provider text'),
        ('message_delivery_log.content text'), ('message_delivery_log.recipient_phone text'),
        ('message_delivery_log.status text'), ('message_delivery_log.external_message_id text'),
        ('message_delivery_log.idem_key text'), ('message_delivery_log.group_id uuid'), ('message_delivery_log.part int4'),
        ('message_delivery_log.error_code text'), ('message_delivery_log.error_message text'),
        ('message_delivery_log.retry_count int4'), ('message_delivery_log.next_attempt_at timestamptz'),
        ('message_delivery_log.lease_owner text'), ('message_delivery_log.lease_token int8'),
        ('message_delivery_log.lease_until timestamptz'), ('message_delivery_log.expires_at timestamptz'),
        ('message_delivery_log.possible_duplicate boolean'), ('message_delivery_log.dead_reason text'),
        ('message_delivery_log.replay_of uuid'), ('message_delivery_log.segments int4'),
        ('message_delivery_log.cost_rwf numeric'), ('message_delivery_log.created_at timestamptz'),
        ('message_delivery_log.sent_at timestamptz'), ('message_delivery_log.delivered_at timestamptz'),
        ('message_delivery_log.read_at timestamptz'), ('message_delivery_log.failed_at timestamptz'),
        ('message_delivery_log.metadata jsonb'),
        ('conversation_threads.id uuid'), ('conversation_threads.session_id uuid'), ('conversation_threads.profile_id uuid'),
        ('conversation_threads.parent_call_id text'), ('conversation_threads.channel text'),
        ('conversation_threads.message_count int4'), ('conversation_threads.last_message_at timestamptz'),
        ('conversation_threads.status text'), ('conversation_threads.thread_context jsonb'),
        ('delivery_rates_24h.channel text'), ('delivery_rates_24h.status text'), ('delivery_rates_24h.count int8'),
        ('delivery_rates_24h.success_rate numeric'), ('active_sessions_24h.active_sessions int8')) AS e (place)
    EXCEPT
    SELECT format('%s.%s %s', c.relname, a.attname, replace(replace(y.typname, 'bool', 'boolean'), 'booleanean', 'boolean'))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
     WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0$$,
    'every column that outside readers know is there, with its type');

SELECT is((SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
              AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)),
    NULL, 'every table has a primary key');
SELECT is((SELECT numeric_precision || ',' || numeric_scale FROM information_schema.columns
            WHERE table_name = 'message_delivery_log' AND column_name = 'cost_rwf'), '12,3', 'money is numeric(12,3)');
SELECT col_not_null('public', 'message_delivery_log', 'session_id', 'a message belongs to a conversation');
SELECT col_is_null('public', 'profiles', 'phone_number', 'a person may have no number');

SELECT is((SELECT string_agg(format('%s(%s) %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)), E'\n'
                  ORDER BY p.proname)
             FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
              AND p.proname IN ('get_or_create_omnichannel_session', 'update_omnichannel_session_status', 'get_or_create_session',
                  'update_session_status', 'check_whatsapp_available')),
    'check_whatsapp_available(profile uuid) boolean' || E'\n'
    || 'get_or_create_omnichannel_session(profile uuid, channel text, call_id text DEFAULT NULL::text, agent text DEFAULT NULL::text,'
    || ' intent text DEFAULT NULL::text) uuid' || E'\n'
    || 'get_or_create_session(profile uuid, channel text, call_id text DEFAULT NULL::text, agent text DEFAULT NULL::text,'
    || ' intent text DEFAULT NULL::text) uuid' || E'\n'
    || 'update_omnichannel_session_status(session uuid, status text, context jsonb DEFAULT NULL::jsonb, agent text DEFAULT NULL::text,'
    || ' intent text DEFAULT NULL::text) boolean' || E'\n'
    || 'update_session_status(session uuid, status text, context jsonb DEFAULT NULL::jsonb, agent text DEFAULT NULL::text,'
    || ' intent text DEFAULT NULL::text) boolean',
    'the functions that others call by name have the agreed arguments');
SELECT ok(position('p_idem_key text DEFAULT NULL' IN pg_get_function_arguments('log_message_delivery'::regproc)) > 0
          AND pg_get_function_result('log_message_delivery'::regproc) = 'uuid', 'log_message_delivery takes an idem_key, returns an id');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p
            WHERE p.pronamespace = 'public'::regnamespace
              AND NOT coalesce('search_path=public, pg_temp' = ANY (p.proconfig) OR 'search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)),
    NULL, 'every function fixes its search_path, pg_temp last');
SELECT is((SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef), 0::bigint,
    'no function runs with its owner''s rights');

-- Row ids --------------------------------------------------------------------------------------------------------------

SELECT matches(uuid_v7()::text, '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$', 'uuid_v7: version 7, variant 2');
SELECT ok(abs(extract(epoch FROM clock_timestamp()) * 1000
              - ('x' || lpad(left(replace(uuid_v7()::text, '-', ''), 12), 16, '0'))::bit(64)::bigint) < 5000, 'uuid_v7 carries the time');
SELECT is((SELECT count(DISTINCT uuid_v7()) FROM generate_series(1, 1000)), 1000::bigint, 'uuid_v7 does not repeat itself');

-- One row of each kind, and what may not be done to it ------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT t.profile_of(:'session') AS person \gset
SELECT t.enqueue(:'session') AS message \gset
SELECT id AS call FROM t.call('c1', (SELECT phone_number FROM profiles WHERE user_id = :'person')) \gset
SELECT message_id AS received FROM t.inbound((SELECT phone_number FROM profiles WHERE user_id = :'person'),
    '{"external_id": "in-1"}') \gset
SELECT 1 AS leave FROM claim_outbound('mtn', 'w', 1, 90) \gset
SELECT 1 AS leave FROM claim_turns('w', 1, 60) \gset

-- Copies a row of a table (of the messages: the one in flight) with these columns changed; the constraint it breaks, or
-- 'kept'.
CREATE FUNCTION t.broken_by(target regclass, facts jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    EXECUTE format('INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(r, $1)).* FROM %s r WHERE %s LIMIT 1',
        target, target, CASE target WHEN 'message_delivery_log'::regclass THEN 'status = ''sending''' ELSE 'true' END)
        USING facts;
    RAISE EXCEPTION 'kept' USING ERRCODE = 'TT000';
EXCEPTION
    WHEN check_violation THEN RETURN 'check';
    WHEN unique_violation THEN GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME; RETURN name;
    WHEN not_null_violation THEN RETURN 'null';
    WHEN foreign_key_violation THEN RETURN 'reference';
    WHEN SQLSTATE 'TT000' THEN RETURN 'kept';
END $$;

SELECT is(t.broken_by(e.target::regclass, jsonb_build_object(e.col, e.value)), 'check', format('%s.%s cannot be %s', e.target, e.col, e.value))
  FROM (VALUES
    ('profiles', 'phone_number', '"0780000001"'::jsonb), ('profiles', 'phone_number', '"+0780000001"'),
    ('profiles', 'phone_number', '""'), ('profiles', 'phone_number', '"+25078000000 "'), ('profiles', 'last_active_channel', '"fax"'),
    ('contact_addresses', 'kind', '"mail"'), ('contact_addresses', 'value', '""'),
    ('omnichannel_sessions', 'primary_channel', '"fax"'), ('omnichannel_sessions', 'active_channels', '["sms", "fax"]'),
    ('omnichannel_sessions', 'status', '"gone"'), ('omnichannel_sessions', 'status', '"closed"'),
    ('omnichannel_sessions', 'context', '[1]'), ('omnichannel_sessions', 'context', to_jsonb('a'::text)),
    ('omnichannel_sessions', 'context', jsonb_build_object('k', repeat('x', 32768))),
    ('conversation_threads', 'channel', '"fax"'), ('conversation_threads', 'status', '"gone"'),
    ('call_summaries', 'status', '"gone"'), ('call_summaries', 'channel', '"fax"'), ('call_summaries', 'notify_result', '"maybe"'),
    ('delivery_attempts', 'outcome', '"maybe"'), ('turns', 'status', '"gone"')) AS e (target, col, value);

SELECT is(t.broken_by('message_delivery_log', e.facts || '{"id": "00000000-0000-7000-8000-000000000001", "idem_key": "k"}'), e.breaks, e.why)
  FROM (VALUES
    ('{"channel": "voice"}'::jsonb, 'check', 'a message is not a call'),
    ('{"direction": "sideways"}', 'check', 'direction is known'),
    ('{"message_type": "letter"}', 'check', 'message_type is known'),
    ('{"message_type": "message"}', 'check', 'an outbound row is not a person''s message'),
    ('{"status": "gone"}', 'check', 'status is known'),
    ('{"status": "received"}', 'check', 'an outbound row is not received'),
    ('{"direction": "inbound", "status": "received", "message_type": "message", "external_message_id": null}', 'check',
        'an inbound row has its provider''s id'),
    ('{"direction": "inbound", "message_type": "message"}', 'check', 'an inbound row is received'),
    ('{"status": "pending", "next_attempt_at": null}', 'check', 'pending is scheduled'),
    ('{"status": "failed", "next_attempt_at": null}', 'check', 'failed is scheduled'),
    ('{"status": "sent", "next_attempt_at": "2030-01-01"}', 'check', 'sent is not scheduled'),
    ('{"status": "sending", "lease_until": null}', 'check', 'sending has a lease that can end'),
    ('{"status": "unknown", "lease_until": null}', 'check', 'unknown is held for a time that ends'),
    ('{"status": "dead", "dead_reason": null}', 'check', 'dead has a reason'),
    ('{"status": "dead", "dead_reason": "boredom"}', 'check', 'the reason is known'),
    ('{"status": "sent", "dead_reason": "expired"}', 'check', 'only dead has a reason'),
    ('{"part": 0}', 'check', 'parts start at 1'), ('{"part": 256}', 'check', 'parts end at 255'),
    ('{"session_id": null}', 'null', 'no message without a conversation'),
    ('{"group_id": null}', 'null', 'no message without a group'),
    ('{"session_id": "00000000-0000-7000-8000-000000000002"}', 'reference', 'the conversation exists'),
    ('{"profile_id": "00000000-0000-7000-8000-000000000002"}', 'reference', 'the person exists'),
    ('{"replay_of": "00000000-0000-7000-8000-000000000002"}', 'reference', 'what is replayed exists'),
    ('{"direction": "inbound", "status": "received", "message_type": "message", "external_message_id": "in-1"}',
        'one_inbound_message', 'an inbound message is stored once'),
    ('{"direction": "inbound", "status": "received", "message_type": "message", "external_message_id": "in-2"}', 'kept',
        'another one is another one'),
    ('{"direction": "inbound", "status": "received", "message_type": "message", "external_message_id": "in-1", "provider": "kannel"}',
        'kept', 'ids are a provider''s own'),
    ('{}', 'kept', 'a second outbound row with a key of its own is fine')) AS e (facts, breaks, why);

SELECT is(t.broken_by('message_delivery_log', '{"id": "00000000-0000-7000-8000-000000000001"}'), 'message_delivery_log_idem_key_key',
    'idem_key is unique');
UPDATE message_delivery_log SET external_message_id = 'out-1' WHERE id = :'message';
SELECT is(t.broken_by('message_delivery_log', '{"id": "00000000-0000-7000-8000-000000000001", "idem_key": "k", "external_message_id": "out-1"}'),
    'one_outbound_id', 'a provider''s id names one outbound row');

SELECT is(t.broken_by('omnichannel_sessions', '{"id": "00000000-0000-7000-8000-000000000001"}'), 'one_open_session', 'one open session a person');
SELECT is(t.broken_by('omnichannel_sessions', '{"id": "00000000-0000-7000-8000-000000000001", "status": "follow_up"}'), 'one_open_session',
    'follow_up is open, too');
SELECT is(t.broken_by('omnichannel_sessions', '{"id": "00000000-0000-7000-8000-000000000001", "status": "closed", "closed_at": "2025-01-01"}'),
    'kept', 'closed ones may be many');
SELECT is(t.broken_by('omnichannel_sessions', '{"id": "00000000-0000-7000-8000-000000000001", "closed_at": "2025-01-01"}'), 'check',
    'an open one has no closing time');
SELECT is(t.broken_by('profiles', '{"user_id": "00000000-0000-7000-8000-000000000001"}'), 'profiles_phone_number_key', 'a number is one person''s');
SELECT is(t.broken_by('profiles', '{"user_id": "00000000-0000-7000-8000-000000000001", "phone_number": null}'), 'kept',
    'people without a number may be many');
SELECT is(t.broken_by('contact_addresses', '{}'), 'contact_addresses_pkey', 'an address is one person''s');
SELECT matches(t.broken_by('call_summaries', '{"id": "00000000-0000-7000-8000-000000000001"}'), '^call_summaries_call_id', 'a call is stored once');
UPDATE call_summaries SET sip_call_id = 'sip-1' WHERE id = :'call';
SELECT is(t.broken_by('call_summaries', '{"id": "00000000-0000-7000-8000-000000000001", "call_id": "c2"}'), 'call_summaries_sip',
    'a SIP Call-ID names one call');
SELECT is(t.broken_by('call_summaries', '{"id": "00000000-0000-7000-8000-000000000001", "call_id": null, "sip_call_id": null}'), 'null',
    'a call has its id');
SELECT is(t.broken_by('conversation_threads', '{"id": "00000000-0000-7000-8000-000000000001"}'),
    'conversation_threads_session_id_channel_key', 'one thread a session and channel');
SELECT is(t.broken_by('turns', '{"id": "00000000-0000-7000-8000-000000000001"}'), 'turns_session_id_token_key', 'one turn a token');
SELECT is((SELECT count(*) FROM pg_index i WHERE i.indrelid = 'call_summaries'::regclass AND i.indisunique AND i.indnkeyatts = 1
             AND i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = i.indrelid AND attname = 'call_id')), 1::bigint,
    'call_id has one unique index, not two');

-- updated_at -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION t.touched(target regclass) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    later boolean;
BEGIN
    EXECUTE format('UPDATE %s SET updated_at = ''2020-01-01''', target);
    EXECUTE format('SELECT bool_and(updated_at > clock_timestamp() - interval ''1 minute'') FROM %s', target) INTO later;
    RETURN later;
END $$;
SELECT ok(t.touched(name::regclass), name || '.updated_at follows every change')
  FROM (VALUES ('profiles'), ('omnichannel_sessions'), ('conversation_threads'), ('call_summaries')) AS e (name);

-- What is there from the start ---------------------------------------------------------------------------------------------

SELECT results_eq('SELECT slug, name FROM agents WHERE is_default', $$VALUES ('call_center', 'Call Center')$$, 'the Call Center agent is the default');
SELECT is(t.broken_by('agents', '{"slug": "another", "is_default": true}'), 'one_default_agent', 'there is one default agent');

-- Views ----------------------------------------------------------------------------------------------------------------------

-- Of this person: the row in flight, one more that was delivered, and two on WhatsApp; the inbound one does not count.
SELECT t.in_flight() AS delivered \gset
SELECT t.finish(:'delivered', 1, 'accepted', '{"external_id": "d1"}') AS leave, t.report('d1', NULL, 'delivered') AS leave2 \gset
SELECT t.enqueue(:'session', '{"channel": "whatsapp", "provider": "meta"}') AS leave,
    t.enqueue(:'session', '{"channel": "whatsapp", "provider": "meta"}') AS old \gset
UPDATE message_delivery_log SET created_at = now() - interval '25 hours' WHERE id = :'old';
SELECT results_eq('SELECT channel, status, count, success_rate FROM delivery_rates_24h ORDER BY 1, 2',
    $$VALUES ('sms', 'delivered', 1::bigint, 50.00), ('sms', 'sending', 1, 50.00), ('whatsapp', 'pending', 1, 100.00)$$,
    'delivery_rates_24h: outbound rows of a day, each with its share of its channel');
SELECT is((SELECT active_sessions FROM active_sessions_24h), 2::bigint, 'active_sessions_24h counts open sessions');
SELECT 1 AS leave FROM update_omnichannel_session_status(:'session', 'closed') \gset
SELECT is((SELECT active_sessions FROM active_sessions_24h), 1::bigint, '... and not closed ones');
SELECT results_eq(
    format('SELECT status FROM message_delivery_simple WHERE id IN (%L, %L, %L) ORDER BY 1', :'message', :'received', :'delivered'),
    $$VALUES ('delivered'), ('pending'), ('received')$$, 'message_delivery_simple knows the five old states');

SELECT * FROM finish();
