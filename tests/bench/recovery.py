"""How long it takes until all goes on after a part was away, with the settings of production and five SMS a second coming in: a table.

first: the first message that leaves after the part is back. backlog: all that people had written until then is answered. Rows:
PostgreSQL stopped at once (immediate), five seconds down, started; the SMS provider answering 503 for a minute; the worker killed,
started again by its supervision; the worker killed and nobody there, message-retry running once a minute like cron.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from harness import BUILD, MTN_SECRET, SystemTest, request, signature  # noqa: E402

PER_S = 5
GIVE_UP_S = 400
DOWN_S = float(os.environ.get("BENCH_DOWN_S", "5"))
OUTAGE_S = float(os.environ.get("BENCH_OUTAGE_S", "60"))
CRON_S = 60
COLUMNS = ("first_stored_s", "first_s", "backlog_s", "waiting", "attempts_spent", "written", "refused", "duplicates")
DEFAULTS = {"LEASE_S": "90", "UNKNOWN_HOLD_S": "90", "BACKOFF_SCALE": "1", "SUMMARY_WAIT_S": "6", "TURN_QUIET_MS": "1500"}


class Database:
    """A PostgreSQL that the system only has the address of, so that it can be stopped without being started again."""

    def __init__(self):
        self.bin = "/usr/lib/postgresql/" + max(os.listdir("/usr/lib/postgresql"), key=float) + "/bin/"
        self.folder = tempfile.mkdtemp(prefix="omni-recovery-", dir="/var/tmp")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-D", self.folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8")
        self.start()
        self.owner = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        self.application = f"host=127.0.0.1 port={self.port} user=programs dbname=postgres"
        subprocess.run(["psql", "-Xq", "-d", self.owner, "-c", "CREATE ROLE omni_app NOLOGIN; CREATE ROLE programs LOGIN IN ROLE omni_app"],
                       check=True)

    def run(self, program, *arguments):
        user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        subprocess.run([*user, self.bin + program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self):
        self.run("pg_ctl", "-D", self.folder + "/data", "-w", "-l", self.folder + "/log", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}", "start")

    def stop(self):
        self.run("pg_ctl", "-D", self.folder + "/data", "-m", "immediate", "stop")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)


class System(SystemTest):
    env = DEFAULTS


class Unwatched(SystemTest):
    env = DEFAULTS
    options = ["--no-worker"]


class Traffic:
    """SMS of ever new people until it is stopped."""

    serial = 0

    def __init__(self, system):
        self.system, self.written, self.refused, self.done = system, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.wait(1 / PER_S):
            Traffic.serial += 1
            number = f"+25078{2000000 + Traffic.serial}"
            body = json.dumps({"from": number, "to": "8080", "message": "Ndashaka inzu", "messageId": f"recovery-{Traffic.serial}"}).encode()
            status = request(self.system.base, "POST", "/sms-inbound-webhook", body,
                             {"Content-Type": "application/json", "X-MTN-Signature": signature(MTN_SECRET, body)})[0]
            self.refused += status != 200
            self.written.append(number)

    def stop(self):
        self.done.set()
        self.thread.join()


def phones(system):
    return system.lab_json("GET", "/lab/phones")


def until(condition):
    """Seconds until the condition holds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > GIVE_UP_S:
            raise SystemExit("recovery: not within %d s" % GIVE_UP_S)
        time.sleep(0.02)
    return time.monotonic() - began


def recovered(system, traffic):
    """The figures from now on."""
    waiting = set(traffic.written)
    sent = phones(system)["messages"]
    open_now = len(waiting - phones(system)["phones"].keys())
    first = until(lambda: phones(system)["messages"] > sent)
    backlog = first + until(lambda: waiting <= phones(system)["phones"].keys())
    return {"first_s": round(first, 2), "backlog_s": round(backlog, 2), "waiting": open_now}


def finish(system, traffic, row):
    """Until everybody who wrote has an answer."""
    traffic.stop()
    until(lambda: set(traffic.written) <= phones(system)["phones"].keys())
    print("recovery:", row, file=sys.stderr)
    return {**row, "written": len(traffic.written), "refused": traffic.refused, "duplicates": phones(system)["duplicates"]}


def begin(system, warm_s=5):
    system.lab_json("POST", "/lab/reset", {})
    traffic = Traffic(system)
    time.sleep(warm_s)
    return traffic


def postgres(system, database):
    traffic = begin(system)
    database.stop()
    time.sleep(DOWN_S)
    database.start()
    up = time.monotonic()
    stored = int(system.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'inbound'"))
    row = {"first_stored_s": 0.0}
    watch = threading.Thread(target=lambda: row.update(first_stored_s=round(time.monotonic() - up + until(
        lambda: int(system.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'inbound'")) > stored), 2)))
    watch.start()
    row.update(recovered(system, traffic))
    watch.join()
    return finish(system, traffic, row)


def provider(system):
    system.lab_json("POST", "/lab/config", {"receipts": True})
    traffic = begin(system)
    system.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "503", "times": -1})
    time.sleep(OUTAGE_S)
    refused = system.lab_json("GET", "/lab/stats")["providers"]["mtn"]["refused"]
    system.lab_json("DELETE", "/lab/faults")
    row = recovered(system, traffic)
    return finish(system, traffic, {**row, "attempts_spent": refused})


def kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def watched_worker(system):
    traffic = begin(system, 0)
    system.lab_json("POST", "/lab/agent", {"delay_ms": 2000})  # so that turns are under way
    time.sleep(6)
    kill(system.pids("message-worker"))
    row = recovered(system, traffic)
    return finish(system, traffic, row)


def program(system, name):
    return subprocess.Popen(["bash", "-c", 'set -a; . "$0"; set +a; exec "$1"', os.path.join(system.state, "var/env"),
                             os.path.join(BUILD, "handlers", name)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def lone_worker(system):
    worker = program(system, "message-worker")
    traffic = begin(system, 0)
    system.lab_json("POST", "/lab/agent", {"delay_ms": 2000})
    time.sleep(6)
    kill([worker.pid])
    worker.wait()
    over = threading.Event()

    def cron():
        while not over.wait(CRON_S):
            program(system, "message-retry").wait()

    runs = threading.Thread(target=cron)
    runs.start()
    row = recovered(system, traffic)
    row = finish(system, traffic, row)
    over.set()
    runs.join()
    return row


def main():
    results = {}
    database = Database()
    System.env = {**DEFAULTS, "DATABASE_URL": database.application, "MIGRATE_DATABASE_URL": database.owner}
    try:
        System.setUpClass()
        try:
            results["postgresql restart"] = postgres(System, database)
            results["sms provider away"] = provider(System)
            results["worker killed"] = watched_worker(System)
        finally:
            System.tearDownClass()
    finally:
        database.remove()
    Unwatched.setUpClass()
    try:
        results["worker killed, only cron"] = lone_worker(Unwatched)
    finally:
        Unwatched.tearDownClass()
    if "--json" in sys.argv:
        print(json.dumps(results))
        return
    print(f"{'':26}" + "".join(f"{c:>16}" for c in COLUMNS))
    for name, row in results.items():
        print(f"{name:26}" + "".join(f"{row.get(c, '-'):>16}" for c in COLUMNS))


if __name__ == "__main__":
    main()
