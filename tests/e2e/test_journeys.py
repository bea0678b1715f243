"""The user flows, with real HTTP through a real web server: a call ends, the phone gets the summary, the reply gets an answer."""

import unittest

from harness import SystemTest

BULLETS = ["You look for a two-bedroom house in Kimironko", "Your budget is 300k a month", "We send you three offers tomorrow"]


class Journeys(SystemTest):
    def prompts(self):
        return [str(r) for r in self.lab_json("GET", "/lab/agent/requests?limit=50")["requests"]]

    def call(self, number, call_id, channel="sip", **more):
        reply = self.phone_does(number, "call", {"channel": channel, "call_id": call_id, "bullets": BULLETS, **more})
        self.assertEqual(reply["status"], "sent", reply)
        return reply

    def test_feature_phone_gets_sms_and_answer(self):
        number = "+250788000101"
        self.call(number, "call-feature")
        [summary] = self.phone(number)
        self.assertEqual(summary["channel"], "sms")
        self.assertIn("Kimironko", summary["text"])
        self.assertIn("8080", summary["text"])  # the sender EasyMO cannot be replied to
        self.phone_does(number, "sms", {"text": "Change budget to 250k"})
        answer = self.phone(number, count=1, since=summary["seq"])[0]
        self.assertEqual(answer["channel"], "sms")
        self.assertIn("250k", answer["text"])
        self.assertTrue(any("Kimironko" in p and "Change budget to 250k" in p for p in self.prompts()))
        self.assertEqual(self.value("SELECT count(*) FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id "
                                    f"WHERE p.phone_number = '{number}'"), "1")
        self.wait_for("SELECT status FROM omnichannel_sessions WHERE call_id = 'call-feature'", "follow_up")

    def test_smartphone_gets_both_and_answers_on_whatsapp(self):
        number = "+250788000102"
        self.call(number, "call-smart", channel="whatsapp", next_actions=["Visit on Friday"])
        got = self.phone(number, count=2)
        self.assertEqual({m["channel"] for m in got}, {"sms", "whatsapp"})
        rich = next(m for m in got if m["channel"] == "whatsapp")
        self.assertEqual(rich["kind"], "text")  # a WhatsApp call opened the window
        self.assertIn("Visit on Friday", rich["text"])
        self.phone_does(number, "whatsapp", {"text": "Can I bring my dog?"})
        answer = self.phone(number, count=1, since=max(m["seq"] for m in got))
        self.assertEqual([m["channel"] for m in answer], ["whatsapp"])

    def test_channel_switch_stays_in_the_session(self):
        number = "+250788000103"
        self.call(number, "call-switch")
        seq = self.phone(number)[0]["seq"]
        self.phone_does(number, "sms", {"text": "My sister will call you"})
        seq = self.phone(number, since=seq)[-1]["seq"]
        self.phone_does(number, "whatsapp", {"text": "It is me again, on WhatsApp"})
        answer = self.phone(number, since=seq)[0]
        self.assertEqual(answer["channel"], "whatsapp")
        self.assertTrue(any("My sister will call you" in p and "It is me again" in p and "Kimironko" in p for p in self.prompts()))
        rows = self.sql("SELECT DISTINCT m.session_id, s.call_id FROM message_delivery_log m JOIN omnichannel_sessions s "
                        "ON s.id = m.session_id JOIN profiles p ON p.user_id = m.profile_id "
                        f"WHERE p.phone_number = '{number}'")
        self.assertEqual([r[1] for r in rows], ["call-switch"])

    def test_stranger_is_answered(self):
        number = "+250788000104"
        self.phone_does(number, "sms", {"text": "Do you have rooms in Musanze?"})
        self.assertEqual(self.phone(number)[0]["channel"], "sms")
        self.assertEqual(self.value("SELECT primary_channel FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id "
                                    f"WHERE p.phone_number = '{number}'"), "sms")

    def test_sip_caller_with_whatsapp_but_closed_window_gets_the_template(self):
        number = "+250788000105"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        self.sql(f"UPDATE profiles SET wa_window_until = now() - interval '1 hour' WHERE phone_number = '{number}'")
        self.call(number, "call-window")
        got = self.phone(number, count=2, since=seq)
        self.assertEqual({(m["channel"], m["kind"]) for m in got}, {("sms", "text"), ("whatsapp", "template")})
        self.assertNotIn("\n", next(m["text"] for m in got if m["kind"] == "template"))

    def test_answered_sms_goes_to_whatsapp_too(self):
        number = "+250788000106"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        self.phone_does(number, "sms", {"text": "and by SMS"})
        self.assertEqual({m["channel"] for m in self.phone(number, count=2, since=seq)}, {"sms", "whatsapp"})

    def test_stop_is_confirmed_once_and_obeyed(self):
        number = "+250788000107"
        self.phone_does(number, "sms", {"text": "STOP"})
        seq = self.phone(number)[0]["seq"]
        self.phone_does(number, "sms", {"text": "stop!"})
        reply = self.phone_does(number, "call", {"channel": "sip", "call_id": "call-stop", "bullets": BULLETS})
        self.assertEqual(reply["status"], "skipped")
        self.assertEqual(self.value("SELECT notify_reason FROM call_summaries WHERE call_id = 'call-stop'"), "no_channel")
        self.phone_does(number, "sms", {"text": "START"})
        after = self.phone(number, since=seq)
        self.assertEqual(len(after), 1)
        self.assertIn("again", after[0]["text"].lower())

    def test_voice_note_gets_a_fitting_answer_without_the_agent(self):
        number = "250788000108"
        before = self.lab_json("GET", "/lab/agent/requests?limit=1")["count"]
        status, _, _ = self.post_wa({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
            {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"},
             "contacts": [{"profile": {"name": "Aline"}, "wa_id": number}],
             "messages": [{"id": "wamid.voice", "from": number, "timestamp": "1790000000", "type": "audio",
                           "audio": {"id": "1", "voice": True}}]}}]}]})
        self.assertEqual(status, 200)
        self.assertEqual(self.phone("+" + number)[0]["channel"], "whatsapp")
        self.assertEqual(self.lab_json("GET", "/lab/agent/requests?limit=1")["count"], before)


class JourneysApache(Journeys):
    server = "apache"


if __name__ == "__main__":
    unittest.main()
