-- WhatsApp's window of an address: who writes or calls opens his own, not that of the person's other account.
SELECT plan(7);

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

SELECT * FROM finish();
