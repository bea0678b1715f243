-- call_earlier: $1 call row id -> the person's latest call before it that can be told about; no row if there is none
SELECT e.id FROM call_earlier($1::uuid) AS e (id) WHERE e.id IS NOT NULL
