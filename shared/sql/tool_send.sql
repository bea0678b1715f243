-- tool_send: $1 tool call, $2 person, $3 session or NULL, $4 the turn's token or NULL, $5 rows as JSON, $6 skipped channels as JSON,
-- $7 a person writes, $8 id of a new session -> what was written, now or before
SELECT verdict, array_to_json(message_ids)::text AS ids, skips::text AS skips
  FROM tool_send($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::jsonb, $6::jsonb, $7::boolean, $8::uuid)
