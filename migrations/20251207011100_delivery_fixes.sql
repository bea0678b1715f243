-- Delivery, second part: what a gateway charged is what a row cost; good news wipes the traces of bad; a report is of one message.

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
    PERFORM provider_result(t.provider, t.says, t.code, t.pause_s, p_scale) FROM (
        SELECT * FROM ROWS FROM (jsonb_to_recordset(told) AS (provider text, says text, code text, pause_s int))
                 WITH ORDINALITY AS x (provider, says, code, pause_s, n)
         ORDER BY x.provider, x.n OFFSET 0) AS t;
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
                         WHERE l.status IN ('pending', 'failed') AND l.expires_at <= clock_timestamp()
                         ORDER BY l.id LIMIT 1000 FOR UPDATE SKIP LOCKED) -- the others a moment later: no sweep may outlast its time
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
                AND p.proname IN ('apply_status_events', 'finish_outbound', 'record_status_events', 'sweep_outbound')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
