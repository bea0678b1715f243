-- The agent's turns: one at a time per conversation, in order, none answered twice, none skipped.

-- Leases up to p_want sessions whose turn is due and says up to which message each turn answers. A session whose turn died
-- five times without an outcome is handed to a person instead.
CREATE FUNCTION claim_turns(p_worker text, p_want int, p_lease_s int)
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
         ORDER BY o.turn_due_at
         LIMIT p_want
           FOR NO KEY UPDATE OF o SKIP LOCKED
    LOOP
        -- Under the lock: a message that came a moment ago is seen.
        SELECT max(m.seq) INTO upto FROM message_delivery_log m WHERE m.session_id = s.id AND m.awaits_turn;
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

-- Renews the leases of turns that a worker still waits for, a JSON array of {session_id, token}: an agent may take longer than a
-- lease, a dead worker does not renew. A turn that was taken over meanwhile is left alone.
CREATE FUNCTION renew_turns(p_turns jsonb, p_lease_s int) RETURNS int
LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH held AS (
        SELECT o.id FROM omnichannel_sessions o
          JOIN jsonb_to_recordset(p_turns) AS t (session_id uuid, token bigint)
            ON o.id = t.session_id AND o.turn_token = t.token AND o.turn_lease_until IS NOT NULL
         ORDER BY o.id
           FOR NO KEY UPDATE OF o),
    renewed AS (
        UPDATE omnichannel_sessions o SET turn_lease_until = clock_timestamp() + p_lease_s * interval '1 second'
          FROM held WHERE o.id = held.id
        RETURNING 1)
    SELECT count(*)::int FROM renewed
$$;

-- Ends a turn: the reply's rows and the release of the lease in one transaction. A turn that lost its lease writes nothing
-- and gets 'lost'.
--   p_done      true: the messages are answered by p_rows. false: they wait; p_rows is the fallback sentence, sent unless one
--               went out within p_fallback_every_s; the turn is due again in p_retry_s seconds, or, if that is NULL, a person's;
--               but what came while it ran has not been tried: it stays due, with attempts of its own
--   p_evidence  {agent, model, prompt_tokens, completion_tokens, error_code}
CREATE FUNCTION finish_turn(p_turn uuid, p_session uuid, p_token bigint, p_done boolean, p_rows jsonb, p_evidence jsonb,
    p_retry_s float8, p_fallback_every_s int)
RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    s       omnichannel_sessions;
    waiting boolean;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND OR s.turn_token <> p_token OR s.turn_lease_until IS NULL THEN
        UPDATE turns t SET status = 'lost', finished_at = clock_timestamp() WHERE t.id = p_turn AND t.status = 'running';
        RETURN 'lost';
    END IF;
    UPDATE turns t SET status = CASE WHEN p_done THEN 'done' ELSE 'failed' END, finished_at = clock_timestamp(),
           agent = p_evidence ->> 'agent', model = p_evidence ->> 'model', error_code = p_evidence ->> 'error_code',
           prompt_tokens = (p_evidence ->> 'prompt_tokens')::int, completion_tokens = (p_evidence ->> 'completion_tokens')::int
     WHERE t.id = p_turn;
    IF p_done THEN
        UPDATE message_delivery_log m SET awaits_turn = false, turn_id = p_turn
         WHERE m.session_id = p_session AND m.awaits_turn AND m.seq <= s.turn_upto;
        SELECT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = p_session AND m.awaits_turn) INTO waiting;
        UPDATE omnichannel_sessions o SET turn_lease_until = NULL, turn_lease_owner = NULL, turn_attempts = 0, needs_human = false,
               last_agent_id = coalesce(p_evidence ->> 'agent', o.last_agent_id),
               turn_due_at = CASE WHEN waiting THEN o.turn_due_at END,
               expires_at = greatest(o.expires_at, clock_timestamp() + interval '24 hours')
         WHERE o.id = p_session;
        PERFORM messages_enqueue(p_session, p_rows);
        PERFORM thread_touch(p_session, s.profile_id, r ->> 'channel', s.call_id, 1) FROM jsonb_array_elements(p_rows) AS r
          WHERE coalesce((r ->> 'part')::int, 1) = 1;
        RETURN 'done';
    END IF;
    IF s.last_fallback_at IS NULL OR s.last_fallback_at < clock_timestamp() - p_fallback_every_s * interval '1 second' THEN
        PERFORM messages_enqueue(p_session, p_rows);
        UPDATE omnichannel_sessions o SET last_fallback_at = clock_timestamp()
         WHERE o.id = p_session AND jsonb_array_length(p_rows) > 0;
    END IF;
    SELECT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = p_session AND m.awaits_turn AND m.seq > s.turn_upto)
      INTO waiting;
    UPDATE omnichannel_sessions o SET turn_lease_until = NULL, turn_lease_owner = NULL,
           needs_human = o.needs_human OR p_retry_s IS NULL,
           turn_due_at = CASE WHEN p_retry_s IS NOT NULL THEN clock_timestamp() + p_retry_s * interval '1 second'
                              WHEN waiting THEN o.turn_due_at END,
           turn_attempts = CASE WHEN p_retry_s IS NULL AND waiting THEN 0 ELSE o.turn_attempts END
     WHERE o.id = p_session;
    RETURN 'failed';
END $$;
