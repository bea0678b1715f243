-- turn_renew: $1 [{session_id, token}], $2 lease seconds -> renewed
SELECT renew_turns($1::jsonb, $2::int) AS renewed
