-- The referee of message states: every pair of states, allowed or not; the fence; and what is sent, and to whom.
SELECT plan(20);

-- The arrows as the state diagram has them; written out here a second time on purpose.
CREATE TEMP TABLE expected (from_status text, to_status text);
INSERT INTO expected
    SELECT f, t FROM (VALUES
        ('pending', ARRAY['sending', 'suppressed', 'dead']),
        ('failed', ARRAY['sending', 'suppressed', 'dead', 'sent', 'delivered', 'read', 'undelivered']),
        ('sending', ARRAY['sent', 'failed', 'unknown', 'dead', 'delivered', 'read', 'undelivered']),
        ('unknown', ARRAY['sent', 'delivered', 'read', 'undelivered', 'failed', 'dead']),
        ('sent', ARRAY['delivered', 'read', 'undelivered']),
        ('undelivered', ARRAY['delivered', 'read']),
        ('delivered', ARRAY['read']),
        ('dead', ARRAY['sent', 'delivered', 'read', 'undelivered'])) AS e (f, ts), unnest(ts) AS t;
CREATE TEMP TABLE outbound_status AS
    SELECT unnest(ARRAY['pending', 'failed', 'sending', 'unknown', 'dead', 'sent', 'undelivered', 'delivered', 'read', 'suppressed']) AS s;

SELECT set_eq('SELECT from_status, to_status FROM delivery_arrows', 'SELECT from_status, to_status FROM expected', 'the table of arrows is the diagram');

-- Moves a new message from one state to the other: 'moved', or the referee's word. Both ends get what their state needs.
CREATE FUNCTION pg_temp.try(from_status text, to_status text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message uuid;
BEGIN
    INSERT INTO message_delivery_log (session_id, profile_id, channel, message_type, provider, content, recipient_phone, status,
        next_attempt_at, lease_until, dead_reason)
    SELECT s.id, s.profile_id, 'sms', 'reply', 'mtn', 'text', '+250780000001', from_status,
           CASE WHEN from_status IN ('pending', 'failed') THEN clock_timestamp() END,
           CASE WHEN from_status IN ('sending', 'unknown') THEN clock_timestamp() END,
           CASE WHEN from_status = 'dead' THEN 'permanent' END
      FROM omnichannel_sessions s LIMIT 1
    RETURNING id INTO message;
    UPDATE message_delivery_log SET status = to_status,
           next_attempt_at = CASE WHEN to_status IN ('pending', 'failed') THEN clock_timestamp() END,
           lease_until = CASE WHEN to_status IN ('sending', 'unknown') THEN clock_timestamp() END,
           dead_reason = CASE WHEN to_status = 'dead' THEN 'permanent' END
     WHERE id = message;
    RETURN 'moved';
EXCEPTION WHEN SQLSTATE 'OM001' THEN RETURN SQLSTATE;
END $$;
SELECT t.session() AS session \gset

CREATE TEMP TABLE tried AS
    SELECT a.s AS from_status, b.s AS to_status, pg_temp.try(a.s, b.s) AS result FROM outbound_status a, outbound_status b WHERE a.s <> b.s;
SELECT is((SELECT count(*) FROM tried), 90::bigint, 'all 90 pairs of different states were tried');
SELECT set_eq($$SELECT from_status, to_status FROM tried WHERE result = 'moved'$$, 'SELECT from_status, to_status FROM expected',
    'those along an arrow move, all of them and no others');
SELECT set_eq($$SELECT from_status, to_status FROM tried WHERE result = 'OM001'$$,
    'SELECT a.s AS from_status, b.s AS to_status FROM outbound_status a, outbound_status b WHERE a.s <> b.s EXCEPT SELECT from_status, to_status FROM expected',
    '... all others are refused with OM001');
SELECT is((SELECT count(*) FROM outbound_status WHERE pg_temp.try(s, s) = 'moved'), 10::bigint, 'a state may be written again as it is');
SELECT is((SELECT count(*) FROM outbound_status WHERE pg_temp.try(s, 'received') = 'OM001'), 10::bigint, 'no outbound row becomes received');
SELECT message_id AS received FROM t.inbound('+250780000099') \gset
SELECT throws_ok(format('UPDATE message_delivery_log SET status = ''pending'', direction = ''outbound'', next_attempt_at = now() WHERE id = %L', :'received'),
    'OM001', NULL, 'an inbound row stays received');
SELECT throws_like(format('UPDATE message_delivery_log SET status = ''sent'' WHERE id = %L', :'received'), '%received does not lead to sent',
    'the refusal names both states');
SELECT is((SELECT count(*) FROM expected e
            WHERE delivery_rank(e.to_status) <= delivery_rank(e.from_status) AND e.to_status <> 'suppressed'
              AND (e.from_status, e.to_status) NOT IN (('sending', 'failed'), ('unknown', 'failed'))), 0::bigint,
    'arrows go up in rank; back to failed leads only what was tried, to be tried again');

-- The fence ------------------------------------------------------------------------------------------------------------

SELECT t.in_flight() AS message \gset
SELECT throws_ok(format('UPDATE message_delivery_log SET lease_token = 0 WHERE id = %L', :'message'), 'OM002', NULL, 'the fence does not go back');
SELECT lives_ok(format('UPDATE message_delivery_log SET lease_token = 5 WHERE id = %L', :'message'), '... it may go forward');

-- What is sent, and to whom ----------------------------------------------------------------------------------------------

SELECT throws_ok(format('UPDATE message_delivery_log SET %s WHERE id = %L', change, :'message'), 'OM003', NULL, change || ': refused')
  FROM unnest(ARRAY['recipient_phone = ''+250780000002''', 'recipient_phone = NULL', 'content = ''other''', 'idem_key = ''other''',
                    'channel = ''whatsapp''', 'provider = ''meta''', 'content = NULL']) AS change;
SELECT t.finish(:'message', 5, 'permanent') AS leave \gset
UPDATE message_delivery_log SET content = NULL WHERE id = :'message';
SELECT is((t.message(:'message')).content, NULL, 'retention may erase the text');
SELECT throws_ok(format('UPDATE message_delivery_log SET content = ''text'' WHERE id = %L', :'message'), 'OM003', NULL, '... which does not come back');

SELECT * FROM finish();
