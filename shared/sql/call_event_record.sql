-- call_event_record: $1 event as JSON, $2 action as JSON or NULL, $3 who performs it or NULL, $4 lease seconds, $5 new ids of
-- call, person, session, action -> outcome and what it made
SELECT r.outcome, r.id, r.session_id, r.session_created, r.action_id
  FROM record_call_event($1::jsonb, $2::jsonb, $3::text, $4::int, $5::uuid[]) AS r
 CROSS JOIN LATERAL call_proves(r.id, $1::jsonb)
