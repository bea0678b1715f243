-- call_action_claim: $1 worker, $2 how many, $3 lease seconds -> ids of the actions, leased
SELECT id
  FROM claim_call_actions($1::text, $2::int, $3::int) AS c (id)
