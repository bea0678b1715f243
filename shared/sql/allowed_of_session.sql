-- allowed_of_session: $1 session, else $2 its person, else $3 the person's call -> what a message of its agent may name, and the instructions it must not
SELECT coalesce(a.instructions, '') AS instructions,
       coalesce(to_jsonb(a.allowed_links), '[]')::text AS links,
       coalesce(to_jsonb(a.allowed_numbers), '[]')::text AS numbers,
       coalesce(p.phone_number, '') AS phone_number
  FROM profiles p
  LEFT JOIN omnichannel_sessions s ON s.profile_id = p.user_id
       AND CASE WHEN $1::uuid IS NULL THEN s.status IN ('active', 'follow_up') ELSE s.id = $1::uuid END
  LEFT JOIN LATERAL agent_for(s.last_agent_id, s.last_intent) a ON true
 WHERE p.user_id = coalesce((SELECT o.profile_id FROM omnichannel_sessions o WHERE o.id = $1::uuid),
                            (SELECT coalesce(n.merged_into, n.user_id) FROM profiles n WHERE n.user_id = $2::uuid),
                            (SELECT c.profile_id FROM call_summaries c WHERE c.call_id = $3::text))
