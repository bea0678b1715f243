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
        for count in (1, 2):  # an SMS may be answered by WhatsApp, too
            got = [m["text"] for m in self.phone(number, count=count, since=since, wait_s=20) if m["channel"] == channel]
            if got:
                return got[0]
        return self.fail(f"no answer to {text}")

    def call(self, number, call_id, **facts):
        status, reply = self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": ["Kigali"],
                                                              "ended": True, **facts})
        self.assertEqual(status, 200, reply)
        return reply


class Languages(Told):
    def test_a_word_is_answered_in_its_language(self):
        number = "+250788321001"
        self.assertIn("automatic assistant", self.told(number, "HELP"))
        self.assertIn("assistant automatique", self.told(number, "Aide"))
        self.assertIn("assistant automatique", self.told(number, "HELP"))  # anybody's word: the language stays
        self.assertIn("msaidizi", self.told(number, "msaada?"))
        self.assertIn("ntizongera kubandikira", self.told(number, "HAGARIKA"))
        self.assertIn("yongeye kubandikira", self.told(number, "START"))
        number = "+250788321009"
        self.assertIn("ne vous enverra plus", self.told(number, "Arr\u00eater", "whatsapp"))
        self.assertEqual(self.value(f"SELECT preferred_language FROM profiles WHERE phone_number = '{number}'"), "fr")

    def test_fixed_texts_speak_what_was_spoken_last(self):
        number = "+250788321002"
        self.call(number, "spoken-1", language="en")
        self.assertIn("Reply to", self.phone(number)[-1]["text"])
        self.call(number, "spoken-2", language="Kiswahili")
        self.assertIn("Jibu kwa", self.phone(number, count=2)[-1]["text"])
        self.phone_does(number, "whatsapp", {"message": {"type": "audio", "audio": {"id": "1", "voice": True}}})
        self.assertIn("ujumbe wa sauti", self.phone(number, count=3)[-1]["text"])
        self.lab_json("POST", "/lab/agent", {"status": 500})
        self.assertIn("Tumepokea ujumbe", self.told(number, "nyumba?"))
        self.assertIn("mazungumzo mapya", self.told(number, "mpya"))
        self.tool("/post-call-notify", {"call_id": "spoken-3", "phone_number": "+250788321003", "answered": False})
        self.assertIn("we missed your call", self.phone("+250788321003")[-1]["text"])
        self.assertIn("nouvelle conversation", self.told("+250788321003", "nouveau"))
        self.sql("UPDATE call_summaries SET notified_at = notified_at - interval '2 hours' WHERE call_id = 'spoken-3'")
        since = self.phone("+250788321003", count=2)[-1]["seq"]
        self.tool("/post-call-notify", {"call_id": "spoken-4", "phone_number": "+250788321003", "answered": False})
        self.assertIn("nous avons manqu", self.phone("+250788321003", since=since)[-1]["text"])

    def test_an_agent_notes_the_language(self):
        number = "+250788321004"
        call = {"id": "call_1", "name": "session_add_context", "arguments": {"context": {"language": "fr"}}}
        self.lab_json("POST", "/lab/agent", {"replies": [{"tool_calls": [call]}, {"reply": "Bien."}]})
        self.assertEqual(self.told(number, "Je cherche une maison"), "Bien.")
        self.assertIn("assistant automatique", self.told(number, "HELP"))


class WhereToReply(Told):
    """The sender is a name, EasyMO: no phone can answer it."""

    def sent(self, tool, number, **args):
        since = max((m["seq"] for m in self.phone(number, count=1, wait_s=0)), default=0)
        status, reply = self.tool("/tools/" + tool, args)
        self.assertEqual((status, reply["success"]), (200, True), reply)
        got = self.phone(number, count=len(reply["channels"]), since=since)
        return {m["channel"]: m["text"] for m in got}, reply

    def test_tools_and_operators_name_the_short_code(self):
        number = "+250788323001"
        self.agent("Hello.", "Yego.")
        self.told(number, "hello", "whatsapp")
        profile, session = self.sql(f"SELECT profile_id, id FROM omnichannel_sessions WHERE profile_id = "
                                    f"(SELECT user_id FROM profiles WHERE phone_number = '{number}')")[0]
        got, reply = self.sent("messaging_send_sms", number, profile_id=profile, message="The car comes at 8")
        self.assertEqual(got, {"sms": "The car comes at 8\nReply to 8080."})
        self.assertEqual(reply["channels"][0]["segments"], 1)
        got, _ = self.sent("messaging_send_dual_channel", number, profile_id=profile, message="Still at 8?")
        self.assertEqual(got, {"sms": "Still at 8?\nReply to 8080.", "whatsapp": "Still at 8?"})
        got, _ = self.sent("messaging_send_sms", number, profile_id=profile, message="Reply to 8080 when you are there")
        self.assertEqual(got, {"sms": "Reply to 8080 when you are there"})
        got, _ = self.sent("messaging_send_sms", number, profile_id=profile, message="Pay 8080 when you are there")
        self.assertEqual(got, {"sms": "Pay 8080 when you are there\nReply to 8080."})
        got, reply = self.sent("messaging_send_sms", number, profile_id=profile, message="word " * 59)
        self.assertTrue(got["sms"].endswith("word\nFor more: 1 to 8080"), got)
        self.assertEqual((reply["channels"][0]["segments"], reply["channels"][0]["shortened"]), (2, True))
        self.assertEqual(self.told(number, "muraho"), "Yego.")  # who writes to it knows the number
        self.assertEqual(self.sent("operator_send", number, session_id=session, message="This is Jean.")[0], {"sms": "This is Jean.\nReply to 8080."})

    def test_confirmations_name_it(self):
        number = "+250788323002"
        self.assertTrue(self.told(number, "STOP").endswith("again, send START to 8080."))
        self.assertTrue(self.told(number, "START").endswith("send STOP to 8080."))
        self.assertTrue(self.told(number, "Aide").endswith("envoyez STOP au 8080."))
        self.assertTrue(self.told(number, "STOP", "whatsapp").endswith("envoyez START."))


class TheRest(Told):
    def test_asked_for_on_the_other_channel(self):
        number = "+250788322001"
        sentences = [f"This is sentence {i:02d} of the answer, and it says something." for i in range(1, 16)]
        self.agent(" ".join(sentences))
        first = self.told(number, "tell me everything")
        self.assertIn("sentence 01", first)
        rest = self.told(number, "1", "whatsapp")
        said = first.rsplit("\n", 1)[0] + " " + rest.replace("\n", " ")
        self.assertEqual(said, " ".join(sentences))
        self.agent("One what?")
        self.assertEqual(self.told(number, "1", "whatsapp"), "One what?")

    def test_where_both_channels_carried_it(self):
        number = "+250788322002"
        self.agent("Hello.")
        self.told(number, "hello", "whatsapp")
        profile = self.value(f"SELECT user_id FROM profiles WHERE phone_number = '{number}'")
        sentences = [f"This is sentence {i:02d} of the message, and it says something." for i in range(1, 9)]
        _, reply = self.tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": " ".join(sentences)})
        self.assertEqual(reply["status"], "sent", reply)
        self.assertIn("sentence 08", self.told(number, "more", "sms"))
        self.tool("/tools/messaging_send_dual_channel", {"profile_id": profile, "message": " ".join(sentences)})
        self.agent("It is all above.")  # by WhatsApp it was whole
        self.assertEqual(self.told(number, "MORE", "whatsapp"), "It is all above.")


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
