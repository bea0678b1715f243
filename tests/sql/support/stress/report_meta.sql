SELECT t.stress_report('meta');
