-- The circuit breaker: when it opens, who tries whether the provider is back, how it closes, and that none of it costs a message
-- an attempt.
SET t.breaker = 'on';
SELECT plan(75);

CREATE FUNCTION pg_temp.circuit() RETURNS provider_circuit LANGUAGE sql AS $$ SELECT * FROM provider_circuit WHERE provider = 'p' $$;
CREATE FUNCTION pg_temp.enqueue(n int) RETURNS bigint LANGUAGE sql AS $$ SELECT count(t.enqueue(t.session(), '{"provider": "p"}')) FROM generate_series(1, n) $$;
-- Claims as many as it can get and ends them all this way; says how many.
CREATE FUNCTION pg_temp.attempt(want int, outcome text, facts jsonb DEFAULT '{}') RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    results jsonb := (SELECT jsonb_agg(jsonb_build_object('id', id, 'fence', lease_token, 'outcome', outcome) || facts) FROM claim_outbound('p', 'w', want, 90));
BEGIN
    RETURN (SELECT count(*) FROM finish_outbound(coalesce(results, '[]'), 90, 1));
END $$;
CREATE FUNCTION pg_temp.later() RETURNS void LANGUAGE sql AS $$
    UPDATE provider_circuit SET not_before = NULL, open_until = CASE WHEN state = 'open' THEN clock_timestamp() END WHERE provider = 'p';
    UPDATE message_delivery_log SET next_attempt_at = clock_timestamp() WHERE provider = 'p' AND status IN ('pending', 'failed');
$$;

-- Closed ---------------------------------------------------------------------------------------------------------------

SELECT pg_temp.enqueue(200) AS leave \gset
SELECT is(pg_temp.attempt(10, 'accepted'), 5::bigint, 'a provider nobody knows is tried, gently');
SELECT is(pg_temp.attempt(10, 'accepted'), 10::bigint, '... it answers, and gets more');
SELECT results_eq('SELECT state, max_inflight FROM pg_temp.circuit()', $$VALUES ('closed', 64)$$, '... and has its row: closed');
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 50, 90)), 50::bigint, 'many may be in flight');
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 50, 90)), 14::bigint, '... as many as there is room for');
SELECT is_empty($$SELECT id FROM claim_outbound('p', 'w', 50, 90)$$, '... and no more');
UPDATE message_delivery_log SET lease_until = clock_timestamp() - interval '1 s' WHERE provider = 'p' AND status = 'sending';
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 1, 90)), 1::bigint, 'what a dead worker left takes no room');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', lease_until = NULL WHERE provider = 'p' AND status = 'sending';

-- Opens on failures that are half of a minute's attempts ----------------------------------------------------------------------

SELECT is(pg_temp.attempt(1, 'notsent') + pg_temp.attempt(1, 'notsent') + pg_temp.attempt(1, 'ambiguous') + pg_temp.attempt(1, 'notsent'), 4::bigint, 'four fail');
SELECT is((pg_temp.circuit()).state, 'closed', '... it is still closed');
SELECT ok((pg_temp.circuit()).max_inflight < 64, '... but careful');
UPDATE delivery_attempts SET finished_at = finished_at - interval '2 minutes' WHERE outcome = 'accepted';
SELECT pg_temp.attempt(1, 'notsent', '{"error_code": "7"}') AS leave \gset
SELECT results_eq($$SELECT state, reason, opens, open_until - clock_timestamp() BETWEEN interval '20 s' AND interval '40 s' FROM pg_temp.circuit()$$, $$VALUES ('open', '7', 1, true)$$, 'the fifth opens it, for half a minute');
SELECT pg_temp.enqueue(5) AS leave \gset
SELECT is_empty($$SELECT id FROM claim_outbound('p', 'w', 50, 90)$$, 'open: nothing is claimed');
SELECT is((SELECT max(retry_count) FROM message_delivery_log WHERE provider = 'p' AND status = 'pending'), 0, '... and no attempt is counted');
SELECT is((SELECT count(*) > 0 FROM claim_outbound('mtn', 'w', 1, 90, ARRAY[t.enqueue(t.session())])), true, 'another provider is another matter');

-- Probes -------------------------------------------------------------------------------------------------------------------------

SELECT pg_temp.later() AS leave \gset
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w1', 50, 90)), 1::bigint, 'its time is over: one message tries');
SELECT is_empty($$SELECT id FROM claim_outbound('p', 'w2', 50, 90)$$, '... and no second one');
UPDATE provider_circuit SET probe_lease_until = clock_timestamp() - interval '1 s' WHERE provider = 'p';
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w2', 50, 90)), 1::bigint, 'a probe whose worker died is replaced');
SELECT id AS probe FROM message_delivery_log WHERE provider = 'p' AND lease_owner = 'w2' AND status = 'sending' \gset
SELECT t.finish(:'probe', (t.message(:'probe')).lease_token, 'notsent') AS leave \gset
SELECT results_eq($$SELECT state, opens, open_until - clock_timestamp() BETWEEN interval '40 s' AND interval '80 s' FROM pg_temp.circuit()$$, $$VALUES ('open', 2, true)$$, 'a probe that fails: twice as long');
SELECT pg_temp.later() AS leave \gset
SELECT is(pg_temp.attempt(50, 'accepted'), 1::bigint, 'a probe that succeeds');
SELECT is((pg_temp.circuit()).state, 'open', '... is not enough');
SELECT is(pg_temp.attempt(50, 'accepted'), 1::bigint, 'the next one, at once');
SELECT results_eq('SELECT state, max_inflight, opens FROM pg_temp.circuit()', $$VALUES ('closed', 1, 0)$$, '... closes it, and it starts gently');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', lease_until = NULL WHERE provider = 'p' AND status = 'sending';
SELECT is(pg_temp.attempt(50, 'accepted'), 1::bigint, 'one in flight');
SELECT is(pg_temp.attempt(50, 'accepted'), 2::bigint, '... then two');
SELECT is(pg_temp.attempt(50, 'permanent'), 4::bigint, '... one more for each answer, also for a refusal of the message');

-- Many that were on their way when it opened
UPDATE provider_circuit SET state = 'closed', open_until = NULL, max_inflight = 64, failures = 0, good_at = clock_timestamp() WHERE provider = 'p';
UPDATE delivery_attempts SET finished_at = finished_at - interval '2 minutes';
SELECT pg_temp.enqueue(60) AS leave \gset
SELECT array_agg(id) AS early FROM claim_outbound('p', 'early', 20, 90) \gset
SELECT array_agg(id) AS late FROM claim_outbound('p', 'late', 20, 90) \gset
SELECT is(cardinality(:'late'::uuid[]), 20, 'forty in flight');
SELECT count(*) AS leave FROM finish_outbound((SELECT jsonb_agg(jsonb_build_object('id', id, 'fence', lease_token, 'outcome', 'notsent')) FROM message_delivery_log WHERE id = ANY (:'early')), 90, 1) \gset
SELECT results_eq($$SELECT state, opens, open_until < clock_timestamp() + interval '45 s' FROM pg_temp.circuit()$$, $$VALUES ('open', 1, true)$$, 'twenty fail together: it opens once, for half a minute');
SELECT count(*) AS leave FROM finish_outbound((SELECT jsonb_agg(jsonb_build_object('id', id, 'fence', lease_token, 'outcome', 'notsent')) FROM message_delivery_log WHERE id = ANY (:'late')), 90, 1) \gset
SELECT results_eq($$SELECT state, opens, open_until < clock_timestamp() + interval '45 s' FROM pg_temp.circuit()$$, $$VALUES ('open', 1, true)$$, '... what comes in later from before changes nothing');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE id = ANY (:'early'::uuid[] || :'late'::uuid[]) AND status = 'failed'), 40::bigint, '... all of them wait');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', next_attempt_at = NULL WHERE id = ANY (:'early'::uuid[] || :'late'::uuid[]);

-- What never left says nothing
SELECT pg_temp.enqueue(5) AS leave \gset
UPDATE provider_circuit SET open_until = clock_timestamp(), probe_ok = 1, probe_lease_until = NULL WHERE provider = 'p';
SELECT is(pg_temp.attempt(50, 'permanent', '{"error_code": "number_not_served"}'), 1::bigint, 'a probe that cannot be sent at all');
SELECT results_eq('SELECT state, probe_ok, probe_lease_until FROM pg_temp.circuit()', $$VALUES ('open', 1, NULL::timestamptz)$$, '... closes nothing, and the next may try');
SELECT is(pg_temp.attempt(50, 'notsent'), 1::bigint, '... which fails');
SELECT id AS early FROM claim_outbound('mtn', 'w', 1, 90, ARRAY[t.enqueue(t.session())]) \gset
SELECT is((pg_temp.circuit()).state, 'open', 'and a good answer from before');
SELECT provider_result('p', 'ok', NULL, 1, 1) AS leave, provider_result('p', 'ok', NULL, 1, 1) AS leave2 \gset
SELECT is((pg_temp.circuit()).state, 'open', '... does not close it: no probe is out');

-- Nothing to send
UPDATE provider_circuit SET state = 'open', open_until = clock_timestamp(), probe_lease_until = NULL WHERE provider = 'p';
SELECT is_empty(format('SELECT id FROM claim_outbound(''p'', ''w'', 1, 90, ARRAY[%L]::uuid[])', uuid_v7()), 'a probe that finds nothing');
SELECT is((pg_temp.circuit()).probe_lease_until, NULL, '... leaves the try to the next');

-- Refused credentials, a pause, one person's limit ------------------------------------------------------------------------------------

UPDATE provider_circuit SET state = 'closed', open_until = NULL, max_inflight = 64 WHERE provider = 'p';
SELECT is(pg_temp.attempt(1, 'hold', '{"error_code": "190"}'), 1::bigint, 'refused credentials');
SELECT results_eq($$SELECT state, reason, open_until - clock_timestamp() BETWEEN interval '9 min' AND interval '11 min' FROM pg_temp.circuit()$$, $$VALUES ('open', '190', true)$$, '... open it at once, for long');
UPDATE provider_circuit SET state = 'closed', open_until = NULL, max_inflight = 64 WHERE provider = 'p';
SELECT is(pg_temp.attempt(1, 'retry', '{"http_status": 429, "retry_after_s": 30}'), 1::bigint, 'too many requests');
SELECT results_eq($$SELECT state, max_inflight, not_before - clock_timestamp() BETWEEN interval '20 s' AND interval '30 s' FROM pg_temp.circuit()$$, $$VALUES ('closed', 64, true)$$, '... is a pause, not a failure');
SELECT is_empty($$SELECT id FROM claim_outbound('p', 'w', 1, 90)$$, '... which is kept');
SELECT pg_temp.later() AS leave \gset
SELECT is(pg_temp.attempt(1, 'retry', '{"error_code": "131056", "retry_after_s": 30}'), 1::bigint, 'too many to one person');
SELECT is((pg_temp.circuit()).not_before, NULL, '... is no pause for the others');
SELECT is(pg_temp.attempt(1, 'retry', '{"http_status": 503}'), 1::bigint, 'not available');
SELECT results_eq('SELECT state, max_inflight FROM pg_temp.circuit()', $$VALUES ('closed', 32)$$, '... is a failure');

-- What an answer says -------------------------------------------------------------------------------------------------------------------

SELECT is(attempt_says(outcome, status, code), says, format('%s, HTTP %s, %s: %s', outcome, status, code, says))
  FROM (VALUES ('retry', 500, '131016', 'fail'), ('retry', 503, '131000', 'fail'), ('retry', 500, '1', 'fail'), ('retry', 500, '2', 'fail'),
               ('retry', 429, '131016', 'pause'), ('retry', 400, '80007', 'pause'), ('retry', 400, '133016', 'pause'),
               ('retry', 400, '131056', 'ok'), ('retry', 400, '131048', 'hard'), ('retry', 503, 'http_503', 'fail'),
               ('notsent', 0, 'not_sent', 'fail'), ('notsent', 0, 'slow_claim', 'none')) AS a (outcome, status, code, says);
UPDATE provider_circuit SET state = 'closed', open_until = NULL, max_inflight = 64, changed_at = clock_timestamp(), not_before = NULL WHERE provider = 'p';
SELECT pg_temp.enqueue(10) AS leave, pg_temp.later() AS leave2 \gset
SELECT pg_temp.attempt(1, 'retry', '{"error_code": "131016", "http_status": 500}') AS leave FROM generate_series(1, 5) \g /dev/null
SELECT results_eq('SELECT state, reason FROM pg_temp.circuit()', $$VALUES ('open', '131016')$$, 'five errors of its servers open it, in JSON too');
UPDATE provider_circuit SET state = 'closed', open_until = NULL, max_inflight = 64, changed_at = clock_timestamp(), not_before = NULL WHERE provider = 'p';
SELECT pg_temp.enqueue(10) AS leave, pg_temp.later() AS leave2 \gset
SELECT is(pg_temp.attempt(10, 'notsent', '{"error_code": "slow_claim"}'), 10::bigint, 'ten that a machine which slept did not begin to send');
SELECT results_eq('SELECT state, max_inflight FROM pg_temp.circuit()', $$VALUES ('closed', 64)$$, '... say nothing of it: it was not asked');

-- A provider that is gone costs five attempts, however many are due ----------------------------------------------------------------------

CREATE FUNCTION pg_temp.attempts_until_open() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := 0;
BEGIN
    FOR i IN 1..20 LOOP
        n := n + pg_temp.attempt(20, 'notsent', '{"error_code": "not_sent"}');
        EXIT WHEN (pg_temp.circuit()).state = 'open';
    END LOOP;
    RETURN n;
END $$;
CREATE FUNCTION pg_temp.anew(facts text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message_delivery_log SET status = 'suppressed', next_attempt_at = NULL WHERE provider = 'p' AND status IN ('pending', 'failed');
    UPDATE provider_circuit SET state = 'closed', open_until = NULL, not_before = NULL, max_inflight = 64, failures = 0, failed_at = NULL,
           good_at = NULL, changed_at = clock_timestamp(), opens = 0 WHERE provider = 'p';
    PERFORM pg_temp.enqueue(20);
    EXECUTE 'UPDATE provider_circuit SET ' || facts || ' WHERE provider = ''p''';
END $$;

SELECT pg_temp.anew('good_at = NULL') AS leave \gset
SELECT is(pg_temp.attempts_until_open(), 5::bigint, 'never heard of: five attempts');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE provider = 'p' AND status IN ('pending', 'failed') AND retry_count = 0 AND failed_at IS NULL), 20::bigint, '... none of the twenty has lost one');
SELECT is((pg_temp.circuit()).failures, 0, '... the count begins anew');
SELECT pg_temp.anew('good_at = clock_timestamp() - interval ''2 minutes''') AS leave \gset
SELECT is(pg_temp.attempts_until_open(), 5::bigint, 'silent for two minutes: five');
SELECT pg_temp.anew('good_at = clock_timestamp(), failures = 3, failed_at = clock_timestamp()') AS leave \gset
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90)), 2::bigint, 'after three failures two more');
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90)), 0::bigint, '... and none while they are on the wire');
UPDATE message_delivery_log SET lease_until = lease_until - interval '11 s' WHERE provider = 'p' AND status = 'sending';
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90)), 2::bigint, '... but for ten seconds: their worker may be dead');
SELECT is(provider_result('p', 'ok', NULL, 1, 1), 'closed', 'a good answer');
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90)), 16::bigint, '... and all go');
SELECT pg_temp.anew('failures = 4, failed_at = clock_timestamp() - interval ''2 minutes'', good_at = clock_timestamp()') AS leave \gset
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90)), 20::bigint, 'failures of long ago are forgotten');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', lease_until = NULL WHERE provider = 'p' AND status = 'sending';
SELECT pg_temp.anew('good_at = NULL') AS leave \gset
SELECT is((SELECT count(*) FROM claim_outbound('p', 'w', 20, 90, ARRAY(SELECT id FROM message_delivery_log WHERE provider = 'p' AND status = 'pending'))), 20::bigint, 'those that somebody waits for are not held up by silence');
UPDATE message_delivery_log SET status = 'dead', dead_reason = 'permanent', lease_until = NULL WHERE provider = 'p' AND status = 'sending';

-- By hand -----------------------------------------------------------------------------------------------------------------------------

UPDATE provider_circuit SET state = 'forced_open', open_until = NULL WHERE provider = 'p';
SELECT is_empty($$SELECT id FROM claim_outbound('p', 'w', 1, 90)$$, 'an operator may open it');
SELECT is(provider_result('p', 'ok', NULL, 1, 1), 'forced_open', '... and no answer closes it');
SELECT is(provider_result('p', 'hard', 'x', 1, 1), 'forced_open', '... nor opens it for a time');
SELECT throws_ok($$UPDATE provider_circuit SET state = 'ajar' WHERE provider = 'p'$$, '23514', NULL, 'there is no state between');

SELECT * FROM finish();
