-- Options, as before, and besides: what was tapped is an option of the message that offered it ({list: its id}), however much was said since.

-- What a message that is just coming in means by what we sent before: the option it names, or the SMS whose next part it asks for.
-- A part waits for 24 hours and for the very next message, options for seven days, on any channel, while they are among the last
-- things we said. "1" may be both: what was sent last decides.
CREATE OR REPLACE FUNCTION message_offers(p_session uuid, p_metadata jsonb, p_content text, OUT chosen text, OUT long uuid)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    s        omnichannel_sessions;
    list     record;
    long_seq bigint;
    choice   int := (p_metadata ->> 'choice')::int;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session;
    IF p_metadata ? 'list' THEN
        SELECT m.metadata -> 'options' ->> (choice - 1) INTO chosen
          FROM message_delivery_log m WHERE m.id = (p_metadata ->> 'list')::uuid AND m.profile_id = s.profile_id;
        RETURN;
    END IF;
    SELECT m.seq, m.metadata -> 'options' AS options INTO list
      FROM message_delivery_log m
     WHERE m.profile_id = s.profile_id AND m.direction = 'outbound' AND m.metadata ? 'options'
       AND m.created_at > clock_timestamp() - interval '7 days' AND m.status <> 'suppressed'
       AND (m.session_id = p_session OR NOT s.starts_afresh)
       AND (SELECT count(DISTINCT l.group_id) FROM message_delivery_log l
             WHERE l.session_id IN (m.session_id, p_session) AND l.seq > m.seq AND l.direction = 'outbound'
               AND l.message_type IN ('reply', 'tool', 'operator', 'follow_up') AND l.group_id <> m.group_id) <= 3
     ORDER BY m.seq DESC LIMIT 1;
    IF p_metadata ? 'wants_more' THEN
        SELECT m.id, m.seq INTO long, long_seq
          FROM message_delivery_log m
         WHERE m.profile_id = s.profile_id AND m.direction = 'outbound' AND m.metadata ? 'more'
           AND m.session_id = p_session AND m.channel = 'sms' AND m.status NOT IN ('suppressed', 'dead')
           AND m.created_at > clock_timestamp() - interval '24 hours'
         ORDER BY m.seq DESC LIMIT 1;
        IF EXISTS (SELECT 1 FROM message_delivery_log i
                    WHERE i.session_id = p_session AND i.direction = 'inbound' AND i.seq > long_seq)
           OR (choice IS NOT NULL AND list.seq >= long_seq) THEN
            long := NULL;
        END IF;
        IF long IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    -- A tapped title speaks for itself, if it is one of these.
    IF choice IS NOT NULL THEN
        chosen := CASE WHEN list.options ? p_content THEN p_content
                       WHEN NOT p_metadata ? 'tapped' AND p_content ~ '[0-9]' AND length(p_content) < 24 THEN list.options ->> (choice - 1) END;
    END IF;
END $$;
