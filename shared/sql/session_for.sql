-- session_for: $1 profile or NULL, $2 number or NULL, $3 channel, $4 call, $5 agent, $6 intent, $7 new ids (person, session)
-- -> the person's conversation; no row: no such person
SELECT session_id, profile_id, status, created, context::text AS context
  FROM session_for($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::uuid[])
