-- WhatsApp's window of an address: who writes or calls opens his own, not that of the person's other account.
SELECT plan(12);

SELECT person_find_or_create('+250780000001', '250780000001', NULL, 'Aline', NULL) AS aline \gset
SELECT is(person_find_or_create('+250780000001', NULL, 'RW.123', NULL, NULL), :'aline', 'one person, two accounts');
UPDATE profiles SET wa_window_until = clock_timestamp() + interval '1 hour' WHERE user_id = :'aline';
SELECT ok(window_open, 'what is known of the person alone counts') FROM person_reach WHERE profile_id = :'aline';
SELECT address_window(:'aline', NULL, 'RW.123', clock_timestamp() + interval '20 hours');
SELECT ok(NOT window_open, 'an account that nothing is sent to has opened it') FROM person_reach WHERE profile_id = :'aline';
SELECT address_window(:'aline', '250780000001', NULL, clock_timestamp() + interval '4 minutes');
SELECT ok(NOT window_open, 'one that is about to close counts as closed') FROM person_reach WHERE profile_id = :'aline';
SELECT address_window(:'aline', '250780000001', NULL, clock_timestamp() + interval '24 hours');
SELECT ok(window_open, 'its own is open') FROM person_reach WHERE profile_id = :'aline';
SELECT address_window(:'aline', '250780000001', NULL, clock_timestamp() - interval '1 hour');
SELECT ok(window_until > clock_timestamp() + interval '23 hours', 'a late report of an older message closes nothing')
  FROM contact_addresses WHERE kind = 'wa' AND value = '250780000001';

SELECT person_find_or_create(NULL, NULL, 'RW.456', NULL, NULL) AS hidden \gset
UPDATE profiles SET wa_window_until = clock_timestamp() + interval '1 hour' WHERE user_id = :'hidden';
SELECT address_window(:'hidden', NULL, 'RW.456', clock_timestamp() + interval '1 hour');
SELECT ok(window_open, 'a person without a number is reached by WhatsApp''s own id') FROM person_reach WHERE profile_id = :'hidden';

-- WhatsApp says that it is closed

SELECT person_find_or_create('+250780000002', '250780000002', NULL, NULL, NULL) AS person \gset
UPDATE profiles SET has_whatsapp = true, wa_window_until = clock_timestamp() + interval '20 hours' WHERE user_id = :'person';
SELECT address_window(:'person', '250780000002', NULL, clock_timestamp() + interval '20 hours');
SELECT ok(window_open, 'open, we think') FROM person_reach WHERE profile_id = :'person';
SELECT t.enqueue(get_or_create_omnichannel_session(:'person', 'whatsapp'), '{"channel": "whatsapp", "provider": "meta", "recipient_phone": "+250780000002"}') AS m \gset
SELECT t.finish(:'m', t.claim(:'m'), 'permanent', '{"error_code": "131047"}') AS leave \gset
SELECT ok(NOT window_open, 'closed, WhatsApp says (131047): the next summary is a template') FROM person_reach WHERE profile_id = :'person';
SELECT ok(p.wa_window_until < clock_timestamp() AND a.window_until < clock_timestamp(), '... of the address and of the person')
  FROM profiles p JOIN contact_addresses a ON a.profile_id = p.user_id AND a.kind = 'wa' WHERE p.user_id = :'person';
UPDATE profiles SET wa_window_until = clock_timestamp() + interval '24 hours' WHERE user_id = :'person';
SELECT address_window(:'person', '250780000002', NULL, clock_timestamp() + interval '24 hours');
SELECT ok(window_open, 'who writes again opens it again') FROM person_reach WHERE profile_id = :'person';
SELECT window_closed(:'person', '+250780000002', clock_timestamp() - interval '1 minute');
SELECT ok(window_open, '... and a late word about an older message closes nothing') FROM person_reach WHERE profile_id = :'person';

SELECT * FROM finish();
