-- call_load: $1 call row id -> the call, and how its person can be reached: on the number that called
SELECT c.id, c.call_id, c.session_id, c.channel, c.status, c.summary_text, c.bullets::text AS bullets,
       c.next_actions::text AS next_actions, c.language AS call_language, c.duration_seconds,
       coalesce(to_char(c.started_at AT TIME ZONE 'Africa/Kigali', 'DD/MM HH24:MI'), '') AS began_there,
       c.end_seen_at IS NOT NULL AS is_over,
       coalesce(extract(epoch FROM clock_timestamp() - c.end_seen_at)::bigint, 0) AS over_for_s,
       call_has_text(c) AS has_text, c.status IN ('missed', 'failed') AND NOT call_has_text(c) AS is_missed,
       c.told_early IS NOT NULL AS was_told, left(call_told(c), 8) AS told_hash,
       coalesce(c.notify_due_at <= clock_timestamp(), false) AS is_due,
       c.notified_at IS NOT NULL AS is_notified, coalesce(c.told_last <> call_told(c), false) AS said_since, c.notify_result, c.notify_reason,
       p.profile_id, n.phone_number, p.wa_id, p.bsuid, p.display_name, p.language, p.has_whatsapp,
       window_is_open(c.profile_id, nullif(n.phone_number, ''), r.wa_window_until) AS window_open,
       p.allows_sms, p.allows_whatsapp, p.mode
  FROM call_summaries c
  JOIN profiles r ON r.user_id = c.profile_id
  JOIN person_reach p ON p.profile_id = c.profile_id
 CROSS JOIN LATERAL (SELECT coalesce(nullif(c.phone_number, ''), p.phone_number) AS phone_number) n
 WHERE c.id = $1::uuid
