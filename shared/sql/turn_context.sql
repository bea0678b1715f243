-- turn_context: $1 session, $2 last message of the turn, $3 how many messages -> all the agent reads, one row
SELECT s.call_id, s.context::text AS context,
       p.profile_id, p.phone_number, p.wa_id, p.bsuid, p.display_name, p.language, p.has_whatsapp, p.window_open,
       p.allows_sms, p.allows_whatsapp, p.mode,
       a.slug AS agent, a.instructions, a.model, a.base_url,
       c.summary_text, c.bullets::text AS bullets, c.next_actions::text AS next_actions, c.main_intent,
       c.language AS call_language, c.ended_at AS call_ended_at,
       h.messages::text AS messages
  FROM omnichannel_sessions s
  JOIN person_reach p ON p.profile_id = s.profile_id
  LEFT JOIN LATERAL (
       SELECT g.slug, g.instructions, g.model, g.base_url
         FROM agents g
        WHERE g.slug = s.last_agent_id OR g.is_default
        ORDER BY (g.slug IS NOT DISTINCT FROM s.last_agent_id) DESC
        LIMIT 1) a ON true
  LEFT JOIN call_summaries c ON c.call_id = s.call_id
  LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('inbound', m.direction = 'inbound', 'channel', m.channel, 'text', m.content,
                        'at', m.created_at, 'waits', m.awaits_turn) ORDER BY m.seq) AS messages
         FROM (SELECT min(w.seq) AS seq, w.direction, w.channel, min(w.created_at) AS created_at, bool_or(w.awaits_turn) AS awaits_turn,
                      string_agg(w.content, '' ORDER BY w.part, w.seq) AS content -- the parts of a long text are one message
                 FROM (
               SELECT l.seq, l.direction, l.channel, l.content, l.created_at, l.awaits_turn,
                      coalesce(l.metadata ->> 'ref', l.id::text) AS whole, coalesce((l.metadata ->> 'part')::int, 1) AS part
                 FROM message_delivery_log l
                WHERE l.session_id = s.id AND l.content <> ''
                  AND (l.direction = 'outbound' OR l.seq <= $2::bigint)
                  AND l.message_type IN ('message', 'reply', 'operator', 'tool', 'follow_up')
                  AND l.status NOT IN ('suppressed')
                ORDER BY l.seq DESC
                LIMIT $3::int) w
                GROUP BY w.whole, w.direction, w.channel) m) h ON true
 WHERE s.id = $1::uuid
