-- Long answers that go on, options that are chosen on any channel, and fixed answers that respect STOP.
SELECT plan(61);

-- What comes in with what it may mean.
CREATE FUNCTION pg_temp.says(phone text, content text, facts jsonb DEFAULT '{}', channel text DEFAULT 'sms', keyword text DEFAULT '', answer jsonb DEFAULT NULL)
RETURNS uuid LANGUAGE sql AS $$
    SELECT message_id FROM record_inbound_message(channel, CASE channel WHEN 'sms' THEN 'mtn' ELSE 'meta' END, uuid_v7()::text, phone, NULL, NULL, NULL,
        content, clock_timestamp(), facts || '{"kind": "text"}', keyword, answer, true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;
CREATE FUNCTION pg_temp.session(phone text) RETURNS uuid LANGUAGE sql AS $$
    SELECT s.id FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id WHERE p.phone_number = phone AND s.status <> 'closed'
$$;
-- A long SMS in three parts, or a list.
CREATE FUNCTION pg_temp.long(phone text, facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.enqueue(pg_temp.session(phone), jsonb_build_object('recipient_phone', phone, 'content', 'part one', 'metadata',
        '{"kind": "text", "language": "en", "more": [{"text": "part two", "segments": 2, "cost_rwf": 30.000}, {"text": "part three", "segments": 1, "cost_rwf": 15.000}]}'::jsonb || facts))
$$;
CREATE FUNCTION pg_temp.list(phone text, channel text DEFAULT 'sms') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.enqueue(pg_temp.session(phone), jsonb_build_object('recipient_phone', phone, 'channel', channel, 'content', '1. Kimironko 2. Remera', 'metadata',
        '{"kind": "text", "options": ["Kimironko, 250,000", "Remera, 280,000"]}'::jsonb))
$$;
CREATE FUNCTION pg_temp.sent(phone text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(content, '|' ORDER BY seq) FROM message_delivery_log WHERE session_id = pg_temp.session(phone) AND direction = 'outbound'
$$;
CREATE FUNCTION pg_temp.option(message uuid) RETURNS text LANGUAGE sql AS $$
    SELECT metadata ->> 'option' FROM message_delivery_log WHERE id = message
$$;
CREATE FUNCTION pg_temp.waits(message uuid) RETURNS boolean LANGUAGE sql AS $$
    SELECT awaits_turn FROM message_delivery_log WHERE id = message
$$;
\set more '\'{"wants_more": true}\'::jsonb'
\set one '\'{"wants_more": true, "choice": 1}\'::jsonb'
\set two '\'{"choice": 2}\'::jsonb'

-- More ---------------------------------------------------------------------------------------------------------------

SELECT pg_temp.says('+250780000001', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000001') AS first \gset
SELECT pg_temp.says('+250780000001', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000001'), 'part one|part two', '"1" brings the next part');
SELECT is(pg_temp.waits(:'m'), false, '... the agent is not asked');
SELECT is((SELECT metadata FROM message_delivery_log WHERE id = :'m'), '{"kind": "text"}', '... what it might have meant is not kept');
SELECT results_eq($$SELECT channel, message_type, segments, cost_rwf, recipient_phone, status, metadata ->> 'language', jsonb_array_length(metadata -> 'more')
                      FROM message_delivery_log WHERE content = 'part two'$$,
    $$VALUES ('sms', 'reply', 2, 30.000, '+250780000001', 'pending', 'en', 1)$$, '... it is a message of its own, and says what still follows');
SELECT is((SELECT idem_key FROM message_delivery_log WHERE content = 'part two'), 'more:' || :'first', '... once');
SELECT pg_temp.says('+250780000001', 'MORE', :more) AS m \gset
SELECT is(pg_temp.sent('+250780000001'), 'part one|part two|part three', '"more" brings the last');
SELECT is((SELECT metadata ? 'more' FROM message_delivery_log WHERE content = 'part three'), false, '... behind which there is nothing');
SELECT pg_temp.says('+250780000001', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000001'), 'part one|part two|part three', 'after the last "1" is an ordinary message');
SELECT is(pg_temp.waits(:'m'), true, '... for the agent');

-- By WhatsApp, where the whole of it is already, or something newer that has a "1" of its own.
SELECT pg_temp.says('+250780000008', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000008') AS first \gset
SELECT group_id AS whole FROM message_delivery_log WHERE id = :'first' \gset
SELECT t.enqueue(pg_temp.session('+250780000008'), jsonb_build_object('recipient_phone', '+250780000008', 'channel', 'whatsapp', 'provider', 'meta',
    'content', 'part one part two: 1, 2 or 3 rooms?', 'group_id', :'whole')) AS twin \gset
SELECT pg_temp.says('+250780000008', '1', :one, 'whatsapp') AS m \gset
SELECT is(pg_temp.sent('+250780000008'), 'part one|part one part two: 1, 2 or 3 rooms?', 'who has it all by WhatsApp gets none of it again');
SELECT is(pg_temp.waits(:'m'), true, '... "1" is an answer to it');

SELECT pg_temp.says('+250780000009', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000009') AS first \gset
SELECT t.enqueue(pg_temp.session('+250780000009'), '{"recipient_phone": "+250780000009", "channel": "whatsapp", "provider": "meta", "content": "1 to confirm"}') AS newer \gset
SELECT pg_temp.says('+250780000009', '1', :one, 'whatsapp') AS m \gset
SELECT is(pg_temp.sent('+250780000009'), 'part one|1 to confirm', 'by WhatsApp "1" answers what was sent there last');
SELECT is(pg_temp.waits(:'m'), true, '... and is for the agent');

SELECT pg_temp.says('+250780000010', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000010') AS first \gset
SELECT t.enqueue(pg_temp.session('+250780000010'), '{"recipient_phone": "+250780000010", "channel": "whatsapp", "provider": "meta", "content": "gone"}') AS newer \gset
SELECT t.finish(:'newer', t.claim(:'newer'), 'permanent') AS leave \gset
SELECT pg_temp.says('+250780000010', '1', '{"choice": 1, "wants_more": {"provider": "meta", "cost_rwf": 6}}', 'whatsapp') AS m \gset
SELECT is(pg_temp.waits(:'m'), false, 'what never arrived there has no "1"');
SELECT is(pg_temp.sent('+250780000010'), 'part one|gone|part two part three', '... the rest comes by WhatsApp');

SELECT pg_temp.says('+250780000002', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000002') AS first \gset
SELECT pg_temp.says('+250780000002', 'how much is it?') AS m \gset
SELECT is(pg_temp.waits(:'m'), true, 'any other message is one');
SELECT pg_temp.says('+250780000002', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000002'), 'part one', '... and drops the rest');

SELECT pg_temp.says('+250780000003', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000003') AS first \gset
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '25 hours' WHERE id = :'first';
SELECT pg_temp.says('+250780000003', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000003'), 'part one', 'a day later the rest is gone');
SELECT is(pg_temp.waits(:'m'), true, '... and the agent is asked');

SELECT pg_temp.says('+250780000004', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000004') AS first \gset
UPDATE profiles SET allows_sms = false WHERE phone_number = '+250780000004';
SELECT pg_temp.says('+250780000004', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000004'), 'part one', 'who said STOP gets no more');

SELECT pg_temp.says('+250780000005', 'tell me all') AS q \gset
SELECT pg_temp.long('+250780000005') AS first \gset
SELECT record_inbound_message('sms', 'mtn', 'again', '+250780000005', NULL, NULL, NULL, '1', clock_timestamp(), :one, '', NULL, true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) AS leave \gset
SELECT record_inbound_message('sms', 'mtn', 'again', '+250780000005', NULL, NULL, NULL, '1', clock_timestamp(), :one, '', NULL, true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) AS leave \gset
SELECT is(pg_temp.sent('+250780000005'), 'part one|part two', 'the same "1" brought twice is one');
SELECT message_go_on(:'first', uuid_v7()) AS leave \gset
SELECT is(pg_temp.sent('+250780000005'), 'part one|part two', '... and so is the same part asked for at the same moment');

SELECT pg_temp.says('+250780000006', 'tell me all') AS q \gset
SELECT pg_temp.says('+250780000006', '1', :one) AS m \gset
SELECT is(pg_temp.waits(:'m'), true, '"1" with nothing before it is an ordinary message');
SELECT is(pg_temp.option(:'m'), NULL, '... and names nothing');

-- Options --------------------------------------------------------------------------------------------------------------

SELECT pg_temp.says('+250780000011', 'houses?') AS q \gset
SELECT pg_temp.list('+250780000011') AS list \gset
SELECT pg_temp.says('+250780000011', '2', :two) AS m \gset
SELECT is(pg_temp.option(:'m'), 'Remera, 280,000', '"2" is the second option');
SELECT is(pg_temp.waits(:'m'), true, '... for the agent');
SELECT pg_temp.says('+250780000011', 'Option 2', :two, 'whatsapp') AS m \gset
SELECT is(pg_temp.option(:'m'), 'Remera, 280,000', '... also on the other channel');
SELECT is(pg_temp.option(pg_temp.says('+250780000011', '9', '{"choice": 9}')), NULL, 'there is no ninth');
SELECT is(pg_temp.option(pg_temp.says('+250780000011', 'Remera, 280,000', '{"choice": 2}', 'whatsapp')), 'Remera, 280,000', 'a tapped title is the option');
SELECT is(pg_temp.option(pg_temp.says('+250780000011', 'Another list''s', '{"choice": 2}', 'whatsapp')), NULL, '... a title of another list is not');
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '6 days' WHERE id = :'list';
SELECT is(pg_temp.option(pg_temp.says('+250780000011', '2', :two)), 'Remera, 280,000', 'six days later, too');
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '8 days' WHERE id = :'list';
SELECT is(pg_temp.option(pg_temp.says('+250780000011', '2', :two)), NULL, '... but not after eight');

-- What is tapped belongs to the list it was tapped in.
SELECT pg_temp.says('+250780000014', 'houses?') AS q \gset
SELECT pg_temp.list('+250780000014', 'whatsapp') AS older \gset
SELECT t.enqueue(pg_temp.session('+250780000014'), '{"metadata": {"options": ["6 months", "12 months"]}}') AS newer \gset
SELECT is(pg_temp.option(pg_temp.says('+250780000014', 'Remera, 280,000', jsonb_build_object('choice', 2, 'tapped', true, 'list', :'older'), 'whatsapp')), 'Remera, 280,000',
    'a tap in an older list means that list');
SELECT is(pg_temp.option(pg_temp.says('+250780000014', 'Plot 7', '{"choice": 2, "tapped": true}', 'whatsapp')), NULL, '... a title with a number in it is no number');
SELECT is(pg_temp.option(pg_temp.says('+250780000011', 'Remera, 280,000', jsonb_build_object('choice', 2, 'tapped', true, 'list', :'older'), 'whatsapp')), NULL,
    '... and somebody else''s list is nobody''s');

SELECT pg_temp.says('+250780000012', 'houses?') AS q \gset
SELECT pg_temp.list('+250780000012', 'whatsapp') AS list \gset
UPDATE omnichannel_sessions SET status = 'closed', closed_at = clock_timestamp() WHERE id = pg_temp.session('+250780000012');
SELECT is(pg_temp.option(pg_temp.says('+250780000012', '1', :one)), 'Kimironko, 250,000', 'options outlive the conversation they were given in');
UPDATE omnichannel_sessions SET starts_afresh = true WHERE id = pg_temp.session('+250780000012');
SELECT is(pg_temp.option(pg_temp.says('+250780000012', '1', :one)), NULL, '... unless the person began anew');

SELECT pg_temp.says('+250780000013', 'houses?') AS q \gset
SELECT pg_temp.list('+250780000013') AS list \gset
SELECT count(t.enqueue(pg_temp.session('+250780000013'), '{"content": "and?"}')) AS leave FROM generate_series(1, 3) \gset
SELECT is(pg_temp.option(pg_temp.says('+250780000013', '2', :two)), 'Remera, 280,000', 'a few answers later the list still counts');
SELECT t.enqueue(pg_temp.session('+250780000013'), '{"content": "how many rooms?"}') AS leave \gset
SELECT is(pg_temp.option(pg_temp.says('+250780000013', '2', :two)), NULL, '... but not for ever');

-- "1" may be both --------------------------------------------------------------------------------------------------------

SELECT pg_temp.says('+250780000021', 'houses?') AS q \gset
SELECT pg_temp.list('+250780000021') AS list \gset
SELECT pg_temp.long('+250780000021') AS long \gset
SELECT pg_temp.says('+250780000021', '1', :one) AS m \gset
SELECT is(pg_temp.sent('+250780000021'), '1. Kimironko 2. Remera|part one|part two', 'what was sent last decides: the long text');
SELECT is(pg_temp.option(:'m'), NULL, '... no option');
SELECT pg_temp.says('+250780000022', 'houses?') AS q \gset
SELECT pg_temp.long('+250780000022') AS long \gset
SELECT pg_temp.list('+250780000022') AS list \gset
SELECT pg_temp.says('+250780000022', '1', :one) AS m \gset
SELECT is(pg_temp.option(:'m'), 'Kimironko, 250,000', 'what was sent last decides: the list');
SELECT is(pg_temp.sent('+250780000022'), 'part one|1. Kimironko 2. Remera', '... nothing more of the text');
SELECT pg_temp.says('+250780000023', 'houses?') AS q \gset
SELECT pg_temp.long('+250780000023', '{"options": ["Kimironko", "Remera"]}') AS long \gset
SELECT is(pg_temp.option(pg_temp.says('+250780000023', '1', :one)), 'Kimironko', 'in a long list "1" is the option');
SELECT pg_temp.long('+250780000023', '{"options": ["Kimironko", "Remera"]}') AS long \gset
SELECT pg_temp.says('+250780000023', 'more', :more) AS m \gset
SELECT is(pg_temp.sent('+250780000023'), 'part one|part one|part two', '... and "more" the next part');
SELECT is(pg_temp.option(pg_temp.says('+250780000023', '2', :two)), 'Remera', '... which has the options, too');

SELECT pg_temp.says('+250780000024', 'houses?') AS q \gset
SELECT pg_temp.long('+250780000024', '{"more": "x"}') AS long \gset
SELECT pg_temp.says('+250780000024', '1', :one) AS m \gset
SELECT pg_temp.long('+250780000024', '{"more": ["x"]}') AS long \gset
SELECT pg_temp.says('+250780000024', '1', :one) AS n \gset
SELECT ok(pg_temp.waits(:'m'), 'where what goes on is no list of parts, "1" is a message like any other');
SELECT ok(pg_temp.waits(:'n'), '... nor where these have no text');

-- Fixed answers ------------------------------------------------------------------------------------------------------------

\set fixed '\'{"id": null, "texts": {"en": "in English", "fr": "en français"}, "provider": "mtn", "cost_rwf": 15}\'::jsonb'
SELECT pg_temp.says('+250780000031', 'STOP', '{}', 'sms', 'stop', :fixed || jsonb_build_object('id', uuid_v7())) AS leave \gset
SELECT is(pg_temp.sent('+250780000031'), 'in English', 'STOP is confirmed');
SELECT pg_temp.says('+250780000031', '', '{}', 'sms', '', :fixed || jsonb_build_object('id', uuid_v7())) AS leave \gset
SELECT is(pg_temp.sent('+250780000031'), 'in English', '... and then nothing more goes out there, no fixed answer either');
SELECT pg_temp.says('+250780000031', '', '{}', 'whatsapp', '', :fixed || jsonb_build_object('id', uuid_v7(), 'provider', 'meta')) AS leave \gset
SELECT is(pg_temp.sent('+250780000031'), 'in English|in English', '... but on the other channel');
SELECT pg_temp.says('+250780000031', 'START', '{}', 'sms', 'start', :fixed || jsonb_build_object('id', uuid_v7())) AS leave \gset
SELECT is(pg_temp.sent('+250780000031'), 'in English|in English|in English', 'START is confirmed');
SELECT pg_temp.says('+250780000032', 'STOP', '{}', 'sms', 'stop', :fixed || jsonb_build_object('id', uuid_v7())) AS leave \gset
SELECT pg_temp.says('+250780000032', 'HELP', '{}', 'sms', 'help', :fixed || jsonb_build_object('id', uuid_v7(), 'texts', '{"en": "how to"}'::jsonb)) AS leave \gset
SELECT is(pg_temp.sent('+250780000032'), 'in English|how to', 'HELP is answered after STOP too: it is asked for');
UPDATE profiles SET notification_preferences = '{"language": "FR-be"}' WHERE phone_number = '+250780000031';
SELECT pg_temp.says('+250780000031', 'HELP', '{}', 'sms', 'help', :fixed || jsonb_build_object('id', uuid_v7())) AS leave \gset
SELECT is(pg_temp.sent('+250780000031'), 'in English|in English|in English|en français', 'a fixed answer speaks the person''s language');

-- Who may see what
SELECT is((SELECT allowed_links || allowed_numbers FROM agents WHERE is_default), '{}'::text[], 'an agent may name nothing until somebody allows it');

-- STOP before the answer ------------------------------------------------------------------------------------------------

SELECT pg_temp.says('+250780000089', 'a question') AS q \gset
SELECT pg_temp.says('+250780000089', 'STOP', '{}', 'sms', 'stop') AS m \gset
SELECT t.enqueue(pg_temp.session('+250780000089'), '{"content": "late"}') AS late \gset
SELECT results_eq(format('SELECT status, error_code, next_attempt_at FROM message_delivery_log WHERE id = %L', :'late'), $$VALUES ('suppressed', 'opted_out', NULL::timestamptz)$$,
    'an answer that was under way when STOP came is not sent');
SELECT is(t.status(t.enqueue(pg_temp.session('+250780000089'), '{"content": "late", "channel": "whatsapp", "provider": "meta"}')), 'pending', '... on this channel');

-- Who goes on writing --------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.writes(phone text, quiet_ms int, facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT session_id FROM record_inbound_message('sms', 'mtn', uuid_v7()::text, phone, NULL, NULL, NULL, 'go on', clock_timestamp(),
        '{"kind": "text"}'::jsonb || facts, '', NULL, true, quiet_ms, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;
-- In how many seconds the turn is due, when the messages so far came so long ago.
CREATE FUNCTION pg_temp.due_in(phone text, how_long interval, quiet_ms int, facts jsonb DEFAULT '{}') RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    session uuid := pg_temp.writes(phone, quiet_ms);
BEGIN
    UPDATE message_delivery_log m SET created_at = clock_timestamp() - how_long WHERE m.session_id = session;
    PERFORM pg_temp.writes(phone, quiet_ms, facts);
    RETURN (SELECT round(extract(epoch FROM s.turn_due_at - clock_timestamp())::numeric, 1) FROM omnichannel_sessions s WHERE s.id = session);
END $$;
-- Less is left by as much as this machine takes to ask; never more.
SELECT ok(pg_temp.due_in('+250780000091', '5 seconds', 1500) BETWEEN 0.6 AND 1.5, 'each message waits for the next one');
SELECT ok(pg_temp.due_in('+250780000092', '9 seconds', 1500) BETWEEN 0.1 AND 1.0, '... but ten seconds after the first the agent answers');
SELECT ok(pg_temp.due_in('+250780000093', '7500 milliseconds', 1000) BETWEEN -0.4 AND 0.5, '... or after eight times the quiet time');
SELECT ok(pg_temp.due_in('+250780000094', '15 seconds', 1500, '{"ref": "7", "part": 1, "parts": 2}') BETWEEN 14.1 AND 15.0,
    '... and parts that never come hold nobody up for ever');

SELECT * FROM finish();
