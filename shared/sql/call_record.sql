-- call_record: $1 call id, $2 SIP Call-ID, $3 phone, $4 channel, $5 summary, $6 bullets, $7 next actions, $8 transcript, $9 intent,
-- $10 language, $11 started, $12 ended, $13 answered, $14 is over, $15 seconds to wait for a text, $16 new ids of call, person, session
SELECT id, call_id, profile_id, session_id, created, session_created
  FROM record_call($1::text, $2::text, $3::text, $4::text, $5::text, $6::jsonb, $7::jsonb, $8::text, $9::text, $10::text,
       $11::timestamptz, $12::timestamptz, $13::boolean, $14::boolean, $15::int, $16::uuid[])
