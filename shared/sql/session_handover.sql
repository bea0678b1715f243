-- session_handover: $1 session, $2 agent, $3 reason -> status, or why not
SELECT session_handover($1::uuid, $2::text, $3::text) AS verdict
