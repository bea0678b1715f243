SELECT t.stress_notify();
