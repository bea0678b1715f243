\set n random(1, 300)
SELECT t.stress_call(:n::int);
