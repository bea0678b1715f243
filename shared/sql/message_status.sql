-- message_status: $1 ids -> their states, in the order they were made
SELECT id, channel, status, external_message_id, segments, cost_rwf, error_code, dead_reason
  FROM message_delivery_log
 WHERE id = ANY ($1::uuid[])
 ORDER BY seq
