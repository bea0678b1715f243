"""What goes wrong at the other end: the agent down, slow or talking nonsense; the gateway down; workers killed in the middle."""

import json
import os
import signal
import subprocess
import threading
import time
import unittest

from harness import BUILD, SystemTest, in_parallel, request


def sms(number, text, message_id):
    return {"from": number, "to": "8080", "message": text, "messageId": message_id}


class Agent(SystemTest):
    env = {"AGENT_TIMEOUT_S": "3", "BACKOFF_SCALE": "0.02"}  # the second try comes after 1.2 s, the third after 6 s

    def fallback_then_answer(self, number, trouble, times):
        for _ in range(times):
            self.lab_json("POST", "/lab/faults", {"provider": "agent", **trouble})
        self.post_sms(sms(number, "Where is the house?", "agent-" + number))
        first, second = self.phone(number, count=2)
        self.assertIn("will follow", first["text"])
        self.assertIn("Where is the house?", second["text"])
        self.assertEqual(self.sql("SELECT message_type FROM message_delivery_log m JOIN profiles p ON p.user_id = m.profile_id "
                                  f"WHERE direction = 'outbound' AND phone_number = '{number}' ORDER BY seq"), [["fallback"], ["reply"]])

    def test_down(self):
        self.fallback_then_answer("+250788000401", {"fault": "500"}, 1)

    def test_too_slow(self):
        self.fallback_then_answer("+250788000402", {"fault": "hang"}, 1)

    def test_nonsense(self):
        self.fallback_then_answer("+250788000403", {"fault": "garbage"}, 1)

    def test_closes_the_connection_twice_and_says_it_once(self):
        self.fallback_then_answer("+250788000404", {"fault": "accept_then_close"}, 2)

    def test_down_for_good_is_a_persons_case(self):
        self.lab_json("POST", "/lab/agent", {"status": 500})
        self.post_sms(sms("+250788000405", "hello", "agent-405"))
        self.wait_for("SELECT needs_human FROM omnichannel_sessions s JOIN profiles p ON p.user_id = s.profile_id "
                      "WHERE phone_number = '+250788000405'", "t")
        self.assertEqual(len(self.phone("+250788000405")), 1)
        self.lab_json("POST", "/lab/agent", {})
        self.post_sms(sms("+250788000405", "hello again", "agent-405b"))  # the next message wakes the conversation
        self.phone("+250788000405", count=2)
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE awaits_turn", 0)

    def test_no_quota_and_empty_words(self):
        self.lab_json("POST", "/lab/agent", {"raw": '{"choices":[{"message":{"content":""}}]}'})
        self.post_sms(sms("+250788000406", "hello", "agent-406"))
        self.assertIn("will follow", self.phone("+250788000406")[0]["text"])


class SlowAgent(SystemTest):
    env = {"LEASE_S": "6"}

    def test_the_webhook_does_not_wait(self):
        self.lab_json("POST", "/lab/agent", {"delay_ms": 10000})
        times = []
        for i in range(20):
            began = time.monotonic()
            self.assertEqual(self.post_sms(sms(f"+2507880005{i:02}", "hello", f"slow-{i}"))[0], 200)
            times.append((time.monotonic() - began) * 1000)
        print(f"webhook answers while the agent takes 10 s: median {sorted(times)[10]:.1f} ms, worst {max(times):.1f} ms")
        self.assertLess(max(times), 5000)
        self.assertEqual(self.phone("+250788000500", wait_s=0), [])
        self.assertEqual(len(self.phone("+250788000519")), 1)  # a lease of 6 s is renewed while the worker waits
        self.assertEqual(self.value("SELECT count(*) FROM turns WHERE status = 'lost'"), "0")


class Gateway(SystemTest):
    def setUp(self):
        super().setUp()
        self.lab_json("POST", "/lab/config", {"receipts": False})  # a report would heal what is to be seen here

    def test_down_then_up(self):
        number = "+250788000601"
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "503", "times": 2})
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "gw-1", "phone_number": number, "bullets": ["A house"], "ended": True})
        # The worker may have begun the next try before this one was answered.
        self.assertEqual((status, reply["status"], reply["channels"][0]["status"] in ("failed", "sending")), (202, "pending", True))
        self.assertEqual(len(self.phone(number)), 1)
        self.wait_for("SELECT status IN ('sent', 'delivered') FROM message_delivery_log WHERE call_id = 'gw-1'", "t")
        self.assertEqual(self.sql("SELECT count(*), count(*) FILTER (WHERE outcome = 'accepted') FROM delivery_attempts a "
                                  "JOIN message_delivery_log m ON m.id = a.message_id WHERE m.call_id = 'gw-1'"), [["3", "1"]])

    def test_refused_for_good(self):
        number = "+250788000602"
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "400", "times": 1})
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "gw-2", "phone_number": number, "bullets": ["A house"], "ended": True})
        self.assertEqual((status, reply["channels"][0]["status"], reply["status"]), (200, "dead", "skipped"))
        self.assertEqual(self.phone(number, wait_s=1), [])

    def test_hangs_after_accepting_the_caller_is_answered_and_nothing_is_sent_blindly(self):
        number = "+250788000603"
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "accept_then_hang", "times": 1})
        status, reply = self.tool("/tools/call_log_summary", {"call_id": "gw-3", "phone_number": number, "bullets": ["A house"], "ended": True})
        self.assertEqual(status, 202)
        self.assertIn(reply["channels"][0]["status"], ("sending", "unknown"))
        self.wait_for("SELECT status FROM message_delivery_log WHERE call_id = 'gw-3'", "sent")
        got = self.phone(number, count=2)
        self.assertEqual([len(got), got[0]["reference"]], [2, got[1]["reference"]])  # the one resend, marked
        self.assertEqual(self.value("SELECT possible_duplicate FROM message_delivery_log WHERE call_id = 'gw-3'"), "t")


class HungGateway(SystemTest):
    """A send may take forty seconds here; who ended a call is answered after eight, and the process is free then."""
    options = ["--no-worker"]
    env = {"LEASE_S": "80", "MAX_REQUESTS": "3"}

    def setUp(self):
        super().setUp()
        self.lab_json("POST", "/lab/config", {"receipts": False})

    def end_call(self, call_id, number, **more):
        return self.tool("/tools/call_log_summary", {"call_id": call_id, "phone_number": number, "bullets": ["A house"], "ended": True, **more})

    def test_a_process_that_has_answered_takes_the_next_request_while_its_send_finishes(self):
        processes = len(self.pids("call_log_summary"))
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "accept_then_hang", "times": processes})
        answers = in_parallel([lambda i=i: self.end_call(f"hung-{i}", f"+25078800061{i}") for i in range(processes)])
        self.assertEqual({(status, reply["channels"][0]["status"]) for status, reply in answers}, {(202, "sending")})
        began = time.monotonic()
        after = in_parallel([lambda i=i: self.end_call(f"next-{i}", f"+25078800062{i}") for i in range(processes)])
        took = time.monotonic() - began
        self.assertEqual({(status, reply["channels"][0]["status"]) for status, reply in after}, {(200, "sent")})
        self.assertLess(took, 20, "who waits for the send before it takes half a minute")
        # What the process gave up waiting for is written all the same, by whoever waited for it, also by one that has done its share.
        self.assertEqual(self.end_call("last", "+250788000630")[0], 200)
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE call_id LIKE 'hung-%' AND status = 'unknown' AND error_code = 'no_answer'",
                      processes, 120)

    def test_told_to_stop_it_finishes_what_is_in_hand(self):
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "delay", "delay_ms": 5000, "times": 1})
        answers = []
        caller = threading.Thread(target=lambda: answers.append(self.end_call("stopped", "+250788000640")))
        caller.start()
        self.wait_for("SELECT status FROM message_delivery_log WHERE call_id = 'stopped'", "sending")
        for pid in self.pids("call_log_summary"):
            os.kill(pid, signal.SIGTERM)
        caller.join()
        self.assertEqual((answers[0][0], answers[0][1]["channels"][0]["status"]), (200, "sent"))
        self.assertEqual(self.end_call("after", "+250788000641")[0], 200)  # by their successors


class Redirected(SystemTest):
    def test_an_address_that_has_moved_is_the_operators_matter(self):
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "400", "http_status": 302, "times": 1})
        self.tool("/tools/call_log_summary", {"call_id": "moved", "phone_number": "+250788000650", "bullets": ["A house"], "ended": True})
        self.assertEqual(self.sql("SELECT error_code, retry_count FROM message_delivery_log WHERE call_id = 'moved'"), [["http_302", "0"]])
        self.assertEqual(self.sql("SELECT state, reason FROM provider_circuit WHERE provider = 'mtn'"), [["open", "http_302"]])
        checks = json.loads(request(self.base, "GET", "/healthz")[2])
        self.assertEqual((checks["status"], checks["checks"]["sms"], checks["checks"]["whatsapp"]), ("degraded", "degraded", "ok"))
        self.wait_for("SELECT count(*) FROM message_delivery_log WHERE call_id = 'moved' AND status IN ('sent', 'delivered')", 1, 120)


class Costs(SystemTest):
    env = {"SMS_PRICE_RWF": "9"}

    def test_the_gateways_own_price_is_what_the_row_cost(self):
        self.lab_json("POST", "/lab/config", {"sms_price_rwf": 23})
        try:
            self.tool("/tools/call_log_summary", {"call_id": "cost", "phone_number": "+250788000660", "bullets": ["A house"], "ended": True})
            self.assertEqual(self.value("SELECT cost_rwf / segments FROM message_delivery_log WHERE call_id = 'cost'").rstrip("0"), "23.")
        finally:
            self.lab_json("POST", "/lab/config", {"sms_price_rwf": 15})


class Killed(SystemTest):
    """kill -9 of the worker in the middle; message-retry, as cron runs it, finishes the work."""
    options = ["--no-worker"]
    env = {"LEASE_S": "2", "UNKNOWN_HOLD_S": "1", "AGENT_TIMEOUT_S": "20"}

    def setUp(self):
        super().setUp()
        self.lab_json("POST", "/lab/config", {"receipts": False})

    def start_worker(self):
        script = 'set -a; . "$0"; set +a; exec "$1"'
        return subprocess.Popen(["bash", "-c", script, os.path.join(self.state, "var/env"), os.path.join(BUILD, "handlers/message-worker")],
                                stderr=subprocess.DEVNULL)

    def test_in_the_middle_of_a_turn(self):
        number = "+250788000701"
        self.lab_json("POST", "/lab/agent", {"delay_ms": 20000})
        worker = self.start_worker()
        try:
            self.post_sms(sms(number, "hello", "killed-turn"))
            self.wait_for("SELECT count(*) FROM turns WHERE status = 'running'", 1)
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.lab_json("POST", "/lab/agent", {})
        self.wait_for("SELECT count(*) FROM omnichannel_sessions WHERE turn_lease_until > clock_timestamp()", 0)
        self.assertEqual(self.retry().returncode, 0)
        self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.sql(f"SELECT status FROM turns t JOIN profiles p ON p.user_id = t.profile_id WHERE phone_number = '{number}' ORDER BY token"),
                         [["lost"], ["done"]])
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE awaits_turn"), "0")

    def test_in_the_middle_of_a_send(self):
        number = "+250788000702"
        self.tool("/tools/call_log_summary", {"call_id": "killed-send", "phone_number": number, "bullets": ["A house"]})
        self.lab_json("POST", "/lab/faults", {"provider": "mtn", "fault": "accept_then_hang", "times": 1})
        self.tool("/post-call-notify", {"call_id": "killed-send", "wait": False})
        worker = self.start_worker()
        try:
            self.wait_for("SELECT status FROM message_delivery_log WHERE call_id = 'killed-send'", "sending")
            self.phone(number)  # the gateway has it, and will never say so
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        deadline = time.monotonic() + 60
        while self.value("SELECT status FROM message_delivery_log WHERE call_id = 'killed-send'") not in ("sent", "delivered"):
            self.assertLess(time.monotonic(), deadline)
            self.assertEqual(self.retry().returncode, 0)
            time.sleep(0.5)
        self.assertEqual(self.sql("SELECT possible_duplicate, retry_count, ambiguous_resends FROM message_delivery_log WHERE call_id = 'killed-send'"),
                         [["t", "1", "1"]])
        self.assertEqual(len(self.phone(number, count=2)), 2)

    def test_cron_alone_does_it_all(self):
        numbers = [f"+2507880007{i}" for i in range(10, 30)]
        for i, number in enumerate(numbers):
            self.post_sms(sms(number, f"hello {i}", f"cron-{i}"))
        self.wait_for("SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at > clock_timestamp()", 0)
        runs = [self.retry() for _ in range(2)]
        self.assertEqual([r.returncode for r in runs], [0, 0])
        for number in numbers:
            self.assertEqual(len(self.phone(number)), 1)
        self.assertEqual(self.value("SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending')"), "0")


class Restarted(SystemTest):
    def test_the_worker_takes_no_options(self):
        done = subprocess.run(["bash", "-c", 'set -a; . "$0"; set +a; exec "$1" --nonsense', os.path.join(self.state, "var/env"),
                               os.path.join(BUILD, "handlers/message-worker")], capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: message-worker    runs until SIGTERM", done.stderr.splitlines())

    def test_a_killed_program_and_a_killed_worker_come_back(self):
        for program in ("sms-inbound-webhook", "message-worker"):
            before = self.pids(program)
            for pid in before:
                os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while set(self.pids(program)) & set(before) or len(self.pids(program)) < len(before):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
        self.assertEqual(self.post_sms(sms("+250788000801", "hello", "again-1"))[0], 200)
        self.assertEqual(len(self.phone("+250788000801")), 1)


if __name__ == "__main__":
    unittest.main()
