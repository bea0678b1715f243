-- message_finish: $1 outcomes as JSON, $2 hold seconds of an unknown outcome, $3 backoff scale -> id, status (NULL: lease lost)
SELECT id, status
  FROM finish_outbound($1::jsonb, $2::int, $3::float8)
