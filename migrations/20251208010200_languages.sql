-- Which agent an intent leads to, however it is spelled.

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

DO $$
DECLARE
    f regprocedure;
BEGIN
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('intent_key', 'intent_leads_to')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;
