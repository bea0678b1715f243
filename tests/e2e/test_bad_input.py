"""Bad input gets a clear answer that names the field, and loses nothing; what is not signed leaves no trace."""

import json
import os
import subprocess
import unittest

from harness import BUILD, KEY, MTN_SECRET, WA_SECRET, WA_VERIFY, SystemTest, request, signature

SMS = {"from": "+250788000301", "to": "8080", "message": "hello", "messageId": "bad-1"}


class BadInput(SystemTest):
    def counts(self):
        return self.sql("SELECT (SELECT count(*) FROM message_delivery_log WHERE direction = 'inbound'), (SELECT count(*) FROM profiles), "
                        "(SELECT count(*) FROM inbound_poison), (SELECT count(*) FROM call_summaries)")

    def test_unsigned_and_wrongly_signed_sms(self):
        before = self.counts()
        raw = json.dumps(SMS).encode()
        good = signature(MTN_SECRET, raw)
        flipped = raw.replace(b"hello", b"hellp")
        self.assertEqual(self.post("/sms-inbound-webhook", raw)[0], 401)
        self.assertEqual(self.post("/sms-inbound-webhook", json.dumps({**SMS, "signature": good}))[0], 401)
        for wrong in ("", "0" * 64, good[:-1], good + "0", "sha1=" + good, good[::-1]):
            self.assertEqual(self.post("/sms-inbound-webhook", raw, {"X-MTN-Signature": wrong})[0], 401, wrong)
        self.assertEqual(self.post("/sms-inbound-webhook", flipped, {"X-MTN-Signature": good})[0], 401)
        self.assertEqual(self.counts(), before)

    def test_both_spellings_of_a_good_signature(self):
        raw = json.dumps({**SMS, "messageId": "bad-2"}).encode()
        self.assertEqual(self.post("/sms-inbound-webhook", raw, {"X-MTN-Signature": signature(MTN_SECRET, raw)})[0], 200)
        self.assertEqual(self.post("/sms-inbound-webhook", raw, {"X-MTN-Signature": "sha256=" + signature(MTN_SECRET, raw)})[0], 200)
        self.assertEqual(self.post("/functions/v1/sms-inbound-webhook", raw, {"X-MTN-Signature": signature(MTN_SECRET, raw)})[0], 200)

    def test_whatsapp_signatures(self):
        raw = b'{"object":"whatsapp_business_account","entry":[]}'
        good = signature(WA_SECRET, raw)
        self.assertEqual(self.post("/wa-webhook-core", raw, {"X-Hub-Signature-256": "sha256=" + good})[0], 200)
        for wrong in ({}, {"X-Hub-Signature-256": good}, {"X-Hub-Signature-256": "SHA256=" + good}, {"X-Hub-Signature": "sha1=" + good},
                      {"X-Hub-Signature-256": "sha256=" + good[:-1]}, {"x-wa-internal-forward": "true"}):
            self.assertEqual(self.post("/wa-webhook-core", raw, wrong)[0], 401, wrong)

    def test_subscription(self):
        def ask(query):
            return request(self.base, "GET", "/wa-webhook-core?" + query)
        status, headers, text = ask(f"hub.mode=subscribe&hub.verify_token={WA_VERIFY}&hub.challenge=1158201444")
        self.assertEqual((status, text), (200, "1158201444"))
        self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        self.assertEqual(ask("hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1")[0], 403)
        self.assertEqual(ask(f"hub.verify_token={WA_VERIFY}&hub.challenge=1")[0], 403)
        self.assertEqual(ask(f"hub.mode=subscribe&hub.verify_token={WA_VERIFY}&hub.challenge=<script>")[0], 400)

    def test_signed_but_unreadable_is_kept(self):
        kinds = [b"{", b"[" * 60000, b'{"from":"+250788000302","from":"+250788000303","message":"x","messageId":"p1"}', b"null",
                 b"{'from':1}", b'{"from":NaN}', b'{"message":"x"} trailing', json.dumps({"message": "no sender"}).encode(),
                 json.dumps({**SMS, "from": "+250751234567", "messageId": "p5"}).encode(),
                 json.dumps({"from": "+250788000302", "messageId": "p6"}).encode()]
        before = int(self.value("SELECT count(*) FROM inbound_poison"))
        for raw in kinds:
            for _ in range(2):
                self.assertEqual(self.post_sms(raw)[0], 200, raw[:60])
        self.assertEqual(int(self.value("SELECT count(*) FROM inbound_poison")), before + len(kinds))
        self.assertEqual(self.post_wa(b'{"entry":{}}')[0], 200)

    def test_awkward_texts_are_stored_clean(self):
        texts = {"u1": ("ab\\u0000cd", "abcd"), "u2": ("\\ud83d alone", None), "u3": ("x\\u202ey", "xy"), "u4": ("caf\\u00e9 \\ud83d\\ude00", "café 😀")}
        for key, (escaped, clean) in texts.items():
            raw = f'{{"from":"+250788000304","message":"{escaped}","messageId":"{key}"}}'.encode()
            self.assertEqual(self.post_sms(raw)[0], 200)
            stored = self.value(f"SELECT content FROM message_delivery_log WHERE external_message_id = '{key}'")
            if clean is not None:
                self.assertEqual(stored, clean)
        for i, bad in enumerate((b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80")):
            raw = b'{"from":"+250788000304","message":"a' + bad + b'b","messageId":"raw-%d"}' % i
            self.assertEqual(self.post_sms(raw)[0], 200)
            self.assertIn("\ufffd", self.value(f"SELECT content FROM message_delivery_log WHERE external_message_id = 'raw-{i}'"))
        self.assertEqual(self.post_sms({"from": "+250788000304", "message": "x" * 60000, "messageId": "long"})[0], 200)

    def test_sizes(self):
        def sized(n):
            head = b'{"from":"+250788000305","messageId":"size","message":"'
            return head + b"x" * (n - len(head) - 2) + b'"}'
        self.assertEqual(self.post_sms(sized(64 * 1024))[0], 200)
        status, _, text = self.post_sms(sized(64 * 1024 + 1))
        self.assertEqual((status, json.loads(text)["success"]), (413, False))
        auth = {"Authorization": f"Bearer {KEY}"}
        self.assertEqual(self.post("/post-call-notify", b" " * (64 * 1024 + 1), auth)[0], 413)
        self.assertEqual(self.post("/tools/call_log_summary", b" " * (1024 * 1024 + 1), auth)[0], 413)
        self.assertEqual(self.post_wa(b'{"entry":[]' + b" " * (3 * 1024 * 1024 - 12) + b"}")[0], 200)
        self.assertEqual(self.post_wa(b'{"entry":[]' + b" " * (3 * 1024 * 1024) + b"}")[0], 413)

    def test_methods_and_types(self):
        for path, allow in (("/sms-inbound-webhook", "POST"), ("/wa-webhook-core", "GET, POST"), ("/post-call-notify", "POST"),
                            ("/tools/call_log_summary", "POST"), ("/healthz", "GET")):
            for method in ("PUT", "DELETE", "PATCH"):
                status, headers, _ = request(self.base, method, path, "{}")
                self.assertEqual((status, headers.get("Allow")), (405, allow), (method, path))
        self.assertEqual(request(self.base, "GET", "/sms-inbound-webhook")[0], 405)
        raw = json.dumps(SMS).encode()
        self.assertEqual(self.post("/sms-inbound-webhook", raw, {"Content-Type": "text/xml", "X-MTN-Signature": signature(MTN_SECRET, raw)})[0], 415)
        self.assertEqual(self.post("/sms-inbound-webhook?provider=nobody", raw)[0], 400)

    def test_internal_endpoints_name_the_field(self):
        for path in ("/post-call-notify", "/tools/call_log_summary"):
            self.assertEqual(self.post(path, "{}")[0], 401)
            self.assertEqual(self.tool(path, {}, key="wrong")[0], 401)
        cases = [("/post-call-notify", {}, "call_id"), ("/post-call-notify", {"call_id": {}}, "call_id"),
                 ("/post-call-notify", {"call_id": "x", "phone_number": "12"}, "phone_number"),
                 ("/post-call-notify", {"call_id": "x", "phone_number": "8080"}, "phone_number"),
                 ("/post-call-notify", {"call_id": "x", "channel": "fax"}, "channel"),
                 ("/post-call-notify", {"call_id": "x", "ended_at": "yesterday"}, "ended_at"),
                 ("/post-call-notify", {"call_id": "x", "wait": "no"}, "wait"),
                 ("/tools/call_log_summary", {"phone_number": "+250788000306"}, "call_id"),
                 ("/tools/call_log_summary", {"call_id": "x"}, "phone_number"),
                 ("/tools/call_log_summary", {"call_id": "x", "phone_number": "+250788000306", "bullets": "one"}, "bullets"),
                 ("/tools/call_log_summary", {"call_id": "x", "phone_number": "+250788000306", "bullets": [1]}, "bullets"),
                 ("/tools/call_log_summary", {"call_id": "x" * 257, "phone_number": "+250788000306"}, "call_id")]
        for path, args, field in cases:
            status, reply = self.tool(path, args)
            self.assertEqual(status, 400, (path, args))
            self.assertTrue(reply["error"]["message"].startswith(field + ":"), reply)
        status, _, text = self.post("/post-call-notify", "{nonsense", {"Authorization": f"Bearer {KEY}"})
        self.assertEqual((status, "body" in json.loads(text)["error"]["message"]), (400, True))
        self.assertEqual(self.tool("/post-call-notify", {"call_id": "nobody-knows"})[0], 404)

    def test_options_of_the_jobs(self):
        """Looked at before any setting is: there are none here."""
        for program in ("message-retry", "message-worker"):
            def run(*options):
                done = subprocess.run([os.path.join(BUILD, "handlers", program), *options], env={}, capture_output=True, text=True, check=False)
                return done.returncode, done.stdout, done.stderr
            code, out, err = run("--help")
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(out.startswith(f"usage: {program} "), out)
            for options in (["--nonsense"], ["--dead", "more"], ["--replay"], ["x"], [""]):
                self.assertEqual(run(*options), (2, "", out), options)

    def test_every_answer_has_a_correlation_id(self):
        _, headers, _ = request(self.base, "GET", "/healthz", headers={"X-Correlation-Id": "mine-1"})
        self.assertEqual(headers["X-Correlation-Id"], "mine-1")
        _, headers, _ = self.post("/post-call-notify", "{}")
        self.assertEqual(len(headers["X-Correlation-Id"]), 36)

    def test_nothing_personal_in_any_log(self):
        number, name, text = "+250788999307", "Mukamana-CANARY", "secret-text-CANARY"
        self.post_sms({"from": number, "message": text, "messageId": "canary-1"})
        self.phone(number)
        self.post_wa({"entry": [{"changes": [{"field": "messages", "value": {"contacts": [{"wa_id": number[1:], "profile": {"name": name}}],
                     "messages": [{"id": "wamid.canary", "from": number[1:], "timestamp": "1", "type": "text", "text": {"body": text}}]}}]}]})
        self.tool("/tools/call_log_summary", {"call_id": "canary", "phone_number": number, "bullets": [text], "ended": True})
        self.tool("/post-call-notify", {"call_id": "canary-unknown", "phone_number": number})
        self.post_sms({"from": number + "99999", "message": text, "messageId": "canary-2"})
        self.sql(f"SELECT 1 FROM profiles WHERE phone_number = '{number}'")
        seen = subprocess.run(["grep", "-rlE", "788999307|CANARY|" + KEY + "|" + MTN_SECRET + "|" + WA_VERIFY, os.path.join(self.state, "var/log"),
                               os.path.join(self.state, "serve.err")], capture_output=True, text=True, check=False)
        self.assertEqual(seen.stdout, "")

    def test_as_plain_cgi(self):
        raw = json.dumps({**SMS, "messageId": "cgi-1"})
        script = 'set -a; . "$0"; set +a; exec "$1"'
        for _ in range(2):
            done = subprocess.run(["bash", "-c", script, os.path.join(self.state, "var/env"), os.path.join(BUILD, "handlers/sms-inbound-webhook")],
                                  input=raw, capture_output=True, text=True, check=True, timeout=60,
                                  env={**os.environ, "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(raw)),
                                       "HTTP_X_MTN_SIGNATURE": signature(MTN_SECRET, raw.encode())})
            self.assertTrue(done.stdout.startswith("Status: 200\n"), done.stdout)  # CR LF, read as text
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id = 'cgi-1'"), "1")

    def test_health(self):
        status, _, text = request(self.base, "GET", "/healthz")
        health = json.loads(text)
        self.assertEqual(status, 200)
        self.assertEqual(health["checks"]["database"], "ok")
        self.assertEqual(health["checks"]["worker"], "ok")
        self.assertIn(health["status"], ("ok", "degraded"))


class BadInputApache(BadInput):
    server = "apache"


if __name__ == "__main__":
    unittest.main()
