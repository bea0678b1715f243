"""In which language people are answered, where they can reply to, and whose addresses are believed."""

import unittest

from harness import SystemTest


class Told(SystemTest):
    def agent(self, *replies):
        self.lab_json("POST", "/lab/agent", {"replies": list(replies)})

    def told(self, number, text, channel="sms", **more):
        """Writes to us and returns the text that came back, on the same channel."""
        since = max((m["seq"] for m in self.phone(number, count=1, wait_s=0)), default=0)
        self.phone_does(number, channel, {"text": text, **more})
        got = self.phone(number, since=since)
        self.assertTrue(got, f"no answer to {text}")
        self.assertEqual(got[0]["channel"], channel)
        return got[0]["text"]

    def call(self, number, call_id, **facts):
        status, reply = self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": ["Kigali"],
                                                              "ended": True, **facts})
        self.assertEqual(status, 200, reply)
        return reply


class Addresses(Told):
    def proven(self, number, kinds):
        self.wait_for("SELECT string_agg(a.kind, ' ' ORDER BY a.kind) FILTER (WHERE a.verified_at IS NOT NULL) FROM contact_addresses a "
                      f"JOIN profiles p ON p.user_id = a.profile_id WHERE p.phone_number = '{number}'", kinds)

    def test_what_a_provider_shows_is_proven(self):
        self.call("+250788320001", "proven-1")
        self.proven("+250788320001", "")
        self.agent("Yes.", "Yes.")
        self.told("+250788320001", "hello")
        self.proven("+250788320001", "tel")
        self.told("+250788320002", "hello", "whatsapp")
        self.proven("+250788320002", "bsuid tel wa")
        self.call("+250788320003", "proven-3", channel="whatsapp")
        self.proven("+250788320003", "")
        self.phone_does("+250788320003", "whatsapp-call", {"event": "connect", "call_id": "proven-3b"})
        self.proven("+250788320003", "bsuid tel wa")


if __name__ == "__main__":
    unittest.main()
