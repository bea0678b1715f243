-- call_summarised: $1 call row id, $2 token, $3 points, $4 next steps, $5 language or NULL, $6 retry in seconds or NULL
-- -> made | none | again | late | lost
SELECT finish_transcript($1::uuid, $2::bigint, $3::jsonb, $4::jsonb, $5::text, $6::float8) AS result
