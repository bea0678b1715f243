-- session_note: $1 session, $2 status or NULL, $3 context or NULL -> what it was and is; keys that were not taken
SELECT was, status, array_to_json(ignored)::text AS ignored FROM session_note($1::uuid, $2::text, $3::jsonb)
