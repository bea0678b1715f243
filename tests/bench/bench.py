"""Benchmarks over scripts/serve and the lab on this machine: a table, and with --json one JSON object.

Absolute figures are this machine's; compare runs of one machine only. The inbound rate is also given as a share of what pgbench
reaches with the same database function, called once per message by as many connections, in the same run.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import MTN_SECRET, SystemTest, signature  # noqa: E402

ROWS = int(os.environ.get("BENCH_ROWS", "5000"))
INBOUND = int(os.environ.get("BENCH_INBOUND", "4000"))
CLIENTS = 8


class Bench(SystemTest):
    options = ["--no-worker"]
    env = {"TURN_QUIET_MS": "60000"}


def delivery():
    """Due rows drained by one message-retry."""
    Bench.lab_json("POST", "/lab/config", {"receipts": False})
    Bench.sql(f"""
        WITH p AS (INSERT INTO profiles (phone_number) SELECT '+25078' || (1000000 + i) FROM generate_series(1, {ROWS}) i
                   RETURNING user_id, phone_number),
        s AS (INSERT INTO omnichannel_sessions (profile_id, primary_channel) SELECT user_id, 'sms' FROM p RETURNING id, profile_id)
        INSERT INTO message_delivery_log (session_id, profile_id, channel, message_type, provider, content, recipient_phone, status, next_attempt_at)
        SELECT s.id, s.profile_id, 'sms', 'summary', 'mtn', 'EasyMO: two rooms in Kimironko, 300k a month.', p.phone_number, 'pending', now()
          FROM s JOIN p ON p.user_id = s.profile_id""")
    Bench.sql("ANALYZE")
    began = time.monotonic()
    done = Bench.retry()
    seconds = time.monotonic() - began
    sent = int(Bench.value("SELECT count(*) FROM message_delivery_log WHERE status = 'sent'"))
    if done.returncode != 0 or sent != ROWS:
        raise SystemExit(f"delivery: {sent} of {ROWS} sent, exit {done.returncode}: {done.stderr[-500:]}")
    return {"rows": ROWS, "seconds": round(seconds, 2), "sends_per_s": round(ROWS / seconds)}


def inbound():
    """Signed SMS of different people, posted by CLIENTS connections at once."""
    url = urllib.parse.urlsplit(Bench.base)
    times = []
    lock = threading.Lock()

    def client(k):
        mine = []
        conn = http.client.HTTPConnection(url.hostname, url.port)
        for i in range(k, INBOUND, CLIENTS):
            body = json.dumps({"from": f"+25079{1000000 + i}", "to": "8080", "message": "Muraho, ndashaka inzu", "messageId": f"bench-{i}"}).encode()
            began = time.monotonic()
            conn.request("POST", "/sms-inbound-webhook", body, {"Content-Type": "application/json", "X-MTN-Signature": signature(MTN_SECRET, body)})
            answer = conn.getresponse()
            answer.read()
            mine.append(time.monotonic() - began)
            if answer.status != 200:
                raise SystemExit(f"inbound: {answer.status}")
        with lock:
            times.extend(mine)

    threads = [threading.Thread(target=client, args=(k,)) for k in range(CLIENTS)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds = time.monotonic() - began
    times.sort()
    return {"messages": INBOUND, "per_s": round(INBOUND / seconds), "p50_ms": round(1000 * times[len(times) // 2], 1),
            "p99_ms": round(1000 * times[len(times) * 99 // 100], 1)}


def database():
    """The same function called by pgbench: what the database alone can do."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as f:
        f.write("\\set i random(1, 1000000000)\n"
                "SELECT * FROM record_inbound_message('sms', 'mtn', 'pgbench-' || :i || '-' || :client_id || clock_timestamp(), '+25072' || (1000000 + :i % 8999999), NULL, NULL, NULL, "
                "'Muraho, ndashaka inzu', now(), '{}', '', NULL, true, 60000, ARRAY[uuid_v7(), uuid_v7(), uuid_v7()]);\n")
        f.flush()
        os.chmod(f.name, 0o644)
        done = subprocess.run(["/usr/lib/postgresql/15/bin/pgbench", "-n", "-M", "prepared", "-c", "4", "-j", "1", "-T", "5", "-f", f.name, Bench.database],
                              capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("tps"):
            return {"tps": round(float(line.split()[2]))}
    raise SystemExit("pgbench: " + done.stderr)


def memory():
    """Private memory of the waiting programs, in KiB."""
    total = 0
    worst = 0
    for name in os.listdir(os.path.join(Bench.state, "var/run")):
        program, kind = os.path.splitext(name)
        if kind != ".pid" or program in ("serve", "postgresql", "lighttpd", "apache"):
            continue
        for pid in Bench.pids(program):
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
                fields = {line.split(":")[0]: int(line.split()[1]) for line in f if line.split(":")[0] in ("Pss", "Private_Dirty", "Private_Clean")}
            total += fields["Pss"]
            worst = max(worst, fields["Private_Dirty"] + fields["Private_Clean"])
    return {"pss_of_all_kib": total, "largest_private_kib": worst}


def main():
    Bench.setUpClass()
    try:
        results = {"inbound": inbound(), "database": database(), "memory": memory(), "delivery": delivery()}
    finally:
        Bench.tearDownClass()
    results["inbound"]["share_of_database"] = round(results["inbound"]["per_s"] / results["database"]["tps"], 2)
    if "--json" in sys.argv:
        print(json.dumps(results))
        return
    for name, figures in results.items():
        print(f"{name:10}", "  ".join(f"{k} {v}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
