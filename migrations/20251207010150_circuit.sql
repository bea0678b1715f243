-- The circuit breaker: one row per provider, seen by every process, cron's too. It is asked inside the claim, so that a provider
-- that is paused costs no attempt, and told inside the finish.

CREATE TABLE provider_circuit (
    provider          text PRIMARY KEY,
    state             text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'forced_open')),
    open_until        timestamptz,
    opens             int NOT NULL DEFAULT 0, -- in a row, without closing between
    reason            text,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    probe_lease_until timestamptz,            -- somebody tries whether it is back
    probe_ok          int NOT NULL DEFAULT 0,
    not_before        timestamptz,            -- the provider asked for a pause; no failure
    max_inflight      int NOT NULL DEFAULT 64,
    full_inflight     int NOT NULL DEFAULT 64,
    CHECK ((state = 'open') = (open_until IS NOT NULL))
);

-- How many rows may be claimed now: 0 nothing, 1 the single probe, else what there is room for.
CREATE FUNCTION provider_gate(p_provider text, p_want int) RETURNS int
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c provider_circuit;
BEGIN
    SELECT * INTO c FROM provider_circuit WHERE provider = p_provider;
    IF NOT FOUND THEN
        INSERT INTO provider_circuit (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
        RETURN p_want;
    END IF;
    IF c.state = 'forced_open' OR c.not_before > clock_timestamp() THEN
        RETURN 0;
    END IF;
    IF c.state = 'closed' THEN
        RETURN greatest(0, least(p_want, c.max_inflight - (SELECT count(*)::int FROM message_delivery_log m
             WHERE m.status = 'sending' AND m.provider = p_provider AND m.lease_until > (SELECT clock_timestamp()))));
    END IF;
    -- Open, and its time is over: one conditional update, so exactly one prober; a prober that died is replaced.
    UPDATE provider_circuit SET probe_lease_until = clock_timestamp() + interval '45 seconds'
     WHERE provider = p_provider AND state = 'open' AND open_until <= clock_timestamp()
       AND (probe_lease_until IS NULL OR probe_lease_until < clock_timestamp());
    RETURN CASE WHEN FOUND THEN 1 ELSE 0 END;
END $$;

-- A probe that found nothing to send gives its lease back.
CREATE FUNCTION provider_unprobe(p_provider text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE provider_circuit SET probe_lease_until = NULL WHERE provider = p_provider AND state = 'open'
$$;

-- What an attempt says about its provider, not about its message:
--   ok    it answered, whatever it said of the message      fail  it could not be reached, or nobody knows
--   hard  our credentials are refused                       pause it asked for p_pause_s seconds of peace
-- Opens on five failures that are half of the last minute's attempts of all processes, at once on refused credentials; 30 s, doubling to
-- ten minutes, jittered. Two good probes close it, and it starts again with one in flight. p_scale shortens all times, for tests.
CREATE FUNCTION provider_result(p_provider text, p_what text, p_reason text, p_pause_s int, p_scale float8) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c    provider_circuit;
    bad  int;
    seen int;
BEGIN
    SELECT * INTO c FROM provider_circuit WHERE provider = p_provider;
    IF NOT FOUND OR (p_what = 'ok' AND c.state = 'closed' AND c.max_inflight >= c.full_inflight) THEN
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
                   max_inflight = 1, reason = NULL, changed_at = clock_timestamp()
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
        UPDATE provider_circuit SET max_inflight = least(full_inflight, max_inflight + 1) WHERE provider = p_provider;
    ELSIF c.state = 'closed' THEN
        SELECT count(*), count(*) FILTER (WHERE a.outcome IN ('notsent', 'ambiguous') OR a.http_status >= 500) INTO seen, bad
          FROM delivery_attempts a JOIN message_delivery_log m ON m.id = a.message_id
         WHERE m.provider = p_provider AND a.finished_at > greatest(clock_timestamp() - interval '60 seconds', c.changed_at);
        IF p_what = 'hard' OR (bad >= 5 AND bad * 2 >= seen) THEN
            UPDATE provider_circuit SET state = 'open', opens = 1, probe_ok = 0, probe_lease_until = NULL, reason = p_reason,
                   changed_at = clock_timestamp(), open_until = clock_timestamp()
                       + CASE WHEN p_what = 'hard' THEN 600 ELSE 30 * (0.75 + random() / 2) END * p_scale * interval '1 second'
             WHERE provider = p_provider;
            RETURN 'opened';
        END IF;
        UPDATE provider_circuit SET max_inflight = greatest(1, max_inflight / 2) WHERE provider = p_provider;
    END IF;
    RETURN c.state;
END $$;
