-- Agents that know their trade, what a turn leaves as evidence, a breaker for the agent's server, and an end to conversations of
-- two machines.

-- 1. Agents ----------------------------------------------------------------------------------------------------------
-- Which intents of a conversation lead to an agent, and the tools it may call inside a turn. voice_instructions is what the
-- voice agent is told instead, where it differs.
ALTER TABLE agents
    ADD COLUMN intents text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tools text[] NOT NULL DEFAULT ARRAY['messaging_send_whatsapp', 'messaging_send_sms', 'messaging_send_dual_channel',
        'session_get_context', 'session_add_context', 'agent_handover'],
    ADD COLUMN voice_instructions text,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE TRIGGER agents_updated_at BEFORE UPDATE ON agents FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- A row that an operator has written or changed stays as it is.
DO $$
DECLARE
    written CONSTANT text := $text$
How you work:
- The person may have called us. What the call was about, its points and the next steps that were agreed are given below, and so is what was written since, by SMS and by WhatsApp. It is one conversation: go on where it stands, and do not ask again what is known.
- Your answer goes to the person by the channel of their last message. Just write it; do not send it with a tool. The tools that send are for what is to go out besides, when the person asks for it, for example "send it to my WhatsApp too".
- Answer in the language of the person's last message: Kinyarwanda, English, French or Swahili. If you cannot tell, use the person's language.
- Be short and plain: at most three sentences and 300 characters, no markup, no links, no emoji. An SMS is read on a small screen and costs money.
- Never say that something was done unless a tool's result says so. "pending" means it is on its way, not that it arrived. If a tool fails, say so in simple words.
- Use only what is in the data, the messages and the tools' results. If something is not there, say that you do not know it, and ask one question.
- Keep what you learn and will need again, such as a budget, a place or a date, with session_add_context.
- If the person wants a human being, or you cannot help, say honestly that you will pass it on.$text$;
    voiced CONSTANT text := $text$
How you speak:
- Short sentences, one question at a time, in the caller's language: Kinyarwanda, English, French or Swahili.
- Say back numbers, places and dates, so that the caller can correct you.
- Never say that something was done unless a tool's result says so.
- Before you hang up, always call call_log_summary with ended: true. Give three to five short points in the caller's language with what was asked, what was found, the amounts, places and dates, and the next steps that were agreed, and the main intent. The caller gets it in writing and can go on by SMS or WhatsApp. Only then say goodbye, and tell the caller that the summary comes in writing.
- If the caller asks for something in writing during the call, use the sending tools, and say what their result says.$text$;
BEGIN
    INSERT INTO agents (slug, name, intents, instructions, voice_instructions)
    SELECT a.slug, a.name, a.intents, a.trade || written, a.trade || voiced
      FROM (VALUES
        ('real_estate', 'Real Estate', ARRAY['real_estate', 'housing', 'house', 'rent', 'rental', 'property'],
$text$You are EasyMO's assistant for houses and land in Rwanda. You help to rent, buy, let or sell.
What counts: the district and sector, rent or sale, rooms, the budget in RWF and per month or in all, from when, furnished or not, and how to arrange a visit. Never invent an offer, a price or an owner. If the person asks for something else than houses or land, use agent_handover.
$text$),
        ('rides', 'Rides', ARRAY['rides', 'ride', 'taxi', 'moto', 'transport', 'mobility'],
$text$You are EasyMO's assistant for rides in Rwanda: moto, taxi, shared cars, deliveries.
What counts: from where to where, when, how many people or what load, and the price in RWF that was agreed. Never say that a driver is on the way unless a tool's result or the data says so. In danger or after an accident tell the person to call 112 (emergency) or 912 (ambulance) first. If the person asks for something else than rides, use agent_handover.
$text$),
        ('jobs', 'Jobs', ARRAY['jobs', 'job', 'work', 'employment', 'hiring'],
$text$You are EasyMO's assistant for work in Rwanda: for people who look for a job and for those who give one.
What counts: the kind of work, the place, full or part time, experience and papers, pay in RWF and per what, from when. Never promise a job or an interview. Nobody has to pay to get a job through EasyMO: if somebody is asked for money, warn them. If the person asks for something else than work, use agent_handover.
$text$),
        ('insurance', 'Insurance', ARRAY['insurance', 'insure', 'claim', 'assurance'],
$text$You are EasyMO's assistant for insurance in Rwanda: motor, health, household, business.
What counts: what is to be insured, since when or until when a cover runs, the insurer, and for a claim what happened, where and when. Never say that somebody is covered, what is paid, or what a policy costs unless the data says so. Do not ask for identity numbers or pictures of papers by SMS. If the person asks for something else than insurance, use agent_handover.
$text$)) AS a (slug, name, intents, trade)
    ON CONFLICT (slug) DO NOTHING;
    UPDATE agents a SET instructions = t.trade || written, voice_instructions = coalesce(a.voice_instructions, t.trade || voiced)
      FROM (VALUES (
$text$You are EasyMO's assistant, the Call Center: the first one whom people in Rwanda talk to. You help to find a house, a ride, a job, a pharmacy, an insurance or a service.
You may answer general questions yourself. When the person's wish clearly belongs to houses and land (real_estate), rides (rides), work (jobs) or insurance (insurance), use agent_handover to that agent, once; it then answers in your place.
$text$)) AS t (trade)
     WHERE a.slug = 'call_center' AND md5(a.instructions) = '1f5832b524bbb5d41a46ce407ebf231a';
END $$;

-- The one who was chosen last stays; but when the conversation turns to another intent that has an agent of its own, that one.
CREATE FUNCTION session_reroute() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.last_agent_id IS NOT DISTINCT FROM OLD.last_agent_id
       AND EXISTS (SELECT 1 FROM agents a WHERE lower(NEW.last_intent) = ANY (a.intents)) THEN
        NEW.last_agent_id := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_reroute BEFORE UPDATE OF last_intent ON omnichannel_sessions
    FOR EACH ROW WHEN (NEW.last_intent IS DISTINCT FROM OLD.last_intent) EXECUTE FUNCTION session_reroute();

-- 2. Evidence --------------------------------------------------------------------------------------------------------
-- paused: the agent's server rests, no try was spent. stopped: no machine shall answer here for now.
ALTER TABLE turns
    ADD COLUMN provider text,                          -- 'agent:HOST', whose breaker it counts for
    ADD COLUMN duration_ms int,
    ADD COLUMN rounds int,                             -- requests that brought an answer
    ADD COLUMN tool_calls jsonb NOT NULL DEFAULT '[]', -- [{tool, outcome: ok | pending | an error's word}], in order
    DROP CONSTRAINT turns_status_check,
    ADD CONSTRAINT turns_status_check CHECK (status IN ('running', 'done', 'failed', 'lost', 'paused', 'stopped'));
CREATE INDEX turns_by_provider ON turns (provider, finished_at) WHERE provider IS NOT NULL;

ALTER TABLE omnichannel_sessions
    ADD COLUMN starts_afresh boolean NOT NULL DEFAULT false, -- opened by NEW: what was before is not told to the agent
    ADD COLUMN muted_until timestamptz;                      -- two machines were talking: no turns until then

-- 3. A new beginning -------------------------------------------------------------------------------------------------

-- As record_inbound_message(), for the word NEW: the open conversation is closed, the message begins another one, which knows
-- nothing of what was before.
CREATE FUNCTION record_inbound_afresh(p_channel text, p_provider text, p_external_id text, p_phone text, p_wa_id text,
    p_bsuid text, p_name text, p_content text, p_at timestamptz, p_metadata jsonb, p_keyword text, p_answer jsonb,
    p_turn boolean, p_quiet_ms int, p_ids uuid[])
RETURNS TABLE (outcome text, message_id uuid, session_id uuid, profile_id uuid, session_created boolean, consent_changed boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    person uuid := person_find_or_create(p_phone, p_wa_id, p_bsuid, p_name, p_ids[2]);
BEGIN
    -- People before conversations; and the same message on another connection waits here and then finds the first.
    PERFORM 1 FROM profiles p WHERE p.user_id = person FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT 1 FROM message_delivery_log m
                    WHERE m.provider = p_provider AND m.external_message_id = p_external_id AND m.direction = 'inbound') THEN
        UPDATE omnichannel_sessions s SET status = 'closed', closed_at = clock_timestamp()
         WHERE s.profile_id = person AND s.status IN ('active', 'follow_up');
    END IF;
    SELECT r.* INTO outcome, message_id, session_id, profile_id, session_created, consent_changed
      FROM record_inbound_message(p_channel, p_provider, p_external_id, p_phone, p_wa_id, p_bsuid, p_name, p_content, p_at,
           p_metadata, p_keyword, p_answer, p_turn, p_quiet_ms, p_ids) AS r;
    IF outcome = 'new' THEN
        UPDATE omnichannel_sessions s SET starts_afresh = true WHERE s.id = session_id;
    END IF;
    RETURN NEXT;
END $$;

-- 4. Before the agent is asked -----------------------------------------------------------------------------------------

-- Whose breaker counts for a server: by its host, so that agents on one server share it.
CREATE FUNCTION agent_provider(p_base_url text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'agent:' || coalesce(lower(substring(p_base_url FROM '^[A-Za-z]+://([^/?#]+)')), '')
$$;

CREATE INDEX messages_fixed ON message_delivery_log (profile_id) WHERE message_type = 'confirmation';

-- Whether a machine answers our machine: six answers within two minutes, each so soon after our reply that nobody can have read
-- it; or four times the same words; or forty answers in ten minutes. The fixed answers, to what has no words and to STOP and its kin,
-- are replies too, in whatever conversation: a NEW begins another. Who taps a button or names an option need not read to the end.
CREATE FUNCTION session_loops(p_session uuid, p_upto bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH done AS MATERIALIZED (
        SELECT t.id, t.finished_at, row_number() OVER (ORDER BY t.token DESC) AS n
          FROM turns t
         WHERE t.session_id = p_session AND t.status = 'done' AND t.finished_at > clock_timestamp() - interval '10 minutes'
         ORDER BY t.token DESC LIMIT 40),
    replies AS MATERIALIZED (
        SELECT r.at, row_number() OVER (ORDER BY r.at DESC) AS n
          FROM (SELECT d.finished_at AS at FROM done d
                UNION ALL
                SELECT m.created_at
                  FROM omnichannel_sessions s
                  JOIN message_delivery_log m ON m.profile_id = s.profile_id AND m.message_type = 'confirmation'
                 WHERE s.id = p_session AND m.status <> 'suppressed'
                   AND m.created_at > clock_timestamp() - interval '10 minutes') r),
    said AS (
        SELECT d.n, (SELECT string_agg(DISTINCT m.content, chr(10)) FROM message_delivery_log m
                      WHERE m.session_id = p_session AND m.turn_id = d.id AND m.direction = 'inbound') AS words
          FROM done d WHERE d.n <= 3
        UNION ALL
        SELECT 0, string_agg(DISTINCT m.content, chr(10)) FROM message_delivery_log m
         WHERE m.session_id = p_session AND m.awaits_turn AND m.seq <= p_upto),
    heard AS MATERIALIZED (
        SELECT m.* FROM omnichannel_sessions s
          JOIN omnichannel_sessions x ON x.profile_id = s.profile_id
                                     AND (x.id = s.id OR x.closed_at > clock_timestamp() - interval '3 minutes')
         CROSS JOIN LATERAL (SELECT m.created_at, m.channel, m.metadata ?| ARRAY['tapped', 'option'] AS is_choice
                               FROM message_delivery_log m
                              WHERE m.session_id = x.id AND m.direction = 'inbound'
                              ORDER BY m.seq DESC LIMIT 100) m -- the latest are enough for two minutes
         WHERE s.id = p_session),
    quick AS (
        SELECT r.n, (SELECT NOT h.is_choice AND h.created_at - r.at
                            < CASE h.channel WHEN 'sms' THEN interval '12 seconds' ELSE interval '5 seconds' END
                       FROM heard h WHERE h.created_at > r.at ORDER BY h.created_at LIMIT 1) AS is_quick
          FROM replies r WHERE r.n <= 6 AND r.at > clock_timestamp() - interval '2 minutes')
    SELECT (SELECT count(*) FROM replies) >= 40
        OR (SELECT count(*) FILTER (WHERE is_quick) FROM quick) >= 6
        OR (SELECT count(*) = 4 AND count(DISTINCT words) = 1 AND bool_and(words IS NOT NULL) FROM said)
$$;

-- What becomes of a turn that was claimed:
--   go | probe   ask the agent (probe: as the only one, to see whether it is back)
--   paused       the agent's server is in trouble or asked for peace; look again in wait_s seconds
--   loop         two machines are talking: one notice, then silence      muted  that was said already
CREATE FUNCTION turn_check(p_session uuid, p_upto bigint, p_provider text, p_scale float8, OUT verdict text, OUT wait_s float8)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c provider_circuit;
BEGIN
    wait_s := 0;
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

-- What a turn says about its agent's server, as provider_result() for a send: ok, fail, hard (credentials or money), pause.
-- Opens on five failures in a row, or on half of twenty and more within a minute; one good probe closes it.
CREATE FUNCTION agent_result(p_provider text, p_what text, p_reason text, p_probe boolean, p_pause_s int, p_scale float8) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c        provider_circuit;
    in_a_row bigint;
    bad      bigint;
    seen     bigint;
BEGIN
    SELECT * INTO c FROM provider_circuit p WHERE p.provider = p_provider;
    IF p_what = 'ok' AND (NOT FOUND OR c.state = 'closed') THEN
        RETURN 'closed'; -- all is well: no lock
    END IF;
    INSERT INTO provider_circuit (provider, changed_at) VALUES (p_provider, '-infinity') ON CONFLICT DO NOTHING;
    SELECT * INTO c FROM provider_circuit p WHERE p.provider = p_provider FOR NO KEY UPDATE;
    IF p_what = 'pause' THEN
        UPDATE provider_circuit p SET probe_lease_until = NULL,
               not_before = greatest(p.not_before, clock_timestamp() + p_pause_s * p_scale * interval '1 second')
         WHERE p.provider = p_provider;
        RETURN c.state;
    END IF;
    IF c.state = 'open' AND p_what = 'ok' THEN
        UPDATE provider_circuit p SET state = 'closed', open_until = NULL, opens = 0, probe_ok = 0, probe_lease_until = NULL,
               reason = NULL, changed_at = clock_timestamp()
         WHERE p.provider = p_provider;
        RETURN 'closed';
    ELSIF c.state = 'open' THEN
        IF p_probe THEN -- what was under way before it opened says nothing new
            UPDATE provider_circuit p SET opens = p.opens + 1, probe_lease_until = NULL, reason = p_reason, open_until = clock_timestamp()
                   + least(600, 30 * 2 ^ least(p.opens, 6)) * (0.75 + random() / 2) * p_scale * interval '1 second'
             WHERE p.provider = p_provider;
        END IF;
        RETURN c.state;
    ELSIF c.state = 'forced_open' OR p_what = 'ok' THEN
        RETURN c.state;
    END IF;
    SELECT count(*) FILTER (WHERE t.n <= 5 AND t.is_bad), count(*) FILTER (WHERE t.is_bad AND t.is_new), count(*) FILTER (WHERE t.is_new)
      INTO in_a_row, bad, seen
      FROM (SELECT row_number() OVER (ORDER BY r.finished_at DESC) AS n, r.finished_at > clock_timestamp() - interval '1 minute' AS is_new,
                   r.status = 'failed' AND r.error_code NOT IN ('refused', 'guarded', 'cut', 'too_long', 'http_400') AS is_bad
              FROM turns r
             WHERE r.provider = p_provider AND r.status IN ('done', 'failed')
               AND r.finished_at > greatest(clock_timestamp() - interval '10 minutes', c.changed_at)
             ORDER BY r.finished_at DESC LIMIT 1000) t;
    IF p_what = 'hard' OR in_a_row >= 5 OR (seen >= 20 AND bad * 2 >= seen) THEN
        UPDATE provider_circuit p SET state = 'open', opens = 1, probe_ok = 0, probe_lease_until = NULL, reason = p_reason,
               changed_at = clock_timestamp(), open_until = clock_timestamp()
                   + CASE WHEN p_what = 'hard' THEN 300 ELSE 30 * (0.75 + random() / 2) END * p_scale * interval '1 second'
         WHERE p.provider = p_provider;
        RETURN 'opened';
    END IF;
    RETURN c.state;
END $$;

-- 5. What the agent reads ------------------------------------------------------------------------------------------------

-- The latest messages of a conversation, on all channels, oldest first, those that wait last, of inbound ones up to p_upto: [{inbound, channel, type,
-- text, at, waits}]. The parts of a long text are one message, and so is what went out on both channels. The summary of the call that the
-- conversation is about is told apart from these; those of calls before it in the same conversation are messages of that time.
CREATE FUNCTION session_lines(p_session uuid, p_upto bigint, p_most int) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH latest AS (
        SELECT m.seq, m.direction, m.channel, m.message_type, m.created_at, m.awaits_turn,
               m.content || coalesce(' (= "' || nullif(m.metadata ->> 'option', m.content) || '")', '') AS content, -- what a figure stands for
               CASE m.direction WHEN 'inbound' THEN coalesce(m.channel || ':' || (m.metadata ->> 'ref'), m.id::text)
                    ELSE m.group_id::text END AS whole,
               coalesce((m.metadata ->> 'part')::int, m.part) AS part
          FROM message_delivery_log m
         WHERE m.session_id = p_session AND m.content <> '' AND m.status <> 'suppressed'
           AND (m.direction = 'outbound' OR m.seq <= p_upto)
           AND (m.message_type IN ('message', 'reply', 'operator', 'tool', 'follow_up')
                OR (m.message_type = 'summary'
                    AND m.call_id IS DISTINCT FROM (SELECT s.call_id FROM omnichannel_sessions s WHERE s.id = p_session)))
         ORDER BY m.awaits_turn DESC, m.seq DESC LIMIT p_most),
    best AS (SELECT l.*, max(l.channel) OVER (PARTITION BY l.direction, l.whole) AS one_channel FROM latest l),
    whole AS (
        SELECT min(b.seq) AS seq, b.direction, b.channel, min(b.message_type) AS message_type, min(b.created_at) AS created_at,
               bool_or(b.awaits_turn) AS waits, string_agg(b.content, '' ORDER BY b.part, b.seq) AS content
          FROM best b WHERE b.channel = b.one_channel
         GROUP BY b.direction, b.whole, b.channel)
    SELECT jsonb_agg(jsonb_build_object('inbound', w.direction = 'inbound', 'channel', w.channel, 'type', w.message_type,
               'text', w.content, 'waits', w.waits,
               'at', to_char(w.created_at AT TIME ZONE 'Africa/Kigali', 'Dy DD Mon HH24:MI')) ORDER BY w.waits, w.seq) -- what waits is the last word
      FROM whole w
$$;

CREATE INDEX messages_stop ON message_delivery_log (session_id) WHERE metadata ->> 'keyword' = 'stop';

-- The conversation before this one, if it ended within thirty days of it, the person did not begin anew, and no STOP was said; and the
-- latest call of these thirty days that left a text, though conversations without one may lie between: what was agreed then still holds.
CREATE FUNCTION session_before(p_session uuid) RETURNS TABLE (session_id uuid, call_id text, intent text, ended_at timestamptz)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH mine AS MATERIALIZED ( -- this one and those before it, the latest first
        SELECT e.*, s.started_at AS until,
               EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.session_id = e.id AND m.metadata ->> 'keyword' = 'stop') AS has_stop
          FROM omnichannel_sessions s
          JOIN omnichannel_sessions e ON e.profile_id = s.profile_id
                                     AND (e.id = s.id OR (e.status = 'closed' AND e.started_at < s.started_at))
         WHERE s.id = p_session
         ORDER BY e.started_at DESC LIMIT 60), -- more than one a day is rare
    earlier AS MATERIALIZED (
        SELECT e.id, e.call_id, e.last_intent, e.started_at, e.until, least(e.closed_at, e.expires_at - interval '24 hours') AS ended_at,
               -- NEW in a conversation ends what is before it, a STOP also what is in it
               bool_or(e.has_stop) OVER (ORDER BY e.started_at DESC ROWS UNBOUNDED PRECEDING)
               OR coalesce(bool_or(e.starts_afresh) OVER (ORDER BY e.started_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false)
               AS is_behind
          FROM mine e)
    SELECT o.id, k.call_id, o.last_intent, o.ended_at
      FROM (SELECT * FROM earlier e WHERE e.id <> p_session ORDER BY e.started_at DESC LIMIT 1) o
      LEFT JOIN LATERAL (
           SELECT e.call_id FROM earlier e JOIN call_summaries c ON c.call_id = e.call_id
            WHERE e.id <> p_session AND call_has_text(c) AND NOT e.is_behind AND e.ended_at > e.until - interval '30 days'
            ORDER BY e.started_at DESC LIMIT 1) k ON true
     WHERE NOT o.is_behind AND o.ended_at > o.until - interval '30 days'
$$;

-- Who answers: the agent that was chosen last, else the one for the intent, else the default.
CREATE FUNCTION agent_for(p_last_agent text, p_intent text) RETURNS agents
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT a FROM agents a
     WHERE a.slug = p_last_agent OR lower(p_intent) = ANY (a.intents) OR a.is_default
     ORDER BY (a.slug IS NOT DISTINCT FROM p_last_agent) DESC, (lower(p_intent) = ANY (a.intents)) IS TRUE DESC, a.slug
     LIMIT 1
$$;

-- 6. After it ----------------------------------------------------------------------------------------------------------

-- As before, and besides: who was chosen while the turn ran, by an operator or by another intent, is not replaced by its agent.
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
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND OR s.turn_token <> p_token OR s.turn_lease_until IS NULL THEN
        UPDATE turns t SET status = 'lost', finished_at = clock_timestamp() WHERE t.id = p_turn AND t.status = 'running';
        RETURN 'lost';
    END IF;
    UPDATE turns t SET status = coalesce(ending, CASE WHEN p_done THEN 'done' ELSE 'failed' END), finished_at = clock_timestamp(),
           agent = p_evidence ->> 'agent', model = p_evidence ->> 'model', error_code = p_evidence ->> 'error_code',
           provider = p_evidence ->> 'provider', rounds = (p_evidence ->> 'rounds')::int,
           duration_ms = (p_evidence ->> 'duration_ms')::int, tool_calls = coalesce(p_evidence -> 'tool_calls', '[]'),
           prompt_tokens = (p_evidence ->> 'prompt_tokens')::int, completion_tokens = (p_evidence ->> 'completion_tokens')::int
     WHERE t.id = p_turn;
    IF p_evidence ->> 'says' <> '' THEN
        PERFORM agent_result(p_evidence ->> 'provider', p_evidence ->> 'says', p_evidence ->> 'error_code',
            coalesce((p_evidence ->> 'probe')::boolean, false), coalesce((p_evidence ->> 'pause_s')::int, 0),
            coalesce((p_evidence ->> 'scale')::float8, 1));
    END IF;
    IF p_done THEN
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
           turn_attempts = CASE WHEN ending = 'paused' THEN greatest(0, o.turn_attempts - 1)
                                WHEN p_retry_s IS NULL AND waiting THEN 0 ELSE o.turn_attempts END
     WHERE o.id = p_session;
    RETURN 'failed';
END $$;

-- 7. Rights ------------------------------------------------------------------------------------------------------------

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('session_reroute', 'record_inbound_afresh', 'agent_provider', 'session_loops', 'turn_check',
                    'session_lines', 'session_before', 'agent_for', 'agent_result')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
