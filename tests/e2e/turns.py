"""What the tests of the agent's turns share: what the agent is told to say, and looking at what came of a turn."""

import json

from harness import SystemTest

ANSWER = "Answer of the agent."


def person(number):
    return f"(SELECT user_id FROM profiles WHERE phone_number = '{number}')"


class TurnsTest(SystemTest):
    def script(self, *replies, **more):
        self.lab_json("POST", "/lab/agent", {"replies": list(replies), **more})

    def say(self, number, text, message_id):
        self.assertEqual(self.post_sms({"from": number, "to": "8080", "message": text, "messageId": message_id})[0], 200)

    def requests(self, number=None):
        """The agent's requests, oldest first; of one person: those whose text names them."""
        found = self.lab_json("GET", "/lab/agent/requests?limit=200")["requests"]
        return [r for r in found if number is None or number in json.dumps(r)]

    def done(self, number, turns=1):
        self.wait_for(f"SELECT count(*) FROM turns WHERE profile_id = {person(number)} AND status = 'done'", turns)

    def evidence(self, number):
        """The latest turn: status, rounds, [tool:outcome], agent."""
        status, rounds, calls, agent = self.sql(
            f"SELECT status, rounds, tool_calls, agent FROM turns WHERE profile_id = {person(number)} ORDER BY token DESC LIMIT 1")[0]
        return status, int(rounds or 0), [f"{c['tool']}:{c['outcome']}" for c in json.loads(calls)], agent
