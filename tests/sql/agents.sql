-- Agents: who answers, what they read, the breaker of their server, and conversations of two machines.
SELECT plan(143);

CREATE FUNCTION pg_temp.done(session uuid, evidence jsonb DEFAULT '{}', reply_rows jsonb DEFAULT '[]') RETURNS text LANGUAGE sql AS $$
    SELECT finish_turn(c.turn_id, session, c.token, true, reply_rows, evidence, NULL, 900) FROM t.turn(session) AS c
$$;
CREATE FUNCTION pg_temp.failed(session uuid, evidence jsonb, retry_s float8 DEFAULT 60) RETURNS text LANGUAGE sql AS $$
    SELECT finish_turn(c.turn_id, session, c.token, false, jsonb_build_array(t.outbound('{"message_type": "fallback"}')), evidence, retry_s, 900)
      FROM t.turn(session) AS c
$$;
CREATE FUNCTION pg_temp.sent(session uuid, type text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM message_delivery_log WHERE session_id = session AND direction = 'outbound' AND message_type = type
$$;
CREATE FUNCTION pg_temp.agent(session uuid) RETURNS text LANGUAGE sql AS $$
    SELECT (agent_for(s.last_agent_id, s.last_intent)).slug FROM omnichannel_sessions s WHERE s.id = session
$$;
-- What was said to the agent's server and by the person happened so long ago.
CREATE FUNCTION pg_temp.ago(session uuid, how_long interval) RETURNS void LANGUAGE sql AS $$
    UPDATE turns SET finished_at = finished_at - how_long WHERE session_id = session;
    UPDATE message_delivery_log SET created_at = created_at - how_long WHERE session_id = session;
$$;

-- The rows ------------------------------------------------------------------------------------------------------------------

SELECT results_eq('SELECT slug, is_default FROM agents ORDER BY slug',
    $$VALUES ('call_center', true), ('insurance', false), ('jobs', false), ('real_estate', false), ('rides', false)$$, 'five agents');
SELECT is(count(*), 5::bigint, 'each knows that it goes on with a call, in short, and says only what was done')
  FROM agents WHERE instructions LIKE '%may have called us%' AND instructions LIKE '%at most three sentences%' AND instructions LIKE '%unless a tool''s result says so%';
SELECT is(count(*), 5::bigint, '... and on the phone, that the summary comes before the goodbye')
  FROM agents WHERE voice_instructions LIKE '%Before you hang up%call_log_summary with ended: true%';
SELECT is(count(*), 5::bigint, '... and may send, read, note and hand over')
  FROM agents WHERE tools @> ARRAY['messaging_send_sms', 'session_get_context', 'session_add_context', 'agent_handover'];
SELECT is(max(n), 1::bigint, 'an intent leads to one agent') FROM (SELECT count(*) AS n FROM agents, unnest(intents) AS i GROUP BY i) x;

-- Who answers -----------------------------------------------------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT is(pg_temp.agent(:'session'), 'call_center', 'without an intent the Call Center answers');
SELECT update_omnichannel_session_status(:'session', 'active', NULL, NULL, 'Housing') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'real_estate', 'an intent leads to its agent, however it is spelled');
SELECT update_omnichannel_session_status(:'session', 'active', NULL, NULL, 'pharmacy') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'call_center', 'one that is nobody''s leads to the Call Center');
SELECT session_handover(:'session', 'jobs', 'asked for work') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'jobs', 'a handover goes before the intent');
SELECT update_omnichannel_session_status(:'session', 'active', NULL, NULL, 'pharmacy') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'jobs', '... and the same intent again changes nothing');
SELECT update_omnichannel_session_status(:'session', 'active', NULL, NULL, 'ride') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'rides', '... but another one that has its agent does');
SELECT session_handover(:'session', 'call_center', 'something else') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'call_center', '... and it can be handed back');
SELECT update_omnichannel_session_status(:'session', 'active', NULL, 'insurance', 'jobs') AS leave \gset
SELECT is(pg_temp.agent(:'session'), 'insurance', 'an agent that is named together with an intent is the one');

-- ... and a turn that is running does not undo what was chosen meanwhile.
SELECT session_id AS chosen FROM t.inbound('+250781000077', '{"content": "one"}') \gset
SELECT turn_id, token FROM t.turn(:'chosen') \gset
SELECT session_handover(:'chosen', 'jobs', 'by an operator') AS leave \gset
SELECT is(finish_turn(:'turn_id', :'chosen', :token, true, '[]', '{"agent": "call_center"}', NULL, 900), 'done', 'a turn of one agent ends after a handover');
SELECT is(pg_temp.agent(:'chosen'), 'jobs', '... the other one goes on');
SELECT 1 AS leave FROM t.inbound('+250781000077', '{"content": "two"}') \gset
SELECT turn_id, token FROM t.turn(:'chosen') \gset
SELECT update_omnichannel_session_status(:'chosen', 'active', NULL, NULL, 'taxi') AS leave \gset
SELECT is(finish_turn(:'turn_id', :'chosen', :token, true, '[]', '{"agent": "jobs"}', NULL, 900), 'done', 'a turn ends after the call brought another intent');
SELECT is(pg_temp.agent(:'chosen'), 'rides', '... whose agent goes on');
SELECT 1 AS leave FROM update_session_status(:'chosen', 'closed') \gset

-- What they read ------------------------------------------------------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250781000001', '{"content": "one"}') \gset
SELECT t.enqueue(:'session', '{"content": "short", "channel": "sms", "group_id": "00000000-0000-7000-8000-000000000001"}') AS leave \gset
SELECT t.enqueue(:'session', '{"content": "rich", "channel": "whatsapp", "provider": "meta", "group_id": "00000000-0000-7000-8000-000000000001"}') AS leave \gset
SELECT t.enqueue(:'session', '{"content": "sorry", "message_type": "fallback"}') AS leave \gset
SELECT message_id AS two FROM t.inbound('+250781000001', '{"content": "two", "channel": "whatsapp"}') \gset
SELECT (t.message(:'two')).seq AS upto \gset
SELECT 1 AS leave FROM t.inbound('+250781000001', '{"content": "three"}') \gset
SELECT results_eq(format($$SELECT l ->> 'text', l ->> 'channel', (l ->> 'inbound')::boolean, (l ->> 'waits')::boolean FROM jsonb_array_elements(session_lines(%L, %L, 40)) AS l$$, :'session', :'upto'),
    $$VALUES ('rich', 'whatsapp', false, false), ('one', 'sms', true, true), ('two', 'whatsapp', true, true)$$,
    'the messages of all channels up to the turn''s last, what waits at the end, what went out twice only once, no fallback sentences');
SELECT is(jsonb_array_length(session_lines(:'session', :'upto', 1)), 1, '... as many as wanted');
SELECT is(session_lines(:'session', :'upto', 1) -> 0 ->> 'text', 'two', '... the latest');
SELECT matches(session_lines(:'session', :'upto', 1) -> 0 ->> 'at', '^[A-Z][a-z]{2} \d\d [A-Z][a-z]{2} \d\d:\d\d$', '... with the local time');

SELECT session_id AS twice FROM t.call('twice-1', '+250781000009', '{"ended": true, "summary": "A house in Gikondo"}') \gset
SELECT notify_call(id, jsonb_build_array(t.outbound('{"message_type": "summary", "content": "A house in Gikondo", "call_id": "twice-1", "idem_key": "summary:twice-1:sms:1"}')), 'sent', NULL) AS leave
  FROM call_summaries WHERE call_id = 'twice-1' \gset
SELECT is(session_lines(:'twice', 1000000, 40), NULL, 'the summary of the call it is about is no line of the conversation');
SELECT 1 AS leave FROM t.call('twice-2', '+250781000009', '{"ended": true, "summary": "A car from Nyanza"}') \gset
SELECT is(session_lines(:'twice', 1000000, 40) -> 0 ->> 'text', 'A house in Gikondo', '... but one of a call before is');

-- Long texts in parts, which a telephone numbers up to 255.
CREATE FUNCTION pg_temp.part(phone text, ref text, part int, content text) RETURNS uuid LANGUAGE sql AS $$
    SELECT r.session_id FROM record_inbound_message('sms', 'mtn', uuid_v7()::text, phone, NULL, NULL, NULL, content, clock_timestamp(),
        jsonb_build_object('ref', ref, 'part', part, 'parts', 2), '', NULL, true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) AS r
$$;
CREATE FUNCTION pg_temp.texts(session uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg((l ->> 'text') || CASE WHEN (l ->> 'waits')::boolean THEN '?' ELSE '' END, '|' ORDER BY n)
      FROM jsonb_array_elements(session_lines(session, 1000000000, 40)) WITH ORDINALITY AS j (l, n)
$$;
SELECT pg_temp.part('+250781000016', '7', 2, 'in Remera') AS leave, pg_temp.part('+250781000016', '7', 1, 'A house ') AS session \gset
SELECT is(pg_temp.texts(:'session'), 'A house in Remera?', 'the parts of a long text are one message, in whatever order they came');
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp() WHERE id = :'session';
SELECT pg_temp.done(:'session') AS leave \gset
SELECT pg_temp.part('+250781000016', '7', 1, 'A car ') AS leave, pg_temp.part('+250781000016', '7', 2, 'from Nyanza') AS leave \gset
SELECT is(pg_temp.texts(:'session'), 'A house in Remera|A car from Nyanza?', '... another one by the same number is another message');
SELECT pg_temp.part('+250781000016', '7', 1, 'A field ') AS leave, pg_temp.part('+250781000016', '7', 2, 'in Huye') AS leave \gset
SELECT is(pg_temp.texts(:'session'), 'A house in Remera|A car from Nyanza?|A field in Huye?', '... also where both wait');

-- What never arrived was not said.
SELECT session_id AS session FROM t.inbound('+250781000017', '{"content": "a house?"}') \gset
UPDATE message_delivery_log SET awaits_turn = false WHERE session_id = :'session';
SELECT t.enqueue(:'session', '{"content": "In Remera.", "channel": "whatsapp", "provider": "meta", "group_id": "00000000-0000-7000-8000-000000000017"}') AS rich \gset
SELECT t.finish(:'rich', t.claim(:'rich'), 'permanent', '{"error_code": "x"}') AS leave \gset
SELECT is(pg_temp.texts(:'session'), 'a house?|[not delivered] In Remera.', 'a reply that died is shown as one that did not arrive');
SELECT t.enqueue(:'session', '{"content": "In Remera", "group_id": "00000000-0000-7000-8000-000000000017"}') AS plain \gset
SELECT is(pg_temp.texts(:'session'), 'a house?|In Remera', '... unless it goes by the other channel: then what goes there');
SELECT t.finish(:'plain', t.claim(:'plain'), 'accepted', '{"external_id": "lost-1"}') AS leave \gset
SELECT is(pg_temp.texts(:'session'), 'a house?|In Remera', '... or went');
SELECT t.report('lost-1', NULL, 'undelivered') AS leave \gset
SELECT is(pg_temp.texts(:'session'), 'a house?|[not delivered] In Remera.', '... until its network says that it did not arrive either');

-- The conversation before -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.ends(session uuid, how_long_ago interval DEFAULT '0') RETURNS void LANGUAGE sql AS $$
    UPDATE omnichannel_sessions SET status = 'closed', closed_at = clock_timestamp() - how_long_ago, started_at = started_at - how_long_ago
     WHERE id = session AND status <> 'closed'
$$;
SELECT session_id AS first FROM t.inbound('+250781000002', '{"content": "in the first"}') \gset
SELECT pg_temp.ends(:'first', '29 days') \g /dev/null
SELECT session_id AS second FROM t.inbound('+250781000002') \gset
SELECT is((SELECT b.session_id FROM session_before(:'second') AS b), :'first', 'a conversation of the last thirty days is brought along');
SELECT is((SELECT b.session_id FROM session_before(:'first') AS b), NULL, '... the first one has none');
SELECT pg_temp.ends(:'second') \g /dev/null
SELECT session_id AS third FROM t.inbound('+250781000002') \gset
SELECT is((SELECT b.session_id FROM session_before(:'third') AS b), :'second', '... only the latest');
UPDATE omnichannel_sessions SET closed_at = clock_timestamp() - interval '31 days' WHERE id = :'second';
SELECT is((SELECT b.session_id FROM session_before(:'third') AS b), NULL, '... no older one');

SELECT session_id AS first FROM t.inbound('+250781000003', '{"content": "x"}') \gset
UPDATE message_delivery_log SET metadata = '{"keyword": "stop"}' WHERE session_id = :'first';
SELECT pg_temp.ends(:'first') \g /dev/null
SELECT session_id AS second FROM t.inbound('+250781000003') \gset
SELECT is((SELECT b.session_id FROM session_before(:'second') AS b), NULL, 'after STOP nothing is brought along');

-- A call with a text, then conversations without one.
CREATE FUNCTION pg_temp.call_of(phone text, call text, summary text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    s uuid := (SELECT o.id FROM session_open(t.person(phone), 'voice', call, NULL, NULL, uuid_v7()) AS o);
BEGIN
    INSERT INTO call_summaries (call_id, profile_id, session_id, summary_text) VALUES (call, t.person(phone), s, summary);
    RETURN s;
END $$;
CREATE FUNCTION pg_temp.call_before(session uuid) RETURNS text LANGUAGE sql AS $$ SELECT b.call_id FROM session_before(session) AS b $$;
SELECT pg_temp.call_of('+250781000008', 'before-1', 'A house in Remera.') AS called \gset
SELECT pg_temp.ends(:'called', '20 days') \g /dev/null
SELECT session_id AS second FROM t.inbound('+250781000008', '{"content": "thanks"}') \gset
SELECT is(pg_temp.call_before(:'second'), 'before-1', 'the call before is brought along');
SELECT pg_temp.ends(:'second', '10 days') \g /dev/null
SELECT pg_temp.call_of('+250781000008', 'before-2', '') AS third \gset
SELECT pg_temp.ends(:'third', '5 days') \g /dev/null
SELECT session_id AS fourth FROM t.inbound('+250781000008', '{"content": "is it free?"}') \gset
SELECT is(pg_temp.call_before(:'fourth'), 'before-1', '... also over conversations and calls that left no text');
SELECT is((SELECT b.session_id FROM session_before(:'fourth') AS b), :'third', '... the messages are the latest conversation''s');
UPDATE omnichannel_sessions SET starts_afresh = true WHERE id = :'second';
SELECT is(pg_temp.call_before(:'fourth'), NULL, '... but not from before NEW');
UPDATE omnichannel_sessions SET starts_afresh = false WHERE id = :'second';
UPDATE omnichannel_sessions SET starts_afresh = true WHERE id = :'called';
SELECT is(pg_temp.call_before(:'fourth'), 'before-1', '... which hides nothing of what it began');
UPDATE message_delivery_log SET metadata = '{"keyword": "stop"}' WHERE session_id = :'second';
SELECT is(pg_temp.call_before(:'fourth'), NULL, '... nor from before a STOP');
SELECT is((SELECT b.session_id FROM session_before(:'fourth') AS b), :'third', '... though what came after it is');
UPDATE message_delivery_log SET metadata = '{}' WHERE session_id = :'second';
UPDATE omnichannel_sessions SET closed_at = clock_timestamp() - interval '31 days' WHERE id = :'called';
SELECT is(pg_temp.call_before(:'fourth'), NULL, '... nor an older one');

CREATE FUNCTION pg_temp.afresh(phone text, external_id text) RETURNS TABLE (outcome text, session_id uuid, session_created boolean) LANGUAGE sql AS $$
    SELECT r.outcome, r.session_id, r.session_created FROM record_inbound_afresh('sms', 'mtn', external_id, phone, NULL, NULL, NULL, 'NEW', clock_timestamp(),
        '{"keyword": "new"}', 'new', jsonb_build_object('id', uuid_v7(), 'texts', '{"en": "anew"}'::jsonb, 'provider', 'mtn', 'cost_rwf', 15, 'metadata', '{}'::jsonb),
        true, 0, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]) AS r
$$;
SELECT session_id AS before FROM t.inbound('+250781000004') \gset
SELECT outcome, session_id AS session, session_created AS created FROM pg_temp.afresh('+250781000004', 'new-1') \gset
SELECT results_eq(format('SELECT %L, %L::boolean, %L <> %L', :'outcome', :'created', :'session', :'before'), $$VALUES ('new', true, true)$$, 'NEW opens another conversation');
SELECT results_eq(format('SELECT status, closed_at IS NOT NULL, starts_afresh FROM omnichannel_sessions WHERE id IN (%L, %L) ORDER BY started_at', :'before', :'session'),
    $$VALUES ('closed', true, false), ('active', false, true)$$, '... the one before is closed');
SELECT is((SELECT b.session_id FROM session_before(:'session') AS b), NULL, '... and not told of');
SELECT results_eq(format('SELECT message_type, content FROM message_delivery_log WHERE session_id = %L AND direction = ''outbound''', :'session'), $$VALUES ('confirmation', 'anew')$$, '... it is confirmed');
SELECT results_eq($$SELECT outcome, session_created FROM pg_temp.afresh('+250781000004', 'new-1')$$, $$VALUES ('duplicate', false)$$, 'the same message again changes nothing');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session'), 'active', '... the conversation stays open');
SELECT is((SELECT count(*) FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id WHERE p.phone_number = '+250781000004'), 2::bigint, '... and there is no third');
SELECT is((SELECT turn_due_at IS NOT NULL FROM omnichannel_sessions WHERE id = :'before'), true, 'what waited in the one before has its turn there');
SELECT turn_id, token FROM t.turn(:'before') \gset
SELECT is((SELECT verdict FROM turn_check(:'before', 9223372036854775807, 'agent:h', 1)), 'left', '... in which the agent is not asked');
SELECT is((SELECT verdict FROM turn_check(:'session', 9223372036854775807, 'agent:h', 1)), 'go', '... as it is in the new one');
SELECT id AS call FROM tool_begin(jsonb_build_object('id', uuid_v7(), 'tool', 'messaging_send_sms', 'caller', 'turn', 'profile_id', t.profile_of(:'before'),
    'session_id', :'before', 'hash', 'h', 'counts', true)) \gset
SELECT is((SELECT verdict FROM tool_send(:'call', t.profile_of(:'before'), :'before', :token, jsonb_build_array(t.outbound('{"message_type": "tool"}')), '[]', false, uuid_v7())),
    'stale', '... and no tool of which sends any more');
SELECT is(finish_turn(:'turn_id', :'before', :token, false, jsonb_build_array(t.outbound('{}')), '{"agent": "call_center"}', 60, 900), 'done', '... which ends it');
SELECT is((SELECT error_code FROM turns WHERE id = :'turn_id'), 'began_anew', '... says why');
SELECT is((SELECT count(*) FILTER (WHERE direction = 'outbound') + count(*) FILTER (WHERE awaits_turn) FROM message_delivery_log WHERE session_id = :'before'), 0::bigint,
    '... and sends nothing: its answer would come after the new beginning');
SELECT session_id AS before FROM t.inbound('+250781000014') \gset
SELECT 1 AS leave FROM pg_temp.afresh('+250781000014', 'new-4') \gset
SELECT turn_id, token FROM t.turn(:'before') \gset
SELECT is(finish_turn(:'turn_id', :'before', :token, false, '[]', '{"agent": "call_center", "ending": "paused"}', 60, 900), 'done', 'also where the agent''s server rests');
SELECT is((SELECT status FROM turns WHERE id = :'turn_id'), 'failed', '... which the turn says');
SELECT is((SELECT count(*) FROM sessions_needing_human WHERE session_id = :'before'), 0::bigint, '... and no person need look at it');
SELECT session_id AS before FROM t.inbound('+250781000015') \gset
SELECT 1 AS leave FROM pg_temp.afresh('+250781000015', 'new-5') \gset
SELECT turn_id, token FROM t.turn(:'before') \gset
SELECT is(finish_turn(:'turn_id', :'before', :token, true, '[]', '{"ending": "stopped", "error_code": "loop", "mute_s": 3600}', NULL, 900), 'done', 'a loop that was left by NEW');
SELECT is((SELECT count(*) FROM sessions_needing_human WHERE session_id = :'before'), 0::bigint, '... is no person''s either');
SELECT results_eq($$SELECT outcome, session_created FROM pg_temp.afresh('+250781000005', 'new-2')$$, $$VALUES ('new', true)$$, 'a stranger may say NEW');

-- Evidence --------------------------------------------------------------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250781000006') \gset
SELECT pg_temp.done(:'session', '{"agent": "rides", "model": "m", "provider": "agent:h", "rounds": 2, "duration_ms": 1234, "tool_calls": [{"tool": "x", "outcome": "ok"}], "says": "ok", "prompt_tokens": 1, "completion_tokens": 2}') AS leave \gset
SELECT results_eq(format('SELECT status, agent, model, provider, rounds, duration_ms, tool_calls -> 0 ->> ''outcome'' FROM turns WHERE session_id = %L', :'session'),
    $$VALUES ('done', 'rides', 'm', 'agent:h', 2, 1234, 'ok')$$, 'a turn leaves what it did');

-- Two machines -----------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.exchange(phone text, content text, channel text DEFAULT 'sms', ours text DEFAULT NULL) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    s uuid := (SELECT i.session_id FROM t.inbound(phone, jsonb_build_object('content', content, 'channel', channel)) AS i);
BEGIN
    PERFORM finish_turn(c.turn_id, s, c.token, true, CASE WHEN ours <> '' THEN jsonb_build_array(t.outbound(jsonb_build_object(
        'content', ours, 'turn_id', c.turn_id))) ELSE '[]' END, '{}', NULL, 900) FROM t.turn(s) AS c;
    RETURN s;
END $$;
CREATE FUNCTION pg_temp.loops(session uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT session_loops(session, 9223372036854775807) $$;

SELECT pg_temp.exchange('+250782000001', 'quick ' || n, ours => 'answer ' || chr(96 + n)) AS session FROM generate_series(1, 5) AS n LIMIT 5 \g /dev/null
SELECT session_id AS session FROM t.inbound('+250782000001', '{"content": "quick 6"}') \gset
SELECT is(pg_temp.loops(:'session'), false, 'five quick exchanges are a talk');
SELECT pg_temp.done(:'session', '{}', jsonb_build_array(t.outbound('{"content": "answer f"}'))) AS leave \gset
SELECT is(pg_temp.loops(:'session'), false, '... six too, while nobody answers the sixth');
SELECT 1 AS leave FROM t.inbound('+250782000001', '{"content": "quick 7"}') \gset
SELECT is(pg_temp.loops(:'session'), true, '... the seventh message comes from a machine');
SELECT pg_temp.ago(:'session', '3 minutes') \g /dev/null
SELECT is(pg_temp.loops(:'session'), false, '... not, when they lie back');

-- Speed alone is no machine: a person writes message after message, whatever the agent says.
CREATE FUNCTION pg_temp.talk(phone text, theirs text[], ours text[] DEFAULT NULL, pause interval DEFAULT '0', option boolean DEFAULT false)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    s uuid;
    muted boolean := false;
BEGIN
    FOR i IN 1..cardinality(theirs) LOOP
        s := (SELECT x.session_id FROM t.inbound(phone, jsonb_build_object('content', theirs[i])) AS x);
        IF option THEN
            UPDATE message_delivery_log SET metadata = '{"option": "Yes"}' WHERE session_id = s AND direction = 'inbound';
        END IF;
        muted := muted OR pg_temp.loops(s);
        PERFORM finish_turn(c.turn_id, s, c.token, true, CASE WHEN ours[i] <> '' THEN jsonb_build_array(t.outbound(jsonb_build_object(
            'content', ours[i], 'turn_id', c.turn_id))) ELSE '[]' END, '{}', NULL, 900) FROM t.turn(s) AS c;
        PERFORM pg_temp.ago(s, pause);
    END LOOP;
    RETURN muted;
END $$;
CREATE FUNCTION pg_temp.words(form text, n int) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(format(form, w) ORDER BY o)
      FROM unnest(ARRAY['house', 'car', 'two rooms', 'Remera', 'cheap', 'now', 'garden', 'near', 'bus', 'water', 'walls', 'fine']) WITH ORDINALITY AS u (w, o) WHERE o <= n
$$;
SELECT is(pg_temp.talk('+250782000030', pg_temp.words('%s', 12), pg_temp.words('And %s?', 12)), false, 'twelve different messages in a row are a person''s');
SELECT is(pg_temp.talk('+250782000031', pg_temp.words('%s', 12), array_fill('Noted.'::text, ARRAY[12])), false, '... also where we always say the same');
SELECT is(pg_temp.talk('+250782000032', array_fill('Yego'::text, ARRAY[5]), pg_temp.words('Do you want %s?', 5)), false, 'yes to five questions is a person''s');
SELECT is(pg_temp.talk('+250782000033', array_fill('1'::text, ARRAY[8]), pg_temp.words('Which %s?', 8), '14 s'), false, '... and so is the same figure to eight, slowly');
SELECT is(pg_temp.talk('+250782000034', array_fill('Yes'::text, ARRAY[9]), array_fill('Yes or no?'::text, ARRAY[9]), option => true), false, '... and what names an option says nothing');
SELECT is(pg_temp.talk('+250782000035', ARRAY['1', '2', '3', '12', '7', '450', '9', '8'], pg_temp.words('How many %s?', 8)), false, 'figures are compared as figures');
SELECT is(pg_temp.talk('+250782000036', array_fill('Sorry, we are closed.'::text, ARRAY[7]), pg_temp.words('Do you want %s?', 7)), true, 'quick and the same words is a machine, whatever we say');
SELECT is(pg_temp.talk('+250782000037', ARRAY['Plot 12', 'Plot 13', 'Plot 14', 'Plot 7', 'Plot 9'], array_fill('Noted.'::text, ARRAY[5]), '60 s'), false,
    'who writes one number after the other, slowly, is none');
SELECT is(pg_temp.talk('+250782000038', ARRAY['Ticket AB-12 at 9:41', 'ticket AC-13 at 9:42', 'Ticket AD-14, at 9:43!', 'Ticket 7 at 9:44', 'ticket 8 at 9:45', 'Ticket 9 at 9:46', 'Ticket 10 at 9:47'],
    pg_temp.words('Do you want %s?', 7)), true, 'the same words but for a number and the time, quickly, are a machine''s');
SELECT is(pg_temp.talk('+250782000038', pg_temp.words('Which %s?', 7), ARRAY['x'] || pg_temp.words('Which %s?', 7)), false, 'what differs from what we said');
SELECT is(pg_temp.talk('+250782000039', ARRAY['x'] || pg_temp.words('Which %s?', 7), pg_temp.words('Which %s?', 8)), true, '... quick and the same as what we said: an echo');
SELECT is(pg_temp.talk('+250782000040', ARRAY['Main menu', 'Bad choice', 'Main menu', 'Bad choice', 'Main menu', 'Bad choice', 'Main menu'], ARRAY['a', 'b', 'a', 'b', 'a', 'b', 'a']), true, 'two menus that call each other');
SELECT is(pg_temp.talk('+250782000041', array_fill('We have received your message, thank you'::text, ARRAY[6]), pg_temp.words('Do you want %s?', 6), '60 s'), false, 'the same sentence six times, slowly');
SELECT is(pg_temp.talk('+250782000042', array_fill('We have received your message, thank you'::text, ARRAY[7]), pg_temp.words('Do you want %s?', 7), '60 s'), true, '... seven times, whatever we say, is a machine');

SELECT 1 AS leave FROM t.inbound('+250782000042', '{"content": "We have received your message, thank you"}') \gset
SELECT pg_temp.done(session_id, '{"ending": "stopped", "mute_s": 0, "error_code": "loop"}') AS leave FROM t.inbound('+250782000042') \gset
SELECT is(pg_temp.talk('+250782000042', ARRAY['We have received your message, thank you']), false, '... but what was before a silence does not count when it is over');

-- Options are chosen without reading to the end.
SELECT pg_temp.exchange('+250782000008', 'tap ' || n, ours => 'answer ' || chr(96 + n)) AS session FROM generate_series(1, 6) AS n LIMIT 6 \g /dev/null
SELECT session_id AS session FROM t.inbound('+250782000008', '{"content": "tap 7"}') \gset
SELECT is(pg_temp.loops(:'session'), true, 'seven quick messages are a machine''s');
UPDATE message_delivery_log SET metadata = '{"option": "Remera"}' WHERE session_id = :'session' AND content = 'tap 4';
SELECT is(pg_temp.loops(:'session'), false, '... but not when one of them names an option');
UPDATE message_delivery_log SET metadata = '{"tapped": true}' WHERE session_id = :'session' AND content = 'tap 4';
SELECT is(pg_temp.loops(:'session'), false, '... or was tapped');

-- A machine that gets fixed answers, each sent at once.
CREATE FUNCTION pg_temp.fixed(phone text, keyword text, words text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    s uuid := (SELECT i.session_id FROM t.inbound(phone, jsonb_build_object('content', keyword, 'keyword', keyword, 'answer', jsonb_build_object('id', uuid_v7(),
        'texts', jsonb_build_object('en', words), 'provider', 'mtn', 'cost_rwf', 15, 'metadata', '{}'::jsonb))) AS i);
BEGIN
    PERFORM t.finish(m.id, t.claim(m.id), 'accepted') FROM message_delivery_log m
      WHERE m.session_id = s AND m.message_type = 'confirmation' AND m.status = 'pending';
    RETURN s;
END $$;
SELECT pg_temp.fixed('+250782000020', CASE n % 2 WHEN 1 THEN 'stop' ELSE 'start' END, 'sentence ' || n) AS session FROM generate_series(1, 6) AS n LIMIT 6 \g /dev/null
SELECT pg_temp.fixed('+250782000020', 'stop', 'sentence 7') AS session \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 6::bigint, 'STOP and START for ever: six confirmations');
SELECT is((SELECT p.allows_sms FROM profiles p WHERE p.phone_number = '+250782000020'), false, '... but every word counts');
SELECT pg_temp.fixed('+250782000020', 'start', 'sentence 8') AS leave \gset
SELECT is((SELECT count(*)::int FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 1, '... then a turn is to say that there is silence');
SELECT pg_temp.done(:'session', '{"ending": "stopped", "mute_s": 3600, "error_code": "loop"}') AS leave \gset
SELECT pg_temp.fixed('+250782000020', 'stop', 'sentence 9') AS leave \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 6::bigint, '... which there is');
UPDATE message_delivery_log SET created_at = created_at - interval '61 minutes' WHERE session_id = :'session';
SELECT pg_temp.fixed('+250782000020', 'start', 'sentence 10') AS leave \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 7::bigint, '... but a word like STOP is confirmed also then, later');
SELECT pg_temp.fixed('+250782000020', '', 'a picture') AS leave \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 7::bigint, '... a picture is not');

SELECT pg_temp.fixed('+250782000021', '', 'no pictures') AS session FROM generate_series(1, 9) AS n LIMIT 9 \g /dev/null
SELECT pg_temp.fixed('+250782000021', '', 'no voice') AS session \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 2::bigint, 'an album is answered once');
UPDATE message_delivery_log SET created_at = created_at - interval '11 seconds' WHERE session_id = :'session';
SELECT pg_temp.fixed('+250782000021', '', 'no pictures') AS leave \gset
SELECT is(pg_temp.sent(:'session', 'confirmation'), 3::bigint, '... the next one again');
SELECT is(pg_temp.loops(:'session'), false, '... and its sender is a person');

CREATE FUNCTION pg_temp.slow(phone text, n int, pause interval, words text DEFAULT '') RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    s uuid;
BEGIN
    FOR i IN 1..n LOOP
        s := pg_temp.exchange(phone, CASE words WHEN '' THEN 'message ' || i ELSE words END);
        PERFORM pg_temp.ago(s, pause);
    END LOOP;
    RETURN (SELECT x.session_id FROM t.inbound(phone, jsonb_build_object('content', CASE words WHEN '' THEN 'last' ELSE words END)) AS x);
END $$;
SELECT pg_temp.slow('+250782000002', 7, '15 s') AS session \gset
SELECT is(pg_temp.loops(:'session'), false, 'who answers after a quarter of a minute is a person');
SELECT pg_temp.slow('+250782000003', 40, '14 s') AS session \gset
SELECT is(pg_temp.loops(:'session'), true, 'forty turns in ten minutes are too many');
SELECT pg_temp.slow('+250782000004', 39, '14 s') AS session \gset
SELECT is(pg_temp.loops(:'session'), false, '... thirty-nine are not');
SELECT pg_temp.slow('+250782000005', 3, '60 s', 'Thank you for your message') AS session \gset
SELECT is(pg_temp.loops(:'session'), true, 'the same words for the fourth time');
SELECT pg_temp.slow('+250782000006', 2, '60 s', 'ok') AS session \gset
SELECT is(pg_temp.loops(:'session'), false, '... for the third time');
SELECT pg_temp.slow('+250782000007', 4, '4 minutes', 'ok') AS session \gset
SELECT is(pg_temp.loops(:'session'), false, '... for the fourth time, but within a quarter of an hour');

SELECT session_id AS session FROM t.inbound('+250782000010') \gset
SELECT finish_turn(turn_id, :'session', token, true, jsonb_build_array(t.outbound('{"message_type": "fallback"}')), '{"ending": "stopped", "mute_s": 3600, "error_code": "loop"}', NULL, 900) AS result FROM t.turn(:'session') \gset
SELECT results_eq(format('SELECT %L, needs_human, turn_due_at, muted_until > clock_timestamp() + interval ''59 minutes'', %s FROM omnichannel_sessions WHERE id = %L', :'result', pg_temp.sent(:'session', 'fallback'), :'session'),
    $$VALUES ('done', true, NULL::timestamptz, true, 1)$$, 'a turn that is stopped: one notice, a person shall look, silence for an hour');
SELECT is((SELECT status FROM turns WHERE session_id = :'session' ORDER BY token DESC LIMIT 1), 'stopped', '... on record as such');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 0::bigint, '... what waited is not asked for again');
SELECT 1 AS leave FROM t.inbound('+250782000010') \gset
SELECT is((SELECT verdict FROM turn_check(:'session', 9223372036854775807, 'agent:h', 1)), 'muted', '... the next message finds silence');
SELECT pg_temp.done(:'session', '{"ending": "stopped", "error_code": "muted"}') AS leave \gset
SELECT results_eq(format('SELECT needs_human, muted_until BETWEEN clock_timestamp() + interval ''59 minutes'' AND clock_timestamp() + interval ''1 hour'', %s FROM omnichannel_sessions WHERE id = %L', pg_temp.sent(:'session', 'fallback'), :'session'),
    $$VALUES (true, true, 1)$$, '... no second notice, and the hour is not prolonged');

SELECT 1 AS leave FROM t.inbound('+250782000010') \gset
SELECT is(session_hold(:'session', false), 'active', 'an operator ends the silence');
SELECT is((SELECT verdict FROM turn_check(:'session', 9223372036854775807, 'agent:h', 1)), 'go', '... the agent may answer');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 2::bigint, '... what came in it, and has had its silent turn, waits again');
SELECT is(pg_temp.done(:'session'), 'done', '... and has its turn at once');
SELECT session_hold(:'session', false) AS leave \gset
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 0::bigint, '... which is one turn, however often the silence is ended');

CREATE FUNCTION pg_temp.silenced(phone text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    session uuid := (SELECT i.session_id FROM t.inbound(phone) i);
BEGIN
    PERFORM pg_temp.done(session, '{"ending": "stopped", "mute_s": 3600, "error_code": "loop"}');
    PERFORM t.inbound(phone, '{"content": "I am a person"}');
    PERFORM pg_temp.done(session, '{"ending": "stopped", "error_code": "muted"}');
    RETURN session;
END $$;
SELECT pg_temp.silenced('+250782000011') AS session \gset
UPDATE omnichannel_sessions SET muted_until = clock_timestamp() WHERE id = :'session';
SELECT is(session_hold(:'session', false), 'active', 'a silence that has passed by itself');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 1::bigint, '... leaves as much to answer');
SELECT pg_temp.silenced('+250782000012') AS session \gset
UPDATE omnichannel_sessions SET muted_until = clock_timestamp() WHERE id = :'session';
SELECT 1 AS leave FROM t.inbound('+250782000012') \gset
SELECT pg_temp.done(:'session') AS leave \gset
SELECT session_hold(:'session', false) AS leave \gset
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 0::bigint, '... but where the agent has answered since');
SELECT pg_temp.silenced('+250782000013') AS session \gset
SELECT pg_temp.ago(:'session', '1 minute');
SELECT messages_enqueue(:'session', jsonb_build_array(t.outbound('{"message_type": "operator"}'))) AS leave \gset
SELECT session_hold(:'session', false) AS leave \gset
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 0::bigint, '... or an operator');
SELECT pg_temp.silenced('+250782000014') AS session \gset
SELECT id AS call FROM tool_begin(jsonb_build_object('id', uuid_v7(), 'tool', 'operator_send', 'caller', 'operator', 'profile_id', t.profile_of(:'session'), 'session_id', :'session', 'hash', 'h', 'counts', false)) \gset
SELECT 1 AS leave FROM tool_send(:'call', t.profile_of(:'session'), :'session', NULL, jsonb_build_array(t.outbound('{"message_type": "operator"}')), '[]', true, uuid_v7()) \gset
SELECT is((SELECT unanswered FROM sessions_needing_human WHERE session_id = :'session'), 2::bigint, '... who wrote too soon to have read it');
SELECT session_hold(:'session', false) AS leave \gset
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 1::bigint, '... then it waits');

-- The breaker ----------------------------------------------------------------------------------------------------------------------------

SET t.breaker = 'on';
SELECT is(agent_provider('https://API.example.org:8443/v1'), 'agent:api.example.org:8443', 'a server is known by its host');
SELECT session_id AS session FROM t.inbound('+250783000001') \gset
CREATE FUNCTION pg_temp.check(session uuid) RETURNS text LANGUAGE sql AS $$ SELECT verdict FROM turn_check(session, 9223372036854775807, 'agent:x', 1) $$;
CREATE FUNCTION pg_temp.trouble(session uuid, n int, code text DEFAULT 'http_500', says text DEFAULT 'fail') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..n LOOP
        UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp(), turn_attempts = 0 WHERE id = session;
        PERFORM pg_temp.failed(session, jsonb_build_object('provider', 'agent:x', 'says', says, 'error_code', code));
    END LOOP;
    RETURN (SELECT state FROM provider_circuit WHERE provider = 'agent:x');
END $$;
SELECT is(pg_temp.check(:'session'), 'go', 'a server that nobody complained of is asked');
SELECT is(pg_temp.trouble(:'session', 4), 'closed', 'four failures in a row');
SELECT is(pg_temp.trouble(:'session', 3, 'refused', 'ok'), 'closed', '... an answer that does not please is an answer');
SELECT is(pg_temp.trouble(:'session', 4), 'closed', '... and they are no longer in a row');
SELECT is(pg_temp.trouble(:'session', 1), 'open', 'five in a row open it');
SELECT is(pg_temp.check(:'session'), 'paused', '... nobody asks');
SELECT ok((SELECT wait_s BETWEEN 20 AND 45 FROM turn_check(:'session', 9223372036854775807, 'agent:x', 1)), '... for half a minute');
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp(), turn_attempts = 1, last_fallback_at = NULL WHERE id = :'session';
SELECT pg_temp.sent(:'session', 'fallback') AS fallbacks \gset
SELECT pg_temp.failed(:'session', '{"ending": "paused", "provider": "agent:x"}', 30) AS leave \gset
SELECT results_eq(format('SELECT turn_attempts, needs_human, turn_due_at > clock_timestamp() + interval ''29 s'', %s FROM omnichannel_sessions WHERE id = %L', pg_temp.sent(:'session', 'fallback') - :fallbacks, :'session'),
    'VALUES (1, false, true, 1)', 'a paused turn spends no try, the person gets the sentence');
SELECT is((SELECT status FROM turns WHERE session_id = :'session' ORDER BY token DESC LIMIT 1), 'paused', '... on record as such');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'session' AND awaits_turn), 1::bigint, '... the message waits');
SELECT is(pg_temp.trouble(:'session', 1), 'open', 'a failure of a turn that began before');
SELECT is((SELECT opens FROM provider_circuit WHERE provider = 'agent:x'), 1, '... does not count again');
UPDATE provider_circuit SET open_until = clock_timestamp() WHERE provider = 'agent:x';
SELECT is(pg_temp.check(:'session'), 'probe', 'when its time is over one turn tries');
SELECT is(pg_temp.check(:'session'), 'paused', '... and only one');
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp() WHERE id = :'session';
SELECT pg_temp.failed(:'session', '{"provider": "agent:x", "says": "fail", "probe": true}') AS leave \gset
SELECT results_eq($$SELECT opens, probe_lease_until, open_until > clock_timestamp() + interval '40 s' FROM provider_circuit WHERE provider = 'agent:x'$$,
    'VALUES (2, NULL::timestamptz, true)', 'a probe that fails: longer');
UPDATE provider_circuit SET open_until = clock_timestamp() WHERE provider = 'agent:x';
SELECT is(pg_temp.check(:'session'), 'probe', '... then the next one');
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp() WHERE id = :'session';
SELECT pg_temp.done(:'session', '{"provider": "agent:x", "says": "ok", "probe": true}') AS leave \gset
SELECT results_eq($$SELECT state, opens FROM provider_circuit WHERE provider = 'agent:x'$$, $$VALUES ('closed', 0)$$, 'a probe that succeeds closes it');
SELECT session_id AS session FROM t.inbound('+250783000002') \gset
SELECT is(pg_temp.trouble(:'session', 4), 'closed', 'what was before it closed does not count');
SELECT is(pg_temp.check(:'session'), 'go', '... all may ask again');
SELECT is(pg_temp.trouble(:'session', 1, 'http_429', 'pause'), 'closed', 'a server that asks for peace is not in trouble');
SELECT is(pg_temp.trouble(:'session', 1, 'http_401', 'hard'), 'open', 'one that refuses our key is, at once');
UPDATE provider_circuit SET state = 'forced_open', open_until = NULL WHERE provider = 'agent:x';
SELECT is(pg_temp.check(:'session'), 'paused', 'a person may pause it');
SELECT is(agent_result('agent:y', 'ok', NULL, false, 0, 1), 'closed', 'all is well with a server that nobody knows');
SELECT is(agent_result('agent:y', 'pause', NULL, false, 30, 1), 'closed', 'one that asks for peace at once');
SELECT ok((SELECT verdict = 'paused' AND wait_s >= 29 FROM turn_check(:'session', 9223372036854775807, 'agent:y', 1)), '... gets it');

SELECT * FROM finish();
