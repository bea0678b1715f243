-- The second half of a call: ends nobody reported, calls nobody answered, texts made from transcripts, one call in two rows.
SELECT plan(154);

CREATE FUNCTION pg_temp.call(ref text) RETURNS call_summaries LANGUAGE sql AS $$ SELECT * FROM call_summaries WHERE call_id = ref $$;
CREATE FUNCTION pg_temp.age(ref text, by interval) RETURNS void LANGUAGE sql AS $$
    UPDATE call_summaries SET created_at = created_at - by, last_heard_at = last_heard_at - by WHERE call_id = ref
$$;
CREATE FUNCTION pg_temp.notify(ref text, rows jsonb DEFAULT '[]') RETURNS boolean LANGUAGE sql AS $$
    SELECT notify_call((pg_temp.call(ref)).id, rows, 'sent', NULL)
$$;

-- The watchdog -----------------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('w1', '+250780000001') \gset
SELECT is((pg_temp.call('w1')).last_heard_at, NULL, 'that a call began says nothing of its agent');
SELECT pg_temp.age('w1', interval '119 minutes') \gset
SELECT is(close_calls(7200, 120, 6), 0, 'of a call whose agent was never heard of, silence means nothing');
SELECT pg_temp.age('w1', interval '2 minutes') \gset
SELECT is(close_calls(7200, 120, 6), 1, '... but it does not last for ever');
SELECT results_eq($$SELECT status, end_cause, ended_at IS NOT NULL, notify_due_at - end_seen_at FROM call_summaries WHERE call_id = 'w1'$$,
    $$VALUES ('ended', 'too_long', true, interval '6 s')$$, '... and its notification waits for a text as any other');
SELECT is(close_calls(7200, 120, 6), 0, '... once');

SELECT 1 AS leave FROM t.call('w2', '+250780000002') \gset
SELECT ok(call_heard('w2'), 'its agent used a tool');
SELECT ok(NOT call_heard('w2'), '... and again in the same second: nothing to write');
SELECT ok(NOT call_heard('nobody'), '... of a call nobody knows, nothing');
SELECT pg_temp.age('w2', interval '100 s') \gset
SELECT is(close_calls(7200, 120, 6), 0, 'its agent was heard of lately');
SELECT ok(call_heard('w2'), '... and is again');
SELECT pg_temp.age('w2', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'then it was silent for too long');
SELECT results_eq($$SELECT status, end_cause, ended_at = last_heard_at FROM call_summaries WHERE call_id = 'w2'$$, $$VALUES ('ended', 'silence', true)$$, '... and ended when it was last heard of');
SELECT ok(call_heard('w2'), 'it was not over, though');
SELECT results_eq($$SELECT status, end_cause, ended_at, end_seen_at, notify_due_at FROM call_summaries WHERE call_id = 'w2'$$,
    $$VALUES ('in_progress', NULL, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz)$$, '... and goes on');
SELECT 1 AS leave FROM t.call('w2', NULL, '{"ended": true}') \gset
SELECT is((pg_temp.call('w2')).end_cause, 'reported', '... until somebody says that it has ended');

SELECT 1 AS leave FROM t.call('w3', '+250780000003', '{"bullets": ["a"]}') \gset
SELECT pg_temp.age('w3', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'a call whose summary is stored, and then silence, is over');
SELECT ok((pg_temp.call('w3')).notify_due_at <= clock_timestamp(), '... its summary is due at once');
SELECT 1 AS leave FROM t.call('w3', NULL, '{"ended": true, "ended_at": "2026-01-01T10:00:00Z"}') \gset
SELECT is((pg_temp.call('w3')).ended_at, '2026-01-01T10:00:00Z'::timestamptz, '... whoever knows when it ended is believed');
SELECT pg_temp.notify('w3') \gset
SELECT ok(call_heard('w3'), 'heard of after its person was told');
SELECT is((pg_temp.call('w3')).status, 'ended', '... it stays over');

SELECT session_id FROM t.call('w4', '+250780000004', '{"bullets": ["a"]}') \gset
SELECT pg_temp.age('w4', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'a talk of two minutes without any tool');
SELECT ok(notify_call((pg_temp.call('w4')).id, jsonb_build_array(t.outbound('{"message_type": "summary", "idem_key": "summary:w4:sms:1", "call_id": "w4"}')), 'sent', NULL), '... its person is told');
SELECT ok(call_heard('w4'), '... but it goes on');
SELECT results_eq($$SELECT status, end_cause, ended_at, notified_at, told_early IS NOT NULL FROM call_summaries WHERE call_id = 'w4'$$,
    $$VALUES ('in_progress', NULL, NULL::timestamptz, NULL::timestamptz, true)$$, '... open again');
SELECT pg_temp.age('w4', interval '10 minutes') \gset
SELECT is(close_calls(7200, 120, 6), 0, '... and is not given up twice');
SELECT 1 AS leave FROM t.call('w4', NULL, '{"ended": true}') \gset
SELECT ok(notify_call((pg_temp.call('w4')).id, jsonb_build_array(t.outbound('{"message_type": "summary", "idem_key": "renewed:w4:sms:1", "call_id": "w4"}')), 'sent', NULL), 'its end, with nothing new');
SELECT results_eq($$SELECT notify_result, notify_reason, (SELECT count(*) FROM message_delivery_log m WHERE m.call_id = 'w4') FROM call_summaries WHERE call_id = 'w4'$$,
    $$VALUES ('sent', 'told_before', 1::bigint)$$, '... tells nobody anything');
SELECT 1 AS leave FROM t.call('w6', '+250780000006', '{"bullets": ["a"]}') \gset
SELECT pg_temp.age('w6', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'silent once');
SELECT pg_temp.notify('w6') \gset
SELECT 1 AS leave FROM t.call('w6', NULL, '{"bullets": ["b"]}') \gset
SELECT is(close_calls(7200, 120, 6), 0, '... then more is said');
SELECT pg_temp.age('w6', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 0, '... and silent again: every note would be a message');
UPDATE call_summaries SET created_at = created_at - interval '2 hours' WHERE call_id = 'w6';
SELECT is(close_calls(7200, 120, 6), 1, '... at its end, be it by being too long');
SELECT ok((pg_temp.call('w6')).notify_due_at <= clock_timestamp(), '... that is told, too');
SELECT pg_temp.notify('w6') \gset
SELECT 1 AS leave FROM t.call('w7', '+250780000007', '{"intent": "housing"}') \gset
SELECT pg_temp.age('w7', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'silent before anything was said of it');
SELECT notify_call((pg_temp.call('w7')).id, '[]', 'sent', 'no_text') \gset
SELECT ok(call_heard('w7'), '... it goes on');
SELECT pg_temp.age('w7', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 0, '... and is silent again, with nothing to tell');
SELECT 1 AS leave FROM t.call('w7', NULL, '{"bullets": ["a"]}') \gset
SELECT pg_temp.age('w7', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, '... or with a summary, which its person has not got yet');
SELECT pg_temp.notify('w7') \gset
SELECT 1 AS leave FROM t.call('w7', NULL, '{"bullets": ["b"]}') \gset
SELECT pg_temp.age('w7', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 0, '... the next waits for the end');
UPDATE call_summaries SET status = 'ended' WHERE call_id = 'w7';
SELECT 1 AS leave FROM t.call('w5', '+250780000005', '{"bullets": ["a"]}') \gset
SELECT pg_temp.age('w5', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'another');
SELECT pg_temp.notify('w5') \gset
SELECT 1 AS leave FROM t.call('w5', NULL, '{"bullets": ["b"], "ended": true}') \gset
SELECT results_eq($$SELECT status, end_cause, bullets, notified_at, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 'w5'$$,
    $$VALUES ('ended', 'reported', '["b"]'::jsonb, NULL::timestamptz, true)$$, 'what is said at its real end is told');
SELECT pg_temp.notify('w5') \gset
SELECT results_eq($$SELECT notify_result, notify_reason FROM call_summaries WHERE call_id = 'w5'$$, $$VALUES ('sent', NULL)$$, '... as its summary');
SELECT 1 AS leave FROM t.call('w5', NULL, '{"bullets": ["c"]}') \gset
SELECT is((pg_temp.call('w5')).notify_due_at, NULL, '... and that is the end of it');
INSERT INTO call_summaries (call_id, created_at) VALUES ('old', clock_timestamp() - interval '1 year');
SELECT is(close_calls(7200, 120, 6), 0, 'a row from before messaging is left alone');

-- The conversation was closed meanwhile -------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.told(ref text) RETURNS boolean LANGUAGE sql AS $$
    SELECT notify_call((pg_temp.call(ref)).id, jsonb_build_array(t.outbound(jsonb_build_object('message_type', 'summary',
        'idem_key', 'summary:' || ref || ':sms:1', 'call_id', ref))), 'sent', NULL)
$$;
CREATE FUNCTION pg_temp.close(session uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE omnichannel_sessions SET status = 'closed', closed_at = clock_timestamp() WHERE id = session
$$;
SELECT session_id AS closed FROM t.call('j1', '+250780000051', '{"bullets": ["a"], "ended": true}') \gset
SELECT pg_temp.close(:'closed') \gset
SELECT session_id AS open FROM t.inbound('+250780000051') \gset
SELECT ok(pg_temp.told('j1'), 'a summary whose conversation was closed while it waited');
SELECT results_eq($$SELECT s.id::text, s.call_id, s.status, m.session_id = s.id, c.session_id = s.id FROM omnichannel_sessions s JOIN call_summaries c ON c.call_id = 'j1'
                      JOIN message_delivery_log m ON m.call_id = 'j1' AND m.direction = 'outbound' WHERE s.profile_id = c.profile_id AND s.status <> 'closed'$$,
    format('VALUES (%L, %L, %L, true, true)', :'open', 'j1', 'follow_up'), '... goes to the one that is open, which is about that call');
SELECT session_id AS closed FROM t.call('j2', '+250780000052', '{"bullets": ["a"], "ended": true}') \gset
SELECT pg_temp.close(:'closed') \gset
SELECT session_id AS open FROM t.call('j3', '+250780000052') \gset
SELECT ok(pg_temp.told('j2'), '... where a later call is being held');
SELECT results_eq($$SELECT c.session_id::text, s.call_id, s.status FROM call_summaries c JOIN omnichannel_sessions s ON s.id = c.session_id WHERE c.call_id = 'j2'$$,
    format('VALUES (%L, %L, %L)', :'open', 'j3', 'active'), '... stays about that one');
SELECT session_id AS closed FROM t.call('j4', '+250780000053', '{"bullets": ["a"], "ended": true}') \gset
SELECT pg_temp.close(:'closed') \gset
SELECT ok(pg_temp.told('j4'), '... where none is open');
SELECT results_eq($$SELECT c.session_id::text <> '$$ || :'closed' || $$', s.call_id, s.status FROM call_summaries c JOIN omnichannel_sessions s ON s.id = c.session_id WHERE c.call_id = 'j4'$$,
    $$VALUES (true, 'j4', 'follow_up')$$, '... opens one');

-- Calls that nobody answered ---------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('m1', '+250780000010', '{"started": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:00:00Z", "ended": true}') \gset
SELECT results_eq($$SELECT status, duration_seconds, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 'm1'$$, $$VALUES ('missed', 0, true)$$, 'zero seconds: missed, due at once');
SELECT 1 AS leave FROM t.call('m2', '+250780000011', '{"started": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T09:59:59Z", "ended": true, "answered": true}') \gset
SELECT results_eq($$SELECT status, duration_seconds FROM call_summaries WHERE call_id = 'm2'$$, $$VALUES ('ended', 0)$$, '... but not one that was answered, where the clocks disagree');
SELECT 1 AS leave FROM t.call('m3', '+250780000012', '{"started": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:00:00Z", "ended": true, "summary": "Text"}') \gset
SELECT is((pg_temp.call('m3')).status, 'ended', 'a call with a text was not missed, whatever the clocks say');
SELECT 1 AS leave FROM t.call('m4', '+250780000012', '{"ended": true, "answered": false, "transcript": "I need a house"}') \gset
SELECT is((pg_temp.call('m4')).status, 'ended', '... nor one with a transcript');
SELECT 1 AS leave FROM t.call('m5', '+250780000012') AS a, t.call('m5', NULL, jsonb_build_object('started', clock_timestamp(), 'ended', true)) AS b \gset
SELECT is((pg_temp.call('m5')).status, 'ended', 'nor one whose end came at once, with nobody to say when');
SELECT 1 AS leave FROM t.call('m7', '+250780000012', '{"started": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:00:00.5Z", "answered": true}') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'times without an end');
SELECT results_eq($$SELECT status, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 'm7'$$, $$VALUES ('missed', true)$$, '... may say as much');
SELECT 1 AS leave FROM t.call('m6', '+250780000013', '{"ended": true, "answered": false}') \gset
SELECT 1 AS leave FROM t.call('m6', NULL, '{"summary": "There was somebody"}') \gset
SELECT is((pg_temp.call('m6')).status, 'ended', 'a text that comes in time makes a missed call an answered one');

SELECT session_id, profile_id FROM t.call('n1', '+250780000014', '{"ended": true, "answered": false}') \gset
SELECT ok(notify_call((pg_temp.call('n1')).id, jsonb_build_array(t.outbound('{"message_type": "missed_call", "idem_key": "missed:n1:sms:1", "call_id": "n1"}')), 'sent', 'not_answered'), 'a missed call gets its word');
SELECT results_eq($$SELECT notify_result, notify_reason FROM call_summaries WHERE call_id = 'n1'$$, $$VALUES ('sent', 'not_answered')$$, '... and says what it was');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session_id'), 'follow_up', '... the conversation can go on');
SELECT 1 AS leave FROM t.call('n2', '+250780000014', '{"ended": true, "answered": false}') \gset
SELECT ok(notify_call((pg_temp.call('n2')).id, jsonb_build_array(t.outbound('{"message_type": "missed_call", "idem_key": "missed:n2:sms:1", "call_id": "n2"}')), 'sent', 'not_answered'), 'a second one in the hour');
SELECT results_eq($$SELECT notify_result, notify_reason FROM call_summaries WHERE call_id = 'n2'$$, $$VALUES ('skipped', 'told_lately')$$, '... does not');
SELECT is((SELECT count(*) FROM message_delivery_log WHERE profile_id = :'profile_id'), 1::bigint, '... one message');
UPDATE call_summaries SET notified_at = notified_at - interval '61 minutes' WHERE call_id = 'n1';
SELECT 1 AS leave FROM t.call('n3', '+250780000014', '{"ended": true, "answered": false}') \gset
SELECT ok(notify_call((pg_temp.call('n3')).id, jsonb_build_array(t.outbound('{"message_type": "missed_call", "idem_key": "missed:n3:sms:1", "call_id": "n3"}')), 'sent', 'not_answered'), 'after the hour');
SELECT is((pg_temp.call('n3')).notify_result, 'sent', '... it is another');

SELECT session_id FROM t.call('e1', '+250780000015', '{"ended": true, "summary": "One"}') \gset
SELECT pg_temp.notify('e1') \gset
SELECT 1 AS leave FROM t.call('e2', '+250780000015', '{"ended": true, "answered": false}') \gset
SELECT is(call_earlier((pg_temp.call('e2')).id), (pg_temp.call('e1')).id, 'there was a call with a summary before it');
SELECT results_eq(format('SELECT s.call_id, t.parent_call_id FROM omnichannel_sessions s JOIN conversation_threads t ON t.session_id = s.id AND t.channel = %L WHERE s.id = %L', 'voice', :'session_id'),
    $$VALUES ('e1', 'e1')$$, '... which the conversation is still about');
SELECT 1 AS leave FROM t.call('e2', NULL, '{"ended": true}') \gset
SELECT is((SELECT call_id FROM omnichannel_sessions WHERE id = :'session_id'), 'e1', '... also when the end comes again');
SELECT pg_temp.notify('e2') \gset
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session_id'), 'follow_up', '... and goes on by text');
UPDATE call_summaries SET created_at = created_at - interval '31 days' WHERE call_id = 'e1';
SELECT is(call_earlier((pg_temp.call('e2')).id), NULL, 'after thirty days it is forgotten');
SELECT is(call_earlier((pg_temp.call('e1')).id), NULL, 'before the first there was none');

-- A text that comes after its person was told without one -------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('l1', '+250780000016', '{"ended": true}') \gset
SELECT notify_call((pg_temp.call('l1')).id, '[]', 'sent', 'no_text') \gset
SELECT 1 AS leave FROM t.call('l1', NULL, '{"ended": true}') \gset
SELECT is((pg_temp.call('l1')).notify_due_at, NULL, 'the sentence that stands in for the text goes out once');
SELECT 1 AS leave FROM t.call('l1', NULL, '{"bullets": ["Late"]}') \gset
SELECT results_eq($$SELECT status, notified_at, notify_due_at <= clock_timestamp(), told_early IS NOT NULL FROM call_summaries WHERE call_id = 'l1'$$,
    $$VALUES ('ended', NULL::timestamptz, true, true)$$, '... but the text is told when it comes');
SELECT pg_temp.notify('l1') \gset
SELECT 1 AS leave FROM t.call('l1', NULL, '{"bullets": ["Later"], "ended": true}') \gset
SELECT is((pg_temp.call('l1')).notify_due_at, NULL, '... once');
SELECT 1 AS leave FROM t.call('l2', '+250780000017', '{"ended": true, "answered": false}') \gset
SELECT notify_call((pg_temp.call('l2')).id, '[]', 'sent', 'not_answered') \gset
SELECT 1 AS leave FROM t.call('l2', NULL, '{"answered": true, "ended": true}') \gset
SELECT is((pg_temp.call('l2')).status, 'missed', 'a call was missed, and its person knows');
SELECT 1 AS leave FROM t.call('l2', NULL, '{"summary": "There was somebody"}') \gset
SELECT results_eq($$SELECT status, notified_at, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 'l2'$$,
    $$VALUES ('ended', NULL::timestamptz, true)$$, '... then somebody tells what it was about: it was not missed');
SELECT 1 AS leave FROM t.call('l3', '+250780000018', '{"ended": true}') \gset
SELECT notify_call((pg_temp.call('l3')).id, '[]', 'sent', 'no_text') \gset
UPDATE call_summaries SET end_seen_at = end_seen_at - interval '361 minutes' WHERE call_id = 'l3';
SELECT 1 AS leave FROM t.call('l3', NULL, '{"summary": "Yesterday"}') \gset
SELECT is((pg_temp.call('l3')).notify_due_at, NULL, 'after six hours a text is for the agent to read');
SELECT 1 AS leave FROM t.call('l4', '+250780000019', '{"bullets": ["Said"], "ended": true}') \gset
SELECT pg_temp.notify('l4') \gset
SELECT 1 AS leave FROM t.call('l4', NULL, '{"bullets": ["Said otherwise"]}') \gset
SELECT is((pg_temp.call('l4')).notify_due_at, NULL, 'who has a summary gets no second one');
CREATE FUNCTION pg_temp.news(ref text) RETURNS boolean LANGUAGE sql AS $$ SELECT c.told_last <> call_told(c) FROM call_summaries c WHERE call_id = ref $$;
SELECT ok(pg_temp.news('l4'), '... of which they know nothing');
SELECT 1 AS leave FROM t.call('l4', NULL, '{"bullets": ["Said"], "ended": true}') \gset
SELECT ok(NOT pg_temp.news('l4'), '... but of what is said again they do');
SELECT pg_temp.age('l4', interval '2 s') \gset
SELECT ok(call_heard('l4') AND NOT pg_temp.news('l4'), '... whatever its agent does meanwhile');
SELECT 1 AS leave FROM t.call(NULL, '+250780000019', '{"sip": "pbx-l6", "bullets": ["Said"], "ended": true}') \gset
SELECT pg_temp.notify('pbx-l6') \gset
SELECT 1 AS leave FROM t.call('l6', '+250780000019') AS a, t.call('l6', NULL, '{"sip": "pbx-l6"}') AS b \gset
SELECT ok(NOT pg_temp.news('l6'), '... also if two rows were one call');

-- Words that say nothing -------------------------------------------------------------------------------------------------------

SELECT is(lines_said('["  ", "", {"text": " \t"}, "a", {"text": "b"}, {"id": 7}]'), '["a", {"text": "b"}]', 'lines without a letter are none');
SELECT is(lines_said('[" "]'), NULL, '... and may be all there is');
SELECT is(lines_said('{"a": 1}'), NULL, '... also where there is no list');
SELECT 1 AS leave FROM t.call('x1', '+250780000021', '{"summary": " \n ", "bullets": ["", " "], "transcript": "A house in Remera", "ended": true}') \gset
SELECT results_eq($$SELECT call_has_text(c), summary_text, bullets, summarise_due_at IS NOT NULL, notify_due_at > clock_timestamp() FROM call_summaries c WHERE call_id = 'x1'$$,
    $$VALUES (false, NULL, NULL::jsonb, true, true)$$, 'white space is no text: the transcript is summarised');
SELECT 1 AS leave FROM t.call('x1', NULL, '{"bullets": ["Real"]}') \gset
SELECT ok((pg_temp.call('x1')).notify_due_at <= clock_timestamp(), '... and what is said next is told');
UPDATE call_summaries SET summarise_due_at = NULL WHERE call_id = 'x1';

-- Times ------------------------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('d1', '+250780000022', jsonb_build_object('bullets', '["a"]'::jsonb, 'started', clock_timestamp() - interval '100 s', 'ended_at', clock_timestamp() - interval '40 s')) \gset
SELECT results_eq($$SELECT status, ended_at IS NOT NULL, end_seen_at FROM call_summaries WHERE call_id = 'd1'$$, $$VALUES ('in_progress', true, NULL::timestamptz)$$, 'when a call has ended is kept before anybody says that it has');
SELECT is(close_calls(7200, 120, 60), 0, '... who may still come');
SELECT is(close_calls(7200, 120, 6), 1, '... but is not waited for long');
SELECT results_eq($$SELECT status, end_cause, duration_seconds FROM call_summaries WHERE call_id = 'd1'$$, $$VALUES ('ended', 'reported', 60)$$, '... and the times are its own');
SELECT 1 AS leave FROM t.call('d2', NULL, '{"started": "2026-01-01T10:00:00Z", "ended_at": "2026-01-01T10:02:00Z", "answered": true, "ended": true}') \gset
SELECT 1 AS leave FROM t.call('d2', '+250780000023', '{"bullets": ["a"]}') \gset
SELECT results_eq($$SELECT started_at, answered_at IS NOT NULL, duration_seconds FROM call_summaries WHERE call_id = 'd2'$$, $$VALUES ('2026-01-01T10:00:00Z'::timestamptz, true, 120)$$, 'an end that came before its call brings all it knows');

SELECT id FROM t.call('d3', '+250780000024') \gset
UPDATE call_summaries SET answered_at = clock_timestamp() - interval '9 minutes' WHERE call_id = 'd3';
INSERT INTO call_actions (call, profile_id, kind, status, expires_at, finished_at) SELECT id, profile_id, 'accept', 'done', clock_timestamp(), clock_timestamp() FROM call_summaries WHERE call_id = 'd3';
SELECT is(close_calls(7200, 120, 6), 0, 'an accepted call whose agent has used no tool may be a long talk');
UPDATE call_summaries SET answered_at = clock_timestamp() - interval '11 minutes' WHERE call_id = 'd3';
SELECT is(close_calls(7200, 120, 6), 1, '... but not for ever');
SELECT is((pg_temp.call('d3')).end_cause, 'silence', '... it goes on when its agent is heard of');
SELECT results_eq($$SELECT a.status, a.next_attempt_at - c.created_at, a.expires_at - a.next_attempt_at FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE c.call_id = 'd3' AND a.kind = 'stop'$$,
    $$VALUES ('pending', interval '2 hours', interval '10 minutes')$$, '... and is hung up when it is too long, not before');
SELECT is((SELECT count(*) FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE c.call_id = 'w1'), 0::bigint, 'what others answered is theirs to end');

-- No channel is set up ---------------------------------------------------------------------------------------------------------

SELECT 1 AS leave FROM t.call('p1', '+250780000020', '{"ended": true, "summary": "Text"}') \gset
SELECT ok(postpone_call((pg_temp.call('p1')).id, 'no_channel_set_up', 60), 'a notification is postponed');
SELECT results_eq($$SELECT notified_at, notify_reason, notify_due_at BETWEEN clock_timestamp() + interval '50 s' AND clock_timestamp() + interval '60 s' FROM call_summaries WHERE call_id = 'p1'$$,
    $$VALUES (NULL::timestamptz, 'no_channel_set_up', true)$$, '... for a minute, and says why');
SELECT pg_temp.notify('p1') \gset
SELECT is((pg_temp.call('p1')).notify_reason, NULL, '... what it waited for is no reason any more when it was sent');
SELECT ok(NOT postpone_call((pg_temp.call('p1')).id, 'x', 60), '... nor is it postponed again');

-- A text from the transcript ---------------------------------------------------------------------------------------------------

UPDATE call_summaries SET summarise_due_at = NULL; -- those of above
SELECT 1 AS leave FROM t.call('t1', '+250780000030', '{"transcript": "I need a house", "intent": "housing", "language": "rw"}') \gset
SELECT is((pg_temp.call('t1')).summarise_due_at, NULL, 'while the call goes on nothing is made of its transcript');
SELECT 1 AS leave FROM t.call('t1', NULL, '{"ended": true}') \gset
SELECT ok((pg_temp.call('t1')).summarise_due_at <= clock_timestamp(), '... its end makes it due at once');
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(:'id'::uuid, (pg_temp.call('t1')).id, 'it is claimed');
SELECT is((SELECT count(*) FROM claim_transcripts('v', 10, 60)), 0::bigint, '... by one worker');
SELECT is(renew_transcripts(jsonb_build_array(jsonb_build_object('id', :'id', 'token', :token)), 60), 1, '... who may renew');
SELECT is(renew_transcripts(jsonb_build_array(jsonb_build_object('id', :'id', 'token', 0)), 60), 0, '... nobody else');
SELECT is(finish_transcript(:'id', 0, '["x"]', '[]', NULL, NULL), 'lost', '... nor write');
SELECT is(finish_transcript(:'id', :token, '["You need a house"]', '["We call"]', 'sw', NULL), 'made', 'its points are made');
SELECT results_eq($$SELECT bullets, next_actions, text_made, language, summarise_due_at, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 't1'$$,
    $$VALUES ('["You need a house"]'::jsonb, '["We call"]'::jsonb, true, 'rw', NULL::timestamptz, true)$$, '... stored, and the person is told now');
SELECT is(finish_transcript(:'id', :token, '["y"]', '[]', NULL, NULL), 'lost', '... once');
SELECT 1 AS leave FROM t.call('t1', NULL, '{"summary": "From the agent itself"}') \gset
SELECT results_eq($$SELECT summary_text, bullets, text_made FROM call_summaries WHERE call_id = 't1'$$, $$VALUES ('From the agent itself', NULL::jsonb, false)$$, 'what the agent itself says takes its place');

SELECT 1 AS leave FROM t.call('t0', '+250780000039', '{"transcript": "I need a house", "ended": true}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '["You need a house"]', '[]', NULL, NULL), 'made', 'a text of half a call');
SELECT 1 AS leave FROM t.call('t0', NULL, '{"transcript": "I need a house", "ended": true}') \gset
SELECT is((pg_temp.call('t0')).bullets, '["You need a house"]', '... stays when the same half comes again');
SELECT 1 AS leave FROM t.call('t0', NULL, '{"transcript": "I need a house in Remera"}') \gset
SELECT results_eq($$SELECT bullets, text_made, summarise_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 't0'$$, $$VALUES ('["You need a house"]'::jsonb, true, true)$$,
    '... and is made again from the whole');
SELECT is((SELECT notify_due_at - end_seen_at FROM call_summaries WHERE call_id = 't0'), interval '6 s', '... which its person may wait for');
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '["In Remera"]', '[]', NULL, NULL), 'made', '... in its place');
SELECT results_eq($$SELECT bullets, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 't0'$$, $$VALUES ('["In Remera"]'::jsonb, true)$$, '... and told');
SELECT 1 AS leave FROM t.call('t0', NULL, '{"transcript": "I need a house in Remera, bye"}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '[]', '[]', NULL, 2), 'again', 'what is made once more is not made at once');
SELECT is((SELECT notify_due_at - end_seen_at FROM call_summaries WHERE call_id = 't0'), interval '6 s', '... and is not waited for any longer');
UPDATE call_summaries SET summarise_due_at = clock_timestamp() WHERE call_id = 't0';
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '[]', '[]', NULL, NULL), 'none', '... nor at all');
SELECT results_eq($$SELECT bullets, notify_due_at <= clock_timestamp(), summarise_due_at FROM call_summaries WHERE call_id = 't0'$$,
    $$VALUES ('["In Remera"]'::jsonb, true, NULL::timestamptz)$$, '... then what there is is told');
SELECT pg_temp.notify('t0') \gset
SELECT 1 AS leave FROM t.call('t0', NULL, '{"transcript": "I need a house in Remera, good bye"}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '["A house in Remera"]', '[]', NULL, NULL), 'made', 'what is made after it was told');
SELECT results_eq($$SELECT bullets, notified_at IS NOT NULL, notify_due_at FROM call_summaries WHERE call_id = 't0'$$,
    $$VALUES ('["A house in Remera"]'::jsonb, true, NULL::timestamptz)$$, '... is for the agent to read');
SELECT 1 AS leave FROM t.call('t0', NULL, '{"transcript": "I need a house in Remera, good bye!"}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT 1 AS leave FROM t.call('t0', NULL, '{"bullets": ["From the agent itself"]}') \gset
SELECT is(finish_transcript(:'id', :token, '["Made"]', '[]', NULL, NULL), 'late', '... unless the agent itself has said it meanwhile');
SELECT 1 AS leave FROM t.call('t8', '+250780000036', '{"transcript": "I need a house"}') \gset
SELECT pg_temp.age('t8', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'a call that was given up, and told of by what was made');
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT finish_transcript(:'id', :token, '["You need a house"]', '[]', NULL, NULL) AS leave \gset
SELECT pg_temp.notify('t8') \gset
SELECT 1 AS leave FROM t.call('t8', NULL, '{"transcript": "I need a house. Bye", "ended": true}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '[]', '[]', NULL, NULL), 'none', '... and of whose rest nothing is made');
SELECT pg_temp.notify('t8') \gset
SELECT is((pg_temp.call('t8')).notify_reason, 'told_before', '... is not told twice');
SELECT 1 AS leave FROM t.call('t2', '+250780000031', '{"transcript": "I need a house", "ended": true}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '[]', '[]', NULL, 2), 'again', 'no answer: again');
SELECT is((SELECT count(*) FROM claim_transcripts('w', 10, 60)), 0::bigint, '... not yet');
UPDATE call_summaries SET summarise_due_at = clock_timestamp() WHERE call_id = 't2';
SELECT id, token, attempt FROM claim_transcripts('w', 10, 60) \gset
SELECT is(:attempt, 2, '... a second try');
SELECT 1 AS leave FROM t.call('t2', NULL, '{"bullets": ["Told"]}') \gset
SELECT is((pg_temp.call('t2')).summarise_due_at, NULL, 'while it is tried, somebody tells');
SELECT is(finish_transcript(:'id', :token, '["Made"]', '[]', NULL, NULL), 'late', '... and what was made comes too late');
SELECT is((pg_temp.call('t2')).bullets, '["Told"]'::jsonb, '... nothing is overwritten');

SELECT 1 AS leave FROM t.call('t3', '+250780000032', '{"transcript": "I need", "ended": true}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT 1 AS leave FROM t.call('t3', NULL, '{"transcript": "I need a house"}') \gset
SELECT is(finish_transcript(:'id', :token, '["Made"]', '[]', NULL, NULL), 'lost', 'of a transcript that is replaced meanwhile nothing is made');
SELECT id, token, transcript FROM claim_transcripts('w', 10, 60) \gset
SELECT is(:'transcript'::text, 'I need a house', '... but of the new one');
SELECT is(finish_transcript(:'id', :token, '[]', '[]', NULL, NULL), 'none', 'there is nothing to say');
SELECT results_eq($$SELECT bullets, summarise_due_at, notify_due_at - end_seen_at FROM call_summaries WHERE call_id = 't3'$$, $$VALUES (NULL::jsonb, NULL::timestamptz, interval '6 s')$$, '... the short sentence goes out in its time');
SELECT notify_call((pg_temp.call('t3')).id, '[]', 'sent', 'no_text') \gset
SELECT 1 AS leave FROM t.call('t3', NULL, '{"transcript": "I need a house in Remera"}') \gset
SELECT id, token FROM claim_transcripts('w', 10, 60) \gset
SELECT is(finish_transcript(:'id', :token, '["Made"]', '[]', NULL, NULL), 'made', 'a transcript after the person was told');
SELECT results_eq($$SELECT bullets, notified_at, notify_due_at <= clock_timestamp() FROM call_summaries WHERE call_id = 't3'$$, $$VALUES ('["Made"]'::jsonb, NULL::timestamptz, true)$$, '... makes the summary that they have not got yet');
SELECT pg_temp.notify('t3') \gset
SELECT 1 AS leave FROM t.call('t3', NULL, '{"bullets": ["From the agent itself"]}') \gset
SELECT is((pg_temp.call('t3')).notify_due_at, NULL, '... which they get once');

SELECT 1 AS leave FROM t.call('t4', '+250780000033', '{"transcript": "I need a house", "ended": true}') \gset
UPDATE call_summaries SET summarise_tries = 5 WHERE call_id = 't4';
SELECT is((SELECT count(*) FROM claim_transcripts('w', 10, 60)), 0::bigint, 'five workers died of it');
SELECT is((pg_temp.call('t4')).summarise_due_at, NULL, '... nobody else shall');
SELECT 1 AS leave FROM t.call('t5', '+250780000033', E'{"transcript": " \\n\\t ", "ended": true}') AS a, t.call('t6', '+250780000033', '{"transcript": "", "ended": true}') AS b \gset
SELECT is((SELECT count(*) FROM call_summaries WHERE call_id IN ('t5', 't6') AND summarise_due_at IS NULL), 2::bigint, 'an empty transcript is none');
SELECT 1 AS leave FROM t.call('t7', '+250780000034', '{"transcript": "I need a house"}') \gset
SELECT pg_temp.age('t7', interval '121 s') \gset
SELECT is(close_calls(7200, 120, 6), 1, 'a call with a transcript whose end nobody reported');
SELECT is((SELECT call_id FROM claim_transcripts('w', 10, 60)), 't7', '... is summarised, too');

-- One call, two names ----------------------------------------------------------------------------------------------------------

SELECT id, session_id FROM t.call(NULL, '+250780000040', '{"sip": "pbx-1", "ended": true, "summary": "Text"}') \gset
SELECT notify_call(:'id', jsonb_build_array(t.outbound('{"message_type": "summary", "idem_key": "summary:pbx-1:sms:1", "call_id": "pbx-1"}')), 'sent', NULL) \gset
SELECT results_eq($$SELECT id::text, call FROM t.call('rtc-1', '+250780000040', '{"sip": "pbx-1", "ended": true}')$$, format($$VALUES (%L, 'rtc-1')$$, :'id'), 'the provider''s id takes the place of the exchange''s name');
SELECT results_eq(format('SELECT s.call_id, t.parent_call_id, m.call_id, m.idem_key FROM omnichannel_sessions s JOIN conversation_threads t ON t.session_id = s.id AND t.channel = %L
    JOIN message_delivery_log m ON m.session_id = s.id WHERE s.id = %L', 'sms', :'session_id'), $$VALUES ('rtc-1', 'rtc-1', 'rtc-1', 'summary:pbx-1:sms:1')$$, '... everywhere');
SELECT is((pg_temp.call('rtc-1')).notify_due_at, NULL, '... and nobody is told again');

SELECT id AS keep FROM t.call('rtc-2', '+250780000041', '{"bullets": ["Said"]}') \gset
SELECT id AS twin FROM t.call(NULL, '+250780000041', '{"sip": "pbx-2", "ended": true, "ended_at": "2026-01-01T10:05:00Z"}') \gset
SELECT is((SELECT id FROM t.call('rtc-2', NULL, '{"sip": "pbx-2"}'))::text, :'keep', 'two rows turn out to be one call');
SELECT results_eq($$SELECT call_id, sip_call_id, status, ended_at, bullets, notify_due_at <= clock_timestamp() FROM call_summaries WHERE sip_call_id = 'pbx-2'$$,
    $$VALUES ('rtc-2', 'pbx-2', 'ended', '2026-01-01T10:05:00Z'::timestamptz, '["Said"]'::jsonb, true)$$, '... which knows what both knew');
SELECT results_eq(format('SELECT merged_into::text, notify_result, notify_due_at FROM call_summaries WHERE id = %L', :'twin'), format($$VALUES (%L, 'skipped', NULL::timestamptz)$$, :'keep'), '... the other steps back');
SELECT 1 AS leave FROM t.call('rtc-3', '+250780000042', '{"sip": "pbx-3"}') \gset
SELECT lives_ok($$SELECT * FROM t.call('rtc-4', '+250780000043', '{"sip": "pbx-3"}')$$, 'a name that is another call''s');
SELECT results_eq($$SELECT call_id FROM call_summaries WHERE sip_call_id = 'pbx-3'$$, $$VALUES ('rtc-3')$$, '... stays its own');

-- A message of the conversation belongs to the call ----------------------------------------------------------------------------------

SELECT session_id FROM t.inbound('+250780000050') \gset
SELECT 1 AS leave FROM t.call('b1', '+250780000050', '{"ended": true, "summary": "Text"}') \gset
SELECT notify_call((pg_temp.call('b1')).id, jsonb_build_array(t.outbound('{"message_type": "summary", "idem_key": "summary:b1:sms:1", "call_id": "b1"}')), 'sent', NULL) \gset
SELECT 1 AS leave FROM t.inbound('+250780000050', '{"channel": "whatsapp", "wa_id": "250780000050"}') \gset
SELECT results_eq(format('SELECT channel, parent_call_id FROM conversation_threads WHERE session_id = %L ORDER BY 1', :'session_id'),
    $$VALUES ('sms', 'b1'), ('voice', 'b1'), ('whatsapp', 'b1')$$, 'every thread of the conversation names the call');

SELECT * FROM finish();
