"""One conversation over all channels and days: a fact is said once and asked for somewhere else; and nobody else ever sees it.

The agent here can say only what it reads (agent_server.py): it looks for "the word is X" in its prompt and answers with X.
"""

import re
import unittest

from agent_server import AgentServer, call_tools, last_user, say, text_of
from harness import SystemTest, in_parallel

FACT = re.compile(r"(?:the word is|le mot est|ijambo ni|neno ni) ([a-z]+)", re.IGNORECASE)
ASK = {"en": "What was the word?", "fr": "Quel est le mot ?", "rw": "Wibuka ijambo nababwiye?", "sw": "Neno lilikuwa gani?"}
SAID = {"en": "the word is {}", "fr": "le mot est {}", "rw": "ijambo ni {}", "sw": "neno ni {}"}


def word(i):
    """A word of its own for each number, of letters only."""
    return "kivu" + "".join("abcdefghij"[int(d)] for d in f"{i:04d}")


def find_fact(body):
    found = FACT.findall(text_of(body))
    return say(f"You said {found[-1]}." if found else "I do not know that.")


class Reading(SystemTest):
    answer = staticmethod(find_fact)

    @classmethod
    def setUpClass(cls):
        cls.agent = AgentServer(lambda body: cls.answer(body))
        cls.env = {**cls.env, "OPENAI_BASE_URL": cls.agent.base}
        try:
            super().setUpClass()
        except BaseException:
            cls.agent.close()
            raise

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.agent.close()

    def call(self, number, call_id, bullets, channel="sip", language="en"):
        reply = self.phone_does(number, "call", {"channel": channel, "call_id": call_id, "bullets": bullets, "language": language})
        self.assertEqual(reply["status"], "sent", reply)

    def last_seq(self, number):
        return max((m["seq"] for m in self.phone(number, count=0, wait_s=0)), default=0)

    def says(self, number, channel, text, count=1):
        """Says it and returns the texts that come back on that channel."""
        since = self.last_seq(number)
        self.phone_does(number, channel, {"text": text})
        return [m["text"] for m in self.phone(number, count=count, since=since) if m["channel"] == channel]


class Continuity(Reading):
    """50 conversations, ten of each of five shapes, in four languages."""

    def age(self, number, days):
        """The conversation lies so many days back: its session has run out."""
        self.sql(f"""UPDATE omnichannel_sessions s SET expires_at = now() - interval '{days} days', started_at = s.started_at - interval '{days} days'
                       FROM profiles p WHERE p.user_id = s.profile_id AND p.phone_number = '{number}'""")

    def said_in_call_asked_by_sms(self, i, number, fact, ask):
        self.call(number, f"cont-{i}", ["You called about a house", fact])
        return self.says(number, "sms", ask)

    def said_in_whatsapp_call_asked_on_whatsapp(self, i, number, fact, ask):
        self.call(number, f"cont-{i}", [fact], channel="whatsapp")
        self.phone(number, count=2)
        return self.says(number, "whatsapp", ask)

    def said_in_call_asked_on_whatsapp_after_an_sms(self, i, number, fact, ask):
        self.call(number, f"cont-{i}", [fact])
        self.says(number, "sms", "Thank you, I will write later")
        return self.says(number, "whatsapp", ask)

    def said_by_sms_asked_on_whatsapp(self, i, number, fact, ask):
        self.call(number, f"cont-{i}", ["You called about a house"])
        self.says(number, "sms", f"By the way, {fact}")
        return self.says(number, "whatsapp", ask)

    def said_in_call_asked_days_later(self, i, number, fact, ask):
        self.call(number, f"cont-{i}", [fact])
        self.age(number, 3)
        return self.says(number, "sms", ask)

    def test_fifty_conversations(self):
        shapes = [self.said_in_call_asked_by_sms, self.said_in_whatsapp_call_asked_on_whatsapp,
                  self.said_in_call_asked_on_whatsapp_after_an_sms, self.said_by_sms_asked_on_whatsapp,
                  self.said_in_call_asked_days_later]
        lost = []

        def one(i):
            language = list(ASK)[i % len(ASK)]
            shape = shapes[i % len(shapes)]
            number = f"+25078870{i:04d}"
            try:
                texts = shape(i, number, SAID[language].format(word(i)), ASK[language])
            except AssertionError as e:
                texts = [str(e)]
            asked = [b for b in self.agent.requests if last_user(b).find(ASK[language]) >= 0 and word(i) in text_of(b)]
            if not asked or not any(word(i) in t for t in texts):
                lost.append((shape.__name__, language, bool(asked), texts))

        for start in range(0, 50, 10):
            in_parallel([lambda i=i: one(i) for i in range(start, start + 10)])
        print(f"\ncontinuity: {50 - len(lost)} of 50 replies and prompts held the fact")
        self.assertEqual(lost, [])


class Secrets(Reading):
    """200 people at once, each with a word of their own."""
    people = 200

    @staticmethod
    def answer(body):
        if not any(m["role"] == "tool" for m in body["messages"]) and body.get("tools"):
            return call_tools(("session_get_context", {}))
        return find_fact(body)

    def test_nobody_reads_anothers_word(self):
        numbers = [f"+25078871{i:04d}" for i in range(self.people)]

        def one(i):
            self.phone_does(numbers[i], "sms", {"text": f"Remember that {SAID['en'].format(word(i))}"})
            self.phone(numbers[i])
            self.phone_does(numbers[i], "whatsapp", {"text": ASK["en"]})
            return self.phone(numbers[i], count=2)

        for start in range(0, self.people, 50):
            in_parallel([lambda i=i: one(i) for i in range(start, start + 50)])
        for i in range(self.people):
            got = " ".join(m["text"] for m in self.phone(numbers[i], count=0, wait_s=0))
            self.assertEqual(set(re.findall(r"kivu[a-j]{4}", got)), {word(i)}, numbers[i])
        mixed = [text_of(b) for b in self.agent.requests if len(set(re.findall(r"kivu[a-j]{4}", text_of(b)))) > 1]
        self.assertEqual(mixed, [])
        with_tool = [b for b in self.agent.requests if any(m["role"] == "tool" for m in b["messages"])]
        self.assertGreaterEqual(len(with_tool), self.people)
        self.assertTrue(all(len(set(re.findall(r"kivu[a-j]{4}", text_of(b)))) == 1 for b in with_tool))
        self.assertEqual(self.value("SELECT count(*) FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id "
                                    "WHERE p.phone_number LIKE '+25078871%'"), str(self.people))


if __name__ == "__main__":
    unittest.main()
