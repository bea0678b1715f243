-- inbound_afresh: as inbound_record with its parameters, for a message that begins another conversation
SELECT outcome, message_id, session_id, profile_id, session_created, consent_changed
  FROM record_inbound_afresh($1::text, $2::text,
       coalesce(inbound_repeat_of($2::text, $4::text, $3::text, $16::text), $3::text),
       $4::text, $5::text, $6::text, $7::text, $8::text,
       coalesce($9::timestamptz, clock_timestamp()), $10::jsonb, $11::text, $12::jsonb, $13::boolean, $14::int, $15::uuid[])
