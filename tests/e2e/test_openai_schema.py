"""What we ask language models, held against the types that OpenAI publishes (npm: openai)."""

import json
import unittest

import harness
import node

NUMBER = "+250788310001"


class OpenAiSchemaTest(harness.SystemTest):
    def test_requests_are_what_openai_documents(self):
        self.tool("/tools/call_log_summary", {"call_id": "schema-1", "phone_number": NUMBER, "channel": "sip", "answered": True,
                                              "summary": 'You look for a "big" house: 200k \\ month, é, 😀.',
                                              "next_actions": ["We send three houses"], "main_intent": "housing", "ended": True})
        came = len(self.phone(NUMBER))
        self.lab_json("POST", "/lab/agent", {"replies": [
            {"tool_calls": [{"name": "session_get_context", "arguments": {}},
                            {"name": "session_add_context", "arguments": {"context": {"budget": "250k"}}}]},
            {"tool_calls": [{"name": "no_such_tool", "arguments": {"a": [1]}}]},
            "Noted: 250k."]})
        self.phone_does(NUMBER, "sms", {"text": "Change budget to 250k"})
        self.assertIn("250k", self.phone(NUMBER, count=came + 1)[-1]["text"])
        self.phone_does(NUMBER, "whatsapp", {"text": "And two rooms \u2028 please"})
        self.phone(NUMBER, count=came + 2)
        requests = self.lab_json("GET", "/lab/agent/requests?limit=100&count=4&wait_ms=30000")["requests"]
        roles = {m["role"] for r in requests for m in r["messages"]}
        self.assertLessEqual({"system", "user", "assistant", "tool"}, roles)
        self.assertTrue(any("tools" in r for r in requests))
        report = node.run("chat_requests.mjs", [*requests, self.request_with_the_catalog()])
        self.assertEqual(report["faults"], [])
        self.assertGreater(report["wrong"], 10)
        self.assertEqual(report["missed"], [])

    def request_with_the_catalog(self):
        """What an agent of somebody else would ask its model with, offering it GET /tools."""
        status, _, text = harness.request(self.base, "GET", "/tools", headers={"Authorization": f"Bearer {harness.KEY}"})
        self.assertEqual(status, 200)
        return {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "tools": json.loads(text)["tools"]}


if __name__ == "__main__":
    unittest.main()
