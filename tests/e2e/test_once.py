"""Once: the same thing, repeated or at the same moment, has the effect of one; and one person is one conversation."""

import json
import unittest

from harness import SystemTest, in_parallel, signature, WA_SECRET


def whatsapp(number, message_id, text, **sender):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"},
        "contacts": [{"profile": {"name": "Aline"}, "wa_id": number}],
        "messages": [{"id": message_id, "from": number, "timestamp": "1790000000", "type": "text", "text": {"body": text},
                      **sender}]}}]}]}


class Once(SystemTest):
    def test_fifty_times_the_same_sms(self):
        number = "+250788000201"
        body = {"from": number, "to": "8080", "message": "Muraho", "messageId": "same-1", "timestamp": "2026-11-22T10:00:00Z"}
        answers = in_parallel([lambda: self.post_sms(body)] * 50)
        self.assertEqual([a[0] for a in answers], [200] * 50)
        self.assertEqual(len({a[2] for a in answers}), 1, answers)  # the same answer, the first time and every other
        self.phone(number)
        self.wait_for("SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at IS NOT NULL", 0)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id = 'same-1'"), "1")
        self.assertEqual(self.sql("SELECT (SELECT count(*) FROM turns t WHERE t.profile_id = p.user_id), "
                                  "(SELECT count(*) FROM message_delivery_log m WHERE m.profile_id = p.user_id AND direction = 'outbound') "
                                  f"FROM profiles p WHERE phone_number = '{number}'"), [["1", "1"]])
        self.assertEqual(len(self.phone(number)), 1)

    def test_twenty_messages_of_a_stranger_on_both_channels(self):
        number = "+250788000202"
        jobs = []
        for i in range(10):
            sms = {"from": number, "to": "8080", "message": f"sms {i}", "messageId": f"mix-{i}"}
            jobs.append(lambda sms=sms: self.post_sms(sms))
            jobs.append(lambda i=i: self.post_wa(whatsapp(number[1:], f"wamid.mix{i}", f"wa {i}")))
        self.assertEqual([a[0] for a in in_parallel(jobs)], [200] * 20)
        self.assertEqual(self.value(f"SELECT count(*) FROM profiles WHERE phone_number = '{number}'"), "1")
        self.assertEqual(self.sql("SELECT count(DISTINCT m.session_id), count(*), (SELECT count(*) FROM omnichannel_sessions s "
                                  "WHERE s.profile_id = m.profile_id AND s.status <> 'closed') FROM message_delivery_log m "
                                  "JOIN profiles p ON p.user_id = m.profile_id WHERE m.direction = 'inbound' "
                                  f"AND p.phone_number = '{number}' GROUP BY m.profile_id"), [["1", "20", "1"]])
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)

    def test_one_person_in_seven_spellings(self):
        spellings = ["0788000203", "788000203", "250788000203", "+250788000203", "00250788000203", "250 788 000 203", "+250-788-000-203"]
        for i, spelling in enumerate(spellings):
            self.assertEqual(self.post_sms({"from": spelling, "to": "8080", "message": "x", "messageId": f"spell-{i}"})[0], 200)
        self.assertEqual(self.value("SELECT count(*) FROM profiles WHERE phone_number = '+250788000203'"), "1")
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE 'spell-%'"), "7")

    def test_somebody_with_two_numbers_is_answered_where_they_wrote(self):
        first, second = "+250788000231", "+250788000232"

        def got(number):
            return [(m["channel"], m["text"]) for m in self.phone(number, wait_s=0)]

        def after(post, number):
            """What came to this number in answer, and that nothing came to the other."""
            before, other = len(got(number)), second if number == first else first
            still = got(other)
            self.assertEqual(post()[0], 200)
            self.phone(number, count=before + 1)
            self.wait_for("SELECT (SELECT count(*) FROM message_delivery_log WHERE awaits_turn OR status IN ('pending', 'failed', 'sending')) "
                          "+ (SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at IS NOT NULL)", 0)
            self.assertEqual(got(other), still)

        after(lambda: self.post_wa(whatsapp(first[1:], "wamid.two1", "one", from_user_id="RW.two")), first)
        after(lambda: self.post_wa(whatsapp(second[1:], "wamid.two2", "two", from_user_id="RW.two")), second)
        after(lambda: self.post_sms({"from": first, "to": "8080", "message": "three", "messageId": "two3"}), first)
        self.assertEqual(self.tool("/tools/call_log_summary", {"call_id": "two", "phone_number": second, "channel": "sip",
                                                               "bullets": ["A house in Remera"]})[0], 200)
        after(lambda: self.post_wa(whatsapp(first[1:], "wamid.two4", "four", from_user_id="RW.two")), first)
        after(lambda: self.tool("/post-call-notify", {"call_id": "two"}), second)
        self.assertIn("Remera", got(second)[-1][1])
        self.assertEqual(self.value(f"SELECT count(DISTINCT profile_id) FROM contact_addresses WHERE value IN ('{first}', '{second}')"), "1")
        after(lambda: self.post_sms({"from": second, "to": "8080", "message": "STOP", "messageId": "two5"}), second)

    def test_whoever_hid_the_number_is_found_again_by_it(self):
        number = "+250788000241"
        hidden = whatsapp(number[1:], "wamid.hid1", "I look for a house", from_user_id="RW.hid")
        value = hidden["entry"][0]["changes"][0]["value"]
        value["contacts"] = [{"profile": {"name": "Aline"}, "user_id": "RW.hid"}]
        del value["messages"][0]["from"]
        self.assertEqual(self.post_wa(hidden)[0], 200)
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": "hello", "messageId": "hid2"})[0], 200)
        person = "(SELECT profile_id FROM contact_addresses WHERE value = '%s')"
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)
        self.assertNotEqual(self.value("SELECT " + person % "RW.hid"), self.value("SELECT " + person % number))
        before = len(self.phone(number, wait_s=0))
        self.assertEqual(self.post_wa(whatsapp(number[1:], "wamid.hid3", "and now?", from_user_id="RW.hid"))[0], 200)
        self.phone(number, count=before + 1)
        self.assertEqual(self.value("SELECT " + person % "RW.hid"), self.value("SELECT " + person % number))
        prompt = json.dumps(self.lab_json("GET", "/lab/agent/requests?limit=1")["requests"])
        for said in ("I look for a house", "hello", "and now?"):
            self.assertIn(said, prompt)
        stop = whatsapp(number[1:], "wamid.hid4", "STOP", from_user_id="RW.hid")
        del stop["entry"][0]["changes"][0]["value"]["messages"][0]["from"]
        self.assertEqual(self.post_wa(stop)[0], 200)
        self.assertEqual(self.value(f"SELECT allows_whatsapp FROM profiles WHERE phone_number = '{number}'"), "f")

    def test_post_call_notify_three_times(self):
        number = "+250788000204"
        self.phone_does(number, "whatsapp", {"text": "hello"})
        seq = self.phone(number)[-1]["seq"]
        status, _ = self.tool("/tools/call_log_summary", {"call_id": "thrice", "phone_number": number, "channel": "sip",
                                                          "bullets": ["A house", "300k"]})
        self.assertEqual(status, 200)
        answers = [self.tool("/post-call-notify", {"call_id": "thrice"}) for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [200, 200, 200])
        self.assertEqual(len({json.dumps([c["message_id"] for c in a[1]["channels"]]) for a in answers}), 1)
        self.assertEqual([a[1]["status"] for a in answers], ["sent"] * 3)
        self.assertEqual(sorted(m["channel"] for m in self.phone(number, count=2, since=seq)), ["sms", "whatsapp"])
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE call_id = 'thrice' AND message_type = 'summary'"), "2")
        self.phone_does(number, "sms", {"text": "thank you"})
        self.assertEqual(self.value("SELECT s.call_id FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id "
                                    "WHERE m.content = 'thank you'"), "thrice")

    def test_twenty_triggers_at_once(self):
        number = "+250788000205"
        self.tool("/tools/call_log_summary", {"call_id": "burst", "phone_number": number, "bullets": ["A ride"]})
        answers = in_parallel([lambda: self.tool("/post-call-notify", {"call_id": "burst"})] * 20)
        self.assertTrue({a[0] for a in answers} <= {200, 202}, answers)
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE call_id = 'burst'"), "1")

    def test_the_calls_own_number_wins(self):
        self.tool("/tools/call_log_summary", {"call_id": "own", "phone_number": "+250788000206", "bullets": ["A job"]})
        self.tool("/post-call-notify", {"call_id": "own", "phone_number": "+250788000299"})
        self.assertEqual(len(self.phone("+250788000206")), 1)
        self.assertEqual(self.phone("+250788000299", wait_s=0), [])

    def test_an_end_before_its_call_fires_when_the_call_appears(self):
        self.assertEqual(self.tool("/post-call-notify", {"call_id": "early"})[0], 404)
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "early", "phone_number": "+250788000207", "bullets": ["A pharmacy"]})
        self.assertEqual((status, reply["notified"]), (200, True))
        self.assertEqual(len(self.phone("+250788000207")), 1)

    def test_unknown_call_with_a_number_gets_the_short_text(self):
        status, reply = self.tool("/post-call-notify", {"call_id": "cdr-1", "phone_number": "0788000208"})
        self.assertEqual((status, reply["status"]), (202, "pending"))
        self.assertIn("EasyMO", self.phone("+250788000208")[0]["text"])
        self.assertEqual(self.tool("/post-call-notify", {"call_id": "cdr-1"})[1]["status"], "sent")
        self.assertEqual(len(self.phone("+250788000208")), 1)

    def test_a_batch_with_one_broken_item(self):
        body = {"object": "whatsapp_business_account", "entry": []}
        for e in range(3):
            changes = []
            for c in range(3):
                messages = [{"id": f"wamid.b{e}{c}{m}", "from": "250788000209", "timestamp": "1790000000", "type": "text",
                             "text": {"body": f"{e}{c}{m}"}} for m in range(4)]
                changes.append({"field": "messages", "value": {"contacts": [], "messages": messages}})
            changes.append({"field": "account_update", "value": {"x": 1}})
            body["entry"].append({"id": str(e), "changes": changes})
        body["entry"][1]["changes"][1]["value"]["messages"][2] = {"id": 5, "from": {}}
        self.assertEqual(self.post_wa(body)[0], 200)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE 'wamid.b%'"), "35")
        self.assertEqual(self.value("SELECT count(*) FROM inbound_poison WHERE program = 'wa-webhook-core'"), "1")

    def test_signature_over_escaped_text(self):
        raw = json.dumps(whatsapp("250788000210", "wamid.acc", "Café – ça va ?"), ensure_ascii=True).encode()
        self.assertIn(b"\\u00e9", raw)
        status, _, _ = self.post("/wa-webhook-core", raw, {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})
        self.assertEqual(status, 200)
        self.assertEqual(self.value("SELECT content FROM message_delivery_log WHERE external_message_id = 'wamid.acc'"), "Café – ça va ?")

    def test_the_parts_of_a_long_text_are_one_message_in_any_order(self):
        number = "+250788000212"
        parts = {3: "and 3 bathrooms", 1: "I look for a big house ", 2: "with a garden "}
        for i, text in parts.items():
            for _ in range(2):
                self.assertEqual(self.post_sms({"from": number, "message": text, "messageId": "long-1", "part": i, "parts": 3, "ref": "r77"})[0], 200)
        self.phone(number)
        prompts = [str(r) for r in self.lab_json("GET", "/lab/agent/requests?limit=50")["requests"]]
        self.assertTrue(any("I look for a big house with a garden and 3 bathrooms" in p for p in prompts))
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE 'long-1:%'"), "3")

    def test_three_messages_in_a_row_are_one_turn(self):
        number = "+250788000211"
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)
        asked = self.lab_json("GET", "/lab/agent/requests?limit=1")["count"]
        self.lab_json("POST", "/lab/agent", {"delay_ms": 8000})
        self.post_sms({"from": number, "message": "first", "messageId": "row-0"})
        self.wait_for("SELECT count(*) FROM turns t JOIN profiles p ON p.user_id = t.profile_id "
                      f"WHERE p.phone_number = '{number}' AND t.status = 'running'", 1)
        self.lab_json("GET", f"/lab/agent/requests?limit=1&count={asked + 1}&wait_ms=60000", timeout=90)
        self.lab_json("POST", "/lab/agent", {})  # only the turn that is on its way is slow
        for i in (1, 2, 3):
            self.post_sms({"from": number, "message": f"later {i}", "messageId": f"row-{i}"})
        self.phone(number, count=2)
        self.assertEqual(self.sql("SELECT t.status, count(m.id) FROM turns t JOIN profiles p ON p.user_id = t.profile_id "
                                  "JOIN message_delivery_log m ON m.turn_id = t.id AND m.direction = 'inbound' "
                                  f"WHERE p.phone_number = '{number}' GROUP BY t.id, t.status ORDER BY t.id"),
                         [["done", "1"], ["done", "3"]])


if __name__ == "__main__":
    unittest.main()
