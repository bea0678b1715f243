"""What the tests of the tools share: people, bound tokens, and looking at what came of a call."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse

from harness import REPLY_TO, SystemTest

TOKEN_SECRET = "token-secret-of-the-tests"
MESSAGING = ["messaging_send_whatsapp", "messaging_send_sms", "messaging_send_dual_channel"]
SENT = ("sent", "delivered")  # the phone's receipt may be here before the answer is read


def encode(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(profile, tools, session="", call="", turn="", turn_token=0, expires_in=300, secret=TOKEN_SECRET):
    """A bound token, made from its description and not by the program's own code."""
    payload = encode(json.dumps({"profile_id": profile, "session_id": session, "call_id": call, "turn_id": turn,
                                 "turn_token": turn_token, "tools": tools, "exp": int(time.time()) + expires_in}).encode())
    return payload + "." + encode(hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest())


def taken(answer):
    """Sent, or will be: one that comes while an earlier one is on its way waits for it (202)."""
    return answer[0] in (200, 202) and answer[1]["success"]


class ToolTest(SystemTest):
    env = {"TOKEN_SECRET": TOKEN_SECRET}
    numbers = iter(range(250788300001, 250788399999))

    def person(self, whatsapp=False):
        """Somebody new: (number, profile_id, session_id); with WhatsApp's window open if asked for."""
        number = "+" + str(next(self.numbers))
        if whatsapp:
            self.lab_json("POST", "/lab/agent", {"reply": "Noted."})
            self.phone_does(number, "whatsapp", {"text": "hello"})
            self.phone(number, count=1)
        status, reply = self.tool("/tools/session_get_or_create", {"phone_number": number})
        self.assertEqual(status, 200, reply)
        return number, reply["profile_id"], reply["session_id"]

    def received(self, number):
        """(channel, text) of everything the phone has, without the line of an SMS that says where to reply to."""
        path = f"/lab/phones/{urllib.parse.quote(number)}?count=0&wait_ms=0"
        return [(m["channel"], m["text"].removesuffix(REPLY_TO)) for m in self.lab_json("GET", path)["messages"]]

    def rows(self, profile):
        return int(self.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'outbound' AND message_type IN "
                              f"('tool', 'follow_up', 'operator') AND profile_id = '{profile}'"))

    def settled(self, profile):
        """No message of this person is under way: one that is would hold back the next."""
        self.wait_for(f"SELECT count(*) FROM message_delivery_log WHERE profile_id = '{profile}' AND status IN ('pending', 'failed', 'sending')", 0)

    def refused(self, answer, status, code, words=None):
        self.assertEqual(answer[0], status, answer)
        self.assertIs(answer[1]["success"], False)
        self.assertEqual(answer[1]["error"]["code"], code, answer)
        if words is not None:
            self.assertIn(words, answer[1]["error"]["message"])
