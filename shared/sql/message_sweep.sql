-- message_sweep: $1 hold seconds of an unknown outcome, $2 seconds until SMS follows a patient WhatsApp message -> rows moved, by kind
SELECT to_unknown, resent, dead, expired, fallbacks
  FROM sweep_outbound(p_hold_s => $1::int, p_failover_s => $2::int)
