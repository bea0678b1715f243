"""What a request may look like at the edges: ids with a NUL, the same word twice, one bad report among good ones, a secret that has
just been changed, an address nobody answers."""

import json
import os
import tempfile
import unittest

from harness import KEY, MTN_SECRET, SystemTest, request, signature


class Edges(SystemTest):
    def inbound(self, number):
        return self.sql("SELECT content FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                        f"WHERE m.direction = 'inbound' AND p.phone_number = '{number}' ORDER BY m.seq")

    def report(self, body):
        raw = json.dumps(body).encode()
        status, _, text = self.post("/sms-status-webhook", raw, {"X-MTN-Signature": signature(MTN_SECRET, raw)})
        return status, json.loads(text)

    def poison(self):
        return int(self.value("SELECT count(*) FROM inbound_poison"))

    def test_a_nul_in_an_id_is_not_another_id(self):
        number = "+250788000901"
        self.assertEqual(self.post_sms({"from": number, "message": "first", "messageId": "edge-1"})[0], 200)
        before = self.poison()
        for message_id in ("edge-1\0", "\0edge-1", "edge\0-1"):
            self.assertEqual(self.post_sms({"from": number, "message": "another", "messageId": message_id})[0], 200)
        self.assertEqual(self.poison(), before + 3)
        self.assertEqual(self.inbound(number), [["first"]])
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "edge\0-1", "phone_number": number, "bullets": ["A house"]})
        self.assertEqual((status, reply["error"]["message"]), (400, "call_id: holds a NUL"))
        self.assertEqual(self.post_sms({"from": number, "message": "a\0b", "messageId": "edge-2"})[0], 200)  # in a text it is a blemish
        self.assertEqual(self.inbound(number), [["first"], ["ab"]])

    def test_the_same_word_is_a_repeat_for_a_minute_or_until_something_was_said(self):
        number = "+250788000902"
        plain = {"from": number, "to": "8080", "message": "yes"}  # neither id nor time
        self.sql("INSERT INTO provider_circuit (provider, state) VALUES ('mtn', 'forced_open') "
                 "ON CONFLICT (provider) DO UPDATE SET state = 'forced_open', open_until = NULL")
        try:
            self.assertEqual([self.is_repeat(plain) for _ in range(3)], [False, True, True])
            self.sql("UPDATE message_delivery_log SET external_message_id = split_part(external_message_id, '@', 1) || '@' || "
                     "split_part(external_message_id, '@', 2)::bigint - 60000 "
                     f"WHERE direction = 'inbound' AND recipient_phone = '{number}'")  # as if it had come a minute before
            self.assertEqual([self.is_repeat(plain) for _ in range(2)], [False, True])
        finally:
            self.sql("UPDATE provider_circuit SET state = 'closed' WHERE provider = 'mtn'")
        self.phone(number)
        self.wait_for("SELECT count(*) > 0 FROM message_delivery_log WHERE direction = 'outbound' AND sent_at IS NOT NULL "
                      f"AND recipient_phone = '{number}'", "t")
        self.assertEqual(self.is_repeat(plain), False)
        self.assertEqual(self.inbound(number), [["yes"], ["yes"], ["yes"]])
        timed = {**plain, "timestamp": "2026-11-22T18:05:03Z"}
        self.assertEqual([self.is_repeat(timed) for _ in range(2)], [False, True])

    def is_repeat(self, body):
        """Whether it is one that we have."""
        before = len(self.inbound(body["from"]))
        self.assertEqual(self.post_sms(body)[0], 200)
        return len(self.inbound(body["from"])) == before

    def test_one_bad_report_does_not_take_the_others_along(self):
        number = "+250788000903"
        self.lab_json("POST", "/lab/config", {"receipts": False})
        try:
            self.tool("/tools/call_log_summary", {"call_id": "edge-batch", "phone_number": number, "bullets": ["A house"], "ended": True})
            [[external]] = self.sql("SELECT external_message_id FROM message_delivery_log WHERE call_id = 'edge-batch'")
            before = self.poison()
            long_id = "".join(os.urandom(1).hex() for _ in range(8000))  # no index of the database takes it
            batch = [{"messageId": "edge-nobody", "status": "DELIVERED"}, {"messageId": long_id, "status": "DELIVERED"},
                     {"messageId": external, "status": "DELIVERED"}]
            self.assertEqual(self.report(batch)[0], 200)
            self.assertEqual(self.value("SELECT status FROM message_delivery_log WHERE call_id = 'edge-batch'"), "delivered")
            self.assertEqual(self.value("SELECT count(*) FROM status_events WHERE external_message_id = 'edge-nobody'"), "1")
            self.assertEqual(self.poison(), before + 1)
        finally:
            self.lab_json("POST", "/lab/config", {"receipts": True})

    def check_addresses(self):
        for method in ("GET", "POST"):
            status, headers, text = request(self.base, method, "/nobody/is/here")
            self.assertEqual((status, json.loads(text)["error"]["code"]), (404, "not_found"))
            self.assertEqual({k.lower(): v for k, v in headers.items()}.get("x-correlation-id"), "no-program")
        status, headers, _ = request(self.base, "HEAD", "/healthz")
        headers = {k.lower(): v for k, v in headers.items()}
        self.assertEqual((status, headers.get("allow")), (405, "GET"))
        status, headers, _ = request(self.base, "HEAD", "/sms-inbound-webhook")
        self.assertEqual((status, {k.lower(): v for k, v in headers.items()}.get("allow")), (405, "POST"))
        conn_headers = request(self.base, "GET", "/healthz", headers={"X-Correlation-Id": "mine"})[1]
        self.assertEqual([v for k, v in conn_headers.items() if k.lower() == "x-correlation-id"], ["mine"])

    def test_a_row_from_outside_goes_by_the_rules(self):
        session, person = self.sql("WITH p AS (SELECT person_find_or_create('+250788043001', NULL, NULL, NULL, NULL) AS id) "
                                   "SELECT get_or_create_session(p.id, 'sms'), p.id FROM p")[0]
        row = lambda number, text: self.value(f"SELECT log_message_delivery('{session}', '{person}', 'sms', 'operator', '{text}', '{number}', 'mtn')")
        abroad, home = row("+12025550143", "abroad"), row("+250788043001", "at home")
        self.wait_for(f"SELECT status FROM message_delivery_log WHERE id = '{home}'", "delivered")
        self.assertEqual(self.sql(f"SELECT status, error_code FROM message_delivery_log WHERE id = '{abroad}'"), [["dead", "number_not_served"]])
        self.assertEqual([m["text"] for m in self.phone("+250788043001")], ["at home"])
        self.assertEqual(self.phone("+12025550143", count=1, wait_s=0), [])

    def test_an_address_nobody_answers(self):
        self.check_addresses()


class EdgesOfApache(Edges):
    server = "apache"


class Rotation(SystemTest):
    """Secrets in files: a new one is good from the first request on."""
    folder = tempfile.mkdtemp(prefix="omni-secrets-")
    env = {"MTN_WEBHOOK_SECRET_FILE": os.path.join(folder, "mtn"), "SERVICE_ROLE_KEY_FILE": os.path.join(folder, "key")}

    @classmethod
    def put(cls, name, secret):
        path = os.path.join(cls.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(secret + "\n")
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    @classmethod
    def setUpClass(cls):
        os.chmod(cls.folder, 0o755)
        cls.put("mtn", MTN_SECRET)
        cls.put("key", KEY)
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for name in os.listdir(cls.folder):
            os.unlink(os.path.join(cls.folder, name))
        os.rmdir(cls.folder)

    def test_a_new_secret_is_good_at_once(self):
        for i in range(8):  # as many as there are processes, and more
            body = {"from": "+250788000911", "message": f"word {i}", "messageId": f"rotation-{i}"}
            self.assertEqual(self.post_sms(body, f"secret-{i - 1}" if i > 0 else MTN_SECRET)[0], 200)
            self.put("mtn", f"secret-{i}")
            body["messageId"] += "-new"
            self.assertEqual(self.post_sms(body, f"secret-{i}")[0], 200)
            self.assertEqual(self.post_sms(body, "nonsense")[0], 401)
        for i in range(8):
            self.put("key", f"service-key-{i}")
            args = {"call_id": f"rotation-{i}", "phone_number": "+250788000912", "bullets": ["A house"]}
            self.assertEqual(self.tool("/tools/call_log_summary", args, f"service-key-{i}")[0], 200)
            self.assertEqual(self.tool("/tools/call_log_summary", args, "nonsense")[0], 401)


if __name__ == "__main__":
    unittest.main()
