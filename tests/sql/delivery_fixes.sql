-- What a gateway charged, good news after bad, a dead letter's locks, and WhatsApp that takes nothing for a while.
SET t.breaker = 'on';
SELECT plan(79);

-- A WhatsApp message with an SMS in reserve, claimed as workers do it. facts: more of the fallback.
CREATE FUNCTION pg_temp.whatsapp(facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.in_flight(jsonb_build_object('channel', 'whatsapp', 'provider', 'meta', 'fallback',
                                          jsonb_build_object('sms', t.outbound('{"content": "sms"}')) || facts))
$$;
CREATE FUNCTION pg_temp.waiting(facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.enqueue(t.session(), jsonb_build_object('channel', 'whatsapp', 'provider', 'meta', 'fallback',
                                                     jsonb_build_object('sms', t.outbound('{"content": "sms"}')) || facts))
$$;
CREATE FUNCTION pg_temp.instead(message uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(m.content, ',' ORDER BY m.seq) FROM message_delivery_log m
     WHERE m.session_id = (t.message(message)).session_id AND m.id <> message
$$;
CREATE FUNCTION pg_temp.circuit(facts text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO provider_circuit (provider) VALUES ('meta') ON CONFLICT DO NOTHING;
    UPDATE provider_circuit SET state = 'closed', open_until = NULL, reason = NULL, max_inflight = 64, not_before = NULL,
           probe_lease_until = NULL, changed_at = clock_timestamp() WHERE provider = 'meta';
    EXECUTE 'UPDATE provider_circuit SET ' || facts || ' WHERE provider = ''meta''';
END $$;

-- Costs ----------------------------------------------------------------------------------------------------------------

SELECT t.in_flight('{"cost_rwf": 15}') AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "c1", "cost_rwf": 24.5}') AS leave \gset
SELECT is((t.message(:'m')).cost_rwf, 24.500, 'what the gateway charged is what it cost');
SELECT t.in_flight('{"cost_rwf": 15}') AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "c2"}') AS leave \gset
SELECT is((t.message(:'m')).cost_rwf, 15.000, 'nothing said: the estimate stays');
SELECT t.in_flight('{"cost_rwf": 15}') AS m \gset
SELECT t.report(NULL, :'m', 'delivered') AS leave, t.finish(:'m', 1, 'accepted', '{"external_id": "c3", "cost_rwf": 0}') AS leave2 \gset
SELECT is((t.message(:'m')).cost_rwf, 0.000, 'also when a report overtook the answer');

-- Good news after bad ------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'accepted', '{"external_id": "g1"}') AS leave \gset
SELECT moved FROM record_status_events('mtn', '[{"external_id": "g1", "status": "undelivered", "error_code": "EXPIRED"}]') \gset
SELECT results_eq(format('SELECT status, error_code, failed_at IS NULL FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('undelivered', 'EXPIRED', false)$$, 'not delivered, and why');
SELECT moved FROM record_status_events('mtn', '[{"external_id": "g1", "status": "delivered"}]') \gset
SELECT results_eq(format('SELECT status, error_code, error_message, failed_at FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('delivered', NULL::text, NULL::text, NULL::timestamptz)$$, 'delivered after all: nothing speaks of a failure');
SELECT moved FROM record_status_events('mtn', '[{"external_id": "g1", "status": "undelivered", "error_code": "REJECTED"}]') \gset
SELECT results_eq(format('SELECT status, error_code FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('delivered', NULL::text)$$, '... and a late failure changes nothing');
SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'permanent', '{"error_code": "http_400", "error_message": "x"}') AS leave, t.report(NULL, :'m', 'delivered') AS leave2 \gset
SELECT results_eq(format('SELECT status, error_code, error_message, dead_reason, failed_at FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('delivered', NULL::text, NULL::text, NULL::text, NULL::timestamptz)$$, 'given up, and there all the same');

-- A report ends no patience ---------------------------------------------------------------------------------------------------

SELECT pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT t.finish(:'m', 1, 'ambiguous') AS leave, t.report('r1', :'m', 'sent', 'meta') AS leave2 \gset
SELECT is(t.status(:'m'), 'sent', 'an unknown outcome is known by the report');
SELECT is(pg_temp.instead(:'m'), NULL, '... and the phone gets its time');

-- Blocked: SMS carries at once ----------------------------------------------------------------------------------------------------

SELECT pg_temp.circuit('state = ''closed''') AS leave, pg_temp.whatsapp('{"patient": true}') AS m, pg_temp.waiting('{"patient": true}') AS next,
       pg_temp.waiting() AS reply, t.enqueue(t.session(), '{"channel": "whatsapp", "provider": "meta"}') AS only \gset
SELECT t.finish(:'m', 1, 'retry', '{"error_code": "131048", "http_status": 400}') AS leave \gset
SELECT is(t.status(:'m'), 'suppressed', 'WhatsApp refuses all of us: the message is given up');
SELECT is((t.message(:'m')).error_code, '131048', '... with the reason');
SELECT is(pg_temp.instead(:'m'), 'sms', '... and goes by SMS in the same moment');
SELECT results_eq($$SELECT state, reason, open_until - clock_timestamp() > interval '9 minutes' FROM provider_circuit WHERE provider = 'meta'$$, $$VALUES ('open', '131048', true)$$, '... WhatsApp is left in peace for long');
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 2, 'those that wait for it go by SMS too, patient or not');
SELECT is(t.status(:'next') || pg_temp.instead(:'next'), 'suppressedsms', '... the patient one');
SELECT is(t.status(:'reply') || pg_temp.instead(:'reply'), 'suppressedsms', '... and the other');
SELECT is(t.status(:'only'), 'pending', 'one that has no other way waits');
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'once');
SELECT pg_temp.waiting() AS m \gset
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'m')).profile_id;
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'who refuses SMS gets none');
SELECT is(t.status(:'m'), 'pending', '... and waits for WhatsApp');
SELECT is((t.message(:'m')).fallback ? 'sms', true, '... with its way kept');

SELECT pg_temp.circuit('state = ''closed''') AS leave, pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT t.finish(:'m', 1, 'hold', '{"error_code": "131031"}') AS leave \gset
SELECT is(t.status(:'m') || pg_temp.instead(:'m'), 'suppressedsms', 'a locked account: the same');

-- What is no block ---------------------------------------------------------------------------------------------------------------------

SELECT pg_temp.circuit('state = ''closed''') AS leave, pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT t.finish(:'m', 1, 'retry', '{"error_code": "130429", "http_status": 429, "retry_after_s": 5}') AS leave \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'too fast: no reason to leave WhatsApp');
SELECT is(t.status(:'m'), 'failed', '... it is tried again');
SELECT pg_temp.circuit('state = ''open'', reason = ''no_answer'', open_until = clock_timestamp() + interval ''30 s''') AS leave \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'in trouble for a moment: it is waited for');
SELECT pg_temp.circuit('state = ''open'', reason = ''no_answer'', open_until = clock_timestamp() + interval ''30 s'', changed_at = clock_timestamp() - interval ''21 s''') AS leave \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 1, '... for longer than twenty seconds: SMS');
SELECT is(t.status(:'m') || pg_temp.instead(:'m'), 'suppressedsms', '... in its place');
SELECT pg_temp.waiting() AS m, pg_temp.circuit('state = ''open'', reason = ''131048'', open_until = clock_timestamp()') AS leave \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'its time is over: messages are there to try with');
SELECT is((SELECT count(*) FROM claim_outbound('meta', 'w', 10, 90)), 1::bigint, '... one at a time');
SELECT pg_temp.circuit('state = ''forced_open''') AS leave, pg_temp.waiting() AS m \gset
SELECT ok((SELECT fallbacks FROM sweep_outbound(90, 1, 600)) > 0, 'stopped by hand: SMS');
SELECT is(t.status(:'m'), 'suppressed', '... at once');
SELECT is((t.message(:'m')).error_code, 'circuit_open', '... and the row says why');
SELECT pg_temp.circuit('state = ''closed''') AS leave, pg_temp.waiting() AS m \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'closed: WhatsApp brings it');
SELECT is(provider_is_away('nobody'), false, 'a provider never used is not away');

-- A dead letter, sent again ---------------------------------------------------------------------------------------------------------------

SELECT t.in_flight('{"content": "again"}') AS m \gset
SELECT t.finish(:'m', 1, 'permanent') AS leave \gset
SELECT replay_dead(:'m') AS copy \gset
SELECT is(t.status(:'copy'), 'pending', 'a dead letter is sent again');
SELECT is(replay_dead(:'m'), NULL, '... once');

-- What no index takes ------------------------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS sick, t.in_flight() AS well \gset
SELECT status AS leave FROM finish_outbound(jsonb_build_array(
    jsonb_build_object('id', :'sick', 'fence', 1, 'outcome', 'accepted', 'external_id', repeat(md5('x'), 200)),
    jsonb_build_object('id', :'well', 'fence', 1, 'outcome', 'accepted', 'external_id', 'l1')), 90, 1) LIMIT 1 \gset
SELECT results_eq(format('SELECT status, external_message_id FROM message_delivery_log WHERE id = %L', :'sick'), $$VALUES ('sent', NULL::text)$$, 'an id of 6400 letters: accepted, its id unknown');
SELECT results_eq(format('SELECT status, external_message_id FROM message_delivery_log WHERE id = %L', :'well'), $$VALUES ('sent', 'l1')$$, '... and the others of its batch are written');
SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'permanent', jsonb_build_object('error_code', repeat('x', 6000), 'error_message', repeat('y', 6000))) AS leave \gset
SELECT is(length((t.message(:'m')).error_code), 100, 'a code is cut');
SELECT is(length((t.message(:'m')).error_message), 500, '... and so are the words');

-- Both ways at once: WhatsApp fails after the SMS was given up for its sake ------------------------------------------------------------------

-- An SMS whose answer was lost and its WhatsApp twin that was accepted; the SMS is given up.
CREATE FUNCTION pg_temp.twins(OUT sms uuid, OUT whatsapp uuid) LANGUAGE plpgsql AS $$
DECLARE
    logical uuid := uuid_v7();
    dialog  uuid := t.session();
BEGIN
    sms := t.enqueue(dialog, jsonb_build_object('group_id', logical));
    whatsapp := t.enqueue(dialog, jsonb_build_object('group_id', logical, 'channel', 'whatsapp', 'provider', 'meta'));
    PERFORM t.finish(sms, t.claim(sms), 'ambiguous');
    PERFORM t.finish(whatsapp, t.claim(whatsapp), 'accepted', jsonb_build_object('external_id', whatsapp));
    PERFORM t.lease_over(sms), sweep_outbound(90, 1, 600);
END $$;
CREATE FUNCTION pg_temp.again(message uuid) RETURNS TABLE (status text, possible_duplicate boolean) LANGUAGE sql AS $$
    SELECT m.status, m.possible_duplicate FROM message_delivery_log m WHERE m.replay_of = message
$$;

SELECT pg_temp.circuit('state = ''closed''') AS leave, sms, whatsapp FROM pg_temp.twins() \gset
SELECT results_eq(format('SELECT status, dead_reason FROM message_delivery_log WHERE id = %L', :'sms'), $$VALUES ('dead', 'ambiguous')$$, 'WhatsApp has it: the SMS is not sent twice');
SELECT is(t.report(:'whatsapp', NULL, 'undelivered', 'meta'), 1, 'WhatsApp fails later');
SELECT results_eq(format('SELECT * FROM pg_temp.again(%L)', :'sms'), $$VALUES ('pending', true)$$, '... the SMS goes once more, marked');
SELECT is(t.report(:'whatsapp', NULL, 'undelivered', 'meta', '2026-01-01'), 0, '... reported again');
SELECT is((SELECT count(*) FROM pg_temp.again(:'sms')), 1::bigint, '... it is still one');
SELECT is(replay_dead(:'sms'), NULL, '... and an operator has nothing to add');

SELECT sms, whatsapp FROM pg_temp.twins() \gset
SELECT t.report(:'whatsapp', NULL, 'delivered', 'meta') AS leave, t.report(:'whatsapp', NULL, 'undelivered', 'meta') AS leave2 \gset
SELECT is_empty(format('SELECT * FROM pg_temp.again(%L)', :'sms'), 'WhatsApp has brought it: nothing more');
SELECT sms, whatsapp FROM pg_temp.twins() \gset
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'sms')).profile_id;
SELECT t.report(:'whatsapp', NULL, 'undelivered', 'meta') AS leave \gset
SELECT is_empty(format('SELECT * FROM pg_temp.again(%L)', :'sms'), 'who has said STOP gets nothing more');
SELECT sms, whatsapp FROM pg_temp.twins() \gset
UPDATE message_delivery_log SET expires_at = clock_timestamp() WHERE id = :'sms';
SELECT t.report(:'whatsapp', NULL, 'undelivered', 'meta') AS leave \gset
SELECT is_empty(format('SELECT * FROM pg_temp.again(%L)', :'sms'), 'what is of no use any more is not sent a day late');
SELECT sms, whatsapp FROM pg_temp.twins() \gset
SELECT t.report(:'whatsapp', NULL, 'undelivered', 'meta') AS leave \gset
SELECT id AS once FROM message_delivery_log WHERE replay_of = :'sms' \gset
SELECT is((t.message(:'once')).expires_at, (t.message(:'sms')).expires_at, 'what goes once more lives as long as the first would have');
SELECT t.finish(:'once', t.claim(:'once'), 'ambiguous'), t.lease_over(:'once') \g /dev/null
SELECT dead AS leave FROM sweep_outbound(90, 0, 600) \gset
SELECT is((SELECT status || (SELECT count(*) FROM pg_temp.again(:'once')) FROM message_delivery_log WHERE id = :'once'), 'dead0', '... and is the last');

-- Sent again by hand ------------------------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS m \gset
SELECT t.finish(:'m', 1, 'ambiguous'), t.lease_over(:'m') \g /dev/null
SELECT dead AS leave FROM sweep_outbound(90, 0) \gset
UPDATE provider_circuit SET max_inflight = 64, failures = 0 WHERE provider = 'mtn';
SELECT is((t.message(replay_dead(:'m'))).possible_duplicate, true, 'a dead letter that may have arrived is marked when it is sent again');
SELECT t.in_flight() AS reply, t.in_flight('{"message_type": "summary"}') AS summary, t.in_flight('{"message_type": "tool"}') AS tool \gset
SELECT t.finish(:'reply', 1, 'permanent'), t.finish(:'summary', 1, 'permanent'), t.finish(:'tool', 1, 'permanent') \g /dev/null
SELECT replay_dead(:'reply') AS reply, replay_dead(:'summary') AS summary, replay_dead(:'tool') AS tool \gset
SELECT is((t.message(:'reply')).possible_duplicate, false, '... one that was refused is not');
SELECT is(round(extract(epoch FROM (t.message(id)).expires_at - clock_timestamp()) / 60), minutes, what || ' lives as long as the first')
  FROM (VALUES (:'reply'::uuid, 15::numeric, 'a reply'), (:'summary'::uuid, 360, 'a summary'), (:'tool'::uuid, 360, 'another')) AS v (id, minutes, what);
SELECT is(message_life('missed_call'), interval '6 hours', 'what is no answer has six hours');

-- Failover: what the SMS has replaced is not sent any more ------------------------------------------------------------------------------------

-- Its patience is over.
CREATE FUNCTION pg_temp.patience_over(message uuid) RETURNS int LANGUAGE sql AS $$
    UPDATE message_delivery_log SET created_at = created_at - interval '121 s' WHERE id = message;
    SELECT fallbacks FROM sweep_outbound(90, 1, 120)
$$;

SELECT pg_temp.waiting('{"patient": true}') AS m \gset
SELECT is(pg_temp.patience_over(:'m'), 1, 'WhatsApp has not been tried in time: the SMS goes');
SELECT results_eq(format('SELECT status, error_code FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('suppressed', 'went_by_sms')$$, '... in its place');
SELECT pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT t.finish(:'m', 1, 'retry', '{"error_code": "130429", "http_status": 429, "retry_after_s": 600}') AS leave \gset
SELECT is(pg_temp.patience_over(:'m'), 1, 'WhatsApp wants to be asked later: the SMS goes');
SELECT is(t.status(:'m'), 'suppressed', '... in its place');
SELECT pg_temp.circuit('state = ''closed''') AS leave, pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT t.finish(:'m', 1, 'ambiguous') AS leave \gset
SELECT is(pg_temp.patience_over(:'m'), 1, 'nobody knows whether WhatsApp has it: the SMS goes');
SELECT is((SELECT string_agg(status || ' ' || possible_duplicate, ', ' ORDER BY seq) FROM message_delivery_log WHERE session_id = (t.message(:'m')).session_id), 'unknown false, pending true', '... marked');
SELECT t.lease_over(:'m') AS leave \gset
SELECT is((SELECT resent FROM sweep_outbound(90, 1, 120)), 0, '... and WhatsApp is not asked again');
SELECT results_eq(format('SELECT status, dead_reason FROM message_delivery_log WHERE id = %L', :'m'), $$VALUES ('dead', 'ambiguous')$$, '... given up');
SELECT is(t.report('late', :'m', 'delivered', 'meta'), 1, '... unless it is there');
SELECT pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT is(pg_temp.patience_over(:'m'), 1, 'still on the wire: the SMS goes');
SELECT is(t.finish(:'m', 1, 'retry'), 'suppressed', '... and a refusal is the end of it');
SELECT pg_temp.whatsapp('{"patient": true}') AS m \gset
SELECT is(pg_temp.patience_over(:'m')::text || t.finish(:'m', 1, 'accepted', '{"external_id": "f9"}'), '1sent', '... an acceptance is believed');

-- A patient row that is over is in nobody's way: more of them than are looked at once.
SELECT t.enqueue(t.session(), '{"channel": "whatsapp", "provider": "meta", "fallback": {"patient": true}}') FROM generate_series(1, 501) \g /dev/null
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'expired', next_attempt_at = NULL, created_at = created_at - interval '1 day'
 WHERE fallback = '{"patient": true}' AND status = 'pending';
SELECT pg_temp.waiting('{"patient": true}') AS m \gset
SELECT is(pg_temp.patience_over(:'m'), 1, 'those that are over hold up nobody');

-- WhatsApp has had its chance ---------------------------------------------------------------------------------------------------------------

-- So many minutes have gone by.
CREATE FUNCTION pg_temp.older(message uuid, minutes int) RETURNS int LANGUAGE sql AS $$
    UPDATE message_delivery_log SET created_at = created_at - minutes * interval '1 minute', expires_at = expires_at - minutes * interval '1 minute'
     WHERE id = message;
    SELECT fallbacks FROM sweep_outbound(90, 1, 600)
$$;

SELECT pg_temp.waiting() AS m \gset
SELECT is(pg_temp.older(:'m', 9), 0, 'nine minutes of fifteen: WhatsApp is waited for');
SELECT is(pg_temp.older(:'m', 2), 1, 'eleven: the SMS goes');
SELECT is(t.status(:'m') || pg_temp.instead(:'m'), 'suppressedsms', '... in its place');
SELECT is((SELECT round(extract(epoch FROM expires_at - clock_timestamp()) / 60) FROM message_delivery_log WHERE session_id = (t.message(:'m')).session_id AND channel = 'sms'), 4::numeric, '... for what is left of its life');
SELECT pg_temp.whatsapp() AS m \gset
SELECT t.finish(:'m', 1, 'retry'), t.finish(:'m', t.claim(:'m'), 'retry') \g /dev/null
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 0, 'two failures: it is tried again');
SELECT t.finish(:'m', t.claim(:'m'), 'retry') AS leave \gset
SELECT is((SELECT fallbacks FROM sweep_outbound(90, 1, 600)), 1, 'three: the SMS goes');
SELECT is(t.status(:'m') || pg_temp.instead(:'m'), 'suppressedsms', '... in its place');
SELECT pg_temp.waiting() AS m \gset
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'m')).profile_id;
SELECT is(pg_temp.older(:'m', 12), 0, 'who refuses SMS gets none');
SELECT is(t.status(:'m'), 'pending', '... and waits for WhatsApp to the end');

SELECT * FROM finish();
