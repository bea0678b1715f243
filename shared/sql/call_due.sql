-- call_due: $1 how many -> calls whose notification is due
SELECT id
  FROM call_summaries
 WHERE notify_due_at <= clock_timestamp()
 ORDER BY notify_due_at
 LIMIT $1::int
