"""The database goes away, slowly or at once: whatever was answered 200 is in the database afterwards, once and in order."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

from harness import BUILD, MTN_SECRET, SystemTest, in_parallel, request, signature


def sms(number, text, message_id):
    return {"from": number, "to": "8080", "message": text, "messageId": message_id}


def whatsapp(number, text, message_id):
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1122334455"},
        "contacts": [{"profile": {"name": "Aline"}, "wa_id": number[1:]}],
        "messages": [{"id": message_id, "from": number[1:], "timestamp": str(int(time.time())), "type": "text",
                      "text": {"body": text}}]}}]}]}


class SpoolTest(SystemTest):
    """What the tests of this file share: the database's processes, the spool's files."""

    @classmethod
    def spool_dir(cls):
        return os.path.join(cls.state, "var/spool")

    @classmethod
    def waiting(cls, holding=""):
        """What waits, by name: all, or what has these words in it, as receipts of earlier answers may wait there too."""
        names = sorted(name for name in os.listdir(cls.spool_dir()) if name.endswith(".ev"))
        return [name for name in names if cls.holds(name, holding)] if holding else names

    @classmethod
    def holds(cls, name, words):
        try:
            with open(os.path.join(cls.spool_dir(), name), "rb") as f:
                return words.encode() in f.read()
        except FileNotFoundError:
            return False  # taken out meanwhile

    @classmethod
    def postmaster(cls):
        with open(os.path.join(cls.state, "var/pg/data/postmaster.pid"), encoding="utf-8") as f:
            return int(f.readline())

    @classmethod
    def database_processes(cls):
        """The postmaster and its children: all have the data directory as their own."""
        data = os.path.realpath(os.path.join(cls.state, "var/pg/data"))
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd") == data:
                    found.append(int(pid))
            except OSError:
                pass
        return sorted(found, key=lambda pid: pid != cls.postmaster())

    @classmethod
    def signal_database(cls, number):
        for pid in cls.database_processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # a backend whose client has gone

    @classmethod
    def freeze(cls):
        """Twice, since the postmaster may have made one more child before it stood still."""
        cls.signal_database(signal.SIGSTOP)
        cls.signal_database(signal.SIGSTOP)

    @classmethod
    def thaw(cls):
        cls.signal_database(signal.SIGCONT)

    def tearDown(self):
        self.thaw()

    @classmethod
    def post_report(cls, body):
        raw = json.dumps(body).encode()
        return cls.post("/sms-status-webhook", raw, {"X-MTN-Signature": signature(MTN_SECRET, raw)})

    @classmethod
    def health(cls):
        status, _, text = request(cls.base, "GET", "/healthz")
        return status, json.loads(text)

    def wait_until(self, what, holds, wait_s=60):
        deadline = time.monotonic() + wait_s
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def wait_drained(self):
        self.wait_until("the spool is not drained", lambda: not self.waiting(), 400)

    @classmethod
    def start_worker(cls):
        script = 'set -a; . "$0"; set +a; exec "$1"'
        return subprocess.Popen(["bash", "-c", script, os.path.join(cls.state, "var/env"), os.path.join(BUILD, "handlers/message-worker")],
                                stderr=subprocess.DEVNULL)

    def spoil(self):
        """A file in the place of the directory: nobody can write there, not even root."""
        os.rename(self.spool_dir(), self.spool_dir() + ".away")
        with open(self.spool_dir(), "w", encoding="utf-8"):
            pass

    def repair(self):
        if os.path.isdir(self.spool_dir() + ".away"):
            os.unlink(self.spool_dir())
            os.rename(self.spool_dir() + ".away", self.spool_dir())


class Frozen(SpoolTest):
    env = {"TURN_QUIET_MS": "1500"}

    def test_two_hundred_events(self):
        numbers = [f"+2507880010{i:02}" for i in range(8)]
        self.tool("/tools/call_log_summary", {"call_id": "spool-1", "phone_number": "+250788001099", "bullets": ["A house"], "ended": True})
        self.phone("+250788001099")
        reference = self.value("SELECT id FROM message_delivery_log WHERE call_id = 'spool-1'")
        self.wait_for("SELECT status FROM message_delivery_log WHERE call_id = 'spool-1'", "delivered")
        answers = []

        def one_person(person, number):  # in order, as a person writes
            for i in range(20):
                if i % 2 == 0:
                    answer = self.post_sms(sms(number, f"text {i:02}", f"frozen-{person}-{i}"))
                else:
                    answer = self.post_wa(whatsapp(number, f"text {i:02}", f"wamid.frozen-{person}-{i}"))
                answers.append(answer)

        def reports():
            for i in range(40):
                answers.append(self.post_report({"reference": reference, "messageId": "unknown-id", "status": f"WORD{i}",
                                                 "timestamp": f"2026-11-22T10:00:{i:02}Z"}))

        self.freeze()
        began = time.monotonic()
        in_parallel([lambda p=p, n=n: one_person(p, n) for p, n in enumerate(numbers)] + [reports])
        took = time.monotonic() - began
        self.assertEqual([a[0] for a in answers], [200] * 200)
        self.assertEqual({a[2] for a in answers}, {'{"success":true,"spooled":true}'})
        self.assertEqual((len(self.waiting("frozen-")), len(self.waiting("WORD"))), (160, 40))
        self.assertFalse([n for n in os.listdir(self.spool_dir()) if n.endswith(".tmp")])
        print(f"200 events while the database was frozen: {took:.1f} s")
        self.assertLess(took, 100)  # the reports alone, each with the three seconds of a database that is asked, take 120
        self.thaw()
        self.wait_drained()
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE '%frozen-%'"), "160")
        self.assertEqual(self.value("SELECT count(*) FROM status_events WHERE status LIKE 'WORD%'"), "40")
        for number in numbers:
            rows = self.sql("SELECT content FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                            f"WHERE direction = 'inbound' AND phone_number = '{number}' ORDER BY seq")
            self.assertEqual([r[0] for r in rows], [f"text {i:02}" for i in range(20)])
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending')", 0)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'inbound' AND turn_id IS NULL "
                                    "AND external_message_id LIKE '%frozen-%'"), "0")
        for number in numbers:  # every turn's answer was sent once
            self.assertEqual(self.sql("SELECT count(*) = count(DISTINCT turn_id), bool_and(status IN ('sent', 'delivered', 'read')) "
                                      "FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id WHERE direction = 'outbound' "
                                      f"AND phone_number = '{number}'"), [["t", "t"]])
        self.wait_drained()

    def test_health_and_what_comes_behind(self):
        self.freeze()
        status, report = self.health()
        self.assertEqual((status, report["status"], report["checks"]["database"], report["checks"]["spool"]), (200, "degraded", "down", "ok"))
        self.assertEqual(self.post_sms(sms("+250788001101", "one", "behind-1"))[2], '{"success":true,"spooled":true}')
        began = time.monotonic()  # with something in the spool nobody waits for the database
        for i in range(2, 12):
            self.assertEqual(self.post_sms(sms("+250788001101", "more", f"behind-{i}"))[0], 200)
        self.assertLess(time.monotonic() - began, 15)
        self.spoil()
        try:
            self.wait_until("not down", lambda: self.health()[1]["status"] == "down")
            status, report = self.health()
            self.assertEqual((status, report["checks"]["spool"]), (503, "unwritable"))
            self.assertEqual(self.post_sms(sms("+250788001101", "refused", "behind-x"))[0], 503)
        finally:
            self.repair()
        self.thaw()
        self.wait_drained()
        self.wait_until("not ok", lambda: self.health()[1]["checks"]["database"] == "ok")
        # What was refused may be there too: the frozen server had been asked already. Nobody was told that it is.
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE 'behind-%' "
                                    "AND external_message_id <> 'behind-x'"), "11")

    def test_unwritable_with_a_database(self):
        self.spoil()
        try:
            status, report = self.health()
            self.assertEqual((status, report["status"], report["checks"]["spool"]), (200, "degraded", "unwritable"))
            self.assertEqual(self.post_sms(sms("+250788001102", "hello", "unwritable-1"))[0], 200)
        finally:
            self.repair()
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE external_message_id = 'unwritable-1'"), "1")
        self.assertEqual(self.health()[1]["checks"]["spool"], "ok")

    def test_a_damaged_file_stands_in_nobodys_way(self):
        with open(os.path.join(self.spool_dir(), "0000000000001-1-000000000000.ev"), "w", encoding="utf-8") as f:
            f.write("omni-spool 1 5 nonsense\nhello")
        self.assertEqual(self.post_sms(sms("+250788001103", "hello", "damaged-1"))[0], 200)
        self.wait_drained()
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE external_message_id = 'damaged-1'", 1)
        self.assertEqual(os.listdir(os.path.join(self.spool_dir(), "corrupt")), ["0000000000001-1-000000000000.ev"])

    def test_no_number_and_no_text_outside(self):
        self.freeze()
        self.assertEqual(self.post_sms(sms("+250788001104", "CANARY-text", "canary-1"))[0], 200)
        names = self.waiting()
        self.assertEqual(os.stat(os.path.join(self.spool_dir(), names[0])).st_mode & 0o777, 0o600)
        self.thaw()
        self.wait_drained()
        log = os.path.join(self.state, "var/log")
        for name in os.listdir(log):
            with open(os.path.join(log, name), encoding="utf-8", errors="replace") as f:
                text = f.read()
            self.assertNotIn("CANARY", text, name)
            self.assertNotIn("788001104", text, name)
        self.assertNotIn("788001104", " ".join(names))


class Killed(SpoolTest):
    def test_postmaster_killed_under_load(self):
        accepted, refused, lock = [], [], threading.Lock()
        over = time.monotonic() + 12

        def poster(p):
            n = 0
            while time.monotonic() < over:
                n += 1
                message_id = f"load-{p}-{n}"
                number = f"+25078801{p:04}"
                if n % 2:
                    answer = self.post_sms(sms(number, f"message {n}", message_id))
                else:
                    answer = self.post_wa(whatsapp(number, f"message {n}", message_id))
                with lock:
                    (accepted if answer[0] == 200 else refused).append((message_id, answer))
                time.sleep(0.05)

        def killer():
            for _ in range(2):
                time.sleep(3)
                old = self.postmaster()
                os.kill(old, signal.SIGKILL)
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    try:
                        if self.postmaster() != old:
                            break
                    except (OSError, ValueError):
                        pass
                    time.sleep(0.05)

        in_parallel([lambda p=p: poster(p) for p in range(20)] + [killer])
        self.assertEqual({a[0] for _, a in refused}, set())
        spooled = sum('"spooled":true' in a[2] for _, a in accepted)
        print(f"postmaster killed twice under load: {len(accepted)} accepted, {spooled} of them spooled")
        self.assertGreater(spooled, 0)
        self.assertGreater(len(accepted), spooled)
        self.wait_drained()
        stored = [r[0] for r in self.sql("SELECT external_message_id FROM message_delivery_log WHERE external_message_id LIKE 'load-%'")]
        self.assertEqual(len(stored), len(set(stored)))
        self.assertEqual({m for m, _ in accepted} - set(stored), set())
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0, 400)


class Full(SpoolTest):
    env = {"SPOOL_MAX_FILES": "5"}

    def test_full_and_empty_again(self):
        self.freeze()
        answers = [self.post_sms(sms(f"+2507880012{i:02}", "hello", f"full-{i}")) for i in range(7)]
        self.assertEqual([a[0] for a in answers], [200] * 5 + [503] * 2)
        self.assertIn("Retry-After", answers[6][1])
        self.assertEqual(len(self.waiting()), 5)
        status, report = self.health()
        self.assertEqual((status, report["status"], report["checks"]["spool"]), (503, "down", "full"))
        self.thaw()
        self.wait_drained()
        self.wait_until("still refused", lambda: self.post_sms(sms("+250788001206", "hello", "full-6"))[0] == 200)
        self.wait_drained()
        self.assertEqual(self.sql("SELECT external_message_id FROM message_delivery_log WHERE external_message_id LIKE 'full-%' "
                                  "AND external_message_id <> 'full-5' ORDER BY 1"), [[f"full-{i}"] for i in (0, 1, 2, 3, 4, 6)])
        self.wait_until("not ok", lambda: self.health()[1]["status"] == "ok")


class WorkerKilled(SpoolTest):
    options = ["--no-worker"]

    def fill(self, prefix, n):
        self.freeze()
        jobs = [lambda k=k: [self.post_sms(sms(f"+25078800{13 + k}{i % 50:02}", f"{i}", f"{prefix}-{k}-{i}"))[0] for i in range(n // 4)]
                for k in range(4)]
        self.assertEqual({s for answers in in_parallel(jobs) for s in answers}, {200})
        self.thaw()
        self.assertEqual(len(self.waiting(prefix + "-")), n)

    def stored(self, prefix):
        return int(self.value(f"SELECT count(*) FROM message_delivery_log WHERE external_message_id LIKE '{prefix}-%'"))

    def kills_to_drain(self, prefix):
        self.fill(prefix, 400)
        kills = 0
        deadline = time.monotonic() + 400
        while before := len(self.waiting(prefix + "-")):
            self.assertLess(time.monotonic(), deadline)
            worker = self.start_worker()
            try:
                self.wait_until("nothing is drained", lambda n=before: len(self.waiting(prefix + "-")) < max(1, n - 20))
            finally:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            kills += 1
        self.assertEqual(self.stored(prefix), 400)
        return kills

    def test_in_the_middle_of_draining(self):
        for fill in range(1, 6):  # again, where the first worker was done before it was killed
            kills = self.kills_to_drain(f"killed{fill}")
            if kills > 1:
                break
        print(f"400 events drained by {kills} workers, each killed in the middle")
        self.assertGreater(kills, 1)
        self.assertEqual(self.value("SELECT count(*) FROM inbound_poison"), "0")

    def test_a_commit_without_its_removal(self):
        self.fill("repeat", 40)
        filled = self.waiting("repeat-")
        copy = self.spool_dir() + ".copy"
        shutil.copytree(self.spool_dir(), copy)
        self.assertEqual(self.retry().returncode, 0)
        self.assertEqual((self.waiting("repeat-"), self.stored("repeat")), ([], 40))
        outbound = self.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'outbound'")
        for name in filled:
            shutil.copy(os.path.join(copy, name), self.spool_dir())
        self.assertEqual(self.waiting("repeat-"), filled)
        self.assertEqual(self.retry().returncode, 0)
        self.assertEqual((self.waiting("repeat-"), self.stored("repeat")), ([], 40))
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE direction = 'outbound'"), outbound)

    def test_many_take_out_together(self):
        self.fill("many", 200)
        workers = [self.start_worker() for _ in range(3)]
        try:
            self.assertEqual(self.retry().returncode, 0)
            self.wait_drained()
        finally:
            for w in workers:
                w.terminate()
            for w in workers:
                w.wait()
        self.assertEqual(self.stored("many"), 200)
        self.assertFalse(os.path.exists(os.path.join(self.spool_dir(), "corrupt")))


if __name__ == "__main__":
    unittest.main()
