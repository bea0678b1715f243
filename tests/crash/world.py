"""A system whose programs can be killed, and the outside world around it: gateways that come again until they are answered."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from harness import BUILD, KEY, MTN_SECRET, WA_SECRET, request, signature  # noqa: E402
from test_spool import SpoolTest  # noqa: E402
from test_voice import standard_webhook, webhook  # noqa: E402

GIVE_UP_S = 60
AWAY_PAUSE_S = 1.1  # a program that found the database away does not ask it again for a second
OPEN = ("SELECT (SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending', 'unknown', 'sent')), "
        "(SELECT count(*) FROM message_delivery_log WHERE awaits_turn) + (SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at "
        "IS NOT NULL) + (SELECT count(*) FROM call_summaries WHERE merged_into IS NULL AND (end_seen_at IS NULL OR notify_due_at IS NOT NULL "
        "OR summarise_due_at IS NOT NULL)) + (SELECT count(*) FROM call_actions WHERE finished_at IS NULL)")


def whatsapp_body(value):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"}, **value}}]}]}


class World(SpoolTest):
    """The system without its worker: who works, and who dies, is the test's business."""
    options = ["--no-worker"]
    times = {"LEASE_S": "2", "UNKNOWN_HOLD_S": "1", "BACKOFF_SCALE": "0.02", "FAILOVER_AFTER_S": "600", "SUMMARY_WAIT_S": "1",
             "AGENT_TIMEOUT_S": "10", "TURN_QUIET_MS": "20"}

    @classmethod
    def begin(cls, **settings):
        cls.folder = tempfile.mkdtemp(prefix="omni-crash-")
        cls.armed = os.path.join(cls.folder, "armed")
        cls.env = {**cls.times, "CRASH_AT": "@" + cls.armed, **settings}
        cls.running = []
        cls.redelivered = 0
        cls.setUpClass()

    @classmethod
    def end(cls):
        for process in cls.running:
            process.kill()
            process.wait()
        cls.tearDownClass()
        if os.path.exists(cls.armed):
            os.unlink(cls.armed)
        os.rmdir(cls.folder)

    # --- who dies ----------------------------------------------------------------------------------------------------

    @classmethod
    def arm(cls, what):
        with open(cls.armed + ".new", "w", encoding="utf-8") as f:
            f.write(what + "\n")
        os.rename(cls.armed + ".new", cls.armed)

    @classmethod
    def has_died(cls):
        return not os.path.exists(cls.armed)

    @classmethod
    def disarm(cls):
        if os.path.exists(cls.armed):
            os.unlink(cls.armed)

    @classmethod
    def run_program(cls, name, **settings):
        script = 'set -a; . "$0"; set +a; ' + "".join(f"export {k}={v}; " for k, v in settings.items()) + 'exec "$1"'
        process = subprocess.Popen(["bash", "-c", script, os.path.join(cls.state, "var/env"), os.path.join(BUILD, "handlers", name)],
                                   stdout=subprocess.DEVNULL, stderr=open(os.path.join(cls.state, "var/log", name + ".log"), "ab"))
        cls.running.append(process)
        return process

    @classmethod
    def reap(cls, process, sig=None):
        if sig is not None:
            process.send_signal(sig)
        process.wait(60)
        cls.running.remove(process)
        return process.returncode

    @classmethod
    def go_on(cls):
        """Keeps the jobs going while a scenario waits; whoever drives the world puts its own in this place."""

    @classmethod
    def await_value(cls, statement, expected):
        deadline = time.monotonic() + GIVE_UP_S
        while cls.value(statement) != expected:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{statement}: {cls.value(statement)}, not {expected}")
            cls.go_on()
            time.sleep(0.05)

    # --- gateways, callers, receipts: all come again until they are answered --------------------------------------------

    @classmethod
    def insist(cls, path, body, headers):
        raw = json.dumps(body).encode()
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                status, _, text = request(cls.base, "POST", path, raw, {"Content-Type": "application/json", **headers(raw)}, 30)
            except (OSError, http.client.HTTPException):
                status, text = 0, ""
            if status in (200, 202):
                return json.loads(text)
            if 400 <= status < 500 or time.monotonic() > deadline:
                raise RuntimeError(f"{path}: {status} {text}")
            cls.redelivered += 1
            time.sleep(0.1)

    @classmethod
    def call_tool(cls, path, args):
        return cls.insist(path, args, lambda raw: {"Authorization": "Bearer " + KEY})

    @classmethod
    def call_mcp(cls, name, args):
        reply = cls.insist("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": args}},
                           lambda raw: {"Authorization": "Bearer " + KEY, "Accept": "application/json, text/event-stream"})
        if "result" not in reply or reply["result"].get("isError"):
            raise RuntimeError(f"{name}: {reply}")

    @classmethod
    def fetch(cls, path):
        """A page, until a program of ours has answered and not the web server."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                _, _, text = request(cls.base, "GET", path, None, {"Authorization": "Bearer " + KEY}, 30)
                return json.loads(text)
            except (OSError, http.client.HTTPException, ValueError) as e:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{path}: {e}") from e
            cls.redelivered += 1
            time.sleep(0.1)

    @classmethod
    def send_sms(cls, number, text, message_id):
        return cls.insist("/sms-inbound-webhook", {"from": number, "to": "8080", "message": text, "messageId": message_id},
                          lambda raw: {"X-MTN-Signature": signature(MTN_SECRET, raw)})

    @classmethod
    def wa_hook(cls, value):
        return cls.insist("/wa-webhook-core", whatsapp_body(value), lambda raw: {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})

    @classmethod
    def send_whatsapp(cls, number, text, message_id):
        return cls.wa_hook({"contacts": [{"profile": {"name": "Aline"}, "wa_id": number[1:]}], "messages": [
            {"id": message_id, "from": number[1:], "timestamp": str(int(time.time())), "type": "text", "text": {"body": text}}]})

    @classmethod
    def call_hook(cls, *calls):
        return cls.insist("/wa-webhook-voice-calls", webhook(*calls), lambda raw: {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, raw)})

    @classmethod
    def sip_hook(cls, event):
        return cls.insist("/openai-sip-webhook", event, lambda raw: standard_webhook("wh_" + event["data"]["call_id"], raw, int(time.time())))

    @classmethod
    def tell_transcript(cls, number, call_id, text):
        deadline = time.monotonic() + GIVE_UP_S
        while cls.phone_does(number, "whatsapp-call", {"event": "call_transcription_available", "call_id": call_id,
                                                       "transcript": text})["statuses"] != [200]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the transcript of {call_id} is not taken")
            cls.redelivered += 1
            time.sleep(0.1)

    @classmethod
    def report(cls, number, message):
        """The gateway's word on one message that a phone has, or could not be brought to it."""
        good = message["delivered"]
        if message["channel"] == "sms":
            cls.insist("/sms-status-webhook", {"messageId": message["provider_message_id"], "reference": message["reference"],
                                               "status": "DELIVERED" if good else "UNDELIVERED", "timestamp": "2026-01-05T10:00:00Z"},
                       lambda raw: {"X-MTN-Signature": signature(MTN_SECRET, raw)})
            return
        for word in ("sent", "delivered") if good else ("failed",):
            status = {"id": message["provider_message_id"], "status": word, "timestamp": str(int(time.time())),
                      "recipient_id": number[1:], "biz_opaque_callback_data": message["reference"]}
            if word == "failed":
                status["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
            cls.wa_hook({"statuses": [status]})

    @classmethod
    def report_all(cls, told):
        for number in cls.lab_json("GET", "/lab/phones")["phones"]:
            for message in cls.phone(number, wait_s=0):
                if message["seq"] not in told:
                    cls.report(number, message)
                    told.add(message["seq"])

    @classmethod
    def settle(cls):
        """After the database was away: without this the next events queue in the spool for some seconds, as they should."""
        mark = os.path.join(cls.spool_dir(), ".away")
        if os.path.exists(mark):
            os.unlink(mark)
            time.sleep(AWAY_PAUSE_S)

    @classmethod
    def is_open(cls):
        return cls.waiting() != [] or cls.sql(OPEN)[0] != ["0", "0"]


class QuickWorld(World):
    """Its statements go through one psql instead of one each. Not for a database that is killed."""
    END = "-- end of what was asked"
    session = None

    @classmethod
    def sql(cls, statement):
        if cls.session is None:
            cls.session = subprocess.Popen(["psql", "-X", "-q", "-At", "-F", "\x1f", "-d", cls.database], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        cls.session.stdin.write(f"{statement};\n\\echo '{cls.END}'\n")
        cls.session.stdin.flush()
        lines = []
        for line in cls.session.stdout:
            if line.rstrip("\n") == cls.END:
                break
            lines.append(line.rstrip("\n"))
        wrong = [line for line in lines if line.startswith(("ERROR:", "FATAL:", "psql:"))]
        if wrong or cls.session.poll() is not None:
            raise RuntimeError("; ".join(wrong) or "psql has ended")
        return [line.split("\x1f") for line in lines]

    @classmethod
    def end(cls):
        if cls.session is not None:
            cls.session.stdin.close()
            cls.session.stdout.close()
            cls.session.wait(60)
        super().end()


def quiet(process):
    """Ends a job that has nothing in hand."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(60)
