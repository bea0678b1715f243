-- Delivery: claim under a lease, finish behind a fence, retry, hold, sweep, expire.
SELECT plan(90);

-- Claim ------------------------------------------------------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT t.enqueue(:'session') AS first, t.enqueue(:'session') AS second, t.enqueue(:'session', '{"channel": "whatsapp", "provider": "meta"}') AS other \gset
SELECT results_eq($$SELECT id::text FROM claim_outbound('mtn', 'w1', 10, 90)$$, format('VALUES (%L)', :'first'), 'of one person and channel the first message is claimed');
SELECT results_eq(format('SELECT status, lease_owner, lease_token, retry_count, next_attempt_at, lease_until - clock_timestamp() BETWEEN interval ''80 s'' AND interval ''90 s''
                            FROM message_delivery_log WHERE id = %L', :'first'),
    $$VALUES ('sending', 'w1', 1::bigint, 0, NULL::timestamptz, true)$$, 'a claimed row is in flight, under a lease and a fence');
SELECT results_eq(format('SELECT fence, worker, finished_at, outcome FROM delivery_attempts WHERE message_id = %L', :'first'),
    $$VALUES (1::bigint, 'w1', NULL::timestamptz, NULL)$$, '... and the attempt is on record');
SELECT is_empty($$SELECT id FROM claim_outbound('mtn', 'w2', 10, 90)$$, 'the next one waits while the first is in flight');
SELECT results_eq($$SELECT id::text FROM claim_outbound('meta', 'w2', 10, 90)$$, format('VALUES (%L)', :'other'), 'the other channel does not wait');
SELECT is_empty($$SELECT id FROM claim_outbound('kannel', 'w2', 10, 90)$$, 'a provider''s worker takes that provider''s rows');
SELECT is(t.finish(:'first', 1, 'accepted', '{"external_id": "x1"}'), 'sent', 'the first is accepted');
SELECT results_eq($$SELECT id::text FROM claim_outbound('mtn', 'w1', 10, 90)$$, format('VALUES (%L)', :'second'), '... and the next one goes');

SELECT t.enqueue(t.session()) AS a, t.enqueue(t.session()) AS b, t.enqueue(t.session()) AS c \gset
SELECT is_empty(format('SELECT id FROM claim_outbound(''mtn'', ''w'', 10, 90, ARRAY[%L]::uuid[])', uuid_v7()), 'only these ids: none of them, none');
SELECT results_eq(format('SELECT id::text FROM claim_outbound(''mtn'', ''w'', 10, 90, ARRAY[%L]::uuid[])', :'b'), format('VALUES (%L)', :'b'), '... this one, and no other');
SELECT is((SELECT count(*) FROM claim_outbound('mtn', 'w', 1, 90)), 1::bigint, 'no more than was asked for');
UPDATE message_delivery_log SET next_attempt_at = clock_timestamp() + interval '1 minute' WHERE id = :'c';
SELECT is_empty($$SELECT id FROM claim_outbound('mtn', 'w', 10, 90)$$, 'what is not due is not claimed');
UPDATE message_delivery_log SET next_attempt_at = clock_timestamp(), expires_at = clock_timestamp() - interval '1 second' WHERE id = :'c';
SELECT is_empty($$SELECT id FROM claim_outbound('mtn', 'w', 10, 90)$$, 'what has expired is not claimed');
UPDATE message_delivery_log SET expires_at = clock_timestamp() + interval '1 hour' WHERE id = :'c';
SELECT is((SELECT count(*) FROM claim_outbound('mtn', 'w', 10, 90)), 1::bigint, 'what is due is');

-- Parts and order ----------------------------------------------------------------------------------------------------------

SELECT t.session() AS session, uuid_v7() AS message \gset
SELECT messages_enqueue(:'session', (SELECT jsonb_agg(t.outbound(jsonb_build_object('part', n, 'group_id', :'message', 'content', n))) FROM generate_series(1, 3) AS n)) AS leave \g /dev/null
SELECT t.enqueue(:'session', '{"content": "next"}') AS next \gset
CREATE FUNCTION pg_temp.claimable(session uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(content, ',' ORDER BY seq) FROM claim_outbound('mtn', 'w', 10, 90, (SELECT array_agg(id) FROM message_delivery_log WHERE session_id = session))
$$;
CREATE FUNCTION pg_temp.part(session uuid, n text) RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM message_delivery_log WHERE session_id = session AND content = n
$$;
SELECT is(pg_temp.claimable(:'session'), '1', 'the first part goes first');
SELECT t.finish(pg_temp.part(:'session', '1'), 1, 'accepted') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), '2', '... then the second');
SELECT t.finish(pg_temp.part(:'session', '2'), 1, 'retry') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), NULL, 'a part that failed is waited for');
SELECT t.claim(pg_temp.part(:'session', '2')) AS fence \gset
SELECT t.finish(pg_temp.part(:'session', '2'), :fence, 'retry') AS leave \gset
SELECT t.claim(pg_temp.part(:'session', '2')) AS fence \gset
SELECT t.finish(pg_temp.part(:'session', '2'), :fence, 'retry') AS leave \gset
SELECT is((t.message(pg_temp.part(:'session', '2'))).retry_count, 2, 'after its third attempt');
SELECT is(pg_temp.claimable(:'session'), NULL, '... its message''s next part still waits, and so does what follows that');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', next_attempt_at = NULL WHERE id = pg_temp.part(:'session', '2');
SELECT is(pg_temp.claimable(:'session'), '3', 'a part that died does not hold up the rest');
SELECT t.finish(pg_temp.part(:'session', '3'), 1, 'ambiguous') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), 'next', 'an unknown outcome does not hold up what follows: it probably went out');

SELECT t.session() AS session \gset
SELECT t.enqueue(:'session', '{"content": "a"}') AS a, t.enqueue(:'session', '{"content": "b"}') AS b \gset
SELECT t.claim(:'a') AS fence \gset
SELECT t.finish(:'a', :fence, 'retry') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), NULL, 'another message waits through the first failure');
SELECT t.claim(:'a') AS fence \gset
SELECT t.finish(:'a', :fence, 'retry') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), NULL, '... and the second');
SELECT t.claim(:'a') AS fence \gset
SELECT t.finish(:'a', :fence, 'retry') AS leave \gset
SELECT is(pg_temp.claimable(:'session'), 'b', '... and overtakes after the third');

-- Attempts --------------------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS message \gset
SELECT t.finish(:'message', 1, 'retry', '{"error_code": "429", "error_message": "slow down", "http_status": 429, "took_ms": 12}') AS status \gset
SELECT is(:'status'::text, 'failed', 'refused for now: failed');
SELECT results_eq(format('SELECT error_code, error_message, retry_count, lease_until, lease_owner, failed_at IS NOT NULL, next_attempt_at > clock_timestamp() FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('429', 'slow down', 0, NULL::timestamptz, NULL::text, true, true)$$, '... with what was said, no lease, a time for the next try');
SELECT results_eq(format('SELECT outcome, error_code, http_status, took_ms, finished_at IS NOT NULL FROM delivery_attempts WHERE message_id = %L', :'message'),
    $$VALUES ('retry', '429', 429, 12, true)$$, '... and the attempt is on record');
SELECT is(t.claim(:'message'), 2::bigint, 'the next attempt raises the fence');
SELECT is((t.message(:'message')).retry_count, 1, '... and is the first retry');

-- Eight attempts: after the first, seven more.
CREATE FUNCTION pg_temp.outcomes(message uuid, fence bigint, outcome text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    words text := '';
BEGIN
    WHILE fence IS NOT NULL AND length(words) < 20 LOOP
        words := words || left(t.finish(message, fence, outcome), 1);
        fence := t.claim(message);
    END LOOP;
    RETURN words;
END $$;
SELECT t.in_flight() AS message \gset
SELECT is(pg_temp.outcomes(:'message', 1, 'retry'), 'fffffffd', 'the eighth failure is the last');
SELECT results_eq(format('SELECT dead_reason, retry_count, next_attempt_at FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('attempts', 7, NULL::timestamptz)$$, '... dead, after seven retries');
SELECT t.in_flight() AS message \gset
SELECT is(t.finish(:'message', 1, 'permanent', '{"error_code": "131026"}'), 'dead', 'refused for good: dead at once');
SELECT results_eq(format('SELECT dead_reason, error_code FROM message_delivery_log WHERE id = %L', :'message'), $$VALUES ('permanent', '131026')$$, '... with its reason');

SELECT t.in_flight() AS message \gset
SELECT is(pg_temp.outcomes(:'message', 1, 'notsent'), repeat('f', 20), 'what was never on the wire is no attempt');

-- Hold: a closed breaker or a limit is no attempt.
SELECT t.in_flight() AS message \gset
SELECT is(t.finish(:'message', 1, 'hold', '{"retry_after_s": 600}'), 'failed', 'hold: back to failed');
SELECT ok((t.message(:'message')).next_attempt_at > clock_timestamp() + interval '599 s', '... until the time that was asked for');
SELECT is((SELECT outcome FROM delivery_attempts WHERE message_id = :'message'), 'notsent', '... on record as not sent');
SELECT t.claim(:'message') AS fence \gset
SELECT is((t.message(:'message')).retry_count, 0, 'after a hold the first attempt is still the first');
SELECT t.finish(:'message', :fence, 'retry') AS leave, t.claim(:'message') AS fence \gset
SELECT is((t.message(:'message')).retry_count, 1, '... the next one the first retry');
SELECT t.finish(:'message', :fence, 'hold') AS leave, t.claim(:'message') AS fence \gset
SELECT is((t.message(:'message')).retry_count, 1, '... which a hold leaves the first retry');
SELECT t.in_flight() AS message \gset
SELECT is((SELECT string_agg(t.finish(:'message', n, 'hold') || coalesce(t.claim(:'message')::text, '-'), ' ' ORDER BY n) FROM generate_series(1, 20) AS n),
    (SELECT string_agg('failed' || n + 1, ' ' ORDER BY n) FROM generate_series(1, 20) AS n), 'twenty holds kill nothing');
SELECT is(pg_temp.outcomes(:'message', 21, 'retry'), 'fffffffd', '... and the message has all its eight attempts left');

-- Backoff -----------------------------------------------------------------------------------------------------------------------

SELECT ok((SELECT bool_and(extract(epoch FROM d) BETWEEN 0.5 * base AND 1.5 * base) AND count(DISTINCT d) > 90
             FROM (SELECT delivery_backoff((n - 1)::int, 0, 1) AS d FROM generate_series(1, 100)) AS s), 'retry ' || n || ': ' || base || ' s, times 0.5 to 1.5')
  FROM unnest(ARRAY[5, 30, 120, 600, 1800, 3600, 7200]) WITH ORDINALITY AS b (base, n);
SELECT ok(delivery_backoff(50, 0, 1) BETWEEN interval '1 hour' AND interval '3 hours', 'beyond the last step it stays there');
SELECT ok(delivery_backoff(0, 900, 1) = interval '900 s', 'what the provider asks for is the floor');
SELECT ok(delivery_backoff(0, 1000000, 1) = interval '7200 s', '... up to two hours');
SELECT ok(delivery_backoff(3, 10, 1) >= interval '300 s', '... and no ceiling');
SELECT ok(delivery_backoff(3, 0, 0.001) BETWEEN interval '0.3 s' AND interval '0.9 s', 'the scale shortens it for tests');
SELECT ok(delivery_backoff(0, NULL, 1) BETWEEN interval '2.5 s' AND interval '7.5 s', 'no wish of the provider is no floor');

-- The fence ---------------------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS message \gset
SELECT t.lease_over(:'message') AS leave \gset
SELECT results_eq('SELECT to_unknown, resent, dead, expired FROM sweep_outbound(90)', 'VALUES (1, 0, 0, 0)', 'a lapsed lease: one row moves');
SELECT results_eq(format('SELECT status, error_code, lease_until > clock_timestamp() + interval ''89 s'', next_attempt_at FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('unknown', 'worker_lost', true, NULL::timestamptz)$$, '... to unknown, held, not to be sent');
SELECT results_eq('SELECT to_unknown, resent, dead, expired FROM sweep_outbound(90)', 'VALUES (0, 0, 0, 0)', 'while it is held nothing moves');
SELECT t.lease_over(:'message') AS leave \gset
SELECT results_eq('SELECT to_unknown, resent, dead, expired FROM sweep_outbound(90)', 'VALUES (0, 1, 0, 0)', 'held long enough: sent once more');
SELECT results_eq(format('SELECT status, possible_duplicate, ambiguous_resends FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('failed', true, 1)$$, '... and marked');
SELECT is(t.claim(:'message'), 2::bigint, 'the second try has the next fence');
SELECT is((t.message(:'message')).retry_count, 1, '... and is a retry');
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "late"}'), NULL, 'the first worker comes back: it has lost the lease');
SELECT results_eq(format('SELECT status, external_message_id, lease_token FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('sending', NULL, 2::bigint)$$, '... and changes nothing');
SELECT is((SELECT outcome FROM delivery_attempts WHERE message_id = :'message' AND fence = 1), 'accepted', '... but what it saw is on record');
SELECT is(t.finish(:'message', 2, 'ambiguous', '{"error_code": "timeout"}'), 'unknown', 'a time-out with the request out: unknown');
SELECT t.lease_over(:'message') AS leave \gset
SELECT results_eq('SELECT to_unknown, resent, dead, expired FROM sweep_outbound(90)', 'VALUES (0, 0, 1, 0)', 'unknown a second time: given up');
SELECT results_eq(format('SELECT status, dead_reason FROM message_delivery_log WHERE id = %L', :'message'), $$VALUES ('dead', 'ambiguous')$$, '... dead, and why');
SELECT is(t.finish(uuid_v7(), 1, 'accepted'), NULL, 'a result of no message changes nothing');
SELECT is(t.finish(:'message', 2, 'accepted', '{"external_id": "later"}'), 'sent', 'the answer after all, of the last attempt: it was sent');
SELECT results_eq(format('SELECT external_message_id, dead_reason FROM message_delivery_log WHERE id = %L', :'message'), $$VALUES ('later', NULL)$$, '... and is not dead');

SELECT t.in_flight() AS message \gset
SELECT t.lease_over(:'message') AS leave, sweep_outbound(90) AS leave2 \gset
SELECT is(t.finish(:'message', 1, 'accepted', '{"external_id": "ok1"}'), 'sent', 'an answer within the hold is as good as in time');
SELECT t.in_flight() AS message \gset
SELECT t.lease_over(:'message') AS leave, sweep_outbound(90) AS leave2 \gset
SELECT is(t.finish(:'message', 1, 'retry'), 'failed', '... a refusal, too');
SELECT ok(NOT (t.message(:'message')).possible_duplicate, '... which is then no double');

-- The policy "never twice", and a message too old or too often tried for another try
SELECT t.in_flight() AS message, t.in_flight() AS old, t.in_flight() AS tired \gset
SELECT t.finish(m, 1, 'ambiguous'), t.lease_over(m) FROM unnest(ARRAY[:'message', :'old', :'tired']::uuid[]) AS m \g /dev/null
UPDATE message_delivery_log SET expires_at = clock_timestamp() WHERE id = :'old';
UPDATE message_delivery_log SET retry_count = 7 WHERE id = :'tired';
UPDATE message_delivery_log SET lease_until = clock_timestamp() + interval '1 minute' WHERE id = :'message';
SELECT results_eq('SELECT resent, dead FROM sweep_outbound(90)', 'VALUES (0, 2)', 'past its use, or at its last attempt: not sent again');
SELECT t.lease_over(:'message') AS leave \gset
SELECT results_eq('SELECT resent, dead FROM sweep_outbound(90, 0)', 'VALUES (0, 1)', 'with no resends allowed: not sent again');

SELECT t.in_flight() AS message \gset
SELECT t.finish(:'message', 1, 'ambiguous'), t.lease_over(:'message') \g /dev/null
UPDATE profiles SET allows_sms = false WHERE user_id = (t.message(:'message')).profile_id;
SELECT results_eq('SELECT resent, dead FROM sweep_outbound(90)', 'VALUES (0, 1)', 'to a person who has said STOP since: not sent again');

-- The SMS twin of a WhatsApp message
CREATE FUNCTION pg_temp.twin(whatsapp_outcome text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    s uuid := t.session();
    g uuid := uuid_v7();
    wa uuid := t.enqueue(s, jsonb_build_object('channel', 'whatsapp', 'provider', 'meta', 'group_id', g));
    sms uuid := t.enqueue(s, jsonb_build_object('group_id', g));
BEGIN
    PERFORM t.claim(wa), t.claim(sms);
    PERFORM t.finish(wa, 1, whatsapp_outcome), t.finish(sms, 1, 'ambiguous');
    PERFORM t.lease_over(sms);
    PERFORM sweep_outbound(90);
    RETURN t.status(sms);
END $$;
SELECT is(pg_temp.twin('accepted'), 'dead', 'an SMS whose WhatsApp twin was accepted is not sent again');
SELECT is(pg_temp.twin('permanent'), 'failed', '... one whose twin was refused is');
SELECT is(pg_temp.twin('ambiguous'), 'failed', '... one whose twin is unknown is');

-- Expiry ------------------------------------------------------------------------------------------------------------------------

SELECT t.enqueue(t.session()) AS pending, t.in_flight() AS failed, t.in_flight() AS flying \gset
SELECT t.finish(:'failed', 1, 'retry') AS leave \gset
UPDATE message_delivery_log SET expires_at = clock_timestamp() WHERE id IN (:'pending', :'failed', :'flying');
SELECT is((SELECT expired FROM sweep_outbound(90)), 2, 'what is past its use and not on its way expires');
SELECT results_eq(format('SELECT status, dead_reason, next_attempt_at FROM message_delivery_log WHERE id IN (%L, %L)', :'pending', :'failed'),
    $$VALUES ('dead', 'expired', NULL::timestamptz), ('dead', 'expired', NULL)$$, '... dead, and why');
SELECT is(t.status(:'flying'), 'sending', '... what is on its way is waited for');

-- Batches, and gateways that misbehave ----------------------------------------------------------------------------------------------

SELECT t.in_flight() AS a, t.in_flight() AS b, t.in_flight() AS c \gset
SELECT set_eq(format($$SELECT id, status FROM finish_outbound('[{"id": "%s", "fence": 1, "outcome": "accepted", "external_id": "same"},
        {"id": "%s", "fence": 1, "outcome": "accepted", "external_id": "same"}, {"id": "%s", "fence": 9, "outcome": "accepted"}]', 90, 1)$$, :'a', :'b', :'c'),
    format($$VALUES (%L::uuid, 'sent'), (%L, 'sent'), (%L, NULL)$$, :'a', :'b', :'c'),
    'each result of a batch stands for itself, also when a gateway gives one id twice');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE external_message_id = 'same'), 1::bigint, '... the id stays with the first');
SELECT t.in_flight() AS d, t.in_flight() AS e \gset
SELECT t.finish(:'d', 1, 'accepted', '{"external_id": ""}') AS leave \gset
SELECT is(t.finish(:'e', 1, 'accepted', '{"external_id": ""}'), 'sent', 'an empty id is no id');
SELECT is((t.message(:'e')).external_message_id, NULL, '... and is not kept');

-- Summaries are noted on their conversation ---------------------------------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT t.enqueue(:'session', '{"message_type": "summary"}') AS sms, t.enqueue(:'session', '{"message_type": "summary", "channel": "whatsapp", "provider": "meta"}') AS wa \gset
SELECT t.claim(:'sms') AS leave, t.claim(:'wa') AS leave2 \gset
SELECT t.finish(:'sms', 1, 'accepted') AS leave, t.finish(:'wa', 1, 'permanent') AS leave2 \gset
SELECT results_eq(format('SELECT summary_sent_sms, summary_sent_whatsapp FROM omnichannel_sessions WHERE id = %L', :'session'), 'VALUES (true, false)',
    'the conversation knows on which channel the summary went out');

-- What is claimed is found without reading what is not due -------------------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT count(t.enqueue(:'session', '{"provider": "kannel"}')) AS leave FROM generate_series(1, 3000) \gset
UPDATE message_delivery_log SET next_attempt_at = clock_timestamp() + interval '1 hour' WHERE provider = 'kannel';
BEGIN;
SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) AS before FROM pg_stat_xact_user_tables WHERE relname = 'message_delivery_log' \gset
SELECT is_empty($$SELECT id FROM claim_outbound('kannel', 'w', 50, 90)$$, '3,000 rows wait for their next try, none is due');
SELECT cmp_ok((SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'message_delivery_log') - :before, '<', 100::numeric,
    '... and a claim does not read them');
COMMIT;

SELECT * FROM finish();
