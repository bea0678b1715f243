-- call_action_note: $1 id, $2 token, $3 what to remember of it, JSON -> a row if it is still this holder's
UPDATE call_actions a SET detail = a.detail || $3::jsonb
 WHERE a.id = $1::uuid AND a.lease_token = $2::bigint AND a.status = 'running'
RETURNING a.id
