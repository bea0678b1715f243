-- health: what /healthz tells, one row; ages in seconds, -1 for never; paused: providers that are left in peace, but for the server of
-- an agent that nobody has asked since it might be (it may be no agent's any more)
SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - at)::bigint FROM job_heartbeat WHERE name = 'message-worker'), -1) AS worker_age_s,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - at)::bigint FROM job_heartbeat WHERE name = 'message-retry'), -1) AS cron_age_s,
       (SELECT count(*) FROM message_delivery_log
         WHERE status IN ('pending', 'failed') AND next_attempt_at <= clock_timestamp()) AS due,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(next_attempt_at))::bigint FROM message_delivery_log
         WHERE status IN ('pending', 'failed') AND next_attempt_at <= clock_timestamp()), 0) AS oldest_s,
       (SELECT count(*) FROM sessions_needing_human) AS needs_human,
       coalesce((SELECT string_agg(provider, ' ') FROM provider_circuit
         WHERE state = 'forced_open' OR (state = 'open'
           AND (provider NOT LIKE 'agent:%' OR open_until > clock_timestamp() - interval '15 minutes'))), '') AS paused
