-- session_person: $1 profile -> how to reach the person, the channel last used, and the call the open conversation is about
SELECT p.profile_id, p.phone_number, p.wa_id, p.bsuid, p.display_name, p.language, p.has_whatsapp, p.window_open,
       p.allows_sms, p.allows_whatsapp, p.mode,
       r.last_active_channel, s.call_id
  FROM person_reach p
  JOIN profiles r ON r.user_id = p.profile_id
  LEFT JOIN omnichannel_sessions s ON s.profile_id = p.profile_id AND s.status IN ('active', 'follow_up')
 WHERE p.profile_id = $1::uuid
