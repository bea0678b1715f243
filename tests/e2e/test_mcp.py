"""POST /mcp over HTTP: who is let in, what the transport refuses, and tools that really do what they say."""

import json
import os
import re
import subprocess
import unittest

import harness
from mcp_client import LATEST, McpTest, bound_token

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
PONG = {"jsonrpc": "2.0", "id": 1, "result": {}}
OURS = "https://omni.example"


class TransportTest(McpTest):
    env = {"PUBLIC_URL": OURS + "/base"}

    def expect(self, status, answer, body=None):
        got, headers, text = answer
        self.assertEqual(got, status, text)
        self.assertIn("X-Correlation-Id", headers)
        if body is not None:
            self.assertEqual(json.loads(text), body)
        return headers, text

    def test_methods(self):
        self.expect(200, self.post_mcp(PING), PONG)
        for method in ("GET", "DELETE", "PUT"):
            headers, _ = self.expect(405, self.post_mcp("", method=method))
            self.assertEqual(headers["Allow"], "POST")

    def test_also_under_functions(self):
        status, _, text = harness.request(self.base, "POST", "/functions/v1/mcp", json.dumps(PING),
                                          {"Authorization": f"Bearer {harness.KEY}", "Content-Type": "application/json"})
        self.assertEqual((status, json.loads(text)), (200, PONG))

    def test_media_types(self):
        for good in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
            self.expect(200, self.post_mcp(PING, Content_Type=good), PONG)
        for bad in ("text/plain", "application/jsonl", "application/x-www-form-urlencoded", ""):
            self.expect(415, self.post_mcp(PING, Content_Type=bad))

    def test_accept_is_not_asked_about(self):
        for accept in (None, "*/*", "application/json", "text/event-stream", "text/html"):
            headers, _ = self.expect(200, self.post_mcp(PING, Accept=accept), PONG)
            self.assertTrue(headers["Content-Type"].startswith("application/json"))

    def test_versions(self):
        for known in (None, LATEST, "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"):
            self.expect(200, self.post_mcp(PING, MCP_Protocol_Version=known), PONG)
        for unknown in ("2025-11-26", "2031-01-01", "1", "latest"):
            _, text = self.expect(400, self.post_mcp(PING, MCP_Protocol_Version=unknown))
            self.assertIn("MCP-Protocol-Version", text)

    def test_origins(self):
        for good in (None, OURS, OURS + ":443", OURS.upper()):
            self.expect(200, self.post_mcp(PING, Origin=good), PONG)
        for bad in ("null", "https://evil.example", "http://omni.example", OURS + ".evil.example", OURS + ":8443", self.base):
            _, text = self.expect(403, self.post_mcp(PING, Origin=bad))
            self.assertIn("Origin", text)

    def test_tokens(self):
        profile, session = self.person("+250788320001")
        args = (["session_get_context"], profile, session)
        self.expect(200, self.post_mcp(PING, bound_token(*args)), PONG)
        good = bound_token(*args)
        wrong = [None, "", "wrong", harness.KEY + "x", harness.KEY[:-1], bound_token(*args, expires_in_s=-5),
                 bound_token(*args, secret="another"), good[:-2], good + "A", "x" + good, good.split(".")[0], good.split(".")[0] + ".",
                 "." + good.split(".")[1]]
        for token in wrong:
            headers, text = self.expect(401, self.post_mcp(PING, token))
            self.assertEqual(headers["WWW-Authenticate"], "Bearer")
            self.assertNotIn(harness.KEY, text)
        self.expect(401, self.post_mcp(PING, None, Authorization=f"Basic {harness.KEY}"))

    def test_bodies(self):
        parse_error = {"code": -32700}
        deep = '{"jsonrpc":"2.0","id":1,"method":"ping","params":' + '{"a":' * 40 + "1" + "}" * 41
        many = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[' + "[]," * 200000 + "1]}}"
        for broken in ("", "{", "no json", deep, many, b"\xff\xfe{}"):
            _, text = self.expect(400, self.post_mcp(broken))
            answer = json.loads(text)
            self.assertLessEqual(parse_error.items(), answer["error"].items())
            self.assertIsNone(answer["id"])
        self.expect(400, self.post_mcp({"jsonrpc": "2.0", "id": None, "method": "ping"}))
        self.expect(413, self.post_mcp(" " * (1024 * 1024 + 1)))
        self.expect(200, self.post_mcp(json.dumps(PING) + " " * (1024 * 1024 - 100)), PONG)

    def test_nothing_wants_an_answer(self):
        _, text = self.expect(202, self.post_mcp({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        self.assertEqual(text, "")
        batch = [{"jsonrpc": "2.0", "method": "notifications/initialized"}, PING]
        self.expect(400, self.post_mcp(batch))
        self.expect(200, self.post_mcp(batch, MCP_Protocol_Version="2025-03-26"), [PONG])
        self.expect(200, self.post_mcp(batch, MCP_Protocol_Version=None), [PONG])

    def test_correlation_id_comes_back(self):
        headers, _ = self.expect(200, self.post_mcp(PING, X_Correlation_Id="agent-7"), PONG)
        self.assertEqual(headers["X-Correlation-Id"], "agent-7")


class NoPublicUrlTest(McpTest):
    def test_no_page_is_ours(self):
        self.assertEqual(self.post_mcp(PING)[0], 200)
        self.assertEqual(self.post_mcp(PING, Origin="https://omni.example")[0], 403)
        self.assertEqual(self.post_mcp(PING, Origin="")[0], 200)

    def test_initialize(self):
        result = self.rpc("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}})
        self.assertEqual(result["protocolVersion"], "2025-06-18")
        self.assertEqual(result["serverInfo"]["name"], "omni")

    def test_a_message_is_sent_once(self):
        profile, _ = self.person("+250788320002")
        args = {"profile_id": profile, "message": "The house in Kimironko is free.", "idempotency_key": "once-1"}
        first, again = (self.call("messaging_send_sms", args) for _ in range(2))
        self.assertFalse(first["isError"], first)
        self.assertEqual(json.loads(first["content"][0]["text"]), first["structuredContent"])
        self.assertEqual(first["structuredContent"]["channels"][0]["message_id"], again["structuredContent"]["channels"][0]["message_id"])
        got = self.phone("+250788320002")
        self.assertEqual(len(got), 1)
        self.assertIn("Kimironko", got[0]["text"])
        other = self.call("messaging_send_sms", {**args, "message": "Another text."})
        self.assertTrue(other["isError"])
        self.assertEqual(other["structuredContent"]["error"]["code"], "conflict")

    def test_whatsapp_outside_the_window_is_a_failure_the_model_can_read(self):
        profile, _ = self.person("+250788320003")
        result = self.call("messaging_send_whatsapp", {"profile_id": profile, "message": "Hello"})
        self.assertTrue(result["isError"], result)
        self.assertFalse(result["structuredContent"]["success"])
        self.assertEqual(self.phone("+250788320003", count=0, wait_s=0), [])

    def test_bound_to_one_person(self):
        mine, my_session = self.person("+250788320004")
        other, other_session = self.person("+250788320005")
        token = bound_token(["messaging_send_sms", "session_get_context"], mine, my_session)
        tools = self.rpc("tools/list", token=token)["tools"]
        self.assertEqual({t["name"] for t in tools}, {"messaging_send_sms", "session_get_context"})
        for tool in tools:
            self.assertEqual(set(tool["inputSchema"]["properties"]) & {"profile_id", "session_id", "phone_number", "call_id"}, set())
        refused = [("messaging_send_sms", {"profile_id": other, "message": "x"}), ("session_get_context", {"session_id": other_session}),
                   ("session_add_context", {"context": {"a": 1}}), ("operator_send", {"message": "x"})]
        for name, args in refused:
            result = self.call(name, args, token)
            self.assertTrue(result["isError"], (name, result))
            self.assertEqual(result["structuredContent"]["error"]["code"], "forbidden", (name, result))
        self.assertFalse(self.call("messaging_send_sms", {"message": "To you only."}, token)["isError"])
        self.assertIn("To you only.", self.phone("+250788320004")[0]["text"])
        self.assertEqual(self.phone("+250788320005", count=0, wait_s=0), [])

    def test_the_example_of_the_documentation(self):
        with open(os.path.join(harness.ROOT, "docs/mcp.md"), encoding="utf-8") as f:
            examples = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
        self.assertEqual(len(examples), 1)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", examples[0]], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "URL": self.base, "SERVICE_ROLE_KEY": harness.KEY, "no_proxy": "127.0.0.1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a["id"] for a in answers], [1, 2, 3])
        self.assertEqual(answers[0]["result"]["protocolVersion"], LATEST)
        self.assertGreater(len(answers[1]["result"]["tools"]), 5)
        self.assertEqual(answers[2]["result"]["isError"], False)


class DatabaseAwayTest(McpTest):
    def test_a_failure_of_ours_says_nothing_of_our_insides(self):
        self.sql("ALTER ROLE omni_app NOLOGIN")
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'omni_app'")
        result = self.call("session_get_or_create", {"phone_number": "+250788320006"})
        self.assertTrue(result["isError"])
        self.assertEqual(result["structuredContent"]["error"], {"code": "temp", "message": "temporarily unavailable, try again"})
        self.assertNotIn("omni_app", json.dumps(result))
        self.assertEqual(self.post_mcp(PING)[0], 200)


if __name__ == "__main__":
    unittest.main()
