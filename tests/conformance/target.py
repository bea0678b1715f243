"""The server under test, as the stories see it: its webhooks and tools over HTTP, the lab behind it, and, where they were
given, its database, its state folder and its job for cron. A story that needs what was not given is skipped.

Every number, id and text comes from one seeded generator, and every text carries the run's marker, so that a run can be
repeated and anything personal that gets into a log can be found there.
"""

import glob
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "e2e"))
from harness import in_parallel, request, signature  # noqa: E402  (one harness for all tests of the whole system)

DEADLINE_S = 90
GATEWAY_NAMES = {"sms": "mtn", "whatsapp": "meta"}


class Failed(Exception):
    """The server did something else than the story demands."""


class Skipped(Exception):
    """What the story needs was not given."""


def expect(holds, what):
    if not holds:
        raise Failed(what)


def same(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def until(what, found, wait_s=DEADLINE_S):
    """Polls until found() is true; returns it. What is awaited can be seen, so this is a deadline and not a sleep."""
    deadline = time.monotonic() + wait_s
    while True:
        value = found()
        if value:
            return value
        expect(time.monotonic() < deadline, f"{what}: not within {wait_s} s")
        time.sleep(0.05)


class Target:
    def __init__(self, base, lab_url, secrets, seed, database="", state="", job=""):
        self.base, self.lab_url, self.secrets = base, lab_url, secrets
        self.database, self.state, self.job = database, state, job
        self.seed, self.random = seed, random.Random(seed)
        self.marker = f"zq{self.random.getrandbits(32):08x}"  # in every text and name
        self.tag = f"cf{self.random.getrandbits(32):08x}"     # in every id
        self.numbers = []   # every person of this run
        self.accepted = []  # every inbound message that was answered 200: (provider, external id)

    def reseed(self, title):
        """A story draws the same numbers whatever was played before it."""
        self.random = random.Random(f"{self.seed} {title}")

    # --- people, ids, texts ------------------------------------------------------------------------------------------

    def person(self):
        while True:
            number = f"+25078{self.random.randrange(10 ** 7):07}"
            if number not in self.numbers:
                self.numbers.append(number)
                return number

    def people(self, n):
        return [self.person() for _ in range(n)]

    def id(self, word):
        return f"{self.tag}-{word}-{self.random.getrandbits(40):010x}"

    def say(self, text):
        return f"{text} {self.marker}"

    # --- the webhooks and tools --------------------------------------------------------------------------------------

    def post(self, path, raw, headers=None, timeout=30):
        """(status, text); status 0 when no answer came."""
        try:
            status, _, text = request(self.base, "POST", path, raw, {"Content-Type": "application/json", **(headers or {})}, timeout)
            return status, text
        except (OSError, http.client.HTTPException):
            return 0, ""

    def post_sms(self, body, path="/sms-inbound-webhook"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post(path, raw, {"X-MTN-Signature": signature(self.secrets["mtn"], raw)})[0]

    def post_wa(self, body):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post("/wa-webhook-core", raw, {"X-Hub-Signature-256": "sha256=" + signature(self.secrets["wa"], raw)})[0]

    def sms(self, number, text, message_id=None, exact=False):
        """One inbound SMS; its id when it was answered 200, else Failed."""
        message_id = message_id or self.id("sms")
        said = text if exact else self.say(text)
        status = self.post_sms({"from": number, "to": "8080", "message": said, "messageId": message_id})
        same(status, 200, "the SMS webhook's answer")
        self.accepted.append(("mtn", message_id))
        return message_id

    def wa_message(self, number, text, message_id):
        return {"id": message_id, "from": number[1:], "timestamp": str(int(time.time())), "type": "text",
                "text": {"body": self.say(text)}}

    def wa_value(self, messages):
        return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": self.secrets["phone_id"]},
                "contacts": [{"profile": {"name": f"Aline {self.marker}"}, "wa_id": m["from"]} for m in messages], "messages": messages}

    def wa_body(self, number, text, message_id):
        change = {"field": "messages", "value": self.wa_value([self.wa_message(number, text, message_id)])}
        return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}

    def wa(self, number, text):
        message_id = "wamid." + self.id("wa")
        same(self.post_wa(self.wa_body(number, text, message_id)), 200, "the WhatsApp webhook's answer")
        self.accepted.append(("meta", message_id))
        return message_id

    def wa_status(self, wamid, number, word, at, code=None):
        """What Meta reports of a message we sent."""
        status = {"id": wamid, "status": word, "timestamp": str(int(at)), "recipient_id": number[1:]}
        if code is not None:
            status["errors"] = [{"code": code, "title": "not delivered"}]
        value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": self.secrets["phone_id"]}, "statuses": [status]}
        body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
        same(self.post_wa(body), 200, f"the answer to a report '{word}'")

    def tool(self, path, args):
        status, text = self.post(path, json.dumps(args).encode(), {"Authorization": "Bearer " + self.secrets["key"]}, 60)
        return status, json.loads(text) if text else {}

    def call(self, number, call_id, **more):
        """The voice agent's report of a call that has ended."""
        return self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "ended": True,
                                                     "bullets": [self.say("A house in Kimironko"), "300k a month"], **more})

    def reported(self, call_id, channel):
        """What the server says of a call's message on this channel; a repeated trigger sends nothing and answers this."""
        _, reply = self.tool("/post-call-notify", {"call_id": call_id})
        return next((c for c in reply.get("channels", []) if c["channel"] == channel), {})

    # --- the lab -----------------------------------------------------------------------------------------------------

    def lab(self, method, path, body=None, timeout=60):
        status, _, text = request(self.lab_url, method, path, None if body is None else json.dumps(body),
                                  {"Content-Type": "application/json"}, timeout)
        if status >= 300:
            raise RuntimeError(f"lab {method} {path}: {status} {text}")
        return json.loads(text) if text else {}

    def phone(self, number, count=1, since=0, wait_s=DEADLINE_S, channel=None):
        """What this phone received after number 'since', once there are 'count' messages; fewer when the wait is over."""
        path = f"/lab/phones/{urllib.parse.quote(number)}?since={since}&count={count}&wait_ms={int(wait_s * 1000)}"
        got = self.lab("GET", path, timeout=wait_s + 30)["messages"]
        return [m for m in got if channel in (None, m["channel"])]

    def gets(self, number, count, since=0):
        got = self.phone(number, count, since)
        expect(len(got) >= count, f"a phone waits for {count} messages and has {len(got)}")
        return got

    def greet(self, number):
        """The person writes on WhatsApp and is answered: the window is open. Returns the answer's sequence number."""
        self.wa(number, "Muraho")
        return self.gets(number, 1)[-1]["seq"]

    def fault(self, channel, fault, number, **more):
        """For the sends to this number only; 'agent' instead of a channel: for the turns with this text."""
        provider = GATEWAY_NAMES.get(channel, channel)
        self.lab("POST", "/lab/faults", {"provider": provider, "fault": fault, "match": number.lstrip("+"), **more})

    def receipts(self, wanted):
        self.lab("POST", "/lab/config", {"receipts": wanted})

    def requests(self, provider):
        return self.lab("GET", f"/lab/requests?provider={provider}&limit=2000")["requests"]

    # --- the database, the state folder, the job -----------------------------------------------------------------------

    def need(self, *what):
        for name in what:
            if not getattr(self, name):
                raise Skipped({"database": "no database given", "state": "no state folder given", "job": "no message-retry given"}[name])

    def sql(self, statement):
        """Rows as lists of texts."""
        self.need("database")
        done = subprocess.run(["psql", "-X", "-qAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", statement],
                              capture_output=True, text=True, check=False, env={**os.environ, "PGCONNECT_TIMEOUT": "5"})
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def value(self, statement):
        return self.sql(statement)[0][0]

    def pids(self, name):
        self.need("state")
        with open(os.path.join(self.state, "run", name + ".pid"), encoding="utf-8") as f:
            return [int(line) for line in f.read().split()]

    def stopped_worker(self):
        return StoppedWorker(self)

    def start_job(self):
        """One run of message-retry, as cron would start it."""
        script = 'set -a; . "$0"; set +a; exec "$1"'
        return subprocess.Popen(["bash", "-c", script, os.path.join(self.state, "env"), self.job],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def logs(self):
        return glob.glob(os.path.join(self.state, "log", "*")) if self.state else []


class StoppedWorker:
    """The worker's processes stand still inside the with block."""

    def __init__(self, target):
        self.target = target

    def __enter__(self):
        self.stopped = self.target.pids("message-worker")
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *exception):
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


__all__ = ["DEADLINE_S", "Failed", "Skipped", "Target", "expect", "in_parallel", "same", "signature", "until"]
