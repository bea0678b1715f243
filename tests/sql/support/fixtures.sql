-- Short names for what nearly every test needs: a person, a conversation, a message, an outcome, a report, a call.
-- In a schema of their own, so that the tests of public find only the product there.

CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO PUBLIC;

CREATE FUNCTION t.person(phone text) RETURNS uuid LANGUAGE sql AS $$
    SELECT person_find_or_create(phone, NULL, NULL, NULL, NULL)
$$;

-- A person nobody has seen yet, with a conversation; returns the conversation.
CREATE SEQUENCE t.numbers START 790000000; -- numbers that no test writes out
GRANT USAGE ON SEQUENCE t.numbers TO PUBLIC;
CREATE FUNCTION t.session() RETURNS uuid LANGUAGE sql AS $$
    SELECT get_or_create_omnichannel_session(t.person('+250' || nextval('t.numbers')), 'sms')
$$;

CREATE FUNCTION t.profile_of(session uuid) RETURNS uuid LANGUAGE sql AS $$
    SELECT profile_id FROM omnichannel_sessions WHERE id = session
$$;

-- One outbound row as the programs hand it over; facts: whatever shall differ from a plain SMS.
CREATE FUNCTION t.outbound(facts jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', uuid_v7(), 'channel', 'sms', 'provider', 'mtn', 'message_type', 'reply', 'content', 'text',
        'recipient_phone', '+250780000001', 'idem_key', 'test:' || uuid_v7(), 'group_id', uuid_v7(), 'expires_in_s', 900) || facts
$$;

CREATE FUNCTION t.enqueue(session uuid, facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT messages_enqueue(session, jsonb_build_array(t.outbound(facts)))
$$;

-- A row of a new person that is in flight: enqueued and claimed, its fence is 1.
CREATE FUNCTION t.in_flight(facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    message uuid := t.enqueue(t.session(), facts);
BEGIN
    PERFORM claim_outbound(coalesce(facts ->> 'provider', 'mtn'), 'w', 1, 90, ARRAY[message]);
    RETURN message;
END $$;

CREATE FUNCTION t.message(message uuid) RETURNS message_delivery_log LANGUAGE sql AS $$
    SELECT * FROM message_delivery_log WHERE id = message
$$;

CREATE FUNCTION t.status(message uuid) RETURNS text LANGUAGE sql AS $$
    SELECT status FROM message_delivery_log WHERE id = message
$$;

CREATE FUNCTION t.finish(message uuid, fence bigint, outcome text, facts jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT status FROM finish_outbound(
        jsonb_build_array(jsonb_build_object('id', message, 'fence', fence, 'outcome', outcome) || facts), 90, 1)
$$;

-- Reports one status: by the gateway's id, by our own reference, or both.
CREATE FUNCTION t.report(external_id text, our_ref uuid, status text, provider text DEFAULT 'mtn', at text DEFAULT NULL)
RETURNS int LANGUAGE sql AS $$
    SELECT moved FROM record_status_events(provider, jsonb_build_array(jsonb_build_object(
        'external_id', external_id, 'our_ref', our_ref, 'status', status, 'at', at)))
$$;

-- The person waits no longer: what is leased or scheduled is due now.
CREATE FUNCTION t.lease_over(message uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE message_delivery_log SET lease_until = clock_timestamp() - interval '1 second' WHERE id = message
$$;
CREATE FUNCTION t.due_now(message uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE message_delivery_log SET next_attempt_at = clock_timestamp() WHERE id = message AND next_attempt_at IS NOT NULL
$$;
CREATE FUNCTION t.claim(message uuid) RETURNS bigint LANGUAGE sql AS $$
    SELECT t.due_now(message);
    SELECT lease_token FROM claim_outbound((SELECT provider FROM message_delivery_log WHERE id = message), 'w', 1, 90, ARRAY[message])
$$;

-- One message of a person; facts: external_id, channel, content, wa_id, bsuid, name, at, keyword, answer, turn, quiet_ms, provider.
CREATE FUNCTION t.inbound(phone text, facts jsonb DEFAULT '{}',
    OUT outcome text, OUT message_id uuid, OUT session_id uuid, OUT profile_id uuid, OUT session_created boolean,
    OUT consent_changed boolean)
LANGUAGE sql AS $$
    SELECT * FROM record_inbound_message(
        coalesce(facts ->> 'channel', 'sms'),
        coalesce(facts ->> 'provider', CASE facts ->> 'channel' WHEN 'whatsapp' THEN 'meta' ELSE 'mtn' END),
        coalesce(facts ->> 'external_id', uuid_v7()::text), phone, facts ->> 'wa_id', facts ->> 'bsuid', facts ->> 'name',
        coalesce(facts ->> 'content', 'hello'), coalesce((facts ->> 'at')::timestamptz, clock_timestamp()), '{}',
        coalesce(facts ->> 'keyword', ''), nullif(facts -> 'answer', 'null'), coalesce((facts ->> 'turn')::boolean, true),
        coalesce((facts ->> 'quiet_ms')::int, 0), ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;

-- What is known of a call; facts: sip, channel, summary, bullets, intent, language, started, ended_at, answered, ended, wait_s.
CREATE FUNCTION t.call(call_id text, phone text, facts jsonb DEFAULT '{}',
    OUT id uuid, OUT call text, OUT profile_id uuid, OUT session_id uuid, OUT created boolean, OUT session_created boolean)
LANGUAGE sql AS $$
    SELECT * FROM record_call(call_id, facts ->> 'sip', phone, facts ->> 'channel', facts ->> 'summary', facts -> 'bullets',
        facts -> 'next_actions', facts ->> 'transcript', facts ->> 'intent', facts ->> 'language',
        (facts ->> 'started')::timestamptz, (facts ->> 'ended_at')::timestamptz, (facts ->> 'answered')::boolean,
        coalesce((facts ->> 'ended')::boolean, false), coalesce((facts ->> 'wait_s')::int, 6),
        ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;

-- The turn of this conversation, claimed.
CREATE FUNCTION t.turn(session uuid,
    OUT turn_id uuid, OUT token bigint, OUT upto bigint, OUT attempt int) RETURNS SETOF record
LANGUAGE sql AS $$
    SELECT c.turn_id, c.token, c.upto, c.attempt FROM claim_turns('w', 100, 60) AS c WHERE c.session_id = session
$$;

-- The circuit breaker stays out of what is not about it: always closed, with room for all, unless a test sets t.breaker to 'on'.
CREATE FUNCTION t.closed_circuit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('t.breaker', true) IS DISTINCT FROM 'on' THEN
        NEW.state := 'closed';
        NEW.open_until := NULL;
        NEW.not_before := NULL;
        NEW.max_inflight := 1000000;
        NEW.failures := 0;
        NEW.good_at := 'infinity';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER closed_circuit BEFORE INSERT OR UPDATE ON provider_circuit FOR EACH ROW EXECUTE FUNCTION t.closed_circuit();
INSERT INTO provider_circuit (provider) VALUES ('mtn'), ('meta'), ('kannel');
