"""A PBX for tests: Kamailio with the configuration of docs/examples, SIPp on both ends of its calls, and the hooks as they lie there.

Kamailio and the hooks run as an ordinary user, from copies that this user can read.
"""

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from harness import KEY, ROOT, stop

NOBODY = 65534
HOOKS = os.path.join(ROOT, "scripts/hooks")
SCENARIOS = os.path.join(ROOT, "tests/e2e/sip")
EXAMPLES = os.path.join(ROOT, "docs/examples")


def as_nobody(command):
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def own(path):
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def udp_is_taken(port):
    with open("/proc/net/udp", encoding="ascii") as f:
        return f" 0100007F:{port:04X} " in f.read()


class Hook:
    """A copy of the hooks, with its settings, key and spool, as it would lie on a PBX."""

    def __init__(self, folder, url, **settings):
        self.folder = folder
        os.mkdir(folder, 0o755)
        for name in ("call-ended", "cdr-follow"):
            shutil.copy(os.path.join(HOOKS, name), folder)
        self.program = os.path.join(folder, "call-ended")
        self.spool = os.path.join(folder, "spool")
        self.key = os.path.join(folder, "key")
        self.conf = os.path.join(folder, "call-ended.conf")
        os.mkdir(self.spool, 0o700)
        with open(self.key, "w", encoding="ascii") as f:
            f.write(KEY + "\n")
        os.chmod(self.key, 0o600)
        own(self.spool)
        own(self.key)
        settings = {"OMNI_URL": url, "OMNI_KEY_FILE": self.key, "OMNI_SPOOL": self.spool, **settings}
        with open(self.conf, "w", encoding="utf-8") as f:
            f.writelines(f"{k}='{v}'\n" for k, v in settings.items())
        self.env = {"PATH": os.environ["PATH"], "OMNI_HOOK_CONF": self.conf}

    def run(self, *arguments, **environment):
        """Returns what it said and how long the PBX had to wait for it."""
        began = time.monotonic()
        done = subprocess.run(as_nobody([self.program, *arguments]), env={**self.env, **environment}, capture_output=True,
                              text=True, timeout=90, check=False)
        return done, time.monotonic() - began

    def kept(self):
        return sorted(os.listdir(self.spool))


class Kamailio:
    def __init__(self, folder, hook):
        self.port, self.agent_port = free_port(), free_port()
        run = os.path.join(folder, "run")
        os.mkdir(run)
        own(run)
        shutil.copy(os.path.join(EXAMPLES, "kamailio.cfg"), folder)
        self.log = open(os.path.join(folder, "kamailio.log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(
            as_nobody(["/usr/sbin/kamailio", "-DD", "-E", "-f", os.path.join(folder, "kamailio.cfg"), "-m", "32", "-M", "4",
                       "-Y", run, "-P", os.path.join(run, "pid"), "-A", f"LISTEN=udp:127.0.0.1:{self.port}",
                       "-A", f"AGENT=sip:127.0.0.1:{self.agent_port}", "-A", f"HOOK={hook.program}"]),
            env=hook.env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log)
        wait_until(lambda: udp_is_taken(self.port), "Kamailio listens")

    def stop(self):
        stop(self.process)
        self.log.close()


def wait_until(condition, what, wait_s=60):
    deadline = time.monotonic() + wait_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s: %s" % (wait_s, what))
        time.sleep(0.02)


def sipp(scenario, port, *arguments):
    command = ["sipp", "-sf", os.path.join(SCENARIOS, scenario + ".xml"), "-i", "127.0.0.1", "-p", str(port), "-m", "1",
               "-timeout", "60", "-timeout_error", *arguments]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(process, what):
    said = process.communicate(timeout=90)[0]
    if process.returncode != 0:
        raise AssertionError(f"SIPp, {what}: {process.returncode}\n{said.decode('utf-8', 'replace')}")


class Gate:
    """A system that answers as it is told, and keeps what it was asked."""

    def __init__(self, *statuses):
        self.statuses, self.asked, self.held = list(statuses), [], threading.Event()
        self.held.set()
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gate.asked.append((self.path, self.headers["Authorization"], json.loads(body)))
                gate.held.wait(90)
                self.send_response(gate.statuses.pop(0) if gate.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.held.set()
        self.server.shutdown()
        self.server.server_close()
