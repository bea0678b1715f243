-- call_claim: $1 worker, $2 how many, $3 lease seconds -> calls whose text is to be made from the transcript, leased
SELECT id, call_id, token, attempt, transcript, known, language
  FROM claim_transcripts($1::text, $2::int, $3::int)
