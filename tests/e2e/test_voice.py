"""Calls by WhatsApp and by SIP: recorded once, picked up once, turned away with a word, and never without an end."""

import base64
import hashlib
import hmac
import json
import os
import signal
import time
import unittest

from harness import OPENAI_SECRET, SystemTest, WA_SECRET, WA_VERIFY, in_parallel, request, signature
from test_spool import SpoolTest

SDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40012 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
HOOK = "/wa-webhook-voice-calls"
TOOLS = ["call_log_summary", "messaging_send_whatsapp", "messaging_send_sms", "messaging_send_dual_channel",
         "session_get_context", "session_add_context", "agent_handover"]


def connect(call_id, number, at=None, **more):
    return {"id": call_id, "from": number[1:], "to": "250788000000", "event": "connect", "timestamp": str(int(at or time.time())),
            "direction": "USER_INITIATED", "session": {"sdp_type": "offer", "sdp": SDP}, **more}


def terminate(call_id, number, seconds=None, **more):
    """The end of a call that was answered so many seconds ago; None: by nobody."""
    now = int(time.time())
    times = {} if seconds is None else {"start_time": str(now - seconds), "end_time": str(now), "duration": seconds}
    return {"id": call_id, "from": number[1:], "to": "250788000000", "event": "terminate", "timestamp": str(now),
            "direction": "USER_INITIATED", "status": "COMPLETED", **times, **more}


def webhook(*calls):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "calls", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"}, "calls": list(calls)}}]}]}


def sip_event(call_id, caller="<sip:+250788002000@sip.carrier.rw>;tag=1", kind="realtime.call.incoming", at=None):
    return {"object": "event", "id": "evt_" + call_id, "type": kind, "created_at": int(at or time.time()), "data": {
        "call_id": call_id, "sip_media_security": "srtp", "sip_headers": [
            {"name": "Via", "value": "SIP/2.0/TLS 10.0.0.1"}, {"name": "From", "value": caller},
            {"name": "To", "value": "<sip:+250788000000@sip.carrier.rw>"}, {"name": "Call-ID", "value": call_id + "@sip.carrier.rw"}]}}


def standard_webhook(webhook_id, raw, at, secret=OPENAI_SECRET):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{webhook_id}.{at}.".encode() + raw, hashlib.sha256).digest()
    return {"webhook-id": webhook_id, "webhook-timestamp": str(at), "webhook-signature": "v1," + base64.b64encode(mac).decode()}


class VoiceTest(SpoolTest):
    """What the tests of this file share."""

    @classmethod
    def post_call(cls, *calls, path=HOOK, secret=WA_SECRET):
        raw = json.dumps(webhook(*calls)).encode()
        return cls.post(path, raw, {"X-Hub-Signature-256": "sha256=" + signature(secret, raw)})[0]

    @classmethod
    def post_sip(cls, event, webhook_id=None, at=None, **more):
        raw = json.dumps(event).encode()
        webhook_id = webhook_id or "wh_" + event["data"]["call_id"]
        return cls.post("/openai-sip-webhook", raw, standard_webhook(webhook_id, raw, at or int(time.time()), **more))[0]

    @classmethod
    def asked(cls, provider, part):
        """The requests of this provider whose path ends so, oldest first."""
        found = cls.lab_json("GET", f"/lab/requests?provider={provider}&limit=2000")["requests"]
        return [r for r in found if r["path"].endswith(part)]

    @classmethod
    def graph(cls, call_id):
        """What Meta was asked to do about this call."""
        bodies = [json.loads(r["body"]) for r in cls.asked("meta", "/calls")]
        return [b for b in bodies if b.get("call_id") == call_id]

    @classmethod
    def steps(cls, call_id):
        return [b["action"] for b in cls.graph(call_id)]

    @classmethod
    def bridge(cls, path, call_id):
        bodies = [json.loads(r["body"]) for r in cls.asked("bridge", path)]
        return [b for b in bodies if b["callId"] == call_id]

    def wait_action(self, call_id, kind, status, wait_s=60):
        self.wait_for(f"SELECT coalesce((SELECT a.status FROM call_actions a JOIN call_summaries c ON c.id = a.call "
                      f"WHERE c.call_id = '{call_id}' AND a.kind = '{kind}'), 'none')", status, wait_s)

    def error_of(self, call_id, kind):
        return self.value("SELECT a.error_code FROM call_actions a JOIN call_summaries c ON c.id = a.call "
                          f"WHERE c.call_id = '{call_id}' AND a.kind = '{kind}'")

    def call(self, call_id):
        return self.sql(f"SELECT status, channel, phone_number FROM call_summaries WHERE call_id = '{call_id}'")

    def told(self, call_id):
        """The messages a call led to: type and channel."""
        return sorted(self.sql("SELECT message_type, channel FROM message_delivery_log "
                               f"WHERE call_id = '{call_id}' AND direction = 'outbound'"))

    def wait_notified(self, call_id):
        self.wait_for(f"SELECT coalesce((SELECT notified_at IS NOT NULL FROM call_summaries WHERE call_id = '{call_id}'), false)", "t")


class WhatsApp(VoiceTest):
    env = {"PUBLIC_URL": "https://calls.example.rw"}

    def test_a_whole_call(self):
        number = "+250788003001"
        self.assertEqual(self.post_call(connect("wacid.whole", number)), 200)
        self.wait_action("wacid.whole", "answer", "done")
        self.assertEqual(self.steps("wacid.whole"), ["pre_accept", "accept"])
        first, second = self.graph("wacid.whole")
        self.assertEqual(first["session"], second["session"])
        self.assertEqual(first["session"]["sdp_type"], "answer")
        self.assertTrue(first["session"]["sdp"].endswith("\r\n"))
        offer = self.bridge("/api/sessions", "wacid.whole")
        self.assertEqual(len(offer), 1)
        self.assertEqual(offer[0]["sdpOffer"], SDP)
        self.assertEqual(offer[0]["from"], number)
        self.assertEqual(offer[0]["config"]["model"], "gpt-realtime")
        self.assertIn("Tangira mu Kinyarwanda", offer[0]["config"]["instructions"])
        self.assertTrue(offer[0]["config"]["voice"])
        self.assertEqual(self.value("SELECT detail FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE call_id = 'wacid.whole'"), "{}")
        self.tool("/tools/call_log_summary", {"call_id": "wacid.whole", "phone_number": number, "bullets": ["A house in Kimironko"]})
        self.assertEqual(self.post_call(terminate("wacid.whole", number, 120)), 200)
        texts = [m["text"] for m in self.phone(number, count=2)]
        self.assertTrue(all("Kimironko" in t for t in texts), texts)
        self.assertEqual(self.told("wacid.whole"), [["summary", "sms"], ["summary", "whatsapp"]])
        self.assertEqual(self.sql("SELECT status, duration_seconds FROM call_summaries WHERE call_id = 'wacid.whole'"), [["ended", "120"]])
        self.wait_action("wacid.whole", "stop", "done")
        self.assertEqual(len(self.bridge("/bridge/stop", "wacid.whole")), 1)

    def test_everything_three_times_at_once(self):
        number = "+250788003002"
        self.assertEqual(in_parallel([lambda: self.post_call(connect("wacid.three", number))] * 3), [200] * 3)
        self.wait_action("wacid.three", "answer", "done")
        self.tool("/tools/call_log_summary", {"call_id": "wacid.three", "phone_number": number, "bullets": ["A ride"]})
        self.assertEqual(in_parallel([lambda: self.post_call(terminate("wacid.three", number, 60))] * 3), [200] * 3)
        self.phone(number, count=2)
        self.wait_action("wacid.three", "stop", "done")
        self.assertEqual(self.post_call(connect("wacid.three", number), terminate("wacid.three", number)), 200)
        self.assertEqual(self.steps("wacid.three"), ["pre_accept", "accept"])
        self.assertEqual(len(self.bridge("/api/sessions", "wacid.three")), 1)
        self.assertEqual(len(self.bridge("/bridge/stop", "wacid.three")), 1)
        self.assertEqual(self.value("SELECT count(*) FROM call_events WHERE call_id = 'wacid.three'"), "2")
        self.assertEqual(self.told("wacid.three"), [["summary", "sms"], ["summary", "whatsapp"]])
        self.assertEqual(self.call("wacid.three"), [["ended", "whatsapp", number]])

    def test_the_end_before_the_beginning(self):
        number = "+250788003003"
        self.assertEqual(self.post_call(terminate("wacid.reverse", number, 30)), 200)
        self.assertEqual(self.post_call(connect("wacid.reverse", number)), 200)
        self.wait_notified("wacid.reverse")
        self.assertEqual(self.call("wacid.reverse"), [["ended", "whatsapp", number]])
        self.assertEqual(self.steps("wacid.reverse"), [])
        self.assertEqual(self.bridge("/api/sessions", "wacid.reverse"), [])

    def test_completed_without_a_start_is_missed(self):
        number = "+250788003004"
        self.assertEqual(self.post_call(terminate("wacid.missed", number)), 200)
        self.wait_notified("wacid.missed")
        self.assertEqual(self.call("wacid.missed"), [["missed", "whatsapp", number]])
        self.assertNotIn("summary", [t[0] for t in self.told("wacid.missed")])

    def test_an_end_nobody_knows_and_one_that_never_comes(self):
        end = terminate("wacid.unknown", "+250788003005")
        del end["from"]
        self.assertEqual(self.post_call(end), 200)
        self.assertEqual(self.call("wacid.unknown"), [])
        self.assertEqual(self.post_call(connect("wacid.endless", "+250788003006")), 200)
        self.wait_action("wacid.endless", "answer", "done")
        self.assertEqual(self.call("wacid.endless")[0][0], "in_progress")

    def test_a_batch_with_broken_items(self):
        numbers = [f"+25078800301{i}" for i in range(3)]
        body = webhook(connect("wacid.b0", numbers[0]), {"id": 7, "event": "connect"}, {"event": "connect", "id": "wacid.nobody"},
                       {"id": "wacid.new", "event": "call_recording_available"}, connect("wacid.b1", numbers[1]))
        body["entry"].append({"id": "2", "changes": [
            {"field": "account_update", "value": {"x": 1}}, {"field": "calls"}, webhook(connect("wacid.b2", numbers[2]))["entry"][0]["changes"][0],
            {"field": "calls", "value": {"statuses": [{"id": "wacid.s", "type": "call", "status": "RINGING", "timestamp": "1790000000"}]}}]})
        raw = json.dumps(body).encode()
        self.assertEqual(self.post(HOOK, raw, {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})[0], 200)
        for i in range(3):
            self.wait_action(f"wacid.b{i}", "answer", "done")
        self.assertEqual(self.value(f"SELECT count(*) FROM inbound_poison WHERE program = '{HOOK[1:]}'"), "1")
        self.assertEqual(self.value("SELECT count(*) FROM call_summaries WHERE call_id LIKE 'wacid.b_' OR call_id IN ('wacid.nobody', 'wacid.new', 'wacid.s')"), "3")

    def test_the_bridge_is_down(self):
        number = "+250788003020"
        self.lab_json("POST", "/lab/faults", {"provider": "bridge", "fault": "503", "match": "wacid.nobridge", "times": -1})
        self.assertEqual(self.post_call(connect("wacid.nobridge", number)), 200)
        self.wait_action("wacid.nobridge", "answer", "failed")
        self.assertEqual(self.error_of("wacid.nobridge", "answer"), "http_503")
        self.assertGreaterEqual(len(self.phone(number)), 1)
        self.wait_until("not turned away", lambda: self.steps("wacid.nobridge") == ["reject"])
        self.assertEqual(self.post_call(terminate("wacid.nobridge", number)), 200)
        self.assertEqual(self.call("wacid.nobridge"), [["failed", "whatsapp", number]])
        told = self.told("wacid.nobridge")
        self.assertEqual(len({tuple(t) for t in told}), len(told), "told twice on one channel")
        self.assertEqual({t[0] for t in told}, {"missed_call"})

    def test_meta_does_not_let_us(self):
        number = "+250788003021"
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 138007, "match": '"pre_accept"', "times": 1})
        self.assertEqual(self.post_call(connect("wacid.graph", number)), 200)
        self.wait_action("wacid.graph", "answer", "failed")
        self.assertEqual(self.error_of("wacid.graph", "answer"), "138007")
        self.phone(number)
        self.wait_until("not stopped", lambda: len(self.bridge("/bridge/stop", "wacid.graph")) == 1)
        self.assertEqual(self.steps("wacid.graph"), ["pre_accept", "reject"])

    def test_meta_stumbles_once(self):
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "503", "match": '"accept"', "times": 1})
        self.assertEqual(self.post_call(connect("wacid.once", "+250788003022")), 200)
        self.wait_action("wacid.once", "answer", "done")
        self.assertEqual(self.steps("wacid.once"), ["pre_accept", "accept", "accept"])

    def test_an_offer_that_says_it_is_old(self):
        """The sender's clock may be wrong, and whether it is too late the sender knows."""
        self.assertEqual(self.post_call(connect("wacid.old", "+250788003023", at=1790000000)), 200)
        self.wait_action("wacid.old", "answer", "done")
        self.assertEqual(self.steps("wacid.old"), ["pre_accept", "accept"])

    def test_the_process_dies_while_the_bridge_thinks(self):
        number = "+250788003024"
        self.lab_json("POST", "/lab/faults", {"provider": "bridge", "fault": "hang", "match": "wacid.killed", "times": 1})
        self.assertEqual(self.post_call(connect("wacid.killed", number)), 200)
        self.wait_until("the bridge was not asked", lambda: self.bridge("/api/sessions", "wacid.killed"))
        owner = self.value("SELECT lease_owner FROM call_actions WHERE status = 'running'")
        program, pid = owner.split(":")
        self.assertEqual(program, HOOK[1:])
        os.kill(int(pid), signal.SIGKILL)
        self.wait_action("wacid.killed", "answer", "done")
        self.assertEqual(self.value("SELECT a.attempts FROM call_actions a JOIN call_summaries c ON c.id = a.call WHERE call_id = 'wacid.killed'"), "2")
        self.assertEqual(self.steps("wacid.killed"), ["pre_accept", "accept"])

    def test_a_hidden_number(self):
        call = connect("wacid.hidden", "+250788003025", from_user_id="RW.1349")
        del call["from"]
        self.assertEqual(self.post_call(call), 200)
        self.wait_action("wacid.hidden", "answer", "done")
        self.assertEqual(self.bridge("/api/sessions", "wacid.hidden")[0]["from"], "RW.1349")
        self.tool("/tools/call_log_summary", {"call_id": "wacid.hidden", "phone_number": "+250788003026", "bullets": ["A job"]})
        self.post_call({**terminate("wacid.hidden", "+250788003025", 30), "from": "", "from_user_id": "RW.1349"})
        self.wait_notified("wacid.hidden")
        self.assertEqual(self.told("wacid.hidden"), [["summary", "whatsapp"]])

    def test_a_hidden_number_is_not_asked_for(self):
        call = connect("wacid.nameless", "+250788003028", from_user_id="RW.1350")
        del call["from"]
        self.assertEqual(self.post_call(call), 200)
        self.wait_action("wacid.nameless", "answer", "done")
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "wacid.nameless", "bullets": ["A job"], "ended": True})
        self.assertEqual((status, reply.get("call_id"), reply.get("notified")), (200, "wacid.nameless", True), reply)
        self.assertEqual(self.told("wacid.nameless"), [["summary", "whatsapp"]])
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "wacid.nobodys", "bullets": ["A job"], "ended": True})
        self.assertEqual((status, reply["error"]["message"]), (400, "phone_number: missing"))
        self.assertEqual(self.value("SELECT count(*) FROM call_triggers WHERE ref = 'wacid.nobodys'"), "0")

    def test_a_transcript(self):
        number = "+250788003027"
        self.post_call(connect("wacid.text", number))
        self.wait_action("wacid.text", "answer", "done")
        self.tool("/tools/call_log_summary", {"call_id": "wacid.text", "phone_number": number, "bullets": ["A pharmacy"]})
        self.post_call(terminate("wacid.text", number, 30))
        done = self.phone_does(number, "whatsapp-call", {"event": "call_transcription_available", "call_id": "wacid.text",
                                                         "transcript": "[Customer] I look for a pharmacy."})
        self.assertEqual(done["statuses"], [200])
        self.wait_for("SELECT transcript FROM call_summaries WHERE call_id = 'wacid.text'", "[Customer] I look for a pharmacy.")
        self.wait_action("wacid.text", "transcript", "done")

    def test_transcripts_that_say_nothing(self):
        for i, transcript in enumerate(["", {"transcript": ["nonsense"]}]):
            number, call_id = f"+25078800303{i}", f"wacid.empty{i}"
            self.post_call(connect(call_id, number))
            self.wait_action(call_id, "answer", "done")
            self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": ["A job"]})
            done = self.phone_does(number, "whatsapp-call", {"event": "call_transcript_available", "call_id": call_id, "transcript": transcript})
            self.assertEqual(done["statuses"], [200])
            self.wait_action(call_id, "transcript", "done")
            self.assertEqual(self.sql(f"SELECT transcript, status FROM call_summaries WHERE call_id = '{call_id}'"), [["", "ended"]])

    def test_calls_that_come_to_the_other_address(self):
        self.assertEqual(self.post_call(connect("wacid.core", "+250788003028"), path="/wa-webhook-core"), 200)
        self.wait_action("wacid.core", "answer", "done")
        self.assertEqual(self.steps("wacid.core"), ["pre_accept", "accept"])

    def test_calls_of_another_program(self):
        self.assertEqual(self.post_call(connect("wacid.ours", "+250788003029", direction="BUSINESS_INITIATED")), 200)
        self.assertEqual(self.call("wacid.ours"), [])

    def test_who_may_post(self):
        self.assertEqual(self.post_call(connect("wacid.forged", "+250788003040"), secret="not-the-secret"), 401)
        self.assertEqual(self.post(HOOK, b"{}")[0], 401)
        self.assertEqual(self.call("wacid.forged"), [])
        raw = b"not JSON"
        self.assertEqual(self.post(HOOK, raw, {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})[0], 200)
        self.assertEqual(self.value("SELECT count(*) FROM inbound_poison WHERE body = 'not JSON' AND provider = 'meta-calls'"), "1")

    def test_subscription(self):
        for token, want in ((WA_VERIFY, (200, "1158201444")), ("wrong", (403, None))):
            status, _, text = request(self.base, "GET", f"{HOOK}?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444")
            self.assertEqual(status, want[0])
            if want[1]:
                self.assertEqual(text, want[1])

    def test_nothing_private_in_the_log(self):
        number = "+250788003041"
        self.post_call(connect("wacid.private", number, session={"sdp_type": "offer", "sdp": SDP.replace("s=-", "s=secret-session")}))
        self.wait_action("wacid.private", "answer", "done")
        log = ""
        for name in os.listdir(os.path.join(self.state, "var/log")):
            with open(os.path.join(self.state, "var/log", name), encoding="utf-8", errors="replace") as f:
                log += f.read()
        self.assertIn("CALL_ACCEPTED", log)
        for private in (number, number[1:], "secret-session", "m=audio", "wa-token"):
            self.assertNotIn(private, log)


class WithoutBridge(VoiceTest):
    env = {"VOICE_BRIDGE_URL": "", "OPENAI_API_KEY": ""}

    def test_recorded_and_told(self):
        number = "+250788004001"
        self.assertEqual(self.post_call(connect("wacid.plain", number)), 200)
        self.tool("/tools/call_log_summary", {"call_id": "wacid.plain", "phone_number": number, "bullets": ["A house"]})
        self.assertEqual(self.post_call(terminate("wacid.plain", number, 20)), 200)
        self.phone(number, count=2)
        self.assertEqual(self.steps("wacid.plain"), [])
        self.assertEqual(self.value("SELECT count(*) FROM call_actions"), "0")

    def test_sip_without_a_key(self):
        number = "+250788004002"
        self.assertEqual(self.post_sip(sip_event("rtc_nokey", f"<sip:{number}@x>")), 200)
        self.wait_action("rtc_nokey", "accept", "failed")
        self.assertEqual(self.error_of("rtc_nokey", "accept"), "not_configured")
        self.assertEqual(self.call("rtc_nokey"), [["failed", "sip", number]])
        self.phone(number)
        self.assertEqual(self.told("rtc_nokey"), [["missed_call", "sms"]])


class Sip(VoiceTest):
    env = {"PUBLIC_URL": "https://calls.example.rw", "OPENAI_WEBHOOK_SECRET_OLD": "whsec_dGhlIHNlY3JldCBvZiBsYXN0IG1vbnRoLCBvbGQ="}

    def accepted(self, call_id):
        return [json.loads(r["body"]) for r in self.asked("agent", f"/realtime/calls/{call_id}/accept")]

    def test_a_call_is_accepted(self):
        number = "+250788005001"
        self.assertEqual(self.post_sip(sip_event("rtc_one", f"\"Aline\" <sip:{number}@sip.carrier.rw>;tag=1")), 200)
        self.wait_action("rtc_one", "accept", "done")
        self.assertEqual(self.sql("SELECT status, channel, phone_number, sip_call_id, answered_at IS NOT NULL FROM call_summaries WHERE call_id = 'rtc_one'"),
                         [["in_progress", "sip", number, "rtc_one@sip.carrier.rw", "t"]])
        body, = self.accepted("rtc_one")
        self.assertEqual(set(body), {"type", "model", "instructions", "output_modalities", "audio", "tools"})
        self.assertEqual((body["type"], body["model"], body["output_modalities"]), ("realtime", "gpt-realtime", ["audio"]))
        self.assertIn("Tangira mu Kinyarwanda", body["instructions"])
        tool, = body["tools"]
        self.assertEqual((tool["type"], tool["server_url"], tool["require_approval"]), ("mcp", "https://calls.example.rw/mcp", "never"))
        self.assertEqual(tool["allowed_tools"], TOOLS)
        payload = tool["authorization"].split(".")[0]
        bound = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        profile, session = self.sql("SELECT profile_id, session_id FROM call_summaries WHERE call_id = 'rtc_one'")[0]
        for part in (profile, session, "rtc_one"):
            self.assertIn(part, bound)
        accept, = self.asked("agent", "/realtime/calls/rtc_one/accept")
        self.assertEqual(accept["headers"]["authorization"], "Bearer agent-key")

    def test_the_callers_language(self):
        for language, word in (("fr", "français"), ("sw", "Kiswahili"), ("en", "English")):
            number = f"+25078800510{len(language + word) % 10}"
            call_id = f"rtc_{language}"
            self.sql(f"INSERT INTO profiles (phone_number, preferred_language) VALUES ('{number}', '{language}')")
            self.sql(f"INSERT INTO contact_addresses (kind, value, profile_id) SELECT 'tel', phone_number, user_id FROM profiles WHERE phone_number = '{number}'")
            self.assertEqual(self.post_sip(sip_event(call_id, f"<tel:{number}>")), 200)
            self.wait_action(call_id, "accept", "done")
            self.assertIn(word, self.accepted(call_id)[0]["instructions"].split("\n\n")[-1])

    def test_the_same_again_and_its_twins(self):
        event = sip_event("rtc_again", "<sip:+250788005003@x>")
        self.assertEqual(in_parallel([lambda: self.post_sip(event)] * 3), [200] * 3)
        self.wait_action("rtc_again", "accept", "done")
        self.assertEqual(self.post_sip(event), 200)
        self.assertEqual(self.post_sip(event, webhook_id="wh_another"), 200)
        for kind in ("live.call.incoming", "live.transport.incoming", "response.completed"):
            self.assertEqual(self.post_sip(sip_event("rtc_again", kind=kind), webhook_id="wh_" + kind), 200)
        self.assertEqual(len(self.accepted("rtc_again")), 1)
        self.assertEqual(self.value("SELECT count(*) FROM call_summaries WHERE call_id = 'rtc_again'"), "1")

    def test_who_may_post(self):
        now = int(time.time())
        event = sip_event("rtc_forged")
        old = "whsec_dGhlIHNlY3JldCBvZiBsYXN0IG1vbnRoLCBvbGQ="
        self.assertEqual(self.post_sip(event, secret="whsec_dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNl"), 401)
        self.assertEqual(self.post_sip(event, at=now - 310), 401)
        self.assertEqual(self.post_sip(event, at=now + 310), 401)
        raw = json.dumps(event).encode()
        headers = standard_webhook("wh_1", raw, now)
        self.assertEqual(self.post("/openai-sip-webhook", raw + b" ", headers)[0], 401)
        self.assertEqual(self.post("/openai-sip-webhook", raw, {k: v for k, v in headers.items() if k != "webhook-id"})[0], 401)
        self.assertEqual(self.post("/openai-sip-webhook", raw)[0], 401)
        self.assertEqual(self.call("rtc_forged"), [])
        self.assertEqual(self.post_sip(sip_event("rtc_rotated", "<sip:+250788005004@x>"), at=now - 290, secret=old), 200)
        self.wait_action("rtc_rotated", "accept", "done")
        self.assertEqual(self.post("/openai-sip-webhook", b"x" * (256 * 1024 + 1), headers)[0], 413)

    def test_signed_but_unreadable(self):
        raw = b'{"type": "realtime.call.incoming", "data": {}}'
        self.assertEqual(self.post("/openai-sip-webhook", raw, standard_webhook("wh_x", raw, int(time.time())))[0], 200)
        self.assertEqual(self.value("SELECT count(*) FROM inbound_poison WHERE program = 'openai-sip-webhook'"), "1")

    def test_an_anonymous_caller(self):
        self.assertEqual(self.post_sip(sip_event("rtc_anonymous", "\"+250788999999\" <sip:anonymous@anonymous.invalid>")), 200)
        self.wait_action("rtc_anonymous", "accept", "done")
        self.assertEqual(self.call("rtc_anonymous"), [["in_progress", "sip", ""]])
        self.assertIn("number is hidden", self.accepted("rtc_anonymous")[0]["instructions"])
        self.tool("/post-call-notify", {"call_id": "rtc_anonymous", "wait": False})
        self.wait_notified("rtc_anonymous")
        self.assertEqual(self.told("rtc_anonymous"), [])

    def test_an_anonymous_caller_whose_number_the_exchange_knows(self):
        number = "+250788005031"
        self.assertEqual(self.post_sip(sip_event("rtc_veiled", "<sip:anonymous@anonymous.invalid>")), 200)
        self.wait_action("rtc_veiled", "accept", "done")
        self.tool("/tools/call_log_summary", {"call_id": "rtc_veiled", "bullets": ["A taxi"]})
        status, reply = self.tool("/post-call-notify", {"call_id": "rtc_veiled", "phone_number": number})
        self.assertEqual((status, reply["status"]), (200, "sent"), reply)
        self.assertIn("A taxi", self.phone(number)[0]["text"])

    def test_the_exchange_names_the_call_by_its_sip_name(self):
        number = "+250788005005"
        self.post_sip(sip_event("rtc_pbx", f"<sip:{number}@x>"))
        self.wait_action("rtc_pbx", "accept", "done")
        self.tool("/tools/call_log_summary", {"call_id": "rtc_pbx", "phone_number": number, "bullets": ["A taxi"]})
        status, reply = self.tool("/post-call-notify", {"sip_call_id": "rtc_pbx@sip.carrier.rw", "ended_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        self.assertEqual((status, reply["call_id"]), (200, "rtc_pbx"))
        self.phone(number)
        self.assertEqual(self.told("rtc_pbx"), [["summary", "sms"]])

    def test_openai_does_not_let_us(self):
        number = "+250788005006"
        self.lab_json("POST", "/lab/faults", {"provider": "agent", "fault": "400", "match": "rtc_refused/accept", "times": -1})
        self.assertEqual(self.post_sip(sip_event("rtc_refused", f"<sip:{number}@x>")), 200)
        self.wait_action("rtc_refused", "accept", "failed")
        self.wait_until("not turned away", lambda: self.asked("agent", "/realtime/calls/rtc_refused/reject"))
        self.assertEqual(self.asked("agent", "/realtime/calls/rtc_refused/reject")[0]["body"], '{"status_code":603}')
        self.phone(number)
        self.assertEqual(self.told("rtc_refused"), [["missed_call", "sms"]])
        self.assertEqual(self.call("rtc_refused")[0][0], "failed")

    def test_openai_is_busy(self):
        self.lab_json("POST", "/lab/faults", {"provider": "agent", "fault": "503", "match": "rtc_busy/accept", "times": -1})
        self.post_sip(sip_event("rtc_busy", "<sip:+250788005007@x>"))
        self.wait_action("rtc_busy", "accept", "failed")
        self.wait_until("not turned away", lambda: self.asked("agent", "/realtime/calls/rtc_busy/reject"))
        self.assertEqual(self.asked("agent", "/realtime/calls/rtc_busy/reject")[0]["body"], '{"status_code":486}')
        self.assertEqual(len(self.accepted("rtc_busy")), 2)

    def test_nobody_knows_whether_it_was_accepted(self):
        self.lab_json("POST", "/lab/faults", {"provider": "agent", "fault": "accept_then_close", "match": "rtc_lost/accept", "times": -1})
        self.post_sip(sip_event("rtc_lost", "<sip:+250788005008@x>"))
        self.wait_action("rtc_lost", "accept", "failed")
        self.assertEqual(self.error_of("rtc_lost", "accept"), "no_answer")
        self.assertEqual(self.call("rtc_lost")[0][0], "in_progress", "it may be going on")
        self.assertEqual(self.asked("agent", "/realtime/calls/rtc_lost/reject"), [])


class WithoutPublicUrl(VoiceTest):
    def test_an_agent_without_tools_is_said_to_be_one(self):
        self.assertEqual(self.post_sip(sip_event("rtc_toolless")), 200)
        self.wait_action("rtc_toolless", "accept", "done")
        accept, = self.asked("agent", "/realtime/calls/rtc_toolless/accept")
        self.assertNotIn("tools", json.loads(accept["body"]))
        with open(os.path.join(self.state, "var/log/openai-sip-webhook.log"), encoding="utf-8") as f:
            self.wait_until("the warning", lambda: '"CALL_WITHOUT_TOOLS"' in f.read())


class DatabaseAway(VoiceTest):
    def test_calls_wait_for_the_database(self):
        ahead, late = "+250788006001", "+250788006002"
        self.freeze()
        self.assertEqual(self.post_call(connect("wacid.away", ahead)), 200)
        self.assertEqual(self.post_call(terminate("wacid.gone", late)), 200)
        event = sip_event("rtc_away", "<sip:+250788006003@x>")
        self.assertEqual(self.post_sip(event), 200)
        self.assertEqual(self.post_sip(event), 200)
        self.assertEqual(len(self.waiting()), 4)
        self.thaw()
        self.wait_drained()
        self.wait_action("wacid.away", "answer", "done")
        self.assertEqual(self.steps("wacid.away"), ["pre_accept", "accept"])
        self.wait_action("rtc_away", "accept", "done")
        self.assertEqual(len(self.asked("agent", "/realtime/calls/rtc_away/accept")), 1)
        self.assertEqual(self.value("SELECT id FROM webhook_ids"), "wh_rtc_away")
        self.wait_notified("wacid.gone")

    def test_neither_database_nor_disk(self):
        self.addCleanup(self.repair)
        self.spoil()
        self.freeze()
        self.assertEqual(self.post_call(connect("wacid.nowhere", "+250788006004")), 503)
        self.assertEqual(self.post_sip(sip_event("rtc_nowhere")), 503)
        self.thaw()
        self.repair()
        self.wait_until("still away", lambda: self.post_call(connect("wacid.nowhere", "+250788006004")) == 200)


class TooLong(VoiceTest):
    """Nobody ends these calls: the watchdog does, on the far side, too."""

    env = {"PUBLIC_URL": "https://calls.example.rw", "CALL_MAX_S": "6", "CALL_SILENCE_S": "600"}

    def test_on_the_bridge(self):
        number = "+250788007001"
        self.post_call(connect("wacid.long", number))
        self.wait_action("wacid.long", "answer", "done")
        self.assertEqual(self.steps("wacid.long"), ["pre_accept", "accept"])
        self.wait_action("wacid.long", "stop", "done")
        self.assertEqual(self.steps("wacid.long"), ["pre_accept", "accept", "terminate"])
        self.assertEqual(len(self.bridge("/bridge/stop", "wacid.long")), 1)
        self.post_call(terminate("wacid.long", number, 6))  # Meta's word for it
        self.assertEqual(self.steps("wacid.long"), ["pre_accept", "accept", "terminate"])
        self.assertEqual(self.value("SELECT end_cause FROM call_summaries WHERE call_id = 'wacid.long'"), "reported")

    def test_meta_stumbles(self):
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "503", "match": '"terminate"', "times": 2})
        self.post_call(connect("wacid.stumbles", "+250788007002"))
        self.wait_action("wacid.stumbles", "stop", "done")
        self.assertEqual(self.steps("wacid.stumbles"), ["pre_accept", "accept"] + ["terminate"] * 3)

    def test_meta_refuses(self):
        self.lab_json("POST", "/lab/faults", {"provider": "meta", "fault": "error_code", "code": 138004, "match": '"terminate"', "times": -1})
        self.post_call(connect("wacid.refuses", "+250788007003"))
        self.wait_action("wacid.refuses", "stop", "failed")
        self.assertEqual(self.error_of("wacid.refuses", "stop"), "138004")
        self.wait_until("the bridge still holds it", lambda: self.bridge("/bridge/stop", "wacid.refuses"))

    def test_meta_has_ended_it(self):
        number = "+250788007004"
        self.post_call(connect("wacid.over", number))
        self.wait_action("wacid.over", "answer", "done")
        self.post_call(terminate("wacid.over", number, 1))
        self.wait_action("wacid.over", "stop", "done")
        self.assertEqual(self.steps("wacid.over"), ["pre_accept", "accept"])
        self.assertEqual(len(self.bridge("/bridge/stop", "wacid.over")), 1)

    def test_by_sip(self):
        self.post_sip(sip_event("rtc_long", "<sip:+250788007005@x>"))
        self.wait_action("rtc_long", "accept", "done")
        self.assertEqual(self.asked("agent", "/realtime/calls/rtc_long/hangup"), [])
        self.wait_action("rtc_long", "stop", "done")
        [asked] = self.asked("agent", "/realtime/calls/rtc_long/hangup")
        self.assertEqual((asked["method"], asked["body"]), ("POST", ""))
        self.assertEqual(self.bridge("/bridge/stop", "rtc_long"), [])

    def test_openai_knows_it_no_more(self):
        self.lab_json("POST", "/lab/faults", {"provider": "agent", "fault": "error_code", "http_status": 404, "match": "rtc_gone/hangup", "times": -1})
        self.post_sip(sip_event("rtc_gone", "<sip:+250788007006@x>"))
        self.wait_action("rtc_gone", "stop", "done")


class TooLongElsewhere(VoiceTest):
    """Without a bridge somebody else has answered, and ends what they have begun."""

    env = {"VOICE_BRIDGE_URL": "", "CALL_MAX_S": "2"}

    def test_is_not_ours_to_end(self):
        self.post_call(connect("wacid.theirs", "+250788007010"))
        self.wait_for("SELECT end_cause FROM call_summaries WHERE call_id = 'wacid.theirs'", "too_long")
        self.assertEqual(self.value("SELECT count(*) FROM call_actions"), "0")
        self.assertEqual(self.steps("wacid.theirs"), [])


class NoSecret(SystemTest):
    env = {"OPENAI_WEBHOOK_SECRET": ""}

    def test_openai_is_not_set_up(self):
        raw = json.dumps(sip_event("rtc_none")).encode()
        status, _, text = self.post("/openai-sip-webhook", raw, standard_webhook("wh_1", raw, int(time.time())))
        self.assertEqual(status, 503, text)


if __name__ == "__main__":
    del SpoolTest, VoiceTest  # not to be run for themselves
    unittest.main()
