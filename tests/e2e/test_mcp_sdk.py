"""The official MCP client (npm: @modelcontextprotocol/sdk) against the whole system."""

import json
import unittest

import harness
import mcp_client
import node

OPERATOR_ONLY = {"session_pause", "session_resume", "operator_send"}


class SdkTest(mcp_client.McpTest):
    def values(self, number, profile_id, session_id, call_id):
        """What stands in a field of each name."""
        return {"profile_id": profile_id, "session_id": session_id, "phone_number": number, "call_id": call_id,
                "message": "Your ride is at 8, Gate 2.", "subject": "Ride", "idempotency_key": "sdk-" + call_id, "wait": True,
                "summary": "You need a ride to Huye on Friday.", "channel": "sip", "main_intent": "ride",
                "next_actions": ["We send you the driver's number"], "primary_channel": "sms", "intent": "ride",
                "status": "follow_up", "context": {"seats": 2}, "agent": "call_center", "reason": "asked for a person"}

    def check_session(self, report):
        self.assertEqual(report["server"]["name"], "omni")
        self.assertRegex(report["server"]["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(report["capabilities"], {"tools": {}})
        self.assertIn("real phone", report["instructions"])
        self.assertEqual(report["protocol"], mcp_client.LATEST)
        self.assertIsNone(report["session"])
        self.assertEqual(report["ping"], {})
        self.assertEqual(report["unknownTool"]["code"], -32602)
        self.assertEqual(report["unknownMethod"]["code"], -32601)
        self.assertIn("401", f'{report["wrongToken"]}')
        self.assertTrue(report["refused"]["isError"])
        self.assertEqual(report["refused"]["structuredContent"]["error"]["code"], "invalid")
        self.assertEqual(set(report["results"]), {t["name"] for t in report["tools"]})
        for name, result in report["results"].items():
            with self.subTest(tool=name):
                self.assertFalse(result["isError"], result)
                self.assertTrue(result["structuredContent"]["success"], result)

    def test_every_tool_with_the_service_key(self):
        number = "+250788300001"
        self.phone_does(number, "whatsapp", {"text": "Hello"})  # opens the window of 24 hours
        answered = self.phone(number)[-1]["seq"]
        profile_id, session_id = self.person(number)
        values = self.values(number, profile_id, session_id, "sdk-call-1")
        report = node.run("sdk.mjs", {"url": self.base + "/mcp", "token": harness.KEY, "values": values})
        self.check_session(report)
        self.assertEqual({t["name"] for t in report["tools"]}, self.all_tools())
        self.assertLessEqual(OPERATOR_ONLY, self.all_tools())
        self.assertFalse(report["unlisted"]["value"]["isError"])
        self.assertIn("Your ride is at 8", self.phone(number, since=answered)[0]["text"])

    def test_every_tool_of_a_bound_token(self):
        number = "+250788300002"
        profile_id, session_id = self.person(number)
        self.call("call_log_summary", {"call_id": "sdk-call-2", "phone_number": number, "channel": "sip", "summary": "A ride."})
        mine = ["messaging_send_sms", "session_add_context", "session_get_context"]
        token = mcp_client.bound_token([*mine, "operator_send"], profile_id, session_id, "sdk-call-2")
        report = node.run("sdk.mjs", {"url": self.base + "/mcp", "token": token,
                                      "values": self.values(number, profile_id, session_id, "sdk-call-2")})
        self.check_session(report)
        self.assertEqual({t["name"] for t in report["tools"]}, set(mine))
        for tool in report["tools"]:
            self.assertEqual(set(tool["inputSchema"]["properties"]) & {"profile_id", "session_id", "phone_number", "call_id"}, set())
        self.assertTrue(report["unlisted"]["value"]["isError"])
        self.assertEqual(report["unlisted"]["value"]["structuredContent"]["error"]["code"], "forbidden")
        self.assertEqual(self.value(f"SELECT count(*) FROM message_delivery_log WHERE profile_id = '{profile_id}' "
                                    "AND message_type = 'operator'"), "0")
        self.assertIn("Your ride is at 8", self.phone(number)[0]["text"])

    def all_tools(self):
        """As the catalog for OpenAI's models lists them."""
        status, _, text = harness.request(self.base, "GET", "/tools", headers={"Authorization": f"Bearer {harness.KEY}"})
        self.assertEqual(status, 200)
        return {t["function"]["name"] for t in json.loads(text)["tools"]}


if __name__ == "__main__":
    unittest.main()
