-- tool_refuse: $1 the call as JSON, $2 outcome, $3 error code
SELECT tool_refuse($1::jsonb, $2::text, $3::text)
