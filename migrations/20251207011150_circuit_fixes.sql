-- The circuit breaker, second part: what counts as a failure, and how few attempts a provider that is gone costs.

ALTER TABLE provider_circuit
    ADD COLUMN failures  int NOT NULL DEFAULT 0, -- since the last good answer
    ADD COLUMN failed_at timestamptz,            -- the last of them
    ADD COLUMN good_at   timestamptz;            -- a good answer; true to half a minute

-- What an answer says about its provider, as provider_result() takes it. A pause is what the provider asks for by HTTP 429 or by one of
-- Meta's codes for too much at once; anything else that is to be tried again is a failure of its servers, whatever its JSON says.
CREATE FUNCTION attempt_says(p_outcome text, p_http_status int, p_code text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN p_outcome IN ('accepted', 'permanent') THEN 'ok'
        WHEN p_outcome = 'hold' OR provider_blocks(p_code) THEN 'hard'
        WHEN p_outcome = 'retry' AND p_code = '131056' THEN 'ok' -- too many to this one person
        WHEN p_outcome = 'retry' AND (p_http_status = 429 OR p_code IN ('4', '80007', '130429', '133016')) THEN 'pause'
        ELSE 'fail'
    END
$$;

-- What an attempt says about its provider, not about its message:
--   ok    it answered, whatever it said of the message      fail  it could not be reached, or nobody knows
--   hard  our credentials are refused                       pause it asked for p_pause_s seconds of peace
-- Opens on five failures that are half of the last minute's attempts of all processes, at once on refused credentials; 30 s, doubling to
-- ten minutes, jittered. Two good probes close it, and it starts again with one in flight. p_scale shortens all times, for tests.
CREATE OR REPLACE FUNCTION provider_result(p_provider text, p_what text, p_reason text, p_pause_s int, p_scale float8) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c    provider_circuit;
    bad  int;
    seen int;
BEGIN
    SELECT * INTO c FROM provider_circuit WHERE provider = p_provider;
    IF NOT FOUND OR (p_what = 'ok' AND c.state = 'closed' AND c.max_inflight >= c.full_inflight AND c.failures = 0
                     AND c.good_at > clock_timestamp() - interval '30 seconds') THEN
        RETURN 'closed'; -- all is well: no lock
    END IF;
    SELECT * INTO c FROM provider_circuit WHERE provider = p_provider FOR NO KEY UPDATE;
    IF p_what = 'pause' THEN
        UPDATE provider_circuit SET probe_lease_until = NULL,
               not_before = greatest(not_before, clock_timestamp() + p_pause_s * interval '1 second')
         WHERE provider = p_provider;
    ELSIF c.state = 'open' AND p_what = 'ok' THEN
        IF c.probe_ok >= 1 THEN
            UPDATE provider_circuit SET state = 'closed', open_until = NULL, opens = 0, probe_ok = 0, probe_lease_until = NULL,
                   max_inflight = 1, reason = NULL, changed_at = clock_timestamp(), failures = 0, good_at = clock_timestamp()
             WHERE provider = p_provider;
            RETURN 'closed';
        END IF;
        UPDATE provider_circuit SET probe_ok = probe_ok + 1, probe_lease_until = NULL WHERE provider = p_provider;
    ELSIF c.state = 'open' THEN
        UPDATE provider_circuit SET probe_ok = 0, opens = opens + 1, probe_lease_until = NULL,
               open_until = clock_timestamp()
                   + least(600, 30 * 2 ^ least(opens, 6)) * (0.75 + random() / 2) * p_scale * interval '1 second'
         WHERE provider = p_provider;
    ELSIF c.state = 'closed' AND p_what = 'ok' THEN
        UPDATE provider_circuit SET max_inflight = least(full_inflight, max_inflight + 1), failures = 0, good_at = clock_timestamp()
         WHERE provider = p_provider;
    ELSIF c.state = 'closed' THEN
        SELECT count(*), count(*) FILTER (WHERE attempt_says(a.outcome, a.http_status, a.error_code) = 'fail') INTO seen, bad
          FROM delivery_attempts a JOIN message_delivery_log m ON m.id = a.message_id
         WHERE m.provider = p_provider AND a.finished_at > greatest(clock_timestamp() - interval '60 seconds', c.changed_at);
        IF p_what = 'hard' OR (bad >= 5 AND bad * 2 >= seen) THEN
            UPDATE provider_circuit SET state = 'open', opens = 1, probe_ok = 0, probe_lease_until = NULL, reason = p_reason,
                   failures = 0, changed_at = clock_timestamp(), open_until = clock_timestamp()
                       + CASE WHEN p_what = 'hard' THEN 600 ELSE 30 * (0.75 + random() / 2) END * p_scale * interval '1 second'
             WHERE provider = p_provider;
            RETURN 'opened';
        END IF;
        UPDATE provider_circuit SET max_inflight = greatest(1, max_inflight / 2), failed_at = clock_timestamp(),
               failures = 1 + CASE WHEN failed_at > clock_timestamp() - interval '1 minute' THEN failures ELSE 0 END
         WHERE provider = p_provider;
    END IF;
    RETURN c.state;
END $$;

-- How many rows may be claimed now: 0 nothing, 1 the single probe, else what there is room for. A probe is its prober's no longer than
-- the message it tries with. Where the last answers were failures, or (p_queue: nobody waits for these rows) there was no good one for a
-- minute, no more go out than the failures that open the circuit: a provider that is gone costs five attempts, however many are due.
DROP FUNCTION provider_gate(text, int);
CREATE FUNCTION provider_gate(p_provider text, p_want int, p_lease_s int DEFAULT 45, p_queue boolean DEFAULT true) RETURNS int
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c      provider_circuit;
    failed int;
    room   int;
BEGIN
    SELECT * INTO c FROM provider_circuit WHERE provider = p_provider;
    IF NOT FOUND THEN
        INSERT INTO provider_circuit (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
        RETURN CASE WHEN p_queue THEN least(p_want, 5) ELSE p_want END;
    END IF;
    IF c.state = 'forced_open' OR c.not_before > clock_timestamp() THEN
        RETURN 0;
    END IF;
    IF c.state = 'closed' THEN
        -- No send lasts longer than half its lease: what is older is a dead worker's.
        room := least(p_want, c.max_inflight - (SELECT count(*)::int FROM message_delivery_log m
             WHERE m.status = 'sending' AND m.provider = p_provider
               AND m.lease_until > (SELECT clock_timestamp() + p_lease_s * interval '1 second' / 2)));
        failed := CASE WHEN c.failed_at > clock_timestamp() - interval '1 minute' THEN c.failures ELSE 0 END;
        IF failed > 0 OR (p_queue AND (c.good_at > clock_timestamp() - interval '1 minute') IS NOT TRUE) THEN
            -- Those that began in the last ten seconds: what a dead worker left must not hold up the others for its whole lease.
            room := least(room, greatest(1, 5 - failed) - (SELECT count(*)::int FROM message_delivery_log m
                 WHERE m.status = 'sending' AND m.provider = p_provider
                   AND m.lease_until > (SELECT clock_timestamp() + greatest(p_lease_s - 10, 0) * interval '1 second')));
        END IF;
        RETURN greatest(0, room);
    END IF;
    -- Open, and its time is over: one conditional update, so exactly one prober; one that died is replaced when its lease is over.
    UPDATE provider_circuit SET probe_lease_until = clock_timestamp() + least(p_lease_s, 45) * interval '1 second'
     WHERE provider = p_provider AND state = 'open' AND open_until <= clock_timestamp()
       AND (probe_lease_until IS NULL OR probe_lease_until < clock_timestamp());
    RETURN CASE WHEN FOUND THEN 1 ELSE 0 END;
END $$;

-- Takes up to p_want due rows of one provider for p_lease_s seconds. The committed claim is the proof of intent: whoever
-- claims starts all of them at once, so a claimed row is a row in flight. Parts of one message go strictly in order;
-- between messages of one person and channel an earlier one blocks while it is pending, in flight, or in its first failures.
-- p_ids: only these rows (a first attempt somebody waits for); NULL for any.
CREATE OR REPLACE FUNCTION claim_outbound(p_provider text, p_worker text, p_want int, p_lease_s int, p_ids uuid[] DEFAULT NULL)
RETURNS SETOF message_delivery_log
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
DECLARE
    room int := provider_gate(p_provider, p_want, p_lease_s, p_ids IS NULL); -- the circuit breaker: a paused provider costs no attempt
BEGIN
    IF room <= 0 THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH due AS (
        SELECT m.id FROM message_delivery_log m
         WHERE m.provider = p_provider AND m.status IN ('pending', 'failed')
           AND m.next_attempt_at <= (SELECT clock_timestamp()) -- read once, so that the index ends the search
           AND m.expires_at > clock_timestamp()
           AND (p_ids IS NULL OR m.id = ANY (p_ids))
           AND NOT EXISTS (
                SELECT 1 FROM message_delivery_log e
                 WHERE e.profile_id = m.profile_id AND e.channel = m.channel AND e.seq < m.seq
                   AND e.status IN ('pending', 'failed', 'sending')
                   AND (e.group_id = m.group_id OR e.status <> 'failed' OR e.retry_count < 2))
         ORDER BY m.next_attempt_at, m.seq
         LIMIT room
           FOR UPDATE OF m SKIP LOCKED),
    taken AS (
        UPDATE message_delivery_log m SET
            status = 'sending',
            retry_count = CASE WHEN m.failed_at IS NULL THEN m.retry_count ELSE m.retry_count + 1 END,
            lease_token = m.lease_token + 1, lease_owner = p_worker,
            lease_until = clock_timestamp() + p_lease_s * interval '1 second', next_attempt_at = NULL
          FROM due WHERE m.id = due.id
        RETURNING m.*),
    evidence AS (
        INSERT INTO delivery_attempts (message_id, fence, worker) SELECT id, lease_token, p_worker FROM taken)
    SELECT * FROM taken ORDER BY seq;
    IF NOT FOUND THEN
        PERFORM provider_unprobe(p_provider);
    END IF;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('attempt_says', 'provider_result', 'provider_gate', 'claim_outbound')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
