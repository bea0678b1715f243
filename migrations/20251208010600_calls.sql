-- Calls: which of two a name means, and what is said of a call to its person and to the agent afterwards.

-- Stores one event of a call and all that follows from it: the call and its person, WhatsApp's window as of the event's own
-- time, and the action, which is leased to p_owner at once if there is one. One transaction, one round trip.
--   p_event   {channel, call_id, event, sip_call_id?, phone?, bsuid?, name?, at, started_at?, ended_at?, answered?, over,
--             wait_s, received_at?, webhook_id?, anonymous?}; anonymous: a person without any address is made for a call nobody knows
--   p_action  NULL or {kind, detail, life_s}: what is to be done, and how long after the event came it is still worth doing: its own
--             time is by another clock, and whether it is too late its sender knows best
--   p_ids     new ids for call, person, session, action
-- outcome: new | duplicate | unknown (a call nobody knows, without a number; its end is kept)
CREATE OR REPLACE FUNCTION record_call_event(p_event jsonb, p_action jsonb, p_owner text, p_lease_s int, p_ids uuid[])
RETURNS TABLE (outcome text, id uuid, session_id uuid, session_created boolean, action_id uuid)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    ref     text := p_event ->> 'call_id';
    sip     text := nullif(p_event ->> 'sip_call_id', '');
    phone   text := nullif(p_event ->> 'phone', '');
    bsuid   text := nullif(p_event ->> 'bsuid', '');
    kind    text := p_action ->> 'kind';
    at      timestamptz := least(coalesce((p_event ->> 'at')::timestamptz, clock_timestamp()), clock_timestamp());
    is_over boolean := (p_event ->> 'over')::boolean;
    c       call_summaries;
    stored  record;
    person  uuid;
BEGIN
    session_created := false;
    outcome := 'duplicate';
    PERFORM pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended('call:' || v, 20251207) AS k
          FROM unnest(ARRAY[ref, sip]) AS v WHERE v IS NOT NULL ORDER BY k) AS locks;
    IF p_event ->> 'webhook_id' <> '' THEN
        INSERT INTO webhook_ids (id) VALUES (p_event ->> 'webhook_id') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
    INSERT INTO call_events (call_id, event, provider_at) VALUES (ref, p_event ->> 'event', (p_event ->> 'at')::timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    -- What nobody repeats any more is forgotten, a little at a time.
    DELETE FROM webhook_ids w WHERE w.id IN (
        SELECT o.id FROM webhook_ids o WHERE o.received_at < clock_timestamp() - interval '8 days'
         ORDER BY o.received_at LIMIT 100 FOR UPDATE SKIP LOCKED);
    DELETE FROM call_events v WHERE (v.call_id, v.event) IN (
        SELECT o.call_id, o.event FROM call_events o WHERE o.received_at < clock_timestamp() - interval '30 days'
         ORDER BY o.received_at LIMIT 100 FOR UPDATE SKIP LOCKED);

    -- A SIP name that another call of the provider's has is that call's, whoever gave it to both.
    IF EXISTS (SELECT 1 FROM call_summaries s
                WHERE s.sip_call_id = sip AND s.call_id <> ref AND s.call_id <> s.sip_call_id
                  AND (s.created_at < clock_timestamp() - interval '1 day' -- or it came under an exchange's own id, and is the same call
                       OR EXISTS (SELECT 1 FROM call_events v WHERE v.call_id = s.call_id AND v.event = 'connect'))) THEN
        sip := NULL;
    END IF;
    PERFORM 1 FROM call_summaries s WHERE s.call_id = ref OR s.sip_call_id = sip ORDER BY s.id FOR NO KEY UPDATE;
    SELECT * INTO c FROM call_summaries s WHERE s.call_id = ref OR s.sip_call_id = sip ORDER BY (s.call_id = ref) DESC LIMIT 1;
    IF FOUND AND c.call_id = ref AND p_event ->> 'channel' = 'whatsapp' AND c.channel <> 'whatsapp' THEN -- a tool had it first, and guessed
        UPDATE call_summaries s SET channel = 'whatsapp' WHERE s.id = c.id;
    END IF;
    -- Known by WhatsApp's own id alone, and now by its number as well: it is added, or two are found to be one.
    IF c.call_id = ref AND c.profile_id IS NOT NULL AND p_event ->> 'channel' = 'whatsapp' AND phone IS NOT NULL AND bsuid IS NOT NULL THEN
        PERFORM person_find_or_create(phone, substr(phone, 2), bsuid, p_event ->> 'name', p_ids[2]);
    END IF;
    IF c.id IS NULL THEN
        IF phone IS NOT NULL OR bsuid IS NOT NULL THEN -- all addresses of one person are one person
            person := person_find_or_create(phone, CASE WHEN p_event ->> 'channel' = 'whatsapp' THEN substr(phone, 2) END,
                bsuid, p_event ->> 'name', p_ids[2]);
        ELSIF (p_event ->> 'anonymous')::boolean THEN
            INSERT INTO profiles (user_id) VALUES (p_ids[2]) RETURNING user_id INTO person;
        END IF;
        IF phone IS NULL AND person IS NOT NULL THEN
            INSERT INTO call_summaries AS s (id, call_id, sip_call_id, profile_id, channel, status)
            VALUES (p_ids[1], ref, sip, person, p_event ->> 'channel', 'in_progress');
        END IF;
    END IF;
    -- What is known of the call's times is better than the time of a late event.
    SELECT * INTO stored FROM record_call(ref, sip, phone, p_event ->> 'channel', NULL, NULL, NULL, NULL, NULL, NULL,
        CASE WHEN p_event ->> 'event' = 'connect' THEN coalesce(c.started_at, at)
             ELSE coalesce((p_event ->> 'started_at')::timestamptz, c.started_at) END,
        CASE WHEN is_over THEN coalesce((p_event ->> 'ended_at')::timestamptz,
                                        CASE WHEN p_event ->> 'event' = 'terminate' AND c.ended_at IS NULL THEN at END) END,
        (p_event ->> 'answered')::boolean, is_over, (p_event ->> 'wait_s')::int, p_ids);
    outcome := 'new';
    IF stored.id IS NULL THEN
        IF NOT is_over OR p_event ->> 'event' = 'transcript' THEN -- nothing of it is kept: it may come again
            DELETE FROM call_events v WHERE v.call_id = ref AND v.event = p_event ->> 'event';
        END IF;
        outcome := 'unknown';
        RETURN NEXT;
        RETURN;
    END IF;
    IF bsuid IS NOT NULL AND p_event ->> 'channel' = 'whatsapp' THEN
        PERFORM address_window(stored.profile_id, NULL, bsuid, at + interval '24 hours');
    END IF;
    id := stored.id;
    session_id := stored.session_id;
    session_created := stored.session_created;

    IF p_event ->> 'event' = 'terminate' AND p_event ->> 'ended_at' IS NOT NULL THEN -- it knows better than whatever told of the end before
        UPDATE call_summaries s SET ended_at = (p_event ->> 'ended_at')::timestamptz,
               duration_seconds = least(2147483647, greatest(0, extract(epoch FROM (p_event ->> 'ended_at')::timestamptz - s.started_at)))::int
         WHERE s.id = stored.id;
    END IF;
    SELECT * INTO c FROM call_summaries s WHERE s.id = stored.id;
    IF kind IS NULL OR (kind IN ('answer', 'accept') AND c.end_seen_at IS NOT NULL)
       OR (kind = 'stop' AND NOT EXISTS (SELECT 1 FROM call_actions a WHERE a.call = c.id AND a.kind = 'answer')) THEN
        RETURN NEXT;
        RETURN;
    END IF;
    INSERT INTO call_actions AS a (id, call, profile_id, kind, detail, status, lease_owner, lease_until, lease_token, attempts,
        next_attempt_at, expires_at)
    SELECT p_ids[4], c.id, c.profile_id, kind, p_action -> 'detail', CASE WHEN p_owner IS NULL THEN 'pending' ELSE 'running' END,
        p_owner, CASE WHEN p_owner IS NOT NULL THEN clock_timestamp() + p_lease_s * interval '1 second' END,
        (p_owner IS NOT NULL)::int, (p_owner IS NOT NULL)::int, CASE WHEN p_owner IS NULL THEN clock_timestamp() END,
        coalesce((p_event ->> 'received_at')::timestamptz, clock_timestamp()) + (p_action ->> 'life_s')::int * interval '1 second'
    -- What was put off (the watchdog's stop) is to be done now.
    ON CONFLICT ON CONSTRAINT call_actions_call_kind_key DO UPDATE SET status = excluded.status, lease_owner = excluded.lease_owner,
        lease_until = excluded.lease_until, lease_token = a.lease_token + 1, attempts = a.attempts + excluded.attempts,
        next_attempt_at = excluded.next_attempt_at, expires_at = excluded.expires_at
     WHERE a.status = 'pending'
    RETURNING a.id INTO action_id;
    RETURN NEXT;
END $$;

-- The conversation of a call whose own was closed meanwhile: the person's open one, or a new one. The call is what it is about, unless
-- it is about a later one already, or about any if nobody answered this.
CREATE FUNCTION call_session_again(c call_summaries) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    session uuid;
BEGIN
    SELECT o.id INTO session FROM session_open(c.profile_id, 'voice', CASE WHEN NOT EXISTS (
        SELECT 1 FROM omnichannel_sessions s JOIN call_summaries k ON k.call_id = s.call_id
         WHERE s.profile_id = c.profile_id AND s.status <> 'closed'
           AND (s.expires_at > clock_timestamp() OR s.paused_at IS NOT NULL OR s.turn_due_at IS NOT NULL)
           AND (k.created_at > c.created_at OR c.status IN ('missed', 'failed'))) THEN c.call_id END, NULL, NULL, uuid_v7()) AS o;
    PERFORM thread_touch(session, c.profile_id, 'voice', c.call_id, 0);
    RETURN session;
END $$;

-- Ends a call's notification: its rows, the conversation's move to follow_up, and the mark that it is done, in one
-- transaction. False when it was done before; then nothing is written. p_reason: why nothing is sent, or why it is no summary of this
-- call. Of the calls of one person that nobody answered, one in an hour gets its word. It goes to a conversation that is open, where
-- the agent reads what the person was told.
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
    IF drafts <> '[]' THEN
        PERFORM 1 FROM profiles p WHERE p.user_id = c.profile_id FOR NO KEY UPDATE; -- nobody closes it from here on
        IF NOT EXISTS (SELECT 1 FROM omnichannel_sessions s WHERE s.id = c.session_id AND s.status <> 'closed') THEN
            c.session_id := call_session_again(c);
        END IF;
    END IF;
    UPDATE call_summaries s SET notified_at = clock_timestamp(), notify_due_at = NULL, notify_result = result, notify_reason = reason,
           told_last = call_told(c), session_id = c.session_id
     WHERE s.id = p_call;
    PERFORM messages_enqueue(c.session_id, drafts);
    PERFORM thread_touch(c.session_id, c.profile_id, r ->> 'channel', s.call_id, 1)
       FROM jsonb_array_elements(drafts) AS r, omnichannel_sessions s
      WHERE s.id = c.session_id AND coalesce((r ->> 'part')::int, 1) = 1;
    UPDATE omnichannel_sessions s SET status = 'follow_up', expires_at = clock_timestamp() + interval '24 hours'
     WHERE s.id = c.session_id AND s.status = 'active' AND (s.call_id = c.call_id OR c.status IN ('missed', 'failed'));
    RETURN true;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('record_call_event', 'call_session_again', 'notify_call')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
