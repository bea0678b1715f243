-- call_renew: $1 [{id, token}], $2 lease seconds -> renewed
SELECT renew_transcripts($1::jsonb, $2::int) AS renewed
