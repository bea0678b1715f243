-- tool_end: $1 id, $2 outcome, $3 error code, $4 HTTP status, $5 reply to keep or NULL
SELECT tool_end($1::uuid, $2::text, $3::text, $4::int, $5::json)
