-- Delivery, third part: a batch of failures is one failure of its provider; a row nobody sends holds up nobody; news that comes too late
-- sends nothing; what is logged from outside goes by the same rules.

-- 1. The circuit breaker ---------------------------------------------------------------------------------------------------

-- As before, and besides: what we did not try to send says nothing of its provider: none. A connection that it refused does.
CREATE OR REPLACE FUNCTION attempt_says(p_outcome text, p_http_status int, p_code text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN p_outcome = 'permanent' AND p_code IN ('number_not_served', 'unsendable') THEN 'none'
        WHEN p_outcome = 'notsent' AND p_code = 'slow_claim' THEN 'none' -- our own machine slept
        WHEN p_outcome IN ('accepted', 'permanent') THEN 'ok'
        WHEN p_outcome = 'hold' OR provider_blocks(p_code) THEN 'hard'
        WHEN p_outcome = 'retry' AND p_code = '131056' THEN 'ok' -- too many to this one person
        WHEN p_outcome = 'retry' AND (p_http_status = 429 OR p_code IN ('4', '80007', '130429', '133016')) THEN 'pause'
        ELSE 'fail'
    END
$$;

-- As before, and besides: p_times answers that came together say it at once; and while it is open only the answer to a probe counts, not
-- what was on its way when it opened.
-- What an attempt says about its provider, not about its message:
--   ok    it answered, whatever it said of the message      fail  it could not be reached, or nobody knows
--   hard  our credentials are refused                       pause it asked for p_pause_s seconds of peace
--   none  it was not asked: another message may be the probe
-- Opens on five failures that are half of the last minute's attempts of all processes, at once on refused credentials; 30 s, doubling to
-- ten minutes, jittered. Two good probes close it, and it starts again with one in flight. p_scale shortens all times, for tests.
DROP FUNCTION provider_result(text, text, text, int, float8);
CREATE FUNCTION provider_result(p_provider text, p_what text, p_reason text, p_pause_s int, p_scale float8, p_times int DEFAULT 1) RETURNS text
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
    IF p_what = 'none' THEN
        PERFORM provider_unprobe(p_provider);
    ELSIF p_what = 'pause' THEN
        UPDATE provider_circuit SET probe_lease_until = NULL,
               not_before = greatest(not_before, clock_timestamp() + p_pause_s * interval '1 second')
         WHERE provider = p_provider;
    ELSIF c.state = 'open' AND c.probe_lease_until IS NULL THEN
        RETURN c.state;
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
        UPDATE provider_circuit SET max_inflight = least(full_inflight, max_inflight + p_times), failures = 0, good_at = clock_timestamp()
         WHERE provider = p_provider;
    ELSIF c.state = 'closed' THEN
        SELECT count(*), count(*) FILTER (WHERE t.says = 'fail') INTO seen, bad
          FROM delivery_attempts a JOIN message_delivery_log m ON m.id = a.message_id
         CROSS JOIN LATERAL (SELECT attempt_says(a.outcome, a.http_status, a.error_code) AS says) AS t
         WHERE m.provider = p_provider AND a.finished_at > greatest(clock_timestamp() - interval '60 seconds', c.changed_at)
           AND t.says <> 'none';
        IF p_what = 'hard' OR (bad >= 5 AND bad * 2 >= seen) THEN
            UPDATE provider_circuit SET state = 'open', opens = 1, probe_ok = 0, probe_lease_until = NULL, reason = p_reason,
                   failures = 0, changed_at = clock_timestamp(), open_until = clock_timestamp()
                       + CASE WHEN p_what = 'hard' THEN 600 ELSE 30 * (0.75 + random() / 2) END * p_scale * interval '1 second'
             WHERE provider = p_provider;
            RETURN 'opened';
        END IF;
        UPDATE provider_circuit SET max_inflight = greatest(1, max_inflight >> least(p_times, 30)), failed_at = clock_timestamp(),
               failures = p_times + CASE WHEN failed_at > clock_timestamp() - interval '1 minute' THEN failures ELSE 0 END
         WHERE provider = p_provider;
    END IF;
    RETURN c.state;
END $$;

-- 2. Claims and outcomes ----------------------------------------------------------------------------------------------------

-- As before, and besides: what another provider was to send, which nobody may serve any more, holds up nothing.
-- Takes up to p_want due rows of one provider for p_lease_s seconds. The committed claim is the proof of intent: whoever
-- claims starts all of them at once, so a claimed row is a row in flight. Parts of one message go strictly in order;
-- between messages of one person, channel and provider an earlier one blocks while it is pending, in flight, or in its first failures.
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
                 WHERE e.profile_id = m.profile_id AND e.channel = m.channel AND e.provider = m.provider AND e.seq < m.seq
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

-- As before, but what a batch says about a provider is told once, however many say it.
-- Writes outcomes, a JSON array of {id, fence, outcome, external_id, error_code, error_message, http_status, retry_after_s,
-- took_ms, cost_rwf}. A result whose fence is not the row's any more changes nothing: its status comes back NULL, "you lost the lease".
--   outcome  accepted | retry | permanent | ambiguous | notsent | hold (our credentials are refused); the last two do not count as tries
-- What would be tried again, but its person has said STOP meanwhile, is suppressed; only the answer to that word goes out.
CREATE OR REPLACE FUNCTION finish_outbound(p_results jsonb, p_hold_s int, p_scale float8)
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    r    record;
    m    message_delivery_log;
    new  text;
    went uuid[] := '{}';
    lost uuid[] := '{}'; -- what has something in reserve
    gone uuid[] := '{}'; -- all that WhatsApp will not bring
    told jsonb := '[]';  -- what the answers say about their providers
BEGIN
    -- A report under an id that only this answer brings, on its way at this moment, waits for us, or we for it: one of us two
    -- sees what the other wrote.
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('id:' || x.external_id, 20251207) AS k
          FROM jsonb_to_recordset(p_results) AS x (external_id text)
         WHERE octet_length(x.external_id) BETWEEN 1 AND 255 ORDER BY k) AS locks;
    FOR r IN
        SELECT * FROM jsonb_to_recordset(p_results) AS x (id uuid, fence bigint, outcome text, external_id text,
            error_code text, error_message text, http_status int, retry_after_s int, took_ms int, cost_rwf numeric)
         ORDER BY x.id -- one order for all finishers: no deadlocks
    LOOP
        id := r.id;
        status := NULL;
        r.error_code := left(r.error_code, 100);
        r.error_message := left(r.error_message, 500);
        UPDATE delivery_attempts a SET finished_at = clock_timestamp(),
            outcome = CASE r.outcome WHEN 'hold' THEN 'notsent' ELSE r.outcome END,
            error_code = r.error_code, http_status = r.http_status, took_ms = r.took_ms
         WHERE a.message_id = r.id AND a.fence = r.fence;
        SELECT * INTO m FROM message_delivery_log l
         WHERE l.id = r.id AND l.lease_token = r.fence AND l.status NOT IN ('pending', 'suppressed')
           AND (l.status <> 'failed' OR r.outcome = 'accepted') FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        -- A gateway that gives no id, one that no index takes, or one id twice, must not cost the others of the batch their outcomes.
        IF octet_length(r.external_id) NOT BETWEEN 1 AND 255 OR EXISTS (SELECT 1 FROM message_delivery_log o WHERE o.direction = 'outbound'
                AND o.provider = m.provider AND o.external_message_id = r.external_id AND o.id <> r.id) THEN
            r.external_id := NULL;
        END IF;
        IF m.status IN ('sending', 'unknown') OR (m.status IN ('dead', 'failed') AND r.outcome = 'accepted') THEN -- given up too early
            new := CASE r.outcome
                WHEN 'accepted' THEN 'sent'
                WHEN 'permanent' THEN 'dead'
                WHEN 'ambiguous' THEN 'unknown'
                WHEN 'hold' THEN 'failed'
                WHEN 'notsent' THEN 'failed' -- the circuit breaker ends that, not a count of tries that were none
                ELSE CASE WHEN m.retry_count >= 7 THEN 'dead' ELSE 'failed' END END;
            UPDATE message_delivery_log l SET
                status = new,
                external_message_id = coalesce(r.external_id, l.external_message_id),
                cost_rwf = coalesce(r.cost_rwf, l.cost_rwf), -- what the gateway says it took; else our estimate stays
                error_code = CASE WHEN new = 'sent' THEN NULL ELSE r.error_code END,
                error_message = CASE WHEN new = 'sent' THEN NULL ELSE r.error_message END,
                retry_count = CASE WHEN r.outcome IN ('hold', 'notsent') THEN greatest(l.retry_count - 1, 0) ELSE l.retry_count END,
                next_attempt_at = CASE WHEN new = 'failed'
                    THEN clock_timestamp() + delivery_backoff(l.retry_count, coalesce(r.retry_after_s, 0), p_scale) END,
                lease_until = CASE WHEN new = 'unknown' THEN clock_timestamp() + p_hold_s * interval '1 second' END,
                lease_owner = CASE WHEN new = 'unknown' THEN l.lease_owner END,
                sent_at = CASE WHEN new = 'sent' THEN clock_timestamp() ELSE l.sent_at END,
                failed_at = CASE WHEN new IN ('failed', 'dead') AND r.outcome NOT IN ('hold', 'notsent') THEN clock_timestamp() ELSE l.failed_at END,
                dead_reason = CASE WHEN new = 'dead' THEN CASE r.outcome WHEN 'permanent' THEN 'permanent' ELSE 'attempts' END END
             WHERE l.id = r.id;
        ELSE -- a report overtook us
            new := m.status;
            UPDATE message_delivery_log l SET lease_until = NULL, cost_rwf = coalesce(r.cost_rwf, l.cost_rwf),
                external_message_id = coalesce(l.external_message_id, r.external_id)
             WHERE l.id = r.id;
        END IF;
        IF new = 'failed' AND m.metadata ? 'went_by' THEN -- the SMS has taken its place meanwhile
            UPDATE message_delivery_log l SET status = 'suppressed', next_attempt_at = NULL, error_code = 'went_by_sms' WHERE l.id = r.id;
        ELSIF new = 'failed' AND m.message_type <> 'confirmation' AND person_refuses(m.profile_id, m.channel) THEN
            UPDATE message_delivery_log l SET status = 'suppressed', next_attempt_at = NULL, error_code = 'opted_out' WHERE l.id = r.id;
        END IF;
        -- Reports may have come before this answer, under the gateway's id or our own.
        IF EXISTS (SELECT 1 FROM status_events e WHERE e.our_ref = r.id AND NOT e.applied)
           OR (r.external_id IS NOT NULL AND EXISTS (SELECT 1 FROM status_events e
                WHERE e.provider = m.provider AND e.external_message_id = r.external_id AND NOT e.applied)) THEN
            PERFORM apply_status_events(r.id);
        END IF;
        IF m.channel = 'whatsapp' OR m.message_type = 'summary' OR m.fallback IS NOT NULL THEN
            went := went || r.id;
        END IF;
        SELECT l.status INTO status FROM message_delivery_log l WHERE l.id = r.id;
        IF m.fallback IS NOT NULL AND (status IN ('dead', 'undelivered') OR (status = 'failed' AND provider_blocks(r.error_code))) THEN
            lost := lost || r.id;
        END IF;
        IF m.channel = 'whatsapp' AND status IN ('dead', 'undelivered') THEN
            gone := gone || r.id;
        END IF;
        told := told || jsonb_build_object('provider', m.provider, 'says', attempt_says(r.outcome, r.http_status, r.error_code),
                                           'code', r.error_code, 'pause_s', greatest(r.retry_after_s, 1));
        RETURN NEXT;
    END LOOP;
    -- A provider's circuit is locked after all messages, several in order of name, and before people.
    PERFORM provider_result(t.provider, t.says, t.code, t.pause_s, p_scale, t.times) FROM (
        SELECT x.provider, x.says, min(x.code) AS code, max(x.pause_s) AS pause_s, count(*)::int AS times
          FROM ROWS FROM (jsonb_to_recordset(told) AS (provider text, says text, code text, pause_s int))
                 WITH ORDINALITY AS x (provider, says, code, pause_s, n)
         GROUP BY x.provider, x.says
         ORDER BY x.provider, min(x.n) OFFSET 0) AS t;
    IF cardinality(went) > 0 THEN
        PERFORM messages_went_out(went);
    END IF;
    IF cardinality(lost) > 0 THEN
        PERFORM messages_fall_back(lost, NULL);
    END IF;
    IF cardinality(gone) > 0 THEN
        PERFORM messages_sms_again(gone);
    END IF;
END $$;

-- 3. Failover and the sweep -----------------------------------------------------------------------------------------------

-- As before, and besides: what is reported to have failed when the message is of no use any more sends nothing.
-- Sends the fallback of those of these messages that WhatsApp has failed, or (the patient ones) not brought within p_after_s seconds
-- (NULL: however long), or cannot take up for a while, or has had its chance with; what had not left is given up. A person who refuses
-- SMS gets none. Returns how many went into the queue. Comes after messages_went_out(), which has the locks.
CREATE OR REPLACE FUNCTION messages_fall_back(p_ids uuid[], p_after_s int) RETURNS int
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m       record;
    draft   jsonb;
    instead uuid;
    n       int := 0;
BEGIN
    FOR m IN
        SELECT l.id, l.session_id, l.profile_id, l.status, l.error_code, l.fallback, l.expires_at, c.reason, provider_is_away(l.provider) AS away
          FROM message_delivery_log l LEFT JOIN provider_circuit c ON c.provider = l.provider
         WHERE l.id = ANY (p_ids) AND l.fallback IS NOT NULL
           AND ((l.status = 'undelivered' AND greatest(l.expires_at, l.created_at + message_life('summary')) > clock_timestamp())
                OR (l.status = 'dead' AND l.dead_reason <> 'expired')
                OR (l.fallback ? 'patient' AND l.created_at < clock_timestamp() - p_after_s * interval '1 second'
                    AND l.status IN ('pending', 'failed', 'sending', 'unknown', 'sent'))
                OR (l.status IN ('pending', 'failed') AND l.fallback ? 'sms' AND (provider_is_away(l.provider) OR message_is_late(l))
                    AND NOT person_refuses(l.profile_id, 'sms')))
         ORDER BY l.session_id, l.id
           FOR NO KEY UPDATE OF l SKIP LOCKED
    LOOP
        UPDATE message_delivery_log l SET fallback = NULL WHERE l.id = m.id;
        draft := CASE WHEN m.status IN ('undelivered', 'dead') THEN fallback_choice(m.fallback, m.error_code)
                      ELSE m.fallback -> 'sms' END;
        IF draft IS NULL OR person_refuses(m.profile_id, draft ->> 'channel') THEN
            CONTINUE;
        END IF;
        IF m.status IN ('pending', 'failed') THEN -- what comes late is not of use for longer
            draft := draft || jsonb_build_object('expires_in_s', greatest(60, extract(epoch FROM m.expires_at - clock_timestamp())::int));
        END IF;
        instead := (SELECT min(e::text)::uuid FROM messages_enqueue(m.session_id, jsonb_build_array(draft)) AS e);
        n := n + (instead IS NOT NULL)::int;
        -- It went by SMS, and not twice: what waits is given up, what is in flight is not sent again, whatever its answer.
        IF m.status IN ('pending', 'failed') THEN
            UPDATE message_delivery_log l SET status = 'suppressed', next_attempt_at = NULL,
                   error_code = CASE WHEN m.away THEN coalesce(m.reason, 'circuit_open') ELSE 'went_by_sms' END
             WHERE l.id = m.id;
        ELSIF m.status IN ('sending', 'unknown') THEN
            UPDATE message_delivery_log l SET metadata = l.metadata || '{"went_by": "sms"}' WHERE l.id = m.id;
            UPDATE message_delivery_log l SET possible_duplicate = true WHERE l.id = instead;
        END IF;
    END LOOP;
    RETURN n;
END $$;

-- As before, and no part of it outlasts its time.
-- Moves on what time has overtaken: a lapsed lease means nobody knows what left (unknown, never pending); an unknown
-- outcome that was held long enough is sent once more and marked, or given up; a message past its use is dead. What WhatsApp did
-- not bring within p_failover_s goes by SMS, where that was planned so; at once, when WhatsApp takes nothing.
CREATE OR REPLACE FUNCTION sweep_outbound(p_hold_s int, p_max_resends int DEFAULT 1, p_failover_s int DEFAULT 120)
RETURNS TABLE (to_unknown int, resent int, dead int, expired int, fallbacks int)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    lost uuid[];
BEGIN
    WITH u AS (
        UPDATE message_delivery_log m SET status = 'unknown', error_code = 'worker_lost',
               lease_until = clock_timestamp() + p_hold_s * interval '1 second'
         WHERE m.id IN (SELECT l.id FROM message_delivery_log l
                         WHERE l.status = 'sending' AND l.lease_until < (SELECT clock_timestamp())
                         ORDER BY l.id LIMIT 1000 FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) INTO to_unknown FROM u;
    WITH held AS (
        SELECT l.id, l.ambiguous_resends < p_max_resends AND l.retry_count < 7 AND l.expires_at > clock_timestamp()
                     AND NOT person_refuses(l.profile_id, l.channel)
                     AND NOT l.metadata ? 'went_by'
                     -- an SMS whose WhatsApp twin was accepted is not worth a double
                     AND NOT (l.channel = 'sms' AND EXISTS (SELECT 1 FROM message_delivery_log w
                               WHERE w.group_id = l.group_id AND w.channel = 'whatsapp'
                                 AND w.status IN ('sent', 'delivered', 'read'))) AS again
          FROM message_delivery_log l
         WHERE l.status = 'unknown' AND l.lease_until < (SELECT clock_timestamp())
         ORDER BY l.id LIMIT 1000
           FOR UPDATE OF l SKIP LOCKED),
    u AS (
        UPDATE message_delivery_log m SET
            status = CASE WHEN h.again THEN 'failed' ELSE 'dead' END,
            dead_reason = CASE WHEN NOT h.again THEN 'ambiguous' END,
            ambiguous_resends = m.ambiguous_resends + h.again::int,
            possible_duplicate = m.possible_duplicate OR h.again,
            next_attempt_at = CASE WHEN h.again THEN clock_timestamp() END,
            failed_at = clock_timestamp(), lease_until = NULL
          FROM held h WHERE m.id = h.id
        RETURNING m.id, h.again)
    SELECT count(*) FILTER (WHERE again), count(*) FILTER (WHERE NOT again), coalesce(array_agg(u.id) FILTER (WHERE NOT again), '{}')
      INTO resent, dead, lost FROM u;
    WITH u AS (
        UPDATE message_delivery_log m SET status = 'dead', dead_reason = 'expired', failed_at = clock_timestamp(), next_attempt_at = NULL
         WHERE m.id IN (SELECT l.id FROM message_delivery_log l
                         WHERE l.status IN ('pending', 'failed') AND l.expires_at <= clock_timestamp()
                         ORDER BY l.id LIMIT 1000 FOR UPDATE SKIP LOCKED) -- the others a moment later
        RETURNING 1)
    SELECT count(*) INTO expired FROM u;
    lost := lost || ARRAY(
        SELECT l.id FROM message_delivery_log l
         WHERE l.fallback ? 'patient' AND l.status IN ('pending', 'failed', 'sending', 'unknown', 'sent') -- others are over, or have their own way
           AND l.created_at < (SELECT clock_timestamp()) - p_failover_s * interval '1 second'
         ORDER BY l.created_at LIMIT 500);
    lost := lost || ARRAY(
        SELECT l.id FROM message_delivery_log l
         WHERE l.status IN ('pending', 'failed') AND l.fallback ? 'sms' AND message_is_late(l) AND NOT person_refuses(l.profile_id, 'sms')
         ORDER BY l.expires_at LIMIT 500);
    IF EXISTS (SELECT 1 FROM provider_circuit c WHERE c.state <> 'closed' AND provider_is_away(c.provider)) THEN
        lost := lost || ARRAY(
            SELECT l.id FROM message_delivery_log l
             WHERE l.status IN ('pending', 'failed') AND l.fallback ? 'sms' AND provider_is_away(l.provider)
             ORDER BY l.created_at LIMIT 500);
    END IF;
    fallbacks := 0;
    IF cardinality(lost) > 0 THEN
        PERFORM messages_went_out(lost);
        fallbacks := messages_fall_back(lost, p_failover_s);
        fallbacks := fallbacks + messages_sms_again(lost);
    END IF;
    UPDATE profiles p SET has_whatsapp = NULL
     WHERE p.user_id IN (SELECT o.user_id FROM profiles o
                          WHERE o.has_whatsapp = false AND o.has_whatsapp_at < (SELECT clock_timestamp()) - interval '30 days'
                          LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED);
    RETURN NEXT;
END $$;

-- 4. From outside the programs ---------------------------------------------------------------------------------------------

-- Writes one outbound row from outside the programs, under the session's lock as messages_enqueue() does, and by its rules: into the
-- person's own conversation (whoever it is by now), of use for as long as its kind is, suppressed where the person refuses the channel. The same idem_key
-- again gives the same row. What is on its way somewhere else is held as if its worker had been lost.
CREATE OR REPLACE FUNCTION log_message_delivery(p_session uuid, p_profile uuid, p_channel text, p_message_type text,
    p_content text, p_recipient_phone text, p_provider text, p_status text DEFAULT 'pending',
    p_external_message_id text DEFAULT NULL, p_call_id text DEFAULT NULL, p_idem_key text DEFAULT NULL,
    p_metadata jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    row_id uuid;
    state  text := p_status;
BEGIN
    p_profile := coalesce((SELECT p.merged_into FROM profiles p WHERE p.user_id = p_profile), p_profile);
    PERFORM 1 FROM omnichannel_sessions s WHERE s.id = p_session AND s.profile_id = p_profile FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'p_session: no conversation of this person' USING ERRCODE = '22023';
    END IF;
    IF state IN ('pending', 'failed') AND p_message_type <> 'confirmation' AND person_refuses(p_profile, p_channel) THEN
        state := 'suppressed';
    END IF;
    INSERT INTO message_delivery_log (session_id, profile_id, channel, message_type, content, recipient_phone,
        provider, status, external_message_id, call_id, idem_key, metadata, next_attempt_at, expires_at, lease_until, sent_at,
        delivered_at, read_at, failed_at, dead_reason, error_code)
    VALUES (p_session, p_profile, p_channel, p_message_type, p_content, p_recipient_phone,
        p_provider, state, p_external_message_id, p_call_id, coalesce(p_idem_key, 'row:' || uuid_v7()), p_metadata,
        CASE WHEN state IN ('pending', 'failed') THEN clock_timestamp() END,
        clock_timestamp() + message_life(p_message_type),
        CASE WHEN state IN ('sending', 'unknown') THEN clock_timestamp() + interval '90 seconds' END,
        CASE WHEN state IN ('sent', 'delivered', 'read', 'undelivered') THEN clock_timestamp() END,
        CASE WHEN state IN ('delivered', 'read') THEN clock_timestamp() END,
        CASE WHEN state = 'read' THEN clock_timestamp() END,
        CASE WHEN state IN ('failed', 'dead', 'undelivered') THEN clock_timestamp() END,
        CASE WHEN state = 'dead' THEN 'permanent' END,
        CASE WHEN state = 'suppressed' AND p_status <> 'suppressed' THEN 'opted_out' END)
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING id INTO row_id;
    IF row_id IS NULL THEN
        SELECT id INTO row_id FROM message_delivery_log WHERE idem_key = p_idem_key;
    END IF;
    RETURN row_id;
END $$;

ALTER FUNCTION provider_result(text, text, text, int, float8, int) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION provider_result(text, text, text, int, float8, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION provider_result(text, text, text, int, float8, int) TO omni_app;
