SELECT t.stress_turns() AS claimed \gset
SELECT t.stress_answers(:claimed::text::jsonb);
