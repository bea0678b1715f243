-- What becomes of an answer after the agent has worded it: what it may name, how a long one goes on by SMS, what a number that
-- comes back stands for.

-- Hosts and numbers that a message of this agent may name, besides PUBLIC_URL's host, the person's own number and our own; anything
-- else is taken out (flow/guard.h).
ALTER TABLE agents
    ADD COLUMN allowed_links text[] NOT NULL DEFAULT '{}',
    ADD COLUMN allowed_numbers text[] NOT NULL DEFAULT '{}';

-- An outbound row's metadata says what it offers:
--   options  what the numbers in its text stand for, "1" first
--   more     the parts that follow it by SMS, [{text, segments, cost_rwf}]
CREATE INDEX messages_offering ON message_delivery_log (profile_id, seq)
    WHERE direction = 'outbound' AND (metadata ? 'more' OR metadata ? 'options');

-- What a message that is just coming in means by what we sent before: the option it names, or the SMS whose next part it asks for.
-- A part waits for 24 hours and for the very next message, options for seven days, on any channel, while they are among the last
-- things we said. "1" may be both: what was sent last decides.
CREATE FUNCTION message_offers(p_session uuid, p_metadata jsonb, p_content text, OUT chosen text, OUT long uuid)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    s        omnichannel_sessions;
    list     record;
    long_seq bigint;
    choice   int := (p_metadata ->> 'choice')::int;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session;
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
                       WHEN p_content ~ '[0-9]' AND length(p_content) < 24 THEN list.options ->> (choice - 1) END;
    END IF;
END $$;

-- The next part of a long SMS, once.
CREATE FUNCTION message_go_on(p_long uuid, p_cause uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    m    message_delivery_log;
    part jsonb;
BEGIN
    SELECT * INTO m FROM message_delivery_log l WHERE l.id = p_long;
    part := m.metadata -> 'more' -> 0;
    PERFORM messages_enqueue(m.session_id, jsonb_build_array(jsonb_build_object(
        'id', uuid_v7(), 'channel', m.channel, 'provider', m.provider, 'message_type', 'reply', 'content', part ->> 'text',
        'recipient_phone', m.recipient_phone, 'call_id', m.call_id, 'idem_key', 'more:' || m.id, 'group_id', p_cause,
        'expires_in_s', 900, 'segments', part -> 'segments', 'cost_rwf', part -> 'cost_rwf',
        'metadata', m.metadata - 'more' || CASE WHEN jsonb_array_length(m.metadata -> 'more') > 1
                                                THEN jsonb_build_object('more', (m.metadata -> 'more') - 0) ELSE '{}' END)));
    PERFORM thread_touch(m.session_id, m.profile_id, m.channel, m.call_id, 1);
END $$;

-- As before, and besides: what was planned before the person said STOP on this channel is written, but not sent.
CREATE OR REPLACE FUNCTION messages_enqueue(p_session uuid, p_rows jsonb) RETURNS SETOF uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(jsonb_array_length(p_rows), 0) = 0 THEN
        RETURN;
    END IF;
    -- Whoever takes the word STOP holds this lock too: it finds these rows and suppresses them, or they find it.
    PERFORM 1 FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    RETURN QUERY
    INSERT INTO message_delivery_log (id, session_id, profile_id, call_id, channel, message_type, provider, content,
        recipient_phone, status, idem_key, group_id, part, next_attempt_at, expires_at, segments, cost_rwf, turn_id, metadata, fallback, error_code)
    SELECT r.id, p_session, s.profile_id, r.call_id, r.channel, r.message_type, r.provider, r.content,
        r.recipient_phone, CASE WHEN no.refuses THEN 'suppressed' ELSE 'pending' END, r.idem_key, r.group_id, coalesce(r.part, 1),
        CASE WHEN NOT no.refuses THEN clock_timestamp() END,
        clock_timestamp() + r.expires_in_s * interval '1 second', coalesce(r.segments, 1), coalesce(r.cost_rwf, 0),
        r.turn_id, coalesce(r.metadata, '{}'), nullif(r.fallback, '{}'),
        CASE WHEN no.refuses THEN 'opted_out' END
      FROM ROWS FROM (jsonb_to_recordset(p_rows) AS (id uuid, call_id text, channel text, message_type text,
            provider text, content text, recipient_phone text, idem_key text, group_id uuid, part int, expires_in_s int,
            segments int, cost_rwf numeric, turn_id uuid, metadata jsonb, fallback jsonb)) WITH ORDINALITY
        AS r (id, call_id, channel, message_type, provider, content, recipient_phone, idem_key, group_id, part,
            expires_in_s, segments, cost_rwf, turn_id, metadata, fallback, n)
      JOIN omnichannel_sessions s ON s.id = p_session
     CROSS JOIN LATERAL (SELECT r.message_type <> 'confirmation' AND person_refuses(s.profile_id, r.channel) AS refuses) AS no
     ORDER BY n
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING message_delivery_log.id;
END $$;

-- Whether a fixed answer goes out:
--   go      yes
--   quiet   no: the same sentence went out a moment ago (an album is many pictures); or two machines were talking, and the notice
--           that nobody answers went out: then a word like STOP is still confirmed, six times an hour
--   loop    no: two machines are talking, a turn shall say so
CREATE FUNCTION answer_check(p_session uuid, p_profile uuid, p_channel text, p_keyword text, p_texts jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH sent AS (
        SELECT m.channel, m.content, m.created_at FROM message_delivery_log m
         WHERE m.profile_id = p_profile AND m.message_type = 'confirmation'
           AND m.status <> 'suppressed' AND m.created_at > clock_timestamp() - interval '1 hour')
    SELECT CASE
        WHEN p_keyword = '' AND EXISTS (SELECT 1 FROM sent x JOIN jsonb_each_text(p_texts) AS w ON w.value = x.content
                                         WHERE x.channel = p_channel AND x.created_at > clock_timestamp() - interval '10 seconds') THEN 'quiet'
        WHEN EXISTS (SELECT 1 FROM omnichannel_sessions s WHERE s.profile_id = p_profile AND s.muted_until > clock_timestamp())
        THEN CASE WHEN p_keyword <> '' AND (SELECT count(*) FROM sent) < 6 THEN 'go' ELSE 'quiet' END
        WHEN session_loops(p_session, 9223372036854775807) THEN 'loop'
        ELSE 'go' END
$$;

-- Stores one message of a person once, and all that follows: person, conversation, thread, WhatsApp's window, consent,
-- and either the agent's turn or a fixed answer. One transaction, one round trip. Repeated, it says 'duplicate'.
--   p_keyword  '' | stop | start | help: what the message means for consent (core/keyword.h)
--   p_answer   NULL, or the fixed answer that takes the place of a turn: {id, texts: {rw, en, fr, sw}, provider, cost_rwf,
--              metadata}; for stop, start and help it is the confirmation, sent only when the word changed something
--   p_turn     whether the agent shall answer
--   p_metadata {choice: n}: it names the n-th of the options we gave; {wants_more: true}: it may ask for the next part of a long
--              SMS, which then is the answer. What became of it is kept as {option: text}
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
    -- Who is nobody yet has no messages; who learns an address now is locked by that.
    IF p_keyword = 'stop' THEN
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
            greatest(p.wa_window_until, least(p_at, clock_timestamp()) + interval '24 hours') ELSE p.wa_window_until END
     WHERE p.user_id = profile_id
       AND (p.last_active_channel IS DISTINCT FROM p_channel OR p_channel = 'whatsapp' OR p_keyword IN ('stop', 'start'));
    IF p_channel = 'whatsapp' THEN
        PERFORM address_window(profile_id, p_wa_id, p_bsuid, least(p_at, clock_timestamp()) + interval '24 hours');
    END IF;
    SELECT * INTO dialog FROM session_open(profile_id, p_channel, NULL, NULL, NULL, p_ids[3]);
    session_id := dialog.id;
    IF p_metadata ?| ARRAY['choice', 'wants_more'] THEN
        SELECT o.chosen, o.long INTO chosen, long FROM message_offers(session_id, p_metadata, p_content) AS o;
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
    IF long IS NOT NULL AND person.allows_sms THEN
        PERFORM message_go_on(long, message_id);
    ELSIF answer IS NOT NULL AND (p_keyword IN ('stop', 'start')
            OR CASE p_channel WHEN 'sms' THEN person.allows_sms ELSE person.allows_whatsapp END) THEN
        PERFORM messages_enqueue(session_id, jsonb_build_array(answer - 'texts' || jsonb_build_object(
            'content', coalesce(answer -> 'texts' ->> left(lower(coalesce(person.preferred_language,
                person.notification_preferences ->> 'language', (SELECT c.language FROM call_summaries c WHERE c.call_id = call))), 2),
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

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('message_offers', 'message_go_on', 'answer_check', 'messages_enqueue', 'record_inbound_message')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
