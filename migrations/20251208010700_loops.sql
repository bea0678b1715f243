-- Who writes fast is no machine: conversations of two machines are told by words that repeat.

-- What is left of a text when two are compared: no figures and nothing that holds one (a ticket's number, the time), no marks, no
-- capitals. Of figures alone, all of it. The beginning is enough.
CREATE FUNCTION words_bare(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(nullif(btrim(regexp_replace(lower(left(p_text, 300)), '(\S*\d\S*|[^[:alnum:]])+', ' ', 'g')), ''), left(p_text, 300))
$$;

-- Whether a machine answers our machine. People write several messages in a row, and the same word to different questions; so
-- speed and repetition count together only:
--   six answers within two minutes, each so soon after our reply that nobody can have read it, that are all alike; or that are of
--   three kinds at most, as our replies are; or that give back what we said
--   the same text for the fourth time, while what we said between was the same too
--   the same sentence to the letter for the seventh time, whatever we say: nobody types that
--   forty replies in ten minutes
-- The fixed answers, to what has no words and to STOP and its kin, are replies too, in whatever conversation: a NEW begins another.
-- What was tapped or names an option is a choice of ours, and says nothing; nor does what was before a silence that is over.
CREATE OR REPLACE FUNCTION session_loops(p_session uuid, p_upto bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH since AS MATERIALIZED (
        SELECT greatest(clock_timestamp() - interval '10 minutes', max(t.finished_at)) AS at
          FROM turns t WHERE t.session_id = p_session AND t.status = 'stopped'),
    done AS MATERIALIZED (
        SELECT t.id, t.finished_at, row_number() OVER (ORDER BY t.token DESC) AS n
          FROM turns t
         WHERE t.session_id = p_session AND t.status = 'done' AND t.finished_at > (SELECT x.at FROM since x)
         ORDER BY t.token DESC LIMIT 40),
    lately AS MATERIALIZED ( -- in this conversation and those that ended a moment ago; the latest are enough
        SELECT m.* FROM omnichannel_sessions s
          JOIN omnichannel_sessions x ON x.profile_id = s.profile_id
                                     AND (x.id = s.id OR x.closed_at > clock_timestamp() - interval '3 minutes')
         CROSS JOIN LATERAL (SELECT m.session_id, m.seq, m.turn_id, m.direction, m.channel, m.content, m.awaits_turn, m.created_at,
                                    m.direction = 'inbound' AND m.metadata ?| ARRAY['tapped', 'option'] AS is_choice
                               FROM message_delivery_log m WHERE m.session_id = x.id ORDER BY m.seq DESC LIMIT 200) m
         WHERE s.id = p_session),
    turn_words AS MATERIALIZED ( -- what was said in the latest turns, and what waits (n = 0)
        SELECT d.n, string_agg(DISTINCT l.content, chr(10)) FILTER (WHERE l.direction = 'inbound') AS theirs,
               string_agg(DISTINCT words_bare(l.content), chr(10)) FILTER (WHERE l.direction = 'outbound') AS ours,
               bool_or(l.is_choice) AS is_choice
          FROM (SELECT 0 AS n, NULL AS id UNION ALL SELECT d.n, d.id FROM done d WHERE d.n <= 6) d
          JOIN lately l ON CASE d.n WHEN 0 THEN l.session_id = p_session AND l.awaits_turn AND l.seq <= p_upto ELSE l.turn_id = d.id END
         GROUP BY d.n),
    again AS ( -- of the latest seven, those that say what waits
        SELECT w.n, w.ours FROM turn_words w
         WHERE NOT w.is_choice AND w.theirs = (SELECT f.theirs FROM turn_words f WHERE f.n = 0)),
    replies AS MATERIALIZED (
        SELECT r.at, r.ours, row_number() OVER (ORDER BY r.at DESC) AS n
          FROM (SELECT d.finished_at AS at, w.ours FROM done d LEFT JOIN turn_words w ON w.n = d.n
                UNION ALL
                SELECT m.created_at, words_bare(m.content)
                  FROM omnichannel_sessions s
                  JOIN message_delivery_log m ON m.profile_id = s.profile_id AND m.message_type = 'confirmation'
                 WHERE s.id = p_session AND m.status <> 'suppressed' AND m.created_at > (SELECT x.at FROM since x)) r),
    quick AS MATERIALIZED (
        SELECT r.ours, words_bare(h.content) AS theirs
          FROM replies r
         CROSS JOIN LATERAL (SELECT l.* FROM lately l WHERE l.direction = 'inbound' AND l.created_at > r.at
                              ORDER BY l.created_at LIMIT 1) h
         WHERE r.n <= 6 AND r.at > clock_timestamp() - interval '2 minutes' AND NOT h.is_choice
           AND h.created_at - r.at < CASE h.channel WHEN 'sms' THEN interval '12 seconds' ELSE interval '5 seconds' END)
    SELECT (SELECT count(*) FROM replies) >= 40
        OR (SELECT count(*) = 6 AND (count(DISTINCT q.theirs) = 1 OR (count(DISTINCT q.theirs) <= 3 AND count(DISTINCT q.ours) <= 3)
                                     OR count(*) FILTER (WHERE q.theirs = q.ours) = 6) FROM quick q)
        OR (SELECT count(*) = 4 AND count(DISTINCT a.ours) <= 1 FROM again a WHERE a.n <= 3)
        OR (SELECT count(*) = 7 FROM again a) AND (SELECT length(f.theirs) >= 20 FROM turn_words f WHERE f.n = 0)
$$;

-- The latest messages of a conversation, on all channels, oldest first, those that wait last, of inbound ones up to p_upto: [{inbound, channel, type,
-- text, at, waits}]. The parts of a long text are one message, and so is what went out on both channels. The summary of the call that the
-- conversation is about is told apart from these; those of calls before it in the same conversation are messages of that time.
-- As before, but two long texts that go by one number (a telephone counts to 255) stay two; and of what we said that counts which
-- may have arrived. What did not, on any channel, says so: the agent cannot build on it.
CREATE OR REPLACE FUNCTION session_lines(p_session uuid, p_upto bigint, p_most int) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH latest AS (
        SELECT m.id, m.seq, m.direction, m.channel, m.message_type, m.created_at, m.awaits_turn,
               m.content || coalesce(' (= "' || nullif(m.metadata ->> 'option', m.content) || '")', '') AS content, -- what a figure stands for
               m.group_id, m.turn_id, m.metadata ->> 'ref' AS ref, m.replay_of,
               m.status = 'undelivered' OR (m.status = 'dead' AND m.dead_reason IS DISTINCT FROM 'ambiguous') AS is_dead,
               coalesce((m.metadata ->> 'part')::int, m.part) AS part
          FROM message_delivery_log m
         WHERE m.session_id = p_session AND m.content <> '' AND m.status <> 'suppressed'
           AND (m.direction = 'outbound' OR m.seq <= p_upto)
           AND (m.message_type IN ('message', 'reply', 'operator', 'tool', 'follow_up')
                OR (m.message_type = 'summary'
                    AND m.call_id IS DISTINCT FROM (SELECT s.call_id FROM omnichannel_sessions s WHERE s.id = p_session)))
         ORDER BY m.awaits_turn DESC, m.seq DESC LIMIT p_most),
    named AS ( -- the second time that a part comes it is another text's, though parts may come in any order
        SELECT l.*, CASE WHEN l.direction = 'outbound' THEN l.group_id::text WHEN l.ref IS NULL THEN l.id::text
                         ELSE concat_ws(':', l.channel, l.ref, row_number() OVER (
                              PARTITION BY l.direction, l.channel, l.ref, l.turn_id, l.part ORDER BY l.seq), l.turn_id) END AS whole
          FROM latest l),
    tried AS (SELECT n.*, bool_and(n.is_dead) OVER (PARTITION BY n.direction, n.whole) AS is_lost FROM named n),
    best AS (
        SELECT t.*, max(t.channel) OVER (PARTITION BY t.direction, t.whole) AS one_channel
          FROM tried t WHERE NOT t.is_dead OR (t.is_lost AND t.replay_of IS NULL)),
    whole AS (
        SELECT min(b.seq) AS seq, b.direction, b.channel, min(b.message_type) AS message_type, min(b.created_at) AS created_at,
               bool_or(b.awaits_turn) AS waits,
               CASE WHEN bool_or(b.is_lost) THEN '[not delivered] ' ELSE '' END || string_agg(b.content, '' ORDER BY b.part, b.seq) AS content
          FROM best b WHERE b.channel = b.one_channel
         GROUP BY b.direction, b.whole, b.channel)
    SELECT jsonb_agg(jsonb_build_object('inbound', w.direction = 'inbound', 'channel', w.channel, 'type', w.message_type,
               'text', w.content, 'waits', w.waits,
               'at', to_char(w.created_at AT TIME ZONE 'Africa/Kigali', 'Dy DD Mon HH24:MI')) ORDER BY w.waits, w.seq) -- what waits is the last word
      FROM whole w
$$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('words_bare')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
