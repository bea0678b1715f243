-- call_postpone: $1 call row id, $2 why, $3 seconds -> postponed
SELECT postpone_call($1::uuid, $2::text, $3::float8) AS postponed
