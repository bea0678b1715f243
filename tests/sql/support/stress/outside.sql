\set n random(1, 2400)
SELECT t.stress_outside(:n::int);
