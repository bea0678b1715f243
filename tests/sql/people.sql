-- Who is writing: all addresses of one person are one person.
SELECT plan(66);

SELECT throws_ok($$SELECT person_find_or_create(NULL, '', NULL, 'Name', NULL)$$, '22023', NULL, 'a person needs an address');
SELECT is((SELECT count(*) FROM profiles), 0::bigint, '... and nobody is made without one');

-- Found again ------------------------------------------------------------------------------------------------------------

SELECT person_find_or_create('+250780000001', NULL, NULL, 'Aline', '00000000-0000-7000-8000-000000000001') AS aline \gset
SELECT is(:'aline'::text, '00000000-0000-7000-8000-000000000001', 'a new person has the id that was given');
SELECT results_eq('SELECT phone_number, display_name, whatsapp_jid, has_whatsapp, allows_sms, allows_whatsapp FROM profiles',
    $$VALUES ('+250780000001', 'Aline', NULL, NULL::boolean, true, true)$$, '... and what is known of him or her, no more');
SELECT results_eq('SELECT kind, value, profile_id::text, verified_at IS NOT NULL FROM contact_addresses',
    format($$VALUES ('tel', '+250780000001', %L, false)$$, :'aline'), '... with the address, which nobody has proven');
SELECT is(person_find_or_create('+250780000001', NULL, NULL, 'Other', uuid_v7()), :'aline', 'the number finds the person');
SELECT is(person_find_or_create('+250780000001', '', '', '', uuid_v7()), :'aline', 'empty is not given');
SELECT is((SELECT display_name FROM profiles WHERE user_id = :'aline'), 'Aline', 'the name that is known stays');

-- Addresses are added ------------------------------------------------------------------------------------------------------

SELECT is(person_find_or_create('+250780000001', '250780000001', NULL, NULL, NULL), :'aline', 'number and wa_id: the number''s person');
SELECT is(person_find_or_create(NULL, '250780000001', NULL, NULL, NULL), :'aline', '... whom the wa_id alone finds from now on');
SELECT is((SELECT whatsapp_jid FROM profiles WHERE user_id = :'aline'), '250780000001', '... and who is known to have that wa_id');
SELECT is(person_find_or_create(NULL, '250780000001', 'RW.123', NULL, NULL), :'aline', 'a third address is added the same way');
SELECT is(person_find_or_create(NULL, NULL, 'RW.123', NULL, NULL), :'aline', '... and finds the person');
SELECT is((SELECT count(*) FROM contact_addresses WHERE profile_id = :'aline'), 3::bigint, 'three addresses, one person');
SELECT is((SELECT count(*) FROM profiles), 1::bigint, 'nobody else was made');

-- The number comes later -----------------------------------------------------------------------------------------------------

SELECT person_find_or_create(NULL, '250780000002', NULL, NULL, NULL) AS bosco \gset
SELECT is((SELECT phone_number FROM profiles WHERE user_id = :'bosco'), NULL, 'a person may be known by WhatsApp alone');
SELECT is(person_find_or_create('+250780000002', '250780000002', NULL, 'Bosco', NULL), :'bosco', 'the number is learned later');
SELECT results_eq(format('SELECT phone_number, display_name FROM profiles WHERE user_id = %L', :'bosco'),
    $$VALUES ('+250780000002', 'Bosco')$$, '... with the name');

-- Two persons meet --------------------------------------------------------------------------------------------------------------

SELECT is(person_find_or_create('+250780000001', '250780000002', NULL, NULL, NULL), :'aline', 'of two persons the number speaks first');
SELECT is((SELECT profile_id FROM contact_addresses WHERE value = '250780000002'), :'bosco', 'an address that is somebody''s stays that person''s');

-- A person from outside, who has a number but no address row ----------------------------------------------------------------------

INSERT INTO profiles (user_id, phone_number) VALUES ('00000000-0000-7000-8000-000000000003', '+250780000003');
SELECT is(person_find_or_create('+250780000003', NULL, NULL, 'Chantal', uuid_v7()), '00000000-0000-7000-8000-000000000003',
    'a profile made elsewhere is found by its number');
SELECT is((SELECT profile_id FROM contact_addresses WHERE value = '+250780000003'), '00000000-0000-7000-8000-000000000003',
    '... and has its address now');
SELECT is((SELECT display_name FROM profiles WHERE phone_number = '+250780000003'), 'Chantal', '... and a name');

-- Several numbers ----------------------------------------------------------------------------------------------------------

SELECT person_find_or_create('+250780000021', NULL, 'RW.21', NULL, NULL) AS both \gset
SELECT is(person_find_or_create('+250780000022', NULL, 'RW.21', NULL, NULL), :'both', 'a second number of one person');
SELECT lives_ok(format('SELECT number_used(%L, ''+250780000022'')', :'both'), 'it is used');
SELECT is((SELECT phone_number FROM profiles WHERE user_id = :'both'), '+250780000022', '... and is the person''s from now on');
SELECT lives_ok(format('SELECT number_used(%L, NULL), number_used(%L, ''+250780000001'')', :'both', :'both'), 'none, or somebody else''s');
SELECT is((SELECT phone_number FROM profiles WHERE user_id = :'both'), '+250780000022', '... changes nothing');

-- Locks -----------------------------------------------------------------------------------------------------------------------------

BEGIN;
SELECT person_find_or_create('+250780000004', '', '', NULL, NULL) AS leave \gset
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 1::bigint,
    'a new person takes one lock per address, none for what is not given');
COMMIT;
BEGIN;
SELECT person_find_or_create('+250780000004', NULL, NULL, NULL, NULL) AS leave \gset
SELECT is((SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 0::bigint, 'a known one takes none');
COMMIT;

-- WhatsApp proves two to be one ---------------------------------------------------------------------------------------------------------

SELECT profile_id AS hidden, session_id AS aside FROM t.inbound(NULL, '{"channel": "whatsapp", "external_id": "wamid.j1", "bsuid": "RW.31", "content": "first", "name": "Dina"}') \gset
SELECT profile_id AS texter, session_id AS open FROM t.inbound('+250780000031', '{"external_id": "j2", "content": "second"}') \gset
SELECT isnt(:'hidden'::uuid, :'texter'::uuid, 'somebody known by WhatsApp''s own id alone, and a number: two persons');
SELECT t.enqueue(:'aside', '{"channel": "whatsapp", "provider": "meta", "recipient_phone": null}') AS promised \gset
SELECT turn_id AS running, token AS fence FROM claim_turns('w', 10, 60) WHERE session_id = :'open' \gset
SELECT is((t.inbound('+250780000031', '{"channel": "whatsapp", "external_id": "wamid.j3", "wa_id": "250780000031", "bsuid": "RW.31", "content": "third"}')).session_id,
    :'open', 'named together they are one: the number''s conversation goes on');
SELECT is(person_find_or_create(NULL, NULL, 'RW.31', NULL, NULL), :'texter', '... whom WhatsApp''s own id finds, too');
SELECT results_eq(format('SELECT merged_into, phone_number FROM profiles WHERE user_id = %L', :'hidden'), format($$VALUES (%L::uuid, NULL)$$, :'texter'),
    '... the other says who it is');
SELECT is((SELECT display_name FROM profiles WHERE user_id = :'texter'), 'Dina', '... and what was known of it is kept');
SELECT is((SELECT count(*) FROM omnichannel_sessions WHERE profile_id = :'hidden') + (SELECT count(*) FROM message_delivery_log WHERE profile_id = :'hidden')
    + (SELECT count(*) FROM conversation_threads WHERE profile_id = :'hidden') + (SELECT count(*) FROM contact_addresses WHERE profile_id = :'hidden'),
    0::bigint, 'all that was the other''s is the person''s');
SELECT is((SELECT status FROM omnichannel_sessions WHERE id = :'aside'), 'closed', 'of two open conversations one ends');
SELECT results_eq(format('SELECT content FROM message_delivery_log WHERE session_id = %L AND awaits_turn ORDER BY seq', :'open'),
    $$VALUES ('first'), ('second'), ('third')$$, '... and what waited in it waits in the other');
SELECT is((SELECT finish_turn(:'running', :'open', :'fence', true, '[]', '{}', NULL, 900)), 'lost', '... whose turn is begun again: it had not read all');
SELECT is((SELECT (c.profile_id, c.upto) = (:'texter'::uuid, (SELECT max(seq) FROM message_delivery_log WHERE session_id = :'open'))
             FROM claim_turns('w', 10, 60) c WHERE c.session_id = :'open'), true, '... and then reads everything');
SELECT is(t.status(:'promised'), 'pending', 'what is on its way to the other still goes');
SELECT is((SELECT count(*) FROM t.inbound(NULL, '{"channel": "whatsapp", "external_id": "wamid.j4", "bsuid": "RW.31"}') i WHERE i.profile_id = :'texter'), 1::bigint,
    'the number may be hidden again');

-- The one that goes on knows all of the other: what was said and noted, who answers, who waits for a person, what a tool has done.
SELECT profile_id AS texter, session_id AS open FROM t.inbound('+250780000035', '{"external_id": "j11", "content": "hello"}') \gset
UPDATE message_delivery_log SET awaits_turn = false WHERE session_id = :'open';
UPDATE omnichannel_sessions SET turn_due_at = NULL, context = '{"name": "Dina", "area": "Remera"}' WHERE id = :'open';
SELECT profile_id AS hidden, session_id AS aside FROM t.inbound(NULL, '{"channel": "whatsapp", "external_id": "wamid.j12", "bsuid": "RW.35", "content": "a house for 280"}') \gset
SELECT t.enqueue(:'aside', '{"channel": "whatsapp", "provider": "meta", "content": "In Kimironko there is one.", "recipient_phone": null}') AS leave \gset
SELECT session_note(:'aside', NULL, '{"budget": "280", "area": "Kimironko"}'), session_handover(:'aside', 'real_estate', 'a house') AS leave \gset
SELECT turn_id AS try, token AS fence FROM t.turn(:'aside') \gset
SELECT id AS call_row FROM t.call('wacid.j12', NULL, '{}') \gset
UPDATE omnichannel_sessions SET starts_afresh = true WHERE id = :'aside';
SELECT session_hold(:'aside', true) AS leave \gset
SELECT person_find_or_create('+250780000035', '250780000035', 'RW.35', NULL, NULL) AS leave \gset
SELECT results_eq(format('SELECT l ->> ''text'' FROM jsonb_array_elements(session_lines(%L, 9223372036854775807, 30)) AS l', :'open'),
    $$VALUES ('hello'), ('In Kimironko there is one.'), ('a house for 280')$$, 'what was said in both is one conversation: what waits comes last');
SELECT results_eq(format('SELECT context - ''handover'', last_agent_id, paused_at IS NOT NULL, active_channels FROM omnichannel_sessions WHERE id = %L', :'open'),
    $$VALUES ('{"name": "Dina", "area": "Remera", "budget": "280"}'::jsonb, 'real_estate', true, ARRAY['sms', 'whatsapp'])$$, '... with what was noted, the agent, the hold');
SELECT results_eq(format('SELECT channel, message_count FROM conversation_threads WHERE session_id = %L ORDER BY 1', :'open'), $$VALUES ('sms', 1), ('whatsapp', 1)$$, '... and its threads');
SELECT session_hold(:'open', false) AS leave \gset
SELECT turn_id, token FROM t.turn(:'open') \gset
SELECT results_eq(format('SELECT id, status FROM turns WHERE session_id = %L ORDER BY token LIMIT 1', :'open'), format($$VALUES (%L::uuid, 'lost')$$, :'try'),
    'the turn that was under way is the first try of the one that begins, which so knows what its tools have done');
SELECT is(finish_turn(:'try', :'open', :fence, true, '[]', '{}', NULL, 900), 'lost', '... and has nothing more to say');
SELECT is(finish_turn(:'turn_id', :'open', :token, true, jsonb_build_array(t.outbound('{}')), '{"agent": "real_estate"}', NULL, 900), 'done', '... but the other has');
SELECT update_session_status(:'open', 'closed') AS leave \gset
SELECT is(session_left(:'open'), false, 'that the hidden one had begun anew is not NEW in this one');

-- Who has kept the id of the one who is gone means the person
SELECT get_or_create_session(:'texter', 'sms') AS now \gset
SELECT is(get_or_create_session(:'hidden', 'sms'), :'now', 'the old id finds the person''s conversation');
SELECT is((t.message(log_message_delivery(:'now', :'hidden', 'sms', 'operator', 'a', '+250780000035', 'mtn'))).profile_id, :'texter'::uuid, '... and writes into it');
SELECT is((SELECT count(*) FROM t.inbound('+250780000035', '{"external_id": "j13", "keyword": "stop"}')), 1::bigint, 'after STOP');
SELECT is(t.status(log_message_delivery(:'now', :'hidden', 'sms', 'operator', 'a', '+250780000035', 'mtn')), 'suppressed', '... it writes nothing');
SELECT is((SELECT count(*) FROM t.inbound(NULL, '{"channel": "whatsapp", "external_id": "wamid.j14", "bsuid": "RW.35", "keyword": "stop"}')), 1::bigint, 'after STOP on WhatsApp');
SELECT is(check_whatsapp_available(:'hidden'), false, '... nor there');
SELECT is(check_whatsapp_available(:'hidden'), check_whatsapp_available(:'texter'), '... as for the person');

-- A refusal of one of the two holds for both
SELECT profile_id AS hidden FROM t.inbound(NULL, '{"channel": "whatsapp", "external_id": "wamid.j5", "bsuid": "RW.32", "keyword": "stop"}') \gset
SELECT t.person('+250780000032') AS texter \gset
SELECT t.enqueue(get_or_create_omnichannel_session(:'texter', 'sms'), '{"channel": "whatsapp", "provider": "meta"}') AS queued \gset
SELECT is(person_find_or_create('+250780000032', NULL, 'RW.32', NULL, NULL), :'texter', 'somebody who said STOP shows the number');
SELECT results_eq(format('SELECT allows_sms, allows_whatsapp FROM profiles WHERE user_id = %L', :'texter'), $$VALUES (true, false)$$, 'the STOP holds for it');
SELECT is(t.status(:'queued'), 'suppressed', '... and for what waits');

-- Who has a number of his own is not joined to another
SELECT person_find_or_create('+250780000033', NULL, 'RW.33', NULL, NULL) AS before \gset
SELECT t.person('+250780000034') AS after \gset
SELECT is(person_find_or_create('+250780000034', NULL, 'RW.33', NULL, NULL), :'after', 'WhatsApp''s own id is at another number now: the number speaks');
SELECT is(person_find_or_create(NULL, NULL, 'RW.33', NULL, NULL), :'after', '... and the id goes with it');
SELECT is((SELECT merged_into FROM profiles WHERE user_id = :'before'), NULL, '... but whoever has the first number stays apart');

-- How a person can be reached ---------------------------------------------------------------------------------------------------------

SELECT results_eq(format('SELECT phone_number, wa_id, bsuid, display_name, language, has_whatsapp, window_open, allows_sms, allows_whatsapp, mode
                            FROM person_reach WHERE profile_id = %L', :'aline'),
    $$VALUES ('+250780000001', '250780000001', 'RW.123', 'Aline', '', false, false, true, true, '')$$, 'person_reach: nothing is NULL');
UPDATE profiles SET wa_window_until = clock_timestamp() + interval '4 minutes', has_whatsapp = true,
       notification_preferences = '{"mode": "sms_only", "language": "fr"}' WHERE user_id = :'aline';
SELECT results_eq(format('SELECT language, has_whatsapp, window_open, mode FROM person_reach WHERE profile_id = %L', :'aline'),
    $$VALUES ('fr', true, false, 'sms_only')$$, '... a window about to close counts as closed');
UPDATE profiles SET wa_window_until = clock_timestamp() + interval '6 minutes', preferred_language = 'rw' WHERE user_id = :'aline';
SELECT results_eq(format('SELECT language, window_open FROM person_reach WHERE profile_id = %L', :'aline'),
    $$VALUES ('rw', true)$$, '... what the person chose comes before the preferences');

SELECT is((SELECT count(*) FROM profiles p WHERE phone_number IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM contact_addresses a WHERE a.kind = 'tel' AND a.value = p.phone_number AND a.profile_id = p.user_id)),
    0::bigint, 'after all this every number is an address of its person');

SELECT * FROM finish();
