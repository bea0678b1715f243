-- Calls: recorded by whoever knows of them, notified exactly once.

-- Stores what is known of a call and opens its conversation. A call that is known keeps its own number, whatever the caller
-- says; an unknown one needs p_phone. Later facts complete earlier ones. No row comes back for an unknown call without a
-- number: its end, if that was what came, is kept ten minutes and fires when the call appears.
--   p_ended    the call is over; its notification becomes due, at once if there is a text, else in p_wait_s seconds
--   p_ids      new ids for call row, person, session
CREATE FUNCTION record_call(p_call_id text, p_sip_call_id text, p_phone text, p_channel text, p_summary text, p_bullets jsonb,
    p_next_actions jsonb, p_transcript text, p_intent text, p_language text, p_started_at timestamptz,
    p_ended_at timestamptz, p_answered boolean, p_ended boolean, p_wait_s int, p_ids uuid[])
RETURNS TABLE (id uuid, call_id text, profile_id uuid, session_id uuid, created boolean, session_created boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c       call_summaries;
    trigger call_triggers;
    person  uuid;
    dialog  record;
    ended   boolean := p_ended;
    answer  boolean := p_answered;
    over_at timestamptz := p_ended_at;
BEGIN
    created := false;
    session_created := false;
    -- One at a time for a call, by whichever of its names: its end must find it, or be found by it.
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('call:' || v, 20251207) AS k
          FROM unnest(ARRAY[p_call_id, p_sip_call_id]) AS v WHERE v IS NOT NULL ORDER BY k) AS locks;
    SELECT * INTO c FROM call_summaries s
     WHERE s.call_id = p_call_id OR s.sip_call_id = p_sip_call_id
     ORDER BY (s.call_id = p_call_id) DESC LIMIT 1 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        IF coalesce(p_phone, '') = '' THEN
            INSERT INTO call_triggers AS t (ref, ended_at, answered)
            SELECT coalesce(p_call_id, p_sip_call_id), p_ended_at, p_answered WHERE p_ended
            ON CONFLICT (ref) DO UPDATE SET expires_at = excluded.expires_at;
            RETURN;
        END IF;
        person := person_find_or_create(p_phone, CASE WHEN p_channel = 'whatsapp' THEN substr(p_phone, 2) END, NULL, NULL, p_ids[2]);
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
        over_at := coalesce(over_at, trigger.ended_at);
        answer := coalesce(answer, trigger.answered);
    END IF;

    IF coalesce(p_channel, c.channel) = 'whatsapp' OR p_language IS NOT NULL THEN
        UPDATE profiles p SET
            has_whatsapp = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp' THEN true ELSE p.has_whatsapp END,
            has_whatsapp_at = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp' THEN clock_timestamp() ELSE p.has_whatsapp_at END,
            wa_window_until = CASE WHEN coalesce(p_channel, c.channel) = 'whatsapp'
                THEN greatest(p.wa_window_until, least(coalesce(over_at, p_started_at, clock_timestamp()), clock_timestamp()) + interval '24 hours')
                ELSE p.wa_window_until END,
            preferred_language = coalesce(p.preferred_language, p_language)
         WHERE p.user_id = c.profile_id;
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
        PERFORM thread_touch(c.session_id, c.profile_id, 'voice', c.call_id, 0);
    END IF;

    UPDATE call_summaries s SET
        profile_id = c.profile_id, session_id = c.session_id,
        phone_number = coalesce(s.phone_number, nullif(p_phone, '')),
        sip_call_id = coalesce(s.sip_call_id, p_sip_call_id),
        channel = coalesce(s.channel, p_channel, 'sip'),
        summary_text = coalesce(p_summary, s.summary_text),
        bullets = coalesce(p_bullets, s.bullets),
        next_actions = coalesce(p_next_actions, s.next_actions),
        transcript = coalesce(p_transcript, s.transcript),
        main_intent = coalesce(p_intent, s.main_intent),
        language = coalesce(p_language, s.language),
        started_at = coalesce(p_started_at, s.started_at),
        answered_at = CASE WHEN answer THEN coalesce(s.answered_at, p_started_at, s.started_at, clock_timestamp()) ELSE s.answered_at END,
        ended_at = CASE WHEN ended THEN coalesce(s.ended_at, over_at, clock_timestamp()) ELSE s.ended_at END,
        end_seen_at = CASE WHEN ended THEN coalesce(s.end_seen_at, clock_timestamp()) ELSE s.end_seen_at END,
        status = CASE WHEN NOT ended THEN s.status
                      WHEN answer IS false AND s.answered_at IS NULL THEN 'missed'
                      WHEN s.status = 'in_progress' THEN 'ended' ELSE s.status END
     WHERE s.id = c.id;
    UPDATE call_summaries s SET
        duration_seconds = extract(epoch FROM s.ended_at - s.started_at)::int,
        notify_due_at = CASE
            WHEN coalesce(s.summary_text, '') <> '' OR jsonb_array_length(s.bullets) > 0 OR s.status = 'missed' THEN clock_timestamp()
            ELSE s.end_seen_at + p_wait_s * interval '1 second' END
     WHERE s.id = c.id AND s.end_seen_at IS NOT NULL AND s.notified_at IS NULL;
    RETURN QUERY SELECT c.id, c.call_id, c.profile_id, c.session_id, created, session_created;
END $$;

-- Ends a call's notification: its rows, the conversation's move to follow_up, and the mark that it is done, in one
-- transaction. False when it was done before; then nothing is written.
CREATE FUNCTION notify_call(p_call uuid, p_rows jsonb, p_result text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c call_summaries;
BEGIN
    SELECT * INTO c FROM call_summaries s WHERE s.id = p_call FOR NO KEY UPDATE;
    IF NOT FOUND OR c.notified_at IS NOT NULL THEN
        RETURN false;
    END IF;
    UPDATE call_summaries s SET notified_at = clock_timestamp(), notify_due_at = NULL, notify_result = p_result, notify_reason = p_reason
     WHERE s.id = p_call;
    PERFORM messages_enqueue(c.session_id, p_rows);
    PERFORM thread_touch(c.session_id, c.profile_id, r ->> 'channel', c.call_id, 1) FROM jsonb_array_elements(p_rows) AS r
      WHERE coalesce((r ->> 'part')::int, 1) = 1;
    UPDATE omnichannel_sessions s SET status = 'follow_up', expires_at = clock_timestamp() + interval '24 hours'
     WHERE s.id = c.session_id AND s.status = 'active' AND s.call_id = c.call_id;
    RETURN true;
END $$;
