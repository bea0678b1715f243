-- turn_claim: $1 worker, $2 how many, $3 lease seconds -> the turns, leased
SELECT turn_id, session_id, profile_id, token, upto, attempt
  FROM claim_turns($1::text, $2::int, $3::int)
