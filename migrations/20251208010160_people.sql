-- Two persons who turn out to be one: WhatsApp names its own id and the number together, and each was known apart.

-- Of two open conversations of one person the first goes on with all that was said, noted and asked for in the second, which ends. A
-- turn that runs in either is begun again and reads everything; what it sent by a tool is known to it (shared/sql/turn_context.sql).
-- Its caller holds both, and their messages.
CREATE FUNCTION session_fold(goes omnichannel_sessions, ends omnichannel_sessions) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    ends_is_later boolean := ends.updated_at > goes.updated_at;
BEGIN
    IF ends.id IS NULL THEN
        RETURN;
    END IF;
    UPDATE omnichannel_sessions s SET status = 'closed', closed_at = clock_timestamp(), starts_afresh = false, turn_due_at = NULL,
           turn_lease_until = NULL, turn_lease_owner = NULL, paused_at = NULL, needs_human = false
     WHERE s.id = ends.id;
    UPDATE turns t SET session_id = goes.id, token = goes.turn_token + 1, status = CASE t.status WHEN 'running' THEN 'lost' ELSE t.status END
     WHERE t.id = (SELECT f.id FROM turns f
                    WHERE f.session_id = ends.id AND f.status NOT IN ('done', 'stopped')
                      AND f.token > coalesce((SELECT max(d.token) FROM turns d WHERE d.session_id = ends.id AND d.status IN ('done', 'stopped')), 0)
                    ORDER BY f.token LIMIT 1);
    UPDATE omnichannel_sessions s SET
        turn_token = s.turn_token + 1, turn_lease_until = NULL, turn_lease_owner = NULL, turn_due_at = clock_timestamp(),
        paused_at = coalesce(s.paused_at, ends.paused_at), needs_human = s.needs_human OR ends.needs_human,
        muted_until = greatest(s.muted_until, ends.muted_until), expires_at = greatest(s.expires_at, ends.expires_at),
        active_channels = ARRAY(SELECT DISTINCT c FROM unnest(s.active_channels || ends.active_channels) AS c),
        last_agent_id = CASE WHEN ends_is_later THEN coalesce(ends.last_agent_id, s.last_agent_id) ELSE coalesce(s.last_agent_id, ends.last_agent_id) END,
        last_intent = CASE WHEN ends_is_later THEN coalesce(ends.last_intent, s.last_intent) ELSE coalesce(s.last_intent, ends.last_intent) END,
        call_id = coalesce((SELECT c.call_id FROM call_summaries c WHERE c.call_id IN (s.call_id, ends.call_id) ORDER BY c.created_at DESC LIMIT 1),
                           s.call_id, ends.call_id),
        context = CASE WHEN octet_length((ends.context || s.context)::text) <= 32768 THEN ends.context || s.context ELSE s.context END
     WHERE s.id = goes.id;
    INSERT INTO conversation_threads AS t (session_id, profile_id, channel, parent_call_id, message_count, last_message_at)
    SELECT goes.id, goes.profile_id, e.channel, e.parent_call_id, e.message_count, e.last_message_at
      FROM conversation_threads e WHERE e.session_id = ends.id
    ON CONFLICT (session_id, channel) DO UPDATE SET
        message_count = t.message_count + excluded.message_count,
        last_message_at = greatest(t.last_message_at, excluded.last_message_at),
        parent_call_id = coalesce(t.parent_call_id, excluded.parent_call_id);
    UPDATE message_delivery_log m SET session_id = goes.id WHERE m.session_id = ends.id;
    UPDATE call_summaries c SET session_id = goes.id WHERE c.session_id = ends.id;
END $$;

-- Everything of p_gone, whom only WhatsApp's own id named, is p_person's from now on; p_gone stays and says who it is. A refusal of
-- either holds for both. Takes the locks in the order of all: see record_inbound_message().
CREATE FUNCTION person_join(p_person uuid, p_gone uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    other profiles;
    goes  omnichannel_sessions; -- the conversation that goes on
    ends  omnichannel_sessions;
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

    SELECT * INTO goes FROM omnichannel_sessions s WHERE s.profile_id = p_person AND s.status <> 'closed';
    IF FOUND THEN
        SELECT * INTO ends FROM omnichannel_sessions s WHERE s.profile_id = p_gone AND s.status <> 'closed';
        PERFORM session_fold(goes, ends);
    END IF;
    UPDATE omnichannel_sessions s SET profile_id = p_person WHERE s.profile_id = p_gone;
    UPDATE conversation_threads t SET profile_id = p_person WHERE t.profile_id = p_gone;
    UPDATE message_delivery_log m SET profile_id = p_person WHERE m.profile_id = p_gone;
    UPDATE message_delivery_log m SET status = 'suppressed', next_attempt_at = NULL, error_code = 'opted_out'
     WHERE m.profile_id = p_person AND m.status IN ('pending', 'failed') AND m.message_type <> 'confirmation'
       AND person_refuses(p_person, m.channel);
    UPDATE call_summaries c SET profile_id = p_person WHERE c.profile_id = p_gone;
    UPDATE call_actions a SET profile_id = p_person WHERE a.profile_id = p_gone;
    UPDATE turns t SET profile_id = p_person WHERE t.profile_id = p_gone;
    UPDATE tool_calls t SET profile_id = p_person
     WHERE t.profile_id = p_gone AND NOT EXISTS (SELECT 1 FROM tool_calls o WHERE o.profile_id = p_person AND o.tool = t.tool AND o.idem_key = t.idem_key);
END $$;

-- One writer per address from here on, always in the same order.
CREATE FUNCTION addresses_lock(p_phone text, p_wa_id text, p_bsuid text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT pg_advisory_xact_lock(k) FROM (
        SELECT DISTINCT hashtextextended(v, 20251207) AS k
          FROM unnest(ARRAY['tel:' || nullif(p_phone, ''), 'wa:' || nullif(p_wa_id, ''), 'bsuid:' || nullif(p_bsuid, '')]) AS v
         WHERE v IS NOT NULL ORDER BY k) AS locks
$$;

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
        IF attempt = 1 THEN -- something is new: alone with these addresses, look again
            PERFORM addresses_lock(p_phone, p_wa_id, p_bsuid);
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

-- As before, for whoever knows the person by the id of before, too.
CREATE OR REPLACE FUNCTION check_whatsapp_available(profile uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT p.has_whatsapp AND p.allows_whatsapp FROM profiles n JOIN profiles p ON p.user_id = coalesce(n.merged_into, n.user_id)
                      WHERE n.user_id = $1), false)
$$;

-- verified_at says that a provider's signed webhook showed the person to write or call from this address. A number that only stands in
-- the header of a SIP call, or that a tool or an exchange names, is a claim. (What was stored before this was marked, whatever it was.)
CREATE FUNCTION address_proven(p_profile uuid, p_phone text, p_wa_id text, p_bsuid text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE contact_addresses a SET verified_at = clock_timestamp()
     WHERE a.profile_id = p_profile AND a.verified_at IS NULL
       AND (a.kind, a.value) IN (('tel', p_phone), ('wa', p_wa_id), ('bsuid', p_bsuid))
$$;

-- A call by WhatsApp proves the caller's addresses; one over SIP nothing.
CREATE FUNCTION call_proves(p_call uuid, p_event jsonb) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT address_proven(s.profile_id, p_event ->> 'phone', substr(p_event ->> 'phone', 2), p_event ->> 'bsuid')
      FROM call_summaries s
     WHERE s.id = p_call AND p_event ->> 'channel' = 'whatsapp'
$$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('session_fold', 'person_join', 'addresses_lock', 'address_proven',
                    'call_proves')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
