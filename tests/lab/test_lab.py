#!/usr/bin/python3
"""The lab itself is tested here: each endpoint, each fault, signatures, long polls.

usage: test_lab.py LAB_BINARY [unittest arguments], or LAB_BIN in the environment.
"""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

LAB_BIN = os.environ.get("LAB_BIN", "")
ALINE = "+250788000001"
JEAN = "+250788000002"
SECRETS = {
    "MTN_WEBHOOK_SECRET": "mtn-secret",
    "WA_APP_SECRET": "app-secret",
    "WHATSAPP_PHONE_ID": "1122334455",
    "SERVICE_ROLE_KEY": "service-key",
    "SMS_WEBHOOK_TOKEN": "sms-token",
    "SMS_SHORT_CODE": "8080",
    "OPENAI_WEBHOOK_SECRET": "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
}
MTN_HEADERS = {"Authorization": "Bearer key", "X-API-Secret": "secret"}
META_HEADERS = {"Authorization": "Bearer token"}
META_PATH = "/graph/v25.0/1122334455/messages"
CALLS_PATH = "/graph/v25.0/1122334455/calls"
CHAT_PATH = "/openai/v1/chat/completions"
REALTIME_PATH = "/openai/v1/realtime/calls/rtc_1/"
KEY_HEADERS = {"Authorization": "Bearer key"}
SDP_ANSWER = {"sdp_type": "answer", "sdp": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n"}
SESSION = {"type": "realtime", "model": "gpt-realtime", "output_modalities": ["audio"],
           "audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"voice": "marin"}},
           "tools": [{"type": "mcp", "server_label": "t", "server_url": "https://x.invalid/mcp"},
                     {"type": "function", "name": "f", "parameters": {}}]}

MTN_BODY = (
    '{"from":"+250788000001","to":"8080","message":"Café 😀","messageId":"m1","timestamp":"179'
    '0000000"}'
)
MTN_DIGEST = "cd25ff9d67cd333af57cefe5b31c05175dd72605c02b04231c896f16e03f5291"
META_BODY = (
    r'{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"fiel'
    r'd":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number"'
    r':"250788000000","phone_number_id":"1122334455"},"contacts":[{"profile":{"name":"Lab"},"w'
    r'a_id":"250788000001","user_id":"RW.250788000001"}],"messages":[{"id":"m1","from":"250788'
    r'000001","from_user_id":"RW.250788000001","timestamp":"1790000000","type":"text","text":{'
    r'"body":"Caf\u00e9 \ud83d\ude00"}}]}}]}]}'
)
META_DIGEST = "15489eb1ff5cc0ad46580a503ffd6365823da3bef9bf27cc4c5d3f7e38889b35"


class Receiver:
    """The system under test, reduced to a server that remembers what it was sent."""

    def __init__(self):
        self.changed = threading.Condition()
        self.requests = []
        self.status = 200
        self.answer = b'{"success":true}'
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with outer.changed:
                    outer.requests.append((self.command, self.path, dict(self.headers), body))
                    outer.changed.notify_all()
                outer.gate.wait(60)
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def clear(self):
        with self.changed:
            self.requests = []
        self.status = 200
        self.answer = b'{"success":true}'
        self.gate.set()

    def wait(self, count, path=""):
        """The requests to a path once there are at least count of them."""
        deadline = time.monotonic() + 60
        with self.changed:
            while True:
                found = [r for r in self.requests if r[1].startswith(path)]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0:
                    raise AssertionError("%d of %d requests to %s" % (len(found), count, path))
                self.changed.wait(left)

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class LabTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.receiver = Receiver()
        cls.lab = subprocess.Popen(
            [LAB_BIN, "--target", cls.receiver.url],
            env={**os.environ, **SECRETS},
            stdout=subprocess.PIPE,
            text=True,
        )
        cls.port = int(re.fullmatch(r"ready http://127\.0\.0\.1:(\d+)\n",
                                    cls.lab.stdout.readline()).group(1))

    @classmethod
    def tearDownClass(cls):
        cls.lab.terminate()
        status = cls.lab.wait(60)
        cls.lab.stdout.close()
        cls.receiver.close()
        if status != 0:
            raise AssertionError("the lab ended with %d" % status)

    def setUp(self):
        self.receiver.clear()
        self.call("POST", "/lab/reset")
        self.receiver.clear()
        self.config(target=self.receiver.url, receipts=False, receipt_delay_ms=0)

    def raw(self, method, path, body=None, headers=None, timeout=90):
        """(status, headers, bytes) of one request on its own connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=None, timeout=90):
        data = None if body is None else json.dumps(body).encode()
        status, _, answer = self.raw(method, path, data, headers, timeout)
        return status, json.loads(answer) if answer else None

    def config(self, **values):
        self.assertEqual(self.call("POST", "/lab/config", values)[0], 200)

    def fault(self, **rule):
        self.assertEqual(self.call("POST", "/lab/faults", rule)[0], 200)

    def send_mtn(self, text="Muraho", to=ALINE, reference="r1", timeout=90):
        body = {"sender": "EasyMO", "recipient": to, "message": text, "reference": reference}
        return self.call("POST", "/mtn/v1/sms/send", body, MTN_HEADERS, timeout)

    def send_meta(self, to="250788000001", timeout=90, **fields):
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
                "type": "text", "text": {"body": "Muraho"}, **fields}
        return self.call("POST", META_PATH, body, META_HEADERS, timeout)

    def chat(self, said="Muraho", system="You help.", timeout=90):
        messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
        return self.call("POST", CHAT_PATH, {"model": "m", "messages": messages}, timeout=timeout)

    def said(self, *args, **kwargs):
        status, answer = self.chat(*args, **kwargs)
        self.assertEqual(status, 200)
        return answer["choices"][0]["message"]["content"]

    def phone(self, number=ALINE, query=""):
        return self.call("GET", "/lab/phones/" + number + query)[1]["messages"]

    def stats(self):
        return self.call("GET", "/lab/stats?idle_wait_ms=60000")[1]

    def assert_meta_signed(self, request):
        digest = hmac.new(b"app-secret", request[3], hashlib.sha256).hexdigest()
        self.assertEqual(request[2]["X-Hub-Signature-256"], "sha256=" + digest)
        self.assertTrue(request[3].isascii())

    def assert_mtn_signed(self, request):
        digest = hmac.new(b"mtn-secret", request[3], hashlib.sha256).hexdigest()
        self.assertEqual(request[2]["X-MTN-Signature"], digest)


class Gateways(LabTest):
    def test_mtn_accepts_and_keeps(self):
        status, answer = self.send_mtn("Muraho, ça va?", reference="ref-1")
        self.assertEqual(status, 200)
        self.assertRegex(answer["message_id"], r"^mtn-\d+$")
        message = self.phone()[0]
        self.assertEqual(
            (message["channel"], message["kind"], message["text"], message["from"],
             message["reference"], message["provider_message_id"]),
            ("sms", "text", "Muraho, ça va?", "EasyMO", "ref-1", answer["message_id"]))
        self.assertLess(abs(message["at_ms"] / 1000 - time.time()), 60)

    def test_mtn_without_credentials_is_401(self):
        body = json.dumps({"sender": "E", "recipient": ALINE, "message": "x"})
        for headers in ({}, {"Authorization": "Bearer k"}, {"X-API-Secret": "s"}):
            self.assertEqual(self.raw("POST", "/mtn/v1/sms/send", body, headers)[0], 401)
        self.assertEqual(self.phone(), [])

    def test_mtn_cost_counts_segments(self):
        table = [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1),
                 ("€" * 81, 2), ("a" * 152 + "€" + "a" * 152, 3), ("ê" * 70, 1), ("ê" * 71, 2),
                 ("ê" * 134, 2), ("ê" * 135, 3), ("😀" * 67, 3), ("ê" * 66 + "😀" + "ê" * 66, 3),
                 ("a" * 159 + "’", 3), ("Ç" * 160, 1), ("a\tb", 1)]
        for text, segments in table:
            with self.subTest(text=text[:3], length=len(text)):
                self.assertEqual(self.send_mtn(text)[1]["cost"], 15 * segments)

    def test_same_reference_twice_is_a_duplicate(self):
        self.send_mtn(reference="same")
        self.send_mtn(reference="same")
        self.send_mtn(reference="other", to=JEAN)
        self.send_meta(biz_opaque_callback_data="same")
        answer = self.call("GET", "/lab/phones")[1]
        self.assertEqual(answer, {"phones": {ALINE: 3, JEAN: 1}, "messages": 4, "duplicates": 1})
        self.assertEqual([m["duplicate"] for m in self.phone()], [False, True, False])

    def test_kannel(self):
        dlr = self.receiver.url + "/dlr?id=0191c9d0-0000-7000-8000-000000000001&type=%d&t=%T"
        self.config(receipts=True)
        query = urllib.parse.urlencode({"username": "u", "password": "p", "to": ALINE + " " + JEAN,
                                        "from": "8080", "text": "Muraho ça", "dlr-mask": "31",
                                        "dlr-url": dlr, "charset": "UTF-8", "coding": "0"})
        status, _, answer = self.raw("GET", "/cgi-bin/sendsms?" + query)
        self.assertEqual((status, answer), (202, b"0: Accepted for delivery"))
        message = self.phone()[0]
        self.assertEqual((message["text"], message["from"], message["provider"],
                          message["reference"]),
                         ("Muraho ça", "8080", "kannel", "0191c9d0-0000-7000-8000-000000000001"))
        self.assertEqual(len(self.phone(JEAN)), 1)
        types = [re.search(r"type=(\d+)&t=\d+$", r[1]).group(1) for r in self.receiver.wait(4)]
        self.assertEqual(sorted(types), ["1", "1", "8", "8"])
        form = urllib.parse.urlencode({"user": "u", "pass": "p", "to": ALINE, "coding": "2",
                                       "text": "Muraho 😀".encode("utf-16-be")})
        self.assertEqual(self.raw("POST", "/cgi-bin/sendsms", form)[0], 202)
        self.assertEqual(self.phone()[1]["text"], "Muraho 😀")
        self.assertEqual(self.raw("GET", "/cgi-bin/sendsms?to=1")[0], 403)
        self.assertEqual(self.raw("GET", "/cgi-bin/sendsms?username=u&password=p")[0], 400)

    def test_africastalking(self):
        self.config(receipts=True)
        form = urllib.parse.urlencode({"username": "sandbox", "to": ALINE + "," + JEAN,
                                       "message": "Muraho", "from": "8080"})
        status, _, answer = self.raw("POST", "/version1/messaging", form, {"apikey": "k"})
        recipients = json.loads(answer)["SMSMessageData"]["Recipients"]
        self.assertEqual(status, 201)
        self.assertEqual([(r["statusCode"], r["number"], r["cost"]) for r in recipients],
                         [(101, ALINE, "RWF 15.0000"), (101, JEAN, "RWF 15.0000")])
        report = self.receiver.wait(2, "/sms-status-webhook?provider=africastalking")[0]
        fields = dict(urllib.parse.parse_qsl(report[3].decode()))
        self.assertEqual((fields["status"], report[2]["Authorization"]),
                         ("Success", "Bearer sms-token"))
        self.assertIn(fields["id"], [r["messageId"] for r in recipients])
        self.fault(provider="africastalking", fault="error_code", code=405)
        answer = self.raw("POST", "/version1/messaging", form, {"apikey": "k"})[2]
        self.assertEqual(json.loads(answer)["SMSMessageData"]["Recipients"][0]["statusCode"], 405)
        self.assertEqual(self.raw("POST", "/version1/messaging", form)[0], 401)
        self.assertEqual(len(self.phone()), 1)


class Graph(LabTest):
    def code(self, **fields):
        status, answer = self.send_meta(**fields)
        return status, answer.get("error", {}).get("code")

    def test_text(self):
        status, answer = self.send_meta(text={"body": "Muraho 😀"}, biz_opaque_callback_data="m-1")
        self.assertEqual(status, 200)
        self.assertEqual(answer["messaging_product"], "whatsapp")
        self.assertEqual(answer["contacts"][0]["wa_id"], "250788000001")
        self.assertRegex(answer["messages"][0]["id"], r"^wamid\.\d+$")
        message = self.phone()[0]
        self.assertEqual((message["channel"], message["kind"], message["text"],
                          message["reference"], message["provider_message_id"]),
                         ("whatsapp", "text", "Muraho 😀", "m-1", answer["messages"][0]["id"]))

    def test_template_text_is_its_parameters(self):
        template = {"name": "call_summary", "language": {"code": "rw_RW"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Inzu"},
                                            {"type": "text", "text": "Kigali"}]}]}
        self.assertEqual(self.code(type="template", template=template), (200, None))
        message = self.phone()[0]
        self.assertEqual((message["kind"], message["template"], message["text"]),
                         ("template", "call_summary", "Inzu Kigali"))

    def test_what_meta_refuses(self):
        def template(text):
            return {"type": "template", "template": {
                "name": "n", "language": {"code": "en"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": text}]}]}}

        def buttons(*titles):
            return {"type": "interactive", "interactive": {
                "type": "button", "body": {"text": "Choose"}, "action": {"buttons": [
                    {"type": "reply", "reply": {"id": "x", "title": t}} for t in titles]}}}

        table = [
            ("long text", {"text": {"body": "é" * 4097}}, (400, 100)),
            ("longest text", {"text": {"body": "é" * 4096}}, (200, None)),
            ("empty text", {"text": {"body": ""}}, (400, 100)),
            ("newline", template("a\nb"), (400, 132018)),
            ("tab", template("a\tb"), (400, 132018)),
            ("5 spaces", template("a     b"), (400, 132018)),
            ("4 spaces", template("a    b"), (200, None)),
            ("long template", template("a" * 1025), (400, 132005)),
            ("empty parameter", template(""), (400, 131008)),
            ("no language", {"type": "template", "template": {"name": "n"}}, (400, 100)),
            ("buttons", buttons("Yego", "Oya"), (200, None)),
            ("4 buttons", buttons("1", "2", "3", "4"), (400, 131009)),
            ("long title", buttons("a" * 21), (400, 131009)),
            ("no product", {"messaging_product": "x"}, (400, 100)),
            ("no recipient", {"to": ""}, (400, 100)),
            ("recipient without digits", {"to": "Aline"}, (400, 100)),
            ("unknown type", {"type": "sticker"}, (400, 131051)),
            ("long callback data", {"biz_opaque_callback_data": "a" * 513}, (400, 100)),
        ]
        for name, fields, expected in table:
            with self.subTest(name):
                self.assertEqual(self.code(**fields), expected)
        self.assertEqual(len(self.phone()), 3)

    def test_token_and_number(self):
        body = json.dumps({"messaging_product": "whatsapp", "to": "1", "text": {"body": "x"}})
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic x"}):
            status, _, answer = self.raw("POST", META_PATH, body, headers)
            self.assertEqual((status, json.loads(answer)["error"]["code"]), (401, 190))
        other = META_PATH.replace("1122334455", "99")
        self.assertEqual(self.raw("POST", other, body, META_HEADERS)[0], 400)

    def test_read_mark_and_call(self):
        self.fault(provider="meta", fault="500")
        mark = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
        self.assertEqual(self.call("POST", META_PATH, mark, META_HEADERS), (200, {"success": True}))
        reject = {"messaging_product": "whatsapp", "call_id": "wacid.1", "action": "reject"}
        self.assertEqual(self.call("POST", CALLS_PATH, reject, META_HEADERS),
                         (200, {"messaging_product": "whatsapp", "success": True}))
        self.assertEqual(self.code(), (500, 131000))
        self.assertEqual(self.phone(), [])
        self.assertEqual(self.call("GET", "/lab/requests?provider=meta")[1]["count"], 3)

    def act(self, **fields):
        body = {"messaging_product": "whatsapp", "call_id": "wacid.1", **fields}
        return self.call("POST", CALLS_PATH, body, META_HEADERS)

    def test_call_actions(self):
        transcription = {"status": "ENABLED", "purpose": "x", "announcement_language": "fr"}
        for fields in ({"action": "pre_accept", "session": SDP_ANSWER},
                       {"action": "accept", "session": SDP_ANSWER, "transcription": transcription},
                       {"action": "reject"}, {"action": "terminate"}):
            self.assertEqual(self.act(**fields),
                             (200, {"messaging_product": "whatsapp", "success": True}))
        kept = self.call("GET", "/lab/requests?provider=meta")[1]["requests"]
        self.assertEqual([json.loads(r["body"])["action"] for r in kept],
                         ["pre_accept", "accept", "reject", "terminate"])
        offer = {"sdp_type": "offer", "sdp": "v=0\r\n"}
        begun = self.act(action="connect", to="250788000001", session=offer, call_id=None)
        self.assertEqual(begun[0], 200)

    def test_call_actions_refused(self):
        bare = {"sdp_type": "answer", "sdp": "v=0\no=- 1 1 IN IP4 127.0.0.1\n"}
        announced = {"status": "ENABLED", "announcement_language": "rw"}
        for fields in ({"action": "dance"}, {"action": "accept"}, {"action": "reject", "call_id": ""},
                       {"action": "accept", "session": {**SDP_ANSWER, "sdp_type": "offer"}},
                       {"action": "accept", "session": bare},
                       {"action": "accept", "session": SDP_ANSWER, "transcription": announced},
                       {"action": "reject", "biz_opaque_callback_data": "x" * 513}):
            status, answer = self.act(**fields)
            self.assertEqual((status, answer["error"]["code"]), (400, 100), fields)
        self.assertEqual(self.raw("POST", CALLS_PATH, b"{}")[0], 401)

    def test_call_action_faults_need_a_match(self):
        self.fault(provider="meta", fault="error_code", code=138005, match="wacid.1")
        self.assertEqual(self.act(action="reject")[1]["error"]["code"], 138005)
        self.assertEqual(self.act(action="reject")[0], 200)


class Receipts(LabTest):
    def setUp(self):
        super().setUp()
        self.config(receipts=True)

    def statuses(self, count):
        requests = self.receiver.wait(count, "/wa-webhook-core")
        for request in requests:
            self.assert_meta_signed(request)
        values = [json.loads(r[3])["entry"][0]["changes"][0]["value"] for r in requests]
        return [v["statuses"][0] for v in values]

    def reports(self, count):
        requests = self.receiver.wait(count, "/sms-status-webhook")
        for request in requests:
            self.assert_mtn_signed(request)
        return [json.loads(r[3]) for r in requests]

    def test_whatsapp_sent_then_delivered(self):
        wamid = self.send_meta(biz_opaque_callback_data="m-é")[1]["messages"][0]["id"]
        found = self.statuses(2)
        self.assertEqual([(s["id"], s["status"], s["recipient_id"], s["biz_opaque_callback_data"])
                          for s in found],
                         [(wamid, "sent", "250788000001", "m-é"),
                          (wamid, "delivered", "250788000001", "m-é")])
        self.assertEqual(self.stats()["receipts"],
                         {"pending": 0, "posted": 2, "statuses": {"200": 2}})

    def test_mtn_delivered(self):
        message_id = self.send_mtn(reference="r-9")[1]["message_id"]
        report = self.reports(1)[0]
        self.assertEqual((report["messageId"], report["reference"], report["status"]),
                         (message_id, "r-9", "DELIVERED"))
        self.assertRegex(report["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_refused_receipts_are_counted(self):
        self.receiver.status = 404
        self.send_mtn()
        self.reports(1)
        self.assertEqual(self.stats()["receipts"]["statuses"], {"404": 1})

    def test_duplicate_reorder_lost(self):
        self.fault(provider="meta", fault="duplicate_receipt")
        self.send_meta()
        self.assertEqual(sorted(s["status"] for s in self.statuses(4)),
                         ["delivered", "delivered", "sent", "sent"])
        self.stats()
        self.receiver.clear()
        self.fault(provider="whatsapp", fault="reorder_receipts")
        self.send_meta()
        self.assertEqual([s["status"] for s in self.statuses(2)], ["delivered", "sent"])
        self.fault(provider="mtn", fault="reorder_receipts")
        self.send_mtn()
        self.assertEqual([r["status"] for r in self.reports(2)], ["DELIVERED", "ACCEPTED"])
        self.fault(provider="mtn", fault="lost_receipt")
        self.send_mtn("lost")
        self.assertEqual(self.stats()["receipts"]["posted"], 8)
        self.assertEqual(len(self.phone()), 4)

    def test_async_failure(self):
        self.fault(provider="meta", fault="async_failure", code=131047)
        self.assertEqual(self.send_meta()[0], 200)
        status = self.statuses(1)[0]
        self.assertEqual((status["status"], status["errors"][0]["code"]), ("failed", 131047))
        self.assertFalse(self.phone()[0]["delivered"])
        self.fault(provider="mtn", fault="async_failure", code=5, status="EXPIRED")
        self.assertEqual(self.send_mtn()[0], 200)
        report = self.reports(1)[0]
        self.assertEqual((report["status"], report["code"]), ("EXPIRED", 5))
        self.fault(provider="meta", fault="async_failure")
        self.send_meta()
        self.assertEqual(self.statuses(2)[1]["errors"][0]["code"], 131026)

    def test_late_receipt(self):
        self.fault(provider="mtn", fault="async_failure", delay_ms=5000)
        begun = time.monotonic()
        self.send_mtn()
        self.assertLess(time.monotonic() - begun, 5)
        self.reports(1)
        self.assertGreaterEqual(time.monotonic() - begun, 5)

    def test_off(self):
        self.config(receipts=False)
        self.send_mtn()
        self.assertEqual(self.stats()["receipts"], {"pending": 0, "posted": 0, "statuses": {}})


class People(LabTest):
    def test_sms(self):
        answer = self.call("POST", "/lab/phones/%s/sms" % ALINE, {"text": "Ndashaka inzu, ê"})[1]
        request = self.receiver.wait(1)[0]
        self.assertEqual(request[1], "/sms-inbound-webhook")
        self.assert_mtn_signed(request)
        body = json.loads(request[3])
        self.assertEqual((body["from"], body["to"], body["message"], body["messageId"]),
                         (ALINE, "8080", "Ndashaka inzu, ê", answer["message_id"]))
        self.assertEqual(answer["statuses"], [200])
        self.assertGreater(answer["ms"][0], 0)

    def test_sms_many_times_in_parallel(self):
        self.receiver.gate.clear()
        threading.Thread(target=self.open_gate_at, args=(20,), daemon=True).start()
        path = "/lab/phones/%s/sms" % ALINE
        answer = self.call("POST", path, {"text": "x", "message_id": "m-7", "times": 20})[1]
        self.assertEqual((answer["message_id"], answer["statuses"]), ("m-7", [200] * 20))
        self.assertEqual({r[3] for r in self.receiver.wait(20)}, {self.receiver.wait(1)[0][3]})

    def open_gate_at(self, count):
        self.receiver.wait(count)
        self.receiver.gate.set()

    def test_sms_without_waiting(self):
        self.receiver.gate.clear()
        path = "/lab/phones/%s/sms" % ALINE
        status, answer = self.call("POST", path, {"text": "x", "wait": False, "to": "8081"})
        self.assertEqual(status, 202)
        body = json.loads(self.receiver.wait(1)[0][3])
        self.assertEqual((body["messageId"], body["to"]), (answer["message_id"], "8081"))

    def test_sms_of_the_other_gateways(self):
        path = "/lab/phones/%s/sms" % ALINE
        self.call("POST", path, {"text": "a&b +é", "provider": "kannel", "message_id": "k1"})
        method, url, headers, _ = self.receiver.wait(1)[0]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.assertEqual((method, query["provider"], query["from"], query["text"], query["id"],
                          headers["Authorization"]),
                         ("GET", ["kannel"], [ALINE], ["a&b +é"], ["k1"], "Bearer sms-token"))
        self.call("POST", path, {"text": "a&b +é", "provider": "africastalking"})
        method, url, headers, body = self.receiver.wait(2)[1]
        self.assertEqual((method, urllib.parse.parse_qs(body.decode())["text"],
                          headers["Content-Type"]),
                         ("POST", ["a&b +é"], "application/x-www-form-urlencoded"))

    def test_whatsapp(self):
        path = "/lab/phones/%s/whatsapp" % ALINE
        answer = self.call("POST", path, {"text": "Café 😀/€", "name": "Aline"})[1]
        request = self.receiver.wait(1, "/wa-webhook-core")[0]
        self.assert_meta_signed(request)
        self.assertIn(rb"Caf\u00e9 \ud83d\ude00\/\u20ac", request[3])
        value = json.loads(request[3])["entry"][0]["changes"][0]["value"]
        message = value["messages"][0]
        self.assertEqual((message["id"], message["from"], message["type"], message["text"]["body"]),
                         (answer["message_id"], "250788000001", "text", "Café 😀/€"))
        self.assertEqual(value["metadata"]["phone_number_id"], "1122334455")
        self.assertEqual(value["contacts"][0]["profile"]["name"], "Aline")
        self.assertRegex(message["timestamp"], r"^\d{10}$")

    def test_known_signatures(self):
        """Bodies and signatures word for word; the digests come from the openssl command."""
        fixed = {"text": "Café 😀", "message_id": "m1", "timestamp": "1790000000"}
        self.call("POST", "/lab/phones/%s/sms" % ALINE, fixed)
        request = self.receiver.wait(1)[0]
        self.assertEqual(request[3].decode(), MTN_BODY)
        self.assertEqual(request[2]["X-MTN-Signature"], MTN_DIGEST)
        self.call("POST", "/lab/phones/%s/whatsapp" % ALINE, fixed)
        request = self.receiver.wait(2)[1]
        self.assertEqual(request[3].decode(), META_BODY)
        self.assertEqual(request[2]["X-Hub-Signature-256"], "sha256=" + META_DIGEST)

    def test_whatsapp_other_types(self):
        tap = {"type": "button", "button": {"payload": "yes", "text": "Yego"}}
        self.call("POST", "/lab/phones/%s/whatsapp" % ALINE, {"message": tap})
        value = json.loads(self.receiver.wait(1)[0][3])["entry"][0]["changes"][0]["value"]
        self.assertEqual(value["messages"][0]["button"]["text"], "Yego")
        self.assertEqual(value["messages"][0]["from"], "250788000001")

    def test_call(self):
        self.receiver.status, self.receiver.answer = 202, b'{"success":true,"call_id":"c"}'
        path = "/lab/phones/%s/call" % ALINE
        answer = self.call("POST", path, {"channel": "sip", "summary": "Inzu", "call_id": "c"})
        self.assertEqual(answer, (202, {"success": True, "call_id": "c"}))
        method, url, headers, body = self.receiver.wait(1)[0]
        self.assertEqual((method, url, headers["Authorization"]),
                         ("POST", "/tools/call_log_summary", "Bearer service-key"))
        body = json.loads(body)
        self.assertEqual((body["call_id"], body["phone_number"], body["channel"], body["summary"],
                          body["answered"], body["ended"]),
                         ("c", ALINE, "sip", "Inzu", True, True))
        self.assertLess(body["started_at"], body["ended_at"])

    def test_nobody_there(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.config(target="http://127.0.0.1:%d" % unused.getsockname()[1])
            path = "/lab/phones/%s/" % ALINE
            answer = self.call("POST", path + "sms", {"text": "x", "times": 2})[1]
            self.assertEqual(answer["statuses"], [0, 0])
            self.assertEqual(self.call("POST", path + "call", {"summary": "x"})[0], 502)
        self.config(target="")
        self.assertEqual(self.call("POST", path + "sms", {"text": "x"})[0], 400)


class Calls(LabTest):
    def whatsapp(self, **fields):
        """What the control answers, and Meta's value of the last webhook it made."""
        answer = self.call("POST", "/lab/phones/%s/whatsapp-call" % ALINE, fields)[1]
        request = self.receiver.wait(1, "/wa-webhook-voice-calls")[-1]
        self.assert_meta_signed(request)
        change = json.loads(request[3])["entry"][0]["changes"][0]
        self.assertEqual(change["field"], "calls")
        return answer, change["value"]

    def test_connect(self):
        answer, value = self.whatsapp(event="connect", times=2)
        call = value["calls"][0]
        self.assertEqual(answer["statuses"], [200, 200])
        self.assertEqual((call["id"], call["from"], call["event"], call["direction"]),
                         (answer["call_id"], "250788000001", "connect", "USER_INITIATED"))
        self.assertEqual(call["session"]["sdp_type"], "offer")
        self.assertNotIn("\n", call["session"]["sdp"].replace("\r\n", ""))
        self.assertEqual(value["contacts"][0]["wa_id"], "250788000001")
        self.assertEqual(len({r[3] for r in self.receiver.requests}), 1)

    def test_terminate(self):
        answer, value = self.whatsapp(event="terminate", call_id="wacid.7", duration=130)
        call = value["calls"][0]
        self.assertEqual((answer["call_id"], call["id"], call["status"], call["duration"]),
                         ("wacid.7", "wacid.7", "COMPLETED", 130))
        self.assertEqual(int(call["end_time"]) - int(call["start_time"]), 130)
        missed = self.whatsapp(event="terminate", call_id="wacid.8", answered=False)[1]["calls"][0]
        self.assertEqual(missed["status"], "COMPLETED")
        self.assertFalse({"start_time", "end_time", "duration", "session"} & missed.keys())
        errors = [{"code": 138004, "message": "x"}]
        failed = self.whatsapp(event="terminate", status="FAILED", answered=False, errors=errors,
                               direction="BUSINESS_INITIATED")[1]
        self.assertEqual((failed["errors"], failed["calls"][0]["status"],
                          failed["calls"][0]["direction"]), (errors, "FAILED", "BUSINESS_INITIATED"))

    def fetch(self, url, headers=None):
        self.assertTrue(url.startswith("http://127.0.0.1:%d/" % self.port))
        return self.raw("GET", urllib.parse.urlsplit(url).path, None, headers)

    def test_transcript(self):
        for event in ("call_transcription_available", "call_transcript_available"):
            said = "[Customer] Ndashaka inzu, ê"
            call = self.whatsapp(event=event, transcript=said, call_id="wacid.9")[1]["calls"][0]
            document = call["call_transcript"]["document"]
            self.assertEqual((call["event"], document["mime_type"]), (event, "application/json"))
            lookup = "/graph/v25.0/" + document["id"]
            self.assertEqual(self.raw("GET", lookup)[0], 401)
            found = json.loads(self.raw("GET", lookup, None, META_HEADERS)[2])
            self.assertEqual((found["url"], found["sha256"]), (document["url"], document["sha256"]))
            self.assertEqual(self.fetch(found["url"])[0], 401)
            status, _, body = self.fetch(found["url"], META_HEADERS)
            self.assertEqual((status, len(body)), (200, found["file_size"]))
            self.assertEqual(json.loads(body)["transcript"]["text"], said)
            self.assertEqual(base64.b64encode(hashlib.sha256(body).digest()).decode(),
                             found["sha256"])

    def test_transcript_of_other_shapes(self):
        own = {"transcript": {"text": "[Business] Muraho", "language": "sw", "segments": []}}
        for given, expected in ((own, own["transcript"]["text"]), (None, "")):
            call = self.whatsapp(event="call_transcription_available", transcript=given)[1]["calls"][0]
            url = call["call_transcript"]["document"]["url"]
            self.assertEqual(json.loads(self.fetch(url, META_HEADERS)[2])["transcript"]["text"],
                             expected)
        path = "/graph/v25.0/" + call["call_transcript"]["document"]["id"]
        self.fault(provider="meta", fault="500", match=path)
        self.assertEqual(self.raw("GET", path, None, META_HEADERS)[0], 500)
        self.assertEqual(self.raw("GET", path + "0", None, META_HEADERS)[0], 400)
        self.call("POST", "/lab/reset")
        self.assertEqual(self.raw("GET", path, None, META_HEADERS)[0], 400)

    def sip(self, **fields):
        answer = self.call("POST", "/lab/phones/%s/sip-call" % ALINE, fields)[1]
        return answer, self.receiver.wait(1, "/openai-sip-webhook")[-1]

    def signature(self, request):
        headers = {k.lower(): v for k, v in request[2].items()}
        key = base64.b64decode(SECRETS["OPENAI_WEBHOOK_SECRET"][len("whsec_"):])
        text = "%s.%s." % (headers["webhook-id"], headers["webhook-timestamp"])
        digest = hmac.new(key, text.encode() + request[3], hashlib.sha256).digest()
        return headers, "v1," + base64.b64encode(digest).decode()

    def test_sip(self):
        answer, request = self.sip()
        headers, expected = self.signature(request)
        self.assertEqual(headers["webhook-signature"], expected)
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 5)
        event = json.loads(request[3])
        self.assertEqual((event["type"], event["data"]["call_id"]),
                         ("realtime.call.incoming", answer["call_id"]))
        self.assertTrue({"id", "created_at", "object"} <= event.keys())
        sip = {h["name"]: h["value"] for h in event["data"]["sip_headers"]}
        self.assertIn("<sip:%s@" % ALINE, sip["From"])
        self.assertEqual(sip["Call-ID"], answer["call_id"] + "@lab.invalid")
        self.assertFalse({"from", "to"} & event["data"].keys())

    def test_sip_as_told(self):
        own = [{"name": "f", "value": "<tel:+250788000001>"}, {"name": "i", "value": "c1@pbx"}]
        answer, request = self.sip(call_id="rtc_5", headers=own, webhook_id="wh_1",
                                   timestamp="1750861210", type="live.transport.incoming", times=3)
        headers, expected = self.signature(request)
        self.assertEqual((answer["call_id"], answer["statuses"]), ("rtc_5", [200] * 3))
        self.assertEqual((headers["webhook-id"], headers["webhook-timestamp"],
                          headers["webhook-signature"]), ("wh_1", "1750861210", expected))
        event = json.loads(request[3])
        self.assertEqual((event["type"], event["data"]["session_id"], event["data"]["sip_headers"]),
                         ("live.transport.incoming", "rtc_5", own))
        self.assertEqual(len({self.signature(r)[0]["webhook-id"] for r in self.receiver.requests}), 1)
        _, request = self.sip(sip_call_id="c2@pbx", timestamp=1790000000)
        self.assertEqual(self.signature(request)[0]["webhook-timestamp"], "1790000000")
        self.assertIn({"name": "Call-ID", "value": "c2@pbx"},
                      json.loads(request[3])["data"]["sip_headers"])

    def test_sip_secrets(self):
        for secret in ("", "whsec_", "no base64!"):
            self.config(openai_webhook_secret=secret)
            self.assertNotIn("webhook-signature", {k.lower() for k in self.sip()[1][2]}, secret)
        self.config(openai_webhook_secret=SECRETS["OPENAI_WEBHOOK_SECRET"])
        answer = self.call("GET", "/lab/config")[1]
        self.assertEqual(answer["openai_webhook_secret"], True)


class Agent(LabTest):
    def test_own_reply(self):
        self.assertEqual(self.said("Muraho"), "OK: Muraho")
        self.assertEqual(self.said("My budget is now 250k please"),
                         "Noted: your budget is now 250k.")
        system = "You help.\nCall summary: " + "é" * 70 + "\nMore."
        self.assertEqual(self.said("Budget: 300", system),
                         "Noted: your budget is now 300. That is about your call: " + "é" * 60)

    def test_shape(self):
        answer = self.chat()[1]
        choice = answer["choices"][0]
        self.assertEqual((answer["object"], answer["model"], choice["finish_reason"],
                          choice["message"]["role"]),
                         ("chat.completion", "m", "stop", "assistant"))
        self.assertIn("total_tokens", answer["usage"])

    def test_scripts(self):
        def script(**values):
            self.assertEqual(self.call("POST", "/lab/agent", values)[0], 200)

        script(reply="fixed")
        self.assertEqual([self.said(), self.said()], ["fixed", "fixed"])
        script(echo=True)
        self.assertEqual(self.said("all of it"), "all of it")
        script(raw="{broken")
        self.assertEqual(self.raw("POST", CHAT_PATH, b'{"messages":[]}')[2], b"{broken")
        script(status=500)
        status, answer = self.chat()
        self.assertEqual((status, answer["error"]["type"]), (500, "server_error"))
        script(status=429, code="insufficient_quota")
        self.assertEqual(self.chat()[1]["error"]["code"], "insufficient_quota")
        script(replies=["one", {"tool_calls": [{"name": "f", "arguments": {"a": 1}}]}, "two"])
        self.assertEqual(self.said(), "one")
        choice = self.chat()[1]["choices"][0]
        function = choice["message"]["tool_calls"][0]["function"]
        self.assertEqual((choice["finish_reason"], choice["message"]["content"], function["name"],
                          json.loads(function["arguments"])), ("tool_calls", None, "f", {"a": 1}))
        self.assertEqual([self.said(), self.said("x")], ["two", "OK: x"])
        script(reply=None)
        self.assertIsNone(self.said())
        script()
        self.assertEqual(self.said("x"), "OK: x")

    def test_delay_persists_and_blocks_nobody(self):
        self.call("POST", "/lab/agent", {"delay_ms": 5000, "reply": "late"})
        begun = time.monotonic()
        slow = [threading.Thread(target=self.chat) for _ in range(20)]
        for thread in slow:
            thread.start()
        self.call("GET", "/lab/agent/requests?count=20&wait_ms=60000")
        self.assertEqual(self.stats()["providers"]["agent"]["in_flight"], 20)
        self.assertLess(time.monotonic() - begun, 5)
        for thread in slow:
            thread.join()
        self.assertTrue(5 <= time.monotonic() - begun < 60)
        self.call("POST", "/lab/agent", {"delay_ms": 100, "reply": "late"})
        for _ in range(2):
            begun = time.monotonic()
            self.assertEqual(self.said(), "late")
            self.assertGreaterEqual(time.monotonic() - begun, 0.1)
        self.assertEqual(self.stats()["providers"]["agent"]["max_in_flight"], 20)

    def test_requests(self):
        for i in range(3):
            self.chat("n%d" % i)
        self.raw("POST", REALTIME_PATH + "hangup", None, KEY_HEADERS)
        answer = self.call("GET", "/lab/agent/requests?limit=2")[1]
        self.assertEqual(answer["count"], 3)
        self.assertEqual([r["messages"][1]["content"] for r in answer["requests"]], ["n1", "n2"])

    def test_realtime_calls(self):
        for action, sent in (("accept", SESSION), ("reject", {"status_code": 486}), ("reject", None),
                             ("hangup", None), ("refer", {"target_uri": "tel:+250788000009"})):
            data = None if sent is None else json.dumps(sent)
            status, _, body = self.raw("POST", REALTIME_PATH + action, data, KEY_HEADERS)
            self.assertEqual((status, body), (200, b""), action)
        self.assertEqual(self.raw("POST", REALTIME_PATH + "sing", b"{}", KEY_HEADERS)[0], 404)
        self.assertEqual(self.raw("POST", REALTIME_PATH + "hangup")[0], 401)
        kept = self.call("GET", "/lab/requests?provider=agent")[1]["requests"]
        self.assertEqual([r["path"].rsplit("/", 1)[1] for r in kept],
                         ["accept", "reject", "reject", "hangup", "refer", "hangup"])
        self.assertEqual(json.loads(kept[0]["body"]), SESSION)

    def test_realtime_calls_refused(self):
        retired = ("voice", "modalities", "input_audio_format", "input_audio_transcription",
                   "turn_detection", "temperature", "max_response_output_tokens")
        for name in retired:
            status, answer = self.call("POST", REALTIME_PATH + "accept", {**SESSION, name: "x"},
                                       KEY_HEADERS)
            self.assertEqual((status, answer["error"]["param"]), (400, name))
        for bad in ({"type": "transcription"}, {"output_modalities": ["audio", "text"]},
                    {"tools": [{"type": "mcp", "server_label": "t"}]}, {"tools": [{"type": "web"}]},
                    {"audio": {"input": {"format": "g711_ulaw"}}}):
            self.assertEqual(self.call("POST", REALTIME_PATH + "accept", {**SESSION, **bad},
                                       KEY_HEADERS)[0], 400, bad)
        self.assertEqual(self.call("POST", REALTIME_PATH + "reject", {"status_code": 200},
                                   KEY_HEADERS)[0], 400)

    def test_realtime_call_faults_need_a_match(self):
        self.fault(provider="agent", fault="500", match="rtc_1/accept")
        self.assertEqual(self.call("POST", REALTIME_PATH + "accept", SESSION, KEY_HEADERS)[0], 500)
        self.assertEqual(self.raw("POST", REALTIME_PATH + "hangup", None, KEY_HEADERS)[0], 200)

    def test_voice_bridge(self):
        body = {"callId": "wacid.1", "sdpOffer": "v=0", "from": "x", "config": {}}
        status, answer = self.call("POST", "/api/sessions", body)
        self.assertEqual((status, answer["callId"]), (200, "wacid.1"))
        self.assertTrue(answer["sdpAnswer"].startswith("v=0\r\n"))
        self.assertEqual(self.call("POST", "/bridge/stop", {"callId": "wacid.1"})[0], 200)
        self.fault(provider="bridge", fault="503")
        self.assertEqual(self.raw("POST", "/api/sessions", json.dumps(body))[0], 503)
        self.assertEqual(self.raw("POST", "/api/sessions", json.dumps({"callId": "x"}))[0], 400)
        self.fault(provider="bridge", fault="500", match="/bridge/stop")
        self.assertEqual(self.call("POST", "/api/sessions", body)[0], 200)
        self.assertEqual(self.raw("POST", "/bridge/stop", b"{}")[0], 500)
        kept = self.call("GET", "/lab/requests?provider=bridge")[1]["requests"]
        self.assertEqual([r["path"] for r in kept],
                         ["/api/sessions", "/bridge/stop", "/api/sessions", "/api/sessions",
                          "/api/sessions", "/bridge/stop"])


class Faults(LabTest):
    def test_refusals(self):
        for status, code in ((400, 100), (401, 190), (429, 130429), (500, 131000), (503, 131016)):
            with self.subTest(status):
                self.fault(provider="mtn", fault=str(status), retry_after=7)
                found, headers, _ = self.raw(
                    "POST", "/mtn/v1/sms/send",
                    json.dumps({"sender": "s", "recipient": ALINE, "message": "x"}), MTN_HEADERS)
                self.assertEqual((found, headers["Retry-After"]), (status, "7"))
                self.fault(provider="meta", fault=status)
                found, answer = self.send_meta()
                self.assertEqual((found, answer["error"]["code"]), (status, code))
                self.fault(provider="llm", fault=str(status))
                self.assertEqual(self.chat()[0], status)
        self.assertEqual(self.phone(), [])
        self.assertEqual(self.stats()["providers"]["mtn"]["refused"], 5)

    def test_error_code(self):
        for code, status in ((131047, 400), (131026, 400), (190, 401), (131056, 429), (131016, 500)):
            self.fault(provider="meta", fault="error_code", code=code)
            found, answer = self.send_meta()
            self.assertEqual((found, answer["error"]["code"]), (status, code))
        self.fault(provider="mtn", fault="error_code", code=403)
        self.assertEqual(self.send_mtn()[0], 403)
        self.fault(provider="agent", fault="error_code", code="insufficient_quota")
        status, answer = self.chat()
        self.assertEqual((status, answer["error"]["code"]), (429, "insufficient_quota"))
        self.fault(provider="kannel", fault="503")
        self.assertEqual(self.raw("GET", "/cgi-bin/sendsms?username=u&password=p&to=1&text=x")[0],
                         503)

    def test_order_match_and_times(self):
        self.fault(provider="mtn", fault="500", match="special", times=2)
        self.fault(provider="mtn", fault="429")
        self.fault(provider="mtn", fault="503")
        found = [self.send_mtn(text)[0] for text in
                 ("special", "plain", "special", "special", "special", "plain")]
        self.assertEqual(found, [500, 429, 500, 503, 200, 200])
        self.fault(provider="mtn", fault="500", times=-1)
        self.assertEqual([self.send_mtn()[0] for _ in range(5)], [500] * 5)
        self.assertEqual(self.call("GET", "/lab/faults")[1]["faults"][0]["drawn"], 5)
        self.call("DELETE", "/lab/faults")
        self.assertEqual(self.send_mtn()[0], 200)

    def test_chance_follows_the_seed(self):
        def series(seed):
            self.call("DELETE", "/lab/faults")
            self.fault(provider="mtn", fault="500", p=0.3, seed=seed)
            return [self.send_mtn()[0] for _ in range(60)]

        first = series(7)
        self.assertEqual(first, series(7))
        self.assertNotEqual(first, series(8))
        self.assertTrue(6 <= first.count(500) <= 30, first.count(500))

    def test_delay_blocks_nobody(self):
        self.fault(provider="mtn", fault="delay", delay_ms=5000, match="slow")
        begun = time.monotonic()
        slow = threading.Thread(target=self.send_mtn, args=("slow",))
        slow.start()
        self.phone(query="?count=1&wait_ms=60000")
        self.assertEqual(self.send_mtn("fast")[0], 200)
        self.assertLess(time.monotonic() - begun, 5)
        slow.join()
        self.assertGreaterEqual(time.monotonic() - begun, 5)

    def test_hang(self):
        self.fault(provider="mtn", fault="hang")
        with self.assertRaises(socket.timeout):
            self.send_mtn(timeout=2)
        self.assertEqual(self.phone(), [])
        stats = self.stats()["providers"]["mtn"]
        self.assertEqual((stats["requests"], stats["hung"], stats["accepted"]), (1, 1, 0))
        self.assertEqual(self.send_mtn()[0], 200)

    def test_hung_request_ends_when_its_peer_leaves_and_at_reset(self):
        self.fault(provider="mtn", fault="hang", times=-1)
        with self.assertRaises(socket.timeout):
            self.send_mtn(timeout=2)
        deadline = time.monotonic() + 60
        while self.stats()["in_flight"] > 0 and time.monotonic() < deadline:
            self.phone(query="?count=1&wait_ms=100")
        self.assertEqual(self.stats()["in_flight"], 0)
        reset = threading.Thread(target=self.reset_at_second_request)
        reset.start()
        with self.assertRaises(http.client.RemoteDisconnected):
            self.send_mtn()
        reset.join()

    def reset_at_second_request(self):
        self.call("GET", "/lab/requests?provider=mtn&count=2&wait_ms=60000")
        self.call("POST", "/lab/reset")

    def test_accept_then_hang(self):
        self.config(receipts=True)
        self.fault(provider="meta", fault="accept_then_hang")
        with self.assertRaises(socket.timeout):
            self.send_meta(timeout=2, biz_opaque_callback_data="m-1")
        self.assertEqual(self.phone()[0]["reference"], "m-1")
        self.receiver.wait(2, "/wa-webhook-core")

    def test_accept_then_close(self):
        self.fault(provider="mtn", fault="accept_then_close")
        with self.assertRaises(http.client.RemoteDisconnected):
            self.send_mtn()
        self.assertEqual(len(self.phone()), 1)

    def test_garbage(self):
        self.fault(provider="mtn", fault="garbage")
        body = json.dumps({"sender": "s", "recipient": ALINE, "message": "x"})
        status, _, answer = self.raw("POST", "/mtn/v1/sms/send", body, MTN_HEADERS)
        self.assertEqual(status, 200)
        self.assertRaises(ValueError, json.loads, answer)
        self.assertEqual(len(self.phone()), 1)

    def test_invalid_request_does_not_pretend_to_be_accepted(self):
        self.fault(provider="mtn", fault="accept_then_hang")
        self.assertEqual(self.raw("POST", "/mtn/v1/sms/send", b"{", MTN_HEADERS)[0], 400)

    def test_bad_rules(self):
        for rule in ({"provider": "x", "fault": "500"}, {"provider": "mtn", "fault": "x"},
                     {"provider": "mtn", "fault": "500", "times": 0}, {}):
            self.assertEqual(self.call("POST", "/lab/faults", rule)[0], 400)
        self.assertEqual(self.raw("POST", "/lab/faults", b"no")[0], 400)


class Controls(LabTest):
    def test_long_poll_ends_with_the_message(self):
        found = []
        path = "?count=2&wait_ms=60000"
        poll = threading.Thread(target=lambda: found.extend(self.phone(query=path)))
        begun = time.monotonic()
        poll.start()
        self.send_mtn("one", reference="1")
        self.send_mtn("two", reference="2")
        poll.join()
        self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual([m["text"] for m in found], ["one", "two"])
        newer = self.phone(query="?since=%d" % found[0]["seq"])
        self.assertEqual([m["text"] for m in newer], ["two"])

    def test_long_poll_is_answered_at_once(self):
        """Also when the message came on a connection that stays open, so that nothing else stirs the lab."""
        sender = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        self.addCleanup(sender.close)

        def send(i):
            body = {"sender": "E", "recipient": ALINE, "message": "Muraho", "reference": "w%d" % i}
            sender.request("POST", "/mtn/v1/sms/send", json.dumps(body), MTN_HEADERS)
            sender.getresponse().read()

        waits = []
        for i in range(1, 41):
            later = threading.Timer(0.03, send, (i,))
            later.start()
            began = time.monotonic()
            self.assertEqual(len(self.phone(query="?wait_ms=20000&count=%d" % i)), i)
            waits.append(time.monotonic() - began)
            later.join()
        self.assertLess(sum(seconds > 10 for seconds in waits), 3, waits)

    def test_long_poll_ends_with_its_time(self):
        begun = time.monotonic()
        self.assertEqual(self.phone(query="?wait_ms=200"), [])
        self.assertTrue(0.2 <= time.monotonic() - begun < 8)

    def test_phones_wait_for_a_total(self):
        found = []
        poll = threading.Thread(target=lambda: found.append(
            self.call("GET", "/lab/phones?count=2&wait_ms=60000")[1]["messages"]))
        poll.start()
        self.send_mtn(to=ALINE)
        self.send_mtn(to=JEAN, reference="r2")
        poll.join()
        self.assertEqual(found, [2])

    def test_raw_requests(self):
        self.fault(provider="mtn", fault="hang")
        with self.assertRaises(socket.timeout):
            self.send_mtn(timeout=2)
        self.send_mtn("second")
        answer = self.call("GET", "/lab/requests?provider=mtn&limit=1")[1]
        self.assertEqual((answer["count"], len(answer["requests"])), (2, 1))
        request = answer["requests"][0]
        self.assertEqual((request["method"], request["path"], request["headers"]["x-api-secret"],
                          json.loads(request["body"])["message"]),
                         ("POST", "/mtn/v1/sms/send", "secret", "second"))
        self.assertEqual(self.call("GET", "/lab/requests?provider=x")[0], 400)

    def test_ring_is_bounded(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        for i in range(2010):
            connection.request("POST", "/mtn/v1/sms/send", b"{}", MTN_HEADERS)
            connection.getresponse().read()
        connection.close()
        answer = self.call("GET", "/lab/requests?provider=mtn&limit=5000")[1]
        self.assertEqual((answer["count"], len(answer["requests"])), (2010, 2000))

    def test_reset_clears_all(self):
        self.send_mtn()
        self.chat()
        self.fault(provider="mtn", fault="500")
        self.call("POST", "/lab/agent", {"reply": "x"})
        self.call("POST", "/lab/reset")
        self.assertEqual(self.phone(), [])
        self.assertEqual(self.call("GET", "/lab/phones")[1],
                         {"phones": {}, "messages": 0, "duplicates": 0})
        self.assertEqual(self.call("GET", "/lab/faults")[1], {"faults": []})
        self.assertEqual(self.call("GET", "/lab/agent/requests")[1], {"count": 0, "requests": []})
        stats = self.stats()
        self.assertEqual((stats["accepted"], stats["providers"]["mtn"]["requests"]), (0, 0))
        self.assertEqual(self.said("y"), "OK: y")

    def test_config_hides_secrets(self):
        self.config(wa_app_secret="changed")
        answer = self.call("GET", "/lab/config")[1]
        self.config(wa_app_secret="app-secret")
        self.assertEqual((answer["wa_app_secret"], answer["phone_number_id"]), (True, "1122334455"))

    def test_unknown_paths_and_methods(self):
        self.assertEqual(self.raw("GET", "/nothing")[0], 404)
        self.assertEqual(self.raw("GET", "/mtn/v1/sms/send")[0], 405)
        self.assertEqual(self.raw("POST", "/lab/agent", b"[]")[0], 400)

    def test_bad_arguments(self):
        for arguments in (["--port", "x"], ["--nonsense"], ["extra"]):
            ended = subprocess.run([LAB_BIN, *arguments], stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(ended.returncode, 2)

    def test_ends_while_requests_are_open(self):
        lab = subprocess.Popen([LAB_BIN], stdout=subprocess.PIPE, text=True)
        port = int(lab.stdout.readline().rsplit(":", 1)[1])
        waiting = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
        waiting.request("GET", "/lab/phones/%s?wait_ms=60000" % ALINE)
        other = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
        other.request("GET", "/lab/stats")
        other.getresponse().read()
        lab.terminate()
        self.assertEqual(lab.wait(30), 0)
        lab.stdout.close()
        waiting.close()
        other.close()


if __name__ == "__main__":
    if len(sys.argv) > 1 and os.access(sys.argv[1], os.X_OK):
        LAB_BIN = os.path.abspath(sys.argv.pop(1))
    if not LAB_BIN:
        sys.exit(__doc__)
    unittest.main()
