-- Failover, second part: WhatsApp that is blocked, away or late leaves its messages to SMS, once; what was given up is sent again, marked.

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
-- closed (131047), whatever we thought; a conversation has its summary. Called after the message rows are locked; takes people before
-- conversations, each kind in order of id, also those conversations that messages_fall_back() and messages_sms_again() write to next:
-- the order of locks everywhere.
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

-- A dead letter, sent again, until p_until: a new row, the dead one stays as evidence; twice it is still one row. Marked when the dead
-- one may have arrived. NULL when there is nothing to do. Its caller holds the conversation.
CREATE FUNCTION message_again(m message_delivery_log, p_until timestamptz) RETURNS uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO message_delivery_log (session_id, profile_id, call_id, channel, message_type, provider, content, recipient_phone,
        status, idem_key, group_id, part, next_attempt_at, expires_at, segments, cost_rwf, turn_id, metadata, replay_of,
        possible_duplicate)
    SELECT m.session_id, m.profile_id, m.call_id, m.channel, m.message_type, m.provider, m.content, m.recipient_phone,
        'pending', m.idem_key || ':replay', m.group_id, m.part, clock_timestamp(), p_until,
        m.segments, m.cost_rwf, m.turn_id, m.metadata - 'went_by', m.id, m.possible_duplicate OR m.dead_reason = 'ambiguous'
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
    RETURN message_again(m, clock_timestamp() + message_life(m.message_type));
END $$;

-- An SMS that nobody knows to have arrived is not sent twice to somebody who has the same by WhatsApp (sweep_outbound). When WhatsApp
-- fails after all, in whichever order the two become known, it is sent once more, while it is of use: a double, marked, is better than
-- nothing. Not one that had its second try. Comes after messages_went_out(), which has the locks; returns how many went into the queue.
CREATE FUNCTION messages_sms_again(p_ids uuid[]) RETURNS int
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT count(message_again(d, d.expires_at))::int FROM message_delivery_log d
     WHERE d.group_id IN (SELECT m.group_id FROM message_delivery_log m WHERE m.id = ANY (p_ids) AND m.status IN ('undelivered', 'dead'))
       AND d.channel = 'sms' AND d.status = 'dead' AND d.dead_reason = 'ambiguous' AND d.ambiguous_resends = 0
       AND d.replay_of IS NULL AND d.expires_at > clock_timestamp()
       AND EXISTS (SELECT 1 FROM message_delivery_log w WHERE w.group_id = d.group_id AND w.channel = 'whatsapp'
                      AND (w.status = 'undelivered' OR (w.status = 'dead' AND w.dead_reason <> 'expired')))
       AND NOT EXISTS (SELECT 1 FROM message_delivery_log w WHERE w.group_id = d.group_id AND w.channel = 'whatsapp'
                          AND w.status NOT IN ('undelivered', 'dead', 'suppressed'))
$$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('provider_blocks', 'provider_is_away', 'messages_went_out', 'message_is_late', 'messages_fall_back',
                    'message_life', 'message_again', 'messages_sms_again', 'replay_dead')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
