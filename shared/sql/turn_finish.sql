-- turn_finish: $1 turn, $2 session, $3 token, $4 done, $5 rows as JSON, $6 evidence as JSON, $7 retry in seconds or NULL,
-- $8 least seconds between fallbacks -> done | failed | lost
SELECT finish_turn($1::uuid, $2::uuid, $3::bigint, $4::boolean, $5::jsonb, $6::jsonb, $7::float8, $8::int) AS result
