-- Delivery, second part: what a gateway charged is what a row cost; WhatsApp that is blocked leaves its messages to SMS at once; good
-- news wipes the traces of bad.

-- Answers of Meta's that close WhatsApp to all messages, not to one: spam rate, template limit, policy, locked, country, payment.
CREATE FUNCTION provider_blocks(p_code text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(p_code IN ('131048', '131064', '368', '131031', '130497', '131042', '131044'), false)
$$;

-- Whether a provider will take nothing for a while, so that a message is better off elsewhere: it has blocked us, or it has been in
-- trouble for longer than a moment. Not while it is tried again: the probes are real messages.
CREATE FUNCTION provider_is_away(p_provider text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM provider_circuit c WHERE c.provider = p_provider
                      AND (c.state = 'forced_open'
                           OR (c.state = 'open' AND c.open_until > clock_timestamp()
                               AND (provider_blocks(c.reason) OR c.changed_at < clock_timestamp() - interval '20 seconds'))))
$$;

-- What follows once it is known how messages went: WhatsApp reaches somebody, or, for thirty days, does not; its window is
-- closed (131047), whatever we thought; a conversation has its summary. Called after the message rows are locked; takes people before conversations, each kind in order of id, also those
-- conversations that messages_fall_back() and messages_sms_again() write to next: the order of locks everywhere.
CREATE OR REPLACE FUNCTION messages_went_out(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.id = ANY (p_ids) AND m.channel = 'whatsapp' AND m.error_code = '131047') THEN
        PERFORM 1 FROM profiles p WHERE p.user_id IN (SELECT m.profile_id FROM message_delivery_log m WHERE m.id = ANY (p_ids))
          ORDER BY p.user_id FOR NO KEY UPDATE;
        PERFORM window_closed(m.profile_id, m.recipient_phone, m.created_at) FROM message_delivery_log m
          WHERE m.id = ANY (p_ids) AND m.channel = 'whatsapp' AND m.error_code = '131047' AND m.status IN ('undelivered', 'dead');
    END IF;
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
                             OR (m.fallback IS NOT NULL AND (m.status IN ('undelivered', 'dead') OR m.fallback ? 'patient'
                                                              OR (m.fallback ? 'sms' AND m.status IN ('pending', 'failed'))))
                             OR (m.status IN ('undelivered', 'dead') AND EXISTS (SELECT 1 FROM message_delivery_log d
                                  WHERE d.group_id = m.group_id AND d.dead_reason = 'ambiguous'))))
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

-- Whether WhatsApp has had its chance with a message that has an SMS in reserve: three failures, or two thirds of its life.
CREATE FUNCTION message_is_late(m message_delivery_log) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT m.status IN ('pending', 'failed') AND m.fallback ? 'sms'
       AND ((m.status = 'failed' AND m.retry_count >= 2)
            OR clock_timestamp() > m.expires_at - (m.expires_at - m.created_at) / 3)
$$;
CREATE INDEX messages_in_reserve ON message_delivery_log (expires_at) WHERE status IN ('pending', 'failed') AND fallback ? 'sms';

-- Sends the fallback of those of these messages that WhatsApp has failed, or (the patient ones) not brought within p_after_s seconds (NULL: however long),
-- or cannot take up for a while, or has had its chance with; what had not left is given up. A person who refuses SMS gets none. Returns how many went into the queue. Comes
-- after messages_went_out(), which has the locks.
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
           AND (l.status = 'undelivered' OR (l.status = 'dead' AND l.dead_reason <> 'expired')
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

-- How long a message is of use.
CREATE FUNCTION message_life(p_type text) RETURNS interval
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_type WHEN 'reply' THEN interval '15 minutes' ELSE interval '6 hours' END
$$;

-- A dead letter, sent again: a new row, the dead one stays as evidence; twice it is still one row. Marked when the dead one may have
-- arrived. NULL when there is nothing to do. Its caller holds the conversation.
CREATE FUNCTION message_again(m message_delivery_log) RETURNS uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO message_delivery_log (session_id, profile_id, call_id, channel, message_type, provider, content, recipient_phone,
        status, idem_key, group_id, part, next_attempt_at, expires_at, segments, cost_rwf, turn_id, metadata, replay_of,
        possible_duplicate)
    SELECT m.session_id, m.profile_id, m.call_id, m.channel, m.message_type, m.provider, m.content, m.recipient_phone,
        'pending', m.idem_key || ':replay', m.group_id, m.part, clock_timestamp(), clock_timestamp() + message_life(m.message_type),
        m.segments, m.cost_rwf, m.turn_id, m.metadata, m.id, m.possible_duplicate OR m.dead_reason = 'ambiguous'
     WHERE m.status = 'dead' AND m.content IS NOT NULL AND NOT person_refuses(m.profile_id, m.channel)
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING id
$$;

-- A dead letter, sent again by an operator. Locks the message, then its conversation, as everybody who adds to one.
CREATE OR REPLACE FUNCTION replay_dead(p_id uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m message_delivery_log;
BEGIN
    SELECT * INTO m FROM message_delivery_log l WHERE l.id = p_id AND l.status = 'dead' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    PERFORM 1 FROM omnichannel_sessions s WHERE s.id = m.session_id FOR NO KEY UPDATE;
    RETURN message_again(m);
END $$;

-- An SMS that nobody knows to have arrived is not sent twice to somebody who has the same by WhatsApp (sweep_outbound). When WhatsApp
-- fails after all, in whichever order the two become known, it is sent once more: a double, marked, is better than nothing. Not one
-- that had its second try. Comes after messages_went_out(), which has the locks; returns how many went into the queue.
CREATE FUNCTION messages_sms_again(p_ids uuid[]) RETURNS int
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT count(message_again(d))::int FROM message_delivery_log d
     WHERE d.group_id IN (SELECT m.group_id FROM message_delivery_log m WHERE m.id = ANY (p_ids) AND m.status IN ('undelivered', 'dead'))
       AND d.channel = 'sms' AND d.status = 'dead' AND d.dead_reason = 'ambiguous' AND d.ambiguous_resends = 0
       AND EXISTS (SELECT 1 FROM message_delivery_log w WHERE w.group_id = d.group_id AND w.channel = 'whatsapp'
                      AND (w.status = 'undelivered' OR (w.status = 'dead' AND w.dead_reason <> 'expired')))
       AND NOT EXISTS (SELECT 1 FROM message_delivery_log w WHERE w.group_id = d.group_id AND w.channel = 'whatsapp'
                          AND w.status NOT IN ('undelivered', 'dead', 'suppressed'))
$$;

-- Raises one message to the best status reported for it by its own gateway: under the gateway's id, or under our reference where the
-- id is no other message's (a report that names two messages is about the one that has the id). Never lowers it, and takes no arrow
-- that is not there. What is there in the end did not fail. Reports stay as evidence whether they changed something or not.
-- True when the row moved.
CREATE OR REPLACE FUNCTION apply_status_events(p_message uuid) RETURNS boolean
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
       AND ((e.provider = m.provider AND e.external_message_id = m.external_message_id)
            OR (e.provider = m.provider AND e.our_ref = m.id AND NOT EXISTS (
                SELECT 1 FROM message_delivery_log o WHERE o.direction = 'outbound' AND o.provider = m.provider
                   AND o.external_message_id = e.external_message_id AND o.id <> m.id)))
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
            failed_at = CASE WHEN best.status = 'undelivered' THEN clock_timestamp() END,
            error_code = CASE WHEN best.status = 'undelivered' THEN best.error_code END,
            error_message = NULL
         WHERE id = m.id;
        moved := true;
    END IF;
    UPDATE status_events e SET applied = true
     WHERE NOT e.applied
       AND ((e.provider = m.provider AND e.external_message_id = m.external_message_id)
            OR (e.provider = m.provider AND e.our_ref = m.id AND NOT EXISTS (
                SELECT 1 FROM message_delivery_log o WHERE o.direction = 'outbound' AND o.provider = m.provider
                   AND o.external_message_id = e.external_message_id AND o.id <> m.id)));
    RETURN moved;
END $$;

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
        PERFORM provider_result(m.provider, attempt_says(r.outcome, r.http_status, r.error_code), r.error_code,
                                greatest(r.retry_after_s, 1), p_scale);
        RETURN NEXT;
    END LOOP;
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

-- Stores reported statuses, a JSON array of {external_id, our_ref, status, error_code, at}, and applies them. What matches
-- no message yet is kept; finish_outbound comes back to it. Words we do not know are kept and change nothing.
CREATE OR REPLACE FUNCTION record_status_events(p_provider text, p_events jsonb)
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
        SELECT DISTINCT t.id
          FROM jsonb_to_recordset(p_events) AS x (external_id text, our_ref uuid)
         CROSS JOIN LATERAL (SELECT coalesce(
                (SELECT m.id FROM message_delivery_log m WHERE m.direction = 'outbound'
                    AND m.provider = p_provider AND m.external_message_id = x.external_id LIMIT 1),
                (SELECT m.id FROM message_delivery_log m WHERE m.id = x.our_ref AND m.direction = 'outbound' AND m.provider = p_provider)
            ) AS id) AS t -- the id decides; the reference where it is nobody's
         WHERE t.id IS NOT NULL
         ORDER BY t.id
    LOOP
        IF apply_status_events(mid) THEN
            went := went || mid;
        END IF;
    END LOOP;
    moved := cardinality(went);
    IF moved > 0 THEN
        PERFORM messages_went_out(went);
        PERFORM messages_fall_back(went, NULL); -- a report ends no patience
        PERFORM messages_sms_again(went);
    END IF;
    RETURN NEXT;
END $$;

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
                         WHERE l.status = 'sending' AND l.lease_until < (SELECT clock_timestamp()) FOR UPDATE SKIP LOCKED)
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
                            FOR NO KEY UPDATE SKIP LOCKED);
    RETURN NEXT;
END $$;

-- The referee, as before, and besides: nothing is sent by another provider than was planned, and what may still be sent keeps its text.
CREATE OR REPLACE FUNCTION delivery_referee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT EXISTS (SELECT 1 FROM delivery_arrows
                                                 WHERE from_status = OLD.status AND to_status = NEW.status) THEN
        RAISE EXCEPTION 'message %: % does not lead to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'OM001';
    END IF;
    IF NEW.lease_token < OLD.lease_token THEN
        RAISE EXCEPTION 'message %: the fence cannot go back', OLD.id USING ERRCODE = 'OM002';
    END IF;
    IF NEW.recipient_phone IS DISTINCT FROM OLD.recipient_phone OR NEW.idem_key <> OLD.idem_key
       OR NEW.channel <> OLD.channel OR NEW.direction <> OLD.direction OR NEW.provider <> OLD.provider
       OR (NEW.content IS DISTINCT FROM OLD.content -- retention may erase the text when it is of no use any more
           AND (NEW.content IS NOT NULL OR NEW.status IN ('pending', 'failed', 'sending', 'unknown'))) THEN
        RAISE EXCEPTION 'message %: what is sent, and to whom, cannot change', OLD.id USING ERRCODE = 'OM003';
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('provider_blocks', 'provider_is_away', 'messages_went_out', 'message_is_late', 'messages_fall_back', 'message_life',
                    'message_again', 'messages_sms_again', 'replay_dead', 'apply_status_events',
                    'finish_outbound', 'record_status_events', 'sweep_outbound')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
