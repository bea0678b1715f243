-- What is understood however it is written: intents; and whose language, times and addresses are believed.
SELECT plan(7);

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

SELECT * FROM finish();
