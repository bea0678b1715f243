-- What people and callers say in their own words, languages and clocks, and what is made of it.

-- 1. Intents ---------------------------------------------------------------------------------------------------------

-- As a reader takes an intent: "Real Estate", "real-estate" and real_estate are one.
CREATE FUNCTION intent_key(p_intent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT regexp_replace(lower(btrim(p_intent)), '[[:space:]_-]+', '_', 'g')
$$;

CREATE FUNCTION intent_leads_to(a agents, p_intent text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(a.intents) AS i WHERE intent_key(i) = intent_key(p_intent))
$$;

-- As before, with intents in any spelling: another spelling is no other intent.
CREATE OR REPLACE FUNCTION session_reroute() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.last_agent_id IS NOT DISTINCT FROM OLD.last_agent_id
       AND intent_key(NEW.last_intent) IS DISTINCT FROM intent_key(OLD.last_intent)
       AND EXISTS (SELECT 1 FROM agents a WHERE intent_leads_to(a, NEW.last_intent)) THEN
        NEW.last_agent_id := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION agent_for(p_last_agent text, p_intent text) RETURNS agents
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT a FROM agents a
     CROSS JOIN LATERAL (SELECT intent_leads_to(a, p_intent) AS fits) AS i
     WHERE a.slug = p_last_agent OR i.fits OR a.is_default
     ORDER BY (a.slug IS NOT DISTINCT FROM p_last_agent) DESC, i.fits DESC, a.slug
     LIMIT 1
$$;

-- 2. Calls -----------------------------------------------------------------------------------------------------------

ALTER TABLE call_summaries
    ADD COLUMN times_doubted boolean NOT NULL DEFAULT false,
    ADD COLUMN end_told boolean NOT NULL DEFAULT false,
    ADD COLUMN told_last text;
COMMENT ON COLUMN call_summaries.times_doubted IS 'somebody reported a time that is still to come; the time of the report stands in its place';
COMMENT ON COLUMN call_summaries.end_told IS 'ended_at is what somebody reported, not when we heard of it';
COMMENT ON COLUMN call_summaries.told_last IS 'what was known of it when its person was last told: call_told()';

-- Whoever reports a call's times has a clock of its own. What is more than five minutes ahead of ours is taken as now.
CREATE FUNCTION call_times() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    here   timestamptz := clock_timestamp();
    latest timestamptz := here + interval '5 minutes';
BEGIN
    IF greatest(NEW.started_at, NEW.answered_at, NEW.ended_at) > latest THEN -- NULL is not known, and stays so
        NEW.started_at := CASE WHEN NEW.started_at > latest THEN here ELSE NEW.started_at END;
        NEW.answered_at := CASE WHEN NEW.answered_at > latest THEN here ELSE NEW.answered_at END;
        NEW.ended_at := CASE WHEN NEW.ended_at > latest THEN here ELSE NEW.ended_at END;
        NEW.duration_seconds := CASE WHEN NEW.duration_seconds IS NOT NULL AND NEW.started_at IS NOT NULL AND NEW.ended_at IS NOT NULL
            THEN least(2147483647, greatest(0, extract(epoch FROM NEW.ended_at - NEW.started_at)))::int END;
        NEW.times_doubted := true;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER call_times BEFORE INSERT OR UPDATE OF started_at, answered_at, ended_at ON call_summaries
    FOR EACH ROW EXECUTE FUNCTION call_times();

-- Whether it is reported to have begun and ended within one second: nothing can have been said, whoever says that it was answered. An end
-- before the beginning, or one that only our own clock saw, says nothing of that kind.
CREATE FUNCTION call_took_no_time(c call_summaries) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(c.end_told AND NOT c.times_doubted AND c.ended_at >= c.started_at AND c.ended_at - c.started_at < interval '1 second', false)
$$;

-- What follows from the end of a call that nobody has been told of yet: its duration, when the notification is due, whether a text is
-- made from the transcript. p_wait_s: how long a text is waited for. One that was made of a transcript is made again of the next, and is
-- told only if that takes too long.
CREATE OR REPLACE FUNCTION call_schedule(p_call uuid, p_wait_s int) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE call_summaries s SET
        duration_seconds = least(2147483647, greatest(0, extract(epoch FROM s.ended_at - s.started_at)))::int,
        summarise_due_at = n.making,
        notify_due_at = CASE
            WHEN s.notified_at IS NOT NULL THEN NULL
            WHEN (call_has_text(s) AND n.making IS NULL) OR s.status IN ('missed', 'failed') THEN clock_timestamp()
            ELSE s.end_seen_at + p_wait_s * interval '1 second' END
      FROM (SELECT c.id, CASE WHEN (call_has_text(c) AND NOT c.text_made) OR NOT coalesce(c.transcript ~ '\S', false) THEN NULL
                              WHEN c.summarise_tries = 0 THEN coalesce(c.summarise_due_at, clock_timestamp()) ELSE c.summarise_due_at END AS making
              FROM call_summaries c WHERE c.id = p_call) AS n
     WHERE s.id = n.id AND s.end_seen_at IS NOT NULL
$$;

-- Stores what is known of a call and opens its conversation. A call that is known keeps its own number, whatever the caller
-- says, and one whose caller has no address at all takes the first that is named; an unknown one needs p_phone. Later facts complete earlier ones. No row comes back for an unknown call without a
-- number: its end, if that was what came, is kept ten minutes and fires when the call appears.
--   p_ended    the call is over; its notification becomes due, at once if there is a text, else in p_wait_s seconds
--   p_ids      new ids for call row, person, session
-- What is known of its channel stays, whoever names another: a SIP call says nothing of WhatsApp.
-- A call that is over without any text was missed if nobody answered it, or if it took no time.
CREATE OR REPLACE FUNCTION record_call(p_call_id text, p_sip_call_id text, p_phone text, p_channel text, p_summary text, p_bullets jsonb,
    p_next_actions jsonb, p_transcript text, p_intent text, p_language text, p_started_at timestamptz,
    p_ended_at timestamptz, p_answered boolean, p_ended boolean, p_wait_s int, p_ids uuid[])
RETURNS TABLE (id uuid, call_id text, profile_id uuid, session_id uuid, created boolean, session_created boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c        call_summaries;
    twin     call_summaries;
    trigger  call_triggers;
    dialog   record;
    person   uuid;
    joined   uuid;
    ended    boolean := p_ended;
    answer   boolean := p_answered;
    over_at  timestamptz := p_ended_at;
    had      text; -- its transcript until now
    began    timestamptz := p_started_at;
    points   jsonb := lines_said(p_bullets);
    steps    jsonb := CASE WHEN jsonb_array_length(p_next_actions) = 0 THEN p_next_actions ELSE lines_said(p_next_actions) END;
    prose    text := CASE WHEN p_summary ~ '\S' THEN p_summary END;
    told     boolean := prose IS NOT NULL OR points IS NOT NULL; -- somebody who was there says what it was about
BEGIN
    created := false;
    session_created := false;
    -- One at a time for a call, by whichever of its names: its end must find it, or be found by it.
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('call:' || v, 20251207) AS k
          FROM unnest(ARRAY[p_call_id, p_sip_call_id]) AS v WHERE v IS NOT NULL ORDER BY k) AS locks;
    -- An exchange may pass its own name of a call for the provider's.
    IF p_sip_call_id IS NULL AND EXISTS (SELECT 1 FROM call_summaries s WHERE s.sip_call_id = p_call_id)
       AND NOT EXISTS (SELECT 1 FROM call_summaries s WHERE s.call_id = p_call_id) THEN
        p_sip_call_id := p_call_id;
        p_call_id := NULL;
    END IF;
    PERFORM 1 FROM call_summaries s WHERE s.call_id = p_call_id OR s.sip_call_id = p_sip_call_id ORDER BY s.id FOR NO KEY UPDATE;
    SELECT * INTO c FROM call_summaries s WHERE s.call_id = p_call_id;
    SELECT * INTO twin FROM call_summaries s WHERE s.sip_call_id = p_sip_call_id AND s.call_id IS DISTINCT FROM p_call_id;
    IF c.id IS NULL AND twin.id IS NOT NULL THEN
        c := twin;
        IF p_call_id IS NOT NULL AND c.call_id = c.sip_call_id THEN -- until now only the exchange's name was known
            UPDATE call_summaries s SET call_id = p_call_id WHERE s.id = c.id;
            PERFORM call_rename(c.profile_id, c.call_id, p_call_id);
            c.call_id := p_call_id;
        END IF;
    ELSIF twin.id IS NOT NULL THEN
        IF twin.call_id = twin.sip_call_id AND twin.profile_id = c.profile_id THEN
            PERFORM call_fold(c.id, twin.id);
            UPDATE call_summaries s SET end_told = s.end_told OR (twin.end_told AND s.ended_at = twin.ended_at),
                told_last = coalesce(s.told_last, twin.told_last)
             WHERE s.id = c.id RETURNING * INTO c;
            ended := ended OR (c.end_seen_at IS NOT NULL);
        ELSE -- the name is another call's
            p_sip_call_id := NULL;
        END IF;
    END IF;
    IF c.id IS NULL THEN
        IF coalesce(p_phone, '') = '' THEN
            INSERT INTO call_triggers AS t (ref, started_at, ended_at, answered)
            SELECT DISTINCT v, p_started_at, p_ended_at, p_answered FROM unnest(ARRAY[p_call_id, p_sip_call_id]) AS v WHERE p_ended AND v IS NOT NULL
            ON CONFLICT (ref) DO UPDATE SET expires_at = excluded.expires_at,
                started_at = coalesce(t.started_at, excluded.started_at),
                ended_at = coalesce(t.ended_at, excluded.ended_at), answered = coalesce(t.answered, excluded.answered);
            RETURN;
        END IF;
        person := person_find_or_create(p_phone, CASE WHEN p_channel = 'whatsapp' THEN substr(p_phone, 2) END, NULL, NULL, p_ids[2]);
        PERFORM number_used(person, p_phone);
        INSERT INTO call_summaries AS s (id, call_id, sip_call_id, phone_number, profile_id, channel, status)
        VALUES (p_ids[1], coalesce(p_call_id, p_sip_call_id), p_sip_call_id, p_phone, person, coalesce(p_channel, 'sip'), 'in_progress')
        RETURNING * INTO c;
        created := true;
    END IF;
    IF c.profile_id IS NULL THEN -- a row from before messaging
        IF coalesce(c.phone_number, p_phone, '') = '' THEN
            RETURN;
        END IF;
        c.profile_id := person_find_or_create(coalesce(c.phone_number, p_phone), NULL, NULL, NULL, p_ids[2]);
    END IF;
    -- A caller without any address, until whoever may name one does. An outside system's person may have one in the profile alone.
    IF p_phone <> '' AND c.phone_number IS NULL AND NOT EXISTS (SELECT 1 FROM contact_addresses a WHERE a.profile_id = c.profile_id)
       AND EXISTS (SELECT 1 FROM profiles p WHERE p.user_id = c.profile_id AND coalesce(p.phone_number, '') = '' AND coalesce(p.whatsapp_jid, '') = '') THEN
        person := person_find_or_create(p_phone, NULL, NULL, NULL, p_ids[2]);
        IF person <> c.profile_id THEN
            PERFORM person_join(person, c.profile_id);
            PERFORM number_used(person, p_phone);
            SELECT * INTO c FROM call_summaries s WHERE s.id = c.id;
        END IF;
    END IF;
    WITH fired AS (
        DELETE FROM call_triggers t
         WHERE t.ref IN (c.call_id, c.sip_call_id, p_sip_call_id) AND t.expires_at > clock_timestamp()
        RETURNING *)
    SELECT * INTO trigger FROM fired ORDER BY created_at LIMIT 1;
    IF FOUND THEN
        ended := true;
        began := coalesce(trigger.started_at, began); -- of whoever knew both ends
        over_at := coalesce(over_at, trigger.ended_at);
        answer := coalesce(answer, trigger.answered);
    END IF;

    IF c.end_cause = 'silence' AND c.notified_at IS NOT NULL AND (told OR p_transcript IS NOT NULL) THEN
        PERFORM call_resume(c.id);
        SELECT * INTO c FROM call_summaries s WHERE s.id = c.id;
    END IF;
    IF coalesce(c.channel, p_channel) = 'whatsapp' OR p_language IS NOT NULL OR c.session_id IS NULL THEN
        UPDATE profiles p SET
            last_active_channel = CASE WHEN c.session_id IS NULL THEN 'voice' ELSE p.last_active_channel END, -- a call we had not heard of
            has_whatsapp = CASE WHEN coalesce(c.channel, p_channel) = 'whatsapp' THEN true ELSE p.has_whatsapp END,
            has_whatsapp_at = CASE WHEN coalesce(c.channel, p_channel) = 'whatsapp' THEN clock_timestamp() ELSE p.has_whatsapp_at END,
            wa_window_until = CASE WHEN coalesce(c.channel, p_channel) = 'whatsapp'
                THEN greatest(p.wa_window_until, least(coalesce(over_at, began, clock_timestamp()), clock_timestamp()) + interval '24 hours')
                ELSE p.wa_window_until END,
            preferred_language = coalesce(CASE WHEN p_language IS DISTINCT FROM c.language THEN language_code(p_language) END,
                p.preferred_language, p_language) -- what is told a second time is no news
         WHERE p.user_id = c.profile_id;
        SELECT p.merged_into INTO joined FROM profiles p WHERE p.user_id = c.profile_id;
        IF joined IS NOT NULL THEN -- to another, since
            c.profile_id := joined;
            PERFORM 1 FROM profiles p WHERE p.user_id = joined FOR NO KEY UPDATE;
        END IF;
        IF coalesce(c.channel, p_channel) = 'whatsapp' THEN
            PERFORM address_window(c.profile_id, substr(coalesce(c.phone_number, p_phone), 2), NULL,
                least(coalesce(over_at, began, clock_timestamp()), clock_timestamp()) + interval '24 hours');
        END IF;
    END IF;
    IF c.session_id IS NULL OR c.notified_at IS NULL THEN
        -- A call that is known already does not take the conversation back from a later one.
        SELECT * INTO dialog FROM session_open(c.profile_id, 'voice',
            CASE WHEN c.session_id IS NULL OR NOT EXISTS (
                SELECT 1 FROM omnichannel_sessions s WHERE s.profile_id = c.profile_id AND s.status <> 'closed'
                   AND (s.expires_at > clock_timestamp() OR s.paused_at IS NOT NULL OR s.turn_due_at IS NOT NULL)
                   AND s.call_id <> c.call_id) THEN c.call_id END,
            NULL, p_intent, p_ids[3]);
        session_created := dialog.created;
        c.session_id := dialog.id;
        PERFORM thread_touch(c.session_id, c.profile_id, 'voice', (SELECT s.call_id FROM omnichannel_sessions s WHERE s.id = c.session_id), 0);
    END IF;

    had := c.transcript;
    UPDATE call_summaries s SET
        profile_id = c.profile_id, session_id = c.session_id,
        phone_number = coalesce(s.phone_number, (SELECT a.value FROM contact_addresses a -- nobody else's
                                                  WHERE a.kind = 'tel' AND a.value = p_phone AND a.profile_id = c.profile_id)),
        sip_call_id = coalesce(s.sip_call_id, p_sip_call_id),
        channel = coalesce(s.channel, p_channel, 'sip'),
        summary_text = coalesce(prose, s.summary_text),
        bullets = coalesce(points, CASE WHEN s.text_made AND told THEN NULL ELSE s.bullets END),
        text_made = s.text_made AND NOT told, -- from the old transcript is better than none, until there is one from the new
        next_actions = coalesce(steps, s.next_actions),
        transcript = coalesce(p_transcript, s.transcript),
        main_intent = coalesce(p_intent, s.main_intent),
        language = coalesce(p_language, s.language),
        started_at = coalesce(began, s.started_at),
        last_heard_at = CASE WHEN told OR p_transcript IS NOT NULL OR steps IS NOT NULL OR p_intent IS NOT NULL
                             THEN clock_timestamp() ELSE s.last_heard_at END,
        answered_at = CASE WHEN answer THEN coalesce(s.answered_at, began, s.started_at, clock_timestamp()) ELSE s.answered_at END,
        ended_at = CASE WHEN s.end_told AND s.ended_at IS NOT NULL THEN s.ended_at -- maybe known before it is reported
                        ELSE coalesce(over_at, s.ended_at, CASE WHEN ended THEN clock_timestamp() END) END, -- ours was a guess
        end_told = over_at IS NOT NULL OR (s.end_told AND s.ended_at IS NOT NULL),
        end_seen_at = CASE WHEN ended THEN coalesce(s.end_seen_at, clock_timestamp()) ELSE s.end_seen_at END,
        end_cause = CASE WHEN ended THEN 'reported' ELSE s.end_cause END
     WHERE s.id = c.id;
    PERFORM call_retell(c.id);
    UPDATE call_summaries s SET
        status = CASE
            WHEN s.notified_at IS NOT NULL THEN CASE s.status WHEN 'in_progress' THEN 'ended' ELSE s.status END
            WHEN call_has_text(s) OR s.transcript ~ '\S' OR s.last_heard_at IS NOT NULL THEN 'ended'
            WHEN s.answered_at IS NULL AND answer IS false THEN 'missed'
            WHEN call_took_no_time(s) THEN 'missed'
            WHEN s.status = 'in_progress' OR (s.status = 'missed' AND s.answered_at IS NOT NULL) THEN 'ended' ELSE s.status END
     WHERE s.id = c.id AND s.end_seen_at IS NOT NULL;
    IF p_transcript IS DISTINCT FROM had AND p_transcript IS NOT NULL THEN -- worth a new try; who reads the old one comes too late
        UPDATE call_summaries s SET summarise_tries = 0, summarise_token = s.summarise_token + 1, summarise_lease_until = NULL
         WHERE s.id = c.id;
    END IF;
    PERFORM call_schedule(c.id, p_wait_s);
    -- A call that nobody answered does not take the conversation from the one it was about.
    UPDATE omnichannel_sessions s SET call_id = e.call_id
      FROM call_summaries e, call_summaries m
     WHERE m.id = c.id AND m.status IN ('missed', 'failed') AND m.notified_at IS NULL AND e.id = call_earlier(m.id)
       AND s.id = c.session_id AND s.call_id = c.call_id;
    IF FOUND THEN
        PERFORM thread_touch(c.session_id, c.profile_id, 'voice', s.call_id, 0) FROM omnichannel_sessions s WHERE s.id = c.session_id;
    END IF;
    RETURN QUERY SELECT c.id, c.call_id, c.profile_id, c.session_id, created, session_created;
END $$;

-- 3. Addresses ----------------------------------------------------------------------------------------------------------

-- verified_at says that a provider's signed webhook showed the person to write or call from this address. A number that only stands in
-- the header of a SIP call, or that a tool or an exchange names, is a claim. (What was stored before this was marked, whatever it was.)
CREATE FUNCTION address_proven(p_profile uuid, p_phone text, p_wa_id text, p_bsuid text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE contact_addresses a SET verified_at = clock_timestamp()
     WHERE a.profile_id = p_profile AND a.verified_at IS NULL
       AND (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid))
$$;

-- A call by WhatsApp proves the caller's addresses; one over SIP nothing.
CREATE FUNCTION call_proves(p_call uuid, p_event jsonb) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT address_proven(s.profile_id, p_event ->> 'phone', substr(p_event ->> 'phone', 2), p_event ->> 'bsuid')
      FROM call_summaries s
     WHERE s.id = p_call AND p_event ->> 'channel' = 'whatsapp'
$$;

-- 4. Languages ------------------------------------------------------------------------------------------------------------

-- The code of a language as people and models name it, like core/channel.c; NULL if it is none of ours.
CREATE FUNCTION language_code(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN w IN ('rw', 'kin', 'kinyarwanda', 'ikinyarwanda', 'rwandan', 'rwanda') THEN 'rw'
        WHEN w IN ('en', 'eng', 'english') THEN 'en'
        WHEN w IN ('fr', 'fra', 'fre', 'french', 'francais', 'français', 'igifaransa') THEN 'fr'
        WHEN w IN ('sw', 'swa', 'swh', 'swahili', 'kiswahili', 'igiswahili') THEN 'sw' END
      FROM (SELECT substring(lower(p_text) FROM '^ *([^ _,/;-]+)') AS w) AS t
$$;

-- What somebody has last shown to speak is spoken to them from now on; what is no language of ours changes nothing.
CREATE FUNCTION person_speaks(p_profile uuid, p_language text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE profiles p SET preferred_language = language_code(p_language)
     WHERE p.user_id = p_profile AND language_code(p_language) <> coalesce(p.preferred_language, '')
$$;

-- As before, and besides: the language of what was made of a call's transcript is its person's, if nobody had said which it was; what
-- was made of an earlier transcript gives way to it, and stays if nothing is made.
CREATE OR REPLACE FUNCTION finish_transcript(p_call uuid, p_token bigint, p_bullets jsonb, p_next_actions jsonb, p_language text, p_retry_s float8)
RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c     call_summaries;
    found text := 'none';
BEGIN
    SELECT * INTO c FROM call_summaries s WHERE s.id = p_call FOR NO KEY UPDATE;
    IF c.id IS NULL OR c.summarise_token <> p_token OR c.summarise_lease_until IS NULL THEN
        RETURN 'lost';
    END IF;
    IF call_has_text(c) AND NOT c.text_made THEN
        found := 'late';
    ELSIF jsonb_array_length(p_bullets) > 0 THEN
        found := 'made';
    ELSIF p_retry_s IS NOT NULL THEN
        found := 'again';
    END IF;
    UPDATE call_summaries s SET summarise_lease_until = NULL, summarise_lease_owner = NULL,
        summarise_due_at = CASE found WHEN 'again' THEN clock_timestamp() + p_retry_s * interval '1 second' END,
        bullets = CASE found WHEN 'made' THEN p_bullets ELSE s.bullets END,
        text_made = s.text_made OR found = 'made',
        next_actions = CASE WHEN found = 'made' AND coalesce(jsonb_array_length(s.next_actions), 0) = 0 THEN p_next_actions ELSE s.next_actions END,
        language = CASE found WHEN 'made' THEN coalesce(s.language, p_language) ELSE s.language END,
        notify_due_at = CASE WHEN (found = 'made' OR (found = 'none' AND c.text_made)) AND s.notified_at IS NULL AND s.end_seen_at IS NOT NULL THEN clock_timestamp() ELSE s.notify_due_at END
     WHERE s.id = p_call;
    IF found = 'made' AND c.language IS NULL THEN
        PERFORM person_speaks(c.profile_id, p_language);
    END IF;
    PERFORM call_retell(p_call);
    RETURN found;
END $$;

-- Merges what an agent has noted; p_status NULL leaves the status. was: the status before, NULL when there is no such
-- conversation. A closed one takes notes, but is not opened again. The language that an agent notes is the person's from now on.
CREATE OR REPLACE FUNCTION session_note(p_session uuid, p_status text, p_context jsonb)
RETURNS TABLE (was text, status text, ignored text[])
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM person_speaks(s.profile_id, p_context ->> 'language') FROM omnichannel_sessions s -- people first; not what is refused
      WHERE s.id = p_session AND (s.status <> 'closed' OR coalesce(p_status, 'closed') = 'closed');
    SELECT s.status INTO was FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    ignored := context_ignored(coalesce(p_context, '{}'));
    status := CASE WHEN was = 'closed' THEN was ELSE coalesce(p_status, was) END;
    IF p_status <> status THEN -- refused as a whole
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE omnichannel_sessions s SET
        status = session_note.status,
        closed_at = CASE WHEN session_note.status = 'closed' THEN coalesce(s.closed_at, clock_timestamp()) END,
        context = s.context || context_clean(coalesce(p_context, '{}'))
     WHERE s.id = p_session;
    RETURN NEXT;
END $$;

-- 5. The rest of a long SMS ------------------------------------------------------------------------------------------------

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

-- 6. What comes in ----------------------------------------------------------------------------------------------------------

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
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('intent_key', 'intent_leads_to', 'call_times', 'call_took_no_time', 'address_proven', 'call_proves',
                    'language_code', 'person_speaks', 'message_continues', 'message_rest', 'message_go_on_by_whatsapp')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
