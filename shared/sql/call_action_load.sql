-- call_action_load: $1 ids, $2 who holds them -> the actions, with the call, its person, and what the call center's agent is told
SELECT a.id, a.lease_token, a.kind, a.detail::text AS detail, a.attempts, c.call_id, c.session_id, p.profile_id,
       coalesce(nullif(c.phone_number, ''), p.phone_number) AS phone_number, p.bsuid,
       a.expires_at <= clock_timestamp() AS is_expired, c.end_seen_at IS NOT NULL AS is_over,
       EXISTS (SELECT 1 FROM call_actions o WHERE o.call = c.id AND o.kind = 'accept') AS is_sip,
       EXISTS (SELECT 1 FROM call_events v WHERE v.call_id = c.call_id AND v.event = 'terminate') AS is_terminated,
       coalesce(nullif(p.language, ''), c.language, '') AS language, g.voice_instructions
  FROM call_actions a
  JOIN call_summaries c ON c.id = a.call
  JOIN person_reach p ON p.profile_id = c.profile_id
  LEFT JOIN agents g ON g.is_default
 WHERE a.id = ANY ($1::uuid[]) AND a.lease_owner = $2::text AND a.status = 'running'
 ORDER BY a.created_at
