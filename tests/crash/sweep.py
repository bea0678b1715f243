#!/usr/bin/env python3
"""Kills one program at one point of its work, in the middle of one scenario, for every point and scenario; then lets the system
recover by itself and checks that nothing was lost, doubled unmarked, or left hanging.

sweep.py [--short] [--jobs N] [--seed S] [--only WORD] [--save FILE]     prints a table: point x scenario -> outcome

A cell says: "ok" the program died there and all held; "+N" gateways had to come N times more; "2x" that many acceptances too
many, all of them marked; "-" the scenario does not pass that point; "FAIL" what broke is listed below the table. The whole sweep fails,
too, when a point or a program is there that no scenario reaches.
"""

import argparse
import json
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../conformance"))
from world import BUILD, QuickWorld, quiet  # noqa: E402
from invariants import check  # noqa: E402
from scenarios import BASIC, MARKERS, PREPARE, SCENARIOS, SETTINGS, missing  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
SERVE = ["serve_read", "serve_before_answer", "serve_after_answer"]
INBOUND = ["inbound_before_store", "inbound_after_store"]
STATUS = ["status_before_store", "status_after_store"]
CALL = ["call_recorded", "call_before_notify", "call_notified", "call_attempted"]
EVENT = ["call_event_before", "call_event_after"]
# Opening a session, pre_accept, accept; then stop and the transcript's two steps. Accepting by SIP is one step.
ANSWER = [f"call_action_{what}:{n}" for what in ("started", "answered") for n in (1, 2, 3)] + ["call_action_noted"]
AFTER = ["call_action_started:5", "call_action_answered:6"] + [f"call_action_{what}_finish:{n}" for what in ("before", "after") for n in (1, 2, 3)]
ACCEPT = ["call_action_started", "call_action_answered", "call_action_noted", "call_action_before_finish", "call_action_after_finish"]
SUMMARY = ["summary_claimed", "summary_asked", "summary_answered", "summary_before_finish"]
TURN = ["turn_claimed", "turn_read", "turn_asked", "turn_answered", "turn_before_finish", "turn_after_finish"]
TOOL = ["tool_before_send", "tool_written", "tool_sent"]
SEND = ["delivery_claimed", "delivery_started", "delivery_answered", "delivery_before_finish", "delivery_after_finish"]
SWEEP = ["sweep_before", "sweep_after"]
KEEP = ["spool_written", "spool_kept"]
RESPOOL = ["respool_read", "respool_taken", "respool_done"]
CALLS = {"feature_phone", "smartphone", "faults"}
PEOPLE = set(BASIC)
JOBS = ("message-worker", "message-retry")
# (program, its points, the scenarios that come by them); POINT:N is the N-th passing of it
PASSED = [
    ("sms-inbound-webhook", SERVE + INBOUND, {"feature_phone", "stranger", "faults", "burst"}),
    ("sms-inbound-webhook", KEEP, {"away"}),
    ("wa-webhook-core", SERVE + INBOUND + STATUS, {"smartphone", "faults"}),
    ("wa-webhook-core", KEEP, {"away"}),
    ("sms-status-webhook", SERVE + STATUS, PEOPLE),
    ("sms-status-webhook", KEEP, {"away"}),
    ("wa-webhook-voice-calls", SERVE + EVENT + ANSWER + AFTER, {"whatsapp_call"}),
    ("wa-webhook-voice-calls", ["spool_written", "serve_before_answer"], {"calls_away"}),
    ("openai-sip-webhook", SERVE + EVENT + ACCEPT, {"sip_call"}),
    ("openai-sip-webhook", ["spool_written", "serve_before_answer"], {"calls_away"}),
    ("call_log_summary", SERVE + CALL + SEND, CALLS),
    ("call_log_summary", CALL + SEND, {"sip_call"}),
    ("call_log_summary", ["call_recorded"], {"unreported_end"}),
    ("post-call-notify", SERVE + CALL + SEND, {"feature_phone", "burst"}),
    ("messaging_send_dual_channel", SERVE + TOOL + SEND, {"tool_turn"}),
    *((name, SERVE + TOOL + SEND, {"every_tool"}) for name in ("messaging_send_sms", "messaging_send_whatsapp", "operator_send")),
    ("mcp", SERVE + TOOL + CALL + SEND, {"every_tool"}),
    *((name, SERVE, {"every_tool"}) for name in (
        "session_get_or_create", "session_update_status", "session_add_context", "session_get_context", "agent_handover",
        "session_pause", "session_resume", "tool-catalog", "healthz")),
]
for job in JOBS:
    PASSED += [
        (job, SWEEP + TURN + SEND + ["call_before_notify"], PEOPLE),
        (job, RESPOOL + INBOUND + STATUS, {"away"}),
        (job, RESPOOL + EVENT + ANSWER + ["call_action_before_finish", "call_action_after_finish"], {"calls_away"}),
        (job, SUMMARY, {"whatsapp_call"}),
        (job, ["sweep_after:2" if job == "message-worker" else "sweep_after", "call_before_notify"], {"unreported_end"}),
        (job, ["turn_tool", "turn_asked:2", "turn_answered:2", "turn_before_finish"] + TOOL, {"tool_turn"}),
    ]
# Cells that no run passes: only the call of 'burst', whose text nobody has told, waits for the worker to be notified; the first request
# of 'feature_phone' ends no call; nobody writes by WhatsApp in 'faults'.
NEVER = {(p, "call_before_notify", s) for p in JOBS for s in PEOPLE if s != "burst"} | {
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
         ("message-worker", "respool_taken", "away"), ("message-retry", "respool_taken", "away"),
         ("wa-webhook-voice-calls", "call_action_answered:3", "whatsapp_call"), ("message-worker", "summary_answered", "whatsapp_call"),
         ("openai-sip-webhook", "call_action_noted", "sip_call"), ("message-worker", "call_before_notify", "unreported_end"),
         ("message-worker", "tool_written", "tool_turn"), ("messaging_send_dual_channel", "tool_sent", "tool_turn")]
LATE = ("message-retry", "post-call-notify")  # here the gateways report only what has come to rest: nothing heals an unknown outcome
MOVING = "SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'failed', 'sending', 'unknown')"
KEEP_S = 90
TRIES = 3  # of a cell that has not come by its point: under load an event may go by the spool, past it
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


class Jobs:
    """Who does the work in one cell: message-retry until it has died, where it is to die, and the worker else."""

    def __init__(self, w, cell):
        self.w, self.cell, self.worker = w, cell, None

    def start(self, name):
        PREPARE.get(self.cell.scenario, lambda _: None)(self.w)
        return self.w.run_program(name, **SETTINGS.get(self.cell.scenario, {}))

    def go_on(self):
        if self.cell.program == "message-retry" and not self.w.has_died():
            self.w.reap(self.start("message-retry"))
        elif self.worker is None or self.worker.poll() is not None:
            if self.worker is not None:
                self.w.reap(self.worker)
            self.worker = self.start("message-worker")

    def end(self):
        if self.worker is not None:
            quiet(self.worker)
            self.w.running.remove(self.worker)


def arm(w, cell):
    point, _, nth = cell.point.partition(":")
    w.arm(f"{cell.program}/{point}:{nth or (NTH.get(point, 1) if cell.scenario == 'burst' else 1)}")


def run_cell(w, cell):
    began = time.monotonic()
    w.lab_json("POST", "/lab/reset", {})
    w.lab_json("POST", "/lab/config", {"receipts": False})
    w.sql(f"TRUNCATE {TABLES}")
    again = w.redelivered
    told = set()
    jobs = Jobs(w, cell)
    w.go_on = jobs.go_on
    if cell.program == "message-worker":
        jobs.go_on()
    arm(w, cell)
    try:
        inbound, wanted, *truths = SCENARIOS[cell.scenario](w)
        deadline = time.monotonic() + KEEP_S
        while w.is_open() or any(m["seq"] not in told for n in wanted for m in w.phone(n, wait_s=0)):
            if time.monotonic() > deadline:
                cell.faults.append(f"still open after {KEEP_S} s")
                break
            jobs.go_on()
            if cell.program not in LATE or w.value(MOVING) == "0":
                w.report_all(told)
            time.sleep(0.05)
        cell.died = w.has_died()
        w.disarm()
        if w.reap(w.run_program("message-retry")) != 0:
            cell.faults.append("message-retry failed")
        cell.faults += missing(w, inbound, wanted, truths[0] if truths else {})
        cell.faults += broken(w, accepted=[("sms", i) for i in inbound])
        cell.doubled = w.lab_json("GET", "/lab/phones")["duplicates"]
        cell.again = w.redelivered - again
    except RuntimeError as e:
        cell.faults.append(str(e))
    finally:
        w.disarm()
        jobs.end()
    cell.took = time.monotonic() - began
    w.settle()


def work(number, queue, lock, done):
    w = type(f"World{number}", (QuickWorld,), {})
    w.begin()
    try:
        while True:
            with lock:
                if not queue:
                    break
                cell = queue.pop()
            for _ in range(TRIES):
                run_cell(w, cell)
                if cell.died or cell.faults:
                    break
            with lock:
                done.append(cell)
                if sys.stderr.isatty():
                    print(f"{len(done)} {cell.program}/{cell.point} {cell.scenario}: {cell.word()}, {cell.took:.1f} s {'; '.join(cell.faults)}", file=sys.stderr)
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
    print(f"\n{'program':<28} {'killed at':<28}" + "".join(f"{n:<15}" for n in names))
    for program, points, _ in PASSED:
        for point in points:
            if (program, point) in by_row:
                row = by_row.pop((program, point))
                print(f"{program:<28} {point:<28}" + "".join(f"{row[n].word() if n in row else '':<15}" for n in names))


def unreached(done):
    """Points of the programs at which nothing died, and programs none of which died."""
    points, programs = set(), set()
    for folder in ("shared", "handlers"):
        for here, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in (n for n in names if n.endswith(".c")):
                with open(os.path.join(here, name), encoding="utf-8") as f:
                    points |= set(re.findall(r'CRASH_POINT\("(\w+)"\)', f.read()))
    with open(os.path.join(ROOT, "scripts/lib/programs"), encoding="utf-8") as f:
        programs = {line.split()[0] for line in f if line.strip() and not line.startswith("#")}
    died = [c for c in done if c.died]
    return sorted(points - {c.point.partition(":")[0] for c in died}) + sorted(programs - {c.program for c in died})


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
    never = [] if given.short or given.only else unreached(done)
    for name in never:
        print(f"NOT REACHED {name}")
    if given.save:
        order = {(c.program, c.point, c.scenario): i for i, c in enumerate(cells)}
        saved = sorted((c for c in done if c.program != "logs"), key=lambda c: order[c.program, c.point, c.scenario])
        with open(given.save, "w", encoding="utf-8") as f:
            json.dump({"seed": given.seed, "cells": [[c.program, c.point, c.scenario, c.word()] for c in saved]}, f)
    print(f"\n{sum(c.died for c in done)} deaths in {time.monotonic() - began:.0f} s, {sum(c.again for c in done)} deliveries repeated, "
          f"{sum(c.doubled for c in done)} doubles (all marked), {len(failed)} failed, seed {given.seed}")
    return 1 if failed or lived or never or sum(c.died for c in done) != len(cells) else 0


if __name__ == "__main__":
    sys.exit(main())
