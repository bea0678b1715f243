-- WhatsApp's 24-hour window belongs to the address that wrote or called, not to the person: somebody with two WhatsApp accounts opens
-- one of them at a time. profiles.wa_window_until stays the latest of them all.

ALTER TABLE contact_addresses ADD COLUMN window_until timestamptz;
COMMENT ON COLUMN contact_addresses.window_until IS 'until when WhatsApp takes free text for this address; of kind wa and bsuid';

-- This address wrote or called: its window is open until then.
CREATE FUNCTION address_window(p_profile uuid, p_wa_id text, p_bsuid text, p_until timestamptz) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE contact_addresses a SET window_until = p_until
     WHERE a.profile_id = p_profile AND (a.kind, a.value) IN (('wa', p_wa_id), ('bsuid', p_bsuid))
       AND (a.window_until IS NULL OR a.window_until < p_until)
$$;
ALTER FUNCTION address_window(uuid, text, text, timestamptz) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION address_window(uuid, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION address_window(uuid, text, text, timestamptz) TO omni_app;

-- WhatsApp says that the window of the address a message went to is closed (131047), so it is, unless that person has written since the
-- message was made. p_phone: NULL where it went to WhatsApp's own id.
CREATE FUNCTION window_closed(p_profile uuid, p_phone text, p_made timestamptz) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE contact_addresses a SET window_until = least(a.window_until, p_made)
     WHERE a.profile_id = p_profile AND a.window_until <= p_made + interval '24 hours'
       AND CASE WHEN p_phone IS NULL THEN a.kind = 'bsuid' ELSE a.kind = 'wa' AND a.value = substr(p_phone, 2) END;
    UPDATE profiles p SET wa_window_until = coalesce((SELECT max(a.window_until) FROM contact_addresses a
                                                       WHERE a.profile_id = p_profile AND a.window_until > p_made), p_made)
     WHERE p.user_id = p_profile AND p.wa_window_until > p_made AND p.wa_window_until <= p_made + interval '24 hours'
$$;
ALTER FUNCTION window_closed(uuid, text, timestamptz) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION window_closed(uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION window_closed(uuid, text, timestamptz) TO omni_app;

-- Whether WhatsApp takes free text for the address that messages go to: the person's number, or WhatsApp's own id where there is none.
-- What opened the person's window, if it is known, must have been this address.
CREATE FUNCTION window_is_open(p_profile uuid, p_phone text, p_until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(p_until > t.margin, false)
       AND NOT coalesce((SELECT bool_or(a.window_until > t.margin) AND NOT coalesce(bool_or(a.window_until > t.margin) FILTER (
                WHERE CASE WHEN p_phone IS NULL THEN a.kind = 'bsuid' ELSE a.kind = 'wa' AND a.value = substr(p_phone, 2) END), false)
              FROM contact_addresses a WHERE a.profile_id = p_profile AND a.window_until IS NOT NULL), false)
      FROM (SELECT clock_timestamp() + interval '5 minutes' AS margin) AS t -- what is planned inside the window is also sent inside it
$$;
ALTER FUNCTION window_is_open(uuid, text, timestamptz) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION window_is_open(uuid, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION window_is_open(uuid, text, timestamptz) TO omni_app;

CREATE OR REPLACE VIEW person_reach WITH (security_invoker = true) AS
    SELECT p.user_id AS profile_id,
           coalesce(p.phone_number, '') AS phone_number,
           coalesce(p.whatsapp_jid, '') AS wa_id,
           coalesce((SELECT a.value FROM contact_addresses a WHERE a.profile_id = p.user_id AND a.kind = 'bsuid'
                      ORDER BY a.created_at DESC LIMIT 1), '') AS bsuid,
           coalesce(p.display_name, '') AS display_name,
           coalesce(p.preferred_language, p.notification_preferences ->> 'language', '') AS language,
           coalesce(p.has_whatsapp, false) AS has_whatsapp,
           window_is_open(p.user_id, p.phone_number, p.wa_window_until) AS window_open,
           p.allows_sms, p.allows_whatsapp,
           coalesce(p.notification_preferences ->> 'mode', '') AS mode
      FROM profiles p;
