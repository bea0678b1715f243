-- call_messages: $1 call id -> the rows of its notification, in the order they were made
SELECT id, channel, status, external_message_id, segments, cost_rwf, error_code, dead_reason
  FROM message_delivery_log
 WHERE call_id = $1::text AND direction = 'outbound' AND message_type IN ('summary', 'missed_call')
 ORDER BY seq
