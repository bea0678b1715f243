-- How calls end, also those whose end nobody reports, and what their people get: a summary, one made from the transcript, the short
-- sentence that stands in for it, or, for a call nobody answered, a word that we know of it.

ALTER TABLE call_summaries
    ADD COLUMN IF NOT EXISTS last_heard_at timestamptz,       -- its agent did something: used a tool, stored a text
    ADD COLUMN IF NOT EXISTS end_cause text,
    ADD COLUMN IF NOT EXISTS merged_into uuid,                -- it was another row's call under its SIP name
    ADD COLUMN IF NOT EXISTS text_made boolean NOT NULL DEFAULT false, -- bullets were made from the transcript
    ADD COLUMN IF NOT EXISTS told_early text,                 -- what its person was told before it was over: call_told()
    -- The making of a text from the transcript: due, leased, fenced by the token.
    ADD COLUMN IF NOT EXISTS summarise_due_at timestamptz,
    ADD COLUMN IF NOT EXISTS summarise_token bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS summarise_tries int NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS summarise_lease_owner text,
    ADD COLUMN IF NOT EXISTS summarise_lease_until timestamptz,
    ADD CONSTRAINT call_summaries_end_cause CHECK (end_cause IN ('reported', 'silence', 'too_long')),
    ADD CONSTRAINT call_summaries_merged FOREIGN KEY (merged_into) REFERENCES call_summaries (id);
ALTER TABLE call_triggers ADD COLUMN started_at timestamptz;
CREATE INDEX call_summaries_open ON call_summaries (created_at) WHERE status = 'in_progress' AND end_seen_at IS NULL;
CREATE INDEX call_summaries_summarise ON call_summaries (summarise_due_at) WHERE summarise_due_at IS NOT NULL;

-- A list of lines, plain or {text}, without those that say nothing; NULL if nothing is left.
CREATE FUNCTION lines_said(p_lines jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(line ORDER BY n)
      FROM jsonb_array_elements(CASE jsonb_typeof(p_lines) WHEN 'array' THEN p_lines END) WITH ORDINALITY AS l (line, n)
     WHERE CASE jsonb_typeof(line) WHEN 'object' THEN line ->> 'text' ELSE line #>> '{}' END ~ '\S'
$$;

-- Whether there is something to tell the person: prose or points.
CREATE FUNCTION call_has_text(c call_summaries) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(c.summary_text ~ '\S', false)
        OR CASE jsonb_typeof(c.bullets) WHEN 'array' THEN jsonb_array_length(c.bullets) > 0 ELSE false END
$$;

-- What its person is told of a call, to be compared.
CREATE FUNCTION call_told(c call_summaries) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT md5(concat_ws(E'\x1f', c.summary_text, c.bullets::text, CASE WHEN call_has_text(c) THEN c.next_actions::text END))
$$;

-- A call that was given up as silent goes on. Was its person told already, they are told once more at its end, if there is more to tell
-- then; and it is not given up as silent again.
CREATE FUNCTION call_resume(p_call uuid) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE call_summaries s SET
        told_early = CASE WHEN s.notified_at IS NOT NULL THEN call_told(s) ELSE s.told_early END,
        notified_at = NULL, notify_result = NULL, notify_reason = NULL, notify_due_at = NULL,
        status = 'in_progress', ended_at = NULL, end_seen_at = NULL, end_cause = NULL, duration_seconds = NULL, summarise_due_at = NULL
     WHERE s.id = p_call AND s.end_cause = 'silence'
$$;

-- A text came after all: its person, who was told without one (the sentence that stands in for it, or that nobody answered), is told
-- once more, now with it. Not of a call that has been over for six hours.
CREATE FUNCTION call_retell(p_call uuid) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE call_summaries s SET
        told_early = '', -- like no text there is
        notified_at = NULL, notify_result = NULL, notify_reason = NULL, notify_due_at = clock_timestamp(),
        status = CASE WHEN s.status IN ('missed', 'failed') THEN 'ended' ELSE s.status END
     WHERE s.id = p_call AND s.notified_at IS NOT NULL AND call_has_text(s) AND s.merged_into IS NULL
       AND s.notify_reason IN ('no_text', 'not_answered', 'not_connected', 'summary_again', 'told_lately')
       AND s.end_seen_at > clock_timestamp() - interval '6 hours'
$$;

-- The person's latest call before this one that can be told about, within thirty days.
CREATE FUNCTION call_earlier(p_call uuid) RETURNS uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT e.id
      FROM call_summaries c
      JOIN call_summaries e ON e.profile_id = c.profile_id AND e.id <> c.id AND e.created_at < c.created_at
       AND e.created_at > clock_timestamp() - interval '30 days' AND e.merged_into IS NULL AND call_has_text(e)
     WHERE c.id = p_call
     ORDER BY e.created_at DESC
     LIMIT 1
$$;

-- What follows from the end of a call that nobody has been told of yet: its duration, when the notification is due, whether a text is
-- made from the transcript. p_wait_s: how long a text is waited for.
CREATE FUNCTION call_schedule(p_call uuid, p_wait_s int) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE call_summaries s SET
        duration_seconds = least(2147483647, greatest(0, extract(epoch FROM s.ended_at - s.started_at)))::int,
        notify_due_at = CASE
            WHEN s.notified_at IS NOT NULL THEN NULL
            WHEN call_has_text(s) OR s.status IN ('missed', 'failed') THEN clock_timestamp()
            ELSE s.end_seen_at + p_wait_s * interval '1 second' END,
        summarise_due_at = CASE WHEN call_has_text(s) OR NOT coalesce(s.transcript ~ '\S', false) THEN NULL
            WHEN s.summarise_tries = 0 THEN coalesce(s.summarise_due_at, clock_timestamp()) ELSE s.summarise_due_at END
     WHERE s.id = p_call AND s.end_seen_at IS NOT NULL
$$;

-- Everything that names a call by p_old names it by p_new from now on. Locks in the order of all: see record_inbound_message().
CREATE FUNCTION call_rename(p_profile uuid, p_old text, p_new text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM message_delivery_log m
      WHERE m.call_id = p_old AND m.profile_id = p_profile AND m.direction = 'outbound' ORDER BY m.id FOR NO KEY UPDATE;
    PERFORM 1 FROM profiles p WHERE p.user_id = p_profile FOR NO KEY UPDATE;
    PERFORM 1 FROM omnichannel_sessions s WHERE s.profile_id = p_profile AND s.call_id = p_old ORDER BY s.id FOR NO KEY UPDATE;
    UPDATE omnichannel_sessions s SET call_id = p_new WHERE s.profile_id = p_profile AND s.call_id = p_old;
    UPDATE conversation_threads t SET parent_call_id = p_new WHERE t.profile_id = p_profile AND t.parent_call_id = p_old;
    UPDATE message_delivery_log m SET call_id = p_new WHERE m.call_id = p_old AND m.profile_id = p_profile;
END $$;

-- One call in two rows: p_twin was recorded under its SIP name alone, p_keep under its provider's id. The facts of the first complete the
-- second; who was told by one of them is not told by the other.
CREATE FUNCTION call_fold(p_keep uuid, p_twin uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    t call_summaries;
    k call_summaries;
BEGIN
    SELECT * INTO t FROM call_summaries s WHERE s.id = p_twin;
    SELECT * INTO k FROM call_summaries s WHERE s.id = p_keep;
    UPDATE call_summaries s SET call_id = 'merged:' || s.id, sip_call_id = NULL, merged_into = p_keep,
        status = CASE s.status WHEN 'in_progress' THEN 'ended' ELSE s.status END,
        notified_at = coalesce(s.notified_at, clock_timestamp()), notify_result = coalesce(s.notify_result, 'skipped'),
        notify_reason = coalesce(s.notify_reason, 'merged'), notify_due_at = NULL, summarise_due_at = NULL, summarise_lease_until = NULL
     WHERE s.id = p_twin;
    UPDATE call_summaries s SET
        sip_call_id = t.sip_call_id,
        summary_text = coalesce(s.summary_text, t.summary_text), bullets = coalesce(s.bullets, t.bullets),
        next_actions = coalesce(s.next_actions, t.next_actions), transcript = coalesce(s.transcript, t.transcript),
        main_intent = coalesce(s.main_intent, t.main_intent), language = coalesce(s.language, t.language),
        last_heard_at = greatest(s.last_heard_at, t.last_heard_at),
        started_at = coalesce(s.started_at, t.started_at), answered_at = coalesce(s.answered_at, t.answered_at),
        ended_at = coalesce(s.ended_at, t.ended_at), end_seen_at = coalesce(s.end_seen_at, t.end_seen_at),
        end_cause = coalesce(s.end_cause, t.end_cause),
        status = CASE WHEN s.status = 'in_progress' THEN t.status ELSE s.status END,
        notified_at = coalesce(s.notified_at, t.notified_at), notify_result = coalesce(s.notify_result, t.notify_result),
        notify_reason = CASE WHEN s.notified_at IS NULL THEN t.notify_reason ELSE s.notify_reason END
     WHERE s.id = p_keep;
    PERFORM call_rename(k.profile_id, t.call_id, k.call_id);
END $$;

-- Stores what is known of a call and opens its conversation. A call that is known keeps its own number, whatever the caller
-- says; an unknown one needs p_phone. Later facts complete earlier ones. No row comes back for an unknown call without a
-- number: its end, if that was what came, is kept ten minutes and fires when the call appears.
--   p_ended    the call is over; its notification becomes due, at once if there is a text, else in p_wait_s seconds
--   p_ids      new ids for call row, person, session
-- A call that is over without any text was missed if nobody answered it, or if it began and ended within one second by the clock of
-- whoever reported it; of two clocks one may be wrong, so what they say together is less than that somebody answered.
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
            SELECT * INTO c FROM call_summaries s WHERE s.id = c.id;
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
    IF coalesce(p_channel, c.channel) = 'whatsapp' OR p_language IS NOT NULL THEN
        UPDATE profiles p SET
            has_whatsapp = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp' THEN true ELSE p.has_whatsapp END,
            has_whatsapp_at = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp' THEN clock_timestamp() ELSE p.has_whatsapp_at END,
            wa_window_until = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp'
                THEN greatest(p.wa_window_until, least(coalesce(over_at, began, clock_timestamp()), clock_timestamp()) + interval '24 hours')
                ELSE p.wa_window_until END,
            preferred_language = coalesce(p.preferred_language, p_language)
         WHERE p.user_id = c.profile_id;
        IF coalesce(p_channel, c.channel) = 'whatsapp' THEN
            PERFORM address_window(c.profile_id, substr(coalesce(c.phone_number, p_phone), 2), NULL,
                least(coalesce(over_at, began, clock_timestamp()), clock_timestamp()) + interval '24 hours');
        END IF;
    END IF;
    IF c.session_id IS NULL OR c.notified_at IS NULL THEN
        -- A call that is known already does not take the conversation back from a later one.
        SELECT * INTO dialog FROM session_open(c.profile_id, 'voice',
            CASE WHEN c.session_id IS NULL OR NOT EXISTS (
                SELECT 1 FROM omnichannel_sessions s WHERE s.profile_id = c.profile_id AND s.status <> 'closed'
                   AND s.expires_at > clock_timestamp() AND s.call_id <> c.call_id) THEN c.call_id END,
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
        text_made = s.text_made AND NOT told,
        next_actions = coalesce(steps, s.next_actions),
        transcript = coalesce(p_transcript, s.transcript),
        main_intent = coalesce(p_intent, s.main_intent),
        language = coalesce(p_language, s.language),
        started_at = coalesce(began, s.started_at),
        last_heard_at = CASE WHEN told OR p_transcript IS NOT NULL OR steps IS NOT NULL OR p_intent IS NOT NULL
                             THEN clock_timestamp() ELSE s.last_heard_at END,
        answered_at = CASE WHEN answer THEN coalesce(s.answered_at, began, s.started_at, clock_timestamp()) ELSE s.answered_at END,
        ended_at = CASE WHEN NOT ended THEN coalesce(s.ended_at, over_at) -- known, if not reported yet
                        WHEN s.end_cause IN ('silence', 'too_long') THEN coalesce(over_at, s.ended_at) -- ours was a guess
                        ELSE coalesce(s.ended_at, over_at, clock_timestamp()) END,
        end_seen_at = CASE WHEN ended THEN coalesce(s.end_seen_at, clock_timestamp()) ELSE s.end_seen_at END,
        end_cause = CASE WHEN ended THEN 'reported' ELSE s.end_cause END
     WHERE s.id = c.id;
    PERFORM call_retell(c.id);
    UPDATE call_summaries s SET
        status = CASE
            WHEN s.notified_at IS NOT NULL THEN CASE s.status WHEN 'in_progress' THEN 'ended' ELSE s.status END
            WHEN call_has_text(s) OR s.transcript ~ '\S' OR s.last_heard_at IS NOT NULL THEN 'ended'
            WHEN answer IS false AND s.answered_at IS NULL THEN 'missed'
            WHEN over_at IS NOT NULL AND s.ended_at - s.started_at < interval '1 second'
                 AND (began IS NOT NULL OR (s.answered_at IS NULL AND answer IS NOT true AND s.ended_at >= s.started_at)) THEN 'missed'
            WHEN s.status = 'in_progress' THEN 'ended' ELSE s.status END
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

-- Ends a call's notification: its rows, the conversation's move to follow_up, and the mark that it is done, in one
-- transaction. False when it was done before; then nothing is written. p_reason: why nothing is sent, or why it is no summary of this
-- call. Of the calls of one person that nobody answered, one in an hour gets its word.
CREATE OR REPLACE FUNCTION notify_call(p_call uuid, p_rows jsonb, p_result text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c      call_summaries;
    result text := p_result;
    reason text := p_reason;
    drafts jsonb;
BEGIN
    SELECT * INTO c FROM call_summaries s WHERE s.id = p_call FOR NO KEY UPDATE;
    IF NOT FOUND OR c.notified_at IS NOT NULL THEN
        RETURN false;
    END IF;
    -- The call may have got its provider's id since the rows were composed.
    SELECT coalesce(jsonb_agg(CASE WHEN r ? 'call_id' THEN r || jsonb_build_object('call_id', c.call_id) ELSE r END ORDER BY n), '[]')
      INTO drafts FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS a (r, n);
    IF c.status IN ('missed', 'failed') AND result = 'sent' THEN
        PERFORM 1 FROM profiles p WHERE p.user_id = c.profile_id FOR NO KEY UPDATE; -- two calls at once: one after the other
        IF EXISTS (SELECT 1 FROM call_summaries o WHERE o.profile_id = c.profile_id AND o.status IN ('missed', 'failed')
                    AND o.notify_result = 'sent' AND o.notified_at > clock_timestamp() - interval '1 hour') THEN
            drafts := '[]';
            result := 'skipped';
            reason := 'told_lately';
        END IF;
    END IF;
    IF c.told_early = call_told(c) THEN -- nothing was said since then
        drafts := '[]';
        reason := CASE WHEN call_has_text(c) THEN 'told_before' ELSE 'no_text' END;
    END IF;
    UPDATE call_summaries s SET notified_at = clock_timestamp(), notify_due_at = NULL, notify_result = result, notify_reason = reason
     WHERE s.id = p_call;
    PERFORM messages_enqueue(c.session_id, drafts);
    PERFORM thread_touch(c.session_id, c.profile_id, r ->> 'channel', s.call_id, 1)
       FROM jsonb_array_elements(drafts) AS r, omnichannel_sessions s
      WHERE s.id = c.session_id AND coalesce((r ->> 'part')::int, 1) = 1;
    UPDATE omnichannel_sessions s SET status = 'follow_up', expires_at = clock_timestamp() + interval '24 hours'
     WHERE s.id = c.session_id AND s.status = 'active' AND (s.call_id = c.call_id OR c.status IN ('missed', 'failed'));
    RETURN true;
END $$;

-- No channel is set up at present: the notification waits. False when it is done already.
CREATE FUNCTION postpone_call(p_call uuid, p_reason text, p_delay_s float8) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE call_summaries s SET notify_reason = p_reason, notify_due_at = clock_timestamp() + p_delay_s * interval '1 second'
     WHERE s.id = p_call AND s.notified_at IS NULL AND s.end_seen_at IS NOT NULL;
    RETURN FOUND;
END $$;

-- The agent of this call did something: a call that was given up as silent goes on.
CREATE FUNCTION call_heard(p_call_id text) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE call_summaries s SET last_heard_at = clock_timestamp()
     WHERE s.call_id = p_call_id
       AND (s.last_heard_at IS NULL OR s.last_heard_at < clock_timestamp() - interval '1 second' OR s.end_cause = 'silence');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM call_resume(s.id) FROM call_summaries s WHERE s.call_id = p_call_id AND s.end_cause = 'silence';
    RETURN true;
END $$;

-- Ends the calls whose end nobody reported: those whose time of ending is known; those whose agent has been heard of, but not for
-- p_silence_s seconds; those that were accepted with our tools and whose agent has used none for five times as long, since it may just be
-- talking; and those that are known for p_max_s seconds. Returns how many. The bridge is told to let go of a call it may hold: when the
-- longest call is over, and not before, since two people may well talk on while no tool is used.
CREATE FUNCTION close_calls(p_max_s int, p_silence_s int, p_wait_s int) RETURNS int
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s record;
    n int := 0;
BEGIN
    FOR s IN
        SELECT o.id, o.profile_id, o.created_at + p_max_s * interval '1 second' AS longest,
               CASE WHEN o.ended_at < clock_timestamp() - p_wait_s * interval '1 second' THEN 'reported'
                    WHEN o.created_at < clock_timestamp() - p_max_s * interval '1 second' THEN 'too_long' ELSE 'silence' END AS cause
          FROM call_summaries o
         WHERE o.status = 'in_progress' AND o.end_seen_at IS NULL AND o.session_id IS NOT NULL AND o.profile_id IS NOT NULL
           AND (o.ended_at < clock_timestamp() - p_wait_s * interval '1 second'
                OR (o.told_early IS NULL AND (o.last_heard_at < clock_timestamp() - p_silence_s * interval '1 second'
                    OR (o.last_heard_at IS NULL AND o.answered_at < clock_timestamp() - 5 * p_silence_s * interval '1 second'
                        AND EXISTS (SELECT 1 FROM call_actions a WHERE a.call = o.id AND a.kind = 'accept' AND a.status = 'done'))))
                OR o.created_at < clock_timestamp() - p_max_s * interval '1 second')
         ORDER BY o.id LIMIT 100
           FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        UPDATE call_summaries o SET status = 'ended', end_seen_at = clock_timestamp(),
               ended_at = coalesce(o.ended_at, o.last_heard_at, clock_timestamp()),
               end_cause = s.cause
         WHERE o.id = s.id;
        INSERT INTO call_actions (call, profile_id, kind, status, next_attempt_at, expires_at)
        SELECT s.id, s.profile_id, 'stop', 'pending', t.at, t.at + interval '10 minutes'
          FROM (SELECT CASE s.cause WHEN 'silence' THEN s.longest ELSE clock_timestamp() END AS at) AS t
         WHERE EXISTS (SELECT 1 FROM call_actions a WHERE a.call = s.id AND a.kind = 'answer')
        ON CONFLICT ON CONSTRAINT call_actions_call_kind_key DO NOTHING;
        PERFORM call_schedule(s.id, p_wait_s);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- Leases up to p_want calls whose text is to be made from the transcript. 'known' is what tools have stored of the call and its
-- conversation: a text may say what is there, too. A call that was given up five times stays without.
CREATE FUNCTION claim_transcripts(p_worker text, p_want int, p_lease_s int)
RETURNS TABLE (id uuid, call_id text, token bigint, attempt int, transcript text, known text, language text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT s.id, s.summarise_tries
          FROM call_summaries s
         WHERE s.summarise_due_at <= (SELECT clock_timestamp())
           AND (s.summarise_lease_until IS NULL OR s.summarise_lease_until < clock_timestamp())
         ORDER BY s.summarise_due_at
         LIMIT p_want
           FOR NO KEY UPDATE OF s SKIP LOCKED
    LOOP
        IF c.summarise_tries >= 5 THEN
            UPDATE call_summaries s SET summarise_due_at = NULL, summarise_lease_until = NULL, summarise_lease_owner = NULL WHERE s.id = c.id;
            CONTINUE;
        END IF;
        UPDATE call_summaries s SET summarise_token = s.summarise_token + 1, summarise_tries = s.summarise_tries + 1,
               summarise_lease_owner = p_worker, summarise_lease_until = clock_timestamp() + p_lease_s * interval '1 second'
         WHERE s.id = c.id
        RETURNING s.id, s.call_id, s.summarise_token, s.summarise_tries, s.transcript,
            concat_ws(E'\n', s.main_intent, s.next_actions::text, (SELECT o.context::text FROM omnichannel_sessions o WHERE o.id = s.session_id)),
            coalesce(s.language, (SELECT coalesce(p.preferred_language, p.notification_preferences ->> 'language')
                                    FROM profiles p WHERE p.user_id = s.profile_id), '')
          INTO id, call_id, token, attempt, transcript, known, language;
        RETURN NEXT;
    END LOOP;
END $$;

-- Renews the leases of texts that a worker still waits for, a JSON array of {id, token}.
CREATE FUNCTION renew_transcripts(p_held jsonb, p_lease_s int) RETURNS int
LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH held AS (
        SELECT s.id FROM call_summaries s
          JOIN jsonb_to_recordset(p_held) AS h (id uuid, token bigint)
            ON s.id = h.id AND s.summarise_token = h.token AND s.summarise_lease_until IS NOT NULL
         ORDER BY s.id
           FOR NO KEY UPDATE OF s),
    renewed AS (
        UPDATE call_summaries s SET summarise_lease_until = clock_timestamp() + p_lease_s * interval '1 second'
          FROM held WHERE s.id = held.id
        RETURNING 1)
    SELECT count(*)::int FROM renewed
$$;

-- Ends the making of a text: 'made'; 'none' (there is nothing to say, or no further try); 'again' in p_retry_s seconds; 'late' (somebody
-- who was there has told it meanwhile); 'lost' (another worker has it, or the transcript is another). Who was told without a text
-- before is told again.
CREATE FUNCTION finish_transcript(p_call uuid, p_token bigint, p_bullets jsonb, p_next_actions jsonb, p_language text, p_retry_s float8)
RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c     call_summaries;
    found text := 'none';
BEGIN
    SELECT * INTO c FROM call_summaries s WHERE s.id = p_call FOR NO KEY UPDATE;
    IF c.id IS NULL OR c.summarise_token <> p_token OR c.summarise_lease_until IS NULL THEN
        RETURN 'lost';
    END IF;
    IF call_has_text(c) THEN
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
        notify_due_at = CASE WHEN found = 'made' AND s.notified_at IS NULL AND s.end_seen_at IS NOT NULL THEN clock_timestamp() ELSE s.notify_due_at END
     WHERE s.id = p_call;
    PERFORM call_retell(p_call);
    RETURN found;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('lines_said', 'call_has_text', 'call_told', 'call_resume', 'call_retell', 'call_earlier', 'call_schedule',
                    'call_rename', 'call_fold', 'record_call', 'notify_call', 'postpone_call', 'call_heard', 'close_calls', 'claim_transcripts', 'renew_transcripts', 'finish_transcript')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
