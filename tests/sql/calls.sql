-- Calls: recorded by whoever knows of them, in whatever order it comes; notified exactly once.
SELECT plan(63);

CREATE FUNCTION pg_temp.call(ref text) RETURNS call_summaries LANGUAGE sql AS $$ SELECT * FROM call_summaries WHERE call_id = ref $$;

-- Begins, goes on, ends -----------------------------------------------------------------------------------------------------

SELECT id, call, profile_id, session_id, created, session_created FROM t.call('c1', '+250780000001', '{"sip": "s1", "channel": "sip", "started": "2026-01-01T10:00:00Z"}') \gset
SELECT ok(:'created'::boolean AND :'session_created'::boolean, 'a call nobody knows is made, with its conversation');
SELECT results_eq($$SELECT call_id, sip_call_id, phone_number, channel, status, started_at, ended_at, notify_due_at FROM call_summaries$$,
    $$VALUES ('c1', 's1', '+250780000001', 'sip', 'in_progress', '2026-01-01T10:00:00Z'::timestamptz, NULL::timestamptz, NULL::timestamptz)$$, '... in progress, nothing due');
SELECT results_eq(format('SELECT profile_id::text, call_id, primary_channel, status FROM omnichannel_sessions WHERE id = %L', :'session_id'),
    format($$VALUES (%L, 'c1', 'voice', 'active')$$, :'profile_id'), '... the conversation is about it');
SELECT results_eq(format('SELECT channel, message_count, parent_call_id FROM conversation_threads WHERE session_id = %L', :'session_id'), $$VALUES ('voice', 0, 'c1')$$, '... and has a voice thread');
SELECT results_eq(format('SELECT has_whatsapp, wa_window_until FROM profiles WHERE user_id = %L', :'profile_id'), 'VALUES (NULL::boolean, NULL::timestamptz)', 'a SIP call says nothing about WhatsApp');
SELECT results_eq($$SELECT id, call, created, session_created FROM t.call('c1', '+250780000099', '{"language": "rw", "intent": "housing", "bullets": ["a", "b"]}')$$,
    format($$VALUES (%L::uuid, 'c1', false, false)$$, :'id'), 'later facts complete the row');
SELECT results_eq($$SELECT phone_number, language, main_intent, bullets, sip_call_id, notify_due_at FROM call_summaries$$,
    $$VALUES ('+250780000001', 'rw', 'housing', '["a", "b"]'::jsonb, 's1', NULL::timestamptz)$$, '... its own number stays, whatever the caller says');
SELECT is((SELECT count(*) FROM profiles), 1::bigint, '... and nobody else is made');
SELECT is((SELECT preferred_language FROM profiles), 'rw', 'the language of the call is the person''s');
SELECT 1 AS leave FROM t.call('c1', NULL, '{"language": "fr"}') \gset
SELECT results_eq('SELECT p.preferred_language, c.language FROM profiles p, call_summaries c', $$VALUES ('fr', 'fr')$$, '... and so is the one that is told later');
SELECT is((SELECT last_intent FROM omnichannel_sessions WHERE id = :'session_id'), 'housing', 'the conversation knows the intent');
SELECT is((SELECT id::text FROM t.call(NULL, NULL, '{"sip": "s1", "ended": true, "ended_at": "2026-01-01T10:02:05Z", "answered": true}')), :'id', 'its SIP name finds it');
SELECT results_eq($$SELECT id, call FROM t.call('s1', '+250780000099')$$, format($$VALUES (%L::uuid, 'c1')$$, :'id'), '... also in the place of the provider''s');
SELECT results_eq($$SELECT status, started_at, answered_at, ended_at, duration_seconds, end_seen_at IS NOT NULL FROM call_summaries$$,
    $$VALUES ('ended', '2026-01-01T10:00:00Z'::timestamptz, '2026-01-01T10:00:00Z'::timestamptz, '2026-01-01T10:02:05Z'::timestamptz, 125, true)$$, '... and ends it');
SELECT ok((pg_temp.call('c1')).notify_due_at <= clock_timestamp(), '... its text is there: due at once');
SELECT 1 AS leave FROM t.call('c1', NULL, '{"ended": true, "ended_at": "2026-01-01T11:00:00Z", "summary": "Text"}') \gset
SELECT results_eq($$SELECT ended_at, duration_seconds, summary_text FROM call_summaries$$, $$VALUES ('2026-01-01T10:02:05Z'::timestamptz, 125, 'Text')$$, 'a second end does not move the first, a text is taken');

-- What is due, and when --------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('d1', '+250780000002', '{"ended": true, "wait_s": 6}') \gset
SELECT ok((pg_temp.call('d1')).notify_due_at - (pg_temp.call('d1')).end_seen_at = interval '6 s', 'without a text the notification waits for it');
SELECT 1 AS leave FROM t.call('d1', NULL, '{"summary": ""}') \gset
SELECT ok((pg_temp.call('d1')).notify_due_at > clock_timestamp(), '... an empty one is none');
SELECT 1 AS leave FROM t.call('d1', NULL, '{"bullets": []}') \gset
SELECT ok((pg_temp.call('d1')).notify_due_at > clock_timestamp(), '... nor is an empty list');
SELECT 1 AS leave FROM t.call('d1', NULL, '{"summary": "Here"}') \gset
SELECT ok((pg_temp.call('d1')).notify_due_at <= clock_timestamp(), '... the text makes it due');
SELECT 1 AS leave FROM t.call('d2', '+250780000002', '{"summary": "Early"}') \gset
SELECT is((pg_temp.call('d2')).notify_due_at, NULL, 'a text before the end makes nothing due');
SELECT 1 AS leave FROM t.call('d2', NULL, '{"ended": true}') \gset
SELECT ok((pg_temp.call('d2')).notify_due_at <= clock_timestamp(), '... the end does, at once');
SELECT 1 AS leave FROM t.call('d3', '+250780000002', '{"ended": true, "answered": false}') \gset
SELECT results_eq($$SELECT status, notify_due_at <= clock_timestamp(), answered_at FROM call_summaries WHERE call_id = 'd3'$$, $$VALUES ('missed', true, NULL::timestamptz)$$, 'a call nobody answered was missed; no text is waited for');
SELECT 1 AS leave FROM t.call('d4', '+250780000002', '{"answered": true}') AS a, t.call('d4', NULL, '{"ended": true, "answered": false}') AS b \gset
SELECT is((pg_temp.call('d4')).status, 'ended', 'a call that was answered was not missed');

-- WhatsApp ---------------------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('w1', '+250780000003', '{"channel": "whatsapp"}') \gset
SELECT results_eq($$SELECT has_whatsapp, wa_window_until > clock_timestamp() + interval '23:59' FROM profiles WHERE phone_number = '+250780000003'$$, 'VALUES (true, true)', 'a WhatsApp call opens the window');
SELECT 1 AS leave FROM t.call('w2', '+250780000004', jsonb_build_object('channel', 'whatsapp', 'ended', true, 'ended_at', clock_timestamp() - interval '2 hours')) \gset
SELECT ok((SELECT wa_window_until < clock_timestamp() + interval '22:01' FROM profiles WHERE phone_number = '+250780000004'), '... from the time of the call, not of the report');

-- One person, two calls ----------------------------------------------------------------------------------------------------------

SELECT session_id FROM t.call('p1', '+250780000005', '{"summary": "One"}') \gset
SELECT is((SELECT session_id::text FROM t.call('p2', '+250780000005')), :'session_id', 'a second call goes on with the conversation');
SELECT is((SELECT call_id FROM omnichannel_sessions WHERE id = :'session_id'), 'p2', '... which is about that call now');
SELECT 1 AS leave FROM t.call('p1', NULL, '{"ended": true}') \gset
SELECT is((SELECT call_id FROM omnichannel_sessions WHERE id = :'session_id'), 'p2', 'the end of the first is noticed late: the second is still the call');
SELECT ok(notify_call((pg_temp.call('p1')).id, '[]', 'skipped', 'test'), '... and its notification');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session_id'), 'active', '... does not end the conversation of the second');
SELECT 1 AS leave FROM t.call('p2', NULL, '{"ended": true, "summary": "Two"}') \gset
SELECT ok(notify_call((pg_temp.call('p2')).id, '[]', 'skipped', 'test'), 'the second ends');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session_id'), 'follow_up', '... and the conversation moves to follow_up');

SELECT session_id FROM t.call('q1', '+250780000006') \gset
SELECT update_omnichannel_session_status(:'session_id', 'closed') AS leave \gset
SELECT session_id AS second, session_created FROM t.call('q1', NULL, '{"ended": true}') \gset
SELECT ok(:'session_created'::boolean AND :'second' <> :'session_id', 'a call whose conversation was closed has a new one for its notification');
SELECT results_eq($$SELECT c.session_id::text, s.call_id, s.status FROM call_summaries c JOIN omnichannel_sessions s ON s.id = c.session_id WHERE c.call_id = 'q1'$$,
    format($$VALUES (%L, 'q1', 'active')$$, :'second'), '... which is about that call');

-- The end before the call -----------------------------------------------------------------------------------------------------------

SELECT is_empty($$SELECT * FROM t.call('t1', NULL, '{"ended": true, "ended_at": "2026-01-01T10:00:00Z", "answered": false}') AS c WHERE c.id IS NOT NULL$$, 'the end of a call nobody knows, without a number: no call');
SELECT is((SELECT count(*) FROM t.call('t1', '') AS c WHERE c.id IS NOT NULL), 0::bigint, '... nor with an empty number');
SELECT results_eq($$SELECT ref, ended_at, answered, expires_at - created_at BETWEEN interval '599 s' AND interval '601 s' FROM call_triggers$$,
    $$VALUES ('t1', '2026-01-01T10:00:00Z'::timestamptz, false, true)$$, '... it is kept for ten minutes');
SELECT 1 AS leave FROM t.call('t1', NULL, '{"ended": true}') \gset
SELECT is((SELECT count(*) FROM call_triggers), 1::bigint, '... once');
SELECT 1 AS leave FROM t.call('t2', NULL) \gset
SELECT is((SELECT count(*) FROM call_triggers), 1::bigint, 'what was not an end is not kept');
SELECT 1 AS leave FROM t.call('t1', '+250780000007', '{"started": "2026-01-01T09:59:00Z"}') \gset
SELECT results_eq($$SELECT status, ended_at, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 't1'$$, $$VALUES ('missed', '2026-01-01T10:00:00Z'::timestamptz, true)$$, 'it fires when the call appears');
SELECT is((SELECT count(*) FROM call_triggers), 0::bigint, '... and is gone');
SELECT 1 AS leave FROM t.call(NULL, NULL, '{"sip": "ts", "ended": true}') \gset
SELECT 1 AS leave FROM t.call('t3', '+250780000007', '{"sip": "ts"}') \gset
SELECT is((pg_temp.call('t3')).status, 'ended', 'it fires by its SIP name, too');
SELECT 1 AS leave FROM t.call(NULL, NULL, '{"sip": "tl", "ended": true}') AS a, t.call('t4', '+250780000007') AS b \gset
SELECT 1 AS leave FROM t.call('t4', NULL, '{"sip": "tl"}') \gset
SELECT is((pg_temp.call('t4')).status, 'ended', '... also when that name is learned later');
SELECT 1 AS leave FROM t.call('t5', NULL, '{"ended": true}') \gset
UPDATE call_triggers SET expires_at = clock_timestamp() WHERE ref = 't5';
SELECT 1 AS leave FROM t.call('t5', '+250780000007') \gset
SELECT is((pg_temp.call('t5')).status, 'in_progress', 'after ten minutes it does not fire');

-- A call that is known by its SIP name alone
SELECT call FROM t.call(NULL, '+250780000008', '{"sip": "pbx-1", "ended": true}') \gset
SELECT is(:'call'::text, 'pbx-1', 'a call that only the exchange knows goes by its name there');
SELECT results_eq($$SELECT call, created FROM t.call('rtc-1', '+250780000008', '{"sip": "pbx-1", "summary": "Late"}')$$, $$VALUES ('rtc-1', false)$$, '... and takes the name of whoever knows both');
SELECT is((SELECT count(*) FROM call_summaries WHERE sip_call_id = 'pbx-1'), 1::bigint, '... it is one call');

-- A row from before messaging
INSERT INTO call_summaries (call_id, status) VALUES ('old1', 'ended');
SELECT is((SELECT count(*) FROM t.call('old1', NULL, '{"ended": true}') AS c WHERE c.id IS NOT NULL), 0::bigint, 'an old row without a person or number is nobody''s');
SELECT is((SELECT session_id IS NOT NULL FROM t.call('old1', '+250780000009', '{"summary": "Old"}')), true, '... a number gives it a person and a conversation');
SELECT is((SELECT p.phone_number FROM call_summaries c JOIN profiles p ON p.user_id = c.profile_id WHERE c.call_id = 'old1'), '+250780000009', '... that person');

-- Notified exactly once ----------------------------------------------------------------------------------------------------------------

SELECT id, session_id FROM t.call('n1', '+250780000010', '{"ended": true, "summary": "Text"}') \gset
SELECT jsonb_build_array(t.outbound('{"message_type": "summary", "idem_key": "summary:n1:sms:1", "call_id": "n1"}'),
    t.outbound('{"message_type": "summary", "idem_key": "summary:n1:sms:2", "call_id": "n1", "part": 2}'),
    t.outbound('{"message_type": "summary", "idem_key": "summary:n1:whatsapp:1", "call_id": "n1", "channel": "whatsapp", "provider": "meta"}'))::text AS rows \gset
UPDATE omnichannel_sessions SET expires_at = clock_timestamp() + interval '1 minute' WHERE id = :'session_id';
SELECT ok(notify_call(:'id', :'rows', 'sent', NULL), 'a call is notified');
SELECT results_eq($$SELECT idem_key, status FROM message_delivery_log WHERE call_id = 'n1' ORDER BY seq$$,
    $$VALUES ('summary:n1:sms:1', 'pending'), ('summary:n1:sms:2', 'pending'), ('summary:n1:whatsapp:1', 'pending')$$, '... its rows are written');
SELECT results_eq($$SELECT notified_at IS NOT NULL, notify_due_at, notify_result FROM call_summaries WHERE call_id = 'n1'$$, $$VALUES (true, NULL::timestamptz, 'sent')$$, '... it is marked');
SELECT results_eq(format('SELECT status, expires_at > clock_timestamp() + interval ''23:59'' FROM omnichannel_sessions WHERE id = %L', :'session_id'), $$VALUES ('follow_up', true)$$, '... the conversation goes on by text, for a day');
SELECT results_eq(format('SELECT channel, message_count FROM conversation_threads WHERE session_id = %L ORDER BY 1', :'session_id'), $$VALUES ('sms', 1), ('voice', 0), ('whatsapp', 1)$$, '... the threads count a message each');
SELECT ok(NOT notify_call(:'id', jsonb_build_array(t.outbound('{"idem_key": "another"}')), 'sent', NULL), 'a second notification says no');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session_id'), 3::bigint, '... and writes nothing');
SELECT 1 AS leave FROM t.call('n1', NULL, '{"ended": true, "summary": "Other"}') \gset
SELECT results_eq($$SELECT notify_due_at, summary_text FROM call_summaries WHERE call_id = 'n1'$$, $$VALUES (NULL::timestamptz, 'Other')$$, 'the end once more makes nothing due');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session_id'), 'follow_up', '... and leaves the conversation where it is');
SELECT ok(NOT notify_call(uuid_v7(), '[]', 'skipped', 'x'), 'nor is a call notified that is not there');
SELECT id FROM t.call('n2', '+250780000010', '{"ended": true}') \gset
SELECT ok(notify_call(:'id', '[]', 'skipped', 'opted_out'), 'a notification may consist of nothing');
SELECT results_eq($$SELECT notify_result, notify_reason FROM call_summaries WHERE call_id = 'n2'$$, $$VALUES ('skipped', 'opted_out')$$, '... for a reason');

SELECT * FROM finish();
