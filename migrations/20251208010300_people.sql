-- Two persons who turn out to be one: WhatsApp names its own id and the number together, and each was known apart.

-- Everything of p_gone, whom only WhatsApp's own id named, is p_person's from now on; p_gone stays and says who it is. A refusal of
-- either holds for both. Of two open conversations p_person's goes on, and what waits for an answer in the other waits in it; a turn
-- that runs in either is begun again and reads all of it. Takes the locks in the order of all: see record_inbound_message().
CREATE FUNCTION person_join(p_person uuid, p_gone uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    other profiles;
    goes  uuid; -- the conversation that goes on
    ends  uuid;
BEGIN
    PERFORM 1 FROM call_summaries c WHERE c.profile_id = p_gone ORDER BY c.id FOR NO KEY UPDATE;
    PERFORM 1 FROM message_delivery_log m
      WHERE (m.profile_id = p_gone AND m.direction = 'outbound') OR (m.profile_id = p_person AND m.status IN ('pending', 'failed'))
      ORDER BY m.id FOR NO KEY UPDATE;
    PERFORM 1 FROM tool_calls t WHERE t.profile_id = p_gone ORDER BY t.id FOR NO KEY UPDATE; -- tool_send() takes its call first
    PERFORM 1 FROM profiles p WHERE p.user_id IN (p_person, p_gone) ORDER BY p.user_id FOR NO KEY UPDATE;
    PERFORM 1 FROM omnichannel_sessions s WHERE s.profile_id IN (p_person, p_gone) ORDER BY s.id FOR NO KEY UPDATE;
    SELECT * INTO other FROM profiles p WHERE p.user_id = p_gone;
    UPDATE profiles p SET
        display_name = coalesce(p.display_name, other.display_name),
        preferred_language = coalesce(p.preferred_language, other.preferred_language),
        whatsapp_jid = coalesce(p.whatsapp_jid, other.whatsapp_jid),
        has_whatsapp = coalesce(other.has_whatsapp, p.has_whatsapp),
        has_whatsapp_at = CASE WHEN other.has_whatsapp IS NULL THEN p.has_whatsapp_at ELSE other.has_whatsapp_at END,
        wa_window_until = greatest(p.wa_window_until, other.wa_window_until),
        last_active_channel = coalesce(other.last_active_channel, p.last_active_channel),
        notification_preferences = other.notification_preferences || p.notification_preferences,
        allows_sms = p.allows_sms AND other.allows_sms,
        allows_whatsapp = p.allows_whatsapp AND other.allows_whatsapp
     WHERE p.user_id = p_person;
    UPDATE profiles p SET merged_into = p_person, whatsapp_jid = NULL WHERE p.user_id = p_gone;
    UPDATE contact_addresses a SET profile_id = p_person WHERE a.profile_id = p_gone;

    SELECT s.id INTO goes FROM omnichannel_sessions s WHERE s.profile_id = p_person AND s.status <> 'closed';
    SELECT s.id INTO ends FROM omnichannel_sessions s WHERE s.profile_id = p_gone AND s.status <> 'closed' AND goes IS NOT NULL;
    UPDATE omnichannel_sessions s SET status = 'closed', closed_at = clock_timestamp(), turn_due_at = NULL, turn_lease_until = NULL,
           turn_lease_owner = NULL, paused_at = NULL, needs_human = false
     WHERE s.id = ends;
    UPDATE omnichannel_sessions s SET turn_lease_until = NULL, turn_lease_owner = NULL, turn_due_at = clock_timestamp(),
           paused_at = coalesce(s.paused_at, o.paused_at), needs_human = s.needs_human OR o.needs_human,
           call_id = coalesce((SELECT c.call_id FROM call_summaries c WHERE c.call_id IN (s.call_id, o.call_id) ORDER BY c.created_at DESC LIMIT 1),
                              s.call_id, o.call_id), expires_at = greatest(s.expires_at, o.expires_at),
           muted_until = greatest(s.muted_until, o.muted_until),
           context = CASE WHEN octet_length((o.context || s.context)::text) <= 32768 THEN o.context || s.context ELSE s.context END
      FROM omnichannel_sessions o WHERE s.id = goes AND o.id = ends;
    UPDATE omnichannel_sessions s SET profile_id = p_person WHERE s.profile_id = p_gone;
    UPDATE conversation_threads t SET profile_id = p_person WHERE t.profile_id = p_gone;
    UPDATE message_delivery_log m SET profile_id = p_person, session_id = CASE WHEN m.awaits_turn AND m.session_id = ends THEN goes ELSE m.session_id END
     WHERE m.profile_id = p_gone;
    UPDATE message_delivery_log m SET status = 'suppressed', next_attempt_at = NULL, error_code = 'opted_out'
     WHERE m.profile_id = p_person AND m.status IN ('pending', 'failed') AND m.message_type <> 'confirmation'
       AND person_refuses(p_person, m.channel);
    UPDATE call_summaries c SET profile_id = p_person WHERE c.profile_id = p_gone;
    UPDATE call_actions a SET profile_id = p_person WHERE a.profile_id = p_gone;
    UPDATE turns t SET profile_id = p_person WHERE t.profile_id = p_gone;
    UPDATE tool_calls t SET profile_id = p_person
     WHERE t.profile_id = p_gone AND NOT EXISTS (SELECT 1 FROM tool_calls o WHERE o.profile_id = p_person AND o.tool = t.tool AND o.idem_key = t.idem_key);
END $$;

-- The person behind these addresses, made if nobody has them yet. All addresses of one person are one person: the ones that are new
-- are added. Where they were known apart, the number speaks first, and WhatsApp's own id, which is one number's at a time, follows it;
-- whom it alone named is that person. NULL or '' means "not given". p_id: the id a new person gets.
CREATE OR REPLACE FUNCTION person_find_or_create(p_phone text, p_wa_id text, p_bsuid text, p_name text, p_id uuid) RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    person uuid;
    other  uuid; -- whose WhatsApp's own id is, if that is another
    known  int;
    given  int := (coalesce(p_phone, '') <> '')::int + (coalesce(p_wa_id, '') <> '')::int + (coalesce(p_bsuid, '') <> '')::int;
BEGIN
    IF given = 0 THEN
        RAISE EXCEPTION 'a person needs an address' USING ERRCODE = '22023';
    END IF;
    FOR attempt IN 1..2 LOOP
        SELECT (array_agg(a.profile_id ORDER BY a.kind = 'tel' DESC, a.kind = 'wa' DESC))[1], count(*),
               (array_agg(a.profile_id) FILTER (WHERE a.kind = 'bsuid'))[1]
          INTO person, known, other
          FROM contact_addresses a
         WHERE (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid));
        EXIT WHEN known = given AND (other IS NULL OR other = person);
        -- Something is new. One writer per address from here on, always in the same order, then look again.
        IF attempt = 1 THEN
            PERFORM pg_advisory_xact_lock(k) FROM (
                SELECT DISTINCT hashtextextended(v, 20251207) AS k
                  FROM unnest(ARRAY['tel:' || nullif(p_phone, ''), 'wa:' || nullif(p_wa_id, ''), 'bsuid:' || nullif(p_bsuid, '')]) AS v
                 WHERE v IS NOT NULL ORDER BY k) AS locks;
        END IF;
    END LOOP;
    IF person IS NULL THEN
        INSERT INTO profiles (user_id, phone_number, display_name, whatsapp_jid)
        VALUES (coalesce(p_id, uuid_v7()), nullif(p_phone, ''), nullif(p_name, ''), nullif(p_wa_id, ''))
        ON CONFLICT (phone_number) DO UPDATE SET display_name = coalesce(profiles.display_name, excluded.display_name)
        RETURNING user_id INTO person;
    END IF;
    IF other <> person THEN
        IF EXISTS (SELECT 1 FROM contact_addresses a WHERE a.profile_id = other AND a.kind = 'tel') THEN
            UPDATE contact_addresses a SET profile_id = person WHERE a.kind = 'bsuid' AND a.value = p_bsuid;
        ELSE
            PERFORM person_join(person, other);
        END IF;
    END IF;
    IF known < given THEN
        INSERT INTO contact_addresses (kind, value, profile_id) -- a claim, until address_proven()
        SELECT k, v, person
          FROM (VALUES ('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid)) AS a (k, v)
         WHERE coalesce(v, '') <> ''
        ON CONFLICT (kind, value) DO NOTHING;
        UPDATE profiles SET
            whatsapp_jid = coalesce(whatsapp_jid, nullif(p_wa_id, '')),
            display_name = coalesce(display_name, nullif(p_name, ''))
         WHERE user_id = person AND ((whatsapp_jid IS NULL AND p_wa_id <> '') OR (display_name IS NULL AND p_name <> ''));
        -- The number is a key: a statement that names it locks out all who refer to the person, so it is one of its own.
        UPDATE profiles SET phone_number = p_phone
         WHERE user_id = person AND phone_number IS NULL AND p_phone <> ''
           AND NOT EXISTS (SELECT 1 FROM profiles o WHERE o.phone_number = p_phone);
    END IF;
    RETURN person;
END $$;

ALTER FUNCTION person_join(uuid, uuid) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION person_join(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_join(uuid, uuid) TO omni_app;
