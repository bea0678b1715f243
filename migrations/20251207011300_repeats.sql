-- An SMS without id and without time is told apart by its words (docs/reliability.md): the same ones from the same number within a minute,
-- with nothing sent to that person in between, are the gateway's repeat; after an answer they are an answer, too.

-- The id under which such a message is there already, or NULL. p_id: the one it would get, p_words || '@' || when it came in
-- milliseconds; p_words: what the ids of the same words from the same number begin with. Two repeats at the same moment wait for each
-- other.
CREATE FUNCTION inbound_repeat_of(p_provider text, p_phone text, p_id text, p_words text) RETURNS text
LANGUAGE plpgsql STRICT SET search_path = public, pg_temp AS $$
DECLARE
    earlier record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('words:' || p_words, 20251207));
    SELECT m.external_message_id, m.profile_id, m.seq INTO earlier
      FROM contact_addresses a
      JOIN omnichannel_sessions s ON s.profile_id = a.profile_id
      JOIN message_delivery_log m ON m.session_id = s.id
     WHERE a.kind = 'tel' AND a.value = p_phone AND m.direction = 'inbound' AND m.provider = p_provider
       AND left(m.external_message_id, length(p_words) + 1) = p_words || '@'
       AND abs(inbound_came_at(m.external_message_id) - inbound_came_at(p_id)) < 60000
     ORDER BY m.seq DESC LIMIT 1;
    IF EXISTS (SELECT 1 FROM omnichannel_sessions s JOIN message_delivery_log o ON o.session_id = s.id
                WHERE s.profile_id = earlier.profile_id AND o.direction = 'outbound' AND o.seq > earlier.seq AND o.sent_at IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    RETURN earlier.external_message_id;
END $$;

-- When a message under such an id came.
CREATE FUNCTION inbound_came_at(p_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(p_id FROM '@([0-9]{1,15})')::bigint
$$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('inbound_repeat_of', 'inbound_came_at')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
