#!/usr/bin/env python3
"""Thousands of messages through gateways that fail in every way, while people write, the workers are killed with -9 all the time and
PostgreSQL every few seconds. At the end every message is accounted for, from what the gateways say they took and what they were
told we have.

kill_loop.py [--messages N] [--inbound N] [--workers N] [--kill-every S] [--crash-every S] [--faults P] [--seed S] [--limit S]
             [--calm-after S] [--inbound-over S] [--save FILE]

Passes when nothing was lost without trace, no duplicate is unmarked, none was sent more often than its marks allow, nothing is left
hanging, and every message of a person that was answered 200 is there once and was answered in one turn, or is a person's case.
Leases, holds, backoff and the circuit breaker's times are scaled down, which makes the figures far worse than those of a real day.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))
from invariants import check  # noqa: E402
from world import World  # noqa: E402

# p of each kind of fault is this share of --faults
FAULTS = {"accept_then_close": 0.3, "hang": 0.05, "accept_then_hang": 0.05, "500": 0.25, "429": 0.15, "400": 0.2}
PER_PERSON = 4  # two by SMS, two by WhatsApp; the first of each are twins of one message

PEOPLE = """
DO $$
DECLARE
    i int;
    person uuid;
    dialog record;
    twin uuid;
BEGIN
    FOR i IN {first}..{last} LOOP
        person := person_find_or_create('+2507' || lpad((20000000 + i)::text, 8, '0'), '2507' || lpad((20000000 + i)::text, 8, '0'), NULL, NULL, NULL);
        UPDATE profiles SET wa_window_until = clock_timestamp() + interval '20 hours', has_whatsapp = true WHERE user_id = person;
        SELECT * INTO dialog FROM session_open(person, 'sms', NULL, NULL, NULL, NULL);
        twin := uuid_v7();
        PERFORM messages_enqueue(dialog.id, (SELECT jsonb_agg(jsonb_build_object(
            'id', uuid_v7(), 'group_id', CASE WHEN n <= 2 THEN twin ELSE uuid_v7() END, 'part', 1,
            'channel', CASE WHEN n % 2 = 1 THEN 'sms' ELSE 'whatsapp' END, 'provider', CASE WHEN n % 2 = 1 THEN 'mtn' ELSE 'meta' END,
            'message_type', 'operator', 'content', 'Message ' || n, 'recipient_phone', '+2507' || lpad((20000000 + i)::text, 8, '0'),
            'idem_key', 'loop:' || i || ':' || n, 'expires_in_s', 86400,
            'metadata', jsonb_build_object('kind', 'text', 'language', 'en')) ORDER BY n) FROM generate_series(1, {each}) AS n));
    END LOOP;
END $$
"""
LEFT = ("SELECT (SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending', 'unknown')) + "
        "(SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at IS NOT NULL)")
MUST_HOLD = ("I1", "I5", "I6", "I7", "I8")  # the others look at what is counted here one by one


class Loop(World):
    times = {**World.times, "LEASE_S": "3", "BACKOFF_SCALE": "0.01"}


def when_up(action):
    """The action's result, tried again while PostgreSQL is coming back."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return action()
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def script_faults(share, seed):
    for provider in ("mtn", "meta"):
        for i, (fault, part) in enumerate(FAULTS.items()):
            more = {"retry_after": 1} if fault == "429" else {}
            Loop.lab_json("POST", "/lab/faults", {"provider": provider, "fault": fault, "p": share * part, "seed": seed + i, **more})
        Loop.lab_json("POST", "/lab/faults", {"provider": provider, "fault": "lost_receipt", "p": 0.02, "seed": seed + 99})


class Reaper(threading.Thread):
    """Keeps the workers running and kills one of them at random moments, until it is told to stop."""

    def __init__(self, count, every, rng):
        super().__init__(daemon=True)
        self.every, self.rng, self.kills = every, rng, 0
        self.calm, self.over = threading.Event(), threading.Event()
        self.workers = [Loop.run_program("message-worker") for _ in range(count)]

    def run(self):
        while not self.over.wait(self.rng.expovariate(1 / self.every)):
            i = self.rng.randrange(len(self.workers))
            if self.calm.is_set() and self.workers[i].poll() is None:
                continue
            Loop.reap(self.workers[i], signal.SIGKILL)
            self.workers[i] = Loop.run_program("message-worker")
            self.kills += not self.calm.is_set()

    def finish(self):
        self.over.set()
        self.join()
        for process in self.workers:
            Loop.reap(process, signal.SIGTERM)


class Gateway(threading.Thread):
    """People who write while all this goes on: each message comes again until it was answered 200."""

    def __init__(self, count, people, over_s, rng):
        super().__init__(daemon=True)
        self.count, self.people, self.rng = count, people, rng
        self.pause = over_s / max(count, 1)
        self.accepted, self.fault = [], ""

    def run(self):
        try:
            for i in range(self.count):
                time.sleep(self.rng.expovariate(1 / self.pause))
                number = f"+2507{20000000 + self.rng.randrange(self.people) + 1:08}"
                if i % 4 == 3:
                    Loop.send_whatsapp(number, f"Question {i}", f"wamid.loop{i}")
                else:
                    Loop.send_sms(number, f"Question {i}", f"loop-{i}")
                self.accepted.append(("meta", f"wamid.loop{i}") if i % 4 == 3 else ("mtn", f"loop-{i}"))
        except RuntimeError as e:
            self.fault = str(e)


def crash_postgresql(rng):
    """As a power cut does it, or as an impatient operator ("immediate"); scripts/serve starts it again."""
    try:
        os.kill(Loop.pids("postgresql")[0], signal.SIGKILL if rng.random() < 0.5 else signal.SIGQUIT)
    except (ProcessLookupError, IndexError):
        return 0  # it is down already
    return 1


def run_until_done(given, people, rng):
    """Kills and restarts until the queue is empty; returns (kills, crashes of PostgreSQL, seconds, the gateway)."""
    reaper = Reaper(given.workers, given.kill_every, random.Random(given.seed + 1))
    gateway = Gateway(given.inbound, people, given.inbound_over, random.Random(given.seed + 2))
    began = time.monotonic()
    crashes, next_crash = 0, began + given.crash_every / 2
    reaper.start()
    gateway.start()
    while True:
        now = time.monotonic()
        if now - began > given.calm_after:
            reaper.calm.set()  # the rest of the time is for what is left
        elif now >= next_crash:
            crashes += crash_postgresql(rng)
            next_crash = now + given.crash_every * (0.5 + rng.random())
        left = when_up(lambda: Loop.value(LEFT))
        if left == "0" and not Loop.waiting() and not gateway.is_alive():
            break
        if now - began > given.limit:
            print(f"time is over with {left} messages in hand")
            break
        time.sleep(0.3)
    took = time.monotonic() - began
    gateway.join()
    reaper.finish()
    return reaper.kills, crashes, took, gateway


def account(n):
    """What became of every message: {figure: number}, and the ids of what must not be."""
    taken, wrong = {}, []
    for number in [r[0] for r in Loop.sql("SELECT phone_number FROM profiles")]:
        for m in Loop.phone(number, wait_s=0):
            taken[m["reference"]] = taken.get(m["reference"], 0) + 1
    rows = Loop.sql("SELECT id, status, coalesce(dead_reason, ''), possible_duplicate, ambiguous_resends FROM message_delivery_log "
                    "WHERE direction = 'outbound'")
    planned = int(Loop.value("SELECT count(*) FROM message_delivery_log WHERE message_type = 'operator'"))
    figures = {"messages": len(rows), "accepted at least once": 0, "duplicates at the gateways": 0, "marked as possible duplicate": 0,
               "duplicates unmarked": 0, "sent oftener than marked": 0, "dead (permanent)": 0, "dead (ambiguous)": 0,
               "of these delivered all the same": 0, "dead (attempts)": 0, "lost without trace": n - planned, "left hanging": 0}
    for row_id, status, reason, marked, resends in rows:
        times = taken.get(row_id, 0)
        figures["accepted at least once"] += times > 0
        figures["duplicates at the gateways"] += max(0, times - 1)
        figures["marked as possible duplicate"] += marked == "t"
        figures["duplicates unmarked"] += times > 1 and marked != "t"
        figures["sent oftener than marked"] += times > 1 + int(resends)
        if status == "dead":
            figures[f"dead ({reason})"] = figures.get(f"dead ({reason})", 0) + 1
            figures["of these delivered all the same"] += times > 0
        elif status in ("sent", "delivered", "read"):
            figures["lost without trace"] += times == 0
        elif status not in ("undelivered", "suppressed"):
            figures["left hanging"] += 1
        if (times > 1 and marked != "t") or times > 1 + int(resends) or (times == 0 and status in ("sent", "delivered", "read")):
            wrong.append(row_id)
    figures["accepted, but of no row"] = len(set(taken) - {r[0] for r in rows})
    return figures, wrong


def show(wrong):
    for row_id in wrong[:5]:
        print(Loop.sql(f"SELECT id, status, lease_token, retry_count, ambiguous_resends, error_code, created_at, sent_at "
                       f"FROM message_delivery_log WHERE id = '{row_id}'"))
        print(Loop.sql(f"SELECT fence, worker, outcome, http_status, started_at, finished_at FROM delivery_attempts "
                       f"WHERE message_id = '{row_id}' ORDER BY fence"))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=600)
    options.add_argument("--inbound", type=int, default=0, help="messages of people; without it a quarter of --messages")
    options.add_argument("--workers", type=int, default=3)
    options.add_argument("--kill-every", type=float, default=0.15)
    options.add_argument("--crash-every", type=float, default=5)
    options.add_argument("--faults", type=float, default=0.2)
    options.add_argument("--calm-after", type=float, default=75, help="no kills from here on, so that the queue can come to an end")
    options.add_argument("--inbound-over", type=float, default=25, help="the people write during this time")
    options.add_argument("--limit", type=float, default=400, help="far above what it takes: a slow machine is no fault")
    options.add_argument("--save", help="a file for matrix.py")
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--receipt-delay", type=int, default=1500, help="ms; longer than a hold, so that many reports come too late")
    given = options.parse_args()
    given.inbound = given.inbound or given.messages // 4
    rng = random.Random(given.seed)
    people = (given.messages + PER_PERSON - 1) // PER_PERSON
    print(f"{people * PER_PERSON} messages, {given.inbound} inbound, faults {given.faults:.0%}, a kill every {given.kill_every} s, seed {given.seed}", flush=True)
    Loop.begin()
    try:
        Loop.lab_json("POST", "/lab/reset", {})
        for first in range(1, people + 1, 500):
            Loop.sql(PEOPLE.format(first=first, last=min(people, first + 499), each=PER_PERSON))
        Loop.lab_json("POST", "/lab/config", {"receipt_delay_ms": given.receipt_delay})
        script_faults(given.faults, given.seed)
        kills, crashes, took, gateway = run_until_done(given, people, rng)
        Loop.lab_json("GET", "/lab/stats?idle_wait_ms=5000")
        figures, wrong = account(people * PER_PERSON)
        held = [(name, holds, detail) for name, holds, detail in check(Loop.sql, Loop.lab_json, accepted=gateway.accepted)
                if name.split()[0] in MUST_HOLD]
        figures |= {"inbound answered 200": len(gateway.accepted), "inbound repeated by gateways": Loop.redelivered,
                    "conversations for a person": int(Loop.value("SELECT count(*) FROM omnichannel_sessions WHERE needs_human")),
                    "circuit breakers open": int(Loop.value("SELECT count(*) FROM provider_circuit WHERE state <> 'closed'")),
                    "workers killed": kills, "PostgreSQL crashed": crashes, "attempts": int(Loop.value("SELECT count(*) FROM delivery_attempts")),
                    "seconds": int(took)}
        for name, value in figures.items():
            print(f"{name:<34} {value:>8}")
        for name, holds, detail in held:
            print(f"{name}: {'holds' if holds else 'BROKEN'}, {detail}")
        show(wrong)
    finally:
        Loop.end()
    must_be_none = ("lost without trace", "duplicates unmarked", "sent oftener than marked", "left hanging", "accepted, but of no row")
    bad = [name for name in must_be_none if figures[name] != 0] + (["no kill at all"] if kills == 0 else [])
    bad += [name for name, holds, _ in held if not holds] + ([gateway.fault] if gateway.fault else [])
    bad += ["an inbound message not answered"] if len(gateway.accepted) != given.inbound else []
    if given.save:
        with open(given.save, "w", encoding="utf-8") as f:
            json.dump({"seed": given.seed, "passed": not bad, "figures": figures}, f)
    print(f"FAIL {', '.join(bad)}, seed {given.seed}" if bad else f"passed: with 95 % certainty fewer than 1 in {people * PER_PERSON // 3} "
          f"is lost, seed {given.seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
