-- message_dead: $1 how many -> dead letters, the newest first
SELECT id, created_at, channel, provider, message_type, dead_reason, coalesce(error_code, '') AS error_code, retry_count,
       EXISTS (SELECT 1 FROM message_delivery_log r WHERE r.replay_of = m.id) AS is_replayed
  FROM message_delivery_log m
 WHERE status = 'dead'
 ORDER BY created_at DESC
 LIMIT $1::int
