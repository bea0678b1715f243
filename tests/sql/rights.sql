-- Who may see and do what: the programs, the dashboard, an end user, and everybody else.
SET client_min_messages = warning;
SELECT plan(94);

-- What a statement gives to this role: its first value, or the error's SQLSTATE. claims: those of the signed token.
CREATE FUNCTION t.as_role(who text, statement text, claims text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('role', who, true), set_config('request.jwt.claims', coalesce(claims, ''), true);
    EXECUTE statement INTO result;
    PERFORM set_config('role', 'none', true), set_config('request.jwt.claims', '', true);
    RETURN result;
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

CREATE VIEW t.relation AS
    SELECT c.oid, c.relname::text COLLATE "default" AS name, c.relkind AS kind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relowner
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
CREATE FUNCTION t.names(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    list text;
BEGIN
    EXECUTE 'SELECT string_agg(name, '' '' ORDER BY name) FROM t.relation WHERE ' || filter INTO list;
    RETURN list;
END $$;

-- Row security, owners, roles ------------------------------------------------------------------------------------------------

SELECT is(t.names('kind <> ''v'' AND NOT (relrowsecurity AND relforcerowsecurity)'), NULL, 'row security is on and forced on every table');
SELECT is((SELECT string_agg(tablename || '.' || policyname, ' ') FROM pg_policies WHERE schemaname = 'public' AND 'public' = ANY (roles)), NULL, 'no policy is for everybody');
SELECT is(t.names('kind <> ''v'' AND NOT EXISTS (SELECT 1 FROM pg_policies p WHERE p.tablename = name AND ''omni_owner'' = ANY (p.roles))'), NULL, 'the owner has a policy on every table');
SELECT is(t.names('kind = ''v'' AND NOT coalesce(''security_invoker=true'' = ANY (reloptions), false)'), NULL, 'every view looks with the eyes of its reader');
SELECT is(t.names('relowner <> ''omni_owner''::regrole'), NULL, 'everything is the owner''s');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'omni_owner'::regrole), NULL, '... the functions, too');
SELECT is((SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname IN ('omni_app', 'omni_reader', 'omni_user')
             AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)), NULL, 'no role that runs has powers over others');
SELECT is((SELECT count(*) FROM unnest(ARRAY['omni_app', 'omni_reader', 'omni_user']) AS r, unnest(ARRAY['omni_owner', 'omni_app', 'omni_reader', 'omni_user']) AS other
            WHERE r <> other AND pg_has_role(r, other, 'MEMBER')), 0::bigint, '... none may act as another');
SELECT ok(NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'omni_user'), 'nobody logs in as an end user');

-- Functions ---------------------------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
             AND (p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0))), NULL, 'no function is for everybody');
SELECT is((SELECT string_agg(p.proname, ' ') FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND NOT has_function_privilege('omni_app', p.oid, 'EXECUTE')), NULL,
    'the programs may call them all');
SELECT is((SELECT string_agg(p.proname, ' ') FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND has_function_privilege('omni_user', p.oid, 'EXECUTE')), 'current_profile_id',
    'an end user may ask who he or she is');
SELECT is((SELECT string_agg(p.proname, ' ') FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND has_function_privilege('omni_reader', p.oid, 'EXECUTE')), NULL,
    'the dashboard calls none');

-- Tables: the whole matrix ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION t.may(who text, target oid) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(string_agg(left(p, 1), '' ORDER BY n), '')
      FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) WITH ORDINALITY AS a (p, n)
     WHERE has_table_privilege(who, target, p)
$$;
SELECT results_eq($$SELECT t.may('omni_app', oid), string_agg(name, ' ' ORDER BY name) FROM t.relation WHERE kind = 'r' AND name NOT LIKE '%migration%' GROUP BY 1 ORDER BY 1$$,
    $$VALUES ('S', 'delivery_arrows tool_limits'), ('SI', 'inbound_poison'),
             ('SIU', 'agents call_actions call_summaries contact_addresses conversation_threads delivery_attempts job_heartbeat message_delivery_log omnichannel_sessions profiles provider_circuit status_events tool_calls turns'),
             ('SIUD', 'call_events call_triggers webhook_ids')$$, 'what the programs may do');
SELECT results_eq($$SELECT t.may('omni_user', oid), string_agg(name, ' ' ORDER BY name) FROM t.relation WHERE t.may('omni_user', oid) <> '' GROUP BY 1$$,
    $$VALUES ('S', 'call_summaries contact_addresses conversation_threads message_delivery_log omnichannel_sessions profiles')$$, 'what an end user may do');
SELECT results_eq($$SELECT t.may('omni_reader', oid), string_agg(name, ' ' ORDER BY name) FROM t.relation WHERE t.may('omni_reader', oid) <> '' GROUP BY 1$$,
    $$VALUES ('S', 'active_sessions_24h delivery_rates_24h message_delivery_simple sessions_needing_human')$$, 'what the dashboard may do as a whole');
CREATE ROLE t_stranger;
SELECT is((SELECT string_agg(name, ' ') FROM t.relation WHERE t.may('t_stranger', oid) <> ''), NULL, 'what anybody else may do: nothing');

-- The dashboard: columns -------------------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(c.name || '.' || a.attname, ' ') FROM t.relation c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.kind = 'r' AND has_column_privilege('omni_reader', c.oid, a.attnum, 'SELECT')
              AND (c.name NOT IN ('message_delivery_log', 'omnichannel_sessions') OR a.attname IN ('content', 'recipient_phone', 'metadata', 'external_message_id',
                   'error_message', 'idem_key', 'call_id', 'context', 'last_intent'))), NULL, 'the dashboard has no column that names a person or holds a text');
SELECT is((SELECT string_agg(c.name || '.' || a.attname, ' ') FROM t.relation c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE a.attnum > 0 AND c.kind = 'v' AND has_table_privilege('omni_reader', c.oid, 'SELECT')
              AND a.attname ~ 'content|phone|name|metadata|external|context|message$|jid|value'), NULL, '... nor do its views');

SELECT t.session() AS session \gset
SELECT t.profile_of(:'session') AS person \gset
SELECT t.session() AS other_session \gset
SELECT t.profile_of(:'other_session') AS other \gset
SELECT t.enqueue(:'session') AS message, t.enqueue(:'other_session') AS other_message \gset
SELECT phone_number AS phone FROM profiles WHERE user_id = :'person' \gset
SELECT 1 AS leave FROM t.inbound(:'phone'), t.call('c1', :'phone') AS c \gset
SELECT 1 AS leave FROM t.call('c2', (SELECT phone_number FROM profiles WHERE user_id = :'other')) \gset

SELECT is(t.as_role('omni_reader', 'SELECT ' || col || ' FROM message_delivery_log LIMIT 1'), '42501', 'the dashboard cannot read a message''s ' || col)
  FROM unnest(ARRAY['content', 'recipient_phone', 'metadata', 'external_message_id', 'idem_key', 'error_message', '*']) AS col;
SELECT is(t.as_role('omni_reader', 'SELECT 1 FROM ' || name || ' LIMIT 1'), '42501', 'the dashboard cannot read ' || name)
  FROM unnest(ARRAY['profiles', 'contact_addresses', 'call_summaries', 'conversation_threads', 'inbound_poison', 'status_events', 'delivery_attempts', 'agents', 'turns', 'person_reach']) AS name;
SELECT is(t.as_role('omni_reader', 'SELECT context FROM omnichannel_sessions LIMIT 1'), '42501', 'the dashboard cannot read a context');
SELECT is(t.as_role('omni_reader', 'SELECT count(*) FROM message_delivery_simple'), '3', 'the dashboard counts all messages');
SELECT is(t.as_role('omni_reader', 'SELECT sum(count) FROM delivery_rates_24h'), '2', '... and their rates');
SELECT is(t.as_role('omni_reader', 'SELECT active_sessions FROM active_sessions_24h'), '2', '... and conversations');
SELECT is(t.as_role('omni_reader', 'UPDATE message_delivery_log SET status = ''dead'''), '42501', '... and changes nothing');

-- An end user ---------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION t.claims(sub uuid) RETURNS text LANGUAGE sql AS $$ SELECT jsonb_build_object('sub', sub, 'role', 'authenticated')::text $$;
CREATE TABLE t.own AS SELECT * FROM (VALUES ('profiles', 'user_id'), ('contact_addresses', 'profile_id'), ('call_summaries', 'profile_id'),
    ('omnichannel_sessions', 'profile_id'), ('conversation_threads', 'profile_id'), ('message_delivery_log', 'profile_id')) AS v (name, col);
SELECT ok((SELECT t.as_role('omni_user', format('SELECT count(*) > 0 AND bool_and(%I = %L) FROM %I', col, :'person', name), t.claims(:'person'))::boolean), 'an end user sees own rows only: ' || name) FROM t.own;
SELECT is(t.as_role('omni_user', format('SELECT count(*) FROM %I', name)), '0', 'who is nobody sees nothing: ' || name) FROM t.own;
SELECT is(t.as_role('omni_user', format('SELECT count(*) FROM %I', name), t.claims(uuid_v7())), '0', 'who is somebody else sees nothing: ' || name) FROM t.own;
SELECT is(t.as_role('omni_user', 'SELECT count(*) FROM profiles', claims), '0', 'a token that names nobody is nobody''s: ' || claims) FROM unnest(ARRAY['{}', '{"role": "anon"}', '{"sub": null}']) AS claims;
SELECT is(t.as_role('omni_user', format('SELECT count(*) FROM message_delivery_log WHERE id = %L', :'other_message'), t.claims(:'person')), '0', 'another person''s message is not found by its id');
SELECT is(t.as_role('omni_user', statement, t.claims(:'person')), '42501', 'an end user changes nothing: ' || left(statement, 30))
  FROM unnest(ARRAY['UPDATE profiles SET display_name = ''x''', 'DELETE FROM message_delivery_log', 'INSERT INTO contact_addresses VALUES (''tel'', ''+250780000099'')',
                    'INSERT INTO profiles (phone_number) VALUES (''+250780000001'') ON CONFLICT (phone_number) DO UPDATE SET display_name = ''x'' RETURNING user_id',
                    'SELECT * FROM message_delivery_simple', 'SELECT * FROM person_reach', 'SELECT * FROM agents']) AS statement;
SELECT is(t.as_role('omni_user', 'SELECT get_or_create_session(current_profile_id(), ''sms'')', t.claims(:'person')), '42501', '... nor by a function');

-- Identity is the transaction's: two requests through one connection
SET ROLE omni_user;
BEGIN;
SELECT set_config('request.jwt.claims', jsonb_build_object('sub', :'person')::text, true) AS leave \gset
SELECT count(*) AS first FROM profiles \gset
COMMIT;
BEGIN;
SELECT count(*) AS second FROM profiles \gset
COMMIT;
RESET ROLE;
SELECT is(:first, 1, 'a request with an identity sees its person');
SELECT is(:second, 0, '... the next one on the same connection, without, sees nobody');

-- A stranger to whom somebody granted everything
GRANT USAGE ON SCHEMA public TO t_stranger;
GRANT ALL ON ALL TABLES IN SCHEMA public TO t_stranger;
SELECT is((SELECT string_agg(name, ' ') FROM t.relation WHERE kind = 'r' AND t.as_role('t_stranger', format('SELECT count(*) FROM %I', name)) <> '0'), NULL,
    'privileges without a policy show no row of any table');
SELECT is(t.as_role('t_stranger', 'INSERT INTO profiles (phone_number) VALUES (''+250780000098'')'), '42501', '... and write none');
SELECT is(t.as_role('t_stranger', 'SELECT count(*) FROM delivery_rates_24h'), '0', '... also through a view');

-- The programs --------------------------------------------------------------------------------------------------------------------------------

SELECT is(t.as_role('omni_app', statement), '42501', 'the programs cannot: ' || statement)
  FROM unnest(ARRAY['DELETE FROM message_delivery_log', 'TRUNCATE message_delivery_log', 'DELETE FROM status_events', 'DELETE FROM delivery_attempts',
                    'DELETE FROM profiles', 'UPDATE delivery_arrows SET to_status = ''pending''', 'INSERT INTO delivery_arrows VALUES (''read'', ''pending'')',
                    'DELETE FROM delivery_arrows', 'UPDATE inbound_poison SET body = ''''', 'DELETE FROM inbound_poison',
                    'ALTER TABLE message_delivery_log DISABLE TRIGGER ALL', 'ALTER TABLE message_delivery_log DISABLE ROW LEVEL SECURITY',
                    'SET session_replication_role = replica', 'CREATE TABLE public.mine (i int)']) AS statement;
SELECT is(t.as_role('omni_app', 'SELECT count(*) FROM profiles'), '2', 'the programs see everybody');
-- (The rights on a database itself are not copied with it: asked of the one that was migrated.)
SELECT is((SELECT string_agg(r, ' ') FROM unnest(ARRAY['omni_app', 'omni_reader', 'omni_user']) AS r
            WHERE has_database_privilege(r, 'omni_template', 'TEMP') OR has_database_privilege(r, 'omni_template', 'CREATE') OR has_schema_privilege(r, 'public', 'CREATE')),
    NULL, 'no role that runs makes tables, not even temporary ones');
SELECT is(t.as_role('omni_owner', 'SELECT count(*) FROM profiles'), '2', 'the owner sees everybody, by a policy');

-- Time limits -----------------------------------------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(format('%s %s', r.rolname, c), ', ' ORDER BY r.rolname, c)
             FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS c WHERE r.rolname IN ('omni_app', 'omni_reader')),
    'omni_app idle_in_transaction_session_timeout=15s, omni_app lock_timeout=2s, omni_app statement_timeout=10s, omni_reader statement_timeout=15s',
    'no role of ours waits for ever');

DROP OWNED BY t_stranger;
DROP ROLE t_stranger;
SELECT * FROM finish();
