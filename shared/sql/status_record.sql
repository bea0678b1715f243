-- status_record: $1 provider, $2 events as JSON -> stored, moved
SELECT stored, moved
  FROM record_status_events($1::text, $2::jsonb)
