-- call_action_finish: $1 id, $2 token, $3 done | failed | pending, $4 error code, $5 seconds until the next try, $6 the call was
-- taken, $7 it could not be taken and is over -> held: false if it is somebody else's now
SELECT finish_call_action($1::uuid, $2::bigint, $3::text, $4::text, $5::float8, $6::boolean, $7::boolean) AS held
