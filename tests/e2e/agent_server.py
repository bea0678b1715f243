"""A language model of the tests' own: chat completions over HTTP, each answer made by a Python function from the request.

The lab's agent plays scripts; this one reads. What it says can be only what its prompt held, so a right answer proves the prompt.
"""

import http.server
import json
import threading


def text_of(body):
    """All that the model was given to read, as one text."""
    return "\n".join(m.get("content") or "" for m in body["messages"])


def last_user(body):
    return next((m["content"] for m in reversed(body["messages"]) if m["role"] == "user"), "")


def say(text):
    return {"role": "assistant", "content": text}


def call_tools(*calls):
    """calls: (name, arguments)."""
    return {"role": "assistant", "content": None, "tool_calls": [
        {"id": f"call_{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        for i, (name, args) in enumerate(calls)]}


class AgentServer:
    """answer(body) -> the assistant's message; runs in threads. Every request is kept in .requests."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.requests.append(body)
                message = owner.answer(body)
                reason = "tool_calls" if message.get("tool_calls") else "stop"
                raw = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body.get("model", ""),
                                  "choices": [{"index": 0, "finish_reason": reason, "message": message}],
                                  "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 512

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
