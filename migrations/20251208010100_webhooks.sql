-- A call that lasts too long is ended on the far side as well: one that OpenAI speaks in is hung up there, as one on the bridge is
-- terminated and let go.

-- Ends the calls whose end nobody reported: those whose time of ending is known; those whose agent has been heard of, but not for
-- p_silence_s seconds; those that were accepted with our tools and whose agent has used none for five times as long, since it may just be
-- talking; and those that are known for p_max_s seconds. Whose summary was told at one silence is told no other at the next: notes taken
-- every few minutes would be a paid message each. The sentence that stands in for a summary is none. Returns how many. A call that we
-- picked up is ordered to be stopped: when the longest call is over, and not before, since two people may well talk on while no tool is
-- used, or after a time of ending was named. What others answer is theirs to end.
CREATE OR REPLACE FUNCTION close_calls(p_max_s int, p_silence_s int, p_wait_s int) RETURNS int
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
                OR ((o.told_early IS NULL OR (o.told_early IN ('', call_told(NULL)) AND call_has_text(o))) AND (o.last_heard_at < clock_timestamp() - p_silence_s * interval '1 second'
                    OR (o.last_heard_at IS NULL AND o.answered_at < clock_timestamp() - 5 * p_silence_s * interval '1 second'
                        AND EXISTS (SELECT 1 FROM call_actions a WHERE a.call = o.id AND a.kind = 'accept' AND a.status = 'done'))))
                OR o.created_at < clock_timestamp() - p_max_s * interval '1 second')
         ORDER BY o.id LIMIT 100
           FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        UPDATE call_summaries o SET status = CASE WHEN o.last_heard_at IS NULL AND call_took_no_time(o) THEN 'missed' ELSE 'ended' END,
               end_seen_at = clock_timestamp(),
               ended_at = coalesce(o.ended_at, o.last_heard_at, clock_timestamp()),
               end_cause = s.cause
         WHERE o.id = s.id;
        INSERT INTO call_actions (call, profile_id, kind, status, next_attempt_at, expires_at)
        SELECT s.id, s.profile_id, 'stop', 'pending', t.at, t.at + interval '10 minutes'
          FROM (SELECT CASE s.cause WHEN 'too_long' THEN clock_timestamp() ELSE greatest(s.longest, clock_timestamp()) END AS at) AS t
         WHERE EXISTS (SELECT 1 FROM call_actions a WHERE a.call = s.id AND a.kind IN ('answer', 'accept'))
        ON CONFLICT ON CONSTRAINT call_actions_call_kind_key DO NOTHING;
        PERFORM call_schedule(s.id, p_wait_s);
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('close_calls')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
