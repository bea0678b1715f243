-- What the mixed load needs: twelve people, random requests of every kind, outcomes of every kind, and at the end the
-- list of what must never be. Everything goes through the functions that the programs call.

CREATE FUNCTION t.phone(n int) RETURNS text LANGUAGE sql AS $$ SELECT '+2507810000' || lpad((n % 12)::text, 2, '0') $$;

CREATE FUNCTION t.one_of(VARIADIC words text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT words[1 + floor(random() * cardinality(words))::int]
$$;

-- A message on either channel; one in eight says STOP or START, one in five was seen before.
CREATE FUNCTION t.stress_inbound(n int) RETURNS text LANGUAGE sql AS $$
    SELECT r.outcome FROM (SELECT t.one_of('sms', 'whatsapp') AS channel, t.one_of('', '', '', '', '', '', 'stop', 'start') AS word) AS x,
        t.inbound(t.phone(n), jsonb_build_object('channel', x.channel, 'external_id', CASE WHEN random() < 0.2 THEN n::text ELSE uuid_v7()::text END,
            'wa_id', CASE x.channel WHEN 'whatsapp' THEN substr(t.phone(n), 2) END, 'keyword', x.word,
            'answer', CASE WHEN x.word <> '' THEN jsonb_build_object('id', uuid_v7(), 'provider', CASE x.channel WHEN 'sms' THEN 'mtn' ELSE 'meta' END,
                'texts', '{"en": "ok"}'::jsonb) END)) AS r
$$;

-- Something about one of 300 calls: its beginning, an intent, a text, its end, by either of its names.
CREATE FUNCTION t.stress_call(n int) RETURNS void LANGUAGE sql AS $$
    SELECT t.call(CASE WHEN random() < 0.8 THEN 'k' || n END, CASE WHEN random() < 0.7 THEN t.phone(n) END,
        jsonb_build_object('sip', 's' || n, 'channel', CASE WHEN n % 3 = 0 THEN 'whatsapp' ELSE 'sip' END, 'ended', random() < 0.3,
            'summary', CASE WHEN random() < 0.3 THEN 'Text' END, 'language', CASE WHEN random() < 0.2 THEN 'rw' END, 'wait_s', 0))
$$;

CREATE FUNCTION t.stress_notify() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE notify_call(c.id, jsonb_build_array(
            t.outbound(jsonb_build_object('message_type', 'summary', 'group_id', c.id, 'call_id', c.call_id, 'idem_key', 'summary:' || c.call_id || ':whatsapp:1',
                'channel', 'whatsapp', 'provider', 'meta', 'fallback', jsonb_build_object('patient', true, 'sms', t.outbound(jsonb_build_object(
                    'message_type', 'follow_up', 'group_id', c.id, 'call_id', c.call_id, 'idem_key', 'fallback:' || c.call_id))))),
            t.outbound(jsonb_build_object('message_type', 'summary', 'group_id', c.id, 'call_id', c.call_id, 'idem_key', 'summary:' || c.call_id || ':sms:1'))),
            'sent', NULL))
      FROM (SELECT id, call_id FROM call_summaries WHERE notify_due_at <= clock_timestamp() ORDER BY random() LIMIT 1) AS c
$$;

-- Claims a batch and says how it went, as a JSON array for finish_outbound. One in ten workers dies with its batch; the ids are long
-- used up when their answers come: reports may be faster.
CREATE FUNCTION t.stress_claim(provider text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'fence', c.lease_token, 'external_id', 'x' || c.id, 'outcome',
               t.one_of('accepted', 'accepted', 'accepted', 'accepted', 'accepted', 'retry', 'ambiguous', 'notsent', 'hold', 'permanent'))), '[]')::text
      FROM (SELECT id, lease_token, random() < 0.1 OR random() < 0 AS dies FROM claim_outbound(provider, 'w' || pg_backend_pid(), 20, 1)) AS c
     WHERE NOT c.dies
$$;

-- Reports about up to eight messages that may have left, by our reference, by the gateway's id, or by both, some twice.
CREATE FUNCTION t.stress_report(provider text) RETURNS int LANGUAGE sql AS $$
    SELECT moved FROM record_status_events($1, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('our_ref', CASE WHEN r.way <> 'id' THEN r.id END, 'external_id', CASE WHEN r.way <> 'ref' THEN 'x' || r.id END,
                   'status', t.one_of('sent', 'delivered', 'read', 'undelivered', 'unknown', 'queued'), 'error_code', '131026')), '[]')
          FROM (SELECT m.id, t.one_of('id', 'ref', 'both') AS way FROM message_delivery_log m
                 WHERE m.provider = $1 AND m.direction = 'outbound' AND m.lease_token > 0 ORDER BY random() LIMIT 8) AS r))
$$;

-- Turns: half of them answer, some fail, some give up, some workers die.
CREATE FUNCTION t.stress_turns() RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]')::text FROM claim_turns('w' || pg_backend_pid(), 3, 1) AS c
$$;
CREATE FUNCTION t.stress_answers(claimed jsonb) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(finish_turn(c.turn_id, c.session_id, c.token, c.how = 'done',
               jsonb_build_array(t.outbound(jsonb_build_object('message_type', CASE c.how WHEN 'done' THEN 'reply' ELSE 'fallback' END, 'turn_id', c.turn_id,
                   'idem_key', c.how || ':' || c.turn_id))), '{"agent": "call_center"}', CASE c.how WHEN 'later' THEN 0.01 END, 1))
      FROM (SELECT x.*, t.one_of('done', 'done', 'done', 'later', 'never') AS how
              FROM jsonb_to_recordset(claimed) AS x (turn_id uuid, session_id uuid, token bigint) ORDER BY x.session_id LIMIT 1) AS c
$$;

-- What an outside system does: one transaction that logs a message and then moves the conversation.
CREATE FUNCTION t.stress_outside(n int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    person  uuid := (SELECT profile_id FROM contact_addresses WHERE kind = 'tel' AND value = t.phone(n));
    session uuid;
BEGIN
    IF person IS NULL THEN
        RETURN false;
    END IF;
    session := (SELECT id FROM omnichannel_sessions WHERE profile_id = person AND status <> 'closed');
    PERFORM log_message_delivery(session, person, 'sms', 'operator', 'text', t.phone(n), 'mtn') WHERE session IS NOT NULL;
    RETURN update_omnichannel_session_status(session, t.one_of('active', 'follow_up', 'closed'), jsonb_build_object('k' || n % 20, n));
END $$;

-- What must never be; one row for each time it is.
CREATE VIEW t.violations AS
    SELECT 'two open sessions' AS what, profile_id::text AS which FROM omnichannel_sessions WHERE status <> 'closed' GROUP BY profile_id HAVING count(*) > 1
    UNION ALL SELECT 'a message waits and no turn is due', m.id::text FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id
               WHERE m.awaits_turn AND s.turn_due_at IS NULL AND NOT s.needs_human
    UNION ALL SELECT 'answered, and still waiting', id::text FROM message_delivery_log WHERE direction = 'inbound' AND awaits_turn AND turn_id IS NOT NULL
    UNION ALL SELECT 'answered by a turn that was not done', m.id::text FROM message_delivery_log m JOIN turns t ON t.id = m.turn_id WHERE t.status <> 'done'
               AND (m.direction = 'inbound' OR m.message_type = 'reply')
    UNION ALL SELECT 'answered out of order', id FROM (
               SELECT m.id::text AS id, t.token < lag(t.token) OVER (PARTITION BY m.session_id ORDER BY m.seq) AS late
                 FROM message_delivery_log m JOIN turns t ON t.id = m.turn_id WHERE m.direction = 'inbound') AS o WHERE late
    UNION ALL SELECT 'two turns of one conversation run', session_id::text FROM turns WHERE status = 'running' GROUP BY session_id HAVING count(*) > 1
    UNION ALL SELECT 'accepted more often than resent', m.id::text FROM message_delivery_log m JOIN delivery_attempts a ON a.message_id = m.id AND a.outcome = 'accepted'
               GROUP BY m.id HAVING count(*) > 1 + m.ambiguous_resends
    UNION ALL SELECT 'a double that is not marked', m.id::text FROM message_delivery_log m JOIN delivery_attempts a ON a.message_id = m.id AND a.outcome = 'accepted'
               GROUP BY m.id HAVING count(*) > 1 AND NOT m.possible_duplicate
    UNION ALL SELECT 'accepted, and not sent', m.id::text FROM message_delivery_log m JOIN delivery_attempts a ON a.message_id = m.id AND a.fence = m.lease_token
               WHERE a.outcome = 'accepted' AND m.status NOT IN ('sent', 'delivered', 'read', 'undelivered')
    UNION ALL SELECT 'more attempts than eight', m.id::text FROM message_delivery_log m WHERE m.retry_count > 7
    UNION ALL SELECT 'attempts that do not count', m.id::text FROM message_delivery_log m
               WHERE m.lease_token > 0 AND m.retry_count > m.lease_token - 1
    UNION ALL SELECT 'a report that was not applied', m.id::text FROM message_delivery_log m
                JOIN status_events e ON e.our_ref = m.id OR (e.provider = m.provider AND e.external_message_id = m.external_message_id)
               WHERE m.direction = 'outbound' AND m.status <> 'suppressed' AND e.status IN ('sent', 'undelivered', 'delivered', 'read')
                 AND delivery_rank(e.status) > delivery_rank(m.status)
    UNION ALL SELECT 'a call notified, with rows missing', c.call_id FROM call_summaries c
               WHERE c.notified_at IS NOT NULL AND 2 <> (SELECT count(*) FROM message_delivery_log m WHERE m.call_id = c.call_id AND m.message_type = 'summary')
    UNION ALL SELECT 'rows of a call that was not notified', m.id::text FROM message_delivery_log m
               WHERE m.message_type = 'summary' AND NOT EXISTS (SELECT 1 FROM call_summaries c WHERE c.call_id = m.call_id AND c.notified_at IS NOT NULL)
    UNION ALL SELECT 'an end that waits for a call that is there', t.ref FROM call_triggers t
                JOIN call_summaries c ON t.ref IN (c.call_id, c.sip_call_id) WHERE c.status = 'in_progress'
    UNION ALL SELECT 'a summary that went out and is not noted', m.id::text FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id
               WHERE m.message_type = 'summary' AND m.status IN ('sent', 'delivered', 'read')
                 AND NOT CASE m.channel WHEN 'sms' THEN s.summary_sent_sms ELSE s.summary_sent_whatsapp END
    UNION ALL SELECT 'a thread that miscounts', c.id::text FROM conversation_threads c
               WHERE c.channel <> 'voice' AND c.message_count <> (SELECT count(*) FROM message_delivery_log m
                     WHERE m.session_id = c.session_id AND m.channel = c.channel AND m.message_type IN ('message', 'reply', 'summary'))
    UNION ALL SELECT 'WhatsApp reached the person and nobody knows', m.id::text FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id
               WHERE m.channel = 'whatsapp' AND m.status IN ('delivered', 'read') AND p.has_whatsapp IS NULL
    UNION ALL SELECT 'a fallback that was needed and is still there', m.id::text FROM message_delivery_log m
               WHERE m.fallback IS NOT NULL AND (m.status = 'undelivered' OR (m.status = 'dead' AND m.dead_reason <> 'expired'));
