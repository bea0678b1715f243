#!/usr/bin/env python3
"""Kills one program at one point of its work, in the middle of one scenario, for every point and scenario; then lets the system
recover by itself and checks that nothing was lost, doubled unmarked, or left hanging.

sweep.py [--short] [--jobs N] [--seed S] [--only WORD] [--save FILE]     prints a table: point x scenario -> outcome

A cell says: "ok" the program died there and all held; "+N" gateways had to come N times more; "2x" that many acceptances too
many, all of them marked; "-" the scenario does not pass that point; "FAIL" what broke is listed below the table.
"""

import argparse
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../conformance"))
from world import BUILD, World, quiet  # noqa: E402
from invariants import check  # noqa: E402
from scenarios import MARKERS, SCENARIOS, missing  # noqa: E402

SERVE = ["serve_read", "serve_before_answer", "serve_after_answer"]
INBOUND = ["inbound_before_store", "inbound_after_store"]
STATUS = ["status_before_store", "status_after_store"]
CALL = ["call_recorded", "call_before_notify", "call_notified", "call_attempted"]
TURN = ["turn_claimed", "turn_read", "turn_asked", "turn_answered", "turn_before_finish", "turn_after_finish"]
SEND = ["delivery_claimed", "delivery_started", "delivery_answered", "delivery_before_finish", "delivery_after_finish"]
SWEEP = ["sweep_before", "sweep_after"]
KEEP = ["spool_written", "spool_kept"]
RESPOOL = ["respool_read", "respool_taken", "respool_done"]
CALLS = {"feature_phone", "smartphone", "faults"}
# (program, its points, the scenarios that come by them)
PASSED = [
    ("sms-inbound-webhook", SERVE + INBOUND, {"feature_phone", "stranger", "faults", "burst"}),
    ("sms-inbound-webhook", KEEP, {"away"}),
    ("wa-webhook-core", SERVE + INBOUND + STATUS, {"smartphone", "faults"}),
    ("wa-webhook-core", KEEP, {"away"}),
    ("sms-status-webhook", SERVE + STATUS, set(SCENARIOS)),
    ("sms-status-webhook", KEEP, {"away"}),
    ("call_log_summary", SERVE + CALL + SEND, CALLS),
    ("post-call-notify", SERVE + CALL + SEND, {"feature_phone", "burst"}),
    ("message-worker", SWEEP + TURN + SEND + ["call_before_notify"], set(SCENARIOS)),
    ("message-worker", RESPOOL, {"away"}),
    ("message-retry", SWEEP + TURN + SEND + ["call_before_notify"], set(SCENARIOS)),
    ("message-retry", RESPOOL, {"away"}),
]
# Cells that no run passes: only the call of 'burst', whose text nobody has told, waits for the worker to be notified; the first request
# of 'feature_phone' ends no call; nobody writes by WhatsApp in 'faults'.
NEVER = {(p, "call_before_notify", s) for p in ("message-worker", "message-retry") for s in SCENARIOS if s != "burst"} | {
    ("wa-webhook-core", p, "faults") for p in INBOUND} | {
    ("call_log_summary", p, "feature_phone") for p in ["call_before_notify", *SEND]} | {
    ("post-call-notify", p, "burst") for p in ["call_before_notify", *SEND]}
NTH = {"delivery_started": 3, "turn_asked": 3, "inbound_after_store": 4}  # in 'burst': in the middle of a batch
SHORT = [("sms-inbound-webhook", "serve_before_answer", "stranger"), ("sms-inbound-webhook", "inbound_after_store", "burst"),
         ("wa-webhook-core", "status_after_store", "smartphone"), ("sms-status-webhook", "status_before_store", "stranger"),
         ("call_log_summary", "delivery_started", "smartphone"), ("post-call-notify", "call_notified", "feature_phone"),
         ("message-worker", "turn_before_finish", "stranger"), ("message-worker", "turn_after_finish", "feature_phone"),
         ("message-worker", "delivery_started", "burst"), ("message-worker", "delivery_answered", "faults"),
         ("message-retry", "delivery_before_finish", "smartphone"), ("message-retry", "turn_claimed", "stranger"),
         ("sms-inbound-webhook", "spool_kept", "away"), ("sms-status-webhook", "spool_written", "away"),
         ("message-worker", "respool_taken", "away"), ("message-retry", "respool_taken", "away")]
LATE = ("message-retry", "post-call-notify")  # here the gateways report only what has come to rest: nothing heals an unknown outcome
MOVING = "SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending', 'unknown')"
KEEP_S = 90
TABLES = ("tool_calls, call_actions, call_events, webhook_ids, "
          "delivery_attempts, status_events, inbound_poison, call_triggers, turns, conversation_threads, message_delivery_log, "
          "call_summaries, omnichannel_sessions, contact_addresses, profiles, provider_circuit")


class Cell:
    """One death, and what came of it."""

    def __init__(self, program, point, scenario):
        self.program, self.point, self.scenario = program, point, scenario
        self.died = False
        self.again = 0
        self.doubled = 0
        self.faults = []
        self.took = 0.0

    def word(self):
        if self.faults:
            return "FAIL"
        if not self.died:
            return "-"
        return "ok" + (f" +{self.again}" if self.again else "") + (f" {self.doubled}x" if self.doubled else "")


def broken(w, **given):
    """The invariants that do not hold."""
    return [f"{name}: {detail}" for name, holds, detail in check(w.sql, w.lab_json, **given) if holds is False]


def run_cell(w, cell):
    began = time.monotonic()
    w.lab_json("POST", "/lab/reset", {})
    w.lab_json("POST", "/lab/config", {"receipts": False})
    w.sql(f"TRUNCATE {TABLES}")
    nth = NTH.get(cell.point, 1) if cell.scenario == "burst" else 1
    again = w.redelivered
    told = set()
    worker = w.run_program("message-worker") if cell.program == "message-worker" else None
    w.arm(f"{cell.program}/{cell.point}:{nth}")
    try:
        inbound, wanted = SCENARIOS[cell.scenario](w)
        deadline = time.monotonic() + KEEP_S
        while w.is_open() or any(m["seq"] not in told for n in wanted for m in w.phone(n, wait_s=0)):
            if time.monotonic() > deadline:
                cell.faults.append(f"still open after {KEEP_S} s")
                break
            if cell.program == "message-retry" and not w.has_died():
                w.reap(w.run_program("message-retry"))
            elif worker is None or worker.poll() is not None:
                if worker is not None:
                    w.reap(worker)
                worker = w.run_program("message-worker")
            if cell.program not in LATE or w.value(MOVING) == "0":
                w.report_all(told)
            time.sleep(0.05)
        cell.died = w.has_died()
        w.disarm()
        if w.reap(w.run_program("message-retry")) != 0:
            cell.faults.append("message-retry failed")
        cell.faults += missing(w, inbound, wanted)
        cell.faults += broken(w, accepted=[("sms", i) for i in inbound])
        cell.doubled = w.lab_json("GET", "/lab/phones")["duplicates"]
        cell.again = w.redelivered - again
    except RuntimeError as e:
        cell.faults.append(str(e))
    finally:
        w.disarm()
        if worker is not None:
            quiet(worker)
            w.running.remove(worker)
    cell.took = time.monotonic() - began


def work(number, queue, lock, done):
    w = type(f"World{number}", (World,), {})
    w.begin()
    try:
        while True:
            with lock:
                if not queue:
                    break
                cell = queue.pop()
            run_cell(w, cell)
            with lock:
                done.append(cell)
                if sys.stderr.isatty():
                    print(f"{len(done)} {cell.program}/{cell.point} {cell.scenario}: {cell.word()}, {cell.took:.1f} s", file=sys.stderr)
        folder = os.path.join(w.state, "var/log")
        cell = Cell("logs", "all", "")
        cell.faults = broken(w, logs=[os.path.join(folder, f) for f in os.listdir(folder)], markers=MARKERS)
        with lock:
            done.append(cell)
    finally:
        w.end()


def table(cells):
    names = list(SCENARIOS)
    by_row = {}
    for c in cells:
        by_row.setdefault((c.program, c.point), {})[c.scenario] = c
    print(f"\n{'program':<20} {'killed at':<24}" + "".join(f"{n:<15}" for n in names))
    for program, points, _ in PASSED:
        for point in points:
            if (program, point) in by_row:
                row = by_row.pop((program, point))
                print(f"{program:<20} {point:<24}" + "".join(f"{row[n].word() if n in row else '':<15}" for n in names))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--short", action="store_true")
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--seed", type=int, default=int(time.time()))
    options.add_argument("--only", default="")
    options.add_argument("--save", help="a file for matrix.py")
    given = options.parse_args()
    cells = [Cell(*c) for c in SHORT] if given.short else [
        Cell(program, point, s) for program, points, scenarios in PASSED for point in points for s in sorted(scenarios)
        if (program, point, s) not in NEVER and given.only in f"{program}/{point} {s}"]
    print(f"{len(cells)} cells, order by seed {given.seed}, programs of {BUILD}", flush=True)
    queue = list(cells)
    random.Random(given.seed).shuffle(queue)
    done, lock, began = [], threading.Lock(), time.monotonic()
    workers = [threading.Thread(target=work, args=(i, queue, lock, done)) for i in range(given.jobs)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    table(done)
    failed = [c for c in done if c.faults]
    lived = [c for c in done if not c.died and not c.faults and c.program != "logs"]
    for c in failed:
        print(f"FAIL {c.program}/{c.point} {c.scenario}: {'; '.join(c.faults)}")
    for c in lived:
        print(f"NOT PASSED {c.program}/{c.point} {c.scenario}")
    if given.save:
        order = {(c.program, c.point, c.scenario): i for i, c in enumerate(cells)}
        saved = sorted((c for c in done if c.program != "logs"), key=lambda c: order[c.program, c.point, c.scenario])
        with open(given.save, "w", encoding="utf-8") as f:
            json.dump({"seed": given.seed, "cells": [[c.program, c.point, c.scenario, c.word()] for c in saved]}, f)
    print(f"\n{sum(c.died for c in done)} deaths in {time.monotonic() - began:.0f} s, {sum(c.again for c in done)} deliveries repeated, "
          f"{sum(c.doubled for c in done)} doubles (all marked), {len(failed)} failed, seed {given.seed}")
    return 1 if failed or lived or sum(c.died for c in done) != len(cells) else 0


if __name__ == "__main__":
    sys.exit(main())
