-- health: what /healthz tells, one row; ages in seconds, -1 for never
SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - at)::bigint FROM job_heartbeat WHERE name = 'message-worker'), -1) AS worker_age_s,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - at)::bigint FROM job_heartbeat WHERE name = 'message-retry'), -1) AS cron_age_s,
       (SELECT count(*) FROM message_delivery_log
         WHERE status IN ('pending', 'failed') AND next_attempt_at <= clock_timestamp()) AS due,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(next_attempt_at))::bigint FROM message_delivery_log
         WHERE status IN ('pending', 'failed') AND next_attempt_at <= clock_timestamp()), 0) AS oldest_s,
       (SELECT count(*) FROM sessions_needing_human) AS needs_human,
       coalesce((SELECT string_agg(provider, ' ') FROM provider_circuit WHERE state <> 'closed'), '') AS paused
