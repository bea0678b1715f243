\set n random(1, 2400)
SELECT t.stress_inbound(:n::int);
