-- The events of calls, each acted on once, and the actions that follow: leased, fenced, finished.
SELECT plan(101);

CREATE FUNCTION pg_temp.call(ref text) RETURNS call_summaries LANGUAGE sql AS $$ SELECT * FROM call_summaries WHERE call_id = ref $$;
CREATE FUNCTION pg_temp.action(ref text, what text) RETURNS call_actions LANGUAGE sql AS $$
    SELECT a.* FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE c.call_id = ref AND a.kind = what
$$;
-- One event; facts as in record_call_event's p_event, todo as in p_action.
CREATE FUNCTION pg_temp.event(ref text, what text, facts jsonb DEFAULT '{}', todo jsonb DEFAULT NULL, owner text DEFAULT NULL,
    OUT outcome text, OUT id uuid, OUT session_id uuid, OUT session_created boolean, OUT action_id uuid) LANGUAGE sql AS $$
    SELECT * FROM record_call_event(jsonb_build_object('channel', 'whatsapp', 'call_id', ref, 'event', what, 'at', clock_timestamp(),
        'over', what <> 'connect', 'wait_s', 6) || facts, todo, owner, 20, ARRAY[uuid_v7(), uuid_v7(), uuid_v7(), uuid_v7()])
$$;
CREATE FUNCTION pg_temp.todo(kind text, life_s int DEFAULT 60) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('kind', kind, 'life_s', life_s, 'detail', '{"sdp": "v=0"}'::jsonb)
$$;
-- The action's holder is gone: its lease is over.
CREATE FUNCTION pg_temp.lapse(action uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE call_actions SET lease_until = clock_timestamp() - interval '1 second' WHERE id = action
$$;

-- Connect, terminate ----------------------------------------------------------------------------------------------------------

SELECT outcome, id, session_id, session_created, action_id
  FROM pg_temp.event('w1', 'connect', '{"phone": "+250780000001", "name": "Aline", "bsuid": "RW.1"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT is(:'outcome'::text, 'new', 'a call begins');
SELECT ok(:'session_created'::boolean, '... with a conversation');
SELECT results_eq($$SELECT channel, status, phone_number, started_at IS NOT NULL, end_seen_at, answered_at FROM call_summaries$$,
    $$VALUES ('whatsapp', 'in_progress', '+250780000001', true, NULL::timestamptz, NULL::timestamptz)$$, '... in progress, not answered yet');
SELECT results_eq($$SELECT display_name, has_whatsapp, wa_window_until > clock_timestamp() + interval '23:59' FROM profiles$$,
    $$VALUES ('Aline', true, true)$$, '... it opens the window');
SELECT results_eq('SELECT kind, value FROM contact_addresses ORDER BY 1', $$VALUES ('bsuid', 'RW.1'), ('tel', '+250780000001'), ('wa', '250780000001')$$, '... all addresses are one person''s');
SELECT results_eq($$SELECT id::text, kind, status, lease_owner, lease_token, attempts, detail, next_attempt_at, lease_until - clock_timestamp() > interval '8 s',
    expires_at - clock_timestamp() BETWEEN interval '50 s' AND interval '60 s' FROM call_actions$$,
    format($$VALUES (%L, 'answer', 'running', 'hook:1', 1::bigint, 1, '{"sdp": "v=0"}'::jsonb, NULL::timestamptz, true, true)$$, :'action_id'),
    'the action is its process''s, for a while');
SELECT results_eq($$SELECT outcome, id, action_id FROM pg_temp.event('w1', 'connect', '{"phone": "+250780000001"}', pg_temp.todo('answer'), 'hook:2')$$,
    $$VALUES ('duplicate', NULL::uuid, NULL::uuid)$$, 'the same event again: nothing');
SELECT is((SELECT count(*) FROM call_actions), 1::bigint, '... nobody picks up twice');
SELECT results_eq($$SELECT outcome, action_id IS NULL FROM pg_temp.event('w1', 'terminate',
    '{"started_at": "2026-01-01T10:00:10Z", "ended_at": "2026-01-01T10:02:10Z", "answered": true}')$$, $$VALUES ('new', true)$$, 'its end is another event');
SELECT results_eq($$SELECT status, started_at, answered_at, ended_at, duration_seconds FROM call_summaries WHERE call_id = 'w1'$$,
    $$VALUES ('ended', '2026-01-01T10:00:10Z'::timestamptz, '2026-01-01T10:00:10Z'::timestamptz, '2026-01-01T10:02:10Z'::timestamptz, 120)$$, '... with its times');
SELECT ok((pg_temp.call('w1')).notify_due_at IS NOT NULL, '... and its notification is due');
SELECT is((SELECT outcome FROM pg_temp.event('w1', 'terminate', '{"answered": false}')), 'duplicate', '... once');

SELECT is((SELECT outcome FROM pg_temp.event('w2', 'terminate', '{"phone": "+250780000002", "answered": false}', pg_temp.todo('stop', 600))), 'new', 'an end may come first');
SELECT is((pg_temp.call('w2')).status, 'missed', '... of a call that nobody answered');
SELECT is((SELECT count(*) FROM call_actions WHERE kind = 'stop'), 0::bigint, '... nothing was begun, so nothing is stopped');
SELECT results_eq($$SELECT outcome, action_id IS NULL FROM pg_temp.event('w2', 'connect', '{"phone": "+250780000002"}', pg_temp.todo('answer'), 'hook:1')$$,
    $$VALUES ('new', true)$$, '... its beginning comes too late to pick up');
SELECT is((pg_temp.call('w2')).status, 'missed', '... it stays missed');
SELECT 1 AS leave FROM pg_temp.event('w3', 'terminate', '{"phone": "+250780000003", "started_at": "2026-01-01T10:00:10Z", "ended_at": "2026-01-01T10:02:10Z", "answered": true}') \gset
SELECT 1 AS leave FROM pg_temp.event('w3', 'connect', '{"phone": "+250780000003", "at": "2026-01-01T10:00:00Z"}') \gset
SELECT results_eq($$SELECT status, started_at, duration_seconds FROM call_summaries WHERE call_id = 'w3'$$,
    $$VALUES ('ended', '2026-01-01T10:00:10Z'::timestamptz, 120)$$, 'a late beginning does not change the times');

SELECT results_eq($$SELECT outcome, id FROM pg_temp.event('w4', 'terminate', '{"answered": false}')$$, $$VALUES ('unknown', NULL::uuid)$$, 'the end of a call nobody knows, without a number');
SELECT is((SELECT count(*) FROM call_triggers WHERE ref = 'w4'), 1::bigint, '... is kept');
SELECT 1 AS leave FROM pg_temp.event('w4', 'connect', '{"phone": "+250780000004"}', pg_temp.todo('answer')) \gset
SELECT is((pg_temp.call('w4')).status, 'missed', '... and fires when the call appears');
SELECT is((pg_temp.action('w4', 'answer')).id, NULL, '... which is not picked up any more');

-- Who calls -------------------------------------------------------------------------------------------------------------------

SELECT results_eq($$SELECT outcome, session_id IS NOT NULL FROM pg_temp.event('b1', 'connect', '{"bsuid": "RW.2", "name": "Jean"}', pg_temp.todo('answer'))$$,
    $$VALUES ('new', true)$$, 'WhatsApp may hide the number');
SELECT results_eq($$SELECT c.phone_number, p.phone_number, p.display_name, p.has_whatsapp FROM call_summaries c JOIN profiles p ON p.user_id = c.profile_id WHERE c.call_id = 'b1'$$,
    $$VALUES (NULL, NULL, 'Jean', true)$$, '... its own id is a person, too');
SELECT 1 AS leave FROM pg_temp.event('b2', 'connect', '{"bsuid": "RW.2"}') \gset
SELECT is((pg_temp.call('b2')).profile_id, (pg_temp.call('b1')).profile_id, '... the same one each time');
SELECT is((SELECT outcome FROM pg_temp.event('s1', 'connect', '{"channel": "sip", "sip_call_id": "sip-1", "anonymous": true}', pg_temp.todo('accept'), 'hook:1')), 'new', 'a SIP caller may be nobody');
SELECT results_eq($$SELECT c.phone_number, c.channel, c.sip_call_id, p.has_whatsapp, p.phone_number FROM call_summaries c JOIN profiles p ON p.user_id = c.profile_id WHERE c.call_id = 's1'$$,
    $$VALUES (NULL, 'sip', 'sip-1', NULL::boolean, NULL)$$, '... a person without any address');
SELECT is((SELECT count(*) FROM contact_addresses a WHERE a.profile_id = (pg_temp.call('s1')).profile_id), 0::bigint, '... whom nothing finds');
SELECT is((pg_temp.action('s1', 'accept')).status, 'running', '... whose call is taken all the same');
SELECT 1 AS leave FROM pg_temp.event('s2', 'connect', '{"channel": "sip", "anonymous": true}') \gset
SELECT isnt((pg_temp.call('s2')).profile_id, (pg_temp.call('s1')).profile_id, 'another anonymous call is another person');
SELECT 1 AS leave FROM pg_temp.event('s3', 'connect', '{"channel": "sip", "phone": "+250780000005"}') \gset
SELECT is((SELECT has_whatsapp FROM profiles WHERE phone_number = '+250780000005'), NULL, 'a SIP call says nothing about WhatsApp');
SELECT 1 AS leave FROM pg_temp.event('o1', 'connect', jsonb_build_object('phone', '+250780000006', 'at', clock_timestamp() - interval '2 hours'), pg_temp.todo('answer')) \gset
SELECT ok((SELECT wa_window_until < clock_timestamp() + interval '22:01' FROM profiles WHERE phone_number = '+250780000006'), 'the window opens at the time of the call, not of its report');
SELECT ok((pg_temp.action('o1', 'answer')).expires_at > clock_timestamp() + interval '30 s', '... but an offer is tried however old it says it is');
SELECT 1 AS leave FROM pg_temp.event('o3', 'connect', jsonb_build_object('phone', '+250780000006', 'received_at', clock_timestamp() - interval '2 hours'), pg_temp.todo('answer')) \gset
SELECT ok((pg_temp.action('o3', 'answer')).expires_at < clock_timestamp(), '... unless it waited here for so long');
SELECT 1 AS leave FROM pg_temp.event('o2', 'connect', jsonb_build_object('phone', '+250780000006', 'at', clock_timestamp() + interval '2 hours'), pg_temp.todo('answer')) \gset
SELECT ok((pg_temp.action('o2', 'answer')).expires_at <= clock_timestamp() + interval '60 s', 'nothing comes from the future');
SELECT is((SELECT outcome FROM pg_temp.event('u1', 'transcript', '{"over": true}', pg_temp.todo('transcript', 3600))), 'unknown', 'the transcript of a call nobody knows, without a number');
SELECT 1 AS leave FROM pg_temp.event('u1', 'connect', '{"phone": "+250780000007"}') \gset
SELECT is((SELECT outcome FROM pg_temp.event('u1', 'transcript', '{"over": true}', pg_temp.todo('transcript', 3600))), 'new', '... is not used up: it comes again when the call is known');
SELECT is((pg_temp.action('u1', 'transcript')).status, 'pending', '... and is fetched');

-- Who is nobody gets a number ------------------------------------------------------------------------------------------------------

SELECT is((SELECT outcome FROM pg_temp.event('g1', 'connect', '{"channel": "sip", "anonymous": true}')), 'new', 'an anonymous caller');
SELECT (pg_temp.call('g1')).profile_id AS nobody \gset
SELECT profile_id AS person FROM t.call('g1', '+250780000301', '{"ended": true, "bullets": ["a"]}') \gset
SELECT is(:'person', (SELECT user_id::text FROM profiles WHERE phone_number = '+250780000301'), '... whose number the exchange names at the end');
SELECT results_eq($$SELECT c.phone_number, c.profile_id = p.user_id, s.profile_id = p.user_id, s.call_id, s.status FROM call_summaries c JOIN profiles p ON p.phone_number = '+250780000301'
    JOIN omnichannel_sessions s ON s.id = c.session_id WHERE c.call_id = 'g1'$$, $$VALUES ('+250780000301', true, true, 'g1', 'active')$$, '... is that person, with the conversation');
SELECT is((SELECT merged_into FROM profiles WHERE user_id = :'nobody'), (pg_temp.call('g1')).profile_id, '... nobody is they');
SELECT session_id AS theirs FROM t.inbound('+250780000302') \gset
SELECT 1 AS leave FROM pg_temp.event('g2', 'connect', '{"channel": "sip", "anonymous": true}') \gset
SELECT 1 AS leave FROM t.call('g2', '+250780000302') \gset
SELECT results_eq($$SELECT c.session_id::text, s.call_id FROM call_summaries c JOIN omnichannel_sessions s ON s.id = c.session_id WHERE c.call_id = 'g2'$$,
    format('VALUES (%L, %L)', :'theirs', 'g2'), 'a number that is somebody''s: their conversation knows the call');
SELECT 1 AS leave FROM t.call('g2', '+250780000303') \gset
SELECT is((pg_temp.call('g2')).phone_number, '+250780000302', '... and no other number takes it from them');
CREATE FUNCTION pg_temp.theirs(ref text, number text, jid text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outside uuid := uuid_v7();
BEGIN
    INSERT INTO profiles (user_id, phone_number, whatsapp_jid) VALUES (outside, number, jid);
    INSERT INTO call_summaries (id, call_id, profile_id, channel, status) VALUES (uuid_v7(), ref, outside, 'sip', 'in_progress');
    PERFORM t.call(ref, '+250780000307', '{"bullets": ["private"], "ended": true}');
    RETURN (SELECT concat_ws(' ', c.phone_number, c.profile_id = outside, p.merged_into) FROM call_summaries c, profiles p WHERE c.call_id = ref AND p.user_id = outside);
END $$;
SELECT is(pg_temp.theirs('g4', '+250780000306', NULL), 't', '... nor from whoever an outside system knows by a number');
SELECT is(pg_temp.theirs('g5', NULL, '250780000306'), 't', '... or by WhatsApp''s');
SELECT 1 AS leave FROM pg_temp.event('g3', 'connect', '{"bsuid": "RW.301"}') \gset
SELECT 1 AS leave FROM t.call('g3', '+250780000304') \gset
SELECT is((pg_temp.call('g3')).phone_number, NULL, 'a number that somebody else names is not one that WhatsApp hides');
SELECT 1 AS leave FROM pg_temp.event('g3', 'terminate', '{"bsuid": "RW.301", "phone": "+250780000305", "answered": true}') \gset
SELECT results_eq($$SELECT c.phone_number, p.phone_number FROM call_summaries c JOIN profiles p ON p.user_id = c.profile_id WHERE c.call_id = 'g3'$$,
    $$VALUES ('+250780000305', '+250780000305')$$, '... one that WhatsApp tells later is added');
SELECT session_id AS theirs FROM t.inbound('+250780000306') \gset
SELECT 1 AS leave FROM pg_temp.event('g4', 'connect', '{"bsuid": "RW.302"}') \gset
SELECT 1 AS leave FROM pg_temp.event('g4', 'terminate', '{"bsuid": "RW.302", "phone": "+250780000306", "answered": true}') \gset
SELECT results_eq($$SELECT c.phone_number, p.phone_number, c.session_id::text FROM call_summaries c JOIN profiles p ON p.user_id = c.profile_id WHERE c.call_id = 'g4'$$,
    format('VALUES (%L, %L, %L)', '+250780000306', '+250780000306', :'theirs'), '... or found to be somebody''s whom we know');

-- Webhooks that come again ---------------------------------------------------------------------------------------------------

SELECT is((SELECT outcome FROM pg_temp.event('r1', 'connect', '{"channel": "sip", "anonymous": true, "webhook_id": "wh_1"}', pg_temp.todo('accept'))), 'new', 'a webhook with an id');
SELECT is((SELECT outcome FROM pg_temp.event('r1', 'connect', '{"channel": "sip", "anonymous": true, "webhook_id": "wh_1"}', pg_temp.todo('accept'))), 'duplicate', '... again');
SELECT is((SELECT outcome FROM pg_temp.event('r1', 'connect', '{"channel": "sip", "anonymous": true, "webhook_id": "wh_2"}', pg_temp.todo('accept'))), 'duplicate', 'another webhook about the same call');
SELECT is((SELECT outcome FROM pg_temp.event('r2', 'connect', '{"channel": "sip", "anonymous": true, "webhook_id": "wh_1"}', pg_temp.todo('accept'))), 'duplicate', 'the same webhook about another call');
SELECT is((SELECT count(*) FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE c.call_id IN ('r1', 'r2')), 1::bigint, '... one call is taken');
UPDATE webhook_ids SET received_at = CASE id WHEN 'wh_1' THEN clock_timestamp() - interval '7 days' ELSE clock_timestamp() - interval '9 days' END;
SELECT 1 AS leave FROM pg_temp.event('r3', 'connect', '{"channel": "sip", "anonymous": true, "webhook_id": "wh_3"}') \gset
SELECT results_eq('SELECT id FROM webhook_ids ORDER BY 1', $$VALUES ('wh_1'), ('wh_3')$$, 'ids are kept for a week');
UPDATE call_events SET received_at = clock_timestamp() - CASE call_id WHEN 's1' THEN interval '31 days' WHEN 's2' THEN interval '29 days' ELSE interval '0' END;
SELECT 1 AS leave FROM pg_temp.event('r4', 'connect', '{"channel": "sip", "anonymous": true}') \gset
SELECT results_eq($$SELECT call_id FROM call_events WHERE call_id IN ('s1', 's2', 'r4') ORDER BY 1$$, $$VALUES ('r4'), ('s2')$$, 'events are kept for a month');

-- Ends that disagree -----------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM pg_temp.event('x1', 'connect', '{"phone": "+250780000101", "at": "2026-01-01T10:00:00Z"}') \gset
SELECT 1 AS leave FROM pg_temp.event('x1', 'transcript', '{"at": "2026-01-01T10:05:00Z", "answered": true}') \gset
SELECT 1 AS leave FROM pg_temp.event('x1', 'terminate', '{"started_at": "2026-01-01T10:00:10Z", "ended_at": "2026-01-01T10:02:10Z", "answered": true}') \gset
SELECT results_eq($$SELECT status, ended_at, duration_seconds FROM call_summaries WHERE call_id = 'x1'$$, $$VALUES ('ended', '2026-01-01T10:02:10Z'::timestamptz, 120)$$,
    'a transcript tells that a call is over, its end tells when');
SELECT 1 AS leave FROM pg_temp.event('x5', 'connect', '{"phone": "+250780000108", "at": "2026-01-01T10:00:00Z"}') \gset
SELECT 1 AS leave FROM pg_temp.event('x5', 'transcript', '{"at": "2026-01-01T10:00:00Z", "answered": true}') \gset
SELECT is((pg_temp.call('x5')).status, 'ended', '... nor is one missed that has a transcript');
SELECT 1 AS leave FROM pg_temp.event('x6', 'connect', '{"phone": "+250780000110"}') AS a, t.call('x6', NULL, '{"ended": true}') AS b \gset
SELECT 1 AS leave FROM pg_temp.event('x6', 'transcript', '{"answered": true}') \gset
SELECT is((pg_temp.call('x6')).status, 'ended', '... at whatever moment we heard of its end');
SELECT action_id FROM pg_temp.event('x7', 'connect', '{"phone": "+250780000111", "at": "2026-01-01T10:00:00Z"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT finish_call_action(:'action_id', 1, 'done', NULL, 0, true, false) \gset
SELECT 1 AS leave FROM pg_temp.event('x7', 'terminate', '{"answered": true, "started_at": "2026-01-01T10:00:05Z", "ended_at": "2026-01-01T10:00:05Z"}') \gset
SELECT results_eq($$SELECT status, duration_seconds FROM call_summaries WHERE call_id = 'x7'$$, $$VALUES ('missed', 0)$$, 'a call of no second was missed, also if the bridge had picked it up');
SELECT 1 AS leave FROM pg_temp.event('x2', 'terminate', '{"phone": "+250780000102", "started_at": "1900-01-01T00:00:01Z", "ended_at": "2026-01-01T10:00:00Z", "answered": true}') \gset
SELECT results_eq($$SELECT status, duration_seconds FROM call_summaries WHERE call_id = 'x2'$$, $$VALUES ('ended', 2147483647)$$, 'no time is too far off to be an end');
SELECT 1 AS leave FROM pg_temp.event('x3', 'connect', '{"channel": "sip", "phone": "+250780000103"}', pg_temp.todo('accept'), 'hook:1') \gset
SELECT finish_call_action((pg_temp.action('x3', 'accept')).id, 1, 'done', NULL, 0, true, false) \gset
SELECT 1 AS leave FROM t.call('x3', NULL, jsonb_build_object('ended', true, 'ended_at', clock_timestamp() - interval '30 s')) \gset
SELECT is((pg_temp.call('x3')).status, 'ended', 'an exchange whose clock is slow makes no missed call of one that was answered');
SELECT 1 AS leave FROM pg_temp.event('x4', 'connect', jsonb_build_object('channel', 'sip', 'phone', '+250780000104', 'at', date_trunc('second', clock_timestamp()) - interval '5 s')) \gset
SELECT 1 AS leave FROM t.call('x4', NULL, jsonb_build_object('ended', true, 'ended_at', (pg_temp.call('x4')).started_at)) \gset
SELECT is((pg_temp.call('x4')).status, 'missed', '... but of one that nobody took and that lasted no time');

-- Who takes an action over knows how far it had come ---------------------------------------------------------------------------

SELECT action_id FROM pg_temp.event('y1', 'connect', '{"phone": "+250780000105"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT pg_temp.lapse(:'action_id') \gset
UPDATE call_actions SET detail = detail || '{"answer_sdp": "v=1"}' WHERE id = :'action_id';
SELECT count(*) AS leave FROM claim_call_actions('w', 100, 20) \gset
SELECT results_eq(format('SELECT detail, attempts, lease_owner FROM call_actions WHERE id = %L', :'action_id'),
    $$VALUES ('{"sdp": "v=0", "answer_sdp": "v=1"}'::jsonb, 2, 'w')$$, 'what was noted of an action stays with it');

-- A stop that was put off is done when the end comes ----------------------------------------------------------------------------

UPDATE call_summaries SET last_heard_at = clock_timestamp() - interval '121 s' WHERE call_id = 'y1';
SELECT is(close_calls(7200, 120, 6), 1, 'a silent call on the bridge');
SELECT results_eq($$SELECT status, next_attempt_at > clock_timestamp() + interval '119 minutes', expires_at - next_attempt_at FROM (SELECT (pg_temp.action('y1', 'stop')).*) AS a$$,
    $$VALUES ('pending', true, interval '10 minutes')$$, '... is not cut off while it may go on');
SELECT action_id FROM pg_temp.event('y1', 'terminate', '{"answered": true, "started_at": "2026-01-01T10:00:10Z", "ended_at": "2026-01-01T10:02:10Z"}', pg_temp.todo('stop', 600), 'hook:1') \gset
SELECT results_eq($$SELECT id::text, status, lease_owner, lease_token, next_attempt_at FROM (SELECT (pg_temp.action('y1', 'stop')).*) AS a$$,
    format($$VALUES (%L, 'running', 'hook:1', 1::bigint, NULL::timestamptz)$$, :'action_id'), '... until its end is reported');
SELECT 1 AS leave FROM pg_temp.event('y2', 'connect', '{"phone": "+250780000106"}', pg_temp.todo('answer'), 'hook:1') \gset
UPDATE call_summaries SET created_at = clock_timestamp() - interval '2 hours 1 second' WHERE call_id = 'y2';
SELECT is(close_calls(7200, 120, 6), 1, 'a call that lasts too long');
SELECT ok((pg_temp.action('y2', 'stop')).next_attempt_at <= clock_timestamp(), '... is ended on the bridge as well');
SELECT 1 AS leave FROM pg_temp.event('y4', 'connect', '{"channel": "sip", "phone": "+250780000109"}', pg_temp.todo('accept'), 'hook:1') \gset
SELECT 1 AS leave FROM t.call('y4', NULL, jsonb_build_object('bullets', '["a"]'::jsonb, 'ended_at', clock_timestamp() - interval '1 minute')) \gset
SELECT is(close_calls(7200, 120, 6), 1, 'a call whose time of ending was named, but not that it is over');
SELECT ok((pg_temp.action('y4', 'stop')).next_attempt_at > clock_timestamp() + interval '119 minutes', '... is not hung up, since it may go on');
SELECT 1 AS leave FROM pg_temp.event('y3', 'connect', '{"phone": "+250780000107"}') \gset
UPDATE call_summaries SET created_at = clock_timestamp() - interval '2 hours 1 second' WHERE call_id = 'y3';
SELECT is(close_calls(7200, 120, 6), 1, 'one that the bridge never had');
SELECT is((pg_temp.action('y3', 'stop')).id, NULL, '... is not');

-- Two calls under one SIP name ---------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM pg_temp.event('n1', 'connect', '{"channel": "sip", "sip_call_id": "same", "phone": "+250780000201"}', pg_temp.todo('accept')) \gset
SELECT results_eq($$SELECT outcome, action_id IS NOT NULL FROM pg_temp.event('n2', 'connect', '{"channel": "sip", "sip_call_id": "same", "phone": "+250780000202"}', pg_temp.todo('accept'))$$,
    $$VALUES ('new', true)$$, 'a second call of the provider''s under the SIP name of another is taken');
SELECT results_eq($$SELECT call_id, phone_number, sip_call_id FROM call_summaries WHERE call_id IN ('n1', 'n2') ORDER BY 1$$,
    $$VALUES ('n1', '+250780000201', 'same'), ('n2', '+250780000202', NULL)$$, '... a call of its own, without the name');
SELECT is((SELECT call FROM t.call(NULL, NULL, '{"sip": "same", "ended": true}')), 'n1', '... which stays the first one''s');
SELECT 1 AS leave FROM t.call('asterisk-1', '+250780000203', '{"sip": "theirs", "ended": true}') \gset
SELECT 1 AS leave FROM pg_temp.event('n3', 'connect', '{"channel": "sip", "sip_call_id": "theirs", "phone": "+250780000203"}', pg_temp.todo('accept')) \gset
SELECT results_eq($$SELECT count(*), max(call_id) FROM call_summaries WHERE phone_number = '+250780000203'$$, $$VALUES (1::bigint, 'asterisk-1')$$,
    'a call that its exchange named by both ids stays one');

-- Claim and finish -------------------------------------------------------------------------------------------------------------

UPDATE call_actions SET status = 'done', lease_until = NULL, next_attempt_at = NULL, finished_at = clock_timestamp() WHERE status <> 'done';
SELECT action_id AS id FROM pg_temp.event('c1', 'connect', '{"phone": "+250780000010"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT is((SELECT count(*) FROM claim_call_actions('w', 10, 20)), 0::bigint, 'what somebody holds is not claimed');
SELECT pg_temp.lapse(:'id') AS leave \gset
SELECT results_eq($$SELECT c::text FROM claim_call_actions('w', 10, 20) AS c$$, format('VALUES (%L)', :'id'), 'what a dead process left is');
SELECT results_eq($$SELECT status, lease_owner, lease_token, attempts FROM call_actions WHERE status <> 'done'$$, $$VALUES ('running', 'w', 2::bigint, 2)$$, '... behind a new fence');
SELECT ok(NOT finish_call_action(:'id', 1, 'done', NULL, 0, true, false), 'the dead one, back again, writes nothing');
SELECT is((pg_temp.call('c1')).answered_at, NULL, '... at all');
SELECT ok(finish_call_action(:'id', 2, 'pending', 'http_503', 0, false, false), 'it may be tried again');
SELECT results_eq($$SELECT status, error_code, lease_until, next_attempt_at <= clock_timestamp(), detail FROM call_actions WHERE status <> 'done'$$,
    $$VALUES ('pending', 'http_503', NULL::timestamptz, true, '{"sdp": "v=0"}'::jsonb)$$, '... with what it needs');
SELECT is((SELECT count(*) FROM claim_call_actions('w', 0, 20)), 0::bigint, 'as many as are wanted');
SELECT is((SELECT count(*) FROM claim_call_actions('w', 10, 20)), 1::bigint, 'what waits is claimed');
SELECT ok(finish_call_action(:'id', 3, 'done', NULL, 0, true, false), 'it is done');
SELECT results_eq($$SELECT status, detail, finished_at IS NOT NULL FROM call_actions WHERE error_code IS NULL AND lease_token = 3$$, $$VALUES ('done', '{}'::jsonb, true)$$, '... its offer is forgotten');
SELECT ok((pg_temp.call('c1')).answered_at IS NOT NULL, '... and the call was answered');
SELECT ok(NOT finish_call_action(:'id', 3, 'failed', 'x', 0, false, true), 'what is done stays done');
SELECT is((pg_temp.call('c1')).status, 'in_progress', '... and the call goes on');
SELECT is((SELECT action_id IS NOT NULL FROM pg_temp.event('c1', 'terminate', '{"answered": true}', pg_temp.todo('stop', 600))), true, 'its end stops what was begun');

SELECT action_id AS id FROM pg_temp.event('f1', 'connect', '{"phone": "+250780000011"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT ok(finish_call_action(:'id', 1, 'failed', 'no_sdp', 0, false, true), 'a call that cannot be taken');
SELECT results_eq($$SELECT status, end_seen_at IS NOT NULL, notify_due_at <= clock_timestamp(), answered_at FROM call_summaries WHERE call_id = 'f1'$$,
    $$VALUES ('failed', true, true, NULL::timestamptz)$$, '... is over, and its person is to be told at once');
SELECT ok(notify_call((pg_temp.call('f1')).id, '[]', 'skipped', 'test'), '... once:');
SELECT 1 AS leave FROM pg_temp.event('f1', 'terminate', '{"answered": false}') \gset
SELECT results_eq($$SELECT status, notify_due_at FROM call_summaries WHERE call_id = 'f1'$$, $$VALUES ('failed', NULL::timestamptz)$$, '... its reported end asks for nothing more');
SELECT action_id AS id FROM pg_temp.event('f2', 'connect', '{"phone": "+250780000012"}', pg_temp.todo('answer'), 'hook:1') \gset
SELECT 1 AS leave FROM pg_temp.event('f2', 'terminate', '{"started_at": "2026-01-01T10:00:10Z", "ended_at": "2026-01-01T10:02:10Z", "answered": true}') \gset
SELECT ok(finish_call_action(:'id', 1, 'failed', 'no_answer', 0, false, true), 'a failure that comes after the end');
SELECT is((pg_temp.call('f2')).status, 'ended', '... does not change how the call ended');
SELECT is((SELECT outcome FROM pg_temp.event('f2', 'transcript', '{"answered": true}', pg_temp.todo('transcript', 3600))), 'new', 'a transcript is an event of its own');
SELECT is((pg_temp.action('f2', 'transcript')).status, 'pending', '... and waits for whoever fetches it');
SELECT throws_ok($$INSERT INTO call_events (call_id, event) VALUES ('x', 'ringing')$$, '23514', NULL, 'no other events');

SELECT * FROM finish();
