"""scripts/hooks/call-ended against a system that refuses, hangs, is away and comes back; its installation as docs/pbx.md has it."""

import os
import re
import shutil
import socket
import subprocess
import unittest

from harness import KEY, ROOT
from pbx import Gate, Hook, as_nobody, udp_is_taken, wait_until


class HookAlone(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.join("/tmp", f"omni-hook-{os.getpid()}-{self.id().rsplit('.', 1)[1]}")
        os.mkdir(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def gate(self, *statuses):
        gate = Gate(*statuses)
        self.addCleanup(gate.close)
        return gate

    def hook(self, url, **settings):
        return Hook(os.path.join(self.folder, "hook"), url, **{"OMNI_PAUSE": "0", **settings})

    def test_tries_again_until_it_is_taken(self):
        gate = self.gate(503, 500, 429, 202)
        hook = self.hook(gate.url)
        done, _ = hook.run("sip_call_id=a@b", "caller=sip:+250788000001@host;user=phone", "started=1790000000", "ended=1790000060",
                           "answered=ANSWER")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        wait_until(lambda: len(gate.asked) == 4 and hook.kept() == [], "four attempts")
        path, key, body = gate.asked[3]
        self.assertEqual((path, key), ("/post-call-notify", "Bearer " + KEY))
        self.assertEqual(body, {"sip_call_id": "a@b", "phone_number": "+250788000001", "started_at": "1790000000",
                                "ended_at": "1790000060", "answered": True, "wait": False})

    def test_nobody_waits_and_no_argument_tells_a_secret(self):
        gate = self.gate(200)
        gate.held.clear()
        hook = self.hook(gate.url)
        done, seconds = hook.run(sip_call_id="x@y", caller="+250788000001", answered="CANCEL")
        self.assertEqual(done.returncode, 0)
        self.assertLess(seconds, 15)  # curl gives up after twenty
        wait_until(lambda: gate.asked, "the attempt")
        self.assertFalse(gate.asked[0][2]["answered"])
        self.assertEqual(len(hook.kept()), 1)
        seen = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    arguments = f.read()
            except OSError:
                continue
            seen += b"\0-K\0" in arguments and arguments.startswith(b"curl\0")
            self.assertNotIn(KEY.encode(), arguments)
            self.assertFalse(arguments.startswith(b"curl\0") and b"250788000001" in arguments)
        self.assertGreaterEqual(seen, 1)

    def test_what_it_inherits_it_closes(self):
        gate = self.gate(200)
        gate.held.clear()
        hook = self.hook(gate.url)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            s.set_inheritable(True)
            subprocess.run(as_nobody([hook.program, "sip_call_id=a@b"]), env=hook.env, pass_fds=[s.fileno()], timeout=90, check=True)
        wait_until(lambda: gate.asked, "the attempt")
        self.assertFalse(udp_is_taken(port))

    def test_told_later(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
            hook = self.hook(f"http://127.0.0.1:{port}", OMNI_TRIES="1")
            hook.run('sip_call_id=q"\\@b', "caller=anonymous")
            self.assertEqual(len(hook.kept()), 1)
            self.assertNotEqual(hook.run("--flush")[0].returncode, 0)
            self.assertEqual(len(hook.kept()), 1)
        gate = self.gate(401, 404)
        hook.env["OMNI_HOOK_CONF"] = "/dev/null"
        settings = {"OMNI_URL": gate.url + "/", "OMNI_KEY_FILE": hook.key, "OMNI_SPOOL": hook.spool}
        self.assertNotEqual(hook.run("--flush", **settings)[0].returncode, 0)  # a wrong key may be put right
        self.assertEqual(len(hook.kept()), 1)
        self.assertEqual(hook.run("--flush", **settings)[0].returncode, 0)
        self.assertEqual((hook.kept(), gate.asked[1][2]), ([], {"sip_call_id": 'q"\\@b', "wait": False}))

    def test_refused_is_put_aside(self):
        gate = self.gate(400)
        hook = self.hook(gate.url)
        hook.run("call_id=c1", "answered=0")
        wait_until(lambda: [n for n in hook.kept() if n.endswith(".refused")], "put aside")
        self.assertEqual(len(gate.asked), 1)

    def test_what_a_pbx_writes_for_nothing(self):
        gate = self.gate(202)
        hook = self.hook(gate.url)
        hook.run("sip_call_id=a@b", "caller_b64=<null>", "started=<null>", "ended=", "answered=1")
        wait_until(lambda: gate.asked, "the attempt")
        self.assertEqual(gate.asked[0][2], {"sip_call_id": "a@b", "answered": True, "wait": False})

    def test_without_a_spool_it_still_tells(self):
        gate = self.gate(503, 202)
        hook = self.hook(gate.url, OMNI_SPOOL="/nowhere")
        self.assertEqual(hook.run("call_id=c2")[0].returncode, 0)
        wait_until(lambda: len(gate.asked) == 2, "two attempts")

    def documented(self, first, last):
        """The commands of docs/pbx.md from one line to another, with the folders and users of this test."""
        with open(os.path.join(ROOT, "docs/pbx.md"), encoding="utf-8") as f:
            lines = [line[4:] for line in f if line.startswith("    ")]
        begin = next(i for i, line in enumerate(lines) if line.startswith(first))
        end = next(i for i, line in enumerate(lines) if i >= begin and line.startswith(last))
        text = "".join(lines[begin:end + 1])
        if os.geteuid() != 0:
            text = re.sub(r"-[og] \w+", "", text)
        for name in ("/usr/local/lib/omni", "/etc/omni", "/var/spool/omni-calls"):
            text = text.replace(name, self.folder + name)
        return re.sub(r"-o asterisk", "-o nobody", re.sub(r"-g asterisk", "-g nogroup", text))

    def test_installing_and_trying_as_documented(self):
        gate = self.gate(202, 202)
        os.makedirs(os.path.join(self.folder, "var/spool"))
        commands = self.documented("install -D", "install -m 640").replace("https://sms.example.rw", gate.url)
        subprocess.run(["bash", "-euc", commands], cwd=ROOT, input=KEY + "\n", text=True, check=True, timeout=90)
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "usr/local/lib/omni"))), ["call-ended", "cdr-follow"])
        with open(os.path.join(self.folder, "etc/omni/call-ended.conf"), "a", encoding="utf-8") as f:
            f.write(f"OMNI_SPOOL={self.folder}/var/spool/omni-calls\n")
        env = {"PATH": os.environ["PATH"], "OMNI_HOOK_CONF": self.folder + "/etc/omni/call-ended.conf"}
        tried = self.documented("/usr/local/lib/omni/call-ended", "/usr/local/lib/omni/call-ended")
        subprocess.run(["bash", "-c", tried], env=env, check=True, timeout=90)
        wait_until(lambda: gate.asked, "the attempt")
        self.assertEqual(gate.asked[0], ("/post-call-notify", "Bearer " + KEY, {
            "call_id": "try-1", "phone_number": "+250788000001", "answered": True, "wait": False}))
        flush = self.documented("*/5", "*/5").strip().removeprefix("*/5 * * * * ")
        subprocess.run(["bash", "-c", flush], env=env, check=True, timeout=90)

    def test_wrong_use(self):
        hook = self.hook("http://127.0.0.1:1")
        self.assertEqual(hook.run("nonsense")[0].returncode, 2)
        self.assertEqual(hook.run("caller=+250788000001")[0].returncode, 2)
        self.assertEqual(hook.kept(), [])
        hook.env["OMNI_HOOK_CONF"] = "/dev/null"
        self.assertNotEqual(hook.run("sip_call_id=a@b")[0].returncode, 0)


if __name__ == "__main__":
    unittest.main()
