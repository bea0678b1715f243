-- Voice: the events of calls, each acted on once, and the actions that follow from them (pick up, turn away, fetch the
-- transcript), which outlive the process that began them.

-- A call's beginning and its end share one id, come in any order and more than once.
CREATE TABLE call_events (
    call_id     text NOT NULL, -- the provider's
    event       text NOT NULL CHECK (event IN ('connect', 'terminate', 'transcript')),
    provider_at timestamptz,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (call_id, event)
);
CREATE INDEX call_events_by_time ON call_events (received_at);

-- Ids of webhooks that were acted on; the sender repeats one for up to three days.
CREATE TABLE webhook_ids (
    id          text PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX webhook_ids_by_time ON webhook_ids (received_at);

CREATE TABLE call_actions (
    id              uuid PRIMARY KEY DEFAULT uuid_v7(),
    call            uuid NOT NULL REFERENCES call_summaries (id),
    profile_id      uuid NOT NULL REFERENCES profiles (user_id),
    kind            text NOT NULL CHECK (kind IN ('answer', 'accept', 'stop', 'transcript')),
    detail          jsonb NOT NULL DEFAULT '{}', -- emptied when it is over: it holds an SDP
    status          text NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed')),
    lease_owner     text,
    lease_until     timestamptz,
    lease_token     bigint NOT NULL DEFAULT 0,
    attempts        int NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    expires_at      timestamptz NOT NULL,
    error_code      text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at     timestamptz,
    UNIQUE (call, kind), -- nobody picks up twice
    CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((status = 'running') = (lease_until IS NOT NULL)),
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX call_actions_open ON call_actions (created_at) WHERE status IN ('pending', 'running');

-- Stores one event of a call and all that follows from it: the call and its person, WhatsApp's window as of the event's own
-- time, and the action, which is leased to p_owner at once if there is one. One transaction, one round trip.
--   p_event   {channel, call_id, event, sip_call_id?, phone?, bsuid?, name?, at, started_at?, ended_at?, answered?, over,
--             wait_s, received_at?, webhook_id?, anonymous?}; anonymous: a person without any address is made for a call nobody knows
--   p_action  NULL or {kind, detail, life_s}: what is to be done, and how long after the event came it is still worth doing: its own
--             time is by another clock, and whether it is too late its sender knows best
--   p_ids     new ids for call, person, session, action
-- outcome: new | duplicate | unknown (a call nobody knows, without a number; its end is kept)
CREATE FUNCTION record_call_event(p_event jsonb, p_action jsonb, p_owner text, p_lease_s int, p_ids uuid[])
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

    PERFORM 1 FROM call_summaries s WHERE s.call_id = ref OR s.sip_call_id = sip ORDER BY s.id FOR NO KEY UPDATE;
    SELECT * INTO c FROM call_summaries s WHERE s.call_id = ref OR s.sip_call_id = sip ORDER BY (s.call_id = ref) DESC LIMIT 1;
    IF NOT FOUND THEN
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
        CASE WHEN is_over THEN coalesce((p_event ->> 'ended_at')::timestamptz, c.ended_at,
                                        CASE WHEN p_event ->> 'event' = 'terminate' THEN at END) END,
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

-- Somebody with several numbers is answered on the one used last: it is the person's from now on, the others stay as addresses.
CREATE FUNCTION number_used(p_profile uuid, p_phone text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE profiles p SET phone_number = p_phone
     WHERE p.user_id = p_profile AND p.phone_number <> p_phone
       AND NOT EXISTS (SELECT 1 FROM profiles o WHERE o.phone_number = p_phone)
$$;

-- Leases actions that wait, or whose process is gone.
CREATE FUNCTION claim_call_actions(p_worker text, p_want int, p_lease_s int) RETURNS SETOF uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH due AS (
        SELECT a.id FROM call_actions a
         WHERE a.status IN ('pending', 'running')
           AND coalesce(a.next_attempt_at, a.lease_until) <= clock_timestamp()
         ORDER BY a.created_at LIMIT p_want FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE call_actions a SET status = 'running', next_attempt_at = NULL, lease_owner = p_worker,
           lease_until = clock_timestamp() + p_lease_s * interval '1 second', lease_token = a.lease_token + 1,
           attempts = a.attempts + 1
      FROM due WHERE a.id = due.id
    RETURNING a.id
$$;

-- Writes what became of an action, if it is still this holder's; false if it is not.
--   p_status    done | failed | pending (again in p_retry_s seconds)
--   p_answered  the call was taken: somebody speaks from now on
--   p_lost      the call could not be taken: it is over, and its notification tells the person so
CREATE FUNCTION finish_call_action(p_id uuid, p_token bigint, p_status text, p_error text, p_retry_s float8, p_answered boolean,
    p_lost boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    held call_actions;
BEGIN
    SELECT * INTO held FROM call_actions a WHERE a.id = p_id;
    PERFORM 1 FROM call_summaries s WHERE s.id = held.call FOR NO KEY UPDATE; -- calls are locked before their actions
    UPDATE call_actions a SET status = p_status, error_code = p_error, lease_owner = NULL, lease_until = NULL,
           detail = CASE WHEN p_status = 'pending' THEN a.detail ELSE '{}' END,
           next_attempt_at = CASE WHEN p_status = 'pending' THEN clock_timestamp() + p_retry_s * interval '1 second' END,
           finished_at = CASE WHEN p_status <> 'pending' THEN clock_timestamp() END
     WHERE a.id = p_id AND a.lease_token = p_token AND a.status = 'running';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF p_answered THEN
        UPDATE call_summaries s SET answered_at = clock_timestamp() WHERE s.id = held.call AND s.answered_at IS NULL;
    END IF;
    IF p_lost THEN
        UPDATE call_summaries s SET status = 'failed', end_cause = 'reported', end_seen_at = clock_timestamp(),
               ended_at = coalesce(s.ended_at, clock_timestamp())
         WHERE s.id = held.call AND s.end_seen_at IS NULL;
        IF FOUND THEN
            PERFORM call_schedule(held.call, 0);
        END IF;
    END IF;
    RETURN true;
END $$;

DO $$
DECLARE
    t regclass;
    f regprocedure;
BEGIN
    FOREACH t IN ARRAY ARRAY['call_events', 'webhook_ids', 'call_actions']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO omni_owner', t);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %s TO omni_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY app_all ON %s TO omni_app USING (true) WITH CHECK (true)', t);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO omni_app', t);
    END LOOP;
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('record_call_event', 'number_used', 'claim_call_actions', 'finish_call_action')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
GRANT DELETE ON webhook_ids, call_events TO omni_app;
