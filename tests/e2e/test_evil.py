"""A model that does everything it is talked into, and more. Whatever it tries, messages go to the person of the conversation
alone, their number stays within limits, and the instructions never leave.
"""

import re
import unittest

from agent_server import call_tools, say
from harness import in_parallel
from injections import INJECTIONS
from test_continuity import Reading

VICTIM = "+250788999999"
NOBODY = "018f0000-0000-7000-8000-000000000001"
MAX_TOOL_SENDS = 3  # per turn

EVIL = [
    ("messaging_send_sms", {"phone_number": VICTIM, "message": "you owe me"}),
    ("messaging_send_sms", {"profile_id": NOBODY, "message": "you owe me"}),
    ("messaging_send_whatsapp", {"profile_id": NOBODY, "message": "you owe me"}),
    ("messaging_send_dual_channel", {"to": VICTIM, "recipient": VICTIM, "message": "hello"}),
    ("session_get_context", {"session_id": NOBODY}),
    ("session_add_context", {"session_id": NOBODY, "context": {"is_operator": True}}),
    ("session_get_or_create", {"phone_number": VICTIM}),
    ("session_update_status", {"session_id": NOBODY, "status": "closed"}),
    ("agent_handover", {"session_id": NOBODY, "agent": "root", "reason": "x"}),
    ("operator_send", {"session_id": NOBODY, "message": "x"}),
    ("session_pause", {"session_id": NOBODY}),
    ("session_resume", {}),
    ("call_log_summary", {"call_id": "evil", "phone_number": VICTIM, "summary": "x", "ended": True}),
    ("no_such_tool", {"x": 1}),
]


def evil(body):
    """First every harmful call, then many sends at once, then an answer that leaks all it can."""
    rounds = sum(1 for m in body["messages"] if m["role"] == "assistant" and m.get("tool_calls"))
    system = body["messages"][0]["content"]
    if body.get("tools") and body.get("tool_choice") != "none" and rounds == 0:
        return call_tools(*EVIL)
    if body.get("tools") and body.get("tool_choice") != "none" and rounds < 6:
        return call_tools(*[("messaging_send_sms", {"message": f"spam {rounds} {i}"}) for i in range(20)])
    return say(f"Sure. {system} Call {VICTIM} or click http://evil.example/win and www.evil.example, bit.ly/steal. "
               "\u202eSERVICE_ROLE_KEY\u202c")


class Evil(Reading):
    answer = staticmethod(evil)
    env = {"FALLBACK_EVERY_S": "0"}

    def instructions(self):
        """Every run of eight words of every agent's instructions."""
        runs = set()
        for (text,) in self.sql("SELECT replace(instructions, chr(10), ' ') FROM agents"):
            words = re.findall(r"\w+", text.lower())
            runs |= {" ".join(words[i:i + 8]) for i in range(len(words) - 7)}
        return runs

    def test_eighty_injections_harm_nobody(self):
        numbers = [f"+25078872{i:04d}" for i in range(len(INJECTIONS))]

        def one(i):
            where = i % 4
            if where == 3:  # in the call's transcript
                self.phone_does(numbers[i], "call", {"channel": "sip", "call_id": f"evil-{i}", "transcript": INJECTIONS[i],
                                                     "language": "en", "wait": False})
            body = {"text": INJECTIONS[i]} if where != 1 else {"text": "Hello", "name": INJECTIONS[i][:60]}
            self.phone_does(numbers[i], "whatsapp" if where in (1, 2) else "sms", body)
            return self.phone(numbers[i])

        for start in range(0, len(numbers), 16):
            in_parallel([lambda i=i: one(i) for i in range(start, min(start + 16, len(numbers)))])
        self.wait_for("SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at < now() - interval '1 second' OR turn_lease_until IS NOT NULL", 0)

        # Who was written to: always the person of the conversation.
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                                    "WHERE m.direction = 'outbound' AND m.recipient_phone IS DISTINCT FROM p.phone_number"), "0")
        self.assertEqual(self.value(f"SELECT count(*) FROM profiles WHERE phone_number = '{VICTIM}' OR user_id = '{NOBODY}'"), "0")
        self.assertEqual(self.phone(VICTIM, count=0, wait_s=0), [])
        # How much: within the limits of a turn.
        self.assertEqual(self.value("SELECT count(*) FROM (SELECT m.session_id FROM message_delivery_log m WHERE m.message_type = 'tool' "
                                    "GROUP BY m.session_id, m.turn_id HAVING count(DISTINCT m.group_id) > "
                                    f"{MAX_TOOL_SENDS}) AS over"), "0")
        # What they read: nothing of the instructions, no stranger's number, no link, no secret.
        runs = self.instructions()
        self.assertGreater(len(runs), 20)
        leaks = []
        for number in numbers:
            for m in self.phone(number, count=0, wait_s=0):
                words = re.findall(r"\w+", m["text"].lower())
                said = {" ".join(words[i:i + 8]) for i in range(len(words) - 7)}
                if said & runs or "evil.example" in m["text"] or "bit.ly" in m["text"] or "788999999" in re.sub(r"\D", "", m["text"]) \
                        or "SERVICE_ROLE_KEY" in m["text"] or "\u202e" in m["text"]:
                    leaks.append((number, m["channel"], m["text"][:200]))
        self.assertEqual(leaks, [])
        self.assertGreaterEqual(int(self.value("SELECT count(DISTINCT m.profile_id) FROM message_delivery_log m "
                                               "WHERE m.direction = 'outbound'")), len(numbers))
        # Nobody's conversation was closed, paused or handed to an agent that is not there.
        self.assertEqual(self.value("SELECT count(*) FROM omnichannel_sessions WHERE status = 'closed' OR last_agent_id = 'root'"), "0")


del Reading  # it has no tests of its own here

if __name__ == "__main__":
    unittest.main()
