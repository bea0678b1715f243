-- One conversation per person, whichever way he or she writes: opened, found again, moved on, closed; and what outside
-- systems may call by name.
SELECT plan(56);

SELECT t.person('+250780000001') AS person \gset

-- Opened once, found again --------------------------------------------------------------------------------------------

SELECT get_or_create_omnichannel_session(:'person', 'voice', 'call-1', 'call_center', 'housing') AS session \gset
SELECT results_eq(
    format('SELECT profile_id::text, primary_channel, active_channels, call_id, last_agent_id, last_intent, status, context
              FROM omnichannel_sessions WHERE id = %L', :'session'),
    format($$VALUES (%L, 'voice', ARRAY['voice'], 'call-1', 'call_center', 'housing', 'active', '{}'::jsonb)$$, :'person'),
    'a new session has what it was opened with');
SELECT ok((SELECT expires_at - clock_timestamp() BETWEEN interval '23:59' AND interval '24:00:01' FROM omnichannel_sessions
            WHERE id = :'session'), '... and lives 24 hours');
SELECT is(get_or_create_omnichannel_session(:'person', 'sms'), :'session', 'another channel finds the same session');
SELECT is(get_or_create_omnichannel_session(:'person', 'whatsapp'), :'session', '... a third one, too');
SELECT is(get_or_create_omnichannel_session(:'person', 'sms'), :'session', '... and the second again');
SELECT results_eq(
    format('SELECT primary_channel, active_channels, call_id, last_agent_id, last_intent FROM omnichannel_sessions WHERE id = %L', :'session'),
    $$VALUES ('voice', ARRAY['voice', 'sms', 'whatsapp'], 'call-1', 'call_center', 'housing')$$,
    'channels are added once, what is not given stays');
SELECT is(get_or_create_omnichannel_session(:'person', 'sms', NULL, 'jobs', 'work'), :'session', 'agent and intent may change');
SELECT results_eq(format('SELECT last_agent_id, last_intent FROM omnichannel_sessions WHERE id = %L', :'session'),
    $$VALUES ('jobs', 'work')$$, '... and did');
SELECT results_eq(format('SELECT created, status FROM session_open(%L, ''sms'', NULL, NULL, NULL, NULL)', :'person'),
    $$VALUES (false, 'active')$$, 'session_open says that it was there');
SELECT t.person('+250780000002') AS other \gset
SELECT results_eq(format('SELECT id, created FROM session_open(%L, ''sms'', NULL, NULL, NULL, ''00000000-0000-7000-8000-000000000001'')', :'other'),
    $$VALUES ('00000000-0000-7000-8000-000000000001'::uuid, true)$$, '... or that it is new, under the id it was given');
SELECT throws_ok($$SELECT get_or_create_omnichannel_session('00000000-0000-7000-8000-0000000000ff', 'sms')$$, '23503', NULL,
    'nobody''s session is refused');
SELECT throws_ok(format('SELECT get_or_create_omnichannel_session(%L, ''fax'')', :'person'), '23514', NULL, 'an unknown channel is refused');

UPDATE omnichannel_sessions SET expires_at = clock_timestamp() + interval '1 minute' WHERE id = :'session';
SELECT is(get_or_create_session(:'person', 'sms'), :'session', 'the short name is the same function');
SELECT ok((SELECT expires_at > clock_timestamp() + interval '23 hours' FROM omnichannel_sessions WHERE id = :'session'),
    'whatever comes gives it 24 hours more');

-- follow_up and a new call ------------------------------------------------------------------------------------------------

SELECT ok(update_omnichannel_session_status(:'session', 'follow_up'), 'a session moves on to follow_up');
SELECT is(get_or_create_omnichannel_session(:'person', 'sms'), :'session', 'a reply finds the session in follow_up');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session'), 'follow_up', '... and leaves it there');
SELECT is(get_or_create_omnichannel_session(:'person', 'voice', 'call-1'), :'session', 'the call it is about finds it');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'session'), 'follow_up', '... and leaves it there');
SELECT is(get_or_create_omnichannel_session(:'person', 'voice', 'call-2'), :'session', 'a new call goes on with the session');
SELECT results_eq(format('SELECT status, call_id FROM omnichannel_sessions WHERE id = %L', :'session'),
    $$VALUES ('active', 'call-2')$$, '... which is active again and about that call');

-- Context ------------------------------------------------------------------------------------------------------------------

SELECT ok(update_omnichannel_session_status(:'session', 'active', '{"a": 1, "b": 1}'), 'context is set');
SELECT ok(update_session_status(:'session', 'active', '{"b": 2, "c": {"d": 3}}', 'housing', 'rent'), 'the short name is the same function');
SELECT results_eq(format('SELECT context, last_agent_id, last_intent FROM omnichannel_sessions WHERE id = %L', :'session'),
    $$VALUES ('{"a": 1, "b": 2, "c": {"d": 3}}'::jsonb, 'housing', 'rent')$$, 'context is merged key by key');
SELECT throws_ok(format('SELECT update_omnichannel_session_status(%L, ''active'', ''[1]'')', :'session'), '23514', NULL,
    'a context that is no object is refused');
SELECT throws_ok(format('SELECT update_omnichannel_session_status(%L, ''active'', jsonb_build_object(''k'', repeat(''x'', 32768)))', :'session'),
    '23514', NULL, 'a context above 32 KiB is refused');
SELECT throws_ok(format('SELECT update_omnichannel_session_status(%L, ''gone'')', :'session'), '23514', NULL, 'an unknown status is refused');
SELECT is((SELECT context FROM omnichannel_sessions WHERE id = :'session'), '{"a": 1, "b": 2, "c": {"d": 3}}'::jsonb,
    'what was refused changed nothing');

-- Closed, expired ------------------------------------------------------------------------------------------------------------

SELECT ok(update_omnichannel_session_status(:'session', 'closed'), 'a session can be closed');
SELECT ok((SELECT closed_at IS NOT NULL FROM omnichannel_sessions WHERE id = :'session'), '... and knows when');
SELECT ok(NOT update_omnichannel_session_status(:'session', 'active', '{"late": 1}'), 'a closed one is not reopened');
SELECT ok(NOT update_omnichannel_session_status(uuid_v7(), 'active'), 'nor one that is not there');
SELECT get_or_create_omnichannel_session(:'person', 'sms') AS second \gset
SELECT isnt(:'second'::uuid, :'session'::uuid, 'after closing, the person has a new session');
SELECT is((SELECT context FROM omnichannel_sessions WHERE id = :'second'), '{}'::jsonb, '... with a context of its own');

UPDATE omnichannel_sessions SET expires_at = clock_timestamp() - interval '1 second' WHERE id = :'second';
SELECT get_or_create_omnichannel_session(:'person', 'sms') AS third \gset
SELECT isnt(:'third'::uuid, :'second'::uuid, 'a session whose time is over is not found again');
SELECT results_eq(format('SELECT status, closed_at IS NOT NULL FROM omnichannel_sessions WHERE id = %L', :'second'),
    $$VALUES ('closed', true)$$, '... it is closed');
UPDATE omnichannel_sessions SET expires_at = clock_timestamp() - interval '1 second', turn_lease_until = clock_timestamp() + interval '1 minute'
 WHERE id = :'third';
SELECT is(get_or_create_omnichannel_session(:'person', 'sms'), :'third', 'one whose turn is running just then goes on instead');
SELECT ok((SELECT expires_at > clock_timestamp() + interval '23 hours' FROM omnichannel_sessions WHERE id = :'third'), '... for another 24 hours');

-- Threads ----------------------------------------------------------------------------------------------------------------------

SELECT thread_touch(:'third', :'person', 'sms', NULL, 1), thread_touch(:'third', :'person', 'sms', 'call-3', 2),
    thread_touch(:'third', :'person', 'sms', NULL, 0), thread_touch(:'third', :'person', 'voice', 'call-3', 0) \gset
SELECT results_eq(format('SELECT channel, message_count, parent_call_id FROM conversation_threads WHERE session_id = %L ORDER BY 1', :'third'),
    $$VALUES ('sms', 3, 'call-3'), ('voice', 0, 'call-3')$$, 'a thread counts its channel''s messages and keeps its call');

-- WhatsApp -----------------------------------------------------------------------------------------------------------------------

SELECT ok(NOT check_whatsapp_available(:'person'), 'no evidence is no');
UPDATE profiles SET has_whatsapp = true WHERE user_id = :'person';
SELECT ok(check_whatsapp_available(:'person'), 'evidence is yes');
UPDATE profiles SET allows_whatsapp = false WHERE user_id = :'person';
SELECT ok(NOT check_whatsapp_available(:'person'), '... unless the person does not want it');
SELECT ok(NOT check_whatsapp_available(uuid_v7()), 'nobody has no WhatsApp');

SELECT session_id AS talk FROM t.inbound('+250781000051') \gset
SELECT update_session_status(:'talk', 'closed') AS leave \gset
SELECT is((SELECT status FROM conversation_threads WHERE session_id = :'talk'), 'closed', 'a thread ends with its conversation');

-- Rows from outside the programs ---------------------------------------------------------------------------------------------------

SELECT log_message_delivery(:'third', :'person', 'sms', 'operator', 'hello', '+250780000001', 'mtn', p_idem_key => 'out:1') AS message \gset
SELECT is(log_message_delivery(:'third', :'person', 'sms', 'operator', 'again', '+250780000001', 'mtn', p_idem_key => 'out:1'), :'message',
    'the same key is the same row');
SELECT results_eq(format('SELECT status, content, direction, next_attempt_at <= clock_timestamp() FROM message_delivery_log WHERE id = %L', :'message'),
    $$VALUES ('pending', 'hello', 'outbound', true)$$, '... with its first text, due at once');
SELECT isnt(log_message_delivery(:'third', :'person', 'sms', 'operator', 'a', '+250780000001', 'mtn'),
    log_message_delivery(:'third', :'person', 'sms', 'operator', 'a', '+250780000001', 'mtn'), 'without a key two calls are two rows');
SELECT is(t.status(log_message_delivery(:'third', :'person', 'sms', 'operator', 'a', '+250780000001', 'mtn', s)), s, 'one can be logged as ' || s)
  FROM unnest(ARRAY['sent']) AS s;
SELECT results_eq(
    format($$SELECT (t.message(log_message_delivery(%L, %L, 'sms', 'operator', 'a', '+250780000001', 'mtn', s))).lease_until IS NOT NULL
               FROM unnest(ARRAY['sending', 'unknown']) AS s$$, :'third', :'person'),
    'VALUES (true), (true)', 'one that is in flight somewhere else is held for a time that ends');
SELECT results_eq(
    format($$SELECT (t.message(log_message_delivery(%L, %L, 'sms', 'operator', 'a', '+250780000001', 'mtn', 'dead'))).dead_reason$$, :'third', :'person'),
    $$VALUES ('permanent')$$, 'one that was refused for good is dead');

SELECT throws_ok(format($$SELECT log_message_delivery(%L, %L, 'sms', 'operator', 'a', '+250780000001', 'mtn')$$, t.session(), :'person'), '22023', NULL,
    'nothing is put into somebody else''s conversation');
SELECT results_eq(format($$SELECT date_trunc('minute', expires_at - created_at + interval '1 s') FROM unnest(ARRAY['reply', 'operator']) AS k,
        LATERAL (SELECT (t.message(log_message_delivery(%L, %L, 'sms', k, 'a', '+250780000001', 'mtn'))).*) m ORDER BY 1$$, :'third', :'person'),
    $$VALUES (interval '15 minutes'), (interval '6 hours')$$, 'it is of use for as long as its kind is');
SELECT results_eq(format($$SELECT sent_at IS NOT NULL, delivered_at IS NOT NULL, read_at IS NOT NULL FROM unnest(ARRAY['sent', 'delivered', 'read']) WITH ORDINALITY AS k (s, n),
        LATERAL (SELECT (t.message(log_message_delivery(%L, %L, 'sms', 'operator', 'a', '+250780000001', 'mtn', s))).*) m ORDER BY n$$, :'third', :'person'),
    'VALUES (true, false, false), (true, true, false), (true, true, true)', '... and has the times that belong to its status');
UPDATE profiles SET allows_sms = false WHERE user_id = :'person';
SELECT results_eq(format($$SELECT status, error_code FROM unnest(ARRAY['operator', 'confirmation']) WITH ORDINALITY AS k (s, n),
        LATERAL (SELECT (t.message(log_message_delivery(%L, %L, 'sms', s, 'a', '+250780000001', 'mtn'))).*) m ORDER BY n$$, :'third', :'person'),
    $$VALUES ('suppressed', 'opted_out'), ('pending', NULL)$$, 'whoever said STOP gets nothing but the answer to it');
SELECT is(t.status(log_message_delivery(:'third', :'person', 'sms', 'operator', 'a', '+250780000001', 'mtn', 'delivered')), 'delivered', '... but what has arrived has');
UPDATE profiles SET allows_sms = true WHERE user_id = :'person';
SELECT log_message_delivery(:'third', :'person', 'sms', 'operator', 'a', '+250780000001', 'nobody') AS leave \gset
SELECT isnt(t.claim(log_message_delivery(:'third', :'person', 'sms', 'operator', 'b', '+250780000001', 'kannel')), NULL, 'a provider nobody serves holds up no other');

SELECT * FROM finish();
