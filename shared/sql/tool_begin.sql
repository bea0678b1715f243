-- tool_begin: $1 the call as JSON -> may it run, or what was its reply before
SELECT verdict, id, status, reply::text AS reply, limit_name, wait_s FROM tool_begin($1::jsonb)
