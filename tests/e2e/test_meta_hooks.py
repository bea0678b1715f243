"""Meta's two addresses: either takes every field, and what is not for us is acknowledged and left alone."""

import glob
import json
import os
import time
import unittest

from harness import SystemTest, WA_SECRET, signature
from test_voice import connect, terminate

CORE = "/wa-webhook-core"
CALLS = "/wa-webhook-voice-calls"
OURS = "1122334455"


def change(field, number_id=OURS, **value):
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": {
        "display_phone_number": "250788000000", "phone_number_id": number_id}, **value}}


def message(number, message_id, kind="text", **more):
    body = {"text": {"body": "Muraho"}} if kind == "text" else {}
    return {"id": message_id, "from": number[1:], "timestamp": str(int(time.time())), "type": kind, **body, **more}


class MetaHooks(SystemTest):
    env = {"WHATSAPP_WEBHOOK_PHONE_ID": OURS}

    def post_changes(self, path, *changes):
        raw = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": list(changes)}]}).encode()
        status, _, text = self.post(path, raw, {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})
        self.assertEqual((status, json.loads(text)["success"]), (200, True), text)

    def ignored(self, path, reason):
        """How often this program has passed something over for this reason."""
        n = 0
        for name in glob.glob(os.path.join(self.state, "var/log", path[1:] + "*.log")):
            with open(name, encoding="utf-8") as f:
                n += sum(1 for line in f if "INBOUND_IGNORED" in line and f'"{reason}"' in line)
        return n

    def stored(self, message_id):
        return self.sql(f"SELECT content, metadata ->> 'kind' FROM message_delivery_log WHERE external_message_id = '{message_id}'")

    def person(self, number):
        return self.sql(f"SELECT user_id FROM profiles WHERE phone_number = '{number}'")

    def test_messages_and_statuses_at_the_address_for_calls(self):
        number = "+250788009001"
        self.post_changes(CALLS, change("messages", messages=[message(number, "wamid.there")]))
        self.assertEqual(self.stored("wamid.there"), [["Muraho", "text"]])
        self.assertEqual(len(self.phone(number)), 1)
        self.wait_for("SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id WHERE m.direction = 'outbound' "
                      f"AND p.phone_number = '{number}' AND m.external_message_id IS NOT NULL", 1)
        [[sent]] = self.sql("SELECT m.external_message_id FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                            f"WHERE m.direction = 'outbound' AND p.phone_number = '{number}'")
        self.post_changes(CALLS, change("messages", statuses=[{"id": sent, "status": "read", "timestamp": str(int(time.time()))}]))
        self.wait_for(f"SELECT status FROM message_delivery_log WHERE external_message_id = '{sent}'", "read")

    def test_both_in_one_request_at_either_address(self):
        for i, path in enumerate((CORE, CALLS)):
            number = f"+25078800901{i}"
            self.post_changes(path, change("messages", messages=[message(number, f"wamid.both{i}")]),
                              change("calls", calls=[connect(f"wacid.both{i}", number)]))
            self.assertEqual(self.stored(f"wamid.both{i}"), [["Muraho", "text"]])
            self.assertEqual(self.sql(f"SELECT channel, phone_number FROM call_summaries WHERE call_id = 'wacid.both{i}'"), [["whatsapp", number]])
            self.post_changes(path, change("calls", calls=[terminate(f"wacid.both{i}", number, 10)]))
            self.wait_for(f"SELECT status FROM call_summaries WHERE call_id = 'wacid.both{i}'", "ended")
        self.assertEqual(self.value("SELECT count(*) FROM inbound_poison"), "0")

    def test_a_group_is_left_alone(self):
        number = "+250788009020"
        for path in (CORE, CALLS):
            before = self.ignored(path, "group_message")
            self.post_changes(path, change("messages", messages=[message(number, "wamid.group", group_id="1203630425")],
                                           contacts=[{"profile": {"name": "Aline"}, "wa_id": number[1:]}]))
            self.assertEqual(self.ignored(path, "group_message"), before + 1)
        self.assertEqual(self.stored("wamid.group"), [])
        self.assertEqual(self.person(number), [], "nobody has written to us")

    def test_another_number_of_the_account(self):
        number = "+250788009030"
        for path in (CORE, CALLS):
            before = self.ignored(path, "other_number")
            self.post_changes(path, change("messages", "5544332211", messages=[message(number, "wamid.other")]),
                              change("messages", "5544332211", statuses=[{"id": "wamid.theirs", "status": "sent"}]),
                              change("calls", "5544332211", calls=[connect("wacid.other", number)]))
            self.assertEqual(self.ignored(path, "other_number"), before + 3)
        self.assertEqual(self.stored("wamid.other"), [])
        self.assertEqual(self.person(number), [])
        self.assertEqual(self.value("SELECT count(*) FROM call_summaries WHERE call_id = 'wacid.other'"), "0")
        self.assertEqual(self.value("SELECT count(*) FROM status_events WHERE external_message_id = 'wamid.theirs'"), "0")

    def test_an_edited_message_is_read_again(self):
        number = "+250788009040"
        self.post_changes(CORE, change("messages", messages=[message(number, "wamid.first")]))
        self.assertEqual(len(self.phone(number)), 1)
        self.post_changes(CORE, change("messages", messages=[message(number, "wamid.edited", "edit", edit={
            "original_message_id": "wamid.first", "message": {"type": "text", "text": {"body": "Muraho, ndashaka inzu"}}})]))
        self.assertEqual(self.stored("wamid.edited"), [["Muraho, ndashaka inzu", "edit"]])
        self.assertIn("ndashaka inzu", self.phone(number, count=2)[1]["text"])

    def test_an_edit_without_words(self):
        number = "+250788009041"
        before = self.ignored(CORE, "edit_without_words")
        self.post_changes(CORE, change("messages", messages=[message(number, "wamid.wordless", "edit", edit={"original_message_id": "wamid.x"})]))
        self.assertEqual(self.ignored(CORE, "edit_without_words"), before + 1)
        self.assertEqual(self.stored("wamid.wordless"), [])

    def test_what_cannot_be_read_gets_an_answer(self):
        for i, (kind, more) in enumerate((("unsupported", {"errors": [{"code": 131051}]}),
                                          ("order", {"order": {"catalog_id": "c1", "product_items": [{"product_retailer_id": "p1", "quantity": 1}]}}))):
            number = f"+25078800905{i}"
            self.post_changes(CORE, change("messages", messages=[message(number, f"wamid.{kind}", kind, **more)]))
            self.assertEqual(self.stored(f"wamid.{kind}"), [["", kind]])
            self.assertIn("only read text", self.phone(number)[0]["text"])
        number = "+250788009055"
        self.post_changes(CORE, change("messages", messages=[message(number, "wamid.ordered", "order", order={
            "catalog_id": "c1", "text": "Mubizane ejo", "product_items": [{"product_retailer_id": "p1", "quantity": 2}]})]))
        self.assertEqual(self.stored("wamid.ordered"), [["Mubizane ejo [order]", "order"]])
        self.assertIn("Mubizane ejo", self.phone(number)[0]["text"])


if __name__ == "__main__":
    unittest.main()
