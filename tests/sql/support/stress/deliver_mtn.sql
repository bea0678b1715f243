SELECT t.stress_claim('mtn') AS results \gset
SELECT count(*) FROM finish_outbound(:results::text::jsonb, 1, 0.005);
