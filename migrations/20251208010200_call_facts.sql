-- What is known of a call: its names, its caller, its times and its text, from whoever reports them in whatever order.

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
-- says, and one whose caller has no address at all takes the first that is named; an unknown one needs p_phone. Later facts complete
-- earlier ones. No row comes back for an unknown call without a number: its end, if that was what came, is kept ten minutes and fires
-- when the call appears.
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

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('call_times', 'call_took_no_time')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
