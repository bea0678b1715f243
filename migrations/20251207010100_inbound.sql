-- The inbound path: who is writing, and one function that stores a message with everything that follows from it.

-- The person behind these addresses, made if nobody has them yet. All addresses of one person are one person: the
-- ones that are new are added. NULL or '' means "not given". p_id: the id a new person gets.
CREATE FUNCTION person_find_or_create(p_phone text, p_wa_id text, p_bsuid text, p_name text, p_id uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    person uuid;
    known  int;
    given  int := (coalesce(p_phone, '') <> '')::int + (coalesce(p_wa_id, '') <> '')::int + (coalesce(p_bsuid, '') <> '')::int;
BEGIN
    IF given = 0 THEN
        RAISE EXCEPTION 'a person needs an address' USING ERRCODE = '22023';
    END IF;
    FOR attempt IN 1..2 LOOP
        -- The number speaks first, then WhatsApp's own names.
        SELECT (array_agg(a.profile_id ORDER BY a.kind = 'tel' DESC, a.kind = 'wa' DESC))[1], count(*)
          INTO person, known
          FROM contact_addresses a
         WHERE (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid));
        EXIT WHEN known = given;
        -- Something is new. One writer per address from here on, always in the same order, then look again.
        IF attempt = 1 THEN
            PERFORM pg_advisory_xact_lock(k) FROM (
                SELECT DISTINCT hashtextextended(v, 20251207) AS k
                  FROM unnest(ARRAY['tel:' || nullif(p_phone, ''), 'wa:' || nullif(p_wa_id, ''), 'bsuid:' || nullif(p_bsuid, '')]) AS v
                 WHERE v IS NOT NULL ORDER BY k) AS locks;
        END IF;
    END LOOP;
    IF person IS NULL THEN
        INSERT INTO profiles (user_id, phone_number, display_name, whatsapp_jid)
        VALUES (coalesce(p_id, uuid_v7()), nullif(p_phone, ''), nullif(p_name, ''), nullif(p_wa_id, ''))
        ON CONFLICT (phone_number) DO UPDATE SET display_name = coalesce(profiles.display_name, excluded.display_name)
        RETURNING user_id INTO person;
    END IF;
    IF known < given THEN
        INSERT INTO contact_addresses (kind, value, profile_id, verified_at)
        SELECT k, v, person, clock_timestamp()
          FROM (VALUES ('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid)) AS a (k, v)
         WHERE coalesce(v, '') <> ''
        ON CONFLICT (kind, value) DO NOTHING;
        UPDATE profiles SET
            whatsapp_jid = coalesce(whatsapp_jid, nullif(p_wa_id, '')),
            display_name = coalesce(display_name, nullif(p_name, ''))
         WHERE user_id = person AND ((whatsapp_jid IS NULL AND p_wa_id <> '') OR (display_name IS NULL AND p_name <> ''));
        -- The number is a key: a statement that names it locks out all who refer to the person, so it is one of its own.
        UPDATE profiles SET phone_number = p_phone
         WHERE user_id = person AND phone_number IS NULL AND p_phone <> ''
           AND NOT EXISTS (SELECT 1 FROM profiles o WHERE o.phone_number = p_phone);
    END IF;
    RETURN person;
END $$;

-- How a person can be reached, as the planner wants to know it.
CREATE VIEW person_reach WITH (security_invoker = true) AS
    SELECT p.user_id AS profile_id,
           coalesce(p.phone_number, '') AS phone_number,
           coalesce(p.whatsapp_jid, '') AS wa_id,
           coalesce((SELECT a.value FROM contact_addresses a WHERE a.profile_id = p.user_id AND a.kind = 'bsuid'
                      ORDER BY a.created_at DESC LIMIT 1), '') AS bsuid,
           coalesce(p.display_name, '') AS display_name,
           coalesce(p.preferred_language, p.notification_preferences ->> 'language', '') AS language,
           coalesce(p.has_whatsapp, false) AS has_whatsapp,
           -- a margin, so that what is planned inside the window is also sent inside it
           coalesce(p.wa_window_until > clock_timestamp() + interval '5 minutes', false) AS window_open,
           p.allows_sms, p.allows_whatsapp,
           coalesce(p.notification_preferences ->> 'mode', '') AS mode
      FROM profiles p;

-- Writes outbound rows, all of one session, from a JSON array; a row whose idem_key is there already is left alone.
-- Under the session's lock, so that the order of seq is the order of commits. Returns the ids of the rows that are new.
CREATE FUNCTION messages_enqueue(p_session uuid, p_rows jsonb) RETURNS SETOF uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(jsonb_array_length(p_rows), 0) = 0 THEN
        RETURN;
    END IF;
    PERFORM 1 FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    RETURN QUERY
    INSERT INTO message_delivery_log (id, session_id, profile_id, call_id, channel, message_type, provider, content,
        recipient_phone, status, idem_key, group_id, part, next_attempt_at, expires_at, segments, cost_rwf, turn_id, metadata, fallback)
    SELECT r.id, p_session, s.profile_id, r.call_id, r.channel, r.message_type, r.provider, r.content,
        r.recipient_phone, 'pending', r.idem_key, r.group_id, coalesce(r.part, 1), clock_timestamp(),
        clock_timestamp() + r.expires_in_s * interval '1 second', coalesce(r.segments, 1), coalesce(r.cost_rwf, 0),
        r.turn_id, coalesce(r.metadata, '{}'), nullif(r.fallback, '{}')
      FROM ROWS FROM (jsonb_to_recordset(p_rows) AS (id uuid, call_id text, channel text, message_type text,
            provider text, content text, recipient_phone text, idem_key text, group_id uuid, part int, expires_in_s int,
            segments int, cost_rwf numeric, turn_id uuid, metadata jsonb, fallback jsonb)) WITH ORDINALITY
        AS r (id, call_id, channel, message_type, provider, content, recipient_phone, idem_key, group_id, part,
            expires_in_s, segments, cost_rwf, turn_id, metadata, fallback, n)
      JOIN omnichannel_sessions s ON s.id = p_session
     ORDER BY n
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING message_delivery_log.id;
END $$;

-- Stores one message of a person once, and all that follows: person, conversation, thread, WhatsApp's window, consent,
-- and either the agent's turn or a fixed answer. One transaction, one round trip. Repeated, it says 'duplicate'.
--   p_keyword  '' | stop | start | help: what the message means for consent (core/keyword.h)
--   p_answer   NULL, or the fixed answer that takes the place of a turn: {id, texts: {rw, en, fr, sw}, provider, cost_rwf,
--              metadata}; for stop, start and help it is the confirmation, sent only when the word changed something
--   p_turn     whether the agent shall answer
--   p_ids      new ids for message, person, session
CREATE FUNCTION record_inbound_message(p_channel text, p_provider text, p_external_id text, p_phone text, p_wa_id text,
    p_bsuid text, p_name text, p_content text, p_at timestamptz, p_metadata jsonb, p_keyword text, p_answer jsonb,
    p_turn boolean, p_quiet_ms int, p_ids uuid[])
RETURNS TABLE (outcome text, message_id uuid, session_id uuid, profile_id uuid, session_created boolean, consent_changed boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    person profiles;
    dialog record;
    wants  boolean := p_turn;
    answer jsonb := p_answer;
    call   text;
BEGIN
    consent_changed := false;
    SELECT 'duplicate', m.id, m.session_id, m.profile_id, false INTO outcome, message_id, session_id, profile_id, session_created
      FROM message_delivery_log m
     WHERE m.provider = p_provider AND m.external_message_id = p_external_id AND m.direction = 'inbound';
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;

    profile_id := person_find_or_create(p_phone, p_wa_id, p_bsuid, p_name, p_ids[2]);
    -- Everybody locks outbound messages before people before conversations, several of a kind in order of id.
    IF p_keyword = 'stop' THEN
        PERFORM 1 FROM message_delivery_log m
          WHERE m.profile_id = record_inbound_message.profile_id AND m.channel = p_channel AND m.status IN ('pending', 'failed')
          ORDER BY m.id FOR NO KEY UPDATE;
    END IF;
    UPDATE profiles p SET
        last_active_channel = p_channel,
        has_whatsapp = CASE WHEN p_channel = 'whatsapp' THEN true ELSE p.has_whatsapp END,
        has_whatsapp_at = CASE WHEN p_channel = 'whatsapp' THEN clock_timestamp() ELSE p.has_whatsapp_at END,
        wa_window_until = CASE WHEN p_channel = 'whatsapp' THEN
            greatest(p.wa_window_until, least(p_at, clock_timestamp()) + interval '24 hours') ELSE p.wa_window_until END
     WHERE p.user_id = profile_id
       AND (p.last_active_channel IS DISTINCT FROM p_channel OR p_channel = 'whatsapp' OR p_keyword IN ('stop', 'start'));
    SELECT * INTO dialog FROM session_open(profile_id, p_channel, NULL, NULL, NULL, p_ids[3]);
    session_id := dialog.id;

    INSERT INTO message_delivery_log AS m (id, session_id, profile_id, call_id, channel, direction, message_type, provider,
        content, recipient_phone, status, external_message_id, idem_key, awaits_turn, metadata)
    SELECT p_ids[1], s.id, profile_id, s.call_id, p_channel, 'inbound', 'message', p_provider,
        p_content, nullif(p_phone, ''), 'received', p_external_id, 'in:' || p_ids[1], false, p_metadata
      FROM omnichannel_sessions s WHERE s.id = session_id
    ON CONFLICT (provider, external_message_id) WHERE direction = 'inbound' DO NOTHING
    RETURNING m.id, m.call_id INTO message_id, call;
    IF NOT FOUND THEN -- the same message came on another connection at the same moment
        SELECT 'duplicate', m.id, m.session_id, false INTO outcome, message_id, session_id, session_created
          FROM message_delivery_log m
         WHERE m.provider = p_provider AND m.external_message_id = p_external_id AND m.direction = 'inbound';
        RETURN NEXT;
        RETURN;
    END IF;
    outcome := 'new';
    session_created := dialog.created;
    PERFORM thread_touch(session_id, profile_id, p_channel, call, 1);

    IF p_keyword IN ('stop', 'start') THEN
        UPDATE profiles p SET
            allows_sms = CASE WHEN p_channel = 'sms' THEN p_keyword = 'start' ELSE p.allows_sms END,
            allows_whatsapp = CASE WHEN p_channel = 'whatsapp' THEN p_keyword = 'start' ELSE p.allows_whatsapp END
         WHERE p.user_id = profile_id
           AND CASE p_channel WHEN 'sms' THEN p.allows_sms ELSE p.allows_whatsapp END <> (p_keyword = 'start');
        consent_changed := FOUND;
        IF p_keyword = 'stop' THEN
            UPDATE message_delivery_log m SET status = 'suppressed', next_attempt_at = NULL, error_code = 'opted_out'
             WHERE m.profile_id = record_inbound_message.profile_id AND m.channel = p_channel
               AND m.status IN ('pending', 'failed')
               AND (consent_changed OR m.message_type <> 'confirmation'); -- the answer to an earlier STOP still goes
            wants := false;
        ELSIF NOT consent_changed THEN -- somebody who never stopped says a word like "start": an ordinary message
            wants := true;
        END IF;
        IF NOT consent_changed THEN
            answer := NULL;
        END IF;
    END IF;

    SELECT * INTO person FROM profiles p WHERE p.user_id = profile_id;
    IF answer IS NOT NULL THEN
        PERFORM messages_enqueue(session_id, jsonb_build_array(answer - 'texts' || jsonb_build_object(
            'content', coalesce(answer -> 'texts' ->> coalesce(person.preferred_language, 'en'), answer -> 'texts' ->> 'en'),
            'recipient_phone', person.phone_number, 'channel', p_channel, 'message_type', 'confirmation',
            'idem_key', 'answer:' || message_id || ':' || p_channel || ':1', 'group_id', message_id,
            'expires_in_s', 21600, 'call_id', call)));
    ELSIF wants AND (CASE p_channel WHEN 'sms' THEN person.allows_sms ELSE person.allows_whatsapp END) THEN
        -- A short quiet time joins messages that come in a row; a turn that is running folds this one into the next. The parts of
        -- a long text wait for each other, in whatever order they come, but not for ever.
        UPDATE message_delivery_log m SET awaits_turn = true WHERE m.id = message_id;
        UPDATE omnichannel_sessions s SET
            turn_due_at = clock_timestamp() + CASE
                WHEN (p_metadata ->> 'parts')::int > (SELECT count(*) FROM message_delivery_log m
                      WHERE m.session_id = s.id AND m.awaits_turn AND m.metadata ->> 'ref' = p_metadata ->> 'ref')
                THEN interval '20 seconds' ELSE p_quiet_ms * interval '1 millisecond' END,
            turn_attempts = CASE WHEN s.needs_human THEN 0 ELSE s.turn_attempts END
         WHERE s.id = session_id;
    END IF;
    RETURN NEXT;
END $$;

-- Keeps what was signed but could not be read. True when these bytes are new.
CREATE FUNCTION record_inbound_poison(p_program text, p_provider text, p_reason text, p_digest text, p_body bytea)
RETURNS boolean LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH kept AS (
        INSERT INTO inbound_poison (program, provider, reason, digest, body)
        VALUES (p_program, p_provider, p_reason, p_digest, p_body)
        ON CONFLICT (digest) DO NOTHING RETURNING 1)
    SELECT EXISTS (SELECT 1 FROM kept)
$$;
