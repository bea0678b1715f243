-- session_read: $1 session, $2 how many messages -> what an agent may read of a conversation
SELECT s.id, s.profile_id, s.status, s.context::text AS context, s.last_agent_id, s.paused_at IS NOT NULL AS paused, s.needs_human,
       CASE WHEN c.call_id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object(
            'call_id', c.call_id, 'channel', c.channel, 'status', c.status, 'started_at', c.started_at, 'ended_at', c.ended_at,
            'duration_seconds', c.duration_seconds, 'summary', c.summary_text, 'bullets', c.bullets,
            'next_actions', c.next_actions, 'main_intent', c.main_intent, 'language', c.language))::text END AS call,
       coalesce((SELECT jsonb_agg(jsonb_build_object('direction', m.direction, 'channel', m.channel, 'message_type', m.message_type,
                    'text', m.content, 'status', m.status, 'at', m.created_at) ORDER BY m.seq)
                   FROM (SELECT l.seq, l.direction, l.channel, l.message_type, l.content, l.status, l.created_at
                           FROM message_delivery_log l
                          WHERE l.session_id = s.id AND l.content <> ''
                          ORDER BY l.seq DESC LIMIT $2::int) m), '[]')::text AS messages
  FROM omnichannel_sessions s
  LEFT JOIN call_summaries c ON c.call_id = s.call_id
 WHERE s.id = $1::uuid
