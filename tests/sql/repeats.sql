-- SMS without id and time: which of them are the gateway's repeats.
SELECT plan(11);

-- The same words from this number, so many milliseconds after the first ones.
CREATE FUNCTION pg_temp.word(phone text, after_ms bigint, words text DEFAULT 'w') RETURNS text LANGUAGE sql AS $$
    SELECT (t.inbound(phone, jsonb_build_object('external_id',
                coalesce(inbound_repeat_of('mtn', phone, i.id, words || phone), i.id)))).outcome
      FROM (SELECT words || phone || '@' || 1795370703000 + after_ms AS id) AS i
$$;

SELECT is(pg_temp.word('+250780000901', 0), 'new', 'a word');
SELECT is(pg_temp.word('+250780000901', 0), 'duplicate', 'the same from the spool');
SELECT is(pg_temp.word('+250780000901', 59999), 'duplicate', 'within a minute: a repeat');
SELECT is(pg_temp.word('+250780000901', 30000, 'other'), 'new', 'other words');
SELECT is(pg_temp.word('+250780000902', 30000), 'new', 'another person');
SELECT is(pg_temp.word('+250780000901', 60000), 'new', 'a minute later: said again');
SELECT is(pg_temp.word('+250780000901', 61000), 'duplicate', '... and that repeated');

-- "yes" to one question, then "yes" to the next
SELECT pg_temp.word('+250780000903', 0) AS leave, get_or_create_omnichannel_session(t.person('+250780000903'), 'sms') AS session \gset
SELECT t.enqueue(:'session') AS question \gset
SELECT is(pg_temp.word('+250780000903', 5000), 'duplicate', 'an answer that has not gone out changes nothing');
SELECT t.finish(:'question', t.claim(:'question'), 'accepted', '{"external_id": "q1"}') AS leave \gset
SELECT is(pg_temp.word('+250780000903', 6000), 'new', 'after something was sent to them it is another message');
SELECT is(pg_temp.word('+250780000903', 7000), 'duplicate', '... and its repeat a repeat');
SELECT is(inbound_repeat_of('mtn', '+250780000903', 'id of its own', NULL), NULL, 'who has an id needs none of this');

SELECT * FROM finish();
