-- The option that a message which is just coming in names, of those we gave. Of the message it was tapped in ({list: its id}), however
-- much was said since. A number that was typed: of the latest list, for seven days, on any channel, while it is among the last things
-- we said.
CREATE FUNCTION message_option(p_session uuid, p_metadata jsonb, p_content text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    s       omnichannel_sessions;
    options jsonb;
    choice  int := (p_metadata ->> 'choice')::int;
BEGIN
    SELECT * INTO s FROM omnichannel_sessions o WHERE o.id = p_session;
    IF p_metadata ? 'list' THEN
        RETURN (SELECT m.metadata -> 'options' ->> (choice - 1) FROM message_delivery_log m
                 WHERE m.id = (p_metadata ->> 'list')::uuid AND m.profile_id = s.profile_id);
    END IF;
    SELECT m.metadata -> 'options' INTO options
      FROM message_delivery_log m
     WHERE m.profile_id = s.profile_id AND m.direction = 'outbound' AND m.metadata ? 'options'
       AND m.created_at > clock_timestamp() - interval '7 days' AND m.status <> 'suppressed'
       AND (m.session_id = p_session OR NOT s.starts_afresh)
       AND (SELECT count(DISTINCT l.group_id) FROM message_delivery_log l
             WHERE l.session_id IN (m.session_id, p_session) AND l.seq > m.seq AND l.direction = 'outbound'
               AND l.message_type IN ('reply', 'tool', 'operator', 'follow_up') AND l.group_id <> m.group_id) <= 3
     ORDER BY m.seq DESC LIMIT 1;
    -- A tapped title speaks for itself, if it is one of these.
    RETURN CASE WHEN options ? p_content THEN p_content
                WHEN NOT p_metadata ? 'tapped' AND p_content ~ '[0-9]' AND length(p_content) < 24 THEN options ->> (choice - 1) END;
END $$;
ALTER FUNCTION message_option(uuid, jsonb, text) OWNER TO omni_owner;
REVOKE ALL ON FUNCTION message_option(uuid, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION message_option(uuid, jsonb, text) TO omni_app;
