-- Reported statuses: kept once, applied in whatever order they come, never downwards.
SELECT plan(60);

-- A message that was accepted ----------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.sent(external_id text, facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    message uuid := t.in_flight(facts);
BEGIN
    PERFORM t.finish(message, 1, 'accepted', jsonb_build_object('external_id', external_id));
    RETURN message;
END $$;

SELECT pg_temp.sent('a1') AS message \gset
SELECT results_eq($$SELECT stored, moved FROM record_status_events('mtn', '[{"external_id": "a1", "status": "delivered", "at": "2026-01-01T10:00:00Z"}]')$$,
    'VALUES (1, 1)', 'delivered: one report stored, one message moved');
SELECT results_eq(format('SELECT status, delivered_at, read_at FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('delivered', '2026-01-01T10:00:00Z'::timestamptz, NULL::timestamptz)$$, '... with the gateway''s time');
SELECT results_eq($$SELECT stored, moved FROM record_status_events('mtn', '[{"external_id": "a1", "status": "delivered", "at": "2026-01-01T10:00:00Z"}]')$$,
    'VALUES (0, 0)', 'the same report again: nothing');
SELECT results_eq($$SELECT stored, moved FROM record_status_events('mtn', '[{"external_id": "a1", "status": "sent", "at": "2026-01-01T09:00:00Z"}]')$$,
    'VALUES (1, 0)', 'an older one that comes late is kept and changes nothing');
SELECT is(t.report('a1', NULL, 'undelivered'), 0, 'undelivered after delivered changes nothing');
SELECT is(t.report('a1', NULL, 'read', 'mtn', '2026-01-01T11:00:00Z'), 1, 'read is higher');
SELECT results_eq(format('SELECT status, delivered_at, read_at FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('read', '2026-01-01T10:00:00Z'::timestamptz, '2026-01-01T11:00:00Z'::timestamptz)$$, '... with its time, delivered keeps its own');
SELECT is(t.report('a1', NULL, 'delivered'), 0, 'delivered after read changes nothing');
SELECT is((SELECT count(*) FROM status_events WHERE external_message_id = 'a1' AND applied), 5::bigint, 'all five are on record');
SELECT results_eq($$SELECT stored, moved FROM record_status_events('mtn', '[{"external_id": "a9", "status": "sent"}, {"external_id": "a9", "status": "sent"}]')$$,
    'VALUES (1, 0)', 'a report twice in one request is one');
SELECT is((SELECT applied FROM status_events WHERE external_message_id = 'a9'), false, 'a report for no message is kept for later');

SELECT pg_temp.sent('b1') AS message \gset
SELECT is((SELECT moved FROM record_status_events('mtn', '[{"external_id": "b1", "status": "undelivered", "error_code": "EXPIRED"}]')), 1, 'undelivered after sent counts');
SELECT results_eq(format('SELECT status, error_code, failed_at IS NOT NULL FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('undelivered', 'EXPIRED', true)$$, '... with its code');
SELECT is(t.report('b1', NULL, 'sent'), 0, 'sent after undelivered changes nothing');
SELECT is(t.report('b1', NULL, 'delivered'), 1, 'late good news wins');

-- Every order of three reports ends the same -----------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.in_order(VARIADIC words text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    id      text := uuid_v7();
    message uuid := pg_temp.sent(id);
    word    text;
BEGIN
    FOREACH word IN ARRAY words LOOP
        PERFORM t.report(id, NULL, word);
    END LOOP;
    RETURN t.status(message);
END $$;
SELECT is((SELECT count(*) FROM (VALUES ('sent'), ('undelivered'), ('delivered'), ('read')) AS a (w), (VALUES ('sent'), ('undelivered'), ('delivered'), ('read')) AS b (w),
                                (VALUES ('sent'), ('undelivered'), ('delivered'), ('read')) AS c (w)
            WHERE pg_temp.in_order(a.w, b.w, c.w) <> (ARRAY['sent', 'undelivered', 'delivered', 'read'])
                [greatest(delivery_rank(a.w) - 5, delivery_rank(b.w) - 5, delivery_rank(c.w) - 5)]), 0::bigint,
    'of any three reports in any order the best remains');
SELECT results_eq($$SELECT status FROM unnest(ARRAY['pending', 'failed', 'sending', 'unknown', 'dead', 'sent', 'undelivered', 'delivered', 'read'])
                      WITH ORDINALITY AS s (status, n) WHERE delivery_rank(status) <> n$$, $$SELECT '' WHERE false$$, 'the ranks');
SELECT is(delivery_rank('anything'), 0, 'a word we do not know ranks below all');

-- Words we do not know, also those that are names of our own states ---------------------------------------------------------------

SELECT pg_temp.sent('w1') AS sent, t.in_flight() AS flying, t.enqueue(t.session()) AS waiting \gset
SELECT lives_ok(format('SELECT t.report(''w1'', NULL, %L), t.report(NULL, %L, %L), t.report(NULL, %L, %L)', word, :'flying', word, :'waiting', word), word || ': taken')
  FROM unnest(ARRAY['MessageWaiting', 'unknown', 'failed', 'dead', 'pending', 'sending', 'suppressed', 'received']) AS word;
SELECT results_eq(format('SELECT status FROM unnest(ARRAY[%L, %L, %L]::uuid[]) AS i, t.message(i)', :'sent', :'flying', :'waiting'),
    $$VALUES ('sent'), ('sending'), ('pending')$$, '... and they change nothing');
SELECT is((SELECT count(*) FROM status_events WHERE external_message_id = 'w1'), 8::bigint, '... but are on record');
SELECT lives_ok(format('SELECT t.report(NULL, %L, ''delivered'')', :'waiting'), 'a report about a message that was never sent is taken');
SELECT is(t.status(:'waiting'), 'pending', '... it can only be wrong');
SELECT results_eq(format($$SELECT stored, moved FROM record_status_events('mtn', '[{"our_ref": "%s", "status": "sent"}, {"external_id": "w1", "status": "read"}]')$$, :'waiting'),
    'VALUES (2, 1)', '... and does not hold back the others of its request');

-- Before the answer ------------------------------------------------------------------------------------------------------------------

-- by the gateway's id, which nobody knows yet
SELECT t.in_flight() AS message \gset
SELECT is(t.report('e1', NULL, 'read'), 0, 'a report under an id nobody knows is kept');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "e1"}'), 'read', '... and applied when the answer brings the id');
SELECT ok((SELECT applied FROM status_events WHERE external_message_id = 'e1'), '... on record as applied');

-- by our own reference
SELECT t.in_flight() AS message \gset
SELECT is(t.report('e2', :'message', 'delivered'), 1, 'a report under our own reference is applied before the answer');
SELECT is((t.message(:'message')).external_message_id, 'e2', '... and brings the gateway''s id');
SELECT is((t.message(:'message')).lease_until, NULL, '... the lease is over');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "e2"}'), 'delivered', 'the answer that was overtaken changes nothing');
SELECT is((t.message(:'message')).sent_at IS NOT NULL, true, '... it has a time of sending');

-- an answer that was lost, healed by the report
SELECT t.in_flight('{"channel": "whatsapp", "provider": "meta"}') AS message \gset
SELECT t.finish(:'message', 1, 'ambiguous') AS leave \gset
SELECT is(t.report('wamid.1', :'message', 'sent', 'meta'), 1, 'a report with our reference resolves an unknown outcome');
SELECT results_eq(format('SELECT status, external_message_id, lease_until FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('sent', 'wamid.1', NULL::timestamptz)$$, '... and brings the id');
SELECT is(t.report('wamid.1', NULL, 'delivered', 'meta'), 1, '... by which the next report finds the message');

-- both ways, mixed: one report by id only, kept; one by reference, without an id; then the answer
SELECT t.in_flight() AS message \gset
SELECT is(t.report('m1', NULL, 'delivered'), 0, 'delivered, by an id nobody knows');
SELECT is(t.report(NULL, :'message', 'sent'), 1, 'sent, by our reference alone');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "m1"}'), 'delivered', 'the answer that brings the id brings both together');
-- ... or the second report brings the id and the answer never comes
SELECT t.in_flight() AS message \gset
SELECT is(t.report('m2', NULL, 'delivered') + t.report('m2', :'message', 'sent'), 1, 'delivered by id, then sent by id and reference: one message moved');
SELECT is(t.status(:'message'), 'delivered', '... to the best of both');

-- failed and dead are raised, too
SELECT t.in_flight() AS failed, t.in_flight() AS dead \gset
SELECT t.finish(:'failed', 1, 'retry') AS leave, t.finish(:'dead', 1, 'permanent') AS leave2 \gset
SELECT is(t.report('f1', :'failed', 'delivered') + t.report('f2', :'dead', 'sent'), 2, 'good news about a message that failed, or is dead');
SELECT results_eq(format('SELECT status, next_attempt_at, dead_reason FROM unnest(ARRAY[%L, %L]::uuid[]) AS i, t.message(i)', :'failed', :'dead'),
    $$VALUES ('delivered', NULL::timestamptz, NULL::text), ('sent', NULL, NULL)$$, '... is believed: nothing is sent again');

-- Whose report --------------------------------------------------------------------------------------------------------------------------

SELECT pg_temp.sent('same'), pg_temp.sent('same', '{"provider": "kannel"}') \g /dev/null
SELECT is(t.report('same', NULL, 'delivered', 'kannel'), 1, 'ids are a gateway''s own');
SELECT results_eq($$SELECT provider, status FROM message_delivery_log WHERE external_message_id = 'same' ORDER BY 1$$,
    $$VALUES ('kannel', 'delivered'), ('mtn', 'sent')$$, '... its report moves its message');
SELECT pg_temp.sent('taken') AS taken, t.in_flight() AS message \gset
SELECT lives_ok(format('SELECT t.report(''taken'', %L, ''delivered'')', :'message'), 'a report that gives our reference another message''s id is taken');
SELECT results_eq(format('SELECT status FROM unnest(ARRAY[%L, %L]::uuid[]) AS i, t.message(i)', :'taken', :'message'), $$VALUES ('delivered'), ('sending')$$, '... the id decides');
SELECT is(t.report('of nobody', :'message', 'sent'), 1, 'an id that is nobody''s: the reference decides');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "another"}'), 'sent', '... also when the answer gives another id');
SELECT is(t.report('of nobody', :'message', 'delivered'), 1, '... as after a resend, whose first id nobody has seen');
SELECT t.in_flight('{"channel": "whatsapp", "provider": "meta"}') AS message \gset
SELECT is(t.report(NULL, :'message', 'undelivered', 'mtn'), 0, 'another gateway''s report under our reference moves nothing');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "wamid.x"}'), 'sent', '... not later either');

-- What follows ----------------------------------------------------------------------------------------------------------------------------

SELECT pg_temp.sent('wa1', '{"channel": "whatsapp", "provider": "meta"}') AS wa, pg_temp.sent('wa2', '{"channel": "whatsapp", "provider": "meta"}') AS wa2 \gset
SELECT t.report('wa1', NULL, 'delivered', 'meta') AS leave, t.report('wa2', NULL, 'undelivered', 'meta') AS leave2 \gset
SELECT results_eq(format('SELECT p.has_whatsapp, p.has_whatsapp_at IS NOT NULL FROM unnest(ARRAY[%L, %L]::uuid[]) AS i, t.message(i) AS m JOIN profiles p ON p.user_id = m.profile_id', :'wa', :'wa2'),
    'VALUES (true, true), (NULL, false)', 'a WhatsApp message that arrived is evidence of WhatsApp, one that did not is none');
SELECT t.in_flight('{"message_type": "summary"}') AS overtaken, t.in_flight('{"message_type": "summary"}') AS lost \gset
SELECT t.report('s1', :'overtaken', 'delivered') AS leave, t.finish(:'overtaken', 1, 'accepted', '{"external_id": "s1"}') AS leave2 \gset
SELECT t.finish(:'lost', 1, 'ambiguous') AS leave, t.report(NULL, :'lost', 'sent') AS leave2 \gset
SELECT results_eq(format('SELECT s.summary_sent_sms FROM unnest(ARRAY[%L, %L]::uuid[]) AS i, t.message(i) AS m JOIN omnichannel_sessions s ON s.id = m.session_id', :'overtaken', :'lost'),
    'VALUES (true), (true)', 'a summary whose report overtook its answer, or replaced it, was sent, too');

SELECT * FROM finish();
