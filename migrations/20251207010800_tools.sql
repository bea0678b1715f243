-- Tools: what AI agents and operators ask for, once, within limits, with evidence; and conversations that a person holds back.

-- 1. Conversations that wait for a person ------------------------------------------------------------------------------

-- While it is set no turn is claimed; what comes in waits.
ALTER TABLE omnichannel_sessions ADD COLUMN IF NOT EXISTS paused_at timestamptz;

-- Leases up to p_want sessions whose turn is due and says up to which message each turn answers: no more than an agent is shown at
-- once, what is behind them is the next turn's. A session whose turn died five times without an outcome is handed to a person
-- instead; one that is paused is left alone.
CREATE OR REPLACE FUNCTION claim_turns(p_worker text, p_want int, p_lease_s int)
RETURNS TABLE (turn_id uuid, session_id uuid, profile_id uuid, token bigint, upto bigint, attempt int)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    s record;
BEGIN
    FOR s IN
        SELECT o.id, o.turn_attempts
          FROM omnichannel_sessions o
         WHERE o.turn_due_at <= (SELECT clock_timestamp()) -- read once, so that the index ends the search
           AND (o.turn_lease_until IS NULL OR o.turn_lease_until < clock_timestamp())
           AND o.paused_at IS NULL
         ORDER BY o.turn_due_at
         LIMIT p_want
           FOR NO KEY UPDATE OF o SKIP LOCKED
    LOOP
        -- Under the lock: a message that came a moment ago is seen.
        SELECT max(w.seq) INTO upto
          FROM (SELECT m.seq FROM message_delivery_log m WHERE m.session_id = s.id AND m.awaits_turn ORDER BY m.seq LIMIT 30) w;
        UPDATE turns t SET status = 'lost', finished_at = clock_timestamp()
         WHERE t.session_id = s.id AND t.status = 'running';
        IF upto IS NULL OR s.turn_attempts >= 5 THEN
            UPDATE omnichannel_sessions o SET turn_due_at = NULL, turn_lease_until = NULL, turn_lease_owner = NULL,
                   needs_human = o.needs_human OR upto IS NOT NULL
             WHERE o.id = s.id;
            CONTINUE;
        END IF;
        UPDATE omnichannel_sessions o SET turn_token = o.turn_token + 1, turn_upto = upto,
               turn_attempts = o.turn_attempts + 1, turn_lease_owner = p_worker,
               turn_lease_until = clock_timestamp() + p_lease_s * interval '1 second'
         WHERE o.id = s.id
        RETURNING o.id, o.profile_id, o.turn_token, o.turn_attempts INTO session_id, profile_id, token, attempt;
        INSERT INTO turns AS t (session_id, profile_id, token, worker) VALUES (session_id, profile_id, token, p_worker)
        RETURNING t.id INTO turn_id;
        RETURN NEXT;
    END LOOP;
END $$;

-- Holds a conversation back, or lets it go on: then what waits is answered, and no person is asked for any more. A turn that is
-- running loses its lease: its answer is not sent, its tools may do nothing more, and what it read waits again. The status, or NULL
-- when there is no such conversation; one that is closed is not changed, but for the call for a person, which may be taken back.
CREATE FUNCTION session_hold(p_session uuid, p_hold boolean) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    now_is text;
BEGIN
    SELECT s.status INTO now_is FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    IF now_is = 'closed' AND NOT p_hold THEN
        UPDATE omnichannel_sessions s SET needs_human = false WHERE s.id = p_session AND s.needs_human;
    END IF;
    IF now_is IS NULL OR now_is = 'closed' THEN
        RETURN now_is;
    END IF;
    IF p_hold THEN
        UPDATE omnichannel_sessions s SET paused_at = coalesce(s.paused_at, clock_timestamp()), turn_lease_until = NULL,
               turn_lease_owner = NULL
         WHERE s.id = p_session;
    ELSE
        UPDATE omnichannel_sessions s SET paused_at = NULL, needs_human = false, turn_attempts = 0,
               turn_due_at = CASE WHEN EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = s.id AND m.awaits_turn)
                                  THEN clock_timestamp() END
         WHERE s.id = p_session;
    END IF;
    RETURN now_is;
END $$;

-- For the operator: the agent could not or may not answer here. Nothing in it names or quotes anybody.
CREATE VIEW sessions_needing_human WITH (security_invoker = true) AS
    SELECT s.id AS session_id, s.profile_id, s.status, s.primary_channel, s.updated_at,
           (SELECT count(*) FROM message_delivery_log m
             WHERE m.session_id = s.id AND m.direction = 'inbound'
               AND m.created_at > coalesce((SELECT max(o.created_at) FROM message_delivery_log o
                                             WHERE o.session_id = s.id AND o.direction = 'outbound'
                                               AND o.message_type IN ('reply', 'operator')), '-infinity')) AS unanswered
      FROM omnichannel_sessions s
     WHERE s.needs_human;
CREATE INDEX sessions_for_humans ON omnichannel_sessions (id) WHERE needs_human;
ALTER VIEW sessions_needing_human OWNER TO omni_owner;
GRANT SELECT ON sessions_needing_human TO omni_reader, omni_app;

-- 2. What agents write into a conversation -----------------------------------------------------------------------------

-- Keys that could pass for an instruction, a recipient, an address or an identity: what an agent writes under them is dropped.
-- Not 'from' and 'to': a ride has these.
CREATE FUNCTION context_reserved() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY['role', 'admin', 'system', 'systemprompt', 'instruction', 'instructions', 'prompt', 'tools', 'token',
        'phone', 'phones', 'phonenumber', 'phonenumbers', 'phoneno', 'recipient', 'url', 'callbackurl', 'callback', 'webhookurl',
        'profileid', 'userid', 'sessionid', 'callid', 'handover']
$$;

-- As a reader takes a key: "Phone Number", " PHONE-NUMBER ", phone_number and phoneNumber are one.
CREATE FUNCTION context_key(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT regexp_replace(lower(p_key), '[[:space:]_-]+', '', 'g')
$$;

-- What is left of a note without the reserved keys, at whatever depth.
CREATE FUNCTION context_clean(p_context jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN CASE jsonb_typeof(p_context)
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(e.key, context_clean(e.value)), '{}') FROM jsonb_each(p_context) AS e
                             WHERE context_key(e.key) <> ALL (context_reserved()))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(context_clean(e.value) ORDER BY e.n), '[]')
                             FROM jsonb_array_elements(p_context) WITH ORDINALITY AS e (value, n))
        ELSE p_context END;
END $$;

-- The reserved keys in a note, as they are written there.
CREATE FUNCTION context_ignored(p_context jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    WITH RECURSIVE part AS (
        SELECT NULL::text AS key, p_context AS value
        UNION ALL
        SELECT e.key, e.value
          FROM part p
         CROSS JOIN LATERAL (SELECT o.key, o.value FROM jsonb_each(CASE jsonb_typeof(p.value) WHEN 'object' THEN p.value ELSE '{}' END) AS o
                             UNION ALL
                             SELECT NULL, a.value FROM jsonb_array_elements(CASE jsonb_typeof(p.value) WHEN 'array' THEN p.value ELSE '[]' END) AS a) AS e
         WHERE p.key IS NULL OR context_key(p.key) <> ALL (context_reserved())) -- what is below one is gone with it
    SELECT coalesce(array_agg(DISTINCT p.key ORDER BY p.key), '{}') FROM part p WHERE context_key(p.key) = ANY (context_reserved())
$$;

-- Merges what an agent has noted; p_status NULL leaves the status. was: the status before, NULL when there is no such
-- conversation. A closed one takes notes, but is not opened again.
CREATE FUNCTION session_note(p_session uuid, p_status text, p_context jsonb)
RETURNS TABLE (was text, status text, ignored text[])
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
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

-- The person's open conversation, or a new one, for somebody who knows the person or only a number. No row: no such person. The
-- status alone, 'unknown_agent': no such agent, nothing was done.
CREATE FUNCTION session_for(p_profile uuid, p_phone text, p_channel text, p_call text, p_agent text, p_intent text, p_ids uuid[])
RETURNS TABLE (session_id uuid, profile_id uuid, status text, created boolean, context jsonb)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    person profiles;
    dialog record;
BEGIN
    IF p_agent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.slug = p_agent) THEN
        status := 'unknown_agent';
        RETURN NEXT;
        RETURN;
    END IF;
    profile_id := coalesce(p_profile, person_find_or_create(p_phone, NULL, NULL, NULL, p_ids[1]));
    SELECT * INTO person FROM profiles p WHERE p.user_id = profile_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO dialog FROM session_open(person.user_id,
        coalesce(p_channel, CASE WHEN p_call IS NOT NULL THEN 'voice' ELSE person.last_active_channel END, 'sms'),
        p_call, p_agent, p_intent, p_ids[2]);
    RETURN QUERY SELECT dialog.id, person.user_id, dialog.status, dialog.created, s.context
      FROM omnichannel_sessions s WHERE s.id = dialog.id;
END $$;

-- Another agent goes on, or, under the name 'human', a person: then the conversation is held back until an operator lets it go on.
-- unknown_session | closed | unknown_agent, or the status.
CREATE FUNCTION session_handover(p_session uuid, p_agent text, p_reason text) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s omnichannel_sessions;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_session';
    ELSIF s.status = 'closed' THEN
        RETURN 'closed';
    ELSIF p_agent <> 'human' AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.slug = p_agent) THEN
        RETURN 'unknown_agent';
    END IF;
    UPDATE omnichannel_sessions o SET
        last_agent_id = CASE WHEN p_agent = 'human' THEN o.last_agent_id ELSE p_agent END,
        needs_human = o.needs_human OR p_agent = 'human',
        paused_at = CASE WHEN p_agent = 'human' THEN coalesce(o.paused_at, clock_timestamp()) ELSE o.paused_at END,
        context = o.context || jsonb_build_object('handover', jsonb_build_object(
            'from', o.last_agent_id, 'to', p_agent, 'reason', p_reason, 'at', clock_timestamp()))
     WHERE o.id = p_session;
    RETURN s.status;
END $$;

-- 3. Calls of tools: the evidence, and the memory of what was done -----------------------------------------------------

-- No arguments and no texts: ids, words and numbers only. The reply is kept where a message was sent, for a repeat.
CREATE TABLE tool_calls (
    id          uuid PRIMARY KEY,
    tool        text NOT NULL,
    caller      text NOT NULL CHECK (caller IN ('operator', 'call', 'turn', 'bound')),
    profile_id  uuid REFERENCES profiles (user_id),
    session_id  uuid REFERENCES omnichannel_sessions (id),
    call_id     text,
    turn_id     uuid,
    idem_key    text,
    args_hash   text NOT NULL DEFAULT '',
    counts      boolean NOT NULL DEFAULT false, -- as a message, against the limits
    message_ids uuid[] NOT NULL DEFAULT '{}',
    skips       jsonb, -- [{channel, reason}]: channels the message does not go out on; not NULL once that is decided
    outcome     text CHECK (outcome IN ('ok', 'failed', 'unknown', 'denied', 'limited')), -- NULL while it runs
    error_code  text,
    status      int,
    reply       json,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    took_ms     int
);
-- A bound caller's key is its person's and its tool's; the operator's stands for one call, whatever it was about.
CREATE UNIQUE INDEX one_tool_call ON tool_calls (tool, profile_id, idem_key) NULLS NOT DISTINCT
    WHERE idem_key IS NOT NULL AND caller <> 'operator';
CREATE UNIQUE INDEX one_operator_call ON tool_calls (idem_key) WHERE idem_key IS NOT NULL AND caller = 'operator';
CREATE INDEX tool_calls_by_person ON tool_calls (profile_id, created_at);
CREATE INDEX tool_calls_by_turn ON tool_calls (turn_id) WHERE turn_id IS NOT NULL;
CREATE INDEX tool_calls_by_call ON tool_calls (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX tool_calls_by_time ON tool_calls (created_at);

-- How many; changeable by SQL, at once.
CREATE TABLE tool_limits (
    name text PRIMARY KEY,
    most int NOT NULL CHECK (most >= 0)
);
INSERT INTO tool_limits VALUES ('messages_per_turn', 3), ('calls_per_turn', 10), ('messages_per_hour', 20),
    ('messages_per_call', 20), ('calls_per_call', 200), ('calls_per_second', 20);

-- The limit that one more call would exceed, and in how many seconds it would not: when as many of the counted calls have left the
-- window as must; of several limits the one that lasts longest. No row: none. What counts for a turn or a call never leaves it: then a
-- turn's longest life, or an hour. Asked under the person's lock. Whoever is bound to a person has no more calls in a second than all
-- of that person's tokens together; what was refused counts too.
CREATE FUNCTION tool_over(p_bound boolean, p_counts boolean, p_tool text, p_profile uuid, p_call text, p_turn uuid)
RETURNS TABLE (name text, wait_s int)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT l.name, greatest(1, ceil(extract(epoch FROM
               CASE WHEN u.span IS NULL THEN u.life
                    ELSE coalesce((u.at)[array_length(u.at, 1) - l.most + 1] + u.span - clock_timestamp(), u.span) END)))::int AS wait_s
      FROM tool_limits l
      JOIN (SELECT 'messages_per_turn' AS name, NULL::interval AS span, interval '1 minute' AS life,
                   array_agg(t.created_at ORDER BY t.created_at) AS at
              FROM tool_calls t WHERE p_counts AND t.turn_id = p_turn AND t.counts
            UNION ALL
            SELECT 'calls_per_turn', NULL, interval '1 minute', array_agg(t.created_at ORDER BY t.created_at)
              FROM tool_calls t WHERE t.turn_id = p_turn AND t.outcome IS DISTINCT FROM 'limited'
            UNION ALL
            SELECT 'messages_per_hour', interval '1 hour', NULL, array_agg(t.created_at ORDER BY t.created_at)
              FROM tool_calls t
             WHERE p_counts AND t.profile_id = p_profile AND t.tool = p_tool AND t.counts
               AND t.created_at > clock_timestamp() - interval '1 hour'
            UNION ALL
            SELECT 'calls_per_second', interval '1 second', NULL, array_agg(t.created_at ORDER BY t.created_at)
              FROM tool_calls t
             WHERE p_bound AND t.profile_id = p_profile AND t.caller <> 'operator' AND t.outcome IS DISTINCT FROM 'limited'
               AND t.created_at > clock_timestamp() - interval '1 second'
            UNION ALL
            SELECT 'messages_per_call', NULL, interval '1 hour', array_agg(t.created_at ORDER BY t.created_at)
              FROM tool_calls t WHERE p_counts AND t.call_id = p_call AND t.counts
            UNION ALL
            SELECT 'calls_per_call', NULL, interval '1 hour', array_agg(t.created_at ORDER BY t.created_at)
              FROM tool_calls t WHERE t.call_id = p_call AND t.outcome IS DISTINCT FROM 'limited'
           ) AS u ON u.name = l.name
     WHERE coalesce(array_length(u.at, 1), 0) >= l.most
       AND CASE l.name WHEN 'messages_per_turn' THEN p_counts AND p_turn IS NOT NULL
                       WHEN 'calls_per_turn' THEN p_turn IS NOT NULL
                       WHEN 'messages_per_hour' THEN p_counts AND p_profile IS NOT NULL
                       WHEN 'calls_per_second' THEN p_bound
                       WHEN 'messages_per_call' THEN p_counts AND p_call IS NOT NULL
                       ELSE p_call IS NOT NULL END
     ORDER BY wait_s DESC, l.name
     LIMIT 1
$$;

-- Begins a call, or says why not. p_call: {id, tool, caller, profile_id, session_id, call_id, turn_id, key, hash, counts}.
--   run       go on under this id; a repeat of a call that is not through gets the first one's, and may write nothing twice
--   again     it was done before: its reply
--   conflict  the key was used with other arguments, or by the operator for another tool or person
--   limit     one more would be too many; 'limit_name' says of what, 'wait_s' for how long
CREATE FUNCTION tool_begin(p_call jsonb)
RETURNS TABLE (verdict text, id uuid, status int, reply json, limit_name text, wait_s int)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c   record;
    old tool_calls;
BEGIN
    SELECT * INTO c FROM jsonb_to_record(p_call) AS x (id uuid, tool text, caller text, profile_id uuid, session_id uuid,
        call_id text, turn_id uuid, key text, hash text, counts boolean);
    id := c.id;
    -- One at a time for a person, so that calls at the same moment cannot pass a limit together, nor one key twice. The operator's
    -- key is nobody's: it has a lock of its own, always taken first.
    IF c.caller = 'operator' AND c.key IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('tool-key:' || c.key, 20251207));
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('tool:' || coalesce(c.profile_id::text, c.key, c.id::text), 20251207));
    IF c.key IS NOT NULL THEN
        SELECT * INTO old FROM tool_calls t
         WHERE t.idem_key = c.key
           AND CASE WHEN c.caller = 'operator' THEN t.caller = 'operator'
                    ELSE t.caller <> 'operator' AND t.tool = c.tool AND t.profile_id IS NOT DISTINCT FROM c.profile_id END;
    END IF;
    -- Who is meant is among the arguments: a number that was nobody's becomes somebody's by the first call.
    IF old.id IS NOT NULL AND (old.args_hash <> c.hash OR old.tool <> c.tool) THEN
        verdict := 'conflict';
        INSERT INTO tool_calls (id, tool, caller, profile_id, session_id, call_id, turn_id, args_hash, outcome, error_code, finished_at, took_ms)
        VALUES (c.id, c.tool, c.caller, c.profile_id, c.session_id, c.call_id, c.turn_id, c.hash, 'failed', 'conflict', clock_timestamp(), 0);
    ELSIF old.id IS NOT NULL THEN
        verdict := CASE WHEN old.reply IS NULL THEN 'run' ELSE 'again' END;
        id := old.id;
        status := old.status;
        reply := old.reply;
    ELSE
        SELECT o.name, o.wait_s INTO limit_name, wait_s
          FROM tool_over(c.caller <> 'operator', c.counts, c.tool, c.profile_id, c.call_id, c.turn_id) AS o;
        verdict := CASE WHEN limit_name IS NULL THEN 'run' ELSE 'limit' END;
        INSERT INTO tool_calls (id, tool, caller, profile_id, session_id, call_id, turn_id, args_hash, idem_key, counts,
            outcome, error_code, finished_at, took_ms)
        VALUES (c.id, c.tool, c.caller, c.profile_id, c.session_id, c.call_id, c.turn_id, c.hash,
            CASE WHEN limit_name IS NULL THEN c.key END, c.counts AND limit_name IS NULL,
            CASE WHEN limit_name IS NOT NULL THEN 'limited' END, limit_name,
            CASE WHEN limit_name IS NOT NULL THEN clock_timestamp() END, CASE WHEN limit_name IS NOT NULL THEN 0 END);
    END IF;
    RETURN NEXT;
END $$;

-- Notes a call that was refused before it began. What it names need not exist.
CREATE FUNCTION tool_refuse(p_call jsonb, p_outcome text, p_error text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO tool_calls (id, tool, caller, profile_id, session_id, call_id, turn_id, outcome, error_code, finished_at, took_ms)
    SELECT c.id, c.tool, c.caller, p.user_id, s.id, c.call_id, c.turn_id, p_outcome, p_error, clock_timestamp(), 0
      FROM jsonb_to_record(p_call) AS c (id uuid, tool text, caller text, profile_id uuid, session_id uuid, call_id text, turn_id uuid)
      LEFT JOIN profiles p ON p.user_id = c.profile_id
      LEFT JOIN omnichannel_sessions s ON s.id = c.session_id
$$;

-- Ends a call. The first reply that was kept stays, and a call that wrote no message does not count as one.
CREATE FUNCTION tool_end(p_id uuid, p_outcome text, p_error text, p_status int, p_reply json) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE tool_calls t SET outcome = p_outcome, error_code = p_error, status = p_status, reply = p_reply,
           counts = t.counts AND t.message_ids <> '{}',
           finished_at = clock_timestamp(),
           took_ms = least(extract(epoch FROM clock_timestamp() - t.created_at) * 1000, 2147483647)::int
     WHERE t.id = p_id AND t.reply IS NULL
$$;

-- Writes the messages of one call, once: a second time it only says what was written. They go into the person's open
-- conversation.
--   p_turn_token  the fence of the turn that asks, or NULL; 'stale' when the turn is over
--   p_skips       [{channel, reason}]
--   p_human       a person writes: nobody else need be asked for
CREATE FUNCTION tool_send(p_call uuid, p_profile uuid, p_session uuid, p_turn_token bigint, p_rows jsonb, p_skips jsonb,
    p_human boolean, p_new_session uuid)
RETURNS TABLE (verdict text, message_ids uuid[], skips jsonb)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c      tool_calls;
    dialog uuid;
BEGIN
    SELECT * INTO c FROM tool_calls t WHERE t.id = p_call FOR NO KEY UPDATE;
    IF c.skips IS NOT NULL THEN
        RETURN QUERY SELECT 'again', c.message_ids, c.skips;
        RETURN;
    END IF;
    IF p_turn_token IS NOT NULL THEN
        PERFORM 1 FROM omnichannel_sessions s
          WHERE s.id = p_session AND s.turn_token = p_turn_token AND s.turn_lease_until IS NOT NULL FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'stale', '{}'::uuid[], '[]'::jsonb;
            RETURN;
        END IF;
    END IF;
    message_ids := '{}';
    IF jsonb_array_length(p_rows) > 0 THEN
        SELECT o.id INTO dialog FROM session_open(p_profile, p_rows -> 0 ->> 'channel', NULL, NULL, NULL, p_new_session) AS o;
        message_ids := ARRAY(SELECT e FROM messages_enqueue(dialog, p_rows) AS e);
        PERFORM thread_touch(dialog, p_profile, r ->> 'channel', r ->> 'call_id', 1) FROM jsonb_array_elements(p_rows) AS r;
        IF p_human THEN
            UPDATE omnichannel_sessions s SET needs_human = false WHERE s.id IN (dialog, p_session) AND s.needs_human;
        END IF;
    END IF;
    UPDATE tool_calls t SET message_ids = tool_send.message_ids, skips = p_skips,
           session_id = coalesce(dialog, t.session_id)
     WHERE t.id = p_call;
    verdict := 'written';
    skips := p_skips;
    RETURN NEXT;
END $$;

-- 4. Rights --------------------------------------------------------------------------------------------------------------

DO $$
DECLARE
    t regclass;
    f regprocedure;
BEGIN
    FOREACH t IN ARRAY ARRAY['tool_calls', 'tool_limits']::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO omni_owner', t);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %s TO omni_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY app_all ON %s TO omni_app USING (true) WITH CHECK (true)', t);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', t);
        EXECUTE format('GRANT SELECT ON %s TO omni_app', t);
    END LOOP;
    GRANT INSERT, UPDATE ON tool_calls TO omni_app; -- the limits are the operator's
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('claim_turns', 'session_hold', 'context_reserved', 'context_key', 'context_clean', 'context_ignored',
                    'session_note', 'session_for', 'session_handover', 'tool_over', 'tool_begin', 'tool_refuse', 'tool_end', 'tool_send')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
