-- Conversations: what waits in one that is held back outlasts its end; a new beginning ends what was asked before it; threads end
-- with their conversation.

-- 1. Held back -----------------------------------------------------------------------------------------------------------

-- As before, but a conversation that is held back, or in which an answer is due, does not end by time: what waits in it is not left
-- behind. Who was joined to another has none of their own.
CREATE OR REPLACE FUNCTION session_open(p_profile uuid, p_channel text, p_call text, p_agent text, p_intent text, p_id uuid)
RETURNS TABLE (id uuid, created boolean, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    p_profile := coalesce((SELECT p.merged_into FROM profiles p WHERE p.user_id = p_profile), p_profile);
    UPDATE omnichannel_sessions s SET status = 'closed', closed_at = clock_timestamp()
     WHERE s.profile_id = p_profile AND s.status IN ('active', 'follow_up') AND s.expires_at <= clock_timestamp()
       AND s.paused_at IS NULL AND s.turn_due_at IS NULL
       AND (s.turn_lease_until IS NULL OR s.turn_lease_until < clock_timestamp());
    RETURN QUERY
    INSERT INTO omnichannel_sessions AS s (id, profile_id, primary_channel, active_channels, call_id, last_agent_id, last_intent)
    VALUES (coalesce(p_id, uuid_v7()), p_profile, p_channel, ARRAY[p_channel], p_call, p_agent, p_intent)
    ON CONFLICT (profile_id) WHERE status IN ('active', 'follow_up') DO UPDATE SET
        active_channels = CASE WHEN p_channel = ANY (s.active_channels) THEN s.active_channels
                               ELSE s.active_channels || p_channel END,
        status = CASE WHEN p_call IS NOT NULL AND p_call IS DISTINCT FROM s.call_id THEN 'active' ELSE s.status END,
        call_id = coalesce(p_call, s.call_id),
        last_agent_id = coalesce(p_agent, s.last_agent_id),
        last_intent = coalesce(p_intent, s.last_intent),
        expires_at = clock_timestamp() + interval '24 hours'
    RETURNING s.id, (s.xmax = 0), s.status;
END $$;

-- Up to when an operator has seen what was written in a conversation. Within ten seconds nobody reads, answers and sends: what came so
-- shortly before their message came while they wrote it. They answer in the person's open conversation, which may be a later one.
CREATE FUNCTION operator_saw(p_session uuid) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(max(m.created_at) - interval '10 seconds', '-infinity')
      FROM omnichannel_sessions s
      JOIN omnichannel_sessions x ON x.profile_id = s.profile_id AND (x.id = s.id OR x.started_at > s.started_at)
      JOIN message_delivery_log m ON m.session_id = x.id AND m.direction = 'outbound' AND m.message_type = 'operator'
     WHERE s.id = p_session
$$;

-- Whether a message came in the silence after two machines talked, and nobody has answered in its conversation since.
CREATE FUNCTION message_silenced(m message_delivery_log) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT m.direction = 'inbound' AND EXISTS (
           SELECT 1 FROM turns t
            WHERE t.id = m.turn_id AND t.status = 'stopped' AND t.error_code = 'muted'
              AND NOT EXISTS (SELECT 1 FROM turns d WHERE d.session_id = m.session_id AND d.status = 'done' AND d.finished_at > t.finished_at))
$$;

-- Holds a conversation back, or lets it go on: then what waits is answered, no person is asked for any more, and the silence after
-- two machines talked is over: what came in it waits too, unless it was answered. A turn that is running loses its lease: its answer is
-- not sent, its tools may do nothing more, and what it read waits again. The status; NULL when there is no such conversation, 'refused'
-- for one that is closed, unless it is still held back or a person's, and let go.
CREATE OR REPLACE FUNCTION session_hold(p_session uuid, p_hold boolean) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s    omnichannel_sessions;
    seen timestamptz;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session FOR NO KEY UPDATE;
    seen := operator_saw(p_session);
    IF s.status = 'closed' AND (p_hold OR NOT (s.needs_human OR s.paused_at IS NOT NULL)) THEN
        RETURN 'refused';
    ELSIF p_hold THEN
        UPDATE omnichannel_sessions o SET paused_at = coalesce(o.paused_at, clock_timestamp()), turn_lease_until = NULL,
               turn_lease_owner = NULL
         WHERE o.id = p_session;
    ELSE
        UPDATE message_delivery_log m SET awaits_turn = true
         WHERE s.muted_until IS NOT NULL AND m.session_id = p_session AND m.created_at > seen AND message_silenced(m);
        UPDATE omnichannel_sessions o SET paused_at = NULL, muted_until = NULL, needs_human = false, turn_attempts = 0,
               turn_due_at = CASE WHEN EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = o.id AND m.awaits_turn)
                                  THEN clock_timestamp() END
         WHERE o.id = p_session;
    END IF;
    RETURN s.status;
END $$;

-- Writes the messages of one call, once: a second time it only says what was written. They go into the person's open
-- conversation.
--   p_turn_token  the fence of the turn that asks, or NULL; 'stale' when the turn is over, or its person has begun anew
--   p_skips       [{channel, reason}]
--   p_human       a person writes: nobody else need be asked for; what waited while the agent was kept out, or had given up, is answered,
--                 but for what they have not seen
CREATE OR REPLACE FUNCTION tool_send(p_call uuid, p_profile uuid, p_session uuid, p_turn_token bigint, p_rows jsonb, p_skips jsonb,
    p_human boolean, p_new_session uuid)
RETURNS TABLE (verdict text, message_ids uuid[], skips jsonb)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    c      tool_calls;
    dialog uuid;
    held   record;
    unseen boolean;
BEGIN
    SELECT * INTO c FROM tool_calls t WHERE t.id = p_call FOR NO KEY UPDATE;
    IF c.skips IS NOT NULL THEN
        RETURN QUERY SELECT 'again', c.message_ids, c.skips;
        RETURN;
    END IF;
    IF p_turn_token IS NOT NULL THEN
        PERFORM 1 FROM omnichannel_sessions s
          WHERE s.id = p_session AND s.turn_token = p_turn_token AND s.turn_lease_until IS NOT NULL FOR NO KEY UPDATE;
        IF NOT FOUND OR session_left(p_session) THEN
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
            PERFORM 1 FROM omnichannel_sessions s WHERE s.id IN (dialog, p_session) ORDER BY s.id FOR NO KEY UPDATE;
            FOR held IN SELECT s.id, operator_saw(s.id) AS saw FROM omnichannel_sessions s
                         WHERE s.id IN (dialog, p_session) AND (s.needs_human OR s.paused_at IS NOT NULL)
            LOOP
                UPDATE message_delivery_log m SET awaits_turn = false
                 WHERE m.session_id = held.id AND m.awaits_turn AND m.created_at <= held.saw;
                SELECT EXISTS (SELECT 1 FROM message_delivery_log m
                                WHERE m.session_id = held.id AND m.created_at > held.saw AND (m.awaits_turn OR message_silenced(m)))
                  INTO unseen;
                UPDATE omnichannel_sessions s SET needs_human = unseen,
                       paused_at = CASE WHEN unseen OR s.status <> 'closed' THEN s.paused_at END
                 WHERE s.id = held.id;
            END LOOP;
        END IF;
    END IF;
    UPDATE tool_calls t SET message_ids = tool_send.message_ids, skips = p_skips,
           session_id = coalesce(dialog, t.session_id)
     WHERE t.id = p_call;
    verdict := 'written';
    skips := p_skips;
    RETURN NEXT;
END $$;

-- For the operator: the agent could not or may not answer here, or is kept out and somebody waits. Nothing in it names or quotes anybody.
CREATE OR REPLACE VIEW sessions_needing_human WITH (security_invoker = true) AS
    SELECT s.id AS session_id, s.profile_id, s.status, s.primary_channel, s.updated_at, u.unanswered
      FROM omnichannel_sessions s
     CROSS JOIN LATERAL (
           SELECT count(*) AS unanswered FROM message_delivery_log m
            WHERE m.session_id = s.id AND m.direction = 'inbound'
              AND m.created_at > coalesce((SELECT max(CASE o.message_type WHEN 'operator' THEN o.created_at - interval '10 seconds'
                                                                          ELSE o.created_at END) -- as operator_saw()
                                             FROM message_delivery_log o
                                            WHERE o.session_id = s.id AND o.direction = 'outbound'
                                              AND o.message_type IN ('reply', 'operator')), '-infinity')) u
     WHERE (s.needs_human OR s.paused_at IS NOT NULL) AND (s.needs_human OR u.unanswered > 0); -- the first half is what the indexes know
CREATE INDEX sessions_paused ON omnichannel_sessions (id) WHERE paused_at IS NOT NULL;
GRANT SELECT (paused_at) ON omnichannel_sessions TO omni_reader;

-- 2. Threads end with their conversation -----------------------------------------------------------------------------------

CREATE FUNCTION threads_close() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE conversation_threads t SET status = 'closed' WHERE t.session_id = NEW.id AND t.status <> 'closed';
    RETURN NULL;
END $$;
CREATE TRIGGER threads_close AFTER UPDATE OF status ON omnichannel_sessions
    FOR EACH ROW WHEN (NEW.status = 'closed' AND OLD.status <> 'closed') EXECUTE FUNCTION threads_close();

-- 3. A new beginning -------------------------------------------------------------------------------------------------------

-- Whether the person has begun anew since this conversation.
CREATE FUNCTION session_left(p_session uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM omnichannel_sessions s
                     JOIN omnichannel_sessions n ON n.profile_id = s.profile_id AND n.starts_afresh AND n.started_at > s.started_at
                    WHERE s.id = p_session AND s.status = 'closed')
$$;

-- What becomes of a turn that was claimed:
--   go | probe   ask the agent (probe: as the only one, to see whether it is back)
--   paused       the agent's server is in trouble or asked for peace; look again in wait_s seconds
--   loop         two machines are talking: one notice, then silence      muted  that was said already
--   left         the person has begun anew: it ends, nobody is asked and nothing is sent
CREATE OR REPLACE FUNCTION turn_check(p_session uuid, p_upto bigint, p_provider text, p_scale float8, OUT verdict text, OUT wait_s float8)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c provider_circuit;
BEGIN
    wait_s := 0;
    verdict := 'left';
    IF session_left(p_session) THEN
        RETURN;
    END IF;
    verdict := 'muted';
    IF (SELECT o.muted_until > clock_timestamp() FROM omnichannel_sessions o WHERE o.id = p_session) THEN
        RETURN;
    END IF;
    verdict := 'loop';
    IF session_loops(p_session, p_upto) THEN
        RETURN;
    END IF;
    verdict := 'go';
    SELECT * INTO c FROM provider_circuit p WHERE p.provider = p_provider;
    IF NOT FOUND OR (c.state = 'closed' AND coalesce(c.not_before <= clock_timestamp(), true)) THEN
        RETURN;
    END IF;
    -- Spread, so that not all who wait come back at one moment.
    wait_s := greatest(3 * p_scale, extract(epoch FROM greatest(c.open_until, c.not_before) - clock_timestamp()))
              + random() * 5 * p_scale;
    verdict := 'paused';
    IF c.state = 'forced_open' THEN
        wait_s := 60 * p_scale + random() * 5 * p_scale;
    ELSIF c.state = 'open' AND coalesce(c.not_before <= clock_timestamp(), true) THEN
        UPDATE provider_circuit p SET probe_lease_until = clock_timestamp() + interval '45 seconds'
         WHERE p.provider = p_provider AND p.state = 'open' AND p.open_until <= clock_timestamp()
           AND (p.probe_lease_until IS NULL OR p.probe_lease_until < clock_timestamp());
        IF FOUND THEN
            verdict := 'probe';
            wait_s := 0;
        END IF;
    END IF;
END $$;

-- As before, and besides: what is worded after the person said NEW is no answer any more, and not sent.
--   p_evidence  {agent, model, provider, prompt_tokens, completion_tokens, error_code, rounds, duration_ms, tool_calls,
--               says: what it tells about the agent's server, probe, pause_s, scale,
--               ending: 'paused' (p_done false: no try is spent) | 'stopped' (p_done true: the messages are a person's, p_rows is
--               the notice; no turns for mute_s seconds)}
CREATE OR REPLACE FUNCTION finish_turn(p_turn uuid, p_session uuid, p_token bigint, p_done boolean, p_rows jsonb, p_evidence jsonb,
    p_retry_s float8, p_fallback_every_s int)
RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s       omnichannel_sessions;
    waiting boolean;
    ending  text := p_evidence ->> 'ending';
    done    boolean := p_done;
    answers jsonb := p_rows;
    problem text := p_evidence ->> 'error_code';
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND OR s.turn_token <> p_token OR s.turn_lease_until IS NULL THEN
        UPDATE turns t SET status = 'lost', finished_at = clock_timestamp() WHERE t.id = p_turn AND t.status = 'running';
        RETURN 'lost';
    END IF;
    IF session_left(p_session) THEN -- and nobody needs to look after what was left
        done := true;
        ending := NULL;
        answers := '[]';
        problem := coalesce(problem, 'began_anew');
    END IF;
    UPDATE turns t SET status = coalesce(ending, CASE WHEN p_done THEN 'done' ELSE 'failed' END), finished_at = clock_timestamp(),
           agent = p_evidence ->> 'agent', model = p_evidence ->> 'model', error_code = problem,
           provider = p_evidence ->> 'provider', rounds = (p_evidence ->> 'rounds')::int,
           duration_ms = (p_evidence ->> 'duration_ms')::int, tool_calls = coalesce(p_evidence -> 'tool_calls', '[]'),
           prompt_tokens = (p_evidence ->> 'prompt_tokens')::int, completion_tokens = (p_evidence ->> 'completion_tokens')::int
     WHERE t.id = p_turn;
    IF p_evidence ->> 'says' <> '' THEN
        PERFORM agent_result(p_evidence ->> 'provider', p_evidence ->> 'says', p_evidence ->> 'error_code',
            coalesce((p_evidence ->> 'probe')::boolean, false), coalesce((p_evidence ->> 'pause_s')::int, 0),
            coalesce((p_evidence ->> 'scale')::float8, 1));
    END IF;
    IF done THEN
        UPDATE message_delivery_log m SET awaits_turn = false, turn_id = p_turn
         WHERE m.session_id = p_session AND m.awaits_turn AND m.seq <= s.turn_upto;
        SELECT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = p_session AND m.awaits_turn) INTO waiting;
        UPDATE omnichannel_sessions o SET turn_lease_until = NULL, turn_lease_owner = NULL, turn_attempts = 0,
               needs_human = ending IS NOT NULL OR o.paused_at IS NOT NULL, -- the agent itself may have asked for a person
               muted_until = CASE WHEN ending IS NULL THEN o.muted_until
                                  ELSE coalesce(clock_timestamp() + (p_evidence ->> 'mute_s')::float8 * interval '1 second', o.muted_until) END,
               last_agent_id = CASE WHEN EXISTS (SELECT 1 FROM agents a WHERE a.slug = o.last_agent_id)
                                      OR (agent_for(NULL, o.last_intent)).slug IS DISTINCT FROM p_evidence ->> 'agent'
                                    THEN o.last_agent_id ELSE p_evidence ->> 'agent' END,
               turn_due_at = CASE WHEN waiting THEN o.turn_due_at END,
               expires_at = greatest(o.expires_at, clock_timestamp() + interval '24 hours')
         WHERE o.id = p_session;
        PERFORM messages_enqueue(p_session, answers);
        PERFORM thread_touch(p_session, s.profile_id, r ->> 'channel', s.call_id, 1) FROM jsonb_array_elements(answers) AS r
          WHERE coalesce((r ->> 'part')::int, 1) = 1;
        RETURN 'done';
    END IF;
    IF s.last_fallback_at IS NULL OR s.last_fallback_at < clock_timestamp() - p_fallback_every_s * interval '1 second' THEN
        PERFORM messages_enqueue(p_session, answers);
        UPDATE omnichannel_sessions o SET last_fallback_at = clock_timestamp()
         WHERE o.id = p_session AND jsonb_array_length(answers) > 0;
    END IF;
    SELECT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = p_session AND m.awaits_turn AND m.seq > s.turn_upto)
      INTO waiting;
    UPDATE omnichannel_sessions o SET turn_lease_until = NULL, turn_lease_owner = NULL,
           needs_human = o.needs_human OR p_retry_s IS NULL,
           turn_due_at = CASE WHEN p_retry_s IS NOT NULL THEN clock_timestamp() + p_retry_s * interval '1 second'
                              WHEN waiting THEN o.turn_due_at END,
           turn_attempts = CASE WHEN ending = 'paused' THEN greatest(0, o.turn_attempts - 1)
                                WHEN p_retry_s IS NULL AND waiting THEN 0 ELSE o.turn_attempts END
     WHERE o.id = p_session;
    RETURN 'failed';
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('threads_close', 'session_left', 'operator_saw', 'message_silenced')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
