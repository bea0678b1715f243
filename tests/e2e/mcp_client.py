"""What the tests of /mcp share: one POST, JSON-RPC around it, and bound tokens made with the tests' own hands."""

import base64
import hashlib
import hmac
import json
import time

import harness

LATEST = "2025-11-25"


def url64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def bound_token(tools, profile_id, session_id="", call_id="", expires_in_s=600, secret=harness.KEY):
    payload = url64(json.dumps({"profile_id": profile_id, "session_id": session_id, "call_id": call_id, "turn_id": "", "turn_token": 0,
                                "tools": ",".join(tools), "exp": int(time.time()) + expires_in_s}).encode())
    return (payload + b"." + url64(hmac.new(secret.encode(), payload, hashlib.sha256).digest())).decode()


class McpTest(harness.SystemTest):
    @classmethod
    def post_mcp(cls, body, token=harness.KEY, method="POST", **headers):
        """One request to /mcp; returns (status, headers, text). A header given as None is left out."""
        raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
        sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": LATEST,
                "Authorization": None if token is None else f"Bearer {token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return harness.request(cls.base, method, "/mcp", raw, {k: v for k, v in sent.items() if v is not None})

    @classmethod
    def rpc(cls, method, params=None, token=harness.KEY):
        """The result of one request, which must be one."""
        status, _, text = cls.post_mcp({"jsonrpc": "2.0", "id": "a-1", "method": method, **({} if params is None else {"params": params})}, token)
        answer = json.loads(text)
        if status != 200 or answer["id"] != "a-1" or "result" not in answer:
            raise RuntimeError(f"{method}: {status} {text}")
        return answer["result"]

    @classmethod
    def call(cls, name, arguments, token=harness.KEY):
        return cls.rpc("tools/call", {"name": name, "arguments": arguments}, token)

    @classmethod
    def person(cls, number):
        """A person with an open conversation: (profile_id, session_id)."""
        reply = cls.call("session_get_or_create", {"phone_number": number, "primary_channel": "sms"})["structuredContent"]
        return reply["profile_id"], reply["session_id"]
