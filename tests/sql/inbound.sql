-- One message of a person, stored once, with all that follows from it.
SELECT plan(68);

-- New, and again -------------------------------------------------------------------------------------------------------

SELECT * FROM record_inbound_message('sms', 'mtn', 'm1', '+250780000001', NULL, NULL, NULL, 'Muraho', clock_timestamp(),
    '{"kind": "text"}', '', NULL, true, 1500,
    ARRAY['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000003']::uuid[]) \gset
SELECT is(:'outcome'::text, 'new', 'a message is new');
SELECT results_eq(format('SELECT %L::uuid, %L::uuid, %L::uuid, %L::boolean, %L::boolean', :'message_id', :'profile_id', :'session_id', :'session_created', :'consent_changed'),
    $$VALUES ('00000000-0000-7000-8000-000000000001'::uuid, '00000000-0000-7000-8000-000000000002'::uuid,
              '00000000-0000-7000-8000-000000000003'::uuid, true, false)$$, '... stored under the ids that were given');
SELECT results_eq(format('SELECT session_id, profile_id, channel, direction, message_type, provider, content, recipient_phone, status,
                                 external_message_id, awaits_turn, metadata FROM message_delivery_log WHERE id = %L', :'message_id'),
    format($$VALUES (%L::uuid, %L::uuid, 'sms', 'inbound', 'message', 'mtn', 'Muraho', '+250780000001', 'received', 'm1', true, '{"kind": "text"}'::jsonb)$$,
        :'session_id', :'profile_id'), '... with all that came');
SELECT ok((SELECT turn_due_at - clock_timestamp() BETWEEN interval '0.5 s' AND interval '1.5 s' FROM omnichannel_sessions WHERE id = :'session_id'),
    '... the agent''s turn is due after the quiet time');
SELECT is((SELECT message_count FROM conversation_threads WHERE session_id = :'session_id' AND channel = 'sms'), 1, '... the thread counts it');
SELECT results_eq(format('SELECT last_active_channel, has_whatsapp, wa_window_until FROM profiles WHERE user_id = %L', :'profile_id'),
    $$VALUES ('sms', NULL::boolean, NULL::timestamptz)$$, '... an SMS says nothing about WhatsApp');

SELECT results_eq($$SELECT * FROM t.inbound('+250780000001', '{"external_id": "m1", "content": "other"}')$$,
    format($$VALUES ('duplicate', %L::uuid, %L::uuid, %L::uuid, false, false)$$, :'message_id', :'session_id', :'profile_id'),
    'the same message again is a duplicate of the first');
SELECT results_eq(format('SELECT count(*), min(message_count), min(content) FROM message_delivery_log m JOIN conversation_threads c USING (session_id)
                           WHERE session_id = %L', :'session_id'),
    $$VALUES (1::bigint, 1, 'Muraho')$$, '... and changes nothing');
SELECT is((t.inbound('+250780000001', '{"external_id": "m1", "provider": "kannel"}')).outcome, 'new', 'another gateway''s id is another message');
SELECT is((t.inbound('+250780000001', '{"external_id": "m2"}')).session_id, :'session_id', 'the next message goes on with the session');
SELECT is((SELECT message_count FROM conversation_threads WHERE session_id = :'session_id'), 3, '... and counts');

-- The call that the conversation is about
SELECT get_or_create_omnichannel_session(:'profile_id', 'voice', 'call-1') AS leave \gset
SELECT message_id AS after_call FROM t.inbound('+250780000001') \gset
SELECT is((t.message(:'after_call')).call_id, 'call-1', 'a message carries the call that the conversation is about');
SELECT is((SELECT parent_call_id FROM conversation_threads WHERE session_id = :'session_id' AND channel = 'sms'), 'call-1', '... and so does its thread');

-- WhatsApp ----------------------------------------------------------------------------------------------------------------

SELECT is((t.inbound('+250780000001', '{"channel": "whatsapp", "wa_id": "250780000001", "name": "Aline"}')).session_id, :'session_id',
    'WhatsApp goes on with the same session');
SELECT results_eq(format('SELECT active_channels FROM omnichannel_sessions WHERE id = %L', :'session_id'),
    $$VALUES (ARRAY['sms', 'voice', 'whatsapp'])$$, '... which knows its channels');
SELECT results_eq(format('SELECT last_active_channel, has_whatsapp, whatsapp_jid, display_name FROM profiles WHERE user_id = %L', :'profile_id'),
    $$VALUES ('whatsapp', true, '250780000001', 'Aline')$$, '... and the person is reached there');
SELECT ok((SELECT wa_window_until - clock_timestamp() BETWEEN interval '23:59' AND interval '24:00' FROM profiles WHERE user_id = :'profile_id'),
    '... for 24 hours');
SELECT 1 AS leave FROM t.inbound('+250780000001', jsonb_build_object('channel', 'whatsapp', 'at', clock_timestamp() - interval '3 hours')) \gset
SELECT ok((SELECT wa_window_until > clock_timestamp() + interval '23:59' FROM profiles WHERE user_id = :'profile_id'), 'an older message does not shorten the window');
SELECT 1 AS leave FROM t.inbound('+250780000002', jsonb_build_object('channel', 'whatsapp', 'at', clock_timestamp() - interval '3 hours')) \gset
SELECT ok((SELECT wa_window_until - clock_timestamp() BETWEEN interval '20:59' AND interval '21:00' FROM profiles WHERE phone_number = '+250780000002'),
    'the window counts from the message, not from its arrival');
SELECT 1 AS leave FROM t.inbound('+250780000003', jsonb_build_object('channel', 'whatsapp', 'at', clock_timestamp() + interval '3 hours')) \gset
SELECT ok((SELECT wa_window_until <= clock_timestamp() + interval '24 hours' FROM profiles WHERE phone_number = '+250780000003'),
    'a message from the future opens no longer window');
SELECT is((t.inbound(NULL, '{"channel": "whatsapp", "bsuid": "RW.9"}')).outcome, 'new', 'a person without a number can write');

-- The turn ------------------------------------------------------------------------------------------------------------------

SELECT session_id AS no_turn, message_id FROM t.inbound('+250780000004', '{"turn": false}') \gset
SELECT results_eq(format('SELECT awaits_turn, turn_due_at FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id WHERE m.id = %L', :'message_id'),
    'VALUES (false, NULL::timestamptz)', 'where the agent shall not answer, no turn is due');

-- The parts of a long text wait for each other, in whatever order they come
CREATE FUNCTION pg_temp.part(phone text, ref text, n int, parts int) RETURNS text LANGUAGE sql AS $$
    SELECT outcome FROM record_inbound_message('sms', 'mtn', ref || n, phone, NULL, NULL, NULL, 'part ' || n, clock_timestamp(),
        jsonb_build_object('ref', ref, 'part', n, 'parts', parts), '', NULL, true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;
CREATE FUNCTION pg_temp.due(phone text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN turn_due_at > clock_timestamp() + interval '10 s' THEN 'waits' ELSE 'due' END
      FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id WHERE p.phone_number = phone
$$;
SELECT pg_temp.part('+250780000011', 'r1', 3, 3), pg_temp.part('+250780000011', 'r1', 1, 3) \g /dev/null
SELECT is(pg_temp.due('+250780000011'), 'waits', 'two of three parts: the turn waits for the third');
SELECT pg_temp.part('+250780000011', 'r1', 1, 3) \g /dev/null
SELECT is(pg_temp.due('+250780000011'), 'waits', '... a part that comes twice counts once');
SELECT pg_temp.part('+250780000011', 'r1', 2, 3) \g /dev/null
SELECT is(pg_temp.due('+250780000011'), 'due', '... the third makes it due');

-- STOP, START, HELP -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.answer() RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', uuid_v7(), 'provider', 'mtn', 'cost_rwf', 15, 'metadata', '{"kind": "text"}'::jsonb,
        'texts', '{"rw": "Byahagaritswe", "en": "Stopped", "fr": "Fini"}'::jsonb)
$$;
CREATE FUNCTION pg_temp.word(phone text, keyword text, channel text DEFAULT 'sms') RETURNS boolean LANGUAGE sql AS $$
    SELECT (t.inbound(phone, jsonb_build_object('keyword', keyword, 'channel', channel, 'answer', pg_temp.answer(), 'turn', keyword = ''))).consent_changed
$$;
CREATE FUNCTION pg_temp.answers(phone text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id
     WHERE p.phone_number = phone AND m.message_type = 'confirmation'
$$;
SELECT session_id, profile_id FROM t.inbound('+250780000005', '{"turn": false}') \gset
SELECT t.enqueue(:'session_id') AS waiting, t.enqueue(:'session_id', '{"channel": "whatsapp", "provider": "meta"}') AS elsewhere,
    t.enqueue(:'session_id') AS failed, t.enqueue(:'session_id') AS flying \gset
UPDATE message_delivery_log SET status = 'sending', next_attempt_at = NULL, lease_until = clock_timestamp() + interval '90 s', lease_token = 1
 WHERE id IN (:'failed', :'flying');
SELECT t.finish(:'failed', 1, 'retry') AS leave \gset

SELECT ok(pg_temp.word('+250780000005', 'stop'), 'STOP changes consent');
SELECT results_eq(format('SELECT allows_sms, allows_whatsapp FROM profiles WHERE user_id = %L', :'profile_id'), 'VALUES (false, true)', '... of its channel');
SELECT results_eq(format('SELECT status, error_code, next_attempt_at FROM message_delivery_log WHERE id IN (%L, %L)', :'waiting', :'failed'),
    $$VALUES ('suppressed', 'opted_out', NULL::timestamptz), ('suppressed', 'opted_out', NULL)$$, '... what waits there is suppressed');
SELECT is(t.status(:'elsewhere'), 'pending', '... what waits on the other channel is not');
SELECT is(t.status(:'flying'), 'sending', '... nor what is on its way');
SELECT results_eq(format($$SELECT status, channel, content, recipient_phone, provider, cost_rwf, metadata, message_type, expires_at > clock_timestamp() + interval '5 hours'
                             FROM message_delivery_log WHERE profile_id = %L AND message_type = 'confirmation'$$, :'profile_id'),
    $$VALUES ('pending', 'sms', 'Stopped', '+250780000005', 'mtn', 15.000, '{"kind": "text"}'::jsonb, 'confirmation', true)$$, '... one confirmation goes out');
SELECT is((SELECT turn_due_at FROM omnichannel_sessions WHERE id = :'session_id'), NULL, '... no agent answers');
SELECT is(t.finish(:'flying', 1, 'retry'), 'suppressed', 'what was on its way when STOP came is not tried again');
SELECT ok(NOT pg_temp.word('+250780000005', 'stop'), 'STOP again changes nothing');
SELECT is(pg_temp.answers('+250780000005'), 1::bigint, '... and confirms nothing');
SELECT message_id FROM t.inbound('+250780000005', '{"content": "Still there?"}') \gset
SELECT results_eq(format('SELECT awaits_turn, turn_due_at FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id WHERE m.id = %L', :'message_id'),
    'VALUES (false, NULL::timestamptz)', 'who said STOP and writes is not answered there');
SELECT message_id FROM t.inbound('+250780000005', '{"channel": "whatsapp"}') \gset
SELECT ok((t.message(:'message_id')).awaits_turn, '... but is on the other channel');
SELECT ok(pg_temp.word('+250780000005', 'start'), 'START changes consent back');
SELECT is((SELECT allows_sms FROM profiles WHERE user_id = :'profile_id'), true, '... to yes');
SELECT is(pg_temp.answers('+250780000005'), 2::bigint, '... and is confirmed');
SELECT is(t.status(:'waiting'), 'suppressed', 'what was suppressed stays so');
SELECT ok(pg_temp.word('+250780000005', 'stop', 'whatsapp'), 'STOP on WhatsApp is WhatsApp''s');
SELECT results_eq(format('SELECT allows_sms, allows_whatsapp FROM profiles WHERE user_id = %L', :'profile_id'), 'VALUES (true, false)', '... alone');

SELECT session_id, message_id, consent_changed FROM t.inbound('+250780000006', jsonb_build_object('keyword', 'start', 'answer', pg_temp.answer(), 'turn', false)) \gset
SELECT ok(NOT :'consent_changed'::boolean, 'START of somebody who never stopped changes nothing');
SELECT is(pg_temp.answers('+250780000006'), 0::bigint, '... is not confirmed');
SELECT ok((t.message(:'message_id')).awaits_turn AND turn_due_at IS NOT NULL, '... it is a word like any other, for the agent')
  FROM omnichannel_sessions WHERE id = :'session_id';

SELECT session_id, message_id, consent_changed FROM t.inbound('+250780000007', jsonb_build_object('keyword', 'help', 'answer', pg_temp.answer(), 'turn', true)) \gset
SELECT ok(NOT :'consent_changed'::boolean, 'HELP changes no consent');
SELECT is(pg_temp.answers('+250780000007'), 1::bigint, '... is answered');
SELECT ok(NOT (t.message(:'message_id')).awaits_turn AND turn_due_at IS NULL, '... and not by the agent') FROM omnichannel_sessions WHERE id = :'session_id';
SELECT is((SELECT idem_key FROM message_delivery_log WHERE session_id = :'session_id' AND direction = 'outbound'), 'answer:' || :'message_id' || ':sms:1',
    '... under a key of the message it answers');

-- Fixed answers, in the person's language ------------------------------------------------------------------------------------------

SELECT t.person('+250780000008') AS person \gset
UPDATE profiles SET preferred_language = 'rw' WHERE user_id = :'person';
SELECT session_id FROM t.inbound('+250780000008', jsonb_build_object('answer', pg_temp.answer(), 'channel', 'whatsapp', 'turn', false)) \gset
SELECT results_eq(format('SELECT content, channel FROM message_delivery_log WHERE session_id = %L AND direction = ''outbound''', :'session_id'),
    $$VALUES ('Byahagaritswe', 'whatsapp')$$, 'a fixed answer goes out on the channel of the message, in the person''s language');
UPDATE profiles SET preferred_language = 'sw' WHERE user_id = :'person';
SELECT session_id FROM t.inbound('+250780000008', jsonb_build_object('answer', pg_temp.answer(), 'turn', false)) \gset
SELECT is((SELECT content FROM message_delivery_log WHERE session_id = :'session_id' AND direction = 'outbound' AND channel = 'sms'), 'Stopped',
    '... in English where there is no such text');
SELECT lives_ok($$SELECT t.inbound('+250780000008', jsonb_build_object('answer', pg_temp.answer(), 'keyword', 'help', 'external_id', 'h1')),
                         t.inbound('+250780000008', jsonb_build_object('answer', pg_temp.answer(), 'keyword', 'help', 'external_id', 'h1'))$$,
    'a repeated message is no error');
SELECT is(pg_temp.answers('+250780000008'), 3::bigint, '... and is answered once');

-- needs_human is woken --------------------------------------------------------------------------------------------------------------

SELECT session_id FROM t.inbound('+250780000009') \gset
UPDATE omnichannel_sessions SET needs_human = true, turn_attempts = 5, turn_due_at = NULL WHERE id = :'session_id';
SELECT 1 AS leave FROM t.inbound('+250780000009') \gset
SELECT results_eq(format('SELECT turn_attempts, turn_due_at IS NOT NULL FROM omnichannel_sessions WHERE id = %L', :'session_id'),
    'VALUES (0, true)', 'a new message gives a conversation that a person should see another try');

-- Outbound rows ------------------------------------------------------------------------------------------------------------------------

SELECT t.session() AS session_id \gset
SELECT is((SELECT count(*) FROM messages_enqueue(:'session_id', NULL)), 0::bigint, 'no rows: nothing');
SELECT is((SELECT count(*) FROM messages_enqueue(:'session_id', '[]')), 0::bigint, 'an empty array: nothing');
SELECT jsonb_agg(t.outbound(jsonb_build_object('content', 'part ' || n, 'part', n, 'idem_key', 'k' || n)) ORDER BY n)::text AS rows
  FROM generate_series(1, 50) AS n \gset
SELECT is((SELECT count(*) FROM messages_enqueue(:'session_id', :'rows')), 50::bigint, 'rows are written');
SELECT is((SELECT count(*) FROM messages_enqueue(:'session_id', :'rows')), 0::bigint, '... once');
SELECT ok((SELECT bool_and(ordered) FROM (SELECT part = row_number() OVER (ORDER BY seq) AS ordered FROM message_delivery_log
            WHERE session_id = :'session_id') AS m), '... in the order of the array');
SELECT results_eq(format('SELECT DISTINCT profile_id, status, next_attempt_at <= clock_timestamp(), segments, cost_rwf, metadata FROM message_delivery_log WHERE session_id = %L', :'session_id'),
    format($$VALUES (%L::uuid, 'pending', true, 1, 0.000, '{}'::jsonb)$$, t.profile_of(:'session_id')), '... of the session''s person, due now');
SELECT is((SELECT count(*) FROM messages_enqueue(:'session_id', jsonb_build_array(t.outbound('{"idem_key": "k50"}'), t.outbound('{"idem_key": "k51"}')))),
    1::bigint, 'of an array the rows that are new are written');

-- Poison ---------------------------------------------------------------------------------------------------------------------------------

SELECT ok(record_inbound_poison('sms-inbound-webhook', 'mtn', 'no sender', 'digest-1', '\x00ff7b'), 'what cannot be read is kept');
SELECT ok(NOT record_inbound_poison('sms-inbound-webhook', 'mtn', 'no sender', 'digest-1', '\x00ff7b'), '... once');
SELECT results_eq('SELECT program, provider, reason, body FROM inbound_poison', $$VALUES ('sms-inbound-webhook', 'mtn', 'no sender', '\x00ff7b'::bytea)$$, '... byte by byte');

-- Order of locks: a word that changes consent takes the person before the conversation, as every other message does -----------------------

SELECT t.person('+250780000010') AS person \gset
SELECT 1 AS leave FROM t.inbound('+250780000010') \gset
SELECT ok(pg_temp.word('+250780000010', 'stop'), 'STOP of a person whose last channel was SMS');
SELECT is((SELECT allows_sms FROM profiles WHERE user_id = :'person'), false, '... is obeyed');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE profile_id = :'person' AND direction = 'inbound'), 2::bigint, '... and stored as a message');

SELECT * FROM finish();
