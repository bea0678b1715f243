-- inbound_record: $1 channel, $2 provider, $3 external id, $4 phone, $5 wa_id, $6 bsuid, $7 name, $8 content, $9 at, $10 metadata,
-- $11 keyword, $12 fixed answer, $13 wants a turn, $14 quiet ms, $15 new ids of message, person, session, $16 what the
-- ids of the same words begin with where the gateway gives neither id nor time, or NULL
SELECT outcome, message_id, session_id, profile_id, session_created, consent_changed
  FROM record_inbound_message($1::text, $2::text,
       coalesce(inbound_repeat_of($2::text, $4::text, $3::text, $16::text), $3::text),
       $4::text, $5::text, $6::text, $7::text, $8::text,
       coalesce($9::timestamptz, clock_timestamp()), $10::jsonb, $11::text, $12::jsonb, $13::boolean, $14::int, $15::uuid[])
