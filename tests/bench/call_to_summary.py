"""From the end of a call to the first message that a provider has accepted: seconds, over scripts/serve and the lab.

Each way a call can end has CALLS calls (BENCH_CALLS, 200), one after the other, whose text is known before. "ours" is what is left when
the lab's own time for one send is taken off: connection, answer, and what Python needs for it.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import BUILD, KEY, ROOT, WA_SECRET, SystemTest, request, signature  # noqa: E402

CALLS = int(os.environ.get("BENCH_CALLS", "200"))
TEXT = ["You look for a two-bedroom house in Kimironko", "Your budget is 300k a month"]


class Calls(SystemTest):
    env = {"LEASE_S": "90", "UNKNOWN_HOLD_S": "90", "BACKOFF_SCALE": "1", "SUMMARY_WAIT_S": "6", "TURN_QUIET_MS": "1500"}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def told(number, began):
    """Seconds until the phone's first message; the lab's clock is ours."""
    [first, *_] = Calls.phone(number)
    return first["at_ms"] / 1000 - began


def make(kind, i):
    """A call whose text is known and whose end is not; its id and its number."""
    call_id, number = f"{kind}-{i}", f"+2507{81 + len(kind) % 9:02}{100000 + i}"
    channel = "whatsapp" if kind == "whatsapp-terminate" else "sip"
    status, reply = Calls.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "channel": channel, "bullets": TEXT})
    if status not in (200, 202):
        raise SystemExit(f"call_log_summary: {status} {reply}")
    return call_id, number


def notify(call_id, number, **more):
    status, reply = Calls.tool("/post-call-notify", {"call_id": call_id, "answered": True, **more})
    if status not in (200, 202):
        raise SystemExit(f"post-call-notify: {status} {reply}")


def end_waiting(call_id, number):
    notify(call_id, number)


def end_at_once(call_id, number):
    notify(call_id, number, wait=False)


def end_by_hook(call_id, number):
    settings = {"OMNI_URL": Calls.base, "OMNI_KEY_FILE": os.path.join(Calls.state, "key"), "OMNI_SPOOL": Calls.state}
    subprocess.run([os.path.join(ROOT, "scripts/hooks/call-ended"), f"call_id={call_id}", f"caller={number}", "answered=1"],
                   env={"PATH": os.environ["PATH"], "OMNI_HOOK_CONF": "/dev/null", **settings}, check=True)


def end_on_whatsapp(call_id, number):
    now = int(time.time())
    call = {"id": call_id, "from": number[1:], "to": "250788000000", "event": "terminate", "timestamp": str(now),
            "direction": "USER_INITIATED", "status": "COMPLETED", "start_time": str(now - 60), "end_time": str(now), "duration": 60}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "calls", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"}, "calls": [call],
        "contacts": [{"profile": {"name": "Aline"}, "wa_id": number[1:]}]}}]}]}).encode()
    status, _, text = Calls.post("/wa-webhook-voice-calls", body, {"X-Hub-Signature-256": "sha256=" + signature(WA_SECRET, body)})
    if status != 200:
        raise SystemExit(f"wa-webhook-voice-calls: {status} {text}")


def lab_alone():
    """One accepted send of the lab, asked by this script: the median."""
    body = {"sender": "EasyMO", "recipient": "+250788999999", "message": "; ".join(TEXT), "reference": ""}
    headers = {"Authorization": "Bearer k", "X-API-Secret": "s", "Content-Type": "application/json"}
    times = []
    for _ in range(CALLS):
        began = time.monotonic()
        request(Calls.lab, "POST", "/mtn/v1/sms/send", json.dumps(body), headers)
        times.append(time.monotonic() - began)
    return percentile(times, 0.5)


def measure(kind, end, bare):
    calls = [make(kind, i) for i in range(CALLS)]
    seconds = []
    for call_id, number in calls:
        began = time.time()
        end(call_id, number)
        seconds.append(told(number, began))
    p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
    return {"calls": CALLS, "p50_ms": round(1000 * p50, 1), "p95_ms": round(1000 * p95, 1),
            "ours_p50_ms": round(1000 * max(0, p50 - bare), 1), "ours_p95_ms": round(1000 * max(0, p95 - bare), 1)}


def main():
    Calls.setUpClass()
    try:
        Calls.lab_json("POST", "/lab/config", {"receipts": False})
        with open(os.path.join(Calls.state, "key"), "w", encoding="ascii") as f:
            f.write(KEY + "\n")
        bare = lab_alone()
        ways = {"notify": end_waiting, "notify-no-wait": end_at_once, "pbx-hook": end_by_hook}
        if os.path.exists(os.path.join(BUILD, "handlers/wa-webhook-voice-calls")):
            ways["whatsapp-terminate"] = end_on_whatsapp
        results = {kind: measure(kind, end, bare) for kind, end in ways.items()}
        results["lab-alone"] = {"p50_ms": round(1000 * bare, 1)}
    finally:
        Calls.tearDownClass()
    if "--json" in sys.argv:
        print(json.dumps(results))
        return
    for name, figures in results.items():
        print(f"{name:20}", "  ".join(f"{k} {v}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
