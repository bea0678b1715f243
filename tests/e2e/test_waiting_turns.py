"""Turns that wait for a slow agent, many at once.

OMNI_TURNS=1000 makes the waiting turns a thousand; the figures are printed.
"""

import os
import time
import unittest

from harness import in_parallel
from turns import ANSWER, TurnsTest


class WaitingTurns(TurnsTest):
    """Conversations that wait for an agent of twenty seconds: others come in as fast as before, and nothing is lost."""

    env = {"LEASE_S": "30", "AGENT_TIMEOUT_S": "120"}
    count = int(os.environ.get("OMNI_TURNS", "200"))

    def worker_kib(self):
        total = 0
        for pid in self.pids("message-worker"):
            with open(f"/proc/{pid}/status", encoding="utf-8") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
        return total

    def latencies(self, base, n=40):
        times = []
        for i in range(n):
            began = time.monotonic()
            self.say(f"+2507881{base + i:05d}", "hello", f"latency-{base + i}")
            times.append((time.monotonic() - began) * 1000)
        return sorted(times)

    def test_they_wait_side_by_side(self):
        quiet = self.latencies(90000)
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)
        empty_kib = self.worker_kib()
        self.lab_json("POST", "/lab/agent", {"reply": ANSWER, "delay_ms": 20000})
        began = time.monotonic()
        batches = [range(k, self.count, 8) for k in range(8)]
        in_parallel([lambda b=b: [self.say(f"+2507880{20000 + i:05d}", "hello", f"many-{i}") for i in b] for b in batches])
        self.wait_for(f"SELECT count(*) >= {self.count} * 0.9 FROM turns WHERE status = 'running'", "t", wait_s=90)
        busy_kib = self.worker_kib()
        busy = self.latencies(95000)
        self.wait_for("SELECT count(*) FROM turns t JOIN profiles p ON p.user_id = t.profile_id "
                      "WHERE t.status = 'done' AND p.phone_number LIKE '+25078802%'", self.count, wait_s=120)
        took = time.monotonic() - began
        print(f"{self.count} turns with an agent of 20 s: {took:.1f} s, {self.count / took:.0f}/s; worker {empty_kib} KiB before, "
              f"{busy_kib} KiB with all waiting; inbound median {quiet[20]:.1f} ms before, {busy[20]:.1f} ms meanwhile, "
              f"worst {quiet[-1]:.1f} and {busy[-1]:.1f} ms")
        self.assertLess(took, 20 + 120, "one after the other they take an hour")
        self.assertLess((busy_kib - empty_kib) / self.count, 256, "KiB for each turn that waits")
        self.assertLess(busy[20], 2000, "who waited behind a turn waits for twenty seconds")
        self.assertEqual(self.value("SELECT count(*) FROM turns WHERE status NOT IN ('done', 'running')"), "0")


if __name__ == "__main__":
    unittest.main()
