-- poison_record: $1 program, $2 provider, $3 reason, $4 digest, $5 body -> is_new
SELECT record_inbound_poison($1::text, $2::text, $3::text, $4::text, $5::bytea) AS is_new
