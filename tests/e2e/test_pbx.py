"""Real SIP calls through Kamailio with the configuration of docs/examples: the end of the call brings the summary to the phone."""

import base64
import json
import os
import re
import subprocess
import time
import unittest

from harness import SystemTest
from pbx import EXAMPLES, Hook, Kamailio, as_nobody, ended, free_port, sipp, udp_is_taken, wait_until

BULLETS = ["You look for a two-bedroom house in Kimironko", "Your budget is 300k a month"]


class Pbx(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.kamailio = None
        super().setUpClass()
        try:
            cls.folder = os.path.join(cls.state, "pbx")
            os.mkdir(cls.folder, 0o755)
            cls.hook = Hook(os.path.join(cls.folder, "hook"), cls.base)
            cls.kamailio = Kamailio(cls.folder, cls.hook)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        if cls.kamailio is not None:
            cls.kamailio.stop()
        super().tearDownClass()

    def sip_call(self, number, sip_call_id, agent="agent", caller="caller"):
        agent_side = sipp(agent, self.kamailio.agent_port)
        wait_until(lambda: udp_is_taken(self.kamailio.agent_port), "the agent listens")
        caller_side = sipp(caller, free_port(), f"127.0.0.1:{self.kamailio.port}", "-key", "caller", number, "-key", "callee",
                           "+250788000000", "-cid_str", sip_call_id)
        ended(caller_side, caller)
        ended(agent_side, agent)

    def call_row(self, sip_call_id):
        rows = self.sql("SELECT status, phone_number, started_at IS NOT NULL, answered_at IS NOT NULL, ended_at >= started_at "
                        f"FROM call_summaries WHERE sip_call_id = '{sip_call_id}' OR call_id = '{sip_call_id}'")
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    def test_hanging_up_sends_the_summary_of_the_agent(self):
        number = "+250788000901"
        status, _ = self.tool("/tools/call_log_summary", {"call_id": "rtc_known", "phone_number": number, "channel": "sip",
                                                          "bullets": BULLETS})
        self.assertIn(status, (200, 202))
        self.sql("UPDATE call_summaries SET sip_call_id = 'known@pbx' WHERE call_id = 'rtc_known'")
        self.assertEqual(self.phone(number, wait_s=0), [])
        self.sip_call(number, "known@pbx")
        [summary] = self.phone(number)
        self.assertIn("Kimironko", summary["text"])
        row = self.call_row("known@pbx")
        self.assertEqual((row[0], row[4]), ("ended", "t"))
        wait_until(lambda: self.hook.kept() == [], "the hook has nothing left to say")
        self.hook.run("sip_call_id=known@pbx", "answered=1")
        wait_until(lambda: self.hook.kept() == [], "the repetition was answered")
        self.assertEqual(len(self.phone(number, wait_s=0)), 1)

    def test_call_nobody_told_us_of(self):
        number = "+250788000902"
        self.sip_call(number, "stranger@pbx")
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.call_row("stranger@pbx")[:2], ["ended", number])

    def test_giving_up_brings_no_summary(self):
        number = "+250788000903"
        self.sip_call(number, "gave-up@pbx", agent="agent_rings", caller="caller_gives_up")
        self.wait_for("SELECT count(*) FROM call_summaries WHERE 'gave-up@pbx' IN (sip_call_id, call_id) AND status = 'missed'", 1)
        wait_until(lambda: self.hook.kept() == [], "the hook has nothing left to say")
        self.wait_for("SELECT count(*) FROM call_summaries WHERE 'gave-up@pbx' IN (sip_call_id, call_id) AND notify_due_at IS NOT NULL", 0)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE message_type = 'summary' AND "
                                    f"recipient_phone = '{number}'"), "0")

    def test_call_id_is_no_command(self):
        """What the caller chooses reaches a shell as base64 only; the call itself goes its way."""
        call_id = "x'`id>pwned`'@pbx"
        self.sip_call("+250788000904", call_id)
        self.assertEqual(len(self.phone("+250788000904")), 1)
        quoted = call_id.replace("'", "''")
        self.assertEqual(self.value(f"SELECT count(*) FROM call_summaries WHERE '{quoted}' IN (sip_call_id, call_id)"), "1")
        found = [os.path.join(folder, name) for folder, _, names in os.walk(self.folder) for name in names if name == "pwned"]
        self.assertEqual(found, [])

    def test_call_records(self):
        """cdr-follow reads what cdr_custom writes, and leaves old records alone."""
        record = os.path.join(self.folder, "omni.csv")
        now = int(time.time())

        def line(call_id, number, at, disposition):
            return ",".join([base64.b64encode(call_id.encode()).decode(), number, f"{at - 60}.000001", f"{at}.000002", disposition])

        with open(record, "w", encoding="ascii") as f:
            f.write(line("1700000000.1", "+250788000905", now - 7200, "ANSWERED") + "\n")
        os.chmod(record, 0o644)
        follower = subprocess.Popen(as_nobody([os.path.join(self.hook.folder, "cdr-follow"), record]), env=self.hook.env,
                                    start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            with open(record, "a", encoding="ascii") as f:
                f.write(line(f"{now}.2", "+250788000906", now, "ANSWERED") + "\n")
                f.write(line(f"{now}.3", "+250788000907", now, "NO ANSWER") + "\n")
            self.assertEqual(len(self.phone("+250788000906")), 1)
            self.wait_for(f"SELECT status FROM call_summaries WHERE '{now}.3' IN (sip_call_id, call_id)", "missed")
        finally:
            os.killpg(follower.pid, 15)
            follower.wait()
        self.assertEqual(self.phone("+250788000905", wait_s=0), [])

    def asterisk(self, values):
        """The command of the dialplan's System(), with Asterisk's variables and functions filled in."""
        with open(os.path.join(EXAMPLES, "asterisk/extensions.conf"), encoding="utf-8") as f:
            [command] = re.findall(r"System\((.*)\)\n", f.read())
        for name, value in values.items():
            self.assertIn(name, command)
            command = command.replace(name, value)
        self.assertNotIn("${", command)
        return command.replace("/usr/local/lib/omni/call-ended", self.hook.program)

    def test_command_of_the_dialplan(self):
        number, now = "+250788000908", int(time.time())
        command = self.asterisk({
            "${BASE64_ENCODE(${CHANNEL(pjsip,call-id)})}": base64.b64encode(b"asterisk-1@pbx").decode(),
            "${OMNI_CALLER}": number, "${OMNI_STARTED}": str(now - 30), "${EPOCH}": str(now), "${OMNI_ANSWERED}": "1"})
        done = subprocess.run(as_nobody(["sh", "-c", command]), env=self.hook.env, timeout=90, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.call_row("asterisk-1@pbx")[:2], ["ended", number])


if __name__ == "__main__":
    unittest.main()
