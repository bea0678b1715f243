-- What comes in, and the rest of a long SMS that it may ask for.

-- 1. The rest of a long SMS --------------------------------------------------------------------------------------------------

-- The SMS whose next part a message asks for, on whatever channel: a part waits for 24 hours and for the very next message. "1" may
-- also be a choice (p_choice): what was sent last decides. By WhatsApp nobody asks for what is there in full, or with something newer
-- to answer.
CREATE FUNCTION message_continues(p_session uuid, p_channel text, p_choice int) RETURNS uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT m.id
      FROM (SELECT l.id, l.seq, l.profile_id, l.group_id
              FROM omnichannel_sessions s
              JOIN message_delivery_log l ON l.profile_id = s.profile_id
             WHERE s.id = p_session AND l.session_id = p_session AND l.direction = 'outbound'
               AND l.metadata ? 'more' -- has an index
               AND jsonb_typeof(l.metadata -> 'more') = 'array' AND jsonb_typeof(l.metadata #> '{more,0,text}') = 'string' -- also from outside
               AND l.channel = 'sms' AND l.status NOT IN ('suppressed', 'dead')
               AND l.created_at > clock_timestamp() - interval '24 hours'
             ORDER BY l.seq DESC LIMIT 1) AS m
     WHERE NOT EXISTS (SELECT 1 FROM message_delivery_log i
                        WHERE i.session_id = p_session AND i.direction = 'inbound' AND i.seq > m.seq)
       AND NOT (p_channel = 'whatsapp' AND EXISTS (
            SELECT 1 FROM message_delivery_log w
             WHERE w.session_id = p_session AND w.direction = 'outbound' AND w.channel = 'whatsapp'
               AND (w.group_id = m.group_id OR w.seq > m.seq) AND w.status NOT IN ('suppressed', 'dead', 'undelivered')))
       AND NOT (p_choice IS NOT NULL AND EXISTS (
            SELECT 1 FROM message_delivery_log o
             WHERE o.profile_id = m.profile_id AND o.direction = 'outbound' AND o.metadata ? 'options' AND o.status <> 'suppressed'
               AND o.seq >= m.seq))
$$;

-- All parts that follow, as one text. Each but the last ends in a line that says how to get the next.
CREATE FUNCTION message_rest(p_more jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE WHEN n = 1 THEN '' WHEN before ~ '[.!?:]$' OR words ~ '^([0-9]{1,2}[.):]|[-*]) ' THEN E'\n' ELSE ' ' END
                      || words, '' ORDER BY n)
      FROM (SELECT n, words, lag(words) OVER (ORDER BY n) AS before
              FROM (SELECT n, CASE WHEN n < jsonb_array_length(p_more) THEN regexp_replace(part ->> 'text', E'\n[^\n]*$', '')
                                   ELSE part ->> 'text' END AS words
                      FROM jsonb_array_elements(p_more) WITH ORDINALITY AS a (part, n)) AS parts) AS t
$$;

-- Who read an SMS and asks for the rest by WhatsApp gets it there, all of it, once. p_by: {provider, cost_rwf, bsuid?}.
CREATE FUNCTION message_go_on_by_whatsapp(p_long uuid, p_cause uuid, p_phone text, p_by jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m message_delivery_log;
BEGIN
    SELECT * INTO m FROM message_delivery_log l WHERE l.id = p_long;
    PERFORM messages_enqueue(m.session_id, jsonb_build_array(jsonb_build_object(
        'id', uuid_v7(), 'channel', 'whatsapp', 'provider', p_by -> 'provider', 'message_type', 'reply',
        'content', left(message_rest(m.metadata -> 'more'), 4096), 'recipient_phone', p_phone, 'call_id', m.call_id,
        'idem_key', 'more:' || m.id, 'group_id', p_cause, 'expires_in_s', 900, 'segments', 1, 'cost_rwf', p_by -> 'cost_rwf',
        'metadata', jsonb_strip_nulls(m.metadata - ARRAY['more', 'options', 'bsuid'] || jsonb_build_object('bsuid', p_by -> 'bsuid')))));
    PERFORM thread_touch(m.session_id, m.profile_id, 'whatsapp', m.call_id, 1);
END $$;

-- 2. What comes in -------------------------------------------------------------------------------------------------------

-- Stores one message of a person once, and all that follows: person, conversation, thread, WhatsApp's window, consent,
-- and either the agent's turn or a fixed answer. One transaction, one round trip. Repeated, it says 'duplicate'.
--   p_keyword  '' | stop | start | help | new: what the message means for consent (core/keyword.h)
--   p_answer   NULL, or the fixed answer that takes the place of a turn: {id, texts: {rw, en, fr, sw}, provider, cost_rwf,
--              metadata}; for stop, start and help it is the confirmation, sent only when the word changed something
--   p_turn     whether the agent shall answer
--   p_metadata {choice: n}: it names the n-th of the options we gave; {wants_more: {provider, cost_rwf}}: it may ask for the rest of
--              a long SMS, which then is the answer, on its own channel. What became of it is kept as {option: text}. {language}: a
--              word of that language was the whole message: the person is answered in it from now on
--   p_ids      new ids for message, person, session
CREATE OR REPLACE FUNCTION record_inbound_message(p_channel text, p_provider text, p_external_id text, p_phone text, p_wa_id text,
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
    facts  jsonb := p_metadata - 'choice' - 'wants_more';
    chosen text;
    long   uuid; -- the SMS that goes on
    fixed  text; -- whether the fixed answer goes out
    first_at timestamptz; -- the first message that no turn has read
    joined uuid;
BEGIN
    consent_changed := false;
    SELECT 'duplicate', m.id, m.session_id, m.profile_id, false INTO outcome, message_id, session_id, profile_id, session_created
      FROM message_delivery_log m
     WHERE m.provider = p_provider AND m.external_message_id = p_external_id AND m.direction = 'inbound';
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;

    -- Everybody locks outbound messages before people before conversations before inbound messages, several of a kind in order of id.
    -- Who is nobody yet has no messages; who learns an address now is locked by that. Whoever joins two persons takes the addresses first.
    IF p_keyword = 'stop' THEN
        IF (SELECT count(DISTINCT a.profile_id) FROM contact_addresses a
             WHERE (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid))) > 1 THEN
            PERFORM addresses_lock(p_phone, p_wa_id, p_bsuid);
        END IF;
        PERFORM 1 FROM message_delivery_log m
          WHERE m.profile_id IN (SELECT a.profile_id FROM contact_addresses a
                                  WHERE (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid)))
            AND m.channel = p_channel AND m.status IN ('pending', 'failed')
          ORDER BY m.id FOR NO KEY UPDATE;
    END IF;
    profile_id := person_find_or_create(p_phone, p_wa_id, p_bsuid, p_name, p_ids[2]);
    PERFORM number_used(profile_id, p_phone);
    UPDATE profiles p SET
        last_active_channel = p_channel,
        has_whatsapp = CASE WHEN p_channel = 'whatsapp' THEN true ELSE p.has_whatsapp END,
        has_whatsapp_at = CASE WHEN p_channel = 'whatsapp' THEN clock_timestamp() ELSE p.has_whatsapp_at END,
        wa_window_until = CASE WHEN p_channel = 'whatsapp' THEN
            greatest(p.wa_window_until, least(p_at, clock_timestamp()) + interval '24 hours') ELSE p.wa_window_until END,
        preferred_language = coalesce(language_code(p_metadata ->> 'language'), p.preferred_language)
     WHERE p.user_id = profile_id
       AND (p.last_active_channel IS DISTINCT FROM p_channel OR p_channel = 'whatsapp' OR p_keyword IN ('stop', 'start')
            OR p_metadata ? 'language');
    -- Somebody whom only WhatsApp's own id names may have been joined to another since; whoever did that has finished by now.
    SELECT p.merged_into INTO joined FROM profiles p WHERE p.user_id = profile_id;
    IF joined IS NOT NULL THEN
        profile_id := joined;
        PERFORM 1 FROM profiles p WHERE p.user_id = joined FOR NO KEY UPDATE;
    END IF;
    PERFORM address_proven(profile_id, p_phone, p_wa_id, p_bsuid); -- people before their addresses
    IF p_channel = 'whatsapp' THEN
        PERFORM address_window(profile_id, p_wa_id, p_bsuid, least(p_at, clock_timestamp()) + interval '24 hours');
    END IF;
    SELECT * INTO dialog FROM session_open(profile_id, p_channel, NULL, NULL, NULL, p_ids[3]);
    session_id := dialog.id;
    IF p_metadata ? 'wants_more' THEN
        long := message_continues(session_id, p_channel, (p_metadata ->> 'choice')::int);
    END IF;
    IF long IS NULL AND p_metadata ? 'choice' THEN
        chosen := message_option(session_id, p_metadata, p_content);
        facts := facts || jsonb_strip_nulls(jsonb_build_object('option', chosen));
    END IF;

    INSERT INTO message_delivery_log AS m (id, session_id, profile_id, call_id, channel, direction, message_type, provider,
        content, recipient_phone, status, external_message_id, idem_key, awaits_turn, metadata)
    SELECT p_ids[1], s.id, profile_id, s.call_id, p_channel, 'inbound', 'message', p_provider,
        p_content, nullif(p_phone, ''), 'received', p_external_id, 'in:' || p_ids[1], false, facts
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

    IF answer IS NOT NULL THEN
        fixed := answer_check(session_id, profile_id, p_channel, p_keyword, answer -> 'texts');
        IF fixed <> 'go' THEN
            answer := NULL;
            wants := fixed = 'loop' AND p_keyword <> 'stop';
        END IF;
    END IF;

    SELECT * INTO person FROM profiles p WHERE p.user_id = profile_id;
    IF long IS NOT NULL AND p_channel = 'sms' AND person.allows_sms THEN
        PERFORM message_go_on(long, message_id);
    ELSIF long IS NOT NULL AND p_channel = 'whatsapp' AND person.allows_whatsapp THEN
        PERFORM message_go_on_by_whatsapp(long, message_id, person.phone_number, jsonb_build_object(
            'provider', coalesce(p_metadata #>> '{wants_more,provider}', p_provider),
            'cost_rwf', coalesce(p_metadata #> '{wants_more,cost_rwf}', '0'), 'bsuid', nullif(p_bsuid, '')));
    ELSIF answer IS NOT NULL AND (p_keyword IN ('stop', 'start', 'help') -- HELP is asked for, also by who said STOP
            OR CASE p_channel WHEN 'sms' THEN person.allows_sms ELSE person.allows_whatsapp END) THEN
        PERFORM messages_enqueue(session_id, jsonb_build_array(answer - 'texts' || jsonb_build_object(
            'content', coalesce(answer -> 'texts' ->> language_code(coalesce(person.preferred_language,
                person.notification_preferences ->> 'language', (SELECT c.language FROM call_summaries c WHERE c.call_id = call))),
                answer -> 'texts' ->> 'en'),
            'recipient_phone', person.phone_number, 'channel', p_channel, 'message_type', 'confirmation',
            'idem_key', 'answer:' || message_id || ':' || p_channel || ':1', 'group_id', message_id,
            'expires_in_s', 21600, 'call_id', call)));
    ELSIF wants AND (CASE p_channel WHEN 'sms' THEN person.allows_sms ELSE person.allows_whatsapp END) THEN
        -- A short quiet time joins messages that come in a row; a turn that is running folds this one into the next. The parts of
        -- a long text wait for each other, in whatever order they come. But not for ever: who goes on writing is answered too.
        UPDATE message_delivery_log m SET awaits_turn = true WHERE m.id = message_id;
        SELECT coalesce(min(m.created_at), clock_timestamp()) INTO first_at FROM message_delivery_log m, omnichannel_sessions s
         WHERE s.id = record_inbound_message.session_id AND m.session_id = s.id AND m.awaits_turn AND m.seq > coalesce(s.turn_upto, 0);
        UPDATE omnichannel_sessions s SET
            turn_due_at = CASE
                WHEN (p_metadata ->> 'parts')::int > (SELECT count(*) FROM message_delivery_log m
                      WHERE m.session_id = s.id AND m.awaits_turn AND m.metadata ->> 'ref' = p_metadata ->> 'ref')
                THEN least(clock_timestamp() + interval '20 seconds', first_at + interval '30 seconds')
                ELSE least(clock_timestamp() + p_quiet_ms * interval '1 millisecond',
                           first_at + greatest(p_quiet_ms, least(8 * p_quiet_ms, 10000)) * interval '1 millisecond') END,
            turn_attempts = CASE WHEN s.needs_human THEN 0 ELSE s.turn_attempts END
         WHERE s.id = session_id;
    END IF;
    RETURN NEXT;
END $$;

DROP FUNCTION message_offers(uuid, jsonb, text); -- message_option() and message_continues() take its place

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('message_continues', 'message_rest', 'message_go_on_by_whatsapp')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
