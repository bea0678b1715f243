-- call_notify: $1 call row id, $2 rows as JSON, $3 sent | skipped, $4 reason -> was_first
SELECT notify_call($1::uuid, $2::jsonb, $3::text, $4::text) AS was_first
