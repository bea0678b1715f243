SELECT t.stress_report('mtn');
