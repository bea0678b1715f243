-- What goes out when WhatsApp does not bring a message; and dead letters, sent again by hand.
SELECT plan(40);

-- A WhatsApp message with what may take its place, in flight. facts: more of it.
CREATE FUNCTION pg_temp.whatsapp(facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.in_flight(jsonb_build_object('channel', 'whatsapp', 'provider', 'meta', 'fallback', jsonb_build_object(
        'sms', t.outbound('{"content": "sms"}'),
        'template', t.outbound('{"channel": "whatsapp", "provider": "meta", "content": "template"}'),
        'template_en', t.outbound('{"channel": "whatsapp", "provider": "meta", "content": "template_en"}')) || facts))
$$;
-- What went into the queue besides the message.
CREATE FUNCTION pg_temp.instead(message uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(m.content, ',' ORDER BY m.seq) FROM message_delivery_log m
     WHERE m.session_id = (t.message(message)).session_id AND m.id <> message
$$;

-- By the answer, by a report -------------------------------------------------------------------------------------------

SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'permanent', '{"error_code": "131026"}') AS leave \gset
SELECT is(pg_temp.instead(:'m'), 'sms', 'refused for good: the SMS goes instead');
SELECT is((t.message(:'m')).fallback, NULL, '... and is used up');
SELECT results_eq(format('SELECT has_whatsapp, has_whatsapp_at IS NOT NULL FROM profiles WHERE user_id = %L', (t.message(:'m')).profile_id), 'VALUES (false, true)', '... WhatsApp does not reach this person');
SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "w1"}') AS leave \gset
SELECT is(pg_temp.instead(:'m'), NULL, 'accepted: nothing goes instead');
SELECT moved FROM record_status_events('meta', '[{"external_id": "w1", "status": "undelivered", "error_code": "131047"}]') \gset
SELECT is(pg_temp.instead(:'m'), 'template', '... until the report: the window was closed, the template goes');
SELECT is((SELECT has_whatsapp FROM profiles WHERE user_id = (t.message(:'m')).profile_id), NULL, '... which says nothing about the person');
SELECT moved FROM record_status_events('meta', '[{"external_id": "w1", "status": "undelivered", "error_code": "131047", "at": "2026-01-01"}]') \gset
SELECT is(pg_temp.instead(:'m'), 'template', 'the report again: once');
SELECT id AS template FROM message_delivery_log WHERE session_id = (t.message(:'m')).session_id AND content = 'template' \gset
SELECT t.claim(:'template') AS fence \gset
SELECT t.finish(:'template', :fence, 'permanent', '{"error_code": "132001"}') AS leave \gset
SELECT is(pg_temp.instead(:'m'), 'template,template_en', 'no template in this language: the one in English');
SELECT id AS template FROM message_delivery_log WHERE session_id = (t.message(:'m')).session_id AND content = 'template_en' \gset
SELECT t.claim(:'template') AS fence \gset
SELECT t.finish(:'template', :fence, 'permanent', '{"error_code": "132001"}') AS leave \gset
SELECT is(pg_temp.instead(:'m'), 'template,template_en,sms', '... and at last the SMS');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = (t.message(:'m')).session_id AND fallback IS NOT NULL), 0::bigint, '... after which nothing is left to try');

SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "w2"}') AS leave, t.report('w2', NULL, 'delivered', 'meta') AS leave2 \gset
SELECT is((t.message(:'m')).fallback, NULL, 'delivered: no fallback is needed any more');
SELECT is(pg_temp.instead(:'m'), NULL, '... and none went');
SELECT pg_temp.whatsapp() AS m \gset
SELECT t.report('w3', :'m', 'undelivered', 'meta') AS leave, t.finish(:'m', 1, 'accepted', '{"external_id": "w3"}') AS leave2 \gset
SELECT is(pg_temp.instead(:'m'), 'sms', 'a report that overtakes the answer, and then the answer: one SMS');
SELECT pg_temp.whatsapp() AS m \gset
SELECT t.report('w4', NULL, 'undelivered', 'meta') AS leave, t.finish(:'m', 1, 'accepted', '{"external_id": "w4"}') AS leave2 \gset
SELECT is(pg_temp.instead(:'m'), 'sms', '... also when only the answer tells whose report it was');

-- Retries are waited for, expiry and consent are respected --------------------------------------------------------------------

SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'retry') AS leave \gset
SELECT is(pg_temp.instead(:'m'), NULL, 'what is tried again is not replaced');
UPDATE message_delivery_log SET expires_at = clock_timestamp() WHERE id = :'m';
SELECT is((SELECT expired FROM sweep_outbound(90)), 1, 'what has expired');
SELECT is(pg_temp.instead(:'m'), NULL, '... is of no use by SMS either');
SELECT pg_temp.whatsapp('{"expires_in_s": 900}') AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "w5"}') AS leave \gset
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '3 days', expires_at = clock_timestamp() - interval '2 days' WHERE id = :'m';
SELECT t.report('w5', NULL, 'undelivered', 'meta') AS leave \gset
SELECT is(pg_temp.instead(:'m'), NULL, 'what is known to have failed after three days is of no use by SMS');
SELECT pg_temp.whatsapp('{"expires_in_s": 900}') AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "w6"}') AS leave \gset
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '45 minutes' WHERE id = :'m';
SELECT t.report('w6', NULL, 'undelivered', 'meta') AS leave \gset
SELECT is(pg_temp.instead(:'m'), 'sms', '... after an hour, it is');
SELECT pg_temp.whatsapp() AS m \gset
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'m')).profile_id;
SELECT t.finish(:'m', 1, 'permanent') AS leave \gset
SELECT is(pg_temp.instead(:'m'), NULL, 'a person who refuses SMS gets none');
SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'ambiguous'), t.lease_over(:'m') \g /dev/null
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 0)), 1, 'an unknown outcome that is given up');
SELECT is(pg_temp.instead(:'m'), 'sms', '... is replaced');

-- Patience: DELIVERY_MODE failover ------------------------------------------------------------------------------------------------

SELECT pg_temp.whatsapp('{"patient": true}') AS m, pg_temp.whatsapp() AS other \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "p1"}'), t.finish(:'other', 1, 'accepted', '{"external_id": "p2"}') \g /dev/null
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 120)), 0, 'two minutes are waited for a report');
UPDATE message_delivery_log SET created_at = created_at - interval '121 s' WHERE id IN (:'m', :'other');
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 120)), 1, '... then the SMS goes');
SELECT is(pg_temp.instead(:'m'), 'sms', '... of the message that was to be waited for');
SELECT is(pg_temp.instead(:'other'), NULL, '... and of no other');
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 120)), 0, '... once');
SELECT t.report('p1', NULL, 'undelivered', 'meta') AS leave \gset
SELECT is(pg_temp.instead(:'m'), 'sms', '... whatever is reported later');

-- Whom WhatsApp does not reach is believed for thirty days
SELECT t.person('+250780000001') AS person \gset
UPDATE profiles SET has_whatsapp = false, has_whatsapp_at = clock_timestamp() - interval '29 days' WHERE user_id = :'person';
SELECT to_unknown FROM sweep_outbound(90) \gset
SELECT is((SELECT has_whatsapp FROM profiles WHERE user_id = :'person'), false, '"not on WhatsApp" is believed for thirty days');
UPDATE profiles SET has_whatsapp_at = clock_timestamp() - interval '31 days' WHERE user_id = :'person';
SELECT to_unknown FROM sweep_outbound(90) \gset
SELECT is((SELECT has_whatsapp FROM profiles WHERE user_id = :'person'), NULL, '... and then nothing is known');
SELECT pg_temp.whatsapp('{"patient": true}') AS m \gset
UPDATE profiles SET has_whatsapp = true, has_whatsapp_at = clock_timestamp() + interval '1 s' WHERE user_id = (t.message(:'m')).profile_id;
SELECT t.finish(:'m', 1, 'permanent', '{"error_code": "131026"}') AS leave \gset
SELECT is((SELECT has_whatsapp FROM profiles WHERE user_id = (t.message(:'m')).profile_id), true, 'a failure older than the last sign of life changes nothing');

-- Dead letters -----------------------------------------------------------------------------------------------------------------------

SELECT t.in_flight('{"content": "again"}') AS m \gset
SELECT is(replay_dead(:'m'), NULL, 'what is not dead is not replayed');
SELECT t.finish(:'m', 1, 'permanent') AS leave \gset
SELECT replay_dead(:'m') AS copy \gset
SELECT results_eq(format('SELECT status, content, replay_of::text, idem_key LIKE ''%%:replay'', retry_count, expires_at > clock_timestamp() FROM message_delivery_log WHERE id = %L', :'copy'),
    format($$VALUES ('pending', 'again', %L, true, 0, true)$$, :'m'), 'a dead letter is sent again as a row of its own');
SELECT is(t.status(:'m'), 'dead', '... the dead one stays as it is');
SELECT is(replay_dead(:'m'), NULL, '... pressed twice it is one row');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE replay_of = :'m'), 1::bigint, '... and no more');
SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'permanent') AS leave \gset
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'m')).profile_id;
SELECT is(replay_dead(:'m'), NULL, 'to a person who said STOP nothing is sent again');
SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'permanent') AS leave \gset
UPDATE message_delivery_log SET content = NULL WHERE id = :'m';
SELECT is(replay_dead(:'m'), NULL, 'nor is a text that retention has erased');
SELECT is(replay_dead(uuid_v7()), NULL, 'nor is what is not there');
SELECT results_eq($$SELECT fallback_choice('{"sms": {"a": 1}}', '131047') ->> 'a', fallback_choice('{}', '131047')$$, $$VALUES ('1', NULL::jsonb)$$, 'without a template the SMS takes its place; without anything, nothing');

SELECT * FROM finish();
