-- Failover: what a WhatsApp message's row carries in 'fallback' goes out when WhatsApp did not bring it, once.
--   fallback  {template?, template_en?, sms?: drafts as messages_enqueue() reads them, patient?: true}; gone when it was used or
--             is not needed any more

ALTER TABLE message_delivery_log ADD COLUMN fallback jsonb;
CREATE INDEX messages_patient ON message_delivery_log (created_at) WHERE fallback ? 'patient';

-- Which draft answers this failure: 131047 (window closed) the template, 132001 (no such template in this language) the one in
-- English, anything else the SMS; NULL if there is none.
CREATE FUNCTION fallback_choice(p_fallback jsonb, p_code text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN p_code = '131047' AND p_fallback ? 'template'
            THEN p_fallback -> 'template' || jsonb_build_object('fallback', p_fallback - 'template' - 'patient')
        WHEN p_code = '132001' AND p_fallback ? 'template_en'
            THEN p_fallback -> 'template_en' || jsonb_build_object('fallback', p_fallback - 'template' - 'template_en' - 'patient')
        ELSE p_fallback -> 'sms'
    END
$$;

-- Sends the fallback of those of these messages that WhatsApp has failed, or (the patient ones) not brought within p_after_s seconds.
-- A person who refuses SMS gets none. Returns how many went into the queue. Comes after messages_went_out(), which has the locks.
CREATE FUNCTION messages_fall_back(p_ids uuid[], p_after_s int) RETURNS int
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m     record;
    draft jsonb;
    n     int := 0;
BEGIN
    FOR m IN
        SELECT l.id, l.session_id, l.profile_id, l.status, l.error_code, l.fallback
          FROM message_delivery_log l
         WHERE l.id = ANY (p_ids) AND l.fallback IS NOT NULL
           AND (l.status = 'undelivered' OR (l.status = 'dead' AND l.dead_reason <> 'expired')
                OR (l.fallback ? 'patient' AND l.created_at < clock_timestamp() - p_after_s * interval '1 second'
                    AND l.status IN ('pending', 'failed', 'sending', 'unknown', 'sent')))
         ORDER BY l.session_id, l.id
           FOR NO KEY UPDATE OF l SKIP LOCKED
    LOOP
        UPDATE message_delivery_log l SET fallback = NULL WHERE l.id = m.id;
        draft := CASE WHEN m.status IN ('undelivered', 'dead') THEN fallback_choice(m.fallback, m.error_code)
                      ELSE m.fallback -> 'sms' END;
        IF draft IS NOT NULL AND NOT person_refuses(m.profile_id, draft ->> 'channel') THEN
            n := n + (SELECT count(*)::int FROM messages_enqueue(m.session_id, jsonb_build_array(draft)));
        END IF;
    END LOOP;
    RETURN n;
END $$;

-- A dead letter, sent again by an operator: a new row, the dead one stays as evidence; pressed twice it is still one row. NULL when
-- there is nothing to do.
CREATE FUNCTION replay_dead(p_id uuid) RETURNS uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO message_delivery_log (session_id, profile_id, call_id, channel, message_type, provider, content, recipient_phone,
        status, idem_key, group_id, part, next_attempt_at, expires_at, segments, cost_rwf, turn_id, metadata, replay_of)
    SELECT m.session_id, m.profile_id, m.call_id, m.channel, m.message_type, m.provider, m.content, m.recipient_phone,
        'pending', m.idem_key || ':replay', m.group_id, m.part, clock_timestamp(), clock_timestamp() + interval '2 hours', m.segments,
        m.cost_rwf, m.turn_id, m.metadata, m.id
      FROM message_delivery_log m
     WHERE m.id = p_id AND m.status = 'dead' AND m.content IS NOT NULL AND NOT person_refuses(m.profile_id, m.channel)
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING id
$$;
