-- Who may see and do what. Row-level security is on and forced everywhere, so that even the owner needs its policy.

DO $$
DECLARE
    t regclass;
    f regprocedure;
BEGIN
    FOREACH t IN ARRAY ARRAY['profiles', 'contact_addresses', 'call_summaries', 'call_triggers', 'omnichannel_sessions',
        'conversation_threads', 'message_delivery_log', 'delivery_attempts', 'delivery_arrows', 'status_events',
        'inbound_poison', 'provider_circuit', 'agents', 'turns', 'job_heartbeat']::regclass[]
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO omni_owner', t);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner_all ON %s TO omni_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY app_all ON %s TO omni_app USING (true) WITH CHECK (true)', t);
        EXECUTE format('REVOKE ALL ON %s FROM PUBLIC', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO omni_app', t);
    END LOOP;
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
              WHERE p.pronamespace = 'public'::regnamespace
                AND p.proname IN ('uuid_v7', 'set_updated_at', 'current_profile_id', 'delivery_referee', 'session_open',
                    'thread_touch', 'get_or_create_omnichannel_session', 'update_omnichannel_session_status',
                    'get_or_create_session', 'update_session_status', 'check_whatsapp_available', 'log_message_delivery',
                    'person_find_or_create', 'messages_enqueue', 'record_inbound_message', 'record_inbound_poison',
                    'claim_outbound', 'delivery_backoff', 'delivery_rank', 'person_refuses', 'messages_went_out',
                    'apply_status_events', 'finish_outbound', 'record_status_events', 'sweep_outbound', 'provider_gate', 'provider_unprobe', 'provider_result',
                    'fallback_choice', 'messages_fall_back', 'replay_dead', 'claim_turns', 'renew_turns', 'finish_turn', 'record_call',
                    'notify_call')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO omni_owner', f);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO omni_app', f);
    END LOOP;
END $$;

-- Evidence is only added to; what a program may delete is what it keeps for a while on purpose.
REVOKE UPDATE ON delivery_arrows, inbound_poison FROM omni_app;
REVOKE INSERT ON delivery_arrows FROM omni_app;
GRANT DELETE ON call_triggers TO omni_app;

-- An end user sees his own rows and changes nothing.
GRANT EXECUTE ON FUNCTION current_profile_id() TO omni_user;
GRANT SELECT ON profiles, contact_addresses, call_summaries, omnichannel_sessions, conversation_threads,
    message_delivery_log TO omni_user;
CREATE POLICY own_row ON profiles FOR SELECT TO omni_user USING (user_id = (SELECT current_profile_id()));
CREATE POLICY own_rows ON contact_addresses FOR SELECT TO omni_user USING (profile_id = (SELECT current_profile_id()));
CREATE POLICY own_rows ON call_summaries FOR SELECT TO omni_user USING (profile_id = (SELECT current_profile_id()));
CREATE POLICY own_rows ON omnichannel_sessions FOR SELECT TO omni_user USING (profile_id = (SELECT current_profile_id()));
CREATE POLICY own_rows ON conversation_threads FOR SELECT TO omni_user USING (profile_id = (SELECT current_profile_id()));
CREATE POLICY own_rows ON message_delivery_log FOR SELECT TO omni_user USING (profile_id = (SELECT current_profile_id()));

-- The dashboard reads through views, and the columns that name a person or hold a text are not even granted.
GRANT SELECT (id, session_id, profile_id, channel, direction, message_type, provider, status, error_code, retry_count,
    possible_duplicate, dead_reason, segments, cost_rwf, next_attempt_at, created_at, sent_at, delivered_at, read_at, failed_at)
    ON message_delivery_log TO omni_reader;
GRANT SELECT (id, profile_id, primary_channel, active_channels, status, started_at, updated_at, closed_at, expires_at,
    needs_human, turn_due_at) ON omnichannel_sessions TO omni_reader;
CREATE POLICY reader_all ON message_delivery_log FOR SELECT TO omni_reader USING (true);
CREATE POLICY reader_all ON omnichannel_sessions FOR SELECT TO omni_reader USING (true);

CREATE VIEW delivery_rates_24h WITH (security_invoker = true) AS
    SELECT channel, status, count(*) AS count,
           round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY channel), 2) AS success_rate -- share of its channel's messages
      FROM message_delivery_log
     WHERE direction = 'outbound' AND created_at > now() - interval '24 hours'
     GROUP BY channel, status;

CREATE VIEW active_sessions_24h WITH (security_invoker = true) AS
    SELECT count(*) AS active_sessions
      FROM omnichannel_sessions
     WHERE status IN ('active', 'follow_up') AND updated_at > now() - interval '24 hours';

-- The five states that older dashboards know.
CREATE VIEW message_delivery_simple WITH (security_invoker = true) AS
    SELECT id, session_id, profile_id, channel, direction, message_type, provider,
           CASE WHEN status IN ('sending', 'unknown') THEN 'pending'
                WHEN status IN ('dead', 'undelivered', 'suppressed') THEN 'failed' ELSE status END AS status,
           retry_count, segments, cost_rwf, created_at, sent_at, delivered_at, read_at, failed_at
      FROM message_delivery_log;

DO $$
DECLARE
    v text;
BEGIN
    ALTER VIEW person_reach OWNER TO omni_owner;
    GRANT SELECT ON person_reach TO omni_app;
    FOREACH v IN ARRAY ARRAY['delivery_rates_24h', 'active_sessions_24h', 'message_delivery_simple'] LOOP
        EXECUTE format('ALTER VIEW %I OWNER TO omni_owner', v);
        EXECUTE format('GRANT SELECT ON %I TO omni_reader, omni_app', v);
    END LOOP;
END $$;

-- Nothing of ours waits for ever on a lock or idles in a transaction.
DO $$
BEGIN
    ALTER ROLE omni_app SET lock_timeout = '2s';
    ALTER ROLE omni_app SET statement_timeout = '10s';
    ALTER ROLE omni_app SET idle_in_transaction_session_timeout = '15s';
    ALTER ROLE omni_reader SET statement_timeout = '15s';
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'time limits of omni_app and omni_reader: not allowed to set them, do it as a superuser';
END $$;
