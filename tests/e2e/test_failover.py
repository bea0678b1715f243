"""What WhatsApp does not bring goes by SMS, exactly once; and a provider in trouble is left in peace, by all processes."""

import json
import unittest

from harness import SystemTest, in_parallel

BULLETS = ["A house in Kimironko", "300k a month"]


class Reports(SystemTest):
    """DELIVERY_MODE=both: failures that WhatsApp reports."""
    env = {"UNKNOWN_HOLD_S": "30"}  # a report heals what is unknown before it is sent again, also where it comes late

    def greet(self, number):
        self.phone_does(number, "whatsapp", {"text": "hello"})
        return self.phone(number)[-1]["seq"]

    def call(self, number, call_id):
        return self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": BULLETS, "ended": True})

    def rows(self, call_id):
        return self.sql("SELECT channel, idem_key, status, coalesce(error_code, '') FROM message_delivery_log "
                        f"WHERE call_id = '{call_id}' AND direction = 'outbound' AND message_type = 'summary' ORDER BY seq")

    def test_window_closed_at_the_send_goes_as_the_template_once(self):
        number = "+250788001101"
        seq = self.greet(number)
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 131047, "times": 1})
        self.call(number, "window-1")
        got = self.phone(number, count=2, since=seq)
        self.assertEqual(sorted((m["channel"], m["kind"]) for m in got), [("sms", "text"), ("whatsapp", "template")])
        self.assertIn("summary:window-1:whatsapp:1:template", [r[1] for r in self.rows("window-1")])

    def test_window_closed_reported_later(self):
        number = "+250788001102"
        seq = self.greet(number)
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "async_failure", "code": 131047, "times": 1})
        self.call(number, "window-2")
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE idem_key = 'summary:window-2:whatsapp:1:template' "
                      "AND status IN ('sent', 'delivered')", 1)
        self.assertEqual([m["kind"] for m in self.phone(number, count=3, since=seq) if m["channel"] == "whatsapp"][-1], "template")

    def test_a_missing_template_is_tried_in_english_once(self):
        number = "+250788001103"
        seq = self.greet(number)
        self.sql(f"UPDATE profiles SET wa_window_until = now() - interval '1 hour', preferred_language = 'rw' WHERE phone_number = '{number}'")
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 132001, "times": 2})
        self.call(number, "template-en")
        self.phone(number, since=seq)
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE call_id = 'template-en' AND channel = 'whatsapp' AND status = 'dead'", 2)
        self.assertEqual(self.value("SELECT metadata ->> 'language' FROM message_delivery_log WHERE idem_key = 'summary:template-en:whatsapp:1:template:en'"), "en")

    def test_no_whatsapp_there_a_reply_goes_by_sms_and_it_is_remembered(self):
        number = "+250788001104"
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "async_failure", "code": 131026, "times": 1})
        self.phone_does(number, "whatsapp", {"text": "is anybody there?"})
        got = self.phone(number, count=2)
        self.assertEqual(sorted(m["channel"] for m in got), ["sms", "whatsapp"])
        self.assertEqual(self.value(f"SELECT has_whatsapp FROM profiles WHERE phone_number = '{number}'"), "f")
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                                    f"WHERE p.phone_number = '{number}' AND m.channel = 'sms'"), "1")
        self.phone_does(number, "whatsapp", {"text": "I am on WhatsApp again"})  # evidence is learnt from every message
        self.assertEqual(self.value(f"SELECT has_whatsapp FROM profiles WHERE phone_number = '{number}'"), "t")

    def test_reports_in_any_order_and_before_the_answer(self):
        number = "+250788001105"
        self.lab_json("POST", "/lab/config", {"receipts": False})
        try:
            self.call(number, "orders")
            [[row, external]] = self.sql("SELECT id, external_message_id FROM message_delivery_log WHERE call_id = 'orders'")
            reports = [{"messageId": external, "status": word, "timestamp": f"2026-11-22T10:00:0{i}Z"}
                       for i, word in enumerate(["DELIVERED", "ACCEPTED", "WHATEVER", "EXPIRED", "DELIVRD"])]
            answers = in_parallel([lambda r=r: self.report(r) for r in reports * 3])
            self.assertEqual({a[0] for a in answers}, {200})
            self.assertEqual(self.value(f"SELECT status FROM message_delivery_log WHERE id = '{row}'"), "delivered")
            self.assertEqual(self.value(f"SELECT count(*) FROM status_events WHERE external_message_id = '{external}'"), "5")
            self.assertEqual(self.report([{"reference": row, "status": "DELIVERED"}, {"status": "DELIVERED"}])[0], 200)
            self.assertEqual(self.report({"messageId": "nobody-knows-it", "status": "DELIVERED"})[0], 200)
            self.assertEqual(self.value("SELECT applied FROM status_events WHERE external_message_id = 'nobody-knows-it'"), "f")
        finally:
            self.lab_json("POST", "/lab/config", {"receipts": True})

    def report(self, body, path="/sms-status-webhook"):
        from harness import MTN_SECRET, signature
        raw = json.dumps(body).encode()
        return self.post(path, raw, {"X-MTN-Signature": signature(MTN_SECRET, raw)})

    def test_reports_must_be_signed(self):
        self.assertEqual(self.post("/sms-status-webhook", json.dumps({"messageId": "x", "status": "DELIVERED"}))[0], 401)

    def test_an_unknown_outcome_heals_by_the_report_without_a_resend(self):
        number = "+250788001106"
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "accept_then_close", "times": 1})
        self.call(number, "heals")
        self.wait_for("SELECT status FROM message_delivery_log WHERE call_id = 'heals'", "delivered")
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.value("SELECT possible_duplicate FROM message_delivery_log WHERE call_id = 'heals'"), "f")


class Arrives(SystemTest):
    env = {"DELIVERY_MODE": "failover", "FAILOVER_AFTER_S": "10"}  # time enough for the receipt

    def test_whatsapp_arrives_no_sms(self):
        number = "+250788001201"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        self.tool("/tools/call_log_summary", {"call_id": "patient-1", "phone_number": number, "bullets": BULLETS, "ended": True})
        self.wait_for("SELECT status FROM message_delivery_log WHERE idem_key = 'summary:patient-1:whatsapp:1'", "delivered")
        # Of one that was not delivered the patience would be over now.
        self.sql("UPDATE message_delivery_log SET created_at = created_at - interval '1 hour' WHERE idem_key = 'summary:patient-1:whatsapp:1'")
        self.assertEqual([m["channel"] for m in self.phone(number, count=2, since=seq, wait_s=3)], ["whatsapp"])


class Failover(SystemTest):
    env = {"DELIVERY_MODE": "failover", "FAILOVER_AFTER_S": "2"}

    def test_no_report_within_patience_sms_follows_once(self):
        number = "+250788001202"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        self.lab_json("POST", "/lab/config", {"receipts": False})
        try:
            self.tool("/tools/call_log_summary", {"call_id": "patient-2", "phone_number": number, "bullets": BULLETS, "ended": True})
            self.assertEqual([m["channel"] for m in self.phone(number, count=2, since=seq)], ["whatsapp", "sms"])
            self.assertEqual(len(self.phone(number, count=3, since=seq, wait_s=4)), 2)
        finally:
            self.lab_json("POST", "/lab/config", {"receipts": True})

    def test_refused_sms_now(self):
        number = "+250788001203"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 131026, "times": 1})
        self.tool("/tools/call_log_summary", {"call_id": "patient-3", "phone_number": number, "bullets": BULLETS, "ended": True})
        self.assertEqual([m["channel"] for m in self.phone(number, count=1, since=seq)], ["sms"])

    def test_no_sms_for_who_said_stop(self):
        number = "+250788001204"
        self.phone_does(number, "sms", {"text": "STOP"})
        self.phone(number)
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 131026, "times": 1})
        self.phone_does(number, "whatsapp", {"text": "hello"})
        self.wait_for("SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                      f"WHERE p.phone_number = '{number}' AND channel = 'whatsapp' AND status = 'dead'", 1)
        self.assertEqual(len(self.phone(number, count=2, wait_s=3)), 1)


class Blocked(SystemTest):
    """DELIVERY_MODE=failover, with more patience than a test has: what Meta blocks goes by SMS at once."""
    env = {"DELIVERY_MODE": "failover", "FAILOVER_AFTER_S": "600", "BACKOFF_SCALE": "0.1"}

    def test_whatsapp_blocked_sms_carries_until_it_is_back(self):
        first, second, third = "+250788001251", "+250788001252", "+250788001253"
        seq = {}
        for number in (first, second, third):
            self.phone_does(number, "whatsapp", {"text": "hello"})
            seq[number] = self.phone(number)[-1]["seq"]
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 131048, "times": 1})
        for call_id, number in (("blocked-1", first), ("blocked-2", second)):
            self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": BULLETS, "ended": True})
            self.assertEqual([m["channel"] for m in self.phone(number, since=seq[number])], ["sms"])
        self.assertEqual(self.sql("SELECT call_id, status, error_code FROM message_delivery_log WHERE channel = 'whatsapp' AND call_id "
                                  "LIKE 'blocked-%' ORDER BY 1"), [["blocked-1", "suppressed", "131048"], ["blocked-2", "suppressed", "131048"]])
        self.sql("UPDATE provider_circuit SET open_until = clock_timestamp() WHERE provider = 'meta'")  # its time is over
        self.tool("/tools/call_log_summary", {"call_id": "back", "phone_number": third, "bullets": BULLETS, "ended": True})
        self.assertEqual([m["channel"] for m in self.phone(third, since=seq[third])], ["whatsapp"])
        for number in (first, second):  # and what went by SMS does not come by WhatsApp too
            self.assertEqual(len(self.phone(number, count=2, since=seq[number], wait_s=1)), 1)


class Breaker(SystemTest):
    env = {"BACKOFF_SCALE": "0.02"}

    def test_opens_pauses_probes_and_closes(self):
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "503", "times": -1})
        for i in range(8):
            self.tool("/tools/call_log_summary", {"call_id": f"breaker-{i}", "phone_number": f"+25078800130{i}", "bullets": BULLETS,
                                                  "ended": True, "wait": False})
        self.wait_for("SELECT state FROM provider_circuit WHERE provider = 'mtn'", "open")
        calls = self.lab_json("GET", "/lab/requests?provider=mtn&limit=1")["count"]
        self.assertLess(calls, 60)
        self.lab_json("DELETE", "/lab/faults")
        self.wait_for("SELECT state FROM provider_circuit WHERE provider = 'mtn'", "closed")
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE call_id LIKE 'breaker-%' AND status IN ('sent', 'delivered')", 8)
        self.assertEqual(self.value("SELECT max(retry_count) < 7 FROM message_delivery_log"), "t")

    def test_refused_credentials_open_at_once_and_cost_no_attempt(self):
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "401", "times": 1})
        self.tool("/tools/call_log_summary", {"call_id": "creds", "phone_number": "+250788001310", "bullets": BULLETS, "ended": True})
        self.assertEqual(self.sql("SELECT status, retry_count FROM message_delivery_log WHERE call_id = 'creds'"), [["failed", "0"]])
        self.assertEqual(self.value("SELECT state FROM provider_circuit WHERE provider = 'mtn'"), "open")
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE call_id = 'creds' AND status IN ('sent', 'delivered')", 1)
        self.wait_for("SELECT state FROM provider_circuit WHERE provider = 'mtn'", "open")  # one good probe is not enough
        self.tool("/tools/call_log_summary", {"call_id": "creds-2", "phone_number": "+250788001311", "bullets": BULLETS, "ended": True, "wait": False})
        self.wait_for("SELECT state FROM provider_circuit WHERE provider = 'mtn'", "closed")


class DeadLetters(SystemTest):
    def test_listed_and_replayed_once(self):
        import os
        import subprocess
        from harness import BUILD
        number = "+250788001401"
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "400", "times": 1})
        self.tool("/tools/call_log_summary", {"call_id": "dead-1", "phone_number": number, "bullets": BULLETS, "ended": True})
        dead = self.value("SELECT id FROM message_delivery_log WHERE call_id = 'dead-1'")

        def job(*args):
            return subprocess.run(["bash", "-c", 'set -a; . "$0"; set +a; exec "$@"', os.path.join(self.state, "var/env"),
                                   os.path.join(BUILD, "handlers/message-retry"), *args], capture_output=True, text=True, check=False)
        listed = job("--dead")
        self.assertIn(dead, listed.stdout)
        self.assertIn("permanent", listed.stdout)
        self.assertNotIn("788001401", listed.stdout)
        outputs = in_parallel([lambda: job("--replay", dead).stdout] * 3)
        self.assertEqual(sorted(o.startswith("sent again") for o in outputs), [False, False, True])
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(len(self.phone(number, count=2, wait_s=2)), 1)
        self.assertEqual(self.sql(f"SELECT status, replay_of IS NULL FROM message_delivery_log WHERE id = '{dead}'"), [["dead", "t"]])
        self.assertIn("replayed", job("--dead").stdout)
        self.assertEqual(job("--replay", "nonsense").returncode, 1)
        for args in (("--dead", "x"), ("--replay", dead, "x"), ("--replay",), ("x",)):
            self.assertEqual(job(*args).returncode, 2, args)


if __name__ == "__main__":
    unittest.main()
