-- Intents and languages as people and models spell them, and what is made of them.

-- 1. Intents ---------------------------------------------------------------------------------------------------------

-- As a reader takes an intent: "Real Estate", "real-estate" and real_estate are one.
CREATE FUNCTION intent_key(p_intent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT regexp_replace(lower(btrim(p_intent)), '[[:space:]_-]+', '_', 'g')
$$;

CREATE FUNCTION intent_leads_to(a agents, p_intent text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM unnest(a.intents) AS i WHERE intent_key(i) = intent_key(p_intent))
$$;

-- As before, with intents in any spelling: another spelling is no other intent.
CREATE OR REPLACE FUNCTION session_reroute() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.last_agent_id IS NOT DISTINCT FROM OLD.last_agent_id
       AND intent_key(NEW.last_intent) IS DISTINCT FROM intent_key(OLD.last_intent)
       AND EXISTS (SELECT 1 FROM agents a WHERE intent_leads_to(a, NEW.last_intent)) THEN
        NEW.last_agent_id := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION agent_for(p_last_agent text, p_intent text) RETURNS agents
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT a FROM agents a
     CROSS JOIN LATERAL (SELECT intent_leads_to(a, p_intent) AS fits) AS i
     WHERE a.slug = p_last_agent OR i.fits OR a.is_default
     ORDER BY (a.slug IS NOT DISTINCT FROM p_last_agent) DESC, i.fits DESC, a.slug
     LIMIT 1
$$;

-- 2. Languages -------------------------------------------------------------------------------------------------------

-- The code of a language as people and models name it, like core/channel.c; NULL if it is none of ours.
CREATE FUNCTION language_code(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN w IN ('rw', 'kin', 'kinyarwanda', 'ikinyarwanda', 'rwandan', 'rwanda') THEN 'rw'
        WHEN w IN ('en', 'eng', 'english') THEN 'en'
        WHEN w IN ('fr', 'fra', 'fre', 'french', 'francais', 'français', 'igifaransa') THEN 'fr'
        WHEN w IN ('sw', 'swa', 'swh', 'swahili', 'kiswahili', 'igiswahili') THEN 'sw' END
      FROM (SELECT substring(lower(p_text) FROM '^ *([^ _,/;-]+)') AS w) AS t
$$;

-- What somebody has last shown to speak is spoken to them from now on; what is no language of ours changes nothing.
CREATE FUNCTION person_speaks(p_profile uuid, p_language text) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    UPDATE profiles p SET preferred_language = language_code(p_language)
     WHERE p.user_id = p_profile AND language_code(p_language) <> coalesce(p.preferred_language, '')
$$;

-- As before, and besides: the language of what was made of a call's transcript is its person's, if nobody had said which it was; what
-- was made of an earlier transcript gives way to it, and stays if nothing is made.
CREATE OR REPLACE FUNCTION finish_transcript(p_call uuid, p_token bigint, p_bullets jsonb, p_next_actions jsonb, p_language text, p_retry_s float8)
RETURNS text LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    c     call_summaries;
    found text := 'none';
BEGIN
    SELECT * INTO c FROM call_summaries s WHERE s.id = p_call FOR NO KEY UPDATE;
    IF c.id IS NULL OR c.summarise_token <> p_token OR c.summarise_lease_until IS NULL THEN
        RETURN 'lost';
    END IF;
    IF call_has_text(c) AND NOT c.text_made THEN
        found := 'late';
    ELSIF jsonb_array_length(p_bullets) > 0 THEN
        found := 'made';
    ELSIF p_retry_s IS NOT NULL THEN
        found := 'again';
    END IF;
    UPDATE call_summaries s SET summarise_lease_until = NULL, summarise_lease_owner = NULL,
        summarise_due_at = CASE found WHEN 'again' THEN clock_timestamp() + p_retry_s * interval '1 second' END,
        bullets = CASE found WHEN 'made' THEN p_bullets ELSE s.bullets END,
        text_made = s.text_made OR found = 'made',
        next_actions = CASE WHEN found = 'made' AND coalesce(jsonb_array_length(s.next_actions), 0) = 0 THEN p_next_actions ELSE s.next_actions END,
        language = CASE found WHEN 'made' THEN coalesce(s.language, p_language) ELSE s.language END,
        notify_due_at = CASE WHEN (found = 'made' OR (found = 'none' AND c.text_made)) AND s.notified_at IS NULL AND s.end_seen_at IS NOT NULL THEN clock_timestamp() ELSE s.notify_due_at END
     WHERE s.id = p_call;
    IF found = 'made' AND c.language IS NULL THEN
        PERFORM person_speaks(c.profile_id, p_language);
    END IF;
    PERFORM call_retell(p_call);
    RETURN found;
END $$;

-- Merges what an agent has noted; p_status NULL leaves the status. was: the status before, NULL when there is no such
-- conversation. A closed one takes notes, but is not opened again. The language that an agent notes is the person's from now on.
CREATE OR REPLACE FUNCTION session_note(p_session uuid, p_status text, p_context jsonb)
RETURNS TABLE (was text, status text, ignored text[])
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM person_speaks(s.profile_id, p_context ->> 'language') FROM omnichannel_sessions s -- people first; not what is refused
      WHERE s.id = p_session AND (s.status <> 'closed' OR coalesce(p_status, 'closed') = 'closed');
    SELECT s.status INTO was FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    ignored := context_ignored(coalesce(p_context, '{}'));
    status := CASE WHEN was = 'closed' THEN was ELSE coalesce(p_status, was) END;
    IF p_status <> status THEN -- refused as a whole
        RETURN NEXT;
        RETURN;
    END IF;
    UPDATE omnichannel_sessions s SET
        status = session_note.status,
        closed_at = CASE WHEN session_note.status = 'closed' THEN coalesce(s.closed_at, clock_timestamp()) END,
        context = s.context || context_clean(coalesce(p_context, '{}'))
     WHERE s.id = p_session;
    RETURN NEXT;
END $$;

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('intent_key', 'intent_leads_to', 'language_code', 'person_speaks')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
