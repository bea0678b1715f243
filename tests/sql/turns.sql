-- The agent's turns: one at a time per conversation, in order, none answered twice, none skipped.
SELECT plan(57);

CREATE FUNCTION pg_temp.replies(n int DEFAULT 1) RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_agg(t.outbound(jsonb_build_object('part', i, 'content', 'reply'))), '[]') FROM generate_series(1, n) AS i
$$;
CREATE FUNCTION pg_temp.done(turn uuid, session uuid, token bigint, reply_rows jsonb DEFAULT pg_temp.replies(),
    evidence jsonb DEFAULT '{"agent": "call_center", "model": "m", "prompt_tokens": 10, "completion_tokens": 5}') RETURNS text LANGUAGE sql AS $$
    SELECT finish_turn(turn, session, token, true, reply_rows, evidence, NULL, 900)
$$;
CREATE FUNCTION pg_temp.failed(turn uuid, session uuid, token bigint, retry_s float8, fallback_every_s int DEFAULT 900) RETURNS text LANGUAGE sql AS $$
    SELECT finish_turn(turn, session, token, false, jsonb_build_array(t.outbound('{"message_type": "fallback"}')), '{"error_code": "timeout"}', retry_s, fallback_every_s)
$$;
CREATE FUNCTION pg_temp.waiting(session uuid) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM message_delivery_log WHERE session_id = session AND awaits_turn
$$;
CREATE FUNCTION pg_temp.sent(session uuid, type text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM message_delivery_log WHERE session_id = session AND direction = 'outbound' AND message_type = type
$$;

-- One turn answers all that waits -----------------------------------------------------------------------------------------

SELECT is_empty($$SELECT turn_id FROM claim_turns('w1', 10, 60)$$, 'nobody waits, no turn');
SELECT session_id AS session, profile_id AS person FROM t.inbound('+250780000001', '{"content": "one"}') \gset
SELECT message_id AS two FROM t.inbound('+250780000001', '{"content": "two", "channel": "whatsapp"}') \gset
SELECT turn_id, token, upto, attempt, session_id AS s, profile_id AS p FROM claim_turns('w1', 10, 60) \gset
SELECT results_eq(format('SELECT %L::uuid, %L::uuid, %L::bigint, %L::int', :'s', :'p', :'token', :'attempt'), format('VALUES (%L::uuid, %L::uuid, 1::bigint, 1)', :'session', :'person'),
    'a turn is claimed, with its token');
SELECT is(:'upto'::bigint, (t.message(:'two')).seq, '... up to the last message, whatever its channel');
SELECT results_eq(format('SELECT status, worker, finished_at FROM turns WHERE id = %L', :'turn_id'), $$VALUES ('running', 'w1', NULL::timestamptz)$$, '... and is on record');
SELECT is_empty($$SELECT turn_id FROM claim_turns('w2', 10, 60)$$, 'while it runs nobody else gets the conversation');

SELECT message_id AS three FROM t.inbound('+250780000001', '{"content": "three"}') \gset
SELECT is_empty($$SELECT turn_id FROM claim_turns('w2', 10, 60)$$, 'a message that comes meanwhile waits');
SELECT is(pg_temp.done(:'turn_id', :'session', :'token', pg_temp.replies(2)), 'done', 'the turn ends');
SELECT results_eq(format('SELECT content, turn_id = %L, awaits_turn FROM message_delivery_log WHERE session_id = %L AND direction = ''inbound'' ORDER BY seq', :'turn_id', :'session'),
    $$VALUES ('one', true, false), ('two', true, false), ('three', NULL, true)$$, '... it has answered what it read, the later message waits');
SELECT is(pg_temp.sent(:'session', 'reply'), 2::bigint, '... its rows are written');
SELECT is((SELECT message_count FROM conversation_threads WHERE session_id = :'session' AND channel = 'sms'), 3, '... the thread counts one message, not its parts');
SELECT results_eq(format('SELECT status, agent, model, prompt_tokens, completion_tokens, finished_at IS NOT NULL FROM turns WHERE id = %L', :'turn_id'),
    $$VALUES ('done', 'call_center', 'm', 10, 5, true)$$, '... with the evidence');
SELECT results_eq(format('SELECT turn_lease_until, turn_attempts, last_agent_id, turn_due_at IS NOT NULL FROM omnichannel_sessions WHERE id = %L', :'session'),
    $$VALUES (NULL::timestamptz, 0, 'call_center', true)$$, '... the next turn is due');
SELECT is(pg_temp.done(:'turn_id', :'session', :'token'), 'lost', 'a turn that has ended cannot end again');
SELECT is(pg_temp.sent(:'session', 'reply'), 2::bigint, '... and writes nothing');
SELECT is((SELECT status FROM turns WHERE id = :'turn_id'), 'done', '... and stays done');

SELECT turn_id, token, upto, attempt FROM t.turn(:'session') \gset
SELECT is(:'upto'::bigint, (t.message(:'three')).seq, 'the next turn answers the message that came meanwhile');
SELECT pg_temp.done(:'turn_id', :'session', :'token') AS leave \gset
SELECT results_eq(format('SELECT turn_due_at, needs_human FROM omnichannel_sessions WHERE id = %L', :'session'), 'VALUES (NULL::timestamptz, false)', 'nobody waits any more: no turn is due');
SELECT is_empty($$SELECT turn_id FROM claim_turns('w', 10, 60)$$, '... none is claimed');
SELECT ok((SELECT expires_at > clock_timestamp() + interval '23 hours' FROM omnichannel_sessions WHERE id = :'session'), 'an answer keeps the conversation open');

-- Quiet time, how many ------------------------------------------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250780000002', '{"quiet_ms": 60000}') \gset
SELECT is_empty($$SELECT turn_id FROM claim_turns('w', 10, 60)$$, 'in the quiet time no turn is claimed');
SELECT 1 AS leave FROM t.inbound('+250780000002') \gset
SELECT is((SELECT count(*) FROM claim_turns('w', 0, 60)), 0::bigint, 'none was wanted, none is claimed');
SELECT turn_id, token, upto FROM t.turn(:'session') \gset
SELECT pg_temp.done(:'turn_id', :'session', :'token', '[]') AS result \gset
SELECT is(:'result'::text, 'done', 'a turn may end without an answer');
SELECT is(pg_temp.waiting(:'session'), 0::bigint, '... the messages are done with all the same');
SELECT count(*) AS leave FROM generate_series(3, 7) AS n, t.inbound('+25078000000' || n) \gset
SELECT is((SELECT count(*) FROM claim_turns('w', 3, 60)), 3::bigint, 'as many turns as wanted');
SELECT is((SELECT count(*) FROM claim_turns('w', 3, 60)), 2::bigint, '... and then the rest');

-- A lost lease -----------------------------------------------------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250780000010') \gset
SELECT turn_id AS old, token AS old_token FROM t.turn(:'session') \gset
UPDATE omnichannel_sessions SET turn_lease_until = clock_timestamp() - interval '1 second' WHERE id = :'session';
SELECT turn_id AS new, token AS new_token, attempt FROM t.turn(:'session') \gset
SELECT is(:'new_token'::bigint, :'old_token'::bigint + 1, 'a turn whose worker died is taken over, with the next token');
SELECT is(:'attempt'::int, 2, '... as the second attempt');
SELECT is((SELECT status FROM turns WHERE id = :'old'), 'lost', '... the first is on record as lost');
SELECT is(pg_temp.done(:'old', :'session', :'old_token'), 'lost', 'the first worker comes back: it has lost the lease');
SELECT is(pg_temp.failed(:'old', :'session', :'old_token', 60), 'lost', '... whatever it says');
SELECT is(pg_temp.sent(:'session', 'reply') + pg_temp.sent(:'session', 'fallback'), 0::bigint, '... and writes nothing');
SELECT is(pg_temp.waiting(:'session'), 1::bigint, '... the message still waits');
SELECT is(pg_temp.done(:'new', :'session', :'new_token'), 'done', 'the second answers it');
SELECT is(pg_temp.sent(:'session', 'reply'), 1::bigint, '... once');
SELECT is(pg_temp.done(uuid_v7(), uuid_v7(), 1), 'lost', 'a turn of no conversation is lost');
SELECT session_id AS session FROM t.inbound('+250780000010') \gset
SELECT turn_id, token FROM t.turn(:'session') \gset
UPDATE omnichannel_sessions SET turn_lease_until = clock_timestamp() - interval '1 second' WHERE id = :'session';
SELECT is(pg_temp.done(:'turn_id', :'session', :'token'), 'done', 'a lease that ended, but that nobody took, is still the worker''s');

-- Failure: the fallback once per window, then again with backoff ---------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250780000011') \gset
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT is(pg_temp.failed(:'turn_id', :'session', :'token', 60), 'failed', 'a turn fails');
SELECT is(pg_temp.sent(:'session', 'fallback'), 1::bigint, '... the person gets the fallback sentence');
SELECT is(pg_temp.waiting(:'session'), 1::bigint, '... the message waits');
SELECT results_eq(format('SELECT turn_due_at - clock_timestamp() BETWEEN interval ''50 s'' AND interval ''60 s'', turn_lease_until, needs_human FROM omnichannel_sessions WHERE id = %L', :'session'),
    'VALUES (true, NULL::timestamptz, false)', '... the turn is due again in a minute');
SELECT results_eq(format('SELECT status, error_code FROM turns WHERE id = %L', :'turn_id'), $$VALUES ('failed', 'timeout')$$, '... and is on record');
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp() WHERE id = :'session';
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT pg_temp.failed(:'turn_id', :'session', :'token', 0) AS leave \gset
SELECT is(pg_temp.sent(:'session', 'fallback'), 1::bigint, 'a second failure within the window sends no second sentence');
UPDATE omnichannel_sessions SET last_fallback_at = clock_timestamp() - interval '901 s' WHERE id = :'session';
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT pg_temp.failed(:'turn_id', :'session', :'token', 0) AS leave \gset
SELECT is(pg_temp.sent(:'session', 'fallback'), 2::bigint, '... after the window it does');
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT pg_temp.done(:'turn_id', :'session', :'token') AS leave \gset
SELECT results_eq(format('SELECT %s, %s, turn_due_at, turn_attempts FROM omnichannel_sessions WHERE id = %L', pg_temp.sent(:'session', 'reply'), pg_temp.waiting(:'session'), :'session'),
    'VALUES (1, 0, NULL::timestamptz, 0)', 'the real answer comes in the end');

SELECT session_id AS session FROM t.inbound('+250780000012') \gset
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT finish_turn(:'turn_id', :'session', :'token', false, '[]', '{}', 0, 900) AS leave \gset
SELECT is((SELECT last_fallback_at FROM omnichannel_sessions WHERE id = :'session'), NULL, 'where no sentence was sent, none counts');

-- Given to a person, and back --------------------------------------------------------------------------------------------------------------

SELECT session_id AS session FROM t.inbound('+250780000013') \gset
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT pg_temp.failed(:'turn_id', :'session', :'token', NULL) AS leave \gset
SELECT results_eq(format('SELECT needs_human, turn_due_at FROM omnichannel_sessions WHERE id = %L', :'session'), 'VALUES (true, NULL::timestamptz)', 'no further try: a person shall look');
SELECT is_empty(format('SELECT * FROM t.turn(%L)', :'session'), '... no turn is claimed');
SELECT 1 AS leave FROM t.inbound('+250780000013') \gset
SELECT turn_id, token, attempt FROM t.turn(:'session') \gset
SELECT is(:'attempt'::int, 1, 'a new message wakes the agent again, with attempts of its own');
SELECT pg_temp.done(:'turn_id', :'session', :'token') AS leave \gset
SELECT results_eq(format('SELECT needs_human, %s FROM omnichannel_sessions WHERE id = %L', pg_temp.waiting(:'session'), :'session'), 'VALUES (false, 0)', 'its answer covers all that waited');

-- a message that comes while the last try runs
SELECT session_id AS session FROM t.inbound('+250780000014') \gset
SELECT turn_id, token FROM t.turn(:'session') \gset
SELECT 1 AS leave FROM t.inbound('+250780000014') \gset
SELECT pg_temp.failed(:'turn_id', :'session', :'token', NULL) AS leave \gset
SELECT results_eq(format('SELECT needs_human, turn_due_at IS NOT NULL FROM omnichannel_sessions WHERE id = %L', :'session'), 'VALUES (true, true)',
    'what came while the last try ran has not been tried: its turn stays due');
SELECT is((SELECT attempt FROM t.turn(:'session')), 1, '... with attempts of its own');

-- five workers that die
SELECT session_id AS session FROM t.inbound('+250780000015') \gset
CREATE FUNCTION pg_temp.dies(session uuid) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    n int := (SELECT attempt FROM t.turn(session));
BEGIN
    UPDATE omnichannel_sessions SET turn_lease_until = clock_timestamp() - interval '1 second' WHERE id = session AND turn_lease_until IS NOT NULL;
    RETURN n;
END $$;
SELECT is((SELECT string_agg(coalesce(pg_temp.dies(:'session')::text, '-'), '' ORDER BY n) FROM generate_series(1, 7) AS n), '12345--', 'a message on which five workers died is not given to a sixth');
SELECT results_eq(format('SELECT needs_human, turn_due_at, turn_lease_until, %s FROM omnichannel_sessions WHERE id = %L', pg_temp.waiting(:'session'), :'session'),
    'VALUES (true, NULL::timestamptz, NULL::timestamptz, 1)', '... a person shall look');
SELECT is((SELECT count(*) FROM turns WHERE session_id = :'session' AND status = 'lost'), 5::bigint, '... all five are on record as lost');
SELECT 1 AS leave FROM t.inbound('+250780000015') \gset
SELECT is((SELECT attempt FROM t.turn(:'session')), 1, 'a new message wakes the agent again');

-- due, but nobody waits
SELECT session_id AS session FROM t.inbound('+250780000016', '{"turn": false}') \gset
UPDATE omnichannel_sessions SET turn_due_at = clock_timestamp() WHERE id = :'session';
SELECT is_empty(format('SELECT * FROM t.turn(%L)', :'session'), 'a turn without a message is none');
SELECT results_eq(format('SELECT turn_due_at, needs_human FROM omnichannel_sessions WHERE id = %L', :'session'), 'VALUES (NULL::timestamptz, false)', '... and is not asked for again');

SELECT * FROM finish();
