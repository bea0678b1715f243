-- call_earlier: $1 call row id -> the person's latest call before it that can be told about, if it has been told: what is still to be
-- told comes by itself; no row if there is none
SELECT e.id FROM call_earlier($1::uuid) AS e (id) JOIN call_summaries c ON c.id = e.id WHERE c.notified_at IS NOT NULL
