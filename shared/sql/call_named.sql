-- call_named: $1 call id (or the exchange's own name in its place), $2 SIP Call-ID or NULL -> has_person: a call that is known by
-- the id, and whose it is; are_two: the ids are of two calls that record_call() would not make one
SELECT EXISTS (SELECT 1 FROM call_summaries c
                WHERE (c.call_id = $1::text OR c.sip_call_id = $1::text)
                  AND (c.profile_id IS NOT NULL OR c.phone_number <> '')) AS has_person,
       EXISTS (SELECT 1 FROM call_summaries c JOIN call_summaries t ON t.sip_call_id = $2::text AND t.id <> c.id
                WHERE c.call_id = $1::text
                  AND NOT coalesce(t.call_id = t.sip_call_id AND t.profile_id = c.profile_id, false)) AS are_two
