"""The whole system on loopback for a test: scripts/serve with its own PostgreSQL, the lab in place of the providers.

A test class derives from SystemTest; the system starts once per class. Nothing here sleeps for luck: every wait is for
something that can be seen, with a deadline far above what it takes.
"""

import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("OMNI_BUILD_DIR", os.path.join(ROOT, "build"))
KEY = "service-role-key-of-the-tests"
MTN_SECRET = "mtn-webhook-secret-of-the-tests"
WA_SECRET = "wa-app-secret-of-the-tests"
WA_VERIFY = "wa-verify-token-of-the-tests"
OPENAI_SECRET = "whsec_dGhlIHZvaWNlIHdlYmhvb2sncyBzZWNyZXQgb2YgdGVzdHM="
DEADLINE_S = 60
REPLY_TO = "\nReply to 8080."  # how an SMS ends that answers none: its sender is a name


def request(base, method, path, body=None, headers=None, timeout=60):
    """One HTTP request; returns (status, headers, text)."""
    url = urllib.parse.urlsplit(base)
    conn = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        conn.request(method, path, body, headers or {})
        answer = conn.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
    finally:
        conn.close()


def signature(secret, body):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def first_lines(process, n, what):
    """The first n lines of a process's standard output, or a clear failure."""
    lines = []
    reader = threading.Thread(target=lambda: [lines.append(process.stdout.readline()) for _ in range(n)], daemon=True)
    reader.start()
    reader.join(300)
    if len(lines) < n or not all(lines):
        raise RuntimeError(f"{what} did not start: {lines}")
    return [line.strip() for line in lines]


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    process.stdout.close()
    return process.returncode


class SystemTest(unittest.TestCase):
    server = "lighttpd"
    options = []  # further options of scripts/serve
    env = {}      # further settings
    db_role = "superuser"

    @classmethod
    def setUpClass(cls):
        cls.state = tempfile.mkdtemp(prefix="omni-e2e-")
        os.chmod(cls.state, 0o755)
        secrets = {"SERVICE_ROLE_KEY": KEY, "MTN_WEBHOOK_SECRET": MTN_SECRET, "WA_APP_SECRET": WA_SECRET,
                   "WA_VERIFY_TOKEN": WA_VERIFY, "WHATSAPP_PHONE_ID": "1122334455", "SMS_SHORT_CODE": "8080"}
        plain = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MIGRATE_DATABASE_URL")}
        cls.lab_process = subprocess.Popen([os.path.join(BUILD, "tests/lab/lab")], env={**plain, **secrets},
                                           stdout=subprocess.PIPE, text=True)
        cls.serve_process = None
        try:
            cls.lab = first_lines(cls.lab_process, 1, "the lab")[0].split()[1]
            settings = {
                **secrets, "ALLOW_HTTP": "1", "OMNI_BUILD_DIR": BUILD,
                "MTN_SMS_API_URL": cls.lab + "/mtn/v1/sms/send", "MTN_SMS_API_KEY": "mtn-key", "MTN_SMS_API_SECRET": "mtn-secret",
                "WHATSAPP_API_URL": cls.lab + "/graph/v25.0", "WHATSAPP_ACCESS_TOKEN": "wa-token",
                "OPENAI_BASE_URL": cls.lab + "/openai/v1", "OPENAI_API_KEY": "agent-key",
                "OPENAI_WEBHOOK_SECRET": OPENAI_SECRET, "VOICE_BRIDGE_URL": cls.lab,
                "TURN_QUIET_MS": "50", "BACKOFF_SCALE": "0.05", "LEASE_S": "20", "UNKNOWN_HOLD_S": "3", "SUMMARY_WAIT_S": "1",
                **cls.env}
            cls.log = open(os.path.join(cls.state, "serve.err"), "w", encoding="utf-8")
            cls.serve_process = subprocess.Popen(
                [os.path.join(ROOT, "scripts/serve"), "--port", "0", "--server", cls.server, "--state", os.path.join(cls.state, "var"),
                 *cls.options], env={**plain, **settings}, stdout=subprocess.PIPE, stderr=cls.log, text=True)
            database, ready = first_lines(cls.serve_process, 2, f"scripts/serve (see {cls.state}/serve.err)")
            cls.database = database.split(" ", 1)[1]
            cls.base = ready.split()[1]
        except BaseException:
            cls.tearDownClass()
            raise
        cls.lab_json("POST", "/lab/config", {"target": cls.base})

    @classmethod
    def tearDownClass(cls):
        if cls.serve_process is not None:
            stop(cls.serve_process)
            cls.log.close()
        stop(cls.lab_process)
        reports = cls.sanitizer_reports()
        if os.environ.get("OMNI_KEEP_STATE") is None:
            shutil.rmtree(cls.state, ignore_errors=True)
        if reports:
            raise AssertionError("\n".join(reports))

    @classmethod
    def sanitizer_reports(cls):
        """What a sanitizer build's programs said of themselves; such a program may have been restarted unseen."""
        found = []
        folder = os.path.join(cls.state, "var/log")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                text = f.read()
            if "Sanitizer" in text or "runtime error:" in text:
                found.append(f"{name}:\n{text[-8000:]}")
        return found

    def setUp(self):
        self.lab_json("POST", "/lab/reset", {})

    # --- the lab -----------------------------------------------------------------------------------------------------

    @classmethod
    def lab_json(cls, method, path, body=None, timeout=60):
        status, _, text = request(cls.lab, method, path, None if body is None else json.dumps(body),
                                  {"Content-Type": "application/json"}, timeout)
        if status >= 300:
            raise RuntimeError(f"lab {method} {path}: {status} {text}")
        return json.loads(text) if text else {}

    @classmethod
    def phone(cls, number, count=1, since=0, wait_s=DEADLINE_S):
        """What this phone has received after message number 'since', once there are 'count' (or the wait is over)."""
        path = f"/lab/phones/{urllib.parse.quote(number)}?since={since}&count={count}&wait_ms={int(wait_s * 1000)}"
        return cls.lab_json("GET", path, timeout=wait_s + 30)["messages"]

    @classmethod
    def phone_does(cls, number, what, body):
        return cls.lab_json("POST", f"/lab/phones/{urllib.parse.quote(number)}/{what}", body, timeout=120)

    # --- the system --------------------------------------------------------------------------------------------------

    @classmethod
    def post(cls, path, body, headers=None):
        return request(cls.base, "POST", path, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def tool(cls, path, args, key=KEY):
        """An internal endpoint with the service key; returns (status, reply)."""
        status, _, text = cls.post(path, json.dumps(args), {"Authorization": f"Bearer {key}"})
        return status, json.loads(text)

    @classmethod
    def post_sms(cls, body, secret=MTN_SECRET):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return cls.post("/sms-inbound-webhook", raw, {"X-MTN-Signature": signature(secret, raw)})

    @classmethod
    def post_wa(cls, body, secret=WA_SECRET):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return cls.post("/wa-webhook-core", raw, {"X-Hub-Signature-256": "sha256=" + signature(secret, raw)})

    @classmethod
    def sql(cls, statement):
        """Rows as lists of texts."""
        done = subprocess.run(["psql", "-X", "-At", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-d", cls.database, "-c", statement],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    @classmethod
    def value(cls, statement):
        return cls.sql(statement)[0][0]

    def wait_for(self, statement, expected, wait_s=DEADLINE_S):
        """Until the statement's one value is the expected one; there may be no row yet."""
        deadline = time.monotonic() + wait_s
        while True:
            rows = self.sql(statement)
            found = rows[0][0] if rows else None
            if found == str(expected):
                return
            if time.monotonic() > deadline:
                self.fail(f"{statement}: {found}, not {expected}")
            time.sleep(0.05)

    @classmethod
    def pids(cls, program):
        with open(os.path.join(cls.state, "var/run", program + ".pid"), encoding="utf-8") as f:
            return [int(line) for line in f.read().split()]

    @classmethod
    def retry(cls, **settings):
        """One run of message-retry with the environment scripts/serve wrote, as cron would run it."""
        script = 'set -a; . "$0"; set +a; ' + "".join(f"{k}={v} " for k, v in settings.items()) + 'exec "$1"'
        return subprocess.run(["bash", "-c", script, os.path.join(cls.state, "var/env"),
                               os.path.join(BUILD, "handlers/message-retry")],
                              capture_output=True, text=True, timeout=120, check=False)


def in_parallel(jobs):
    """Runs the callables at the same moment; returns their results in order."""
    results = [None] * len(jobs)
    gate = threading.Barrier(len(jobs))

    def run(i):
        gate.wait()
        results[i] = jobs[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results
