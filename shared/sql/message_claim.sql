-- message_claim: $1 provider, $2 worker, $3 how many, $4 lease seconds, $5 only these ids or NULL -> the rows, leased
SELECT id, lease_token, session_id, profile_id, channel, provider, message_type, content, recipient_phone, call_id, retry_count,
       coalesce(metadata ->> 'kind', '') AS kind,
       coalesce(metadata ->> 'bsuid', '') AS bsuid,
       coalesce(metadata ->> 'options', '') AS options,
       coalesce(metadata ->> 'language', '') AS language,
       coalesce(metadata ->> 'correlation_id', '') AS correlation_id
  FROM claim_outbound($1::text, $2::text, $3::int, $4::int, $5::uuid[])
