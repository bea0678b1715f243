-- message_sweep: $1 hold seconds -> how many rows moved, by kind
SELECT to_unknown, resent, dead, expired
  FROM sweep_outbound($1::int)
