-- What is understood however it is written: intents; and whose language, times and addresses are believed.
SELECT plan(74);

-- Intents ------------------------------------------------------------------------------------------------------------

SELECT results_eq($$SELECT i, (agent_for(NULL, i)).slug FROM unnest(ARRAY['real_estate', 'real estate', 'Real Estate', 'REAL-ESTATE', ' real  estate ', 'Housing', 'a house', '', NULL]) AS i$$,
    $$VALUES ('real_estate', 'real_estate'), ('real estate', 'real_estate'), ('Real Estate', 'real_estate'), ('REAL-ESTATE', 'real_estate'),
        (' real  estate ', 'real_estate'), ('Housing', 'real_estate'), ('a house', 'call_center'), ('', 'call_center'), (NULL, 'call_center')$$,
    'an intent in any spelling leads to its agent');
UPDATE agents SET intents = intents || 'Motor Insurance'::text WHERE slug = 'insurance';
SELECT is((agent_for(NULL, 'motor-insurance')).slug, 'insurance', '... however the agent''s row spells it');
SELECT session_id AS session FROM t.call('i1', '+250780000001', '{"intent": "Real Estate"}') \gset
SELECT is((SELECT (agent_for(s.last_agent_id, s.last_intent)).slug FROM omnichannel_sessions s WHERE s.id = :'session'), 'real_estate', 'of a call, too');
UPDATE omnichannel_sessions SET last_agent_id = 'jobs' WHERE id = :'session';
UPDATE omnichannel_sessions SET last_intent = 'real_estate' WHERE id = :'session';
SELECT is((SELECT last_agent_id FROM omnichannel_sessions WHERE id = :'session'), 'jobs', 'another spelling is no other intent');
UPDATE omnichannel_sessions SET last_intent = 'Taxi' WHERE id = :'session';
SELECT is((SELECT last_agent_id FROM omnichannel_sessions WHERE id = :'session'), NULL, '... another intent is');
UPDATE omnichannel_sessions SET last_agent_id = 'jobs' WHERE id = :'session';
UPDATE omnichannel_sessions SET last_intent = 'a walk' WHERE id = :'session';
SELECT is((SELECT last_agent_id FROM omnichannel_sessions WHERE id = :'session'), 'jobs', '... if it has an agent of its own');
SELECT is(intent_key(NULL), NULL, 'no intent is none');

-- Calls: where nothing can have been said nobody was there, and no clock is ahead of ours ---------------------------------------------------------------

CREATE FUNCTION pg_temp.call(name text) RETURNS call_summaries LANGUAGE sql AS $$ SELECT * FROM call_summaries WHERE call_id = name $$;
CREATE FUNCTION pg_temp.at(s int) RETURNS timestamptz LANGUAGE sql AS $$ SELECT clock_timestamp() + s * interval '1 second' $$;
CREATE FUNCTION pg_temp.ends(name text, began int, over int, facts jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM t.call(name, '+250780000002', jsonb_build_object('started', pg_temp.at(began), 'ended_at', pg_temp.at(over), 'ended', true) || facts);
    RETURN (pg_temp.call(name)).status;
END $$;
SELECT is(pg_temp.ends('a1', -60, -61, '{"answered": true}'), 'ended', 'an answered call that ended before it began was answered');
SELECT is((pg_temp.call('a1')).duration_seconds, 0, '... its duration is not known');
SELECT is(pg_temp.ends('a2', -60, -60, '{"answered": true}'), 'missed', '... but in a call that took no second nothing was said');
SELECT 1 AS leave FROM t.call('a2', NULL, '{"answered": true, "ended": true}') \gset
SELECT is((pg_temp.call('a2')).status, 'missed', '... also when its end comes again without times');
SELECT 1 AS leave FROM t.call('a2', NULL, '{"summary": "There was somebody"}') \gset
SELECT is((pg_temp.call('a2')).status, 'ended', '... unless somebody tells what it was about');
SELECT 1 AS leave FROM t.call('a7', '+250780000002', jsonb_build_object('answered', true, 'ended', true, 'started', clock_timestamp())) \gset
SELECT is((pg_temp.call('a7')).status, 'ended', 'that only we saw it end at once says nothing');
SELECT 1 AS leave FROM t.call('a7', NULL, '{"ended": true}') \gset
SELECT is((pg_temp.call('a7')).status, 'ended', '... also when its end comes again');
SELECT is(pg_temp.ends('a7', -60, -60), 'missed', '... until its times are reported');
SELECT is((pg_temp.call('a7')).duration_seconds, 0, '... which take the place of ours');
SELECT is(pg_temp.ends('a8', -60, -59, '{"answered": true}'), 'ended', 'a second is time to say something');
SELECT 1 AS leave FROM t.call('a9', '+250780000002', '{"ended": true, "answered": false}') \gset
SELECT 1 AS leave FROM t.call('a9', NULL, '{"ended": true, "answered": true}') \gset
SELECT is((pg_temp.call('a9')).status, 'ended', 'nobody answered, until somebody says that they did');
SELECT is(pg_temp.ends('a3', -60, -61), 'ended', 'clocks that disagree do not say that nobody answered');
SELECT is(pg_temp.ends('a4', -60, -61, '{"answered": false}'), 'missed', '... whoever reports it may');
SELECT 1 AS leave FROM t.call('a5', '+250780000002', '{"answered": true}') \gset
SELECT is(pg_temp.ends('a5', -60, -60), 'missed', 'a call that was answered before its end came, which took no second');
SELECT is(pg_temp.ends('a6', -60, -60), 'missed', 'no second, and nobody says more: missed');
SELECT 1 AS leave FROM t.call('a6', NULL, '{"answered": true, "ended": true}') \gset
SELECT is((pg_temp.call('a6')).status, 'missed', '... whatever somebody says of it');
SELECT 1 AS leave FROM t.call(NULL, '+250780000002', jsonb_build_object('sip', 'a10-pbx', 'answered', true, 'started', pg_temp.at(-60), 'ended_at', pg_temp.at(-60), 'ended', true)) \gset
SELECT 1 AS leave FROM t.call('a10', '+250780000002') AS a, t.call('a10', NULL, '{"sip": "a10-pbx"}') AS b \gset
SELECT results_eq($$SELECT status, sip_call_id FROM call_summaries WHERE call_id = 'a10'$$, $$VALUES ('missed', 'a10-pbx')$$, 'two rows of such a call become one of them');

SELECT is(pg_temp.ends('f1', 3600, 7200), 'ended', 'a call of tomorrow');
SELECT results_eq($$SELECT started_at <= clock_timestamp(), ended_at <= clock_timestamp(), duration_seconds, times_doubted FROM call_summaries WHERE call_id = 'f1'$$,
    $$VALUES (true, true, 0, true)$$, '... is one of now, and marked');
SELECT is(pg_temp.ends('f2', -60, 3600, '{"answered": true}'), 'ended', 'an end that is still to come');
SELECT results_eq($$SELECT ended_at <= clock_timestamp(), duration_seconds BETWEEN 60 AND 70, times_doubted FROM call_summaries WHERE call_id = 'f2'$$,
    $$VALUES (true, true, true)$$, '... is now');
SELECT is(pg_temp.ends('f3', 100, 200, '{"answered": true}'), 'ended', 'a clock that is a little ahead');
SELECT results_eq($$SELECT answered_at > clock_timestamp(), duration_seconds, times_doubted FROM call_summaries WHERE call_id = 'f3'$$,
    $$VALUES (true, 100, false)$$, '... is believed');
SELECT 1 AS leave FROM record_call_event(jsonb_build_object('channel', 'whatsapp', 'call_id', 'f4', 'event', 'connect', 'phone', '+250780000003',
    'at', pg_temp.at(9000), 'over', false, 'wait_s', 6), NULL, NULL, 60, ARRAY[uuid_v7(), uuid_v7(), uuid_v7(), uuid_v7()]) \gset
SELECT 1 AS leave FROM record_call_event(jsonb_build_object('channel', 'whatsapp', 'call_id', 'f4', 'event', 'terminate', 'phone', '+250780000003',
    'at', pg_temp.at(9000), 'started_at', pg_temp.at(9000), 'ended_at', pg_temp.at(9060), 'answered', true, 'over', true, 'wait_s', 6), NULL, NULL, 60,
    ARRAY[uuid_v7(), uuid_v7(), uuid_v7(), uuid_v7()]) \gset
SELECT results_eq($$SELECT status, started_at <= clock_timestamp(), answered_at <= clock_timestamp(), ended_at <= clock_timestamp(), duration_seconds, times_doubted
                      FROM call_summaries WHERE call_id = 'f4'$$, $$VALUES ('ended', true, true, true, 0, true)$$, 'a webhook''s, too');

SELECT is((SELECT last_active_channel FROM profiles WHERE phone_number = '+250780000002'), 'voice', 'who called was last active by voice');
SELECT 1 AS leave FROM t.inbound('+250780000002') \gset
SELECT 1 AS leave FROM t.call('f3', NULL, '{"summary": "Late"}') \gset
SELECT is((SELECT last_active_channel FROM profiles WHERE phone_number = '+250780000002'), 'sms', '... until they write; what is told of a call later changes nothing');
SELECT 1 AS leave FROM t.call('f5', '+250780000002') \gset
SELECT is((SELECT last_active_channel FROM profiles WHERE phone_number = '+250780000002'), 'voice', '... until the next call');

-- Addresses: who writes or calls by WhatsApp has proven where from, who is named has not -----------------------------------------

CREATE FUNCTION pg_temp.window(phone text) RETURNS boolean LANGUAGE sql AS $$
    SELECT coalesce(p.has_whatsapp, false) OR p.wa_window_until IS NOT NULL
        OR EXISTS (SELECT 1 FROM contact_addresses a WHERE a.profile_id = p.user_id AND a.window_until IS NOT NULL)
      FROM profiles p WHERE p.phone_number = phone
$$;
SELECT 1 AS leave FROM t.call('k1', '+250780000021', '{"channel": "sip"}') \gset
SELECT 1 AS leave FROM t.call('k1', NULL, '{"channel": "whatsapp", "bullets": ["a"], "ended": true}') \gset
SELECT ok(NOT pg_temp.window('+250780000021'), 'a SIP call that somebody calls one by WhatsApp opens no window');
SELECT is((pg_temp.call('k1')).channel, 'sip', '... and stays what it is');
SELECT 1 AS leave FROM t.call('k2', '+250780000022', '{"bullets": ["a"]}') \gset
SELECT 1 AS leave FROM record_call_event(jsonb_build_object('channel', 'whatsapp', 'call_id', 'k2', 'event', 'terminate', 'phone', '+250780000022',
    'at', pg_temp.at(0), 'answered', true, 'over', true, 'wait_s', 6), NULL, NULL, 60, ARRAY[uuid_v7(), uuid_v7(), uuid_v7(), uuid_v7()]) \gset
SELECT ok(pg_temp.window('+250780000022'), 'one that WhatsApp itself reports does, whoever stored it first');
CREATE FUNCTION pg_temp.proven(phone text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(a.kind || CASE WHEN a.verified_at IS NULL THEN '' ELSE '!' END, ' ' ORDER BY a.kind)
      FROM contact_addresses a JOIN profiles p ON p.user_id = a.profile_id WHERE p.phone_number = phone
$$;
SELECT 1 AS leave FROM t.call('p1', '+250780000011') \gset
SELECT is(pg_temp.proven('+250780000011'), 'tel', 'the number of a SIP call is a claim');
SELECT 1 AS leave FROM session_for(NULL, '+250780000012', NULL, NULL, NULL, NULL, ARRAY[uuid_v7(), uuid_v7()]) \gset
SELECT is(pg_temp.proven('+250780000012'), 'tel', 'so is one that a tool names');
SELECT 1 AS leave FROM t.inbound('+250780000011') \gset
SELECT is(pg_temp.proven('+250780000011'), 'tel!', 'who writes from it has proven it');
SELECT 1 AS leave FROM t.inbound('+250780000013', '{"channel": "whatsapp", "wa_id": "250780000013", "bsuid": "RW.13"}') \gset
SELECT is(pg_temp.proven('+250780000013'), 'bsuid! tel! wa!', 'a WhatsApp message proves all it comes with');
SELECT 1 AS leave FROM t.call('p2', '+250780000014', '{"channel": "whatsapp"}') \gset
SELECT is(pg_temp.proven('+250780000014'), 'tel wa', 'who says of a call that it came by WhatsApp proves nothing');
SELECT call_proves((pg_temp.call('p2')).id, '{"channel": "whatsapp", "phone": "+250780000014"}') \gset
SELECT is(pg_temp.proven('+250780000014'), 'tel! wa!', '... WhatsApp''s own event does');
SELECT 1 AS leave FROM t.call('p3', '+250780000015') \gset
SELECT call_proves((pg_temp.call('p3')).id, '{"channel": "sip", "phone": "+250780000015"}') \gset
SELECT is(pg_temp.proven('+250780000015'), 'tel', '... a SIP call''s does not');

-- Languages: the last one somebody has shown to speak --------------------------------------------------------------------------

CREATE FUNCTION pg_temp.speaks(phone text) RETURNS text LANGUAGE sql AS $$ SELECT preferred_language FROM profiles WHERE phone_number = phone $$;
-- A word that is answered with a fixed text: what came back.
CREATE FUNCTION pg_temp.word(phone text, word text, language text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    session uuid;
BEGIN
    SELECT r.session_id INTO session FROM record_inbound_message('sms', 'mtn', uuid_v7()::text, phone, NULL, NULL, NULL, 'text', clock_timestamp(),
        jsonb_strip_nulls(jsonb_build_object('kind', 'text', 'language', language)), word,
        jsonb_build_object('id', uuid_v7(), 'provider', 'mtn', 'texts', '{"rw": "RW", "en": "EN", "fr": "FR", "sw": "SW"}'::jsonb), true, 0,
        ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) AS r;
    RETURN (SELECT content FROM message_delivery_log m WHERE m.session_id = session AND m.message_type = 'confirmation' ORDER BY seq DESC LIMIT 1);
END $$;
SELECT results_eq($$SELECT w, language_code(w) FROM unnest(ARRAY['rw', 'FR-be', ' fr', 'Kinyarwanda', 'Kiswahili (Kenya)', 'en_GB', 'Français', 'en/rw', 'rw,en', 'sw;q=1', 'de', '', NULL]) AS w$$,
    $$VALUES ('rw', 'rw'), ('FR-be', 'fr'), (' fr', 'fr'), ('Kinyarwanda', 'rw'), ('Kiswahili (Kenya)', 'sw'), ('en_GB', 'en'), ('Français', 'fr'),
        ('en/rw', 'en'), ('rw,en', 'rw'), ('sw;q=1', 'sw'), ('de', NULL), ('', NULL), (NULL, NULL)$$, 'languages by code and name');
SELECT 1 AS leave FROM t.call('g1', '+250780000021', '{"language": "en"}') \gset
SELECT is(pg_temp.word('+250780000021', 'help'), 'EN', 'after a call in English');
SELECT is(pg_temp.word('+250780000021', 'help', 'rw'), 'RW', 'a Kinyarwanda word is answered in Kinyarwanda');
SELECT is(pg_temp.speaks('+250780000021'), 'rw', '... which is the person''s language from now on');
SELECT is(pg_temp.word('+250780000021', 'help'), 'RW', '... also when the next word is anybody''s');
SELECT is(pg_temp.word('+250780000021', 'stop', 'fr'), 'FR', 'so with a word that stops');
SELECT 1 AS leave FROM t.call('g1', NULL, '{"language": "en"}') \gset
SELECT is(pg_temp.speaks('+250780000021'), 'fr', 'what was known of the call before is no news');
SELECT 1 AS leave FROM t.call('g2', '+250780000021', '{"language": "sw"}') \gset
SELECT is(pg_temp.speaks('+250780000021'), 'sw', 'a later call''s language is');
SELECT 1 AS leave FROM t.call('g3', '+250780000021') \gset
SELECT is(pg_temp.speaks('+250780000021'), 'sw', '... a call without one changes nothing');
SELECT is(pg_temp.word('+250780000022', 'help'), 'EN', 'of whom nothing is known is told in English');
UPDATE profiles SET preferred_language = 'Kinyarwanda' WHERE phone_number = '+250780000022';
SELECT is(pg_temp.word('+250780000022', 'help'), 'RW', 'a language by its name is one');

SELECT session_id AS session FROM t.inbound('+250780000023') \gset
SELECT is((SELECT was FROM session_note(:'session', NULL, '{"language": "French", "budget": 1}')), 'active', 'an agent notes the language');
SELECT is(pg_temp.speaks('+250780000023'), 'fr', '... it is the person''s');
SELECT is((SELECT was FROM session_note(:'session', NULL, '{"language": "Klingon"}')), 'active', '... one that is none of ours');
SELECT is(pg_temp.speaks('+250780000023'), 'fr', '... is not');
SELECT 1 AS leave FROM t.call('g4', '+250780000023', '{"transcript": "Ndashaka inzu", "ended": true}') \gset
SELECT id, token FROM claim_transcripts('w', 1, 60) \gset
SELECT is(finish_transcript(:'id', :token, '["Inzu"]', '[]', 'rw', NULL), 'made', 'a text is made from a transcript');
SELECT is(pg_temp.speaks('+250780000023'), 'rw', '... its language is the person''s');
SELECT is((pg_temp.call('g4')).language, 'rw', '... and the call''s');

-- The rest of a long SMS, asked for by WhatsApp ------------------------------------------------------------------------------------

SELECT is(message_rest('[{"text": "One.\n1 for more"}, {"text": "and two\n1 for more"}, {"text": "three\n1 for more"}, {"text": "2. four"}]'),
    E'One.\nand two three\n2. four', 'parts are one text again, without the lines that ask');
SELECT is(message_rest('[{"text": "a\nb"}]'), E'a\nb', '... the last has none');
CREATE FUNCTION pg_temp.asks(phone text, channel text, choice int DEFAULT NULL) RETURNS uuid LANGUAGE sql AS $$
    SELECT message_id FROM record_inbound_message(channel, CASE channel WHEN 'sms' THEN 'mtn' ELSE 'meta' END, uuid_v7()::text, phone, NULL,
        CASE channel WHEN 'whatsapp' THEN 'RW.' || phone END, NULL, '1', clock_timestamp(), jsonb_strip_nulls(jsonb_build_object('kind', 'text', 'choice', choice,
        'wants_more', jsonb_build_object('provider', CASE channel WHEN 'sms' THEN 'mtn' ELSE 'meta' END, 'cost_rwf', 6.000))), '', NULL, true, 0,
        ARRAY[uuid_v7(), uuid_v7(), uuid_v7()])
$$;
CREATE FUNCTION pg_temp.long(phone text, facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT t.enqueue(r.session_id, jsonb_build_object('recipient_phone', phone, 'content', E'Part one.\nMore: 1', 'metadata',
        '{"kind": "text", "language": "en", "more": [{"text": "Part two.\nMore: 1", "segments": 2, "cost_rwf": 30.000}, {"text": "Part three.", "segments": 1, "cost_rwf": 15.000}]}'::jsonb || facts))
      FROM t.inbound(phone) AS r
$$;
CREATE FUNCTION pg_temp.last(phone text) RETURNS message_delivery_log LANGUAGE sql AS $$
    SELECT m.* FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id
     WHERE p.phone_number = phone AND m.direction = 'outbound' ORDER BY m.seq DESC LIMIT 1
$$;
SELECT pg_temp.long('+250780000031') AS first \gset
SELECT pg_temp.asks('+250780000031', 'whatsapp', 1) AS m \gset
SELECT results_eq($$SELECT channel, provider, message_type, content, recipient_phone, cost_rwf, segments, status, metadata FROM pg_temp.last('+250780000031')$$,
    $$VALUES ('whatsapp', 'meta', 'reply', E'Part two.\nPart three.', '+250780000031', 6.000, 1, 'pending', '{"kind": "text", "language": "en", "bsuid": "RW.+250780000031"}'::jsonb)$$,
    'all of it comes, where it was asked for');
SELECT is((SELECT awaits_turn FROM message_delivery_log WHERE id = :'m'), false, '... and the agent is not asked');
SELECT pg_temp.asks('+250780000031', 'sms', 1) AS m \gset
SELECT is((SELECT awaits_turn FROM message_delivery_log WHERE id = :'m'), true, '... there is no more after that');
SELECT pg_temp.long('+250780000032') AS first \gset
SELECT pg_temp.asks('+250780000032', 'sms') AS m \gset
SELECT is((pg_temp.last('+250780000032')).content, E'Part two.\nMore: 1', 'by SMS the next part comes');
SELECT pg_temp.asks('+250780000032', 'whatsapp') AS m \gset
SELECT is((pg_temp.last('+250780000032')).content, 'Part three.', '... and the last by WhatsApp');
SELECT pg_temp.long('+250780000033', '{"options": ["a", "b"]}') AS first \gset
SELECT pg_temp.asks('+250780000033', 'whatsapp', 1) AS m \gset
SELECT is((SELECT metadata ->> 'option' FROM message_delivery_log WHERE id = :'m'), 'a', 'where there is a list the figure is the list''s');
SELECT is((pg_temp.last('+250780000033')).channel, 'sms', '... and nothing follows');
SELECT pg_temp.long('+250780000033', '{"options": ["a", "b"]}') AS first \gset
SELECT pg_temp.asks('+250780000033', 'whatsapp') AS m \gset
SELECT is((pg_temp.last('+250780000033')).metadata ? 'options', false, 'a word brings the rest, which is no list of its own');
SELECT pg_temp.long('+250780000034') AS first \gset
UPDATE profiles SET allows_whatsapp = false WHERE phone_number = '+250780000034';
SELECT pg_temp.asks('+250780000034', 'whatsapp') AS m \gset
SELECT is((pg_temp.last('+250780000034')).id, :'first', 'who said STOP there gets nothing there');
SELECT pg_temp.long('+250780000035') AS first \gset
UPDATE message_delivery_log SET created_at = clock_timestamp() - interval '25 hours' WHERE id = :'first';
SELECT pg_temp.asks('+250780000035', 'whatsapp') AS m \gset
SELECT is((SELECT awaits_turn FROM message_delivery_log WHERE id = :'m'), true, 'a day later the rest is gone');

SELECT * FROM finish();
