-- heartbeat: $1 name of the job
INSERT INTO job_heartbeat (name, at)
VALUES ($1::text, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET at = excluded.at
