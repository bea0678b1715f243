-- turn_context: $1 session, $2 last message of the turn, $3 how many messages, $4 OPENAI_BASE_URL, $5 BACKOFF_SCALE to ask whether
-- the turn may go on, NULL if that is settled -> all the agent reads, one row; times as they are in Kigali
SELECT s.call_id, s.context::text AS context, s.last_intent,
       to_char(clock_timestamp() AT TIME ZONE 'Africa/Kigali', 'Dy DD Mon YYYY HH24:MI') AS now_at,
       p.profile_id, p.phone_number, p.wa_id, p.bsuid, p.display_name, p.language, p.has_whatsapp, p.window_open,
       p.allows_sms, p.allows_whatsapp, p.mode,
       a.slug AS agent, a.instructions, a.model, a.base_url, array_to_string(a.tools, ',') AS tools, g.provider,
       c.summary_text, c.bullets::text AS bullets, c.next_actions::text AS next_actions, c.main_intent,
       c.language AS call_language, to_char(c.ended_at AT TIME ZONE 'Africa/Kigali', 'Dy DD Mon YYYY HH24:MI') AS call_ended_at,
       session_lines(s.id, $2::bigint, $3::int)::text AS messages,
       to_char(b.ended_at AT TIME ZONE 'Africa/Kigali', 'Dy DD Mon YYYY HH24:MI') AS before_ended_at,
       coalesce(b.intent, k.main_intent) AS before_intent, k.summary_text AS before_summary, k.bullets::text AS before_bullets,
       k.next_actions::text AS before_next_actions, session_lines(b.session_id, 9223372036854775807, 6)::text AS before_messages,
       f.id AS first_turn_id,
       coalesce(v.verdict, 'go') AS verdict, coalesce(v.wait_s, 0)::text AS wait_s
  FROM omnichannel_sessions s
  JOIN person_reach p ON p.profile_id = s.profile_id
  LEFT JOIN LATERAL agent_for(s.last_agent_id, s.last_intent) a ON true
  LEFT JOIN LATERAL (SELECT agent_provider(coalesce(a.base_url, $4::text)) AS provider) g ON true
  LEFT JOIN LATERAL turn_check(s.id, $2::bigint, g.provider, $5::float8) v ON $5::float8 IS NOT NULL
  LEFT JOIN call_summaries c ON c.call_id = s.call_id
  LEFT JOIN LATERAL ( -- the first try at what waits: by it another try finds what its tools have done already
       SELECT t.id FROM turns t
        WHERE t.session_id = s.id
          AND t.token > coalesce((SELECT max(d.token) FROM turns d WHERE d.session_id = s.id AND d.status IN ('done', 'stopped')), 0)
        ORDER BY t.token LIMIT 1) f ON true
  LEFT JOIN LATERAL session_before(s.id) b ON true
  LEFT JOIN call_summaries k ON k.call_id = b.call_id
 WHERE s.id = $1::uuid
