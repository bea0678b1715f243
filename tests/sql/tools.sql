-- Calls of tools: once, within limits, with evidence; conversations that are held back; what agents may write into them.
SELECT plan(126);

CREATE FUNCTION pg_temp.call(facts jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('id', uuid_v7(), 'tool', 'messaging_send_sms', 'caller', 'operator', 'hash', 'h', 'counts', true) || facts
$$;
CREATE FUNCTION pg_temp.begin(facts jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT verdict || coalesce(' ' || limit_name, '') FROM tool_begin(pg_temp.call(facts))
$$;
CREATE FUNCTION pg_temp.wait(facts jsonb) RETURNS int LANGUAGE sql AS $$ SELECT wait_s FROM tool_begin(pg_temp.call(facts)) $$;
CREATE FUNCTION pg_temp.begun(facts jsonb DEFAULT '{}') RETURNS uuid LANGUAGE sql AS $$
    SELECT id FROM tool_begin(pg_temp.call(facts))
$$;
CREATE FUNCTION pg_temp.of(person uuid, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('profile_id', person) || more
$$;
-- Begins a call and writes its message: it counts.
CREATE FUNCTION pg_temp.send(person uuid, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    b record;
BEGIN
    SELECT * INTO b FROM tool_begin(pg_temp.call(pg_temp.of(person, more)));
    IF b.verdict = 'run' THEN
        PERFORM tool_send(b.id, person, NULL, NULL, jsonb_build_array(t.outbound(jsonb_build_object('idem_key', 'tool:' || b.id))), '[]', false, uuid_v7());
        PERFORM tool_end(b.id, 'ok', NULL, 200, '{"status":"sent"}');
    END IF;
    RETURN b.verdict || coalesce(' ' || b.limit_name, '');
END $$;
CREATE FUNCTION pg_temp.row(call uuid) RETURNS tool_calls LANGUAGE sql AS $$ SELECT * FROM tool_calls WHERE id = call $$;

-- One key, one effect ----------------------------------------------------------------------------------------------------------

SELECT t.session() AS session \gset
SELECT t.profile_of(:'session') AS person \gset
SELECT t.profile_of(t.session()) AS other \gset

SELECT is(pg_temp.begin(pg_temp.of(:'person')), 'run', 'a call begins');
SELECT is(pg_temp.begin(pg_temp.of(:'person')), 'run', '... without a key as often as one likes');
SELECT pg_temp.begun(pg_temp.of(:'person', '{"key": "k1"}')) AS first \gset
SELECT is(pg_temp.begun(pg_temp.of(:'person', '{"key": "k1"}')), :'first', 'the same key is the same call, while it runs');
SELECT is(pg_temp.begin(pg_temp.of(:'person', '{"key": "k1"}')), 'run', '... which may go on, should the first have died');
SELECT is(pg_temp.begin(pg_temp.of(:'person', '{"key": "k1", "hash": "g"}')), 'conflict', 'the same key with other arguments');
SELECT is(pg_temp.begin(pg_temp.of(:'person', '{"key": "k1", "tool": "messaging_send_whatsapp"}')), 'conflict', '... or of another tool, from the operator');
SELECT is(pg_temp.begin(pg_temp.of(:'other', '{"key": "k1", "hash": "names another"}')), 'conflict', '... or for another person');
SELECT pg_temp.begun(pg_temp.of(:'person', '{"key": "k1", "caller": "call"}')) AS bound \gset
SELECT isnt(:'bound'::uuid, :'first', 'who is bound has keys of its own ...');
SELECT isnt(pg_temp.begun(pg_temp.of(:'other', '{"key": "k1", "caller": "call"}')), :'bound', '... one person''s ...');
SELECT isnt(pg_temp.begun(pg_temp.of(:'person', '{"key": "k1", "caller": "bound", "tool": "messaging_send_whatsapp"}')), :'bound', '... and one tool''s');
SELECT is(pg_temp.begun(pg_temp.of(:'person', '{"key": "k1", "caller": "bound"}')), :'bound', '... and there the same call');
SELECT is(pg_temp.begun(pg_temp.of(:'other', '{"key": "k3"}')), pg_temp.begun('{"key": "k3"}'), 'who was nobody when it was first used is no other');
SELECT is(pg_temp.begun('{"key": "k2"}'), pg_temp.begun('{"key": "k2"}'), 'also where nobody knows the person yet');

SELECT jsonb_build_array(t.outbound('{"idem_key": "tool:first"}')) AS rows \gset
SELECT verdict AS v, message_ids[1] AS message FROM tool_send(:'first', :'person', NULL, NULL, :'rows', '[]', false, uuid_v7()) \gset
SELECT is(:'v'::text, 'written', 'its message is written');
SELECT is((t.message(:'message')).session_id, :'session'::uuid, '... into the open conversation');
SELECT is((t.message(:'message')).status, 'pending', '... and on its way');
SELECT is((SELECT message_count FROM conversation_threads WHERE session_id = :'session' AND channel = 'sms'), 1, '... and counted by its thread');
SELECT jsonb_build_array(t.outbound(jsonb_build_object('idem_key', 'tool:second'))) AS more \gset
SELECT results_eq(format('SELECT verdict, message_ids, skips FROM tool_send(%L, %L, NULL, NULL, %L, ''[{"channel": "sms"}]'', false, uuid_v7())', :'first', :'person', :'more'),
    format('SELECT ''again'', ARRAY[%L::uuid], ''[]''::jsonb', :'message'), 'a second time nothing is written, and the first is named');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE idem_key = 'tool:second'), 0::bigint, '... really nothing');
SELECT tool_end(:'first', 'ok', NULL, 202, '{"status":"pending","cost":15.000}') AS leave \gset
SELECT results_eq(format('SELECT verdict, id, status, reply::text FROM tool_begin(%L)', pg_temp.call(pg_temp.of(:'person', '{"key": "k1"}'))),
    format('SELECT ''again'', %L::uuid, 202, %L', :'first', '{"status":"pending","cost":15.000}'), 'then the key brings the reply, to the letter');
SELECT tool_end(:'first', 'failed', 'temp', 500, NULL) AS leave \gset
SELECT is((pg_temp.row(:'first')).outcome, 'ok', 'what has ended well stays so');
SELECT isnt((pg_temp.row(:'first')).took_ms, NULL, '... with its duration');
SELECT is(pg_temp.begin(pg_temp.of(:'person', '{"key": "k1", "hash": "g"}')), 'conflict', 'other arguments are still another call''s');
SELECT is((SELECT count(*) FROM tool_calls WHERE error_code = 'conflict' AND outcome = 'failed' AND idem_key IS NULL), 4::bigint, '... and on record');

-- A conversation is opened where none is open
SELECT t.person('+250780000011') AS lonely \gset
SELECT pg_temp.begun(pg_temp.of(:'lonely')) AS alone \gset
SELECT uuid_v7() AS fresh \gset
SELECT 1 AS leave FROM tool_send(:'alone', :'lonely', NULL, NULL, jsonb_build_array(t.outbound()), '[]', false, :'fresh') \gset
SELECT is((pg_temp.row(:'alone')).session_id, :'fresh'::uuid, 'a person without a conversation gets one');

-- Nothing but reasons
SELECT pg_temp.begun(pg_temp.of(:'lonely')) AS skipped \gset
SELECT results_eq(format('SELECT verdict, cardinality(message_ids), skips FROM tool_send(%L, %L, NULL, NULL, ''[]'', ''[{"channel": "whatsapp", "reason": "window_closed"}]'', false, uuid_v7())', :'skipped', :'lonely'),
    $$SELECT 'written', 0, '[{"channel": "whatsapp", "reason": "window_closed"}]'::jsonb$$, 'a message that goes out on no channel');
SELECT tool_end(:'skipped', 'failed', NULL, 200, '{}') AS leave \gset
SELECT is((pg_temp.row(:'skipped')).counts, false, '... does not count');
SELECT is((pg_temp.row(:'alone')).counts, true, '... one that does, counts');

-- A turn's fence -----------------------------------------------------------------------------------------------------------------

SELECT session_id AS chat, profile_id AS writer FROM t.inbound('+250780000012', '{"content": "hello"}') \gset
SELECT turn_id, token FROM claim_turns('w', 1, 60) \gset
SELECT pg_temp.begun(pg_temp.of(:'writer', jsonb_build_object('turn_id', :'turn_id'))) AS asked \gset
SELECT is((SELECT verdict FROM tool_send(:'asked', :'writer', :'chat', :token - 1, jsonb_build_array(t.outbound()), '[]', false, uuid_v7())), 'stale', 'an older turn writes nothing');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE profile_id = :'writer' AND direction = 'outbound'), 0::bigint, '... nothing at all');
SELECT is((SELECT verdict FROM tool_send(:'asked', :'writer', :'chat', :token, jsonb_build_array(t.outbound()), '[]', false, uuid_v7())), 'written', 'the present one does');
SELECT pg_temp.begun(pg_temp.of(:'writer', jsonb_build_object('turn_id', :'turn_id'))) AS late \gset
SELECT finish_turn(:'turn_id', :'chat', :token, true, '[]', '{}', NULL, 900) AS leave \gset
SELECT is((SELECT verdict FROM tool_send(:'late', :'writer', :'chat', :token, jsonb_build_array(t.outbound()), '[]', false, uuid_v7())), 'stale', '... until it is over');

-- Limits ---------------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.several(n int, person uuid, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(pg_temp.send(person, more), ', ') FROM generate_series(1, n)
$$;
SELECT t.person('+250780000021') AS p1 \gset
SELECT uuid_v7() AS turn \gset
SELECT is(pg_temp.several(4, :'p1', jsonb_build_object('turn_id', :'turn', 'caller', 'turn')), 'run, run, run, limit messages_per_turn', 'three messages in a turn');
SELECT is(pg_temp.begin(pg_temp.of(:'p1', jsonb_build_object('turn_id', :'turn', 'caller', 'turn', 'counts', false))), 'run', '... other tools may still be used');
SELECT is((SELECT count(*) FROM tool_calls WHERE turn_id = :'turn' AND outcome = 'limited' AND error_code = 'messages_per_turn' AND NOT counts), 1::bigint, '... and the refusal is on record');
SELECT t.person('+250780000022') AS p2 \gset
SELECT uuid_v7() AS turn \gset
SELECT is((SELECT string_agg(DISTINCT pg_temp.begin(pg_temp.of(:'p2', jsonb_build_object('turn_id', :'turn', 'caller', 'turn', 'counts', false))), ' ') FROM generate_series(1, 10)), 'run', 'ten calls in a turn');
SELECT is(pg_temp.begin(pg_temp.of(:'p2', jsonb_build_object('turn_id', :'turn', 'caller', 'turn', 'counts', false))), 'limit calls_per_turn', '... and no more');
SELECT is(pg_temp.begin(pg_temp.of(:'p2', jsonb_build_object('turn_id', uuid_v7(), 'caller', 'turn', 'counts', false))), 'run', '... but in the next');
SELECT t.person('+250780000023') AS p3 \gset
SELECT is(pg_temp.several(20, :'p3'), 'run' || repeat(', run', 19), 'twenty messages an hour to one person');
SELECT is(pg_temp.send(:'p3'), 'limit messages_per_hour', '... and no more');
SELECT is(pg_temp.send(:'p3', '{"tool": "messaging_send_whatsapp"}'), 'run', '... by one tool: another has its own twenty');
UPDATE tool_calls SET created_at = created_at - n.n * interval '1 minute'
  FROM (SELECT t.id, row_number() OVER (ORDER BY t.created_at DESC) AS n FROM tool_calls t
         WHERE t.profile_id = :'p3' AND t.counts AND t.tool = 'messaging_send_sms') AS n
 WHERE tool_calls.id = n.id;
SELECT ok(pg_temp.wait(pg_temp.of(:'p3')) BETWEEN 39 * 60 AND 40 * 60, '... until the oldest of them is an hour old');
UPDATE tool_calls SET created_at = created_at - interval '41 minutes' WHERE profile_id = :'p3';
SELECT is(pg_temp.send(:'p3'), 'run', '... which then is so');
UPDATE tool_calls SET created_at = created_at + interval '41 minutes' WHERE profile_id = :'p3';
SELECT is(pg_temp.begin(pg_temp.of(:'p3', '{"counts": false}')), 'run', '... what an operator writes is not counted');
SELECT is(pg_temp.send(:'p2'), 'run', '... nor what others get');
UPDATE tool_calls SET created_at = created_at - interval '61 minutes' WHERE profile_id = :'p3';
SELECT is(pg_temp.send(:'p3'), 'run', '... an hour later it goes on');
SELECT t.person('+250780000024') AS p4 \gset
SELECT is(pg_temp.several(10, :'p4', '{"call_id": "c-long", "caller": "call"}'), 'run, run, run, run, run, run, run, run, run, run', 'a long call');
UPDATE tool_calls SET created_at = created_at - interval '61 minutes' WHERE profile_id = :'p4';
SELECT is(pg_temp.several(10, :'p4', '{"call_id": "c-long", "caller": "call"}'), 'run, run, run, run, run, run, run, run, run, run', '... goes on sending');
UPDATE tool_calls SET created_at = created_at - interval '61 minutes' WHERE profile_id = :'p4';
SELECT is(pg_temp.send(:'p4', '{"call_id": "c-long", "caller": "call"}'), 'limit messages_per_call', '... twenty messages');
SELECT is(pg_temp.begin(pg_temp.of(:'p4', '{"key": "again", "call_id": "c-other"}')), 'run', 'a key that is new');
UPDATE tool_calls SET reply = '{}', status = 200 WHERE idem_key = 'again';
SELECT 1 AS leave FROM pg_temp.several(20, :'p4') \gset
SELECT is(pg_temp.send(:'p4'), 'limit messages_per_hour', '... and is not used up');
SELECT is(pg_temp.begin(pg_temp.of(:'p4', '{"key": "again", "call_id": "c-other"}')), 'again', '... is answered also over the limit');

-- Refusals -------------------------------------------------------------------------------------------------------------------------

SELECT tool_refuse(pg_temp.call(pg_temp.of(:'person', jsonb_build_object('session_id', uuid_v7(), 'caller', 'turn', 'turn_id', uuid_v7()))), 'denied', 'forbidden') AS leave \gset
SELECT results_eq($$SELECT profile_id IS NOT NULL, session_id, counts, idem_key, error_code FROM tool_calls WHERE outcome = 'denied'$$,
    $$VALUES (true, NULL::uuid, false, NULL::text, 'forbidden')$$, 'a refusal is on record, whatever it named');
SELECT is((SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = 'tool_calls'::regclass AND a.attname ~ 'content|text|message$|phone|args$'), NULL, 'the evidence has no place for a text or a number');

-- Held back --------------------------------------------------------------------------------------------------------------------------

SELECT session_id AS held FROM t.inbound('+250780000031', '{"content": "one"}') \gset
SELECT is(session_hold(:'held', true), 'active', 'a conversation is held back');
SELECT is_empty($$SELECT turn_id FROM claim_turns('w', 10, 60)$$, '... no turn begins');
SELECT paused_at AS since FROM omnichannel_sessions WHERE id = :'held' \gset
SELECT 1 AS leave FROM t.inbound('+250780000031', '{"content": "two"}') \gset
SELECT is_empty($$SELECT turn_id FROM claim_turns('w', 10, 60)$$, '... nor for what comes in');
SELECT session_hold(:'held', true) AS leave \gset
SELECT is((SELECT paused_at FROM omnichannel_sessions WHERE id = :'held'), :'since'::timestamptz, '... since when, does not change');
UPDATE omnichannel_sessions SET needs_human = true, turn_attempts = 4, turn_due_at = NULL WHERE id = :'held';
SELECT is(session_hold(:'held', false), 'active', 'it goes on');
SELECT results_eq(format('SELECT paused_at, needs_human, turn_attempts FROM omnichannel_sessions WHERE id = %L', :'held'), $$VALUES (NULL::timestamptz, false, 0)$$, '... with nobody asked for');
SELECT turn_id, token, session_id AS of FROM claim_turns('w', 10, 60) \gset
SELECT is(:'of'::uuid, :'held'::uuid, '... and what waited has its turn at once');
SELECT session_hold(:'held', true) AS leave \gset
SELECT is(finish_turn(:'turn_id', :'held', :token, true, jsonb_build_array(t.outbound('{}')), '{"agent": "call_center"}', NULL, 900), 'lost', 'held back while a turn runs: its answer is not sent');
SELECT is((SELECT count(*)::int FROM message_delivery_log WHERE session_id = :'held' AND awaits_turn), 2, '... and what it read waits');
SELECT is_empty($$SELECT turn_id FROM claim_turns('w', 10, 60)$$, '... for no other turn');
SELECT session_hold(:'held', false) AS leave \gset
SELECT is((SELECT session_id FROM claim_turns('w', 10, 60)), :'held'::uuid, '... until it goes on');
SELECT t.session() AS quiet \gset
SELECT session_hold(:'quiet', true), session_hold(:'quiet', false) AS leave \gset
SELECT is((SELECT turn_due_at FROM omnichannel_sessions WHERE id = :'quiet'), NULL, 'where nothing waits no turn is due');
SELECT is(session_hold(uuid_v7(), true), NULL, 'no such conversation');
SELECT update_session_status(:'quiet', 'closed') AS leave \gset
SELECT is(session_hold(:'quiet', true), 'refused', 'a closed one is left alone');
SELECT is((SELECT paused_at FROM omnichannel_sessions WHERE id = :'quiet'), NULL, '... really');
UPDATE omnichannel_sessions SET needs_human = true WHERE id = :'quiet';
SELECT is((SELECT count(*)::int FROM sessions_needing_human WHERE session_id = :'quiet'), 1, 'who needs a person is seen, also when the conversation is closed');
SELECT is(session_hold(:'quiet', false), 'closed', '... and an operator can take it off the list');
SELECT is((SELECT needs_human FROM omnichannel_sessions WHERE id = :'quiet'), false, '... really');
SELECT is(session_hold(:'quiet', false), 'refused', '... once');

-- Who waits in a conversation that is held back is not left behind.
SELECT session_id AS kept FROM t.inbound('+250781000041', '{"content": "one"}') \gset
SELECT session_hold(:'kept', true) AS leave \gset
SELECT is((SELECT unanswered FROM sessions_needing_human WHERE session_id = :'kept'), 1::bigint, 'a person sees that somebody waits in it');
UPDATE omnichannel_sessions SET expires_at = clock_timestamp() - interval '1 hour' WHERE id = :'kept';
SELECT is((SELECT session_id FROM t.inbound('+250781000041', '{"content": "two"}')), :'kept'::uuid, 'it does not end by time');
SELECT update_session_status(:'kept', 'closed') AS leave \gset
SELECT isnt((SELECT session_id FROM t.inbound('+250781000041', '{"content": "three"}')), :'kept'::uuid, 'it may be closed');
SELECT is((SELECT unanswered FROM sessions_needing_human WHERE session_id = :'kept'), 2::bigint, '... then it is still seen');
SELECT is(session_hold(:'kept', false), 'closed', '... and let go');
SELECT is((SELECT count(*) FROM claim_turns('w', 10, 60) WHERE session_id = :'kept'), 1::bigint, '... and what waited in it is answered');
SELECT session_id AS late FROM t.inbound('+250781000042', '{"content": "one"}') \gset
UPDATE omnichannel_sessions SET expires_at = clock_timestamp() - interval '1 hour' WHERE id = :'late';
SELECT is((SELECT session_id FROM t.inbound('+250781000042', '{"content": "two"}')), :'late'::uuid, 'a conversation in which an answer is due does not end by time');
SELECT session_hold(:'late', true) AS leave \gset
UPDATE message_delivery_log SET created_at = created_at - interval '15 seconds' WHERE session_id = :'late';
INSERT INTO tool_calls (id, tool, caller, profile_id) VALUES ('00000000-0000-7000-8000-0000000000aa', 'operator_send', 'operator', t.profile_of(:'late'));
SELECT is((SELECT verdict FROM tool_send('00000000-0000-7000-8000-0000000000aa', t.profile_of(:'late'), :'late', NULL, jsonb_build_array(t.outbound('{"message_type": "operator"}')), '[]', true, uuid_v7())),
    'written', 'an operator answers while the agent is kept out');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE session_id = :'late' AND awaits_turn), 0::bigint, '... what waited is answered');
SELECT is((SELECT paused_at IS NOT NULL FROM omnichannel_sessions WHERE id = :'late'), true, '... and the agent is still kept out');
SELECT session_hold(:'late', false) AS leave \gset
SELECT is((SELECT count(*) FROM claim_turns('w', 10, 60) WHERE session_id = :'late'), 0::bigint, '... and has nothing to answer when it may again');
SELECT session_hold(:'late', true) AS leave \gset
SELECT is((SELECT count(*) FROM sessions_needing_human WHERE session_id = :'late'), 0::bigint, 'whom an operator has answered waits for nobody');

-- What came in while an operator wrote has not been read: within ten seconds nobody reads and answers.
CREATE FUNCTION pg_temp.operator_writes(session uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    call uuid := pg_temp.begun(pg_temp.of(t.profile_of(session), '{"tool": "operator_send", "counts": false}'));
BEGIN
    PERFORM 1 FROM tool_send(call, t.profile_of(session), session, NULL, jsonb_build_array(t.outbound('{"message_type": "operator"}')), '[]', true, uuid_v7());
END $$;
CREATE FUNCTION pg_temp.waits(session uuid) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(content, ' ' ORDER BY seq) FROM message_delivery_log WHERE session_id = session AND awaits_turn
$$;
CREATE FUNCTION pg_temp.listed(session uuid) RETURNS bigint LANGUAGE sql AS $$
    SELECT unanswered FROM sessions_needing_human WHERE session_id = session
$$;
CREATE FUNCTION pg_temp.ago(session uuid, s int) RETURNS void LANGUAGE sql AS $$
    UPDATE message_delivery_log SET created_at = created_at - s * interval '1 second' WHERE session_id = session
$$;
SELECT session_id AS unread FROM t.inbound('+250781000043', '{"content": "one"}') \gset
SELECT session_hold(:'unread', true), pg_temp.ago(:'unread', 11) AS leave \gset
SELECT 1 AS leave FROM t.inbound('+250781000043', '{"content": "two"}') \gset
SELECT pg_temp.operator_writes(:'unread');
SELECT is(pg_temp.waits(:'unread'), 'two', 'an operator has answered what they can have read');
SELECT is(pg_temp.listed(:'unread'), 1::bigint, '... and sees that something else came meanwhile');
SELECT pg_temp.ago(:'unread', 11), pg_temp.operator_writes(:'unread');
SELECT results_eq(format('SELECT pg_temp.waits(%1$L), pg_temp.listed(%1$L)', :'unread'), 'VALUES (NULL::text, NULL::bigint)', '... until they have answered that, too');
SELECT session_id AS unread FROM t.inbound('+250781000044', '{"content": "one"}') \gset
UPDATE omnichannel_sessions SET needs_human = true, turn_attempts = 3, turn_due_at = NULL WHERE id = :'unread';
SELECT pg_temp.operator_writes(:'unread');
SELECT results_eq(format('SELECT pg_temp.waits(%1$L), pg_temp.listed(%1$L)', :'unread'), $$VALUES ('one', 1::bigint)$$, '... also where the agent had given up');
SELECT session_hold(:'unread', false) AS leave \gset
SELECT is((SELECT count(*) FROM claim_turns('w', 10, 60) WHERE session_id = :'unread'), 1::bigint, '... or the agent goes on with it');
SELECT session_id AS unread FROM t.inbound('+250781000045', '{"content": "one"}') \gset
SELECT session_hold(:'unread', true), update_session_status(:'unread', 'closed') AS leave \gset
SELECT pg_temp.operator_writes(:'unread');
SELECT results_eq(format('SELECT pg_temp.waits(%1$L), pg_temp.listed(%1$L)', :'unread'), $$VALUES ('one', 1::bigint)$$, '... or the conversation was closed');
SELECT pg_temp.ago(:'unread', 11), pg_temp.operator_writes(:'unread');
SELECT results_eq(format('SELECT pg_temp.waits(%1$L), pg_temp.listed(%1$L)', :'unread'), 'VALUES (NULL::text, NULL::bigint)', '... which an answer settles');

-- A flood: one turn reads no more than it can show ---------------------------------------------------------------------------------------

SELECT count(t.inbound('+250780000061', jsonb_build_object('content', 'flood ' || n))) AS leave FROM generate_series(1, 70) AS n \gset
SELECT turn_id, token, session_id AS of, upto FROM claim_turns('w', 10, 60) \gset
SELECT is((SELECT count(*)::int FROM message_delivery_log WHERE session_id = :'of' AND awaits_turn AND seq <= :upto), 30, 'of seventy messages a turn takes thirty');
SELECT is((SELECT count(*)::int FROM jsonb_array_elements(session_lines(:'of', :upto, 40)) AS l WHERE (l ->> 'waits')::boolean), 30, '... and is shown every one of them');
SELECT is(finish_turn(:'turn_id', :'of', :token, true, '[]', '{"agent": "call_center"}', NULL, 900), 'done', '... answers them');
SELECT is((SELECT count(*)::int FROM message_delivery_log WHERE session_id = :'of' AND awaits_turn), 40, '... and leaves the others to the next');
SELECT is((SELECT session_id FROM claim_turns('w', 10, 60)), :'of'::uuid, '... which is due at once');

-- No token asks for more than twenty things a second -------------------------------------------------------------------------------------

SELECT profile_id AS swift FROM t.inbound('+250780000071', '{"content": "x"}') \gset
SELECT is((SELECT string_agg(DISTINCT pg_temp.begin(pg_temp.of(:'swift', jsonb_build_object('counts', false, 'caller', 'call', 'call_id', 'c-swift'))), ' ') FROM generate_series(1, 20)), 'run', 'twenty calls in a second are let in');
UPDATE tool_calls SET created_at = clock_timestamp() + interval '5 seconds' WHERE profile_id = :'swift'; -- within a second, however long they took
SELECT is(pg_temp.begin(pg_temp.of(:'swift', '{"counts": false, "caller": "bound"}')), 'limit calls_per_second', '... one more is not');
SELECT ok(pg_temp.wait(pg_temp.of(:'swift', '{"counts": false, "caller": "bound"}')) BETWEEN 2 AND 6, '... until the oldest of them is a second old');
SELECT is(pg_temp.begin(pg_temp.of(:'swift', '{"counts": false, "caller": "operator"}')), 'run', '... but for the operator');
UPDATE tool_calls SET created_at = created_at - interval '10 seconds' WHERE profile_id = :'swift';
SELECT is(pg_temp.begin(pg_temp.of(:'swift', '{"counts": false, "caller": "bound"}')), 'run', '... and not for long');

-- What agents write --------------------------------------------------------------------------------------------------------------------

SELECT t.session() AS notes \gset
SELECT results_eq(format('SELECT was, status, ignored FROM session_note(%L, NULL, ''{"budget": "200k", "role": "admin", "phone": "+250780000099"}'')', :'notes'),
    $$VALUES ('active', 'active', ARRAY['phone', 'role'])$$, 'what could pass for an order or a recipient is not taken');
SELECT results_eq(format('SELECT ignored FROM session_note(%L, NULL, ''{"Role": "admin", " PHONE ": "1", "Phone-Number": "2", "system_prompt": "x", "callback_url": "z", "URL": "u", "profileId": "p", "systemPrompt": "y"}'')', :'notes'),
    $$SELECT ARRAY(SELECT k FROM unnest(ARRAY['Role', ' PHONE ', 'Phone-Number', 'system_prompt', 'callback_url', 'URL', 'profileId', 'systemPrompt']) AS k ORDER BY k)$$, '... however it is written');
SELECT is((SELECT ignored FROM session_note(:'notes', NULL, '{"house": {"role": "admin", "place": "Remera", "owners": [{"token": "x"}, 7]}}')), ARRAY['role', 'token'], '... and wherever');
SELECT is((SELECT context FROM omnichannel_sessions WHERE id = :'notes'), '{"budget": "200k", "house": {"place": "Remera", "owners": [{}, 7]}}', '... and what is beside it stays');
UPDATE omnichannel_sessions SET context = context - 'house' WHERE id = :'notes';
SELECT 1 AS leave FROM session_note(:'notes', 'follow_up', '{"budget": "250k", "rooms": 2}') \gset
SELECT results_eq(format('SELECT status, context FROM omnichannel_sessions WHERE id = %L', :'notes'), $$VALUES ('follow_up', '{"budget": "250k", "rooms": 2}'::jsonb)$$, 'the rest is merged, later over earlier');
SELECT throws_ok(format('SELECT session_note(%L, NULL, jsonb_build_object(''x'', repeat(''y'', 40000)))', :'notes'), '23514', NULL, 'but not without end');
SELECT is((SELECT was FROM session_note(uuid_v7(), 'active', NULL)), NULL, 'no such conversation');
SELECT 1 AS leave FROM session_note(:'notes', 'closed', NULL) \gset
SELECT results_eq(format('SELECT was, status FROM session_note(%L, ''active'', ''{"budget": "1"}'')', :'notes'), $$VALUES ('closed', 'closed')$$, 'a closed one is not opened again');
SELECT is((SELECT p.preferred_language FROM session_note(:'notes', 'active', '{"language": "fr"}') n, profiles p WHERE p.user_id = t.profile_of(:'notes')), NULL, '... and nothing else that was noted with it is kept');
SELECT results_eq(format('SELECT status, context ->> ''budget'' FROM omnichannel_sessions WHERE id = %L', :'notes'), $$VALUES ('closed', '250k')$$, '... and takes nothing of such a call');
SELECT results_eq(format('SELECT was, status FROM session_note(%L, ''closed'', ''{"late": true}'')', :'notes'), $$VALUES ('closed', 'closed')$$, '... closing it twice is fine');

SELECT t.session() AS passed \gset
SELECT is(session_handover(:'passed', 'nobody', 'r'), 'unknown_agent', 'only agents that exist go on');
SELECT is(session_handover(:'passed', 'call_center', 'knows more'), 'active', 'another agent goes on');
SELECT results_eq(format('SELECT last_agent_id, context #>> ''{handover,reason}'', needs_human, paused_at IS NULL FROM omnichannel_sessions WHERE id = %L', :'passed'),
    $$VALUES ('call_center', 'knows more', false, true)$$, '... and learns why');
SELECT is(session_handover(:'passed', 'human', 'angry'), 'active', 'a person goes on');
SELECT results_eq(format('SELECT last_agent_id, context #>> ''{handover,to}'', needs_human, paused_at IS NULL FROM omnichannel_sessions WHERE id = %L', :'passed'),
    $$VALUES ('call_center', 'human', true, false)$$, '... and the agents keep out');
SELECT pg_temp.begun(pg_temp.of(t.profile_of(:'passed'), '{"tool": "operator_send", "counts": false}')) AS written \gset
SELECT 1 AS leave FROM tool_send(:'written', t.profile_of(:'passed'), :'passed', NULL, jsonb_build_array(t.outbound('{"message_type": "operator"}')), '[]', true, uuid_v7()) \gset
SELECT is((SELECT needs_human FROM omnichannel_sessions WHERE id = :'passed'), false, 'when a person has written, nobody is asked for');
SELECT is(session_handover(uuid_v7(), 'human', 'r'), 'unknown_session', 'no such conversation');

-- Who came by a number only
SELECT results_eq($$SELECT status, created, context FROM session_for(NULL, '+250780000041', NULL, NULL, NULL, 'a house', ARRAY[uuid_v7(), uuid_v7()])$$, $$VALUES ('active', true, '{}'::jsonb)$$, 'a number is enough for a conversation');
SELECT results_eq($$SELECT primary_channel, last_intent FROM omnichannel_sessions WHERE profile_id = t.person('+250780000041')$$, $$VALUES ('sms', 'a house')$$, '... by SMS, where nothing else is known');
SELECT is((SELECT created FROM session_for(t.person('+250780000041'), NULL, 'voice', 'c-7', 'call_center', NULL, ARRAY[uuid_v7(), uuid_v7()])), false, 'then it is found');
SELECT results_eq($$SELECT status, session_id FROM session_for(NULL, '+250780000042', NULL, NULL, 'nobody', NULL, ARRAY[uuid_v7(), uuid_v7()])$$, $$VALUES ('unknown_agent', NULL::uuid)$$, 'an agent that does not exist');
SELECT is_empty($$SELECT 1 FROM profiles WHERE phone_number = '+250780000042'$$, '... opens nothing for anybody');
SELECT is_empty('SELECT * FROM session_for(uuid_v7(), NULL, NULL, NULL, NULL, NULL, ARRAY[uuid_v7(), uuid_v7()])', 'a person nobody knows has none');

SELECT * FROM finish();
