-- tool_bond: $1 person, $2 session, $3 call, $4 turn, $5 its token, $6 number (each may be NULL) -> how they hang together, one row;
-- who turned out to be somebody else's other self is that person
SELECT p.user_id AS person, p.phone_number AS phone,
       s.profile_id AS session_person, s.call_id AS session_call,
       c.profile_id AS call_person, c.session_id AS call_session,
       o.id AS open_session,
       t.id IS NOT NULL AS turn_runs,
       a.profile_id AS phone_person
  FROM (SELECT $1::uuid AS person, $2::uuid AS session, $3::text AS call, $4::uuid AS turn, $5::bigint AS token,
               $6::text AS phone) AS g
  LEFT JOIN profiles n ON n.user_id = g.person
  LEFT JOIN profiles p ON p.user_id = coalesce(n.merged_into, n.user_id)
  LEFT JOIN omnichannel_sessions s ON s.id = g.session
  LEFT JOIN call_summaries c ON c.call_id = g.call
  LEFT JOIN omnichannel_sessions o ON o.profile_id = p.user_id AND o.status IN ('active', 'follow_up')
  LEFT JOIN turns t ON t.id = g.turn AND t.status = 'running' AND t.token = g.token AND t.session_id = s.id
                   AND s.turn_token = g.token AND s.turn_lease_until IS NOT NULL
  LEFT JOIN contact_addresses a ON a.kind = 'tel' AND a.value = g.phone
