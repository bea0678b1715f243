-- Delivery: claim under a lease, send with no transaction open, finish behind a fence. Only the database's clock decides.

-- Takes up to p_want due rows of one provider for p_lease_s seconds. The committed claim is the proof of intent: whoever
-- claims starts all of them at once, so a claimed row is a row in flight. Parts of one message go strictly in order;
-- between messages of one person and channel an earlier one blocks while it is pending, in flight, or in its first failures.
-- p_ids: only these rows (a first attempt somebody waits for); NULL for any.
CREATE FUNCTION claim_outbound(p_provider text, p_worker text, p_want int, p_lease_s int, p_ids uuid[] DEFAULT NULL)
RETURNS SETOF message_delivery_log
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
DECLARE
    room int := provider_gate(p_provider, p_want); -- the circuit breaker: a paused provider costs no attempt
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

-- 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, each times 0.5 to 1.5; what the provider asked for is the floor.
CREATE FUNCTION delivery_backoff(p_retry int, p_retry_after_s int, p_scale float8) RETURNS interval
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest((ARRAY[5, 30, 120, 600, 1800, 3600, 7200])[least(p_retry, 6) + 1] * (0.5 + random()) * p_scale,
                    least(coalesce(p_retry_after_s, 0), 7200)) * interval '1 second'
$$;

CREATE FUNCTION delivery_rank(p_status text) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_position(ARRAY['pending', 'failed', 'sending', 'unknown', 'dead', 'sent', 'undelivered',
                                         'delivered', 'read'], p_status), 0)
$$;

-- Whether this person has said STOP on this channel.
CREATE FUNCTION person_refuses(p_profile uuid, p_channel text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM profiles p WHERE p.user_id = p_profile
                      AND NOT CASE p_channel WHEN 'sms' THEN p.allows_sms ELSE p.allows_whatsapp END)
$$;

-- What follows once it is known how messages went: WhatsApp reaches somebody, or, for thirty days, does not; a conversation has its
-- summary. Called after the message rows are locked; takes people before conversations, each kind in order of id, also those
-- conversations that messages_fall_back() writes to next: the order of locks everywhere.
CREATE FUNCTION messages_went_out(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    WITH told AS (
        SELECT m.profile_id, bool_or(m.status IN ('delivered', 'read')) AS reached, max(m.created_at) AS at
          FROM message_delivery_log m
         WHERE m.id = ANY (p_ids) AND m.channel = 'whatsapp'
           AND (m.status IN ('delivered', 'read') OR (m.status IN ('undelivered', 'dead')
                AND m.error_code IN ('131026', '130403', '131030', '131062', '137000')))
         GROUP BY m.profile_id),
    news AS (
        SELECT p.user_id, t.reached FROM profiles p JOIN told t ON t.profile_id = p.user_id
         WHERE CASE WHEN t.reached THEN p.has_whatsapp IS DISTINCT FROM true
                    ELSE p.has_whatsapp_at IS NULL OR p.has_whatsapp_at < t.at END
         ORDER BY p.user_id FOR NO KEY UPDATE OF p)
    UPDATE profiles p SET has_whatsapp = n.reached, has_whatsapp_at = clock_timestamp() FROM news n WHERE p.user_id = n.user_id;
    PERFORM 1 FROM omnichannel_sessions s
      WHERE s.id IN (SELECT m.session_id FROM message_delivery_log m
                      WHERE m.id = ANY (p_ids)
                        AND (m.message_type = 'summary'
                             OR (m.fallback IS NOT NULL AND (m.status IN ('undelivered', 'dead') OR m.fallback ? 'patient'))))
      ORDER BY s.id FOR NO KEY UPDATE;
    UPDATE omnichannel_sessions s SET
        summary_sent_whatsapp = s.summary_sent_whatsapp OR u.whatsapp,
        summary_sent_sms = s.summary_sent_sms OR u.sms
      FROM (SELECT m.session_id, bool_or(m.channel = 'whatsapp') AS whatsapp, bool_or(m.channel = 'sms') AS sms
              FROM message_delivery_log m
             WHERE m.id = ANY (p_ids) AND m.message_type = 'summary' AND m.status IN ('sent', 'delivered', 'read')
             GROUP BY m.session_id) AS u
     WHERE s.id = u.session_id AND ((u.whatsapp AND NOT s.summary_sent_whatsapp) OR (u.sms AND NOT s.summary_sent_sms));
END $$;

-- Raises one message to the best status reported for it, by the gateway's id or by our own reference; never lowers it, and takes
-- no arrow that is not there. Reports stay as evidence whether they changed something or not. True when the row moved.
CREATE FUNCTION apply_status_events(p_message uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m    message_delivery_log;
    best status_events;
    moved boolean := false;
BEGIN
    SELECT * INTO m FROM message_delivery_log WHERE id = p_message FOR NO KEY UPDATE;
    IF m.external_message_id IS NULL THEN -- a report by our reference may bring the id, and with it reports that came under the id alone
        UPDATE message_delivery_log SET external_message_id = e.external_message_id
          FROM (SELECT v.external_message_id FROM status_events v
                 WHERE v.our_ref = m.id AND v.provider = m.provider AND v.external_message_id <> ''
                   AND NOT EXISTS (SELECT 1 FROM message_delivery_log o WHERE o.direction = 'outbound'
                                      AND o.provider = m.provider AND o.external_message_id = v.external_message_id)
                 ORDER BY v.id DESC LIMIT 1) AS e
         WHERE id = m.id
        RETURNING e.external_message_id INTO m.external_message_id;
    END IF;
    SELECT * INTO best FROM status_events e
     WHERE e.status IN ('sent', 'undelivered', 'delivered', 'read')
       AND (e.our_ref = m.id OR (e.provider = m.provider AND e.external_message_id = m.external_message_id))
     ORDER BY delivery_rank(e.status) DESC, e.id LIMIT 1;
    IF delivery_rank(best.status) > delivery_rank(m.status)
       AND EXISTS (SELECT 1 FROM delivery_arrows a WHERE a.from_status = m.status AND a.to_status = best.status) THEN
        UPDATE message_delivery_log SET
            status = best.status,
            lease_until = NULL, next_attempt_at = NULL, dead_reason = NULL,
            fallback = CASE WHEN best.status IN ('delivered', 'read') THEN NULL ELSE fallback END,
            sent_at = coalesce(sent_at, clock_timestamp()),
            delivered_at = CASE WHEN best.status IN ('delivered', 'read')
                                THEN coalesce(delivered_at, best.provider_at, clock_timestamp()) ELSE delivered_at END,
            read_at = CASE WHEN best.status = 'read' THEN coalesce(read_at, best.provider_at, clock_timestamp()) ELSE read_at END,
            failed_at = CASE WHEN best.status = 'undelivered' THEN clock_timestamp() ELSE failed_at END,
            error_code = CASE WHEN best.status = 'undelivered' THEN best.error_code ELSE error_code END
         WHERE id = m.id;
        moved := true;
    END IF;
    UPDATE status_events e SET applied = true
     WHERE NOT e.applied
       AND (e.our_ref = m.id OR (e.provider = m.provider AND e.external_message_id = m.external_message_id));
    RETURN moved;
END $$;

-- Writes outcomes, a JSON array of {id, fence, outcome, external_id, error_code, error_message, http_status, retry_after_s,
-- took_ms}. A result whose fence is not the row's any more changes nothing: its status comes back NULL, "you lost the lease".
--   outcome  accepted | retry | permanent | ambiguous | notsent; 'hold': as notsent, but the attempt does not count
-- What would be tried again, but its person has said STOP meanwhile, is suppressed; only the answer to that word goes out.
CREATE FUNCTION finish_outbound(p_results jsonb, p_hold_s int, p_scale float8)
RETURNS TABLE (id uuid, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    r    record;
    m    message_delivery_log;
    new  text;
    went uuid[] := '{}';
    lost uuid[] := '{}';
BEGIN
    -- A report under an id that only this answer brings, on its way at this moment, waits for us, or we for it: one of us two
    -- sees what the other wrote.
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('id:' || x.external_id, 20251207) AS k
          FROM jsonb_to_recordset(p_results) AS x (external_id text)
         WHERE x.external_id <> '' ORDER BY k) AS locks;
    FOR r IN
        SELECT * FROM jsonb_to_recordset(p_results) AS x (id uuid, fence bigint, outcome text, external_id text,
            error_code text, error_message text, http_status int, retry_after_s int, took_ms int)
         ORDER BY x.id -- one order for all finishers: no deadlocks
    LOOP
        id := r.id;
        status := NULL;
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
        -- A gateway that gives no id, or one id twice, must not cost the others of the batch their outcomes.
        IF r.external_id = '' OR EXISTS (SELECT 1 FROM message_delivery_log o WHERE o.direction = 'outbound'
                AND o.provider = m.provider AND o.external_message_id = r.external_id AND o.id <> r.id) THEN
            r.external_id := NULL;
        END IF;
        IF m.status IN ('sending', 'unknown') OR (m.status IN ('dead', 'failed') AND r.outcome = 'accepted') THEN -- given up too early
            new := CASE r.outcome
                WHEN 'accepted' THEN 'sent'
                WHEN 'permanent' THEN 'dead'
                WHEN 'ambiguous' THEN 'unknown'
                WHEN 'hold' THEN 'failed'
                ELSE CASE WHEN m.retry_count >= 7 THEN 'dead' ELSE 'failed' END END;
            UPDATE message_delivery_log l SET
                status = new,
                external_message_id = coalesce(r.external_id, l.external_message_id),
                error_code = CASE WHEN new = 'sent' THEN NULL ELSE r.error_code END,
                error_message = CASE WHEN new = 'sent' THEN NULL ELSE r.error_message END,
                retry_count = CASE WHEN r.outcome = 'hold' THEN greatest(l.retry_count - 1, 0) ELSE l.retry_count END,
                next_attempt_at = CASE WHEN new = 'failed'
                    THEN clock_timestamp() + delivery_backoff(l.retry_count, coalesce(r.retry_after_s, 0), p_scale) END,
                lease_until = CASE WHEN new = 'unknown' THEN clock_timestamp() + p_hold_s * interval '1 second' END,
                lease_owner = CASE WHEN new = 'unknown' THEN l.lease_owner END,
                sent_at = CASE WHEN new = 'sent' THEN clock_timestamp() ELSE l.sent_at END,
                failed_at = CASE WHEN new IN ('failed', 'dead') AND r.outcome <> 'hold' THEN clock_timestamp() ELSE l.failed_at END,
                dead_reason = CASE WHEN new = 'dead' THEN CASE r.outcome WHEN 'permanent' THEN 'permanent' ELSE 'attempts' END END
             WHERE l.id = r.id;
        ELSE -- a report overtook us
            new := m.status;
            UPDATE message_delivery_log l SET lease_until = NULL,
                external_message_id = coalesce(l.external_message_id, r.external_id)
             WHERE l.id = r.id;
        END IF;
        IF new = 'failed' AND m.message_type <> 'confirmation' AND person_refuses(m.profile_id, m.channel) THEN
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
        IF status IN ('dead', 'undelivered') AND m.fallback IS NOT NULL THEN
            lost := lost || r.id;
        END IF;
        PERFORM provider_result(m.provider, CASE
            WHEN r.outcome IN ('accepted', 'permanent') THEN 'ok'
            WHEN r.outcome = 'hold' THEN 'hard'
            WHEN r.outcome = 'retry' AND r.http_status = 503 THEN 'fail'
            WHEN r.outcome = 'retry' AND r.error_code = '131056' THEN 'ok' -- too many to this one person
            WHEN r.outcome = 'retry' THEN 'pause'
            ELSE 'fail' END, r.error_code, greatest(r.retry_after_s, 1), p_scale);
        RETURN NEXT;
    END LOOP;
    IF cardinality(went) > 0 THEN
        PERFORM messages_went_out(went);
    END IF;
    IF cardinality(lost) > 0 THEN
        PERFORM messages_fall_back(lost, 0);
    END IF;
END $$;

-- Stores reported statuses, a JSON array of {external_id, our_ref, status, error_code, at}, and applies them. What matches
-- no message yet is kept; finish_outbound comes back to it. Words we do not know are kept and change nothing.
CREATE FUNCTION record_status_events(p_provider text, p_events jsonb)
RETURNS TABLE (stored int, moved int)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    mid  uuid;
    went uuid[] := '{}';
BEGIN
    WITH kept AS (
        INSERT INTO status_events (provider, external_message_id, our_ref, status, error_code, provider_at)
        SELECT p_provider, x.external_id, x.our_ref, x.status, x.error_code, x.at
          FROM jsonb_to_recordset(p_events) AS x (external_id text, our_ref uuid, status text, error_code text, at timestamptz)
         ORDER BY x.external_id, x.our_ref, x.status, x.at -- one order for all: no deadlocks
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*) INTO stored FROM kept;
    -- An id nobody knows may be that of an answer on its way: see finish_outbound().
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('id:' || x.external_id, 20251207) AS k
          FROM jsonb_to_recordset(p_events) AS x (external_id text)
         WHERE x.external_id <> '' AND (
               SELECT m.id FROM message_delivery_log m WHERE m.direction = 'outbound'
                  AND m.provider = p_provider AND m.external_message_id = x.external_id LIMIT 1) IS NULL -- one index probe each
         ORDER BY k) AS locks;
    FOR mid IN
        SELECT DISTINCT m.id
          FROM jsonb_to_recordset(p_events) AS x (external_id text, our_ref uuid)
          JOIN message_delivery_log m ON m.direction = 'outbound'
           AND (m.id = x.our_ref OR (m.provider = p_provider AND m.external_message_id = x.external_id))
         ORDER BY m.id
    LOOP
        IF apply_status_events(mid) THEN
            went := went || mid;
        END IF;
    END LOOP;
    moved := cardinality(went);
    IF moved > 0 THEN
        PERFORM messages_went_out(went);
        PERFORM messages_fall_back(went, 0);
    END IF;
    RETURN NEXT;
END $$;

-- Moves on what time has overtaken: a lapsed lease means nobody knows what left (unknown, never pending); an unknown
-- outcome that was held long enough is sent once more and marked, or given up; a message past its use is dead. What WhatsApp did
-- not bring within p_failover_s goes by SMS, where that was planned so.
CREATE FUNCTION sweep_outbound(p_hold_s int, p_max_resends int DEFAULT 1, p_failover_s int DEFAULT 120)
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
                         WHERE l.status = 'sending' AND l.lease_until < (SELECT clock_timestamp()) FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) INTO to_unknown FROM u;
    WITH held AS (
        SELECT l.id, l.ambiguous_resends < p_max_resends AND l.retry_count < 7 AND l.expires_at > clock_timestamp()
                     AND NOT person_refuses(l.profile_id, l.channel)
                     -- an SMS whose WhatsApp twin was accepted is not worth a double
                     AND NOT (l.channel = 'sms' AND EXISTS (SELECT 1 FROM message_delivery_log w
                               WHERE w.group_id = l.group_id AND w.channel = 'whatsapp'
                                 AND w.status IN ('sent', 'delivered', 'read'))) AS again
          FROM message_delivery_log l
         WHERE l.status = 'unknown' AND l.lease_until < (SELECT clock_timestamp())
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
                         WHERE l.status IN ('pending', 'failed') AND l.expires_at <= clock_timestamp() FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) INTO expired FROM u;
    lost := lost || ARRAY(
        SELECT l.id FROM message_delivery_log l
         WHERE l.fallback ? 'patient' AND l.created_at < (SELECT clock_timestamp()) - p_failover_s * interval '1 second'
         ORDER BY l.created_at LIMIT 500);
    fallbacks := 0;
    IF cardinality(lost) > 0 THEN
        PERFORM messages_went_out(lost);
        fallbacks := messages_fall_back(lost, p_failover_s);
    END IF;
    UPDATE profiles p SET has_whatsapp = NULL
     WHERE p.user_id IN (SELECT o.user_id FROM profiles o
                          WHERE o.has_whatsapp = false AND o.has_whatsapp_at < (SELECT clock_timestamp()) - interval '30 days'
                            FOR NO KEY UPDATE SKIP LOCKED);
    RETURN NEXT;
END $$;
