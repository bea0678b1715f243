-- Messaging after calls: the tables, what must always hold in them, who may see what, and the helper functions that
-- outside systems call by name. The functions of the hot paths follow in files of their own.
--
-- Lands on an empty database and on one that has profiles and call_summaries with rows: numbers become E.164, two rows
-- of one person become one, nothing is thrown away.

-- 1. Roles -----------------------------------------------------------------------------------------------------------
-- omni_owner owns and migrates, omni_app is the programs, omni_reader the dashboard, omni_user an end user who sees his
-- own rows. Logins and passwords are the operator's business.

DO $$
DECLARE
    missing text[] := ARRAY(SELECT r FROM unnest(ARRAY['omni_owner', 'omni_app', 'omni_reader', 'omni_user']) AS r
                             WHERE r NOT IN (SELECT rolname FROM pg_roles));
    r       text;
BEGIN
    FOREACH r IN ARRAY missing LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', r);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing and % may not create roles', r, current_user
                    USING HINT = 'As a superuser, then migrate again: '
                        || (SELECT string_agg(format('CREATE ROLE %I NOLOGIN;', m), ' ') FROM unnest(missing) AS m);
            WHEN duplicate_object THEN NULL; -- made meanwhile by the migration of another database
        END;
    END LOOP;
    -- Whoever migrates must be able to hand its tables to omni_owner.
    IF NOT pg_has_role(current_user, 'omni_owner', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT omni_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION '% is not a member of omni_owner and may not make itself one', current_user
                USING HINT = format('As a superuser, then migrate again: GRANT omni_owner TO %I;', current_user);
        END;
    END IF;
    -- Supabase's role for signed-in people, where it exists, sees what an end user sees.
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'authenticated')
       AND NOT pg_has_role('authenticated', 'omni_user', 'MEMBER') THEN
        EXECUTE 'GRANT omni_user TO authenticated';
    END IF;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO omni_owner;
GRANT USAGE ON SCHEMA public TO omni_app, omni_reader, omni_user;
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'not the owner of this database: its TEMPORARY privilege stays as it is';
END $$;

-- 2. Small helpers ---------------------------------------------------------------------------------------------------

-- UUID version 7 for rows that the database makes itself; the programs make theirs in C.
CREATE FUNCTION uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid
$$;

CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

-- The person an end user's connection speaks for: the subject of the signed token that the front door put in this
-- transaction's settings. NULL when there is none, and then no row is visible.
CREATE FUNCTION current_profile_id() RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;

-- 3. People ----------------------------------------------------------------------------------------------------------

ALTER TABLE profiles
    ALTER COLUMN user_id SET DEFAULT uuid_v7(),
    ALTER COLUMN phone_number DROP NOT NULL,
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN IF NOT EXISTS display_name text,
    ADD COLUMN IF NOT EXISTS preferred_language text,
    ADD COLUMN IF NOT EXISTS whatsapp_jid text,          -- wa_id: digits without '+'
    ADD COLUMN IF NOT EXISTS has_whatsapp boolean,       -- NULL: no evidence
    ADD COLUMN IF NOT EXISTS has_whatsapp_at timestamptz, -- when that evidence came
    ADD COLUMN IF NOT EXISTS wa_window_until timestamptz,
    ADD COLUMN IF NOT EXISTS allows_sms boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS allows_whatsapp boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS last_active_channel text,
    ADD COLUMN IF NOT EXISTS notification_preferences jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS unreadable_phone text,      -- what stood in phone_number and is no number
    ADD COLUMN IF NOT EXISTS merged_into uuid;

CREATE TABLE contact_addresses (
    kind        text NOT NULL CHECK (kind IN ('tel', 'wa', 'bsuid')),
    value       text NOT NULL CHECK (value <> ''),
    profile_id  uuid NOT NULL REFERENCES profiles (user_id),
    verified_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, value)
);
CREATE INDEX contact_addresses_profile ON contact_addresses (profile_id);

-- Numbers as people typed them over the years become E.164; what is no number moves aside. (The programs normalise
-- with core/phone.c; this is the same rule for rows that are already here, needed once.)
CREATE FUNCTION pg_temp.e164(raw text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN n ~ '^(\+|00)?250(7[23789][0-9]{7}|2[23568][0-9]{7}|[89]00[0-9]{6}|06[0-9]{6})$'
            THEN '+250' || regexp_replace(n, '^(\+|00)?250', '')
        WHEN n ~ '^0?7[23789][0-9]{7}$' THEN '+250' || regexp_replace(n, '^0', '')
        WHEN n ~ '^06[0-9]{6}$' THEN '+250' || n
        WHEN n ~ '^(\+|00)250' THEN NULL
        WHEN n ~ '^(\+|00)[1-9][0-9]{6,14}$' THEN '+' || regexp_replace(n, '^(\+|00)', '')
    END
    FROM (SELECT regexp_replace(raw, '[[:space:]().-]', '', 'g') AS n) AS stripped
$$;

DO $$
DECLARE
    twin  record;
    ref   record;
    stays boolean;
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE; -- a table with checks still to come could not be altered
    CREATE TEMP TABLE person ON COMMIT DROP AS
        SELECT user_id, phone_number AS raw, pg_temp.e164(phone_number) AS e164,
               first_value(user_id) OVER (PARTITION BY coalesce(pg_temp.e164(phone_number), user_id::text)
                                          ORDER BY created_at, ctid) AS keep
          FROM profiles;
    -- Two rows of one person become one: the older stays, everything that pointed at the other points at it. Where that cannot
    -- be, because both have a row of a kind that one person has once, the other stays too, without its number, and says who it is.
    FOR twin IN SELECT user_id AS gone, keep FROM person WHERE user_id <> keep LOOP
        stays := false;
        FOR ref IN
            SELECT c.conrelid::regclass AS child, a.attname AS col
              FROM pg_constraint c
              JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
              JOIN pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1] AND k.attname = 'user_id'
             WHERE c.contype = 'f' AND c.confrelid = 'profiles'::regclass AND cardinality(c.conkey) = 1
        LOOP
            BEGIN
                EXECUTE format('UPDATE %s SET %I = $1 WHERE %I = $2', ref.child, ref.col, ref.col)
                    USING twin.keep, twin.gone;
            EXCEPTION WHEN unique_violation THEN
                stays := true;
            END;
        END LOOP;
        IF stays THEN
            UPDATE profiles SET merged_into = twin.keep, phone_number = NULL WHERE user_id = twin.gone;
        ELSE
            DELETE FROM profiles WHERE user_id = twin.gone;
        END IF;
    END LOOP;
    UPDATE profiles p
       SET phone_number = s.e164,
           unreadable_phone = CASE WHEN s.e164 IS NULL THEN s.raw END
      FROM person s
     WHERE s.user_id = p.user_id AND s.user_id = s.keep AND s.raw IS NOT NULL AND p.phone_number IS DISTINCT FROM s.e164;
    INSERT INTO contact_addresses (kind, value, profile_id)
        SELECT 'tel', phone_number, user_id FROM profiles WHERE phone_number IS NOT NULL;
    DROP TABLE person;
END $$;

ALTER TABLE profiles
    ADD CONSTRAINT profiles_phone_e164 CHECK (phone_number ~ '^\+[1-9][0-9]{6,14}$'),
    ADD CONSTRAINT profiles_channel CHECK (last_active_channel IN ('voice', 'whatsapp', 'sms')) NOT VALID,
    ADD CONSTRAINT profiles_merged FOREIGN KEY (merged_into) REFERENCES profiles (user_id);
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = 'profiles'::regclass AND i.indisunique AND i.indnkeyatts = 1
                      AND i.indpred IS NULL AND a.attname = 'phone_number') THEN
        ALTER TABLE profiles ADD CONSTRAINT profiles_phone_number_key UNIQUE (phone_number);
    END IF;
END $$;
-- "WhatsApp does not reach them" is believed for thirty days.
CREATE INDEX profiles_without_whatsapp ON profiles (has_whatsapp_at) WHERE has_whatsapp = false;
CREATE TRIGGER profiles_updated_at BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- 4. Conversations ---------------------------------------------------------------------------------------------------

CREATE TABLE omnichannel_sessions (
    id                    uuid PRIMARY KEY DEFAULT uuid_v7(),
    profile_id            uuid NOT NULL REFERENCES profiles (user_id),
    call_id               text,
    primary_channel       text NOT NULL CHECK (primary_channel IN ('voice', 'whatsapp', 'sms')),
    active_channels       text[] NOT NULL DEFAULT '{}' CHECK (active_channels <@ ARRAY['voice', 'whatsapp', 'sms']),
    last_agent_id         text,
    last_intent           text,
    status                text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'follow_up', 'closed')),
    started_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at             timestamptz,
    expires_at            timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
    context               jsonb NOT NULL DEFAULT '{}'
                          CHECK (jsonb_typeof(context) = 'object' AND octet_length(context::text) <= 32768),
    summary_sent_whatsapp boolean NOT NULL DEFAULT false,
    summary_sent_sms      boolean NOT NULL DEFAULT false,
    -- The agent's turn: due when somebody waits for an answer; the lease names its worker, the token fences off a late one.
    turn_due_at           timestamptz,
    turn_token            bigint NOT NULL DEFAULT 0,
    turn_lease_owner      text,
    turn_lease_until      timestamptz,
    turn_upto             bigint,
    turn_attempts         int NOT NULL DEFAULT 0,
    last_fallback_at      timestamptz,
    needs_human           boolean NOT NULL DEFAULT false,
    CHECK ((status = 'closed') = (closed_at IS NOT NULL))
) WITH (fillfactor = 70);
-- The line that makes "one conversation" true.
CREATE UNIQUE INDEX one_open_session ON omnichannel_sessions (profile_id) WHERE status IN ('active', 'follow_up');
CREATE INDEX sessions_by_profile ON omnichannel_sessions (profile_id, started_at);
CREATE INDEX sessions_turn_due ON omnichannel_sessions (turn_due_at) WHERE turn_due_at IS NOT NULL;
CREATE TRIGGER sessions_updated_at BEFORE UPDATE ON omnichannel_sessions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE conversation_threads (
    id              uuid PRIMARY KEY DEFAULT uuid_v7(),
    session_id      uuid NOT NULL REFERENCES omnichannel_sessions (id),
    profile_id      uuid NOT NULL REFERENCES profiles (user_id),
    parent_call_id  text,
    channel         text NOT NULL CHECK (channel IN ('voice', 'whatsapp', 'sms')),
    message_count   int NOT NULL DEFAULT 0,
    last_message_at timestamptz,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    thread_context  jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (session_id, channel)
) WITH (fillfactor = 70);
CREATE INDEX threads_by_profile ON conversation_threads (profile_id);
CREATE TRIGGER threads_updated_at BEFORE UPDATE ON conversation_threads
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- 5. Calls -----------------------------------------------------------------------------------------------------------

DO $$
DECLARE
    ref record;
BEGIN
    -- A call is named by its provider's id, which is text; an older column may be a uuid tied to another table.
    IF (SELECT atttypid <> 'text'::regtype FROM pg_attribute
         WHERE attrelid = 'call_summaries'::regclass AND attname = 'call_id') THEN
        FOR ref IN SELECT c.conname FROM pg_constraint c
                     JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
                    WHERE c.contype = 'f' AND c.conrelid = 'call_summaries'::regclass AND a.attname = 'call_id' LOOP
            EXECUTE format('ALTER TABLE call_summaries DROP CONSTRAINT %I', ref.conname);
        END LOOP;
        ALTER TABLE call_summaries ALTER COLUMN call_id DROP DEFAULT, ALTER COLUMN call_id TYPE text USING call_id::text;
    END IF;
    -- Rows without a call id, and all but the last row of a call, are told apart by their own id.
    UPDATE call_summaries SET id = uuid_v7() WHERE id IS NULL;
    UPDATE call_summaries SET call_id = 'row:' || id WHERE call_id IS NULL;
    UPDATE call_summaries c SET call_id = c.call_id || ':' || c.id
      FROM (SELECT ctid AS row, row_number() OVER (PARTITION BY call_id ORDER BY ctid DESC) AS n FROM call_summaries) d
     WHERE d.row = c.ctid AND d.n > 1;
    IF NOT EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = 'call_summaries'::regclass AND i.indisunique AND i.indnkeyatts = 1
                      AND i.indpred IS NULL AND a.attname = 'id') THEN
        CREATE UNIQUE INDEX call_summaries_id ON call_summaries (id);
    END IF;
END $$;

ALTER TABLE call_summaries
    ALTER COLUMN id SET DEFAULT uuid_v7(),
    ALTER COLUMN call_id SET NOT NULL,
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN IF NOT EXISTS sip_call_id text,
    ADD COLUMN IF NOT EXISTS profile_id uuid,
    ADD COLUMN IF NOT EXISTS session_id uuid,
    ADD COLUMN IF NOT EXISTS phone_number text,
    ADD COLUMN IF NOT EXISTS channel text,
    ADD COLUMN IF NOT EXISTS status text NOT NULL DEFAULT 'ended',
    ADD COLUMN IF NOT EXISTS started_at timestamptz,
    ADD COLUMN IF NOT EXISTS answered_at timestamptz,
    ADD COLUMN IF NOT EXISTS ended_at timestamptz,
    ADD COLUMN IF NOT EXISTS end_seen_at timestamptz,
    ADD COLUMN IF NOT EXISTS duration_seconds int,
    ADD COLUMN IF NOT EXISTS bullets jsonb,
    ADD COLUMN IF NOT EXISTS next_actions jsonb,
    ADD COLUMN IF NOT EXISTS transcript text,
    ADD COLUMN IF NOT EXISTS main_intent text,
    ADD COLUMN IF NOT EXISTS language text,
    -- The notification: due when the call has ended and its text is there or has been waited for; done exactly once.
    ADD COLUMN IF NOT EXISTS notify_due_at timestamptz,
    ADD COLUMN IF NOT EXISTS notified_at timestamptz,
    ADD COLUMN IF NOT EXISTS notify_result text,
    ADD COLUMN IF NOT EXISTS notify_reason text;
ALTER TABLE call_summaries ALTER COLUMN status SET DEFAULT 'in_progress';
UPDATE call_summaries SET phone_number = pg_temp.e164(phone_number) WHERE phone_number <> pg_temp.e164(phone_number);
DROP FUNCTION pg_temp.e164(text);
UPDATE call_summaries SET status = 'ended' WHERE status IS NULL OR status NOT IN ('in_progress', 'ended', 'missed', 'failed');
ALTER TABLE call_summaries
    ADD CONSTRAINT call_summaries_status CHECK (status IN ('in_progress', 'ended', 'missed', 'failed')),
    ADD CONSTRAINT call_summaries_channel CHECK (channel IN ('sip', 'whatsapp')) NOT VALID,
    ADD CONSTRAINT call_summaries_result CHECK (notify_result IN ('sent', 'skipped')),
    ADD CONSTRAINT call_summaries_profile FOREIGN KEY (profile_id) REFERENCES profiles (user_id) NOT VALID,
    ADD CONSTRAINT call_summaries_session FOREIGN KEY (session_id) REFERENCES omnichannel_sessions (id) NOT VALID;
CREATE UNIQUE INDEX IF NOT EXISTS call_summaries_call_id ON call_summaries (call_id);
CREATE UNIQUE INDEX call_summaries_sip ON call_summaries (sip_call_id) WHERE sip_call_id IS NOT NULL;
CREATE INDEX call_summaries_by_profile ON call_summaries (profile_id, created_at);
CREATE INDEX call_summaries_due ON call_summaries (notify_due_at) WHERE notify_due_at IS NOT NULL;
CREATE TRIGGER call_summaries_updated_at BEFORE UPDATE ON call_summaries
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- An end that was reported before its call was known; it fires if the call appears in time.
CREATE TABLE call_triggers (
    ref        text PRIMARY KEY,
    ended_at   timestamptz,
    answered   boolean,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '10 minutes'
);

-- 6. Messages --------------------------------------------------------------------------------------------------------
-- One row per message in either direction. What is sent is immutable; its state moves along the arrows below only.

CREATE TABLE message_delivery_log (
    id                  uuid PRIMARY KEY DEFAULT uuid_v7(),
    seq                 bigint GENERATED ALWAYS AS IDENTITY,
    session_id          uuid NOT NULL REFERENCES omnichannel_sessions (id),
    profile_id          uuid NOT NULL REFERENCES profiles (user_id),
    call_id             text,
    channel             text NOT NULL CHECK (channel IN ('whatsapp', 'sms')),
    direction           text NOT NULL DEFAULT 'outbound' CHECK (direction IN ('inbound', 'outbound')),
    message_type        text NOT NULL CHECK (message_type IN ('message', 'summary', 'reply', 'fallback', 'missed_call',
                            'confirmation', 'follow_up', 'tool', 'operator')),
    provider            text NOT NULL,
    content             text,
    recipient_phone     text,
    status              text NOT NULL CHECK (status IN ('received', 'pending', 'sending', 'failed', 'unknown', 'sent',
                            'delivered', 'read', 'undelivered', 'dead', 'suppressed')),
    external_message_id text,
    idem_key            text NOT NULL DEFAULT 'row:' || uuid_v7() UNIQUE,
    group_id            uuid NOT NULL DEFAULT uuid_v7(), -- one logical message: both channels, all parts
    part                int NOT NULL DEFAULT 1 CHECK (part BETWEEN 1 AND 255),
    error_code          text,
    error_message       text,
    retry_count         int NOT NULL DEFAULT 0, -- attempts after the first that counts; failed_at says that there was one
    ambiguous_resends   int NOT NULL DEFAULT 0,
    next_attempt_at     timestamptz,
    lease_owner         text,
    lease_token         bigint NOT NULL DEFAULT 0,
    lease_until         timestamptz,
    expires_at          timestamptz NOT NULL DEFAULT clock_timestamp() + interval '6 hours',
    possible_duplicate  boolean NOT NULL DEFAULT false,
    dead_reason         text CHECK (dead_reason IN ('permanent', 'attempts', 'expired', 'ambiguous')),
    replay_of           uuid REFERENCES message_delivery_log (id),
    segments            int NOT NULL DEFAULT 1,
    cost_rwf            numeric(12, 3) NOT NULL DEFAULT 0,
    awaits_turn         boolean NOT NULL DEFAULT false, -- inbound: the agent has not answered it yet
    turn_id             uuid,                           -- inbound: the turn that answered; outbound: the turn that wrote it
    created_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at             timestamptz,
    delivered_at        timestamptz,
    read_at             timestamptz,
    failed_at           timestamptz,
    metadata            jsonb NOT NULL DEFAULT '{}',
    CHECK ((direction = 'inbound') = (status = 'received')),
    CHECK ((direction = 'inbound') = (message_type = 'message')),
    CHECK ((status IN ('pending', 'failed')) = (next_attempt_at IS NOT NULL)),
    CHECK (status NOT IN ('sending', 'unknown') OR lease_until IS NOT NULL), -- what is in flight comes down some day
    CHECK ((status = 'dead') = (dead_reason IS NOT NULL)),
    CHECK (direction = 'outbound' OR external_message_id IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
-- The lines that make "once" true.
CREATE UNIQUE INDEX one_inbound_message ON message_delivery_log (provider, external_message_id)
    WHERE direction = 'inbound';
CREATE UNIQUE INDEX one_outbound_id ON message_delivery_log (provider, external_message_id)
    WHERE direction = 'outbound' AND external_message_id IS NOT NULL;
CREATE INDEX messages_due ON message_delivery_log (provider, next_attempt_at, seq) WHERE status IN ('pending', 'failed');
CREATE INDEX messages_leased ON message_delivery_log (lease_until) WHERE status IN ('sending', 'unknown');
CREATE INDEX messages_in_order ON message_delivery_log (profile_id, channel, seq)
    WHERE status IN ('pending', 'failed', 'sending');
CREATE INDEX messages_waiting ON message_delivery_log (session_id, seq) WHERE awaits_turn;
CREATE INDEX messages_by_session ON message_delivery_log (session_id, seq);
CREATE INDEX messages_by_call ON message_delivery_log (call_id) WHERE call_id IS NOT NULL;
CREATE INDEX messages_by_group ON message_delivery_log (group_id);
CREATE INDEX messages_by_time ON message_delivery_log (created_at);

-- Evidence: every attempt, every status that was reported, whatever became of it.
CREATE TABLE delivery_attempts (
    message_id  uuid NOT NULL REFERENCES message_delivery_log (id),
    fence       bigint NOT NULL,
    worker      text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome     text CHECK (outcome IN ('accepted', 'retry', 'permanent', 'ambiguous', 'notsent')),
    error_code  text,
    http_status int,
    took_ms     int,
    PRIMARY KEY (message_id, fence)
);
CREATE INDEX attempts_recent ON delivery_attempts (finished_at);

CREATE TABLE status_events (
    id                  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider            text NOT NULL,
    external_message_id text,
    our_ref             uuid,
    status              text NOT NULL,
    error_code          text,
    provider_at         timestamptz,
    received_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied             boolean NOT NULL DEFAULT false,
    UNIQUE NULLS NOT DISTINCT (provider, external_message_id, our_ref, status, provider_at)
);
CREATE INDEX status_events_by_ref ON status_events (our_ref) WHERE our_ref IS NOT NULL;

-- Signed, but not readable: kept as it came, for a person to look at.
CREATE TABLE inbound_poison (
    id          uuid PRIMARY KEY DEFAULT uuid_v7(),
    program     text NOT NULL,
    provider    text NOT NULL,
    reason      text NOT NULL,
    digest      text NOT NULL UNIQUE, -- SHA-256 of program, provider and body: the same bytes are kept once
    body        bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- 7. Agents and their turns ------------------------------------------------------------------------------------------

CREATE TABLE agents (
    slug         text PRIMARY KEY,
    name         text NOT NULL,
    instructions text NOT NULL,
    model        text, -- NULL: OPENAI_MODEL
    base_url     text, -- NULL: OPENAI_BASE_URL
    is_default   boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX one_default_agent ON agents (is_default) WHERE is_default;
INSERT INTO agents (slug, name, is_default, instructions) VALUES ('call_center', 'Call Center', true,
$text$You are EasyMO's assistant. You help people in Rwanda to find a house, a ride, a job, a pharmacy or a service.
The person may have called us; the summary of that call, if there was one, is below, together with the messages since.
Go on with the same conversation, whichever channel the person writes on. Answer in the language of the last message.
Be short and plain: at most three sentences, no markup, no links, no emoji. Use only what is in the summary and the messages;
if something is not there, say so and ask. Never promise what has not been done.$text$);

CREATE TABLE turns (
    id                uuid PRIMARY KEY DEFAULT uuid_v7(),
    session_id        uuid NOT NULL REFERENCES omnichannel_sessions (id),
    profile_id        uuid NOT NULL REFERENCES profiles (user_id),
    token             bigint NOT NULL,
    status            text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed', 'lost')),
    worker            text NOT NULL,
    agent             text,
    model             text,
    prompt_tokens     int,
    completion_tokens int,
    error_code        text,
    started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at       timestamptz,
    UNIQUE (session_id, token)
);
CREATE INDEX turns_by_time ON turns (started_at);

-- 8. Operation -------------------------------------------------------------------------------------------------------

CREATE TABLE job_heartbeat (
    name text PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- 9. The referee: a message moves along these arrows only, whoever writes -----------------------------------------------

CREATE TABLE delivery_arrows (
    from_status text NOT NULL,
    to_status   text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);
INSERT INTO delivery_arrows VALUES
    ('pending', 'sending'), ('pending', 'suppressed'), ('pending', 'dead'),
    ('failed', 'sending'), ('failed', 'suppressed'), ('failed', 'dead'),
    ('failed', 'sent'), ('failed', 'delivered'), ('failed', 'read'), ('failed', 'undelivered'),
    ('sending', 'sent'), ('sending', 'failed'), ('sending', 'unknown'), ('sending', 'dead'),
    ('sending', 'delivered'), ('sending', 'read'), ('sending', 'undelivered'),
    ('unknown', 'sent'), ('unknown', 'delivered'), ('unknown', 'read'), ('unknown', 'undelivered'),
    ('unknown', 'failed'), ('unknown', 'dead'),
    ('sent', 'delivered'), ('sent', 'read'), ('sent', 'undelivered'),
    ('undelivered', 'delivered'), ('undelivered', 'read'), ('delivered', 'read'),
    ('dead', 'sent'), ('dead', 'delivered'), ('dead', 'read'), ('dead', 'undelivered');

CREATE FUNCTION delivery_referee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT EXISTS (SELECT 1 FROM delivery_arrows
                                                 WHERE from_status = OLD.status AND to_status = NEW.status) THEN
        RAISE EXCEPTION 'message %: % does not lead to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'OM001';
    END IF;
    IF NEW.lease_token < OLD.lease_token THEN
        RAISE EXCEPTION 'message %: the fence cannot go back', OLD.id USING ERRCODE = 'OM002';
    END IF;
    IF NEW.recipient_phone IS DISTINCT FROM OLD.recipient_phone OR NEW.idem_key <> OLD.idem_key
       OR NEW.channel <> OLD.channel OR NEW.direction <> OLD.direction
       OR (NEW.content IS DISTINCT FROM OLD.content AND NEW.content IS NOT NULL) THEN -- retention may erase the text
        RAISE EXCEPTION 'message %: what is sent, and to whom, cannot change', OLD.id USING ERRCODE = 'OM003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delivery_referee BEFORE UPDATE ON message_delivery_log
    FOR EACH ROW EXECUTE FUNCTION delivery_referee();

-- 10. Sessions -------------------------------------------------------------------------------------------------------

-- Finds the person's open session or opens one; one whose time is over is closed first. p_id: the id a new one gets.
-- A call that was not this session's call yet makes it active again.
CREATE FUNCTION session_open(p_profile uuid, p_channel text, p_call text, p_agent text, p_intent text, p_id uuid)
RETURNS TABLE (id uuid, created boolean, status text)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE omnichannel_sessions s SET status = 'closed', closed_at = clock_timestamp()
     WHERE s.profile_id = p_profile AND s.status IN ('active', 'follow_up') AND s.expires_at <= clock_timestamp()
       AND (s.turn_lease_until IS NULL OR s.turn_lease_until < clock_timestamp());
    RETURN QUERY
    INSERT INTO omnichannel_sessions AS s (id, profile_id, primary_channel, active_channels, call_id, last_agent_id, last_intent)
    VALUES (coalesce(p_id, uuid_v7()), p_profile, p_channel, ARRAY[p_channel], p_call, p_agent, p_intent)
    ON CONFLICT (profile_id) WHERE status IN ('active', 'follow_up') DO UPDATE SET
        active_channels = CASE WHEN p_channel = ANY (s.active_channels) THEN s.active_channels
                               ELSE s.active_channels || p_channel END,
        status = CASE WHEN p_call IS NOT NULL AND p_call IS DISTINCT FROM s.call_id THEN 'active' ELSE s.status END,
        call_id = coalesce(p_call, s.call_id),
        last_agent_id = coalesce(p_agent, s.last_agent_id),
        last_intent = coalesce(p_intent, s.last_intent),
        expires_at = clock_timestamp() + interval '24 hours'
    RETURNING s.id, (s.xmax = 0), s.status;
END $$;

-- Counts a message of the session's channel; the thread ties it to the call the conversation is about.
CREATE FUNCTION thread_touch(p_session uuid, p_profile uuid, p_channel text, p_call text, p_messages int) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO conversation_threads AS t (session_id, profile_id, channel, parent_call_id, message_count, last_message_at)
    VALUES (p_session, p_profile, p_channel, p_call, p_messages, clock_timestamp())
    ON CONFLICT (session_id, channel) DO UPDATE SET
        message_count = t.message_count + p_messages,
        last_message_at = clock_timestamp(),
        parent_call_id = coalesce(excluded.parent_call_id, t.parent_call_id)
$$;

CREATE FUNCTION get_or_create_omnichannel_session(profile uuid, channel text, call_id text DEFAULT NULL,
    agent text DEFAULT NULL, intent text DEFAULT NULL) RETURNS uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT o.id FROM session_open($1, $2, $3, $4, $5, NULL) AS o
$$;

-- Sets the status and merges the context; false when there is no such session or it is closed already.
CREATE FUNCTION update_omnichannel_session_status(session uuid, status text, context jsonb DEFAULT NULL,
    agent text DEFAULT NULL, intent text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE omnichannel_sessions s SET
        status = $2,
        closed_at = CASE WHEN $2 = 'closed' THEN clock_timestamp() END,
        context = s.context || coalesce($3, '{}'),
        last_agent_id = coalesce($4, s.last_agent_id),
        last_intent = coalesce($5, s.last_intent)
     WHERE s.id = $1 AND s.status <> 'closed';
    RETURN FOUND;
END $$;

CREATE FUNCTION get_or_create_session(profile uuid, channel text, call_id text DEFAULT NULL,
    agent text DEFAULT NULL, intent text DEFAULT NULL) RETURNS uuid
LANGUAGE sql SET search_path = public, pg_temp AS $$ SELECT get_or_create_omnichannel_session($1, $2, $3, $4, $5) $$;

CREATE FUNCTION update_session_status(session uuid, status text, context jsonb DEFAULT NULL,
    agent text DEFAULT NULL, intent text DEFAULT NULL) RETURNS boolean
LANGUAGE sql SET search_path = public, pg_temp AS $$ SELECT update_omnichannel_session_status($1, $2, $3, $4, $5) $$;

-- Evidence that WhatsApp reaches this person, and no wish to the contrary.
CREATE FUNCTION check_whatsapp_available(profile uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce((SELECT p.has_whatsapp AND p.allows_whatsapp FROM profiles p WHERE p.user_id = $1), false)
$$;

-- Writes one outbound row from outside the programs, under the session's lock as messages_enqueue() does; the same idem_key
-- again gives the same row. What is on its way somewhere else is held as if its worker had been lost.
CREATE FUNCTION log_message_delivery(p_session uuid, p_profile uuid, p_channel text, p_message_type text,
    p_content text, p_recipient_phone text, p_provider text, p_status text DEFAULT 'pending',
    p_external_message_id text DEFAULT NULL, p_call_id text DEFAULT NULL, p_idem_key text DEFAULT NULL,
    p_metadata jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    row_id uuid;
BEGIN
    PERFORM 1 FROM omnichannel_sessions s WHERE s.id = p_session FOR NO KEY UPDATE;
    INSERT INTO message_delivery_log (session_id, profile_id, channel, message_type, content, recipient_phone,
        provider, status, external_message_id, call_id, idem_key, metadata, next_attempt_at, lease_until, sent_at, failed_at,
        dead_reason)
    VALUES (p_session, p_profile, p_channel, p_message_type, p_content, p_recipient_phone,
        p_provider, p_status, p_external_message_id, p_call_id, coalesce(p_idem_key, 'row:' || uuid_v7()), p_metadata,
        CASE WHEN p_status IN ('pending', 'failed') THEN clock_timestamp() END,
        CASE WHEN p_status IN ('sending', 'unknown') THEN clock_timestamp() + interval '90 seconds' END,
        CASE WHEN p_status IN ('sent', 'delivered', 'read') THEN clock_timestamp() END,
        CASE WHEN p_status IN ('failed', 'dead', 'undelivered') THEN clock_timestamp() END,
        CASE WHEN p_status = 'dead' THEN 'permanent' END)
    ON CONFLICT (idem_key) DO NOTHING
    RETURNING id INTO row_id;
    IF row_id IS NULL THEN
        SELECT id INTO row_id FROM message_delivery_log WHERE idem_key = p_idem_key;
    END IF;
    RETURN row_id;
END $$;
